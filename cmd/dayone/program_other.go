//go:build !linux

package main

// forgetProgram: only Linux counts the pages of a program's own file as its memory until it is told to forget them.
func forgetProgram() error { return nil }

// Package all is the registry: a function, generated from the folders beside it. It must hold nothing else.
package all

//go:generate go run ../../internal/gen

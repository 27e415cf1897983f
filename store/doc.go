// Package store keeps everything in SQLite or PostgreSQL, with one SQL text for both. It has one writer: what has come
// while the last commit was on its way to the disk goes into the next one together. It must not decide anything, call a
// system, or know a page; each consumer names the few methods it needs in an interface of its own.
package store

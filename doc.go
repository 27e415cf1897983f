// Package dayone holds the nouns: what the product talks about, as plain data. It uses the standard library only and
// must not do anything: no input or output, no clock, no goroutine, and no knowledge of any package above it.
//
// Reading order: event.go (what a source said), person.go (who it is about), access.go (what one can have), step.go
// (what is to be done), run.go (how far it is), record.go (what was done), hold.go (what is left alone for a while). value.go,
// id.go, error.go and meant.go serve them.
//
// Words are those of ARCHITECTURE.md. Every noun survives encoding/json unchanged.
package dayone

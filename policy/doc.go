// Package policy turns a person at an instant into a want: everything that the policy files give, each with its reason.
// It is pure. It must not read a clock, a file system of its own choosing, a network or a database, and must not know
// what any vendor can do: that reaches it as dayone.System values.
//
// Load reads a folder and reports every fault of every file at once, each with file, line and column. The Set that it
// returns never changes and may be used from many goroutines.
//
// The language is described in docs/policy.md. Structure is YAML, conditions are CEL (https://cel.dev).
package policy

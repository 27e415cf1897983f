package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// A server at rest does not keep its whole program in memory, and goes on as before with what it needs of it.
func TestAProgramAtRestIsForgotten(t *testing.T) {
	before := programPages(t)
	if err := forgetProgram(); err != nil {
		t.Fatal(err)
	}
	if after := programPages(t); after > before/2 {
		t.Errorf("%d KB of files are in memory, %d KB before", after, before)
	}
}

// programPages are the kilobytes of files that the process has in memory.
func programPages(t *testing.T) (kilobytes int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("the system does not say how much memory a process has: mount /proc")
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatal(err)
	}
	return kilobytes
}

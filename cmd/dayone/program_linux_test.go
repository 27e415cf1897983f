package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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

// What was written to while the program was loaded is not as its file is, though nobody may write to it any more.
func TestWhatIsNotAsItsFileIsStays(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "program"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(int64(os.Getpagesize())); err != nil {
		t.Fatal(err)
	}
	page, err := syscall.Mmap(int(file.Fd()), 0, os.Getpagesize(), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(page)
	page[0] = 1
	if err := syscall.Mprotect(page, syscall.PROT_READ); err != nil {
		t.Fatal(err)
	}
	if err := forgetFile(file.Name()); err != nil {
		t.Fatal(err)
	}
	if page[0] != 1 {
		t.Error("what was written to a page is forgotten with it")
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

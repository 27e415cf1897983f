package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A server at rest does not keep its whole program in memory, and goes on as before with what it needs of it.
func TestAProgramAtRestIsForgotten(t *testing.T) {
	used := programUsed(t)
	before := programPages(t)
	if before < used/1024 {
		t.Fatalf("%d KB of files are in memory after %d of the program were read", before, used/1024)
	}
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

// A program that runs at any address has pages that nobody writes to any more, and that are not as its file is: they stay.
func TestWhatTheLoaderWroteStays(t *testing.T) {
	const smaps = `5558d2492000-5558d2564000 r-xp 00000000 fe:00 10265371                   /srv/my dayone
Size:                840 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me
5558d2669000-5558d2699000 r--p 001d7000 fe:00 10265371                   /srv/my dayone
Anonymous:           192 kB
Swap:                  0 kB
5558d2699000-5558d269a000 r--p 00207000 fe:00 10265371                   /srv/my dayone
Anonymous:             0 kB
Swap:                  4 kB
5558d26a0000-5558d26a9000 rw-p 00208000 fe:00 10265371                   /srv/my dayone
Anonymous:             0 kB
Swap:                  0 kB
7f0000000000-7f0000001000 r--p 00000000 fe:00 10265372                   /lib/libc.so.6
Anonymous:             0 kB
Swap:                  0 kB
7f0000002000-7f0000003000 r--p 00000000 00:00 0
Anonymous:             0 kB
Swap:                  0 kB
`
	want := []mapping{{0x5558d2492000, 0x5558d2564000}}
	if got := asInFile([]byte(smaps), "/srv/my dayone"); !slices.Equal(got, want) {
		t.Errorf("forgotten is %x, want %x", got, want)
	}
}

// programUsed reads what of the program is its instructions, so that it is in memory, and says how many bytes that is.
func programUsed(t *testing.T) (bytes int) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip("the system does not say where a program is in memory: mount /proc")
	}
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	for line := range strings.Lines(string(maps)) {
		var begin, end int64
		if _, err := fmt.Sscanf(line, "%x-%x r-xp", &begin, &end); err != nil || !strings.Contains(line, os.Args[0]) {
			continue
		}
		text := make([]byte, end-begin)
		if _, err := memory.ReadAt(text, begin); err != nil {
			t.Fatal(err)
		}
		bytes += len(text)
	}
	return bytes
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

package main

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// forgetProgram hands the pages of the program's own file back: most are of the start, and what is used again is mapped again
// from what the system has cached.
func forgetProgram() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	return forgetFile(program)
}

func forgetFile(name string) error {
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return err
	}
	for _, m := range asInFile(maps, name) {
		if _, _, no := syscall.Syscall(syscall.SYS_MADVISE, m.begin, m.end-m.begin, syscall.MADV_DONTNEED); no != 0 {
			return os.NewSyscallError("madvise", no)
		}
	}
	return nil
}

type mapping struct{ begin, end uintptr }

// asInFile are the mappings of a file of which each page is as the file is: only they may be forgotten. That nobody may write
// to one does not say so: the loader of a program that runs at any address (-buildmode=pie) writes addresses into some before
// it closes them, and the file has none.
func asInFile(smaps []byte, file string) []mapping {
	var out []mapping
	var m mapping
	clean := 0 // kinds of pages that are not the file's of which the mapping says that it has none
	for lines := bufio.NewScanner(bytes.NewReader(smaps)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) < 2:
		case !strings.HasSuffix(fields[0], ":"): // begin-end rights offset device inode file
			m, clean = mapping{}, 0
			if len(fields) < 6 || !strings.HasSuffix(lines.Text(), " "+file) || strings.Contains(fields[1], "w") {
				continue
			}
			from, to, _ := strings.Cut(fields[0], "-")
			begin, err := strconv.ParseUint(from, 16, 64)
			end, wrong := strconv.ParseUint(to, 16, 64)
			if err == nil && wrong == nil {
				m = mapping{uintptr(begin), uintptr(end)}
			}
		case fields[0] == "Anonymous:" || fields[0] == "Swap:":
			if fields[1] != "0" {
				continue
			}
			if clean++; clean == 2 && m.end > m.begin {
				out = append(out, m)
			}
		}
	}
	return out
}

package main

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// forgetProgram hands the pages of the program's own file back: most are of the start, and what is used again is mapped again
// from what the system has cached. Only mappings that are as the file is may be forgotten: in a program that is built to lie
// anywhere in memory some are written to while it is loaded, and cannot be written to any more.
func forgetProgram() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	return forgetFile(program)
}

func forgetFile(name string) error {
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer maps.Close()
	var span, rights string
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) < 3:
		case !strings.HasSuffix(fields[0], ":"): // begin-end rights offset device inode file
			if span = ""; len(fields) >= 6 && strings.HasSuffix(lines.Text(), " "+name) {
				span, rights = fields[0], fields[1]
			}
		case fields[0] == "Anonymous:" && fields[1] == "0" && span != "" && !strings.Contains(rights, "w"):
			if err := forget(span); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}

// forget hands the pages of a mapping back.
func forget(span string) error {
	from, to, _ := strings.Cut(span, "-")
	begin, err := strconv.ParseUint(from, 16, 64)
	if err != nil {
		return err
	}
	end, err := strconv.ParseUint(to, 16, 64)
	if err != nil {
		return err
	}
	if _, _, no := syscall.Syscall(syscall.SYS_MADVISE, uintptr(begin), uintptr(end-begin), syscall.MADV_DONTNEED); no != 0 {
		return os.NewSyscallError("madvise", no)
	}
	return nil
}

//go:build linux || darwin

package store

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// names is by how many names a file is there.
func names(is os.FileInfo) uint64 {
	if s, ok := is.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink)
	}
	return 1
}

// room asks for what is free to us, which may be less than what is free.
func room(file string) (free, total uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(file), &s); err != nil {
		return 0, 0, fmt.Errorf("asking how full the volume of the database is: %w", err)
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), nil
}

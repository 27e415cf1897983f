package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dayone-hq/dayone"
)

// The most that is read of one file: what is longer is not what it is taken for.
const (
	mostFile   = 4 << 20  // of a policy folder, and of the configuration
	mostSecret = 64 << 10 // that the configuration names
)

var (
	errNoFile = errors.New("this is no file that can be read to its end (a pipe, a device?); take it out")
	errLarge  = fmt.Errorf("the file has more than %d MiB", mostFile>>20)
)

// folder is a folder of which only files are read that have an end. Whatever lies in it, reading it ends, too.
func folder(dir string) fs.FS { return files{os.DirFS(dir)} }

type files struct{ fs.FS }

// Open looks before it opens: opening a pipe waits for somebody who writes.
func (f files) Open(name string) (fs.File, error) {
	info, err := fs.Stat(f.FS, name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "open", Path: name, Err: errNoFile}
	case info.Size() > mostFile:
		return nil, &fs.PathError{Op: "open", Path: name, Err: errLarge}
	}
	return f.FS.Open(name)
}

// readFile reads a file as it is read in a folder.
func readFile(path string) ([]byte, error) {
	raw, err := fs.ReadFile(folder(filepath.Dir(path)), filepath.Base(path))
	var at *fs.PathError
	if errors.As(err, &at) {
		at.Path = path
	}
	return raw, err
}

// readUpTo reads a file that has no more than so many bytes.
func readUpTo(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > most {
		return nil, fmt.Errorf("%s has more than %d bytes: %w", path, most, dayone.ErrInvalid)
	}
	return raw, nil
}

package sheet

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/dayone-hq/dayone"
)

// Stamp tells one state of a file from the next.
type Stamp struct{ info fs.FileInfo }

// At is of when the file is.
func (s Stamp) At() time.Time {
	if s.info == nil {
		return time.Time{}
	}
	return s.info.ModTime()
}

// Is says that nobody has written the file since.
func (s Stamp) Is(o Stamp) bool {
	return s.info != nil && o.info != nil && os.SameFile(s.info, o.info) && s.info.ModTime().Equal(o.info.ModTime()) && s.info.Size() == o.info.Size()
}

// Look says which state a file is in. ErrNotFound: there is none. ErrUnavailable: that cannot be seen.
func Look(path string) (Stamp, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Stamp{}, fmt.Errorf("there is no file %s: %w", path, dayone.ErrNotFound)
	case err != nil:
		return Stamp{}, fmt.Errorf("%s cannot be seen (%s): %w", path, cause(err), dayone.ErrUnavailable)
	case !info.Mode().IsRegular():
		return Stamp{}, fmt.Errorf("%s is no file: %w", path, dayone.ErrInvalid)
	}
	return Stamp{info}, nil
}

// Load reads a file, and says which state that was. ErrUnavailable: it cannot be read, or is written just now, which says
// nothing of what stands in it.
func Load(path string) (raw []byte, at Stamp, err error) {
	if at, err = Look(path); err != nil {
		return nil, at, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, at, fmt.Errorf("%s cannot be opened (%s): %w", path, cause(err), dayone.ErrUnavailable)
	}
	defer f.Close()
	raw, err = io.ReadAll(io.LimitReader(f, MostBytes+1))
	if err != nil {
		return nil, at, fmt.Errorf("%s cannot be read (%s): %w", path, cause(err), dayone.ErrUnavailable)
	}
	if after, err := f.Stat(); err != nil || !at.Is(Stamp{after}) {
		return nil, at, fmt.Errorf("%s is written just now: %w", path, dayone.ErrUnavailable)
	}
	return raw, at, nil
}

// Replace puts raw in the place of a file, whole or not at all, whatever happens meanwhile. at is of when it is; zero: now.
// The file keeps its permissions.
func Replace(path string, raw []byte, at time.Time) error {
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	return ReplaceAs(path, raw, mode, at)
}

// ReplaceAs is Replace with permissions of its own.
func ReplaceAs(path string, raw []byte, mode fs.FileMode, at time.Time) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("there is no folder %s, and it cannot be made (%s): %w", dir, cause(err), dayone.ErrUnavailable)
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.new")
	if err != nil {
		return fmt.Errorf("nothing can be written into %s (%s): %w", dir, cause(err), dayone.ErrUnavailable)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
			err = fmt.Errorf("%s cannot be written (%s): %w", path, cause(err), dayone.ErrUnavailable)
		}
	}()
	if _, err = f.Write(raw); err != nil {
		return err
	}
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if !at.IsZero() {
		if err = os.Chtimes(f.Name(), at, at); err != nil {
			return err
		}
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	if d, bad := os.Open(dir); bad == nil { // the name, too, is to outlive a power cut
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// cause is an error of the file system without the path, which is said already.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err.Error()
	}
	return err.Error()
}

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sheet"
)

// change is what was written last, so that it can be undone.
type change struct {
	what    string
	was, is map[string][]byte // files; nil: there is none
}

// write puts secrets and configuration in place, with the record of it, or leaves all as it was.
func (u *systemForms) write(ctx context.Context, d *systemDraft, by string) error {
	was, is := map[string][]byte{u.path: d.was}, map[string][]byte{u.path: []byte(d.text)}
	for name, v := range d.secrets {
		path := filepath.Join(filepath.Dir(u.path), name)
		raw, err := readIfThere(path)
		if err != nil {
			return err
		}
		was[path], is[path] = raw, []byte(v+"\n")
	}
	for _, name := range d.old {
		path := filepath.Join(filepath.Dir(u.path), name)
		raw, err := readIfThere(path)
		if err != nil {
			return err
		}
		if raw != nil && !strings.Contains(d.text, name) {
			was[path], is[path] = raw, nil
		}
	}
	if err := u.swap(was, is); err != nil {
		return err
	}
	verb := map[bool]string{true: "system added", false: "system changed"}[d.isNew]
	if err := u.server.store.Record(ctx, dayone.Record{At: u.server.flow.Clock.Now(), What: verb, System: d.name, By: by, Detail: &dayone.Detail{Note: d.lines(u.path)}}); err != nil {
		return errors.Join(err, u.swap(is, was))
	}
	u.last = &change{what: fmt.Sprintf("%s: %s (%s), by %s", sentenceOf(verb), d.name, d.manifest.Title, by), was: was, is: is}
	return nil
}

// LastChange is what Undo would undo.
func (u *systemForms) LastChange() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		return ""
	}
	if raw, err := readUpTo(u.path, mostFile); err != nil || !bytes.Equal(raw, u.last.is[u.path]) {
		return ""
	}
	return u.last.what
}

// Undo puts back what the last change replaced. If it fails it can be done again.
func (u *systemForms) Undo(ctx context.Context, by string) (string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		return "", fmt.Errorf("nothing was changed here since the server started: %w", dayone.ErrConflict)
	}
	was, is, what := u.last.was, u.last.is, u.last.what
	if err := u.swap(is, was); err != nil {
		return "", err
	}
	if err := u.server.store.Record(ctx, dayone.Record{At: u.server.flow.Clock.Now(), What: "system change undone", By: by, Detail: &dayone.Detail{Note: what}}); err != nil {
		return "", errors.Join(err, u.swap(was, is))
	}
	u.last = nil
	return what, nil
}

// swap puts files in place of others, all or none, while they are what they are taken for. The configuration comes after the
// secrets that it refers to, and before those go to which it refers no more.
func (u *systemForms) swap(was, is map[string][]byte) (err error) {
	for path := range is {
		if now, err := readIfThere(path); err != nil {
			return err
		} else if (now == nil) != (was[path] == nil) || !bytes.Equal(now, was[path]) {
			return changedSince(path)
		}
	}
	if err := u.begins(is); err != nil {
		return err
	}
	var done []string
	defer func() {
		for _, path := range slices.Backward(done) {
			if err != nil {
				err = errors.Join(err, u.put(path, is[path], was[path]))
			}
		}
		err = errors.Join(err, os.Remove(journalOf(u.path)))
	}()
	turn := func(path string) int {
		switch {
		case path == u.path:
			return 1
		case is[path] == nil:
			return 2
		}
		return 0
	}
	for _, path := range slices.SortedFunc(maps.Keys(is), func(a, b string) int { return cmp.Or(turn(a)-turn(b), cmp.Compare(a, b)) }) {
		if err = u.put(path, was[path], is[path]); err != nil {
			return err
		}
		done = append(done, path)
	}
	return nil
}

// put makes a file what it is to be; nil: none.
func (u *systemForms) put(path string, was, is []byte) error {
	switch {
	case path == u.path:
		return replaceConfig(path, string(is), was)
	case is == nil:
		return os.Remove(path)
	}
	return sheet.ReplaceAs(path, is, 0o600, time.Time{})
}

// readIfThere is a file, or nil.
func readIfThere(path string) ([]byte, error) {
	raw, err := readUpTo(path, mostFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return raw, err
}

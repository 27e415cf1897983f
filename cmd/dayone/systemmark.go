package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone/connector/sheet"
	"github.com/dayone-hq/dayone/web"
)

// A form is opened, and written a while later. Meanwhile somebody may have edited the file by hand: the form carries a mark of each
// setting as it was, so that what changed is named and nothing is written over. And a server may die between two files: a secret gets
// a file of a new name, then the configuration names it, then the old file goes. A journal names these files meanwhile, and the next start ends it.

// mark is a digest of each setting. Its key is of this process: it tells nobody what a secret is.
func (u *systemForms) mark(s systemConfig) string {
	of := func(name, value string) string {
		h := hmac.New(sha256.New, u.key)
		fmt.Fprintf(h, "%q %q", name, value)
		return name + ":" + hex.EncodeToString(h.Sum(nil)[:6])
	}
	out := []string{of("connector", s.Connector)}
	for _, name := range slices.Sorted(maps.Keys(s.Settings)) {
		out = append(out, of(name, s.Settings[name]))
	}
	return strings.Join(out, ",")
}

// movedSince are the settings whose marks differ. Without a mark nobody had opened a form: the API and the command write what they
// are told.
func movedSince(was, is string) (names []string) {
	if was == "" {
		return nil
	}
	read := func(mark string) map[string]string {
		out := map[string]string{}
		for _, one := range strings.Split(mark, ",") {
			name, digest, _ := strings.Cut(one, ":")
			out[name] = digest
		}
		return out
	}
	before, now := read(was), read(is)
	for name := range before {
		if before[name] != now[name] {
			names = append(names, name)
		}
	}
	for name := range now {
		if _, ok := before[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// showMoved keeps what was typed, and says beside it what stands in the file now; of a secret only that it is another.
func (u *systemForms) showMoved(f *web.SystemForm, e web.SystemEntry, now map[string]string, moved []string) {
	for i := range f.Fields {
		x := &f.Fields[i]
		secret := x.Type == "secret"
		if v := e.Values[x.Name]; secret && v != "" {
			x.Held = u.hold(v, e.By)
		} else if secret {
			x.Held = e.Held[x.Name]
		} else {
			x.Value = v
		}
		switch v, there := now[x.Name]; {
		case !slices.Contains(moved, x.Name):
		case !there:
			x.Error = "Nothing stands there any more."
		case secret:
			x.Error = "Another secret stands there now."
		default:
			x.Error = "Now it is " + v + "."
		}
	}
}

func pluralOf(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}

// ownSecret are names of files that only forms give.
var ownSecret = regexp.MustCompile(`^[a-z0-9-]+\.[a-z0-9_]+\.[a-z2-7]{8}\.secret$`)

// ours says that a file is where a form has put a secret of a system, now or before forms gave each its own name.
func ours(system, setting, file string) bool {
	return file == system+"."+setting+".secret" || strings.HasPrefix(file, system+"."+setting+".") && ownSecret.MatchString(file)
}

// journalOf is where the files of a change stand while it is made: what a server that died has left is known by it, and nothing else
// is taken away. Each configuration has its own, so two in one folder leave each other alone.
func journalOf(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".change")
}

// begins notes the files of a change before any of them is written.
func (u *systemForms) begins(files map[string][]byte) error {
	var names []string
	for path := range files {
		if path != u.path {
			names = append(names, filepath.Base(path))
		}
	}
	slices.Sort(names)
	return sheet.ReplaceAs(journalOf(u.path), []byte(strings.Join(names, "\n")+"\n"), 0o600, time.Time{})
}

// journalled are names that a form can have given.
var journalled = regexp.MustCompile(`^[a-z0-9-]+\.[a-z0-9_]+(\.[a-z2-7]{8})?\.secret$`)

// cleanSecrets ends a change in whose middle a server died: of its secrets those go that the configuration does not name, and what
// was written of them only in part.
func cleanSecrets(path string, log *slog.Logger) error {
	noted, err := readIfThere(journalOf(path))
	if err != nil || noted == nil {
		return err
	}
	raw, err := readUpTo(path, mostFile)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	halves := []string{filepath.Base(path)}
	for name := range strings.Lines(string(noted)) {
		if name = strings.TrimSpace(name); !journalled.MatchString(name) {
			continue
		}
		halves = append(halves, name)
		if strings.Contains(string(raw), name) {
			continue
		}
		switch err := os.Remove(filepath.Join(dir, name)); {
		case err == nil:
			log.Info("a secret of a change that did not come to its end is taken away", "file", name)
		case !errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("taking away a secret that is left over: %w", err)
		}
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("looking for what is left over: %w", err)
	}
	for _, f := range list {
		for _, name := range halves {
			if f.Type().IsRegular() && strings.HasPrefix(f.Name(), "."+name+".") && strings.HasSuffix(f.Name(), ".new") {
				if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
					return fmt.Errorf("taking away what was written in part: %w", err)
				}
			}
		}
	}
	return os.Remove(journalOf(path))
}

package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone/web"
)

// A form is opened, and written a while later. Meanwhile somebody may have edited the file by hand: the form carries a mark of each
// setting as it was, so that what changed is named and nothing is written over. And a server may die between two files: a secret gets
// a file of a new name, then the configuration names it, then the old file goes. Whatever is left over is cleaned away at a start.

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

// cleanSecrets takes away what a server that died left beside the configuration: secrets that a form has written, and that it does
// not name.
func cleanSecrets(path string, log *slog.Logger) error {
	raw, err := readUpTo(path, mostFile)
	if err != nil {
		return err
	}
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("looking for secrets that are left over: %w", err)
	}
	for _, f := range list {
		if !f.Type().IsRegular() || !ownSecret.MatchString(f.Name()) || strings.Contains(string(raw), f.Name()) {
			continue
		}
		if err := os.Remove(filepath.Join(filepath.Dir(path), f.Name())); err != nil {
			return fmt.Errorf("taking away a secret that is left over: %w", err)
		}
		log.Info("a secret that the configuration does not name is taken away", "file", f.Name())
	}
	return nil
}

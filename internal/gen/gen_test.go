package main

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// house copies the project, without what is hidden, into a folder of its own.
func house(t *testing.T) string {
	t.Helper()
	root, err := projectRoot()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || rel == "." {
			return err
		}
		switch {
		case strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			return os.MkdirAll(filepath.Join(dir, rel), 0o755)
		case !d.Type().IsRegular():
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, rel), raw, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// contents are the files of a folder with what is in them.
func contents(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	out := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = sha256.Sum256(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func do(t *testing.T, dir string, args ...string) string {
	t.Helper()
	c := exec.Command("go", args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Whoever adds a system begins with a folder that builds and passes the suite, and touches nothing else.
func TestNewConnectorBuildsAndPassesTheSuite(t *testing.T) {
	t.Parallel()
	dir := house(t)
	before := contents(t, dir)
	do(t, dir, "run", "./internal/gen", "new", "foo")
	var changed []string
	for name, sum := range contents(t, dir) {
		if before[name] != sum && !strings.HasPrefix(name, "connector/foo/") {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	if want := []string{"connector/all/zz_registry.go", "connector/all/zz_simulators.go", "connector/all/zz_words.go", "docs/systems.md", "docs/systems/foo.md"}; !slices.Equal(changed, want) {
		t.Errorf("outside connector/foo these changed: %v, not just %v", changed, want)
	}
	do(t, dir, "vet", "./connector/foo/...", "./connector/all")
	if out := do(t, dir, "test", "-v", "./connector/foo/..."); !strings.Contains(out, "--- PASS") || strings.Contains(out, "no test files\n") && !strings.Contains(out, "ok") {
		t.Errorf("its tests say nothing:\n%s", out)
	}
	do(t, dir, "test", "-run", "TestWalls", ".")

	c := exec.Command("go", "run", "./internal/gen", "new", "foo")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err == nil {
		t.Errorf("a folder that is there was overwritten: %s", out)
	}
	for _, bad := range []string{"Foo", "1foo", "foo bar", "../foo", "sim", "all"} {
		c := exec.Command("go", "run", "./internal/gen", "new", bad)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err == nil {
			t.Errorf("%q was taken as a name: %s", bad, out)
		}
	}
}

package sheet

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Two see the same stale lock. One takes it and makes its own, which has to be the same to nobody: the other, who still means
// the stale one, does not get it.
func TestAStaleLockIsTakenOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "list.lock")
	now := time.Now()
	old := now.Add(-time.Hour)
	for name, text := range map[string]string{"another program's": "nightly import\n", "one that died": "dayone elsewhere 7 WORD\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		seen, err := look(path)
		if err != nil {
			t.Fatal(err)
		}
		free, err := Lock(path, now, time.Minute)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		own, _ := os.ReadFile(path)
		if seen.take(path) {
			t.Errorf("%s: two have it", name)
		}
		if is, _ := os.ReadFile(path); string(is) != string(own) || len(own) == 0 {
			t.Errorf("%s: whoever has it finds %q, not %q", name, is, own)
		}
		free()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil { // the same words, and not the same lock
			t.Fatal(err)
		}
		if seen.take(path) {
			t.Errorf("%s: a new one of it is taken for the stale one", name)
		}
		if is, _ := os.ReadFile(path); string(is) != text {
			t.Errorf("%s: the new one is %q", name, is)
		}
		_ = os.Remove(path)
	}
	if left, _ := filepath.Glob(path + "*"); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// Whoever was taken for dead gives back nothing that is another's by now.
func TestALockIsGivenBackByWhoHasIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "list.lock")
	now := time.Now()
	first, err := Lock(path, now, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Lock(path, now, time.Minute) // as an earlier life of this process
	if err != nil {
		t.Fatal(err)
	}
	first()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the lock of another was given back: %v", err)
	}
	second()
	if _, err := os.Stat(path); err == nil {
		t.Error("it was not given back")
	}
}

package secret_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/secret"
)

func keeper(t *testing.T) *secret.Keeper {
	t.Helper()
	k, err := secret.New(make([]byte, 32), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	k := keeper(t)
	box, err := k.Seal(dayone.NewSecret("hunter2"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(box, "hunter2") {
		t.Error("the box shows the secret")
	}
	if s, err := k.Open(box); err != nil || s.Reveal() != "hunter2" {
		t.Errorf("opened %v, %v", s, err)
	}
	again, _ := k.Seal(dayone.NewSecret("hunter2"))
	if again == box {
		t.Error("equal secrets have equal boxes")
	}
	for _, bad := range []string{"", "1.", "hunter2", box[:len(box)-3], "1." + strings.Repeat("A", 60)} {
		if _, err := k.Open(bad); err == nil {
			t.Errorf("%q opens", bad)
		}
	}
}

func TestAnotherMasterKeyOpensNothing(t *testing.T) {
	t.Parallel()
	box, _ := keeper(t).Seal(dayone.NewSecret("hunter2"))
	other, _ := secret.New([]byte(strings.Repeat("x", 32)), rand.Reader)
	if _, err := other.Open(box); !errors.Is(err, dayone.ErrForbidden) {
		t.Errorf("says %v", err)
	}
}

func TestDestroyedKeyLeavesNothing(t *testing.T) {
	t.Parallel()
	k := keeper(t)
	box, key, err := k.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	sealed, _ := key.Seal([]byte("1 Main St"))
	opened, err := k.OpenKey(box)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := opened.Open(sealed); err != nil || string(b) != "1 Main St" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := k.OpenKey(""); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("a destroyed key says %v", err)
	}
	if _, err := k.Open(sealed); err == nil {
		t.Error("the master key opens what lies under a person's key")
	}
}

func TestMasterKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys", "master")
	if _, err := secret.ReadFile(path); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("reading a key that is not there: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		t.Error("reading made the folder of the key")
	}
	a, err := secret.FromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if i, err := os.Stat(name); err != nil || i.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, i.Mode(), err)
		}
	}
	box, _ := a.Seal(dayone.NewSecret("x-secret"))
	b, err := secret.FromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := b.Open(box); err != nil || s.Reveal() != "x-secret" {
		t.Errorf("after a restart: %v, %v", s, err)
	}
}

// Of many who begin at once each has the same key, and nothing lies about beside it.
func TestMasterKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	keepers := make([]*secret.Keeper, 20)
	var begun sync.WaitGroup
	for i := range keepers {
		begun.Go(func() {
			k, err := secret.FromFile(path)
			if err != nil {
				t.Error(err)
			}
			keepers[i] = k
		})
	}
	begun.Wait()
	if t.Failed() {
		return
	}
	box, _ := keepers[0].Seal(dayone.NewSecret("hunter2"))
	for _, k := range keepers {
		if _, err := k.Open(box); err != nil {
			t.Error(err)
		}
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("beside the key lie %v, %v", files, err)
	}
}

// A key that cannot be written whole is not there: the next start makes one, instead of reading half of it.
func TestMasterKeyIsNeverHalf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".key-1"), []byte("00ff"), 0o600); err != nil { // what a start left behind that was cut short
		t.Fatal(err)
	}
	if _, err := secret.FromFile(filepath.Join(dir, "master.key")); err != nil {
		t.Error(err)
	}
	path := filepath.Join(dir, "empty.key")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.FromFile(path); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), path) {
		t.Errorf("an empty key says %v", err)
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	k := keeper(t)
	seen := map[string]bool{}
	for range 200 {
		s, err := k.Make("password:20")
		if err != nil {
			t.Fatal(err)
		}
		p := s.Reveal()
		if len(p) != 20 || !strings.ContainsFunc(p, unicode.IsLower) || !strings.ContainsFunc(p, unicode.IsUpper) || !strings.ContainsFunc(p, unicode.IsDigit) || !strings.ContainsAny(p, "-_!+=?") {
			t.Errorf("%q breaks a usual password rule", p)
		}
		if seen[p] {
			t.Error("the same password twice")
		}
		seen[p] = true
	}
	for recipe, shape := range map[string]string{"code:16": `^[a-z2-9]{4}(-[a-z2-9]{4}){3}$`, "code:6": `^[a-z2-9]{4}-[a-z2-9]{2}$`} {
		s, err := k.Make(recipe)
		if err != nil || !regexp.MustCompile(shape).MatchString(s.Reveal()) || strings.ContainsAny(s.Reveal(), "il1o0") {
			t.Errorf("%s makes %q, %v", recipe, s.Reveal(), err)
		}
	}
	for range 2000 {
		s, err := k.Make("digits:6")
		if err != nil {
			t.Fatal(err)
		}
		p := s.Reveal()
		for i := 2; i < len(p); i++ {
			if p[i] == p[i-1] && p[i] == p[i-2] {
				t.Errorf("%s has a digit three times in a row, which telephone systems refuse", p)
			}
		}
		if len(p) != 6 || p[:3] == p[3:] || p[:2] == p[2:4] && p[:2] == p[4:] || strings.Contains("23456789", p) || strings.Contains("98765432", p) {
			t.Errorf("%s is guessed first", p)
		}
	}
	if s, err := k.Make("digits:4"); err != nil || len(s.Reveal()) != 4 {
		t.Errorf("four digits: %v", err)
	}
	for _, bad := range []string{"password", "password:2", "password:9999", "rhyme:20"} {
		if _, err := k.Make(bad); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestLinksAreStableAndDistinct(t *testing.T) {
	t.Parallel()
	k := keeper(t)
	if first, again := k.Token("a"), k.Token("a"); first != again || first == k.Token("b") {
		t.Error("tokens are not a function of the thing")
	}
	if strings.Contains(secret.Mark(k.Token("a")), k.Token("a")) {
		t.Error("the mark shows the token")
	}
	if c := k.Code("a"); len(c) != 9 || c == k.Code("b") {
		t.Errorf("code %q", c)
	}
}

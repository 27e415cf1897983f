package secret_test

import (
	"crypto/rand"
	"errors"
	"path/filepath"
	"strings"
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
	a, err := secret.FromFile(path)
	if err != nil {
		t.Fatal(err)
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

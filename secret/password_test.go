package secret_test

import (
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/secret"
)

func TestAPasswordOpensWhatWasMadeOfIt(t *testing.T) {
	t.Parallel()
	p := dayone.NewSecret("correct horse, пароль 🐎")
	kept, again := secret.HashPassword(p), secret.HashPassword(p)
	if kept == again || strings.Contains(kept, "horse") {
		t.Errorf("kept is %s, and %s", kept, again)
	}
	if !secret.SamePassword(kept, p) || !secret.SamePassword(again, p) {
		t.Error("the password does not open what was made of it")
	}
	for _, bad := range []string{"", kept[:len(kept)-1], strings.Replace(kept, "argon2id", "argon2i", 1), strings.Replace(kept, "t=3", "t=4", 1), strings.Replace(kept, "m=32768", "m=4294967295", 1), "$argon2id$v=19$m=32768,t=3,p=1$AAAA$", "x"} {
		if secret.SamePassword(bad, p) {
			t.Errorf("%q is opened", bad)
		}
	}
	if secret.SamePassword(kept, dayone.NewSecret("correct horse")) || secret.SamePassword(kept, dayone.Secret{}) {
		t.Error("another password opens it")
	}
}

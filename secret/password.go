package secret

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/dayone-hq/dayone"
)

// A password of a local login is kept as argon2id makes it, in the form that others write as well, so that what it costs can
// grow and old ones still open. https://datatracker.ietf.org/doc/html/rfc9106
const (
	argonTime    = 3
	argonMemory  = 32 << 10 // KiB
	argonThreads = 1
	argonSalt    = 16
	argonKey     = 32
)

// How long a password is: shorter ones are guessed, longer ones only keep the machine busy.
const (
	minPassword = 12
	maxPassword = 200
)

// WeakPassword is why a password of somebody is not taken; "": it is.
func WeakPassword(password dayone.Secret, name string) string {
	text := strings.ToLower(password.Reveal())
	login, _, _ := strings.Cut(strings.ToLower(name), "@")
	switch n := utf8.RuneCountInString(text); {
	case n < minPassword:
		return fmt.Sprintf("it has %d characters, and takes %d; a few words that nobody says together are good", n, minPassword)
	case n > maxPassword:
		return fmt.Sprintf("it has more than %d characters", maxPassword)
	case login != "" && strings.Contains(text, login) && n < 2*minPassword:
		return "it holds your name; choose another"
	}
	return ""
}

// HashPassword is what is kept of a password.
func HashPassword(password dayone.Secret) string {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt)
	key := argon2.IDKey([]byte(password.Reveal()), salt, argonTime, argonMemory, argonThreads, argonKey)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// noPassword is what a password is compared with where there is none, so that both take as long.
const noPassword = "$argon2id$v=19$m=32768,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// SamePassword says whether a password is the one that was kept. Where none was it takes as long, and is not.
func SamePassword(kept string, password dayone.Secret) bool {
	var version int
	var memory, times uint32
	var threads uint8
	there := kept != "" && utf8.RuneCountInString(password.Reveal()) <= maxPassword
	if !there {
		kept, password = noPassword, dayone.Secret{}
	}
	parts := strings.Split(kept, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &times, &threads); err != nil || version != argon2.Version || memory > 1<<20 || times < 1 || times > 100 || threads < 1 {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false
	}
	key, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(key) < 16 {
		return false
	}
	given := argon2.IDKey([]byte(password.Reveal()), salt, times, memory, threads, uint32(len(key)))
	return subtle.ConstantTimeCompare(given, key) == 1 && there
}

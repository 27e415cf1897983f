// Package secret makes, seals and opens secrets: passwords for new accounts, the keys under which personal values lie, and
// one-time links. It must not store anything, log anything, or keep plain text longer than a call.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/dayone-hq/dayone"
)

// Keeper holds the master key. Boxes are AES-256-GCM with a random nonce, base64 text with a version in front.
type Keeper struct {
	aead  cipher.AEAD
	links []byte
	rand  io.Reader

	mu   sync.Mutex
	keys map[string]Key // opened lately, by box
}

const (
	boxVersion = "1."
	keyBytes   = 32
)

// Passing makes a keeper with a key that nobody keeps: for what lasts no longer than the process.
func Passing() (*Keeper, error) {
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key)
	return New(key, rand.Reader)
}

// New makes a keeper of a 32-byte master key. random never fails, such as crypto/rand.Reader.
func New(master []byte, random io.Reader) (*Keeper, error) {
	if len(master) != keyBytes {
		return nil, fmt.Errorf("the master key has %d bytes, not %d: %w", len(master), keyBytes, dayone.ErrInvalid)
	}
	seal, err := hkdf.Key(sha256.New, master, nil, "dayone seal", keyBytes)
	if err != nil {
		return nil, err
	}
	links, err := hkdf.Key(sha256.New, master, nil, "dayone links", keyBytes)
	if err != nil {
		return nil, err
	}
	aead, err := gcm(seal)
	if err != nil {
		return nil, err
	}
	return &Keeper{aead: aead, links: links, rand: random}, nil
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// FromFile reads the master key of a file, hex, and makes the file with a new key if there is none. The file is the
// one thing to keep apart from the database and to back up: without it nothing sealed opens again.
func FromFile(path string) (*Keeper, error) {
	k, err := ReadFile(path)
	if !errors.Is(err, dayone.ErrNotFound) {
		return k, err
	}
	if err := makeFile(path); err != nil {
		return nil, fmt.Errorf("making the master key: %w", err)
	}
	return ReadFile(path) // of two that begin at once, one has made it
}

// makeFile puts a new key on the disk before it has its name, and takes no name that is taken: whatever happens on the
// way, there is a whole key or none.
func makeFile(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".key-") // which only its owner reads
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key)
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if d, err := os.Open(dir); err == nil { // the name, too, as far as the file system can
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// ReadFile reads the master key of a file, and makes none. ErrNotFound: there is no such file.
func ReadFile(path string) (*Keeper, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no master key %s: %w", path, dayone.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the master key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil {
		return nil, fmt.Errorf("the master key in %s is not hex: %w", path, dayone.ErrInvalid)
	}
	k, err := New(key, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// Seal puts a secret into a box.
func (k *Keeper) Seal(s dayone.Secret) (string, error) { return k.seal(k.aead, []byte(s.Reveal())) }

// Open takes it out.
func (k *Keeper) Open(box string) (dayone.Secret, error) {
	b, err := open(k.aead, box)
	return dayone.NewSecret(string(b)), err
}

func (k *Keeper) seal(aead cipher.AEAD, plain []byte) (string, error) {
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	if _, err := io.ReadFull(k.rand, nonce); err != nil {
		return "", err
	}
	return boxVersion + base64.RawStdEncoding.EncodeToString(aead.Seal(nonce, nonce, plain, nil)), nil
}

func open(aead cipher.AEAD, box string) ([]byte, error) {
	text, ok := strings.CutPrefix(box, boxVersion)
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if !ok || err != nil || len(raw) < aead.NonceSize() {
		return nil, fmt.Errorf("no sealed box: %w", dayone.ErrInvalid)
	}
	plain, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], nil)
	if err != nil {
		return nil, fmt.Errorf("a sealed box does not open: was the master key changed? %w", dayone.ErrForbidden)
	}
	return plain, nil
}

// Key is one person's own key, open. Destroying its box makes everything under it unreadable.
type Key struct {
	aead cipher.AEAD
	rand io.Reader
}

// NewKey makes a person's key and its box.
func (k *Keeper) NewKey() (box string, key Key, err error) {
	raw := make([]byte, keyBytes)
	if _, err := io.ReadFull(k.rand, raw); err != nil {
		return "", Key{}, err
	}
	if box, err = k.seal(k.aead, raw); err != nil {
		return "", Key{}, err
	}
	key, err = k.key(raw)
	return box, key, err
}

// OpenKey opens a person's key. ErrNotFound: it was destroyed.
func (k *Keeper) OpenKey(box string) (Key, error) {
	if box == "" {
		return Key{}, fmt.Errorf("the key of this person was destroyed: %w", dayone.ErrNotFound)
	}
	k.mu.Lock()
	key, ok := k.keys[box]
	k.mu.Unlock()
	if ok {
		return key, nil
	}
	raw, err := open(k.aead, box)
	if err != nil {
		return Key{}, err
	}
	if key, err = k.key(raw); err != nil {
		return Key{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil || len(k.keys) >= keptKeys {
		k.keys = map[string]Key{}
	}
	k.keys[box] = key
	return key, nil
}

// keptKeys are open at most, at 1 kB each: the one of raw bodies, and those of the people that are worked on. A start has
// three pages of 128 runs under way.
const keptKeys = 1024

func (k *Keeper) key(raw []byte) (Key, error) {
	aead, err := gcm(raw)
	return Key{aead, k.rand}, err
}

// Seal keeps personal values.
func (k Key) Seal(plain []byte) (string, error) { return (&Keeper{rand: k.rand}).seal(k.aead, plain) }

// Open reads them.
func (k Key) Open(box string) ([]byte, error) { return open(k.aead, box) }

// Alphabets of made secrets leave out what people mistake for something else.
const (
	lower, upper, digits, signs = "abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-_!+=?"
)

// Make follows a recipe: "password:20" has letters of both cases, digits and signs; "digits:6" only digits, and none that a
// telephone system calls trivial; "code:16" small letters and digits in groups of four, for people who type it on a phone.
func (k *Keeper) Make(recipe string) (dayone.Secret, error) {
	kind, size, _ := strings.Cut(recipe, ":")
	n, err := strconv.Atoi(size)
	if err != nil || n < 4 || n > 256 {
		return dayone.Secret{}, fmt.Errorf("the recipe %q names no length between 4 and 256: %w", recipe, dayone.ErrInvalid)
	}
	switch kind {
	case "digits":
		drawn, err := k.draw(n, digits)
		for tries := 0; err == nil && n >= easy && trivial(drawn.Reveal()) && tries < 100; tries++ { // a source of chance that is none ends, too
			drawn, err = k.draw(n, digits)
		}
		return drawn, err
	case "password":
		return k.draw(n, lower, upper, digits, signs)
	case "code":
		drawn, err := k.draw(n, lower, digits)
		if err != nil {
			return drawn, err
		}
		var groups []string
		for rest := drawn.Reveal(); rest != ""; rest = rest[min(4, len(rest)):] {
			groups = append(groups, rest[:min(4, len(rest))])
		}
		return dayone.NewSecret(strings.Join(groups, "-")), nil
	}
	return dayone.Secret{}, fmt.Errorf("there is no recipe %q: %w", recipe, dayone.ErrInvalid)
}

// easy is from how many digits on a number can be other than trivial and still be drawn soon.
const easy = 6

// trivial is a number that is guessed first: a digit three times in a row, a straight line up or down, a group that repeats itself.
func trivial(number string) bool {
	up, down := true, true
	for i := 1; i < len(number); i++ {
		up, down = up && number[i] == number[i-1]+1, down && number[i] == number[i-1]-1
		if i > 1 && number[i] == number[i-1] && number[i] == number[i-2] {
			return true
		}
	}
	for group := 1; group <= len(number)/2; group++ {
		if strings.HasPrefix(strings.Repeat(number[:group], len(number)/group+1), number) {
			return true
		}
	}
	return up || down
}

// draw takes one character of each set first, the rest of all of them, then shuffles.
func (k *Keeper) draw(n int, sets ...string) (dayone.Secret, error) {
	out := make([]byte, 0, n)
	all := strings.Join(sets, "")
	for len(out) < n {
		set := all
		if len(out) < len(sets) {
			set = sets[len(out)]
		}
		i, err := k.below(len(set))
		if err != nil {
			return dayone.Secret{}, err
		}
		out = append(out, set[i])
	}
	for i := len(out) - 1; i > 0; i-- {
		j, err := k.below(i + 1)
		if err != nil {
			return dayone.Secret{}, err
		}
		out[i], out[j] = out[j], out[i]
	}
	return dayone.NewSecret(string(out)), nil
}

// below draws without bias.
func (k *Keeper) below(n int) (int, error) {
	limit := 256 - 256%n
	var b [1]byte
	for {
		if _, err := io.ReadFull(k.rand, b[:]); err != nil {
			return 0, err
		}
		if int(b[0]) < limit {
			return int(b[0]) % n, nil
		}
	}
}

// Token is what a link carries for a thing: the same thing has the same link, so that a mail sent twice is the same
// mail. It is not guessable, and not stored: Mark is.
func (k *Keeper) Token(thing string) string {
	m := hmac.New(sha256.New, k.links)
	m.Write([]byte(thing))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:24])
}

// Verify compares a token that came from outside, in constant time.
func (k *Keeper) Verify(thing, token string) bool {
	return subtle.ConstantTimeCompare([]byte(k.Token(thing)), []byte(token)) == 1
}

// SameCode compares a code that somebody typed: blanks and dashes do not count.
func (k *Keeper) SameCode(thing, code string) bool {
	digits := strings.NewReplacer(" ", "", "-", "")
	return subtle.ConstantTimeCompare([]byte(digits.Replace(k.Code(thing))), []byte(digits.Replace(code))) == 1
}

// Code is a short number for a thing, said by one person to another: a second proof.
func (k *Keeper) Code(thing string) string {
	m := hmac.New(sha256.New, k.links)
	m.Write([]byte("code " + thing))
	sum := m.Sum(nil)
	n := uint32(sum[0])<<24 | uint32(sum[1])<<16 | uint32(sum[2])<<8 | uint32(sum[3])
	return fmt.Sprintf("%04d-%04d", n/10000%10000, n%10000)
}

// Mark is the stored form of a token.
func Mark(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:16])
}

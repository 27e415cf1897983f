package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/dayone-hq/dayone"
)

// Name is a login, a mail address or another name that belongs to one person for ever.
type Name struct{ Attr, Value string }

// ErrNameTaken is the fault of a name that somebody else has or had.
var ErrNameTaken = fmt.Errorf("the name is somebody else's: %w", dayone.ErrConflict)

// NameOwner is who has or had a name; "": nobody ever.
func (d *DB) NameOwner(ctx context.Context, n Name) (dayone.PersonID, error) {
	salt, err := d.nameSalt(ctx)
	if err != nil {
		return "", err
	}
	var p dayone.PersonID
	err = d.read.QueryRowContext(ctx, `SELECT person FROM name WHERE attr = $1 AND digest = $2`, n.Attr, nameDigest(salt, n)).Scan(&p)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return p, err
}

// claim gives names to a person. ErrNameTaken: one of them is somebody else's.
func (t *tx) claim(salt string, person dayone.PersonID, names []Name) error {
	for _, n := range names {
		digest := nameDigest(salt, n)
		if _, err := t.exec(`INSERT INTO name (attr, digest, person) VALUES ($1, $2, $3) ON CONFLICT (attr, digest) DO NOTHING`, n.Attr, digest, person); err != nil {
			return fmt.Errorf("keeping a name: %w", err)
		}
		var owner dayone.PersonID
		if err := t.row(`SELECT person FROM name WHERE attr = $1 AND digest = $2`, n.Attr, digest).Scan(&owner); err != nil {
			return fmt.Errorf("keeping a name: %w", err)
		}
		if owner != person {
			return fmt.Errorf("%s: %w", n.Attr, ErrNameTaken)
		}
	}
	return nil
}

// nameSalt is the salt of this database's digests of names.
func (d *DB) nameSalt(ctx context.Context) (string, error) {
	const key = "name_salt"
	var salt string
	err := d.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = $1`, key).Scan(&salt)
	if !errors.Is(err, sql.ErrNoRows) {
		return salt, err
	}
	err = d.write(ctx, func(t *tx) error {
		fresh := make([]byte, 16)
		_, _ = rand.Read(fresh)
		if _, err := t.exec(`INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING`, key, hex.EncodeToString(fresh)); err != nil {
			return err
		}
		return t.row(`SELECT value FROM meta WHERE key = $1`, key).Scan(&salt)
	})
	return salt, err
}

func nameDigest(salt string, n Name) string {
	h := hmac.New(sha256.New, []byte(salt))
	h.Write([]byte(n.Attr + "\x00" + strings.ToLower(n.Value)))
	return hex.EncodeToString(h.Sum(nil))
}

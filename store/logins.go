package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// LocalLogin is the administrator who signs in by a password.
type LocalLogin struct {
	Name string
	Hash string
	Made time.Time
}

// LocalLogin is the one there is; ErrNotFound: none was set up.
func (d *DB) LocalLogin(ctx context.Context) (LocalLogin, error) {
	var l LocalLogin
	var made int64
	err := d.read.QueryRowContext(ctx, `SELECT name, hash, made FROM local_login LIMIT 1`).Scan(&l.Name, &l.Hash, &made)
	l.Made = instant(made)
	return l, notFound("local login", err)
}

// SetUp puts one in the place of whoever was before. ErrConflict: that one was made after the link was, which has been used then.
func (d *DB) SetUp(ctx context.Context, l LocalLogin, issued time.Time, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		var made int64
		if err := t.row(`SELECT made FROM local_login LIMIT 1`).Scan(&made); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if made >= micros(issued) {
			return fmt.Errorf("this link was used: %w", dayone.ErrConflict)
		}
		if _, err := t.exec(`DELETE FROM local_login`); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO local_login (name, hash, made) VALUES ($1, $2, $3)`, l.Name, l.Hash, micros(l.Made)); err != nil {
			return fmt.Errorf("keeping the local login: %w", err)
		}
		return d.append(t, records)
	})
}

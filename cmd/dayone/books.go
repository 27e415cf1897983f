package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
)

// openBooks opens the master key and the database. Whoever only looks makes and changes neither: where there is no
// database yet, he sees empty books in memory. Whoever works beside a server makes neither.
func openBooks(ctx context.Context, c *config, w wiring, ids *dayone.IDs) (*secret.Keeper, *store.DB, error) {
	at, err := c.database()
	if err != nil {
		return nil, nil, err
	}
	k, err := masterKey(ctx, c.path(c.MasterKey), at, w)
	if err != nil {
		return nil, nil, err
	}
	var db *store.DB
	sealer := flow.Sealer{Keeper: k, Random: rand.Reader}
	switch {
	case w.beside:
		db, err = store.OpenBeside(ctx, at, sealer, w.clock.Now)
		if errors.Is(err, dayone.ErrNotFound) {
			err = errNoBooks
		}
	case w.looks:
		db, err = store.OpenToRead(ctx, at, sealer, w.clock.Now)
		if errors.Is(err, dayone.ErrNotFound) {
			db, err = store.Open(ctx, "sqlite::memory:", sealer, w.clock.Now, ids)
		}
	default:
		db, err = store.OpenAs(ctx, at, sealer, w.clock.Now, ids, w.lead)
	}
	return k, db, err
}

var errNoBooks = fmt.Errorf("there is no database yet; the first dayone serve makes it, and takes the policies that are in the folder: %w", dayone.ErrNotFound)

// masterKey reads the key, and makes one only for a database that is going to be made: a new one opens nothing in an old
// database, and what it seals the old one does not open.
func masterKey(ctx context.Context, path, at string, w wiring) (*secret.Keeper, error) {
	k, err := secret.ReadFile(path)
	if err == nil {
		return k, store.Missing(at)
	}
	if !errors.Is(err, dayone.ErrNotFound) {
		return nil, err
	}
	there, err := store.There(ctx, at)
	switch {
	case err != nil:
		return nil, err
	case there:
		return nil, fmt.Errorf("there is no master key %s, and nothing else opens what is in the database; put the key back from where it was kept, or name its file in master_key: %w", path, dayone.ErrConflict)
	case w.beside:
		return nil, errNoBooks
	case w.looks:
		return secret.Passing()
	}
	return secret.FromFile(path)
}

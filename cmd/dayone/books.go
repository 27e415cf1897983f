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
// database yet, he sees empty books in memory.
func openBooks(ctx context.Context, c *config, w wiring, ids *dayone.IDs) (*secret.Keeper, *store.DB, error) {
	at, err := c.database()
	if err != nil {
		return nil, nil, err
	}
	open := func(k *secret.Keeper, err error, at string) (*secret.Keeper, *store.DB, error) {
		if err != nil {
			return nil, nil, err
		}
		db, err := store.Open(ctx, at, flow.Sealer{Keeper: k, Random: rand.Reader}, w.clock.Now, ids)
		return k, db, err
	}
	if !w.looks {
		k, err := secret.FromFile(c.path(c.MasterKey))
		return open(k, err, at)
	}
	k, noKey := secret.ReadFile(c.path(c.MasterKey))
	if noKey != nil && !errors.Is(noKey, dayone.ErrNotFound) {
		return nil, nil, noKey
	}
	db, err := store.OpenToRead(ctx, at, flow.Sealer{Keeper: k, Random: rand.Reader}, w.clock.Now)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		k, err := secret.Passing()
		return open(k, err, "sqlite::memory:")
	case err == nil && noKey != nil:
		return nil, nil, errors.Join(fmt.Errorf("the database does not read without its key: %w", noKey), db.Close())
	}
	return k, db, err
}

package engine_test

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/engine/enginetest"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

// books are those of our own store.
type books struct{ *store.DB }

func (b books) Said(ctx context.Context, run dayone.RunID) ([]string, error) {
	lines, err := b.Records(ctx, store.RecordFilter{Run: run, Limit: 1000})
	var out []string
	for _, l := range slices.Backward(lines) {
		out = append(out, l.What)
	}
	return out, err
}

// embedded is the embedded driver on a database of ours, that keeps so many idle runs in memory.
func embedded(t *testing.T, at string, atHand int) enginetest.Lab {
	db, k := newStore(t, at)
	return enginetest.Lab{Books: books{db}, Begin: func(t testing.TB, s enginetest.Setup) (enginetest.Driver, func(), <-chan error) {
		config := engine.DefaultConfig
		config.Base = 1
		d := &engine.Driver{Store: db, Clock: s.Clock, Keeper: k, Config: config, AtHand: atHand, Target: func(name string) (engine.Target, bool) {
			one, ok := s.Systems[name]
			return one, ok
		}}
		if s.Clock == nil {
			d.Clock = clock.System{}
		}
		ctx, cancel := context.WithCancel(context.Background())
		over := make(chan error, 1)
		var ended sync.WaitGroup
		ended.Go(func() { over <- d.Run(ctx) })
		return d, func() { cancel(); ended.Wait() }, over
	}}
}

func TestTheEmbeddedDriver(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		enginetest.Run(t, func(t *testing.T) enginetest.Lab {
			return embedded(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"), 0)
		})
	})
	t.Run("SQLite, every run put away at once", func(t *testing.T) {
		t.Parallel()
		enginetest.Run(t, func(t *testing.T) enginetest.Lab {
			return embedded(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"), -1)
		})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		storetest.Postgres(t) // skips here, once, where there is none
		enginetest.Run(t, func(t *testing.T) enginetest.Lab { return embedded(t, storetest.Postgres(t), 0) })
	})
}

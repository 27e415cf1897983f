package flow

import (
	"context"
	"sync"
	"time"

	"github.com/dayone-hq/dayone/engine"
)

// remembered is a count that pages show. One that takes long is not taken for each look: it is shown as it was, and counted
// anew beside. What is decided by a count asks the books.
type remembered[T any] struct {
	mu    sync.Mutex
	value T
	at    time.Time     // when it was counted
	took  time.Duration // how long that was
	busy  bool
}

// Below quick a count is taken each time; one that takes longer is believed for believed times as long.
const (
	quick    = 20 * time.Millisecond
	believed = 50
)

// get is the count. beside are those for whom the end of the program waits; while they run, errors are forgotten: the next
// look counts again.
func (k *remembered[T]) get(ctx context.Context, c engine.Clock, beside *sync.WaitGroup, count func(context.Context) (T, error)) (T, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.took < quick {
		began := c.Now()
		v, err := count(ctx)
		if err == nil {
			k.value, k.at = v, c.Now()
			k.took = k.at.Sub(began)
		}
		return v, err
	}
	if c.Now().Sub(k.at) > believed*k.took && !k.busy {
		k.busy = true
		beside.Go(func() {
			began := c.Now()
			v, err := count(context.WithoutCancel(ctx))
			k.mu.Lock()
			defer k.mu.Unlock()
			if k.busy = false; err == nil {
				k.value, k.at = v, c.Now()
				k.took = k.at.Sub(began)
			}
		})
	}
	return k.value, nil
}

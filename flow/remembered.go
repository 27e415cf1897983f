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
	mu    sync.Mutex // never held while it is counted
	value T
	at    time.Time     // when it was counted
	took  time.Duration // how long that was
	err   error         // of the last count
	over  chan struct{} // of the count under way; nil: there is none
	gen   int           // how often it was forgotten: what a count began to see before that is not kept
}

// Below quick a count is taken each time; one that takes longer is believed for believed times as long. What is tooOld times
// older than that is not shown: the look waits.
const (
	quick    = 20 * time.Millisecond
	believed = 100
	tooOld   = 10
)

// get is the count. beside are those for whom the end of the program waits. One counts at a time, and whoever waits for it
// waits no longer than ctx.
func (k *remembered[T]) get(ctx context.Context, c engine.Clock, beside *sync.WaitGroup, count func(context.Context) (T, error)) (T, error) {
	for {
		k.mu.Lock()
		v, slow, age, good := k.value, k.took >= quick, c.Now().Sub(k.at), believed*k.took
		if slow && age <= good {
			k.mu.Unlock()
			return v, nil
		}
		mine := k.over == nil
		if mine {
			k.over = make(chan struct{})
		}
		over := k.over
		k.mu.Unlock()
		switch {
		case mine && !slow:
			return k.anew(ctx, c, count)
		case mine:
			beside.Go(func() { _, _ = k.anew(context.WithoutCancel(ctx), c, count) })
		}
		if slow && age <= tooOld*good {
			return v, nil
		}
		select {
		case <-over:
		case <-ctx.Done():
			return v, ctx.Err()
		}
		if slow {
			k.mu.Lock()
			v, err, kept := k.value, k.err, !k.at.IsZero()
			k.mu.Unlock()
			if kept || err != nil { // else it was forgotten meanwhile
				return v, err
			}
		}
	}
}

// forget makes the next look count.
func (k *remembered[T]) forget() {
	var none T
	k.mu.Lock()
	defer k.mu.Unlock()
	k.value, k.at, k.took, k.err = none, time.Time{}, 0, nil
	k.gen++
}

func (k *remembered[T]) anew(ctx context.Context, c engine.Clock, count func(context.Context) (T, error)) (T, error) {
	defer func() { // also if it panics
		k.mu.Lock()
		defer k.mu.Unlock()
		close(k.over)
		k.over = nil
	}()
	k.mu.Lock()
	gen := k.gen
	k.mu.Unlock()
	began := c.Now()
	v, err := count(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if gen != k.gen {
		return v, err
	}
	if k.err = err; err == nil {
		k.value, k.at = v, c.Now()
		k.took = k.at.Sub(began)
	}
	return v, err
}

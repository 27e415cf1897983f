package flow

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone/clock"
)

// A count that takes long is shown as it was, is taken anew beside, and is not shown when it is much too old. Nobody who looks
// waits longer than she wants to.
func TestASlowCountIsRememberedForAWhile(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := clock.NewMoved(time.Date(2024, 11, 15, 9, 0, 0, 0, time.UTC))
	var k remembered[int]
	var beside sync.WaitGroup
	began, goes := make(chan struct{}, 9), make(chan error)
	n := 0
	count := func(context.Context) (int, error) { // takes a second
		began <- struct{}{}
		err := <-goes
		c.Jump(c.Now().Add(time.Second))
		n++
		return n, err
	}
	type answer struct {
		n   int
		err error
	}
	look := func(ctx context.Context) chan answer {
		out := make(chan answer, 1)
		go func() {
			n, err := k.get(ctx, c, &beside, count)
			out <- answer{n, err}
		}()
		return out
	}
	gives := func(what string, from chan answer, want answer) {
		t.Helper()
		if a := <-from; a.n != want.n || !errors.Is(a.err, want.err) {
			t.Errorf("%s: %+v", what, a)
		}
	}
	gone, leave := context.WithCancel(ctx)
	leave()

	first := look(ctx)
	<-began
	gives("whoever leaves while it is first counted", look(gone), answer{0, context.Canceled})
	other := look(ctx)
	goes <- nil
	gives("the first", first, answer{1, nil})
	gives("who waited with it", other, answer{1, nil})

	c.Jump(c.Now().Add(2 * believed * time.Second))
	gives("older than it may be believed", look(ctx), answer{1, nil})
	<-began
	gives("while it is counted beside", look(ctx), answer{1, nil})
	goes <- nil
	beside.Wait()
	gives("counted anew", look(ctx), answer{2, nil})

	c.Jump(c.Now().Add(2 * tooOld * believed * time.Second))
	gives("whoever leaves before what is much too old is counted", look(gone), answer{2, context.Canceled})
	<-began
	late := look(ctx)
	goes <- nil
	gives("who waits for what is much too old", late, answer{3, nil})

	c.Jump(c.Now().Add(2 * tooOld * believed * time.Second))
	broken := errors.New("the books cannot be read")
	late = look(ctx)
	<-began
	goes <- broken
	gives("what cannot be counted", late, answer{3, broken})
}

// What is forgotten while it is counted stays forgotten: the count may have seen what is not there any more.
func TestACountUnderWayIsForgottenToo(t *testing.T) {
	t.Parallel()
	c := clock.NewMoved(time.Date(2024, 11, 15, 9, 0, 0, 0, time.UTC))
	var k remembered[string]
	var beside sync.WaitGroup
	name := "Sarah Chen"
	count := func(context.Context) (string, error) {
		saw := name
		c.Jump(c.Now().Add(time.Second))
		if saw != "erased" {
			name = "erased"
			k.forget()
		}
		return saw, nil
	}
	if _, err := k.get(t.Context(), c, &beside, count); err != nil {
		t.Fatal(err)
	}
	if got, err := k.get(t.Context(), c, &beside, count); err != nil || got != "erased" {
		t.Errorf("it still shows %q, %v", got, err)
	}
}

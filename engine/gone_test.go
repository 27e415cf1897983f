package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine/enginetest"
	"github.com/dayone-hq/dayone/ledger"
	"github.com/dayone-hq/dayone/store/storetest"
)

// PostgreSQL goes in the middle of the work, without a word, and comes back. The engine ends and says why; started again it
// finds everything that was ever said to be kept, and goes on.
func TestTheDatabaseGoesAndComesBack(t *testing.T) {
	t.Parallel()
	server := storetest.OwnServer(t)
	lab := embedded(t, server.URL(), 0)
	hold := make(chan struct{})
	okta := &enginetest.System{Do: func(_ context.Context, a dayone.Act) (dayone.Result, error) { <-hold; return enginetest.Done(a), nil }}
	d, stop, over := lab.Begin(t, enginetest.Setup{Systems: map[string]*enginetest.System{"okta": okta}})
	defer stop()
	const runs = 20
	for i := range runs {
		if err := d.Start(t.Context(), enginetest.ARun(fmt.Sprint(i), enginetest.Step("okta/group:a"), enginetest.Step("okta/group:b", "okta/group:a"))); err != nil {
			t.Fatal(err)
		}
	}
	server.Stop()
	close(hold)
	if err := <-over; !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(err.Error(), "start again") {
		t.Errorf("the engine ends with %v", err)
	}
	if err := d.Start(t.Context(), enginetest.ARun("late", enginetest.Step("okta/account"))); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("a run after that is answered %v", err)
	}
	before := lab.Books.(books)
	<-before.Lost()
	_ = before.Close()
	server.Start()
	db, k := newStore(t, server.URL())
	b := start(t, db, k, map[string]*target{"okta": {}})
	for i := range runs {
		b.finishAs(dayone.RunID(fmt.Sprint("run_", i)), dayone.RunDone)
	}
	var v ledger.Verifier
	for l, err := range db.Ledger(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Next(l.Seq, l.Leaf, l.Chain); err != nil {
			t.Error(err)
		}
	}
}

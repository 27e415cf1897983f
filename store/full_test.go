package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/ledger"
	"github.com/dayone-hq/dayone/store"
)

// A full disk refuses what comes, in words, and keeps what was there. With room again it goes on.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	d := open(t, file(t))
	if err := d.LimitPages(t.Context(), 30); err != nil {
		t.Fatal(err)
	}
	kept, refused := 0, 0
	write := func(i int) error {
		k, _ := dayone.ParseKey("okta/account")
		id := dayone.PersonID(fmt.Sprintf("per_%05d", i))
		run := dayone.Run{ID: dayone.RunID(fmt.Sprintf("run_%05d", i)), Person: id, State: dayone.RunDone, Title: strings.Repeat("long ", 200)}
		return d.Commit(t.Context(), []dayone.Progress{{
			Run: run, New: true, Holdings: []dayone.Holding{{Item: dayone.Item{Key: k, Ref: fmt.Sprint(i)}}},
			Records: []dayone.Record{{At: time.Now(), Person: id, Run: run.ID, What: "granted"}},
		}})
	}
	if err := d.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := 0; refused < 3 && i < 1000; i++ {
		switch err := write(i); {
		case err == nil:
			kept++
		case !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(err.Error(), "the disk of the database is full; make room"):
			t.Fatalf("it says %v", err)
		default:
			refused++
			if err := d.Ready(t.Context()); !errors.Is(err, store.ErrFull) {
				t.Errorf("it is ready without room: %v", err)
			}
		}
	}
	whole := func() {
		t.Helper()
		var v ledger.Verifier
		for l, err := range d.Ledger(t.Context()) {
			if err == nil {
				err = v.Next(l.Seq, l.Leaf, l.Chain)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		runs, err := d.Runs(t.Context(), store.RunFilter{Limit: 10_000})
		if err != nil || len(runs) != kept || v.Lines() != int64(kept) {
			t.Errorf("%d runs and %d lines are there of %d, %v", len(runs), v.Lines(), kept, err)
		}
	}
	if kept == 0 || refused < 3 {
		t.Fatalf("%d kept, %d refused: this test shows nothing", kept, refused)
	}
	whole()
	if err := d.LimitPages(t.Context(), -1); err != nil {
		t.Fatal(err)
	}
	for i := 2000; i < 2010; i++ {
		if err := write(i); err != nil {
			t.Fatal(err)
		}
		kept++
	}
	whole()
	if err := d.Ready(t.Context()); err != nil {
		t.Errorf("with room again it is not ready: %v", err)
	}
}

// A disk that takes no writes for another reason than that it is full makes the database as little ready.
func TestADiskThatTakesNoWrites(t *testing.T) {
	t.Parallel()
	d := open(t, file(t))
	write := func(i int) error {
		id := dayone.PersonID(fmt.Sprintf("per_%05d", i))
		run := dayone.Run{ID: dayone.RunID(fmt.Sprintf("run_%05d", i)), Person: id, State: dayone.RunDone}
		return d.Commit(t.Context(), []dayone.Progress{{Run: run, New: true}})
	}
	if err := write(1); err != nil {
		t.Fatal(err)
	}
	if err := d.RefuseWrites(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := write(2); !errors.Is(err, store.ErrDisk) || !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("a write says %v", err)
	}
	if err := d.Ready(t.Context()); !errors.Is(err, store.ErrDisk) {
		t.Errorf("it is ready while nothing is written: %v", err)
	}
	if err := d.RefuseWrites(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if err := write(3); err != nil {
		t.Fatal(err)
	}
	if err := d.Ready(t.Context()); err != nil {
		t.Errorf("it is not ready after a write succeeded: %v", err)
	}
}

package store_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

func openAs(ctx context.Context, t *testing.T, at string, lead store.Lead) (*store.DB, error) {
	t.Helper()
	d, err := store.OpenAs(ctx, at, sealer(t), time.Now, dayone.NewIDs(time.Now, rand.Reader), lead)
	if err == nil {
		t.Cleanup(func() { _ = d.Close() })
	}
	return d, err
}

// standsBy opens the database in the background and returns when it waits for somebody.
func standsBy(t *testing.T, at, name string, lasts time.Duration) (waitsFor func() store.Leader, leads chan *store.DB) {
	t.Helper()
	told, leads := make(chan store.Leader, 100), make(chan *store.DB, 1)
	go func() {
		d, err := openAs(t.Context(), t, at, store.Lead{Name: name, Lasts: lasts, Waits: func(l store.Leader, _ error) {
			select {
			case told <- l:
			default:
			}
		}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		leads <- d
	}()
	return func() store.Leader { return <-told }, leads
}

func TestWhoStandsByFollows(t *testing.T) {
	t.Parallel()
	at := storetest.Postgres(t)
	first, err := openAs(t.Context(), t, at, store.Lead{Name: "one", At: "https://one"})
	if err != nil {
		t.Fatal(err)
	}
	p := storetest.Sarah(t, first)
	if _, err := openAs(t.Context(), t, at, store.Lead{}); !errors.Is(err, dayone.ErrConflict) || !strings.Contains(err.Error(), "(one) is at work") {
		t.Errorf("who does not wait: %v", err)
	}
	waits, leads := standsBy(t, at, "two", 200*time.Millisecond)
	if l := waits(); l.Epoch != 1 || l.Name != "one" || l.At != "https://one" || l.Silent || l.Since.IsZero() {
		t.Errorf("who stands by sees %+v", l)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := <-leads
	looks(t, at, p)
	if l, err := second.Leader(t.Context()); err != nil || l.Epoch != 2 || l.Name != "two" {
		t.Errorf("now %+v leads, %v", l, err)
	}
	if err := second.Record(t.Context(), dayone.Record{What: "a line of the second"}); err != nil {
		t.Error(err)
	}
}

// A leader that says nothing for the time of its lease is displaced, and whatever it does afterwards changes nothing.
func TestASilentLeaderIsDisplaced(t *testing.T) {
	t.Parallel()
	at := storetest.Postgres(t)
	first, err := openAs(t.Context(), t, at, store.Lead{Name: "one", Lasts: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Sarah(t, first)
	raw, err := sql.Open("pgx", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	hold, err := raw.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hold.Exec(`SELECT 1 FROM leader FOR UPDATE`); err != nil { // it cannot be heard any more
		t.Fatal(err)
	}
	waits, leads := standsBy(t, at, "two", 200*time.Millisecond)
	for !waits().Silent {
	}
	if err := hold.Rollback(); err != nil {
		t.Fatal(err)
	}
	second := <-leads
	err = first.Record(t.Context(), dayone.Record{What: "a line of the first"})
	if !errors.Is(err, dayone.ErrConflict) && !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("a line of a displaced leader: %v", err)
	}
	<-first.Lost()
	for name, err := range map[string]error{"ready": first.Ready(t.Context()), "before a call": first.Leads(t.Context())} {
		if err == nil || !strings.Contains(err.Error(), "start it again") && !strings.Contains(err.Error(), "start again") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := second.Leads(t.Context()); err != nil {
		t.Error(err)
	}
	lines, err := second.Records(t.Context(), store.RecordFilter{})
	if err != nil || len(lines) != 1 {
		t.Errorf("the ledger has %d lines, %v", len(lines), err)
	}
}

// The epoch alone keeps a displaced leader from writing, even with its session alive and its lock held.
func TestNothingOfAnOldEpochIsCommitted(t *testing.T) {
	t.Parallel()
	at := storetest.Postgres(t)
	first, err := openAs(t.Context(), t, at, store.Lead{Name: "one", Lasts: time.Hour}) // it renews nothing by itself
	if err != nil {
		t.Fatal(err)
	}
	p := storetest.Sarah(t, first)
	raw, err := sql.Open("pgx", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	if _, err := raw.Exec(`UPDATE leader SET epoch = epoch + 1, name = 'two'`); err != nil {
		t.Fatal(err)
	}
	if err := first.SetMeta(t.Context(), "a", "1"); !errors.Is(err, dayone.ErrConflict) || !strings.Contains(err.Error(), "two has taken over") {
		t.Errorf("a write of the old one: %v", err)
	}
	<-first.Lost()
	if err := first.Leads(t.Context()); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("before a call: %v", err)
	}
	looks(t, at, p)
	if got, err := first.Meta(t.Context(), "a"); err != nil || got != "" {
		t.Errorf("it is there: %q, %v", got, err)
	}
}

// Who stands by waits for a database that does not answer, too.
func TestWhoStandsByWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	var told error
	_, err := openAs(ctx, t, "postgres://nobody@127.0.0.1:1/none?sslmode=disable", store.Lead{Lasts: time.Millisecond, Waits: func(_ store.Leader, err error) {
		told = err
		stop()
	}})
	if !errors.Is(err, context.Canceled) || !errors.Is(told, dayone.ErrUnavailable) {
		t.Errorf("it says %v and ends with %v", told, err)
	}
}

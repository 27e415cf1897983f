package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

func requests(t *testing.T, d *store.DB) {
	p := Sarah(t, d)
	ctx := t.Context()
	key := dayone.Key{System: "okta", Kind: "group", Name: "sales: EMEA"}
	r := dayone.Request{ID: "req_1", Person: p, Key: key, Role: "member", By: "lead@company.com", Reason: "covers for Max", Made: at, Until: at.Add(time.Hour)}
	if err := d.AddRequest(ctx, r, dayone.Record{At: at, Person: p, What: "requested"}); err != nil {
		t.Fatal(err)
	}
	again := r
	again.ID = "req_2"
	if err := d.AddRequest(ctx, again); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("twice: %v", err)
	}
	if due := must[[]dayone.PersonID](t)(d.Due(ctx, at, 10)); len(due) != 1 {
		t.Errorf("nobody is due: %v", due)
	}
	if diff := cmp.Diff([]dayone.Request{r}, must[[]dayone.Request](t)(d.Requests(ctx, p, true))); diff != "" {
		t.Error(diff)
	}
	if who := must[map[dayone.PersonID]bool](t)(d.Requesting(ctx)); !who[p] {
		t.Errorf("requesting: %v", who)
	}
	r.Until = at.Add(2 * time.Hour)
	if err := d.RequestUntil(ctx, r.ID, r.Until); err != nil {
		t.Fatal(err)
	}
	r.Ended, r.EndBy = at.Add(time.Minute), "lead@company.com"
	if err := d.EndRequest(ctx, r); err != nil {
		t.Fatal(err)
	}
	if err := d.EndRequest(ctx, r); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("ended twice: %v", err)
	}
	if diff := cmp.Diff(r, must[dayone.Request](t)(d.Request(ctx, "req_1"))); diff != "" {
		t.Error(diff)
	}
	if rs := must[[]dayone.Request](t)(d.Requests(ctx, p, true)); len(rs) != 0 {
		t.Errorf("it still stands: %v", rs)
	}
	if err := d.AddRequest(ctx, again); err != nil {
		t.Errorf("once it ended: %v", err)
	}
	// for products: each stands once, several at once or none, and none is in the way of a key
	chat := dayone.Request{ID: "req_3", Person: p, Product: "chat", By: "lead@company.com", Reason: "covers for Max", Made: at}
	desk := chat
	desk.ID, desk.Product = "req_4", "desk"
	if err := d.AddRequests(ctx, []dayone.Request{chat, desk}, dayone.Record{At: at, Person: p, What: "requested"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(chat, must[dayone.Request](t)(d.Request(ctx, "req_3"))); diff != "" {
		t.Error(diff)
	}
	fax := chat
	fax.ID, fax.Product, desk.ID = "req_5", "fax", "req_6"
	if err := d.AddRequests(ctx, []dayone.Request{fax, desk}); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("one of two stands already: %v", err)
	}
	if rs := must[[]dayone.Request](t)(d.Requests(ctx, p, true)); len(rs) != 3 {
		t.Errorf("half of it was kept: %v", rs)
	}
	if _, err := d.Request(ctx, "req_9"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("nobody's: %v", err)
	}
}

func digest(t *testing.T, d *store.DB) {
	p := Sarah(t, d)
	ctx := t.Context()
	line := func(once, to string, due time.Duration) store.DigestLine {
		return store.DigestLine{Once: once, Recipient: to, Person: p, At: at, Due: at.Add(due), Subject: "Sarah has moved", Text: "to Sales"}
	}
	lines := []store.DigestLine{line("a", "max@company.com", time.Hour), line("b", "max@company.com", time.Hour), line("a", "kim@company.com", time.Hour), line("c", "kim@company.com", 25*time.Hour)}
	if err := errors.Join(d.Gather(ctx, lines), d.Gather(ctx, lines[:1])); err != nil { // said again it is the same line
		t.Fatal(err)
	}
	if next := must[time.Time](t)(d.NextDigest(ctx)); !next.Equal(at.Add(time.Hour)) {
		t.Errorf("next: %v", next)
	}
	read := func(now time.Duration) []store.DigestLine {
		t.Helper()
		out, err := d.Digest(ctx, at.Add(now))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if out := read(time.Minute); len(out) != 0 {
		t.Errorf("too early: %v", out)
	}
	if diff := cmp.Diff([]store.DigestLine{lines[2]}, read(time.Hour)); diff != "" {
		t.Error(diff)
	}
	if err := d.PutOff(ctx, at.Add(time.Hour), at.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if out := read(2 * time.Hour); len(out) != 0 {
		t.Errorf("put off, and there: %v", out)
	}
	if err := d.Gathered(ctx, read(3*time.Hour), at.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	max := read(3 * time.Hour)
	if diff := cmp.Diff(lines[:2], max); diff != "" { // of its own day still
		t.Error(diff)
	}
	if err := errors.Join(d.Gathered(ctx, max, at.Add(3*time.Hour)), d.Gather(ctx, lines[:1])); err != nil {
		t.Fatal(err)
	}
	if out := read(4 * time.Hour); len(out) != 0 {
		t.Errorf("sent, and there again: %v", out)
	}
	if out := read(26 * time.Hour); len(out) != 1 {
		t.Errorf("in the end: %v", out)
	}
}

func told(t *testing.T, d *store.DB) {
	p := Sarah(t, d)
	ctx := t.Context()
	row := must[store.Row](t)(d.Person(ctx, p))
	want := dayone.Told{At: at, Status: dayone.PreHire, Attrs: map[string]string{"team": "Enterprise"}}
	row.Told = &want
	if err := d.SaveRow(ctx, row, time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	row.Told = nil // left as it is
	if err := d.SaveRow(ctx, row, time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, must[dayone.Timeline](t)(d.Timeline(ctx, p)).Told); diff != "" {
		t.Error(diff)
	}
}

package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// One legal hold stands at a time; the books let go of nobody on whom one stands.
func legalHolds(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	h := dayone.LegalHold{ID: "lgl_1", Person: p, Reason: "case 12/24", By: "counsel@company.com", From: at}
	if err := d.SaveLegalHold(ctx, h, at, dayone.Record{At: at, Person: p, What: "legal hold"}); err != nil {
		t.Fatal(err)
	}
	other := h
	other.ID = "lgl_2"
	if err := d.SaveLegalHold(ctx, other, at); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("two stand: %v", err)
	}
	if !must[bool](t)(d.UnderLegalHold(ctx, p)) || must[bool](t)(d.UnderLegalHold(ctx, "per_9")) {
		t.Error("who is held is not known")
	}
	if err := d.Erase(ctx, p, at); !errors.Is(err, dayone.ErrForbidden) {
		t.Errorf("erased all the same: %v", err)
	}
	h.Ended, h.EndedBy, h.Why = at.Add(time.Hour), "counsel@company.com", "closed"
	if err := d.SaveLegalHold(ctx, h, at); err != nil {
		t.Fatal(err)
	}
	if err := d.SaveLegalHold(ctx, other, at); err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
	got := must[[]dayone.LegalHold](t)(d.LegalHolds(ctx, p))
	if len(got) != 2 || cmp.Diff(h, got[1]) != "" {
		t.Errorf("they come back changed: %+v", got)
	}
}

// A certificate comes back as it was made, and goes with its person's key.
func certificates(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	if err := d.CertifyAt(ctx, p, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if due := must[time.Time](t)(d.NextCertificate(ctx)); !due.Equal(at.Add(time.Hour)) {
		t.Errorf("due at %v", due)
	}
	if got := must[[]dayone.PersonID](t)(d.DueCertificates(ctx, at, 9)); len(got) != 0 {
		t.Errorf("due too early: %v", got)
	}
	if got := must[[]dayone.PersonID](t)(d.DueCertificates(ctx, at.Add(time.Hour), 9)); len(got) != 1 || got[0] != p {
		t.Errorf("due: %v", got)
	}
	c := dayone.Certificate{ID: "crt_1", Person: p, Made: at, Name: "Sarah Chen", Systems: []dayone.ReadBack{{System: "okta", Title: "Okta", Verdict: dayone.StillOpen, Findings: []dayone.Remain{{Class: dayone.KeptToken, Name: "mail"}}}}}
	if err := d.SaveCertificate(ctx, c, at.Add(24*time.Hour), nil, dayone.Record{At: at, Person: p, What: "certificate"}); err != nil {
		t.Fatal(err)
	}
	if due := must[time.Time](t)(d.CertifiesAt(ctx, p)); !due.Equal(at.Add(24 * time.Hour)) {
		t.Errorf("due again at %v", due)
	}
	if got := must[[]dayone.Certificate](t)(d.Certificates(ctx, p)); len(got) != 1 || cmp.Diff(c, got[0]) != "" {
		t.Errorf("it comes back changed: %+v", got)
	}
	if seq, chain, about, err := d.LastLine(ctx, p); err != nil || seq == 0 || chain == "" || about != 2 {
		t.Errorf("the ledger ends at %d, %q, with %d lines about her: %v", seq, chain, about, err)
	}
	if gone := must[bool](t)(d.WasErased(ctx, p)); gone {
		t.Error("she is said to be erased")
	}
	if err := d.Erase(ctx, p, at, dayone.Record{At: at, Person: p, What: "erased"}); err != nil {
		t.Fatal(err)
	}
	if got := must[[]dayone.Certificate](t)(d.Certificates(ctx, p)); len(got) != 0 {
		t.Errorf("after she was erased: %+v", got)
	}
	if due := must[time.Time](t)(d.NextCertificate(ctx)); !due.IsZero() {
		t.Errorf("she is read back at %v", due)
	}
	if !must[bool](t)(d.WasErased(ctx, p)) {
		t.Error("nobody knows that she was erased")
	}
	if _, err := d.WasErased(ctx, "per_9"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("nobody at all: %v", err)
	}
}

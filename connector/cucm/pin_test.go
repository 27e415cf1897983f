package cucm_test

import (
	"slices"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
)

// TestPinRules: what a user's PIN has to meet is what its policy says; where the cluster names none, what all of them say.
func TestPinRules(t *testing.T) {
	t.Parallel()
	b := open(t, company(t))
	b.ref("hhunt")
	b.sim.Policy("Executives", 9, false)
	b.sim.Policy("Lobby", 4, true)
	for policy, want := range map[string]struct {
		least   int
		trivial bool
	}{"Executives": {9, false}, "Lobby": {4, true}, "": {9, true}} {
		b.sim.Obeys("hhunt", policy)
		r, err := b.pins.PinRules(t.Context(), "hhunt")
		if err != nil || r.Least != want.least || r.Trivial != want.trivial {
			t.Errorf("under %q it is %+v, %v", policy, r, err)
		}
		for _, known := range []string{"2104", "14085552104", "4846", "4868"} { // the extension, and Hugo Hunt on the keys
			if !slices.Contains(r.Never, known) {
				t.Errorf("under %q it may hold %s", policy, known)
			}
		}
	}
	_, err := b.pins.PinRules(t.Context(), "nobody")
	connectortest.Refused(t, err, dayone.ErrNotFound)
}

// TestSetPin writes the PIN of one user and nothing else, and the time of it shows that it arrived.
func TestSetPin(t *testing.T) {
	t.Parallel()
	b := open(t, company(t))
	b.ref("hhunt")
	before := b.sim.Snapshot()
	if set, err := b.pins.PinSince(t.Context(), "hhunt", b.at.Add(-time.Hour)); set || err != nil {
		t.Fatalf("a PIN that nobody set: %v, %v", set, err)
	}
	if err := b.pins.SetPin(t.Context(), "hhunt", dayone.NewSecret("58203947"), false); err != nil {
		t.Fatal(err)
	}
	if !b.sim.OpensBy("hhunt", "58203947") {
		t.Error("it opens nothing")
	}
	if changed := differences(before, b.sim.Snapshot()); !slices.Equal(changed, []string{"user hhunt"}) {
		t.Errorf("it changed %v", changed)
	}
	for at, want := range map[time.Duration]bool{-time.Hour: true, time.Hour: false} {
		if set, err := b.pins.PinSince(t.Context(), "hhunt", b.at.Add(at)); set != want || err != nil {
			t.Errorf("changed since %s from our now, which is not the cluster's: %v, %v", at, set, err)
		}
	}
	connectortest.Refused(t, b.pins.SetPin(t.Context(), "hhunt", dayone.NewSecret("58203947"), false), dayone.ErrInvalid)
}

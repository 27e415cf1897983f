package connector_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// groups offers names, each with an id of its own, and keeps what it was asked to add.
type groups struct {
	names map[string]string
	fails error
	reads int
	added []string
}

func (g *groups) Held(context.Context, string) ([]dayone.Item, error) { return nil, nil }

func (g *groups) Offers(context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		g.reads++
		if g.fails != nil {
			yield(dayone.Offer{}, g.fails)
			return
		}
		for name, ref := range g.names {
			if !yield(dayone.Offer{Key: dayone.Key{Name: name}, Ref: ref}, nil) {
				return
			}
		}
	}
}

func (g *groups) Add(_ context.Context, _ string, want dayone.Item) error {
	g.added = append(g.added, want.Ref)
	return nil
}
func (g *groups) Remove(context.Context, string, dayone.Item) error { return nil }

// An id is used for as long as a catalogue is trusted; then the catalogue is read again, for known names as for new ones:
// a group may have been deleted and made anew.
func TestIdsOfACatalogueAreTrustedForATime(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 11, 22, 15, 0, 0, 0, time.UTC)
	g := &groups{names: map[string]string{"sales": "1"}}
	target := &connector.Target{
		System: "acme", Manifest: &connector.Manifest{Title: "Acme", Kinds: map[string]connector.Kind{"group": {Catalogue: true, Proof: true}}},
		Now: func() time.Time { return now }, Kinds: map[string]connector.Entitlements{"group": g},
	}
	add := func(name string) error {
		k := dayone.Key{System: "acme", Kind: "group", Name: name}
		_, err := target.Apply(t.Context(), dayone.Act{Action: dayone.EntitlementAdd, Key: k, Account: "u", Want: &dayone.Item{Key: k}, Attempt: 1, Fresh: true})
		return err
	}
	told := func(what string, err, want error, reads int, last string) {
		t.Helper()
		if !errors.Is(err, want) || g.reads != reads || g.added[len(g.added)-1] != last {
			t.Errorf("%s: %v after %d reads, added %v", what, err, g.reads, g.added)
		}
	}
	told("the first", add("sales"), nil, 1, "1")
	g.names = map[string]string{"sales": "2", "support": "3"}
	told("a minute later", add("sales"), nil, 1, "1")
	told("one that it did not name", add("support"), dayone.ErrNotFound, 1, "1")
	now = now.Add(10 * time.Minute)
	told("when its time is over", add("sales"), nil, 2, "2")
	told("one that is new", add("support"), nil, 2, "3")
	now = now.Add(10 * time.Minute)
	g.fails = dayone.ErrUnavailable
	told("when it cannot be read", add("sales"), dayone.ErrUnavailable, 3, "3")
}

// What nobody can be given is refused for good, without asking the system.
func TestWhatIsShownOnlyIsRefused(t *testing.T) {
	t.Parallel()
	g := &groups{names: map[string]string{"sales": "1"}}
	target := &connector.Target{
		System: "acme", Manifest: &connector.Manifest{Title: "Acme", Kinds: map[string]connector.Kind{"line": {Catalogue: true, Shown: "it is made by hand"}}},
		Now: time.Now, Kinds: map[string]connector.Entitlements{"line": g},
	}
	k := dayone.Key{System: "acme", Kind: "line", Name: "sales"}
	_, err := target.Apply(t.Context(), dayone.Act{Action: dayone.EntitlementAdd, Key: k, Account: "u", Want: &dayone.Item{Key: k}, Attempt: 1, Fresh: true})
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrInvalid) || !errors.As(err, &f) || !strings.Contains(f.Detail, "shown only") || g.reads+len(g.added) > 0 {
		t.Errorf("%v after %d reads, added %v", err, g.reads, g.added)
	}
}

// A manifest says of a kind either how it is given or that it is shown only.
func TestAManifestMarksWhatNobodyCanBeGiven(t *testing.T) {
	t.Parallel()
	for kind, good := range map[string]bool{
		"{actions: [add]}": true, "{actions: [send]}": true, "{manual: {add: by hand}}": true, "{shown: why}": true,
		"{}": false, "{actions: [remove]}": false, "{actions: [add], shown: why}": false, "{manual: {add: by hand}, shown: why}": false,
	} {
		if _, err := connector.ParseManifest([]byte("name: acme\ntitle: Acme\nkinds: {thing: " + kind + "}\n")); (err == nil) != good {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

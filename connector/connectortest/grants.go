package connectortest

import (
	"errors"
	"slices"
	"testing"

	"github.com/dayone-hq/dayone"
)

func catalogue(t *testing.T, s Suite) {
	b := s.setup(t)
	have := map[string]string{}
	for o, err := range b.guard.Catalogue(b.ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Ref == "" || o.Key.System != system {
			t.Errorf("offer %+v has no id or no system", o)
		}
		have[o.Key.Kind+":"+o.Key.Name] = o.Ref
	}
	for _, g := range s.Grants {
		if b.man.Kinds[g.Key.Kind].Catalogue && have[g.Key.Kind+":"+g.Key.Name] == "" {
			t.Errorf("the catalogue misses %s:%s; it has %v", g.Key.Kind, g.Key.Name, have)
		}
	}
}

// giveAndTake gives every grant, twice; then takes it, twice. The simulator itself is asked, not the connector.
func giveAndTake(t *testing.T, s Suite) {
	b := s.setup(t)
	account := ""
	if b.man.Account != nil {
		account = b.join(dayone.Active).Now.Ref
	}
	for name, kind := range b.man.Kinds {
		if kind.Shown == "" {
			continue
		}
		key := dayone.Key{System: system, Kind: name}
		a := dayone.Act{Once: "fedcba9876543210", Action: dayone.EntitlementAdd, Key: key, Account: account, Attempt: 1, Since: b.now(), Want: &dayone.Item{Key: key, State: dayone.Active}}
		if _, err := b.guard.Apply(b.ctx, a); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%s is shown only, and giving it says %v, want %v: else it is tried for ever", name, err, dayone.ErrInvalid)
		}
	}
	for _, g := range s.Grants {
		kind := b.man.Kinds[g.Key.Kind]
		key := dayone.Key{System: system, Kind: g.Key.Kind, Name: g.Key.Name}
		a := dayone.Act{
			Once: "fedcba9876543210", Action: dayone.EntitlementAdd, Key: key, Account: account, Attempt: 1, Since: b.now(),
			Want: &dayone.Item{Key: key, State: dayone.Active, Role: g.Role, Attrs: g.Attrs}, Secrets: secretsOf(kind.Attributes),
		}
		sends := slices.Contains(kind.Actions, "send")
		if sends {
			a.Action = dayone.MessageSend
		}
		first := b.apply(a)
		if first.Now == nil {
			t.Errorf("%s: nothing is there after it was given", key)
			continue
		}
		if first.Wait != nil && first.Wait.Kind == dayone.WaitTask {
			continue // the rest is a human's
		}
		label := g.Key.Kind
		if g.Key.Name != "" {
			label += ":" + g.Key.Name
		}
		if g.Role != "" {
			label += "=" + g.Role
		}
		if m := b.mine(); m != nil && !sends && !slices.Contains(m.Entitlements, label) {
			t.Errorf("the simulator shows %v, not %s", m.Entitlements, label)
		}
		if sends { // what the books know is not sent twice; that of a lost answer may be
			a.Have = first.Now
		} else if again := b.apply(a); again.Changed() {
			t.Errorf("%s given twice changes twice: %+v -> %+v", key, again.Before, again.Now)
		}
		if !slices.Contains(kind.Actions, "remove") {
			continue
		}
		a.Action, a.Have, a.Want = dayone.EntitlementRemove, first.Now, nil
		gone := b.apply(a)
		if gone.Now != nil {
			t.Errorf("%s: there is still %+v", key, gone.Now)
		}
		if gone.Before == nil {
			t.Errorf("%s: the removal does not tell what was there", key)
		}
		if m := b.mine(); m != nil && slices.Contains(m.Entitlements, label) {
			t.Errorf("after the removal the simulator shows %v", m.Entitlements)
		}
		if sends { // a cancellation cannot be seen either
			continue
		}
		if again := b.apply(a); again.Changed() {
			t.Errorf("%s taken twice changes twice", key)
		}
	}
}

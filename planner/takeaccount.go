package planner

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// reborn lets a thing that comes back have new secrets: the ones before went with it.
func (b *back) reborn(inv *dayone.Step) {
	made := dayone.Attrs{}
	for name, v := range b.Systems[inv.Key.System].Kinds[inv.Key.Kind].Mapping {
		if v.Kind == dayone.SecretValue {
			made[name] = v
		}
	}
	if len(made) > 0 && inv.Want != nil {
		want := *inv.Want
		want.Attrs = want.Attrs.With(made)
		inv.Want = &want
	}
}

// account is the holding of an account step, if it is still the same account; else it is said why not.
func (b *back) account(s *dayone.StepRun) (dayone.Holding, bool) {
	h, there := b.have[s.Step.Key]
	switch now := s.Result.Now; {
	case !there || h.State == dayone.Gone:
		delete(b.covers, s.Step.Key)
		b.find(Absent, s.Step.Key, "the account is not there any more; it is built anew when policies ask for it, without what it held")
		return h, false
	case now != nil && now.Ref != h.Ref:
		b.stays(s, "%s", b.since(h, "another account has taken its place since", "another account has taken its place since, by run %s"))
		return h, false
	}
	return h, true
}

// makes says that this run made the account and takes that back: its other steps on it are taken back with that.
func (b *back) makes(k dayone.Key) bool {
	return slices.ContainsFunc(b.Run.Steps, func(o dayone.StepRun) bool {
		return o.Step.Key == k && o.Step.Action == dayone.AccountCreate && o.Of == "" && o.State != dayone.StepUndone && o.Result.Changed() && o.Result.Before == nil &&
			(b.Steps == nil || b.Steps[o.Step.ID])
	})
}

func (b *back) made(s *dayone.StepRun) {
	k := s.Step.Key
	h, same := b.account(s)
	if !same {
		return
	}
	if s.Result.Before != nil { // adopted, not made
		b.updated(s)
		return
	}
	if why := cmp.Or(b.otherwise(s), b.needed(k)); why != "" {
		b.stays(s, "%s", why)
		return
	}
	sys := b.Systems[k.System]
	off, used := sys.As(dayone.Disabled), b.used(s, h)
	inv := dayone.Step{
		Key: k, Subject: dayone.Subject{Ref: h.Ref}, Have: &h.Item, Because: s.Step.Because, Once: s.Step.Once, Tier: s.Step.Tier, Implied: s.Step.Implied, Via: s.Step.Via,
		Action: dayone.AccountDisable, Want: &dayone.Item{Key: k, Ref: h.Ref, State: off},
	}
	switch {
	case off == dayone.Gone && !sys.CanDelete:
		b.find(Stays, k, "the account can neither be closed nor deleted by us; close it by hand")
		return
	case sys.Via.System != "" && !b.goes[sys.Via] && h.State != off:
		b.stays(s, "the account comes and goes with %s, which stays", sys.Via)
		return
	case off == dayone.Gone && b.Legal:
		b.find(Stays, k, "the account would have to be deleted, and a legal hold stands; close it by hand without losing what it holds")
		return
	case off == dayone.Gone:
		b.find(Instead, k, "the account is deleted: %s has no closed ones", cmp.Or(sys.Title, k.System))
		inv.Action, inv.Want = dayone.AccountDelete, nil
	case used == "":
		b.find(Instead, k, "the account is deleted, since nobody ever signed in and nothing else is on it")
		if lost := sys.NoUndo[dayone.AccountDelete]; lost != "" {
			b.find(Instead, k, "%s", lost)
		}
		inv.Action, inv.Want = dayone.AccountDelete, nil
	case h.State == off || h.State == dayone.Staged:
		b.find(Absent, k, "the account is closed and stays so, and is not deleted: %s", used)
		return
	default:
		b.find(Instead, k, "the account is closed, not deleted: %s", used)
	}
	b.goes[k] = true
	b.add(s, inv)
}

// needed is why an account cannot go: something on it stays, or came later and is wanted.
func (b *back) needed(account dayone.Key) string {
	for _, k := range sorted(b.have) {
		h := b.have[k]
		if k.IsAccount() || k.Account() != account || h.State == dayone.Gone || b.goes[k] {
			continue
		}
		_, kept := b.kept[k]
		_, wanted := b.want[k]
		if kept || wanted && h.Run != b.Run.ID {
			return fmt.Sprintf("what hangs on it stays: %s", k)
		}
	}
	return ""
}

// used is why an account is not deleted; "": this run made it, nobody ever signed in, and nothing else is on it.
func (b *back) used(s *dayone.StepRun, h dayone.Holding) string {
	sys, seen := b.Systems[h.Key.System], b.Seen[h.Key]
	switch {
	case !sys.CanDelete:
		return "its system cannot delete accounts"
	case b.Legal:
		return "a legal hold stands"
	case sys.Via.System != "" || s.Step.Via.System != "":
		return "another system makes it"
	case !h.Ours:
		return "it was there before"
	case seen.Account == nil:
		return "its system could not be asked whether anybody signed in"
	}
	login, tells := seen.Account.Attrs[LastLogin]
	switch unused := seen.Account.State == dayone.Staged || seen.Account.State == dayone.Pending; {
	case tells && login.Text != "":
		return fmt.Sprintf("somebody signed in on %s", day(login.Text))
	case !tells && !unused:
		return "its system does not tell whether anybody signed in"
	case len(seen.Unread) > 0:
		var kinds []string
		for _, kind := range seen.Unread {
			kinds = append(kinds, dayone.Key{System: h.Key.System, Kind: kind}.String())
		}
		return fmt.Sprintf("what is on it could not be read: %s", strings.Join(kinds, ", "))
	}
	for _, it := range seen.Items {
		k := it.Key
		k.As = h.Key.As
		if !k.IsAccount() && !b.goes[k] {
			return fmt.Sprintf("%s is on it, which this run did not give", k)
		}
	}
	return ""
}

// day of an instant as systems write it.
func day(s string) string {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC().Format("2 January 2006")
	}
	return s
}

// updated restores the attributes that are still as the run left them.
func (b *back) updated(s *dayone.StepRun) {
	k, before, now := s.Step.Key, s.Result.Before, s.Result.Now
	if b.makes(k) {
		return
	}
	h, same := b.account(s)
	if !same || before == nil || now == nil {
		return
	}
	restore := dayone.Attrs{}
	var later []string
	for name := range before.Attrs.Differ(now.Attrs) {
		was, known := before.Attrs[name]
		_, asked := s.Asked[name]
		switch {
		case !known || !asked:
		case h.Attrs[name] != now.Attrs[name]:
			later = append(later, name)
		default:
			restore[name] = was
		}
	}
	if len(later) > 0 {
		slices.Sort(later)
		b.find(Stays, k, "%s", b.since(h, "%s changed again since", "%s changed again since, by run %s", strings.Join(later, ", ")))
	}
	inv := dayone.Step{
		Key: k, Subject: dayone.Subject{Ref: h.Ref}, Have: &h.Item, Because: s.Step.Because, Once: s.Step.Once, Tier: s.Step.Tier, Implied: s.Step.Implied, Via: s.Step.Via,
		Action: dayone.AccountUpdate, Want: &dayone.Item{Key: k, Ref: h.Ref, State: h.State, Attrs: restore},
	}
	if len(restore) > 0 {
		b.add(s, inv)
	}
	if before.State != now.State { // adopted, and opened or closed with that
		b.turn(s, h)
	}
}

// switched gives an account its state back.
func (b *back) switched(s *dayone.StepRun) {
	if b.makes(s.Step.Key) {
		return
	}
	if h, same := b.account(s); same {
		b.turn(s, h)
	}
}

func (b *back) turn(s *dayone.StepRun, h dayone.Holding) {
	k, before, now := s.Step.Key, s.Result.Before, s.Result.Now
	switch {
	case before == nil || now == nil:
		b.find(Stays, k, "nothing is known of how it was before")
		return
	case h.State != now.State && b.shut(k):
		delete(b.covers, k)
		b.find(Absent, k, "%s", b.turned(h))
		return
	case h.State != now.State:
		b.stays(s, "%s", b.turned(h))
		return
	}
	inv := dayone.Step{
		Key: k, Subject: dayone.Subject{Ref: h.Ref}, Have: &h.Item, Because: s.Step.Because, Once: s.Step.Once, Tier: s.Step.Tier, Implied: s.Step.Implied, Via: s.Step.Via,
		Action: dayone.AccountEnable, Want: &dayone.Item{Key: k, Ref: h.Ref, State: dayone.Active},
	}
	switch before.State {
	case dayone.Active, dayone.Pending:
	case h.State: // nothing to turn
		return
	default:
		off := b.Systems[k.System].As(dayone.Disabled)
		if off == dayone.Gone || h.State == off {
			b.find(Stays, k, "%s", noWay(before.State))
			return
		}
		if why := cmp.Or(b.otherwise(s), b.needed(k)); why != "" {
			b.stays(s, "%s", why)
			return
		}
		inv.Action, inv.Want.State = dayone.AccountDisable, off
	}
	b.add(s, inv)
}

// noWay says that an account cannot be what it was before.
func noWay(was dayone.State) string {
	switch was {
	case dayone.Disabled:
		return "its system does not go back to disabled"
	case dayone.Staged:
		return "its system does not go back to staged"
	default:
		return "its system does not go back to how it was before"
	}
}

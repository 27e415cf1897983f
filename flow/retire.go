package flow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// A system is retired by an order, which somebody may take back: either nothing is changed there any more and what is there is
// left as it is, or what we gave is taken, within the brakes. Then it may go out of the configuration. One that goes without
// that is an error at the start: what people have there would be nobody's.

// retiring are the systems that are being retired, as the last look at the orders had it. It is another one when it changes.
type retiring map[string]dayone.OrderKind

// readRetiring looks which they are.
func (f *Flow) readRetiring(ctx context.Context) error {
	now := f.Clock.Now()
	st, err := f.Store.Standing(ctx, now)
	if err != nil {
		return err
	}
	is := retiring{}
	for _, o := range st.Orders {
		if o.Kind.Retires() && o.Holds(now) {
			is[o.System] = o.Kind
		}
	}
	if !maps.Equal(is, *f.retires()) {
		f.ends.Store(&is)
		f.ahead.forgetAll() // it was foreseen with them, or without
	}
	return nil
}

var noneRetires = retiring{}

func (f *Flow) retires() *retiring { return cmp.Or(f.ends.Load(), &noneRetires) }

// withoutRetired takes out of a want what is at systems that are being retired. What is there stays, unless it is to be closed.
func withoutRetired(l *Look, ends retiring, title func(system string) string) {
	if len(ends) == 0 {
		return
	}
	gone := func(g dayone.Grant) bool {
		_, is := ends[g.Key.System]
		return is
	}
	for _, g := range l.Want.Grants {
		if gone(g) {
			l.Want.Findings = append(l.Want.Findings, dayone.Finding{Kind: "retired", Key: g.Key, Text: retiredText(title(g.Key.System), ends[g.Key.System])})
		}
	}
	for _, list := range []*[]dayone.Grant{&l.Want.Grants, &l.Want.Pending, &l.Want.Later, &l.Want.Offers} {
		*list = slices.DeleteFunc(*list, gone)
	}
	for _, h := range l.Have {
		if h.State == dayone.Gone || ends[h.Key.System] != dayone.OrderRelease {
			continue
		}
		l.Want.Keep = append(l.Want.Keep, h.Key)
		if l.Person.Status == dayone.Left && !told(h.Key) && !onClosed(h.Key, l.Have) {
			l.Want.Findings = append(l.Want.Findings, dayone.Finding{Kind: notManaged, Key: h.Key, Text: fmt.Sprintf("%s stays: Dayone does not manage %s any more", h.Key, title(h.Key.System))})
		}
	}
}

// notManaged is the kind of a finding about what somebody who has left keeps at a system that is left as it is.
const notManaged = "not managed"

// told says that the key is of something that was sent, which nobody has.
func told(k dayone.Key) bool { return k.Kind == "message" || k.Kind == "invitation" }

// onClosed says that something hangs on an account that is closed.
func onClosed(k dayone.Key, have []dayone.Holding) bool {
	return !k.IsAccount() && slices.ContainsFunc(have, func(h dayone.Holding) bool { return h.Key == k.Account() && h.State == dayone.Disabled })
}

func retiredText(system string, how dayone.OrderKind) string {
	if how == dayone.OrderClose {
		return fmt.Sprintf("%s is being retired: nothing is given there, and what was given is taken", system)
	}
	return fmt.Sprintf("%s is being retired: nothing is given or taken there", system)
}

// noteRetired adds to an explanation that nothing comes of it.
func (f *Flow) noteRetired(x policy.Explanation) policy.Explanation {
	if how, is := (*f.retires())[x.Key.System]; is {
		x.Finding = strings.TrimSuffix(retiredText(f.systemTitle(x.Key.System), how)+"; "+x.Finding, "; ")
	}
	return x
}

// HeldAt counts what people hold at a system.
type HeldAt = store.HeldAt

// Retirement is what retiring a system means now.
type Retirement struct {
	System, Title string
	Held          store.HeldAt
	Limit         int          // people who may lose something there in a day; 0: no brake is on
	Policies      []string     // that give something there
	Needed        []string     // what cannot do without it; it cannot be retired before
	Standing      dayone.Order // it is being retired already
}

// Retirement looks at what retiring a system would mean. ErrNotFound: nobody knows the system.
func (f *Flow) Retirement(ctx context.Context, system string) (Retirement, error) {
	r := Retirement{System: system, Title: f.systemTitle(system)}
	held, err := f.Store.HeldAt(ctx, system)
	if err != nil {
		return r, err
	}
	if held == (store.HeldAt{}) && !slices.Contains(f.systemNames(), system) {
		return r, fmt.Errorf("there is no system %q; there are %s: %w", system, strings.Join(f.systemNames(), ", "), dayone.ErrNotFound)
	}
	r.Held = held
	set := f.Active()
	for _, p := range set.Policies {
		if slices.ContainsFunc(slices.Concat(p.Grants, p.Offers), func(g *policy.Rule) bool { return g.Key.System == system }) {
			r.Policies = append(r.Policies, p.ID)
		}
	}
	r.Needed = f.needs(system)
	if f.Removals.Off == "" {
		n, err := f.managedOf(ctx, "")
		if err != nil {
			return r, err
		}
		r.Limit = f.Removals.people(n)
	}
	st, err := f.Store.Standing(ctx, f.Clock.Now())
	for _, o := range st.Orders {
		if o.Kind.Retires() && o.System == system && o.Holds(f.Clock.Now()) {
			r.Standing = o
		}
	}
	return r, err
}

// needs is what cannot do without a system.
func (f *Flow) needs(system string) []string {
	var out []string
	switch system {
	case f.Mail:
		out = append(out, "messages.mail names it")
	case f.Calendar:
		out = append(out, "messages.calendar names it")
	}
	if chat, err := dayone.ParseKey(f.Deps.Alerts.Chat); err == nil && chat.System == system {
		out = append(out, "alerts.chat names it")
	}
	ends := *f.retires()
	for _, name := range slices.Sorted(maps.Keys(f.Active().Systems)) {
		s := f.Active().Systems[name]
		if _, is := ends[name]; is || name == system {
			continue
		}
		if s.Via.System == system {
			out = append(out, name+" is provisioned by it")
		}
		if slices.Contains(s.Needs, system) {
			out = append(out, name+" needs it")
		}
		for _, kind := range slices.Sorted(maps.Keys(s.Kinds)) {
			if s.Kinds[kind].Supply.System == system {
				out = append(out, fmt.Sprintf("%s/%s comes from it", name, kind))
			}
		}
	}
	return out
}

// mayRetire refuses to retire what others cannot do without.
func (f *Flow) mayRetire(o dayone.Order) error {
	if needed := f.needs(o.System); len(needed) > 0 {
		return fmt.Errorf("%s cannot be retired yet: %s; change that in the configuration first: %w", o.System, strings.Join(needed, ", "), dayone.ErrConflict)
	}
	return nil
}

// isHeldAt says that people hold something at a system, which may be missing from the configuration: it has to be retired then.
func (f *Flow) isHeldAt(ctx context.Context, system string) bool {
	any, err := f.Store.HoldsAny(ctx, system)
	return err == nil && any
}

// LiftRetirement takes back that a system is being retired. ErrNotFound: it is not.
func (f *Flow) LiftRetirement(ctx context.Context, system, by, reason string) error {
	r, err := f.Retirement(ctx, system)
	if err != nil {
		return err
	}
	if r.Standing.ID == "" {
		return fmt.Errorf("%s is not being retired: %w", system, dayone.ErrNotFound)
	}
	return f.Lift(ctx, r.Standing.ID, by, reason)
}

// letGoMeta is where it is kept that a system was let go, and when.
func letGoMeta(system string) string { return "let go: " + system }

// mayManage refuses to manage a system again of which Dayone has let go: it knows nobody's account there any more, and would
// make a second one for everybody.
func (f *Flow) mayManage(ctx context.Context, id dayone.OrderID) error {
	st, err := f.Store.Standing(ctx, f.Clock.Now())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(st.Orders, func(o dayone.Order) bool { return o.ID == id && o.Kind.Retires() })
	if i < 0 {
		return nil
	}
	system := st.Orders[i].System
	since, err := f.Store.Meta(ctx, letGoMeta(system))
	if err != nil || since == "" {
		return err
	}
	return fmt.Errorf("%s was let go at %s: Dayone does not know any more whose the accounts there are, and would make a second one for each person; see to those that are there, then configure the system under another name: %w",
		system, since, dayone.ErrConflict)
}

// configuredMeta is where the systems of the last start are kept.
const configuredMeta = "configured systems"

// AtStart compares the configured systems with those of the last start. One that is missing, and at which people hold
// something, is an error that says what to do: nothing is done at any system before somebody has. If it was retired, what is
// known of it is let go.
func (f *Flow) AtStart(ctx context.Context) error {
	raw, err := f.Store.Meta(ctx, configuredMeta)
	if err != nil {
		return err
	}
	var before []string
	if raw != "" {
		if err := json.Unmarshal([]byte(raw), &before); err != nil {
			return fmt.Errorf("the systems of the last start do not read: %w", err)
		}
	}
	var lost []string
	for _, name := range before {
		if f.Systems[name] != nil {
			continue
		}
		if any, err := f.Store.HoldsAny(ctx, name); err != nil {
			return err
		} else if !any {
			if err := f.Store.ForgetReadings(ctx, name); err != nil {
				return err
			}
			continue
		}
		r, err := f.Retirement(ctx, name)
		if err != nil {
			return err
		}
		switch r.Standing.Kind {
		case dayone.OrderClose:
			accounts, things, err := f.Store.UnclosedAt(ctx, name)
			if err != nil {
				return err
			}
			if accounts+things > 0 {
				lost = append(lost, fmt.Sprintf("%s is being retired, and %s and %s there are not taken yet; put it back until they are, or say dayone system retire %[1]s --stop-managing",
					name, counted(accounts, "1 open account", "%d open accounts"), counted(things, "1 other thing", "%d other things")))
				continue
			}
			fallthrough
		case dayone.OrderRelease:
			if err := errors.Join(f.release(ctx, r), f.Store.ForgetReadings(ctx, name)); err != nil {
				return err
			}
		default:
			lost = append(lost, fmt.Sprintf("%s is not in the configuration any more, and %s something there: %s, %s. Put it back, then retire it: dayone system retire %[1]s, with --stop-managing or --close-accounts",
				name, counted(r.Held.People, "1 person holds", "%d people hold"), counted(r.Held.Open, "1 open account", "%d open accounts"), counted(r.Held.Others, "1 other thing", "%d other things")))
		}
	}
	if len(lost) > 0 {
		return fmt.Errorf("nothing was done: %s: %w", strings.Join(lost, "; "), dayone.ErrInvalid)
	}
	now, err := json.Marshal(slices.Sorted(maps.Keys(f.Systems)))
	if err != nil {
		return err
	}
	return f.Store.SetMeta(ctx, configuredMeta, string(now))
}

// releaseAtOnce are how many people are read at once when a system is let go.
const releaseAtOnce = 500

// release lets everything go that is known of a system. It is called again if it was cut short, and goes on then.
func (f *Flow) release(ctx context.Context, r Retirement) error {
	if err := f.Store.SetMeta(ctx, letGoMeta(r.System), f.Clock.Now().UTC().Format(time.RFC3339)); err != nil { // before anything is
		return err
	}
	for {
		people, err := f.Store.HoldersAt(ctx, r.System, releaseAtOnce)
		if err != nil || len(people) == 0 {
			return err
		}
		for _, id := range people {
			if err := f.releaseOf(ctx, id, r); err != nil {
				return err
			}
		}
	}
}

func (f *Flow) releaseOf(ctx context.Context, id dayone.PersonID, r Retirement) error {
	defer f.lock(id)()
	have, err := f.Store.Holdings(ctx, id, false)
	if err != nil {
		return err
	}
	var gone []dayone.Holding
	for _, h := range have {
		if h.Key.System == r.System && !told(h.Key) {
			h.State, h.Lost = dayone.Gone, time.Time{}
			h.Generation++ // if it is managed again one day, it is given anew
			gone = append(gone, h)
		}
	}
	return f.Store.KeepHoldings(ctx, id, gone, dayone.Record{
		At: f.Clock.Now(), Person: id, System: r.System, What: "not managed any more", By: r.Standing.By, Detail: &dayone.Detail{Note: r.Standing.Reason},
	})
}

package planner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Past is a run as its journal has it, and how everything stands now.
type Past struct {
	Run     dayone.Run
	Steps   map[dayone.StepID]bool // those to be taken back; nil: all
	At      time.Time
	Have    []dayone.Holding
	Want    dayone.Want
	Systems map[string]dayone.System
	Legal   bool                    // a legal hold stands: nothing is deleted
	Seen    map[dayone.Key]Sighting // accounts that the run made, as their systems show them now
}

// Sighting is an account as its system shows it. One that could not be read is no sighting.
type Sighting struct {
	Account *dayone.Item // nil: it is not shown
	Items   []dayone.Item
	Unread  []string // kinds of which nothing is known
}

// Back is a way back: what will be done, and what stays and why, as findings of the plan.
type Back struct {
	Plan dayone.Plan
	Keys []dayone.Key // what policies must leave alone from then on
	Keep bool         // of somebody who has left: what is given back would be taken at once

	Along []Along // what goes with what is done
}

// Along is a step that is taken back with another one: what stands on an account goes with the account.
type Along struct {
	Step dayone.Step   // of the run
	With dayone.Action // on its account
	Why  string
}

// Kinds of findings in a plan that takes a run back.
const (
	Stays   = "stays"   // it is not taken back, and why
	Instead = "instead" // it is taken back otherwise than one would expect
	Absent  = "absent"  // nothing of it is left to take back, and why
)

// LastLogin is the attribute by which a connector shows when somebody last signed in; empty: nobody ever did.
const LastLogin = "last_login"

// TakeBack plans how what a run did is taken back. It compares what the run left with what is there now: what changed
// since, or what another reason justifies now, stays. An account goes only if this run made it, nobody ever signed in and
// nothing else is on it; what is not known counts as used, and the account is closed. An error wraps dayone.ErrInvalid.
func TakeBack(p Past) (Back, error) {
	b := &back{
		Past: p, have: map[dayone.Key]dayone.Holding{}, want: map[dayone.Key]dayone.Grant{}, goes: map[dayone.Key]bool{}, kept: map[dayone.Key]string{},
		covers: map[dayone.Key]bool{}, told: map[dayone.StepID]bool{},
	}
	for _, h := range p.Have {
		b.have[h.Key] = h
	}
	for _, g := range p.Want.Grants {
		b.want[g.Key] = g
	}
	var accounts []*dayone.StepRun
	for i := range p.Run.Steps {
		s := &p.Run.Steps[i]
		switch {
		case !b.chosen(s):
		case s.Step.Key.IsAccount(): // what is on it decides about it
			accounts = append(accounts, s)
		default:
			b.step(s)
		}
	}
	for _, s := range accounts {
		b.step(s)
	}
	for i := range p.Run.Steps { // nothing is passed over in silence
		if s := &p.Run.Steps[i]; b.chosen(s) && !b.told[s.Step.ID] {
			b.rest(s)
		}
	}
	if b.Steps == nil && b.bare() {
		for _, g := range slices.Concat(p.Want.Grants, p.Want.Pending) {
			if h, there := b.have[g.Key]; !there || h.State == dayone.Gone {
				b.covers[g.Key] = true
			}
		}
	}
	Backward(b.steps, b.undone)
	out := Back{Along: b.along, Keep: p.Want.Status == dayone.Left, Keys: slices.SortedFunc(maps.Keys(b.covers), compare)}
	out.Plan = dayone.Plan{Person: p.Run.Person, At: p.At, Findings: b.findings}
	all := map[dayone.StepID]*dayone.Step{}
	for i := range b.steps {
		all[b.steps[i].ID] = &b.steps[i]
	}
	var err error
	out.Plan.Steps, err = order(all)
	return out, err
}

// bare says that this closes the last account that somebody had. What was still to come, such as what somebody has yet to agree to, is
// then not to come either.
func (b *back) bare() bool {
	closes := map[dayone.Key]bool{}
	for _, s := range b.steps {
		if s.Key.IsAccount() && (s.Action == dayone.AccountDelete || s.Action == dayone.AccountDisable) {
			closes[s.Key] = true
		}
	}
	for k := range b.have {
		if k.IsAccount() && k.As == dayone.Personal && !closes[k] && !b.shut(k) {
			return false
		}
	}
	return len(closes) > 0 && b.Want.Status != dayone.Left
}

type back struct {
	Past
	have     map[dayone.Key]dayone.Holding
	want     map[dayone.Key]dayone.Grant
	goes     map[dayone.Key]bool   // what is taken
	kept     map[dayone.Key]string // what stays since something else wants it so
	covers   map[dayone.Key]bool
	steps    []dayone.Step
	undone   []dayone.Step // those that steps take back
	findings []dayone.Finding
	along    []Along
	told     map[dayone.StepID]bool // steps of which something was said
	at       dayone.StepID          // the one that is looked at
}

// chosen says whether a step of the run is to be taken back, if that can be.
func (b *back) chosen(s *dayone.StepRun) bool {
	return s.Of == "" && s.State != dayone.StepUndone && (b.Steps == nil || b.Steps[s.Step.ID])
}

// rest says what becomes of a step of which nothing was said yet.
func (b *back) rest(s *dayone.StepRun) {
	k, st := s.Step.Key, s.Step
	b.at = st.ID
	if changed := Done(&b.Run, s).Changed(); changed && st.Action != dayone.MessageSend {
		account := k
		if !k.IsAccount() {
			account = k.Account()
		}
		for _, o := range b.steps {
			if o.Key == account && (o.Action == dayone.AccountDelete || o.Action == dayone.AccountDisable) {
				b.told[st.ID] = true
				b.along = append(b.along, Along{Step: st, With: o.Action, Why: "it is part of its account, and goes with it"})
				return
			}
		}
		switch {
		case !b.makes(account):
			b.find(Absent, k, "nothing of it is left to take back")
		case b.shut(account):
			b.find(Absent, k, "it is part of its account, which is closed")
		default:
			b.find(Stays, k, "it is part of its account, which stays")
		}
		return
	}
	switch {
	case s.State != dayone.StepDone:
		b.find(Stays, k, "the run never came to it, so there is nothing to take back")
	case st.Action == dayone.AccountConfirm, st.Action == dayone.EntitlementConfirm:
		b.find(Stays, k, "the run only looked at it")
	default:
		b.find(Absent, k, "nothing of it is left to take back")
	}
}

// shut says that nobody gets into an account any more.
func (b *back) shut(account dayone.Key) bool {
	h, there := b.have[account]
	return !there || h.State == dayone.Gone || h.State == b.Systems[account.System].As(dayone.Disabled)
}

func (b *back) find(kind string, k dayone.Key, format string, args ...any) {
	b.told[b.at] = true
	b.findings = append(b.findings, dayone.Finding{Kind: kind, Key: k, Text: fmt.Sprintf(format, args...)})
}

// stays leaves a step's work as it is. Policies go on with it: it is not the undo's any more.
func (b *back) stays(s *dayone.StepRun, format string, args ...any) {
	why := fmt.Sprintf(format, args...)
	b.kept[s.Step.Key] = why
	delete(b.covers, s.Step.Key)
	b.find(Stays, s.Step.Key, "%s", why)
}

// add takes a step back.
func (b *back) add(s *dayone.StepRun, inv dayone.Step) {
	inv.Undoes, inv.Critical, inv.Needs, inv.On = s.Step.ID, dayone.Continue, nil, nil
	inv.Undo = dayone.UndoNone + "it takes a step back"
	if !inv.Key.IsAccount() && inv.Account != (dayone.Value{}) {
		if h := b.have[inv.Key.Account()]; h.Ref != "" {
			inv.Account = dayone.Text(h.Ref)
		}
	}
	inv.ID = dayone.StepID(inv.Key.String() + " " + string(inv.Action) + " (undo)")
	if inv.Action.Gives() {
		inv.Once = Once(b.Run.Person, inv.Key, b.have[inv.Key].Generation)
	}
	b.covers[inv.Key], b.told[s.Step.ID] = true, true
	b.steps, b.undone = append(b.steps, inv), append(b.undone, s.Step)
}

func (b *back) step(s *dayone.StepRun) {
	k, st := s.Step.Key, s.Step
	b.at = st.ID
	changed := Done(&b.Run, s).Changed()
	switch {
	case st.Action == dayone.MessageSend:
		b.message(s)
		return
	case st.Action == dayone.AccountConfirm, st.Action == dayone.EntitlementConfirm:
		return // it only read
	case !changed && s.State == dayone.StepDone:
		b.find(Stays, k, "the run changed nothing of it: it was so already")
		return
	}
	b.covers[k] = true
	if !changed { // it never came to it, and is not to come to it now
		return
	}
	if why, no := strings.CutPrefix(string(st.Undo), string(dayone.UndoNone)); no {
		b.find(Stays, k, "%s", why)
		return
	}
	if h := b.have[k]; h.State != dayone.Gone && h.Ref != "" && slices.Contains(b.Systems[k.System].Protected, b.have[k.Account()].Ref) {
		b.stays(s, "its account is protected and never written")
		return
	}
	switch st.Action {
	case dayone.EntitlementAdd:
		b.added(s)
	case dayone.EntitlementRemove:
		b.removed(s)
	case dayone.AccountCreate:
		b.made(s)
	case dayone.AccountUpdate:
		b.updated(s)
	case dayone.AccountEnable, dayone.AccountDisable:
		b.switched(s)
	}
}

// message: what was read stays read, but a meeting can be cancelled as long as it has not begun.
func (b *back) message(s *dayone.StepRun) {
	h, there := b.have[s.Step.Key]
	if s.State != dayone.StepDone || !there || h.State == dayone.Gone {
		return
	}
	inv, why := Cancel(s.Step, h.Item, b.At)
	if why != "" {
		b.find(Stays, s.Step.Key, "%s", why)
		return
	}
	b.find(Instead, s.Step.Key, "a cancellation goes to %s", h.Attrs["to"])
	b.add(s, inv)
	delete(b.covers, s.Step.Key) // told once is not told again, hold or not
}

// Cancel is the step that calls a sent invitation off; or why there is none.
func Cancel(s dayone.Step, is dayone.Item, now time.Time) (dayone.Step, string) {
	start, err := time.Parse(time.RFC3339, is.Attrs.Text("start"))
	switch {
	case s.Key.Kind != "invitation":
		return dayone.Step{}, "a message that was read stays read"
	case err != nil:
		return dayone.Step{}, "when the meeting is was not kept, so it is not called off; do that by hand"
	case !start.After(now):
		return dayone.Step{}, "the meeting has begun, so it is not called off any more"
	}
	is.Key = s.Key
	return dayone.Step{
		ID: s.ID + " (undo)", Action: dayone.EntitlementRemove, Key: s.Key, Have: &is, Because: s.Because, Critical: dayone.Continue, Once: s.Once, Tier: s.Tier,
		Undo: dayone.UndoNone + "it takes a step back",
	}, ""
}

// otherwise is why what a step gave is justified without it: a reason that is none of the step's.
func (b *back) otherwise(s *dayone.StepRun) string {
	for _, r := range b.want[s.Step.Key].Because {
		if !slices.ContainsFunc(s.Step.Because, func(o dayone.Reason) bool { return o.Policy == r.Policy }) {
			return fmt.Sprintf("policy %s gives it now, for another reason than this run had", r)
		}
	}
	return ""
}

// since says what became of a holding after this run, and which run did that, if one did.
func (b *back) since(h dayone.Holding, alone, byRun string, args ...any) string {
	if h.Run == "" || h.Run == b.Run.ID {
		return fmt.Sprintf(alone, args...)
	}
	return fmt.Sprintf(byRun, append(args, h.Run)...)
}

// role says that a holding has another role than the run gave it.
func (b *back) role(h dayone.Holding, was string) string {
	switch {
	case was == "":
		return b.since(h, "its role was changed from none to %s since", "its role was changed from none to %s since, by run %s", h.Role)
	case h.Role == "":
		return b.since(h, "its role was changed from %s to none since", "its role was changed from %s to none since, by run %s", was)
	default:
		return b.since(h, "its role was changed from %s to %s since", "its role was changed from %s to %s since, by run %s", was, h.Role)
	}
}

// turned says that an account is in another state than the run left it in.
func (b *back) turned(h dayone.Holding) string {
	switch h.State {
	case dayone.Active:
		return b.since(h, "the account is active since", "the account is active since, by run %s")
	case dayone.Disabled:
		return b.since(h, "the account is disabled since", "the account is disabled since, by run %s")
	case dayone.Staged:
		return b.since(h, "the account is staged since", "the account is staged since, by run %s")
	default:
		return b.since(h, "the account is pending since", "the account is pending since, by run %s")
	}
}

func (b *back) added(s *dayone.StepRun) {
	h, there := b.have[s.Step.Key]
	now := s.Result.Now
	switch why := b.otherwise(s); {
	case !there || h.State == dayone.Gone:
		b.find(Absent, s.Step.Key, "it is not there any more")
		return
	case why != "":
		b.stays(s, "%s", why)
		return
	case now != nil && now.Ref != "" && h.Ref != "" && h.Ref != now.Ref:
		b.stays(s, "%s", b.since(h, "another one has taken its place since", "another one has taken its place since, by run %s"))
		return
	case now != nil && h.Role != now.Role:
		b.stays(s, "%s", b.role(h, now.Role))
		return
	}
	if s.Result.Before == nil && b.Systems[s.Step.Key.System].Kinds[s.Step.Key.Kind].Exclusive {
		b.goes[s.Step.Key] = true // it is part of its account
		switch account := s.Step.Key.Account(); {
		case b.makes(account):
		case b.shut(account):
			b.find(Absent, s.Step.Key, "it is part of its account, which is closed")
		default:
			b.stays(s, "it cannot be empty, and nothing stood there before")
		}
		return
	}
	inv, ok := Inverse(s.Step, s.Result, &h.Item)
	if !ok {
		b.find(Stays, s.Step.Key, "nothing is known of how it was before")
		return
	}
	b.goes[s.Step.Key] = true
	b.add(s, inv)
}

func (b *back) removed(s *dayone.StepRun) {
	k := s.Step.Key
	account, needs := b.have[k.Account()], s.Step.Account != (dayone.Value{})
	switch h, there := b.have[k]; {
	case there && h.State != dayone.Gone:
		b.stays(s, "%s", b.since(h, "it is there again since", "it is there again since, by run %s"))
	case needs && (account.Ref == "" || account.State == dayone.Gone):
		b.stays(s, "the account that it hung on was deleted since")
	default:
		was := Done(&b.Run, s)
		inv, ok := Inverse(s.Step, was, was.Before)
		if !ok {
			b.find(Stays, k, "nothing is known of how it was before")
			return
		}
		b.reborn(&inv)
		b.add(s, inv)
	}
}

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

// Backward gives steps that take others back the order that this needs: whatever used something goes back before it;
// what another system provisions goes after what makes that system take it back; an account is opened before anything is
// given back on it, is closed before anything on it goes, which waits for nobody, and is deleted when all of that has gone.
// undone are the steps that each of them takes back.
func Backward(backs, undone []dayone.Step) {
	for i := range backs {
		for j := range backs {
			if i == j {
				continue
			}
			if w, after := follows(backs[i], backs[j], undone[i], undone[j]); after {
				backs[i].Needs = append(backs[i].Needs, dayone.Need{Step: backs[j].ID, When: w})
			}
		}
	}
}

// follows says whether a, which takes back was, goes after b, which takes back used.
func follows(a, b, was, used dayone.Step) (dayone.When, bool) {
	on := func(x, account dayone.Step) bool {
		return account.Key.IsAccount() && !x.Key.IsAccount() && x.Key.Account() == account.Key
	}
	needs := func(x, y dayone.Step) bool { // as steps, x needed y
		return slices.ContainsFunc(x.Needs, func(n dayone.Need) bool { return n.Step == y.ID && n.When != dayone.Tried })
	}
	switch {
	case used.Action == dayone.MessageSend: // it told of everything, and needed nothing
		return "", false
	case on(a, b):
		return map[bool]dayone.When{true: dayone.Settled, false: dayone.Done}[b.Action != dayone.AccountEnable],
			b.Action == dayone.AccountEnable && a.Action.Gives() || b.Action == dayone.AccountDisable && a.Action.Takes()
	case on(b, a):
		return dayone.Settled, a.Action == dayone.AccountDelete && b.Action.Takes()
	case b.Key == was.Via:
		return dayone.Settled, true
	case a.Key == used.Via, a.Action == dayone.AccountDisable:
		return "", false
	}
	return dayone.Settled, needs(used, was)
}

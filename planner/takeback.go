package planner

import (
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

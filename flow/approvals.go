package flow

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// A request for an approval belongs to a grant. A look at its person opens it, carries its answer to the run that waits
// for it, and withdraws it when nobody wants the grant any more; the clock sees to it that somebody hears of it (hear.go).
// Whatever is cut short is made good by the next look.

// ApprovalFilter narrows a list of requests.
type ApprovalFilter = store.ApprovalFilter

// Asking says how approvals and tasks are gone after.
type Asking struct {
	Groups        map[string][]string // mail addresses of group:NAME, beside those who hold a group of that name
	Fallback      []string            // mail addresses and group:NAME: for when nobody else can decide
	RemindAfter   int                 // working days; zero: 1
	EscalateAfter int                 // working days; zero: 3
	Tasks         string              // who gets tasks that nobody has: a mail address or group:NAME; "": nobody
	Owners        map[string]string   // who gets those of a system, before Tasks
}

// answers are the requests of one person whose grants are still wanted.
type answers []dayone.Petition

func requestOnce(person dayone.PersonID, k dayone.Key, role string) string {
	sum := sha256.Sum256([]byte("approval\x00" + string(person) + "\x00" + k.String() + "\x00" + role))
	return hex.EncodeToString(sum[:16])
}

func (as answers) of(person dayone.PersonID, k dayone.Key, role string) *dayone.Petition {
	once := requestOnce(person, k, role)
	if i := slices.IndexFunc(as, func(r dayone.Petition) bool { return r.Once == once }); i >= 0 {
		return &as[i]
	}
	return nil
}

// agreed says what a person has without being asked for again: what was approved, and what policies gave her before it
// had to be. Approvals are about giving, never about what is there. What was given for a request that has ended, or by policies
// that have stopped giving it, is there only until it is taken back: who is to have it again is asked for anew.
func agreed(p dayone.PersonID, set *policy.Set, held map[dayone.Key]dayone.Holding, asked map[dayone.Key][]dayone.Request, as answers) func(dayone.Key, string) bool {
	return func(k dayone.Key, role string) bool {
		if r := as.of(p, k, role); r != nil && r.State == dayone.ApprovalGiven {
			return true
		}
		h, ok := held[k]
		if !ok || h.State == dayone.Disabled || !h.Lost.IsZero() || !slices.ContainsFunc(h.Because, func(r dayone.Reason) bool { return r.Policy != dayone.Baseline }) {
			return false
		}
		if rs := asked[k]; len(rs) > 0 && !slices.ContainsFunc(rs, func(r dayone.Request) bool { return !r.Made.After(h.Since) }) {
			return false
		}
		roles := set.Systems[k.System].Kinds[k.Kind].Roles
		return h.Role == role || slices.Index(roles, h.Role) > slices.Index(roles, role)
	}
}

// agreedTo adds to an explanation who agreed, where somebody had to.
func (as answers) agreedTo(p dayone.PersonID, x policy.Explanation) policy.Explanation {
	if x.Grant == nil || x.Answer == "offered" {
		return x
	}
	if r := as.of(p, x.Key, x.Grant.Role); r != nil && r.State == dayone.ApprovalGiven {
		for _, v := range r.Votes {
			if v.Yes {
				x.Votes = append(x.Votes, v)
			}
		}
	}
	return x
}

// spent says that what waits for an approval is still there from an earlier one, which gives it no more: also while its loss is put off.
func spent(g dayone.Grant, h dayone.Holding) bool {
	given := slices.ContainsFunc(h.Because, func(r dayone.Reason) bool { return r.Policy != dayone.Baseline })
	return h.State == dayone.Active && h.Role == g.Role && given
}

// refusal says why a grant is not asked for again; "": it may be.
func refusal(r *dayone.Petition) string {
	if r == nil {
		return ""
	}
	switch r.State {
	case dayone.ApprovalRefused:
		v := r.Votes[len(r.Votes)-1]
		return fmt.Sprintf("refused by %s: %s; it is not asked for again unless somebody asks anew", v.Of, v.Reason)
	case dayone.ApprovalExpired:
		return "nobody answered in time, which is no; it is not asked for again unless somebody asks anew"
	}
	return ""
}

// wants says whether the grant of a request is still wanted, as far as anybody can tell.
func (l Look) wants(r dayone.Petition) bool {
	if l.Person.Status == dayone.OnLeave || slices.Contains(l.Want.Keep, r.Key) {
		return true // nothing is given or taken
	}
	for _, gs := range [][]dayone.Grant{l.Want.Grants, l.Want.Pending} {
		if slices.ContainsFunc(gs, func(g dayone.Grant) bool { return g.Key == r.Key && g.Role == r.Role }) {
			return true
		}
	}
	return false
}

// otherwise says why an open approval is asked for anew: policies ask others than they did, or nobody. "": it stands.
func (l Look) otherwise(r dayone.Petition) string {
	for _, s := range l.Plan.Steps {
		switch {
		case s.Key != r.Key || s.Want == nil || s.Want.Role != r.Role || s.Undoes != "":
		case s.Approval == nil:
			return "policies ask nobody any more"
		case s.Approval.Need != r.Rule.Need || s.Approval.Within != r.Rule.Within || !slices.Equal(s.Approval.By, r.Rule.By):
			return "policies have changed who decides; it is asked for anew"
		}
	}
	return ""
}

// idle says why nobody has to answer about a thing though policies want it; "": somebody does. What is idle is withdrawn,
// so that nobody is reminded of what nothing would come of, and asked for again when the cause is over.
func (f *Flow) idle(ctx context.Context, l Look, event dayone.EventID) (func(dayone.Key) string, error) {
	cancelled := ""
	kept, err := f.kept(ctx, l, event)
	if err != nil {
		return nil, err
	}
	if kept {
		last, err := f.Store.Runs(ctx, store.RunFilter{Person: l.Person.ID, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(last) > 0 && last[0].State == dayone.RunCancelled {
			cancelled = "its run was cancelled; when that is resumed, or HR says something new, it is asked for again"
		}
	}
	return func(k dayone.Key) string { return cmp.Or(l.heldBack(k), cancelled) }, nil
}

// heldBack says which hold leaves a thing alone; "": none. A brake's keeps what would go, and nobody from being asked for it.
func (l Look) heldBack(k dayone.Key) string {
	holds := slices.DeleteFunc(slices.Clone(l.Holds), func(h dayone.Hold) bool { return h.Brake != "" })
	if h, held := holdOf(holds, k, l.Person.Status); held {
		return fmt.Sprintf("a hold of %s leaves it alone; when that ends, it is asked for again", cmp.Or(h.By, "somebody"))
	}
	return ""
}

// stands says that nothing becomes of an approval by itself. why is why nobody has to answer it; "": somebody does.
func (l Look) stands(r dayone.Petition, why string) bool {
	expired := r.State == dayone.ApprovalOpen && !l.Person.At.Before(r.Due)
	return l.wants(r) && !expired && why == "" && len(asksOf(l.asked[r.Key], r)) == 0 && r.State == r.Noted
}

// consider brings the approvals of a person up to date with what she is to have.
func (f *Flow) consider(ctx context.Context, l *Look, event dayone.EventID) error {
	idle, err := f.idle(ctx, *l, event)
	if err != nil {
		return err
	}
	if err := f.reconsider(ctx, l, idle); err != nil {
		return err
	}
	return f.askFresh(ctx, l, idle)
}

// reconsider withdraws what nobody wants or waits for, and ends what nobody answered.
func (f *Flow) reconsider(ctx context.Context, l *Look, idle func(dayone.Key) string) error {
	now := l.Person.At
	for i := range l.answers {
		r := &l.answers[i]
		wanted, expired, why := l.wants(*r), r.State == dayone.ApprovalOpen && !now.Before(r.Due), ""
		if wanted && !expired && r.State == dayone.ApprovalOpen {
			why = cmp.Or(idle(r.Key), l.otherwise(*r))
		}
		if l.stands(*r, why) {
			continue
		}
		asks := asksOf(l.asked[r.Key], *r)
		change := func(r *dayone.Petition) error {
			r.Asks = append(r.Asks, asks...)
			switch {
			case !wanted, why != "":
				r.Ended, r.Next, r.Why = now, time.Time{}, why
				if r.State == dayone.ApprovalOpen {
					r.State, r.Decided = dayone.ApprovalWithdrawn, now
				}
			case r.State == dayone.ApprovalOpen && !now.Before(r.Due):
				r.State, r.Decided, r.Next = dayone.ApprovalExpired, now, time.Time{}
			}
			r.Noted = r.State
			return nil
		}
		after := *r
		after.Asks = slices.Clone(r.Asks)
		_ = change(&after)
		var records []dayone.Record
		if after.State != r.Noted {
			records = append(records, recordOf(after, now))
		}
		var err error
		if *r, err = f.Store.ChangeApproval(ctx, r.ID, time.Time{}, func(is *dayone.Petition) error {
			if is.State != after.State && is.State != dayone.ApprovalOpen { // answered in this very moment: the next look sees it
				return nil
			}
			return change(is)
		}, records...); err != nil {
			return err
		}
	}
	l.answers = slices.DeleteFunc(l.answers, func(r dayone.Petition) bool { return r.Why != "" && !r.Ended.IsZero() })
	return nil
}

// asksOf are the wishes behind an open approval that it does not know yet.
func asksOf(rs []dayone.Request, p dayone.Petition) (out []dayone.Ask) {
	if p.State != dayone.ApprovalOpen {
		return nil
	}
	for _, q := range rs {
		if !slices.ContainsFunc(p.Asks, func(a dayone.Ask) bool { return a.At.Equal(q.Made) && a.Of == q.By }) {
			out = append(out, dayone.Ask{Of: q.By, By: q.Login, Reason: q.Reason, At: q.Made})
		}
	}
	return out
}

// askFresh opens an approval for every step that waits for one, and for what is still there from an approval that is spent:
// if somebody agrees before it is taken back, it stays.
func (f *Flow) askFresh(ctx context.Context, l *Look, idle func(dayone.Key) string) error {
	now := l.Person.At
	var fresh []dayone.Petition
	var records []dayone.Record
	steps, held := slices.Clone(l.Plan.Steps), heldOf(l.Have)
	for _, g := range l.Want.Pending {
		if g.Approval != nil && spent(g, held[g.Key]) {
			steps = append(steps, dayone.Step{Key: g.Key, Want: &dayone.Item{Key: g.Key, Role: g.Role}, Approval: g.Approval, Because: g.Because})
		}
	}
	for _, s := range steps {
		if s.Approval == nil || l.answers.of(l.Person.ID, s.Key, s.Want.Role) != nil || idle(s.Key) != "" {
			continue
		}
		r := dayone.Petition{
			ID: dayone.ApprovalID(f.IDs.New("apr")), Person: l.Person.ID, Key: s.Key, Role: s.Want.Role, Once: requestOnce(l.Person.ID, s.Key, s.Want.Role),
			State: dayone.ApprovalOpen, Noted: dayone.ApprovalOpen, Rule: *s.Approval, Because: s.Because, Step: s.ID, Opened: now, Due: now.Add(cmp.Or(s.Approval.Within, dayone.Silence)), Next: now,
		}
		was, err := f.Store.WithdrawnApproval(ctx, r.Person, r.Once)
		if err != nil {
			return err
		}
		r.Asks, r.Anew = was.Asks, was.Anew // taken up again, it is still theirs
		r.Asks = append(r.Asks, asksOf(l.asked[r.Key], r)...)
		fresh, records = append(fresh, r), append(records, recordOf(r, now))
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := f.Store.AskApprovals(ctx, fresh, records...); err != nil {
		return err
	}
	l.answers = append(l.answers, fresh...)
	return nil
}

// recordOf is what the ledger keeps of a request. It names nobody but who was logged in.
func recordOf(r dayone.Petition, at time.Time) dayone.Record {
	rec := dayone.Record{At: at, Person: r.Person, Run: r.Run, Step: r.Step, System: r.Key.System, Because: r.Because, Detail: &dayone.Detail{}}
	switch r.State {
	case dayone.ApprovalOpen:
		rec.What = "approval asked"
	case dayone.ApprovalGiven:
		rec.What = "approval given"
	default:
		rec.What = "approval " + string(r.State)
	}
	var notes []string
	for _, v := range r.Votes {
		rec.By = v.By
		said := "refused"
		if v.Yes {
			said = "approved"
		}
		notes = append(notes, strings.TrimSuffix(fmt.Sprintf("%s by %s: %s", said, v.Who(), v.Reason), ": "))
	}
	if rec.Detail.Note = strings.Join(notes, "; "); rec.Detail.Note == "" {
		rec.Detail = nil
	}
	return rec
}

// tellRun carries what was decided to the run that waits for it, and says which run that is.
func (f *Flow) tellRun(ctx context.Context, run dayone.RunID, as answers) error {
	r, err := f.Engine.Snapshot(ctx, run)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, s := range r.Steps {
		if s.Step.Approval == nil || s.Agreed || s.State.Over() {
			continue
		}
		q := as.of(r.Person, s.Step.Key, s.Step.Want.Role)
		if q == nil {
			continue
		}
		if q.Run != run || q.Step != s.Step.ID {
			if *q, err = f.Store.ChangeApproval(ctx, q.ID, time.Time{}, func(q *dayone.Petition) error { q.Run, q.Step = run, s.Step.ID; return nil }); err != nil {
				return err
			}
		}
		h := engine.Human{Verb: engine.Refuse}
		if n := len(q.Votes); n > 0 {
			h.By, h.For, h.Reason = q.Votes[n-1].By, q.Votes[n-1].Of, q.Votes[n-1].Reason
		}
		switch q.State {
		case dayone.ApprovalGiven:
			h.Verb = engine.Approve
		case dayone.ApprovalRefused:
		case dayone.ApprovalExpired:
			h.For, h.Reason = "silence", "nobody answered in time"
		default:
			continue
		}
		if err := f.Engine.Decide(ctx, run, s.Step.ID, h); err != nil && !errors.Is(err, dayone.ErrConflict) && !errors.Is(err, dayone.ErrNotFound) {
			return err
		}
	}
	return nil
}

// unheard says whether somebody answered since a person was looked at. Where nothing is planned, nothing comes of an answer:
// looking for it again would never end.
func (f *Flow) unheard(ctx context.Context, l Look) (bool, error) {
	if len(l.answers) == 0 || !l.Person.Managed {
		return false, nil
	}
	now, err := f.Store.Approvals(ctx, store.ApprovalFilter{Person: l.Person.ID, Live: true})
	return slices.ContainsFunc(now, func(r dayone.Petition) bool { return r.State != r.Noted }), err
}

// Approvals lists approvals.
func (f *Flow) Approvals(ctx context.Context, q ApprovalFilter) ([]dayone.Petition, error) {
	q.Within = scopeOf(ctx)
	return f.Store.Approvals(ctx, q)
}

// CountApprovals counts what waits for an answer.
func (f *Flow) CountApprovals(ctx context.Context) (int, error) {
	return f.Store.CountApprovals(ctx, scopeOf(ctx))
}

// Approval is one request, with who may decide at this moment.
func (f *Flow) Approval(ctx context.Context, id dayone.ApprovalID) (dayone.Petition, error) {
	r, err := f.Store.Approval(ctx, id)
	if err != nil || r.State != dayone.ApprovalOpen {
		return r, err
	}
	r.Deciders, err = f.deciders(ctx, r, !r.Escalated.IsZero())
	return r, err
}

// unasked says that a step of a run that is over never came to be tried, since nobody had agreed to it, and that there is an
// answer now, or another question.
func (l Look) unasked(s dayone.StepRun, run dayone.RunID) bool {
	if s.Step.Approval == nil || s.Agreed {
		return false
	}
	r := l.answers.of(l.Person.ID, s.Step.Key, s.Step.Want.Role)
	return r != nil && (r.State == dayone.ApprovalGiven || r.Run != run)
}

// Package flow is the use-case layer: READ THIS FIRST. One file, one story: a source says something (Receive), it becomes
// a person's timeline (Process), policies say what she is to have (decide), the planner says what is missing (Preview),
// the engine brings it about (start), and at each instant at which that can change she is looked at again (Run).
//
// Web, command line and tests call flow and nothing below it; nobody else strings packages together. Flow must not talk
// to a vendor by itself, hold state that a restart would lose, or decide what policies and planner decide.
package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/message"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/planner"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
)

// Source is a configured source.
type Source struct {
	connector.Source
	// Since: people who started before are known, but nothing is planned for them until they are adopted.
	Since time.Time
}

// Deps are what flow joins.
type Deps struct {
	Store     *store.DB
	Engine    *engine.Driver
	Clock     engine.Clock
	IDs       *dayone.IDs
	Keeper    *secret.Keeper
	Sources   map[string]Source
	Systems   map[string]*connector.Guard
	Templates message.Templates
	Policy    *policy.Set
	Files     fs.FS  // the policy folder
	Base      string // the portal's address, without a slash at the end
	Company   string
	Mail      string // system that sends mail; "": none
	Calendar  string // system that sends invitations; "": none
	Log       *slog.Logger
	// OpensAt is the hour of the first day from which one-time links open, where the person works.
	OpensAt time.Duration
}

// Flow joins people, policy, planner, engine, ledger and messages.
type Flow struct {
	Deps
	set   atomic.Pointer[policy.Set]
	wake  chan struct{} // something is to be looked at
	locks sync.Map      // a mutex per person: two looks at one person never meet
}

// New joins them. It wires itself into the engine as the one who writes messages.
func New(d Deps) *Flow {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	f := &Flow{Deps: d, wake: make(chan struct{}, 1)}
	f.set.Store(d.Policy)
	d.Engine.Compose = f
	d.Engine.Target = func(system string) (engine.Target, bool) {
		g, ok := d.Systems[system]
		return g, ok
	}
	return f
}

// Active is the policy set that events are evaluated against.
func (f *Flow) Active() *policy.Set { return f.set.Load() }

// ---- 1. receive: durable before it is answered ----

// MaxBody is the most that a source may say at once.
const MaxBody = 1 << 20

// Receipt is what a source is told.
type Receipt struct {
	ID    dayone.EventID    `json:"id"`
	State dayone.EventState `json:"state"`
	Note  string            `json:"note,omitempty"`
	Again bool              `json:"again,omitempty"` // said before: nothing changes
}

// Receive takes a webhook: signature first, then the body is stored, then it may be answered. What cannot be read is
// quarantined, not refused: nothing is lost. ErrAuth: not signed by the source. ErrInvalid: no JSON.
func (f *Flow) Receive(ctx context.Context, source string, header http.Header, body []byte) ([]Receipt, error) {
	src, ok := f.Sources[source]
	if !ok {
		return nil, fmt.Errorf("there is no source %q: %w", source, dayone.ErrNotFound)
	}
	if len(body) > MaxBody {
		return nil, fmt.Errorf("the body has more than %d bytes: %w", MaxBody, dayone.ErrInvalid)
	}
	now := f.Clock.Now()
	if err := src.Verify(header, body, now); err != nil {
		return nil, err
	}
	events, err := src.Parse(body)
	if err != nil && len(events) == 0 {
		return nil, err
	}
	out := make([]Receipt, 0, len(events))
	for _, ev := range events {
		ev.ID, ev.Source, ev.Received = dayone.EventID(f.IDs.New("evt")), source, now
		why := err
		if ev.Type != "" {
			why = nil // another event of this body is the bad one
		}
		in, again, err := f.accept(ctx, ev, body, why)
		if err != nil {
			return nil, err
		}
		r := Receipt{ID: in.ID, State: in.State, Note: in.Note, Again: again}
		if again {
			r.Note = "this was said before; nothing changes"
		}
		out = append(out, r)
	}
	f.look()
	return out, nil
}

// accept stores one event; one that the source could not make sense of goes into quarantine with the reason.
func (f *Flow) accept(ctx context.Context, ev dayone.Event, body []byte, why error) (dayone.Intake, bool, error) {
	switch {
	case why != nil:
		in, err := f.Store.Quarantine(ctx, ev, body, why.Error())
		return in, false, err
	case strings.TrimSpace(ev.Subject) == "":
		in, err := f.Store.Quarantine(ctx, ev, body, "it names no employment: the employee id is missing")
		return in, false, err
	}
	return f.Store.Accept(ctx, ev, body)
}

func (f *Flow) look() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// ---- 2. process: an event becomes timeline ----

// Run looks at what was received and at who is due, until ctx ends.
func (f *Flow) Run(ctx context.Context) error {
	runs := f.Engine.Watch("")
	defer runs.Stop()
	for {
		retry, err := f.round(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			f.Log.Error("looking at people", "error", err)
			retry = f.Clock.Now().Add(5 * time.Second)
		}
		next, err := f.Store.NextWake(ctx)
		if err != nil && ctx.Err() == nil {
			f.Log.Error("reading wake-ups", "error", err)
		}
		if next.IsZero() || !retry.IsZero() && retry.Before(next) {
			next = retry
		}
		var woken <-chan struct{}
		off := func() {}
		if !next.IsZero() {
			woken, off = f.Clock.After(next)
		}
	waiting:
		for {
			select {
			case <-ctx.Done():
				off()
				return nil
			case <-f.wake:
				break waiting
			case <-woken:
				break waiting
			case <-runs.Ready():
				over := false
				for _, u := range runs.Take() {
					if u.State.Over() {
						f.ended(ctx, u.Run)
						over = true
					}
				}
				if over {
					break waiting
				}
			}
		}
		off()
	}
}

// retryEvent is when an event whose source did not answer is looked at again.
const retryEvent = 10 * time.Second

// round looks at everything that waits, once. retry is when to look again because a source did not answer.
func (f *Flow) round(ctx context.Context) (retry time.Time, err error) {
	for {
		events, err := f.Store.Events(ctx, store.EventFilter{State: dayone.EventReceived, Oldest: true, Limit: 200})
		if err != nil {
			return retry, err
		}
		stuck := 0
		for _, in := range events {
			if err := f.Process(ctx, in); err != nil {
				if ctx.Err() != nil {
					return retry, ctx.Err()
				}
				f.Log.Warn("an event waits", "event", in.ID, "error", err)
				if err := f.Store.EventTried(ctx, in.ID, err.Error()); err != nil {
					return retry, err
				}
				retry = f.Clock.Now().Add(retryEvent)
				stuck++
			}
		}
		if len(events) == stuck || len(events) < 200 {
			break
		}
	}
	for {
		due, err := f.Store.Due(ctx, f.Clock.Now(), 200)
		if err != nil || len(due) == 0 {
			return retry, err
		}
		for _, p := range due {
			if _, err := f.Replan(ctx, p, "", ""); err != nil {
				if ctx.Err() != nil {
					return retry, ctx.Err()
				}
				f.Log.Error("planning a person again", "person", p, "error", err)
				again := time.Minute
				if errors.Is(err, dayone.ErrInvalid) { // somebody has to change a policy or a setting first
					again = time.Hour
				}
				if err := f.Store.SetWake(ctx, p, f.Clock.Now().Add(again)); err != nil {
					return retry, err
				}
			}
		}
	}
}

// Process looks at one event: reads the record again where the source has one, extends the timeline, and plans. An
// error means that nothing was decided and the event is looked at again.
func (f *Flow) Process(ctx context.Context, in dayone.Intake) error {
	ev, err := f.reread(ctx, in)
	if errors.Is(err, dayone.ErrNotFound) || errors.Is(err, dayone.ErrInvalid) {
		return f.Store.MarkEvent(ctx, in.ID, dayone.EventQuarantined, err.Error())
	}
	if err != nil {
		return err
	}
	person, j, err := f.take(ctx, ev)
	if err != nil || j.State != dayone.EventApplied {
		return err
	}
	run, err := f.Replan(ctx, person, ev.ID, "")
	if err != nil {
		f.Log.Error("planning", "person", person, "event", ev.ID, "error", err)
		return f.Store.EventRun(ctx, ev.ID, "", "in the timeline, but no plan could be made: "+err.Error())
	}
	if run != "" {
		return f.Store.EventRun(ctx, ev.ID, run, strings.Join(j.Findings, "; "))
	}
	return nil
}

// reread fetches the record as it stands: the webhook only says "look again". Without an API the event's own fields
// count.
func (f *Flow) reread(ctx context.Context, in dayone.Intake) (dayone.Event, error) {
	src, ok := f.Sources[in.Source]
	if !ok {
		return in.Event, fmt.Errorf("source %q is no longer configured: %w", in.Source, dayone.ErrInvalid)
	}
	body, err := f.Store.Body(ctx, in.ID)
	if err != nil {
		return in.Event, err
	}
	events, err := src.Parse(body)
	if err != nil && len(events) == 0 {
		return in.Event, err
	}
	ev := in.Event
	for _, e := range events {
		if e.Subject == ev.Subject && e.SourceID == ev.SourceID {
			ev.Fields = e.Fields
		}
	}
	now, err := src.Read(ctx, ev.Subject)
	switch {
	case errors.Is(err, dayone.ErrUnsupported):
		return ev, nil
	case errors.Is(err, dayone.ErrNotFound):
		return ev, fmt.Errorf("%s sent an event about %q but does not know it: %w", in.Source, ev.Subject, dayone.ErrNotFound)
	case err != nil:
		return ev, err
	}
	merged := maps.Clone(ev.Fields)
	if merged == nil {
		merged = map[string]dayone.Value{}
	}
	maps.Copy(merged, now.Fields)
	ev.Fields = merged
	return ev, nil
}

// take extends the timeline of the person whose employment it is, making the person if there is none.
func (f *Flow) take(ctx context.Context, ev dayone.Event) (dayone.PersonID, people.Judgement, error) {
	id, known, err := f.Store.PersonOf(ctx, ev.Source, ev.Subject)
	if err != nil {
		return "", people.Judgement{}, err
	}
	if !known {
		id = dayone.PersonID(f.IDs.New("per"))
	}
	defer f.lock(id)()
	t := dayone.Timeline{Person: id}
	if known {
		if t, err = f.Store.Timeline(ctx, id); err != nil {
			return "", people.Judgement{}, err
		}
	}
	now := f.Clock.Now()
	set := f.Active()
	j := people.Judge(&t, ev, set, now, dayone.EngagementID(f.IDs.New("eng")))
	if j.State != dayone.EventApplied {
		if !known {
			id = ""
		}
		return id, j, f.Store.Save(ctx, store.Saved{Event: ev.ID, State: j.State, Note: j.Note, Person: id})
	}
	before := people.At(&t, now, now, set)
	t.Managed = j.Managed
	t.Facts = append(t.Facts, j.Facts...)
	if j.New != nil {
		t.Employments = append(t.Employments, *j.New)
	}
	p := people.At(&t, now, now, set)
	p = f.buddy(ctx, &t, p, &j)
	row := rowOf(p)
	row.Wake = now // should we fall between here and the plan, she is looked at when we are back
	if !p.Managed {
		row.Wake = people.Next(&t, now, set)
	}
	intent := people.Intent(before, p, !known)
	return id, j, f.Store.Save(ctx, store.Saved{
		Event: ev.ID, State: dayone.EventApplied, Note: strings.Join(append([]string{intent}, j.Findings...), "; "), Person: id, New: !known,
		Employment: j.New, Facts: j.Facts, Row: &row,
		Records: []dayone.Record{{At: now, Person: id, What: "event: " + string(ev.Type), System: ev.Source, Detail: &dayone.Detail{Note: intent}}},
	})
}

// rowOf is the person as lists show her.
func rowOf(p dayone.Person) store.Row {
	return store.Row{
		ID: p.ID, Managed: p.Managed, Name: p.Name(), Email: p.Attrs.Text("email"), Manager: p.Attrs.Text("manager"), Title: p.Attrs.Text("job_title"),
		Department: p.Attrs.Text("department"), Team: p.Attrs.Text("team"), Location: p.Attrs.Text("location"), Status: p.Status, Starts: p.Start, Ends: p.End,
		Buddy: p.Attrs.Text("buddy"),
	}
}

// buddy finds one for a new hire whose source names none: of the same team, active, not the manager, and of these the
// one who has had the fewest this quarter.
func (f *Flow) buddy(ctx context.Context, t *dayone.Timeline, p dayone.Person, j *people.Judgement) dayone.Person {
	if p.Status != dayone.PreHire || !p.Managed || p.Attrs.Text("buddy") != "" || p.Attrs.Text("team") == "" {
		return p
	}
	rows, err := f.Store.People(ctx, store.PeopleFilter{Team: p.Attrs.Text("team"), Status: dayone.Working, Limit: 200})
	if err != nil {
		f.Log.Warn("no buddy could be looked for", "person", p.ID, "error", err)
		return p
	}
	had, err := f.Store.Buddies(ctx, p.Start.AddDate(0, -3, 0))
	if err != nil {
		f.Log.Warn("no buddy could be looked for", "person", p.ID, "error", err)
		return p
	}
	rows = slices.DeleteFunc(rows, func(r store.Row) bool {
		return r.Email == "" || r.Email == strings.ToLower(p.Attrs.Text("manager")) || r.ID == p.ID
	})
	if len(rows) == 0 {
		return p
	}
	best := slices.MinFunc(rows, func(a, b store.Row) int {
		// the same job first, then the least burdened, then by name
		same := func(r store.Row) int {
			if r.Title == p.Attrs.Text("job_title") {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(same(a), same(b)), cmp.Compare(had[a.Email], had[b.Email]), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	for _, e := range p.Engagements {
		if e.Primary {
			fact := dayone.Fact{Engagement: e.ID, Attr: "buddy", Recorded: f.Clock.Now(), Value: dayone.Text(best.Email), Source: "dayone"}
			t.Facts, j.Facts = append(t.Facts, fact), append(j.Facts, fact)
		}
	}
	p.Attrs = p.Attrs.With(dayone.Attrs{"buddy": dayone.Text(best.Email)})
	return p
}

// ---- 3. decide and plan ----

// Look is a person as she stands now, with what she is to have, what she has, and the plan between the two.
type Look struct {
	Person dayone.Person
	Want   dayone.Want
	Have   []dayone.Holding
	Plan   dayone.Plan
}

// Preview decides and plans for a person, and does nothing.
func (f *Flow) Preview(ctx context.Context, id dayone.PersonID) (Look, error) {
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return Look{}, err
	}
	now := f.Clock.Now()
	p := people.At(&t, now, now, f.Active())
	have, err := f.Store.Holdings(ctx, id, true)
	if err != nil {
		return Look{}, err
	}
	l, err := f.decide(ctx, p, have)
	next := people.Next(&t, now, f.Active())
	if !next.IsZero() && (l.Want.Next.IsZero() || next.Before(l.Want.Next)) {
		l.Want.Next = next
	}
	return l, err
}

// decide is pure but for the catalogue: person and holdings in, want and plan out.
func (f *Flow) decide(ctx context.Context, p dayone.Person, have []dayone.Holding) (Look, error) {
	set := f.Active()
	held := map[dayone.Key]dayone.Holding{}
	for _, h := range have {
		if h.State != dayone.Gone {
			held[h.Key] = h
		}
	}
	l := Look{Person: p, Have: have}
	l.Want = set.Want(p, policy.Context{Now: p.At, Held: held})
	offers, err := f.Store.Catalogue(ctx, "")
	if err != nil {
		return l, err
	}
	l.Plan, err = planner.Make(planner.Input{
		Person: p.ID, At: p.At, Subject: subjectOf(p), Recorded: p.Recorded, Want: l.Want, Have: have, Systems: set.Systems, Offers: offers,
		Mapped:  func(g dayone.Grant) dayone.Grant { return set.Mapped(p, p.At, g) },
		Deliver: func(n dayone.Notice) []dayone.Notice { return f.deliver(p, n) },
	})
	for _, later := range l.Plan.Later {
		if l.Want.Next.IsZero() || later.From.Before(l.Want.Next) {
			l.Want.Next = later.From
		}
	}
	return l, err
}

// subjectOf is how systems may recognise a person.
func subjectOf(p dayone.Person) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"employee_number", "email"} {
		if v := p.Attrs.Text(name); v != "" {
			out[name] = v
		}
	}
	return out
}

// deliver says which system carries a notice to whom. Mail before the start goes to the personal address, after it to
// the work address.
func (f *Flow) deliver(p dayone.Person, n dayone.Notice) []dayone.Notice {
	var mail []string
	out := map[string]*dayone.Notice{}
	for _, to := range n.To {
		address := to
		switch to {
		case "new-hire", "person":
			address = p.Attrs.Text("email")
			if personal := p.Attrs.Text("personal_email"); p.Status == dayone.PreHire && personal != "" && n.Key.Kind != "invitation" {
				address = personal
			}
		case "manager":
			address = p.Attrs.Text("manager")
		case "buddy": // without one, the manager takes the first questions
			address = cmp.Or(p.Attrs.Text("buddy"), p.Attrs.Text("manager"))
		}
		switch key, err := dayone.ParseKey(address); {
		case address == "":
		case err == nil && !strings.Contains(address, "@"):
			one := n
			one.Key.System, one.Key.Name, one.To = key.System, n.Key.Name+"@"+key.Name, []string{key.Name}
			out[key.System+" "+key.Name] = &one
		default:
			if !slices.Contains(mail, address) {
				mail = append(mail, address)
			}
		}
	}
	if via := map[string]string{"message": f.Mail, "invitation": f.Calendar}[n.Key.Kind]; len(mail) > 0 && via != "" {
		one := n
		one.Key.System, one.To = via, mail
		out[via] = &one
	}
	var list []dayone.Notice
	for _, k := range slices.Sorted(maps.Keys(out)) {
		list = append(list, *out[k])
	}
	return list
}

// PreviewEvent says what an event would do if it came now, and does nothing: nothing is stored, nobody is called but the
// source, which is only read.
func (f *Flow) PreviewEvent(ctx context.Context, source string, body []byte) (Look, error) {
	src, ok := f.Sources[source]
	if !ok {
		return Look{}, fmt.Errorf("there is no source %q: %w", source, dayone.ErrNotFound)
	}
	events, err := src.Parse(body)
	if err == nil && len(events) == 0 {
		err = fmt.Errorf("there is no event in it: %w", dayone.ErrInvalid)
	}
	if err != nil {
		return Look{}, err
	}
	ev := events[0]
	ev.Source, ev.Received = source, f.Clock.Now()
	if now, err := src.Read(ctx, ev.Subject); err == nil {
		merged := maps.Clone(ev.Fields)
		maps.Copy(merged, now.Fields)
		ev.Fields = merged
	} else if !errors.Is(err, dayone.ErrUnsupported) {
		return Look{}, err
	}
	id, known, err := f.Store.PersonOf(ctx, source, ev.Subject)
	if err != nil {
		return Look{}, err
	}
	t := dayone.Timeline{Person: cmp.Or(id, "per_new")}
	var have []dayone.Holding
	if known {
		if t, err = f.Store.Timeline(ctx, id); err != nil {
			return Look{}, err
		}
		if have, err = f.Store.Holdings(ctx, id, true); err != nil {
			return Look{}, err
		}
	}
	j := people.Judge(&t, ev, f.Active(), ev.Received, "eng_new")
	if j.State == dayone.EventQuarantined {
		return Look{}, fmt.Errorf("this event would be quarantined: %s: %w", j.Note, dayone.ErrInvalid)
	}
	t.Managed = j.Managed
	t.Facts = append(t.Facts, j.Facts...)
	if j.New != nil {
		t.Employments = append(t.Employments, *j.New)
	}
	p := people.At(&t, ev.Received, ev.Received, f.Active())
	p = f.buddy(ctx, &t, p, &j)
	return f.decide(ctx, p, have)
}

// ---- 4. start ----

// Replan brings a person up to date: it plans, gives up a run that is no longer right, and starts one if anything is to
// be done. "" means that nothing is. title is what the run is called; "": what the plan looks like.
func (f *Flow) Replan(ctx context.Context, id dayone.PersonID, event dayone.EventID, title string) (dayone.RunID, error) {
	defer f.lock(id)()
	l, err := f.Preview(ctx, id)
	if err != nil {
		return "", err
	}
	if !l.Person.Managed {
		return "", f.keepRow(ctx, l)
	}
	active, err := f.Store.ActiveRun(ctx, id)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
	case err != nil:
		return "", err
	default:
		switch ok, err := f.carries(ctx, active, l.Plan); {
		case err != nil:
			return "", err
		case ok:
			return "", f.keepRow(ctx, l)
		}
		if err := f.supersede(ctx, active); err != nil {
			return "", err
		}
		if l, err = f.Preview(ctx, id); err != nil { // from what the calls under way have left
			return "", err
		}
	}
	if len(l.Plan.Steps) == 0 {
		return "", f.keepRow(ctx, l)
	}
	run := dayone.Run{
		ID: dayone.RunID(f.IDs.New("run")), Person: id, Event: event, Title: cmp.Or(title, titleOf(l)), Plan: l.Plan, Have: l.Have, Hash: l.Plan.Hash(),
	}
	f.Log.Info("run starts", "run", run.ID, "person", id, "steps", len(l.Plan.Steps))
	if err := f.Engine.Start(ctx, run); err != nil {
		return "", err
	}
	return run.ID, f.keepRow(ctx, l)
}

// keepRow keeps the person as lists show her and when she is to be looked at again: the last thing of a look, so that one
// that was cut short is made good.
func (f *Flow) keepRow(ctx context.Context, l Look) error {
	row := rowOf(l.Person)
	row.Wake = l.Want.Next
	return f.Store.SaveRow(ctx, row)
}

// carries says whether the run under way does already what the plan asks for: then it goes on undisturbed.
func (f *Flow) carries(ctx context.Context, active dayone.RunID, p dayone.Plan) (bool, error) {
	r, err := f.Engine.Snapshot(ctx, active)
	if errors.Is(err, dayone.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	open := map[string]dayone.StepRun{}
	for _, s := range r.Steps {
		if !s.State.Over() {
			open[s.Step.Once] = s
		}
	}
	for _, s := range p.Steps {
		o, ok := open[s.Once]
		if !ok {
			return false, nil
		}
		if s.Want != nil && (o.Step.Want == nil || o.Step.Want.State != s.Want.State || o.Step.Want.Role != s.Want.Role) {
			return false, nil
		}
		if s.Want == nil && o.Step.Want != nil {
			return false, nil
		}
	}
	return true, nil
}

// supersede ends a run: nothing new starts, calls under way come back, waits are given up.
func (f *Flow) supersede(ctx context.Context, id dayone.RunID) error {
	moved := f.Engine.Watch(id)
	defer moved.Stop()
	err := f.Engine.Decide(ctx, id, "", engine.Human{Verb: engine.Supersede})
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for {
		if _, err := f.Engine.Snapshot(ctx, id); errors.Is(err, dayone.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		select {
		case <-moved.Ready():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func titleOf(l Look) string {
	name := l.Person.Name()
	creates, opens, others := 0, 0, 0
	for _, s := range l.Plan.Steps {
		switch s.Action {
		case dayone.AccountCreate:
			creates++
		case dayone.AccountEnable, dayone.AccountConfirm, dayone.EntitlementConfirm:
			opens++
		case dayone.MessageSend:
		default:
			others++
		}
	}
	switch {
	case l.Person.Status == dayone.Left:
		return "Offboard " + name
	case creates > 0 && !slices.ContainsFunc(l.Have, func(h dayone.Holding) bool { return h.State != dayone.Gone }):
		return "Onboard " + name
	case opens > 0 && creates+others == 0:
		return "Open the accounts of " + name
	default:
		return "Change the access of " + name
	}
}

// ended looks at a person again whose run is over: what it confirmed may ask for more, such as a delete after a disable.
func (f *Flow) ended(ctx context.Context, id dayone.RunID) {
	r, err := f.Store.Run(ctx, id)
	if err != nil || r.State != dayone.RunDone {
		return // an incomplete run waits for a human, or for the next event; a superseded one has a successor
	}
	l, err := f.Preview(ctx, r.Person)
	if err != nil {
		f.Log.Error("looking at a person after a run", "run", id, "error", err)
		return
	}
	for _, s := range l.Plan.Steps {
		if o := r.Step(s.ID); o != nil {
			f.Log.Warn("a step is done and still wanted", "run", id, "step", s.ID)
			return // it would go round in circles
		}
	}
	if len(l.Plan.Steps) > 0 {
		if _, err := f.Replan(ctx, r.Person, "", ""); err != nil {
			f.Log.Error("planning a person again", "person", r.Person, "error", err)
		}
		return
	}
	if err := f.Store.SetWake(ctx, r.Person, l.Want.Next); err != nil {
		f.Log.Error("storing a wake-up", "person", r.Person, "error", err)
	}
}

// Decide carries a human's decision about a step to its run.
func (f *Flow) Decide(ctx context.Context, run dayone.RunID, step dayone.StepID, h engine.Human) error {
	err := f.Engine.Decide(ctx, run, step, h)
	return err
}

// CompleteTask closes a task with what it asked for. who is the id of the task, or the Once of its step, which is what a
// reseller knows.
func (f *Flow) CompleteTask(ctx context.Context, who, by string, attrs dayone.Attrs) (dayone.Task, error) {
	t, err := f.Store.Task(ctx, who)
	if err != nil {
		return t, err
	}
	if !t.Closed.IsZero() {
		return t, fmt.Errorf("this task was closed by %s: %w", cmp.Or(t.By, "the run"), dayone.ErrConflict)
	}
	for name := range attrs {
		if !slices.Contains(t.Ask, name) && name != "ref" && name != "note" && t.System != by {
			return t, fmt.Errorf("this task does not ask for %q; it asks for %s: %w", name, strings.Join(t.Ask, ", "), dayone.ErrInvalid)
		}
	}
	return t, f.Engine.Decide(ctx, t.Run, t.Step, engine.Human{By: by, Verb: engine.Complete, Attrs: attrs, Reason: attrs.Text("note")})
}

// Callback takes what a system says by itself about a step that waits: an order that ships. ErrAuth: not signed by it.
func (f *Flow) Callback(ctx context.Context, system string, header http.Header, body []byte) error {
	g, ok := f.Systems[system]
	if !ok {
		return fmt.Errorf("there is no system %q: %w", system, dayone.ErrNotFound)
	}
	c, err := g.Callback(header, body)
	if err != nil {
		return err
	}
	if c.Attrs.Text("serial") == "" && c.Attrs.Text("ref") == "" {
		return nil // it is on its way to be known: the step goes on waiting
	}
	t, err := f.CompleteTask(ctx, c.Once, system, c.Attrs)
	if errors.Is(err, dayone.ErrConflict) && !t.Closed.IsZero() {
		return nil // said before
	}
	return err
}

// Import reads everybody a source knows. People who started before Source.Since are known from then on (as managers,
// buddies, reviewers), but nothing is planned for them.
func (f *Flow) Import(ctx context.Context, source string) (int, error) {
	src, ok := f.Sources[source]
	if !ok {
		return 0, fmt.Errorf("there is no source %q: %w", source, dayone.ErrNotFound)
	}
	n := 0
	for ev, err := range src.Everybody(ctx) {
		if errors.Is(err, dayone.ErrUnsupported) {
			return n, nil
		}
		if errors.Is(err, dayone.ErrInvalid) { // one record that cannot be read hides no other
			f.Log.Warn("a record cannot be imported", "source", source, "error", err)
			continue
		}
		if err != nil {
			return n, fmt.Errorf("reading everybody of %s: %w", source, err)
		}
		start, _ := ev.Fields["start_date"].Day()
		if t, err := time.Parse(time.DateOnly, ev.Fields["start_date"].Text); err == nil {
			start = t
		}
		if !src.Since.IsZero() && !start.Before(src.Since) {
			continue // a hire: its event brings it, with a run
		}
		ev.Source, ev.Type, ev.At, ev.Received = source, dayone.Imported, f.Clock.Now(), f.Clock.Now()
		if _, known, err := f.Store.PersonOf(ctx, source, ev.Subject); err != nil || known {
			if err != nil {
				return n, err
			}
			continue
		}
		_, j, err := f.take(ctx, ev)
		if err != nil {
			return n, err
		}
		if j.State == dayone.EventQuarantined {
			f.Log.Warn("a record cannot be imported", "source", source, "subject", ev.Subject, "why", j.Note)
			continue
		}
		n++
	}
	return n, nil
}

// PullCatalogues reads what every system offers. A system that cannot be read keeps its last catalogue.
func (f *Flow) PullCatalogues(ctx context.Context) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(f.Systems)) {
		var offers []dayone.Offer
		var failed error
		for o, err := range f.Systems[name].Catalogue(ctx) {
			if err != nil {
				failed = err
				break
			}
			offers = append(offers, o)
		}
		if failed != nil {
			errs = append(errs, fmt.Errorf("catalogue of %s: %w", name, failed))
			continue
		}
		if err := f.Store.SaveCatalogue(ctx, name, offers, f.Clock.Now()); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// lock holds a person; the result lets go.
func (f *Flow) lock(id dayone.PersonID) func() {
	m, _ := f.locks.LoadOrStore(id, &sync.Mutex{})
	mu := m.(*sync.Mutex)
	mu.Lock()
	return mu.Unlock
}

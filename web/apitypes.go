package web

import (
	"cmp"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

// The API's own words. They are written down in openapi.yaml and change only by addition; nouns may change freely.

type apiPersonRow struct {
	ID         dayone.PersonID `json:"id"`
	Name       string          `json:"name"`
	Email      string          `json:"email,omitempty"`
	Title      string          `json:"title,omitempty"`
	Department string          `json:"department,omitempty"`
	Team       string          `json:"team,omitempty"`
	Location   string          `json:"location,omitempty"`
	Manager    string          `json:"manager,omitempty"`
	Status     dayone.Status   `json:"status"`
	Managed    bool            `json:"managed"`
	Starts     *time.Time      `json:"starts,omitempty"`
	Ends       *time.Time      `json:"ends,omitempty"`
	FirstDay   string          `json:"first_day,omitempty"` // where the person works
	LastDay    string          `json:"last_day,omitempty"`  // there, too
	Problem    string          `json:"problem,omitempty"`   // why no plan can be made
}

type apiPerson struct {
	apiPersonRow
	Attributes  dayone.Attrs    `json:"attributes"`
	Unknown     []string        `json:"unknown"` // attributes whose last word was bad
	Engagements []apiEngagement `json:"engagements"`
	Stopped     bool            `json:"access_ended"` // at once, here
	Anew        *time.Time      `json:"hired_anew_after,omitempty"`
}

type apiEngagement struct {
	ID       dayone.EngagementID `json:"id"`
	Source   string              `json:"source"`
	SourceID string              `json:"source_id"`
	Type     string              `json:"type,omitempty"`
	Start    string              `json:"start,omitempty"`
	LastDay  string              `json:"last_day,omitempty"`
	Primary  bool                `json:"primary"`
}

type apiAccess struct {
	Key       dayone.Key   `json:"key"`
	System    string       `json:"system"`
	Role      string       `json:"role,omitempty"`
	State     string       `json:"state"`
	Note      string       `json:"note,omitempty"`
	Is        dayone.State `json:"is,omitempty"` // what is there, as it was last seen
	Implied   bool         `json:"implied"`
	Since     *time.Time   `json:"since,omitempty"`
	From      *time.Time   `json:"from,omitempty"`
	Until     *time.Time   `json:"until,omitempty"`
	Confirmed *time.Time   `json:"confirmed,omitempty"`
	Ref       string       `json:"ref,omitempty"`
	Run       dayone.RunID `json:"run,omitempty"`
	Reasons   []apiReason  `json:"reasons"`
}

type apiReason struct {
	Policy string `json:"policy"`
	Title  string `json:"title,omitempty"`
	At     string `json:"at,omitempty"`
	Commit string `json:"commit,omitempty"`
	Hash   string `json:"hash,omitempty"`
}

type apiExplanation struct {
	Key       dayone.Key       `json:"key"`
	Answer    string           `json:"answer"`
	There     bool             `json:"there"`   // it is there already
	Planned   bool             `json:"planned"` // false: policies say so, but nothing is planned for this person
	Role      string           `json:"role,omitempty"`
	From      *time.Time       `json:"from,omitempty"` // given later: when it begins
	Finding   string           `json:"finding,omitempty"`
	Missing   []string         `json:"missing,omitempty"` // attributes that nobody has said, and for which it waits
	Requested *apiAsked        `json:"requested,omitempty"`
	Agreed    []apiAgreed      `json:"agreed,omitempty"`     // who agreed, where somebody had to
	By        []apiAlong       `json:"brought_by,omitempty"` // brought along: by each of these
	Lines     []apiExplainLine `json:"lines"`
	Authority dayone.Authority `json:"authority"`
	Seen      string           `json:"seen_first,omitempty"` // nobody here gave it: a day
}

// apiAlong is an access that brings another one along, and why it is given itself.
type apiAlong struct {
	Key   dayone.Key       `json:"key"`
	Lines []apiExplainLine `json:"lines"`
	By    []apiAlong       `json:"brought_by,omitempty"`
}

type apiAsked struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
}

type apiAgreed struct {
	By      string    `json:"by"`
	Entered string    `json:"entered_by,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at"`
}

type apiExplainLine struct {
	Policy     string         `json:"policy"`
	Title      string         `json:"title,omitempty"`
	At         string         `json:"at"`
	Hash       string         `json:"hash,omitempty"`
	Does       string         `json:"does"`
	Role       string         `json:"role,omitempty"`
	Truth      string         `json:"truth"`
	Reason     string         `json:"reason,omitempty"`
	Missing    []string       `json:"missing,omitempty"`
	Conditions []apiCondition `json:"conditions"`
}

type apiCondition struct {
	Text  string    `json:"text"`
	Truth string    `json:"truth"`
	Reads []apiRead `json:"reads"`
}

type apiRead struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Known bool   `json:"known"`
	From  string `json:"from,omitempty"`
}

type apiRun struct {
	ID          dayone.RunID    `json:"id"`
	Person      dayone.PersonID `json:"person"`
	Event       dayone.EventID  `json:"event,omitempty"`
	Title       string          `json:"title"`
	State       dayone.RunState `json:"state"`
	Started     *time.Time      `json:"started,omitempty"`
	Ended       *time.Time      `json:"ended,omitempty"`
	Hash        string          `json:"hash"`
	ContinuedBy dayone.RunID    `json:"continued_by,omitempty"` // superseded: the run in which open steps went on
	Of          dayone.RunID    `json:"takes_back,omitempty"`
	Back        *apiTakenBack   `json:"taken_back,omitempty"`
	Predicted   *apiForecast    `json:"predicted,omitempty"`
	Steps       []apiStep       `json:"steps,omitempty"`
}

// apiTakenBack is how far later undos have taken a run back.
type apiTakenBack struct {
	By    dayone.RunID `json:"by"` // the undo that began last
	Whole bool         `json:"whole"`
	Under bool         `json:"under_way"`
}

// apiForecast is when a run will be over. Without a time nobody can know.
type apiForecast struct {
	At      *time.Time `json:"at,omitempty"`
	Early   *time.Time `json:"early,omitempty"`
	Late    *time.Time `json:"late,omitempty"`
	On      int        `json:"on,omitempty"` // number of the step on which it hangs
	Without []int      `json:"without"`      // numbers of steps whose wait is not counted
}

type apiStep struct {
	Number    int              `json:"number"`
	ID        dayone.StepID    `json:"id"`
	Key       dayone.Key       `json:"key"`
	System    string           `json:"system"`
	Action    dayone.Action    `json:"action"`
	Tier      dayone.Tier      `json:"tier,omitempty"`
	Grant     bool             `json:"grant"` // counts as a grant: not implied, no message, no way back
	Implied   bool             `json:"implied"`
	Once      string           `json:"once"`
	State     dayone.StepState `json:"state"`
	Changed   bool             `json:"changed"`
	Attempt   int              `json:"attempt"`
	Since     *time.Time       `json:"since,omitempty"`
	Ended     *time.Time       `json:"ended,omitempty"`
	Next      *time.Time       `json:"next,omitempty"`
	Wait      *apiWait         `json:"wait,omitempty"`
	Error     string           `json:"error,omitempty"`
	ErrorKind string           `json:"error_kind,omitempty"`
	Needs     []apiNeed        `json:"needs"`
	Because   []apiReason      `json:"because"`
	Undo      dayone.Undo      `json:"undo,omitempty"`
	UndoOf    dayone.StepID    `json:"undo_of,omitempty"`
	Ref       string           `json:"ref,omitempty"`
	Continued *apiContinued    `json:"continued,omitempty"`
	Unsent    *apiUnsent       `json:"unsent,omitempty"`
}

// apiContinued is where a step of a superseded run went on.
type apiContinued struct {
	Run    dayone.RunID     `json:"run"`
	Number int              `json:"number"`
	State  dayone.StepState `json:"state"`
}

type apiWait struct {
	Kind dayone.WaitKind `json:"kind"`
	Note string          `json:"note,omitempty"`
	Ask  []string        `json:"ask,omitempty"`
}

type apiNeed struct {
	Step dayone.StepID `json:"step"`
	When dayone.When   `json:"when"`
}

type apiTask struct {
	ID           dayone.TaskID   `json:"id"`
	Once         string          `json:"once"`
	Person       dayone.PersonID `json:"person"`
	Run          dayone.RunID    `json:"run"`
	Step         dayone.StepID   `json:"step"`
	System       string          `json:"system"`
	Title        string          `json:"title"`
	Note         string          `json:"note,omitempty"`
	Ask          []string        `json:"ask"`
	Instructions []string        `json:"instructions"` // what to do, line by line
	Opened       *time.Time      `json:"opened,omitempty"`
	Due          *time.Time      `json:"due,omitempty"`
	Closed       *time.Time      `json:"closed,omitempty"`
	By           string          `json:"by,omitempty"`
	Attrs        dayone.Attrs    `json:"attrs,omitempty"`
	Assignee     string          `json:"assignee,omitempty"`
	Proof        bool            `json:"proof"`
	Evidence     string          `json:"evidence,omitempty"`
	Reminded     *time.Time      `json:"reminded,omitempty"`
	Left         string          `json:"left,omitempty"`         // it was closed though nobody did it
	NobodyHears  string          `json:"nobody_hears,omitempty"` // to who gave it to somebody: why nobody will hear of it
}

type apiEvent struct {
	ID       dayone.EventID    `json:"id"`
	Source   string            `json:"source"`
	SourceID string            `json:"source_id,omitempty"`
	Type     dayone.EventType  `json:"type,omitempty"`
	Subject  string            `json:"subject,omitempty"`
	State    dayone.EventState `json:"state"`
	Note     string            `json:"note,omitempty"`
	At       *time.Time        `json:"at,omitempty"`
	Received *time.Time        `json:"received,omitempty"`
	Person   dayone.PersonID   `json:"person,omitempty"`
	Run      dayone.RunID      `json:"run,omitempty"`
}

type apiRecord struct {
	Seq     int64           `json:"seq"`
	At      *time.Time      `json:"at"`
	What    string          `json:"what"`
	Person  dayone.PersonID `json:"person,omitempty"`
	Run     dayone.RunID    `json:"run,omitempty"`
	Step    dayone.StepID   `json:"step,omitempty"`
	System  string          `json:"system,omitempty"`
	By      string          `json:"by,omitempty"`
	Because []apiReason     `json:"because"`
	Chain   string          `json:"chain"`
	Note    string          `json:"note,omitempty"`
	Before  *apiItem        `json:"before,omitempty"`
	Now     *apiItem        `json:"now,omitempty"`
	Erased  bool            `json:"erased,omitempty"`
}

type apiItem struct {
	Key   dayone.Key        `json:"key"`
	Ref   string            `json:"ref,omitempty"`
	State dayone.State      `json:"state,omitempty"`
	Role  string            `json:"role,omitempty"`
	Attrs map[string]string `json:"attrs,omitempty"`
}

func newAPIPersonRow(r flow.Row, zone *time.Location) apiPersonRow {
	return apiPersonRow{
		ID: r.ID, Name: r.Name, Email: r.Email, Title: r.Title, Department: r.Department, Team: r.Team, Location: r.Location, Manager: r.Manager,
		Status: r.Status, Managed: r.Managed, Starts: moment(r.Starts), Ends: moment(r.Ends), Problem: r.Problem,
		FirstDay: dayIn(r.Starts, zone), LastDay: dayIn(r.LastDay(), zone),
	}
}

func newAPIPerson(r flow.Row, zone *time.Location, p dayone.Person) apiPerson {
	out := apiPerson{apiPersonRow: newAPIPersonRow(r, zone), Attributes: p.Attrs, Unknown: p.Unknown, Stopped: p.Stopped, Anew: moment(p.Anew), Engagements: []apiEngagement{}}
	if out.Attributes == nil {
		out.Attributes = dayone.Attrs{}
	}
	if out.Unknown == nil {
		out.Unknown = []string{}
	}
	for _, e := range p.Engagements {
		out.Engagements = append(out.Engagements, apiEngagement{e.ID, e.Source, e.SourceID, e.Type, e.Start, e.LastDay, e.Primary})
	}
	return out
}

func newAPIReasons(rs []dayone.Reason) []apiReason {
	out := make([]apiReason, 0, len(rs))
	for _, r := range rs {
		out = append(out, apiReason{Policy: r.Policy, At: r.At, Commit: r.Commit, Hash: r.Hash})
	}
	return out
}

func newAPIAccess(a flow.Access) apiAccess {
	out := apiAccess{
		Key: a.Key, System: a.Title, Role: a.Role, State: string(a.State), Note: a.Note, Implied: a.Implied, Since: moment(a.Since), From: moment(a.From), Until: moment(a.Until),
		Reasons: []apiReason{},
	}
	if h := a.Holding; h != nil {
		out.Is, out.Confirmed, out.Ref, out.Run = h.State, moment(h.Confirmed), h.Ref, h.Run
	}
	for _, r := range a.Reasons {
		out.Reasons = append(out.Reasons, apiReason{Policy: r.Policy, Title: r.Title, At: r.At, Commit: r.Commit, Hash: r.Hash})
	}
	return out
}

func newAPIExplanation(x policy.Explanation, planned bool) apiExplanation {
	out := apiExplanation{Key: x.Key, Answer: x.Answer, There: x.There, Planned: planned, Missing: x.Missing(), Finding: x.Finding, By: newAPIAlong(x.By), Lines: newAPIExplainLines(x.Lines)}
	if out.Authority = cmp.Or(x.Authority, dayone.Additive); !x.Seen.IsZero() {
		out.Seen = x.Seen.Format(time.DateOnly)
	}
	if x.Grant != nil {
		out.Role = x.Grant.Role
		if x.Answer == "later" {
			out.From = moment(x.Grant.From)
		}
	}
	for _, v := range x.Votes {
		one := apiAgreed{By: cmp.Or(v.Of, v.By), Reason: v.Reason, At: v.At}
		if v.Who() != one.By {
			one.Entered = v.By
		}
		out.Agreed = append(out.Agreed, one)
	}
	if x.Asked != nil {
		out.Requested = &apiAsked{x.Asked.By, x.Asked.Reason}
	}
	return out
}

func newAPIAlong(by []policy.Along) (out []apiAlong) {
	for _, a := range by {
		out = append(out, apiAlong{Key: a.Key, Lines: newAPIExplainLines(a.Lines), By: newAPIAlong(a.By)})
	}
	return out
}

func newAPIExplainLines(lines []policy.Line) []apiExplainLine {
	out := []apiExplainLine{}
	for _, l := range lines {
		line := apiExplainLine{Policy: l.Policy, Title: l.Title, At: l.At, Hash: l.Hash, Does: l.Does, Role: l.Role, Truth: l.Truth, Reason: l.Reason, Missing: l.Missing, Conditions: []apiCondition{}}
		for _, c := range l.Conditions {
			cond := apiCondition{Text: c.Text, Truth: c.Truth, Reads: []apiRead{}}
			for _, r := range c.Reads {
				cond.Reads = append(cond.Reads, apiRead(r))
			}
			line.Conditions = append(line.Conditions, cond)
		}
		out = append(out, line)
	}
	return out
}

func newAPIRun(r dayone.Run, gone map[dayone.RunID]flow.TakenBack) apiRun {
	out := apiRun{ID: r.ID, Person: r.Person, Event: r.Event, Title: r.Title, State: r.State, Started: moment(r.Started), Ended: moment(r.Ended), Hash: r.Hash, Of: r.Of}
	if back, is := gone[r.ID]; is {
		out.Back = &apiTakenBack{back.By, back.Whole, back.Under}
	}
	return out
}

func newAPIForecast(x engine.Forecast) *apiForecast {
	out := &apiForecast{At: moment(x.At), Early: moment(x.Early), Late: moment(x.Late), On: x.On, Without: x.Without}
	if out.Without == nil {
		out.Without = []int{}
	}
	return out
}

func newAPIStep(i int, s *dayone.StepRun) apiStep {
	out := apiStep{
		Number: i + 1, ID: s.Step.ID, Key: s.Step.Key, System: s.Step.Key.System, Action: s.Step.Action, Tier: s.Step.Tier, Implied: s.Step.Implied, Once: s.Step.Once,
		Grant: !s.Step.Implied && s.Of == "" && s.Step.Action != dayone.MessageSend,
		State: s.State, Changed: s.State == dayone.StepDone && s.Result.Changed(), Attempt: s.Attempt, Since: moment(s.Since), Ended: moment(s.Ended), Next: moment(s.Next),
		Error: s.Error, ErrorKind: s.Kind, Needs: []apiNeed{}, Because: newAPIReasons(s.Step.Because), Undo: s.Step.Undo, UndoOf: s.Of,
	}
	if s.Wait != nil {
		out.Wait = &apiWait{s.Wait.Kind, s.Wait.Note, s.Wait.Ask}
	}
	for _, n := range s.Step.Needs {
		when := n.When
		if when == dayone.Done {
			when = "done"
		}
		out.Needs = append(out.Needs, apiNeed{n.Step, when})
	}
	if s.Result.Now != nil {
		out.Ref = s.Result.Now.Ref
	}
	return out
}

func newAPITask(d todo) apiTask {
	t := d.task
	due, _ := d.due()
	out := apiTask{
		ID: t.ID, Once: t.Once, Person: t.Person, Run: t.Run, Step: t.Step, System: t.System, Title: d.title(), Note: t.Note, Ask: t.Ask,
		Instructions: d.instructions(), Opened: moment(t.Opened), Due: moment(due), Closed: moment(t.Closed), By: t.By, Attrs: t.Attrs,
		Assignee: t.Assignee, Proof: t.Proof, Evidence: t.Evidence, Reminded: moment(t.Reminded), Left: t.Left,
	}
	if out.Ask == nil {
		out.Ask = []string{}
	}
	if out.Instructions == nil {
		out.Instructions = []string{}
	}
	return out
}

func newAPIEvent(in dayone.Intake) apiEvent {
	return apiEvent{
		ID: in.ID, Source: in.Source, SourceID: in.SourceID, Type: in.Type, Subject: in.Subject, State: in.State, Note: in.Note,
		At: moment(in.At), Received: moment(in.Received), Person: in.Person, Run: in.Run,
	}
}

func newAPIRecord(l flow.Line, r dayone.Record) apiRecord {
	out := apiRecord{
		Seq: r.Seq, At: moment(r.At), What: r.What, Person: r.Person, Run: r.Run, Step: r.Step, System: r.System, By: r.By,
		Because: newAPIReasons(r.Because), Chain: l.Chain, Erased: l.Erased,
	}
	if d := r.Detail; d != nil {
		out.Note, out.Before, out.Now = d.Note, newAPIItem(d.Before), newAPIItem(d.Now)
	}
	return out
}

func newAPIItem(it *dayone.Item) *apiItem {
	if it == nil {
		return nil
	}
	out := &apiItem{Key: it.Key, Ref: it.Ref, State: it.State, Role: it.Role}
	for name, v := range it.Attrs {
		if out.Attrs == nil {
			out.Attrs = map[string]string{}
		}
		out.Attrs[name] = valueText(v)
	}
	return out
}

package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

type apiBrake struct {
	ID     dayone.BrakeID    `json:"id"`
	Scope  string            `json:"scope"`
	Rule   string            `json:"rule"`
	Title  string            `json:"title"`
	State  dayone.BrakeState `json:"state"`
	Note   string            `json:"note"`
	Held   int               `json:"held"`
	Opened *time.Time        `json:"opened"`
	Closed *time.Time        `json:"closed,omitempty"`
	By     string            `json:"by,omitempty"`
	Second string            `json:"second,omitempty"`
	Reason string            `json:"reason,omitempty"`

	ProposedBy     string     `json:"proposed_by,omitempty"`
	ProposedAt     *time.Time `json:"proposed_at,omitempty"`
	ProposedReason string     `json:"proposed_reason,omitempty"`
	ProposedStale  bool       `json:"proposed_stale,omitempty"`
}

func newAPIBrake(b dayone.Brake) apiBrake {
	out := apiBrake{ID: b.ID, Scope: b.Scope, Rule: b.Rule, Title: brakeTitle(b), State: b.State, Note: b.Note, Held: b.Held, Opened: moment(b.Opened), Closed: moment(b.Closed), By: b.By, Second: b.Second, Reason: b.Reason}
	if p := b.Proposed; p != nil {
		out.ProposedBy, out.ProposedAt, out.ProposedReason, out.ProposedStale = p.By, moment(p.At), p.Reason, p.Stale
	}
	return out
}

type apiHeld struct {
	Item    string            `json:"item"`
	Person  dayone.PersonID   `json:"person,omitempty"`
	Name    string            `json:"name"`
	Subject string            `json:"subject,omitempty"`
	What    string            `json:"what"`
	Changes []dayone.HeldLine `json:"changes"`
}

type apiBrakeDetail struct {
	apiBrake
	Hash     string    `json:"hash,omitempty"`
	Unseen   int       `json:"unseen"`
	TwoAgree bool      `json:"second_needed"`
	Items    []apiHeld `json:"items"`
	Next     string    `json:"items_next,omitempty"`

	List        *dayone.ListFigures `json:"list,omitempty"`
	Missing     []apiMissingFrom    `json:"missing"`
	MissingNext string              `json:"missing_next,omitempty"`
}

// apiMissingFrom is somebody whom a held list lacks.
type apiMissingFrom struct {
	Person   dayone.PersonID `json:"person"`
	Name     string          `json:"name"`
	Subjects []string        `json:"subjects"`
}

// apiMissingPage is a page of them.
type apiMissingPage struct {
	Items   []apiMissingFrom `json:"items"`
	Next    string           `json:"next,omitempty"`
	People  int              `json:"people"`
	Unnamed int              `json:"unnamed"`
}

func (p *portal) missingPage(r *http.Request, b flow.BrakeView) (apiMissingPage, error) {
	out, q, limit := apiMissingPage{Items: []apiMissingFrom{}}, r.URL.Query(), apiLimit(r)
	filter, err := missingFilter(q, limit)
	if err != nil {
		return out, err
	}
	m, err := p.flow.MissingFrom(r.Context(), b, filter)
	if err != nil {
		return out, err
	}
	out.People, out.Unnamed = m.People, m.Unnamed
	for _, row := range m.Rows {
		out.Items = append(out.Items, apiMissingFrom{row.ID, row.Name, row.Subjects})
	}
	if m.More {
		next := nextMissing(q, m)
		next.Set("limit", strconv.Itoa(limit))
		out.Next = address("/api/v1/brakes/"+string(b.ID)+"/missing", next)
	}
	return out, nil
}

func (p *portal) apiBrakeMissing(w http.ResponseWriter, r *http.Request) error {
	id, err := brakeID(r)
	if err != nil {
		return err
	}
	b, err := p.flow.Brake(r.Context(), id)
	if err != nil {
		return err
	}
	out, err := p.missingPage(r, b)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, out)
}

func newAPIBrakeDetail(b flow.BrakeView) apiBrakeDetail {
	out := apiBrakeDetail{apiBrake: newAPIBrake(b.Brake), Unseen: b.Unseen, TwoAgree: b.Second, Items: []apiHeld{}, List: b.List, Missing: []apiMissingFrom{}}
	if b.State == dayone.BrakeOn {
		out.Hash = b.Hash
	}
	for _, h := range b.Items {
		lines := h.Lines
		if lines == nil {
			lines = []dayone.HeldLine{}
		}
		out.Items = append(out.Items, apiHeld{h.Item, h.Person, h.Name, h.Subject, h.What, lines})
	}
	return out
}

func (p *portal) apiBrakes(w http.ResponseWriter, r *http.Request) error {
	on := true
	switch r.URL.Query().Get("state") {
	case "", "on":
	case "all":
		on = false
	default:
		return refuse(dayone.ErrInvalid, "state is on or all.")
	}
	q, limit := r.URL.Query(), apiLimit(r)
	from, err := decidedMarkOf(q)
	if err != nil {
		return err
	}
	list, err := p.flow.BrakesFrom(r.Context(), on, from, limit+1)
	if err != nil {
		return err
	}
	out := apiPage[apiBrake]{Items: []apiBrake{}}
	if len(list) > limit {
		list = list[:limit]
		last := list[limit-1]
		q.Set("after", decidedMark(last.State == dayone.BrakeOn, string(last.ID)))
		out.Next = address("/api/v1/brakes", q)
	}
	for _, b := range list {
		out.Items = append(out.Items, newAPIBrake(b))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiBrake(w http.ResponseWriter, r *http.Request) error {
	id, err := brakeID(r)
	if err != nil {
		return err
	}
	q, limit := r.URL.Query(), apiLimit(r)
	b, err := p.flow.BrakeFrom(r.Context(), id, q.Get(heldAfter), limit)
	if err != nil {
		return err
	}
	out := newAPIBrakeDetail(b)
	if b.Next != "" {
		q.Set(heldAfter, b.Next)
		out.Next = address("/api/v1/brakes/"+string(b.ID), q)
	}
	missing, err := p.missingPage(r, b)
	if err != nil {
		return err
	}
	out.Missing, out.MissingNext = missing.Items, missing.Next
	return answerJSON(w, http.StatusOK, out)
}

// worth puts an error that was written for whoever asked into the answer.
func worth(err error) error {
	if refused(err) {
		return said(err, sentence(flow.Problem(err))+".")
	}
	return err
}

func (p *portal) apiDecideBrake(w http.ResponseWriter, r *http.Request) error {
	id, err := brakeID(r)
	if err != nil {
		return err
	}
	var in struct {
		Hash   string `json:"hash"`
		By     string `json:"by"`
		Reason string `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	b, err := p.verdict(r, id, flow.BrakeDecision{Hash: in.Hash, By: in.By, Reason: in.Reason})
	if err != nil {
		return worth(err)
	}
	return answerJSON(w, http.StatusOK, newAPIBrake(b))
}

type apiAnnouncement struct {
	ID     string     `json:"id"`
	Source string     `json:"source"`
	Count  int        `json:"count"`
	Used   int        `json:"used"`
	From   *time.Time `json:"from"`
	Until  *time.Time `json:"until"`
	Reason string     `json:"reason"`
	By     string     `json:"by"`
	Second string     `json:"second,omitempty"`
	Made   *time.Time `json:"made"`
	Counts *time.Time `json:"counts,omitempty"`
	Waits  bool       `json:"waits"`
}

func (p *portal) newAPIAnnouncement(a dayone.Announcement) apiAnnouncement {
	out := apiAnnouncement{a.ID, a.Source, a.Count, a.Used, moment(a.From), moment(a.Until), a.Reason, a.By, a.Second, moment(a.Made), moment(a.Counts), p.flow.Waits(a)}
	if p.flow.TwoPersons && a.Second == "" { // no notice makes up for a second person
		out.Counts = nil
	}
	return out
}

func (p *portal) apiAnnouncements(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.Announced(r.Context())
	if err != nil {
		return err
	}
	out := apiPage[apiAnnouncement]{Items: []apiAnnouncement{}}
	for _, a := range list {
		out.Items = append(out.Items, p.newAPIAnnouncement(a))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiAnnounce(w http.ResponseWriter, r *http.Request) error {
	var in layOff
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	a, err := p.layOff(r, in)
	if err != nil {
		return worth(err)
	}
	return answerJSON(w, http.StatusCreated, p.newAPIAnnouncement(a))
}

func (p *portal) apiConfirmAnnouncement(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		By string `json:"by"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	a, err := p.flow.ConfirmAnnouncement(r.Context(), r.PathValue("id"), in.By)
	if err != nil {
		return worth(err)
	}
	return answerJSON(w, http.StatusOK, p.newAPIAnnouncement(a))
}

func (p *portal) apiEndAnnouncement(w http.ResponseWriter, r *http.Request) error {
	if err := p.flow.EndAnnouncement(r.Context(), r.PathValue("id"), me(r).Name); err != nil {
		return worth(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

type apiSource struct {
	Name    string         `json:"name"`
	Read    *time.Time     `json:"read,omitempty"`
	Records int            `json:"records"`
	Note    string         `json:"note,omitempty"`
	Brake   dayone.BrakeID `json:"brake,omitempty"`
	ReadAt  string         `json:"read_at,omitempty"`
	Limit   int            `json:"terminations_limit"`
	Passed  int            `json:"terminations_today"`
	Off     string         `json:"brakes_off,omitempty"`
}

func (p *portal) apiSources(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.SourceStates(r.Context())
	if err != nil {
		return err
	}
	out := apiPage[apiSource]{Items: []apiSource{}}
	for _, s := range list {
		out.Items = append(out.Items, apiSource{s.Source, moment(s.At), s.Records, s.Note, s.Brake, s.Reads, s.Limit, s.Passed, s.Off})
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiReadSource(w http.ResponseWriter, r *http.Request) error {
	out, err := p.flow.ReadSource(r.Context(), r.PathValue("source"), me(r).Name)
	if err != nil {
		return worth(err)
	}
	return answerJSON(w, http.StatusOK, out)
}

type apiAbsent struct {
	Source  string          `json:"source"`
	Subject string          `json:"subject"`
	Person  dayone.PersonID `json:"person"`
	Name    string          `json:"name"`
	Since   *time.Time      `json:"since"`
}

// mostMissing is how many people one answer names whom a list lacks.
const mostMissing = 10_000

func (p *portal) apiMissing(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.Absent(r.Context(), mostMissing)
	if err != nil {
		return err
	}
	out := apiPage[apiAbsent]{Items: []apiAbsent{}}
	for _, a := range list {
		out.Items = append(out.Items, apiAbsent{a.Source, a.Subject, a.Person, a.Name, moment(a.Since)})
	}
	return answerJSON(w, http.StatusOK, out)
}

// ---- samples ----

// sampleProposed is a brake of which somebody wants what it holds let through: as somebody else sees it, and who proposed it, and
// once something else is held.
func sampleProposed(view viewer) (confirm, mine, stale brakeView) {
	b := flow.BrakeView{
		Brake: dayone.Brake{
			ID: "brk_01jd9x0000000000000000000a", Scope: "source:hr", Rule: dayone.BrakeTerminations, State: dayone.BrakeOn, Note: sampleTerminations, Held: 25, Opened: view.now.Add(-6 * time.Hour),
			Proposed: &dayone.ProposedRelease{By: "kim@company.com", At: view.now.Add(-time.Hour), Reason: "the site in Bremen closes"},
		}, Hash: "0a1b2c3d4e5f6071", Second: true,
		Items: []flow.HeldView{{Held: dayone.Held{Person: samplePerson, Subject: "emp_789", Mark: "1", What: "planned termination", Lines: []dayone.HeldLine{{What: "last day", Is: "2024-12-31"}}}, Name: "Sarah Chen"}},
	}
	for n, who := range samplePeople(b.Held-1, view.now) {
		b.Items = append(b.Items, flow.HeldView{Held: dayone.Held{Person: who.ID, Subject: fmt.Sprintf("emp_%d", 400+n), Mark: "1", What: "planned termination", Lines: b.Items[0].Lines}, Name: who.Name})
	}
	confirm = newBrake(view, b)
	b.Mine = true
	mine = newBrake(view, b)
	was := *b.Proposed
	was.Stale = true
	b.Proposed, b.Mine = &was, false
	return confirm, mine, newBrake(view, b)
}

func sampleBrakes(view viewer) (brakesView, brakeView, brakeView) {
	now := view.now
	view.systems = func(name string) string { return map[string]string{"okta": "Okta", "gitlab": "GitLab"}[name] }
	on := dayone.Brake{ID: "brk_01jd9x0000000000000000000a", Scope: "source:hr", Rule: dayone.BrakeRead, State: dayone.BrakeOn, Note: "the list has 812 records, and had 1204; it changes the manager of 300 people, and 240 a day are the limit", Held: 300, Opened: now.Add(-6 * time.Hour)}
	accesses := on
	accesses.Held, accesses.Scope, accesses.Rule, accesses.Note = 25, "system:okta", dayone.BrakeRemovals, "more than 24 people would lose something there on 2024-11-22"
	accesses.Proposed = &dayone.ProposedRelease{By: "kim@company.com", At: now.Add(-time.Hour), Reason: "the team is dissolved"}
	stale := accesses
	was := *accesses.Proposed
	was.Stale = true
	stale.Scope, stale.Proposed = "system:gitlab", &was
	past := on
	past.Rule, past.Note, past.Held = dayone.BrakeTerminations, sampleTerminations, 25
	past.State, past.Closed, past.By, past.Second, past.Reason = dayone.BrakeReleased, now, "kim@company.com", "lee@company.com", "the site in Bremen closes"
	lay := func(by, second string, count int, counts time.Time, waits, mine bool) announcedLayOff {
		return announcedLayOff{Announcement: dayone.Announcement{
			ID: "ann_01jd9x0000000000000000000a", Source: "hr", Count: count, Used: 12 * btoi(!waits), From: now.Add(-48 * time.Hour), Until: now.Add(480 * time.Hour), By: by, Second: second, Counts: counts, Reason: "the site in Bremen closes",
		}, Waits: waits, Mine: mine}
	}
	list := newBrakes(view, []dayone.Brake{on, accesses, stale, past}, []flow.SourceState{
		{SourceRead: dayone.SourceRead{Source: "hr", At: now.Add(-6 * time.Hour), Note: "812 records read: 2 new, 300 changed, 395 missing; held: the list has 812 records, and had 1204", Brake: on.ID}, Reads: "06:00", Limit: 24, Passed: 24},
		{SourceRead: dayone.SourceRead{Source: "contractors"}, Limit: 5, Off: "a list that somebody keeps by hand"},
	}, []flow.AbsentView{{Absence: dayone.Absence{Source: "hr", Subject: "emp_655", Person: samplePerson, Since: now.Add(-48 * time.Hour)}, Name: "Nour الزهراني"}},
		[]announcedLayOff{
			lay("kim@company.com", "lee@company.com", 40, now, false, false),
			lay("kim@company.com", "", 25, time.Time{}, true, false),
			lay("lee@company.com", "", 8, now.Add(20*time.Hour), true, true),
			lay("kim@company.com", "", 15, now.Add(500*time.Hour), true, false),
		})
	list.Problem = notDone(view, fmt.Errorf("the window is longer than a year; name an earlier last day: %w", dayone.ErrInvalid))
	on.List = &dayone.ListFigures{Before: 1204, Records: 812, There: 809, New: 2, Unusable: 1, Known: 1218, Missing: 395, Aside: 14}
	held := []flow.HeldView{
		{Held: dayone.Held{Person: samplePerson, Subject: "emp_789", Mark: "1", What: "planned termination", Lines: []dayone.HeldLine{{What: "last day", Is: "2024-12-31"}, {What: "manager", Was: "john.doe@company.com", Is: "zoe.lukasiewicz@company.com"}}}, Name: "Sarah Chen"},
		{Held: dayone.Held{Subject: "emp_900", Mark: "1", What: "hire", Lines: []dayone.HeldLine{{What: "department", Is: "Sales"}}}, Name: "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine"},
		{Held: dayone.Held{Subject: "emp_901"}, Name: "emp_901"},
	}
	crowd := samplePeople(sampleCrowd, now)
	for n := 0; len(held) < pageSize; n++ {
		who := crowd[n%len(crowd)]
		held = append(held, flow.HeldView{Held: dayone.Held{Person: who.ID, Subject: fmt.Sprintf("emp_%d", 400+n), Mark: "1", What: "transfer: manager", Lines: []dayone.HeldLine{{What: "manager", Was: "john.doe@company.com", Is: "mia.wagner@company.com"}}}, Name: who.Name})
	}
	first := flow.BrakeView{Brake: on, Hash: "0a1b2c3d4e5f6071", Second: true, Unseen: 1, Items: held, Next: "evt_01jd9x0000000000000000000a"}
	open := newBrake(view, first)
	open.Held = heldPager(first, "")
	open.Missing = newMissing(view, flow.BrakeView{Brake: on}, url.Values{}, flow.MissingFrom{More: true, People: 391, Unnamed: 3, Rows: []flow.MissingRow{
		{Row: flow.Row{ID: samplePerson, Name: "Nour الزهراني", Title: "Sales Engineer", Department: "Sales"}, Subjects: []string{"emp_655"}},
		{Row: flow.Row{ID: samplePerson, Name: "Zoë Łukasiewicz-Ørsted", Department: "Engineering"}, Subjects: []string{"emp_311", "emp_702"}},
	}})
	return list, open, newBrake(view, flow.BrakeView{Brake: past})
}

package flow_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// brakedFor is the brake of a rule as HR sees it; nobody else finds it.
func (h *house) brakedFor(rule string) flow.BrakeView {
	h.t.Helper()
	if list, err := h.Brakes(ctx, false, 100); err != nil || len(list) > 0 {
		h.t.Errorf("everybody finds %+v (%v)", list, err)
	}
	list, err := h.Brakes(few, true, 100)
	if err != nil {
		h.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(b dayone.Brake) bool { return strings.HasPrefix(b.Rule, rule) })
	if i < 0 {
		h.t.Fatalf("no brake %s is on: %+v", rule, list)
	}
	is(h.t, errOf(h.Brake(ctx, list[i].ID)), dayone.ErrNotFound)
	is(h.t, errOf(h.ReleaseBrake(ctx, list[i].ID, flow.BrakeDecision{By: "kim", Reason: "x", Hash: "x"})), dayone.ErrNotFound)
	return until(h, "all of it was looked at", func() (flow.BrakeView, bool) {
		v, err := h.Brake(few, list[i].ID)
		return v, err == nil && v.Unseen == 0
	})
}

// unheard wants that nobody finds a word of an end.
func (h *house) unheard() {
	h.t.Helper()
	events, err := h.Events(ctx, flow.EventFilter{Limit: 200})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, in := range events {
		if in.State == dayone.EventHeld || in.Type == dayone.Terminated || strings.Contains(in.Note, "termination") {
			h.t.Errorf("everybody finds %+v", in)
		}
	}
	lines, err := h.Records(ctx, flow.RecordFilter{Limit: 500})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, l := range lines {
		if strings.Contains(l.What, "brake") || strings.Contains(l.What, "terminat") {
			h.t.Errorf("the ledger says %q", l.What)
		}
	}
	states, err := h.SourceStates(ctx)
	if err != nil || states[0].Passed > 0 || states[0].Brake != "" {
		h.t.Errorf("the source is %+v (%v)", states, err)
	}
}

func secretive(s *flow.Source) { s.Confidential = true }

func TestBrakesCountWhatIsConfidentialApart(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 9, secretive)
	for i := range 7 {
		want := dayone.EventApplied
		if i >= 5 {
			want = dayone.EventHeld
		}
		in := h.hears(h.hr.Put(employee(strconv.Itoa(i+1), "start_date", here, "end_date", "2024-12-31")))[0]
		got := until(h, "it is looked at", func() (dayone.Intake, bool) {
			e, err := h.Event(few, in.ID)
			return e, err == nil && e.State != dayone.EventReceived
		})
		same(t, fmt.Sprint("state of ", i+1), got.State, want)
	}
	v := h.brakedFor(dayone.BrakeTerminations)
	h.unheard()
	if len(v.Items) != 2 || v.Items[0].Lines[0] != (dayone.HeldLine{What: "last day", Is: "2024-12-31"}) {
		t.Fatalf("HR sees %+v", v.Items)
	}
	if _, err := h.ReleaseBrake(few, v.ID, flow.BrakeDecision{Reason: "they do leave", Hash: v.Hash}); err != nil {
		t.Fatal(err)
	}
	until(h, "all are to leave", func() (bool, bool) {
		list, err := h.Confidentials(few)
		return true, err == nil && len(list) == 7
	})
	h.unheard()
}

func TestABodyOfConfidentialEndsIsHeldInConfidence(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 9, secretive)
	body := []byte("[")
	for i := 1; i <= 6; i++ {
		body = append(append(body, h.hr.Put(employee(strconv.Itoa(i), "start_date", here, "end_date", "2024-12-31"))...), ',')
	}
	body[len(body)-1] = ']'
	for _, r := range h.hears(body) {
		same(t, "state", r.State, dayone.EventHeld)
	}
	v := h.brakedFor(dayone.BrakeBody)
	same(t, "held", len(v.Items), 6)
	same(t, "who is held", v.Items[0].Lines[0].Is, "2024-12-31")
	h.unheard()
	id := v.Items[0].Person
	if _, err := h.DiscardBrake(few, v.ID, flow.BrakeDecision{Reason: "HR was wrong"}); err != nil {
		t.Fatal(err)
	}
	if lines := h.whats(id); slices.ContainsFunc(lines, func(s string) bool { return strings.Contains(s, "brake") }) {
		t.Errorf("the ledger tells %q", lines)
	}
}

// What a list says in place of a lost webhook is as confidential.
func TestAListKeepsWhatIsConfidential(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 6} {
		h, _ := town(t, 9, secretive)
		for i := 1; i <= n; i++ {
			h.hr.Put(employee(strconv.Itoa(i), "start_date", here, "end_date", "2024-12-31")) // its webhook is lost
		}
		read, err := h.ReadSource(ctx, "hr", "kim")
		if err != nil || read.Changed > 0 || read.Ending > 0 || strings.Contains(read.Note, "held") {
			t.Errorf("%+v (%v)", read, err)
		}
		if n > 1 {
			v := h.brakedFor(dayone.BrakeRead)
			same(t, "held", len(v.Items), n)
			h.unheard()
			continue
		}
		until(h, "HR finds it", func() (bool, bool) {
			list, err := h.Confidentials(few)
			return true, err == nil && len(list) == 1
		})
		h.unheard()
		rows, _ := h.People(ctx, flow.PeopleFilter{Limit: 20})
		for _, r := range rows {
			if !r.Ends.IsZero() {
				t.Errorf("everybody sees %+v", r)
			}
		}
	}
}

func TestAnExportTellsOnlyWhatWhoeverAsksMayKnow(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, _ := h.hires(employee("1001", "start_date", here))
	in := h.confides(id, "2024-11-29")
	for _, c := range []struct {
		who   string
		knows bool
	}{{"an administrator", false}, {"HR", true}} {
		asked := ctx
		if c.knows {
			asked = few
		}
		e, err := h.ExportPerson(asked, id, c.who)
		if err != nil {
			t.Fatal(err)
		}
		said := slices.ContainsFunc(e.Said, func(x flow.ExportedEvent) bool { return x.ID == in.ID && len(x.Body) > 0 })
		if said != c.knows || e.Now.End.IsZero() == c.knows || e.Row.Ends.IsZero() == c.knows {
			t.Errorf("%s is told %+v", c.who, e)
		}
		bodies := slices.ContainsFunc(e.Said, func(x flow.ExportedEvent) bool { return len(x.Body) > 0 })
		ends := slices.ContainsFunc(e.Timeline.Facts, func(f dayone.Fact) bool { return f.Attr == "end_date" || f.Value.Text == "2024-11-29" })
		if bodies != c.knows || ends != c.knows {
			t.Errorf("%s: bodies %t, the end %t", c.who, bodies, ends)
		}
	}
}

// unannounced enters a hire of whom nobody may know.
func (h *house) unannounced() dayone.Intake {
	h.t.Helper()
	in, err := h.Enter(few, flow.Entry{Type: dayone.Hired, Subject: "ceo", By: "kim@company.com", Fields: map[string]string{
		"start_date": "2024-12-02", "first_name": "Ngozi", "last_name": "Eze", "email": "ngozi@company.com", "department": "Sales", "location": "Berlin",
		"employment_type": "FTE", "confidential": "true", "announced_on": "2024-11-25",
	}})
	if err != nil || in.State != dayone.EventApplied {
		h.t.Fatalf("the hire is %s: %s (%v)", in.State, in.Note, err)
	}
	return in
}

func TestOfAHiddenPersonNobodyIsToldByHerId(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id := h.unannounced().Person
	is(t, errOf(h.ExportPerson(ctx, id, "kim")), dayone.ErrNotFound)
	is(t, errOf(h.LegalHolds(ctx, id)), dayone.ErrNotFound)
	is(t, errOf(h.HoldLegally(ctx, id, "kim", "a case")), dayone.ErrNotFound)
	is(t, errOf(h.ReleaseLegally(ctx, id, "kim", "a case")), dayone.ErrNotFound)
	is(t, errOf(h.ErasePreview(ctx, id)), dayone.ErrNotFound)
	is(t, errOf(h.Terminate(ctx, id, "kim", "at once", "")), dayone.ErrNotFound)
	if e, err := h.ExportPerson(few, id, "kim"); err != nil || e.Now.Name() != "Ngozi Eze" {
		t.Errorf("HR exports %+v (%v)", e.Now, err)
	}
	if lines := h.whats(id); len(lines) > 0 {
		t.Errorf("the ledger tells %q", lines)
	}
}

func TestAHireIsTerminatedBeforeSheIsAnnounced(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id := h.unannounced().Person
	if _, err := h.TerminatePreview(few, id); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Terminate(few, id, "kim@company.com", "withdrew", ""); err != nil {
		t.Fatal(err)
	}
	p, err := h.PersonNow(few, id)
	if err != nil || p.Status != dayone.Left {
		t.Errorf("she is %s (%v)", p.Status, err)
	}
	h.clock.Jump(time.Date(2024, 12, 3, 12, 0, 0, 0, time.UTC))
	if _, err := h.Replan(ctx, id, "", ""); err != nil {
		t.Fatal(err)
	}
	for _, a := range h.okta.Accounts() {
		if a.Login == "ngozi@company.com" {
			t.Errorf("she has an account: %+v", a)
		}
	}
}

func TestTheSecondPersonIsSomebodyElse(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 3, nil)
	now := h.clock.Now()
	a := dayone.Announcement{Source: "hr", Count: 3, From: now, Until: now.Add(48 * time.Hour), Reason: "site closes", By: "kim", Second: "e2@company.com"}
	got, err := h.Announce(in("e1@company.com"), a)
	if err != nil || got.By != "kim (logged in as e1@company.com)" || got.Second != "" {
		t.Fatalf("%+v (%v)", got, err)
	}
	for _, typed := range []string{"lee", "Erin No 2", "nobody@company.com", "KIM", "e1@company.com", "E1@company.com", "e2@company.com", ""} { // what is typed proves nothing
		for _, login := range []string{"e1@company.com", "E1@company.com", "e1", ""} {
			is(t, errOf(h.ConfirmAnnouncement(in(login), got.ID, typed)), dayone.ErrForbidden)
		}
	}
	if got, err = h.ConfirmAnnouncement(in("e2@company.com"), got.ID, "lee"); err != nil || got.Second != "lee (logged in as e2@company.com)" {
		t.Errorf("%+v (%v)", got, err)
	}
	a.By = ""
	if got, err = h.Announce(in("e1@company.com"), a); err != nil || got.By != "e1@company.com" {
		t.Errorf("%+v (%v)", got, err)
	}
}

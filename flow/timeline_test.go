package flow_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/webhook"
	hrsim "github.com/dayone-hq/dayone/connector/webhook/sim"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/people"
)

// peopleSay puts other lines into people.yaml.
func (w *world) peopleSay(replace ...string) {
	files := w.files.(fstest.MapFS)
	raw := string(files["people.yaml"].Data)
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(raw, replace[i]) {
			w.t.Fatalf("people.yaml does not say %q", replace[i])
		}
		raw = strings.Replace(raw, replace[i], replace[i+1], 1)
	}
	files["people.yaml"] = &fstest.MapFile{Data: []byte(raw)}
}

func (h *house) attribute(p dayone.PersonID, name string) people.Attribute {
	h.t.Helper()
	k, err := h.History(ctx, p, flow.HistoryQuery{})
	if err != nil {
		h.t.Fatal(err)
	}
	i := slices.IndexFunc(k.Attributes, func(a people.Attribute) bool { return a.Name == name })
	if i < 0 {
		return people.Attribute{}
	}
	return k.Attributes[i]
}

func TestACorrectionMovesAccessAndItsEndMovesItBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	p, run := h.hires(employee("1", "start_date", here))
	in, err := h.Correct(ctx, p, flow.Correction{Values: map[string]string{"department": "sales"}, Until: "2024-12-10", By: "kim@company.com", Reason: "HR is on holiday"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "state", in.State, dayone.EventApplied)
	run = h.rests(p, run.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	a := h.attribute(p, "department")
	same(t, "from", a.From, people.ByCorrection)
	same(t, "by", a.Correction.By+": "+a.Correction.Reason, "kim@company.com: HR is on holiday")

	h.stop()
	h = w.open() // it outlives us
	same(t, "after a restart", h.attribute(p, "department").Value.Text, "Sales")
	h.clock.Jump(at(t, "2024-12-10T23:00:00Z")) // midnight in Berlin
	h.rests(p, run.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
	same(t, "what HR says counts again", h.attribute(p, "department").From, "hr")

	k, err := h.History(ctx, p, flow.HistoryQuery{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "newest", k.Changes[0].Intent, "corrected by hand: department")
	same(t, "who and why", k.Changes[0].By+": "+k.Changes[0].Reason, "kim@company.com: HR is on holiday")
	same(t, "its event", k.Changes[0].Event, in.ID)
	same(t, "its run", k.Changes[0].Run, run.ID)
	same(t, "first", k.Changes[len(k.Changes)-1].Intent, "late hire: the start was before we heard of it")
}

func TestACorrectionIsEndedByHandAndBadOnesAreRefused(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, run := h.hires(employee("1", "start_date", here))
	good := flow.Correction{Values: map[string]string{"department": "Sales"}, Until: "2024-12-31", By: "kim@company.com", Reason: "wrong"}
	for name, change := range map[string]func(*flow.Correction){
		"a value that is not allowed": func(c *flow.Correction) { c.Values = map[string]string{"department": "Nonsense"} },
		"no attribute":                func(c *flow.Correction) { c.Values = nil },
		"no reason":                   func(c *flow.Correction) { c.Reason = " " },
		"no end":                      func(c *flow.Correction) { c.Until = "" },
		"an end that is over":         func(c *flow.Correction) { c.Until = "2024-11-01" },
		"an end far off":              func(c *flow.Correction) { c.Until = "2034-11-01" },
		"a country that is none":      func(c *flow.Correction) { c.Values = map[string]string{"country": "ZZ"} },
		"her own manager":             func(c *flow.Correction) { c.Values = map[string]string{"manager": "E1@company.com"} },
		"her manager's address": func(c *flow.Correction) {
			c.Values = map[string]string{"manager": "n@company.com", "email": "n@company.com"}
		},
		"what follows from the rest": func(c *flow.Correction) { c.Values = map[string]string{"status": "active"} },
	} {
		c := good
		change(&c)
		if _, err := h.Correct(ctx, p, c); dayone.KindOf(err) != dayone.ErrInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	same(t, "what is so already", dayone.KindOf(second(h.Correct(ctx, p, flow.Correction{Values: map[string]string{"department": "Engineering"}, Until: good.Until, Reason: "x"}))), dayone.ErrConflict)
	if in, err := h.Events(ctx, flow.EventFilter{Source: dayone.Portal}); err != nil || len(in) > 0 {
		t.Errorf("refused ones were kept: %v, %v", in, err)
	}
	is(t, second(h.EndCorrection(ctx, p, "department", "kim@company.com", "")), dayone.ErrConflict)
	if _, err := h.Correct(ctx, p, good); err != nil {
		t.Fatal(err)
	}
	run = h.rests(p, run.ID)
	if _, err := h.EndCorrection(ctx, p, "department", "kim@company.com", "it was right"); err != nil {
		t.Fatal(err)
	}
	h.rests(p, run.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
}

func second[T any](_ T, err error) error { return err }

// The number is ours and goes back to HR, whose webhook then tells us of it: that is no news, however often it comes.
func TestWhatIsWrittenBackToHRStartsNoRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.peopleSay("{type: string, from: hr.mobile,", "{type: string, from: dayone.mobile,")
	h := w.open()
	door := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = h.Receive(r.Context(), "hr", r.Header, body)
		}
		if err != nil {
			t.Error(err)
			rw.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(door.Close)
	h.hr.Subscribe(door.Client(), door.URL)
	h.hr.Put(employee("1", "start_date", here))
	h.hr.Wait()
	var p dayone.PersonID
	until(h, "the hire", func() (bool, bool) {
		row, err := h.Named(ctx, "e1@company.com")
		p = row.ID
		return true, err == nil
	})
	run := h.rests(p, "")
	for range 3 {
		r := h.hr.Record("1")
		r["mobile"], r["email"] = "+49 30 1234", "E1@Company.com" // as the mail system spells it
		h.hr.Put(r)
		h.hr.Wait()
	}
	until(h, "all was looked at", func() (bool, bool) {
		list, err := h.Events(ctx, flow.EventFilter{Source: "hr"})
		if err != nil {
			t.Fatal(err)
		}
		return true, len(list) == 4 && !slices.ContainsFunc(list, func(in dayone.Intake) bool { return in.State == dayone.EventReceived })
	})
	list, err := h.Events(ctx, flow.EventFilter{Source: "hr"})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range list[:3] {
		same(t, "the echo", in.State, dayone.EventUnchanged)
	}
	runs, err := h.Runs(ctx, flow.RunFilter{Person: p})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "runs", len(runs), 1)
	same(t, "which", runs[0].ID, run.ID)
}

// directory is a second source, which gives attributes only.
func (w *world) directory() *hrsim.Sim {
	w.t.Helper()
	w.peopleSay("{type: string, from: hr.mobile,", "{type: string, from: [hr.mobile, directory.mobile],", "attributes:\n", "sources:\n  directory: {attributes: only}\nattributes:\n")
	d := hrsim.New(sim.Options{Now: w.clock.Now, Page: 50, Names: map[string][]string{}})
	srv := httptest.NewServer(d)
	w.t.Cleanup(srv.Close)
	w.joined = func(deps *flow.Deps) {
		g, err := connector.Open(webhook.Factory, "directory", w.clock.Now, connector.Options{Settings: d.Settings(srv.URL), Files: w.files})
		if err != nil {
			w.t.Fatal(err)
		}
		src, ok := g.Source()
		if !ok {
			w.t.Fatal("the directory is no source")
		}
		deps.Sources["directory"] = flow.Source{Source: src}
	}
	return d
}

func TestADirectoryGivesAttributesOfSomebodyAndNoEmployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.directory()
	h := w.open()
	p, _ := h.hires(employee("1", "start_date", here))
	body := d.Put(map[string]any{"employee_id": "a3f1", "mobile": "+49 30 77"})
	got, err := h.Receive(ctx, "directory", http.Header{"X-Signature": {hrsim.Sign(body)}}, body)
	if err != nil {
		t.Fatal(err)
	}
	in := h.judged(got[0].ID)
	same(t, "bound to nobody", in.State, dayone.EventQuarantined)
	if !strings.Contains(in.Note, "bind") {
		t.Errorf("it does not say what to do: %s", in.Note)
	}
	counts, err := h.CountPeople(ctx)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "nobody is made of it", counts[dayone.Working]+counts[dayone.PreHire], 1)

	is(t, h.Bind(ctx, p, "directory", "a3f1", "kim@company.com", ""), dayone.ErrInvalid)
	is(t, h.Bind(ctx, p, "nowhere", "a3f1", "kim@company.com", "same number"), dayone.ErrInvalid)
	if err := h.Bind(ctx, p, "directory", "a3f1", "kim@company.com", "same number"); err != nil {
		t.Fatal(err)
	}
	until(h, "what was held is heard", func() (bool, bool) { return true, h.attribute(p, "mobile").Value.Text == "+49 30 77" })
	same(t, "from", h.attribute(p, "mobile").From, "directory")
	other, _ := h.hires(employee("2", "start_date", here))
	is(t, h.Bind(ctx, other, "directory", "a3f1", "kim@company.com", "same number"), dayone.ErrConflict)
	x, err := h.Preview(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "engagements", len(x.Person.Engagements), 1)
}

func TestGardenLeaveClosesWhatAnotherLeaveLeavesOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.peopleSay("leave: disabled", "leave: enabled, garden-leave: disabled")
	h := w.open()
	p, run := h.hires(employee("1", "start_date", here))
	enter := func(typ dayone.EventType) {
		t.Helper()
		l, err := h.Preview(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Enter(ctx, flow.Entry{Type: typ, Subject: string(l.Person.Engagements[0].ID), By: "kim@company.com", Reason: "agreed"}); err != nil {
			t.Fatal(err)
		}
	}
	enter(dayone.LeaveStarted)
	h.becomes(p, dayone.OnLeave)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
	enter(dayone.GardenLeaveStarted)
	run = h.rests(p, run.ID)
	h.shows(h.okta, "e1@company.com", dayone.Disabled, "group:base-employee") // frozen, not taken
	enter(dayone.LeaveEnded)
	h.rests(p, run.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
}

package flow_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/sim"
	hrsim "github.com/dayone-hq/dayone/connector/webhook/sim"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

// says puts a record into HR and makes the webhook of that change an event of another type.
func (h *house) says(kind string, record map[string]any) []byte {
	h.t.Helper()
	body := h.hr.Put(record)
	for _, was := range []string{"hired", "updated", "terminated"} {
		body = bytes.Replace(body, []byte(`"event_type":"employee.`+was+`"`), []byte(`"event_type":"employee.`+kind+`"`), 1)
	}
	return body
}

// looked waits until an event was looked at, whatever becomes of its run.
func (h *house) looked(id dayone.EventID) dayone.Intake {
	h.t.Helper()
	return until(h, "event looked at", func() (dayone.Intake, bool) {
		in, err := h.Event(ctx, id)
		if err != nil {
			h.t.Fatal(err)
		}
		return in, in.State != dayone.EventReceived
	})
}

// becomes waits until a person is in a status.
func (h *house) becomes(p dayone.PersonID, status dayone.Status) flow.Row {
	h.t.Helper()
	return until(h, "status "+string(status), func() (flow.Row, bool) {
		row, err := h.Person(ctx, p)
		if err != nil {
			h.t.Fatal(err)
		}
		return row, row.Status == status
	})
}

// closed waits until okta shows somebody's account closed.
func (h *house) closed(login string) {
	h.t.Helper()
	until(h, "the account of "+login+" is closed", func() (bool, bool) {
		a, ok := account(h.okta, login)
		return true, !ok || a.State == dayone.Disabled
	})
}

const here = "2024-11-11" // a first day that lies behind us

func TestATerminationIsCarriedOutThoughHRHasDeletedTheRecord(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, _ := h.hires(employee("1", "start_date", here))
	body := h.says("terminated", employee("1", "start_date", here, "end_date", "2024-11-14"))
	h.hr.Remove("1")
	in := h.looked(h.hears(body)[0].ID)
	same(t, "state", in.State, dayone.EventApplied)
	h.becomes(p, dayone.Left)
	h.closed("e1@company.com")
}

func TestATerminationWaitsForNoTokenAndNoGarbage(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, _ := h.hires(employee("1", "start_date", here))
	h.hr.Door().Inject(sim.Fault{Times: -1, Path: "/employees/1", Status: 401, Body: `{"error":"unauthorized"}`})
	in := h.looked(h.hears(h.says("terminated", employee("1", "start_date", "sometime", "end_date", "2024-11-14", "termination_date", "soon")))[0].ID)
	same(t, "state", in.State, dayone.EventApplied)
	h.becomes(p, dayone.Left)
	h.closed("e1@company.com")
	in = until(h, "the event says that the record could not be read", func() (dayone.Intake, bool) {
		in, err := h.Event(ctx, in.ID)
		return in, err == nil && strings.Contains(in.Note, "could not be read")
	})
	if !strings.Contains(in.Note, "termination_date") {
		t.Errorf("what is wrong with the rest is lost: %s", in.Note)
	}
}

func TestAnAccountOfAWithdrawnOfferNeverOpens(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.clock.Jump(at(t, "2024-11-22T08:00:00Z")) // three days before: accounts are made
	p, r := h.hires(employee("1"))
	h.shows(h.okta, "e1@company.com", dayone.Staged, "group:base-employee")
	in := h.looked(h.hears(h.hr.Put(employee("1", "end_date", "2024-11-22")))[0].ID)
	same(t, "state", in.State, dayone.EventApplied)
	h.becomes(p, dayone.Left)
	r = h.rests(p, r.ID)
	same(t, "title", r.Title, "Offboard Erin No 1")
	h.closed("e1@company.com")
	h.clock.Jump(at(t, "2024-11-25T08:00:00Z"))
	until(h, "nothing is left to be done", func() (bool, bool) { return true, h.settled(p) })
	h.becomes(p, dayone.Left)
	h.closed("e1@company.com")
}

func TestARehireUnderTheSameNumberIsAtWorkAgain(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	const erin = "e1@company.com"
	p, r := h.hires(employee("1", "start_date", here, "department", "Sales", "end_date", "2024-11-16"))
	ref, _ := account(h.okta, erin)
	h.clock.Jump(at(t, "2024-11-17T08:00:00Z"))
	r = h.rests(p, r.ID)
	h.closed(erin)
	h.clock.Jump(at(t, "2024-11-20T08:00:00Z"))
	in := h.judged(h.hears(h.says("rehired", employee("1", "start_date", "2024-11-19", "department", "Sales")))[0].ID)
	same(t, "the same person", in.Person, p)
	h.rests(p, r.ID)
	h.becomes(p, dayone.Working)
	h.shows(h.okta, erin, dayone.Active, "group:base-employee", "group:sales-team")
	now, _ := account(h.okta, erin)
	same(t, "the same account", now.Ref, ref.Ref)
}

func TestWhatCannotBeReadWaitsAndIsInNobodysWay(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.hr.Door().Inject(sim.Fault{Times: -1, Path: "/employees/9", Status: 403, Body: `{"error":"forbidden","message":"not yours"}`})
	var stuck []dayone.EventID
	for range 210 { // more than one look takes
		stuck = append(stuck, h.hears(h.says("updated", employee("9", "start_date", here)))[0].ID)
	}
	h.hires(employee("1", "start_date", here))
	var in dayone.Intake
	for _, id := range stuck {
		in = until(h, "the event says why it waits", func() (dayone.Intake, bool) {
			in, err := h.Event(ctx, id)
			return in, err == nil && in.Note != ""
		})
	}
	same(t, "state", in.State, dayone.EventReceived)
	for _, word := range []string{"forbidden", "not yours", "let the credential of the source hr read this record"} {
		if !strings.Contains(in.Note, word) {
			t.Errorf("%q does not say %q", in.Note, word)
		}
	}
	if pause := in.Next.Sub(h.clock.Now()); pause < 30*time.Second || pause > 5*time.Minute {
		t.Errorf("it is looked at again in %s", pause)
	}
	asked := func() (n int) {
		for _, q := range h.hr.Door().Requests() {
			if q.Path == "/employees/9" {
				n++
			}
		}
		return n
	}
	before := asked()
	h.hires(employee("2", "start_date", here))
	same(t, "meanwhile HR is not asked", asked(), before)

	h.hr.Door().Heal()
	h.clock.Jump(in.Next.Add(time.Second))
	for _, id := range stuck {
		in = h.looked(id)
	}
	if row, err := h.Person(ctx, in.Person); err != nil || row.Email != "e9@company.com" {
		t.Errorf("%+v, %v", row, err)
	}
}

// slow is a source whose records come when they are let go.
type slow struct {
	connector.Source
	reached, release chan struct{}
	once             sync.Once
}

func (s *slow) Read(ctx context.Context, subject string) (dayone.Event, error) {
	s.once.Do(func() { close(s.reached) })
	select {
	case <-s.release:
	case <-ctx.Done():
		return dayone.Event{}, ctx.Err()
	}
	return s.Source.Read(ctx, subject)
}

// No database of ours refuses it for ever: whoever sends it again and again would get nothing else through.
func TestAnEmployeeIDThatIsNoTextIsQuarantined(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	got := h.hears(h.says("hired", employee("9\x002", "start_date", here)))
	same(t, "state", got[0].State, dayone.EventQuarantined)
	in, err := h.Event(ctx, got[0].ID)
	if err != nil || in.Subject != "" {
		t.Errorf("it is kept as of %q, %v", in.Subject, err)
	}
}

func TestASlowSourceHoldsUpNobodyButItself(t *testing.T) {
	t.Parallel()
	w, lazy := newWorld(t), &slow{reached: make(chan struct{}), release: make(chan struct{})}
	w.joined = func(d *flow.Deps) { // a house at work reads its sources: none comes in later
		lazy.Source = d.Sources["hr"].Source
		d.Sources["lazy"] = flow.Source{Source: lazy}
	}
	h := w.open()
	p := h.judged(h.hears(h.hr.Put(employee("1")))[0].ID).Person
	var waiting []dayone.EventID
	for _, kind := range []string{"hired", "updated"} {
		body := h.says(kind, employee("7", "start_date", here, "job_title", map[string]string{"hired": "Recruiter", "updated": "Accountant"}[kind]))
		got, err := h.Receive(ctx, "lazy", http.Header{"X-Signature": {hrsim.Sign(body)}}, body)
		if err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, got[0].ID)
		<-lazy.reached
	}
	h.hires(employee("2", "start_date", here))  // the other source goes on
	h.clock.Jump(at(t, "2024-11-21T23:00:00Z")) // so do people who are due
	same(t, "title", h.rests(p, "").Title, "Onboard Erin No 1")
	for _, id := range waiting {
		if in, err := h.Event(ctx, id); err != nil || in.State != dayone.EventReceived {
			t.Errorf("%s is %s, %v", id, in.State, err)
		}
	}
	close(lazy.release)
	first, second := h.looked(waiting[0]), h.looked(waiting[1])
	same(t, "the first", first.State, dayone.EventApplied)
	same(t, "the second, behind it", second.State, dayone.EventUnchanged)
}

func TestALateWebhookBringsTodaysRecordAsOfToday(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, r := h.hires(employee("1", "start_date", here))
	h.clock.Jump(at(t, "2024-11-18T08:00:00Z"))
	late := h.hr.Put(employee("1", "start_date", here, "job_title", "Accountant"))
	h.clock.Jump(at(t, "2024-11-19T08:00:00Z"))
	h.changes(p, r.ID, employee("1", "start_date", here, "department", "Sales"))
	h.clock.Jump(at(t, "2024-11-20T08:00:00Z"))
	h.hr.Put(employee("1", "start_date", here, "department", "Legal")) // this webhook is lost
	same(t, "late", h.looked(h.hears(late)[0].ID).State, dayone.EventApplied)
	department := func() string {
		row, err := h.Person(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		return row.Department
	}
	until(h, "HR says Legal", func() (bool, bool) { return true, department() == "Legal" })

	h.clock.Jump(at(t, "2024-11-21T08:00:00Z"))
	timeless := h.hr.Put(employee("1", "start_date", here, "department", "Finance"))
	timeless = bytes.Replace(timeless, []byte(`"timestamp":"2024-11-21T08:00:0`), []byte(`"timestamp":"21.11.2024 `), 1)
	same(t, "without a time", h.looked(h.hears(timeless)[0].ID).State, dayone.EventApplied)
	until(h, "HR says Finance", func() (bool, bool) { return true, department() == "Finance" })

	line, err := h.Timeline(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		h.clock.Jump(h.clock.Now().Add(time.Hour))
		again := bytes.Replace(late, []byte(`"event_id":"evt_`), fmt.Appendf(nil, `"event_id":"again%d_`, i), 1)
		same(t, "one more look", h.looked(h.hears(again)[0].ID).State, dayone.EventUnchanged)
	}
	after, err := h.Timeline(ctx, p)
	if err != nil || len(after.Facts) != len(line.Facts) {
		t.Errorf("%d facts became %d, %v", len(line.Facts), len(after.Facts), err)
	}
}

func TestWhatHRClearsIsCleared(t *testing.T) {
	t.Parallel()
	for name, clear := range map[string]func(map[string]any){
		"gone":  func(r map[string]any) {},
		"null":  func(r map[string]any) { r["end_date"], r["manager_email"] = nil, nil },
		"empty": func(r map[string]any) { r["end_date"], r["manager_email"] = "", "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newWorld(t).open()
			p, _ := h.hires(employee("1", "start_date", here, "end_date", "2024-12-01"))
			record := employee("1", "start_date", here)
			delete(record, "manager_email")
			clear(record)
			in := h.looked(h.hears(h.hr.Put(record))[0].ID)
			same(t, "state", in.State, dayone.EventApplied)
			row := until(h, "she stays", func() (flow.Row, bool) {
				row, err := h.Person(ctx, p)
				return row, err == nil && row.Ends.IsZero()
			})
			same(t, "manager", row.Manager, "")
		})
	}
}

func TestALeavePutOffDoesNotBeginOnTheOldDay(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, _ := h.hires(employee("1", "start_date", here))
	h.looked(h.hears(h.says("leave_started", employee("1", "start_date", here, "effective_date", "2024-12-01")))[0].ID)
	h.clock.Jump(at(t, "2024-11-18T08:00:00Z"))
	in := h.looked(h.hears(h.says("leave_started", employee("1", "start_date", here, "effective_date", "2025-02-01")))[0].ID)
	same(t, "state", in.State, dayone.EventApplied)
	h.clock.Jump(at(t, "2024-12-02T08:00:00Z"))
	if l, err := h.Preview(ctx, p); err != nil || l.Person.Status != dayone.Working {
		t.Errorf("on 2 December she is %s, %v", l.Person.Status, err)
	}
	h.clock.Jump(at(t, "2025-02-02T08:00:00Z"))
	h.becomes(p, dayone.OnLeave)
}

func TestAChangeAboutSomebodyWhoWasAlwaysHereOnboardsNobody(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.hr.Put(employee("5", "start_date", "2015-01-01"))
	if n, err := h.Import(ctx, "hr"); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	in := h.looked(h.hears(h.hr.Put(employee("5", "start_date", "2015-01-01", "work_arrangement", "Remote")))[0].ID)
	same(t, "state", in.State, dayone.EventApplied)
	h.hires(employee("1", "start_date", here)) // behind it
	runs, err := h.Runs(ctx, flow.RunFilter{Person: in.Person})
	if err != nil || len(runs) > 0 {
		t.Errorf("runs: %+v, %v", runs, err)
	}
	if row, err := h.Person(ctx, in.Person); err != nil || row.Managed {
		t.Errorf("%+v, %v", row, err)
	}

	if _, err := h.Manage(ctx, in.Person, "kim@company.com"); err != nil {
		t.Fatal(err)
	}
	r := h.rests(in.Person, "")
	if f := failures(r); len(f) > 0 {
		t.Error(f)
	}
	_, err = h.Manage(ctx, in.Person, "kim@company.com")
	is(t, err, dayone.ErrConflict)
}

func TestAnUnknownLocationGrantsNothingByCountry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(`
policies:
  - id: everyone
    title: Everyone
    owner: it@company.com
    when: "true"
    grant:
      - {to: okta/account}
  - id: us
    title: US
    owner: it@company.com
    match: {country: US}
    grant:
      - {to: okta/group:sales-team}
`)
	sites := w.files.(fstest.MapFS)["sites.yaml"]
	sites.Data = append(slices.Clone(sites.Data), []byte("\ncompany: {country: US, zone: America/New_York}\n")...)
	h := w.open()
	p, _ := h.hires(employee("1", "start_date", here, "location", "Atlantis"))
	h.shows(h.okta, "e1@company.com", dayone.Active)
	l, err := h.Preview(ctx, p)
	if err != nil || !slices.Contains(l.Person.Unknown, "country") || l.Person.Attrs.Text("country") != "" {
		t.Errorf("%v, country %q, %v", l.Person.Unknown, l.Person.Attrs.Text("country"), err)
	}
	same(t, "her day begins where the company is", l.Person.Start.UTC().Format(time.RFC3339), here+"T05:00:00Z")
}

func TestRawBodiesAreForgottenAfterThirtyDays(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id := h.hears(h.hr.Put(employee("1", "start_date", here)))[0].ID
	bad := h.hears(h.hr.Put(employee("2", "start_date", "next week")))[0].ID
	h.judged(id)
	h.looked(bad)
	body := func(id dayone.EventID) error {
		_, err := h.Store.Body(ctx, id)
		return err
	}
	h.clock.Jump(begin.AddDate(0, 0, 29))
	if err := body(id); err != nil {
		t.Error(err)
	}
	h.clock.Jump(begin.AddDate(0, 0, 32))
	until(h, "the body is forgotten", func() (bool, bool) { return true, errors.Is(body(id), dayone.ErrNotFound) })
	if err := body(bad); err != nil {
		t.Errorf("what somebody is still to mend is gone: %v", err)
	}
}

// What is shown beforehand is what is done then, whatever the event.
func TestAPreviewShowsWhatIsDone(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	steps := func(p dayone.Plan) string {
		var out []string
		for _, s := range p.Steps {
			out = append(out, string(s.ID))
		}
		return strings.Join(out, "\n")
	}
	var p dayone.PersonID
	var last dayone.RunID
	for _, c := range []struct {
		name string
		body func() []byte
	}{
		{"a hire", func() []byte { return h.hr.Put(employee("1", "start_date", here, "department", "Sales")) }},
		{"a move that a late webhook tells", func() []byte {
			body := h.hr.Put(employee("1", "start_date", here, "department", "Legal"))
			return bytes.Replace(body, []byte(`"timestamp":"2024-`), []byte(`"timestamp":"2023-`), 1)
		}},
		{"a termination whose record is gone", func() []byte {
			body := h.says("terminated", employee("1", "start_date", here, "department", "Legal", "end_date", "2024-11-14"))
			h.hr.Remove("1")
			return body
		}},
		{"a rehire", func() []byte {
			return h.says("rehired", employee("1", "start_date", "2024-11-15", "department", "Sales"))
		}},
	} {
		body := c.body()
		look, err := h.PreviewEvent(ctx, "hr", body)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		in := h.judged(h.hears(body)[0].ID)
		p = in.Person
		r := h.rests(p, last)
		last = r.ID
		same(t, c.name+": plan", steps(look.Plan), steps(r.Plan))
		row, err := h.Person(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		same(t, c.name+": status", look.Person.Status, row.Status)
	}
	h.hr.Put(employee("5", "start_date", "2015-01-01"))
	if _, err := h.Import(ctx, "hr"); err != nil {
		t.Fatal(err)
	}
	look, err := h.PreviewEvent(ctx, "hr", h.hr.Put(employee("5", "start_date", "2015-01-01", "work_arrangement", "Remote")))
	if err != nil || len(look.Plan.Steps) > 0 {
		t.Errorf("somebody who is not managed: %s, %v", steps(look.Plan), err)
	}
}

func TestAnEventThatOvertakesItsHireIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setups["hr"] = map[string]string{"secret": w.setups["hr"]["secret"], "prefix": "sha256="} // no API: what a webhook says counts
	h := w.open()
	hire := h.hr.Put(employee("1", "start_date", here))
	h.clock.Jump(begin.Add(time.Hour))
	change := []byte(`{"event_type":"employee.updated","event_id":"evt_late","timestamp":"` + h.clock.Now().UTC().Format(time.RFC3339) + `","data":{"employee_id":"1","department":"Sales"}}`)
	first := h.looked(h.hears(change)[0].ID)
	same(t, "before the hire", first.State, dayone.EventQuarantined)
	in := h.judged(h.hears(hire)[0].ID)
	same(t, "the hire", in.State, dayone.EventApplied)
	until(h, "the change is looked at again", func() (bool, bool) {
		in, err := h.Event(ctx, first.ID)
		return true, err == nil && in.State == dayone.EventApplied
	})
	row, err := h.Person(ctx, in.Person)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "department", row.Department, "Sales")
}

// BenchmarkIntake measures events a second from the books into timelines: they were received, and nothing in them is new.
func BenchmarkIntake(b *testing.B) {
	const events = 5000
	h := quiet(b)
	h.stopRun()
	townsfolk(b, h, events)
	n := 0
	var took time.Duration
	for b.Loop() {
		var wg sync.WaitGroup
		for c := range 64 {
			wg.Go(func() {
				for i := c; i < events; i += 64 {
					body, header := said(n*100_000 + i)
					if _, err := h.Receive(ctx, "hr", header, body); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		n++
		last, err := h.Store.Events(ctx, store.EventFilter{Limit: 1})
		if err != nil {
			b.Fatal(err)
		}
		newest := last[0].ID
		run, stop := context.WithCancel(ctx)
		poll := time.NewTicker(5 * time.Millisecond)
		began := time.Now()
		wg.Go(func() { _ = h.Run(run) })
		for {
			left, err := h.Store.Event(ctx, newest)
			if err != nil {
				b.Fatal(err)
			}
			if left.State != dayone.EventReceived {
				break
			}
			<-poll.C
		}
		took += time.Since(began)
		poll.Stop()
		stop()
		wg.Wait()
	}
	b.ReportMetric(float64(n*events)/took.Seconds(), "events/s")
}

// A database that keeps no NUL would fail the whole list for one record of it, and everybody else's news with it.
func TestAListOutlivesARecordWhoseIDIsNoText(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(testing.TB) string{"SQLite": nil, "PostgreSQL": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if at != nil {
				w.at = at(t)
			}
			w.joined = func(d *flow.Deps) {
				s := d.Sources["hr"]
				s.Source = &feed{s.Source, func(all []dayone.Event) ([]dayone.Event, error) {
					for i, subject := range []string{"9\x002", "9\xff2"} {
						all[i].Subject = subject
					}
					return all, nil
				}}
				d.Sources["hr"] = s
			}
			h := w.open()
			for _, id := range []string{"1", "2", "3", "4"} {
				h.hr.Put(employee(id, "start_date", here, "job_title", "Rec\x00ruiter"))
			}
			got, err := h.ReadSource(ctx, "hr", "kim@company.com")
			if err != nil {
				t.Fatal(err)
			}
			same(t, "new", got.New, 2)
			same(t, "unreadable", got.Unreadable, 2)
			h.calm()
			for _, who := range []string{"e3@company.com", "e4@company.com"} {
				if row, err := h.Named(ctx, who); err != nil || row.Title != "Recruiter" {
					t.Errorf("%s is %+v, %v", who, row, err)
				}
			}
		})
	}
}

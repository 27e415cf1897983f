package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/examples"
	"github.com/dayone-hq/dayone/flow"
)

// demoForTest is the demo's world with everything running, before HR has said anything.
func demoForTest(t *testing.T) *story {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	d, err := newDemoWorld(ctx, demoOptions{listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); d.close() })
	s := &story{demoWorld: d, out: io.Discard}
	if err := s.remember(ctx); err != nil {
		t.Fatal(err)
	}
	d.start(ctx)
	srv := newHTTP(d.portal())
	go func() { _ = srv.Serve(d.listener) }()
	d.closers = append(d.closers, func() { _ = srv.Close() })
	if err := d.known(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// picture is every account of every simulated target, read directly.
func (d *demoWorld) picture() map[string]string {
	out := map[string]string{}
	for _, sys := range demoSystems {
		for _, a := range d.systems[sys.name].Accounts() {
			out[sys.name+" "+a.Ref] = fmt.Sprintf("%s %s %v", a.Login, a.State, a.Entitlements)
		}
	}
	return out
}

// differences of two pictures, in words.
func changes(was, is map[string]string) []string {
	var out []string
	for k, v := range is {
		switch old, had := was[k]; {
		case !had:
			out = append(out, "new: "+k+": "+v)
		case old != v:
			out = append(out, k+": "+old+" -> "+v)
		}
	}
	for k, v := range was {
		if _, there := is[k]; !there {
			out = append(out, "gone: "+k+": "+v)
		}
	}
	slices.Sort(out)
	return out
}

func (s *story) undo(t *testing.T, id dayone.RunID, steps ...string) (flow.Undoing, dayone.Run) {
	t.Helper()
	ctx := t.Context()
	r, err := s.flow.RunOf(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := flow.StepsNamed(r, steps)
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.flow.UndoPreview(ctx, id, ids)
	if err != nil {
		t.Fatal(err)
	}
	by, err := s.flow.Undo(ctx, flow.UndoOrder{Run: id, Steps: ids, By: "kim@company.com", Reason: "hired by mistake", Hash: u.Hash})
	if err != nil {
		t.Fatal(err)
	}
	return u, s.over(t, by)
}

// over waits for a run to end.
func (s *story) over(t *testing.T, id dayone.RunID) dayone.Run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	moved := s.flow.Watch(id)
	defer moved.Stop()
	for {
		r, err := s.flow.RunOf(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if r.State.Over() {
			return r
		}
		select {
		case <-moved.Ready():
			moved.Take()
		case err := <-s.errs:
			t.Fatal(err)
		case <-ctx.Done():
			for _, st := range r.Steps {
				t.Logf("%s %s %s %v", st.Step.ID, st.State, st.Error, st.Wait)
			}
			t.Fatalf("run %s does not end: %s", id, r.State)
		}
	}
}

// announced fails unless every change of an account was said beforehand.
func announcedStays(t *testing.T, u flow.Undoing, changes []string) {
	t.Helper()
	for _, c := range changes {
		system, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(c, "new: "), "gone: "), " ")
		account := dayone.Key{System: system, Kind: dayone.AccountKindName}
		if !slices.ContainsFunc(u.Plan.Findings, func(f dayone.Finding) bool { return f.Key == account }) {
			t.Errorf("nobody was told: %s", c)
		}
		if !strings.Contains(c, string(dayone.Disabled)) {
			t.Errorf("something is left open: %s", c)
		}
	}
}

// quiet fails if any target is called while HR says everything again and the clock wakes her three times.
func (s *story) quiet(t *testing.T, jumps ...time.Time) {
	t.Helper()
	ctx := t.Context()
	before := s.calls()
	body, err := examples.Files.ReadFile(sarahsEvent)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{body, bytes.Replace(body, []byte("evt_abc123"), []byte("evt_another"), 1)} {
		if _, err := s.hr.Post(ctx, http.DefaultClient, s.cfg.Portal.URL+"/hooks/hr", b); err != nil {
			t.Fatal(err)
		}
	}
	looked := func() {
		if _, err := s.await(ctx, "the looks at everybody", func() (flow.Row, bool) {
			events, err := s.flow.Events(ctx, flow.EventFilter{State: dayone.EventReceived})
			row, gone := s.flow.Person(ctx, s.person)
			return row, err == nil && gone == nil && len(events) == 0 && (row.Wake.IsZero() || row.Wake.After(s.clock.Now()))
		}); err != nil {
			t.Fatal(err)
		}
	}
	looked()
	runs, err := s.flow.Runs(ctx, flow.RunFilter{Person: s.person})
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range jumps {
		if err := s.store.SetWake(ctx, s.person, to); err != nil { // whatever else wakes her, this does
			t.Fatal(err)
		}
		s.clock.Jump(to)
		looked()
	}
	after, err := s.flow.Runs(ctx, flow.RunFilter{Person: s.person})
	if err != nil {
		t.Fatal(err)
	}
	if n := s.calls() - before; n > 0 || len(after) != len(runs) {
		t.Errorf("%d calls and %d runs came of it", n, len(after)-len(runs))
	}
}

// colleague is hired into Sarah's team and gets the same groups.
func (s *story) colleague(t *testing.T) string {
	t.Helper()
	ctx := t.Context()
	record := map[string]any{}
	for k, v := range s.hr.Record("emp_789") {
		record[k] = v
	}
	const mail = "robin.vale@company.com"
	for k, v := range map[string]any{"employee_id": "emp_900", "first_name": "Robin", "last_name": "Vale", "preferred_name": "Robin", "email": mail, "personal_email": "robin@home.example"} {
		record[k] = v
	}
	if _, err := s.hr.Post(ctx, http.DefaultClient, s.cfg.Portal.URL+"/hooks/hr", s.hr.Put(record)); err != nil {
		t.Fatal(err)
	}
	var run dayone.RunID
	if _, err := s.await(ctx, "the looks at everybody", func() (flow.Row, bool) {
		row, err := s.flow.Named(ctx, mail)
		if err != nil {
			return row, false
		}
		runs, err := s.flow.Runs(ctx, flow.RunFilter{Person: row.ID})
		if err != nil || len(runs) == 0 {
			return row, false
		}
		run = runs[0].ID
		return row, true
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.watch(ctx, run); err != nil {
		t.Fatal(err)
	}
	return "robin.vale"
}

func of(p map[string]string, login string) []string {
	var out []string
	for k, v := range p {
		if strings.HasPrefix(v, login) {
			out = append(out, k+": "+v)
		}
	}
	slices.Sort(out)
	return out
}

// Sarah's onboarding is undone while it still waits for her first login: every system is as before, but for what was
// announced. HR says everything again and three mornings come: nobody is called.
func TestUndoOnboarding(t *testing.T) {
	t.Parallel()
	s := demoForTest(t)
	ctx := t.Context()
	before := s.picture()
	if err := s.friday(ctx); err != nil {
		t.Fatal(err)
	}
	u, r := s.undo(t, s.run)
	if r.State != dayone.RunUndone || r.ID != s.run {
		t.Errorf("the run is %s (%s)", r.State, r.ID)
	}
	left := changes(before, s.picture())
	announcedStays(t, u, left)
	if n := len(left); n != 5 { // closed at google, aws, salesforce and slack; gitlab.com's own account
		t.Errorf("%d accounts are left: %v", n, left)
	}
	cancelled := 0
	for _, m := range s.mail.Messages() {
		if strings.HasPrefix(m.Subject, "Cancelled: ") {
			cancelled++
		}
	}
	if cancelled != 3 {
		t.Errorf("%d meetings are called off, not 3", cancelled)
	}
	s.quiet(t, s.clock.Now().Add(10*time.Hour), s.clock.Now().Add(58*time.Hour), s.clock.Now().Add(90*time.Hour))
	l, access, err := s.flow.Access(ctx, s.person)
	if err != nil || len(l.Plan.Steps) > 0 || !slices.ContainsFunc(access, func(a flow.Access) bool { return a.State == flow.Held }) {
		t.Errorf("nothing is shown as held of %d, and %d steps are planned: %v", len(access), len(l.Plan.Steps), err)
	}
}

// Somebody who got the same groups in the meantime keeps them.
func TestUndoLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	s := demoForTest(t)
	before := s.picture()
	if err := s.friday(t.Context()); err != nil {
		t.Fatal(err)
	}
	login := s.colleague(t)
	theirs := of(s.picture(), login)
	if len(theirs) < 7 || !strings.Contains(strings.Join(theirs, " "), "group:sales-team") {
		t.Fatalf("the colleague has only %v", theirs)
	}
	u, _ := s.undo(t, s.run)
	if got := of(s.picture(), login); !slices.Equal(got, theirs) {
		t.Errorf("the colleague has %v, not %v", got, theirs)
	}
	announcedStays(t, u, slices.DeleteFunc(changes(before, s.picture()), func(c string) bool { return strings.Contains(c, login) }))
}

// Undone after her first day, when accounts are open and she has signed in at GitLab: what she used is closed and not
// deleted, and nothing comes back.
func TestUndoOnboardingAfterTheFirstDay(t *testing.T) {
	t.Parallel()
	s := demoForTest(t)
	ctx := t.Context()
	before := s.picture()
	if err := s.friday(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.monday(ctx); err != nil {
		t.Fatal(err)
	}
	u, r := s.undo(t, s.run)
	if r.State != dayone.RunDone || r.Of != s.run {
		for _, st := range r.Steps {
			t.Log(st.Step.ID, st.State, st.Error)
		}
		t.Errorf("the run is %s, of %s", r.State, r.Of)
	}
	left := changes(before, s.picture())
	announcedStays(t, u, left)
	for _, k := range []string{"okta", "google", "slack", "salesforce", "gitlab", "aws"} {
		if !slices.ContainsFunc(u.Plan.Steps, func(st dayone.Step) bool {
			return st.Key == dayone.Key{System: k, Kind: "account"} && st.Action.Takes()
		}) {
			t.Errorf("the account at %s stays open", k)
		}
	}
	if slices.ContainsFunc(u.Plan.Steps, func(st dayone.Step) bool { return st.Key.System != "notion" && st.Action == dayone.AccountDelete }) {
		t.Error("an account is deleted that somebody signed in to")
	}
	s.quiet(t, s.clock.Now().Add(24*time.Hour), s.clock.Now().Add(48*time.Hour), s.clock.Now().Add(72*time.Hour))
}

// The command line shows first, asks, and does what it showed.
func TestUndoByCommand(t *testing.T) {
	t.Parallel()
	s := demoForTest(t)
	if err := s.friday(t.Context()); err != nil {
		t.Fatal(err)
	}
	say := func(code int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if !slices.Contains(args, "--portal") {
			args = append(args, "--portal", s.cfg.Portal.URL)
		}
		if got := Main(append(args, "--config", filepath.Join(t.TempDir(), "none.yaml")), &out, &errs); got != code {
			t.Errorf("%v ends with %d, not %d: %s%s", args, got, code, out.String(), errs.String())
		}
		return out.String() + errs.String()
	}
	has := func(text string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(text, p) {
				t.Errorf("there is no %q in:\n%s", p, text)
			}
		}
	}
	id := string(s.run)
	has(say(0, "run", "list"), id, "waiting", "Onboard Sarah Chen")
	has(say(0, "run", "show", id), "okta/group:sales-team", "entitlement.add", "done")
	has(say(3, "run", "show", "run_01jd9x0000000000000000000a"), "dayone run list shows them")
	has(say(0, "run", "undo", id, "--preview"), "procurement/order", "what was ordered is called off by hand", "slack/account", "closed, not deleted")
	has(say(2, "run", "undo", id), "say why with --reason")
	has(say(1, "run", "undo", id, "--steps", "99", "--reason", "x", "--yes"), "has no step")
	has(say(1, "run", "undo", id, "--until", "2020-01-01", "--reason", "x", "--yes"), "has to end after now")
	has(say(0, "run", "undo", id, "--reason", "hired by mistake", "--yes"), "It is being undone")
	s.over(t, s.run)
	has(say(1, "run", "undo", id, "--reason", "again", "--yes"), "undone already")
	list := say(0, "hold", "list")
	has(list, "hld_", "hired by mistake", "until 2024-11-29")
	hold, _, _ := strings.Cut(list, " ")
	has(say(2, "hold", "end", "nonsense"), "no id of a hold")
	before := s.calls()
	has(say(0, "hold", "end", hold, "--reason", "hired after all"), "policies count again")
	has(say(1, "hold", "end", hold), "was ended on")
	if _, err := s.await(t.Context(), "what is given again", func() (flow.Row, bool) { // everything is given again
		return flow.Row{}, s.calls()-before > 20
	}); err != nil {
		t.Fatal(err)
	}
	has(say(1, "run", "list", "--portal", "http://127.0.0.1:1"), "no server answers")
}

package flow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// duePolicy has something of everything that a look may find: windows, reviews, approvals, offers, losses that are put off,
// and a circle that nobody in Legal can be planned by.
const duePolicy = `
policies:
  - id: everyone
    title: Everyone
    owner: it@company.com
    when: "true"
    grant:
      - {to: okta/account}
      - {to: okta/group:base-employee, review: 90d, grace: 14d}
    notify:
      - {on: moved, to: "${person.manager}", template: moved}
  - id: engineers
    title: Engineers
    owner: it@company.com
    match: {department: Engineering}
    grant:
      - {to: gitlab/account}
      - {to: gitlab/group:platform, role: developer, approval: {by: [manager], within: 10d}}
  - id: sales
    title: Sales
    owner: it@company.com
    match: {department: Sales}
    grant:
      - {to: okta/group:sales-team, grace: 14d}
    offer:
      - {to: gitlab/group:customer-solutions, role: guest, for: 30d}
  - id: legal
    title: Legal
    owner: it@company.com
    match: {department: Legal}
    grant:
      - {to: gitlab/account, needs: ["gitlab/group:platform"]}
      - {to: gitlab/group:platform, role: developer}
`

// crowdDue puts people into the books who are all due at one instant, each with something else about her.
func crowdDue(h *house, r *rand.Rand, n int, at time.Time) {
	h.t.Helper()
	must := func(err error) {
		if err != nil {
			h.t.Helper()
			h.t.Fatal(err)
		}
	}
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	for i := range n {
		id := dayone.PersonID(fmt.Sprintf("per_%026d", i))
		e := dayone.Employment{ID: dayone.EngagementID(fmt.Sprintf("eng_%026d", i)), Source: "hr", SourceID: fmt.Sprint(i), Recorded: begin}
		line := dayone.Timeline{Person: id, Managed: r.IntN(8) > 0, Employments: []dayone.Employment{e}}
		fact := func(attr, v string, effective time.Time, bad bool) {
			line.Facts = append(line.Facts, dayone.Fact{
				Engagement: e.ID, Attr: attr, Effective: effective, Said: begin, Again: begin, Recorded: begin, Value: dayone.Text(v), Bad: bad, Source: "hr",
			})
		}
		fact("engagement.start", one("2020-01-01", "2020-01-01", "2024-11-18", "2024-12-09"), time.Time{}, false)
		if r.IntN(6) == 0 {
			fact("engagement.last_day", one("2024-11-17", "2024-11-18", "2025-01-31"), time.Time{}, false)
		}
		fact("department", one("Engineering", "Sales", "Finance", "Finance", "Finance", "Legal"), time.Time{}, false)
		fact("email", fmt.Sprintf("E%d@company.com", i), time.Time{}, false)
		fact("first_name", one("Ana", "Łukasz", "Óscar"), time.Time{}, false)
		fact("last_name", fmt.Sprint("No ", i), time.Time{}, false)
		fact("manager", "e0@company.com", time.Time{}, false)
		fact("location", one("Berlin", "San Francisco", "Atlantis"), time.Time{}, false)
		switch r.IntN(8) {
		case 0:
			fact("department", one("Engineering", "Sales", "Legal"), at, false)
		case 1, 2, 3:
			fact("level", one("3", "4"), at, false)
		case 4:
			fact("job_title", "", at, true)
		case 5:
			fact("engagement.leave", "true", at, false)
		}
		was := people.At(&line, begin, begin, h.Active())
		row := store.Row{ID: id, Managed: line.Managed, Wake: at, Name: was.Name(), Status: was.Status, Problem: one("", "", "", "it could not be planned")}
		if r.IntN(4) > 0 {
			row.Told = &dayone.Told{At: begin, Status: was.Status, Ends: was.End, Attrs: map[string]string{"department": was.Attrs.Text("department"), "location": one("Berlin", was.Attrs.Text("location"))}}
		}
		must(h.Store.Save(ctx, store.Saved{Person: id, New: true, Employment: &e, Row: &row, Facts: line.Facts}))
		var have []dayone.Holding
		if l, err := h.Preview(ctx, id); err == nil {
			for _, s := range l.Plan.Steps {
				if s.Want == nil || s.Action == dayone.MessageSend || r.IntN(25) == 0 {
					continue
				}
				x := dayone.Holding{Item: *s.Want, Asked: s.Want.Attrs, Because: s.Because, Since: begin.AddDate(0, 0, -r.IntN(100)), Ours: true, Generation: r.IntN(2)}
				x.Ref = fmt.Sprint("r", i, s.Key)
				switch r.IntN(30) {
				case 0:
					x.Lost = begin.AddDate(0, 0, -3)
				case 1:
					x.State = dayone.Gone
				}
				have = append(have, x)
			}
		}
		if r.IntN(10) == 0 {
			have = append(have, dayone.Holding{Item: dayone.Item{Key: dayone.Key{System: "okta", Kind: "group", Name: "own"}, State: dayone.Active}, Because: []dayone.Reason{{Policy: one(dayone.Baseline, "sales")}}})
		}
		if states := []dayone.RunState{"", dayone.RunDone, dayone.RunDone, dayone.RunDone, dayone.RunIncomplete, dayone.RunSuperseded, dayone.RunCancelled}; true {
			run := dayone.Run{ID: dayone.RunID(fmt.Sprintf("run_%026d", i)), Person: id, Title: "before", State: states[r.IntN(len(states))], Started: begin, Ended: begin, Plan: dayone.Plan{Person: id}}
			if r.IntN(12) == 0 {
				run.Of = run.ID
			}
			if run.State == dayone.RunCancelled {
				run.Ending = dayone.RunCancelled
			}
			if run.State == "" {
				must(h.Store.KeepHoldings(ctx, id, have))
			} else {
				must(h.Store.Commit(ctx, []dayone.Progress{{Run: run, New: true, Holdings: have}}))
			}
		}
		if r.IntN(8) == 0 {
			must(h.Store.SaveHold(ctx, store.HoldChange{Hold: dayone.Hold{
				ID: dayone.HoldID(fmt.Sprintf("hld_%026d", i)), Person: id, Keys: []dayone.Key{{System: "okta", Kind: "group", Name: one("base-employee", "sales-team")}}, From: begin,
				Until: at.AddDate(0, 0, r.IntN(4)-1), Reason: "test", By: "kim", Keep: r.IntN(3) == 0, Away: r.IntN(3) == 0,
			}}))
		}
		if r.IntN(8) == 0 {
			must(h.Store.AddRequest(ctx, dayone.Request{
				ID: dayone.RequestID(fmt.Sprintf("req_%026d", i)), Person: id, Key: dayone.Key{System: "gitlab", Kind: "group", Name: "customer-solutions"}, Role: "guest", By: "e1@company.com", Reason: "x", Made: begin,
				Until: []time.Time{{}, at.AddDate(0, 0, -1), at.AddDate(0, 0, 10)}[r.IntN(3)],
			}))
		}
		if r.IntN(5) == 0 {
			k := dayone.Key{System: "gitlab", Kind: "group", Name: "platform"}
			state := []dayone.ApprovalState{dayone.ApprovalOpen, dayone.ApprovalGiven, dayone.ApprovalRefused}[r.IntN(3)]
			p := dayone.Petition{
				ID: dayone.ApprovalID(fmt.Sprintf("apr_%026d", i)), Person: id, Key: k, Role: "developer", Once: flow.RequestOnce(id, k, "developer"), State: state, Noted: state,
				Rule: dayone.Approval{By: []string{"manager"}}, Opened: begin, Due: at.AddDate(0, 0, r.IntN(8)-1),
			}
			if r.IntN(3) == 0 {
				p.Noted = dayone.ApprovalOpen
			}
			if state != dayone.ApprovalOpen {
				p.Votes = []dayone.Vote{{Of: "e0@company.com", By: "e0@company.com", Yes: state == dayone.ApprovalGiven, Reason: "so", At: begin}}
			}
			must(h.Store.AskApprovals(ctx, []dayone.Petition{p}))
		}
		if r.IntN(10) == 0 {
			k := one("okta/group:base-employee", "okta/group:sales-team")
			must(h.Store.OpenTask(ctx, dayone.Task{ID: dayone.TaskID(fmt.Sprintf("tsk_%026d", i)), Person: id, Once: one("review "+string(id)+" "+k, "something else "+string(id)), Title: "t", Opened: begin, Due: at}))
		}
		must(h.Store.SetWake(ctx, id, at))
	}
}

// alike are the books as two lives can be compared by: without ids that are made up, and in the order of people.
func alike(h *house) []string {
	h.t.Helper()
	var out []string
	say := func(what string, v any, err error) {
		h.t.Helper()
		raw, bad := json.Marshal(v)
		if err != nil || bad != nil {
			h.t.Fatal(what, err, bad)
		}
		out = append(out, what+": "+string(raw))
	}
	must := func(err error) {
		if err != nil {
			h.t.Fatal(err)
		}
	}
	must(h.Store.EachPerson(ctx, func(id dayone.PersonID, _ bool) error {
		row, err := h.Store.Person(ctx, id)
		say(string(id)+" row", row, err)
		line, err := h.Store.Timeline(ctx, id)
		say(string(id)+" told", line.Told, err)
		have, err := h.Store.Holdings(ctx, id, true)
		say(string(id)+" holdings", have, err)
		holds, err := h.Store.Holds(ctx, store.HoldFilter{Person: id, Ended: true})
		for i := range holds {
			if holds[i].Brake != "" { // one of a brake has a new name in each life
				holds[i].ID, holds[i].Brake = "", "some"
			}
		}
		say(string(id)+" holds", holds, err)
		requests, err := h.Store.Requests(ctx, id, false)
		say(string(id)+" requests", requests, err)
		asked, err := h.Store.Approvals(ctx, store.ApprovalFilter{Person: id})
		for i := range asked {
			a := &asked[i] // who hears of it, and when, is another errand
			a.ID, a.Run, a.Asked, a.Next, a.Deciders = "", "", time.Time{}, time.Time{}, nil
		}
		slices.SortFunc(asked, func(a, b dayone.Petition) int { return strings.Compare(a.Once+string(a.State), b.Once+string(b.State)) })
		say(string(id)+" approvals", asked, err)
		tasks, err := h.Store.Tasks(ctx, id, "")
		for i := range tasks {
			tasks[i].ID, tasks[i].Run, tasks[i].Remind, tasks[i].Reminded = "", "", time.Time{}, time.Time{}
			tasks[i].Note, _, _ = strings.Cut(tasks[i].Note, ":") // why it waits, as far as it was known when it was opened
			tasks[i].Note, _, _ = strings.Cut(tasks[i].Note, ".")
		}
		slices.SortFunc(tasks, func(a, b dayone.Task) int { return strings.Compare(a.Once, b.Once) })
		say(string(id)+" tasks", tasks, err)
		runs, err := h.Store.Runs(ctx, store.RunFilter{Person: id})
		slices.SortFunc(runs, func(a, b dayone.Run) int { return strings.Compare(a.Hash, b.Hash) }) // of one instant, their ids say nothing
		for _, r := range runs {
			say(string(id)+" run", fmt.Sprint(r.Title, r.State, r.Ending, r.Hash, r.Of != ""), err)
		}
		return err
	}))
	lines, err := h.Store.Records(ctx, store.RecordFilter{Limit: 10_000})
	must(err)
	var said []string
	for _, l := range lines {
		said = append(said, fmt.Sprint(l.Person, l.What, l.System))
	}
	slices.Sort(said)
	return append(out, said...)
}

// still is a clock that stands: what is done a moment later is done at the same instant.
type still struct{ *atomic.Int64 }

func (s still) Now() time.Time { return time.UnixMicro(s.Load()).UTC() }

func (still) After(time.Time) (<-chan struct{}, func()) { return nil, func() {} }

// halted begins a life in which time stands, no system may be called, and nobody looks at people by himself.
func (w *world) halted(c still) *house {
	w.t.Helper()
	h := w.open()
	h.stopRun()
	deps := h.Deps
	deps.Policy, deps.Clock = h.Active(), c
	deps.Engine = &engine.Driver{Store: h.Store, Clock: c, Keeper: deps.Keeper, Config: h.Deps.Engine.Config}
	h.Flow = flow.New(deps)
	if err := h.OpenPolicies(ctx, false); err != nil {
		w.t.Fatal(err)
	}
	life, cancel := context.WithCancel(context.Background())
	var over sync.WaitGroup
	over.Go(func() {
		if err := deps.Engine.Run(life); err != nil {
			w.t.Errorf("the engine stopped: %v", err)
		}
	})
	stop := h.stop
	h.stop = sync.OnceFunc(func() {
		cancel()
		over.Wait()
		stop()
	})
	w.t.Cleanup(h.stop)
	return h
}

// twin is a world with the same database, as it lies on the disk now.
func (w *world) twin() *world {
	w.t.Helper()
	out := newWorld(w.t)
	out.files, out.master = w.files, w.master
	for _, log := range []string{"", "-wal"} {
		raw, err := os.ReadFile(strings.TrimPrefix(w.at, "sqlite:") + log)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(strings.TrimPrefix(out.at, "sqlite:")+log, raw, 0o600)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return out
}

// sameBooks holds the books of two houses against each other.
func sameBooks(when string, is, was *house) {
	is.t.Helper()
	got, want := alike(is), alike(was)
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			is.t.Fatalf("%s: got  %s\nwant %s", when, got[i], want[i])
		}
	}
	same(is.t, when+": lines of the books", len(got), len(want))
}

// Looked at together or one after the other, people who are due end with the same rows, runs, tasks and wake-ups.
func TestPeopleWhoAreDueTogetherEndAsOneByOne(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			morning := time.Date(2024, 11, 18, 8, 0, 0, 0, time.UTC)
			now := still{new(atomic.Int64)}
			now.Store(begin.UnixMicro())
			first := newWorld(t)
			first.files = first.folder(duePolicy)
			h := first.halted(now)
			if _, err := h.Order(ctx, dayone.Order{Kind: dayone.OrderStop, Reason: "nobody is called", By: "kim"}); err != nil {
				t.Fatal(err)
			}
			crowdDue(h, rand.New(rand.NewPCG(seed, 7)), 80, morning)
			h.stop()
			second := first.twin()
			together, apart := first.halted(now), second.halted(now)
			for day, at := range []time.Time{morning, morning.AddDate(0, 0, 2), morning.AddDate(0, 0, 30)} {
				now.Store(at.UnixMicro())
				if day > 0 { // everybody once more, now with runs under way
					for _, h := range []*house{together, apart} {
						_ = h.Store.EachPerson(ctx, func(id dayone.PersonID, _ bool) error { return h.Store.SetWake(ctx, id, at) })
					}
				}
				nothing, due, err := together.NothingToDo(ctx)
				if err != nil || nothing < 3 || nothing == due {
					t.Fatalf("for %d of %d nothing is to be done, %v: that tells little", nothing, due, err)
				}
				if err := together.LookTogether(ctx); err != nil {
					t.Fatal(err)
				}
				if err := apart.LookOneByOne(ctx); err != nil {
					t.Fatal(err)
				}
				sameBooks(fmt.Sprint("day ", day), together, apart)
			}
		})
	}
}

// Whoever dies while rows are written leaves those due who were not, and nothing else.
func TestAKillAmongPeopleWhoAreDueLosesNothing(t *testing.T) {
	t.Parallel()
	morning := time.Date(2024, 11, 18, 8, 0, 0, 0, time.UTC)
	now := still{new(atomic.Int64)}
	now.Store(begin.UnixMicro())
	w := newWorld(t)
	w.files = w.folder(duePolicy)
	var commits atomic.Int64
	commits.Store(-1_000_000)
	var killed *world
	w.wired = func(db *store.DB, _ *engine.Driver) {
		db.Committing = func() { // as the disk is then, is how a kill leaves it
			if commits.Add(1) == 2 {
				killed = w.twin()
			}
		}
	}
	h := w.halted(now)
	if _, err := h.Order(ctx, dayone.Order{Kind: dayone.OrderStop, Reason: "nobody is called", By: "kim"}); err != nil {
		t.Fatal(err)
	}
	crowdDue(h, rand.New(rand.NewPCG(11, 7)), store.AtOnce+40, morning)
	now.Store(morning.UnixMicro())
	commits.Store(0)
	if err := h.LookTogether(ctx); err != nil {
		t.Fatal(err)
	}
	if killed == nil {
		t.Fatal("it was written at once")
	}
	again := killed.halted(now)
	due, err := again.Store.CountDue(ctx, morning)
	if err != nil || due == 0 || due == store.AtOnce+40 {
		t.Fatalf("%d are due after the kill, %v: it came too early or too late", due, err)
	}
	if err := again.LookTogether(ctx); err != nil {
		t.Fatal(err)
	}
	sameBooks("after the kill", again, h)
}

// A hundred thousand who stay are due, and HR says that somebody leaves today: that is seen to in between.
func TestALastDayDoesNotWaitForThoseWhoAreDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(duePolicy)
	var say, see atomic.Pointer[func()]
	var looks atomic.Int64
	w.asked = func() {
		if pc, _, _, _ := runtime.Caller(2); !strings.HasSuffix(runtime.FuncForPC(pc).Name(), ".(*Flow).lookOnce") {
			return
		}
		n := looks.Add(1)
		if f := say.Load(); f != nil && n == 3 {
			(*f)()
		}
		if f := see.Load(); f != nil && n == 6 {
			(*f)()
		}
	}
	h := w.open()
	_, before := h.hires(employee("77", "start_date", "2024-11-11", "department", "Sales"))
	if _, err := h.Order(ctx, dayone.Order{Kind: dayone.OrderStop, Reason: "nobody is called", By: "kim"}); err != nil {
		t.Fatal(err)
	}
	morning := begin.Add(65 * time.Hour)
	crowdDue(h, rand.New(rand.NewPCG(3, 7)), 60, morning)
	done := make(chan dayone.Intake, 1)
	var id dayone.EventID
	tell := func() {
		id = h.hears(h.hr.Put(employee("77", "start_date", "2024-11-11", "department", "Sales", "end_date", "2024-11-16")))[0].ID
	}
	look := func() { done <- h.judged(id) } // while others are still due
	looks.Store(0)
	say.Store(&tell)
	see.Store(&look)
	h.clock.Jump(morning)
	in := <-done
	if in.State != dayone.EventApplied || in.Run == before.ID || in.Run == "" {
		t.Errorf("the last day is %s, run %q: %s", in.State, in.Run, in.Note)
	}
	if due, err := h.Store.CountDue(ctx, morning); err != nil || due == 0 {
		t.Errorf("%d are still due, %v: it came at the end", due, err)
	}
	until(h, "nobody is due any more", func() (int, bool) {
		due, err := h.Store.CountDue(ctx, h.Now())
		return due, err == nil && due == 0
	})
}

package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

func carriedOut(t *testing.T, l Lab) {
	tries := atomic.Int64{}
	okta := &System{Do: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		if a.Key.IsAccount() && tries.Add(1) < 4 {
			return dayone.Result{}, &dayone.Fault{System: "okta", Op: "creating user", Err: dayone.ErrUnavailable, Code: "HTTP 500"}
		}
		return Done(a), nil
	}}
	b := l.with(t, map[string]*System{"okta": okta})
	group := Step("okta/group:a", "okta/account")
	group.Account = dayone.Value{Kind: dayone.TemplateValue, Text: "${okta.account.ref}"}
	b.starts(ARun("1", Step("okta/account"), group))
	r := b.rests("run_1")
	if r.State != dayone.RunDone || r.Steps[0].Attempt != 4 {
		t.Errorf("%s after %d attempts", r.State, r.Steps[0].Attempt)
	}
	hs, err := l.Books.Holdings(t.Context(), "per_1", false)
	if err != nil || len(hs) != 2 || hs[0].Ref != "ref-okta/account" {
		t.Errorf("holdings %+v, %v", hs, err)
	}
	said, err := l.Books.Said(t.Context(), "run_1")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the ledger", strings.Join(said, ", "), "run started, retrying, retrying, retrying, granted, granted, run done")
	if err := b.Decide(t.Context(), "run_1", "okta/account", engine.Human{By: "kim", Verb: engine.Complete}); !errors.Is(err, engine.ErrOver) {
		t.Errorf("completing a step of a run that is over says %v", err)
	}
}

func oneRunAPerson(t *testing.T, l Lab) {
	hold := make(chan struct{})
	b := l.with(t, map[string]*System{"okta": {Do: func(_ context.Context, a dayone.Act) (dayone.Result, error) { <-hold; return Done(a), nil }}})
	b.starts(ARun("1", Step("okta/account")))
	two := ARun("1", Step("okta/account"))
	two.ID = "run_2"
	// a caller's mistake must not take the process down with everybody's runs
	if err := b.Start(t.Context(), two); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("a second run of one person beside the first: %v", err)
	}
	close(hold)
	same(t, "the first run", b.rests("run_1").State, dayone.RunDone)
}

// A process that dies between call and record calls again, and says so.
func resumes(t *testing.T, l Lab) {
	entered := make(chan struct{}, 10)
	var attempts []string
	var mu sync.Mutex
	okta := &System{Do: func(ctx context.Context, a dayone.Act) (dayone.Result, error) {
		mu.Lock()
		attempts = append(attempts, fmt.Sprint(a.Attempt, " ", a.Once))
		mu.Unlock()
		if a.Attempt == 1 && a.Key.IsAccount() {
			entered <- struct{}{}
			<-ctx.Done() // done over there, but the answer never comes
			return dayone.Result{}, ctx.Err()
		}
		return Done(a), nil
	}}
	b := l.with(t, map[string]*System{"okta": okta})
	b.starts(ARun("1", Step("okta/account"), Step("okta/group:a", "okta/account")))
	<-entered
	b.stop()
	r, err := l.Books.Run(t.Context(), "run_1")
	if err != nil || r.Steps[0].State != dayone.StepRunning {
		t.Fatalf("the intent is not there: %v, %v", r.Steps[0].State, err)
	}
	b = l.with(t, map[string]*System{"okta": okta})
	same(t, "after the restart", b.rests("run_1").State, dayone.RunDone)
	mu.Lock()
	defer mu.Unlock()
	same(t, "calls", strings.Join(attempts, ", "), "1 once-okta/account, 2 once-okta/account, 1 once-okta/group:a")
}

// A wait is no call under way: a restart asks nobody, and a human's word still ends it.
func waitsOn(t *testing.T, l Lab) {
	slow := &System{Do: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		r := Done(a)
		r.Now.State = dayone.Pending
		r.Wait = &dayone.Wait{Kind: dayone.WaitTask, Note: "by hand"}
		return r, nil
	}}
	b := l.with(t, map[string]*System{"slow": slow, "free": {}})
	b.starts(ARun("1", Step("slow/account"), Step("free/group:a", "slow/account")))
	b.is("run_1", dayone.RunWaiting)
	b.stop()
	b = l.with(t, map[string]*System{"slow": slow, "free": {}})
	b.stillWorks("free")
	same(t, "after a restart", states(b.rests("run_1")), "waiting waiting pending")
	same(t, "calls", slow.calls.Load(), 1)
	if err := b.Decide(t.Context(), "run_1", "slow/account", engine.Human{By: "kim", Verb: engine.Complete, Attrs: dayone.Attrs{"ref": dayone.Text("7")}}); err != nil {
		t.Fatal(err)
	}
	same(t, "the end", states(b.is("run_1", dayone.RunDone)), "done done done")
}

func widthAndLocks(t *testing.T, l Lab) {
	slow := func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		time.Sleep(2 * time.Millisecond) // long enough for others to come in, if they may
		return Done(a), nil
	}
	narrow, locked := &System{Do: slow, Most: 3}, &System{Do: slow}
	b := l.with(t, map[string]*System{"narrow": narrow, "locked": locked})
	for i := range 10 {
		var steps []dayone.Step
		for j := range 4 {
			steps = append(steps, Step(fmt.Sprintf("narrow/group:%d", j)))
			one := Step(fmt.Sprintf("locked/group:%d", j))
			one.Lock = "one list"
			steps = append(steps, one)
		}
		b.starts(ARun(fmt.Sprint(i), steps...))
	}
	for i := range 10 {
		same(t, fmt.Sprint("run ", i), b.rests(dayone.RunID(fmt.Sprintf("run_%d", i))).State, dayone.RunDone)
	}
	if n := narrow.peak.Load(); n > 3 {
		t.Errorf("%d calls at once, the limit is 3", n)
	}
	same(t, "calls at once under one lock", locked.peak.Load(), 1)
}

// While a system's limit is used up nothing of it is marked started; others go on.
func limitParks(t *testing.T, l Lab) {
	opens := time.Now().Add(300 * time.Millisecond)
	b := l.with(t, map[string]*System{"shut": {Opens: func() time.Time { return opens }}, "free": {}})
	b.starts(ARun("1", Step("shut/account"), Step("free/account")))
	b.until("run_1", "done where it is free", func(r dayone.Run) bool {
		if s := r.Step("shut/account"); s.State != dayone.StepPending && time.Now().Before(opens) {
			t.Errorf("it is marked %s before it may be called", s.State)
		}
		return r.Step("free/account").State == dayone.StepDone
	})
	r := b.rests("run_1")
	if r.State != dayone.RunDone || r.Step("shut/account").Started.Before(opens.Truncate(time.Millisecond)) {
		t.Errorf("%s, started %v, open %v", r.State, r.Step("shut/account").Started, opens)
	}
}

func brokenConnector(t *testing.T, l Lab) {
	b := l.with(t, map[string]*System{"bad": {Do: func(context.Context, dayone.Act) (dayone.Result, error) { panic("nil map") }}, "good": {}})
	b.starts(ARun("1", Step("bad/account"), Step("good/account")))
	r := b.rests("run_1")
	if r.State != dayone.RunIncomplete || r.Step("good/account").State != dayone.StepDone || !strings.Contains(r.Step("bad/account").Error, "the connector broke") {
		t.Errorf("%s: %s", r.State, r.Step("bad/account").Error)
	}
}

// A step whose start fails may set others of the same system free: they are not forgotten.
func startFails(t *testing.T, l Lab) {
	b := l.with(t, map[string]*System{"slack": {}})
	channel := Step("slack/channel:x")
	channel.Account = dayone.Value{Kind: dayone.TemplateValue, Text: "${slack.account.ref}"} // which nothing brings
	told := Step("slack/message:it")
	told.Action, told.Needs = dayone.MessageSend, []dayone.Need{{Step: channel.ID, When: dayone.Settled}}
	b.starts(ARun("1", channel, told))
	same(t, "the run", states(b.is("run_1", dayone.RunIncomplete)), "incomplete failed done")
}

// An incomplete run is gone on with as long as its person had no other one since. After that its wants and its books are
// old, and planning anew is the answer.
func oldRun(t *testing.T, l Lab) {
	okta := &System{Do: func(context.Context, dayone.Act) (dayone.Result, error) { return dayone.Result{}, dayone.ErrForbidden }}
	hold := make(chan struct{})
	slow := &System{Do: func(_ context.Context, a dayone.Act) (dayone.Result, error) { <-hold; return Done(a), nil }}
	b := l.with(t, map[string]*System{"okta": okta, "slow": slow, "free": {}})
	s := Step("okta/account")
	b.starts(ARun("1", s))
	b.is("run_1", dayone.RunIncomplete)
	decide := func(run dayone.RunID, v engine.Verb) error {
		return b.Decide(t.Context(), run, s.ID, engine.Human{By: "kim", Verb: v, Reason: "not needed"})
	}
	if err := decide("run_1", engine.Retry); err != nil {
		t.Errorf("a retry while it is the newest says %v", err)
	}
	same(t, "calls after it", b.until("run_1", "tried again", func(r dayone.Run) bool { return r.State.Over() && r.Steps[0].Attempt > 1 }).Steps[0].Attempt, 2)
	if err := decide("run_1", engine.Complete); !errors.Is(err, engine.ErrOver) {
		t.Errorf("completing what waits for nothing says %v", err)
	}
	if err := decide("run_9", engine.Retry); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("of no run it says %v", err)
	}
	if err := b.Decide(t.Context(), "run_1", "", engine.Human{Verb: engine.Supersede}); err != nil {
		t.Errorf("superseding it says %v", err)
	}
	// the next run of the same person is not in the way, nor is the old one in its
	next := ARun("2", Step("slow/account"))
	next.Person, next.Plan.Person = "per_1", "per_1"
	b.starts(next)
	if err := decide("run_1", engine.Retry); !errors.Is(err, engine.ErrOver) {
		t.Errorf("while another is under way it says %v", err)
	}
	if err := decide("run_1", engine.Skip); err != nil {
		t.Errorf("a skip says %v", err)
	}
	same(t, "after the skip", states(b.rests("run_1")), "done skipped")
	third := ARun("3", Step("free/account"))
	third.Person, third.Plan.Person = "per_1", "per_1"
	if err := b.Start(t.Context(), third); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("a third run beside the second: %v", err)
	}
	close(hold)
	b.is("run_2", dayone.RunDone)
	if err := decide("run_1", engine.Retry); !errors.Is(err, engine.ErrOver) || !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("after another one has ended it says %v", err)
	}
	same(t, "calls", okta.calls.Load(), 2)
}

func namesake(t *testing.T, l Lab) {
	recorded := time.Now().Add(-time.Hour)
	for i, c := range []struct {
		name    string
		created time.Time
		bound   bool
		want    dayone.StepState
	}{
		{"made after, bound to nobody", time.Now(), false, dayone.StepDone},
		{"made before", recorded.Add(-time.Hour), false, dayone.StepWaiting},
		{"made after, somebody else's", time.Now(), true, dayone.StepWaiting},
	} {
		system := fmt.Sprint("x", i)
		found := dayone.Item{Ref: "42", Created: c.created, State: dayone.Active}
		sys := &System{Do: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
			if a.Subject.Ref == "" {
				return dayone.Result{}, &dayone.Fault{System: system, Op: "creating account", Err: dayone.ErrConflict, Found: &found}
			}
			return dayone.Result{Before: &found, Now: &found}, nil
		}}
		if c.bound {
			l.binds(t, "per_0", system+"/account", "42")
		}
		b := l.with(t, map[string]*System{system: sys})
		s := Step(system + "/account")
		s.Subject = dayone.Subject{Keys: map[string]string{"login": "sarah"}, Recorded: recorded}
		b.starts(ARun(system, s))
		same(t, c.name, b.rests(dayone.RunID("run_" + system)).Steps[0].State, c.want)
		b.stop()
	}
}

// shows is a system that has one account, and shows it to whoever comes without an id.
func shows(found dayone.Item, taken *[]string) *System {
	var mu sync.Mutex
	return &System{Do: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		if a.Subject.Ref == "" {
			return dayone.Result{}, &dayone.Fault{System: "okta", Op: "creating account", Err: dayone.ErrConflict, Found: &found}
		}
		mu.Lock()
		defer mu.Unlock()
		*taken = append(*taken, a.Subject.Ref)
		return dayone.Result{Before: &found, Now: &dayone.Item{Ref: a.Subject.Ref, State: dayone.Active}}, nil
	}}
}

// Whose an account is the books say, however well it matches: two people of one employee number are still two.
func whose(t *testing.T, l Lab) {
	for i, c := range []struct{ name, owner, as, want, note string }{
		{"nobody's", "", "", "done", ""},
		{"her own, of which the plan did not know", "her", "okta/account", "done", ""},
		{"somebody else's", "per_0", "okta/account", "waiting", "the account of per_0"},
		{"her own in another place", "her", "okta/account:admin", "waiting", "okta/account:admin of the same person"},
	} {
		ref := fmt.Sprint("00u", i)
		found := dayone.Item{Ref: ref, State: dayone.Active, Attrs: dayone.Attrs{"employee_number": dayone.Text("7")}}
		var taken []string
		b := l.with(t, map[string]*System{"okta": shows(found, &taken)})
		r := ARun(fmt.Sprint("w", i), Step("okta/account"))
		r.Plan.Steps[0].Subject.Keys = map[string]string{"employee_number": "7"}
		owner := dayone.PersonID(c.owner)
		if c.owner == "her" {
			owner = r.Person
		}
		if owner != "" {
			l.binds(t, owner, c.as, ref)
		}
		if c.as == "okta/account:admin" {
			hs, err := l.Books.Holdings(t.Context(), r.Person, true)
			if err != nil {
				t.Fatal(err)
			}
			r.Have = hs
		}
		b.starts(r)
		got := b.rests(r.ID).Steps[0]
		b.stop()
		if string(got.State) != c.want || c.want == "done" && len(taken) != 1 || c.want != "done" && len(taken) > 0 {
			t.Errorf("%s: the step is %s (%s), the system was asked to write %v", c.name, got.State, got.Error, taken)
		}
		if c.note != "" && !strings.Contains(got.Wait.Note, c.note) {
			t.Errorf("%s: the task says %s", c.name, got.Wait.Note)
		}
	}
}

// A human's word binds no account of somebody else either. Else both would be cut when the one leaves.
func taskOfOthers(t *testing.T, l Lab) {
	found := dayone.Item{Ref: "00u2", State: dayone.Active, Attrs: dayone.Attrs{"employee_number": dayone.Text("77")}}
	var taken []string
	b := l.with(t, map[string]*System{"okta": shows(found, &taken)}) // and "paper" has no connector
	l.binds(t, "per_0", "okta/account", "00u1")
	l.binds(t, "per_9", "paper/account", "p1")
	b.starts(ARun("1", Step("okta/account"), Step("paper/account")))
	b.is("run_1", dayone.RunWaiting)
	complete := func(id dayone.StepID, attrs dayone.Attrs) error {
		return b.Decide(t.Context(), "run_1", id, engine.Human{By: "kim", Verb: engine.Complete, Attrs: attrs})
	}
	for id, attrs := range map[dayone.StepID]dayone.Attrs{"okta/account": {"adopt": dayone.Text("00u1")}, "paper/account": {"ref": dayone.Text("p1")}} {
		if err := complete(id, attrs); !errors.Is(err, dayone.ErrConflict) || !strings.Contains(err.Error(), "per_") {
			t.Errorf("%s with somebody else's: %v", id, err)
		}
	}
	for id, attrs := range map[dayone.StepID]dayone.Attrs{"okta/account": {"adopt": dayone.Text("00u2")}, "paper/account": {"ref": dayone.Text("p2")}} {
		if err := complete(id, attrs); err != nil {
			t.Errorf("%s with one that is nobody's: %v", id, err)
		}
	}
	b.is("run_1", dayone.RunDone)
	same(t, "the system was asked to write", fmt.Sprint(taken), "[00u2]")
}

// A system may hand out one account for two people: whoever is booked second has a conflict, and the driver lives.
func handedOutTwice(t *testing.T, l Lab) {
	for _, together := range []bool{true, false} {
		system := map[bool]string{true: "okta", false: "slack"}[together]
		var gate sync.WaitGroup
		gate.Add(2)
		sys := &System{Do: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
			if together && a.Attempt == 1 && a.Key.IsAccount() {
				gate.Done()
				gate.Wait()
			}
			r := Done(a)
			r.Now.Ref = "00u1"
			return r, nil
		}}
		b := l.with(t, map[string]*System{system: sys})
		var got []dayone.StepRun
		for _, id := range []string{system + "1", system + "2"} {
			b.starts(ARun(id, Step(system+"/account")))
			if !together {
				b.rests(dayone.RunID("run_" + id))
			}
		}
		for _, id := range []string{system + "1", system + "2"} {
			got = append(got, b.rests(dayone.RunID("run_" + id)).Steps[0])
		}
		slices.SortFunc(got, func(a, b dayone.StepRun) int { return strings.Compare(string(a.State), string(b.State)) }) // done before waiting
		if got[0].State != dayone.StepDone || got[1].State != dayone.StepWaiting || got[1].Kind != "conflict" {
			t.Errorf("%s and %s: %s", got[0].State, got[1].State, got[1].Error)
		}
		b.stillWorks(system)
		b.stop()
	}
}

// A run that a newer program began means what this one does not know: it is left alone.
func newerMachine(t *testing.T, l Lab) {
	newer := ARun("1", Step("okta/account"))
	newer.State, newer.Machine = dayone.RunRunning, engine.Version+1
	if err := l.Books.Commit(t.Context(), []dayone.Progress{{Run: newer, New: true}}); err != nil {
		t.Fatal(err)
	}
	okta := &System{}
	b := l.with(t, map[string]*System{"okta": okta})
	select {
	case err := <-b.over:
		if !errors.Is(err, dayone.ErrUnsupported) || !strings.Contains(err.Error(), "run_1") {
			t.Errorf("the driver says %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the driver goes on")
	}
	same(t, "calls", okta.calls.Load(), 0)
}

func waits(r dayone.Run) bool { return r.Steps[0].State == dayone.StepWaiting }

var noon = time.Date(2025, 3, 3, 12, 0, 0, 0, time.UTC)

// late answers with a wait whose next look is a week away, and then with done.
func late(clock *settable) *System {
	return &System{Do: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		r := Done(a)
		if a.Attempt == 1 {
			r.Now.State = dayone.Pending
			r.Wait = &dayone.Wait{Kind: dayone.WaitPropagation, Check: clock.Now().Add(7 * 24 * time.Hour)}
		}
		return r, nil
	}}
}

// The machine slept for a month, or its clock was wrong until now: what became due meanwhile is done, once.
func clockAhead(t *testing.T, l Lab) {
	clock := newSettable(noon)
	sys := late(clock)
	b := l.begin(t, Setup{Clock: clock, Systems: map[string]*System{"okta": sys}})
	b.starts(ARun("1", Step("okta/account")))
	b.until("run_1", "waiting for its system", waits)
	clock.set(noon.AddDate(0, 1, 0))
	r := b.is("run_1", dayone.RunDone)
	same(t, "calls", sys.calls.Load(), 2)
	if r.Ended.Before(noon.AddDate(0, 1, 0)) {
		t.Errorf("it ended at %v", r.Ended)
	}
}

// A clock that is set back may make something wait longer, and never does it early, twice or not at all.
func clockBack(t *testing.T, l Lab) {
	clock := newSettable(noon)
	sys := late(clock)
	b := l.begin(t, Setup{Clock: clock, Systems: map[string]*System{"okta": sys, "free": {}}})
	b.starts(ARun("1", Step("okta/account")))
	b.until("run_1", "waiting for its system", waits)
	clock.set(noon.AddDate(-1, 0, 0))
	b.stillWorks("free")
	b.stop()
	b = l.begin(t, Setup{Clock: clock, Systems: map[string]*System{"okta": sys, "free": {}}}) // restarted with the wrong clock
	b.starts(ARun("2", Step("free/account"), Step("free/group:a", "free/account")))
	same(t, "somebody else's run", b.rests("run_2").State, dayone.RunDone)
	same(t, "calls too early", sys.calls.Load(), 1)
	clock.set(noon.AddDate(0, 0, 8))
	b.is("run_1", dayone.RunDone)
	same(t, "calls", sys.calls.Load(), 2)
}

// Forty runs, a process that dies ten times in the middle of them: all end, and no call is repeated but those under way.
func diesAgainAndAgain(t *testing.T, l Lab) {
	const runs, steps, deaths = 40, 6, 10
	var mu sync.Mutex
	effects := map[string]int{} // by once-key and attempt
	var made atomic.Int64
	next := make(chan struct{}, 2*deaths)
	sys := &System{Most: 8, Do: func(ctx context.Context, a dayone.Act) (dayone.Result, error) {
		mu.Lock()
		effects[fmt.Sprint(a.Once, " ", a.Attempt)]++
		mu.Unlock()
		if made.Add(1)%(runs*steps/(deaths+2)) == 0 {
			select {
			case next <- struct{}{}:
			default:
			}
		}
		return Done(a), nil
	}}
	b := l.with(t, map[string]*System{"s": sys})
	for i := range runs {
		var list []dayone.Step
		for j := range steps {
			s := Step(fmt.Sprintf("s/group:%d", j))
			s.Once = fmt.Sprintf("%d-%d", i, j)
			if j > 0 {
				s.Needs = []dayone.Need{{Step: dayone.StepID(fmt.Sprintf("s/group:%d", j-1))}}
			}
			list = append(list, s)
		}
		b.starts(ARun(fmt.Sprintf("%03d", i), list...))
	}
	died := 0
	for ; died < deaths; died++ {
		select {
		case <-next:
		case <-time.After(5 * time.Second): // all is done already
		}
		b.stop()
		b = l.with(t, map[string]*System{"s": sys})
	}
	for i := range runs {
		r := b.is(dayone.RunID(fmt.Sprintf("run_%03d", i)), dayone.RunDone)
		for _, s := range r.Steps {
			same(t, "a step", s.State, dayone.StepDone)
		}
		said, err := l.Books.Said(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "records of grants", strings.Count(strings.Join(said, ","), "granted")+strings.Count(strings.Join(said, ","), "already so"), steps)
	}
	repeats := int(made.Load()) - runs*steps
	if repeats > died*8 {
		t.Errorf("%d calls were repeated after %d deaths with 8 calls at once", repeats, died)
	}
	for key, n := range effects {
		if n > 1 {
			t.Errorf("attempt %s was called %d times", key, n)
		}
	}
}

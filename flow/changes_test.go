package flow_test

import (
	"context"
	"fmt"
	"iter"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/entra"
	entrasim "github.com/dayone-hq/dayone/connector/entra/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"

	"github.com/dayone-hq/dayone/connector"
)

// directory is a world whose people come from a tenant at Microsoft, which posts nothing.
func directory(t *testing.T) (*house, *entrasim.Sim) {
	w := newWorld(t)
	ms := entrasim.New(sim.Options{Now: w.clock.Now, Page: 50})
	srv := httptest.NewServer(ms)
	t.Cleanup(srv.Close)
	g, err := connector.Open(entra.Factory, "azure", w.clock.Now, connector.Options{Settings: ms.Settings(srv.URL), PerMinute: map[string]int{"default": 1_000_000}})
	if err != nil {
		t.Fatal(err)
	}
	src, ok := g.Source()
	if !ok {
		t.Fatal("it is no source")
	}
	w.joined = func(d *flow.Deps) {
		d.Sources = map[string]flow.Source{"azure": {Source: src, ReadAt: "02:00", Since: begin.AddDate(0, -1, 0), StaleAfter: -1}}
	}
	return w.open(), ms
}

// What changes in a directory that posts nothing is known within minutes, also after a restart, and when it has forgotten how
// far it was asked.
func TestADirectoryTellsWhatChanged(t *testing.T) {
	t.Parallel()
	h, ms := directory(t)
	asked := func(what string) {
		t.Helper()
		n := len(ms.Door().Requests())
		until(h, what, func() (bool, bool) {
			h.clock.Jump(h.clock.Now().Add(time.Minute)) // its last answer may still be on its way into the books
			return true, len(ms.Door().Requests()) > n
		})
	}
	until(h, "the first mark", func() (bool, bool) {
		mark, err := h.Store.Meta(ctx, "changes of azure")
		return true, err == nil && mark != ""
	})
	ref := ms.Seed(sim.Account{Login: "erin@company.com", Email: "erin@company.com", FirstName: "Erin", LastName: "Quill", EmployeeNumber: "E-1", State: dayone.Active})
	ms.Set(ref, "employeeHireDate", "2024-11-13T00:00:00Z")
	ms.Set(ref, "department", "Engineering")
	ms.Set(ref, "employeeType", "Employee")
	asked("the hire")
	row := until(h, "she is known", func() (flow.Row, bool) {
		rows, err := h.People(ctx, flow.PeopleFilter{Limit: 5})
		if err != nil || len(rows) != 1 {
			return flow.Row{}, false
		}
		return rows[0], true
	})
	same(t, "her department", row.Department, "Engineering")
	until(h, "her account", func() (bool, bool) {
		_, made := account(h.okta, "erin@company.com")
		return true, made
	})
	found, err := h.LookUp(ctx, "azure", "eri qui", 5)
	if err != nil || len(found) != 1 || found[0].Person != row.ID || found[0].Name != "Erin Quill" || found[0].Department != "Engineering" {
		t.Errorf("looked up she is %+v, %v", found, err)
	}
	_, err = h.LookUp(ctx, "azure", "e", 5)
	is(t, err, dayone.ErrInvalid)
	_, err = h.LookUp(ctx, "hr", "erin", 5)
	is(t, err, dayone.ErrNotFound)
	department := func(want string) {
		t.Helper()
		until(h, want, func() (bool, bool) {
			h.clock.Jump(h.clock.Now().Add(time.Minute))
			r, err := h.Person(ctx, row.ID)
			return true, err == nil && r.Department == want
		})
	}
	h.stop()
	ms.Set(ref, "department", "Sales")
	h = h.world.open()
	asked("the move")
	department("Sales")

	events, err := h.Events(ctx, flow.EventFilter{Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	asked("nothing")
	asked("nothing again")
	if again, err := h.Events(ctx, flow.EventFilter{Limit: 20}); err != nil || len(again) != len(events) {
		t.Errorf("where nothing changed there are %d events more, %v", len(again)-len(events), err)
	}

	ms.Set(ref, "department", "Legal")
	ms.Forget()
	asked("a mark that is too old")
	department("Legal")
	ms.Set(ref, "department", "Finance")
	asked("the mark after it")
	department("Finance")
}

// listless is a source whose list cannot be read for a while.
type listless struct {
	connector.Source
	connector.Changing
	off   atomic.Bool
	tried atomic.Int32
}

func (l *listless) Everybody(ctx context.Context) iter.Seq2[dayone.Event, error] {
	if !l.off.Load() {
		return l.Source.Everybody(ctx)
	}
	return func(yield func(dayone.Event, error) bool) {
		l.tried.Add(1)
		yield(dayone.Event{}, fmt.Errorf("the directory is busy: %w", dayone.ErrUnavailable))
	}
}

// Where a directory has forgotten how far it was asked, all of its list has to be read for what was between: also if that does
// not succeed before a restart.
func TestAListThatIsOwedIsReadAfterARestart(t *testing.T) {
	t.Parallel()
	h, ms := directory(t)
	mark := func() string {
		t.Helper()
		m, err := h.Store.Meta(ctx, "changes of azure")
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	until(h, "the first mark", func() (bool, bool) { return true, mark() != "" })
	ref := ms.Seed(sim.Account{Login: "erin@company.com", Email: "erin@company.com", FirstName: "Erin", LastName: "Quill", EmployeeNumber: "E-1", State: dayone.Active})
	ms.Set(ref, "employeeHireDate", "2024-11-13T00:00:00Z")
	ms.Set(ref, "department", "Engineering")
	ms.Set(ref, "employeeType", "Employee")
	is := func(want string) {
		t.Helper()
		until(h, want, func() (bool, bool) {
			rows, err := h.People(ctx, flow.PeopleFilter{Limit: 5})
			if err == nil && len(rows) == 1 && rows[0].Department == want {
				return true, true
			}
			h.clock.Jump(h.clock.Now().Add(5 * time.Second)) // whenever it was asked last, it is asked again
			return false, false
		})
	}
	is("Engineering")
	h.stop()

	joined, src := h.world.joined, &listless{}
	src.off.Store(true)
	h.world.joined = func(d *flow.Deps) {
		joined(d)
		s := d.Sources["azure"]
		src.Source, src.Changing = s.Source, s.Source.(connector.Changing)
		s.Source = src
		d.Sources["azure"] = s
	}
	ms.Set(ref, "department", "Legal")
	ms.Forget()
	h = h.world.open()
	until(h, "a list that cannot be read", func() (bool, bool) { return true, src.tried.Load() > 0 })
	h.stop()

	src.off.Store(false)
	h = h.world.open() // no time passes: it is no night's list that tells it
	is("Legal")
	ms.Set(ref, "department", "Finance")
	h.clock.Jump(h.clock.Now().Add(6 * time.Minute)) // and the mark after it counts
	is("Finance")
}

// polled counts how often a source is asked what changed, which it cannot tell if it is mute.
type polled struct {
	connector.Source
	mute  bool
	now   func() time.Time
	times atomic.Int32

	mu sync.Mutex
	at []time.Time
}

func (a *polled) Changes(context.Context, string) ([]dayone.Event, string, error) {
	a.mu.Lock()
	a.at = append(a.at, a.now())
	a.mu.Unlock()
	a.times.Add(1)
	if a.mute {
		return nil, "", fmt.Errorf("it counts no changes: %w", dayone.ErrUnsupported)
	}
	return nil, "mark", nil
}

// A source that cannot tell what changed is left alone for a day, while another one is asked every few minutes.
func TestASourceThatCannotTellIsLeftAlone(t *testing.T) {
	t.Parallel()
	h, _ := directory(t)
	h.stop()
	joined, mute, tells := h.world.joined, &polled{mute: true, now: h.clock.Now}, &polled{now: h.clock.Now}
	h.world.joined = func(d *flow.Deps) {
		joined(d)
		s := d.Sources["azure"]
		mute.Source, tells.Source = s.Source, s.Source
		s.Source = mute
		d.Sources["azure"] = s
		s.Source = tells
		d.Sources["twin"] = s
	}
	h = h.world.open()
	again := func(a *polled, step time.Duration) {
		t.Helper()
		n := a.times.Load()
		until(h, "asked again", func() (bool, bool) {
			h.clock.Jump(h.clock.Now().Add(step))
			return true, a.times.Load() > n
		})
	}
	until(h, "both are asked once", func() (bool, bool) { return true, mute.times.Load() > 0 && tells.times.Load() > 0 })
	for range 5 {
		again(tells, 5*time.Minute)
	}
	again(mute, 25*time.Hour)
	mute.mu.Lock()
	defer mute.mu.Unlock()
	for i := range len(mute.at) - 1 { // by the clock of the story, however fast the machine is
		if rest := mute.at[i+1].Sub(mute.at[i]); rest < 24*time.Hour {
			t.Errorf("it was asked again after %v", rest)
		}
	}
}

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/examples"
	"github.com/dayone-hq/dayone/flow"
)

// story tells what happens and keeps what the report says.
type story struct {
	*demoWorld
	out    io.Writer
	live   bool
	dir    string // where the world is kept; ""
	person dayone.PersonID
	run    dayone.RunID
	first  dayone.Run // as it stood before the clock jumped
	shown  map[dayone.RunID]map[dayone.StepID]dayone.StepState
	past   map[dayone.RunID]dayone.Run // of a kept world, as they stood when it began again
	before grantCount
	hush   time.Duration // how long nothing is said before a line says that something goes on; 0: hush
}

const sarah = "sarah.chen@company.com"

// friday is the hire: HR's event, byte for byte as the document prints it, to a run that has come to rest.
func (s *story) friday(ctx context.Context) error {
	body, err := examples.Files.ReadFile(sarahsEvent)
	if err != nil {
		return err
	}
	began := time.Now()
	status, err := s.hr.Post(ctx, http.DefaultClient, s.cfg.Portal.URL+"/hooks/hr", body)
	if err != nil {
		return fmt.Errorf("posting HR's event: %w", err)
	}
	said := "signed and accepted"
	if len(s.past) > 0 {
		said = "said before, signed and accepted again"
	}
	fmt.Fprintf(s.out, "\nHR: employee.hired, event evt_abc123, %s (%d) in %s.\n", said, status, round(time.Since(began)))
	row, err := s.await(ctx, "HR's event", func() (flow.Row, bool) {
		row, err := s.flow.Named(ctx, sarah)
		return row, err == nil && row.Managed
	})
	if err != nil {
		return err
	}
	s.person = row.ID
	if err := s.planned(ctx, row); err != nil {
		return err
	}
	s.recall(s.run)
	r, err := s.watch(ctx, s.run)
	if err != nil {
		return err
	}
	s.first = r
	if s.before, err = s.count(ctx); err != nil {
		return err
	}
	s.summary(r)
	return s.numbered(ctx)
}

// planned waits for Sarah's run and says what it is going to do.
func (s *story) planned(ctx context.Context, row flow.Row) error {
	_, err := s.await(ctx, "HR's event", func() (flow.Row, bool) {
		runs, err := s.flow.Runs(ctx, flow.RunFilter{Person: s.person})
		if err != nil || len(runs) == 0 {
			return row, false
		}
		s.run = runs[len(runs)-1].ID // the first one
		return row, true
	})
	if err != nil {
		return err
	}
	r, err := s.flow.RunOf(ctx, s.run)
	if err != nil {
		return err
	}
	grants, systems := 0, map[string]bool{}
	by := map[string]int{}
	for _, st := range r.Plan.Steps {
		if st.Implied || st.Action == dayone.MessageSend {
			continue
		}
		grants++
		systems[st.Key.System] = true
		for _, b := range st.Because {
			by[b.Policy]++
		}
	}
	var parts []string
	for _, p := range s.flow.Active().Policies {
		if n := by[p.ID]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", p.ID, n))
		}
	}
	fmt.Fprintf(s.out, "%s, %s in %s, starts %s.\n", row.Name, row.Title, row.Location, row.Starts.In(s.zone(ctx)).Format("Monday 2 January"))
	fmt.Fprintf(s.out, "Policies: %d grants in %d systems (%s). Plan: %d steps, %s.\n\n", grants, len(systems), strings.Join(parts, ", "), len(r.Plan.Steps), r.Hash[:12])
	return nil
}

func (s *story) zone(ctx context.Context) *time.Location {
	l, err := s.flow.Preview(ctx, s.person)
	if err != nil {
		return time.UTC
	}
	z, _ := l.Person.Location()
	return z
}

// The longest that is waited for anything: so long, and as long as so many calls take, one after the other.
const (
	awaitFor   = 30 * time.Second
	awaitCalls = 1000
)

// await asks until the answer is there. of is what it is waited for.
func (s *story) await(ctx context.Context, of string, ask func() (flow.Row, bool)) (flow.Row, error) {
	longest := awaitFor + awaitCalls*s.latency
	t := time.NewTicker(5 * time.Millisecond)
	defer t.Stop()
	end := time.NewTimer(longest)
	defer end.Stop()
	for {
		if row, ok := ask(); ok {
			return row, nil
		}
		select {
		case <-t.C:
		case <-end.C:
			return flow.Row{}, fmt.Errorf("nothing came of %s within %s; --log says what the server does: %w", of, longest, dayone.ErrUnavailable)
		case <-ctx.Done():
			return flow.Row{}, ctx.Err()
		case err := <-s.errs:
			return flow.Row{}, err
		}
	}
}

// monday is the first day: accounts open at its first instant, and Sarah signs in.
func (s *story) monday(ctx context.Context) error {
	l, err := s.flow.Preview(ctx, s.person)
	if err != nil {
		return err
	}
	zone, _ := l.Person.Location()
	start := l.Person.Start.In(zone)
	morning := time.Date(start.Year(), start.Month(), start.Day(), 8, 0, 0, 0, zone)
	if morning.After(s.clock.Now()) {
		fmt.Fprintf(s.out, "\nThe clock jumps to %s.\n\n", morning.Format("Monday 2 January 15:04 MST"))
		s.clock.Jump(morning)
	}
	id := s.run
	if s.first.Started.Before(l.Person.Start) { // else she had begun when HR said so, and her accounts opened at once
		if id, err = s.nextRun(ctx); err != nil {
			return err
		}
	}
	if id == "" {
		return nil // a kept world in which it is Monday already
	}
	s.recall(id)
	if was, ok := s.past[id]; ok && was.State.Over() {
		return nil
	}
	if _, err := s.watch(ctx, id); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\nSarah opens her laptop and signs in for the first time.\n\n")
	s.login(sarah)
	s.clock.Jump(s.clock.Now().Add(16 * time.Minute)) // the next look at what waited for her
	r, err := s.watchOver(ctx, id)
	if err != nil {
		return err
	}
	c := counts(r)
	fmt.Fprintf(s.out, "\n%s: %s, %d steps, %d failed.\n", r.Title, r.State, len(r.Steps), c.Failed)
	return nil
}

// nextRun waits for the run that the wake-up at the start of the first day begins.
func (s *story) nextRun(ctx context.Context) (dayone.RunID, error) {
	var id dayone.RunID
	_, err := s.await(ctx, "the first day", func() (flow.Row, bool) {
		runs, err := s.flow.Runs(ctx, flow.RunFilter{Person: s.person})
		if err != nil || len(runs) == 0 {
			return flow.Row{}, false
		}
		if i := slices.IndexFunc(runs, func(r dayone.Run) bool { return r.ID == s.run }); i > 0 { // the newest comes first, and a kept world has later ones
			id = runs[i-1].ID
			return flow.Row{}, true
		}
		l, err := s.flow.Preview(ctx, s.person)
		return flow.Row{}, err == nil && len(l.Plan.Steps) == 0
	})
	return id, err
}

// watchOver watches until nothing waits any more.
func (s *story) watchOver(ctx context.Context, id dayone.RunID) (dayone.Run, error) {
	for {
		r, err := s.watch(ctx, id)
		if err != nil || r.State.Over() {
			return r, err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return r, ctx.Err()
		}
	}
}

// again posts the same event once more: nothing happens, and it says so.
func (s *story) again(ctx context.Context) error {
	body, err := examples.Files.ReadFile(sarahsEvent)
	if err != nil {
		return err
	}
	before := s.calls()
	if _, err := s.hr.Post(ctx, http.DefaultClient, s.cfg.Portal.URL+"/hooks/hr", body); err != nil {
		return err
	}
	runs, err := s.flow.Runs(ctx, flow.RunFilter{Person: s.person})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\nHR says the same event again: it was said before, nothing changes (%d runs, %d calls to systems).\n", len(runs), s.calls()-before)
	return nil
}

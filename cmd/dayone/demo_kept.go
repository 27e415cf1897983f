package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/examples"
	"github.com/dayone-hq/dayone/flow"
)

// A kept world is told to its end once. From then on it is whoever looks around who acts in it: it goes on as they left it.

// toldFile is beside the books of a world whose story was told to its end.
const toldFile = "told"

// remember looks at what a kept world has behind it, so that it is not told as if it happened now.
func (s *story) remember(ctx context.Context) error {
	s.shown, s.past = map[dayone.RunID]map[dayone.StepID]dayone.StepState{}, map[dayone.RunID]dayone.Run{}
	row, err := s.flow.Named(ctx, sarah)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	runs, err := s.flow.Runs(ctx, flow.RunFilter{Person: row.ID})
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r, err = s.store.Run(ctx, r.ID); err != nil { // the engine, which knows runs in flight, does not run yet
			return err
		}
		s.past[r.ID], s.shown[r.ID] = r, map[dayone.StepID]dayone.StepState{}
		for _, st := range r.Steps {
			s.shown[r.ID][st.Step.ID] = st.State
		}
	}
	return nil
}

// recall says in a line what a run had behind it.
func (s *story) recall(id dayone.RunID) {
	r, ok := s.past[id]
	if !ok {
		return
	}
	done := 0
	for _, st := range r.Steps {
		if st.State.Over() {
			done++
		}
	}
	fmt.Fprintf(s.out, "  From before, %s: %s, %d of %d steps.\n", r.Started.UTC().Format("Mon 2 Jan 15:04 MST"), r.Title, done, len(r.Steps))
}

// told notes that the story is over.
func (s *story) told() error {
	if s.dir == "" {
		return nil
	}
	if err := os.WriteFile(filepath.Join(s.dir, toldFile), nil, 0o600); err != nil {
		return fmt.Errorf("noting that the demo was told: %w", err)
	}
	return nil
}

// wasTold says whether the story was over when the world was left.
func (s *story) wasTold() bool {
	if s.dir == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(s.dir, toldFile))
	return err == nil
}

// goOn says how a world stands in which the story is over. It judges nothing: what is otherwise than the story left it, somebody
// wanted.
func (s *story) goOn(ctx context.Context) (demoReport, error) {
	row, err := s.flow.Named(ctx, sarah)
	if errors.Is(err, dayone.ErrNotFound) || err == nil && len(s.past) == 0 {
		fmt.Fprintln(s.out, "\nSarah Chen is not in the books any more.")
		return demoReport{}, s.open(ctx)
	}
	if err != nil {
		return demoReport{}, err
	}
	s.person = row.ID
	if err := s.saidBefore(ctx); err != nil {
		return demoReport{}, err
	}
	for i, id := range s.pastRuns() {
		if i == 0 {
			s.run = id
		}
		s.recall(id)
	}
	if s.first, err = s.flow.RunOf(ctx, s.run); err != nil {
		return demoReport{}, err
	}
	s.before, _ = s.count(ctx)
	report, err := s.report(ctx)
	switch {
	case errors.Is(err, dayone.ErrInvalid): // somebody has said of her what allows no plan
		fmt.Fprintf(s.out, "\nNo plan can be made for Sarah Chen: %s.\n", flow.Problem(err))
	case err != nil:
		return report, err
	default:
		a := report.Grants.After
		fmt.Fprintf(s.out, "\nGrants: %d of %d confirmed in %d systems.\n", a.Confirmed, a.Total, len(report.Systems))
	}
	fmt.Fprintf(s.out, "The mailbox has %s.\n", count(len(s.mail.Messages()), "mail"))
	return report, s.open(ctx)
}

// pastRuns are the runs that a kept world has behind it, the oldest first.
func (s *story) pastRuns() []dayone.RunID {
	var out []dayone.RunID
	for id := range s.past {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b dayone.RunID) int {
		return cmp.Or(s.past[a].Started.Compare(s.past[b].Started), cmp.Compare(a, b))
	})
	return out
}

// saidBefore posts HR's event once more: it was said before.
func (s *story) saidBefore(ctx context.Context) error {
	body, err := examples.Files.ReadFile(sarahsEvent)
	if err != nil {
		return err
	}
	began := time.Now()
	status, err := s.hr.Post(ctx, http.DefaultClient, s.cfg.Portal.URL+"/hooks/hr", body)
	if err != nil {
		return fmt.Errorf("posting HR's event: %w", err)
	}
	fmt.Fprintf(s.out, "\nHR: employee.hired, event evt_abc123, said before, signed and accepted again (%d) in %s. Nothing changes.\n", status, round(time.Since(began)))
	return nil
}

// toldWaits is how many of what waits are told one by one.
const toldWaits = 3

// open says in a line what waits for whom.
func (s *story) open(ctx context.Context) error {
	var waits []string
	asked, err := s.flow.Approvals(ctx, flow.ApprovalFilter{Open: true, Limit: toldWaits})
	if err != nil {
		return err
	}
	asks, err := s.flow.CountApprovals(ctx)
	if err != nil {
		return err
	}
	for _, q := range asked {
		who := make([]string, 0, len(q.Deciders))
		for _, d := range q.Deciders {
			who = append(who, d.Mail)
		}
		row, err := s.flow.Person(ctx, q.Person)
		if err != nil {
			return err
		}
		waits = append(waits, fmt.Sprintf("%s of %s for an answer of %s", q.Key, row.Name, strings.Join(who, " or ")))
	}
	waits = more(waits, asks-len(asked), "request")
	tasks, err := s.flow.TasksBy(ctx, flow.TaskFilter{Limit: toldWaits})
	if err != nil {
		return err
	}
	todo, err := s.flow.CountTasks(ctx, flow.TaskFilter{})
	if err != nil {
		return err
	}
	for _, t := range tasks {
		who := t.Assignee
		if who == "" {
			who = "whoever takes it"
		}
		waits = append(waits, fmt.Sprintf("the task %q for %s", t.Title, who))
	}
	waits = more(waits, todo-len(tasks), "task")
	brakes, err := s.flow.Brakes(ctx, true, 100)
	if err != nil {
		return err
	}
	if n := len(brakes); n > 0 {
		waits = append(waits, count(n, "brake")+" for a decision")
	}
	if len(waits) == 0 {
		fmt.Fprintln(s.out, "Nothing waits for anybody.")
		return nil
	}
	fmt.Fprintf(s.out, "What waits: %s.\n", strings.Join(waits, "; "))
	return nil
}

// more adds how many there are beside those that are named.
func more(waits []string, n int, what string) []string {
	if n <= 0 {
		return waits
	}
	return append(waits, count(n, "further "+what))
}

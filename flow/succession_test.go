package flow_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// succeeded is what became of what somebody looked after, once that is done.
func (h *house) succeeded(id dayone.PersonID) dayone.Succession {
	h.t.Helper()
	return until(h, "what they looked after to be handed over", func() (dayone.Succession, bool) {
		s, err := h.Succession(ctx, id)
		if err != nil && !errors.Is(err, dayone.ErrNotFound) {
			h.t.Fatal(err)
		}
		return s, err == nil && !s.Done.IsZero()
	})
}

// things are the items of a succession, one line each.
func things(s dayone.Succession) []string {
	var out []string
	for _, i := range s.Items {
		what := "to " + i.To
		switch {
		case i.Act != "":
			what = "a human"
		case i.Over:
			what = "over"
		}
		out = append(out, fmt.Sprintf("%s %s: %s", i.Kind, i.Name, what))
	}
	slices.Sort(out)
	return out
}

// looksAfter is a house in which John, whose manager is Mia, looks after something of each kind.
func looksAfter(t *testing.T) (*world, *house, dayone.PersonID, dayone.TaskID) {
	t.Helper()
	w := newWorld(t)
	w.files = w.folder(strings.Replace(housePolicy, "owner: it@company.com", "owner: John.Doe@company.com", 1))
	w.joined = func(d *flow.Deps) { d.Asking.Fallback = []string{"john.doe@company.com"} }
	h := w.open()
	h.hires(employee("9", "first_name", "Mia", "last_name", "Long", "email", "mia@company.com", "start_date", "2024-10-01", "manager_email", ""))
	john, run := h.hires(employee("8", "first_name", "John", "last_name", "Doe", "email", "john.doe@company.com", "start_date", "2024-10-08", "manager_email", "mia@company.com"))
	h.hires(employee("7", "first_name", "Raj", "last_name", "Patel", "email", "raj@company.com", "start_date", "2024-10-08", "manager_email", "john.doe@company.com"))
	h.added(ngozi())
	task, err := h.ReportIssue(ctx, run.ID, "the badge does not open the door", "kim@company.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Assign(ctx, string(task.ID), "john.doe@company.com", "kim@company.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.LetDecide(ctx, "raj@company.com", "john.doe@company.com", time.Time{}, begin.AddDate(0, 1, 0), "kim@company.com"); err != nil {
		t.Fatal(err)
	}
	return w, h, john, task.ID
}

func TestWhatALeaverLookedAfterGoesToTheManagerOrIsOneTask(t *testing.T) {
	t.Parallel()
	_, h, john, task := looksAfter(t)
	if _, err := h.Terminate(ctx, john, "kim@company.com", "gone", "nobody@company.com"); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("a successor whom nobody knows: %v", err)
	}
	if _, err := h.Terminate(ctx, john, "kim@company.com", "gone", "john.doe@company.com"); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("himself: %v", err)
	}
	cut, err := h.TerminatePreview(ctx, john)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range cut.Plan.Steps { // systems are told who takes over what he owns there
		if x.Action == dayone.AccountDisable {
			same(t, x.Key.String(), x.Subject.Heir["email"], "mia@company.com")
		}
	}
	if _, err := h.Terminate(ctx, john, "kim@company.com", "gone", ""); err != nil {
		t.Fatal(err)
	}
	s := h.succeeded(john)
	same(t, "successor", s.To+", "+s.Why, "mia@company.com, manager")
	same(t, "what became of it", strings.Join(things(s), "\n"), strings.Join([]string{
		"delegation they decided for Raj Patel: over",
		"policy everyone: a human",
		"report Raj Patel: a human",
		"setting approvals.fallback: a human",
		"sponsorship Ngozi Eze: to mia@company.com",
		"task Issue: Onboard John Doe: to mia@company.com",
	}, "\n"))

	moved, err := h.Store.Task(ctx, string(task))
	if err != nil || moved.Assignee != "mia@company.com" || !moved.Closed.IsZero() {
		t.Errorf("the task: %+v, %v", moved, err)
	}
	if left, err := h.Delegations(ctx); err != nil || len(left) != 0 {
		t.Errorf("delegations: %+v, %v", left, err)
	}
	outsider, err := h.Store.PersonByEmail(ctx, "ngozi@partner.example")
	if err != nil {
		t.Fatal(err)
	}
	p := h.person(outsider.ID)
	same(t, "who answers", p.Engagements[0].Sponsor, "mia@company.com")
	same(t, "whose manager", p.Attrs.Text("manager"), "mia@company.com")

	todo, err := h.Store.Task(ctx, string(s.Task))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "who gets the rest", todo.Assignee, "mia@company.com")
	for _, word := range []string{"John Doe", "Raj Patel", "everyone", "house.yaml:", "approvals.fallback"} {
		if !strings.Contains(todo.Title+todo.Note, word) {
			t.Errorf("the task does not name %q: %s\n%s", word, todo.Title, todo.Note)
		}
	}
	if strings.Contains(todo.Note, "Ngozi") {
		t.Errorf("it asks for what is done: %s", todo.Note)
	}
	if n := h.saidOf(john, "handed over"); n != 1 {
		t.Errorf("%d lines of the ledger say so", n)
	}
}

func TestWhoWasNamedTakesOverAndWithoutAnybodyItIsATask(t *testing.T) {
	t.Parallel()
	_, h, john, task := looksAfter(t)
	if _, err := h.Terminate(ctx, john, "kim@company.com", "gone", " RAJ@company.com"); err != nil {
		t.Fatal(err)
	}
	s := h.succeeded(john)
	same(t, "successor", s.To, "raj@company.com")
	mia, err := h.Store.PersonByEmail(ctx, "mia@company.com")
	if err != nil {
		t.Fatal(err)
	}
	raj, err := h.Store.PersonByEmail(ctx, "raj@company.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []dayone.PersonID{mia.ID, raj.ID} { // now nobody is left above Raj
		if _, err := h.Terminate(ctx, id, "kim@company.com", "gone", ""); err != nil {
			t.Fatal(err)
		}
	}
	h.succeeded(mia.ID)
	s = h.succeeded(raj.ID)
	same(t, "nobody is found", s.To, "")
	got := strings.Join(things(s), "\n")
	for _, want := range []string{"task Issue: Onboard John Doe: a human", "sponsorship Ngozi Eze: a human"} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in:\n%s", want, got)
		}
	}
	if left, err := h.Store.Task(ctx, string(task)); err != nil || left.Assignee != "" || !left.Closed.IsZero() {
		t.Errorf("the task: %+v, %v", left, err)
	}
}

// It is moved once and written down once, whenever we fall.
func TestAFallWhileItIsHandedOverLosesNothing(t *testing.T) {
	t.Parallel()
	w, h, john, _ := looksAfter(t)
	if _, err := h.Terminate(ctx, john, "kim@company.com", "gone", ""); err != nil {
		t.Fatal(err)
	}
	first := h.succeeded(john)
	h.stopRun() // who looks meanwhile would hand over what comes next, and write it down
	again, err := h.ReportIssue(ctx, h.lastRun(john), "one more", "kim@company.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Assign(ctx, string(again.ID), "john.doe@company.com", "kim@company.com"); err != nil {
		t.Fatal(err)
	}
	for _, left := range []time.Time{first.Left.Add(time.Minute), first.Left} { // its end has moved, and moved back: a look says the same
		if err := h.Store.SucceedAt(ctx, john, left, h.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.FallsWhileHandingOver(ctx); err != nil {
		t.Fatal(err)
	}
	h.stop()

	h = w.open()
	s := h.succeeded(john)
	if got := strings.Join(things(s), "\n"); !strings.Contains(got, "task Issue: Offboard John Doe: to mia@company.com") {
		t.Errorf("what was moved before the fall is not in the books:\n%s", got)
	}
	same(t, "one task for both", s.Task, first.Task)
	n := 0
	tasks, err := h.Store.AllTasks(ctx, john)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range tasks {
		if strings.HasPrefix(x.Title, "Hand over") {
			n++
		}
	}
	same(t, "tasks that list the rest", n, 1)
}

func TestWhoCameBackFirstKeepsWhatTheyLookAfter(t *testing.T) {
	t.Parallel()
	_, h, john, task := looksAfter(t)
	h.stopRun()
	if err := h.Store.SucceedAt(ctx, john, begin, begin); err != nil {
		t.Fatal(err)
	}
	if err := h.FallsWhileHandingOver(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Store.Task(ctx, string(task)); err != nil || got.Assignee != "john.doe@company.com" {
		t.Errorf("the task: %+v, %v", got, err)
	}
	if next, err := h.Store.NextSuccession(ctx); err != nil || !next.IsZero() {
		t.Errorf("it is still due at %v, %v", next, err)
	}
}

func (h *house) lastRun(id dayone.PersonID) dayone.RunID {
	h.t.Helper()
	runs, err := h.Store.Runs(ctx, flow.RunFilter{Person: id, Limit: 1})
	if err != nil || len(runs) == 0 {
		h.t.Fatalf("no run: %v", err)
	}
	return runs[0].ID
}

// saidOf is how many lines of the ledger say something of a person.
func (h *house) saidOf(id dayone.PersonID, what string) (n int) {
	h.t.Helper()
	lines, err := h.Store.Records(ctx, flow.RecordFilter{Person: id, Limit: 200})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, l := range lines {
		if l.What == what {
			n++
		}
	}
	return n
}

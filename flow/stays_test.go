package flow_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// onlyDeletes lets GitLab know no closed accounts: what is closed there is deleted.
func (w *world) onlyDeletes() {
	w.joined = func(d *flow.Deps) {
		load := d.Load
		d.Load = func(f fs.FS) (*policy.Set, []policy.Diagnostic) {
			set, bad := load(f)
			if set != nil {
				sys := set.Systems["gitlab"]
				sys.States = map[dayone.State]dayone.State{dayone.Disabled: dayone.Gone}
				set.Systems["gitlab"] = sys
			}
			return set, bad
		}
	}
}

func (h *house) accessOf(id dayone.PersonID, key string) flow.Access {
	h.t.Helper()
	_, list, err := h.Access(ctx, id)
	if err != nil {
		h.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(a flow.Access) bool { return a.Key.String() == key })
	if i < 0 {
		h.t.Fatalf("there is no %s in %+v", key, list)
	}
	return list[i]
}

// legalTasks are the open ones that a legal hold made.
func (h *house) legalTasks(id dayone.PersonID) (out []dayone.Task) {
	h.t.Helper()
	all, err := h.Store.Tasks(ctx, id, "")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, t := range all {
		if strings.HasPrefix(t.Once, store.LegalTask) {
			out = append(out, t)
		}
	}
	return out
}

// A legal hold keeps open what could only be deleted. That is said before, on the page, and to whoever placed the hold.
func TestWhatALegalHoldKeepsOpenIsSaidBeforeAndAfter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.onlyDeletes()
	h := w.open()
	id, run := h.hires(employee("1001", "start_date", here))
	if _, err := h.HoldLegally(ctx, id, "counsel@company.com", "case 12/24"); err != nil {
		t.Fatal(err)
	}
	same(t, "tasks while she works", len(h.legalTasks(id)), 0)
	before, err := h.TerminatePreview(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if len(before.Stays) != 1 || before.Stays[0].Key.String() != "gitlab/account" || !before.Stays[0].Legal {
		t.Errorf("what stays open: %+v", before.Stays)
	}
	if s := before.Summary(); !strings.Contains(s, "1 thing stays open") || !strings.Contains(s, "Dayone takes") {
		t.Errorf("the summary is %q", s)
	}

	h.fired(id, run.ID)
	h.settledAt(id)
	a := h.accessOf(id, "gitlab/account")
	same(t, "the access tab", a.State, flow.StaysOpen)
	if !strings.Contains(a.Note, "legal hold") {
		t.Errorf("its note is %q", a.Note)
	}
	tasks := until(h, "a task for who placed the hold", func() ([]dayone.Task, bool) { l := h.legalTasks(id); return l, len(l) > 0 })
	same(t, "tasks", len(tasks), 1)
	same(t, "assignee", tasks[0].Assignee, "counsel@company.com")
	if !strings.Contains(tasks[0].Note, "case 12/24") || tasks[0].System != "gitlab" {
		t.Errorf("the task: %+v", tasks[0])
	}
	h.later(time.Hour)
	h.settledAt(id)
	same(t, "tasks later", len(h.legalTasks(id)), 1)
	e, err := h.ErasePreview(ctx, id)
	if err != nil || len(e.Stays) != 1 || e.Refused == "" {
		t.Errorf("what erasing says: %+v, %v", e, err)
	}

	// she closes it, and is not asked again; the end of the hold ends the rest
	if _, err := h.CompleteTask(ctx, string(tasks[0].ID), "counsel@company.com", nil); err != nil {
		t.Fatal(err)
	}
	h.later(48 * time.Hour)
	h.settledAt(id)
	same(t, "tasks after it was done", len(h.legalTasks(id)), 0)
}

func TestTheEndOfALegalHoldEndsItsTasks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.onlyDeletes()
	h := w.open()
	id, run := h.hires(employee("1001", "start_date", here))
	if _, err := h.HoldLegally(ctx, id, "administrator", "case 12/24"); err != nil {
		t.Fatal(err)
	}
	gone := h.fired(id, run.ID)
	task := until(h, "a task", func() (dayone.Task, bool) {
		l := h.legalTasks(id)
		if len(l) == 0 {
			return dayone.Task{}, false
		}
		return l[0], true
	})
	same(t, "a login that is no address gets no mail", task.Assignee, "")
	if _, err := h.ReleaseLegally(ctx, id, "counsel@company.com", "closed"); err != nil {
		t.Fatal(err)
	}
	same(t, "tasks", len(h.legalTasks(id)), 0)
	h.rests(id, gone.ID)
	for _, x := range h.held(id) {
		if x.Key.String() == "gitlab/account" {
			t.Errorf("it is %s", x.State)
		}
	}
}

// Where people work by hand a termination makes tasks, and says how many before.
func TestATerminationCountsWhatPeopleDoByHand(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, _ := h.hires(employee("1001", "start_date", here))
	if _, err := h.Order(ctx, dayone.Order{System: "gitlab", Kind: dayone.OrderManual, By: "kim@company.com", Reason: "its token is gone"}); err != nil {
		t.Fatal(err)
	}
	before, err := h.TerminatePreview(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range before.ByPeople {
		same(t, "by hand", s.Key.System, "gitlab")
	}
	for _, s := range before.ByUs {
		same(t, "by us", s.Key.System, "okta")
	}
	if len(before.ByPeople) == 0 || len(before.ByUs) == 0 || !strings.Contains(before.Summary(), "each becomes a task") {
		t.Errorf("%q: %d by us, %d by people", before.Summary(), len(before.ByUs), len(before.ByPeople))
	}
}

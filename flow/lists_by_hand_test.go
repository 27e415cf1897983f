package flow_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/manual"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// payroll is a system that nothing can call: finance are clerks there, sales approve.
const payrollPolicy = `
  - id: payroll
    title: Payroll
    owner: it@company.com
    match: {department: Finance}
    grant:
      - {to: payroll/account}
      - {to: payroll/role:clerk}
  - id: payroll-sales
    title: Payroll of sales
    owner: it@company.com
    match: {department: Sales}
    grant:
      - {to: payroll/account}
      - {to: payroll/role:approver}
`

const payrollCatalog = `
  payroll:
    role: {names: [clerk, approver], needs: account}
`

// office is a house with the payroll.
type office struct {
	*house
	file string
}

func payroll(t *testing.T) office {
	t.Helper()
	w := newWorld(t)
	o := office{file: filepath.Join(t.TempDir(), "payroll.csv")}
	if err := os.WriteFile(o.file, list("P-1;E-0;boss@company.com;active;approver"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(o.file, begin.Add(-time.Hour), begin.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	files := w.folder(housePolicy + payrollPolicy).(fstest.MapFS)
	files["catalog/catalog.yaml"] = &fstest.MapFile{Data: []byte(houseCatalog + payrollCatalog)}
	w.files = files
	w.joined = func(d *flow.Deps) {
		g, err := connector.Open(manual.Factory, "payroll", w.clock.Now, connector.Options{Settings: map[string]string{
			"title": "Payroll", "where": "https://payroll.company.com", "file": o.file, "kinds": "role", "columns": "state=Status",
		}})
		if err != nil {
			t.Fatal(err)
		}
		d.Systems["payroll"] = g
		var described []dayone.System
		for name, g := range d.Systems {
			described = append(described, g.Manifest.System(name))
		}
		d.Load = func(fsys fs.FS) (*policy.Set, []policy.Diagnostic) { return policy.Load(fsys, described) }
		d.Engine.Care = map[string]engine.Care{"payroll": {Manual: g.Manifest.Hands}}
		d.Asking.Owners = map[string]string{"payroll": "pay@company.com"}
	}
	o.house = w.open()
	return o
}

// brings a list of the head and these lines, a minute later.
func (o office) brings(lines ...string) flow.Brought {
	o.t.Helper()
	o.clock.Jump(o.clock.Now().Add(time.Minute))
	got, err := o.Bring(ctx, list(lines...), flow.Bringing{System: "payroll", By: "pam"})
	if err != nil {
		o.t.Fatal(err)
	}
	return got
}

func list(lines ...string) []byte {
	return []byte("id;employee_number;email;Status;role\n" + strings.Join(lines, "\n") + "\n")
}

// open are the tasks at the payroll.
func (o office) open(p dayone.PersonID) []dayone.Task {
	o.t.Helper()
	all, err := o.Tasks(ctx, p, "")
	if err != nil {
		o.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(t dayone.Task) bool { return t.System != "payroll" })
}

// asked waits for one task of the payroll and gives it.
func (o office) asked(p dayone.PersonID, what string) dayone.Task {
	o.t.Helper()
	return until(o.house, "the task "+what, func() (dayone.Task, bool) {
		ts := o.open(p)
		i := slices.IndexFunc(ts, func(t dayone.Task) bool { return string(t.Step) == what })
		if i < 0 {
			return dayone.Task{}, false
		}
		return ts[i], true
	})
}

func (o office) quiet(p dayone.PersonID) {
	o.t.Helper()
	until(o.house, "no task of the payroll", func() (bool, bool) { return true, len(o.open(p)) == 0 })
}

func (o office) has(p dayone.PersonID, key string) dayone.Holding {
	o.t.Helper()
	have, err := o.Store.Holdings(ctx, p, true)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, h := range have {
		if h.Key.String() == key {
			return h
		}
	}
	return dayone.Holding{}
}

// Somebody joins, moves and leaves at a system that nothing can call. Each step is a task; a newer list that shows it done
// completes it; the certificate believes only a list from after the last of them.
func TestASystemByHandIsReadFromLists(t *testing.T) {
	t.Parallel()
	o := payroll(t)
	o.brings("P-1;E-0;boss@company.com;active;approver", "P-2;E-9;other@company.com;active;clerk")

	p, run := o.hires(employee("1", "department", "Finance", "start_date", "2024-11-11"))
	todo := o.asked(p, "payroll/account account.create")
	if !strings.Contains(todo.Note, "Make the account in Payroll (https://payroll.company.com)") {
		t.Errorf("the task does not say what to do, and where: %q", todo.Note)
	}
	o.lookedAt(p)
	same(t, "who is asked", until(o.house, "somebody is asked", func() (string, bool) {
		ts := o.open(p)
		return ts[0].Assignee, ts[0].Assignee != ""
	}), "pay@company.com")

	_, err := o.CompleteTask(ctx, string(todo.ID), "pam", dayone.Attrs{"ref": dayone.Text("P-3")})
	is(t, err, dayone.ErrInvalid) // the list is from before: somebody has to say how they know
	if err == nil || !strings.Contains(err.Error(), "before this task") {
		t.Errorf("the refusal says %v", err)
	}
	same(t, "done by a list that does not show her", o.brings("P-1;E-0;boss@company.com;active;approver", "P-2;E-9;other@company.com;active;clerk").Done, 0)
	same(t, "done by a list that shows somebody else of her mail", o.brings("P-1;E-0;boss@company.com;active;approver", "P-2;E-9;other@company.com;active;clerk", "P-4;E-44;e1@company.com;active;").Done, 0)
	got := o.brings("P-1;E-0;boss@company.com;active;approver", "P-2;E-9;other@company.com;active;clerk", "P-3;1;e1@company.com;active;")
	same(t, "done by the list that shows her", got.Done, 1)
	same(t, "her account", o.has(p, "payroll/account").Ref, "P-3")
	o.asked(p, "payroll/role:clerk entitlement.add")
	o.brings("P-1;E-0;boss@company.com;active;approver", "P-2;E-9;other@company.com;active;clerk", "P-3;1;e1@company.com;active;clerk")
	o.quiet(p)
	run = o.rests(p, "")
	same(t, "her run", run.State, dayone.RunDone)

	moved := o.changes(p, run.ID, employee("1", "start_date", "2024-11-11", "department", "Sales"))
	take := o.asked(p, "payroll/role:clerk entitlement.remove")
	o.brings("P-1;E-0;boss@company.com;active;approver", "P-2;E-9;other@company.com;active;clerk", "P-3;1;e1@company.com;active;approver")
	o.quiet(p)
	done, err := o.Store.Task(ctx, string(take.ID))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "who has done it", done.By, "pam")
	if !strings.Contains(done.Attrs.Text("note"), "read back from Payroll") {
		t.Errorf("how it is known: %v", done.Attrs)
	}

	o.rests(p, "")
	o.fired(p, moved.ID)
	o.asked(p, "payroll/account account.disable")
	first := o.judgement(p)
	same(t, "with a list from before", first.Verdict, dayone.Unreadable)
	o.brings("P-1;E-0;boss@company.com;active;approver", "P-2;E-9;other@company.com;active;clerk", "P-3;1;e1@company.com;active;approver")
	same(t, "with a list that shows her at work", o.judgement(p).Verdict, dayone.StillOpen)
	o.brings("P-1;E-0;boss@company.com;active;approver", "P-2;E-9;other@company.com;active;clerk", "P-3;1;e1@company.com;inactive;")
	o.quiet(p)
	same(t, "with a list that shows her closed", o.judgement(p).Verdict, dayone.Closed)
	o.clock.Jump(o.clock.Now().Add(8 * 24 * time.Hour))
	late := o.judgement(p)
	same(t, "a week later", late.Verdict, dayone.Unreadable)
	if len(late.Findings) == 0 || !strings.Contains(late.Findings[0].Note, "could not be checked: its list is of 2024-11-15 15:08 UTC, and is believed for 7 days") {
		t.Errorf("nothing says why: %+v", late.Findings)
	}
}

// judgement is what a certificate says of the payroll.
func (o office) judgement(p dayone.PersonID) dayone.ReadBack {
	o.t.Helper()
	c, err := o.Certify(ctx, p, "auditor@company.com")
	if err != nil {
		o.t.Fatal(err)
	}
	for _, s := range c.Systems {
		if s.System == "payroll" {
			return s
		}
	}
	o.t.Fatal("the certificate says nothing of the payroll")
	return dayone.ReadBack{}
}

// What was done by hand is taken back by hand: undo plans the inverse as tasks, and the next list completes them.
func TestWhatWasDoneByHandIsUndoneByHand(t *testing.T) {
	t.Parallel()
	o := payroll(t)
	o.brings("P-1;E-0;boss@company.com;active;approver")
	p, _ := o.hires(employee("1", "department", "Finance", "start_date", "2024-11-11"))
	todo := o.asked(p, "payroll/account account.create")
	if _, err := o.CompleteTask(ctx, string(todo.ID), "pam", dayone.Attrs{"ref": dayone.Text("P-3"), dayone.Evidence: dayone.Text("ticket 42")}); err != nil {
		t.Fatal(err)
	}
	give := o.asked(p, "payroll/role:clerk entitlement.add")
	if _, err := o.CompleteTask(ctx, string(give.ID), "pam", dayone.Attrs{dayone.Evidence: dayone.Text("ticket 43")}); err != nil {
		t.Fatal(err)
	}
	run := until(o.house, "the run's end", func() (dayone.Run, bool) {
		r := o.newest(p)
		return r, r.State == dayone.RunDone
	})
	o.brings("P-1;E-0;boss@company.com;active;approver", "P-3;1;e1@company.com;active;clerk")
	u, err := o.UndoPreview(ctx, run.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	by, err := o.Undo(ctx, flow.UndoOrder{Run: run.ID, By: "kim", Reason: "wrong person", Hash: u.Hash})
	if err != nil {
		t.Fatal(err)
	}
	o.asked(p, "payroll/account account.disable (undo)")
	o.brings("P-1;E-0;boss@company.com;active;approver", "P-3;1;e1@company.com;closed;clerk")
	o.asked(p, "payroll/role:clerk entitlement.remove (undo)")
	same(t, "the account", o.has(p, "payroll/account").State, dayone.Disabled)
	o.brings("P-1;E-0;boss@company.com;active;approver") // who is not in it has nothing there
	o.quiet(p)
	same(t, "the undo", o.over(by).State, dayone.RunDone)
}

// Somebody orders it to work by itself: nothing can call it, so that is refused, its steps stay tasks, and a list still completes
// them. Whoever has no list that shows it done says how they know.
func TestASystemByHandStaysOne(t *testing.T) {
	t.Parallel()
	o := payroll(t)
	o.brings("P-1;E-0;boss@company.com;active;approver")
	_, err := o.Order(ctx, dayone.Order{Kind: dayone.OrderAutomatic, System: "payroll", Reason: "let us see", By: "kim"})
	is(t, err, dayone.ErrInvalid)
	p, _ := o.hires(employee("1", "department", "Finance", "start_date", "2024-11-11"))
	todo := o.asked(p, "payroll/account account.create")
	_, err = o.CompleteTask(ctx, string(todo.ID), "pam", dayone.Attrs{"ref": dayone.Text("P-3")})
	is(t, err, dayone.ErrInvalid)
	same(t, "done by the list", o.brings("P-1;E-0;boss@company.com;active;approver", "P-3;;E1@company.com;active;").Done, 1) // by its mail: it is new
	give := o.asked(p, "payroll/role:clerk entitlement.add")
	if give.ID == todo.ID {
		t.Error("the same task")
	}
	_, err = o.CompleteTask(ctx, string(give.ID), "pam", dayone.Attrs{})
	is(t, err, dayone.ErrInvalid)
	if _, err := o.CompleteTask(ctx, string(give.ID), "pam", dayone.Attrs{"note": dayone.Text("seen on the screen")}); err != nil {
		t.Fatal(err)
	}
	o.quiet(p)
}

// A list is judged whole: what is wrong is said with its place, half a list is refused, and a trial changes nothing.
func TestAListIsJudgedBeforeItCounts(t *testing.T) {
	t.Parallel()
	o := payroll(t)
	bring := func(b flow.Bringing, raw []byte) (flow.Brought, error) {
		b.System, b.By = "payroll", "pam"
		return o.Bring(ctx, raw, b)
	}
	if err := os.Remove(o.file); err != nil {
		t.Fatal(err)
	}
	st, err := o.ListOf(ctx, "payroll")
	if err != nil || st.Problem == "" || !st.At.IsZero() {
		t.Errorf("before any list: %+v %v", st, err)
	}
	whole := list("P-1;E-1;a@company.com;active;clerk", "P-2;E-2;b@company.com;active;", "P-3;E-3;c@company.com;inactive;")
	got, err := bring(flow.Bringing{Dry: true}, whole)
	if err != nil || got.Rows != 3 {
		t.Fatal(got, err)
	}
	if _, err := os.Stat(o.file); err == nil {
		t.Fatal("a trial was kept")
	}
	if _, err := bring(flow.Bringing{}, whole); err != nil {
		t.Fatal(err)
	}
	for want, raw := range map[string][]byte{
		`line 3, column "Status": this is no state`:             list("P-1;E-1;a@company.com;active;clerk", "P-2;E-2;b@company.com;gone fishing;"),
		`line 3: it has 2 fields, and the head has 5`:           list("P-1;E-1;a@company.com;active;clerk", "P-2;E-2"),
		`line 3, column "id": this id stands in line 2 as well`: list("P-1;E-1;a@company.com;active;clerk", "P-1;E-2;b@company.com;active;"),
		`line 1: it has no column "Status"`:                     []byte("id;employee_number;email\nP-1;E-1;a@company.com\n"),
		`the list is empty`:                                     nil,
	} {
		_, err := bring(flow.Bringing{}, raw)
		is(t, err, dayone.ErrInvalid)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	half := list("P-1;E-1;a@company.com;active;clerk")
	_, err = bring(flow.Bringing{}, half)
	is(t, err, dayone.ErrConflict)
	_, err = bring(flow.Bringing{}, list())
	is(t, err, dayone.ErrConflict)
	_, err = bring(flow.Bringing{At: o.clock.Now().Add(-24 * time.Hour)}, whole)
	is(t, err, dayone.ErrConflict) // older than what counts
	_, err = bring(flow.Bringing{At: o.clock.Now().Add(24 * time.Hour)}, whole)
	is(t, err, dayone.ErrInvalid)
	if st, err = o.ListOf(ctx, "payroll"); err != nil || st.Accounts != 3 || st.Problem != "" {
		t.Errorf("after what was refused: %+v %v", st, err)
	}
	if got, err = bring(flow.Bringing{Smaller: true}, half); err != nil || len(got.Missing) != 2 {
		t.Errorf("somebody has seen it: %+v %v", got, err)
	}
	_, err = o.Bring(ctx, whole, flow.Bringing{System: "okta", By: "pam"})
	is(t, err, dayone.ErrUnsupported)
	_, err = o.Bring(ctx, whole, flow.Bringing{System: "nowhere", By: "pam"})
	is(t, err, dayone.ErrNotFound)
	recs, err := o.Records(ctx, store.RecordFilter{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range recs {
		if r.What == "list brought" && r.System == "payroll" {
			n++
		}
	}
	same(t, "lists in the ledger", n, 2)
}

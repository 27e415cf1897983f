package flow_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
)

// asksAmongAll are what waits for a login, found by reading all that is open.
func (h *house) asksAmongAll(ctx context.Context, login string) (asks []dayone.ApprovalID, tasks []dayone.TaskID) {
	h.t.Helper()
	open, err := h.Approvals(ctx, flow.ApprovalFilter{Open: true, Limit: 10_000})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, a := range open {
		if slices.ContainsFunc(a.Deciders, func(d dayone.Decider) bool { return strings.EqualFold(d.Mail, login) }) {
			asks = append(asks, a.ID)
		}
	}
	todo, err := h.TasksBy(ctx, flow.TaskFilter{})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, x := range todo {
		hers, err := h.HasTask(ctx, x, login)
		if err != nil {
			h.t.Fatal(err)
		}
		if hers {
			tasks = append(tasks, x.ID)
		}
	}
	return asks, tasks
}

// What waits for somebody is what one finds who reads everything, whoever looks, in the same order.
func TestWhatWaitsForSomebodyIsWhatReadingEverythingFinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.joined = func(d *flow.Deps) {
		d.Asking.Groups = map[string][]string{"Helpdesk": {strings.ToUpper(john), vera}, "helpdesk": {erin}, "Nobody": nil}
	}
	h := w.open()
	h.stopRun()
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	logins := []string{john, vera, erin, "max@company.com", "nobody@company.com", "administrator", ""}
	as := func(who string) string { return []string{who, strings.ToUpper(who)}[r.IntN(2)] }

	var ids []dayone.PersonID
	for i := range 12 {
		id := dayone.PersonID(fmt.Sprintf("per_%026d", i))
		row := store.Row{ID: id, Name: fmt.Sprintf("Person %d", i), Status: dayone.Working, Country: pick([]string{"FR", "DE"})}
		if i < 4 {
			row.Email = logins[i]
		}
		do(h.Store.Save(ctx, store.Saved{Person: id, New: true, Row: &row}))
		var has []dayone.Holding
		for _, k := range []dayone.Key{
			{System: "okta", Kind: "group", Name: "sales-team"},
			{System: "okta", Kind: "group", Name: "all"},
			{System: "okta", Kind: "app", Name: "apart"},
			{System: "elsewhere", Kind: "group", Name: "unknown"},
			{System: "okta", As: "admin", Kind: "group", Name: "second"},
		} {
			if r.IntN(2) == 0 {
				has = append(has, dayone.Holding{Item: dayone.Item{Key: k, State: []dayone.State{dayone.Active, dayone.Disabled}[r.IntN(2)]}})
			}
		}
		do(h.Store.KeepHoldings(ctx, id, has))
		ids = append(ids, id)
	}
	assignees := append([]string{"group:Helpdesk", "group:helpdesk", "group:sales-team", "group:all", "group:apart", "group:unknown", "group:second", "group:Nobody", "group:no such"}, logins...)
	due := func() time.Time { return begin.Add(time.Duration(r.IntN(40)) * time.Hour) }
	deciders := func() (out []dayone.Decider) {
		for range r.IntN(4) {
			out = append(out, dayone.Decider{Mail: as(pick(logins[:6])), As: "manager"})
		}
		return out
	}
	for i := range 120 {
		a := dayone.Petition{
			ID: dayone.ApprovalID(fmt.Sprintf("apr_%026d", i)), Person: ids[r.IntN(len(ids))], Key: dayone.Key{System: pick([]string{"okta", "gitlab"}), Kind: "group", Name: fmt.Sprint(i)}, Once: fmt.Sprint("ask ", i),
			State: dayone.ApprovalOpen, Opened: begin, Due: due(), Deciders: deciders(),
		}
		do(h.Store.AskApprovals(ctx, []dayone.Petition{a}))
		if r.IntN(3) == 0 {
			_, err := h.Store.ChangeApproval(ctx, a.ID, time.Time{}, func(a *dayone.Petition) error {
				if a.Deciders = deciders(); r.IntN(3) == 0 {
					a.State = dayone.ApprovalStates[r.IntN(len(dayone.ApprovalStates))]
				}
				return nil
			})
			do(err)
		}
		x := dayone.Task{
			ID: dayone.TaskID(fmt.Sprintf("tsk_%026d", i)), Person: append(ids, "")[r.IntN(len(ids)+1)], Once: fmt.Sprint("do ", i), System: pick([]string{"", "okta", "gitlab"}), Title: "To do",
			Opened: begin, Due: due(), Assignee: pick(assignees),
		}
		do(h.Store.OpenTask(ctx, x))
		switch r.IntN(4) {
		case 0:
			if _, err := h.Assign(ctx, string(x.ID), pick(assignees[:len(assignees)-2]), "kim"); err != nil {
				t.Fatal(err)
			}
		case 1:
			_, err := h.Store.ChangeTask(ctx, x.ID, func(x *dayone.Task) error { x.Closed = begin; return nil })
			do(err)
		}
	}
	do(h.Store.Erase(ctx, ids[len(ids)-1], begin))

	found := 0
	for name, scope := range map[string]dayone.Scope{"the whole": nil, "a country": {{Countries: []string{"FR"}}}, "a system": {{Systems: []string{"okta"}}}} {
		sees := flow.As(ctx, dayone.Viewer{Login: "kim", Role: dayone.Operator, Scope: scope})
		for _, login := range logins {
			login = as(login)
			asks, tasks, err := h.AsksOf(sees, login)
			do(err)
			var gotAsks []dayone.ApprovalID
			for _, a := range asks {
				gotAsks = append(gotAsks, a.ID)
			}
			var gotTasks []dayone.TaskID
			for _, x := range tasks {
				gotTasks = append(gotTasks, x.ID)
			}
			wantAsks, wantTasks := h.asksAmongAll(sees, login)
			if found += len(gotAsks) + len(gotTasks); !reflect.DeepEqual(gotAsks, wantAsks) || !reflect.DeepEqual(gotTasks, wantTasks) {
				t.Errorf("seed %d: of %s, for %q wait %v %v\nwant %v %v", seed, name, login, gotAsks, gotTasks, wantAsks, wantTasks)
			}
		}
	}
	if found < 50 {
		t.Errorf("seed %d: %d wait in all, which says little", seed, found)
	}
}

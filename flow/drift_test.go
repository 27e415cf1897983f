package flow_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// another does something at Okta as another administrator would.
func (h *house) another(method, path string) {
	h.t.Helper()
	s := h.setups["okta"]
	req, err := http.NewRequestWithContext(ctx, method, s["url"]+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "SSWS "+s["token"])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode >= 300 {
		h.t.Fatalf("%s %s answers %d", method, path, res.StatusCode)
	}
}

// oktaGroup is the id of a group.
func (h *house) oktaGroup(name string) string {
	h.t.Helper()
	s := h.setups["okta"]
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s["url"]+"/api/v1/groups?limit=200", nil)
	req.Header.Set("Authorization", "SSWS "+s["token"])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	var list []struct {
		ID      string
		Profile struct{ Name string }
	}
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		h.t.Fatal(err)
	}
	for _, g := range list {
		if g.Profile.Name == name {
			return g.ID
		}
	}
	h.t.Fatalf("Okta has no group %s", name)
	return ""
}

// drifts reads Okta and says what differs, as "kind key".
func (h *house) drifts() map[string]flow.DriftRow {
	h.t.Helper()
	if _, err := h.CountSystem(ctx, "okta"); err != nil {
		h.t.Fatal(err)
	}
	list, err := h.Drift(ctx, flow.DriftFilter{})
	if err != nil {
		h.t.Fatal(err)
	}
	out := map[string]flow.DriftRow{}
	for _, x := range list {
		out[string(x.Kind)+" "+x.Key.String()] = x
	}
	return out
}

func only(t *testing.T, got map[string]flow.DriftRow, want ...string) {
	t.Helper()
	var is []string
	for k := range got {
		is = append(is, k)
	}
	slices.Sort(is)
	slices.Sort(want)
	if !slices.Equal(is, want) {
		t.Errorf("drift is %v, not %v", is, want)
	}
}

func TestWhatAnotherAdministratorDoesIsFoundAndPutRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wrong := &elsewhere{}
	w.transport = wrong
	h := w.open()
	id, run := h.hires(employee("1001", "start_date", here, "department", "Finance"))
	a, _ := account(h.okta, "e1001@company.com")
	h.another(http.MethodPost, "/api/v1/users/"+a.Ref+"/lifecycle/suspend")
	only(t, h.drifts()) // a moment after a run what differs may still be on its way

	h.later(2 * time.Hour)
	base, sales := h.oktaGroup("base-employee"), h.oktaGroup("sales-team")
	h.another(http.MethodPut, "/api/v1/groups/"+sales+"/users/"+a.Ref)
	first := h.drifts()
	only(t, first, "closed okta/account", "extra okta/group:sales-team")
	closed := first["closed okta/account"]
	same(t, "whose", closed.Person, id)
	same(t, "name", closed.Name, "Erin No 1001")
	same(t, "was", closed.Was, "active")
	same(t, "is", closed.Is.State, dayone.Disabled)
	same(t, "by", strings.Join(closed.By, ","), "everyone")

	h.another(http.MethodPost, "/api/v1/users/"+a.Ref+"/lifecycle/unsuspend")
	h.another(http.MethodDelete, "/api/v1/groups/"+base+"/users/"+a.Ref)
	h.stop() // it is in the books
	h = w.open()
	h.later(time.Hour)
	wrong.answers.Store(http.StatusForbidden) // what cannot be read mends nothing, and nothing is missing
	if _, err := h.CountSystem(ctx, "okta"); err == nil {
		t.Error("a refusal counts as a list")
	}
	wrong.answers.Store(0)
	list, err := h.Drift(ctx, flow.DriftFilter{System: "okta", Person: id})
	if err != nil || len(list) != 2 {
		t.Errorf("after a refusal %d differ, %v", len(list), err)
	}
	reads, err := h.DriftReadings(ctx)
	if err != nil || reads["okta"].Note == "" || reads["okta"].At.IsZero() {
		t.Errorf("the reading says %+v, %v", reads["okta"], err)
	}

	second := h.drifts()
	only(t, second, "missing okta/group:base-employee", "extra okta/group:sales-team")
	extra := second["extra okta/group:sales-team"]
	same(t, "known since", extra.Since, first["extra okta/group:sales-team"].Since)
	same(t, "known as", extra.ID, first["extra okta/group:sales-team"].ID)

	missing := second["missing okta/group:base-employee"]
	v, err := h.DriftOf(ctx, missing.ID)
	if err != nil || len(v.Steps) != 1 || v.Steps[0].Action != dayone.EntitlementAdd || v.Waits+v.Refused != "" {
		t.Errorf("putting it right is %+v, %v", v, err)
	}
	_, err = h.PutRight(ctx, missing.ID, "kim@company.com", " ")
	is(t, err, dayone.ErrInvalid)
	if _, err := h.PutRight(ctx, missing.ID, "kim@company.com", "CHG-1"); err != nil {
		t.Fatal(err)
	}
	h.rests(id, run.ID)
	h.shows(h.okta, "e1001@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	_, err = h.PutRight(ctx, missing.ID, "kim@company.com", "CHG-1")
	is(t, err, dayone.ErrNotFound)

	if _, err := h.AcceptDrift(ctx, extra.ID, "kim@company.com", "she helps out there", time.Time{}); err != nil {
		t.Fatal(err)
	}
	h.later(3 * time.Hour)
	only(t, h.drifts())
	h.shows(h.okta, "e1001@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	records, err := h.Records(ctx, flow.RecordFilter{Person: id, Limit: 100})
	if err != nil || !slices.ContainsFunc(records, func(r flow.Line) bool { return r.What == "drift accepted: okta/group:sales-team is extra" }) {
		t.Errorf("the ledger does not say who accepted it: %v", err)
	}
}

func TestALeaversAccountThatSomebodyOpensIsClosedAgain(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, run := h.hires(employee("1001", "start_date", here, "department", "Finance"))
	h.hires(employee("1002", "start_date", here, "department", "Finance"))
	h.fired(id, run.ID)
	runs, err := h.Runs(ctx, flow.RunFilter{Person: id, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	h.later(2 * time.Hour)
	only(t, h.drifts())
	h.okta.Reopen("e1001@company.com")
	got := h.drifts()
	only(t, got, "open okta/account")
	x := got["open okta/account"]
	_, err = h.AcceptDrift(ctx, x.ID, "kim@company.com", "he asked for it", time.Time{})
	is(t, err, dayone.ErrForbidden)
	if _, err := h.PutRight(ctx, x.ID, "kim@company.com", "he left"); err != nil {
		t.Fatal(err)
	}
	h.rests(id, runs[0].ID)
	if a, _ := account(h.okta, "e1001@company.com"); a.State != dayone.Disabled {
		t.Errorf("it is %s", a.State)
	}
	h.later(2 * time.Hour)
	only(t, h.drifts())
}

func TestAnAccountThatIsGoneIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.joined = func(d *flow.Deps) { d.Removals.ListsAt = "03:30" }
	h := w.open()
	id, _ := h.hires(employee("1001", "start_date", here, "department", "Finance"))
	h.hires(employee("1002", "start_date", here, "department", "Finance"))
	h.later(2 * time.Hour)
	a, _ := account(h.okta, "e1001@company.com")
	h.another(http.MethodPost, "/api/v1/users/"+a.Ref+"/lifecycle/deactivate")
	h.another(http.MethodDelete, "/api/v1/users/"+a.Ref)
	if err := h.ReadSystem(ctx, "okta", "kim@company.com"); err != nil {
		t.Fatal(err)
	}
	is(t, h.ReadSystem(ctx, "nowhere", "kim@company.com"), dayone.ErrNotFound)
	is(t, h.ReadSystem(ctx, "mail", "kim@company.com"), dayone.ErrUnsupported)
	got := until(h, "drift", func() (flow.DriftRow, bool) {
		list, err := h.Drift(ctx, flow.DriftFilter{System: "okta"})
		return append(list, flow.DriftRow{})[0], err == nil && len(list) == 1
	})
	same(t, "kind", got.Kind, dayone.DriftMissing)
	same(t, "whose", got.Person, id)
	hers, err := h.ProgressOf(ctx, id, true)
	if err != nil || len(hers.Lacks) != 1 || !hers.Lacks[got.Key] { // her own page does not call it ready
		t.Errorf("she lacks %v, %v", hers.Lacks, err)
	}
	counts, err := h.CountDrift(ctx)
	if err != nil || counts["okta"] != 1 || len(counts) != 1 {
		t.Errorf("counted %v, %v", counts, err)
	}
	if _, err := h.PutRight(ctx, got.ID, "kim@company.com", "deleted by mistake"); err != nil {
		t.Fatal(err)
	}
	until(h, "the account", func() (bool, bool) {
		a, ok := account(h.okta, "e1001@company.com")
		return ok, ok && a.State == dayone.Active && slices.Contains(a.Entitlements, "group:base-employee")
	})
}

// A run of ours that sees to a thing settles what differed of it: the page says nothing of a state that the books do not have any
// more. An undo says before what its system has shown, and closes it all the same.
func TestAnUndoSettlesWhatDiffered(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	h.later(2 * time.Hour)
	a, _ := account(h.okta, erinMail)
	h.another(http.MethodPost, "/api/v1/users/"+a.Ref+"/lifecycle/suspend")
	h.another(http.MethodPut, "/api/v1/groups/"+h.oktaGroup("sales-team")+"/users/"+a.Ref)
	only(t, h.drifts(), "closed okta/account", "extra okta/group:sales-team")
	h.later(10 * time.Minute)
	if u := h.preview(r.ID); !slices.ContainsFunc(u.Instead(), func(x dayone.Finding) bool {
		return x.Key.String() == "okta/account" && strings.HasPrefix(x.Text, "its system showed it closed already on 15 November 2024")
	}) {
		t.Errorf("the preview says %+v", u.Instead())
	}
	if f := failures(h.undoes(r.ID)); len(f) > 0 {
		t.Fatal(f)
	}
	list, err := h.Drift(ctx, flow.DriftFilter{Person: p})
	if err != nil || len(list) != 0 {
		t.Errorf("%d still differ, the first: %+v; %v", len(list), list, err)
	}
	if n, err := h.CountDrift(ctx); err != nil || n["okta"] != 0 {
		t.Errorf("%v still differ; %v", n, err)
	}
}

package flow_test

import (
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
)

// decides is the house's folder, in which somebody decides about groups of Okta: "{sales-team: exclusive}".
func (w *world) decides(authority string) fs.FS {
	files := w.folder(housePolicy).(fstest.MapFS)
	files["catalog/catalog.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(houseCatalog, "sales-team], needs: account}", "sales-team, contractors], needs: account, authority_of: "+authority+"}", 1))}
	return files
}

// joins puts somebody into a group at Okta, as another administrator would.
func (h *house) joins(login, group string) {
	h.t.Helper()
	a, ok := account(h.okta, login)
	if !ok {
		h.t.Fatalf("there is no account of %s", login)
	}
	h.another(http.MethodPut, "/api/v1/groups/"+h.oktaGroup(group)+"/users/"+a.Ref)
}

// Making policies decide alone is planned and braked like any other change: the plan says who loses what, given by whom, and
// applied, that goes, while what a policy gives stays.
func TestAPlanSaysWhoLosesWhatPoliciesAloneDecideAbout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	known, first := h.hires(employee("1", "start_date", here, "department", "Finance"))
	seen, _ := h.hires(employee("2", "start_date", here, "department", "Finance"))
	h.hires(employee("3", "start_date", here, "department", "Sales"))
	h.later(2 * time.Hour)
	h.joins("e1@company.com", "sales-team")
	h.joins("e2@company.com", "sales-team")
	for _, x := range h.drifts() {
		if x.Person == known {
			if _, err := h.AcceptDrift(ctx, x.ID, "kim@company.com", "she helps out there", time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	day := h.clock.Now().UTC().Format(time.DateOnly)
	files := w.decides("{sales-team: exclusive}")
	set, diags := h.Load(files)
	if set == nil {
		t.Fatal(diags)
	}
	pr := flow.Proposal{Set: set, Files: files, Author: "kim@company.com"}
	e, _, judged, err := h.PlanBothWays(ctx, pr, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(judged, e, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("a plan (+) is not what close looks say (-)\n%s", diff)
	}
	if len(e.Changes) != 2 {
		t.Errorf("it changes %+v", e.Changes)
	}
	for _, c := range e.Changes {
		want := "baseline (seen " + day + ")"
		if c.Person == seen {
			want = "seen at okta since " + day
		}
		if len(c.Lost) != 1 || c.Lost[0].Key.Name != "sales-team" || c.Lost[0].By != want || len(c.Gained)+len(c.Changed) > 0 {
			t.Errorf("%s: %+v", c.Name, c)
		}
	}
	if _, err := h.Apply(ctx, pr, e, "priya@company.com", "CHG-1", ""); err != nil {
		t.Fatal(err)
	}
	h.rests(known, first.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
	h.shows(h.okta, "e3@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	x, err := h.Explain(ctx, known, dayone.Key{System: "okta", Kind: "group", Name: "sales-team"})
	if err != nil || x.Authority != dayone.Exclusive || x.There {
		t.Errorf("explained: %+v, %v", x, err)
	}
	if again := h.everybody(pr); len(again.Changes) > 0 {
		t.Errorf("what is in force changes %+v", again.Changes)
	}
}

// opened is the house with people, whose groups somebody decides about.
func opened(t *testing.T, authority string, people ...string) (*house, []dayone.PersonID) {
	t.Helper()
	w := newWorld(t)
	w.files = w.decides(authority)
	h := w.open()
	var ids []dayone.PersonID
	for _, n := range people {
		id, _ := h.hires(employee(n, "start_date", here, "department", "Finance"))
		ids = append(ids, id)
	}
	h.later(2 * time.Hour)
	return h, ids
}

// runsAfter waits for the run that something begins.
func (h *house) runsAfter(id dayone.PersonID, do func()) {
	h.t.Helper()
	last, err := h.Runs(ctx, flow.RunFilter{Person: id, Limit: 1})
	if err != nil {
		h.t.Fatal(err)
	}
	do()
	h.rests(id, last[0].ID)
}

// without waits until somebody is in no group but the one of everybody.
func (h *house) without(login string) {
	h.t.Helper()
	until(h, "the group is gone", func() (bool, bool) {
		a, ok := account(h.okta, login)
		return true, ok && strings.Join(a.Entitlements, " ") == "group:base-employee"
	})
}

// Somebody gives a group in the vendor's console about which policies alone decide: the next comparison takes it away with proof.
// Given again and again, it waits for a human.
func TestWhatPoliciesAloneDecideAboutIsPutRightByItself(t *testing.T) {
	t.Parallel()
	h, ids := opened(t, "{sales-team: exclusive}", "1001")
	id, mail := ids[0], "e1001@company.com"
	for range 2 {
		h.runsAfter(id, func() {
			h.joins(mail, "sales-team")
			only(t, h.drifts())
		})
		h.without(mail)
		h.rested(id)
		h.later(26 * time.Hour)
	}
	records, err := h.Records(ctx, flow.RecordFilter{Person: id, Limit: 100, Detail: true})
	if err != nil {
		t.Fatal(err)
	}
	acts, took := 0, 0
	for _, r := range records {
		if r.What == "drift put right by itself: okta/group:sales-team is extra" && strings.Contains(string(r.Detail), "policies alone decide about okta/group:sales-team") {
			acts++
		}
		if r.Run != "" && r.What == "removed" {
			took++
		}
	}
	if acts != 2 || took == 0 {
		t.Errorf("the ledger has %d acts and %d removals", acts, took)
	}
	h.joins(mail, "sales-team")
	got := h.drifts()
	only(t, got, "extra okta/group:sales-team")
	x := got["extra okta/group:sales-team"]
	same(t, "it waits for a human", x.Stays, dayone.DriftContested)
	_, err = h.AcceptDrift(ctx, x.ID, "kim@company.com", "she helps out there", time.Time{})
	is(t, err, dayone.ErrForbidden)
	h.runsAfter(id, func() {
		if _, err := h.PutRight(ctx, x.ID, "kim@company.com", "CHG-1"); err != nil {
			t.Fatal(err)
		}
	})
	h.without(mail)
	h.rested(id)
	h.later(31 * 24 * time.Hour)
	h.joins(mail, "sales-team")
	only(t, h.drifts()) // after a month it is nobody's quarrel any more
	h.without(mail)
}

// So many differences at once are held whole, and a hold keeps what it covers: both wait for somebody.
func TestManyDifferencesAtOnceWaitForAHuman(t *testing.T) {
	t.Parallel()
	h, ids := opened(t, "{sales-team: exclusive}", "1", "2", "3", "4", "5", "6", "7")
	key := dayone.Key{System: "okta", Kind: "group", Name: "sales-team"}
	now := h.clock.Now()
	if err := h.Store.SaveHold(ctx, store.HoldChange{Hold: dayone.Hold{ID: "hld_1", Person: ids[6], Keys: []dayone.Key{key}, From: now, Until: now.AddDate(0, 0, 30), Reason: "CHG-7", By: "kim"}}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		h.joins("e"+n+"@company.com", "sales-team")
	}
	stays := func() map[dayone.PersonID]dayone.DriftStay {
		t.Helper()
		h.drifts()
		list, err := h.Drift(ctx, flow.DriftFilter{})
		if err != nil {
			t.Fatal(err)
		}
		out := map[dayone.PersonID]dayone.DriftStay{}
		for _, x := range list {
			out[x.Person] = x.Stays
		}
		return out
	}
	got := stays()
	if len(got) != 7 || got[ids[0]] != dayone.DriftBraked || got[ids[6]] != "" {
		t.Errorf("seven differ, and it says %v", got)
	}
	for _, n := range []string{"2", "3"} {
		a, _ := account(h.okta, "e"+n+"@company.com")
		h.another(http.MethodDelete, "/api/v1/groups/"+h.oktaGroup("sales-team")+"/users/"+a.Ref)
	}
	if got = stays(); len(got) != 1 {
		t.Errorf("five differ, which is within the limit, and left are %v", got)
	}
	h.without("e1@company.com")
	h.shows(h.okta, "e7@company.com", dayone.Active, "group:base-employee", "group:sales-team")
}

// A group that a policy gives while policies alone decide comes back, too; what hangs on a fact that is not known stays as it is.
func TestWhatSomebodyTookAwayComesBackByItself(t *testing.T) {
	t.Parallel()
	h, _ := opened(t, "{base-employee: exclusive}", "1")
	a, _ := account(h.okta, "e1@company.com")
	h.another(http.MethodDelete, "/api/v1/groups/"+h.oktaGroup("base-employee")+"/users/"+a.Ref)
	h.hires(employee("2", "start_date", here, "department", "Finance")) // a list shows a group of somebody
	h.later(2 * time.Hour)
	only(t, h.drifts())
	h.without("e1@company.com")
}

// What others decide about is no drift: the books have it as it is there, since when it was seen, and its owner loses it when she leaves.
func TestWhatOthersDecideAboutGoesWithItsOwner(t *testing.T) {
	t.Parallel()
	h, ids := opened(t, "{contractors: observe}", "1", "2")
	id, mail := ids[0], "e1@company.com"
	day := h.clock.Now().UTC().Format(time.DateOnly)
	h.joins(mail, "contractors")
	only(t, h.drifts())
	h.rested(id)
	_, list, err := h.Access(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for _, a := range list {
		if a.Key.Name == "contractors" {
			seen = a.State == flow.Observed && len(a.Reasons) == 1 && a.Reasons[0].String() == "baseline (seen "+day+")"
		}
	}
	if !seen {
		t.Errorf("the person's page has %+v", list)
	}
	h.shows(h.okta, mail, dayone.Active, "group:base-employee", "group:contractors")
	last, err := h.Runs(ctx, flow.RunFilter{Person: id, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	h.fired(id, last[0].ID)
	until(h, "nothing is left of it", func() (bool, bool) {
		a, ok := account(h.okta, mail)
		return true, ok && a.State == dayone.Disabled && len(a.Entitlements) == 0
	})
}

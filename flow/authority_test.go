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

package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

// Drift is seen, filtered and decided on pages and by the API, by those alone who may.
func TestDriftIsDecided(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	want(t, "/drift", b.page("/drift"), "No system was compared yet")
	b.hireSarah()
	run := b.runOf("sarah.chen@company.com")
	k, _ := dayone.ParseKey("okta/group:finance")
	role := dayone.Drift{ID: "drf_01jd9x0000000000000000000a", Person: run.Person, Key: k, Kind: dayone.DriftExtra, Is: dayone.Item{Key: k, State: dayone.Active, Ref: "00g9"}}
	other := role
	other.ID, other.Key, other.Kind = "drf_01jd9x0000000000000000000b", dayone.Key{System: "okta", Kind: "account"}, dayone.DriftMissing
	now := time.Now().Add(time.Minute)
	if err := b.flow.Store.SaveDrift(t.Context(), "okta", now, []dayone.Drift{role, other}, nil); err != nil {
		t.Fatal(err)
	}
	want(t, "/drift", b.page("/drift"), "2 things differ", "Group finance", "Sarah Chen", "More than known")
	if page := b.page("/drift?kind=missing"); strings.Contains(page, "Group finance") || !strings.Contains(page, "Missing") {
		t.Error("the filter does not count")
	}
	if res := b.get("/drift?kind=odd"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a kind that is none: %s", res.Status)
	}
	theirs := b.page("/drift?kind=role&person=" + string(run.Person))
	want(t, "nothing of hers", theirs, "Only of <bdi>Sarah Chen</bdi>.")
	if n := strings.Count(theirs, `href="/drift">All drift</a>`); n != 1 {
		t.Errorf("All drift stands there %d times", n)
	}
	want(t, "the table", text(t, b.get("/drift?format=csv")), "okta/group:finance", "extra")
	want(t, "/", b.page("/"), `href="/drift?system=okta"`, "Hours saved")
	sarah := "/people/" + string(run.Person)
	want(t, sarah, b.page(sarah), "2 things differ from the books.", `href="/drift?person=`+string(run.Person)+`"`, "<span>Missing</span>")
	want(t, "/systems/okta", b.page("/systems/okta"), "Test the connection", "Read and compare now", "What can be given")
	want(t, "why", b.page("/drift/"+string(other.ID)), "Everyone on the payroll (policies/base.yaml:")
	one := "/drift/" + string(role.ID)
	want(t, one, b.page(one), "Put it right now", "Leave it so", "there before Dayone")

	if res := b.post(one+"/accept", url.Values{"reason": {""}}); res.StatusCode != http.StatusConflict {
		t.Errorf("without a reason: %s", res.Status)
	}
	var is struct{ Kind, Is string }
	b.api("GET", "/api/v1"+one, "", http.StatusOK, &is)
	if is.Kind != "extra" || is.Is != "there" {
		t.Errorf("it is %+v", is)
	}
	b.api("POST", "/api/v1"+one+"/accept", `{"reason":"helps out","until":"soon"}`, http.StatusBadRequest, nil)
	b.api("POST", "/api/v1"+one+"/accept", `{"reason":"helps out","until":"`+time.Now().AddDate(0, 0, 7).Format(time.DateOnly)+`"}`, http.StatusBadRequest, nil)
	var first struct {
		Items []struct{ ID string }
		Next  string
	}
	b.api("GET", "/api/v1/drift?system=okta&limit=1", "", http.StatusOK, &first)
	ahead := first.Next
	first.Items, first.Next = nil, ""
	b.api("GET", ahead, "", http.StatusOK, &first)
	if !strings.Contains(ahead, "system=okta") || len(first.Items) != 1 || first.Items[0].ID != string(role.ID) || first.Next != "" {
		t.Errorf("%s answers %+v", ahead, first)
	}
	b.api("POST", "/api/v1"+one+"/accept", `{"reason":"helps out"}`, http.StatusOK, nil)
	b.api("POST", "/api/v1"+one+"/accept", `{"reason":"helps out"}`, http.StatusNotFound, nil)
	if res := b.get(one); res.StatusCode != http.StatusNotFound {
		t.Errorf("what was decided is there: %s", res.Status)
	}
	have, err := b.flow.Store.Holdings(t.Context(), run.Person, false)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, h := range have {
		found = found || h.Key == k && len(h.Because) == 1 && h.Because[0].Policy == dayone.Baseline
	}
	if !found {
		t.Error("the books do not have it")
	}
	var list struct{ Items []struct{ ID string } }
	b.api("GET", "/api/v1/drift?system=okta", "", http.StatusOK, &list)
	if len(list.Items) != 1 {
		t.Errorf("the list has %d", len(list.Items))
	}
}

// Who may not see systems is not led to them, and the page says when it compares.
func TestDriftLeadsNobodyToARefusal(t *testing.T) {
	t.Parallel()
	b := newBench(t, withRoles)
	for role, led := range map[dayone.Role]bool{dayone.HR: false, dayone.Operator: true} {
		page := text(t, b.as(role, b.signIn(role), "GET", "/drift"))
		want(t, "/drift", page, "Last comparisons", "each night is turned off")
		if strings.Contains(page, `href="/systems/okta"`) != led {
			t.Errorf("%s is led to Okta: %t", role, !led)
		}
	}
}

// A system is tried, shown and read; minutes are set by a form and by the API, and nobody writes over another.
func TestOneSystemAndHoursSaved(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if res := b.get("/systems/nowhere"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a system that is none: %s", res.Status)
	}
	var tried struct {
		Good bool
		Next string
	}
	b.api("POST", "/api/v1/systems/okta/check", "", http.StatusOK, &tried)
	if !tried.Good {
		t.Errorf("tried: %+v", tried)
	}
	b.api("POST", "/api/v1/systems/nowhere/check", "", http.StatusNotFound, nil)
	want(t, "tried", text(t, b.post("/systems/okta/check", nil)), "It answers, and lets us in")
	b.api("POST", "/api/v1/systems/nowhere/read", "", http.StatusNotFound, nil)
	b.api("POST", "/api/v1/systems/okta/read", "", http.StatusAccepted, nil)
	b.until("it is read", func() bool {
		var s struct{ Comparison struct{ At time.Time } }
		b.api("GET", "/api/v1/systems/okta", "", http.StatusOK, &s)
		return !s.Comparison.At.IsZero()
	})

	want(t, "/settings/effort", b.page("/settings/effort"), "Nobody has said how many minutes")
	if res := b.post("/settings/effort", url.Values{"account.create": {"many"}, "seq": {"0"}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("what is no number: %s", res.Status)
	} else if page := text(t, res); strings.Count(page, `aria-invalid="true"`) != 1 || !strings.Contains(page, `id="m-account-create" name="account.create" type="number" value="many" autocomplete="off" aria-invalid="true"`) {
		t.Error("the field that is wrong is not marked, or another is")
	}
	if res := b.post("/settings/effort", url.Values{"account.create": {"12,5"}, "seq": {"0"}}); res.StatusCode >= 400 {
		t.Fatalf("set: %s", res.Status)
	}
	b.api("PUT", "/api/v1/settings/effort", `{"version":0,"minutes":{"account.create":1}}`, http.StatusConflict, nil)
	b.api("PUT", "/api/v1/settings/effort", `{"version":1,"minutes":{"account.create":2000}}`, http.StatusBadRequest, nil)
	b.api("PUT", "/api/v1/settings/effort", `{"version":1,"minutes":{"account.create":20}}`, http.StatusOK, nil)
	var sum struct {
		Saved struct{ Hours *float64 }
		Ready []struct{ Starters int } `json:"time_to_ready"`
	}
	b.api("GET", "/api/v1/overview", "", http.StatusOK, &sum)
	if sum.Saved.Hours == nil || len(sum.Ready) != 2 {
		t.Errorf("the overview: %+v", sum)
	}
}

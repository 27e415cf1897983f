package web_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

// Systems are stopped, started and put into maintenance, and a run is decided on as a whole, on the pages and by the API.
func TestSystemsAndRunsAreDecidedOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	want(t, "/systems", b.page("/systems"), "Okta", "Answers", "Stop everything", "Announce maintenance")

	res := b.post("/systems/okta/orders", url.Values{"kind": {"stop"}})
	if body := text(t, res); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a stop without reason: %s %s", res.Status, body)
	}
	b.api("POST", "/api/v1/systems/okta/orders", `{"kind":"stop"}`, http.StatusBadRequest, nil)
	b.api("POST", "/api/v1/systems/oktta/orders", `{"kind":"stop","reason":"x"}`, http.StatusNotFound, nil)
	b.api("POST", "/api/v1/systems/okta/orders", `{"kind":"stop","reason":"x","by":"somebody"}`, http.StatusBadRequest, nil)
	if res := b.post("/systems/okta/orders", url.Values{"kind": {"stop"}, "reason": {"INC-4711"}}); res.StatusCode >= 400 {
		t.Fatalf("a stop: %s", res.Status)
	}
	want(t, "any page", b.page("/people"), "Stopped: Okta", "INC-4711")
	var again refusedBody
	b.api("POST", "/api/v1/systems/okta/orders", `{"kind":"stop","reason":"another"}`, http.StatusConflict, &again)
	want(t, "a second stop", again.Error.Message, "Okta is stopped already, by ", ": INC-4711.")

	b.hireSarah()
	b.until("okta's steps wait", func() bool {
		for _, s := range b.runOf("sarah.chen@company.com").Steps {
			if s.Step.Key.System == "okta" && s.Step.Key.IsAccount() {
				return !s.Parked.IsZero()
			}
		}
		return false
	})
	page := "/runs/" + string(b.runOf("sarah.chen@company.com").ID)
	want(t, page, b.page(page), "Okta is stopped", "INC-4711", "Pause the run", "Cancel the run")

	b.api("POST", "/api/v1"+page+"/pause", `{}`, http.StatusBadRequest, nil)
	b.api("POST", "/api/v1"+page+"/pause", `{"reason":"wait"}`, http.StatusNoContent, nil)
	b.api("POST", "/api/v1"+page+"/pause", `{"reason":"wait"}`, http.StatusConflict, nil)
	want(t, page, b.page(page), "Paused", "Resume")
	b.api("POST", "/api/v1"+page+"/resume", `{"reason":"go"}`, http.StatusNoContent, nil)
	if res := b.post(page+"/cancel", url.Values{"reason": {"wrong person"}}); res.StatusCode >= 400 {
		t.Fatalf("a cancel: %s", res.Status)
	}
	b.until("it is cancelled", func() bool { return b.runOf("sarah.chen@company.com").State == dayone.RunCancelled })
	want(t, page, b.page(page), "Cancelled", "Resume")

	var systems struct {
		Items []struct {
			Name, Stance, Reason, By string
			Maintenance              []struct{ ID string }
		}
	}
	of := func(name string) (stance string, windows int) {
		b.api("GET", "/api/v1/systems", "", http.StatusOK, &systems)
		for _, s := range systems.Items {
			if s.Name == name {
				return s.Stance, len(s.Maintenance)
			}
		}
		return "", 0
	}
	if st, _ := of("okta"); st != "stopped" {
		t.Errorf("okta is %q", st)
	}
	b.api("POST", "/api/v1/systems/okta/start", `{"reason":"solved"}`, http.StatusNoContent, nil)
	b.api("POST", "/api/v1/systems/okta/start", `{"reason":"solved"}`, http.StatusNotFound, nil)
	until := time.Now().AddDate(20, 0, 0).UTC() // whatever the bench's clock shows, a window has to be short
	b.api("POST", "/api/v1/systems/okta/orders", `{"kind":"maintenance","reason":"x","until":"`+until.Format(time.RFC3339)+`"}`, http.StatusBadRequest, nil)
	for _, kind := range []string{"manual", "automatic"} {
		b.api("POST", "/api/v1/systems/okta/orders", `{"kind":"`+kind+`","reason":"x"}`, http.StatusCreated, nil)
	}
	if st, _ := of("okta"); st != "free" {
		t.Errorf("okta is %q", st)
	}
	b.api("POST", "/api/v1/systems/all/orders", `{"kind":"stop","reason":"all"}`, http.StatusCreated, nil)
	want(t, "any page", b.page("/"), "Everything is stopped")
	want(t, "/systems", b.page("/systems"), "Start everything again")
	b.api("POST", "/api/v1/systems/all/start", `{"reason":"solved"}`, http.StatusNoContent, nil)
	b.api("POST", "/api/v1/orders/ord_01jd9x0000000000000000000a/lift", `{"reason":"x"}`, http.StatusNotFound, nil)
}

// A system is retired after it was said what that means, and taken back, on the page and by the API.
func TestASystemIsRetiredAndTakenBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	var r struct {
		People   int
		Open     int `json:"open_accounts"`
		Needed   []string
		Policies []string
		Retiring *struct{ ID, Kind, Reason string }
	}
	b.api("GET", "/api/v1/systems/okta/retirement", "", http.StatusOK, &r)
	if r.People != 1 || r.Open != 1 || len(r.Policies) == 0 || r.Retiring != nil {
		t.Fatalf("it would mean %+v", r)
	}
	b.api("GET", "/api/v1/systems/oktta/retirement", "", http.StatusNotFound, nil)
	if len(r.Needed) > 0 {
		t.Fatalf("nothing else needs it: %v", r.Needed)
	}
	want(t, "/systems", b.page("/systems"), "Retire it, and leave what is there", "Retire it, and close what is there", "of 1 person")
	if res := b.post("/systems/okta/orders", url.Values{"kind": {string(dayone.OrderRelease)}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: %s", res.Status)
	}
	if res := b.post("/systems/okta/orders", url.Values{"kind": {string(dayone.OrderRelease)}, "reason": {"CHG-7"}}); res.StatusCode >= 400 {
		t.Fatalf("a retirement: %s", res.Status)
	}
	want(t, "/systems", b.page("/systems"), "Retiring", "Nothing is given, changed or taken there.", "CHG-7", "Take the retirement back")
	b.api("GET", "/api/v1/systems/okta/retirement", "", http.StatusOK, &r)
	if r.Retiring == nil || r.Retiring.Reason != "CHG-7" {
		t.Fatalf("it is %+v", r)
	}
	b.api("POST", "/api/v1/orders/"+r.Retiring.ID+"/lift", `{"reason":"we stay"}`, http.StatusNoContent, nil)
	r.Retiring = nil
	if b.api("GET", "/api/v1/systems/okta/retirement", "", http.StatusOK, &r); r.Retiring != nil {
		t.Errorf("it was taken back, and is %+v", r)
	}
}

package web_test

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
)

// A person, her products, what would happen, and how it went: by pages, and by the API.
func TestTheWizardPicksProducts(t *testing.T) {
	t.Parallel()
	b := newCompany(t)
	b.hireSarah()
	run := b.runOf("sarah.chen@company.com")
	id := string(run.Person)
	want(t, "products", b.page("/products"), "Mid-market customers", "Collaboration", "Given by", "Everyone on the payroll", "Offered by", "Needs Salesforce and Slack")
	want(t, "who starts next", b.page("/onboard"), "Sarah Chen", "/onboard/"+id, "1 person starts next.")
	found := b.page("/onboard?q=sarah", "HX-Request", "true", "HX-Target", "onboard-people")
	if !strings.Contains(found, "/onboard/"+id) || strings.Contains(found, "<html") {
		t.Errorf("the search answers %s", found)
	}
	want(t, "nobody", b.page("/onboard?q=zzz"), "Nobody matches")

	pick := b.page("/onboard/" + id)
	want(t, "what she needs", pick, "Policies give 8 of these products.", "Request: no approval needed, for 90 days", "No policy offers it", `value="mid-market"`)
	if !regexp.MustCompile(`value="chat" checked disabled`).MatchString(pick) {
		t.Error("what policies give is not ticked already")
	}
	preview := b.page("/onboard/" + id + "/preview?product=mid-market")
	want(t, "preview", preview, "Add queue mid-market", "Start: request 1 product", "Nothing has been changed yet")
	hash := regexp.MustCompile(`name="plan" value="([0-9a-f]+)"`).FindStringSubmatch(preview)
	if hash == nil {
		t.Fatal("the preview names no plan")
	}
	want(t, "nothing picked", b.page("/onboard/"+id+"/preview"), "See how it stands")
	if res := b.get("/onboard/" + id + "/preview?product=phone-number"); res.StatusCode != http.StatusConflict || !strings.Contains(text(t, res), "what is missing: phone/line") {
		t.Errorf("what nobody offers is shown with %s", res.Status)
	}
	form := url.Values{"product": {"mid-market"}, "plan": {"0000"}, "reason": {"covers for Max"}, "by": {"john.doe@company.com"}}
	if res := b.post("/onboard/"+id, form); res.StatusCode != http.StatusConflict || !strings.Contains(text(t, res), "changed since you looked at it") {
		t.Errorf("an old plan is begun: %s", res.Status)
	}
	form.Set("plan", hash[1])
	form.Set("reason", " ")
	if res := b.post("/onboard/"+id, form); res.StatusCode != http.StatusConflict || !strings.Contains(text(t, res), "Say what it is needed for") {
		t.Errorf("it needs no reason: %s", res.Status)
	}
	form.Set("reason", "covers for Max")
	if res := b.post("/onboard/"+id, form); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/onboard/"+id+"/result?said=requested&undo=") {
		t.Fatalf("it was not begun: %s, %s", res.Status, text(t, res))
	}
	second := b.post("/onboard/"+id, form) // in another window, which still shows the plan that was
	if second.StatusCode != http.StatusConflict {
		t.Errorf("starting it a second time answers %s", second.Status)
	}
	want(t, "the second start", text(t, second), "It was started already", "john.doe@company.com started it, ", "Open the run", `href="/runs/run_`)
	var refused struct{ Detail string }
	b.api("POST", "/api/v1/people/"+id+"/products", `{"products":["mid-market"],"reason":"again"}`, http.StatusConflict, &refused)
	if !strings.Contains(refused.Detail, "john.doe@company.com started it at 20") {
		t.Errorf("the API says of it %q", refused.Detail)
	}
	b.until("the product to be there", func() bool {
		return regexp.MustCompile(`(?s)Mid-market customers</span></th><td><span class="nowrap"><span class="state s-done">.*?Done`).MatchString(b.page("/onboard/" + id + "/result"))
	})
	result := b.page("/onboard/" + id + "/result")
	want(t, "its end", result, "End Mid-market customers", "What only this request gave is taken back")
	if end := regexp.MustCompile(`(?s)<form[^>]*action="/requests/[^"]*/end">.*?</form>`).FindString(result); !strings.Contains(end, `name="reason" required`) {
		t.Errorf("access is taken back without a reason: %q", end)
	}
	want(t, "the person", b.page("/people/"+id), "Mid-market customers", "covers for Max", "/onboard/"+id+"/result")

	var list struct {
		Items []struct {
			ID, State, Request string
			Policies           []string
		}
	}
	b.api("GET", "/api/v1/people/"+id+"/products", "", http.StatusOK, &list)
	states := map[string]string{}
	for _, x := range list.Items {
		states[x.ID] = x.State
	}
	for id, is := range map[string]string{"mid-market": "requested", "chat": "given", "phone-number": "not offered"} {
		if states[id] != is {
			t.Errorf("%s is %s, not %s", id, states[id], is)
		}
	}
	var all struct{ Items []struct{ ID, Domain string } }
	b.api("GET", "/api/v1/products", "", http.StatusOK, &all)
	if len(all.Items) != 10 {
		t.Errorf("%d products", len(all.Items))
	}
	var pv struct {
		Plan    string
		Already []string
	}
	b.api("GET", "/api/v1/people/"+id+"/products/preview?product=mid-market", "", http.StatusOK, &pv)
	if len(pv.Already) != 1 || pv.Plan == "" {
		t.Errorf("the API's preview: %+v", pv)
	}
	b.api("POST", "/api/v1/people/"+id+"/products", `{"products":["mid-market"],"reason":"again"}`, http.StatusConflict, nil)
	b.api("POST", "/api/v1/people/"+id+"/products", `{"products":["fax"],"reason":"again"}`, http.StatusNotFound, nil)
	b.api("POST", "/api/v1/people/"+id+"/products/mid-market/end?reason=done", "", http.StatusOK, nil)
	b.api("POST", "/api/v1/people/"+id+"/products/mid-market/end", "", http.StatusNotFound, nil)
	var tiles struct{ Items []struct{ Title string } }
	b.api("GET", "/api/v1/tiles", "", http.StatusOK, &tiles)
}

// Every picture that a product may have is there.
func TestIconsOfProductsAreThere(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("static/icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range dayone.ProductIcons {
		if !strings.Contains(string(raw), `id="i-`+name+`"`) {
			t.Errorf("there is no icon %s", name)
		}
	}
}

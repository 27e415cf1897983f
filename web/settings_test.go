package web_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// settled is a bench whose policies count by version.
func settled(t *testing.T, more ...setting) *bench {
	t.Helper()
	b := newBench(t, append([]setting{versioned}, more...)...)
	if err := b.flow.OpenPolicies(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	return b
}

const smallLogo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" fill="#0b5d4e"/></svg>`

// How the company looks is changed by an administrator, counts at once on every page, and can be undone.
func TestTheCompanyLooksAsItSays(t *testing.T) {
	t.Parallel()
	b := settled(t)
	want(t, "before", b.page("/settings/branding"), "Company name", "Accent colour")
	res := b.post("/settings/branding", url.Values{"seq": {"0"}, "company": {"Société Générale d'Ærø"}, "accent": {"#0b5d4e"}, "help": {"it@company.com"}, "footer": {"Company AG"}})
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("saving: %s %s", res.Status, text(t, res))
	}
	page := b.page("/settings/branding")
	want(t, "after", page, "Société Générale d&#39;Ærø", "/brand/colours.css?v=1", "Version 1", "Undo", "#0b5d4e")
	want(t, "the login page", b.page("/me"), "mailto:it@company.com", "Help: it@company.com")
	res = b.get("/brand/colours.css?v=1")
	want(t, "the colours", text(t, res), "--accent: light-dark(#0b5d4e, #", "--accent-fill: light-dark(#0b5d4e, #0b5d4e)")
	if got := res.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/css") {
		t.Errorf("the colours are %s", got)
	}
	if res := b.get("/brand/logo"); res.StatusCode != http.StatusNotFound {
		t.Errorf("there is a logo: %s", res.Status)
	}

	res = b.post("/settings/branding", url.Values{"seq": {"1"}, "accent": {"#9ad1c4"}, "help": {"javascript:alert(1)"}})
	body := text(t, res)
	if res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a pale accent is taken: %s", res.Status)
	}
	want(t, "what is wrong", body, "text needs 4.5", "write it@company.com", "It was not saved")
	if res := b.post("/settings/branding", url.Values{"seq": {"0"}, "company": {"Late"}}); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(text(t, res), "Somebody else has changed it") {
		t.Errorf("an old page overwrites: %s", res.Status)
	}

	b.api("PUT", "/api/v1/settings/branding", `{"logo":"`+base64.StdEncoding.EncodeToString([]byte(smallLogo))+`"}`, http.StatusOK, nil)
	res = b.get("/brand/logo?v=2")
	if got := text(t, res); got != smallLogo || res.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(res.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("the logo: %q %v", got, res.Header)
	}
	want(t, "with a logo", b.page("/settings"), `src="/brand/logo?v=2"`)
	var refused refusedBody
	b.api("PUT", "/api/v1/settings/branding", `{"logo":"`+base64.StdEncoding.EncodeToString([]byte(strings.Replace(smallLogo, "<rect", "<script>1</script><rect", 1)))+`"}`, http.StatusBadRequest, &refused)
	want(t, "a logo that runs", refused.Error.Message, "<script>", "may only draw")

	if res := b.post("/settings/branding/back", url.Values{"seq": {"0"}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("going back: %s", res.Status)
	}
	if page := b.page("/settings"); strings.Contains(page, "Générale") || strings.Contains(page, "/brand/") {
		t.Errorf("it looks as before it was undone")
	}
	var got struct {
		Version  int
		Versions []struct{ Note string }
	}
	b.api("GET", "/api/v1/settings/branding", "", http.StatusOK, &got)
	if got.Version != 3 || len(got.Versions) != 3 {
		t.Errorf("versions are %+v", got)
	}
}

// Messages are shown as they read, for a person too, and no link in them opens anything; a change of one is a proposal.
func TestMessagesAreSeenBeforeTheyAreSent(t *testing.T) {
	t.Parallel()
	b := settled(t)
	id, _ := b.hire("emp_1", "Zoë", "Müller-Lüdenscheidt", "Sales", soon)
	want(t, "all", b.page("/settings/templates"), "welcome", "manager-ready", "Invitation")
	want(t, "made up", b.page("/settings/templates/welcome"), "Hi Ada", "somebody made up", "Edit it")
	page := b.page("/settings/templates/welcome?person=" + string(id))
	want(t, "hers", page, "Hi Zoë", "Müller-Lüdenscheidt", "/secret/...")
	want(t, "found", b.page("/settings/templates/welcome?q=zo"), "?person="+string(id))
	if res := b.get("/settings/templates/nothing"); res.StatusCode != http.StatusNotFound {
		t.Errorf("one that is not there: %s", res.Status)
	}
	want(t, "the editor", b.page("/policies/edit?file=templates/welcome.txt"), "Edit message welcome", "Welcome to {{.Company}}!")
	judge := func(text_ string) string {
		return text(t, b.post("/policies/judge", url.Values{"file": {"templates/welcome.txt"}, "text": {text_}}))
	}
	want(t, "a fault", judge("Subject: x\n\nHi {{.Person.Frist}}\n"), "1 error", "line 3", "Frist", "First")
	want(t, "as it reads", judge("Subject: Hello {{.Person.First}}\n\nA <b>new</b> text\n"), "Hello Ada", "A &lt;b&gt;new&lt;/b&gt; text")
	if res := b.post("/policies/propose", url.Values{"file": {"templates/welcome.txt"}, "text": {"Subject: x\n\n{{.Nobody}}\n"}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a broken one is proposed: %s", res.Status)
	}
	if res := b.post("/policies/propose", url.Values{"file": {"templates/welcome.txt"}, "text": {"Subject: Hello {{.Person.First}}\n\nText\n"}, "note": {"shorter"}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("proposing: %s %s", res.Status, text(t, res))
	}
	list, err := b.flow.Proposals(t.Context(), 10)
	if err != nil || len(list) != 1 || list[0].Note != "shorter" {
		t.Errorf("proposed are %+v, %v", list, err)
	}
	for _, file := range []string{"../dayone.yaml", "templates/../../x.txt", "people.yaml", "templates/x.yaml"} {
		if _, err := b.flow.Propose(t.Context(), file, "x", "kim", ""); dayone.KindOf(err) != dayone.ErrInvalid {
			t.Errorf("%s is written: %v", file, err)
		}
	}
	b.api("POST", "/api/v1/settings/files", `{"file":"templates/welcome.txt","text":"no head","dry_run":true}`, http.StatusUnprocessableEntity, nil)
	b.api("POST", "/api/v1/settings/templates/welcome/preview", `{"text":"Subject: Hi {{.Person.First}}\n\nx\n","person":"`+string(id)+`"}`, http.StatusOK, nil)
	for _, endless := range []string{
		"{{range $i := 2000000000}}{{range $j := 2000000000}}{{end}}{{end}}", "{{range $i := 30000000}}xxxxxxxx{{end}}", "{{range $i := len (printf `%0900d` 1)}}x{{end}}",
		"{{$x := `xxxxxxxx`}}" + strings.Repeat("{{$x = print $x $x}}", 40), "{{.}}",
	} {
		q, _ := json.Marshal("Subject: x\n\n" + endless + "\n")
		b.api("POST", "/api/v1/settings/templates/welcome/preview", `{"text":`+string(q)+`}`, http.StatusBadRequest, nil)
		b.api("POST", "/api/v1/settings/files", `{"file":"templates/welcome.txt","text":`+string(q)+`,"dry_run":true}`, http.StatusUnprocessableEntity, nil)
	}
}

// A calendar that somebody brings is shown with what it changes and becomes a proposal, which counts when it is applied.
func TestHolidaysAreBroughtIn(t *testing.T) {
	t.Parallel()
	b := settled(t)
	want(t, "before", b.page("/settings/calendars"), "Berlin", "every Monday to Friday counts")
	res := b.post("/settings/calendars", url.Values{"country": {"de"}, "text": {"2030-12-25,Erster Weihnachtstag\n2030-10-03;x\n"}})
	if res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("half a list: %s", res.Status)
	}
	want(t, "what is wrong", text(t, res), "Nothing was brought in", "Line 2")
	res = b.post("/settings/calendars", url.Values{"country": {"de"}, "text": {"2030-12-25,Erster Weihnachtstag\n"}})
	page := text(t, res)
	want(t, "what it changes", page, "DE: 1 day read, 1 new, 0 taken out.", "2030-12-25: Erster Weihnachtstag", "Save as a proposal", "Edit holidays.yaml")
	var got struct {
		Version string
		New     []string
	}
	b.api("POST", "/api/v1/settings/calendars", `{"country":"DE","text":"2030-12-25,Erster Weihnachtstag\n"}`, http.StatusCreated, &got)
	if got.Version == "" || len(got.New) != 1 {
		t.Fatalf("proposed is %+v", got)
	}
	pr, _, err := b.flow.ProposalOf(t.Context(), got.Version)
	if err != nil {
		t.Fatal(err)
	}
	if days := pr.Set.Sites["Berlin"].Holidays; len(days) != 1 || days[0] != "2030-12-25" {
		t.Errorf("Berlin would rest on %v", days)
	}
	var refused refusedBody
	b.api("POST", "/api/v1/settings/calendars", `{"country":"Germany","text":"2030-12-25,x"}`, http.StatusBadRequest, &refused)
	want(t, "no country", refused.Error.Message, "two letters")
}

// Who has which role is read from the configuration, with its line; the hub shows to each only what is for her.
func TestRolesAreShownWithTheirLine(t *testing.T) {
	t.Parallel()
	b := settled(t, withRoles, func(o *web.Options, _ *flow.Deps) {
		o.Given = []web.RoleGiven{{Role: dayone.Operator, Whom: "the group it of the identity provider", Where: "dayone.yaml:31", Key: "portal.sign_on.roles.it"}}
	})
	admin, auditor := b.signIn(dayone.Administrator), b.signIn(dayone.Auditor)
	want(t, "roles", text(t, b.as(dayone.Administrator, admin, "GET", "/settings/roles")), "The group it of the identity provider", "dayone.yaml:31", "portal.sign_on.roles.it")
	want(t, "the hub", text(t, b.as(dayone.Administrator, admin, "GET", "/settings")), "/settings/roles", "/settings/branding", "/tokens")
	hub := text(t, b.as(dayone.Auditor, auditor, "GET", "/settings"))
	want(t, "the auditor's", hub, "/settings/templates", "/settings/calendars")
	if strings.Contains(hub, "/settings/branding") || strings.Contains(hub, "/settings/roles") {
		t.Error("an auditor is led where she may not go")
	}
}

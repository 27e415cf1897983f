package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
)

// Somebody is terminated at the portal, read back, held, and cannot be erased: each act is a page first, and a button.
func TestSomebodyIsTerminatedAtThePortal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	person, _ := b.hire("emp_1", "Łucja", "Đặng", "Sales", soon)
	at := "/people/" + string(person)

	want(t, "leaving", b.page(at+"/leaving"), "They have not left", at+"/terminate", at+"/hold")
	want(t, "terminate", b.page(at+"/terminate"), "Łucja Đặng", "Will be closed", "okta/account", "End all access now", "required", `name="successor"`)
	want(t, "a successor whom nobody knows", text(t, b.post(at+"/terminate", url.Values{"reason": {"x"}, "successor": {"nobody@company.com"}})), "It was not done", "name a successor who works here", `value="nobody@company.com"`)
	if res := b.post(at+"/terminate", url.Values{"reason": {" "}}); res.StatusCode != http.StatusConflict {
		t.Errorf("without a reason: %s", res.Status)
	}
	res := b.post(at+"/terminate", url.Values{"reason": {"sold the customer list"}})
	if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/runs/") {
		t.Fatalf("it leads to %s %q", res.Status, res.Header.Get("Location"))
	}
	b.until("she has left", func() bool { return strings.Contains(b.page(at+"/leaving"), "Give access back") })
	b.until("what they looked after is handed over", func() bool { return strings.Contains(b.page(at+"/leaving"), "They looked after nothing in our books") })
	want(t, "terminated twice", text(t, b.post(at+"/terminate", url.Values{"reason": {"again"}})), "It was not done", "They have left already")

	if res := b.post(at+"/certificates", url.Values{}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("making a certificate: %s", res.Status)
	}
	want(t, "certificate", b.page(at+"/leaving"), `data-verdict="Okta"`, "Looked at by id", "up to line", "not checked: ")
	pdf := b.get(at + "/certificates/latest/pdf")
	if body := text(t, pdf); pdf.Header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(body, "%PDF-") {
		t.Errorf("%s: %s", pdf.Status, pdf.Header.Get("Content-Type"))
	}

	if res := b.post(at+"/hold", url.Values{"reason": {"case 12/24"}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("holding: %s", res.Status)
	}
	want(t, "held", b.page(at+"/leaving"), "A legal hold stands", "case 12/24")
	want(t, "erase", b.page(at+"/erase"), "It cannot be erased yet", "A legal hold stands", "Release the legal hold")
	export := b.post(at+"/export", url.Values{})
	want(t, "export", text(t, export), "case 12/24", "sold the customer list", "Łucja")
	if !strings.Contains(export.Header.Get("Content-Disposition"), ".json") {
		t.Error("the export is no file")
	}
}

func TestTheAPIEndsAccessAndProvesIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	person, _ := b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	at := "/api/v1/people/" + string(person)
	var preview struct {
		Items []struct{ Key, Action string }
	}
	b.api(http.MethodGet, at+"/terminate", "", http.StatusOK, &preview)
	if len(preview.Items) == 0 {
		t.Error("nothing would be closed")
	}
	var no refusedBody
	b.api(http.MethodGet, at+"/succession", "", http.StatusNotFound, &no)
	b.api(http.MethodPost, at+"/terminate", `{"reason":"x","successor":"nobody@company.com"}`, http.StatusBadRequest, &no)
	b.api(http.MethodPost, at+"/terminate", `{}`, http.StatusBadRequest, &no)
	b.api(http.MethodPost, at+"/certificates", ``, http.StatusConflict, &no)
	b.api(http.MethodPost, at+"/release", `{"reason":"x"}`, http.StatusConflict, &no)
	var cut struct{ Run string }
	b.api(http.MethodPost, at+"/terminate", `{"reason":"sold the customer list"}`, http.StatusOK, &cut)
	if cut.Run == "" {
		t.Error("nothing was started")
	}
	var heir dayone.Succession
	b.until("it is handed over", func() bool {
		res := b.get(at + "/succession")
		return json.Unmarshal([]byte(text(t, res)), &heir) == nil && res.StatusCode == http.StatusOK && !heir.Done.IsZero()
	})
	b.api(http.MethodGet, at+"/succession", "", http.StatusOK, &heir)
	var c struct {
		Systems []struct{ System, Verdict string }
		Chain   string
	}
	b.api(http.MethodPost, at+"/certificates", ``, http.StatusCreated, &c)
	if len(c.Systems) == 0 || c.Chain == "" {
		t.Errorf("certificate: %+v", c)
	}
	b.api(http.MethodGet, at+"/certificates", "", http.StatusOK, nil)
	b.api(http.MethodPost, at+"/hold", `{"reason":"case 12/24"}`, http.StatusOK, nil)
	b.api(http.MethodGet, at+"/legal-holds", "", http.StatusOK, nil)
	b.api(http.MethodPost, at+"/release", `{"reason":"closed"}`, http.StatusOK, nil)
	var e struct{ Refused, Token string }
	b.api(http.MethodGet, at+"/erase", "", http.StatusOK, &e)
	if e.Refused == "" || e.Token != "" {
		t.Errorf("she may be erased on the day she left: %+v", e)
	}
	b.api(http.MethodPost, at+"/erase", `{"reason":"x","token":"x"}`, http.StatusForbidden, &no)
	b.api(http.MethodPost, at+"/export", ``, http.StatusOK, nil)
	b.api(http.MethodPost, at+"/reinstate", `{"reason":"it was somebody else"}`, http.StatusOK, nil)
	b.api(http.MethodPost, at+"/reinstate", `{"reason":"again"}`, http.StatusConflict, &no)
}

func TestWhatARoleMayNotDoIsNotOffered(t *testing.T) {
	t.Parallel()
	b := newBench(t, withRoles)
	person, _ := b.hire("emp_1", "Sarah", "Chen", "Sales", soon)
	at := "/people/" + string(person)
	for role, offered := range map[dayone.Role][]string{
		dayone.Administrator: {"terminate", "hold", "export", "erase"}, dayone.HR: {"terminate", "hold", "export"}, dayone.Operator: nil, dayone.Auditor: nil,
	} {
		cookie := b.signIn(role)
		body := text(t, b.as(role, cookie, "GET", at+"/leaving"))
		for _, verb := range []string{"terminate", "hold", "export", "erase"} {
			if got := strings.Contains(body, `"`+at+"/"+verb+`"`); got != slices.Contains(offered, verb) {
				t.Errorf("%s is offered %s: %v", role, verb, got)
			}
		}
		if body = text(t, b.as(role, cookie, "GET", "/brakes")); strings.Contains(body, "Announce it") != role.In([]dayone.Role{dayone.Administrator, dayone.Operator}) {
			t.Errorf("%s and announcing", role)
		}
	}
}

package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/manual"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// upload posts the form of a list's page as a browser does.
func (b *bench) upload(path, list string, fields ...string) *http.Response {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			b.t.Fatal(err)
		}
	}
	f, err := w.CreateFormFile("list", "payroll.csv")
	if err == nil {
		_, err = f.Write([]byte(list))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, b.url+path, &body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(req)
}

// A list is brought on the page and by the API: it is judged first, what is wrong stands above the form, and half a list
// has to be meant.
func TestListsAreBrought(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "payroll.csv")
	if err := os.WriteFile(file, []byte("id;state;role\nP-0;active;clerk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(_ *web.Options, d *flow.Deps) {
		g, err := connector.Open(manual.Factory, "payroll", time.Now, connector.Options{Settings: map[string]string{"title": "Payroll", "file": file, "kinds": "role"}})
		if err != nil {
			t.Fatal(err)
		}
		d.Systems["payroll"] = g
	})
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	const head, page, api = "id;email;state;role\n", "/systems/payroll/list", "/api/v1/systems/payroll/list"
	three := head + "P-1;a@company.com;active;clerk\nP-2;b@company.com;active;\nP-3;c@company.com;inactive;\n"
	want(t, "/systems", b.page("/systems"), "Payroll", "Nothing can call it", "Bring a list", "No list of its accounts was brought yet.")
	want(t, page, b.page(page), "List of <bdi>Payroll</bdi>", "Only check it")

	res := b.upload(page, head+"P-1;a@company.com;on holiday;\n", "do", "take")
	if body := text(t, res); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a wrong list: %s", res.Status)
	} else {
		want(t, "a wrong list", body, "The list was not taken", "Line 2, column &#34;state&#34;: this is no state")
	}
	want(t, "a trial", text(t, b.upload(page, three, "do", "check")), "The list is right", "3: P-1, P-2, P-3", "No list of its accounts was brought yet.")
	for _, misspelt := range [][]string{{"d0", "check"}, {"do", "chekc"}, {}} { // what was to be checked is not taken
		if res := b.upload(page, three, misspelt...); res.StatusCode != http.StatusBadRequest && res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%q: %s", misspelt, res.Status)
		}
	}
	want(t, "nothing was taken", b.page(page), "No list of its accounts was brought yet.")
	want(t, "a list", text(t, b.upload(page, three, "do", "take")), "The list is taken", "Accounts in it")

	var is struct {
		Accounts int
		Stale    bool
		Believed string `json:"believed_for"`
	}
	b.api("GET", api, "", http.StatusOK, &is)
	if is.Accounts != 3 || is.Stale || is.Believed != "7 days" {
		t.Errorf("the list is %+v", is)
	}
	var no refusedBody
	b.api("POST", api, head+"P-1;a@company.com;active;clerk\n", http.StatusConflict, &no)
	want(t, "half a list", no.Error.Message, "of the 3 of the list before 2 are missing")
	b.api("POST", api+"?dry_run=perhaps", three, http.StatusBadRequest, nil)
	b.api("POST", api+"?as_of=yesterday", three, http.StatusBadRequest, nil)
	b.api("POST", "/api/v1/systems/nowhere/list", three, http.StatusNotFound, nil)
	b.api("POST", "/api/v1/systems/okta/list", three, http.StatusNotImplemented, nil)
	var got struct {
		Kept    bool
		Missing []string
	}
	b.api("POST", api+"?smaller=true", head+"P-1;a@company.com;active;clerk\n", http.StatusOK, &got)
	if !got.Kept || len(got.Missing) != 2 {
		t.Errorf("half a list that is meant: %+v", got)
	}
}

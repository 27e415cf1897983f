package sim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone/connector/sim"
	unitysim "github.com/dayone-hq/dayone/connector/unity/sim"
)

// ask makes one request as a client does that knows the vendor's pages alone.
func ask(t *testing.T, s *unitysim.Sim, method, path, body string, header ...string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.SetBasicAuth("dayone", "sim-cupi-password")
	r.Header.Set("Accept", "application/json")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	raw, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	_ = json.Unmarshal(raw, &out) // what is no JSON is none
	return w.Code, out
}

// TestLists: none, one and several are three shapes, as the vendor has them.
func TestLists(t *testing.T) {
	t.Parallel()
	s := unitysim.New(sim.Options{Page: 2})
	if code, out := ask(t, s, "GET", "/vmrest/users", ""); code != 200 || out["@total"] != "0" || len(out) != 1 {
		t.Errorf("none: %d %v", code, out)
	}
	s.Seed(sim.Account{Login: "one"})
	if _, out := ask(t, s, "GET", "/vmrest/users", ""); out["@total"] != "1" || out["User"].(map[string]any)["Alias"] != "one" {
		t.Errorf("one: %v", out)
	}
	s.Seed(sim.Account{Login: "two"})
	s.Seed(sim.Account{Login: "three"})
	if _, out := ask(t, s, "GET", "/vmrest/users?rowsPerPage=500&pageNumber=1", ""); out["@total"] != "3" || len(out["User"].([]any)) != 2 {
		t.Errorf("a page of three: %v", out)
	}
	if _, out := ask(t, s, "GET", "/vmrest/users?rowsPerPage=500&pageNumber=2", ""); out["User"].(map[string]any)["Alias"] != "three" {
		t.Errorf("the last page: %v", out)
	}
}

// TestStrict: what the vendor refuses is refused, with its shape of an error.
func TestStrict(t *testing.T) {
	t.Parallel()
	s := unitysim.New(sim.Options{})
	ref := s.Seed(sim.Account{Login: "one"})
	user := "/vmrest/users/" + ref
	for name, c := range map[string]struct {
		method, path, body string
		want               int
	}{
		"no template":                 {"POST", "/vmrest/users", `{"Alias":"a","DtmfAccessId":"2101"}`, 400},
		"no such template":            {"POST", "/vmrest/users?templateAlias=x", `{"Alias":"a","DtmfAccessId":"2101"}`, 404},
		"no extension":                {"POST", "/vmrest/users?templateAlias=voicemailusertemplate", `{"Alias":"a"}`, 400},
		"an unknown field":            {"POST", "/vmrest/users?templateAlias=voicemailusertemplate", `{"Alias":"a","DtmfAccessId":"2101","Pin":"1"}`, 400},
		"a number that is no text":    {"POST", "/vmrest/users?templateAlias=voicemailusertemplate", `{"Alias":"a","DtmfAccessId":2101}`, 400},
		"an alias that is taken":      {"POST", "/vmrest/users?templateAlias=voicemailusertemplate", `{"Alias":"ONE","DtmfAccessId":"2101"}`, 400},
		"two columns":                 {"GET", "/vmrest/users?query=(alias%20is%20a)and(alias%20is%20b)", "", 400},
		"contains":                    {"GET", "/vmrest/users?query=(alias%20contains%20a)", "", 400},
		"a column without an index":   {"GET", "/vmrest/users?query=(title%20is%20a)", "", 400},
		"a query and another sort":    {"GET", "/vmrest/users?query=(alias%20is%20a)&sort=(lastname%20asc)", "", 400},
		"an import without extension": {"POST", "/vmrest/import/users/ldap?templateAlias=voicemailusertemplate", `{"alias":"a","pkid":"pk-a"}`, 400},
		"an import of nobody":         {"POST", "/vmrest/import/users/ldap?templateAlias=voicemailusertemplate", `{"pkid":"pk-a","dtmfAccessId":"2101"}`, 400},
		"the primary extension":       {"POST", user + "/alternateextensions", `{"IdIndex":"0","DtmfAccessId":"2101"}`, 400},
		"a PIN of letters":            {"PUT", user + "/credential/pin", `{"Credentials":"secret"}`, 400},
		"a lock that is yes":          {"PUT", user + "/credential/pin", `{"Locked":"yes"}`, 400},
		"an empty change":             {"PUT", user, `{}`, 400},
		"another method":              {"POST", user + "?method=ring", "", 400},
		"nobody":                      {"GET", "/vmrest/users/none", "", 404},
		"nowhere":                     {"GET", "/vmrest/nowhere", "", 404},
	} {
		code, out := ask(t, s, c.method, c.path, c.body)
		if e, ok := out["errors"].(map[string]any); code != c.want || !ok || e["message"] == "" {
			t.Errorf("%s: %d %v", name, code, out)
		}
	}
	if code, _ := ask(t, s, "PUT", user, `{"Title":"x"}`, "Content-Type", "application/xml"); code != http.StatusUnsupportedMediaType {
		t.Errorf("another type: %d", code)
	}
	if code, _ := ask(t, s, "GET", user, "", "Authorization", "Basic eDp5"); code != http.StatusUnauthorized {
		t.Errorf("nobody we know: %d", code)
	}
	if _, out := ask(t, s, "GET", user, "", "Accept", "*/*"); out != nil {
		t.Errorf("who does not ask for JSON gets %v", out)
	}
}

// TestTooMany: the directory's copy is not shown whole without a limit.
func TestTooMany(t *testing.T) {
	t.Parallel()
	s := unitysim.New(sim.Options{})
	var all []unitysim.Entry
	for i := range 2001 {
		all = append(all, unitysim.Entry{ID: "p" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/182)})
	}
	s.Directory(all...)
	s.Synchronize()
	if code, _ := ask(t, s, "GET", "/vmrest/import/users/ldap", ""); code != 400 {
		t.Errorf("more than two thousand: %d", code)
	}
	if code, out := ask(t, s, "GET", "/vmrest/import/users/ldap?limit=5", ""); code != 200 || len(out["ImportUser"].([]any)) != 5 {
		t.Errorf("five of them: %d", code)
	}
}

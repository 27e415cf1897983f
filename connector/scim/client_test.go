package scim_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/scim"
)

// served is a client to a handler that answers as some server once did.
func served(t *testing.T, q scim.Quirks, h http.HandlerFunc) *scim.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return scim.NewClient(connector.Config{System: "app", HTTP: s.Client()}, s.URL+"/", nil, q)
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// TestTolerance: what servers answer otherwise than the standard says is read all the same.
func TestTolerance(t *testing.T) {
	t.Parallel()
	ctx := context.Background()

	for name, body := range map[string]string{
		"no resources":      `{"totalResults":0}`,
		"resources null":    `{"totalResults":"0","Resources":null}`,
		"someone else only": `{"totalResults":1,"Resources":[{"id":"1","userName":"other"}]}`, // the filter was ignored
	} {
		found, err := served(t, scim.Quirks{}, says(200, body)).Find(ctx, scim.User, "userName", "sarah")
		if err != nil || len(found) > 0 {
			t.Errorf("%s: found %v, %v", name, found, err)
		}
	}

	c := served(t, scim.Quirks{}, says(200, `{"totalResults":"1","resources":[{"ID":"7","username":"Sarah.Chen","Active":"True","name.formatted":"Sarah Chen","emails":"s@x.de"}]}`))
	found, err := c.Find(ctx, scim.User, "userName", "sarah.chen")
	if err != nil || len(found) != 1 {
		t.Fatalf("found %v, %v", found, err)
	}
	for path, want := range map[string]string{"id": "7", "name.formatted": "Sarah Chen", "emails": "s@x.de", "title": "", "name.givenName": ""} {
		if got := found[0].Text(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if !found[0].Active() {
		t.Error(`"True" is not active`)
	}

	if found, err = c.Find(ctx, scim.User, "emails", "S@x.de"); err != nil || len(found) != 1 {
		t.Errorf("by mail is found %v, %v", found, err)
	}
	both := served(t, scim.Quirks{}, says(200, `{"totalResults":1,"Resources":[{"id":"1","emails":[{"value":"a@x.de","primary":true},{"value":"b@x.de"}]}]}`))
	if found, err = both.Find(ctx, scim.User, "emails", "b@x.de"); err != nil || len(found) != 1 {
		t.Errorf("by the second mail is found %v, %v", found, err)
	}

	made, err := served(t, scim.Quirks{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://app.example/scim/v2/Users/a%20b")
		w.WriteHeader(201)
	}).Create(ctx, scim.User, scim.Resource{"userName": "sarah"})
	if err != nil || made.ID() != "a b" {
		t.Errorf("made %v, %v", made, err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for body, c := range map[string]struct {
		status int
		want   error
		code   string
	}{
		`{"status":"409","scimType":"uniqueness","detail":"taken"}`:     {409, dayone.ErrConflict, "uniqueness"},
		`{"status":400,"scimType":"uniqueness"}`:                        {400, dayone.ErrConflict, "uniqueness"}, // the code decides, not the status
		`{"status":400,"scimType":"noTarget"}`:                          {400, dayone.ErrNotFound, "noTarget"},
		`{"status":"400","scimType":"invalidValue"}`:                    {400, dayone.ErrInvalid, "invalidValue"},
		`{"Errors":{"description":"username_taken","code":409}}`:        {409, dayone.ErrConflict, "username_taken"},
		`{"Errors":[{"description":"user_not_found","code":"404"}]}`:    {404, dayone.ErrNotFound, "user_not_found"},
		`{"detail":"not here","status":404}`:                            {404, dayone.ErrNotFound, "HTTP 404"},
		`<html>gone to lunch</html>`:                                    {503, dayone.ErrUnavailable, "HTTP 503"},
		`{"detail":"no PATCH here","status":"501"}`:                     {501, dayone.ErrUnsupported, "HTTP 501"},
		`{"detail":"Failed to update. Resource changed on the server"}`: {412, dayone.ErrNotYet, "HTTP 412"},
	} {
		_, err := served(t, scim.Quirks{}, says(c.status, body)).Get(context.Background(), scim.User, "1")
		var f *dayone.Fault
		if !errors.Is(err, c.want) || !errors.As(err, &f) || f.Code != c.code {
			t.Errorf("%d %s is %v, want %v (%s)", c.status, body, err, c.want, c.code)
		}
	}
}

// TestQuoting: whatever a value holds, a filter compares one attribute with one value.
func TestQuoting(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`o"neil\x`:                `userName eq "o\"neil\\x"`,
		`x" or active eq true or`: `userName eq "x\" or active eq true or"`,
		"Łukasz & 美咲":             `userName eq "Łukasz & 美咲"`,
	} {
		var got url.Values
		c := served(t, scim.Quirks{}, func(w http.ResponseWriter, r *http.Request) {
			got = r.URL.Query()
			_, _ = io.WriteString(w, `{"totalResults":0}`)
		})
		if _, err := c.Find(context.Background(), scim.User, "userName", value); err != nil {
			t.Fatal(err)
		}
		if got.Get("filter") != want {
			t.Errorf("the filter is %s, want %s", got.Get("filter"), want)
		}
	}
}

// TestHidesInactive: where an inactive user is as good as gone, it is neither read nor listed.
func TestHidesInactive(t *testing.T) {
	t.Parallel()
	c := served(t, scim.Quirks{HidesInactive: true}, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/Users/1") {
			_, _ = io.WriteString(w, `{"id":"1","active":false}`)
			return
		}
		_, _ = io.WriteString(w, `{"totalResults":2,"Resources":[{"id":"1","active":false},{"id":"2","active":true}]}`)
	})
	if _, err := c.Get(context.Background(), scim.User, "1"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("an inactive user is read: %v", err)
	}
	var ids []string
	for r, err := range c.List(context.Background(), scim.User, "") {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID())
	}
	if len(ids) != 1 || ids[0] != "2" {
		t.Errorf("listed %v", ids)
	}
}

package connector_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

const acmeWords = "api users profile email login filter active notes doe members addUser grant_type client_secret Envelope name"

// noting is a guarded acme whose source has some words, and what calls it from within a step.
func noting(t *testing.T, url string, apply func(ctx context.Context, c *http.Client)) *connector.Guard {
	t.Helper()
	g, err := connector.Open(connector.Factory{Manifest: []byte(manifest), Words: acmeWords, New: func(c connector.Config) (connector.Connector, error) {
		return &acme{c, func(ctx context.Context, _ dayone.Act) (dayone.Result, error) {
			apply(ctx, c.HTTP)
			return dayone.Result{}, fmt.Errorf("it said s3cret-token and hunter22: %w", dayone.ErrUnavailable)
		}}, nil
	}}, "acme-eu", time.Now, connector.Options{Settings: map[string]string{"url": url, "token": "s3cret-token"}, PerMinute: map[string]int{"users": 60_000, "default": 60_000}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func send(ctx context.Context, t *testing.T, c *http.Client, method, url, kind, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer s3cret-token")
	r.Header.Set("Content-Type", kind)
	if resp, err := c.Do(r); err == nil {
		_, _ = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
	}
}

// A secret stands in the address, a parameter, a header, the body, the answer and the error; so do values of the person, one of
// which is a word of the source. What is noted has none of them, and says all the same what was done.
func TestRequestsAreNotedWithoutTheirValues(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "req-0815")
		if strings.Contains(r.URL.Path, "doe") {
			w.Header().Set("X-Request-Id", "ada.doe-0815")
		}
		if r.URL.Query().Has("filter") {
			w.Header().Set("X-Request-Id", "s3cret-token")
			w.WriteHeader(http.StatusTooManyRequests)
		}
		_, _ = w.Write([]byte(`{"email":"ada.doe@company.com","password":"hunter22"}`))
	}))
	t.Cleanup(srv.Close)
	g := noting(t, srv.URL, func(ctx context.Context, c *http.Client) {
		send(ctx, t, c, "POST", srv.URL+"/api/v2/s3cret-token/users/ada.doe%40company.com?s3cret-token=1&login=ada", "application/json",
			`{"profile":{"email":"ada.doe@company.com","hunter22":"x","Łukasiewicz":{"name":{"deep":1}}},"active":true,"notes":["s3cret-token"]}`)
		send(ctx, t, c, "GET", srv.URL+"/api/users/doe", "", "")
		send(ctx, t, c, "POST", srv.URL+"/oauth/token", "application/x-www-form-urlencoded", "grant_type=x&client_secret=s3cret-token&hunter22=1")
		send(ctx, t, c, "POST", srv.URL+"/axl/", "text/xml", `<Envelope><Body><addUser><name>ada.doe</name><hunter22/></addUser></Body></Envelope>`)
		send(ctx, t, c, "GET", srv.URL+"/members?filter=x", "", "")
		send(ctx, t, c, "GET", srv.URL+"/members?filter=x", "", "")
	})
	r, err := g.Apply(t.Context(), dayone.Act{
		Action: dayone.AccountCreate, Want: &dayone.Item{Attrs: dayone.Attrs{"login": dayone.Text("ada.doe@company.com"), "last_name": dayone.Text("Doe")}},
		Secrets: map[string]dayone.Secret{"password": dayone.NewSecret("hunter22")},
	})
	if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "hunter") {
		t.Errorf("the error: %v", err)
	}
	raw, _ := json.Marshal(r.Calls)
	for _, secret := range []string{"s3cret", "hunter", "ada", "doe", "company.com", "Łuka", "Bearer"} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("%q is noted: %s", secret, raw)
		}
	}
	var got []string
	for _, c := range r.Calls {
		got = append(got, fmt.Sprintf("%s %s %v %v %d %s|%s", c.Method, c.Path, c.Query, c.Keys, c.Status, c.ID, c.Again))
	}
	wants := []string{
		"POST /api/v2/{}/users/{} [login {}] [active notes profile profile.email profile.{} profile.{}.name] 200 |",
		"GET /api/users/{} [] [] 200 |",
		"POST /{}/{} [] [client_secret grant_type {}] 200 req-0815|",
		"POST /{}/ [] [addUser name {}] 200 req-0815|",
		"GET /members [filter] [] 429 |",
		"GET /members [filter] [] 0 |too many requests",
	}
	if !slices.Equal(got, wants) {
		t.Errorf("noted:\n%s\nand not\n%s", strings.Join(got, "\n"), strings.Join(wants, "\n"))
	}
	if f := r.Calls[5].Fault; !strings.Contains(f, "limit of requests") {
		t.Errorf("a request that was not sent: %q", f)
	}
}

// Of a step that makes very many requests the first and the last are noted; of one that is not noted at all, none.
func TestNotesAreBounded(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(srv.Close)
	many := map[string]int{}
	for i := range 200 {
		many[fmt.Sprintf("email%d", i)] = i
	}
	body, _ := json.Marshal(many)
	g := noting(t, srv.URL, func(ctx context.Context, c *http.Client) {
		for i := range 100 {
			path := "/api"
			if i == 99 {
				path = "/users"
			}
			send(ctx, t, c, "POST", srv.URL+path, "application/json", string(body))
		}
	})
	r, _ := g.Apply(t.Context(), dayone.Act{Action: dayone.AccountCreate})
	if len(r.Calls) != dayone.CallsKept || r.Left != 60 || r.Calls[dayone.CallsKept-1].Path != "/users" || r.Calls[0].Path != "/api" {
		t.Errorf("%d are noted and %d are not", len(r.Calls), r.Left)
	}
	if raw, _ := json.Marshal(r.Calls); len(raw) > 16<<10 || len(r.Calls[0].Keys) != 1 {
		t.Errorf("%d bytes are noted: %v", len(raw), r.Calls[0].Keys)
	}
	quiet := open(t, srv.URL, time.Now, func(context.Context, dayone.Act) (dayone.Result, error) { return dayone.Result{}, nil }, func(o *connector.Options) { o.Unnoted = true })
	if r, err := quiet.Apply(t.Context(), dayone.Act{}); err != nil || r.Calls != nil {
		t.Errorf("unnoted: %+v, %v", r, err)
	}
}

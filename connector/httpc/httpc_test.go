package httpc_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

var noon = time.Date(2025, 3, 3, 12, 0, 0, 0, time.UTC)

func serve(t *testing.T, h http.HandlerFunc) *httpc.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &httpc.Client{System: "acme", Base: s.URL + "/api", HTTP: s.Client(), Now: func() time.Time { return noon }}
}

func get(c *httpc.Client, path string, out any) (*httpc.Answer, error) {
	return c.Do(context.Background(), httpc.Request{Op: "reading", Method: http.MethodGet, Path: path}, out)
}

func TestStatusesHaveKinds(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]error{
		301: dayone.ErrInvalid, 400: dayone.ErrInvalid, 401: dayone.ErrAuth, 403: dayone.ErrForbidden, 404: dayone.ErrNotFound, 408: dayone.ErrUnavailable,
		409: dayone.ErrConflict, 410: dayone.ErrNotFound, 422: dayone.ErrInvalid, 429: dayone.ErrThrottled, 500: dayone.ErrUnavailable, 503: dayone.ErrUnavailable,
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
		})
		_, err := get(c, "/x", nil)
		var f *dayone.Fault
		if !errors.Is(err, kind) || !errors.As(err, &f) || f.System != "acme" || f.Op != "reading" || !f.RetryAt.Equal(noon.Add(7*time.Second)) {
			t.Errorf("%d: %#v", status, err)
		}
	}
}

func TestTheVendorsOwnCodeComesFirst(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) })
	c.Classify = func(int, http.Header, []byte) (string, string, error) {
		return "E42", strings.Repeat("long ", 200) + "\n", dayone.ErrConflict
	}
	_, err := get(c, "/x", nil)
	var f *dayone.Fault
	if !errors.As(err, &f) || !errors.Is(err, dayone.ErrConflict) || f.Code != "E42" || len(f.Detail) > 310 || strings.Contains(f.Detail, "\n") {
		t.Errorf("%#v", err)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	long := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.CopyN(w, strings.NewReader(strings.Repeat("x", httpc.MaxAnswer+2)), httpc.MaxAnswer+2)
	})
	if _, err := get(long, "/x", nil); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("an endless answer: %v", err)
	}
	page := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>maintenance</html>") })
	var out map[string]any
	if _, err := get(page, "/x", &out); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("a page instead of JSON: %v", err)
	}
	cut := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := get(cut, "/secret-path?token=abc", nil); !errors.Is(err, dayone.ErrUnavailable) || strings.Contains(err.Error(), "abc") {
		t.Errorf("a cut connection: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := cut.Do(ctx, httpc.Request{Op: "reading", Method: http.MethodGet, Path: "/x"}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	}
}

func TestNextPagesStayOnTheirHost(t *testing.T) {
	t.Parallel()
	var c *httpc.Client
	c = serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", `<`+strings.TrimSuffix(c.Base, "/api")+`/api/x?after=2>; rel="next", <https://x>; rel="self"`)
	})
	a, err := get(c, "/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(c, httpc.NextLink(a.Header), nil); err != nil {
		t.Errorf("the next page: %v", err)
	}
	for _, elsewhere := range []string{"https://evil.example/x", strings.TrimSuffix(c.Base, "/api") + ".evil.example/api/x"} {
		if _, err := get(c, elsewhere, nil); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%s: %v", elsewhere, err)
		}
	}
	if got := httpc.NextLink(http.Header{"Link": {`<https://x>; rel="prev"`}}); got != "" {
		t.Errorf("there is no next page, but %q", got)
	}
}

// What somebody chose as an id makes no other address: it is one segment, and what would climb out of the path is not sent.
func TestAnIdIsOneSegmentOfAPath(t *testing.T) {
	t.Parallel()
	var asked []string
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) { asked = append(asked, r.URL.EscapedPath()) })
	for _, id := range []string{"..", ".", "%2e%2E", ".%2e"} {
		if _, err := get(c, "/employees/"+id+"/groups", nil); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if len(asked) > 0 {
		t.Errorf("the server was asked for %q", asked)
	}
	for _, id := range []string{"../../1007", "a/../b", "...", "x?y=..", "1007#z", "a.b"} {
		path := "/employees/" + url.PathEscape(id)
		if _, err := get(c, path, nil); err != nil || len(asked) == 0 || !strings.HasSuffix(asked[len(asked)-1], path) {
			t.Errorf("%s: %v, asked for %q", id, err, asked)
		}
	}
}

func TestTokensAreFetchedOnceAndAgainWhenTheyEnd(t *testing.T) {
	t.Parallel()
	now, fetched := noon, 0
	tokens := &httpc.Tokens{Now: func() time.Time { return now }, Fetch: func(context.Context) (dayone.Secret, time.Duration, error) {
		fetched++
		return dayone.NewSecret("t" + strings.Repeat("1", fetched)), time.Hour, nil
	}}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `"`+r.Header.Get("Authorization")+`"`)
	})
	c.Tokens = tokens
	shows := func(want string) {
		t.Helper()
		var got string
		if _, err := get(c, "/x", &got); err != nil || got != want {
			t.Errorf("%q, %v, not %q", got, err, want)
		}
	}
	shows("Bearer t1")
	shows("Bearer t1")
	now = now.Add(55 * time.Minute) // a little early: clocks differ
	shows("Bearer t11")
}

// A token that ends while the call is on its way costs nothing but another token: the call arrives once, whole.
func TestRefusedTokenIsFetchedAnewAndTheCallMadeAgain(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	fetched, took, good := 0, []string{}, "t11"
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer "+good {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		took = append(took, string(body))
	})
	c.Tokens = &httpc.Tokens{Now: func() time.Time { return noon }, Fetch: func(context.Context) (dayone.Secret, time.Duration, error) {
		fetched++
		return dayone.NewSecret("t" + strings.Repeat("1", fetched)), time.Hour, nil
	}}
	post := func() error {
		_, err := c.Do(t.Context(), httpc.Request{Op: "creating user", Method: http.MethodPost, Path: "/users", JSON: map[string]string{"name": "Sarah"}}, nil)
		return err
	}
	if err := post(); err != nil || fetched != 2 || !slices.Equal(took, []string{`{"name":"Sarah"}`}) {
		t.Errorf("%v after %d tokens; the vendor took %q", err, fetched, took)
	}

	// whom a new token does not let in is not let in; nobody tries for ever
	mu.Lock()
	good = "another"
	mu.Unlock()
	if err := post(); !errors.Is(err, dayone.ErrAuth) || fetched != 3 {
		t.Errorf("%v after %d tokens", err, fetched)
	}

	// of many calls that one token fails, not each fetches its own
	mu.Lock()
	good, took = "t11111", nil
	mu.Unlock()
	if err := post(); !errors.Is(err, dayone.ErrAuth) || fetched != 4 { // t1111 is kept, and fails them all
		t.Fatalf("%v after %d tokens", err, fetched)
	}
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			if err := post(); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if fetched != 5 || len(took) != 8 {
		t.Errorf("%d tokens for %d calls", fetched, len(took))
	}
}

// A fixed token is what it is: refused once, refused for good.
func TestFixedTokenIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	calls := 0
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.WriteHeader(http.StatusUnauthorized)
	})
	c.Auth = httpc.Bearer("SSWS", dayone.NewSecret("x"))
	if _, err := get(c, "/x", nil); !errors.Is(err, dayone.ErrAuth) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

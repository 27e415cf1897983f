package web_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// from asks as if from an address, past the network.
func (b *bench) from(address, method, path string, header ...string) *http.Response {
	b.t.Helper()
	req := httptest.NewRequest(method, b.url+path, nil)
	req.RemoteAddr = address
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.server.Config.Handler.ServeHTTP(w, req)
	return w.Result()
}

// still is a clock that stands until it is set.
type still struct {
	*clock.Moved
	mu sync.Mutex
	at time.Time
}

func newStill() *still {
	at := time.Date(2025, 1, 6, 9, 0, 0, 0, time.UTC)
	return &still{Moved: clock.NewMoved(at), at: at}
}

// Jump sets it, and wakes who waits for that.
func (s *still) Jump(t time.Time) {
	s.mu.Lock()
	s.at = t
	s.mu.Unlock()
	s.Moved.Jump(t)
}

func (s *still) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

func (s *still) moves(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(d)
}

// limited lets everybody ask three times, and once a second from then on.
func limited(now *still, more ...setting) setting {
	return func(o *web.Options, d *flow.Deps) {
		withRoles(o, d)
		few := web.Limit{PerSecond: 1, AtOnce: 3}
		o.Limits = web.Limits{Token: few, Session: few, Address: few, Door: few, Hook: few, Live: 1}
		d.Clock = now
		for _, s := range more {
			s(o, d)
		}
	}
}

// Whoever asks too much waits, is told how long, and keeps nobody else waiting.
func TestWhoAsksTooMuchWaits(t *testing.T) {
	t.Parallel()
	now := newStill()
	b := newBench(t, limited(now))
	const hers, others = "192.0.2.1:1", "192.0.2.2:1"
	ask := func(address, path string, header ...string) *http.Response {
		t.Helper()
		return b.from(address, "GET", path, header...)
	}
	bearer := func(r dayone.Role) []string { return []string{"Authorization", "Bearer " + tokenOf(r)} }

	for path, kind := range map[string]string{"/api/v1/people": "problem", "/people": "page", "/login": "page", "/secret/x": "page"} {
		address := fmt.Sprintf("198.51.100.%d:1", len(path))
		for range 3 {
			if res := ask(address, path); res.StatusCode == http.StatusTooManyRequests {
				t.Fatalf("%s: the first three are too many", path)
			}
		}
		res := ask(address, path)
		body := text(t, res)
		if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "1" || res.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: the fourth is answered %s, %v", path, res.Status, res.Header)
		}
		want(t, path, body, "Too much was asked in a short time. Wait one second")
		if problem := strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json"); problem != (kind == "problem") {
			t.Errorf("%s is refused as %s", path, res.Header.Get("Content-Type"))
		}
	}

	// A token that is known is counted by itself, wherever it comes from; one that nobody knows counts for its address.
	for i := range 4 {
		if res := ask(hers, "/api/v1/people", bearer(dayone.HR)...); res.StatusCode != http.StatusOK {
			t.Fatalf("HR's request %d: %s", i, res.Status)
		}
	}
	if res := ask(others, "/api/v1/people", bearer(dayone.HR)...); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("her token from elsewhere: %s", res.Status)
	}
	if res := ask(hers, "/api/v1/people", bearer(dayone.Auditor)...); res.StatusCode != http.StatusOK {
		t.Errorf("another token from where she is: %s", res.Status)
	}
	for i := range 5 {
		ask(others, "/api/v1/people", "Authorization", fmt.Sprint("Bearer a-guess-", i))
	}
	if res := ask(others, "/api/v1/people"); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("many unknown tokens: %s", res.Status)
	}
	if res := ask(others, "/api/v1/people", bearer(dayone.Auditor)...); res.StatusCode != http.StatusOK {
		t.Errorf("who guesses keeps a known token out: %s", res.Status)
	}

	now.moves(time.Second)
	if res := ask(hers, "/api/v1/people", bearer(dayone.HR)...); res.StatusCode != http.StatusOK {
		t.Errorf("a second later: %s", res.Status)
	}
	now.moves(-time.Hour) // a clock that is set back keeps nobody out for an hour
	if res := ask(hers, "/api/v1/people", bearer(dayone.HR)...); res.StatusCode != http.StatusOK {
		t.Errorf("after the clock was set back: %s", res.Status)
	}
	for range 10 { // what watches us, and what every page needs
		for _, path := range []string{"/healthz", "/static/dayone.css"} {
			if res := ask(hers, path); res.StatusCode != http.StatusOK {
				t.Fatalf("%s: %s", path, res.Status)
			}
		}
	}
	if strings.Contains(b.log.String(), "a-guess-") {
		t.Error("the log holds a token")
	}
}

// An address counts as the connection has it, unless a proxy that is named says another; IPv6 counts by networks.
func TestWhereARequestComesFrom(t *testing.T) {
	t.Parallel()
	now := newStill()
	b := newBench(t, limited(now, func(o *web.Options, _ *flow.Deps) {
		o.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}))
	for name, c := range map[string]struct {
		from func(i int) (address, said string)
		one  bool // all count as one
	}{
		"made up by a client":              {func(i int) (string, string) { return "203.0.113.1:1", fmt.Sprintf("192.0.2.%d", i) }, true},
		"many clients":                     {func(i int) (string, string) { return fmt.Sprintf("203.0.113.%d:1", i+10), "" }, false},
		"behind a proxy":                   {func(i int) (string, string) { return "10.0.0.1:1", fmt.Sprintf("192.0.2.%d", i) }, false},
		"behind two":                       {func(i int) (string, string) { return "[::1]:1", fmt.Sprintf("1.1.1.1, 192.0.3.%d, 10.2.3.4", i) }, false},
		"made up before a proxy":           {func(i int) (string, string) { return "10.0.0.1:1", fmt.Sprintf("192.0.4.%d, 198.51.100.1", i) }, true},
		"nonsense before a proxy":          {func(i int) (string, string) { return "10.0.0.9:1", fmt.Sprintf("x%d", i) }, true},
		"one network of IPv6":              {func(i int) (string, string) { return fmt.Sprintf("[2001:db8::%x]:1", i+1), "" }, true},
		"many networks of IPv6":            {func(i int) (string, string) { return fmt.Sprintf("[2001:db8:0:%x::1]:1", i+1), "" }, false},
		"IPv4 that is written as IPv6":     {func(i int) (string, string) { return "[::ffff:203.0.113.77]:1", "" }, true},
		"an address with its port and hop": {func(i int) (string, string) { return "10.0.0.1:1", fmt.Sprintf("192.0.5.%d:4711", i) }, false},
	} {
		refused := 0
		for i := range 6 {
			address, said := c.from(i)
			var header []string
			if said != "" {
				header = []string{"X-Forwarded-For", said}
			}
			if b.from(address, "GET", "/login", header...).StatusCode == http.StatusTooManyRequests {
				refused++
			}
		}
		if want := map[bool]int{true: 3}[c.one]; refused != want {
			t.Errorf("%s: %d of six are refused, want %d", name, refused, want)
		}
	}
	if strings.Count(b.log.String(), "portal.proxies") != 1 {
		t.Error("it is not said once that a proxy is not named")
	}
}

// A login has so many live pages; one that ends makes room.
func TestLivePagesAreCounted(t *testing.T) {
	t.Parallel()
	b := newCompany(t, func(o *web.Options, _ *flow.Deps) { o.Limits.Live = 2 })
	release := b.any.hold()
	defer release()
	b.hireSarah()
	var run dayone.Run
	b.until("the run", func() bool {
		run = b.started("sarah.chen@company.com")
		return run.ID != "" && run.State == dayone.RunRunning
	})
	path := "/api/v1/runs/" + string(run.ID) + "/events"
	first, second := b.get(path), b.get(path)
	if first.StatusCode != http.StatusOK || second.StatusCode != http.StatusOK {
		t.Fatalf("two live pages: %s, %s", first.Status, second.Status)
	}
	third := b.get(path)
	if third.StatusCode != http.StatusTooManyRequests || third.Header.Get("Retry-After") == "" {
		t.Errorf("a third: %s", third.Status)
	}
	want(t, "metrics", b.page("/metrics"), "\ndayone_live_pages 2\n", `dayone_requests_refused_total{by="live"} 1`)
	_ = first.Body.Close()
	b.until("one has ended", func() bool { return b.get(path).StatusCode == http.StatusOK })
}

// A live page does not outlive the session that opened it.
func TestALivePageEndsWithItsSession(t *testing.T) {
	t.Parallel()
	now := clock.NewMoved(time.Now())
	b := newCompany(t, withToken, func(_ *web.Options, d *flow.Deps) { d.Clock = now })
	release := b.any.hold()
	defer release()
	if res := b.post("/login", url.Values{"token": {token}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("signing in: %s", res.Status)
	}
	b.hireSarah()
	var run dayone.Run
	b.until("the run", func() bool {
		run = b.started("sarah.chen@company.com")
		return run.ID != "" && run.State == dayone.RunRunning
	})
	live := b.get("/runs/" + string(run.ID) + "/events")
	if live.StatusCode != http.StatusOK {
		t.Fatalf("a live page: %s", live.Status)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, live.Body)
	}()
	if res := b.post("/logout", nil); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("signing out: %s", res.Status)
	}
	now.Jump(now.Now().Add(time.Minute))
	b.until("the live page to end", func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
}

package connector_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

const manifest = `
name: acme
title: Acme
summary: A system for tests.
capabilities: [target]
settings:
  url: {type: url, required: true, help: address}
  token: {type: secret, required: true, help: token}
limits:
  concurrency: 3
  buckets:
    default: {per_minute: 6000}
    users: {match: /users, per_minute: 60, burst: 1}
timeout: 5s
account:
  title: Account
  match: [login]
  attributes: {login: {required: true, from: "${person.email}"}}
  actions: [create]
`

// acme is a connector of functions.
type acme struct {
	config connector.Config
	apply  func(ctx context.Context, a dayone.Act) (dayone.Result, error)
}

func (a *acme) Check(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.config.Settings["url"]+"/ping", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", a.config.Secrets["token"].Reveal())
	resp, err := a.config.HTTP.Do(r)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &dayone.Fault{Op: "asking", Err: dayone.ErrThrottled, Detail: fmt.Sprint(resp.StatusCode)}
	}
	return nil
}

func (a *acme) Observe(context.Context, dayone.Subject) (connector.Seen, error) {
	return connector.Seen{}, nil
}

func (a *acme) Apply(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	return a.apply(ctx, act)
}

func (a *acme) List(context.Context) iter.Seq2[connector.Seen, error] {
	return func(func(connector.Seen, error) bool) {}
}

func (a *acme) Catalogue(context.Context) iter.Seq2[dayone.Offer, error] {
	return func(func(dayone.Offer, error) bool) {}
}

func open(t *testing.T, url string, now func() time.Time, apply func(context.Context, dayone.Act) (dayone.Result, error), change func(*connector.Options)) *connector.Guard {
	t.Helper()
	o := connector.Options{Settings: map[string]string{"url": url, "token": "s3cret-token"}}
	if change != nil {
		change(&o)
	}
	g, err := connector.Open(connector.Factory{Manifest: []byte(manifest), New: func(c connector.Config) (connector.Connector, error) {
		return &acme{c, apply}, nil
	}}, "acme-eu", now, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestSettingsAreCheckedBeforeAnythingIsCalled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings map[string]string
		says     string
	}{
		"missing": {map[string]string{"url": "https://x"}, "token"},
		"typo":    {map[string]string{"url": "https://x", "token": "t", "tokn": "t"}, "tokn"},
		"no url":  {map[string]string{"url": "acme", "token": "t"}, "url"},
	} {
		_, err := connector.Open(connector.Factory{Manifest: []byte(manifest)}, "acme-eu", time.Now, connector.Options{Settings: c.settings})
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "acme-eu") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecretsLeaveNoError(t *testing.T) {
	t.Parallel()
	g := open(t, "https://x", time.Now, func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		return dayone.Result{}, fmt.Errorf("refused s3cret-token and %s", a.Secrets["password"].Reveal())
	}, nil)
	_, err := g.Apply(context.Background(), dayone.Act{Action: dayone.AccountCreate, Secrets: map[string]dayone.Secret{"password": dayone.NewSecret("hunter22")}})
	var f *dayone.Fault
	if !errors.As(err, &f) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "hunter") || !strings.Contains(err.Error(), "[redacted]") {
		t.Errorf("%v", err)
	}
	if f.System != "acme-eu" || dayone.KindOf(err) == nil {
		t.Errorf("it has no system or kind: %#v", f)
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	t.Parallel()
	g := open(t, "https://x", time.Now, func(context.Context, dayone.Act) (dayone.Result, error) {
		t.Error("it was called")
		return dayone.Result{}, nil
	}, func(o *connector.Options) { o.DryRun = true })
	if _, err := g.Apply(context.Background(), dayone.Act{}); !errors.Is(err, dayone.ErrDryRun) {
		t.Error(err)
	}
}

func TestACallThatHangsEnds(t *testing.T) {
	t.Parallel()
	g := open(t, "https://x", time.Now, func(ctx context.Context, _ dayone.Act) (dayone.Result, error) {
		<-ctx.Done()
		return dayone.Result{}, ctx.Err()
	}, func(o *connector.Options) { o.Timeout = time.Millisecond })
	if _, err := g.Apply(context.Background(), dayone.Act{}); !errors.Is(err, dayone.ErrUnavailable) {
		t.Error(err)
	}
}

func TestTheManifestsLimitsHoldAndConfigurationIsOverThem(t *testing.T) {
	t.Parallel()
	g := open(t, "https://x", time.Now, nil, nil)
	if g.Width() != 3 {
		t.Errorf("width %d", g.Width())
	}
	g = open(t, "https://x", time.Now, nil, func(o *connector.Options) { o.Concurrency = 1 })
	if g.Width() != 1 {
		t.Errorf("width %d", g.Width())
	}
}

func TestOneThrottledCallShutsTheDoorForAll(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 3, 3, 12, 0, 0, 0, time.UTC)
	var calls atomic.Int64
	status := http.StatusTooManyRequests
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(status)
	}))
	t.Cleanup(srv.Close)
	g := open(t, srv.URL, func() time.Time { return now }, nil, nil)
	if !g.Open().IsZero() {
		t.Errorf("it is shut until %s before anything was called", g.Open())
	}
	for range 3 {
		if err := g.Check(context.Background()); !errors.Is(err, dayone.ErrThrottled) {
			t.Error(err)
		}
	}
	if calls.Load() != 1 {
		t.Errorf("%d calls left although the first was told to wait", calls.Load())
	}
	if want := now.Add(time.Minute); !g.Open().Equal(want) {
		t.Errorf("it opens at %s, not %s", g.Open(), want)
	}
	now, status = now.Add(time.Minute), http.StatusOK
	if err := g.Check(context.Background()); err != nil || !g.Open().IsZero() {
		t.Errorf("%v, open at %s", err, g.Open())
	}
}

func TestRedirectsCarryNoCredentialsAway(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("it was followed with %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }))
	t.Cleanup(srv.Close)
	if err := open(t, srv.URL, time.Now, nil, nil).Check(context.Background()); err == nil {
		t.Error("a redirect is taken for an answer")
	}
}

func TestRetryAtReadsWhatVendorsWrite(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 3, 3, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		header http.Header
		want   time.Time
	}{
		"seconds":       {http.Header{"Retry-After": {"30"}}, now.Add(30 * time.Second)},
		"a date":        {http.Header{"Retry-After": {"Mon, 03 Mar 2025 12:01:00 GMT"}}, now.Add(time.Minute)},
		"epoch":         {http.Header{"X-Rate-Limit-Reset": {fmt.Sprint(now.Add(time.Minute).Unix())}}, now.Add(time.Minute)},
		"seconds to go": {http.Header{"Ratelimit-Reset": {"5"}}, now.Add(5 * time.Second)},
		"nothing":       {http.Header{}, now.Add(time.Second)},
		"nonsense":      {http.Header{"Retry-After": {"soon"}}, now.Add(time.Second)},
		"for ever":      {http.Header{"Retry-After": {"99999999999"}}, now.Add(24 * time.Hour)},
		"negative":      {http.Header{"Retry-After": {"-5"}}, now},
	} {
		if got := connector.RetryAt(c.header, now); !got.Equal(c.want) {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
	}
}

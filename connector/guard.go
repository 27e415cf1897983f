package connector

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/dayone-hq/dayone"
)

// Options of a guarded system, from configuration.
type Options struct {
	Settings    map[string]string // as written: plain and secret ones
	Concurrency int               // 0: the manifest's
	PerMinute   map[string]int    // overrides of the manifest's buckets
	DryRun      bool              // nothing is written
	Unnoted     bool              // no log of requests is kept
	Timeout     time.Duration     // 0: the manifest's
	Files       fs.FS
	Observe     func(system string, op string, took time.Duration, err error) // metrics; may be nil
	Transport   http.RoundTripper                                             // nil: http.DefaultTransport
	Beside      func(system string) *Guard                                    // other systems of the configuration, nil where there is none of the name; may be nil
}

// Guard wraps one connector with the duties that all share: rate limit, timeout, redaction, dry run and metrics. It is a
// Connector itself, and what the engine calls.
type Guard struct {
	System   string
	Manifest *Manifest

	inner   Connector
	now     func() time.Time
	limits  *limiter
	width   int
	timeout time.Duration
	dryRun  bool
	observe func(string, string, time.Duration, error)
	hide    []hidden // secrets of the configuration, never to be seen in an error
	words   map[string]bool
	unnoted bool
}

var _ Connector = (*Guard)(nil)

// Open makes a guarded connector.
func Open(f Factory, system string, now func() time.Time, o Options) (*Guard, error) {
	m, err := ParseManifest(f.Manifest)
	if err != nil {
		return nil, err
	}
	settings, secrets, err := m.Read(o.Settings)
	if err != nil {
		return nil, fmt.Errorf("system %s: %w", system, err)
	}
	if f.Shape != nil {
		if err := f.Shape(m, settings); err != nil {
			return nil, fmt.Errorf("system %s: %w", system, err)
		}
	}
	g := &Guard{System: system, Manifest: m, now: now, width: o.Concurrency, timeout: o.Timeout, dryRun: o.DryRun, observe: o.Observe, words: wordsOf(f.Words), unnoted: o.Unnoted}
	if g.width <= 0 {
		g.width = m.Limits.Concurrency
	}
	if g.timeout <= 0 {
		g.timeout = time.Duration(m.Timeout)
	}
	g.hide = hiding(revealed(secrets))
	g.limits = newLimiter(m.Limits.Buckets, o.PerMinute, now)
	next := o.Transport
	if next == nil {
		next = trusting(settings["ca"])
	}
	g.inner, err = f.New(Config{
		System: system, Settings: settings, Secrets: secrets, Now: now, Manifest: m, Files: o.Files, Beside: pinsBeside(o.Beside),
		HTTP: &http.Client{
			Transport: &limited{next, g.limits},
			Timeout:   g.timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse // a redirect would carry the credentials to who knows where
			},
		},
	})
	var wrong *SettingError
	if errors.As(err, &wrong) { // our own words, which name the setting
		return nil, fmt.Errorf("system %s: %w", system, err)
	}
	if err != nil {
		return nil, fmt.Errorf("system %s: %w", system, g.redact(err, nil))
	}
	return g, nil
}

// trusting is a transport that trusts, beside the machine's authorities, the one of the setting ca: systems in the house often
// have a certificate that the house made. What is no certificate is the connector's to refuse.
func trusting(ca string) http.RoundTripper {
	shared, ok := http.DefaultTransport.(*http.Transport)
	if ca == "" || !ok {
		return http.DefaultTransport
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM([]byte(ca))
	own := shared.Clone()
	own.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return own
}

// Source is the connector as a source, if it is one.
func (g *Guard) Source() (Source, bool) {
	s, ok := g.inner.(Source)
	return s, ok
}

// Callback takes what the system says by itself. ErrNotFound: it says nothing.
func (g *Guard) Callback(header http.Header, body []byte) (Callback, error) {
	c, ok := g.inner.(Called)
	if !ok {
		return Callback{}, &dayone.Fault{System: g.System, Op: "taking a callback", Err: dayone.ErrNotFound, Detail: g.Manifest.Title + " does not call back"}
	}
	out, err := c.Callback(header, body, g.now())
	return out, g.redact(err, nil)
}

// Open is the earliest instant at which one more request may leave; zero: now.
func (g *Guard) Open() time.Time { return g.limits.open() }

// Width is how many calls may be under way at the same time.
func (g *Guard) Width() int { return g.width }

func (g *Guard) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	began := time.Now()
	err := g.redact(g.inner.Check(ctx), nil)
	g.tell("check", began, err)
	return err
}

func (g *Guard) Observe(ctx context.Context, s dayone.Subject) (Seen, error) {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	began := time.Now()
	seen, err := g.inner.Observe(ctx, s)
	err = g.redact(err, nil)
	g.tell("observe", began, err)
	return seen, err
}

// Cannot are the actions that its settings leave to humans, and what to set.
func (g *Guard) Cannot() map[string]string {
	if l, ok := g.inner.(Limited); ok {
		return l.Cannot()
	}
	return nil
}

// Remains reads what is left on an account. ErrUnsupported: the connector tells nothing of it.
func (g *Guard) Remains(ctx context.Context, account dayone.Item) (found []dayone.Remain, checked, unread []dayone.RemainClass, err error) {
	r, ok := g.inner.(Reader)
	if !ok {
		return nil, nil, nil, &dayone.Fault{System: g.System, Op: "reading what remains", Err: dayone.ErrUnsupported, Detail: g.Manifest.Title + " tells nothing of it"}
	}
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	began := time.Now()
	found, checked, unread, err = r.Remains(ctx, account)
	err = g.redact(err, nil)
	g.tell("remains", began, err)
	return found, checked, unread, err
}

// Tells says whether the connector has anything for a dashboard.
func (g *Guard) Tells() bool {
	_, ok := g.inner.(Teller)
	return ok
}

// Tiles are what a dashboard shows of the system. ErrUnsupported: it tells nothing.
func (g *Guard) Tiles(ctx context.Context) ([]dayone.Tile, error) {
	t, ok := g.inner.(Teller)
	if !ok {
		return nil, &dayone.Fault{System: g.System, Op: "reading tiles", Err: dayone.ErrUnsupported, Detail: g.Manifest.Title + " tells none"}
	}
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	began := time.Now()
	tiles, err := t.Tiles(ctx)
	err = g.redact(err, nil)
	g.tell("tiles", began, err)
	return tiles, err
}

// Phones says whether the system has telephone lines, devices or mailboxes.
func (g *Guard) Phones() bool {
	_, ok := g.inner.(PhoneSystem)
	return ok
}

// Discover reads a telephone system. As List it has no timeout of its own. ErrUnsupported: it is none. seen may be nil.
func (g *Guard) Discover(ctx context.Context, seen func(kind dayone.PlatformKind, n int)) (dayone.Platform, error) {
	p, ok := g.inner.(PhoneSystem)
	if !ok {
		return dayone.Platform{}, &dayone.Fault{System: g.System, Op: "reading its lines", Err: dayone.ErrUnsupported, Detail: g.Manifest.Title + " is no telephone system"}
	}
	if seen == nil {
		seen = func(dayone.PlatformKind, int) {}
	}
	began := time.Now()
	out, err := p.Discover(ctx, seen)
	err = g.redact(err, nil)
	g.tell("discover", began, err)
	if err != nil {
		return dayone.Platform{}, err
	}
	return out, nil
}

func (g *Guard) Apply(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	if g.dryRun {
		return dayone.Result{}, &dayone.Fault{System: g.System, Op: string(a.Action), Err: dayone.ErrDryRun, Detail: a.Key.String() + " is left as it is"}
	}
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	began := time.Now()
	var noted *notes
	if !g.unnoted {
		ctx, noted = g.noting(ctx, a)
	}
	r, err := g.inner.Apply(ctx, a)
	noted.done(&r)
	err = g.redact(err, a.Secrets)
	g.tell(string(a.Action), began, err)
	return r, err
}

// List has no timeout of its own: it takes as long as there are accounts. Each request of it has one.
func (g *Guard) List(ctx context.Context) iter.Seq2[Seen, error] {
	return func(yield func(Seen, error) bool) {
		for s, err := range g.inner.List(ctx) {
			if !yield(s, g.redact(err, nil)) {
				return
			}
		}
	}
}

func (g *Guard) Catalogue(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		for o, err := range g.inner.Catalogue(ctx) {
			if !yield(o, g.redact(err, nil)) {
				return
			}
		}
	}
}

func (g *Guard) tell(op string, began time.Time, err error) {
	if g.observe != nil {
		g.observe(g.System, op, time.Since(began), err)
	}
}

// redact takes every secret we know of out of an error, and gives errors without a kind one: a context that ended is
// "unavailable", whatever else is a fault of ours.
func (g *Guard) redact(err error, secrets map[string]dayone.Secret) error {
	if err == nil {
		return nil
	}
	hide := g.hiding(secrets)
	clean := func(s string) string { return clean(s, hide) }
	if errors.Is(err, context.Canceled) {
		if said := err.Error(); clean(said) != said { // the address that was asked, say
			return fmt.Errorf("system %s: calling: %w", g.System, context.Canceled)
		}
		return err
	}
	var f *dayone.Fault
	if !errors.As(err, &f) {
		kind := dayone.KindOf(err)
		if errors.Is(err, context.DeadlineExceeded) {
			kind = dayone.ErrUnavailable
		}
		if kind == nil {
			kind = dayone.ErrInvalid
		}
		return &dayone.Fault{System: g.System, Op: "calling", Err: kind, Detail: clean(err.Error())}
	}
	out := *f
	out.Detail, out.Code, out.Next, out.Op = clean(f.Detail), clean(f.Code), clean(f.Next), clean(f.Op)
	if out.Err != nil && clean(out.Err.Error()) != out.Err.Error() {
		out.Err = cmp.Or(dayone.KindOf(out.Err), dayone.ErrInvalid)
	}
	if out.System == "" {
		out.System = g.System
	}
	return &out
}

// hiding is what must not be seen of a call: the secrets of the configuration, which are made ready once, and its own.
func (g *Guard) hiding(secrets map[string]dayone.Secret) []hidden {
	if len(secrets) == 0 {
		return g.hide
	}
	return append(hiding(revealed(secrets)), g.hide...)
}

func revealed(secrets map[string]dayone.Secret) []string {
	out := make([]string, 0, len(secrets))
	for _, s := range secrets {
		out = append(out, s.Reveal())
	}
	return out
}

// limiter counts requests, not steps: one bucket per path prefix, and a 429 shuts its bucket for everybody.
type limiter struct {
	now     func() time.Time
	buckets []*bucket
}

type bucket struct {
	Bucket
	rate *rate.Limiter

	mu   sync.Mutex
	shut time.Time
}

func newLimiter(bs map[string]Bucket, override map[string]int, now func() time.Time) *limiter {
	l := &limiter{now: now}
	for name, b := range bs {
		if n, ok := override[name]; ok && n > 0 {
			b.PerMinute, b.Burst = n, 0
		}
		if name == "default" {
			b.Match = ""
		}
		l.buckets = append(l.buckets, newBucket(b))
	}
	if _, ok := bs["default"]; !ok {
		l.buckets = append(l.buckets, newBucket(Bucket{}))
	}
	slices.SortFunc(l.buckets, func(a, b *bucket) int { // the longest prefix decides
		if d := len(b.Match) - len(a.Match); d != 0 {
			return d
		}
		return len(b.Method) - len(a.Method)
	})
	return l
}

func newBucket(b Bucket) *bucket {
	per := rate.Inf
	if b.PerMinute > 0 {
		per = rate.Limit(float64(b.PerMinute) / 60)
		if b.Burst <= 0 {
			b.Burst = max(1, b.PerMinute/6)
		}
	}
	return &bucket{Bucket: b, rate: rate.NewLimiter(per, b.Burst)}
}

func (l *limiter) of(r *http.Request) *bucket {
	for _, b := range l.buckets {
		if strings.HasPrefix(r.URL.Path, b.Match) && (b.Method == "" || b.Method == r.Method) {
			return b
		}
	}
	return l.buckets[len(l.buckets)-1]
}

// open is when every bucket would let a request through.
func (l *limiter) open() time.Time {
	var at time.Time
	now := l.now()
	for _, b := range l.buckets {
		b.mu.Lock()
		if b.shut.After(now) && b.shut.After(at) {
			at = b.shut
		}
		b.mu.Unlock()
		if b.PerMinute > 0 {
			if short := 1 - b.rate.TokensAt(time.Now()); short > 0 {
				t := now.Add(time.Duration(math.Ceil(short / (float64(b.PerMinute) / 60) * float64(time.Second))))
				if t.After(at) {
					at = t
				}
			}
		}
	}
	return at
}

// limited is the transport that every connector gets.
type limited struct {
	next   http.RoundTripper
	limits *limiter
}

func (t *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	n, ok := r.Context().Value(notedKey{}).(*notes)
	if !ok {
		return t.pass(r)
	}
	start := n.begin()
	resp, err := t.pass(r)
	n.note(r, resp, err, start)
	return resp, err
}

// pass lets a request through in its turn.
func (t *limited) pass(r *http.Request) (*http.Response, error) {
	b := t.limits.of(r)
	b.mu.Lock()
	shut := b.shut
	b.mu.Unlock()
	if now := t.limits.now(); shut.After(now) {
		return nil, &dayone.Fault{Op: "calling", Err: dayone.ErrThrottled, RetryAt: shut, Detail: "its rate limit is used up"}
	}
	if err := b.rate.Wait(r.Context()); err != nil {
		return nil, err
	}
	resp, err := t.next.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		b.mu.Lock()
		if at := RetryAt(resp.Header, t.limits.now()); at.After(b.shut) {
			b.shut = at
		}
		b.mu.Unlock()
	}
	return resp, err
}

// RetryAt reads when a throttled caller may come back: Retry-After in seconds or as a date, else the reset headers that
// vendors use, as epoch seconds. Without any, a second from now.
func RetryAt(h http.Header, now time.Time) time.Time {
	if v := h.Get("Retry-After"); v != "" {
		if s, err := strconv.Atoi(v); err == nil {
			return now.Add(time.Duration(min(max(s, 0), 86400)) * time.Second)
		}
		if at, err := http.ParseTime(v); err == nil {
			return at
		}
	}
	for _, name := range []string{"X-Rate-Limit-Reset", "X-RateLimit-Reset", "RateLimit-Reset"} {
		if s, err := strconv.ParseInt(h.Get(name), 10, 64); err == nil {
			if s < 1_000_000_000 { // seconds to go, not an epoch
				return now.Add(time.Duration(s) * time.Second)
			}
			if at := time.Unix(s, 0); at.Before(now.Add(24 * time.Hour)) {
				return at
			}
		}
	}
	return now.Add(time.Second)
}

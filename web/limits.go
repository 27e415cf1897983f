package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dayone-hq/dayone"
)

// Limit is how much somebody may ask: so often at once, and so often a second from then on. Zero: as often as they like.
type Limit struct{ PerSecond, AtOnce int }

func (l Limit) every() time.Duration { return time.Second / time.Duration(l.PerSecond) }

// Limits are how much may be asked of the server, by whoever asks. Somebody who is in is counted alone, so that nobody else
// keeps them out; everybody else is counted by address. Zero: nobody is limited.
type Limits struct {
	Token   Limit // the API, for each token
	Session Limit // pages and the API, for each login by a browser
	Address Limit // whoever is not in, for each address
	Door    Limit // sign-in, set-up and links that need no login, for each address
	Hook    Limit // what sources and systems say, for each address
	Live    int   // pages and streams that live, for each login; 0: as many as they like
}

// DefaultLimits are so wide that no human meets them: a page of people asks for fifty pictures at once.
var DefaultLimits = Limits{
	Token: Limit{50, 200}, Session: Limit{50, 500}, Address: Limit{20, 200}, Door: Limit{10, 200}, Hook: Limit{100, 1000}, Live: 600,
}

// What guessing costs, whatever the settings say: so many are looked at, and from then on one now and then.
var (
	guesses  = guessing{20, 10 * time.Second} // of one name or one address; a company may come from one
	compared = guessing{60, time.Second}      // passwords in all, since comparing one takes time and memory on purpose
	floods   = guessing{10, 10 * time.Second} // lines of the log about requests that are too many
)

type guessing struct {
	atOnce int
	every  time.Duration
}

// mostCounted is how many are counted at once. One more, and whoever is nearest to asking freely again is forgotten.
const mostCounted = 20_000

// counts are token buckets, one instant each: when everything that was asked will have been paid off, at the pace of its
// limit. An instant that has passed is a full bucket.
type counts struct {
	now func() time.Time

	mu sync.Mutex
	of map[string]time.Time
}

func newCounts(now func() time.Time) *counts { return &counts{now: now, of: map[string]time.Time{}} }

// take counts one, or says how long to wait for it.
func (c *counts) take(key string, atOnce int, every time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	whole := time.Duration(atOnce) * every
	paid, there := c.of[key]
	if paid.Before(now) || paid.After(now.Add(whole)) { // after it the clock was set back, which is nobody's fault
		paid = now
	}
	paid = paid.Add(every)
	if wait := paid.Sub(now.Add(whole)); wait > 0 {
		return wait
	}
	if !there && len(c.of) >= mostCounted {
		c.forget(now)
	}
	c.of[key] = paid
	return 0
}

// forget makes room. A few are looked at, not all: whoever adds without end must not make everybody else wait for it. The one
// who has asked least of them goes, so that many who ask once hide nobody who asks much.
func (c *counts) forget(now time.Time) {
	var least string
	var paid time.Time
	seen := 0
	for key, until := range c.of {
		if !until.After(now) {
			delete(c.of, key)
			return
		}
		if seen == 0 || until.Before(paid) {
			least, paid = key, until
		}
		if seen++; seen == 32 {
			break
		}
	}
	delete(c.of, least)
}

func (c *counts) guess(key string, g guessing) time.Duration { return c.take(key, g.atOnce, g.every) }

// free takes back what is counted of a key.
func (c *counts) free(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, key)
}

// know notes whom a credential let in: from now on it is counted by itself.
func (c *counts) know(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.of[key]; there {
		return
	}
	if len(c.of) >= mostCounted {
		c.forget(c.now())
	}
	c.of[key] = time.Time{}
}

func (c *counts) knows(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, there := c.of[key]
	return there
}

// limiter says who asks too much.
type limiter struct {
	Limits
	proxies []netip.Prefix
	hint    sync.Once // that a proxy is not named

	strangers *counts // addresses, and what is guessed
	insiders  *counts // credentials that let somebody in
	comparing chan struct{}

	unlogged unlogged

	refused *prometheus.CounterVec
	mu      sync.Mutex
	live    map[string]int
}

// unlogged counts refusals that have no line of the log of their own.
type unlogged struct {
	mu   sync.Mutex
	n    int
	last time.Time
}

// one counts one more. Once a minute it says how many there were since it last did.
func (u *unlogged) one(now time.Time) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.n++
	if u.last.IsZero() {
		u.last = now
	}
	if now.Before(u.last.Add(time.Minute)) && !now.Before(u.last) {
		return 0
	}
	n := u.n
	u.n, u.last = 0, now
	return n
}

// comparedAtOnce is how many wait for a password to be compared, of browsers that are not known.
const comparedAtOnce = 4

func newLimiter(o Options, now func() time.Time) *limiter {
	return &limiter{
		Limits: o.Limits, proxies: o.Proxies, strangers: newCounts(now), insiders: newCounts(now), comparing: make(chan struct{}, comparedAtOnce), live: map[string]int{},
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "dayone_requests_refused_total", Help: "Requests that were too many, by what limited them."}, []string{"by"}),
	}
}

// Describe and Collect tell what was refused, and how many pages live.
func (l *limiter) Describe(ch chan<- *prometheus.Desc) {
	l.refused.Describe(ch)
	ch <- livePages
}

var livePages = prometheus.NewDesc("dayone_live_pages", "Pages and streams that are open and live.", nil, nil)

// Collect is said there.
func (l *limiter) Collect(ch chan<- prometheus.Metric) {
	l.refused.Collect(ch)
	l.mu.Lock()
	n := 0
	for _, of := range l.live {
		n += of
	}
	l.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(livePages, prometheus.GaugeValue, float64(n))
}

// area is what limits a request that somebody sends who is not known yet; "": nothing does.
func area(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "static", "brand", "healthz", "readyz", "robots.txt": // in memory, or asked by what watches us
		return ""
	case "login", "logout", "setup", "secret", "prehire", "progress":
		return "door"
	case "hooks":
		return "hook"
	}
	return "address"
}

// credential is what a request shows to be let in: a token or a cookie, by its digest.
func (p *portal) credential(r *http.Request) (by, key string) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return "token", "token " + digest(token)
	}
	if c, err := r.Cookie(p.access.cookieName()); err == nil {
		return "session", "session " + digest(c.Value)
	}
	return "", ""
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

// paced says no to whoever asks too much. It is asked before anything is looked up, so that refusing costs next to nothing.
func (p *portal) paced(w http.ResponseWriter, r *http.Request) error {
	l := p.limits
	in := area(r.URL.Path)
	if in == "" {
		return nil
	}
	on, by, limit := l.strangers, in, l.Address
	key := in + " " + network(p.from(r))
	switch in {
	case "door":
		limit = l.Door
	case "hook":
		limit = l.Hook
	default:
		if kind, shown := p.credential(r); kind != "" && l.insiders.knows(shown) {
			on, by, key, limit = l.insiders, kind, shown, l.Session
			if kind == "token" {
				limit = l.Token
			}
		}
	}
	if limit.PerSecond == 0 {
		return nil
	}
	if wait := on.take(key, limit.AtOnce, limit.every()); wait > 0 {
		return p.tooMuch(w, by, wait, textTooMuch)
	}
	return nil
}

// known notes that a request's credential lets somebody in.
func (p *portal) known(r *http.Request) {
	if _, key := p.credential(r); key != "" {
		p.limits.insiders.know(key)
	}
}

// tooMuch refuses, and says after how long to come again.
func (p *portal) tooMuch(w http.ResponseWriter, by string, wait time.Duration, text string) error {
	p.limits.refused.WithLabelValues(by).Inc()
	seconds := max(1, int((wait+time.Second-1)/time.Second))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return refuse(dayone.ErrThrottled, fmt.Sprintf(text, plural(seconds, "one second", "%d seconds")))
}

// lives counts a page that lives until it ends.
func (p *portal) lives(w http.ResponseWriter, r *http.Request) (end func(), err error) {
	l, key := p.limits, me(r).Name
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Live > 0 && l.live[key] >= l.Live {
		return nil, p.tooMuch(w, "live", 30*time.Second, textTooManyLive)
	}
	l.live[key]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.live[key]--; l.live[key] == 0 {
			delete(l.live, key)
		}
	}, nil
}

// from is the address that a request comes from. What a header says counts only if a proxy wrote it that the configuration
// names: from the right, since whatever a client made up stands on the left.
func (p *portal) from(r *http.Request) netip.Addr {
	at, err := netip.ParseAddr(hostOf(r.RemoteAddr))
	if err != nil {
		return netip.Addr{}
	}
	at = at.Unmap().WithZone("")
	said := r.Header.Values("X-Forwarded-For")
	if len(said) == 0 {
		return at
	}
	if !p.limits.trusted(at) {
		p.limits.hint.Do(func() {
			p.log.Warn("requests come through a proxy that portal.proxies does not name, so whoever is not signed in counts as one", "proxy", at.String())
		})
		return at
	}
	hops := strings.Split(strings.Join(said, ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(hostOf(strings.TrimSpace(hops[i])))
		if err != nil {
			return at
		}
		at = hop.Unmap().WithZone("")
		if !p.limits.trusted(at) {
			return at
		}
	}
	return at
}

func (l *limiter) trusted(at netip.Addr) bool {
	for _, proxy := range l.proxies {
		if proxy.Contains(at) {
			return true
		}
	}
	return false
}

// network is what is counted of an address: a customer gets a whole /64 of IPv6, and may change in it as she likes.
func network(at netip.Addr) string {
	if at.Is6() {
		if net, err := at.Prefix(64); err == nil {
			return net.String()
		}
	}
	return at.String()
}

package web

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Patterns are all addresses there are, for the test that compares them with the API's document.
func Patterns() []string {
	p := &portal{view: newRenderer(""), limits: newLimiter(Options{}, time.Now)}
	var out []string
	for _, r := range p.routes() {
		out = append(out, r.pattern)
	}
	return out
}

// Allowed is the table of who may go where.
func Allowed() map[string][]dayone.Role { return allowed }

// Unguarded are addresses of a list that the table does not know.
func Unguarded(patterns ...string) []string {
	var list []route
	for _, p := range patterns {
		list = append(list, route{pattern: p})
	}
	return missingRoles(list)
}

// Begun begins n sign-ins, and says whether the first and the last can still go on.
func Begun(n int) (first, last bool) {
	at := time.Unix(1, 0)
	s := newSignOn(Options{SignOn: &SignOn{}}, &url.URL{}, func() time.Time { at = at.Add(time.Microsecond); return at }, nil)
	var states, cookies []string
	for range n {
		to, cookie := s.begin(&oidc.Provider{}, "/")
		u, _ := url.Parse(to)
		states, cookies = append(states, u.Query().Get("state")), append(cookies, cookie)
	}
	_, first = s.take(states[0], cookies[0])
	_, last = s.take(states[n-1], cookies[n-1])
	return first, last
}

// Tried says whether somebody who guessed too often may go on, after one wrong token from each of n other addresses, and how
// many are counted then.
func Tried(n int) (may bool, counted int) {
	at := time.Unix(1, 0)
	c := newCounts(func() time.Time { return at })
	for range guesses.atOnce {
		c.guess("guesser", guesses)
	}
	for i := range n {
		c.guess(fmt.Sprint(i), guesses)
	}
	return c.guess("guesser", guesses) == 0, len(c.of)
}

// About is what an address is about; "": no rule says it.
func About(pattern string) flow.Thing { return aboutOf(pattern) }

// AgeText is how long ago something is, in words.
func AgeText(d time.Duration) string { return viewer{}.age(d) }

// LeftTo says what of a page is left to a role.
func LeftTo(role dayone.Role) func(page string) string {
	p := &portal{view: newRenderer(""), limits: newLimiter(Options{}, time.Now), now: time.Now, roles: allowed, mux: http.NewServeMux()}
	for _, r := range p.routes() {
		p.mux.Handle(r.pattern, http.NotFoundHandler())
	}
	at, err := http.NewRequest(http.MethodGet, "/proposals/v1", nil)
	must(err)
	return func(page string) string {
		l := &lets{p: p, who: who{Role: role}, r: at, asked: map[string]bool{}, found: map[string]string{}, probe: http.Request{URL: &url.URL{}}}
		return string(l.only([]byte(page)))
	}
}

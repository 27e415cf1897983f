package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
)

// who is somebody who is in. Everybody who holds the access token is an administrator; this is the one place that says
// so, and the one to change when people log in by name and have roles.
type who struct {
	Name string // goes into records
	Role string
}

const administrator = "administrator"

// access decides who is in: by a cookie after the login page, or by a bearer token at the API.
type access struct {
	token  dayone.Secret
	open   bool
	secure bool // cookies travel over https only
	now    func() time.Time
	*sessions
}

// sessions are the browsers that are in. They are kept here and nowhere else, so that signing out ends one for good,
// whoever has its cookie; a restart ends all of them.
type sessions struct {
	mu   sync.Mutex
	ends map[[sha256.Size]byte]time.Time // by the digest of the cookie
}

// sessionFor is how long a login holds.
const sessionFor = 12 * time.Hour

func (a access) cookieName() string {
	if a.secure {
		return "__Host-dayone"
	}
	return "dayone"
}

// right compares a token in constant time, whatever its length.
func (a access) right(token string) bool {
	if a.token.IsZero() {
		return false
	}
	x, y := sha256.Sum256([]byte(a.token.Reveal())), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// session is who a browser's cookie names.
func (a access) session(r *http.Request) (who, bool) {
	if a.open {
		return who{Name: "demo", Role: administrator}, true
	}
	c, err := r.Cookie(a.cookieName())
	if err != nil {
		return who{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return who{Name: administrator, Role: administrator}, a.now().Before(a.ends[sha256.Sum256([]byte(c.Value))])
}

// caller is who calls the API: a session, or the token itself.
func (a access) caller(r *http.Request) (who, bool) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return who{Name: "api", Role: administrator}, a.right(token)
	}
	return a.session(r)
}

// begin gives a browser its cookie.
func (a access) begin(w http.ResponseWriter) {
	cookie := rand.Text()
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.ends, func(_ [sha256.Size]byte, end time.Time) bool { return !now.Before(end) })
	a.ends[sha256.Sum256([]byte(cookie))] = now.Add(sessionFor)
	a.set(w, cookie, int(sessionFor/time.Second))
}

// end ends the session of a request, and takes its cookie back.
func (a access) end(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(a.cookieName()); err == nil {
		a.mu.Lock()
		delete(a.ends, sha256.Sum256([]byte(c.Value)))
		a.mu.Unlock()
	}
	a.set(w, "", -1)
}

func (a access) set(w http.ResponseWriter, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: a.cookieName(), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: a.secure, SameSite: http.SameSiteLaxMode})
}

// back is where a login leads: a path of ours, or the dashboard. Nobody is sent elsewhere.
func back(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

func (p *portal) toLogin(w http.ResponseWriter, r *http.Request) error {
	to := "/login"
	if r.Method == http.MethodGet && r.URL.Path != "/" && !live(r) {
		to += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	if isFragment(r) || live(r) { // a fragment cannot become a login page: the whole page goes there
		w.Header().Set("HX-Redirect", to)
		return refuse(dayone.ErrAuth, textSignedOut)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// live says that an event stream is asked for.
func live(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/event-stream") }

type loginView struct {
	Next   string
	Wrong  bool
	Out    bool   // signed out
	Closed bool   // no token is configured
	From   string // where the token is found, as a sentence without its stop
}

func (p *portal) login(w http.ResponseWriter, r *http.Request) error {
	if _, ok := p.access.session(r); ok {
		http.Redirect(w, r, back(r.URL.Query().Get("next")), http.StatusSeeOther)
		return nil
	}
	v := loginView{Next: back(r.URL.Query().Get("next")), Out: r.URL.Query().Has("out"), Closed: p.opt.Token.IsZero(), From: p.tokenFrom()}
	return p.show(w, r, http.StatusOK, page{Template: "login", Title: "Sign in", Plain: true, Main: v})
}

// tokenFrom says where the access token is found: the setting, or the file that the setting names.
func (p *portal) tokenFrom() string {
	if p.opt.TokenFile != "" {
		return fmt.Sprintf("What the file %s holds", p.opt.TokenFile)
	}
	return "The value of portal.token in dayone.yaml"
}

func (p *portal) enter(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	next := back(r.PostForm.Get("next"))
	if !p.access.right(r.PostForm.Get("token")) {
		p.log.Warn("a login failed", "from", hostOf(r.RemoteAddr))
		v := loginView{Next: next, Wrong: true, Closed: p.opt.Token.IsZero(), From: p.tokenFrom()}
		return p.show(w, r, http.StatusUnauthorized, page{Template: "login", Title: "Sign in", Plain: true, Main: v})
	}
	p.access.begin(w)
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

func (p *portal) leave(w http.ResponseWriter, r *http.Request) error {
	p.access.end(w, r)
	http.Redirect(w, r, "/login?out=1", http.StatusSeeOther)
	return nil
}

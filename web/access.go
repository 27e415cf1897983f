package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
)

// who is somebody who is in.
type who struct {
	Name  string // goes into records
	Role  dayone.Role
	Knows bool         // what is confidential
	Scope dayone.Scope // how far the role reaches; none: everywhere
	Local bool         // by a password
}

// scoped is how far a role reaches, of one reach.
func scoped(r dayone.Reach) dayone.Scope {
	if r.Whole() {
		return nil
	}
	return dayone.Scope{r}
}

// Token lets one more login in, with a role.
type Token struct {
	Name  string // goes into records
	Role  dayone.Role
	Reach dayone.Reach // how far the role reaches; zero: everywhere
	Token dayone.Secret
}

const administrator = "administrator"

// key is a token by its digest, and whom it lets in.
type key struct {
	digest [sha256.Size]byte
	who    who
	main   bool // portal.token
}

// keysOf are all tokens that let in.
func keysOf(o Options, knows []dayone.Role) []key {
	var out []key
	if !o.Token.IsZero() {
		out = append(out, key{sha256.Sum256([]byte(o.Token.Reveal())), who{Name: administrator, Role: dayone.Administrator, Knows: dayone.Administrator.In(knows)}, true})
	}
	for _, t := range o.Tokens {
		if !t.Token.IsZero() {
			out = append(out, key{sha256.Sum256([]byte(t.Token.Reveal())), who{t.Name, t.Role, t.Role.In(knows), scoped(t.Reach), false}, false})
		}
	}
	return out
}

// access decides who is in: by a cookie after the login page, or by a bearer token at the API.
type access struct {
	keys    []key
	open    bool
	knows   bool        // who is in while it is open knows what is confidential
	views   []Viewpoint // as whom it can be looked at while it is open
	secure  bool        // cookies travel over https only
	now     func() time.Time
	issued  func(ctx context.Context, token string) (who, bool)   // tokens made here; nil: none are known
	holds   time.Duration                                         // a login
	idle    time.Duration                                         // one that nobody uses
	gone    func(ctx context.Context, login string) (bool, error) // whoever has this login has left
	leavers *left
	*sessions
}

// left remembers, for a while, who of those with a token of the configuration has left.
type left struct {
	mu sync.Mutex
	of map[string]lookedUp
}

type lookedUp struct {
	at   time.Time
	gone bool
}

// letsIn says that whoever has a token of the configuration has not left. What cannot be read is looked up again at once, and
// lets in: a database that is away keeps no program out that may come in.
func (a access) letsIn(ctx context.Context, login string) bool {
	now := a.now()
	a.leavers.mu.Lock()
	was, known := a.leavers.of[login]
	a.leavers.mu.Unlock()
	if known && now.Before(was.at.Add(leftWithin)) {
		return !was.gone
	}
	gone, err := a.gone(ctx, login)
	if err != nil {
		return !was.gone
	}
	a.leavers.mu.Lock()
	defer a.leavers.mu.Unlock()
	a.leavers.of[login] = lookedUp{now, gone}
	return !gone
}

// sessions are the browsers that are in. They are kept here and nowhere else, so that signing out ends one for good,
// whoever has its cookie; a restart ends all of them.
type sessions struct {
	mu   sync.Mutex
	ends map[[sha256.Size]byte]session // by the digest of the cookie
}

type session struct {
	id          string // public: by it somebody ends it
	who         who
	began, seen time.Time
	looked      time.Time // when it was last looked up that she has not left
	from, agent string    // where it was begun, and by which browser
}

// How long a login holds, and how long if nobody does anything, unless Options say otherwise.
const (
	sessionFor = 12 * time.Hour
	idleFor    = 2 * time.Hour
	leftWithin = time.Minute // whoever has left is out after it
)

func (a access) cookieName() string {
	if a.secure {
		return "__Host-dayone"
	}
	return "dayone"
}

// holder is whom a token lets in. Every token is compared, in constant time, whatever its length.
func (a access) holder(token string) (key, bool) {
	var found key
	given, ok := sha256.Sum256([]byte(token)), false
	for _, k := range a.keys {
		if subtle.ConstantTimeCompare(k.digest[:], given[:]) == 1 {
			found, ok = k, true
		}
	}
	return found, ok
}

// session is who a browser's cookie names.
func (a access) session(r *http.Request) (who, bool) {
	if a.open {
		return a.visitor(r), true
	}
	c, err := r.Cookie(a.cookieName())
	if err != nil {
		return who{}, false
	}
	key := sha256.Sum256([]byte(c.Value))
	if a.ended(r.Context(), key) {
		return who{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s, there := a.ends[key]
	if !there || a.over(s) {
		return who{}, false
	}
	if !live(r) { // a page that listens by itself is no sign that anybody sits before it
		s.seen = a.now()
		a.ends[key] = s
	}
	return s.who, true
}

// ended ends a session of somebody who has left, and says so. It is looked up once in a while, outside the lock.
func (a access) ended(ctx context.Context, key [sha256.Size]byte) bool {
	a.mu.Lock()
	s, there := a.ends[key]
	due, before := there && !a.now().Before(s.looked.Add(leftWithin)), s.looked
	if due { // one request looks for all that come meanwhile
		s.looked = a.now()
		a.ends[key] = s
	}
	a.mu.Unlock()
	if !due {
		return false
	}
	gone, err := a.gone(ctx, s.who.Name)
	a.mu.Lock()
	defer a.mu.Unlock()
	s, there = a.ends[key]
	switch {
	case !there:
	case gone:
		delete(a.ends, key)
	case err != nil: // what cannot be read is looked up again at once, and throws nobody out
		s.looked = before
		a.ends[key] = s
	}
	return gone
}

// over says that a session has ended, by age or because nobody used it.
func (a access) over(s session) bool {
	now := a.now()
	return !now.Before(s.began.Add(a.holds)) || !now.Before(s.seen.Add(a.idle))
}

// caller is who calls the API: a session, or the token itself.
func (a access) caller(r *http.Request) (who, bool) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		k, ok := a.holder(token)
		switch {
		case k.main:
			k.who.Name = "api"
		case ok && !a.letsIn(r.Context(), k.who.Name):
			return who{}, false
		case !ok && a.issued != nil:
			return a.issued(r.Context(), token)
		}
		return k.who, ok
	}
	return a.session(r)
}

// begin gives a browser its cookie.
func (a access) begin(w http.ResponseWriter, r *http.Request, is who, from string) {
	cookie := rand.Text()
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.ends, func(_ [sha256.Size]byte, s session) bool { return a.over(s) })
	a.ends[sha256.Sum256([]byte(cookie))] = session{id: rand.Text()[:12], who: is, began: now, seen: now, looked: now, from: from, agent: cut(r.UserAgent(), 120)}
	a.set(w, cookie, int(a.holds/time.Second))
}

// endByPassword ends every session that a password began: another one counts now.
func (a access) endByPassword() {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.ends, func(_ [sha256.Size]byte, s session) bool { return s.who.Local })
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
	Closed bool   // nobody can sign in
	From   string // where the token is found, as a sentence without its stop
	Token  bool   // tokens let in
	Local  bool   // a password does
	Name   string // as it was typed beside one

	WrongPassword bool
	SignOn        *link   // at the identity provider; nil: there is none
	Problem       *notice // of a sign-in there
}

func (p *portal) loginView(r *http.Request, next string) loginView {
	v := loginView{Next: next, Token: len(p.access.keys) > 0, From: p.tokenFrom(p.viewerOf(r))}
	if p.signOn != nil {
		v.SignOn = &link{p.viewerOf(r).say(textSignOnButton, p.signOn.Title), "/login/start?next=" + url.QueryEscape(next)}
	}
	local, err := p.flow.Local(r.Context())
	if err != nil {
		p.log.Error("whether there is a local login cannot be read", "error", err)
	}
	v.Local = local
	v.Closed = !v.Token && !v.Local && v.SignOn == nil
	return v
}

// loginAgain is the login page after a sign-in at the identity provider that came to nothing.
func (p *portal) loginAgain(w http.ResponseWriter, r *http.Request, status int, text string) error {
	v := p.loginView(r, "/")
	v.Problem = &notice{Kind: "bad", Icon: "x", Title: textNotIn, Text: text}
	return p.show(w, r, status, page{Template: "login", Title: "Sign in", Plain: true, Main: v})
}

func (p *portal) login(w http.ResponseWriter, r *http.Request) error {
	if _, ok := p.access.session(r); ok {
		http.Redirect(w, r, back(r.URL.Query().Get("next")), http.StatusSeeOther)
		return nil
	}
	v := p.loginView(r, back(r.URL.Query().Get("next")))
	v.Out = r.URL.Query().Has("out")
	return p.show(w, r, http.StatusOK, page{Template: "login", Title: "Sign in", Plain: true, Main: v})
}

// tokenFrom says where the access token is found: the setting, or the file that the setting names.
func (p *portal) tokenFrom(view viewer) string {
	if len(p.opt.Tokens) > 0 {
		return view.label(textOwnToken)
	}
	if p.opt.TokenFile != "" {
		return view.say("What the file %s holds", p.opt.TokenFile)
	}
	return view.label("The value of portal.token in dayone.yaml")
}

func (p *portal) enter(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	if r.PostForm.Get("by") == byPassword {
		return p.enterLocally(w, r)
	}
	next := back(r.PostForm.Get("next"))
	from := p.from(r)
	k, ok := p.access.holder(r.PostForm.Get("token"))
	if !ok { // a right one lets in all the same: who guesses must lock nobody out
		if wait := p.limits.strangers.guess("wrong token "+network(from), guesses); wait > 0 {
			return p.tooMuch(w, "guess", wait, textTooManyTries)
		}
		p.log.Warn("a login failed", "from", from)
		v := p.loginView(r, next)
		v.Wrong = true
		return p.show(w, r, http.StatusUnauthorized, page{Template: "login", Title: "Sign in", Plain: true, Main: v})
	}
	return p.enters(w, r, k.who, "token", next)
}

// unknown refuses whoever calls the API and is not in. A token that nobody has is a guess, as at the login page.
func (p *portal) unknown(w http.ResponseWriter, r *http.Request) error {
	if bearer(r) {
		if wait := p.limits.strangers.guess("wrong token "+network(p.from(r)), guesses); wait > 0 {
			return p.tooMuch(w, "guess", wait, textTooManyTries)
		}
	}
	return refuse(dayone.ErrAuth, textNoCaller)
}

func bearer(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// byPassword is how the local administrator signs in.
const byPassword = "password"

// enters begins the session of somebody who has not left.
func (p *portal) enters(w http.ResponseWriter, r *http.Request, is who, by, next string) error {
	from := p.from(r)
	if gone, err := p.flow.Gone(r.Context(), is.Name); err != nil {
		return err
	} else if gone {
		p.log.Warn("somebody who has left wanted in", "login", is.Name, "from", from)
		return p.loginAgain(w, r, http.StatusForbidden, p.viewerOf(r).say(textSignInLeft, is.Name))
	}
	p.log.Info("signed in", "login", is.Name, "role", is.Role, "from", from, "by", by)
	is.Local = by == byPassword
	p.access.begin(w, r, is, from.String())
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

func (p *portal) leave(w http.ResponseWriter, r *http.Request) error {
	p.access.end(w, r)
	http.Redirect(w, r, "/login?out=1", http.StatusSeeOther)
	return nil
}

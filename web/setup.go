package web

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// setupView is the form of the first start, and what comes after it.
type setupView struct {
	Fields  []field
	Problem *notice
	Done    *link // where she signs in
}

func setupFields(view viewer, name string, faults flow.Faulty) []field {
	out := []field{
		{ID: "name", Name: "name", Label: "Your mail address", Hint: "You sign in by it, and records name you by it", Type: "email", Value: name, Required: true, Autocomplete: "username"},
		{ID: "password", Name: "password", Label: "Password", Hint: textPasswordHint, Type: "password", Required: true, Autocomplete: "new-password"},
		{ID: "again", Name: "again", Label: "The password again", Type: "password", Required: true, Autocomplete: "new-password"},
	}
	for i := range out {
		if why, bad := faults[out[i].Name]; bad {
			out[i].Error = sentence(view.in.Heard(why)) + "."
		}
	}
	return out
}

// setsUp says that whoever asks may set up the administrator: somebody on this machine, unless the configuration lets in others.
func (p *portal) setsUp(r *http.Request) error {
	if !p.opt.SetupAnywhere && !here(r) {
		return refuse(dayone.ErrForbidden, textSetupHere)
	}
	return nil
}

func (p *portal) setup(w http.ResponseWriter, r *http.Request) error {
	if err := p.setsUp(r); err != nil {
		return err
	}
	if _, err := p.flow.SetupOpen(r.Context(), r.PathValue("token")); err != nil {
		return setupGone(err)
	}
	return p.showSetup(w, r, http.StatusOK, setupView{Fields: setupFields(p.viewerOf(r), "", nil)})
}

func setupGone(err error) error {
	if errors.Is(err, dayone.ErrNotFound) {
		return said(err, textSetupGone)
	}
	return err
}

func (p *portal) showSetup(w http.ResponseWriter, r *http.Request, status int, v setupView) error {
	return p.show(w, r, status, page{Template: "setup", Title: "Set up the administrator", Plain: true, Main: v})
}

func (p *portal) setUp(w http.ResponseWriter, r *http.Request) error {
	if err := p.setsUp(r); err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	name, password := strings.TrimSpace(r.PostForm.Get("name")), r.PostForm.Get("password")
	var err error
	if password != r.PostForm.Get("again") {
		err = flow.Faulty{"again": "the two are not the same"}
	} else {
		err = p.flow.SetUp(r.Context(), r.PathValue("token"), name, dayone.NewSecret(password))
	}
	var faults flow.Faulty
	switch {
	case errors.As(err, &faults):
		return p.showSetup(w, r, http.StatusUnprocessableEntity, setupView{
			Fields: setupFields(p.viewerOf(r), name, faults), Problem: &notice{Kind: "bad", Icon: "x", Title: "Nothing was set up", Text: "What is wrong stands at its field."},
		})
	case err != nil:
		return setupGone(err)
	}
	p.log.Warn("the local administrator was set up", "login", name, "from", p.from(r))
	p.access.endByPassword()
	return p.showSetup(w, r, http.StatusOK, setupView{Done: &link{"Sign in", strings.TrimSuffix(p.base.String(), "/") + "/login"}})
}

// compares says whether a password is looked at now, and gives back the place. A name is counted with the address it came
// from, since behind a proxy all come from one; a browser that was let in before is counted by itself, so that nobody else
// keeps her out.
func (p *portal) compares(r *http.Request, name string) (key string, done func(), wait time.Duration) {
	name = strings.ToLower(strings.TrimSpace(name))
	if key, known := p.knownBrowser(r, name); known {
		return key, func() {}, p.limits.strangers.guess(key, guesses)
	}
	key = "password " + network(p.from(r)) + " " + digest(name)
	select {
	case p.limits.comparing <- struct{}{}:
		done = func() { <-p.limits.comparing }
	default:
		return key, nil, time.Second
	}
	if wait = max(p.limits.strangers.guess(key, guesses), p.limits.strangers.guess("passwords", compared)); wait > 0 {
		done()
	}
	return key, done, wait
}

func (p *portal) browserCookie() string { return p.access.cookieName() + "-browser" }

// knownBrowser is how a browser is counted in which somebody signed in by this name before.
func (p *portal) knownBrowser(r *http.Request, name string) (string, bool) {
	c, err := r.Cookie(p.browserCookie())
	if err != nil {
		return "", false
	}
	id, sign, _ := strings.Cut(c.Value, ".")
	return "browser " + id, len(id) <= 64 && p.flow.Keeper.Verify(browserThing(id, name), sign)
}

// browserThing is what a known browser's cookie is signed for.
func browserThing(id, name string) string { return "browser " + id + " of " + name }

func (p *portal) knowBrowser(w http.ResponseWriter, r *http.Request, name string) {
	name = strings.ToLower(name)
	if _, known := p.knownBrowser(r, name); known {
		return
	}
	id := rand.Text()
	http.SetCookie(w, &http.Cookie{
		Name: p.browserCookie(), Value: id + "." + p.flow.Keeper.Token(browserThing(id, name)), Path: "/", MaxAge: 400 * 24 * 3600,
		HttpOnly: true, Secure: p.access.secure, SameSite: http.SameSiteStrictMode,
	})
}

// enterLocally signs in by name and password. Whoever guesses waits, and is not even compared.
func (p *portal) enterLocally(w http.ResponseWriter, r *http.Request) error {
	next, from := back(r.PostForm.Get("next")), p.from(r)
	key, done, wait := p.compares(r, r.PostForm.Get("name"))
	if wait > 0 {
		return p.tooMuch(w, "guess", wait, textTooManyPasswords)
	}
	defer done()
	name, err := p.flow.SignIn(r.Context(), r.PostForm.Get("name"), dayone.NewSecret(r.PostForm.Get("password")))
	switch {
	case errors.Is(err, dayone.ErrAuth):
		p.log.Warn("a login failed", "from", from, "by", "password")
		v := p.loginView(r, next)
		v.WrongPassword, v.Name = true, r.PostForm.Get("name")
		return p.show(w, r, http.StatusUnauthorized, page{Template: "login", Title: "Sign in", Plain: true, Main: v})
	case err != nil:
		return err
	}
	p.limits.strangers.free(key)
	p.knowBrowser(w, r, name)
	return p.enters(w, r, who{Name: name, Role: dayone.Administrator, Knows: dayone.Administrator.In(p.knows())}, byPassword, next)
}

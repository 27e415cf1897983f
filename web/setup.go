package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// setupView is the form of the first start, and what comes after it.
type setupView struct {
	Fields  []field
	Problem *notice
	Done    *link // where she signs in
}

func setupFields(name string, faults flow.Faulty) []field {
	out := []field{
		{ID: "name", Name: "name", Label: "Your mail address", Hint: "You sign in by it, and records name you by it", Type: "email", Value: name, Required: true, Autocomplete: "username"},
		{ID: "password", Name: "password", Label: "Password", Hint: textPasswordHint, Type: "password", Required: true, Autocomplete: "new-password"},
		{ID: "again", Name: "again", Label: "The password again", Type: "password", Required: true, Autocomplete: "new-password"},
	}
	for i := range out {
		if why, bad := faults[out[i].Name]; bad {
			out[i].Error = sentence(why) + "."
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
	return p.showSetup(w, r, http.StatusOK, setupView{Fields: setupFields("", nil)})
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
		return err
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
			Fields: setupFields(name, faults), Problem: &notice{Kind: "bad", Icon: "x", Title: "Nothing was set up", Text: "What is wrong stands at its field."},
		})
	case err != nil:
		return setupGone(err)
	}
	p.log.Warn("the local administrator was set up", "login", name, "from", hostOf(r.RemoteAddr))
	p.access.endByPassword()
	return p.showSetup(w, r, http.StatusOK, setupView{Done: &link{"Sign in", strings.TrimSuffix(p.base.String(), "/") + "/login"}})
}

// enterLocally signs in by name and password. Whoever guesses waits, and is not even compared.
func (p *portal) enterLocally(w http.ResponseWriter, r *http.Request) error {
	next, from := back(r.PostForm.Get("next")), hostOf(r.RemoteAddr)
	if !p.tries.may(from) {
		w.Header().Set("Retry-After", "60")
		return refuse(dayone.ErrThrottled, textTooManyTries)
	}
	name, err := p.flow.SignIn(r.Context(), r.PostForm.Get("name"), dayone.NewSecret(r.PostForm.Get("password")))
	switch {
	case errors.Is(err, dayone.ErrAuth):
		p.tries.failed(from)
		p.log.Warn("a login failed", "from", from, "by", "password")
		v := p.loginView(r, next)
		v.WrongPassword, v.Name = true, r.PostForm.Get("name")
		return p.show(w, r, http.StatusUnauthorized, page{Template: "login", Title: "Sign in", Plain: true, Main: v})
	case err != nil:
		return err
	}
	return p.enters(w, r, who{Name: name, Role: dayone.Administrator, Knows: dayone.Administrator.In(p.knows())}, byPassword, next)
}

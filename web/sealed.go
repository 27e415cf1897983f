package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/locale"
)

// sealedView is a one-time link, before, while and after it opens.
type sealedView struct {
	System string
	Thing  string // what a code came with; "": it is a first password
	Opens  *stamp
	Phase  string // early | ready | open | used | locked | over | waits
	Wrong  bool
	Secret string // shown once, in this answer only
	in     *locale.Language
}

// Title is what lies behind the link.
func (v sealedView) Title() string {
	switch {
	case v.System == "":
		return v.in.Label("First password")
	case v.Thing == "":
		return v.in.Say("%s: first password", v.System)
	default:
		return v.System + ": " + v.Thing
	}
}

// What is it called where its owner uses it.
func (v sealedView) What() string {
	if v.Thing != "" {
		return v.in.Label("code")
	}
	return v.in.Label("password")
}

// sealed tells what a link is. Whoever only looks, such as a mail scanner, changes nothing and learns nothing.
func (p *portal) sealed(w http.ResponseWriter, r *http.Request) error {
	link, err := p.link(r)
	if err != nil {
		return err
	}
	return p.showSealed(w, r, http.StatusOK, newSealed(p.viewerOf(r), link))
}

func (p *portal) link(r *http.Request) (flow.SealedLink, error) {
	token := r.PathValue("token")
	if token == "" || len(token) > 128 {
		return flow.SealedLink{}, dayone.ErrNotFound
	}
	return p.flow.Link(r.Context(), token)
}

func newSealed(view viewer, link flow.SealedLink) sealedView {
	if link.Zone != nil {
		view = view.there(link.Zone)
	}
	v := sealedView{System: link.System, Thing: link.Thing, Opens: view.at(link.Opens), Phase: "ready", in: view.in}
	switch {
	case !link.Opened.IsZero():
		v.Phase = "used"
	case link.Over:
		v.Phase = "over"
	case link.Locked:
		v.Phase = "locked"
	case link.Waits:
		v.Phase = "waits"
	case view.now.Before(link.Opens):
		v.Phase = "early"
	}
	return v
}

func (p *portal) showSealed(w http.ResponseWriter, r *http.Request, status int, v sealedView) error {
	return p.show(w, r, status, page{Template: "sealed", Title: "One-time link", Plain: true, Phone: true, Main: v})
}

// unseal opens a link with the code, once.
func (p *portal) unseal(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	if _, err := p.link(r); err != nil {
		return err
	}
	secret, err := p.flow.OpenLink(r.Context(), r.PathValue("token"), strings.TrimSpace(r.PostForm.Get("code")))
	link, again := p.link(r) // as it stands after the try
	if again != nil {
		return again
	}
	v := newSealed(p.viewerOf(r), link)
	switch {
	case err == nil:
		v.Phase, v.Secret = "open", secret.Reveal()
		return p.showSealed(w, r, http.StatusOK, v)
	case errors.Is(err, dayone.ErrAuth):
		v.Wrong = true
		return p.showSealed(w, r, http.StatusForbidden, v)
	case errors.Is(err, dayone.ErrForbidden):
		return p.showSealed(w, r, http.StatusForbidden, v)
	case errors.Is(err, dayone.ErrConflict):
		if v.Phase != "over" {
			v.Phase = "used"
		}
		return p.showSealed(w, r, http.StatusGone, v)
	default:
		return err
	}
}

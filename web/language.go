package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/locale"
)

// tongue is a language that somebody can choose.
type tongue struct{ Tag, Name string }

// languageOf is the language of whoever asks: chosen here, else the one that the browser likes best, else the company's. A
// sample can be looked at in any.
func (p *portal) languageOf(r *http.Request) *locale.Language {
	if tag := r.URL.Query().Get("lang"); locale.Known(tag) && strings.HasPrefix(r.URL.Path, "/gallery") {
		return locale.Of(tag)
	}
	if c, err := r.Cookie("lang"); err == nil && locale.Known(c.Value) {
		return locale.Of(c.Value)
	}
	if tag := locale.Accepted(r.Header.Get("Accept-Language")); tag != "" {
		return locale.Of(tag)
	}
	return locale.Of(p.opt.Language)
}

// inLanguage keeps the language that an address of the gallery names.
func inLanguage(path string, r *http.Request) string {
	if tag := r.URL.Query().Get("lang"); locale.Known(tag) {
		return path + "?lang=" + url.QueryEscape(tag)
	}
	return path
}

// tongues are the languages that somebody may go over to.
func (p *portal) tongues(is *locale.Language) []tongue {
	if p.flow == nil { // one that stands by remembers nothing
		return nil
	}
	var out []tongue
	for _, tag := range locale.Tags() {
		if tag != is.Tag() {
			out = append(out, tongue{tag, locale.Of(tag).Name()})
		}
	}
	return out
}

// languageFor is how long a browser remembers what was chosen.
const languageFor = 400 * 24 * 3600

// speak remembers a language, as a browser remembers light or dark: nothing here knows who chose it.
func (p *portal) speak(w http.ResponseWriter, r *http.Request) error {
	tag := r.PostFormValue("lang")
	if !locale.Known(tag) {
		return refuse(dayone.ErrInvalid, textNoLanguage)
	}
	http.SetCookie(w, &http.Cookie{Name: "lang", Value: tag, Path: "/", MaxAge: languageFor, Secure: p.access.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, back(r.PostFormValue("back")), http.StatusSeeOther)
	return nil
}

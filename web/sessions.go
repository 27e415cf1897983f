package web

import (
	"cmp"
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// dropOld makes room where anybody can add: what is over goes, and if nothing is, the one that is over next.
func dropOld[K comparable, V any](of map[K]V, until func(V) time.Time, now time.Time) {
	var next K
	var at time.Time
	full := len(of)
	for k, v := range of {
		u := until(v)
		if !now.Before(u) {
			delete(of, k)
		} else if at.IsZero() || u.Before(at) {
			next, at = k, u
		}
	}
	if len(of) == full {
		delete(of, next)
	}
}

// hasLeft says whether whoever has a login has left. A login that is no address is nobody's.
func (p *portal) hasLeft(ctx context.Context, login string) (bool, error) {
	if p.flow == nil { // one that stands by knows nobody
		return false, nil
	}
	gone, err := p.flow.Gone(ctx, login)
	switch {
	case err != nil:
		p.log.Error("whether somebody has left cannot be read", "login", login, "error", err)
	case gone:
		p.log.Warn("nobody is let in: who has this login has left", "login", login)
	}
	return gone, err
}

// in are the sessions that somebody may see: her own, and an administrator all; the newest first. here is the one that asks.
func (a access) in(r *http.Request, is who) (list []session, here string) {
	if c, err := r.Cookie(a.cookieName()); err == nil {
		a.mu.Lock()
		here = a.ends[sha256.Sum256([]byte(c.Value))].id
		a.mu.Unlock()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.ends {
		if !a.over(s) && (is.Role == dayone.Administrator || s.who.Name == is.Name) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(x, y session) int {
		return cmp.Or(y.began.Compare(x.began), cmp.Compare(x.id, y.id))
	})
	return list, here
}

// endOne ends a session that somebody may see. false: there is none.
func (a access) endOne(is who, id string) (session, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, s := range a.ends {
		if s.id == id && (is.Role == dayone.Administrator || s.who.Name == is.Name) {
			delete(a.ends, key)
			return s, true
		}
	}
	return session{}, false
}

type sessionsView struct {
	All   bool // an administrator sees everybody's
	Rows  []item
	Empty *empty
}

// sessions shows who is in.
func (p *portal) sessions(w http.ResponseWriter, r *http.Request) error {
	view, is := p.viewerOf(r), me(r)
	list, here := p.access.in(r, is)
	v := sessionsView{All: is.Role == dayone.Administrator}
	for _, s := range list {
		v.Rows = append(v.Rows, sessionItem(view, s, s.id == here))
	}
	if len(list) == 0 {
		v.Empty = &empty{Icon: "lock", Title: "Nobody is signed in with a browser", Text: "The demo has no login, and programs with a token have no session."}
	}
	return p.show(w, r, http.StatusOK, page{Template: "sessions", Title: "Sessions", Nav: "sessions", Crumbs: []link{{"Sessions", ""}}, Main: v})
}

// sessionItem is one browser that is in.
func sessionItem(view viewer, s session, here bool) item {
	it := item{
		State: &state{Icon: "check", Class: "s-done", Text: roleTitles[s.who.Role]}, Title: link{s.who.Name, ""},
		Meta: view.say(textSession, view.at(s.began).Text, view.at(s.seen).Text, s.from), Small: browserOf(s.agent),
		Acts: []act{{Text: "End", Action: "/sessions/" + s.id + "/end"}},
	}
	if here {
		it.Next = view.label(textThisSession)
	}
	return it
}

// browserOf is what somebody would call a browser; what it calls itself, where it is none that we know.
func browserOf(agent string) string {
	first := func(of [][2]string) string {
		for _, x := range of {
			if strings.Contains(agent, x[0]) {
				return x[1]
			}
		}
		return ""
	}
	// The order counts: each of them also calls itself what those after it are.
	browser := first([][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"}})
	system := first([][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}})
	if browser == "" || system == "" {
		return agent
	}
	return browser + " (" + system + ")"
}

func (p *portal) endSession(w http.ResponseWriter, r *http.Request) error {
	if err := p.dropSession(r); err != nil {
		return err
	}
	if _, in := p.access.session(r); !in {
		return p.toLogin(w, r)
	}
	http.Redirect(w, r, "/sessions?said=session-ended", http.StatusSeeOther)
	return nil
}

func (p *portal) dropSession(r *http.Request) error {
	s, ok := p.access.endOne(me(r), r.PathValue("id"))
	if !ok {
		return refuse(dayone.ErrNotFound, textNoSession)
	}
	p.log.Info("session ended", "login", s.who.Name, "by", me(r).Name)
	if s.who.Name == me(r).Name {
		return nil
	}
	return p.flow.SessionEnded(r.Context(), s.who.Name, me(r).Name)
}

type apiSession struct {
	ID    string    `json:"id"`
	Login string    `json:"login"`
	Role  string    `json:"role"`
	From  string    `json:"from"`
	Agent string    `json:"agent"`
	Began time.Time `json:"began"`
	Seen  time.Time `json:"seen"`
	Here  bool      `json:"here"`
}

func (p *portal) apiSessions(w http.ResponseWriter, r *http.Request) error {
	list, here := p.access.in(r, me(r))
	out := struct {
		Sessions []apiSession `json:"sessions"`
	}{[]apiSession{}}
	for _, s := range list {
		out.Sessions = append(out.Sessions, apiSession{s.id, s.who.Name, string(s.who.Role), s.from, s.agent, s.began.UTC(), s.seen.UTC(), s.id == here})
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiEndSession(w http.ResponseWriter, r *http.Request) error {
	if err := p.dropSession(r); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

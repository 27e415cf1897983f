package web

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Standing is what a process that stands by knows of the one that leads.
type Standing struct {
	flow.Leader
	Trouble error // why nobody can take over yet; nil: somebody leads, and is well
}

// NewStandby makes the handler of a process that waits for another one to go: it lives, it is not ready, and it says who
// leads. Everything else is not available here, so that whoever asks tries again elsewhere.
func NewStandby(o Options, ids *dayone.IDs, now func() time.Time, standing func() Standing) http.Handler {
	p := newPortal(o, o.Base, now, ids)
	s := standby{p, standing}
	p.handle([]route{
		{"GET /static/", p.view.static()},
		{"GET /healthz", http.HandlerFunc(p.healthz)},
		{"GET /readyz", http.HandlerFunc(s.readyz)},
		{"GET /metrics", s.metrics()},
		{"GET /robots.txt", http.HandlerFunc(robots)},
		{"GET /api/openapi.json", http.HandlerFunc(p.openapi)},
		{"GET /api/v1/leader", p.api(s.leader)},
		{"/api/", p.anyone(s.elsewhere)},
		{"/hooks/", p.anyone(s.elsewhere)},
		{"/", p.answering(s.page)},
	})
	return p.guard(p.mux)
}

type standby struct {
	*portal
	standing func() Standing
}

// retryLater is what a request is told that came to the wrong one, in seconds.
const retryLater = "5"

func (s standby) readyz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", retryLater)
	_ = answerJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "standby"})
}

func (s standby) elsewhere(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Retry-After", retryLater)
	return refuse(dayone.ErrUnavailable, textStandsBy)
}

func (s standby) leader(w http.ResponseWriter, _ *http.Request) error {
	is := s.standing()
	return answerJSON(w, http.StatusOK, newLeader("standby", is.Leader, is.Trouble != nil))
}

// page says who leads. It is for everybody, so it says no more than where to go.
func (s standby) page(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return s.elsewhere(w, r)
	}
	w.Header().Set("Retry-After", retryLater)
	return s.show(w, r, http.StatusServiceUnavailable, page{Template: "standby", Title: "Standing by", Plain: true, Main: newStandingBy(s.viewerOf(r), s.standing(), s.base.String())})
}

type standingBy struct {
	Calm   bool // somebody else is at work, and this one waits
	Notice notice
	KV     []pair
}

func newStandingBy(view viewer, is Standing, own string) standingBy {
	v := standingBy{Notice: notice{Icon: "info", Title: "Another server is at work", Text: "This one takes over within seconds when that one stops. Nothing is lost meanwhile."}}
	switch {
	case is.Trouble != nil:
		v.Notice = notice{Kind: "bad", Icon: "x", Title: "Nobody can take over yet", Text: "The database does not answer, or does not let this server take over. The log of this server says why, and it is tried again by itself."}
	case is.Epoch == 0:
		v.Notice.Title, v.Notice.Text = "Looking who is at work", "This server has just been started. It works if nobody else does, and stands by otherwise."
	case is.Silent:
		v.Notice = notice{Kind: "warn", Icon: "warn", Title: "The server at work has gone silent", Text: "This one is taking over."}
	}
	if v.Notice.Kind != "" || is.Epoch == 0 { // nobody is led to another server, so this page is what there is
		v.Notice.Act = &link{"Look again", "/"}
	}
	if is.Epoch == 0 {
		return v
	}
	v.Calm = v.Notice.Kind == ""
	at := pair{Name: "At work", Value: is.Name}
	if u, err := url.Parse(is.At); err == nil && (u.Scheme == "http" || u.Scheme == "https") && !strings.EqualFold(is.At, own) {
		at.Href = is.At
		if v.Notice.Kind == "" {
			v.Notice.Act = &link{"Go to the server at work", is.At}
		}
	}
	v.KV = []pair{at, {Name: "Since", At: view.at(is.Since)}, {Name: "Last sign of life", At: view.timed(is.Renewed, "15:04:05")}}
	return v
}

type leaderJSON struct {
	Role    string     `json:"role"`
	Epoch   int64      `json:"epoch,omitempty"`
	Name    string     `json:"name,omitempty"`
	URL     string     `json:"url,omitempty"`
	Since   *time.Time `json:"since,omitempty"`
	Renewed *time.Time `json:"renewed,omitempty"`
	Silent  bool       `json:"silent,omitempty"`
	Trouble bool       `json:"trouble,omitempty"`
}

func newLeader(role string, l flow.Leader, trouble bool) leaderJSON {
	return leaderJSON{role, l.Epoch, l.Name, l.At, moment(l.Since), moment(l.Renewed), l.Silent, trouble}
}

// apiLeader is the same question at the one that leads.
func (p *portal) apiLeader(w http.ResponseWriter, r *http.Request) error {
	l, err := p.flow.Leader(r.Context())
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newLeader("leader", l, false))
}

// newPortal is what every handler needs, whoever stands behind it.
func newPortal(o Options, at string, now func() time.Time, ids *dayone.IDs) *portal {
	base, err := url.Parse(at)
	if err != nil || base.Host == "" {
		base = &url.URL{Scheme: "http", Host: "localhost"}
	}
	p := &portal{opt: o, base: base, log: o.Log, spec: openAPI(), mux: http.NewServeMux(), ids: ids, now: now}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	knows := o.Discreet
	if knows == nil {
		knows = discreet
	}
	p.roles = rolesOf(knows)
	p.access = access{
		keys: keysOf(o, knows), open: o.Open, knows: dayone.Administrator.In(knows), secure: base.Scheme == "https", now: now,
		holds: cmp.Or(o.SessionFor, sessionFor), idle: cmp.Or(o.IdleFor, idleFor), gone: p.hasLeft, leavers: &left{of: map[string]lookedUp{}}, sessions: &sessions{ends: map[[sha256.Size]byte]session{}},
	}
	if o.Open {
		p.access.views = o.LookAs
	}
	p.signOn, p.limits = newSignOn(o, base, now, knows), newLimiter(o, now)
	p.view = newRenderer(o.Version)
	return p
}

// handle opens addresses. One of which nobody said who may go there is a fault of the program.
func (p *portal) handle(list []route) {
	if bare := missingRoles(list); len(bare) > 0 {
		panic(fmt.Sprintf("web/roles.go does not say who may go to %q", bare))
	}
	for _, r := range list {
		p.mux.Handle(r.pattern, r.answer)
	}
}

package sim

import (
	"net/http"
	"strings"

	"github.com/dayone-hq/dayone/connector/sim"
)

const mailScope = "https://www.googleapis.com/auth/gmail.settings.basic"

// mailbox is where a user's mail goes beside the mailbox itself.
type mailbox struct {
	forward  string   // all of it
	filters  []string // some of it
	delegate []string // who reads it
}

// Forward lets all of a user's mail go to somebody else.
func (s *Sim) Forward(id, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user(id).mail.forward = to
}

// Filter lets some of it go there.
func (s *Sim) Filter(id, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &s.user(id).mail
	m.filters = append(m.filters, to)
}

// Delegate lets somebody read a user's mail.
func (s *Sim) Delegate(id, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &s.user(id).mail
	m.delegate = append(m.delegate, to)
}

// RefuseSuspended lets nobody act for a suspended user.
func (s *Sim) RefuseSuspended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = true
}

func (s *Sim) mayActFor(mail string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(mail)
	return u != nil && !(s.refuse && u.props["suspended"] == true)
}

// ofMailbox answers in the name of whoever the token is of.
func (s *Sim) ofMailbox(show func(*user) map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		g, _ := s.login.grantOf(r.Header.Get("Authorization"))
		u := s.user(strings.ToLower(g.as))
		if u == nil {
			fail(w, 400, "failedPrecondition", "Mail service not enabled")
			return
		}
		sim.JSON(w, 200, show(u))
	}
}

func forwarding(u *user) map[string]any {
	if u.mail.forward == "" {
		return map[string]any{"enabled": false}
	}
	return map[string]any{"enabled": true, "emailAddress": u.mail.forward, "disposition": "leaveInInbox"}
}

func filters(u *user) map[string]any {
	out := map[string]any{}
	var all []any
	for _, to := range u.mail.filters {
		all = append(all, map[string]any{"id": "ANe1Bmj" + to, "criteria": map[string]any{"from": "billing"}, "action": map[string]any{"forward": to}})
	}
	all = append(all, map[string]any{"id": "ANe1Bmk", "criteria": map[string]any{"from": "news"}, "action": map[string]any{"removeLabelIds": []string{"INBOX"}}})
	out["filter"] = all
	return out
}

func delegates(u *user) map[string]any {
	if len(u.mail.delegate) == 0 {
		return map[string]any{}
	}
	var all []any
	for _, to := range u.mail.delegate {
		all = append(all, map[string]any{"delegateEmail": to, "verificationStatus": "accepted"})
	}
	return map[string]any{"delegates": all}
}

package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Write is one request that changed something.
type Write struct {
	Method, Path string
	Of           []string // ids of the users whose it was
	Names        []string // and their aliases
	Ours         bool     // an earlier request made them, or this one does
	Lost         int      // messages that went with it
}

func (w Write) String() string { return w.Method + " of " + w.Path }

// Writes are all that changed something, in their order.
func (s *Sim) Writes() []Write { s.mu.Lock(); defer s.mu.Unlock(); return slices.Clone(s.writes) }

// Never is what a careful client never sends, whoever it is about: a second write at once, a delete that is forced, a write to
// what is no user's and no membership, such as a handler that names somebody, and the administrator's password in an address.
func (s *Sim) Never() []string {
	var out []string
	for _, r := range s.door.Requests() {
		if r.Method == http.MethodGet {
			continue
		}
		if r.Method == http.MethodDelete && (r.Query != "" || len(bytes.TrimSpace(r.Body)) > 0) {
			out = append(out, "a delete of "+r.Path+" was forced")
		}
		part := strings.Split(strings.TrimPrefix(r.Path, "/vmrest/"), "/")
		switch {
		case part[0] == "users", strings.HasPrefix(r.Path, "/vmrest/import/users/"):
		case part[0] == "distributionlists" && len(part) > 2 && part[2] == "distributionlistmembers":
		default:
			out = append(out, r.Method+" of "+r.Path+" was sent")
		}
	}
	if n := s.Busiest(); n > 1 {
		out = append(out, fmt.Sprintf("%d wrote at the same time", n))
	}
	return out
}

// Breaches are those, and each write to an object that is none of these people's, by id, and that no request made. A test ends
// by asking for them.
func (s *Sim) Breaches(people ...string) []string {
	out := s.Never()
	for _, w := range s.Writes() {
		if w.Ours || len(w.Of) > 0 && !slices.ContainsFunc(w.Of, func(id string) bool { return !slices.Contains(people, id) }) {
			continue
		}
		out = append(out, fmt.Sprintf("%s, which is of %v", w, w.Names))
	}
	return out
}

// Secrets are all that must stand in no address, no log and no error: the administrator's password, and each PIN and web password
// that anybody here has or had.
func (s *Sim) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []string{password, s.password}
	for _, k := range s.creds {
		for _, c := range []*key{k.pin, k.web} {
			out = append(append(out, c.secret), c.before...)
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(v string) bool { return v == "" })
}

// Busiest is how many writes were under way at the same time at most.
func (s *Sim) Busiest() int { s.counts.Lock(); defer s.counts.Unlock(); return s.most }

// count takes a write in and returns what lets it out. It has a lock of its own, since mu is held while one is carried out.
func (s *Sim) count() func() {
	s.counts.Lock()
	defer s.counts.Unlock()
	s.under++
	s.most = max(s.most, s.under)
	return func() {
		s.counts.Lock()
		defer s.counts.Unlock()
		s.under--
	}
}

// watched carries out a request and keeps what it changed. Whoever calls it holds mu.
func (s *Sim) watched(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if r.Method == http.MethodGet {
		next.ServeHTTP(w, r)
		return
	}
	is := s.about(r)
	done := &outcome{ResponseWriter: w}
	next.ServeHTTP(done, r)
	if done.status < http.StatusBadRequest {
		s.writes = append(s.writes, is)
	}
}

// about is what a request is to change, as it stands before.
func (s *Sim) about(r *http.Request) Write {
	w := Write{Method: r.Method, Path: r.URL.Path}
	part := strings.Split(strings.TrimPrefix(r.URL.Path, "/vmrest/"), "/")
	last := part[len(part)-1]
	of := map[string]bool{}
	switch {
	case r.Method == http.MethodPost && (r.URL.Path == "/vmrest/users" || part[0] == "import"):
		w.Ours = true
		return w
	case part[0] == "users" && len(part) > 1:
		of[part[1]] = true
		for _, table := range []string{"mwis", "alternateextensions"} { // a lamp is found by its own id, whosever address it is sent to
			if o, err := s.one(table, last); err == nil {
				of[o["UserObjectId"]] = true
			}
		}
		if len(part) == 2 && r.Method == http.MethodDelete {
			w.Lost = s.messages[part[1]]
		}
	case part[0] == "distributionlists" && r.Method == http.MethodPost:
		raw, _ := io.ReadAll(r.Body) // what cannot be read is refused next
		r.Body = io.NopCloser(bytes.NewReader(raw))
		var b object
		_ = json.Unmarshal(raw, &b) // what is no object is refused next
		of[b["MemberUserObjectId"]] = true
	case part[0] == "distributionlists":
		if m, err := s.one("members", last); err == nil {
			of[m["MemberUserObjectId"]] = true
		}
	}
	w.Ours = len(of) > 0
	for id := range of {
		w.Of = append(w.Of, id)
		w.Ours = w.Ours && s.ours[id]
	}
	slices.Sort(w.Of)
	for _, id := range w.Of {
		if u, err := s.one("users", id); err == nil {
			w.Names = append(w.Names, u["Alias"])
		}
	}
	return w
}

// outcome remembers how a request ended.
type outcome struct {
	http.ResponseWriter
	status int
}

func (o *outcome) WriteHeader(status int) {
	o.status = status
	o.ResponseWriter.WriteHeader(status)
}

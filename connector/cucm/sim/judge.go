package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Write is one request that changed an object.
type Write struct {
	Op, Kind, Name string
	Of             []string // userids whose it was, or became
	Ours           bool     // an earlier request made it
}

func (w Write) String() string { return w.Op + " of " + w.Name }

// Writes are all that changed something, in their order.
func (s *Sim) Writes() []Write { s.mu.Lock(); defer s.mu.Unlock(); return slices.Clone(s.writes) }

// Never is what a careful client never does, whoever it is about: a reset, SQL that writes, a second writer, a third reader.
func (s *Sim) Never() []string {
	var out []string
	for _, r := range s.door.Requests() {
		_, op, _ := strings.Cut(strings.Trim(r.Header.Get("SOAPAction"), `"`), " ")
		_, op, _ = strings.Cut(op, " ")
		for _, never := range []string{"reset", "restart", "executeSQLUpdate", "doDeviceReset"} {
			if strings.HasPrefix(op, never) {
				out = append(out, op+" was sent")
			}
		}
	}
	if reads, writes := s.Busiest(); writes > 1 || reads > 2 {
		out = append(out, fmt.Sprintf("%d wrote and %d read at the same time", writes, reads))
	}
	return out
}

// Breaches are those, and each write to an object that is none of these people's and that no request made. A test ends by
// asking for them.
func (s *Sim) Breaches(people ...string) []string {
	out := s.Never()
	for _, w := range s.Writes() {
		if !w.Ours && !slices.ContainsFunc(w.Of, func(id string) bool {
			return slices.ContainsFunc(people, func(p string) bool { return strings.EqualFold(p, id) })
		}) {
			out = append(out, fmt.Sprintf("%s, which is of %v", w, w.Of))
		}
	}
	return out
}

// Secrets are what requests brought that must stand in no log and no error.
func (s *Sim) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []string{s.password}
	for _, o := range s.objects["user"] {
		out = append(out, o.node.value("password"))
		out = append(out, s.pins[o.uuid]...)
	}
	for _, o := range s.objects["ldapDirectory"] {
		out = append(out, o.node.value("ldapPassword"))
	}
	return slices.DeleteFunc(out, func(v string) bool { return v == "" })
}

// about is the object that a request is to change, as it stands before.
func (s *Sim) about(op *node) *Write {
	w := &Write{Op: op.name}
	for _, verb := range []string{"update", "remove", "apply", "add"} {
		if rest, ok := strings.CutPrefix(op.name, verb); ok {
			w.Kind = strings.ToLower(rest[:1]) + rest[1:]
		}
	}
	if op.name == "doDeviceLogout" {
		w.Kind, w.Name = "phone", op.value("deviceName")
		w.Of = s.of("phone", s.object("phone", w.Name))
		return w
	}
	if keys[w.Kind] == nil {
		return nil
	}
	if strings.HasPrefix(op.name, "add") {
		w.Ours = true
		if n := op.get(w.Kind); n != nil {
			w.Name = identity(w.Kind, n)
		}
		return w
	}
	if o, err := s.find(w.Kind, op, 0); err == nil {
		w.Name, w.Ours, w.Of = o.name, o.ours, s.of(w.Kind, o)
	}
	return w
}

func (s *Sim) wrote(op *node, w *Write) {
	if w == nil {
		return
	}
	if o, err := s.find(w.Kind, op, 0); err == nil && !strings.HasPrefix(w.Op, "add") {
		w.Of = append(w.Of, s.of(w.Kind, o)...)
		slices.Sort(w.Of)
		w.Of = slices.Compact(w.Of)
	}
	s.writes = append(s.writes, *w)
}

// of says whose an object is: a user's own; of whoever owns a device, may control it or is logged in on it; a line's of
// whoever has a device that shows it.
func (s *Sim) of(kind string, o *object) []string {
	if o == nil {
		return nil
	}
	var out []string
	switch kind {
	case "user":
		out = append(out, o.name)
	case "line":
		for _, d := range s.appearances(o.name) {
			out = append(out, s.of("phone", d)...)
		}
		for _, u := range s.objects["user"] {
			if u.node.value("primaryExtension/pattern")+"@"+u.node.value("primaryExtension/routePartitionName") == o.name {
				out = append(out, u.name)
			}
		}
	case "phone", "deviceProfile", "remoteDestinationProfile", "remoteDestination":
		out = append(out, o.node.value("ownerUserName"), o.node.value("userId"), o.node.value("ownerUserId"), s.loggedIn[o.name])
		for _, u := range s.objects["user"] {
			for _, list := range []string{"associatedDevices", "phoneProfiles", "ctiControlledDeviceProfiles"} {
				if l := u.node.get(list); l != nil && slices.ContainsFunc(l.kids, func(k *node) bool { return strings.EqualFold(k.text, o.name) }) {
					out = append(out, u.name)
				}
			}
		}
	}
	return slices.DeleteFunc(out, func(id string) bool { return id == "" })
}

// Largest is the size of the largest answer so far, in bytes.
func (s *Sim) Largest() int { s.mu.Lock(); defer s.mu.Unlock(); return s.largest }

// Limit is how large an answer may be; the vendor's is 8 MB.
func (s *Sim) Limit(bytes int) { s.mu.Lock(); defer s.mu.Unlock(); s.limit = bytes }

// Queue is how many writes the publisher takes before it sheds the next one, and how long each stays in its queue.
func (s *Sim) Queue(room int, drains time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room, s.drains, s.queued = room, drains, nil
}

// full says that the queue of writes takes no more; else one more is in it.
func (s *Sim) full() bool {
	if s.room == 0 {
		return false
	}
	now := s.opt.Time()
	s.queued = slices.DeleteFunc(s.queued, func(at time.Time) bool { return !now.Before(at.Add(s.drains)) })
	if len(s.queued) >= s.room {
		return true
	}
	s.queued = append(s.queued, now)
	return false
}

// Drop takes an object away as another administrator does.
func (s *Sim) Drop(kind, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.object(kind, name); o != nil {
		s.objects[kind] = slices.DeleteFunc(s.objects[kind], func(x *object) bool { return x == o })
		s.note(kind, "r", o.uuid)
	}
}

// DropPartition takes a partition away as another administrator does: first its lines move to another one, or go where that is
// empty, and all that shows them follows; then the partition goes.
func (s *Sim) DropPartition(name, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range slices.Clone(s.objects["line"]) {
		if o.node.value("routePartitionName") != name {
			continue
		}
		if to == "" {
			s.release("line", o)
			s.objects["line"] = slices.DeleteFunc(s.objects["line"], func(x *object) bool { return x == o })
			s.note("line", "r", o.uuid)
			continue
		}
		next := &object{uuid: o.uuid, node: o.node.clone(), ours: o.ours}
		next.node.set(leaf("routePartitionName", to))
		next.name = identity("line", next.node)
		s.follow("line", o, next)
		o.node, o.name = next.node, next.name
		s.note("line", "u", o.uuid)
	}
	s.names["partition"] = slices.DeleteFunc(s.names["partition"], func(p string) bool { return p == name })
}

// Busiest is how many requests were under way at the same time at most: those that read, and those that write.
func (s *Sim) Busiest() (reads, writes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most[false], s.most[true]
}

// count takes a request in and returns what lets it out.
func (s *Sim) count(write bool) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.under[write]++
	s.most[write] = max(s.most[write], s.under[write])
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.under[write]--
	}
}

package sim

import (
	"strconv"
	"strings"
	"time"
)

// running is what phones and calls go by: what was last applied, which may be older than what is written.
func (o *object) running() *node {
	if o.live != nil {
		return o.live
	}
	return o.node
}

// pending keeps what runs when an object is about to be written. A profile runs as it was at the log-in; nothing else waits.
func (s *Sim) pending(kind string, o *object) {
	waits := kind == "phone" || kind == "line"
	if kind == "deviceProfile" {
		for _, p := range s.profile {
			waits = waits || strings.EqualFold(p, o.name)
		}
	}
	if waits && o.live == nil {
		o.live = o.node.clone()
	}
}

// apply makes what is written what runs.
func (s *Sim) apply(op *node) ([]*node, error) {
	kind := strings.ToLower(strings.TrimPrefix(op.name, "apply"))
	o, err := s.find(kind, op, 5007)
	if err != nil {
		return nil, err
	}
	o.live = nil
	return []*node{leaf("return", o.uuid)}, nil
}

// Unplug takes a device's registration, or gives it back: one that is not registered does not ring.
func (s *Sim) Unplug(device string, unplugged bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unplug[device] = unplugged
}

// listRegistrations shows each phone with whether it is registered. It was seen at the cluster's own time, or an hour ago.
func (s *Sim) listRegistrations(op *node) ([]*node, error) {
	return page(s, op, s.objects["phone"], func(o *object) *node {
		status, seen := "Registered", s.opt.Time()
		if s.unplug[o.name] {
			status, seen = "Unregistered", seen.Add(-time.Hour)
		}
		out := group("registrationDynamic")
		for _, t := range op.get("returnedTags").kids {
			text := map[string]string{"device": o.name, "lastSeen": strconv.FormatInt(seen.Unix(), 10), "risStatus": status, "lastKnownIpAddress": "10.0.0.1"}[t.name]
			out.kids = append(out.kids, leaf(t.name, text))
		}
		return out
	})
}

// out ends a log-in by extension mobility; the profile shows what is written of it at the next one.
func (s *Sim) out(device string) {
	profile := s.profile[device]
	delete(s.loggedIn, device)
	delete(s.profile, device)
	for _, p := range s.profile {
		if strings.EqualFold(p, profile) {
			return
		}
	}
	if o := s.object("deviceProfile", profile); o != nil {
		o.live = nil
	}
}

// ringing are the devices that show a line as they run.
func (s *Sim) ringing(line *object) []*object {
	n := line.running()
	is := n.value("pattern") + "@" + n.value("routePartitionName")
	var out []*object
	for _, kind := range devices {
		for _, d := range s.objects[kind] {
			for _, l := range d.running().all("lines", "line") {
				if at := shownLine(l); strings.EqualFold(at, is) || strings.EqualFold(at, line.name) {
					out = append(out, d)
					break
				}
			}
		}
	}
	return out
}

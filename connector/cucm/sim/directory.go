package sim

import (
	"slices"
	"strings"
	"time"
)

// Entry is somebody in the directory that feeds the cluster.
type Entry struct {
	ID, First, Last, Mail, Phone string
	Number                       string // in the custom user field Employee Number
	Disabled                     bool   // the cluster's own filter leaves such entries out
}

// Directory is what the directory behind an agreement holds from now on. The cluster sees it at the next synchronization.
func (s *Sim) Directory(entries ...Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.directory = entries
}

// Synchronizations is how many there were.
func (s *Sim) Synchronizations() int { s.mu.Lock(); defer s.mu.Unlock(); return s.syncs }

// synchronize runs a whole agreement: who is new is made, who is there is mastered, who is not is inactive from now on.
func (s *Sim) synchronize(op *node) ([]*node, error) {
	o, err := s.find("ldapDirectory", op, 5007)
	if err != nil {
		return nil, err
	}
	if !op.yes("sync") {
		return []*node{leaf("return", "the synchronization was stopped")}, nil
	}
	s.syncs++
	agreement := o.node.value("name")
	seen := map[string]bool{}
	for _, e := range s.directory {
		if e.Disabled {
			continue
		}
		seen[strings.ToLower(e.ID)] = true
		u := s.object("user", e.ID)
		if u == nil {
			u = s.put("user", group("user", leaf("userid", e.ID), leaf("presenceGroupName", presence)))
		}
		for name, text := range map[string]string{"firstName": e.First, "lastName": e.Last, "mailid": e.Mail, "telephoneNumber": e.Phone, "ldapDirectoryName": agreement, "status": "1"} {
			u.node.set(leaf(name, text)) // a local user of that id is converted
		}
		u.node.set(group("customUserFields", group("customUserField", leaf("name", "Employee Number"), leaf("value", e.Number))))
		delete(s.inactive, u.uuid)
	}
	for _, u := range s.objects["user"] {
		if u.node.value("ldapDirectoryName") == agreement && !seen[strings.ToLower(u.name)] && s.inactive[u.uuid].IsZero() {
			u.node.set(leaf("status", "0"))
			s.inactive[u.uuid] = s.opt.Time()
		}
	}
	return []*node{leaf("return", "Sync initiated successfully")}, nil
}

// collect removes who was inactive for a day, at a quarter past three in the morning.
func (s *Sim) collect() {
	now := s.opt.Time()
	s.objects["user"] = slices.DeleteFunc(s.objects["user"], func(u *object) bool {
		since, ok := s.inactive[u.uuid]
		if !ok {
			return false
		}
		due := since.Add(24 * time.Hour)
		night := time.Date(due.Year(), due.Month(), due.Day(), 3, 15, 0, 0, time.UTC)
		if night.Before(due) {
			night = night.AddDate(0, 0, 1)
		}
		if now.Before(night) {
			return false
		}
		for _, d := range s.objects["phone"] {
			if strings.EqualFold(d.node.value("ownerUserName"), u.name) {
				d.node.set(leaf("ownerUserName", ""))
			}
		}
		delete(s.inactive, u.uuid)
		s.note("user", "r", u.uuid)
		return true
	})
}

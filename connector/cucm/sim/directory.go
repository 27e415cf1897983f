package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
)

// Entry is somebody in the directory that feeds the cluster, and Source is that directory.
type (
	Entry  = sim.Entry
	Source = sim.Directory
)

// enabledUsers is what an agreement without a filter of its own reads. That it leaves out who is disabled is the vendor's
// default for Active Directory, and a trap: a leave looks like a leaver.
const enabledUsers = "(&(objectclass=user)(!(objectclass=Computer))(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"

// Directory is what the directory behind an agreement holds from now on. The cluster sees it at the next synchronization.
func (s *Sim) Directory(all ...Entry) { s.Reads(sim.Entries(all)) }

// Reads says which directory the agreements read; sim.LDAP is a real one.
func (s *Sim) Reads(from Source) { s.mu.Lock(); defer s.mu.Unlock(); s.directory = from }

// SyncTakes is how long a synchronization takes from now on.
func (s *Sim) SyncTakes(d time.Duration) { s.mu.Lock(); defer s.mu.Unlock(); s.takes = d }

// Synchronizations is how many there were.
func (s *Sim) Synchronizations() int { s.mu.Lock(); defer s.mu.Unlock(); return s.syncs }

// Agreement makes an LDAP agreement as an administrator does: elements of ldapDirectory by name, and the text of its filter.
func (s *Sim) Agreement(name, base, filter string, more map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := group("ldapDirectory", leaf("name", name), leaf("ldapDn", "svc@corp.example"), leaf("userSearchBase", base), leaf("nextExecTime", "2026-01-01 03:15"))
	if filter != "" {
		s.put("ldapFilter", group("ldapFilter", leaf("name", name+" filter"), leaf("filter", filter)))
		n.set(leaf("ldapFilter", name+" filter"))
	}
	for k, v := range more {
		if start, end, pool := strings.Cut(v, "-"); k == "addDns" && pool {
			n.set(group("addDns", group("addDn", leaf("startDn", start), leaf("endDn", end), leaf("dnPrefix", ""))))
			continue
		}
		n.set(leaf(k, v))
	}
	if o := s.object("ldapDirectory", name); o != nil {
		o.node = n
		s.note("ldapDirectory", "u", o.uuid)
		return
	}
	s.put("ldapDirectory", n)
}

// synchronize starts a whole agreement, at most one at a time.
func (s *Sim) synchronize(op *node) ([]*node, error) {
	o, err := s.find("ldapDirectory", op, 5007)
	if err != nil {
		return nil, err
	}
	if !op.yes("sync") {
		delete(s.syncing, o.name)
		return []*node{leaf("return", "the synchronization was stopped")}, nil
	}
	if _, at := s.syncing[o.name]; at {
		return nil, refuse(-1, "the synchronization of %s is under way", o.name)
	}
	s.syncs++
	s.syncing[o.name] = s.opt.Time().Add(s.takes)
	s.collect()
	return []*node{leaf("return", "Sync initiated successfully")}, nil
}

func (s *Sim) syncStatus(op *node) ([]*node, error) {
	o, err := s.find("ldapDirectory", op, 5007)
	if err != nil {
		return nil, err
	}
	_, at := s.syncing[o.name]
	return []*node{leaf("return", strconv.FormatBool(at))}, nil
}

// brought carries a synchronization out: who is new is made, who is there is mastered, who is not is inactive from now on. A
// directory that cannot be read changes nothing.
func (s *Sim) brought(o *object) {
	if s.directory == nil {
		return
	}
	filter := enabledUsers
	if f := s.object("ldapFilter", o.node.value("ldapFilter")); f != nil {
		filter = f.node.value("filter")
	}
	people, err := s.directory.People(o.node.value("userSearchBase"), filter)
	if err != nil {
		return
	}
	agreement := o.node.value("name")
	seen := map[string]bool{}
	for _, e := range people {
		seen[strings.ToLower(e.ID)] = true
		u := s.object("user", e.ID)
		fresh := u == nil
		if fresh {
			u = s.put("user", group("user", leaf("userid", e.ID), leaf("presenceGroupName", presence)))
		}
		phone, mail := e.Phone, e.Mail
		if strings.EqualFold(o.node.value("phoneNumber"), "ipPhone") {
			phone = e.IPPhone
		}
		if strings.EqualFold(o.node.value("mailId"), "sAMAccountName") {
			mail = e.ID
		}
		for name, text := range map[string]string{
			"firstName": e.First, "lastName": e.Last, "mailid": mail, "telephoneNumber": phone, "title": e.Title, "department": e.Department, "ldapDirectoryName": agreement, "status": "1",
		} {
			u.node.set(leaf(name, text)) // a local user of that id is converted
		}
		u.node.set(group("customUserFields", group("customUserField", leaf("name", "Employee Number"), leaf("value", e.Number))))
		delete(s.inactive, u.uuid)
		s.note("user", "u", u.uuid)
		if fresh {
			s.masked(o, phone)
		}
	}
	for _, u := range s.objects["user"] {
		if u.node.value("ldapDirectoryName") == agreement && !seen[strings.ToLower(u.name)] && s.inactive[u.uuid].IsZero() {
			u.node.set(leaf("status", "0"))
			s.inactive[u.uuid] = s.opt.Time()
		}
	}
}

// masked makes the line that an agreement with a mask or a pool makes for whoever it brings, by itself.
func (s *Sim) masked(o *object, phone string) {
	number := ""
	switch {
	case o.node.yes("applyMask"):
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, phone)
		number = masked(o.node.value("mask"), digits)
	case o.node.yes("applyPoolList"):
		for _, p := range o.node.all("addDns", "addDn") {
			from, _ := strconv.Atoi(p.value("startDn"))
			to, _ := strconv.Atoi(p.value("endDn"))
			for n := from; n <= to && number == ""; n++ {
				if free := p.value("dnPrefix") + strconv.Itoa(n); s.object("line", free+"@DN_PT") == nil {
					number = free
				}
			}
		}
	}
	if number != "" && s.object("line", number+"@DN_PT") == nil {
		s.put("line", group("line", leaf("pattern", number), leaf("description", fmt.Sprintf("made by %s", o.name)), leaf("usage", "Device"), leaf("routePartitionName", "DN_PT"), leaf("active", "true")))
	}
}

// collect ends synchronizations whose time is over, and removes who was inactive for a day, at a quarter past three in the
// morning.
func (s *Sim) collect() {
	now := s.opt.Time()
	for name, until := range s.syncing {
		if !now.Before(until) {
			delete(s.syncing, name)
			if o := s.object("ldapDirectory", name); o != nil {
				s.brought(o)
			}
		}
	}
	if len(s.inactive) == 0 {
		return
	}
	var gone []*object
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
		gone = append(gone, u)
		return true
	})
	for _, u := range gone {
		delete(s.inactive, u.uuid)
		s.release("user", u)
		s.note("user", "r", u.uuid)
	}
}

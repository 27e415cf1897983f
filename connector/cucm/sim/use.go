package sim

import (
	"slices"
	"strings"
)

// KeepsUsed says whether the cluster refuses to remove what is in use: a "line" that a line group or a forward names, a user
// or a profile with which somebody is logged in ("login"). Releases differ.
func (s *Sim) KeepsUsed(what string, keeps bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[what] = keeps
}

// inUse refuses to remove what something still needs.
func (s *Sim) inUse(kind string, o *object) error {
	switch {
	case kind == "user" && o.node.value("ldapDirectoryName") != "":
		return refuse(5009, "the user is synchronized from the LDAP directory %s", o.node.value("ldapDirectoryName"))
	case kind == "line" && s.kept["line"]:
		for group, lines := range s.groups {
			if slices.Contains(lines, o.name) {
				return refuse(-692, "the line is a member of the line group %s", group)
			}
		}
		for _, l := range s.objects["line"] {
			if at := forwards(l.node, o.node.value("pattern")); l != o && at != "" {
				return refuse(-692, "%s of the line %s leads to it", at, l.name)
			}
		}
	case (kind == "user" || kind == "deviceProfile") && s.kept["login"]:
		by := s.profile
		if kind == "user" {
			by = s.loggedIn
		}
		for device, is := range by {
			if strings.EqualFold(is, o.name) {
				return refuse(-692, "somebody is logged in with it on %s", device)
			}
		}
	}
	return nil
}

// forwards names the forward of a line that leads to a number.
func forwards(n *node, pattern string) string {
	for _, k := range n.kids {
		if to := k.value("destination"); strings.HasPrefix(k.name, "callForward") && to != "" && (to == pattern || to == strings.ReplaceAll(pattern, `\`, "")) {
			return k.name
		}
	}
	return ""
}

// release takes an object's name out of what names it: a line stays when its phone goes.
func (s *Sim) release(kind string, o *object) {
	drop := func(o *object, list string, is func(*node) bool) {
		if l := o.node.get(list); l != nil {
			l.kids = slices.DeleteFunc(l.kids, is)
		}
	}
	switch kind {
	case "user":
		s.empty("phone", "ownerUserName", o.name)
		s.empty("remoteDestination", "ownerUserId", o.name)
		for device, id := range s.loggedIn {
			if strings.EqualFold(id, o.name) {
				s.out(device)
			}
		}
	case "userGroup":
		for _, u := range s.objects["user"] {
			drop(u, "associatedGroups", func(k *node) bool { return strings.EqualFold(k.value("name"), o.name) })
		}
	case "phone", "deviceProfile", "remoteDestinationProfile":
		s.out(o.name)
		s.empty("user", "defaultProfile", o.name)
		s.empty("remoteDestination", "remoteDestinationProfileName", o.name)
		for _, u := range s.objects["user"] {
			for _, list := range []string{"associatedDevices", "phoneProfiles", "ctiControlledDeviceProfiles"} {
				drop(u, list, func(k *node) bool { return strings.EqualFold(k.text, o.name) })
			}
		}
	}
}

// empty clears an element of objects that hold a name.
func (s *Sim) empty(kind, element, name string) {
	for _, o := range s.objects[kind] {
		if strings.EqualFold(o.node.value(element), name) {
			o.node.set(leaf(element, ""))
		}
	}
}

// follow carries a new name into what refers to it: rows refer by id.
func (s *Sim) follow(kind string, was, is *object) {
	if was.name == is.name {
		return
	}
	if kind == "line" {
		for _, d := range s.appearances(was.name) {
			for _, l := range d.node.all("lines", "line") {
				if strings.EqualFold(shownLine(l), was.name) {
					l.get("dirn").set(leaf("pattern", is.node.value("pattern")))
					l.get("dirn").set(leaf("routePartitionName", is.node.value("routePartitionName")))
				}
			}
		}
		return
	}
	var walk func(*node)
	walk = func(n *node) {
		for _, k := range n.kids {
			if refers := references[k.name] == kind || kind == "userGroup" && n.name == "userGroup" && k.name == "name"; refers && strings.EqualFold(k.text, was.name) {
				k.text = is.name
			}
			walk(k)
		}
	}
	for _, list := range s.objects {
		for _, o := range list {
			if o != was {
				walk(o.node)
			}
		}
	}
}

// members are the users in a group: the list stands with each of them.
func (s *Sim) members(group string) []*object {
	var out []*object
	for _, u := range s.objects["user"] {
		if slices.ContainsFunc(u.node.all("associatedGroups", "userGroup"), func(g *node) bool { return strings.EqualFold(g.value("name"), group) }) {
			out = append(out, u)
		}
	}
	return out
}

// join brings users into a group and out of it when the group's own list of members was written.
func (s *Sim) join(kind string, o *object) {
	list := o.node.get("members")
	if kind != "userGroup" || list == nil {
		return
	}
	o.node.kids = slices.DeleteFunc(o.node.kids, func(k *node) bool { return k == list })
	in := map[string]bool{}
	for _, m := range list.kids {
		in[strings.ToLower(m.value("userId"))] = true
	}
	for _, u := range s.members(o.name) {
		if !in[strings.ToLower(u.name)] {
			l := u.node.get("associatedGroups")
			l.kids = slices.DeleteFunc(l.kids, func(k *node) bool { return strings.EqualFold(k.value("name"), o.name) })
		}
		delete(in, strings.ToLower(u.name))
	}
	for id := range in {
		if u := s.object("user", id); u != nil {
			l := u.node.get("associatedGroups")
			if l == nil {
				l = group("associatedGroups")
				u.node.set(l)
			}
			l.kids = append(l.kids, group("userGroup", leaf("name", o.name)))
		}
	}
}

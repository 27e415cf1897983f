package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// keys are by what each kind is found, and what an update calls a new one.
var keys = map[string][]string{
	"user": {"userid"}, "line": {"pattern", "routePartitionName"}, "phone": {"name"}, "deviceProfile": {"name"}, "remoteDestinationProfile": {"name"}, "ldapDirectory": {"name"},
	"remoteDestination": {"destination"}, "userGroup": {"name"}, "ldapFilter": {"name"},
}

var renamed = map[string]string{"newUserid": "userid", "newPattern": "pattern", "newRoutePartitionName": "routePartitionName", "newName": "name", "newDestination": "destination"}

// devices share one table, hence one name.
var devices = []string{"phone", "deviceProfile", "remoteDestinationProfile"}

func identity(kind string, n *node) string {
	var vs []string
	for _, k := range keys[kind] {
		vs = append(vs, n.value(k))
	}
	return strings.Join(vs, "@")
}

// object finds by name, whose letters' case does not count; a line is pattern@partition.
func (s *Sim) object(kind, name string) *object {
	return s.indexed().name[kind+" "+strings.ToLower(name)]
}

func words(kind string) string { return strings.ToUpper(kind[:1]) + kind[1:] }

func (s *Sim) find(kind string, op *node, code int) (*object, error) {
	if keys[kind] == nil {
		return nil, fmt.Errorf("there is no %s", op.name)
	}
	if u := op.value("uuid"); u != "" {
		if o := s.indexed().uuid[kind+" "+plain(u)]; o != nil {
			return o, nil
		}
	} else if o := s.object(kind, identity(kind, op)); o != nil {
		return o, nil
	}
	return nil, refuse(code, "Item not valid: The specified %s was not found", words(kind))
}

// show is an object with everything that a read shows: what was never set is empty, or false. Secrets are not shown.
func (s *Sim) show(kind string, o *object) *node {
	out := &node{name: kind, attr: map[string]string{"uuid": o.uuid}}
	for _, p := range schema["add"+words(kind)+"/"+kind] {
		switch k := o.node.get(p.name); {
		case slices.Contains(hidden, p.name):
			out.kids = append(out.kids, leaf(p.name, ""))
		case k != nil:
			out.kids = append(out.kids, k.clone())
		case slices.Contains(unshown, p.name):
		case p.kind == 'b':
			out.kids = append(out.kids, leaf(p.name, "false"))
		case p.name != "lines" && p.name != "lineAssociations" && p.name != "ringSchedule":
			out.kids = append(out.kids, leaf(p.name, ""))
		}
	}
	switch kind {
	case "user":
		for _, g := range out.all("associatedGroups", "userGroup") {
			g.set(group("userRoles", leaf("userRole", "Role of "+g.value("name")))) // shown, and never taken
		}
		out.kids = append(out.kids, leaf("status", cmp.Or(o.node.value("status"), "1")))
		pin := out.get("pinCredentials").clone()
		pin.set(leaf("pinCredPolicyName", s.policyShown(o)))
		out.set(pin)
		if at, ok := s.changedPIN[o.uuid]; ok {
			pin.set(leaf("pinCredTimeChanged", at.Format("January 2, 2006 15:04:05 MST")))
		}
	case "phone":
		if user := s.loggedIn[o.node.value("name")]; user != "" {
			out.kids = append(out.kids, leaf("loginUserId", user), leaf("currentProfileName", s.profile[o.node.value("name")]))
		} else {
			out.kids = append(out.kids, leaf("loginUserId", ""), leaf("currentProfileName", ""))
		}
	case "ldapDirectory":
		for _, a := range [][2]string{{"userId", "sAMAccountName"}, {"managerId", "manager"}, {"firstName", "givenName"}, {"lastName", "sn"}, {"department", "department"}} {
			out.kids = append(out.kids, leaf(a[0], a[1]))
		}
	case "userGroup":
		list := group("members")
		for _, u := range s.members(o.name) {
			list.kids = append(list.kids, group("member", leaf("userId", u.name)))
		}
		out.set(list)
	case "line":
		list := group("associatedDevices")
		for _, d := range s.appearances(o.name) {
			list.kids = append(list.kids, leaf("device", d.node.value("name")))
		}
		out.kids = append(out.kids, list)
	}
	return out
}

var hidden = []string{"password", "pin", "digestCredentials", "sshPwd", "ldapPassword"}

// unshown are elements that are written and never read.
var unshown = []string{"enableUnifiedMobility", "enableExtendAndConnect"}

func (s *Sim) add(kind string, op *node) ([]*node, error) {
	n := op.get(kind)
	if keys[kind] == nil || n == nil {
		return nil, fmt.Errorf("there is no operation %s", op.name)
	}
	o := &object{node: n.clone(), name: identity(kind, n)}
	o.node.attr = nil
	if err := s.taken(kind, o, nil); err != nil {
		return nil, err
	}
	if err := s.rules(kind, o); err != nil {
		return nil, err
	}
	if err := s.credentials(nil, o, n); err != nil {
		return nil, err
	}
	fill(kind, o.node)
	o.uuid, o.ours = s.uuid(), true
	s.settlePIN(o, n)
	s.objects[kind] = append(s.objects[kind], o)
	s.join(kind, o)
	s.note(kind, "a", o.uuid)
	return []*node{leaf("return", o.uuid)}, nil
}

// taken says that a name is another's: a number in its partition, a device of any class, a user.
func (s *Sim) taken(kind string, o, except *object) error {
	same := []string{kind}
	if slices.Contains(devices, kind) {
		same = devices
	}
	dup := refuse(-239, "Could not insert new row - duplicate value in a UNIQUE INDEX column.")
	for _, k := range same {
		if is := s.object(k, o.name); is != nil && is != except {
			return dup
		}
	}
	if kind == "line" {
		for _, p := range s.patterns {
			if p.pattern+"@"+p.partition == o.name {
				return dup
			}
		}
	}
	return nil
}

// fill gives a new object what the cluster gives it.
func fill(kind string, n *node) {
	switch kind {
	case "line":
		if n.get("active") == nil {
			n.set(leaf("active", "true"))
		}
	case "phone", "deviceProfile", "remoteDestinationProfile":
		for _, l := range n.all("lines", "line") {
			for _, d := range [][2]string{{"label", ""}, {"display", ""}, {"e164Mask", ""}, {"maxNumCalls", "4"}, {"busyTrigger", "2"}} {
				if l.get(d[0]) == nil {
					l.set(leaf(d[0], d[1])) // what a written line leaves out is reset
				}
			}
		}
	}
}

func (s *Sim) update(kind string, op *node) ([]*node, error) {
	o, err := s.find(kind, op, 5003)
	if err != nil {
		return nil, err
	}
	next := &object{uuid: o.uuid, node: o.node.clone()}
	for _, k := range op.kids {
		name := k.name
		if name == "uuid" || slices.Contains(keys[kind], name) {
			continue
		}
		if to := renamed[name]; to != "" {
			k = &node{name: to, attr: k.attr, text: k.text, kids: k.kids}
		}
		if strings.HasSuffix(name, "Credentials") && name != "digestCredentials" { // a block of its own: what is left out stays
			was := next.node.get(name)
			if was == nil {
				was = group(name)
			}
			merged := was.clone()
			for _, c := range k.kids {
				merged.set(c.clone())
			}
			k = merged
		}
		next.node.set(k.clone())
	}
	next.name = identity(kind, next.node)
	if err := s.taken(kind, next, o); err != nil {
		return nil, err
	}
	if kind == "user" && strings.Contains(op.String(), "<userRoles") {
		return nil, refuse(-1, "roles are those of the group, and are not written with a user")
	}
	if kind == "user" && o.node.value("ldapDirectoryName") != "" {
		for _, k := range op.kids {
			if slices.Contains(mastered, k.name) && k.text != o.node.value(k.name) {
				return nil, refuse(5009, "%s cannot be changed: the user is synchronized from the LDAP directory %s", k.name, o.node.value("ldapDirectoryName"))
			}
		}
	}
	if err := s.rules(kind, next); err != nil {
		return nil, err
	}
	if err := s.credentials(o, next, op); err != nil {
		return nil, err
	}
	fill(kind, next.node)
	s.settlePIN(next, op)
	s.follow(kind, o, next)
	s.pending(kind, o)
	o.node, o.name = next.node, next.name
	s.join(kind, o)
	s.note(kind, "u", o.uuid)
	return []*node{leaf("return", o.uuid)}, nil
}

// mastered is what the directory says of a synchronized user.
var mastered = []string{"firstName", "displayName", "middleName", "lastName", "newUserid", "password", "mailid", "department", "manager", "telephoneNumber", "title", "directoryUri", "mobileNumber"}

func (s *Sim) remove(kind string, op *node) ([]*node, error) {
	o, err := s.find(kind, op, 5007)
	if err != nil {
		return nil, err
	}
	if err := s.inUse(kind, o); err != nil {
		return nil, err
	}
	s.release(kind, o)
	s.objects[kind] = slices.DeleteFunc(s.objects[kind], func(x *object) bool { return x == o })
	s.note(kind, "r", o.uuid)
	return []*node{leaf("return", o.uuid)}, nil
}

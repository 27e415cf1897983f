package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// keys are by what each kind is found, and what an update calls a new one.
var keys = map[string][]string{
	"user": {"userid"}, "line": {"pattern", "routePartitionName"}, "phone": {"name"}, "deviceProfile": {"name"}, "remoteDestinationProfile": {"name"}, "ldapDirectory": {"name"},
}

var renamed = map[string]string{"newUserid": "userid", "newPattern": "pattern", "newRoutePartitionName": "routePartitionName", "newName": "name"}

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
	i := slices.IndexFunc(s.objects[kind], func(o *object) bool { return strings.EqualFold(o.name, name) })
	if i < 0 {
		return nil
	}
	return s.objects[kind][i]
}

func words(kind string) string { return strings.ToUpper(kind[:1]) + kind[1:] }

func (s *Sim) find(kind string, op *node, code int) (*object, error) {
	if keys[kind] == nil {
		return nil, fmt.Errorf("there is no %s", op.name)
	}
	if u := op.value("uuid"); u != "" {
		for _, o := range s.objects[kind] {
			if strings.EqualFold(o.uuid, u) {
				return o, nil
			}
		}
	} else if o := s.object(kind, identity(kind, op)); o != nil {
		return o, nil
	}
	return nil, refuse(code, "Item not valid: The specified %s was not found", words(kind))
}

// show is an object with everything that a read shows: what was never set is empty, or false. Secrets are not shown.
func (s *Sim) show(kind string, o *object) *node {
	out := &node{name: kind, attr: map[string]string{"uuid": o.uuid}}
	if kind == "ldapDirectory" {
		out.kids = o.node.clone().kids
	}
	for _, p := range schema["add"+words(kind)+"/"+kind] {
		switch k := o.node.get(p.name); {
		case slices.Contains(hidden, p.name):
			out.kids = append(out.kids, leaf(p.name, ""))
		case k != nil:
			out.kids = append(out.kids, k.clone())
		case p.kind == 'b':
			out.kids = append(out.kids, leaf(p.name, "false"))
		case p.name != "lines":
			out.kids = append(out.kids, leaf(p.name, ""))
		}
	}
	switch kind {
	case "user":
		for _, g := range out.all("associatedGroups", "userGroup") {
			g.set(group("userRoles", leaf("userRole", "Role of "+g.value("name")))) // shown, and never taken
		}
		out.kids = append(out.kids, leaf("status", cmp.Or(o.node.value("status"), "1")))
	case "phone":
		if user := s.loggedIn[o.node.value("name")]; user != "" {
			out.kids = append(out.kids, leaf("loginUserId", user), leaf("currentProfileName", s.profile[o.node.value("name")]))
		} else {
			out.kids = append(out.kids, leaf("loginUserId", ""), leaf("currentProfileName", ""))
		}
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

// appearances are the devices that show a line.
func (s *Sim) appearances(line string) []*object {
	var out []*object
	for _, kind := range devices {
		for _, d := range s.objects[kind] {
			for _, l := range d.node.all("lines", "line") {
				if strings.EqualFold(l.value("dirn/pattern")+"@"+l.value("dirn/routePartitionName"), line) {
					out = append(out, d)
				}
			}
		}
	}
	return out
}

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
	fill(kind, o.node)
	o.uuid = s.uuid()
	s.objects[kind] = append(s.objects[kind], o)
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
	case "phone", "deviceProfile":
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
	fill(kind, next.node)
	s.follow(kind, o, next)
	o.node, o.name = next.node, next.name
	s.note(kind, "u", o.uuid)
	return []*node{leaf("return", o.uuid)}, nil
}

// mastered is what the directory says of a synchronized user.
var mastered = []string{"firstName", "lastName", "newUserid", "password", "mailid", "department", "manager", "telephoneNumber", "title", "directoryUri", "mobileNumber"}

// follow carries a new name of a line into the devices that show it.
func (s *Sim) follow(kind string, was, is *object) {
	if kind != "line" || was.name == is.name {
		return
	}
	for _, d := range s.appearances(was.name) {
		for _, l := range d.node.all("lines", "line") {
			if l.value("dirn/pattern")+"@"+l.value("dirn/routePartitionName") == was.name {
				l.get("dirn").set(leaf("pattern", is.node.value("pattern")))
				l.get("dirn").set(leaf("routePartitionName", is.node.value("routePartitionName")))
			}
		}
	}
}

func (s *Sim) remove(kind string, op *node) ([]*node, error) {
	o, err := s.find(kind, op, 5007)
	if err != nil {
		return nil, err
	}
	name := o.node.value("name")
	switch kind {
	case "line":
		for group, lines := range s.groups {
			if slices.Contains(lines, o.name) {
				return nil, refuse(-692, "the line is a member of the line group %s", group)
			}
		}
	case "deviceProfile":
		for device, p := range s.profile {
			if p == name {
				return nil, refuse(-692, "somebody is logged in with it on %s", device)
			}
		}
	case "user":
		if o.node.value("ldapDirectoryName") != "" {
			return nil, refuse(5009, "the user is synchronized from the LDAP directory %s", o.node.value("ldapDirectoryName"))
		}
		for _, d := range s.objects["phone"] {
			if strings.EqualFold(d.node.value("ownerUserName"), o.name) {
				d.node.set(leaf("ownerUserName", ""))
			}
		}
	}
	if slices.Contains(devices, kind) { // the line stays, nobody names the device any more
		delete(s.loggedIn, name)
		for _, u := range s.objects["user"] {
			for _, list := range [][2]string{{"associatedDevices", "device"}, {"phoneProfiles", "profileName"}, {"ctiControlledDeviceProfiles", "profileName"}} {
				if l := u.node.get(list[0]); l != nil {
					l.kids = slices.DeleteFunc(l.kids, func(k *node) bool { return strings.EqualFold(k.text, name) })
				}
			}
			if strings.EqualFold(u.node.value("defaultProfile"), name) {
				u.node.set(leaf("defaultProfile", ""))
			}
		}
	}
	s.objects[kind] = slices.DeleteFunc(s.objects[kind], func(x *object) bool { return x == o })
	s.note(kind, "r", o.uuid)
	return []*node{leaf("return", o.uuid)}, nil
}

// list answers with the rows between skip and first that fit the criteria: % stands for anything. An answer with more rows
// than the cluster gives at once is refused with how many it would give.
func (s *Sim) list(kind string, op *node) ([]*node, error) {
	var rows []*node
	tags := op.get("returnedTags")
	if rows = s.named(kind); rows == nil {
		for _, o := range s.objects[kind] {
			rows = append(rows, s.show(kind, o))
		}
	}
	rows = slices.DeleteFunc(rows, func(n *node) bool { return !fits(op.get("searchCriteria"), n) })
	return s.page(op, rows, func(n *node) *node {
		out := &node{name: n.name, attr: n.attr}
		for _, t := range tags.kids {
			if k := n.get(t.name); k != nil {
				out.kids = append(out.kids, k)
			} else {
				out.kids = append(out.kids, leaf(t.name, ""))
			}
		}
		return out
	})
}

// named are the objects that the cluster only lists.
func (s *Sim) named(kind string) []*node {
	list, ok := s.names[kind]
	if !ok {
		return nil
	}
	rows := []*node{}
	for i, name := range list {
		tag := kind
		if kind == "partition" {
			tag = "routePartition"
		}
		rows = append(rows, &node{name: tag, attr: map[string]string{"uuid": fmt.Sprintf("{%08X-0000-4000-8000-%012X}", sum(kind), i+1)}, kids: []*node{leaf("name", name), leaf("pattern", strconv.Itoa(8000+i)), leaf("description", "")}})
	}
	return rows
}

func sum(s string) (n uint32) {
	for _, c := range s {
		n = n*31 + uint32(c)
	}
	return n
}

func fits(criteria, n *node) bool {
	if criteria == nil {
		return true
	}
	for _, c := range criteria.kids {
		if !like(n.value(c.name), c.text) {
			return false
		}
	}
	return true
}

func like(text, pattern string) bool {
	text, pattern = strings.ToLower(text), strings.ToLower(pattern)
	parts := strings.Split(pattern, "%")
	if len(parts) == 1 {
		return text == pattern
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(text, p)
		if i < 0 {
			return false
		}
		text = text[i+len(p):]
	}
	return strings.HasSuffix(text, last)
}

func (s *Sim) page(op *node, rows []*node, show func(*node) *node) ([]*node, error) {
	skip, _ := strconv.Atoi(op.value("skip"))
	first, err := strconv.Atoi(op.value("first"))
	if err != nil {
		first = len(rows)
	}
	total := len(rows)
	rows = rows[min(skip, total):]
	rows = rows[:min(first, len(rows))]
	if most := s.opt.PageSize(); len(rows) > most {
		return nil, refuse(-1, "Query request too large. Total rows matched: %d rows. Suggestive Row Fetch: less than %d rows", total, most+1)
	}
	ret := group("return")
	for _, r := range rows {
		ret.kids = append(ret.kids, show(r))
	}
	return []*node{ret}, nil
}

// listRoutePlan shows every pattern of the cluster, those that are no lines as well.
func (s *Sim) listRoutePlan(op *node) ([]*node, error) {
	var rows []*node
	add := func(uuid, pattern, partition, kind, detail string) {
		rows = append(rows, &node{name: "routePlan", attr: map[string]string{"uuid": uuid}, kids: []*node{leaf("dnOrPattern", pattern), leaf("partition", partition), leaf("type", kind), leaf("routeDetail", detail)}})
	}
	for _, o := range s.objects["line"] {
		shown := s.appearances(o.name)
		if len(shown) == 0 {
			add(o.uuid, o.node.value("pattern"), o.node.value("routePartitionName"), "Device", "")
		}
		for _, d := range shown { // one row for each device
			add(o.uuid, o.node.value("pattern"), o.node.value("routePartitionName"), "Device", d.node.value("name"))
		}
	}
	for _, p := range s.patterns {
		add(p.uuid, p.pattern, p.partition, p.kind, p.detail)
	}
	rows = slices.DeleteFunc(rows, func(n *node) bool { return !fits(op.get("searchCriteria"), n) })
	return s.page(op, rows, func(n *node) *node { return n })
}

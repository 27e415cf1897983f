package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// index finds objects of a large cluster. It is made when it is needed, and thrown away by every change.
type index struct {
	name, uuid map[string]*object   // by kind and what it is found by
	at         map[string][]*object // devices that show a line
	plan       []*node              // the whole route plan
}

func (s *Sim) indexed() *index {
	if s.idx != nil {
		return s.idx
	}
	x := &index{name: map[string]*object{}, uuid: map[string]*object{}, at: map[string][]*object{}}
	for kind, list := range s.objects {
		for _, o := range list {
			x.uuid[kind+" "+plain(o.uuid)] = o
			if key := kind + " " + strings.ToLower(o.name); x.name[key] == nil {
				x.name[key] = o
			}
		}
	}
	for _, kind := range devices {
		for _, d := range s.objects[kind] {
			for _, l := range d.node.all("lines", "line") {
				key := strings.ToLower(shownLine(l))
				x.at[key] = append(x.at[key], d)
			}
		}
	}
	s.idx = x
	return x
}

func shownLine(l *node) string {
	return l.value("dirn/pattern") + "@" + l.value("dirn/routePartitionName")
}

// appearances are the devices that show a line.
func (s *Sim) appearances(line string) []*object { return s.indexed().at[strings.ToLower(line)] }

// list answers with the rows between skip and first that fit the criteria: % stands for anything. An answer with more rows
// than the cluster gives at once is refused with how many it would give.
func (s *Sim) list(kind string, op *node) ([]*node, error) {
	tags := op.get("returnedTags")
	cut := func(n *node) *node {
		out := &node{name: n.name, attr: n.attr}
		for _, t := range tags.kids {
			if k := n.get(t.name); k != nil {
				out.kids = append(out.kids, k)
			} else {
				out.kids = append(out.kids, leaf(t.name, ""))
			}
		}
		return out
	}
	criteria := op.get("searchCriteria")
	if rows := s.named(kind); rows != nil {
		rows = slices.DeleteFunc(rows, func(n *node) bool { return !fits(criteria, n) })
		return page(s, op, rows, cut)
	}
	var rows []*object
	for _, o := range s.objects[kind] {
		if fits(criteria, o.node) {
			rows = append(rows, o)
		}
	}
	return page(s, op, rows, func(o *object) *node { return cut(s.show(kind, o)) })
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
		if c.text != "%" && !like(n.value(c.name), c.text) {
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

func page[row any](s *Sim, op *node, rows []row, show func(row) *node) ([]*node, error) {
	skip, _ := strconv.Atoi(op.value("skip"))
	first, err := strconv.Atoi(op.value("first"))
	if err != nil {
		first = len(rows)
	}
	s.matched = len(rows)
	rows = rows[min(skip, s.matched):]
	rows = rows[:min(first, len(rows))]
	if most := s.opt.PageSize(); len(rows) > most {
		return nil, refuse(-1, "Query request too large. Total rows matched: %d rows. Suggestive Row Fetch: less than %d rows", s.matched, most+1)
	}
	ret := group("return")
	for _, r := range rows {
		ret.kids = append(ret.kids, show(r))
	}
	return []*node{ret}, nil
}

// listRoutePlan shows every pattern of the cluster, those that are no lines as well.
func (s *Sim) listRoutePlan(op *node) ([]*node, error) {
	x := s.indexed()
	if x.plan == nil {
		x.plan = s.routePlan()
	}
	rows := x.plan
	if c := op.get("searchCriteria"); c != nil && slices.ContainsFunc(c.kids, func(k *node) bool { return k.text != "%" }) {
		rows = slices.DeleteFunc(slices.Clone(rows), func(n *node) bool { return !fits(c, n) })
	}
	return page(s, op, rows, func(n *node) *node { return n })
}

func (s *Sim) routePlan() []*node {
	rows := []*node{}
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
	return rows
}

package policy

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// Products are bundles with a face: products/*.yaml says what belongs together and what it is called. Policies say who is
// given one or may ask for it, by {product: ID} where {bundle: NAME} may stand, so there is one language and not two.

// productNode is a product as its file has it.
type productNode struct {
	*dayone.Product
	f      *file
	n      *yaml.Node
	grants []*yaml.Node
	needs  []*yaml.Node
}

var productID = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

// readProducts reads products/*.yaml, before any policy may name one.
func (l *loader) readProducts(note func(*file)) {
	l.products = map[string]*productNode{}
	for _, name := range glob(l.fsys, "products") {
		f := l.read(name)
		if f == nil {
			continue
		}
		note(f)
		if n := l.fields(f, f.root, &productFileShape)["products"]; n != nil {
			for _, n := range l.items(f, n, "products") {
				l.product(f, n)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(l.products)) {
		l.prerequisitesOf(l.products[id])
		l.set.Products = append(l.set.Products, l.products[id].Product)
	}
}

func (l *loader) product(f *file, n *yaml.Node) {
	fs := l.fields(f, n, &productShape)
	p := &dayone.Product{At: Position{File: f.name, Line: n.Line}.line()}
	node := &productNode{Product: p, f: f, n: n}
	l.required(f, n, fs, "a product", map[string]*string{"id": &p.ID, "title": &p.Title, "domain": &p.Domain, "owner": &p.Owner})
	if p.Domain = strings.ToLower(p.Domain); p.ID != "" && !productID.MatchString(p.ID) {
		l.at(f, fs["id"], "value", "write small letters, digits and hyphens: webex-calling", "%q is no id of a product", p.ID)
	}
	if n := fs["description"]; n != nil {
		p.Description = strings.TrimSpace(l.word(f, n, "description"))
	}
	if n := fs["icon"]; n != nil {
		p.Icon = l.oneOf(f, n, "icon", dayone.ProductIcons...)
	}
	if n := fs["prerequisites"]; n != nil {
		p.Prerequisites, node.needs = l.words(f, n, "prerequisites"), wordNodes(n)
	}
	if n := fs["grant"]; n != nil {
		node.grants = l.items(f, n, "grant")
	}
	if len(node.grants) == 0 {
		l.at(f, n, "empty", "add grant: and what belongs to it", "product %q holds nothing", p.ID)
	}
	seen := map[dayone.Key]bool{}
	for _, g := range node.grants {
		for _, r := range l.rules(f, g, &productRuleShape) {
			if seen[r.Key] {
				l.at(f, g, "duplicate", "", "%s stands twice in product %q", r.Key, p.ID)
			}
			seen[r.Key] = true
			p.Parts = append(p.Parts, dayone.ProductPart{Key: r.Key, Role: r.Role})
		}
	}
	if old, ok := l.products[p.ID]; ok {
		l.at(f, fs["id"], "duplicate", "", "the product %q stands at %s, too", p.ID, old.At)
		return
	}
	if p.ID != "" {
		l.products[p.ID] = node
	}
}

// prerequisitesOf must be products that there are, and none may lead back to itself.
func (l *loader) prerequisitesOf(p *productNode) {
	for i, id := range p.Prerequisites {
		if l.products[id] == nil {
			l.at(p.f, p.needs[i], "unknown-product", meant(id, slices.Sorted(maps.Keys(l.products))), "there is no product %q", id)
			return
		}
	}
	seen := map[string]bool{}
	var back func(id string) []string
	back = func(id string) []string {
		if seen[id] || l.products[id] == nil {
			return nil
		}
		seen[id] = true
		for _, need := range l.products[id].Prerequisites {
			if need == p.ID {
				return []string{id, need}
			}
			if way := back(need); way != nil {
				return append([]string{id}, way...)
			}
		}
		return nil
	}
	if way := back(p.ID); way != nil {
		l.at(p.f, p.needs[0], "cycle", "take one of them out", "product %q needs itself: %s", p.ID, strings.Join(way, ", "))
	}
}

// bundled are the rules of a bundle or product that a line names. What stands on the line counts for each that does not say
// otherwise; who must agree is the catalogue's word first.
func (l *loader) bundled(f *file, n, name *yaml.Node, fs map[string]*yaml.Node, from *file, grants []*yaml.Node, of *shape) []*Rule {
	for _, k := range []string{"to", "role", "params", "needs"} {
		if fs[k] != nil {
			l.at(f, fs[k], "bundle", "write it on the grants of "+name.Value, "%s says nothing on a line that names a bundle or product", k)
		}
	}
	line := &Rule{}
	l.common(f, fs, line)
	var out []*Rule
	before, both := len(l.diags), false
	for _, g := range grants {
		for _, rule := range l.rules(from, g, of) {
			both = both || rule.If != nil && line.If != nil
			rule.inherit(line, l.set.Systems[rule.Key.System].Kinds[rule.Key.Kind])
			rule.At, rule.bundled, rule.to = Position{f.name, n.Line, n.Column}, true, name
			out = append(out, rule)
		}
	}
	l.diags = l.diags[:before] // the bundle itself is checked where it stands
	if both {
		l.at(f, fs["if"], "bundle", "put the condition on the bundle or on its grants, not on both", "bundle %q has conditions of its own", name.Value)
	}
	return out
}

// inherit takes from the line that names a bundle what the rule itself does not say.
func (r *Rule) inherit(line *Rule, kind dayone.Kind) {
	if r.If == nil {
		r.If = line.If
	}
	if r.From == nil {
		r.From = line.From
	}
	if r.Until == nil {
		r.Until = line.Until
	}
	r.For, r.Review, r.Grace = cmp.Or(r.For, line.For), cmp.Or(r.Review, line.Review), cmp.Or(r.Grace, line.Grace)
	r.Critical = cmp.Or(r.Critical, line.Critical)
	if line.Approval != nil && kind.Approval == nil && (r.Approval == nil || r.catalogued) {
		r.Approval, r.catalogued = line.Approval, false
	}
}

// unoffered warns of products that nobody can have: no policy gives or offers one of their grants.
func (l *loader) unoffered() (out []Diagnostic) {
	roles := map[dayone.Key][]string{}
	for _, p := range l.set.Policies {
		for _, r := range slices.Concat(p.Grants, p.Offers) {
			roles[r.Key] = append(roles[r.Key], r.Role)
		}
	}
	for _, p := range l.set.Products {
		node := l.products[p.ID]
		for i, part := range p.Parts {
			has, known := roles[part.Key]
			if known && (part.Role == "" || slices.Contains(has, part.Role)) || i >= len(node.grants) {
				continue
			}
			what := part.Key.String()
			if part.Role != "" {
				what += " as " + part.Role
			}
			d := node.f.fault(node.grants[i].Line, node.grants[i].Column, 1, "unoffered",
				"give or offer it in a policy: offer: [{product: "+p.ID+"}]", "nobody can have product \""+p.ID+"\": no policy gives or offers "+what)
			d.Severity = Warning
			out = append(out, d)
		}
	}
	return out
}

// Product is one by its id, or nil.
func (s *Set) Product(id string) *dayone.Product {
	for _, p := range s.Products {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// Asked is what standing requests are for, by what they ask: one for a product asks for all that belongs to it. One for a
// product that there is no more asks for nothing.
func (s *Set) Asked(rs []dayone.Request) map[dayone.Key][]dayone.Request {
	out := make(map[dayone.Key][]dayone.Request, len(rs))
	for _, r := range rs {
		if r.Product == "" {
			out[r.Key] = append(out[r.Key], r)
			continue
		}
		if p := s.Product(r.Product); p != nil {
			for _, part := range p.Parts {
				of := r
				of.Key, of.Role = part.Key, part.Role
				out[part.Key] = append(out[part.Key], of)
			}
		}
	}
	return out
}

// Holds says whether a role of a kind is at least as much as another: the higher rank, or the same.
func (s *Set) Holds(k dayone.Key, has, wants string) bool {
	if has == wants || wants == "" {
		return true
	}
	ranks := s.Systems[k.System].Kinds[k.Kind].Roles
	h, w := slices.Index(ranks, has), slices.Index(ranks, wants)
	return w >= 0 && h >= w
}

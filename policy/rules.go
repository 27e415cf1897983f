package policy

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// One policy as a file has it: for whom it is, its rules, denials, notices, and separations of duty. load.go brings the
// files here.

func (l *loader) id(f *file, n *yaml.Node, fs map[string]*yaml.Node, what string) string {
	idNode := fs["id"]
	if idNode == nil {
		l.at(f, n, "missing", "give it an id: short, lower case, never changed", "%s has no id", what)
		return ""
	}
	id := l.word(f, idNode, "id")
	if id == dayone.Baseline {
		l.at(f, idNode, "value", "", "%q is the reason of what was there before us; choose another id", id)
	}
	if old, ok := l.ids[id]; ok {
		l.at(f, idNode, "duplicate", "", "the id %q stands at %s, too", id, old)
	}
	l.ids[id] = Position{f.name, idNode.Line, idNode.Column}
	return id
}

func (l *loader) policy(f *file, n *yaml.Node) *Policy {
	before := len(l.diags)
	fs := l.fields(f, n, &policyShape)
	misread := len(l.diags) > before
	p := &Policy{At: Position{f.name, n.Line, n.Column}, ID: l.id(f, n, fs, "a policy")}
	for key, to := range map[string]*string{"title": &p.Title, "owner": &p.Owner} {
		if n := fs[key]; n != nil {
			*to = l.word(f, n, key)
		}
	}
	if p.Owner == "" {
		l.at(f, n, "missing", "name who answers for it: owner: team@company.com", "policy %q has no owner", p.ID)
	}
	if n := fs["control"]; n != nil {
		p.Control = l.words(f, n, "control")
	}
	if n := fs["match"]; n != nil {
		p.Conditions = append(p.Conditions, l.match(f, n)...)
	}
	if n := fs["when"]; n != nil {
		if e := l.condition(place{f: f, n: n}, l.word(f, n, "when")); e != nil {
			p.Conditions = append(p.Conditions, e)
		}
	}
	if fs["match"] == nil && fs["when"] == nil && !misread { // what is given to everybody is so on purpose
		l.at(f, n, "missing", "write match: {department: Sales}, when: and a condition, or match: everyone", "policy %q does not say for whom it is", p.ID)
	}
	if n := fs["for_status"]; n != nil {
		for _, w := range l.words(f, n, "for_status") {
			if !slices.Contains(dayone.Statuses, dayone.Status(w)) {
				l.at(f, n, "value", "", "%q is no status; there are pre-hire, active, leave and terminated", w)
			}
			p.Statuses = append(p.Statuses, dayone.Status(w))
		}
	} else {
		p.Statuses = []dayone.Status{dayone.PreHire, dayone.Working, dayone.OnLeave}
	}
	p.From, p.Until = l.moment(f, fs["from"], "from"), l.moment(f, fs["until"], "until")
	if n := fs["limit"]; n != nil {
		p.Limit = l.length(f, n, "limit")
	}
	if n := fs["critical"]; n != nil {
		p.Critical = dayone.Critical(l.oneOf(f, n, "critical", criticalWords...))
	}
	if n := fs["on_revoke"]; n != nil {
		p.OnRevoke = l.release(f, n)
	}
	if n := fs["grant"]; n != nil {
		for _, g := range l.items(f, n, "grant") {
			p.Grants = append(p.Grants, l.rules(f, g, &ruleShape)...)
		}
	}
	if n := fs["offer"]; n != nil {
		for _, g := range l.items(f, n, "offer") {
			p.Offers = append(p.Offers, l.rules(f, g, &ruleShape)...)
		}
	}
	if n := fs["deny"]; n != nil {
		for _, d := range l.items(f, n, "deny") {
			if d := l.deny(f, d); d != nil {
				p.Denies = append(p.Denies, d)
			}
		}
	}
	if n := fs["notify"]; n != nil {
		for _, d := range l.items(f, n, "notify") {
			if d := l.notify(f, d); d != nil {
				p.Notices = append(p.Notices, d)
			}
		}
	}
	if !misread && len(p.Grants)+len(p.Offers)+len(p.Denies)+len(p.Notices) == 0 && fs["grant"] == nil {
		l.at(f, n, "empty", "add grant:, offer:, deny: or notify:", "policy %q does nothing", p.ID)
	}
	for _, c := range p.Conditions { // what the policy asks has() about is known wherever it gives something
		l.diags = slices.DeleteFunc(l.diags, func(d Diagnostic) bool {
			return d.Code == "optional" && c.tests[d.about] && d.File == f.name && d.Line >= n.Line && !slices.Contains(l.diags[:before], d)
		})
	}
	p.text, p.idAt, p.bad = nodeText(n), l.ids[p.ID], Failed(l.diags[before:])
	p.Tier = p.tier()
	if n := fs["tier"]; n != nil {
		p.Tier = dayone.Tier(l.oneOf(f, n, "tier", tierWords...))
	}
	return p
}

// nodeText is what a node says, without comments and layout.
func nodeText(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return strconv.Quote(n.Value)
	}
	var b strings.Builder
	b.WriteString("(")
	for _, c := range n.Content {
		b.WriteString(nodeText(c) + " ")
	}
	b.WriteString(")")
	return b.String()
}

// tier guesses from what the conditions read: only how a plan is shown.
func (p *Policy) tier() dayone.Tier {
	t := dayone.TierBase
	for _, c := range p.Conditions {
		for _, a := range []string{"person.job_title", "person.level"} {
			if c.reads[a] {
				return dayone.TierRole
			}
		}
		for _, a := range []string{"person.department", "person.team", "person.cost_center"} {
			if c.reads[a] {
				t = dayone.TierDepartment
			}
		}
	}
	return t
}

// match is the plain form: attribute: value, or attribute: [one, of, these]; or everyone.
func (l *loader) match(f *file, n *yaml.Node) []*expr {
	var out []*expr
	switch {
	case n.Kind == yaml.ScalarNode && n.Value == everyone:
		return nil
	case n.Kind == yaml.ScalarNode:
		hint := meant(n.Value, []string{everyone})
		if hint == "" {
			hint = "write match: {department: Sales}, or match: everyone"
		}
		l.at(f, n, "value", hint, "match is %q", n.Value)
		return nil
	case n.Kind == yaml.MappingNode && len(n.Content) == 0:
		l.at(f, n, "missing", "write match: {department: Sales}, or match: everyone", "match names no attribute")
		return nil
	}
	l.pairs(f, n, "match", func(k, v *yaml.Node) {
		a, ok := l.schema.Attributes[k.Value]
		if !ok {
			l.at(f, k, "type", meant(k.Value, l.schema.Names()), "unknown person attribute %q", k.Value)
			return
		}
		values := []*yaml.Node{v}
		if v.Kind == yaml.SequenceNode {
			values = v.Content
		}
		if len(values) == 0 {
			l.at(f, v, "missing", "write one value, or a list of them", "match names no value for %s, so it holds for nobody", a.Name)
			return
		}
		var lits []string
		for _, v := range values {
			if v.Kind != yaml.ScalarNode {
				l.at(f, v, "shape", "", "match compares with plain values")
				return
			}
			lit, err := literal(v.Value, a.Type)
			if err != nil {
				l.at(f, v, "type", "", "%s is a %s, and %q is none", a.Name, a.Type, v.Value)
				return
			}
			if a.Closed() && !slices.Contains(a.Values, v.Value) {
				l.at(f, v, "unknown-value", meant(v.Value, a.Values), "%s %q for person.%s", a.never(), v.Value, a.Name)
				return
			}
			lits = append(lits, celLiteral(lit))
		}
		text := "person." + a.Name + " in [" + strings.Join(lits, ", ") + "]"
		if v.Kind == yaml.ScalarNode {
			text = "person." + a.Name + " == " + lits[0]
		}
		if a.Type == dayone.ListValue {
			text = lits[0] + " in person." + a.Name
		}
		if e := l.condition(place{f: f, n: k, whole: true}, text); e != nil {
			out = append(out, e)
		}
	})
	return out
}

func celLiteral(v dayone.Value) string {
	switch v.Kind {
	case dayone.IntValue, dayone.BoolValue:
		return v.Text
	case dayone.DateValue:
		return `timestamp("` + v.Text + `T00:00:00Z")`
	default:
		return quoteCEL(v.String())
	}
}

func quoteCEL(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + `"`
}

func (l *loader) moment(f *file, n *yaml.Node, what string) *moment {
	if n == nil {
		return nil
	}
	if o, ok := ParseOffset(l.word(f, n, what)); ok {
		return &moment{offset: o}
	}
	e := l.compile(place{f: f, n: n}, n.Value)
	if e == nil {
		return nil
	}
	if !e.ast.OutputType().IsExactType(types.TimestampType) {
		l.at(f, n, "type", "write -3d, or an expression that gives a date such as person.end_date", "%s must be a date and is %s", what, celWord(e.ast.OutputType().String()))
		return nil
	}
	return &moment{expr: e}
}

func (l *loader) release(f *file, n *yaml.Node) *dayone.Release {
	fs := l.fields(f, n, &releaseShape)
	out := &dayone.Release{}
	if n := fs["suspend"]; n != nil {
		out.Suspend = l.length(f, n, "suspend")
	}
	if n := fs["delete_after"]; n != nil {
		out.DeleteAfter = l.length(f, n, "delete_after")
	}
	return out
}

// rules reads one entry of grant or offer: a rule, or those of a bundle or product. of is what may stand in it.
func (l *loader) rules(f *file, n *yaml.Node, of *shape) []*Rule {
	fs := l.fields(f, n, of)
	switch b, p := fs["bundle"], fs["product"]; {
	case b != nil && p != nil:
		l.at(f, p, "value", "write two lines", "a line gives a bundle or a product, not both")
		return nil
	case b != nil:
		name := l.word(f, b, "bundle")
		body, ok := l.bundles[name]
		if !ok {
			l.at(f, b, "unknown-bundle", meant(name, slices.Sorted(maps.Keys(l.bundles))), "there is no bundle %q", name)
			return nil
		}
		return l.bundled(f, n, b, fs, l.from[name], body.Content, &bundledShape)
	case p != nil:
		id := l.word(f, p, "product")
		of := l.products[id]
		if of == nil {
			l.at(f, p, "unknown-product", meant(id, slices.Sorted(maps.Keys(l.products))), "there is no product %q", id)
			return nil
		}
		return l.bundled(f, n, p, fs, of.f, of.grants, &productRuleShape)
	}
	return l.rule(f, n, fs)
}

// rule reads one that names what it gives.
func (l *loader) rule(f *file, n *yaml.Node, fs map[string]*yaml.Node) []*Rule {
	to := fs["to"]
	if to == nil {
		l.at(f, n, "missing", "write to: system/kind:name", "a grant does not say what it gives")
		return nil
	}
	key, err := dayone.ParseKey(l.word(f, to, "to"))
	if err != nil {
		l.at(f, to, "value", "write system/kind:name, such as okta/group:sales", "%q names nothing that can be given", to.Value)
		return nil
	}
	kind, ok := l.known(f, to, l.set.Systems, key)
	if !ok {
		return nil
	}
	l.observed(f, to, l.set.Systems[key.System], key)
	rule := &Rule{Key: key, At: Position{f.name, n.Line, n.Column}, to: to}
	if n := fs["role"]; n != nil {
		rule.Role = l.word(f, n, "role")
		if len(kind.Roles) == 0 {
			l.at(f, n, "role", "", "%s has no roles", key)
		} else if !slices.Contains(kind.Roles, rule.Role) {
			l.at(f, n, "role", meant(rule.Role, kind.Roles), "%s has no role %q; there are %s", key, rule.Role, strings.Join(kind.Roles, ", "))
		}
	}
	l.common(f, fs, rule)
	rule.owed(kind)
	if n := fs["needs"]; n != nil {
		for _, w := range l.words(f, n, "needs") {
			k, err := dayone.ParseKey(w)
			if err != nil {
				l.at(f, n, "value", "write system/kind:name", "%q names no grant", w)
				continue
			}
			if _, ok := l.known(f, n, l.set.Systems, k); ok {
				rule.Needs = append(rule.Needs, k)
			}
		}
	}
	if n := fs["params"]; n != nil {
		rule.Params = l.params(f, n, key, kind)
	}
	return []*Rule{rule}
}

// common reads what a rule and a line that names a bundle may both say.
func (l *loader) common(f *file, fs map[string]*yaml.Node, rule *Rule) {
	if n := fs["if"]; n != nil {
		rule.If = l.condition(place{f: f, n: n}, l.word(f, n, "if"))
	}
	rule.From, rule.Until = l.moment(f, fs["from"], "from"), l.moment(f, fs["until"], "until")
	for name, to := range map[string]*time.Duration{"for": &rule.For, "review": &rule.Review, "grace": &rule.Grace} {
		if n := fs[name]; n != nil {
			*to = l.length(f, n, name)
		}
	}
	if n := fs["approval"]; n != nil {
		rule.Approval = l.approval(f, n)
	}
	if n := fs["critical"]; n != nil {
		rule.Critical = dayone.Critical(l.oneOf(f, n, "critical", criticalWords...))
	}
}

func (l *loader) params(f *file, n *yaml.Node, key dayone.Key, kind dayone.Kind) map[string]*template {
	out := map[string]*template{}
	l.pairs(f, n, "params", func(k, v *yaml.Node) {
		p, ok := kind.Params[k.Value]
		if !ok {
			l.at(f, k, "parameter", meant(k.Value, slices.Sorted(maps.Keys(kind.Params))), "%s has no parameter %q", key, k.Value)
			return
		}
		if v.Kind != yaml.ScalarNode {
			l.at(f, v, "shape", "", "a parameter is one value")
			return
		}
		want := typeNames[p.Type]
		if !strings.Contains(v.Value, "${") {
			if _, err := literal(v.Value, want); err != nil {
				l.at(f, v, "type", "", "%s of %s must be a %s and is %q", k.Value, key, want, v.Value)
				return
			}
		}
		if t := l.template(place{f: f, n: v}, v.Value, want, l.set.Systems); t != nil {
			out[k.Value] = t
		}
	})
	return out
}

// owed is the catalogue's word on who must agree: no policy gives around it. What is sensitive and says nothing more asks
// the manager.
func (r *Rule) owed(kind dayone.Kind) {
	switch {
	case kind.Approval != nil:
		r.Approval, r.catalogued = kind.Approval, true
	case kind.Sensitive && r.Approval == nil:
		r.Approval, r.catalogued = &dayone.Approval{By: []string{"manager"}, Need: "any", Within: dayone.Silence}, true
	}
}

func (r *reader) approval(f *file, n *yaml.Node) *dayone.Approval {
	fs := r.fields(f, n, &approvalShape)
	a := &dayone.Approval{Need: "any", Within: dayone.Silence}
	if n := fs["by"]; n != nil {
		a.By = r.words(f, n, "by")
	}
	if len(a.By) == 0 {
		r.at(f, n, "missing", "by: [manager], group:NAME, owner or a mail address", "an approval names nobody")
	}
	if n := fs["need"]; n != nil {
		a.Need = r.oneOf(f, n, "need", needWords...)
	}
	if n := fs["within"]; n != nil {
		a.Within = r.length(f, n, "within")
	}
	return a
}

func (l *loader) deny(f *file, n *yaml.Node) *Deny {
	fs := l.fields(f, n, &denyShape)
	to := fs["to"]
	if to == nil {
		l.at(f, n, "missing", "write to: system/kind:name", "a deny does not say what it denies")
		return nil
	}
	key, err := dayone.ParseKey(l.word(f, to, "to"))
	if err != nil {
		l.at(f, to, "value", "write system/kind:name", "%q names nothing that can be denied", to.Value)
		return nil
	}
	if _, ok := l.known(f, to, l.set.Systems, key); !ok {
		return nil
	}
	d := &Deny{Key: key, At: Position{f.name, n.Line, n.Column}}
	if n := fs["if"]; n != nil {
		d.If = l.condition(place{f: f, n: n}, l.word(f, n, "if"))
	}
	if reason := fs["reason"]; reason != nil {
		d.Reason = l.word(f, reason, "reason")
	} else {
		l.at(f, n, "missing", "say why: people will ask", "a deny needs a reason")
	}
	return d
}

func (l *loader) notify(f *file, n *yaml.Node) *Notify {
	fs := l.fields(f, n, &notifyShape)
	out := &Notify{At: Position{f.name, n.Line, n.Column}}
	if n := fs["on"]; n == nil {
		out.On = []dayone.Moment{dayone.OnReady}
	} else {
		l.moments(f, n, out)
	}
	if n := fs["digest"]; n != nil {
		out.Digest = l.oneOf(f, n, "digest", digestWords...) != ""
		if fs["invite"] != nil {
			l.at(f, n, "value", "take digest out", "an invitation cannot be gathered")
		}
	}
	if i := slices.IndexFunc(out.On, dayone.Moment.OfPerson); i >= 0 && fs["invite"] != nil {
		l.at(f, fs["invite"], "value", "write template: NAME", "an invitation is for a first day; %q is told by a message", out.On[i])
	}
	switch {
	case fs["template"] != nil && fs["invite"] != nil:
		l.at(f, n, "value", "write two of them", "a notify is a message (template) or an invitation (invite), not both")
	case fs["template"] != nil:
		out.Template, out.templateAt = l.word(f, fs["template"], "template"), fs["template"]
	case fs["invite"] != nil:
		out.Template, out.Invite, out.templateAt = l.word(f, fs["invite"], "invite"), true, fs["invite"]
	default:
		l.at(f, n, "missing", "template: NAME for a message, invite: NAME for an invitation", "a notify says nothing")
	}
	to := fs["to"]
	if to == nil {
		l.at(f, n, "missing", "to: new-hire, manager, an address, ${...} or slack/channel:#NAME", "a notify goes to nobody")
		return nil
	}
	nodes := []*yaml.Node{to}
	if to.Kind == yaml.SequenceNode {
		nodes = to.Content
	}
	for _, n := range nodes {
		w := l.word(f, n, "to")
		if out.Digest && (w == "new-hire" || w == "person" || strings.Contains(w, "personal_email")) {
			l.at(f, n, "value", "take digest out, or send it to somebody else", "a digest goes to an address of work, and %q may be at home before the first day", w)
			continue
		}
		if !strings.Contains(w, "${") && !slices.Contains(recipients, w) && !strings.Contains(w, "@") {
			// channels are named like grants, but need not be granted to anybody
			if key, err := dayone.ParseKey(w); err != nil {
				l.at(f, n, "value", meant(w, recipients), "%q is no recipient; write new-hire, manager, buddy, an address, ${...} or system/channel:NAME", w)
				continue
			} else if _, ok := l.set.Systems[key.System]; !ok {
				l.at(f, n, "unknown-system", meant(key.System, slices.Sorted(maps.Keys(l.set.Systems))), "there is no system %q", key.System)
				continue
			}
		}
		if t := l.template(place{f: f, n: n}, w, dayone.TextValue, l.set.Systems); t != nil {
			out.To = append(out.To, t)
		}
	}
	return out
}

// moments reads one or more of them: ready, or {changed: [team, manager]}.
func (l *loader) moments(f *file, n *yaml.Node, out *Notify) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	add := func(m dayone.Moment) {
		if !slices.Contains(out.On, m) {
			out.On = append(out.On, m)
		}
	}
	for _, n := range items {
		if n.Kind == yaml.MappingNode {
			attrs := l.fields(f, n, &changedShape)["changed"]
			if attrs == nil {
				continue
			}
			for _, name := range l.words(f, attrs, "changed") {
				if _, ok := l.schema.Attributes[name]; !ok {
					l.at(f, attrs, "type", meant(name, l.schema.Names()), "unknown person attribute %q", name)
					continue
				}
				out.Changed = append(out.Changed, name)
			}
			add(dayone.OnChanged)
			continue
		}
		switch w := l.word(f, n, "on"); {
		case w == string(dayone.OnChanged):
			l.at(f, n, "missing", "write {changed: [manager, team]}", "changed does not say of what")
		case !slices.Contains(momentWords, w):
			l.at(f, n, "value", meant(w, momentWords), "on is %q; it can be %s", w, strings.Join(momentWords, ", "))
		default:
			add(dayone.Moment(w))
		}
	}
}

func (l *loader) duty(f *file, n *yaml.Node) *Duty {
	fs := l.fields(f, n, &dutyShape)
	d := &Duty{ID: l.id(f, n, fs, "a separation of duty"), Block: true, At: Position{f.name, n.Line, n.Column}}
	d.idAt = l.ids[d.ID]
	for key, to := range map[string]*string{"title": &d.Title, "owner": &d.Owner} {
		if n := fs[key]; n != nil {
			*to = l.word(f, n, key)
		}
	}
	if n := fs["control"]; n != nil {
		d.Control = l.words(f, n, "control")
	}
	if n := fs["on"]; n != nil {
		d.Block = l.oneOf(f, n, "on", dutyWords...) != "warn"
	}
	if never := fs["never"]; never != nil {
		for _, n := range l.items(f, never, "never") {
			key, err := dayone.ParseKey(l.word(f, n, "never"))
			if err != nil {
				l.at(f, n, "value", "write system/kind:name", "%q names nothing", n.Value)
				continue
			}
			if _, ok := l.known(f, n, l.set.Systems, key); ok {
				d.Never = append(d.Never, key)
			}
		}
		if len(never.Content) < 2 {
			l.at(f, never, "value", "", "a separation of duty names at least two entitlements")
		}
	} else {
		l.at(f, n, "missing", "never: [one, other]", "a separation of duty names nothing")
	}
	if n := fs["waive"]; n != nil {
		w := l.fields(f, n, &waiveShape)
		if n := w["by"]; n != nil {
			d.WaiveBy = l.words(f, n, "by")
		}
		if n := w["for"]; n != nil {
			d.WaiveFor = l.length(f, n, "for")
		}
	}
	return d
}

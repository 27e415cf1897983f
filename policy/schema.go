package policy

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// Attribute is one thing that policies may read of a person, and where it comes from.
type Attribute struct {
	Name     string
	Type     dayone.ValueKind // text, int, bool, date or list
	From     []string         // hr.job_title, directory.mobile, site.country, dayone.login: the first with a value wins
	Optional bool             // policies should ask has() first
	Personal bool             // kept under the person's own key
	Derived  bool             // made by us, never taken from a source
	Values   []string         // closed: any other value is a fault of the data
	Made     *Naming          // how we make it where no source says it; nil: we do not
	At       Position
}

// Closed says that the attribute knows only certain values.
func (a Attribute) Closed() bool { return len(a.Values) > 0 }

// ofSite is what of the site it may be taken from.
func (a Attribute) ofSite() []string {
	return slices.DeleteFunc(slices.Clone(a.From), func(from string) bool { return !strings.HasPrefix(from, "site.") })
}

// Schema is people.yaml.
type Schema struct {
	Attributes map[string]Attribute
	Lists      map[string][]string
	Letters    map[string]string // how names are written in plain letters, where not as everywhere: ä as ae
	Defaults   Defaults
	Sources    map[string]Trust // those of which something is written

	listAt map[string]*yaml.Node
}

// Trust is how far a source is believed.
type Trust struct {
	AttributesOnly bool // a directory: what it says of somebody counts, that there is a record is no employment
}

// Ours is the source of what we choose ourselves and write back: people.yaml says dayone.NAME.
const Ours = "dayone"

// AnyHR stands in people.yaml for every source that knows employments.
const AnyHR = "hr"

// OnlyAttributes says that a source knows no employments.
func (s Schema) OnlyAttributes(source string) bool { return s.Sources[source].AttributesOnly }

// Speaks says whether a word of people.yaml, the part before the dot, means a source.
func (s Schema) Speaks(where, source string) bool {
	return where == source || where == AnyHR && !s.OnlyAttributes(source)
}

// Names of all attributes, sorted.
func (s Schema) Names() []string { return slices.Sorted(maps.Keys(s.Attributes)) }

// Defaults say when a grant begins and what state an account has, where nothing else is written.
type Defaults struct {
	From      map[string]Offset // by kind; "entitlement" stands for the kinds that are not listed
	Lifecycle dayone.Lifecycle
	Systems   map[string]dayone.Lifecycle
}

// Offset counts from the first instant of the first working day.
type Offset struct {
	Days        int
	WorkingDays int // of the person's site
	Hours       int
	WithAccount bool // when the account it hangs on begins
}

func (o Offset) IsZero() bool { return o == Offset{} }

var offsetText = regexp.MustCompile(`^([+-]?\d{1,4})(d|wd|h)$`)

// ParseOffset reads -3d, -15wd, -12h, start and with-account.
func ParseOffset(s string) (Offset, bool) {
	switch s {
	case "with-account":
		return Offset{WithAccount: true}, true
	case "start":
		return Offset{}, true
	}
	m := offsetText.FindStringSubmatch(s)
	if m == nil {
		return Offset{}, false
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return Offset{}, false
	}
	switch m[2] {
	case "d":
		return Offset{Days: n}, true
	case "wd":
		return Offset{WorkingDays: n}, true
	default:
		return Offset{Hours: n}, true
	}
}

// From moves start by the offset. start is the first instant of a day in its own location; days are calendar days there.
func (o Offset) From(start time.Time, holidays []string) time.Time {
	t := start.AddDate(0, 0, o.Days)
	for left, step := abs(o.WorkingDays), sign(o.WorkingDays); left > 0; {
		t = t.AddDate(0, 0, step)
		if t.Weekday() != time.Saturday && t.Weekday() != time.Sunday && !slices.Contains(holidays, t.Format(time.DateOnly)) {
			left--
		}
	}
	return t.Add(time.Duration(o.Hours) * time.Hour)
}

func abs(n int) int { return max(n, -n) }
func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

var lengthText = regexp.MustCompile(`^(\d{1,4})(m|h|d|w)$`)

// parseLength reads 30m, 72h, 5d, 2w. "now" is zero.
func parseLength(s string) (time.Duration, bool) {
	if s == "now" {
		return 0, true
	}
	m := lengthText.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	unit := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[2]]
	return time.Duration(n) * unit, err == nil
}

func (r *reader) length(f *file, n *yaml.Node, what string) time.Duration {
	d, ok := parseLength(n.Value)
	if !ok {
		r.at(f, n, "value", "write 30m, 72h, 5d, 2w or now", "%s is %q, which is no length of time", what, n.Value)
	}
	return d
}

// builtin attributes exist without people.yaml saying so; it may say more about them.
func builtin() map[string]Attribute {
	out := map[string]Attribute{}
	add := func(name string, kind dayone.ValueKind, personal bool, from ...string) {
		out[name] = Attribute{Name: name, Type: kind, From: from, Optional: true, Personal: personal}
	}
	for _, n := range []string{
		"first_name", "last_name", "preferred_name", "email", "locale", "location", "company", "cost_center", "department",
		"team", "job_title", "employment_type", "work_arrangement",
	} {
		add(n, dayone.TextValue, false, "hr."+n)
	}
	add("employee_number", dayone.TextValue, false, "hr.employee_id")
	add("manager", dayone.TextValue, false, "hr.manager_email")
	add("buddy", dayone.TextValue, false, "hr.buddy_email")
	add("country", dayone.TextValue, false, "hr.country", "site.country")
	add("personal_email", dayone.TextValue, true, "hr.personal_email")
	add("mobile", dayone.TextValue, true, "hr.mobile")
	add("home_address", dayone.TextValue, true, "hr.home_address")
	add("level", dayone.IntValue, false, "hr.level")
	add("start_date", dayone.DateValue, false, "hr.start_date")
	add("end_date", dayone.DateValue, false, "hr.end_date")
	for _, n := range []string{"id", "status"} {
		out[n] = Attribute{Name: n, Type: dayone.TextValue, Derived: true}
	}
	status := out["status"]
	for _, s := range dayone.Statuses {
		status.Values = append(status.Values, string(s))
	}
	out["status"] = status
	return out
}

var typeNames = map[string]dayone.ValueKind{
	"string": dayone.TextValue, "int": dayone.IntValue, "bool": dayone.BoolValue, "date": dayone.DateValue, "list": dayone.ListValue,
}

var attributeName = regexp.MustCompile(`^(custom\.)?[a-z][a-z0-9_]*$`)

// schema reads people.yaml; a missing file leaves the built-in attributes.
func (r *reader) schema(f *file) Schema {
	s := Schema{Attributes: builtin(), Lists: map[string][]string{}, Letters: map[string]string{}, listAt: map[string]*yaml.Node{}, Defaults: Defaults{
		From: map[string]Offset{
			"device": {WorkingDays: -15}, dayone.AccountKindName: {Days: -3}, "entitlement": {WithAccount: true},
		},
		Lifecycle: dayone.Lifecycle{
			PreHire: dayone.Staged, Working: dayone.Active, OnLeave: dayone.Disabled,
		},
		Systems: map[string]dayone.Lifecycle{},
	}, Sources: map[string]Trust{}}
	if f == nil {
		return s
	}
	top := r.fields(f, f.root, &peopleShape)
	if n := top["attributes"]; n != nil {
		r.pairs(f, n, "attributes", func(k, v *yaml.Node) {
			if a, ok := r.attribute(f, k, v, s.Attributes[k.Value]); ok {
				s.Attributes[k.Value] = a
			}
		})
	}
	if n := top["lists"]; n != nil {
		r.pairs(f, n, "lists", func(k, v *yaml.Node) {
			if !attributeName.MatchString(k.Value) {
				r.at(f, k, "name", "use lower case letters, digits and _", "%q is no name for a list", k.Value)
				return
			}
			s.Lists[k.Value] = r.words(f, v, "a list")
			s.listAt[k.Value] = k
		})
	}
	if n := top["letters"]; n != nil {
		r.letters(f, n, s.Letters)
	}
	if n := top["sources"]; n != nil {
		r.pairs(f, n, "sources", func(k, v *yaml.Node) {
			fs := r.fields(f, v, &sourceShape)
			if n := fs["attributes"]; n != nil && r.oneOf(f, n, "attributes", attributesWords...) != "" {
				s.Sources[k.Value] = Trust{AttributesOnly: true}
			}
		})
	}
	if n := top["defaults"]; n != nil {
		r.defaults(f, n, &s.Defaults)
	}
	r.madeOf(f, s)
	return s
}

func (r *reader) attribute(f *file, k, v *yaml.Node, before Attribute) (Attribute, bool) {
	if !attributeName.MatchString(k.Value) {
		r.at(f, k, "name", "use lower case letters, digits and _; your own ones as custom.NAME", "%q is no name for an attribute", k.Value)
		return Attribute{}, false
	}
	a := Attribute{Name: k.Value, Derived: before.Derived, Values: before.Values, From: before.From, At: Position{f.name, k.Line, k.Column}}
	fs := r.fields(f, v, &attributeShape)
	a.Type = dayone.TextValue
	if n := fs["type"]; n != nil {
		if w := r.oneOf(f, n, "type", typeWords...); w != "" {
			a.Type = typeNames[w]
		}
	}
	if n := fs["from"]; n != nil {
		a.From = r.words(f, n, "from")
		for _, src := range a.From {
			if where, what, ok := strings.Cut(src, "."); !ok || where == "" || what == "" {
				r.at(f, n, "value", "write hr.FIELD, SOURCE.FIELD, site.FIELD or dayone.NAME", "%q does not say where the value comes from", src)
			}
		}
	}
	for name, to := range map[string]*bool{"optional": &a.Optional, "pii": &a.Personal, "derived": &a.Derived} {
		if n := fs[name]; n != nil {
			*to = r.oneOf(f, n, name, boolWords...) == "true"
		}
	}
	if n := fs["values"]; n != nil {
		a.Values = r.words(f, n, "values")
		if a.Type != dayone.TextValue && a.Type != dayone.ListValue {
			r.at(f, n, "value", "", "only a string or list attribute can have a closed set of values")
		}
	}
	a.Made = r.naming(f, a, fs)
	if a.Name == "status" {
		a.Derived, a.Values = true, before.Values
	}
	return a, true
}

func (r *reader) defaults(f *file, n *yaml.Node, d *Defaults) {
	fs := r.fields(f, n, &defaultsShape)
	if n := fs["from"]; n != nil {
		r.pairs(f, n, "defaults.from", func(k, v *yaml.Node) {
			o, ok := ParseOffset(v.Value)
			if !ok {
				r.at(f, v, "value", "write -3d, -15wd (working days), -12h, start or with-account", "%q is no offset from the start", v.Value)
				return
			}
			d.From[k.Value] = o
		})
	}
	if n := fs["lifecycle"]; n != nil {
		d.Lifecycle = r.lifecycle(f, n, d.Lifecycle)
	}
	if n := fs["systems"]; n != nil {
		r.pairs(f, n, "defaults.systems", func(k, v *yaml.Node) {
			sys := r.fields(f, v, &systemDefaultsShape)
			l := d.Lifecycle
			if n := sys["lifecycle"]; n != nil {
				l = r.lifecycle(f, n, l)
			}
			d.Systems[k.Value] = l
		})
	}
}

var stateWords = map[string]dayone.State{"staged": dayone.Staged, "enabled": dayone.Active, "disabled": dayone.Disabled}

func (r *reader) lifecycle(f *file, n *yaml.Node, l dayone.Lifecycle) dayone.Lifecycle {
	fs := r.fields(f, n, &lifecycleShape)
	state := func(name string, to *dayone.State) {
		if n := fs[name]; n != nil {
			if w := r.oneOf(f, n, name, stateNames...); w != "" {
				*to = stateWords[w]
			}
		}
	}
	state("pre-hire", &l.PreHire)
	state("active", &l.Working)
	state("leave", &l.OnLeave)
	state("garden-leave", &l.GardenLeave)
	if n := fs["enable"]; n != nil {
		o, ok := ParseOffset(n.Value)
		if !ok || o.Days > 0 || o.Hours > 0 || o.WorkingDays != 0 || o.WithAccount {
			r.at(f, n, "value", "write -2d or -12h", "enable is %q; it is a time before the start", n.Value)
		}
		l.Enable = -time.Duration(o.Days)*24*time.Hour - time.Duration(o.Hours)*time.Hour
	}
	if n := fs["terminated"]; n != nil {
		t := r.fields(f, n, &terminatedShape)
		if n := t["disable"]; n != nil {
			l.Release.Suspend = r.length(f, n, "disable")
		}
		l.Release.DeleteAfter = 0
		if n := t["delete_after"]; n != nil {
			l.Release.DeleteAfter = r.length(f, n, "delete_after")
		}
	}
	return l
}

// sites reads sites.yaml.
func (r *reader) sites(f *file) map[string]dayone.Site {
	out := map[string]dayone.Site{}
	if f == nil {
		return out
	}
	top := r.fields(f, f.root, &sitesShape)
	if n := top["sites"]; n != nil {
		r.pairs(f, n, "sites", func(k, v *yaml.Node) { out[k.Value] = r.site(f, k.Value, v) })
	}
	if n := top["company"]; n != nil {
		out[""] = r.site(f, "", n) // what an unknown location falls back to, flagged
	}
	return out
}

func (r *reader) site(f *file, name string, n *yaml.Node) dayone.Site {
	s := dayone.Site{Name: name}
	fs := r.fields(f, n, &siteShape)
	for key, to := range map[string]*string{"country": &s.Country, "zone": &s.Zone, "address": &s.Address, "numbers": &s.Numbers} {
		if n := fs[key]; n != nil {
			*to = r.word(f, n, key)
		}
	}
	if n := fs["country"]; n != nil && len(s.Country) != 2 {
		r.at(f, n, "value", "write the two letters of ISO 3166-1, such as US", "country is %q", s.Country)
	}
	if n := fs["zone"]; n != nil {
		if _, ok := s.Location(); !ok {
			r.at(f, n, "value", "write an IANA name such as Europe/Berlin", "there is no time zone %q", s.Zone)
		}
	}
	if n := fs["holidays"]; n != nil {
		s.Holidays = r.words(f, n, "holidays")
		for _, day := range s.Holidays {
			if _, err := time.Parse(time.DateOnly, day); err != nil {
				r.at(f, n, "value", "write 2025-12-25", "%q is no day", day)
			}
		}
	}
	if n := fs["facts"]; n != nil {
		s.Facts = map[string]string{}
		r.pairs(f, n, "facts", func(k, v *yaml.Node) { s.Facts[k.Value] = r.word(f, v, "a fact") })
	}
	return s
}

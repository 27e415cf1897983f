package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// Set is a checked folder of policies. It never changes.
type Set struct {
	Schema     Schema
	Sites      map[string]dayone.Site   // "" is the company's own: what an unknown location falls back to
	Holidays   Holidays                 // by country; sites have them, too
	Systems    map[string]dayone.System // what connectors say, with what the catalogue adds
	Policies   []*Policy
	Duties     []*Duty
	Exceptions []*Exception
	Waivers    []*Waiver
	Products   []*dayone.Product // by id
	Hash       string            // of all files
	Hashes     map[string]string // of each file, short
	Commit     string            // of the folder, where the caller knows it
	Beside     map[string]string // the folder's messages and device profiles, by file: what policies name decides, too

	env      *cel.Env
	lists    *object
	mapping  map[kindOf]map[string]*template
	units    []unit
	exceptOf map[string]excepted  // by lower-case id, mail address, number
	unitOf   map[string]int       // by what they ask
	byKey    map[dayone.Key]lines // what gives and denies each key
	marks    map[uint64]bool      // of all keys
	given    []dayone.System      // what connectors said
	loaded   map[string]*loaded   // files, to load the next set faster
	context  string               // all that the meaning of a policy file depends on

	unoffered []Diagnostic // products that nobody can have, for Check

	own *ownIndex
}

// ownIndex is made when it is first asked.
type ownIndex struct {
	once     sync.Once
	index    *Index
	matchers sync.Pool

	mu   sync.Mutex
	over *Index // over the dictionary of a workforce
}

type kindOf struct{ system, kind string }

// Policy is one rule of a file.
type Policy struct {
	ID, Title, Owner string
	Control          []string
	At               Position
	Conditions       []*expr // all must hold: match and when
	Statuses         []dayone.Status
	From             *moment
	Until            *moment
	Limit            time.Duration // never longer than this after the start
	Grants           []*Rule
	Offers           []*Rule
	Denies           []*Deny
	Notices          []*Notify
	OnRevoke         *dayone.Release
	Critical         dayone.Critical
	Tier             dayone.Tier

	unit int    // of its conditions
	text string // as it stands in its file, to see that it changed
	idAt Position
	bad  bool // it has faults: what it says is not all that was meant
}

// Rule is one grant or offer of a policy.
type Rule struct {
	Key      dayone.Key
	Role     string
	If       *expr
	Params   map[string]*template
	From     *moment
	Until    *moment
	For      time.Duration // offers: how long once granted
	Review   time.Duration
	Grace    time.Duration // how long it stays after it is lost to a move
	Approval *dayone.Approval
	Critical dayone.Critical
	Needs    []dayone.Key
	At       Position

	to      *yaml.Node // where the key stands
	bundled bool       // by a bundle: At is where that is named

	catalogued bool // the approval is the catalogue's, not the policy's

	unit int // of the policy's conditions and its own
}

// Deny takes a grant away whoever gives it.
type Deny struct {
	Key    dayone.Key
	If     *expr
	Reason string
	At     Position

	unit int
}

// Notify is a message: who is told, when, with which template.
type Notify struct {
	On       []dayone.Moment
	Changed  []string // attributes, with OnChanged
	To       []*template
	Template string
	Invite   bool // a calendar invitation
	Digest   bool // gathered for a day
	At       Position

	templateAt *yaml.Node
}

// Duty is a separation of duty: entitlements that one person must not have at the same time.
type Duty struct {
	ID, Title, Owner string
	Control          []string
	Never            []dayone.Key
	Block            bool // else only warned of
	WaiveBy          []string
	WaiveFor         time.Duration
	At               Position

	idAt Position
}

// moment is an offset from the start, or an expression that gives a date.
type moment struct {
	offset Offset
	expr   *expr
}

// loaded is what became of one policy file. It is used again while neither the file nor its context changes.
type loaded struct {
	hash     string
	file     *file
	collect  []Diagnostic // faults of its outline
	policies []*Policy
	duties   []*Duty
	diags    []Diagnostic
}

// Load reads people.yaml, sites.yaml, holidays.yaml, catalog/*.yaml, products/*.yaml and policies/*.yaml of fsys, and any file named in extra. systems
// are what the configured connectors say of themselves. The set is nil if any diagnostic is an error.
func Load(fsys fs.FS, systems []dayone.System, extra ...string) (*Set, []Diagnostic) {
	return load(nil, fsys, systems, extra)
}

// Reload is Load for the same systems; files that are as they were are not read again. That is what makes an editor
// answer while somebody types.
func (s *Set) Reload(fsys fs.FS, extra ...string) (*Set, []Diagnostic) {
	return load(s, fsys, s.given, extra)
}

func load(before *Set, fsys fs.FS, systems []dayone.System, extra []string) (*Set, []Diagnostic) {
	r := &reader{fsys: fsys}
	s := r.gather(before, systems, extra)
	diags := r.finish()
	if Failed(diags) {
		return nil, diags
	}
	return s, diags
}

// surroundings reads what policies stand in: people, sites and what systems offer. each sees every file that was read.
// It returns nil if one of them cannot be read at all: what policies say of it would be a fault in every line.
func (r *reader) surroundings(systems []dayone.System, each func(*file)) *Set {
	s := &Set{
		Systems: map[string]dayone.System{}, Hashes: map[string]string{}, mapping: map[kindOf]map[string]*template{},
		given: systems, loaded: map[string]*loaded{}, own: &ownIndex{},
	}
	for _, sys := range systems {
		s.Systems[sys.Name] = sys
	}
	ok := true
	read := func(name string) *file {
		f := r.read(name)
		if ok = ok && f != nil; f != nil {
			each(f)
		}
		return f
	}
	optional := func(name string) *file {
		if _, err := fs.Stat(r.fsys, name); err != nil {
			return nil
		}
		return read(name)
	}
	s.Schema = r.schema(optional("people.yaml"))
	s.Sites = r.sites(optional("sites.yaml"))
	s.Holidays = r.holidays(optional(HolidaysFile))
	s.Holidays.observe(s.Sites)
	for _, name := range glob(r.fsys, "catalog") {
		if f := read(name); f != nil {
			r.catalogue(f, s.Systems)
		}
	}
	for _, check := range r.later {
		check()
	}
	r.later = nil
	r.supplies(s.Systems)
	for name, sys := range s.Systems {
		sys.Lifecycle = s.Schema.Defaults.Lifecycle
		if l, ok := s.Schema.Defaults.Systems[name]; ok {
			sys.Lifecycle = l
		}
		s.Systems[name] = sys
	}
	if !ok {
		return nil
	}
	return s
}

// gather reads everything. What it returns may hold faults; nil: not even enough to judge policies.
func (r *reader) gather(before *Set, systems []dayone.System, extra []string) *Set {
	sum, context := sha256.New(), sha256.New()
	hashes := map[string]string{}
	note := func(f *file) {
		h := sha256.Sum256([]byte(f.text))
		hashes[f.name] = hex.EncodeToString(h[:4])
		fmt.Fprintf(sum, "%s %x\n", f.name, h)
		if f.name != "sites.yaml" && f.name != HolidaysFile {
			fmt.Fprintf(context, "%s %x\n", f.name, h)
		}
	}
	s := r.surroundings(systems, note)
	if s == nil {
		return nil
	}
	s.Hashes = hashes
	env, prov, err := newEnv(s.Schema)
	if err != nil {
		r.report(&file{name: "people.yaml"}, 0, 0, 0, "schema", "", "no expressions can be typed: %v", err)
		return nil
	}
	s.env = env
	s.lists = &object{types.NewObjectType(listsType), map[string]ref.Val{}}
	for name, items := range s.Schema.Lists {
		s.lists.fields[name] = types.NewStringList(types.DefaultTypeAdapter, items)
	}
	l := &loader{compiler: &compiler{r, env, prov, s.Schema}, set: s, bundles: map[string]*yaml.Node{}, from: map[string]*file{}, ids: map[string]Position{}}
	l.mappings()
	l.readProducts(note)
	var files []*loaded
	names := append(glob(r.fsys, "policies"), extra...)
	for _, name := range names {
		if f := l.outline(before, name); f != nil {
			s.loaded[name] = f
			s.Hashes[name] = f.hash[:8]
			fmt.Fprintf(sum, "%s %s\n", name, f.hash)
			files = append(files, f)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.bundles)) {
		fmt.Fprintf(context, "bundle %s %s %s\n", name, l.from[name].name, s.loaded[l.from[name].name].hash)
	}
	s.context = hex.EncodeToString(context.Sum(nil))
	if len(names) == 0 {
		r.report(&file{name: "policies"}, 0, 0, 0, "empty", "write policies/base.yaml; docs/policy.md begins with one", "there are no policies")
	}
	for _, f := range files {
		if before == nil || before.context != s.context || !l.again(before.loaded[f.file.name], f) {
			l.policies(f)
		}
		s.Policies, s.Duties = append(s.Policies, f.policies...), append(s.Duties, f.duties...)
	}
	s.unoffered = l.unoffered()
	for _, name := range glob(r.fsys, "exceptions") {
		if f := r.read(name); f != nil {
			note(f)
			l.exceptions(f)
		}
	}
	l.waived()
	s.except()
	s.Beside = map[string]string{}
	for _, name := range besides(r.fsys) {
		f := r.raw(name)
		if f == nil {
			continue
		}
		s.Beside[name] = f.text
		h := sha256.Sum256([]byte(f.text))
		s.Hashes[name] = hex.EncodeToString(h[:4])
		fmt.Fprintf(sum, "%s %x\n", name, h)
	}
	s.Hash = hex.EncodeToString(sum.Sum(nil))
	s.number()
	return s
}

// outline reads a policy file and takes its bundles, which may be used in any file.
func (l *loader) outline(before *Set, name string) *loaded {
	from := len(l.diags)
	var f *file
	hash := ""
	if before != nil && before.loaded[name] != nil {
		if raw, err := fs.ReadFile(l.fsys, name); err == nil {
			sum := sha256.Sum256(raw)
			if hash = hex.EncodeToString(sum[:]); hash == before.loaded[name].hash {
				f = before.loaded[name].file
				l.keep(f)
			}
		}
	}
	if f == nil {
		if f = l.read(name); f == nil {
			return nil
		}
		sum := sha256.Sum256([]byte(f.text))
		hash = hex.EncodeToString(sum[:])
	}
	l.collect(f)
	return &loaded{hash: hash, file: f, collect: slices.Clone(l.diags[from:])}
}

// PoliciesOnly says that two sets differ in nothing but their policies: attributes, sites, catalogue, bundles,
// exceptions and separation of duties are the same.
func (s *Set) PoliciesOnly(o *Set) bool {
	rest := func(s *Set) string {
		out := s.context + s.Hashes["sites.yaml"] + s.Hashes[HolidaysFile]
		for _, x := range s.Exceptions {
			out += fmt.Sprint(x.At, s.Hashes[x.At.File])
		}
		for _, x := range s.Waivers {
			out += fmt.Sprint(x.At, s.Hashes[x.At.File])
		}
		for _, d := range s.Duties {
			out += fmt.Sprint(d.ID, d.Never, d.Block)
		}
		return out
	}
	return rest(s) == rest(o)
}

// SamePeople says that two sets lay people out the same way: by the same attributes and sites. From which field of a source
// an attribute is taken counts when the source says something, and not when what was said is laid out.
func (s *Set) SamePeople(o *Set) bool {
	return s == o || maps.EqualFunc(s.Schema.Attributes, o.Schema.Attributes, func(a, b Attribute) bool {
		return a.Type == b.Type && a.Derived == b.Derived && slices.Equal(a.ofSite(), b.ofSite())
	}) && maps.EqualFunc(s.Sites, o.Sites, func(a, b dayone.Site) bool {
		return siteText(a) == siteText(b) && slices.Equal(a.Holidays, b.Holidays)
	})
}

// again takes a file's policies as they were, if nothing about them changed. Units are numbered anew for every set, so
// policies are copied.
func (l *loader) again(old, f *loaded) bool {
	if old == nil || old.hash != f.hash || Failed(old.diags) {
		return false
	}
	for _, p := range old.policies {
		if _, twice := l.ids[p.ID]; twice {
			return false // the fault belongs to the place where it stands
		}
	}
	for _, d := range old.duties {
		if _, twice := l.ids[d.ID]; twice {
			return false
		}
		l.ids[d.ID] = d.idAt
	}
	for _, p := range old.policies {
		l.ids[p.ID] = p.idAt
		f.policies = append(f.policies, p.copy())
	}
	f.duties, f.diags = old.duties, old.diags
	l.diags = append(l.diags, old.diags...)
	return true
}

func (p *Policy) copy() *Policy {
	out := *p
	rules := func(rs []*Rule) []*Rule {
		block, to := make([]Rule, len(rs)), make([]*Rule, len(rs))
		for i, r := range rs {
			block[i] = *r
			to[i] = &block[i]
		}
		return to
	}
	out.Grants, out.Offers = rules(p.Grants), rules(p.Offers)
	out.Denies = make([]*Deny, len(p.Denies))
	for i, d := range p.Denies {
		c := *d
		out.Denies[i] = &c
	}
	return &out
}

// Counts says whether a file of a policy folder is part of a version: everything that decides, and the tests of it.
func Counts(name string) bool {
	top, _, below := strings.Cut(name, "/")
	ext := path.Ext(name)
	switch top {
	case "people.yaml", "sites.yaml", HolidaysFile:
		return !below
	case "catalog", "policies", "products", "exceptions", "tests":
		return below && (ext == ".yaml" || ext == ".yml")
	default:
		return isBeside(name)
	}
}

// isBeside: messages and device profiles, which connectors and messages read by themselves.
func isBeside(name string) bool {
	switch path.Dir(name) {
	case "templates":
		return path.Ext(name) == ".txt"
	case "devices":
		return path.Ext(name) == ".yaml"
	}
	return false
}

func besides(fsys fs.FS) []string {
	var out []string
	for _, dir := range []string{"devices", "templates"} {
		entries, _ := fs.ReadDir(fsys, dir) // a missing folder holds nothing
		for _, e := range entries {
			if name := dir + "/" + e.Name(); !e.IsDir() && isBeside(name) {
				out = append(out, name)
			}
		}
	}
	return out
}

func glob(fsys fs.FS, dir string) []string {
	var out []string
	_ = fs.WalkDir(fsys, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipAll // a missing folder holds nothing
		}
		if ext := path.Ext(name); !d.IsDir() && (ext == ".yaml" || ext == ".yml") {
			out = append(out, name)
		}
		return nil
	})
	slices.Sort(out)
	return out
}

type loader struct {
	*compiler
	set      *Set
	bundles  map[string]*yaml.Node
	from     map[string]*file // of a bundle
	products map[string]*productNode
	ids      map[string]Position
}

// mappings compiles what connectors and configuration give to accounts and entitlements.
func (l *loader) mappings() {
	for _, name := range slices.Sorted(maps.Keys(l.set.Systems)) {
		sys := l.set.Systems[name]
		for kindName, kind := range sys.Kinds {
			if len(kind.Mapping) == 0 {
				continue
			}
			out := map[string]*template{}
			f := &file{name: "systems." + name}
			for attr, v := range kind.Mapping {
				if v.Kind != dayone.TemplateValue {
					continue
				}
				text := strings.ReplaceAll(v.Text, "${self.", "${"+name+".")
				if kind.Supply.System != "" {
					text = strings.ReplaceAll(text, "${supply.", "${"+kind.Supply.System+"."+kind.Supply.Kind+".")
				}
				n := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
				before := len(l.diags)
				if t := l.template(place{f: f, n: n}, text, dayone.TextValue, l.set.Systems); t != nil {
					out[attr] = t
				}
				for i := before; i < len(l.diags); i++ {
					l.diags[i].Message = fmt.Sprintf("%s.%s: %s", kindName, attr, l.diags[i].Message)
					l.diags[i].Line, l.diags[i].Col = 0, 0
				}
			}
			l.set.mapping[kindOf{name, kindName}] = out
		}
	}
}

// collect takes the bundles first: they may stand in any file.
func (l *loader) collect(f *file) {
	top := l.fields(f, f.root, &policyFileShape)
	if n := top["bundles"]; n != nil {
		l.pairs(f, n, "bundles", func(k, v *yaml.Node) {
			if old, ok := l.from[k.Value]; ok {
				l.at(f, k, "duplicate", "", "bundle %q stands in %s, too", k.Value, old.name)
				return
			}
			l.bundles[k.Value], l.from[k.Value] = v, f
		})
	}
}

func (l *loader) policies(into *loaded) {
	f, from := into.file, len(l.diags)
	defer func() { into.diags = slices.Clone(l.diags[from:]) }()
	// collect has reported unknown keys
	for i := 0; i+1 < len(f.root.Content); i += 2 {
		switch k, v := f.root.Content[i], f.root.Content[i+1]; k.Value {
		case "policies":
			for _, n := range l.items(f, v, "policies") {
				if p := l.policy(f, n); p != nil {
					into.policies = append(into.policies, p)
				}
			}
		case "sod":
			for _, n := range l.items(f, v, "sod") {
				if d := l.duty(f, n); d != nil {
					into.duties = append(into.duties, d)
				}
			}
		case "bundles":
			l.pairs(f, v, "bundles", func(k, v *yaml.Node) { // checked even if nobody uses it
				for _, g := range l.items(f, v, "a bundle") {
					l.rules(f, g, &bundledShape)
				}
			})
		}
	}
}

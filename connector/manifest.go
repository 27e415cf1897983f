package connector

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// Manifest is what a connector says of itself. Registry, docs page, portal form, settings schema and support matrix are
// made from it.
type Manifest struct {
	Name          string             `yaml:"name"`
	Title         string             `yaml:"title"`
	Summary       string             `yaml:"summary"` // one sentence for the docs page
	Capabilities  []string           `yaml:"capabilities"`
	Tier          dayone.Tier        `yaml:"tier"`
	CutFirst      bool               `yaml:"cut_first"`
	Settings      map[string]Setting `yaml:"settings"`
	Account       *Account           `yaml:"account"`
	Kinds         map[string]Kind    `yaml:"kinds"`
	Limits        Limits             `yaml:"limits"`
	Timeout       Duration           `yaml:"timeout"` // of one call; 30s if unset
	Lag           Duration           `yaml:"lag"`     // how long "not found" after a create means "not yet"
	Specification string             `yaml:"specification"`
	Docs          string             `yaml:"docs"`
	Hands         bool               `yaml:"hands"` // people do what is to be done there, unless somebody orders otherwise
	Plan          string             `yaml:"plan"`  // the vendor's plan or licence that its API needs
	Notes         []string           `yaml:"notes"` // traps and unverified facts, for the docs page
}

// Capabilities a manifest may name.
var Capabilities = []string{"source", "directory", "target", "messenger", "calendar", "device", "numbers", "procurement"}

// Setting is one value of a system's configuration.
type Setting struct {
	Type     string   `yaml:"type"` // text | url | file | secret | int | bool | choice | list
	Required bool     `yaml:"required"`
	Default  string   `yaml:"default"`
	Example  string   `yaml:"example"`
	Help     string   `yaml:"help"`
	Choices  []string `yaml:"choices"`
}

// Account describes the accounts of a target.
type Account struct {
	Title      string                        `yaml:"title"`
	Match      []string                      `yaml:"match"`   // order of recognition; only employee_number binds without a human
	Pending    dayone.WaitKind               `yaml:"pending"` // what a pending account waits for: first login, acceptance
	States     map[dayone.State]dayone.State `yaml:"states"`  // what it shows instead of a state it does not have; gone: it must be deleted
	Params     map[string]dayone.Param       `yaml:"params"`  // attributes that policies may set with a grant
	Attributes map[string]Attribute          `yaml:"attributes"`
	Actions    []string                      `yaml:"actions"` // create update enable disable delete
	NoUndo     map[string]string             `yaml:"no_undo"` // action: why
	Manual     map[string]string             `yaml:"manual"`  // action: what a human does who does it instead
	Implied    bool                          `yaml:"implied"`
	Proof      bool                          `yaml:"proof"` // a success answer means it is so; else it is read back
}

// Kind describes one kind of entitlement, or a thing.
type Kind struct {
	Title      string                  `yaml:"title"`
	Needs      []string                `yaml:"needs"`   // account, or other kinds of this system
	Actions    []string                `yaml:"actions"` // add remove send
	Roles      []string                `yaml:"roles"`
	Params     map[string]dayone.Param `yaml:"params"`
	Attributes map[string]Attribute    `yaml:"attributes"`
	Catalogue  bool                    `yaml:"catalogue"` // names can be read
	Exclusive  bool                    `yaml:"exclusive"`
	WholeSet   bool                    `yaml:"whole_set"`
	OneWay     bool                    `yaml:"one_way"`
	Supply     string                  `yaml:"supply"` // capability that must come first: procurement
	Proof      bool                    `yaml:"proof"`
	NoUndo     map[string]string       `yaml:"no_undo"`
	Manual     map[string]string       `yaml:"manual"`
	Shown      string                  `yaml:"shown"` // why nobody can be given it: it is read only, and no policy names it
}

// Gives says whether somebody can be given it: by a call or by a human.
func (k Kind) Gives() bool {
	return slices.Contains(k.Actions, "add") || slices.Contains(k.Actions, "send") || k.Manual["add"] != ""
}

// Attribute of an account or thing.
type Attribute struct {
	Required bool   `yaml:"required"`
	From     string `yaml:"from"`      // default mapping: "${person.email}"
	Secret   string `yaml:"secret"`    // recipe: "password:20", made for an account or a thing and handed to the call; "vendor": the system makes it, and Result.Secrets brings it
	ReadOnly bool   `yaml:"read_only"` // shown, never set
	Once     bool   `yaml:"once"`      // set when an account is made or a thing is put, and not again, nor compared with what is shown
	Max      int    `yaml:"max"`       // characters
	Help     string `yaml:"help"`
}

// Limits of a system: calls at the same time and requests per minute, by path.
type Limits struct {
	Concurrency int               `yaml:"concurrency"`
	Buckets     map[string]Bucket `yaml:"buckets"` // "default" takes what no other matches
}

// Bucket is a token bucket over requests.
type Bucket struct {
	Match     string `yaml:"match"`  // path prefix
	Method    string `yaml:"method"` // "" for every
	PerMinute int    `yaml:"per_minute"`
	Burst     int    `yaml:"burst"` // PerMinute/6 if unset
}

// Duration reads 30s, 10m.
type Duration time.Duration

func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	*d = Duration(v)
	return err
}

var manifestName = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

// ParseManifest reads a manifest strictly.
func ParseManifest(raw []byte) (*Manifest, error) {
	m := &Manifest{}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(m); err != nil {
		return nil, fmt.Errorf("reading manifest: %w: %w", err, dayone.ErrInvalid)
	}
	return m, m.check()
}

func (m *Manifest) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("manifest of %s: "+format+": %w", append(append([]any{m.Name}, args...), dayone.ErrInvalid)...)
	}
	if !manifestName.MatchString(m.Name) {
		return bad("name must be lower case letters and digits")
	}
	for _, c := range m.Capabilities {
		if !slices.Contains(Capabilities, c) {
			return bad("there is no capability %q", c)
		}
	}
	for name, s := range m.Settings {
		if !slices.Contains([]string{"text", "url", "file", "secret", "int", "bool", "choice", "list"}, s.Type) {
			return bad("setting %s has no type %q", name, s.Type)
		}
	}
	if m.Account != nil {
		for _, a := range m.Account.Actions {
			if !slices.Contains(dayone.Actions, dayone.Action("account."+a)) {
				return bad("there is no account action %q", a)
			}
		}
	}
	for name, k := range m.Kinds {
		for _, a := range k.Actions {
			if a != "add" && a != "remove" && a != "send" {
				return bad("kind %s: there is no action %q", name, a)
			}
		}
		if k.Gives() != (k.Shown == "") { // else a policy could promise what nobody ever gets
			return bad("kind %s: shown says why a kind can be given neither by add or send nor by hand, and of no other", name)
		}
	}
	for act := range m.ByHand() {
		if !slices.Contains(dayone.Actions, act.Action) {
			return bad("manual: there is no action %q", act.Action)
		}
	}
	if m.Limits.Concurrency == 0 {
		m.Limits.Concurrency = 4
	}
	if m.Timeout == 0 {
		m.Timeout = Duration(30 * time.Second)
	}
	return nil
}

// ActOn is an action on a kind of things.
type ActOn struct {
	Kind   string
	Action dayone.Action
}

// ByHand is what a human does who does an action instead, as far as the manifest says.
func (m *Manifest) ByHand() map[ActOn]string {
	out := map[ActOn]string{}
	if m.Account != nil {
		for a, text := range m.Account.Manual {
			out[ActOn{dayone.AccountKindName, dayone.Action("account." + a)}] = text
		}
	}
	for kind, k := range m.Kinds {
		for a, text := range k.Manual {
			action := dayone.Action("entitlement." + a)
			if a == "send" {
				action = dayone.MessageSend
			}
			out[ActOn{kind, action}] = text
		}
	}
	return out
}

// Instead is what a human does instead of an action that no call does; "": it is called, or nothing is said of it.
func (m *Manifest) Instead(kind string, a dayone.Action) string {
	called := m.Kinds[kind].Actions
	if kind == dayone.AccountKindName && m.Account != nil {
		called = m.Account.Actions
	}
	if _, verb, _ := strings.Cut(string(a), "."); slices.Contains(called, verb) {
		return ""
	}
	return m.ByHand()[ActOn{kind, a}]
}

func (m *Manifest) Can(capability string) bool { return slices.Contains(m.Capabilities, capability) }

// SettingError is a setting that is unknown, missing or not what it must be.
type SettingError struct {
	Setting string
	Text    string
	Hint    string // what belongs there
}

func (e *SettingError) Error() string {
	if e.Hint == "" {
		return e.Text
	}
	return e.Text + " (" + e.Hint + ")"
}

func (e *SettingError) Unwrap() error { return dayone.ErrInvalid }

// Read checks settings against the manifest, applies defaults and tells plain values from secrets.
func (m *Manifest) Read(values map[string]string) (settings map[string]string, secrets map[string]dayone.Secret, err error) {
	settings, secrets = map[string]string{}, map[string]dayone.Secret{}
	known := slices.Sorted(maps.Keys(m.Settings))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, ok := m.Settings[name]; !ok {
			return nil, nil, &SettingError{name, fmt.Sprintf("%s has no setting %q", m.Title, name), cmp.Or(dayone.Meant(name, known), "it has "+strings.Join(known, ", "))}
		}
	}
	for _, name := range known {
		s := m.Settings[name]
		v, given := values[name]
		if !given {
			v = s.Default
		}
		if v == "" && s.Required {
			return nil, nil, &SettingError{name, m.Title + " needs the setting " + name, s.hint()}
		}
		switch s.Type {
		case "secret":
			if v != "" {
				secrets[name] = dayone.NewSecret(v)
			}
			continue
		case "url":
			if u, err := url.Parse(v); v != "" && (err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http")) {
				return nil, nil, &SettingError{name, "setting " + name + " is no URL", s.hint()}
			}
		case "choice":
			if v != "" && !slices.Contains(s.Choices, v) {
				return nil, nil, &SettingError{name, fmt.Sprintf("setting %s is %q", name, v), "it can be " + strings.Join(s.Choices, ", ")}
			}
		}
		settings[name] = v
	}
	return settings, secrets, nil
}

// hint is what belongs into a setting.
func (s Setting) hint() string {
	switch {
	case s.Help != "" && s.Example != "":
		return s.Help + ", such as " + s.Example
	case s.Example != "":
		return "such as " + s.Example
	default:
		return s.Help
	}
}

// System is the manifest as decisions see it, under its configured name.
func (m *Manifest) System(name string) dayone.System {
	s := dayone.System{
		Name: name, Title: m.Title, Connector: m.Name, Tier: m.Tier, CutFirst: m.CutFirst,
		Kinds: map[string]dayone.Kind{}, NoUndo: map[dayone.Action]string{},
	}
	if name != m.Name && !strings.EqualFold(name, m.Title) {
		s.Title = m.Title + " (" + name + ")"
	}
	if a := m.Account; a != nil {
		s.Match, s.States = a.Match, a.States
		s.CanDelete = slices.Contains(a.Actions, "delete")
		s.Kinds[dayone.AccountKindName] = dayone.Kind{
			Title: a.Title, Implied: a.Implied, Params: a.Params, Attrs: slices.Sorted(maps.Keys(a.Attributes)), Mapping: mapping(a.Attributes),
		}
		for action, why := range a.NoUndo {
			s.NoUndo[dayone.Action("account."+action)] = why
		}
	}
	for n, k := range m.Kinds {
		s.Kinds[n] = dayone.Kind{
			Title: k.Title, Roles: k.Roles, Params: k.Params, Needs: k.Needs, Exclusive: k.Exclusive, OneWay: k.OneWay, WholeSet: k.WholeSet,
			Shown: k.Shown != "", ReadOnly: k.Shown, Attrs: slices.Sorted(maps.Keys(k.Attributes)), Mapping: mapping(k.Attributes),
		}
	}
	return s
}

func mapping(as map[string]Attribute) dayone.Attrs {
	out := dayone.Attrs{}
	for name, a := range as {
		switch {
		case a.Secret != "":
			out[name] = dayone.Value{Kind: dayone.SecretValue, Text: a.Secret}
		case a.From != "":
			out[name] = dayone.Value{Kind: dayone.TemplateValue, Text: a.From}
		}
	}
	return out
}

package jamf_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/jamf"
	jamfsim "github.com/dayone-hq/dayone/connector/jamf/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

const serial = "C02XK1YJJGH5" // in stock by default

func examples() fs.FS { return os.DirFS("../../examples") }

// with gives the connector a policy folder.
func with(files fs.FS) connector.Factory {
	return connector.Factory{Manifest: jamf.Factory.Manifest, New: func(cfg connector.Config) (connector.Connector, error) {
		cfg.Files = files
		return jamf.New(cfg)
	}}
}

func sarah() dayone.Attrs {
	return dayone.Attrs{
		"serial": dayone.Text(serial), "username": dayone.Text("sarah.chen@company.com"), "email": dayone.Text("sarah.chen@company.com"),
		"realname": dayone.Text("Sarah Chen"), "position": dayone.Text("Sales Engineer"), "department": dayone.Text("Sales"),
		"model": dayone.Text("macbook-pro-14"), "ship_to": dayone.Text("1 Main St, San Francisco, CA 94105"),
	}
}

func TestJamf(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: with(examples()),
		Sim:     func(o sim.Options) sim.Simulator { return jamfsim.New(o) },
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "device"}, Attrs: sarah()},
			{Key: dayone.Key{Kind: "profile", Name: "standard"}, Attrs: dayone.Attrs{"device": dayone.Text("1")}},
		},
		Specification: specification,
	})
}

// specification checks the Pro interface against OpenAPI and the classic one, which knows no bodies, by method and path.
func specification(t *testing.T) connectortest.Validator {
	return both{connectortest.OpenAPI("jamf/jamf-pro-jml.trimmed.json", "/api")(t), classicPaths(t)}
}

type both struct {
	pro     connectortest.Validator
	classic map[string][]*regexp.Regexp
}

var loadClassic = sync.OnceValues(func() (map[string][]*regexp.Regexp, error) {
	file := connectortest.SpecificationFile("jamf/jamf-classic-swagger.yaml")
	if file == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Paths map[string]map[string]yaml.Node `yaml:"paths"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	out := map[string][]*regexp.Regexp{}
	for path, ops := range doc.Paths {
		re := regexp.MustCompile("^/JSSResource" + regexp.MustCompile(`\\\{id\\\}`).ReplaceAllString(
			regexp.MustCompile(`\\\{name\\\}`).ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`), `[0-9]+`) + "$")
		for method := range ops {
			out[strings.ToUpper(method)] = append(out[strings.ToUpper(method)], re)
		}
	}
	return out, nil
})

func classicPaths(t *testing.T) map[string][]*regexp.Regexp {
	paths, err := loadClassic()
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func (b both) Validate(r *http.Request, body []byte) error {
	if !strings.HasPrefix(r.URL.Path, "/JSSResource") {
		return b.pro.Validate(r, body)
	}
	if b.classic == nil {
		return sim.ErrUnspecified
	}
	if !slices.ContainsFunc(b.classic[r.Method], func(re *regexp.Regexp) bool { return re.MatchString(r.URL.Path) }) {
		return errors.New("no such call")
	}
	if len(body) > 0 {
		return xml.Unmarshal(body, new(any))
	}
	return nil
}

// bench is a simulator with a connector to it.
type bench struct {
	*testing.T
	sim   *jamfsim.Sim
	guard *connector.Guard
	files fstest.MapFS
	ctx   context.Context
	now   *time.Time
}

func setup(t *testing.T, o sim.Options) *bench {
	t.Helper()
	t.Parallel()
	now := time.Date(2024, 11, 22, 15, 1, 0, 0, time.UTC)
	b := &bench{T: t, files: fstest.MapFS{}, ctx: t.Context(), now: &now}
	for _, name := range []string{"devices/standard.yaml", "devices/developer.yaml"} {
		raw, err := fs.ReadFile(examples(), name)
		if err != nil {
			t.Fatal(err)
		}
		b.files[name] = &fstest.MapFile{Data: raw}
	}
	clock := func() time.Time { return *b.now }
	o.Now = clock
	b.sim = jamfsim.New(o)
	b.sim.Door().Validate(specification(t).Validate)
	t.Cleanup(func() {
		for _, err := range b.sim.Door().Invalid() {
			t.Errorf("against the specification: %v", err)
		}
	})
	server := httptest.NewServer(b.sim)
	t.Cleanup(server.Close)
	g, err := connector.Open(with(b.files), "jamf", clock, connector.Options{
		Settings: b.sim.Settings(server.URL), Transport: server.Client().Transport, PerMinute: map[string]int{"default": 600_000},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.guard = g
	return b
}

func act(kind, name string, want dayone.Attrs, have *dayone.Item) dayone.Act {
	a := dayone.Act{Once: "0123456789abcdef", Action: dayone.EntitlementRemove, Key: dayone.Key{System: "jamf", Kind: kind, Name: name}, Have: have, Attempt: 1}
	if want != nil {
		a.Action = dayone.EntitlementAdd
		a.Want = &dayone.Item{Key: a.Key, State: dayone.Active, Attrs: want}
	}
	return a
}

func (b *bench) apply(a dayone.Act) dayone.Result {
	b.Helper()
	r, err := b.guard.Apply(b.ctx, a)
	if err != nil {
		b.Fatalf("%s %s: %v", a.Action, a.Key, err)
	}
	return r
}

func (b *bench) refuses(a dayone.Act, kind error, words string) *dayone.Fault {
	b.Helper()
	_, err := b.guard.Apply(b.ctx, a)
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), words) {
		b.Fatalf("%s %s says %v, want %v with %q", a.Action, a.Key, err, kind, words)
	}
	var f *dayone.Fault
	if !errors.As(err, &f) || f.System != "jamf" {
		b.Fatalf("the error names no system: %v", err)
	}
	return f
}

// shows compares what the simulator itself has.
func (b *bench) shows(want string) {
	b.Helper()
	var lines []string
	for _, a := range b.sim.Accounts() {
		lines = append(lines, a.Login+" "+strings.Join(a.Entitlements, " "))
	}
	if got := strings.Join(lines, "\n"); got != want {
		b.Fatalf("the simulator shows\n%s\nwant\n%s", got, want)
	}
}

func TestDevice(t *testing.T) {
	b := setup(t, sim.Options{})
	r := b.apply(act("device", "", sarah(), nil))
	if r.Before != nil || r.Now.Ref != "1" || r.Now.State != dayone.Active {
		t.Fatalf("assigned: %+v", r)
	}
	for name, want := range map[string]string{"serial": serial, "email": "sarah.chen@company.com", "realname": "Sarah Chen", "department": "Sales", "model": "MacBook Pro (14-inch, M4, 2024)"} {
		if got := r.Now.Attrs.Text(name); got != want {
			t.Errorf("%s reads back as %q, want %q", name, got, want)
		}
	}
	b.shows("sarah.chen@company.com device=" + serial)

	b.sim.Door().Forget()
	if again := b.apply(act("device", "", sarah(), nil)); again.Changed() {
		t.Errorf("twice changes twice: %+v", again)
	}
	for _, q := range b.sim.Door().Requests() {
		if q.Method == "PATCH" {
			t.Error("twice writes twice")
		}
	}

	// she marries: the holding shows her former name, and the laptop is still hers
	renamed := sarah().With(dayone.Attrs{"username": dayone.Text("sarah.berg@company.com"), "email": dayone.Text("sarah.berg@company.com")})
	r2 := b.apply(act("device", "", renamed, r.Now))
	if r2.Before == nil || r2.Before.Attrs.Text("email") != "sarah.chen@company.com" || r2.Now.Attrs.Text("email") != "sarah.berg@company.com" {
		t.Errorf("renamed: %+v -> %+v", r2.Before, r2.Now)
	}

	gone := b.apply(act("device", "", nil, r2.Now))
	if gone.Before == nil || gone.Now != nil {
		t.Errorf("taken back: %+v", gone)
	}
	b.shows("")
	if again := b.apply(act("device", "", nil, r2.Now)); again.Changed() {
		t.Errorf("taken back twice changes twice: %+v", again)
	}
	// undo gives it back as it was, and nothing of her stays when it goes to the next
	if back := b.apply(act("device", "", gone.Before.Attrs, nil)); back.Now.Attrs.Text("position") != "Sales Engineer" {
		t.Errorf("given back: %+v", back.Now)
	}
	b.apply(act("device", "", nil, r2.Now))
	next := b.apply(act("device", "", dayone.Attrs{"serial": dayone.Text(serial), "username": dayone.Text("kim"), "email": dayone.Text("kim@vendor.com")}, nil))
	if next.Now.Attrs.Text("realname") != "" || next.Now.Attrs.Text("position") != "" {
		t.Errorf("the next user has something of the former: %v", next.Now.Attrs)
	}
}

func TestDeviceOfSomebodyElse(t *testing.T) {
	b := setup(t, sim.Options{})
	b.sim.Seed(sim.Account{Login: "john.doe@company.com", Entitlements: []string{"device=" + serial}})
	f := b.refuses(act("device", "", sarah(), nil), dayone.ErrConflict, "john.doe@company.com")
	if f.Found == nil || f.Found.Attrs.Text("email") != "john.doe@company.com" {
		t.Errorf("the conflict does not show the laptop: %+v", f.Found)
	}
	// neither is it taken from him when she leaves
	b.apply(act("device", "", nil, &dayone.Item{Ref: "1", Attrs: sarah()}))
	b.shows("john.doe@company.com device=" + serial)
}

// waits expects a step to come back later, with a note that says what for.
func (b *bench) waits(a dayone.Act, note string) {
	b.Helper()
	r, err := b.guard.Apply(b.ctx, a)
	if err != nil || r.Wait == nil || r.Wait.Kind != dayone.WaitPropagation || r.Wait.Check.IsZero() || r.Wait.Until.IsZero() || !strings.Contains(r.Wait.Note, note) {
		b.Fatalf("it does not wait: %+v, %v", r, err)
	}
}

func TestSerialArrivesLate(t *testing.T) {
	b := setup(t, sim.Options{})
	a := act("device", "", sarah().With(dayone.Attrs{"serial": dayone.Text("FVFNEW000001")}), nil)
	b.waits(a, "FVFNEW000001")
	b.sim.Arrive("FVFNEW000001", "MacBook Air")
	b.apply(a)
	b.shows("sarah.chen@company.com device=FVFNEW000001")

	a.Want.Attrs["serial"] = dayone.Text("FVFNEW000002")
	b.sim.ArriveAfter("FVFNEW000002", "MacBook Air", 3)
	b.waits(a, "FVFNEW000002") // looks, and looks again before it writes
	b.apply(a)
	a.Want.Attrs["serial"] = dayone.Text(" ")
	b.refuses(a, dayone.ErrInvalid, "no serial number")
}

func TestDeviceThatReadsBackLate(t *testing.T) {
	b := setup(t, sim.Options{Lag: 2})
	a := act("device", "", sarah(), nil)
	b.refuses(a, dayone.ErrNotYet, "former")
	a.Attempt = 2
	r, err := b.guard.Apply(b.ctx, a)
	for errors.Is(err, dayone.ErrNotYet) {
		a.Attempt++
		r, err = b.guard.Apply(b.ctx, a)
	}
	if err != nil || r.Now == nil {
		t.Fatal(err)
	}
	b.shows("sarah.chen@company.com device=" + serial)
}

func TestUnknownDepartment(t *testing.T) {
	b := setup(t, sim.Options{})
	b.refuses(act("device", "", sarah().With(dayone.Attrs{"department": dayone.Text("Astrology")}), nil), dayone.ErrInvalid, "Astrology")
	b.shows("")
}

func TestOf(t *testing.T) {
	b := setup(t, sim.Options{})
	for i := range 5 {
		b.sim.Seed(sim.Account{Login: "sarah.chen@company.com", Entitlements: []string{fmt.Sprintf("device=FVF%d", i), "profile:standard"}})
	}
	b.sim.Seed(sim.Account{Login: "john.doe@company.com", Entitlements: []string{"device=FVF9"}})
	seen, err := b.guard.Observe(b.ctx, dayone.Subject{Keys: map[string]string{"email": "Sarah.Chen@company.com"}})
	if err != nil || len(seen.Unread) > 0 {
		t.Fatal(err, seen.Unread)
	}
	var got []string
	for _, it := range seen.Items {
		got = append(got, it.Key.String()+" "+it.Attrs.Text("serial"))
	}
	want := []string{
		"jamf/device FVF0", "jamf/device FVF1", "jamf/device FVF2", "jamf/device FVF3", "jamf/device FVF4",
		"jamf/profile:standard ", "jamf/profile:standard ", "jamf/profile:standard ", "jamf/profile:standard ", "jamf/profile:standard ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("seen %q", got)
	}
	if seen, err := b.guard.Observe(b.ctx, dayone.Subject{Keys: map[string]string{"email": "*"}}); err != nil || len(seen.Items) > 0 {
		t.Errorf("a wildcard sees %v, %v", seen.Items, err)
	}
	// who cannot be looked for has not lost anything
	if seen, _ := b.guard.Observe(b.ctx, dayone.Subject{}); !slices.Equal(seen.Unread, []string{"device", "profile"}) {
		t.Errorf("unread are %v", seen.Unread)
	}
	b.sim.Door().Validate(nil)
	b.sim.Door().Inject(sim.Fault{Path: "/api/v4", Status: 503, Times: -1})
	if seen, _ := b.guard.Observe(b.ctx, dayone.Subject{Keys: map[string]string{"email": "sarah.chen@company.com"}}); !slices.Equal(seen.Unread, []string{"device", "profile"}) {
		t.Errorf("unread are %v", seen.Unread)
	}
}

func on(device string) dayone.Attrs { return dayone.Attrs{"device": dayone.Text(device)} }

func TestProfile(t *testing.T) {
	b := setup(t, sim.Options{})
	r := b.apply(act("profile", "standard", on("1"), nil))
	if r.Before != nil || r.Now.State != dayone.Active || r.Now.Attrs.Text("content") == "" {
		t.Fatalf("applied: %+v", r)
	}
	if got := b.sim.Members("dayone-standard"); !slices.Equal(got, []string{serial}) {
		t.Errorf("in the group are %v", got)
	}
	payload, groups := b.sim.Payload("dayone-standard")
	if !slices.Equal(groups, []string{"dayone-standard"}) {
		t.Errorf("the profile is scoped to %v", groups)
	}
	for _, s := range []string{
		"Slack", "Chrome", "1Password", "Zoom", "Notion", "vpn.company.com", "https://handbook.company.com", "Welcome to Company!",
		"Read the onboarding guide in your mail", "Welcome to Company! Check email for onboarding guide.", "com.apple.vpn.managed", "com.apple.desktop",
	} {
		if !strings.Contains(payload, s) {
			t.Errorf("the payload has no %q", s)
		}
	}
	if again := b.apply(act("profile", "standard", on("1"), nil)); again.Changed() {
		t.Errorf("twice changes twice: %+v -> %+v", again.Before, again.Now)
	}

	// the next laptop comes beside the first; nobody's whole scope is written
	b.apply(act("profile", "standard", on("2"), nil))
	b.apply(act("profile", "developer", on("3"), nil))
	gone := b.apply(act("profile", "standard", nil, r.Now))
	if gone.Before == nil || gone.Now != nil {
		t.Errorf("removed: %+v", gone)
	}
	if got := b.sim.Members("dayone-standard"); !slices.Equal(got, []string{"C02XK1YJJGH6"}) {
		t.Errorf("in the group are %v", got)
	}
	if got := b.sim.Members("Loaners"); len(got) != 3 {
		t.Errorf("another group was changed: %v", got)
	}
	if again := b.apply(act("profile", "standard", nil, r.Now)); again.Changed() {
		t.Errorf("removed twice changes twice: %+v", again)
	}
	b.apply(act("profile", "standard", gone.Before.Attrs, nil)) // undo
	if got := b.sim.Members("dayone-standard"); len(got) != 2 {
		t.Errorf("after the undo there are %v", got)
	}
	for _, q := range b.sim.Door().Requests() {
		body := string(q.Body)
		if strings.Contains(body, "<computers>") || q.Method == "PUT" && strings.Contains(body, "<scope>") {
			t.Errorf("%s replaces a whole list: %s", q, body)
		}
	}
	b.apply(act("profile", "standard", nil, &dayone.Item{Ref: "9", Attrs: on("4711")})) // that computer is gone, and so is its profile
	b.refuses(act("profile", "standard", on("4711"), nil), dayone.ErrNotFound, "")
	b.refuses(act("profile", "standard", dayone.Attrs{}, nil), dayone.ErrInvalid, "which computer")
	delete(b.files, "devices/standard.yaml") // a file that is gone keeps nobody from leaving
	b.apply(act("profile", "standard", nil, r.Now))
}

func TestProfileFollowsItsFile(t *testing.T) {
	b := setup(t, sim.Options{})
	first := b.apply(act("profile", "standard", on("1"), nil))
	before, _ := b.sim.Payload("dayone-standard")

	file := b.files["devices/standard.yaml"]
	b.files["devices/standard.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(file.Data), "Notion]", "Notion, Figma]", 1))}
	r := b.apply(act("profile", "standard", on("1"), nil))
	if !r.Changed() || r.Before.Attrs.Text("content") != first.Now.Attrs.Text("content") || r.Now.Attrs.Text("content") == first.Now.Attrs.Text("content") {
		t.Errorf("a new content: %+v -> %+v", r.Before, r.Now)
	}
	after, groups := b.sim.Payload("dayone-standard")
	if !strings.Contains(after, "Figma") || !slices.Equal(groups, []string{"dayone-standard"}) {
		t.Errorf("after the change: %v %s", groups, after)
	}
	if identity(t, before) != identity(t, after) {
		t.Errorf("laptops would keep the former profile beside the new: %s, %s", identity(t, before), identity(t, after))
	}

	// somebody changes it at Jamf: the next step heals it
	for name, edit := range map[string]func(string) string{
		"another server": func(s string) string { return strings.ReplaceAll(s, "vpn.company.com", "vpn.evil.example") },
		"a key more": func(s string) string {
			return strings.Replace(s, "<key>Apps</key>", "<key>More</key><true/><key>Apps</key>", 1)
		},
		"no list at all": func(string) string { return "nonsense" },
	} {
		b.sim.Edit("dayone-standard", edit, "dayone-standard")
		b.apply(act("profile", "standard", on("1"), nil))
		if got, _ := b.sim.Payload("dayone-standard"); !strings.Contains(got, "vpn.company.com") || strings.Contains(got, "<key>More</key>") {
			t.Errorf("%s is not healed", name)
		}
	}
}

func identity(t *testing.T, payload string) string {
	t.Helper()
	m := regexp.MustCompile(`<key>PayloadUUID</key>\s*<string>5A170000([^<]*)`).FindStringSubmatch(payload)
	if m == nil {
		t.Fatalf("no identity in %s", payload)
	}
	return m[1]
}

func TestProfileIsNotTakenOver(t *testing.T) {
	keep := func(s string) string { return s }
	t.Run("made by hand", func(t *testing.T) {
		b := setup(t, sim.Options{})
		b.sim.Edit("dayone-standard", keep, "Loaners")
		b.refuses(act("profile", "standard", on("1"), nil), dayone.ErrConflict, "we did not make")
		if _, groups := b.sim.Payload("dayone-standard"); !slices.Equal(groups, []string{"Loaners"}) {
			t.Errorf("its scope is %v", groups)
		}
	})
	t.Run("scoped otherwise", func(t *testing.T) {
		b := setup(t, sim.Options{})
		b.apply(act("profile", "standard", on("1"), nil))
		b.sim.Edit("dayone-standard", keep, "Loaners")
		b.refuses(act("profile", "standard", on("2"), nil), dayone.ErrConflict, "not scoped")
		b.sim.Edit("dayone-standard", keep, "Loaners", "dayone-standard")
		b.apply(act("profile", "standard", on("2"), nil))
		if _, groups := b.sim.Payload("dayone-standard"); len(groups) != 2 {
			t.Errorf("its scope is %v", groups)
		}
	})
	t.Run("a group that is smart", func(t *testing.T) {
		b := setup(t, sim.Options{})
		b.sim.Door().Validate(nil)
		b.sim.Door().Inject(sim.Fault{Method: "POST", Path: "/api/v3/computer-groups", Status: 422, Body: `{"httpStatus":422,"errors":[{"code":"DUPLICATE_FIELD","field":"name","description":"duplicate"}]}`})
		b.refuses(act("profile", "standard", on("1"), nil), dayone.ErrConflict, "smart group")
	})
	t.Run("made at the same moment", func(t *testing.T) {
		b := setup(t, sim.Options{})
		b.sim.Door().Inject(sim.Fault{Method: "POST", Path: "/api/v3/computer-groups", Before: func(*http.Request) {
			b.sim.Seed(sim.Account{Login: "kim", Entitlements: []string{"profile:standard"}})
		}})
		b.apply(act("profile", "standard", on("1"), nil))
		if got := b.sim.Members("dayone-standard"); len(got) != 2 {
			t.Errorf("in the group are %v", got)
		}
	})
}

// what is written counts, whatever becomes of the answer: a retry finds it.
func TestCutAnswers(t *testing.T) {
	for _, c := range []struct {
		method, path string
		a            dayone.Act
	}{
		{"PATCH", "/api/v4/computers-inventory-detail", act("device", "", sarah(), nil)},
		{"POST", "/api/v3/computer-groups", act("profile", "standard", on("1"), nil)},
		{"POST", "/JSSResource/osxconfigurationprofiles", act("profile", "standard", on("1"), nil)},
		{"PUT", "/JSSResource/computergroups", act("profile", "standard", on("1"), nil)},
	} {
		t.Run(c.method+c.path, func(t *testing.T) {
			b := setup(t, sim.Options{})
			b.sim.Door().Inject(sim.Fault{Method: c.method, Path: c.path, Cut: true})
			b.refuses(c.a, dayone.ErrUnavailable, "")
			c.a.Attempt = 2
			if r := b.apply(c.a); r.Now == nil {
				t.Errorf("the retry says %+v", r)
			}
			n := 0
			for _, q := range b.sim.Door().Requests() {
				if q.Method == c.method && strings.HasPrefix(q.Path, c.path) {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%s %s was called %d times", c.method, c.path, n)
			}
		})
	}
}

func TestErrorKinds(t *testing.T) {
	for _, c := range []struct {
		name string
		f    sim.Fault
		want error
		says string
	}{
		{"503", sim.Fault{Status: 503, Body: "<html>busy</html>"}, dayone.ErrUnavailable, "HTTP 503"},
		{"429", sim.Fault{Status: 429, Header: map[string]string{"Retry-After": "7"}}, dayone.ErrThrottled, ""},
		{"dropped", sim.Fault{Drop: true, Times: -1}, dayone.ErrUnavailable, ""},
		{"no JSON", sim.Fault{Status: 200, Body: `{"truncated": `}, dayone.ErrUnavailable, ""},
		{"no right", sim.Fault{Status: 403, Body: `{"httpStatus":403,"errors":[{"code":"INVALID_PRIVILEGE","field":"","description":"Forbidden","id":"0"}]}`}, dayone.ErrForbidden, "INVALID_PRIVILEGE"},
		{"HTML", sim.Fault{Status: 409, Body: `<html><body><p style="font-size: 1.2em;">Conflict</p><p>Error: Duplicate name</p><p>details</p></body></html>`}, dayone.ErrConflict, "Conflict: Error: Duplicate name"},
		{"bad filter", sim.Fault{Status: 400, Body: `{"httpStatus":400,"errors":[{"code":"INVALID_FIELD","field":"filter","description":"unparsable"}]}`}, dayone.ErrInvalid, "filter: unparsable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := setup(t, sim.Options{})
			c.f.Path = "/api/v4"
			b.sim.Door().Inject(c.f)
			f := b.refuses(act("device", "", sarah(), nil), c.want, c.says)
			if c.want == dayone.ErrThrottled && f.RetryAt.Sub(*b.now) != 7*time.Second {
				t.Errorf("Retry-After is not honoured: %v", f.RetryAt)
			}
			if strings.Contains(f.Error(), "secret") {
				t.Errorf("the error holds a secret: %v", f)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	b := setup(t, sim.Options{})
	fetched := func() (n int) {
		for _, q := range b.sim.Door().Requests() {
			if q.Path == "/api/v1/oauth/token" {
				n++
			}
		}
		return n
	}
	check := func() {
		t.Helper()
		if err := b.guard.Check(b.ctx); err != nil {
			t.Fatal(err)
		}
	}
	check()
	check()
	if n := fetched(); n != 1 {
		t.Errorf("%d tokens for two checks", n)
	}
	*b.now = b.now.Add(19 * time.Minute)
	check()
	if n := fetched(); n != 2 {
		t.Errorf("%d tokens after the first ran out", n)
	}
	b.sim.Expire() // before its time
	check()
	if n := fetched(); n != 3 {
		t.Errorf("%d tokens after the second was refused", n)
	}
}

func TestCatalogue(t *testing.T) {
	b := setup(t, sim.Options{})
	var got []string
	for o, err := range b.guard.Catalogue(b.ctx) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Key.String()+" "+o.Ref+" "+o.Title)
	}
	if want := []string{"jamf/profile:developer devices/developer.yaml Developer laptop", "jamf/profile:standard devices/standard.yaml Standard laptop"}; !slices.Equal(got, want) {
		t.Errorf("the catalogue is %q", got)
	}
	b.refuses(act("profile", "none", on("1"), nil), dayone.ErrInvalid, "devices/none.yaml")
	b.refuses(act("profile", "../policies/base", on("1"), nil), dayone.ErrInvalid, "cannot be the name")
}

func TestFileFaults(t *testing.T) {
	b := setup(t, sim.Options{})
	for file, want := range map[string]string{
		"":                             "devices/standard.yaml: is empty",
		"title: A\ntitel: B\n":         `devices/standard.yaml:2:1: a profile has no "titel"; it has title, welcome,`,
		"title: A\ntitle: B\n":         "devices/standard.yaml:2:1: title stands here twice",
		"apps: [Slack]\n":              "devices/standard.yaml:1:1: a profile needs a title",
		"title: A\napps: Slack\n":      "devices/standard.yaml:2:7: this must be a list",
		"title: A\napps: [Slack, 7]\n": "devices/standard.yaml:2:15: this must be text; put it in quotes",
		"title: A\nvpn: {name: V}\n":   "devices/standard.yaml:2:6: server is missing",
		"title: A\nvpn: {name: V, server: \"https://v\"}\n":    "devices/standard.yaml:2:24: \"https://v\" is no host name",
		"title: A\nbookmarks:\n  - {name: B, url: intranet}\n": "devices/standard.yaml:3:20: \"intranet\" is no address",
		"title: A\nbookmarks: [B]\n":                           "devices/standard.yaml:2:13: a bookmark is written as name: value",
		"title: A\nwallpaper: {picture: w.png}\n":              "devices/standard.yaml:2:22: \"w.png\" is no path",
		"title: A\nreminder: {title: Hi, at: noon}\n":          "devices/standard.yaml:2:27: \"noon\" is no time of day",
		"title: \"A\\nB\"\n":                                   "devices/standard.yaml:1:8: this must be one line",
		"title: A\n---\ntitle: B\n":                            "more than one document",
		"title: [\n":                                           "devices/standard.yaml: line",
	} {
		b.files["devices/standard.yaml"] = &fstest.MapFile{Data: []byte(file)}
		b.refuses(act("profile", "standard", on("1"), nil), dayone.ErrInvalid, want)
	}
	if got := b.sim.Members("dayone-standard"); len(got) > 0 {
		t.Errorf("a broken file was applied to %v", got)
	}
}

package flow_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/gitlab"
	gitlabsim "github.com/dayone-hq/dayone/connector/gitlab/sim"
	mailsim "github.com/dayone-hq/dayone/connector/mailc/sim"
	"github.com/dayone-hq/dayone/connector/okta"
	oktasim "github.com/dayone-hq/dayone/connector/okta/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/smtp"
	"github.com/dayone-hq/dayone/connector/webhook"
	hrsim "github.com/dayone-hq/dayone/connector/webhook/sim"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/examples"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/message"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// housePolicy is small enough to be kept in mind while reading a test.
const housePolicy = `
policies:
  - id: everyone
    title: Everyone
    owner: it@company.com
    when: "true"
    grant:
      - {to: okta/account}
      - {to: okta/group:base-employee}
    notify:
      - {on: ready, to: "${person.manager}", template: manager-ready}
      - {on: [ready, failed], to: "it@company.com", template: it-summary}
  - id: engineers
    title: Engineers
    owner: it@company.com
    match: {department: Engineering}
    grant:
      - {to: gitlab/account}
      - {to: gitlab/group:platform, role: developer}
  - id: sales
    title: Sales
    owner: it@company.com
    match: {department: Sales}
    grant:
      - {to: okta/group:sales-team}
`

const houseCatalog = `
systems:
  okta:
    account: {}
    group: {names: [base-employee, sales-team], needs: account}
  gitlab:
    account: {}
    group: {names: [customer-solutions, platform], roles: [guest, reporter, developer, maintainer, owner], needs: account}
`

// world is what outlives a house: the vendors' systems, the database, the clock.
type world struct {
	t      testing.TB
	at     string // database
	master []byte
	clock  *clock.Moved
	hr     *hrsim.Sim
	okta   *oktasim.Sim
	gitlab *gitlabsim.Sim
	mail   *mailsim.Server
	setups map[string]map[string]string
	files  fs.FS
	asked  func() // before somebody is told the time, in the next life; nil: nothing

	lead      store.Lead
	transport http.RoundTripper               // of every connector; nil: the ordinary one
	joined    func(*flow.Deps)                // what is different in the next lives; nil: nothing
	wired     func(*store.DB, *engine.Driver) // before anything runs; nil: nothing
}

// start of the house's time: a Friday, ten days before the first starters.
var begin = time.Date(2024, 11, 15, 15, 0, 0, 0, time.UTC)

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, at: "sqlite:" + filepath.Join(t.TempDir(), "dayone.db"), master: make([]byte, 32), clock: clock.NewMoved(begin), setups: map[string]map[string]string{}}
	_, _ = rand.Read(w.master)
	opt := sim.Options{Now: w.clock.Now, Page: 50}
	serve := func(name string, s interface {
		http.Handler
		Settings(base string) map[string]string
	},
	) {
		srv := httptest.NewServer(s)
		t.Cleanup(srv.Close)
		w.setups[name] = s.Settings(srv.URL)
	}
	w.okta, w.gitlab = oktasim.New(opt), gitlabsim.New(opt)
	none := opt
	none.Names = map[string][]string{}
	w.hr = hrsim.New(none)
	serve("okta", w.okta)
	serve("gitlab", w.gitlab)
	serve("hr", w.hr)
	w.mail = mailsim.New(opt)
	at, err := w.mail.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.mail.Close)
	w.setups["mail"] = w.mail.Settings(at)
	w.setups["mail"]["from"] = "onboarding@company.com"
	w.files = w.folder(housePolicy)
	return w
}

// folder is a policy folder with these policies.
func (w *world) folder(policies string) fs.FS {
	f := fstest.MapFS{"policies/house.yaml": {Data: []byte(policies)}, "catalog/catalog.yaml": {Data: []byte(houseCatalog)}}
	for _, name := range []string{"people.yaml", "sites.yaml"} {
		raw, err := examples.Files.ReadFile(name)
		if err != nil {
			w.t.Fatal(err)
		}
		f[name] = &fstest.MapFile{Data: raw}
	}
	return f
}

// asked is a clock with which something else may happen before it answers.
type asked struct {
	engine.Clock
	first func()
}

func (a asked) Now() time.Time {
	a.first()
	return a.Clock.Now()
}

// house is one life of the server.
type house struct {
	*world
	*flow.Flow
	stop    func() // ends engine and flow, and closes the database
	stopRun func() // ends engine and flow
}

// open begins a life; it ends with the test, or with stop.
func (w *world) open() *house {
	w.t.Helper()
	k, err := secret.New(w.master, rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	ids := dayone.NewIDs(w.clock.Now, rand.Reader)
	db, err := store.OpenAs(context.Background(), w.at, flow.Sealer{Keeper: k, Random: rand.Reader}, w.clock.Now, ids, w.lead)
	if err != nil {
		w.t.Fatal(err)
	}
	guard := func(name string, f connector.Factory) *connector.Guard {
		o := connector.Options{Settings: w.setups[name], PerMinute: map[string]int{}, Files: w.files, Transport: w.transport}
		m, err := connector.ParseManifest(f.Manifest)
		if err != nil {
			w.t.Fatal(err)
		}
		for bucket := range m.Limits.Buckets {
			o.PerMinute[bucket] = 1_000_000
		}
		g, err := connector.Open(f, name, w.clock.Now, o)
		if err != nil {
			w.t.Fatal(err)
		}
		return g
	}
	systems := map[string]*connector.Guard{"okta": guard("okta", okta.Factory), "gitlab": guard("gitlab", gitlab.Factory), "mail": guard("mail", smtp.Factory)}
	source, ok := guard("hr", webhook.Factory).Source()
	if !ok {
		w.t.Fatal("the HR system is no source")
	}
	var described []dayone.System
	for name, g := range systems {
		s := g.Manifest.System(name)
		if name == "gitlab" {
			s.Needs = []string{"okta"}
		}
		described = append(described, s)
	}
	config := engine.DefaultConfig
	config.Base = time.Millisecond
	driver := &engine.Driver{Store: db, Clock: w.clock, Keeper: k, Config: config}
	deps := flow.Deps{
		Store: db, Engine: driver, Clock: w.clock, IDs: ids, Keeper: k, Sources: map[string]flow.Source{"hr": {Source: source}}, Systems: systems,
		Templates: message.Templates{Files: w.files}, Files: w.files,
		Load: func(f fs.FS) (*policy.Set, []policy.Diagnostic) { return policy.Load(f, described) }, Base: "https://dayone.company.com", Company: "Company", Mail: "mail",
		OpensAt: 7 * time.Hour,
	}
	if w.joined != nil {
		w.joined(&deps)
	}
	h := &house{world: w, Flow: flow.New(deps)}
	if w.wired != nil {
		w.wired(db, driver)
	}
	if w.asked != nil {
		h.Clock = asked{w.clock, w.asked}
	}
	if err := h.OpenPolicies(context.Background(), true); err != nil {
		w.t.Fatal(err)
	}
	if err := h.PullCatalogues(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var over sync.WaitGroup
	over.Go(func() {
		if err := driver.Run(ctx); err != nil {
			w.t.Errorf("the engine stopped: %v", err)
		}
	})
	over.Go(func() {
		if err := h.Run(ctx); err != nil {
			w.t.Errorf("flow stopped: %v", err)
		}
	})
	h.stopRun = sync.OnceFunc(func() {
		cancel()
		over.Wait()
	})
	h.stop = sync.OnceFunc(func() {
		h.stopRun()
		_ = db.Close()
	})
	w.t.Cleanup(h.stop)
	return h
}

// employee is a record of HR: name, value, overriding those of an ordinary engineer who starts on the 25th.
func employee(id string, pairs ...string) map[string]any {
	r := map[string]any{
		"employee_id": id, "email": "e" + id + "@company.com", "first_name": "Erin", "last_name": "No " + id, "employment_type": "FTE",
		"department": "Engineering", "job_title": "Software Engineer", "team": "Platform", "location": "Berlin", "work_arrangement": "Office",
		"manager_email": "john.doe@company.com", "start_date": "2024-11-25",
	}
	for i := 0; i < len(pairs); i += 2 {
		r[pairs[i]] = pairs[i+1]
	}
	return r
}

// hears posts a body as HR signs it.
func (h *house) hears(body []byte) []flow.Receipt {
	h.t.Helper()
	got, err := h.Receive(context.Background(), "hr", http.Header{"X-Signature": {hrsim.Sign(body)}}, body)
	if err != nil {
		h.t.Fatal(err)
	}
	return got
}

// until asks again whenever something may have moved.
func until[T any](h *house, what string, ask func() (T, bool)) T {
	h.t.Helper()
	moved := h.Watch("")
	defer moved.Stop()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	poll := time.NewTicker(2 * time.Millisecond) // events and rows tell nobody that they moved
	defer poll.Stop()
	for {
		if v, ok := ask(); ok {
			return v
		}
		select {
		case <-moved.Ready():
			moved.Take()
		case <-poll.C:
		case <-deadline.C:
			h.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// judged waits until an event was looked at.
func (h *house) judged(id dayone.EventID) dayone.Intake {
	h.t.Helper()
	return until(h, "event looked at", func() (dayone.Intake, bool) {
		in, err := h.Event(few, id)
		if err != nil {
			h.t.Fatal(err)
		}
		return in, in.State != dayone.EventReceived && (in.State != dayone.EventApplied || in.Run != "" || h.settled(in.Person))
	})
}

// settled says that nothing is to be done for a person.
func (h *house) settled(id dayone.PersonID) bool {
	l, err := h.Preview(context.Background(), id)
	return err == nil && len(l.Plan.Steps) == 0
}

// rests waits until the newest run of a person has come to rest, and is not the one given.
func (h *house) rests(id dayone.PersonID, not dayone.RunID) dayone.Run {
	h.t.Helper()
	return until(h, "a run that rests", func() (dayone.Run, bool) {
		runs, err := h.Runs(context.Background(), flow.RunFilter{Person: id, Limit: 1})
		if err != nil {
			h.t.Fatal(err)
		}
		if len(runs) == 0 || runs[0].ID == not {
			return dayone.Run{}, false
		}
		r, err := h.RunOf(context.Background(), runs[0].ID)
		if err != nil {
			h.t.Fatal(err)
		}
		return r, r.State.Over() || r.State == dayone.RunWaiting
	})
}

// hires lets HR hire somebody and waits for the run to rest.
func (h *house) hires(record map[string]any) (dayone.PersonID, dayone.Run) {
	h.t.Helper()
	in := h.judged(h.hears(h.hr.Put(record))[0].ID)
	if in.State != dayone.EventApplied {
		h.t.Fatalf("the hire is %s: %s", in.State, in.Note)
	}
	return in.Person, h.rests(in.Person, "")
}

// changes lets HR change a record and waits for the next run to rest.
func (h *house) changes(p dayone.PersonID, after dayone.RunID, record map[string]any) dayone.Run {
	h.t.Helper()
	h.hears(h.hr.Put(record))
	return h.rests(p, after)
}

// account is what a system shows of a login, or false.
func account(s sim.Simulator, login string) (sim.Account, bool) {
	all := slices.DeleteFunc(s.Accounts(), func(a sim.Account) bool { return a.Login != login && a.Email != login })
	if len(all) == 0 {
		return sim.Account{}, false
	}
	return all[0], true
}

// shows fails unless a system shows an account in a state with just these entitlements.
func (h *house) shows(s sim.Simulator, login string, state dayone.State, entitlements ...string) {
	h.t.Helper()
	a, ok := account(s, login)
	if !ok {
		h.t.Errorf("there is no account of %s", login)
		return
	}
	if a.State != state {
		h.t.Errorf("%s is %s, not %s", login, a.State, state)
	}
	slices.Sort(entitlements)
	if !slices.Equal(a.Entitlements, entitlements) && len(a.Entitlements)+len(entitlements) > 0 {
		h.t.Errorf("%s has %v, not %v", login, a.Entitlements, entitlements)
	}
}

// writes counts the requests that change something.
func writes(s sim.Simulator) int {
	n := 0
	for _, r := range s.Door().Requests() {
		if r.Method != http.MethodGet && r.Method != http.MethodHead && !bytes.Contains([]byte(r.Path), []byte("token")) {
			n++
		}
	}
	return n
}

func is(t testing.TB, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got %v, want %v", err, kind)
	}
}

func same[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// failures are the steps of a run that did not end well, in words.
func failures(r dayone.Run) []string {
	var out []string
	for _, s := range r.Steps {
		if s.State == dayone.StepFailed || s.State == dayone.StepBlocked {
			out = append(out, string(s.Step.ID)+": "+cmp.Or(s.Error, string(s.State)))
		}
	}
	return out
}

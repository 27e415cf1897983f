package web_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/okta"
	oktasim "github.com/dayone-hq/dayone/connector/okta/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/webhook"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/message"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/web"
)

const (
	hookSecret = "a webhook's secret"
	token      = "a-long-access-token-for-tests"
)

// bench is a whole product over SQLite with a simulated Okta, behind a real server.
type bench struct {
	t      *testing.T
	flow   *flow.Flow
	okta   *oktasim.Sim
	any    *anything // every system but Okta
	url    string
	client *http.Client
	log    *lockedBuffer
	keeper *secret.Keeper
	server *httptest.Server
	at     string // the file of its store
	halt   func() // nothing happens by itself any more; pages go on
}

// setting changes a bench before it starts.
type setting func(*web.Options, *flow.Deps)

func withToken(o *web.Options, _ *flow.Deps) {
	o.Open, o.Token = false, dayone.NewSecret(token)
}

var fewPolicies = fstest.MapFS{
	"people.yaml": {Data: []byte(`
attributes:
  id:              {type: string}
  employee_number: {type: string, from: hr.employee_id}
  email:           {type: string, from: hr.email}
  personal_email:  {type: string, from: hr.personal_email, optional: true, pii: true}
  first_name:      {type: string, from: hr.first_name, optional: true}
  last_name:       {type: string, from: hr.last_name, optional: true}
  status:          {type: string, derived: true, values: [pre-hire, active, leave, terminated]}
  employment_type: {type: string, from: hr.employment_type, values: [FTE, Contractor]}
  department:      {type: string, from: hr.department, optional: true}
  job_title:       {type: string, from: hr.job_title, optional: true}
  team:            {type: string, from: hr.team, optional: true}
  location:        {type: string, from: hr.location, optional: true}
  country:         {type: string, from: [hr.country, site.country], optional: true}
  manager:         {type: string, from: hr.manager_email, optional: true}
  start_date:      {type: date, from: hr.start_date}
  end_date:        {type: date, from: hr.end_date, optional: true}
`)},
	"sites.yaml": {Data: []byte("sites:\n  Berlin: {country: DE, zone: Europe/Berlin}\n")},
	"policies/base.yaml": {Data: []byte(`policies:
  - id: everybody
    title: Everyone on the payroll
    owner: it@company.com
    when: person.employment_type == "FTE"
    grant:
      - {to: okta/account}
      - {to: okta/group:base-employee}
  - id: sales
    title: Sales department
    owner: sales@company.com
    match: {department: Sales}
    grant:
      - {to: okta/group:sales-team}
`)},
}

// newBench starts one with a few policies.
func newBench(t *testing.T, settings ...setting) *bench {
	t.Helper()
	return startBench(t, fewPolicies, false, settings...)
}

// newCompany starts one with the examples' policies: Sarah's hire gives her 24 grants on ten systems.
func newCompany(t *testing.T, settings ...setting) *bench {
	t.Helper()
	return startBench(t, os.DirFS("../examples"), true, settings...)
}

func startBench(t *testing.T, files fs.FS, others bool, settings ...setting) *bench {
	t.Helper()
	b := &bench{t: t, log: &lockedBuffer{}, any: &anything{}}
	now := clock.System{}
	b.okta = oktasim.New(sim.Options{})
	vendor := httptest.NewServer(b.okta)
	t.Cleanup(vendor.Close)
	source := b.open(connector.Open(webhook.Factory, "hr", now.Now, connector.Options{Settings: map[string]string{"secret": hookSecret}}))
	hr, _ := source.Source()
	guards := map[string]*connector.Guard{
		"okta": b.open(connector.Open(okta.Factory, "okta", now.Now, connector.Options{Settings: b.okta.Settings(vendor.URL), PerMinute: map[string]int{"users": 60000, "default": 60000}})),
	}
	systems := []dayone.System{guards["okta"].Manifest.System("okta")}
	if others {
		systems = append(systems, b.others(guards)...)
	} else {
		s := systems[0]
		k := s.Kinds["group"]
		k.Names = []string{"base-employee", "sales-team"}
		s.Kinds["group"] = k
	}
	set, diags := policy.Load(files, systems)
	if set == nil {
		t.Fatalf("policies: %v", diags)
	}
	master := make([]byte, 32)
	_, _ = rand.Read(master)
	var err error
	if b.keeper, err = secret.New(master, rand.Reader); err != nil {
		t.Fatal(err)
	}
	ids := dayone.NewIDs(now.Now, rand.Reader)
	b.at = t.TempDir() + "/dayone.db"
	db, err := store.Open(t.Context(), "sqlite:"+b.at, flow.Sealer{Keeper: b.keeper, Random: rand.Reader}, now.Now, ids)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(b.log, nil))
	driver := &engine.Driver{Store: db, Clock: now, Keeper: b.keeper, Config: engine.DefaultConfig, Log: log}
	deps := flow.Deps{
		Store: db, Engine: driver, Clock: now, IDs: ids, Keeper: b.keeper, Sources: map[string]flow.Source{"hr": {Source: hr}}, Systems: guards,
		Templates: message.Templates{}, Policy: set, Files: files, Company: "Company", Mail: "mail", Log: log, OpensAt: 7 * time.Hour,
	}
	if !others {
		deps.Mail = ""
	}
	b.server = httptest.NewUnstartedServer(nil)
	b.url = "http://" + b.server.Listener.Addr().String()
	opt := web.Options{Base: b.url, Open: true, Version: "1.0.0", Log: log}
	deps.Base = b.url
	for _, s := range settings {
		s(&opt, &deps)
	}
	b.flow = flow.New(deps)
	b.server.Config.Handler = web.New(b.flow, opt)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := driver.Run(ctx); err != nil {
			t.Error("engine:", err)
		}
	})
	running.Go(func() {
		if err := b.flow.Run(ctx); err != nil {
			t.Error("flow:", err)
		}
	})
	b.server.Start()
	b.halt = func() {
		stop()
		running.Wait()
	}
	t.Cleanup(func() {
		b.server.CloseClientConnections()
		b.server.Close()
		b.halt()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(b.log.String())
		}
	})
	if err := b.flow.PullCatalogues(t.Context()); err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	b.client = &http.Client{Jar: jar, Transport: checked{t, http.DefaultTransport}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return b
}

func (b *bench) open(g *connector.Guard, err error) *connector.Guard {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	return g
}

// others are the examples' systems, as their catalogue has them, each with a connector that does what it is asked.
func (b *bench) others(guards map[string]*connector.Guard) []dayone.System {
	var out []dayone.System
	tiers := map[string]dayone.Tier{"google": dayone.TierIdentity, "jamf": dayone.TierDevice, "procurement": dayone.TierDevice}
	for name, title := range map[string]string{
		"google": "Google", "slack": "Slack", "salesforce": "Salesforce", "gitlab": "GitLab", "notion": "Notion", "aws": "AWS", "jamf": "Jamf",
		"procurement": "Procurement", "phone": "Phone", "training": "Training", "mail": "Mail",
	} {
		manifest := "name: anything\ntitle: " + title + "\ncapabilities: [target]\n"
		if name == "procurement" {
			manifest += "kinds:\n  order: {title: Order, actions: [add]}\n"
		}
		guards[name] = b.open(connector.Open(connector.Factory{
			Manifest: []byte(manifest),
			New:      func(connector.Config) (connector.Connector, error) { return b.any, nil },
		}, name, time.Now, connector.Options{}))
		s := dayone.System{Name: name, Title: title, Connector: name, Tier: tiers[name], Kinds: map[string]dayone.Kind{}, CanDelete: true}
		switch name {
		case "procurement":
			s.Kinds["order"] = dayone.Kind{Title: "Order", OneWay: true}
		case "jamf":
			s.Kinds["device"] = dayone.Kind{Supply: dayone.Key{System: "procurement", Kind: "order"}}
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b dayone.System) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// anything is every other system: what it is asked is so, when its gate is open.
type anything struct {
	mu    sync.Mutex
	gate  chan struct{} // closed: everything passes; nil: everything passes
	wait  map[string]dayone.Wait
	fail  map[string]error
	sent  []dayone.Act
	calls int
}

// hold lets nothing pass until the result is called.
func (a *anything) hold() (release func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	gate := make(chan struct{})
	a.gate = gate
	var once sync.Once
	return func() { once.Do(func() { close(gate) }) }
}

func (a *anything) set(key string, w dayone.Wait, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wait == nil {
		a.wait, a.fail = map[string]dayone.Wait{}, map[string]error{}
	}
	delete(a.wait, key)
	delete(a.fail, key)
	if w.Kind != "" {
		a.wait[key] = w
	}
	if err != nil {
		a.fail[key] = err
	}
}

func (a *anything) Apply(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	a.mu.Lock()
	gate, err := a.gate, a.fail[act.Key.String()]
	w, waits := a.wait[act.Key.String()]
	a.calls++
	if act.Action == dayone.MessageSend {
		a.sent = append(a.sent, act)
	}
	a.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return dayone.Result{}, ctx.Err()
		}
	}
	if err != nil {
		return dayone.Result{}, &dayone.Fault{System: act.Key.System, Op: "asking", Err: err, Detail: "operator words: <token>"}
	}
	if act.Want == nil {
		return dayone.Result{Before: act.Have}, nil
	}
	now := *act.Want
	now.Ref = "ref-" + act.Key.String()
	now.Attrs = maps.Clone(now.Attrs)
	for name, v := range now.Attrs {
		if v.Kind == dayone.SecretValue {
			delete(now.Attrs, name)
		}
	}
	if waits {
		res := dayone.Result{Wait: &w}
		if w.Kind.There() {
			now.State = dayone.Pending
			res.Now = &now
		}
		return res, nil
	}
	return dayone.Result{Before: act.Have, Now: &now}, nil
}

func (a *anything) Check(context.Context) error { return nil }
func (a *anything) Observe(context.Context, dayone.Subject) (connector.Seen, error) {
	return connector.Seen{}, nil
}

func (a *anything) List(context.Context) iter.Seq2[connector.Seen, error] {
	return func(func(connector.Seen, error) bool) {}
}

func (a *anything) Catalogue(context.Context) iter.Seq2[dayone.Offer, error] {
	return func(func(dayone.Offer, error) bool) {}
}

// say sends a webhook as HR does.
func (b *bench) say(body string) *http.Response {
	b.t.Helper()
	m := hmac.New(sha256.New, []byte(hookSecret))
	m.Write([]byte(body))
	req, err := http.NewRequest(http.MethodPost, b.url+"/hooks/hr", strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("X-Signature", hex.EncodeToString(m.Sum(nil)))
	return b.do(req)
}

func (b *bench) do(req *http.Request) *http.Response {
	b.t.Helper()
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { res.Body.Close() })
	return res
}

// berlinToday is a time of the day that it is at the site of those who are hired: who begins today is a starter at any hour of ours.
func berlinToday(t *testing.T) time.Time {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return time.Now().In(berlin)
}

// hire makes somebody start at a day and waits until the run has come to rest.
func (b *bench) hire(id, first, last, department string, start time.Time) (dayone.PersonID, dayone.RunID) {
	b.t.Helper()
	res := b.say(fmt.Sprintf(`{"event_type":"employee.hired","event_id":"evt_%s","timestamp":%q,"data":{"employee_id":%q,"email":%q,"first_name":%q,"last_name":%q,"department":%q,"employment_type":"FTE","start_date":%q,"location":"Berlin","job_title":"Engineer","team":"One","manager_email":"boss@company.com"}}`,
		id, time.Now().Format(time.RFC3339), id, id+"@company.com", first, last, department, start.Format(time.DateOnly)))
	if res.StatusCode != http.StatusAccepted {
		b.t.Fatalf("the hook answers %s: %s", res.Status, text(b.t, res))
	}
	run := b.runOf(id + "@company.com")
	return run.Person, run.ID
}

// runOf waits for the run of somebody to be there and at rest.
func (b *bench) runOf(email string) dayone.Run {
	b.t.Helper()
	var run dayone.Run
	b.until("a run of "+email+" at rest", func() bool {
		run = b.started(email)
		return run.ID != "" && run.State != dayone.RunRunning
	})
	return run
}

func (b *bench) started(email string) dayone.Run {
	b.t.Helper()
	row, err := b.flow.Named(b.t.Context(), email)
	if err != nil {
		return dayone.Run{}
	}
	runs, err := b.flow.Runs(b.t.Context(), flow.RunFilter{Person: row.ID, Limit: 1})
	if err != nil || len(runs) == 0 {
		return dayone.Run{}
	}
	run, err := b.flow.RunOf(b.t.Context(), runs[0].ID)
	if err != nil {
		b.t.Fatal(err)
	}
	return run
}

func (b *bench) until(what string, ok func() bool) {
	b.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			b.t.Fatalf("waited too long for %s", what)
		}
	}
}

const sarah = `{"event_type":"employee.hired","event_id":"evt_abc123","timestamp":"2024-11-22T15:01:00Z","data":{"employee_id":"emp_789","email":"sarah.chen@company.com","first_name":"Sarah","last_name":"Chen",
"job_title":"Sales Engineer","department":"Sales","team":"Enterprise","employment_type":"FTE","start_date":%q,"manager_email":"john.doe@company.com","location":"San Francisco","work_arrangement":"Remote","home_address":"1 Main St"}}`

// hireSarah tells what the examples tell; the run is not waited for.
func (b *bench) hireSarah() {
	b.t.Helper()
	if res := b.say(fmt.Sprintf(sarah, time.Now().AddDate(0, 0, 1).Format(time.DateOnly))); res.StatusCode != http.StatusAccepted {
		b.t.Fatalf("the hook answers %s: %s", res.Status, text(b.t, res))
	}
}

func (b *bench) get(path string, header ...string) *http.Response {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodGet, b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return b.do(req)
}

// page gets a page that must be there.
func (b *bench) page(path string, header ...string) string {
	b.t.Helper()
	res := b.get(path, header...)
	body := text(b.t, res)
	if res.StatusCode != http.StatusOK {
		b.t.Fatalf("GET %s: %s\n%s", path, res.Status, body)
	}
	return body
}

func (b *bench) post(path string, form url.Values, header ...string) *http.Response {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return b.do(req)
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(raw), "<wbr>", "") // nobody reads where a line may break
}

// want says that a text has all of these.
func want(t *testing.T, where, body string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(body, p) {
			t.Errorf("%s lacks %q", where, p)
		}
	}
}

// lockedBuffer takes a log from many goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

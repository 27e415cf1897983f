package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/connector/all"
	gitlabsim "github.com/dayone-hq/dayone/connector/gitlab/sim"
	mailsim "github.com/dayone-hq/dayone/connector/mailc/sim"
	oktasim "github.com/dayone-hq/dayone/connector/okta/sim"
	resellersim "github.com/dayone-hq/dayone/connector/procurement/sim"
	salesforcesim "github.com/dayone-hq/dayone/connector/salesforce/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	hrsim "github.com/dayone-hq/dayone/connector/webhook/sim"
	"github.com/dayone-hq/dayone/examples"
	"github.com/dayone-hq/dayone/web"
)

// demoOptions are the flags of demo.
type demoOptions struct {
	now     string
	data    string
	latency time.Duration
	listen  string
	log     bool
}

// demoWorld is a company in a box: every system simulated, an HR system, a reseller, a mailbox, and the server.
type demoWorld struct {
	*server
	clock    *clock.Moved
	keeping  sync.Mutex // of its moment
	meters   *web.Meters
	systems  map[string]sim.Simulator
	hr       *hrsim.Sim
	mail     *mailsim.Server
	reseller *resellersim.Sim
	listener net.Listener
	closers  []func()
	temp     string
	latency  time.Duration // of every simulated system
}

// demoStart is when HR says that Sarah is hired.
const demoStart = "2024-11-22T15:01:00Z"

var hearing, _ = time.Parse(time.RFC3339, demoStart)

// demoSystems are the systems of the demo: what they need, and who provisions them.
var demoSystems = []struct {
	name  string
	needs []string
	via   string
}{
	{name: "okta"},
	{name: "google"},
	{name: "slack", needs: []string{"okta"}},
	{name: "salesforce", via: "okta/app:salesforce"},
	{name: "gitlab", needs: []string{"okta"}},
	{name: "notion", needs: []string{"okta"}},
	{name: "aws", needs: []string{"okta"}},
	{name: "jamf"},
}

// newDemoWorld builds it; nothing runs yet.
func newDemoWorld(ctx context.Context, o demoOptions) (*demoWorld, error) {
	d := &demoWorld{latency: o.latency, meters: web.NewMeters(), systems: map[string]sim.Simulator{}}
	if err := d.build(ctx, o); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *demoWorld) build(ctx context.Context, o demoOptions) (err error) {
	if o.data == "" {
		if d.temp, err = os.MkdirTemp("", "dayone-demo"); err != nil {
			return err
		}
		o.data = d.temp
	}
	if err := os.MkdirAll(filepath.Join(o.data, "systems"), 0o700); err != nil {
		return fmt.Errorf("making the folder that keeps the demo: %w; name one with --data that can be made, or leave --data away to keep nothing", err)
	}
	start, err := time.Parse(time.RFC3339, o.now)
	if o.now != "" && err != nil {
		return &usageError{fmt.Errorf("--now is %q; write %s", o.now, demoStart)}
	}
	if o.now == "" {
		start = hearing
	}
	if later, err := lastMoment(o.data); err == nil && later.After(start) {
		start = later // the world goes on where it stopped
	}
	d.clock = clock.NewMoved(start)
	cfg := &config{
		Company: "Company", Database: "sqlite:" + filepath.Join(o.data, "dayone.db"), MasterKey: filepath.Join(o.data, "master.key"), Policy: "the examples",
		Sources: map[string]sourceConfig{}, Systems: map[string]systemConfig{}, Messages: messagesConfig{Mail: "mail", Calendar: "calendar"},
	}
	if d.listener, err = listenNear(o.listen); err != nil {
		return err
	}
	cfg.Portal.Listen = d.listener.Addr().String()
	cfg.Portal.URL = "http://" + cfg.Portal.Listen
	cfg.defaults()
	cfg.Brakes.ListsAt = readNever // its nights pass in a moment, and what is told of calls is about what was done
	if err := d.simulate(o, cfg); err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	d.server, err = wire(ctx, cfg, wiring{clock: d.clock, observe: d.meters.Called, committed: d.meters.Committed, files: examples.Files, transport: transport, log: demoLog(o.log)})
	return err
}

// lastMoment is when a kept world stopped, if that was noted: where it is earlier than its books, or lost, these count.
func lastMoment(dir string) (time.Time, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "clock"))
	if err != nil {
		return time.Time{}, err
	}
	us, err := strconv.ParseInt(string(raw), 10, 64)
	return time.UnixMicro(us), err
}

// keepMoment notes the world's time, beside what was noted before: killed in between, one of the two is there whole.
func (d *demoWorld) keepMoment(dir string) {
	d.keeping.Lock()
	defer d.keeping.Unlock()
	file := filepath.Join(dir, "clock")
	if os.WriteFile(file+".new", []byte(strconv.FormatInt(d.clock.Now().UnixMicro(), 10)), 0o600) == nil {
		_ = os.Rename(file+".new", file)
	}
}

// listenNear takes the address, or the next free port after it.
func listenNear(at string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(at)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--listen is %q; write 127.0.0.1:8080", at)}
	}
	first, err := strconv.Atoi(port) // 0: any
	if err != nil {
		return nil, &usageError{fmt.Errorf("--listen is %q; write 127.0.0.1:8080", at)}
	}
	for p := first; p < first+100 && p < 65536; p++ {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(p)))
		if err == nil {
			return l, nil
		}
		if first == 0 {
			return nil, err
		}
	}
	return nil, fmt.Errorf("no port from %s on is free; choose another with --listen", at)
}

// simulate starts every system on loopback and writes the configuration that reaches it. A kept world's systems come back
// from their journals first.
func (d *demoWorld) simulate(o demoOptions, cfg *config) error {
	var then atomic.Pointer[time.Time] // the time of a replayed request
	opt := sim.Options{Latency: o.latency, Now: func() time.Time {
		if t := then.Load(); t != nil {
			return *t
		}
		return d.clock.Now()
	}}
	serve := func(name string, s sim.Simulator) (string, error) {
		file := filepath.Join(o.data, "systems", name+".journal")
		err := sim.Replay(s, file, func(t time.Time) { then.Store(&t) })
		then.Store(nil)
		if err = errors.Join(err, s.Door().Journal(file)); err != nil {
			return "", fmt.Errorf("bringing the simulated %s back: %w", name, err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = srv.Serve(l) }()
		d.closers = append(d.closers, func() { _ = srv.Close() })
		d.systems[name] = s
		return "http://" + l.Addr().String(), nil
	}
	makers := all.Simulators()
	for _, sys := range demoSystems {
		own := opt
		if sys.name == "jamf" { // Apple Business has told it of the laptops that the reseller is going to ship
			own.Names = map[string][]string{"department": {"Sales", "Engineering", "Customer Success", "Finance", "Legal", "People", "IT", "Security"}}
			for n := range 36 {
				own.Names["device"] = append(own.Names["device"], resellersim.Serial(n+1))
			}
		}
		s := makers[sys.name](own)
		base, err := serve(sys.name, s)
		if err != nil {
			return err
		}
		cfg.Systems[sys.name] = systemConfig{Connector: sys.name, Settings: s.Settings(base), Needs: sys.needs, ProvisionedBy: sys.via, PerMinute: unhurried(sys.name)}
	}
	crm := d.systems["salesforce"].(*salesforcesim.Sim)
	base, token, extra := crm.ProvisionTarget(cfg.Systems["salesforce"].Settings["url"])
	d.systems["okta"].(*oktasim.Sim).Provision(oktasim.Provision{App: "salesforce", Base: base, Token: token, Extra: extra, Staged: true})

	d.reseller = resellersim.New(opt)
	base, err := serve("procurement", d.reseller)
	if err != nil {
		return err
	}
	d.reseller.ShipAfter(400 * time.Millisecond)
	d.reseller.CallBack(cfg.Portal.URL + "/hooks/systems/procurement")
	cfg.Systems["procurement"] = systemConfig{Connector: "procurement", Settings: d.reseller.Settings(base)}

	d.hr = hrsim.New(opt)
	if base, err = serve("hr", d.hr); err != nil {
		return err
	}
	d.leftBefore()
	cfg.Sources["hr"] = sourceConfig{Connector: "webhook", Since: "2024-11-22", StaleAfter: 90 * 24 * time.Hour, Settings: d.hr.Settings(base)}

	people := newDirectory(opt)
	if base, err = serve(directorySource, people); err != nil {
		return err
	}
	cfg.Sources[directorySource] = directoryConfig(people.Settings(base))

	if err := d.simulatePhones(opt, cfg, serve); err != nil {
		return err
	}
	d.mail = mailsim.New(opt)
	if err := d.mail.Journal(filepath.Join(o.data, "systems", "mail.journal")); err != nil {
		return fmt.Errorf("bringing the simulated mailbox back: %w", err)
	}
	if base, err = d.mail.Listen(); err != nil {
		return err
	}
	d.closers = append(d.closers, d.mail.Close)
	settings := d.mail.Settings(base)
	settings["from"], settings["from_name"] = "onboarding@company.com", "Company Onboarding"
	cfg.Systems["mail"] = systemConfig{Connector: "smtp", Settings: settings}
	cfg.Systems["calendar"] = systemConfig{Connector: "imip", Settings: maps.Clone(settings)}
	return nil
}

// unhurried lifts the vendors' rate limits: the simulators set none, and nobody wants to wait for them in a demo.
func unhurried(connector string) map[string]int {
	out := map[string]int{}
	if m, err := manifestOf(connector); err == nil {
		for bucket := range m.Limits.Buckets {
			out[bucket] = 60_000
		}
	}
	return out
}

// known reads what the systems offer and who works here already.
func (d *demoWorld) known(ctx context.Context) error {
	if err := d.flow.PullCatalogues(ctx); err != nil {
		return fmt.Errorf("reading what the systems offer: %w", err)
	}
	_, err := d.flow.Import(ctx, "hr")
	return err
}

// start starts engine, flow, and the reseller's clockwork.
func (d *demoWorld) start(ctx context.Context) {
	d.server.run(ctx)
	go func() {
		t := time.NewTicker(50 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				d.reseller.Tick()
			}
		}
	}()
}

// login is Sarah's first day: she signs in at GitLab through the identity provider.
func (d *demoWorld) login(who string) {
	d.systems["okta"].(*oktasim.Sim).Login(who)
	d.systems["gitlab"].(*gitlabsim.Sim).Login(who)
}

func (d *demoWorld) close() {
	for _, c := range slices.Backward(d.closers) {
		c()
	}
	if d.listener != nil {
		_ = d.listener.Close()
	}
	if d.server != nil {
		_ = d.server.close()
	}
	if d.temp != "" {
		_ = os.RemoveAll(d.temp)
	}
}

// differences compares every simulated system, read directly and not through its connector, with what the policies want.
func (d *demoWorld) differences(want dayone.Want, login string) []string {
	expected := map[string][]string{}
	state := map[string]dayone.State{}
	for _, g := range want.Grants {
		switch {
		case g.Key.IsAccount():
			state[g.Key.System] = g.State
		default:
			label := g.Key.Kind
			if g.Key.Name != "" {
				label += ":" + g.Key.Name
			}
			if g.Role != "" {
				label += "=" + g.Role
			}
			expected[g.Key.System] = append(expected[g.Key.System], label)
		}
	}
	var out []string
	for _, sys := range demoSystems {
		s := d.systems[sys.name]
		i := slices.IndexFunc(s.Accounts(), func(a sim.Account) bool { return a.Login == login || a.Email == login })
		if i < 0 {
			out = append(out, fmt.Sprintf("%s has no account of %s", sys.name, login))
			continue
		}
		a := s.Accounts()[i]
		if st, ok := state[sys.name]; ok && !sameState(a.State, st) {
			out = append(out, fmt.Sprintf("%s shows the account as %s, not %s", sys.name, a.State, st))
		}
		for _, e := range expected[sys.name] {
			if e == "device" { // which one is the reseller's word
				if !slices.ContainsFunc(a.Entitlements, func(have string) bool { return len(have) > 7 && have[:7] == "device=" }) {
					out = append(out, sys.name+" has no device of "+login)
				}
				continue
			}
			if !slices.Contains(a.Entitlements, e) {
				out = append(out, fmt.Sprintf("%s does not show %s (it shows %v)", sys.name, e, a.Entitlements))
			}
		}
		n := 0
		for _, other := range s.Accounts() {
			if other.Login == login || other.Email == login {
				n++
			}
		}
		if n > 1 {
			out = append(out, fmt.Sprintf("%s has %d accounts of %s", sys.name, n, login))
		}
	}
	return out
}

// sameState forgives a pending account where an active one is wanted: she has not signed in yet.
func sameState(is, want dayone.State) bool {
	return is == want || (is == dayone.Pending && want == dayone.Active)
}

package cucm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/cucm"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// clusters are all that the tests made: their requests can be written down.
var clusters struct {
	sync.Mutex
	list []*cucmsim.Sim
}

// logged is all that the tests' process logs.
var logged = connectortest.Listen()

func made(s *cucmsim.Sim) *cucmsim.Sim {
	clusters.Lock()
	defer clusters.Unlock()
	clusters.list = append(clusters.list, s)
	return s
}

var operation = regexp.MustCompile(`<axl:([A-Za-z]+)`)

// TestMain fails on what no test may send, holds all requests against the vendor's schemas where they are, and writes every
// request that the tests sent into the folder that DAYONE_EXPORT_REQUESTS names, each once, so that whoever has the vendor's
// schemas, or a cluster, can hold them against these: NNNN-OPERATION.xml is the body, byte by byte, and NNNN-OPERATION.txt beside
// it the header that it was sent with, which says version and operation.
func TestMain(m *testing.M) {
	code := m.Run()
	for _, s := range clusters.list { // those that the conformance suite made as well
		for _, breach := range s.Never() {
			fmt.Fprintln(os.Stderr, breach)
			code = 1
		}
	}
	if err := validate(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if dir := os.Getenv("DAYONE_EXPORT_REQUESTS"); dir != "" {
		if err := export(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func export(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, s := range clusters.list {
		for _, r := range s.Door().Requests() {
			op := operation.FindSubmatch(r.Body)
			action := "SOAPAction: " + r.Header.Get("SOAPAction") + "\n"
			if op == nil || seen[action+string(r.Body)] {
				continue
			}
			seen[action+string(r.Body)] = true
			name := filepath.Join(dir, fmt.Sprintf("%04d-%s", len(seen), op[1]))
			if err := os.WriteFile(name+".xml", r.Body, 0o600); err != nil {
				return err
			}
			if err := os.WriteFile(name+".txt", []byte(action), 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// bench is a cluster with a connector to it.
type bench struct {
	*testing.T
	sim     *cucmsim.Sim
	guard   *connector.Guard
	cluster *cucm.Cluster
	pins    connector.Pins // as another connector reaches it
	at      time.Time
	people  []string // whose run it is

	mu    sync.Mutex
	heard []string // every error and result that came out of the connector
}

func open(t *testing.T, s *cucmsim.Sim, settings ...string) *bench {
	t.Helper()
	made(s)
	b := &bench{T: t, sim: s, at: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}
	b.reach(settings...)
	t.Cleanup(b.careful)
	return b
}

// reach starts the cluster and a connector to it.
func (b *bench) reach(settings ...string) {
	b.Helper()
	server := httptest.NewServer(b.sim)
	b.Cleanup(server.Close)
	all := b.sim.Settings(server.URL)
	for i := 0; i < len(settings); i += 2 {
		all[settings[i]] = settings[i+1]
	}
	now := func() time.Time { return b.at }
	factory := cucm.Factory
	factory.New = func(cfg connector.Config) (connector.Connector, error) {
		b.cluster = cucm.Open(cfg)
		c, err := cucm.New(cfg)
		b.pins, _ = c.(connector.Pins)
		return c, err
	}
	observe := func(system, op string, _ time.Duration, err error) { b.hear(system, op, err) }
	var err error
	if b.guard, err = connector.Open(factory, "cucm", now, connector.Options{Settings: all, PerMinute: map[string]int{"default": 600_000}, Observe: observe}); err != nil {
		b.Fatal(err)
	}
}

// raw sends what the connector never does, and returns the answer.
func (b *bench) raw(op, content string) string { return b.sim.Ask(op, content) }

// careful fails a test in which something was sent that a careful client never sends, something was written that is not of
// the people of its run, or a secret came out, be it in an error, a result or a log.
func (b *bench) careful() {
	for _, breach := range b.sim.Breaches(b.people...) {
		b.Error(breach)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range slices.Concat(b.heard, logged.Lines()) {
		for _, secret := range b.sim.Secrets() {
			if strings.Contains(text, secret) {
				b.Errorf("a secret stands in %q", text)
			}
		}
	}
}

// hear keeps what came out.
func (b *bench) hear(what ...any) {
	text := fmt.Sprintf("%+v", what)
	for _, w := range what {
		if err, ok := w.(error); ok {
			text += fmt.Sprintf("%+v %s", err, detail(err))
		}
		if r, ok := w.(dayone.Result); ok { // printing does not follow its pointers
			raw, _ := json.Marshal(r)
			text += string(raw)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = append(b.heard, text)
}

// sent counts the requests of an operation.
func (b *bench) sent(op string) int {
	n := 0
	for _, r := range b.sim.Door().Requests() {
		if m := operation.FindSubmatch(r.Body); m != nil && strings.HasPrefix(string(m[1]), op) {
			n++
		}
	}
	return n
}

func (b *bench) act(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	a := dayone.Act{Action: action, Key: dayone.Key{System: "cucm", Kind: "account"}, Subject: dayone.Subject{Ref: ref}, Want: want, Attempt: 1, Since: b.at}
	if ref == "" {
		a.Subject.Keys = map[string]string{"employee_number": want.Attrs.Text("employee_number"), "login": want.Attrs.Text("login")}
		a.Secrets = map[string]dayone.Secret{"pin": dayone.NewSecret("73018264"), "password": dayone.NewSecret("Pass-w0rd-of-the-test")}
	}
	return a
}

func (b *bench) create() dayone.Act {
	return b.act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()})
}

func (b *bench) do(a dayone.Act) dayone.Result {
	b.Helper()
	r, err := connectortest.Apply(b.Context(), b.guard, a)
	b.hear(r, err)
	if err != nil {
		b.Fatalf("%s: %v", a.Action, err)
	}
	return r
}

func (b *bench) group(action dayone.Action, account, name string) dayone.Act {
	key := dayone.Key{System: "cucm", Kind: "user_group", Name: name}
	a := dayone.Act{Action: action, Key: key, Account: account, Attempt: 1, Since: b.at}
	if action == dayone.EntitlementAdd {
		a.Want = &dayone.Item{Key: key, State: dayone.Active}
	}
	return a
}

// ref is the id of a user of the fixture, whose run it is from now on.
func (b *bench) ref(login string) string {
	b.Helper()
	for _, a := range b.sim.Accounts() {
		if a.Login == login {
			b.people = append(b.people, login)
			return a.Ref
		}
	}
	b.Fatalf("there is no user %s", login)
	return ""
}

// differences are the objects that two snapshots show differently.
func differences(before, after map[string]string) []string {
	var out []string
	for name, is := range after {
		if was, ok := before[name]; !ok || was != is {
			out = append(out, name)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			out = append(out, name)
		}
	}
	return out
}

func kindOf(err error) error {
	for _, k := range []error{dayone.ErrNotFound, dayone.ErrConflict, dayone.ErrInvalid, dayone.ErrForbidden, dayone.ErrAuth, dayone.ErrThrottled, dayone.ErrUnavailable, dayone.ErrUnsupported, dayone.ErrNotYet} {
		if errors.Is(err, k) {
			return k
		}
	}
	return nil
}

// cast is a cluster with everybody whom a careless connector harms: a boss and an assistant with a shared line, a colleague who is
// signed in on another's phone, an agent, a member of a hunt group, a ported range, a local user, and 2101 once more elsewhere. A test
// begins with it, and ends by looking whether an object was written that is none of its people's. Its numbers are not those that
// tests make.
func cast(o sim.Options) *cucmsim.Sim {
	s := cucmsim.New(o)
	s.Fill("SFO", `\+1650555`)
	return s
}

// alone is a cluster with nobody in it: for a test that counts users, or brings a directory of its own, whose synchronization would
// purge the cast.
func alone(o sim.Options) *cucmsim.Sim { return cucmsim.New(o) }

func company(t *testing.T) *cucmsim.Sim {
	t.Helper()
	sfo, _ := cucmsim.NewCompany(sim.Options{Page: 50})
	return sfo
}

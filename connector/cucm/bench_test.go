package cucm_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
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

func made(s *cucmsim.Sim) *cucmsim.Sim {
	clusters.Lock()
	defer clusters.Unlock()
	clusters.list = append(clusters.list, s)
	return s
}

var operation = regexp.MustCompile(`<axl:([A-Za-z]+)`)

// TestMain writes every request that the tests sent into the folder that DAYONE_EXPORT_REQUESTS names, each once, so that
// whoever has the vendor's schemas can hold them against them.
func TestMain(m *testing.M) {
	code := m.Run()
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
			if op == nil || seen[string(r.Body)] {
				continue
			}
			seen[string(r.Body)] = true
			name := filepath.Join(dir, fmt.Sprintf("%04d-%s.xml", len(seen), op[1]))
			if err := os.WriteFile(name, r.Body, 0o600); err != nil {
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
	at      time.Time
}

func open(t *testing.T, s *cucmsim.Sim, settings ...string) *bench {
	t.Helper()
	made(s)
	b := &bench{T: t, sim: s, at: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Cleanup(b.careful)
	all := s.Settings(server.URL)
	for i := 0; i < len(settings); i += 2 {
		all[settings[i]] = settings[i+1]
	}
	now := func() time.Time { return b.at }
	factory := cucm.Factory
	factory.New = func(cfg connector.Config) (connector.Connector, error) {
		b.cluster = cucm.Open(cfg)
		return cucm.New(cfg)
	}
	var err error
	if b.guard, err = connector.Open(factory, "cucm", now, connector.Options{Settings: all, PerMinute: map[string]int{"default": 600_000}}); err != nil {
		t.Fatal(err)
	}
	return b
}

// careful fails a test in which something was sent that a careful client never sends.
func (b *bench) careful() {
	for _, r := range b.sim.Door().Requests() {
		for _, never := range []string{"resetPhone", "restartPhone", "executeSQLUpdate"} {
			if bytes.Contains(r.Body, []byte("<axl:"+never)) {
				b.Errorf("%s was sent", never)
			}
		}
	}
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

// ref is the id of a user of the fixture.
func (b *bench) ref(login string) string {
	b.Helper()
	for _, a := range b.sim.Accounts() {
		if a.Login == login {
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

func company(t *testing.T) *cucmsim.Sim {
	t.Helper()
	sfo, _ := cucmsim.NewCompany(sim.Options{Page: 50})
	return sfo
}

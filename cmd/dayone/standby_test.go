package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	oktasim "github.com/dayone-hq/dayone/connector/okta/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	hrsim "github.com/dayone-hq/dayone/connector/webhook/sim"
	"github.com/dayone-hq/dayone/examples"
	"github.com/dayone-hq/dayone/store/storetest"
)

const standbyPolicy = `
policies:
  - id: everyone
    title: Everyone
    owner: it@company.com
    when: "true"
    grant:
      - {to: okta/account}
      - {to: okta/group:base-employee}
      - {to: okta/group:sales-team}
`

const standbyCatalog = `
systems:
  okta:
    account: {}
    group: {names: [base-employee, sales-team], needs: account}
`

const standbyToken = "the-token-of-a-test"

// cluster is a database that several servers share, with a company around it.
type cluster struct {
	t    *testing.T
	dir  string
	self string
	at   string
	db   *sql.DB
	okta *oktasim.Sim
	hr   *hrsim.Sim

	settings map[string]map[string]string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), at: storetest.Postgres(t), settings: map[string]map[string]string{}}
	var err error
	if c.self, err = exec.LookPath("dayone"); err != nil { // testscript puts this test binary there, under that name
		t.Fatal(err)
	}
	if c.db, err = sql.Open("pgx", c.at); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.db.Close() })
	c.okta = oktasim.New(sim.Options{Latency: 20 * time.Millisecond})
	c.hr = hrsim.New(sim.Options{Names: map[string][]string{}})
	for name, s := range map[string]interface {
		http.Handler
		Settings(base string) map[string]string
	}{"okta": c.okta, "hr": c.hr} {
		srv := httptest.NewServer(s)
		t.Cleanup(srv.Close)
		c.settings[name] = s.Settings(srv.URL)
	}
	for name, text := range map[string]string{"policies/all.yaml": standbyPolicy, "catalog/catalog.yaml": standbyCatalog, "people.yaml": "", "sites.yaml": ""} {
		if text == "" {
			raw, err := examples.Files.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			text = string(raw)
		}
		file := filepath.Join(c.dir, "policy", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// node is one dayone serve.
type node struct {
	*cluster
	url  string
	cmd  *exec.Cmd
	said *bytes.Buffer
	over chan error
}

// serve starts one. All share database, master key and policies.
func (c *cluster) serve(name string, standby bool) *node {
	c.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	listen := l.Addr().String() // free a moment ago
	_ = l.Close()
	text := func(v any) string {
		raw, _ := json.Marshal(v)
		return string(raw)
	}
	config := fmt.Sprintf(`database: %s
standby: %t
lease: 4s
portal: {listen: %q, url: "http://%s", token: %s}
sources: {hr: {connector: webhook, since: "2020-01-01", settings: %s}}
systems: {okta: {connector: okta, concurrency: 3, settings: %s, per_minute: %s}}
`, c.at, standby, listen, listen, standbyToken, text(c.settings["hr"]), text(c.settings["okta"]), text(unhurried("okta")))
	file := filepath.Join(c.dir, name+".yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		c.t.Fatal(err)
	}
	n := &node{cluster: c, url: "http://" + listen, cmd: exec.Command(c.self, "serve", "--config", file), said: &bytes.Buffer{}, over: make(chan error, 1)}
	n.cmd.Stdout, n.cmd.Stderr = n.said, n.said
	if err := n.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() { n.over <- n.cmd.Wait() }()
	c.t.Cleanup(func() {
		_ = n.cmd.Process.Signal(syscall.SIGCONT)
		_ = n.cmd.Process.Kill()
		if c.t.Failed() {
			c.t.Logf("%s said:\n%s", name, n.said.String())
		}
	})
	return n
}

// ask is a request to one of them; 0 is no answer.
func (n *node) ask(method, path string, body []byte, header ...string) (int, string) {
	req, err := http.NewRequest(method, n.url+path, bytes.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Timeout: 5 * time.Second}
	r, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	answer, _ := io.ReadAll(r.Body)
	return r.StatusCode, string(answer)
}

func (n *node) api(path string) (int, string) {
	return n.ask("GET", "/api/v1"+path, nil, "Authorization", "Bearer "+standbyToken)
}

// hires lets HR say that so many people work here.
func (n *node) hires(from, to int) {
	n.t.Helper()
	for i := from; i < to; i++ {
		body := n.hr.Put(map[string]any{
			"employee_id": fmt.Sprint(i), "email": fmt.Sprintf("e%d@company.com", i), "first_name": "Erin", "last_name": fmt.Sprint("No ", i), "employment_type": "FTE",
			"department": "Sales", "job_title": "Rep", "team": "Enterprise", "location": "Berlin", "work_arrangement": "Office",
			"manager_email": "john.doe@company.com", "start_date": time.Now().AddDate(0, 0, -3).Format(time.DateOnly),
		})
		if status, answer := n.ask("POST", "/hooks/hr", body, "X-Signature", hrsim.Sign(body)); status != http.StatusAccepted {
			n.t.Fatalf("HR is answered %d %s", status, answer)
		}
	}
}

// eventually asks for half a minute.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	end, again := time.NewTimer(30*time.Second), time.NewTicker(10*time.Millisecond)
	defer end.Stop()
	defer again.Stop()
	for !ask() {
		select {
		case <-again.C:
		case <-end.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (n *node) ready() bool {
	status, _ := n.ask("GET", "/readyz", nil)
	return status == http.StatusOK
}

func (n *node) standsBy() bool {
	status, answer := n.ask("GET", "/readyz", nil)
	_, leader := n.api("/leader")
	return status == http.StatusServiceUnavailable && strings.Contains(answer, "standby") && strings.Contains(leader, "epoch")
}

func (c *cluster) count(query string) int {
	c.t.Helper()
	var n int
	if err := c.db.QueryRow(query).Scan(&n); err != nil {
		c.t.Fatal(err)
	}
	return n
}

// watchWrites lets the database note which session writes what, and in whose epoch.
func (c *cluster) watchWrites() {
	c.t.Helper()
	for _, q := range []string{
		`CREATE TABLE audit (n BIGSERIAL, pid INTEGER, about TEXT, epoch BIGINT)`,
		`CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit (pid, about, epoch) SELECT pg_backend_pid(), TG_TABLE_NAME, epoch FROM leader; RETURN NULL; END $$`,
	} {
		if _, err := c.db.Exec(q); err != nil {
			c.t.Fatal(err)
		}
	}
	for _, table := range []string{"run", "step", "holding", "record", "person", "event", "task", "secret", "meta"} {
		if _, err := c.db.Exec(`CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON ` + table + ` FOR EACH ROW EXECUTE FUNCTION audited()`); err != nil {
			c.t.Fatal(err)
		}
	}
}

// A leader that is frozen in the middle of its work is followed by the one that stands by. When it thaws it writes nothing
// more and ends; what it was calling is called once more, and does no harm.
func TestAFrozenLeaderIsFollowedAndFenced(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	one := c.serve("one", false)
	eventually(t, "the first server", one.ready)
	c.watchWrites()
	two := c.serve("two", true)
	eventually(t, "the second stands by", two.standsBy)
	if status, _ := two.ask("GET", "/healthz", nil); status != http.StatusOK {
		t.Errorf("/healthz of the standby says %d", status)
	}
	if status, page := two.ask("GET", "/people", nil); status != http.StatusServiceUnavailable || !strings.Contains(page, one.url) {
		t.Errorf("a page of the standby: %d\n%s", status, page)
	}
	if status, _ := two.ask("POST", "/hooks/hr", []byte("{}")); status != http.StatusServiceUnavailable {
		t.Errorf("an event at the standby is answered %d", status)
	}
	if status, answer := two.api("/leader"); status != http.StatusOK || !strings.Contains(answer, `"role":"standby","epoch":1`) || !strings.Contains(answer, one.url) {
		t.Errorf("who leads: %d %s", status, answer)
	}
	const people = 30
	one.hires(0, people)
	eventually(t, "some of the work is done", func() bool { return c.count(`SELECT COUNT(*) FROM step WHERE state = 'done'`) > people/2 })
	if err := one.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	flying := c.count(`SELECT COUNT(*) FROM step WHERE state = 'running'`)
	eventually(t, "the second one leads", two.ready)
	if err := one.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-one.over:
	case <-time.After(20 * time.Second):
		t.Fatal("the displaced server goes on")
	}
	if said := one.said.String(); !strings.Contains(said, "has taken over the database") && !strings.Contains(said, "start again") {
		t.Errorf("the displaced server says\n%s", said)
	}
	if one.cmd.ProcessState.ExitCode() == 0 {
		t.Error("the displaced server ends as if all were well")
	}
	eventually(t, "every run is done", func() bool {
		return c.count(`SELECT COUNT(*) FROM run WHERE state = 'done'`) == people && c.count(`SELECT COUNT(*) FROM run`) == people
	})
	if n := c.count(`SELECT COUNT(*) FROM audit a WHERE epoch > 1 AND EXISTS (SELECT 1 FROM audit b WHERE b.epoch = 1 AND b.pid = a.pid)`); n > 0 {
		t.Errorf("%d rows of the old session after the takeover", n)
	}
	if n := c.count(`SELECT COUNT(*) FROM audit WHERE epoch = 1 AND n > (SELECT MIN(n) FROM audit WHERE epoch = 2)`); n > 0 {
		t.Errorf("%d rows of the old epoch after the takeover", n)
	}
	if c.count(`SELECT COUNT(*) FROM audit WHERE epoch = 2`) == 0 {
		t.Error("the second one had nothing to do: this test shows nothing")
	}
	c.nothingTwice(people, flying)
	if status, answer := two.api("/leader"); status != http.StatusOK || !strings.Contains(answer, `"role":"leader","epoch":2`) {
		t.Errorf("who leads: %d %s", status, answer)
	}
}

// nothingTwice looks at Okta: everybody is there once and whole, and no more was repeated than was under way.
func (c *cluster) nothingTwice(people, flying int) {
	c.t.Helper()
	logins := map[string]int{}
	for _, a := range c.okta.Accounts() {
		logins[a.Login]++
		if slices.Sort(a.Entitlements); !slices.Equal(a.Entitlements, []string{"group:base-employee", "group:sales-team"}) {
			c.t.Errorf("%s has %v", a.Login, a.Entitlements)
		}
	}
	if len(logins) != people {
		c.t.Errorf("%d people have accounts, not %d", len(logins), people)
	}
	for login, n := range logins {
		if n != 1 {
			c.t.Errorf("%s has %d accounts", login, n)
		}
	}
	repeated := c.count(`SELECT COALESCE(SUM(attempt - 1), 0) FROM step`)
	if repeated > flying {
		c.t.Errorf("%d calls were repeated, and %d were under way", repeated, flying)
	}
	if most := c.count(`SELECT MAX(attempt) FROM step`); most > 2 {
		c.t.Errorf("one step was called %d times", most)
	}
}

// A leader that dies is followed at once, without waiting for its lease.
func TestADeadLeaderIsFollowed(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	one := c.serve("one", true) // nobody is there: it leads at once
	eventually(t, "the first server", one.ready)
	two := c.serve("two", true)
	eventually(t, "the second stands by", two.standsBy)
	const people = 20
	one.hires(0, people)
	eventually(t, "some of the work is done", func() bool { return c.count(`SELECT COUNT(*) FROM step WHERE state = 'done'`) > people/2 })
	if err := one.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-one.over
	flying := c.count(`SELECT COUNT(*) FROM step WHERE state = 'running'`)
	eventually(t, "the second one leads", two.ready)
	again := c.serve("one", true)
	eventually(t, "the first stands by now", again.standsBy)
	two.hires(people, people+1)
	eventually(t, "every run is done", func() bool {
		return c.count(`SELECT COUNT(*) FROM run WHERE state = 'done'`) == people+1 && c.count(`SELECT COUNT(*) FROM run`) == people+1
	})
	c.nothingTwice(people+1, flying)
	if err := again.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-again.over; err != nil {
		t.Errorf("a standby that is stopped ends with %v:\n%s", err, again.said)
	}
}

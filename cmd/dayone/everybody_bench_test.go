package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/internal/company"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

const (
	crowdSeed   = 20241122
	crowdPortal = "http://127.0.0.1:18473"
)

// crowdOf is a folder as dayone init makes one, with n people in its database, who have what 300 policies give them, and as
// many records of each.
func crowdOf(b testing.TB, n, records int) string {
	b.Helper()
	dir := os.Getenv("DAYONE_BENCH_FOLDER")
	if dir == "" {
		dir = b.TempDir()
	}
	file := filepath.Join(dir, "dayone.yaml")
	if _, err := os.Stat(file); err == nil {
		return dir
	}
	lay(b, dir, "policy", company.Policies(crowdSeed, 300))
	config := "database: " + crowdDatabase(b) + "\nmaster_key: master.key\npolicy: policy\nportal: {listen: 127.0.0.1:18473, url: \"" + crowdPortal + "\", token: " + standbyToken + ", limits: {session: {per_second: 0}}}\n"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	cfg, err := readConfig(file)
	if err != nil {
		b.Fatal(err)
	}
	s, err := wire(b.Context(), cfg, wiring{clock: clock.System{}})
	if err != nil {
		b.Fatal(err)
	}
	employ(b, s, n, records)
	if err := s.close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

// crowdDatabase is where the company is kept: in SQLite, in a PostgreSQL server of the test's own if DAYONE_BENCH_DATABASE is
// "postgres", or where it says.
func crowdDatabase(b testing.TB) string {
	switch db := os.Getenv("DAYONE_BENCH_DATABASE"); db {
	case "":
		return "sqlite:dayone.db"
	case "postgres":
		return storetest.Postgres(b)
	default:
		return db
	}
}

// lay writes a policy folder.
func lay(b testing.TB, dir, name string, files fs.FS) {
	b.Helper()
	to := filepath.Join(dir, name)
	if err := os.RemoveAll(to); err != nil {
		b.Fatal(err)
	}
	if err := os.CopyFS(to, files); err != nil {
		b.Fatal(err)
	}
}

// employ fills the books: a timeline for everybody, and what policies give her.
func employ(b testing.TB, s *server, n, records int) {
	b.Helper()
	const writers = 64
	set, now := s.flow.Active(), time.Now().Add(-time.Hour)
	var wg sync.WaitGroup
	for first := range writers {
		wg.Go(func() {
			for i := first; i < n; i += writers {
				p := company.Person(crowdSeed, i)
				p.ID = dayone.PersonID(fmt.Sprintf("per_%026d", i))
				e := dayone.Employment{ID: dayone.EngagementID(fmt.Sprintf("eng_%026d", i)), Source: "hr", SourceID: fmt.Sprintf("t%06d", i), Recorded: now}
				facts := []dayone.Fact{{Engagement: e.ID, Attr: "engagement.start", Recorded: now, Value: p.Attrs["start_date"], Source: "hr"}}
				for name, v := range p.Attrs {
					facts = append(facts, dayone.Fact{Engagement: e.ID, Attr: name, Recorded: now, Value: v, Source: "hr"})
				}
				row := store.Row{
					ID: p.ID, Managed: true, Name: p.Name(), Email: p.Attrs.Text("email"), Status: dayone.Working, Manager: p.Attrs.Text("manager"),
					Title: p.Attrs.Text("job_title"), Department: p.Attrs.Text("department"), Team: p.Attrs.Text("team"), Location: p.Attrs.Text("location"),
				}
				if i%500 == 0 { // some are to come
					row.Status, row.Starts = dayone.PreHire, now.AddDate(0, 0, 1+i/500%20)
				}
				if err := s.store.Save(b.Context(), store.Saved{Person: p.ID, New: true, Employment: &e, Row: &row, Facts: facts}); err != nil {
					b.Error(err)
					return
				}
				var has []dayone.Holding
				for _, g := range set.Want(p, policy.Context{Now: now}).Grants {
					has = append(has, dayone.Holding{Item: dayone.Item{Key: g.Key, Ref: "r", State: dayone.Active, Role: g.Role}, Because: g.Because})
				}
				run := dayone.Run{ID: dayone.RunID(fmt.Sprintf("run_%026d", i)), Person: p.ID, Title: "Onboard " + p.Name(), State: dayone.RunDone, Started: now, Ended: now, Plan: dayone.Plan{Person: p.ID}}
				said := make([]dayone.Record, 0, records)
				for r := range min(records, records*len(has)) { // none of somebody who has nothing
					h := has[r%len(has)].Item
					said = append(said, dayone.Record{At: now.Add(time.Duration(r) * time.Second), Person: p.ID, Run: run.ID, What: "granted", System: h.Key.System, Detail: &dayone.Detail{Now: &h}})
				}
				if err := s.store.Commit(b.Context(), []dayone.Progress{{Run: run, New: true, Holdings: has, Records: said}}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkPlanAllCommand is dayone plan --all as somebody types it, a process of its own: without a server, and with one
// that has been asked before. DAYONE_BENCH_PEOPLE says for how many people, 5,000 if it does not; DAYONE_BENCH_FOLDER keeps
// what was filled for the next time.
func BenchmarkPlanAllCommand(b *testing.B) {
	n := 5_000
	if s := os.Getenv("DAYONE_BENCH_PEOPLE"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	self, err := exec.LookPath("dayone") // testscript puts this test binary there, under that name
	if err != nil {
		b.Fatal(err)
	}
	dir := crowdOf(b, n, 0)
	changed := func(name, more string, other ...string) fs.FS {
		next := company.Policies(crowdSeed, 300)
		next[name].Data = []byte(strings.NewReplacer(other...).Replace(string(next[name].Data)) + more)
		return next
	}
	for _, c := range []struct {
		name  string
		files fs.FS
	}{
		{"one-policy", changed("policies/p00.yaml", company.Policy("new", company.Condition(crowdSeed, 9000), company.Grants(crowdSeed, 9000)))},
		{"base-policy", changed("policies/p00.yaml", company.Policy("new", "true", []dayone.Key{company.Key(1)}))},
		{"attributes", changed("people.yaml", "", "hr.level", "hr.grade")},
	} {
		lay(b, dir, "policy", c.files)
		b.Run(c.name+"/alone", func(b *testing.B) {
			plansAll(b, self, dir, "--offline", "--out", filepath.Join(b.TempDir(), "plan.json"))
		})
		b.Run(c.name+"/asks", func(b *testing.B) {
			_, peak := servesAll(b, self, dir)
			plansAll(b, self, dir) // the first one after a start reads everybody
			b.ResetTimer()
			plansAll(b, self, dir, "--out", filepath.Join(b.TempDir(), "plan.json"))
			b.ReportMetric(peak(), "server-peakMB")
		})
	}
}

// servesAll starts the server of a folder; stop ends it, and says how much memory it took at most.
func servesAll(b *testing.B, self, dir string) (pid int, stop func() float64) {
	cmd := exec.Command(self, "serve")
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	over := false
	stop = func() float64 {
		if over {
			return 0
		}
		over = true
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		return float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024
	}
	b.Cleanup(func() { stop() })
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-again.C {
		if r, err := http.Get(crowdPortal + "/healthz"); err == nil {
			_ = r.Body.Close()
			return cmd.Process.Pid, stop
		}
	}
	b.Fatalf("the server does not come up:\n%s", said.String())
	return 0, nil
}

// plansAll runs the command, and says how much memory it took at most.
func plansAll(b *testing.B, self, dir string, more ...string) {
	most, spent := int64(0), time.Duration(0)
	for range b.N {
		cmd := exec.Command(self, append([]string{"plan", "--all"}, more...)...)
		cmd.Dir = dir
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); cmd.ProcessState.ExitCode() > exitChanges {
			b.Fatalf("%v\n%s", err, out.String())
		}
		most = max(most, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
		spent += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	b.ReportMetric(spent.Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(most)/1024, "peakMB")
}

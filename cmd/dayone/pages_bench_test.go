package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/internal/company"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
)

// pagesOf are the pages that people open, by what they are called. {person} and {run} stand for one of them.
var pagesOf = []struct{ name, path string }{
	{"dashboard", "/"},
	{"people", "/people"},
	{"people-search", "/people?q=smith"},
	{"people-nobody", "/people?q=zzzyx"},
	{"people-leave", "/people?status=pre-hire"},
	{"people-later", "/people?{next}"},
	{"people-sorted", "/people?sort=-starts"},
	{"person", "/people/{person}"},
	{"person-timeline", "/people/{person}/timeline"},
	{"person-runs", "/people/{person}/runs"},
	{"person-records", "/people/{person}/records"},
	{"find", "/find?q=smi"},
	{"onboard", "/onboard"},
	{"onboard-search", "/onboard?q=smi"},
	{"onboard-person", "/onboard/{person}"},
	{"runs", "/runs"},
	{"run", "/runs/{run}"},
	{"run-records", "/runs/{run}/records"},
	{"records", "/records"},
	{"events", "/events"},
	{"tasks", "/tasks"},
	{"approvals", "/approvals"},
	{"brakes", "/brakes"},
	{"matches", "/matches"},
	{"alerts", "/alerts"},
	{"policies", "/policies"},
	{"policy-people", "/policies/policy-0001/people"},
	{"products", "/products"},
	{"systems", "/systems"},
	{"system", "/systems/sys01"},
	{"drift", "/drift"},
	{"drift-system", "/drift?system=sys01"},
	{"effort", "/settings/effort"},
	{"numbers", "/numbers"},
	{"sessions", "/sessions"},
}

// pagesOfManager are those that a manager opens, for whom a few things wait among those that wait for others.
var pagesOfManager = []struct{ name, path string }{
	{"manager-dashboard", "/"},
	{"me", "/me"},
	{"team", "/team"},
}

// BenchmarkPages opens each page of the portal of a large company: each op is one answer, with two who ask at once. It says
// the median, the 95th of 100 answers, and how much goes over the wire. BenchmarkPages/idle and /watched say how much memory
// the server takes after its start, and with 500 pages of runs open. DAYONE_BENCH_PEOPLE says how many people there are,
// 2,000 if it does not, each with 24 holdings and 50 records; 3,000 approvals and as many tasks wait for others than who asks; DAYONE_BENCH_FOLDER keeps what was filled for the next time, and
// DAYONE_BENCH_DATABASE=postgres keeps the books in PostgreSQL.
func BenchmarkPages(b *testing.B) {
	n := 2_000
	if s := os.Getenv("DAYONE_BENCH_PEOPLE"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	self, err := exec.LookPath("dayone")
	if err != nil {
		b.Fatal(err)
	}
	dir := crowdOf(b, n, 50)
	goOn(b, dir, pagesWatched)
	waitFor(b, dir, n)
	pid, stop := servesAll(b, self, dir)
	defer stop()
	atRest(b, pid)
	<-time.After(3 * restLook) // a minute of the start, one of nothing; by then it has given back what it does not need
	atRest(b, pid)
	idle := resident(b, pid)
	b.Run("idle", func(b *testing.B) {
		b.ReportMetric(idle, "MB")
		b.ReportMetric(0, "ns/op")
	})
	visitor := administrator(b)
	b.Run("watched", func(b *testing.B) {
		ctx, leave := context.WithCancel(b.Context())
		defer leave()
		for i := range pagesWatched {
			r := ask(b, visitor, ctx, "/runs/"+waitingRun(i)+"/events")
			if r.StatusCode != http.StatusOK {
				b.Fatalf("a page that is watched answers %s", r.Status)
			}
			defer r.Body.Close()
		}
		b.ReportMetric(resident(b, pid), "MB")
		b.ReportMetric(resident(b, pid)-idle, "more-MB")
		b.ReportMetric(0, "ns/op")
	})
	names := strings.NewReplacer("{person}", fmt.Sprintf("per_%026d", n/2), "{run}", fmt.Sprintf("run_%026d", n/2), "{next}", strings.TrimPrefix(nextOf(b, visitor), "/people?"))
	for _, p := range pagesOf {
		b.Run(p.name, func(b *testing.B) { opens(b, visitor, names.Replace(p.path)) })
	}
	manager := signedIn(b, url.Values{"by": {"password"}, "name": {managerOf}, "password": {managerPassword}})
	for _, p := range pagesOfManager {
		b.Run(p.name, func(b *testing.B) { opens(b, manager, p.path) })
	}
}

// opens says how long those who ask for a page wait, and how much goes over the wire.
func opens(b *testing.B, c *http.Client, path string) {
	wire, page := visit(b, c, path)
	if page == 0 {
		b.Fatalf("%s shows nothing", path)
	}
	var took []time.Duration
	for b.Loop() {
		took = slices.Concat(took, together(b, c, path))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(wire)/1024, "wire-KB")
	b.ReportMetric(0, "ns/op")
}

// pagesWatched is how many pages of runs are open at once.
const pagesWatched = 500

func waitingRun(i int) string { return fmt.Sprintf("run_1%025d", i) }

// goOn makes runs that wait for somebody, so that their pages stay open.
func goOn(b *testing.B, dir string, n int) {
	b.Helper()
	cfg, err := readConfig(filepath.Join(dir, "dayone.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	s, err := wire(b.Context(), cfg, wiring{clock: clock.System{}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.close()
	if _, err := s.store.Run(b.Context(), dayone.RunID(waitingRun(0))); err == nil {
		return // kept from the last time
	}
	key := company.Key(1)
	for i := range n {
		r := dayone.Run{ID: dayone.RunID(waitingRun(i)), Person: dayone.PersonID(fmt.Sprintf("per_%026d", i)), Title: "Move", State: dayone.RunWaiting, Started: time.Now()}
		step := dayone.Step{ID: "one", Key: key, Action: dayone.EntitlementAdd, Once: waitingRun(i)}
		r.Plan = dayone.Plan{Person: r.Person, Steps: []dayone.Step{step}}
		waits := dayone.StepChange{StepRun: dayone.StepRun{Step: step, State: dayone.StepWaiting, Started: r.Started, Wait: &dayone.Wait{Kind: dayone.WaitTask}}}
		if err := s.store.Commit(b.Context(), []dayone.Progress{{Run: r, New: true, Steps: []dayone.StepChange{waits}}}); err != nil {
			b.Fatal(err)
		}
	}
}

// A manager of eight people of the company signs in by a password.
const (
	managerOf       = "p5@example.com"
	managerPassword = "a password of a benchmark"
)

// waitFor lets a manager sign in, for whom little waits, while much waits for others.
func waitFor(b *testing.B, dir string, n int) {
	b.Helper()
	const most, hers = 3000, 5
	cfg, err := readConfig(filepath.Join(dir, "dayone.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	s, err := wire(b.Context(), cfg, wiring{clock: clock.System{}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.close()
	if _, err := s.store.LocalLogin(b.Context()); err == nil {
		return // kept from the last time
	}
	now := time.Now()
	soon := now.AddDate(1, 0, 0)
	var asked []dayone.Petition
	var wg sync.WaitGroup
	for i := range most + hers {
		who, of := managerOf, dayone.PersonID(fmt.Sprintf("per_%026d", i%n))
		if i >= hers {
			who = fmt.Sprintf("p%d@example.com", 10+i%90)
		}
		asked = append(asked, dayone.Petition{
			ID: dayone.ApprovalID(fmt.Sprintf("apr_%026d", i)), Person: of, Key: company.Key(i % company.Entitlements), Once: fmt.Sprint("asked ", i), State: dayone.ApprovalOpen,
			Opened: now, Asked: now, Due: soon, Deciders: []dayone.Decider{{Mail: who, As: "manager", Why: "manager"}},
		})
		wg.Go(func() {
			t := dayone.Task{ID: dayone.TaskID(fmt.Sprintf("tsk_%026d", i)), Person: of, Once: fmt.Sprint("given ", i), Title: "See to it", Opened: now, Due: soon, Remind: soon, Assignee: who}
			if err := s.store.OpenTask(b.Context(), t); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	if err := s.store.AskApprovals(b.Context(), asked); err != nil {
		b.Fatal(err)
	}
	if err := s.store.SetUp(b.Context(), store.LocalLogin{Name: managerOf, Hash: secret.HashPassword(dayone.NewSecret(managerPassword)), Made: now}, now); err != nil {
		b.Fatal(err)
	}
}

// together is how long each of two who ask at once waits for the same page.
func together(b *testing.B, c *http.Client, path string) []time.Duration {
	out := make([]time.Duration, 2)
	done := make(chan struct{})
	for i := range out {
		go func() {
			defer func() { done <- struct{}{} }()
			began := time.Now()
			visit(b, c, path)
			out[i] = time.Since(began)
		}()
	}
	for range out {
		<-done
	}
	return out
}

// administrator is somebody who has signed in, and is sent nowhere else.
func administrator(b *testing.B) *http.Client {
	b.Helper()
	return signedIn(b, url.Values{"token": {standbyToken}})
}

// signedIn is whoever fills in the form of the login page so.
func signedIn(b *testing.B, form url.Values) *http.Client {
	b.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	c := &http.Client{Jar: jar, Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 8}}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r, err := c.PostForm(crowdPortal+"/login", form)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusSeeOther {
		b.Fatalf("nobody can sign in: %s", r.Status)
	}
	return c
}

// ask opens a page as a browser of the administrator does.
func ask(b *testing.B, c *http.Client, ctx context.Context, path string) *http.Response {
	b.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, crowdPortal+path, nil)
	if err != nil {
		b.Error(err)
		return &http.Response{Body: http.NoBody}
	}
	r.Header.Set("Accept-Encoding", "gzip")
	if strings.HasSuffix(path, "/events") && strings.HasPrefix(path, "/runs/") {
		r.Header.Set("Accept", "text/event-stream")
	}
	out, err := c.Do(r)
	if err != nil {
		b.Error(err)
		return &http.Response{Body: http.NoBody}
	}
	return out
}

// visit reads a page to its end, and says how long it is over the wire and unpacked; 0, 0: it is not shown.
func visit(b *testing.B, c *http.Client, path string) (wire, page int64) {
	b.Helper()
	r := ask(b, c, b.Context(), path)
	defer r.Body.Close()
	counted := &counter{r: r.Body}
	body, err := unpacked(r, counted)
	if err != nil {
		b.Error(err)
		return 0, 0
	}
	page, err = io.Copy(io.Discard, body)
	if err != nil || r.StatusCode != http.StatusOK {
		b.Errorf("%s answers %s, %v", path, r.Status, err)
		return 0, 0
	}
	return counted.n, page
}

// unpacked is a body as it was before it went over the wire.
func unpacked(r *http.Response, body io.Reader) (io.Reader, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return body, nil
	}
	return gzip.NewReader(body)
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

var laterPage = regexp.MustCompile(`href="(/people\?[^"]*after=[^"]*)"`)

// nextOf is where the second page of people is.
func nextOf(b *testing.B, c *http.Client) string {
	b.Helper()
	r := ask(b, c, b.Context(), "/people")
	defer r.Body.Close()
	body, err := unpacked(r, r.Body)
	if err != nil {
		b.Fatal(err)
	}
	page, err := io.ReadAll(body)
	if err != nil {
		b.Fatal(err)
	}
	found := laterPage.FindSubmatch(page)
	if found == nil {
		b.Fatal("the list of people has no second page")
	}
	return strings.ReplaceAll(string(found[1]), "&amp;", "&")
}

// atRest waits until a server has done what a start needs: until it took next to no processor time for two seconds.
func atRest(b *testing.B, pid int) {
	b.Helper()
	took := func() int {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			b.Skip("how much processor time a process takes is read from /proc, as Linux has it")
		}
		f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		user, _ := strconv.Atoi(f[11])
		system, _ := strconv.Atoi(f[12])
		return user + system
	}
	again := time.NewTicker(2 * time.Second)
	defer again.Stop()
	for was, end := took(), time.Now().Add(5*time.Minute); time.Now().Before(end); {
		<-again.C
		is := took()
		if is-was <= 4 { // hundredths of a second
			return
		}
		was = is
	}
	b.Fatal("the server does not come to rest")
}

var residentLine = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// resident is how many MB of memory a process takes now.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skip("how much memory a process takes is read from /proc, as Linux has it")
	}
	found := residentLine.FindSubmatch(text)
	if found == nil {
		b.Fatalf("it is not said how much memory the server takes: %s", text)
	}
	kb, err := strconv.Atoi(string(found[1]))
	if err != nil {
		b.Fatal(err)
	}
	return float64(kb) / 1024
}

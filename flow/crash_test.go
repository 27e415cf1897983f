package flow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/connector/sim"
	hrsim "github.com/dayone-hq/dayone/connector/webhook/sim"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/ledger"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

// The crash harness: one story is lived by a process of its own, which kills itself (SIGKILL, nothing is put in order) at
// one point, is started again, and must end as a life that nobody disturbed. Points are found by counting and not by
// naming, so a new write or a new call is one more point by itself:
//
//   - before each commit of the store, and after it, before anybody knows;
//   - around each step's call, before the connector is asked and after it has answered;
//   - around each HTTP request that a connector makes: before it leaves, when it has left and the vendor is at it, and when
//     the answer is here and nobody has read it.
//
// Between two such points nothing of the process outlives it, so dying there is dying at the point before.

// fullSweep names the variable that lets every point be tried, and a second death after the first.
const fullSweep = "DAYONE_CRASH"

// lifeSpec is what a process is told that lives a story.
type lifeSpec struct {
	At     string
	Master []byte
	Setups map[string]map[string]string
	Now    time.Time
	Body   []byte       // what HR says
	After  dayone.RunID // the run before the story; "": none
	Kill   int64        // at the nth point; 0: never
}

// lifeEnd is how a story ended, in what two lives can be compared by.
type lifeEnd struct {
	Points   int64
	Person   dayone.PersonID
	Runs     []string
	Holdings []string
	Records  []string
	Tasks    int
	Ledger   string // what is wrong with it
}

const lifeIs = "DAYONE_LIFE"

// points counts, and kills at one of them.
type points struct {
	seen atomic.Int64
	kill int64
}

func (p *points) pass() {
	if p.seen.Add(1) == p.kill {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // it comes at once, but not within the call
	}
}

// RoundTrip makes the points around a request.
func (p *points) RoundTrip(r *http.Request) (*http.Response, error) {
	p.pass()
	sent := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { p.pass() }}
	res, err := http.DefaultTransport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), sent)))
	p.pass()
	return res, err
}

// watched is a system with points around each call.
type watched struct {
	engine.Target
	*points
}

func (w watched) Apply(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	w.pass()
	res, err := w.Target.Apply(ctx, a)
	w.pass()
	return res, err
}

// TestLife is a life in a process of its own; the harness starts it. By itself it is nothing.
func TestLife(t *testing.T) {
	raw := os.Getenv(lifeIs)
	if raw == "" {
		return
	}
	var s lifeSpec
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		t.Fatal(err)
	}
	p := &points{kill: s.Kill}
	w := &world{t: t, at: s.At, master: s.Master, clock: clock.NewMoved(s.Now), setups: s.Setups, transport: p}
	w.lead = store.Lead{Waits: func(store.Leader, error) {}} // PostgreSQL may take a moment to see that the life before is over
	w.files = w.folder(housePolicy)
	w.wired = func(db *store.DB, d *engine.Driver) {
		db.Committing, db.Committed = p.pass, func(int) { p.pass() }
		target := d.Target
		d.Target = func(system string) (engine.Target, bool) {
			t, ok := target(system)
			return watched{t, p}, ok
		}
	}
	h := w.open()
	got, err := h.Receive(t.Context(), "hr", http.Header{"X-Signature": {hrsim.Sign(s.Body)}}, s.Body) // HR says it again until it is answered
	if err != nil {
		t.Fatal(err)
	}
	in := h.looked(got[0].ID)
	h.rests(in.Person, s.After)
	until(h, "nobody is to be looked at", func() (bool, bool) {
		due, err := h.Store.Due(t.Context(), h.Now(), 1)
		return true, err == nil && len(due) == 0
	})
	until(h, "what a leaver looked after is handed over", func() (bool, bool) { // an errand beside the run
		next, err := h.Store.NextSuccession(t.Context())
		return true, err == nil && (next.IsZero() || next.After(h.Now()))
	})
	end := h.end(in.Person)
	h.stop()
	end.Points = p.seen.Load()
	out, err := json.Marshal(end)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\n%s%s\n", lifeIs, out)
}

// end is what is so now.
func (h *house) end(person dayone.PersonID) lifeEnd {
	ctx, e := context.Background(), lifeEnd{Person: person}
	fail := func(err error) {
		if err != nil {
			h.t.Fatal(err)
		}
	}
	heads, err := h.Runs(ctx, flow.RunFilter{})
	fail(err)
	for _, head := range slices.Backward(heads) {
		r, err := h.RunOf(ctx, head.ID)
		fail(err)
		text := fmt.Sprint(r.Title, " is ", r.State, ":")
		for _, s := range r.Steps {
			text += fmt.Sprintf(" %s %s,", s.Step.ID, s.State)
		}
		e.Runs = append(e.Runs, text)
	}
	have, err := h.Store.Holdings(ctx, person, true)
	fail(err)
	for _, x := range have {
		if strings.HasPrefix(x.Key.Kind, "message") {
			x.Ref = "" // made from her id, which is another one in each life
		}
		if x.Key.System == "gitlab" && x.Key.IsAccount() {
			x.Ours = false // it tells no time of birth: one that a repeated call finds counts as adopted, and is never deleted
		}
		e.Holdings = append(e.Holdings, fmt.Sprint(x.Key, " ", x.Ref, " ", x.State, " ", x.Role, " ", x.Ours))
	}
	lines, err := h.Store.Records(ctx, store.RecordFilter{Limit: 10_000})
	fail(err)
	for _, l := range lines {
		e.Records = append(e.Records, fmt.Sprint(l.What, " ", l.System))
	}
	slices.Sort(e.Records)
	tasks, err := h.Store.Tasks(ctx, "", "")
	fail(err)
	e.Tasks = len(tasks)
	var v ledger.Verifier
	for l, err := range h.Store.Ledger(ctx) {
		fail(err)
		if err := v.Next(l.Seq, l.Leaf, l.Chain); err != nil {
			e.Ledger = err.Error()
			break
		}
	}
	if v.Lines() != int64(len(lines)) && e.Ledger == "" {
		e.Ledger = fmt.Sprintf("%d lines of %d follow from each other", v.Lines(), len(lines))
	}
	return e
}

// outside is what the systems show in the end, and what they were asked to make on the way.
type outside struct {
	accounts string
	made     map[string]int // creating requests that were carried out, by address
	mails    []string       // to whom and about what, each Message-ID once
}

func (w *world) outside() outside {
	o := outside{made: map[string]int{}}
	for _, name := range []string{"okta", "gitlab"} {
		s := map[string]sim.Simulator{"okta": w.okta, "gitlab": w.gitlab}[name]
		all := s.Accounts()
		slices.SortFunc(all, func(a, b sim.Account) int { return strings.Compare(a.Login, b.Login) })
		for i := range all {
			slices.Sort(all[i].Entitlements)
			all[i].Created = time.Time{}
		}
		raw, _ := json.Marshal(all)
		o.accounts += name + string(raw)
		for _, r := range s.Door().Requests() {
			if r.Method == http.MethodPost && r.Status/100 == 2 && !strings.Contains(r.Path, "token") {
				o.made[name+" "+r.Path]++
			}
		}
	}
	seen := map[string]bool{}
	for _, m := range w.mail.Messages() {
		if !seen[m.ID] {
			seen[m.ID] = true
			o.mails = append(o.mails, fmt.Sprint(m.To, " ", m.Subject))
		}
	}
	slices.Sort(o.mails)
	return o
}

// story is something that happens to one person.
type story struct {
	name   string
	before map[string]any // who works here already; nil: nobody
	then   map[string]any // what HR has of her next
}

var stories = []story{
	{"joiner", nil, employee("1", "start_date", here)},
	{"mover", employee("1", "start_date", here), employee("1", "start_date", here, "department", "Sales")},
	{"leaver", employee("1", "start_date", here), employee("1", "start_date", here, "end_date", "2024-11-14")},
}

// live lives a story, dying at these points one life after the other.
func (s story) live(t *testing.T, at func(testing.TB) string, kills ...int64) (lifeEnd, outside) {
	t.Helper()
	w := newWorld(t)
	w.at = at(t)
	spec := lifeSpec{At: w.at, Master: w.master, Setups: w.setups}
	if s.before != nil {
		h := w.open()
		_, r := h.hires(s.before)
		spec.After = r.ID
		h.stop()
	}
	spec.Body, spec.Now = w.hr.Put(s.then), w.clock.Now()
	for _, spec.Kill = range append(kills, 0) {
		raw, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestLife$", "-test.timeout=50s")
		c.Env = append(os.Environ(), lifeIs+"="+string(raw))
		var said bytes.Buffer
		c.Stdout, c.Stderr = &said, &said
		err = c.Run()
		cancel()
		var ended *exec.ExitError
		if errors.As(err, &ended) && ended.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL && spec.Kill > 0 {
			spec.Now = w.clock.Now()
			continue
		}
		if err != nil {
			t.Fatalf("killed at %v, it ends with %v\n%s", kills, err, said.String())
		}
		_, after, _ := strings.Cut(said.String(), "\n"+lifeIs)
		line, _, _ := strings.Cut(after, "\n")
		var end lifeEnd
		if err := json.Unmarshal([]byte(line), &end); err != nil {
			t.Fatalf("it says %v\n%s", err, said.String())
		}
		return end, w.outside() // of a later life than planned, if there were fewer points
	}
	panic("unreachable")
}

// lasting are the records as they are however often a life was cut short: a call that is repeated may say so, and what it
// then finds done it calls so already, since nobody can know any more who did it.
func (e lifeEnd) lasting() []string {
	var out []string
	for _, r := range e.Records {
		if !strings.HasPrefix(r, "retrying") {
			out = append(out, strings.Replace(r, "already so", "changed", 1))
		}
	}
	slices.Sort(out)
	return out
}

func differs(t *testing.T, what string, got, want any) {
	t.Helper()
	a, _ := json.MarshalIndent(got, "", " ")
	b, _ := json.MarshalIndent(want, "", " ")
	if !bytes.Equal(a, b) {
		t.Errorf("%s: got %s\nwant %s", what, a, b)
	}
}

// sweep kills a story at so many of its points, spread over all of them; all if most is 0.
func (s story) sweep(t *testing.T, at func(testing.TB) string, most int) {
	want, shown := s.live(t, at)
	if want.Ledger != "" || want.Points < 20 {
		t.Fatalf("undisturbed it has %d points, and of the ledger it says %q", want.Points, want.Ledger)
	}
	var tries [][]int64
	if most == 0 {
		for n := int64(1); n <= want.Points; n++ {
			tries = append(tries, []int64{n}, []int64{n, 1 + (n*7)%want.Points})
		}
	} else {
		for i := range int64(most) { // another point of each stretch each time: many runs see all of them
			from, to := 1+want.Points*i/int64(most), 1+want.Points*(i+1)/int64(most)
			tries = append(tries, []int64{from + rand.Int64N(max(1, to-from))})
		}
	}
	t.Logf("%d points, %d lives cut short", want.Points, len(tries))
	slots := make(chan struct{}, 3)
	var all sync.WaitGroup
	for _, kills := range tries {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			t.Run(fmt.Sprint("killed at ", kills), func(t *testing.T) {
				end, out := s.live(t, at, kills...)
				differs(t, "runs", end.Runs, want.Runs)
				differs(t, "holdings", end.Holdings, want.Holdings)
				differs(t, "records", end.lasting(), want.lasting())
				differs(t, "tasks", end.Tasks, want.Tasks)
				differs(t, "the ledger", end.Ledger, want.Ledger)
				differs(t, "accounts", out.accounts, shown.accounts)
				differs(t, "what was made", out.made, shown.made)
				differs(t, "mails", out.mails, shown.mails)
			})
		})
	}
	all.Wait()
}

// Whoever dies anywhere, on the way in, across or out, leaves what one leaves who was left in peace.
func TestKilledAnywhere(t *testing.T) {
	most := 14
	if os.Getenv(fullSweep) != "" {
		most = 0
	}
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.sweep(t, func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "dayone.db") }, most)
		})
	}
}

func TestKilledAnywhereOnPostgres(t *testing.T) {
	t.Parallel()
	storetest.Postgres(t) // skips here, once, where there is none
	most := 4
	if os.Getenv(fullSweep) != "" {
		most = 0
	}
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.sweep(t, storetest.Postgres, most)
		})
	}
}

package web_test

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/internal/company"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/web"
)

// BenchmarkJudge is a key pressed in the browser's editor, from the request to the answer: one policy of 300 is edited, and
// its faults and its impact on everybody are shown. Each edit is another text. DAYONE_BENCH_PEOPLE says how many people
// there are; 20,000 if it does not.
func BenchmarkJudge(b *testing.B) {
	n := 20_000
	if s := os.Getenv("DAYONE_BENCH_PEOPLE"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	const seed = 20241122
	files := company.Policies(seed, 300)
	f := populated(b, files, seed, n)
	handler := web.New(f, web.Options{Base: "http://localhost", Open: true})
	const name = "policies/p00.yaml"
	text := string(files[name].Data)
	edit := 0
	judge := func() string {
		edit++
		draft := text + company.Policy("edited", company.Condition(seed, 5000+edit), company.Grants(seed, 5000+edit))
		req := httptest.NewRequest(http.MethodPost, "http://localhost/policies/judge", strings.NewReader(url.Values{"file": {name}, "text": {draft}}.Encode()))
		req.RemoteAddr = "127.0.0.1:4711"
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		if w.Code != http.StatusOK {
			b.Fatalf("%d: %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	began := time.Now()
	if first := judge(); !strings.Contains(first, "to grant") {
		b.Fatalf("no impact: %s", first)
	}
	filled := time.Since(began) // everybody is read once
	runtime.GC()
	var took []time.Duration
	b.ResetTimer()
	for b.Loop() {
		at := time.Now()
		judge()
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "ms/p95")
	b.ReportMetric(filled.Seconds(), "s/first")
	b.ReportMetric(float64(n), "people")
}

// populated is a flow with a company of so many people in its database.
func populated(b *testing.B, files fs.FS, seed uint64, n int) *flow.Flow {
	b.Helper()
	set, diags := policy.Load(files, nil)
	if set == nil {
		b.Fatal(diags)
	}
	master := make([]byte, 32)
	_, _ = rand.Read(master)
	keeper, err := secret.New(master, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	now := clock.System{}
	ids := dayone.NewIDs(now.Now, rand.Reader)
	db, err := store.Open(b.Context(), "sqlite:"+b.TempDir()+"/dayone.db", flow.Sealer{Keeper: keeper, Random: rand.Reader}, now.Now, ids)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	f := flow.New(flow.Deps{
		Store: db, Engine: &engine.Driver{Store: db, Clock: now, Keeper: keeper, Config: engine.DefaultConfig}, Clock: now, IDs: ids, Keeper: keeper, Policy: set, Files: files,
		Load: func(fsys fs.FS) (*policy.Set, []policy.Diagnostic) { return policy.Load(fsys, nil) }, Log: slog.New(slog.DiscardHandler),
	})
	if err := f.OpenPolicies(b.Context(), true); err != nil {
		b.Fatal(err)
	}
	const writers = 64
	at := now.Now()
	var wg sync.WaitGroup
	for first := range writers {
		wg.Go(func() {
			for i := first; i < n; i += writers {
				p := company.Person(seed, i)
				p.ID = dayone.PersonID(fmt.Sprintf("per_%026d", i))
				e := dayone.Employment{ID: dayone.EngagementID(fmt.Sprintf("eng_%026d", i)), Source: "hr", SourceID: fmt.Sprintf("t%06d", i), Recorded: at}
				facts := []dayone.Fact{{Engagement: e.ID, Attr: "engagement.start", Recorded: at, Value: p.Attrs["start_date"], Source: "hr"}}
				for name, v := range p.Attrs {
					facts = append(facts, dayone.Fact{Engagement: e.ID, Attr: name, Recorded: at, Value: v, Source: "hr"})
				}
				row := store.Row{ID: p.ID, Managed: true, Name: p.Name(), Email: p.Attrs.Text("email"), Status: dayone.Working}
				if err := db.Save(b.Context(), store.Saved{Person: p.ID, New: true, Employment: &e, Row: &row, Facts: facts}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return f
}

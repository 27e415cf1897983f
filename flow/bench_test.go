package flow_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	hrsim "github.com/dayone-hq/dayone/connector/webhook/sim"
	"github.com/dayone-hq/dayone/store"
)

// townsfolk puts n people into the books as an import does, many at a time.
func townsfolk(b *testing.B, h *house, n int) {
	b.Helper()
	const writers = 64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; i < n; i += writers {
				p := dayone.PersonID(fmt.Sprintf("per_%026d", i))
				e := dayone.Employment{ID: dayone.EngagementID(fmt.Sprintf("eng_%026d", i)), Source: "hr", SourceID: fmt.Sprintf("t%06d", i), Recorded: begin}
				fact := func(attr, v string) dayone.Fact {
					return dayone.Fact{Engagement: e.ID, Attr: attr, Recorded: begin, Value: dayone.Text(v), Source: "hr"}
				}
				row := store.Row{ID: p, Name: fmt.Sprintf("Person %d", i), Email: fmt.Sprintf("t%06d@company.com", i), Department: "Sales", Location: "Berlin", Status: dayone.Working}
				err := h.Store.Save(ctx, store.Saved{Person: p, New: true, Employment: &e, Row: &row, Facts: []dayone.Fact{
					fact("engagement.start", "2020-01-01"), fact("email", row.Email), fact("department", "Sales"), fact("location", "Berlin"),
				}})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func said(n int) ([]byte, http.Header) {
	body := fmt.Appendf(nil, `{"event_type":"employee.updated","event_id":"evt_%08d","timestamp":"2024-11-15T15:00:00Z","data":{"employee_id":"t%06d","department":"Sales","location":"Berlin","start_date":"2020-01-01"}}`, n, n%100_000)
	return body, http.Header{"X-Signature": {hrsim.Sign(body)}}
}

// quiet is a house whose HR system has no API: the webhook's fields count, and nobody is called.
func quiet(b *testing.B) *house {
	w := newWorld(b)
	w.setups["hr"] = map[string]string{"secret": w.setups["hr"]["secret"], "prefix": "sha256="}
	return w.open()
}

// BenchmarkReceive measures events a second that are durable before they are answered, 256 callers at a time, and in the
// same process a floor that only inserts the same rows, in commits of the same size.
func BenchmarkReceive(b *testing.B) {
	const callers, events = 256, 20_000
	h := quiet(b)
	h.stopRun() // what becomes of events is another matter
	commits, written := 0, 0
	h.Store.Committed = func(n int) { commits++; written += n }
	total, n := 0, 0
	var took time.Duration
	type letter struct {
		body   []byte
		header http.Header
	}
	for b.Loop() {
		letters := make([]letter, events)
		for i := range letters {
			letters[i].body, letters[i].header = said(n*events + i)
		}
		began := time.Now()
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for i := c; i < events; i += callers {
					body, header := letters[i].body, letters[i].header
					if _, err := h.Receive(ctx, "hr", header, body); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		took += time.Since(began)
		total += events
		n++
	}
	body, _ := said(0)
	ours, floor := float64(total)/took.Seconds(), insertFloor(b, events, max(1, written/commits), len(body)*4/3+40)
	b.ReportMetric(ours, "events/s")
	b.ReportMetric(floor, "floor-events/s")
	b.ReportMetric(ours/floor, "of-floor")
	b.ReportMetric(float64(written)/float64(commits), "events/commit")
}

// insertFloor is how fast one connection inserts rows of that size with the indexes that the table event has.
func insertFloor(b *testing.B, events, perCommit, size int) float64 {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "floor.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	must := func(_ sql.Result, err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	must(conn.ExecContext(ctx, `CREATE TABLE event (id TEXT PRIMARY KEY, source TEXT, source_id TEXT, type TEXT, subject TEXT, at BIGINT, received BIGINT, state TEXT, next BIGINT, body_hash TEXT, body TEXT)`))
	must(conn.ExecContext(ctx, `CREATE UNIQUE INDEX a ON event (source, source_id)`))
	must(conn.ExecContext(ctx, `CREATE INDEX b ON event (source, subject, id)`))
	must(conn.ExecContext(ctx, `CREATE INDEX c ON event (source, next, id) WHERE state = 'received'`))
	must(conn.ExecContext(ctx, `CREATE INDEX d ON event (type, id)`)) // the real one is by person
	st, err := conn.PrepareContext(ctx, `INSERT INTO event VALUES (?, 'hr', ?, 'updated', ?, 1, 1, 'received', 0, ?, ?)`)
	if err != nil {
		b.Fatal(err)
	}
	body, hash := strings.Repeat("x", size), strings.Repeat("x", 64)
	began := time.Now()
	for i := 0; i < events; {
		must(conn.ExecContext(ctx, "BEGIN"))
		for range min(perCommit, events-i) {
			must(st.Exec(fmt.Sprintf("evt_%026d", i), fmt.Sprintf("evt_%08d", i), fmt.Sprintf("t%06d", i), hash, body))
			i++
		}
		must(conn.ExecContext(ctx, "COMMIT"))
	}
	return float64(events) / time.Since(began).Seconds()
}

// BenchmarkReceivePaced answers 200 events a second, on time, while they are looked at and 100,000 people are in the books.
func BenchmarkReceivePaced(b *testing.B) {
	const rate, events = 200, 2000
	h := quiet(b)
	townsfolk(b, h, 100_000)
	if _, err := h.People(ctx, store.PeopleFilter{Limit: 1}); err != nil {
		b.Fatal(err)
	}
	n := 0
	var lags []time.Duration
	for b.Loop() {
		var mu sync.Mutex
		var wg sync.WaitGroup
		t := time.NewTicker(time.Second / rate)
		for range events {
			due := <-t.C
			i := n
			n++
			wg.Go(func() {
				body, header := said(i)
				if _, err := h.Receive(context.Background(), "hr", header, body); err != nil {
					b.Error(err)
				}
				mu.Lock()
				lags = append(lags, time.Since(due)) // from when it was due: a queue counts
				mu.Unlock()
			})
		}
		t.Stop()
		wg.Wait()
	}
	slices.Sort(lags)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(lags[len(lags)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(lags[len(lags)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(m.Sys)/1e6, "MB")
}

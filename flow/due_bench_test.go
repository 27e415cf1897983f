package flow_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/internal/company"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/planner"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

const companySeed = 20241122

// veteran is somebody of whom the source has spoken for ten years: every month some words about her, a third of them ahead
// of their time and some of these put off again, 400 facts in all.
func veteran(n int) (dayone.Employment, []dayone.Fact) {
	e := dayone.Employment{ID: dayone.EngagementID(fmt.Sprintf("eng_%026d", n)), Source: "hr", SourceID: fmt.Sprintf("t%06d", n), Recorded: begin.AddDate(-10, 0, 0)}
	names := []string{"department", "job_title", "team", "location", "cost_center", "level", "manager", "work_arrangement", "last_name", "employment_type"}
	at := e.Recorded
	fact := func(attr string, v dayone.Value, effective time.Time) dayone.Fact {
		return dayone.Fact{Engagement: e.ID, Attr: attr, Effective: effective, Said: at, Again: at, Recorded: at, Value: v, Source: "hr", Event: dayone.EventID("evt_" + at.Format("20060102"))}
	}
	var out []dayone.Fact
	for name, v := range company.Person(companySeed, n).Attrs {
		out = append(out, fact(name, v, time.Time{}))
	}
	out = append(out, fact("engagement.start", dayone.Text("2014-11-17"), time.Time{}))
	for month := 1; len(out) < 400; month++ {
		at = e.Recorded.AddDate(0, month, 0)
		was := company.Person(companySeed, n*1000+month)
		for i := range 4 {
			name := names[(month*3+i)%len(names)]
			v, ok := was.Attrs[name]
			switch {
			case !ok || len(out) >= 400:
			case i == 0 && month%3 == 0: // said ahead, and put off
				out = append(out, fact(name, v, at.AddDate(0, 0, 20)), fact(name, v, at.AddDate(0, 0, 27)))
				out[len(out)-1].Said, out[len(out)-1].Again = at.AddDate(0, 0, 1), at.AddDate(0, 0, 1)
				out[len(out)-1].Recorded = at.AddDate(0, 0, 1)
			case i == 1:
				out = append(out, fact(name, v, at.AddDate(0, 0, 14)))
			default:
				out = append(out, fact(name, v, at))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b dayone.Fact) int { return a.Recorded.Compare(b.Recorded) })
	return e, out
}

// settle is what somebody has for whom nothing is left to be done.
func settle(tb testing.TB, set *policy.Set, p dayone.Person, at time.Time) []dayone.Holding {
	tb.Helper()
	var have []dayone.Holding
	for range 3 {
		pl := plan(tb, set, p, have, at)
		if len(pl.Steps) == 0 {
			return have
		}
		for _, s := range pl.Steps {
			if s.Want == nil || s.Action == dayone.MessageSend {
				continue
			}
			h := dayone.Holding{Item: *s.Want, Asked: s.Want.Attrs, Because: s.Because, Since: at, Ours: true}
			h.Ref = "r-" + string(p.ID) + h.Key.String()
			have = append(have, h)
		}
	}
	tb.Fatalf("%s does not settle", p.ID)
	return nil
}

func plan(tb testing.TB, set *policy.Set, p dayone.Person, have []dayone.Holding, at time.Time) dayone.Plan {
	held := map[dayone.Key]dayone.Holding{}
	for _, h := range have {
		held[h.Key] = h
	}
	pl, err := planner.Make(planner.Input{
		Person: p.ID, At: at, Recorded: p.Recorded, Want: set.Want(p, policy.Context{Now: at, Held: held}), Have: have, Systems: set.Systems,
		Mapped: func(g dayone.Grant) dayone.Grant { return set.Mapped(p, at, g) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return pl
}

// BenchmarkOneEvent is one event about somebody with ten years of history: judged, her timeline extended, wanted and planned,
// by 300 policies. "decided" is that alone; in "looked" the books are read, and 400 sealed facts with them.
func BenchmarkOneEvent(b *testing.B) {
	w := newWorld(b)
	w.setups["hr"] = map[string]string{"secret": w.setups["hr"]["secret"], "prefix": "sha256="} // the webhook's fields count
	w.files = company.Policies(companySeed, 300)
	h := w.open()
	h.stopRun()
	set, now := h.Active(), begin
	e, facts := veteran(1)
	line := dayone.Timeline{Person: "per_00000000000000000000000001", Managed: true, Employments: []dayone.Employment{e}, Facts: facts}
	have := settle(b, set, people.At(&line, now, now, set), now)
	said := func(level int) people.Heard {
		return people.Heard{Event: dayone.Event{
			ID: "evt_1", Source: "hr", Type: dayone.Updated, Subject: e.SourceID, At: now, Received: now, Fields: map[string]dayone.Value{
				"level": dayone.Int(int64(level)), "department": dayone.Text("Legal"), "job_title": dayone.Text(company.Title(3)), "team": dayone.Text("team-001"),
			},
		}}
	}
	b.Run("decided", func(b *testing.B) {
		steps := 0
		b.ReportAllocs()
		for b.Loop() {
			_ = people.At(&line, now, now, set)
			j := people.Judge(&line, said(7), set, now, "eng_new")
			after := j.Extend(line)
			p := people.At(&after, now, now, set)
			_ = people.Next(&after, now, set)
			steps = len(plan(b, set, p, have, now).Steps)
		}
		b.ReportMetric(float64(len(facts)), "facts")
		b.ReportMetric(float64(len(have)), "holdings")
		b.ReportMetric(float64(steps), "steps")
	})
	row := store.Row{ID: line.Person, Managed: true, Name: "Vera", Status: dayone.Working}
	if err := h.Store.Save(ctx, store.Saved{Person: line.Person, New: true, Employment: &e, Row: &row, Facts: facts}); err != nil {
		b.Fatal(err)
	}
	if err := h.Store.KeepHoldings(ctx, line.Person, have); err != nil {
		b.Fatal(err)
	}
	b.Run("looked", func(b *testing.B) {
		body := []byte(`{"event_type":"employee.updated","event_id":"evt_1","timestamp":"2024-11-15T15:00:00Z","data":{"employee_id":"` + e.SourceID + `","department":"Legal","level":7,"start_date":"2014-11-17"}}`)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := h.PreviewEvent(ctx, "hr", body); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package people_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/planner"
	"github.com/dayone-hq/dayone/policy"
)

var update = flag.Bool("update", false, "write the golden files anew")

// heard is one thing that a source says, or that somebody enters.
type heard struct {
	at     string
	source string // hr, unless said
	of     string // E1, unless said
	typ    dayone.EventType
	fields []string
	by     string
}

// intents are the stories that real companies tell. Each is told to the end; then the person is looked at.
var intents = []struct {
	name string
	told []heard
	have bool     // the first plan is carried out before the rest is told
	look []string // instants at which the plan is written down
}{
	{name: "hire", told: []heard{{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: with(sarah, "start_date", "2024-11-25")}}, look: []string{"2024-11-25T08:00:00Z"}},
	{name: "future hire", told: []heard{{at: "2024-11-01T08:00:00Z", typ: dayone.Hired, fields: sarah}}, look: []string{"2024-11-01T08:00:00Z", "2024-11-23T08:00:00Z", "2024-11-25T08:00:00Z"}},
	{name: "late hire", told: []heard{{at: "2024-12-10T08:00:00Z", typ: dayone.Hired, fields: sarah}}, look: []string{"2024-12-10T08:00:00Z"}},
	{name: "start date moved", told: []heard{
		{at: "2024-11-01T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2024-11-10T08:00:00Z", typ: dayone.StartChanged, fields: []string{"start_date", "2025-01-07"}},
	}, look: []string{"2024-11-25T08:00:00Z", "2025-01-07T08:00:00Z"}},
	{name: "no-show", have: true, told: []heard{
		{at: "2024-11-23T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2024-11-26T08:00:00Z", typ: dayone.NoShow},
	}, look: []string{"2024-11-26T08:00:00Z"}},
	{name: "correction", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2024-12-02T08:00:00Z", typ: dayone.Updated, fields: []string{"last_name", "Tchen"}},
		{at: "2024-12-03T08:00:00Z", typ: dayone.Updated, fields: []string{"department", "Legal", "effective_date", "2024-11-25"}},
	}, look: []string{"2024-12-03T08:00:00Z"}},
	{name: "transfer", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2025-02-01T08:00:00Z", typ: dayone.Updated, fields: []string{"department", "Engineering", "team", "Platform", "effective_date", "2025-03-01"}},
	}, look: []string{"2025-02-01T08:00:00Z", "2025-03-01T08:00:00Z"}},
	{name: "promotion", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: with(sarah, "level", "3", "job_title", "Sales Engineer")},
		{at: "2025-02-01T08:00:00Z", typ: dayone.Updated, fields: []string{"level", "4", "job_title", "Account Executive"}},
	}, look: []string{"2025-02-01T08:00:00Z"}},
	{name: "conversion", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: with(sarah, "employment_type", "Contractor", "end_date", "2025-03-31")},
		{at: "2025-03-01T08:00:00Z", of: "E2", typ: dayone.Hired, fields: with(sarah, "employee_id", "E2", "start_date", "2025-04-01")},
	}, look: []string{"2025-03-01T08:00:00Z", "2025-04-01T08:00:00Z"}},
	{name: "conversion back", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2025-03-01T08:00:00Z", of: "E2", typ: dayone.Hired, fields: with(sarah, "employee_id", "E2", "start_date", "2025-04-01", "employment_type", "Contractor", "end_date", "2025-12-31")},
		{at: "2025-03-02T08:00:00Z", typ: dayone.Terminated, fields: []string{"end_date", "2025-03-31"}},
	}, look: []string{"2025-03-02T08:00:00Z", "2025-04-01T08:00:00Z"}},
	{name: "second engagement", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2025-02-01T08:00:00Z", of: "E2", typ: dayone.Hired, fields: with(sarah, "employee_id", "E2", "start_date", "2025-02-03", "employment_type", "Part-time")},
		{at: "2025-05-01T08:00:00Z", of: "E2", typ: dayone.Terminated, fields: []string{"end_date", "2025-05-31"}},
	}, look: []string{"2025-02-04T08:00:00Z", "2025-06-02T08:00:00Z"}},
	{name: "leave", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2025-02-01T08:00:00Z", typ: dayone.LeaveStarted, fields: []string{"effective_date", "2025-03-01"}},
		{at: "2025-02-01T09:00:00Z", typ: dayone.LeaveEnded, fields: []string{"effective_date", "2025-06-01"}},
	}, look: []string{"2025-02-01T09:00:00Z", "2025-03-02T08:00:00Z", "2025-06-01T08:00:00Z"}},
	{name: "garden leave", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2025-02-01T08:00:00Z", typ: dayone.Terminated, fields: []string{"end_date", "2025-04-30"}},
		{at: "2025-02-01T09:00:00Z", typ: dayone.GardenLeaveStarted, fields: []string{"effective_date", "2025-02-03"}},
	}, look: []string{"2025-02-01T09:00:00Z", "2025-02-04T08:00:00Z", "2025-05-01T12:00:00Z"}},
	{name: "planned termination", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2025-02-01T08:00:00Z", typ: dayone.Terminated, fields: []string{"end_date", "2025-03-31"}},
	}, look: []string{"2025-02-01T08:00:00Z", "2025-04-01T12:00:00Z"}},
	{name: "immediate termination", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2025-02-03T18:00:00Z", typ: dayone.Terminated, fields: []string{"end_date", "2025-02-02"}},
	}, look: []string{"2025-02-03T18:00:00Z"}},
	{name: "termination cancelled", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2025-02-01T08:00:00Z", typ: dayone.Terminated, fields: []string{"end_date", "2025-03-31"}},
		{at: "2025-03-01T08:00:00Z", typ: dayone.TerminationCancelled},
	}, look: []string{"2025-03-01T08:00:00Z", "2025-04-02T08:00:00Z"}},
	{name: "termination moved", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2025-02-01T08:00:00Z", typ: dayone.Terminated, fields: []string{"end_date", "2025-03-31"}},
		{at: "2025-03-01T08:00:00Z", typ: dayone.Terminated, fields: []string{"end_date", "2025-04-30"}},
	}, look: []string{"2025-04-02T08:00:00Z", "2025-05-01T12:00:00Z"}},
	{name: "rehire", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2025-02-03T18:00:00Z", typ: dayone.Terminated, fields: []string{"end_date", "2025-02-02"}},
		{at: "2025-06-01T08:00:00Z", typ: dayone.Rehired, fields: []string{"start_date", "2025-06-16"}},
	}, look: []string{"2025-03-01T08:00:00Z", "2025-06-14T08:00:00Z", "2025-06-16T08:00:00Z"}},
	{name: "correction by hand", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2025-02-01T08:00:00Z", source: dayone.Portal, typ: dayone.Corrected, fields: []string{"department", "Engineering", "until_date", "2025-02-28"}, by: "kim@company.com"},
	}, look: []string{"2025-02-01T08:00:00Z", "2025-03-02T08:00:00Z"}},
	{name: "transfer put off", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2025-02-01T08:00:00Z", typ: dayone.Updated, fields: []string{"department", "Engineering", "effective_date", "2025-03-01"}},
		{at: "2025-02-10T08:00:00Z", typ: dayone.Updated, fields: []string{"department", "Engineering", "effective_date", "2025-04-01"}},
	}, look: []string{"2025-03-02T08:00:00Z", "2025-04-01T08:00:00Z"}},
	{name: "bad record that ends", have: true, told: []heard{
		{at: "2024-11-25T08:00:00Z", typ: dayone.Hired, fields: sarah},
		{at: "2025-02-03T18:00:00Z", typ: dayone.Terminated, fields: []string{"end_date", "2025-02-02", "department", "Nonsense", "job_title", "Wizard", "location", "Atlantis", "level", "many", "start_date", "never"}},
	}, look: []string{"2025-02-03T18:00:00Z"}},
}

// with is fields in pairs, some of them others.
func with(pairs []string, others ...string) []string {
	out := append([]string(nil), pairs...)
	for i := 0; i < len(others); i += 2 {
		at := -1
		for k := 0; k < len(out); k += 2 {
			if out[k] == others[i] {
				at = k
			}
		}
		if at < 0 {
			out = append(out, others[i], others[i+1])
		} else {
			out[at+1] = others[i+1]
		}
	}
	return out
}

func TestIntents(t *testing.T) {
	t.Parallel()
	set := examplePolicy(t)
	for _, in := range intents {
		t.Run(in.name, func(t *testing.T) {
			t.Parallel()
			b := &book{t: t, set: set, line: dayone.Timeline{Person: "per_1"}}
			var out strings.Builder
			var have []dayone.Holding
			for i, h := range in.told {
				b.tell(&out, i, h)
				if in.have && i == 0 {
					now := instant(t, "2024-11-26T08:00:00Z")
					have = carried(nil, planOf(t, set, &b.line, now, nil), now)
				}
			}
			last := instant(t, in.told[len(in.told)-1].at)
			list, _ := people.History(&b.line, last, last, set, 0, 100)
			for _, c := range list {
				for _, turn := range c.Turns {
					if turn.State != people.Counts {
						fmt.Fprintf(&out, "%d: %s %q is %s\n", c.Seq, turn.Attr, turn.Value, turn.State)
					}
				}
			}
			for next, n := people.Next(&b.line, last, set), 0; !next.IsZero() && n < 9; next, n = people.Next(&b.line, next, set), n+1 {
				fmt.Fprintf(&out, "wakes at %s\n", next.UTC().Format(time.RFC3339))
			}
			for _, at := range in.look {
				now := instant(t, at)
				p := people.At(&b.line, now, now, set)
				fmt.Fprintf(&out, "\nat %s she is %s, %s in %s\n", at, p.Status, p.Attrs.Text("employment_type"), p.Attrs.Text("department"))
				plan := planOf(t, set, &b.line, now, have)
				out.WriteString(lines(plan))
				have = carried(have, plan, now)
			}
			golden(t, in.name, out.String())
		})
	}
}

// tell says one thing, and writes down what it was taken for.
func (b *book) tell(out *strings.Builder, i int, h heard) {
	now := instant(b.t, h.at)
	ev := dayone.Event{ID: dayone.EventID(fmt.Sprintf("evt_%d", i+1)), Source: "hr", Type: h.typ, Subject: "E1", At: now, Received: now, Fields: fields(h.fields...), By: h.by}
	if h.source != "" {
		ev.Source, ev.Subject = h.source, "eng_E1"
	}
	if h.of != "" {
		ev.Subject = h.of
	}
	was := b.line
	j := b.hears(people.Heard{Event: ev}, now)
	note := j.Note
	if j.State == dayone.EventApplied {
		note = people.Meaning(&was, &b.line, now, b.set)
	}
	fmt.Fprintf(out, "%s %s: %s, %s\n", h.at, h.typ, j.State, note)
	for _, f := range j.Findings {
		fmt.Fprintf(out, "  found: %s\n", f)
	}
}

func planOf(t testing.TB, set *policy.Set, line *dayone.Timeline, now time.Time, have []dayone.Holding) dayone.Plan {
	t.Helper()
	p := people.At(line, now, now, set)
	held := map[dayone.Key]dayone.Holding{}
	for _, h := range have {
		held[h.Key] = h
	}
	want := set.Want(p, policy.Context{Now: now, Held: held})
	plan, err := planner.Make(planner.Input{
		Person: p.ID, At: now, Want: want, Have: have, Systems: set.Systems, Recorded: p.Recorded, Leaves: p.Status == dayone.Left,
		Mapped:  func(g dayone.Grant) dayone.Grant { return set.Mapped(p, now, g) },
		Deliver: func(n dayone.Notice) []dayone.Notice { return []dayone.Notice{n} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// carried is what is there once a plan was carried out.
func carried(have []dayone.Holding, plan dayone.Plan, now time.Time) []dayone.Holding {
	out := slices.Clone(have)
	for _, s := range plan.Steps {
		at := slices.IndexFunc(out, func(h dayone.Holding) bool { return h.Key == s.Key })
		switch {
		case s.Action == dayone.MessageSend:
		case s.Action == dayone.EntitlementRemove && at >= 0:
			out = slices.Delete(out, at, at+1)
		case s.Want == nil:
		default:
			h := dayone.Holding{Item: *s.Want, Ours: true, Confirmed: now, Since: now, Because: s.Because}
			h.Key = s.Key
			if h.State == "" {
				h.State = dayone.Active
			}
			if at >= 0 {
				out[at] = h
			} else {
				out = append(out, h)
			}
		}
	}
	return out
}

// lines is a plan as somebody reads it: what is done, not how.
func lines(plan dayone.Plan) string {
	var out strings.Builder
	for _, s := range plan.Steps {
		state := ""
		if s.Want != nil && s.Key.IsAccount() {
			state = " " + string(s.Want.State)
		}
		fmt.Fprintf(&out, "  %s %s%s\n", s.Action, s.Key, state)
	}
	if out.Len() == 0 {
		return "  nothing is to be done\n"
	}
	return out.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "intents", strings.ReplaceAll(name, " ", "-")+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
	}
}

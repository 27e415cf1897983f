package people_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/examples"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
)

func examplePolicy(t testing.TB) *policy.Set {
	t.Helper()
	set, found := policy.Load(examples.Files, nil)
	for _, d := range found {
		if d.Severity != policy.Warning {
			t.Fatal(d)
		}
	}
	return set
}

// book is one person whose events come one after another.
type book struct {
	t    testing.TB
	set  *policy.Set
	line dayone.Timeline
	n    int
}

func newBook(t testing.TB) *book {
	return &book{t: t, set: examplePolicy(t), line: dayone.Timeline{Person: "per_1"}}
}

// fields in pairs: name, value.
func fields(pairs ...string) map[string]dayone.Value {
	m := map[string]dayone.Value{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = dayone.Text(pairs[i+1])
	}
	return m
}

// says judges an event about employment E1 and keeps what it brings.
func (b *book) says(at string, typ dayone.EventType, pairs ...string) people.Judgement {
	return b.saysOf("E1", at, typ, pairs...)
}

func (b *book) saysOf(employment, at string, typ dayone.EventType, pairs ...string) people.Judgement {
	b.t.Helper()
	b.n++
	now := instant(b.t, at)
	ev := dayone.Event{ID: dayone.EventID("evt_" + at), Source: "hr", Type: typ, Subject: employment, At: now, Received: now, Fields: fields(pairs...)}
	j := people.Judge(&b.line, ev, b.set, now, dayone.EngagementID("eng_"+employment))
	b.line.Managed = j.Managed
	b.line.Facts = append(b.line.Facts, j.Facts...)
	if j.New != nil {
		b.line.Employments = append(b.line.Employments, *j.New)
	}
	return j
}

func (b *book) at(at string) dayone.Person {
	i := instant(b.t, at)
	return people.At(&b.line, i, i, b.set)
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	i, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

var sarah = []string{
	"employee_id", "E1", "email", "sarah.chen@company.com", "first_name", "Sarah", "last_name", "Chen", "employment_type", "FTE", "department", "Sales",
	"location", "San Francisco", "start_date", "2024-11-25",
}

func TestHireIsPreHireUntilTheDayBeginsWhereSheWorks(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	j := b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	want(t, "state", j.State, dayone.EventApplied)
	want(t, "managed", j.Managed, true)
	p := b.at("2024-11-25T07:59:59Z") // Sunday evening in San Francisco
	want(t, "status on the eve", p.Status, dayone.PreHire)
	want(t, "start", p.Start.UTC().Format(time.RFC3339), "2024-11-25T08:00:00Z")
	want(t, "status at midnight", b.at("2024-11-25T08:00:00Z").Status, dayone.Working)
	want(t, "country comes from the site", p.Attrs.Text("country"), "US")
	want(t, "next", people.Next(&b.line, instant(t, "2024-11-22T15:00:00Z"), b.set), p.Start)
	want(t, "intent", people.Intent(dayone.Person{}, b.at("2024-11-22T15:00:00Z"), true), "future hire")
}

func TestLastDayIsWorkedToItsEnd(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	before := b.at("2025-01-10T00:00:00Z")
	b.says("2025-01-10T00:00:00Z", dayone.Terminated, "termination_date", "2025-02-28", "last_day_of_work", "2025-02-14")
	want(t, "intent", people.Intent(before, b.at("2025-01-10T00:00:01Z"), false), "planned termination")
	want(t, "the earlier date counts: last evening", b.at("2025-02-15T07:59:59Z").Status, dayone.Working)
	want(t, "then she has left", b.at("2025-02-15T08:00:00Z").Status, dayone.Left)

	gone := b.at("2025-02-20T00:00:00Z")
	b.says("2025-02-20T00:00:00Z", dayone.TerminationCancelled)
	want(t, "cancelled afterwards: she is back", b.at("2025-02-20T00:00:00Z").Status, dayone.Working)
	want(t, "intent", people.Intent(gone, b.at("2025-02-20T00:00:00Z"), false), "termination cancelled")
	want(t, "what we knew on the 18th stays so", people.At(&b.line, instant(t, "2025-02-18T00:00:00Z"), instant(t, "2025-02-18T00:00:00Z"), b.set).Status, dayone.Left)
}

func TestTerminationForTodayTakesEffectAtOnceOnlyIfItSaysSo(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	j := b.says("2025-01-10T18:00:00Z", dayone.Terminated)
	want(t, "no date", j.State, dayone.EventQuarantined)
	if !strings.Contains(j.Note, "end_date") {
		t.Errorf("the note does not say what to do: %s", j.Note)
	}
	want(t, "nothing happened", b.at("2025-01-11T18:00:00Z").Status, dayone.Working)
	b.says("2025-01-10T18:00:00Z", dayone.Terminated, "end_date", "2025-01-09")
	want(t, "yesterday", b.at("2025-01-10T18:00:00Z").Status, dayone.Left)
}

func TestNoShowNeverWorked(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	before := b.at("2024-11-25T20:00:00Z")
	j := b.says("2024-11-25T20:00:00Z", dayone.NoShow)
	want(t, "state", j.State, dayone.EventApplied)
	p := b.at("2024-11-25T20:00:00Z")
	want(t, "status", p.Status, dayone.Left)
	want(t, "intent", people.Intent(before, p, false), "no-show")
}

func TestLeaveGoesFromItsFirstDayToTheFirstDayBack(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	b.says("2025-03-01T00:00:00Z", dayone.LeaveStarted, "effective_date", "2025-04-01")
	want(t, "before", b.at("2025-04-01T06:59:59Z").Status, dayone.Working)
	want(t, "during", b.at("2025-04-01T07:00:00Z").Status, dayone.OnLeave)
	want(t, "next look", people.Next(&b.line, instant(t, "2025-03-01T00:00:00Z"), b.set).UTC().Format(time.RFC3339), "2025-04-01T07:00:00Z")
	b.says("2025-08-01T00:00:00Z", dayone.LeaveEnded, "effective_date", "2025-09-01")
	want(t, "back", b.at("2025-09-01T07:00:00Z").Status, dayone.Working)
}

func TestAChangeCountsFromItsDate(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	b.says("2025-03-01T00:00:00Z", dayone.Updated, "department", "Engineering", "effective_date", "2025-04-01")
	want(t, "before", b.at("2025-03-31T12:00:00Z").Attrs.Text("department"), "Sales")
	want(t, "after", b.at("2025-04-01T12:00:00Z").Attrs.Text("department"), "Engineering")
	want(t, "intent", people.Intent(b.at("2025-03-31T12:00:00Z"), b.at("2025-04-01T12:00:00Z"), false), "transfer: department")
}

func TestABadValueIsFlaggedAndTheLastGoodOneStays(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	j := b.says("2025-03-01T00:00:00Z", dayone.Updated, "department", "Sails", "level", "four", "job_title", "Account Executive")
	want(t, "the event counts", j.State, dayone.EventApplied)
	want(t, "findings", len(j.Findings), 2)
	p := b.at("2025-03-02T00:00:00Z")
	want(t, "department", p.Attrs.Text("department"), "Sales")
	want(t, "the good part", p.Attrs.Text("job_title"), "Account Executive")
	if !slices.Equal(p.Unknown, []string{"department", "level"}) {
		t.Errorf("unknown: %v", p.Unknown)
	}
	b.says("2025-03-03T00:00:00Z", dayone.Updated, "department", "  sales ")
	want(t, "capitals and blanks are forgiven", slices.Contains(b.at("2025-03-04T00:00:00Z").Unknown, "department"), false)
}

func TestMailAddressesHaveOneSpelling(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, append(slices.Clone(sarah), "email", "Sarah.Chen@Company.com", "manager_email", " John.Doe@company.com")...)
	p := b.at("2024-11-23T00:00:00Z")
	want(t, "email", p.Attrs.Text("email"), "sarah.chen@company.com")
	want(t, "manager", p.Attrs.Text("manager"), "john.doe@company.com")
}

func TestAnUnknownLocationIsUnknownNotUTCInSilence(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, append(slices.Clone(sarah), "location", "Atlantis")...)
	p := b.at("2024-11-22T15:00:00Z")
	if !slices.Contains(p.Unknown, "location") {
		t.Errorf("unknown: %v", p.Unknown)
	}
	if _, sure := p.Location(); sure {
		t.Error("its zone is taken for sure")
	}
}

func TestTheSameWordTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	n := len(b.line.Facts)
	j := b.says("2024-11-22T16:00:00Z", dayone.Hired, sarah...)
	want(t, "state", j.State, dayone.EventUnchanged)
	want(t, "facts", len(b.line.Facts), n)
}

func TestWithoutIdentityOrDatesAnEventIsQuarantined(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		employment string
		typ        dayone.EventType
		pairs      []string
	}{
		"no employee id":        {"", dayone.Hired, sarah},
		"unknown type":          {"E1", "promoted to duke", sarah},
		"no start":              {"E1", dayone.Hired, []string{"email", "a@b.example"}},
		"nonsense date":         {"E1", dayone.Hired, []string{"start_date", "soon"}},
		"an American date":      {"E1", dayone.Hired, []string{"start_date", "11/25/2024"}},
		"a year nobody works":   {"E1", dayone.Hired, []string{"start_date", "0204-11-25"}},
		"ends before it begins": {"E1", dayone.Hired, []string{"start_date", "2024-11-25", "end_date", "2024-10-25"}},
	} {
		b := newBook(t)
		j := b.saysOf(c.employment, "2024-11-22T15:00:00Z", c.typ, c.pairs...)
		if j.State != dayone.EventQuarantined || j.Note == "" || len(b.line.Facts) > 0 || len(b.line.Employments) > 0 {
			t.Errorf("%s: %+v", name, j)
		}
	}
}

func TestTwoEngagementsLeaveWhenTheLastOneEnds(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, append(slices.Clone(sarah), "employment_type", "Contractor", "end_date", "2025-03-31")...)
	before := b.at("2025-02-01T00:00:00Z")
	b.saysOf("E2", "2025-02-01T00:00:00Z", dayone.Hired, append(slices.Clone(sarah), "employee_id", "E2", "start_date", "2025-03-15")...)
	now := b.at("2025-02-01T00:00:00Z")
	want(t, "intent", people.Intent(before, now, false), "second engagement")
	want(t, "the one that works counts", now.Attrs.Text("employment_type"), "Contractor")
	want(t, "between them", b.at("2025-04-02T00:00:00Z").Status, dayone.Working)
	want(t, "then the other", b.at("2025-04-02T00:00:00Z").Attrs.Text("employment_type"), "FTE")
	want(t, "she does not leave", b.at("2025-04-02T00:00:00Z").End.IsZero(), true)
}

func TestPeopleOfAnImportAreKnownAndNotManagedUntilASourceSpeaksOfThem(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	want(t, "managed", b.says("2024-11-22T15:00:00Z", dayone.Imported, sarah...).Managed, false)
	want(t, "managed", b.says("2024-11-23T15:00:00Z", dayone.Updated, "department", "Legal").Managed, true)
}

func TestDaysBeginWhereClocksChangeAtMidnight(t *testing.T) {
	t.Parallel()
	set := examplePolicy(t)
	for _, c := range []struct{ zone, day, start, end string }{
		{"America/Santiago", "2024-09-08", "2024-09-08T04:00:00Z", "2024-09-09T03:00:00Z"}, // there was no midnight
		{"America/Havana", "2024-11-03", "2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z"},   // midnight came twice
		{"Europe/Berlin", "2025-03-30", "2025-03-29T23:00:00Z", "2025-03-30T22:00:00Z"},
	} {
		if _, err := time.LoadLocation(c.zone); err != nil {
			t.Fatal(err)
		}
		own := *set
		own.Sites = map[string]dayone.Site{"there": {Name: "there", Zone: c.zone}}
		b := &book{t: t, set: &own, line: dayone.Timeline{Person: "per_1"}}
		b.says("2024-01-01T00:00:00Z", dayone.Hired, "start_date", c.day, "end_date", c.day, "location", "there")
		p := b.at("2024-01-01T00:00:00Z")
		want(t, c.zone+" start", p.Start.UTC().Format(time.RFC3339), c.start)
		want(t, c.zone+" end", p.End.UTC().Format(time.RFC3339), c.end)
	}
}

// What was known at an instant never changes by what is said later; and after Next nothing changed in between.
func TestTimelineProperties(t *testing.T) {
	t.Parallel()
	set := examplePolicy(t)
	day := func(r *rapid.T, label string) string {
		return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 700).Draw(r, label)).Format(time.DateOnly)
	}
	rapid.Check(t, func(r *rapid.T) {
		b := &book{t: t, set: set, line: dayone.Timeline{Person: "per_1"}}
		now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		type photo struct {
			at     time.Time
			person dayone.Person
		}
		var album []photo
		for range rapid.IntRange(1, 12).Draw(r, "events") {
			now = now.Add(time.Duration(rapid.IntRange(1, 2000).Draw(r, "hours")) * time.Hour)
			typ := rapid.SampledFrom(dayone.EventTypes).Draw(r, "type")
			pairs := []string{"location", rapid.SampledFrom([]string{"Berlin", "San Francisco", "Atlantis"}).Draw(r, "location")}
			if rapid.Bool().Draw(r, "has start") {
				pairs = append(pairs, "start_date", day(r, "start"))
			}
			if rapid.Bool().Draw(r, "has end") {
				pairs = append(pairs, "end_date", day(r, "end"))
			}
			if rapid.Bool().Draw(r, "has effective") {
				pairs = append(pairs, "effective_date", day(r, "effective"))
			}
			pairs = append(pairs, "department", rapid.SampledFrom([]string{"Sales", "Legal", "Nonsense"}).Draw(r, "department"))
			b.saysOf(rapid.SampledFrom([]string{"E1", "E2"}).Draw(r, "employment"), now.Format(time.RFC3339), typ, pairs...)
			album = append(album, photo{now, people.At(&b.line, now, now, set)})
		}
		for _, ph := range album {
			again := people.At(&b.line, ph.at, ph.at, set)
			if again.Status != ph.person.Status || !maps.Equal(again.Attrs, ph.person.Attrs) || !again.Start.Equal(ph.person.Start) || !again.End.Equal(ph.person.End) {
				r.Fatalf("the past changed: at %s it was %+v, now it is %+v", ph.at, ph.person, again)
			}
		}
		next := people.Next(&b.line, now, set)
		a := people.At(&b.line, now, now, set)
		until := next.Add(-time.Nanosecond)
		if next.IsZero() {
			until = now.AddDate(5, 0, 0)
		}
		c := people.At(&b.line, until, now, set)
		if a.Status != c.Status || !maps.Equal(a.Attrs, c.Attrs) {
			r.Fatalf("between %s and %s something changed that Next did not tell: %+v, %+v", now, next, a, c)
		}
	})
}

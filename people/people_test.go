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
	return b.hears(people.Heard{Event: ev}, now)
}

// hears judges what is given and keeps what it brings.
func (b *book) hears(h people.Heard, now time.Time) people.Judgement {
	j := people.Judge(&b.line, h, b.set, now, dayone.EngagementID("eng_"+h.Subject))
	b.line = j.Extend(b.line)
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

// failing is a test, or one draw of a property.
type failing interface {
	Helper()
	Errorf(format string, args ...any)
}

func want[T comparable](t failing, what string, got, want T) {
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
	own := *b.set // a company that has a zone and a country lends her the zone, and no more
	own.Sites = maps.Clone(own.Sites)
	own.Sites[""] = dayone.Site{Country: "US", Zone: "America/New_York", Numbers: "US-geo", Holidays: []string{"2024-11-28"}}
	b.set = &own
	p = b.at("2024-11-22T15:00:00Z")
	want(t, "start", p.Start.UTC().Format(time.RFC3339), "2024-11-25T05:00:00Z")
	want(t, "country", p.Attrs.Text("country"), "")
	want(t, "site", p.Site.Country+p.Site.Numbers, "")
	if !slices.Contains(p.Unknown, "country") {
		t.Errorf("what follows from a location is not flagged: %v", p.Unknown)
	}
	b.says("2024-11-22T16:00:00Z", dayone.Updated, "country", "DE")
	p = b.at("2024-11-22T16:00:00Z")
	want(t, "but HR may say it", p.Attrs.Text("country"), "DE")
	want(t, "then it is known", slices.Contains(p.Unknown, "country"), false)
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
		"a mail that is none":   {"E1", dayone.Hired, append(slices.Clone(sarah), "email", "5")},
		"a mail of two lines":   {"E1", dayone.Hired, append(slices.Clone(sarah), "email", "a@b.example\r\nBcc: x@y.example")},
		"a number turned about": {"E1", dayone.Hired, append(slices.Clone(sarah), "employee_id", "10\u202e07")},
		"a number of two lines": {"E1", dayone.Hired, append(slices.Clone(sarah), "employee_id", "../../1007\n")},
		"an id of two lines":    {"E1\n", dayone.Hired, sarah},
		"a name that is a list": {"E1", dayone.Hired, append(slices.Clone(sarah), "first_name", "[...]")},
		"a name of a book":      {"E1", dayone.Hired, append(slices.Clone(sarah), "first_name", strings.Repeat("ä", 1001))},
		"a mail of a page":      {"E1", dayone.Hired, append(slices.Clone(sarah), "email", strings.Repeat("a", 310)+"@company.example.com")},
		"an id of a book":       {strings.Repeat("E", 1001), dayone.Hired, sarah},
		"an id with nothing in": {"E\u200b1", dayone.Hired, sarah},
		"ends before it begins": {"E1", dayone.Hired, []string{"start_date", "2024-11-25", "end_date", "2024-10-25"}},
	} {
		b := newBook(t)
		j := b.saysOf(c.employment, "2024-11-22T15:00:00Z", c.typ, c.pairs...)
		if j.State != dayone.EventQuarantined || j.Note == "" || len(b.line.Facts) > 0 || len(b.line.Employments) > 0 {
			t.Errorf("%s: %+v", name, j)
		}
	}
}

// Of somebody who is known the last good value stays, a name as long as names get counts, and what is not seen in one is taken out.
func TestWhatIsTooLongOrHiddenIsNoNameOfAnybody(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, append(slices.Clone(sarah), "last_name", strings.Repeat("é", 1000))...)
	b.says("2024-11-23T15:00:00Z", dayone.Updated, "first_name", "Sa\u200bra\u202eh")
	want(t, "what is hidden", b.at("2024-11-24T00:00:00Z").Attrs.Text("first_name"), "Sarah")
	j := b.says("2024-11-24T15:00:00Z", dayone.Updated, "last_name", strings.Repeat("é", 1001), "job_title", strings.Repeat("x", 5000))
	if len(j.Findings) != 2 || !strings.Contains(j.Findings[0]+j.Findings[1], "it has 1001 characters, and 1000 are the most") {
		t.Errorf("found: %q", j.Findings)
	}
	want(t, "the last good one", len(b.at("2024-11-25T00:00:00Z").Attrs.Text("last_name")), 2000)
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

func TestPeopleOfAnImportAreKnownAndNotManagedUntilTheyAreHired(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	old := append(slices.Clone(sarah), "start_date", "2015-03-01")
	want(t, "imported", b.says("2024-11-22T15:00:00Z", dayone.Imported, old...).Managed, false)
	want(t, "her department changes", b.says("2024-11-23T15:00:00Z", dayone.Updated, "department", "Legal").Managed, false)
	want(t, "she goes on leave", b.says("2024-11-24T15:00:00Z", dayone.LeaveStarted).Managed, false)
	want(t, "she leaves", b.says("2024-11-25T15:00:00Z", dayone.Terminated, "end_date", "2024-11-24").Managed, false)
	want(t, "and is hired again", b.says("2025-02-01T15:00:00Z", dayone.Updated, "start_date", "2025-03-01").Managed, true)
}

func TestSinceSaysWhoIsManaged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typ     dayone.EventType
		start   string
		managed bool
	}{
		"a hire":                             {dayone.Hired, "2024-11-25", true},
		"on the very day":                    {dayone.Hired, "2024-11-01", true},
		"a hire whose webhook was lost":      {dayone.Updated, "2024-11-25", true},
		"HR tells of an old hire once more":  {dayone.Hired, "2015-03-01", false},
		"a change about somebody of old":     {dayone.Updated, "2015-03-01", false},
		"somebody leaves whom we never knew": {dayone.Terminated, "2024-11-25", false},
	} {
		b := newBook(t)
		now := instant(t, "2024-11-22T15:00:00Z")
		ev := dayone.Event{Source: "hr", Type: c.typ, Subject: "E1", At: now, Received: now, Fields: fields("start_date", c.start, "end_date", "2025-12-31")}
		want(t, name, b.hears(people.Heard{Event: ev, Since: instant(t, "2024-11-01T00:00:00Z")}, now).Managed, c.managed)
	}
}

// reads judges an event behind which the record could be read; version "": its source says none.
func (b *book) reads(at, version string, typ dayone.EventType, pairs ...string) people.Judgement {
	b.t.Helper()
	b.n++
	now := instant(b.t, at)
	rec := dayone.Event{Source: "hr", Type: dayone.Updated, Subject: "E1", At: now, Fields: fields(pairs...), Full: true}
	if version != "" {
		rec.At = instant(b.t, version)
	}
	ev := dayone.Event{ID: dayone.EventID("evt_" + at), Source: "hr", Type: typ, Subject: "E1", At: now, Received: now}
	return b.hears(people.Heard{Event: ev, Record: &rec}, now)
}

func TestATerminationIsCarriedOutHoweverBadTheRestIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ pairs []string }{
		"the start is garbage":       {[]string{"start_date", "sometime", "end_date", "2025-01-09"}},
		"so is a second end":         {[]string{"end_date", "2025-01-09", "termination_date", "soon"}},
		"and everything else":        {[]string{"start_date", "0204-11-25", "end_date", "2025-01-09", "last_day", "31/01/2025", "department", "Sails", "level", "four"}},
		"the record says less":       {[]string{"end_date", "2025-01-09"}},
		"it ends before it begins":   {[]string{"end_date", "2024-11-20"}},
		"in the record and by event": {[]string{"start_date", "2024-11-25", "end_date", "2024-11-20"}},
	} {
		for _, whole := range []bool{false, true} {
			b := newBook(t)
			b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
			var j people.Judgement
			if whole {
				j = b.reads("2025-01-10T18:00:00Z", "", dayone.Terminated, c.pairs...)
			} else {
				j = b.says("2025-01-10T18:00:00Z", dayone.Terminated, c.pairs...)
			}
			want(t, name, j.State, dayone.EventApplied)
			want(t, name, b.at("2025-01-10T18:00:00Z").Status, dayone.Left)
		}
	}
}

func TestATerminationWhoseDateTheRecordDoesNotHave(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.reads("2024-11-22T15:00:00Z", "", dayone.Hired, sarah...)
	now := instant(t, "2025-01-10T18:00:00Z")
	rec := dayone.Event{Source: "hr", Subject: "E1", At: now, Fields: fields(sarah...), Full: true}
	ev := dayone.Event{ID: "evt_9", Source: "hr", Type: dayone.Terminated, Subject: "E1", At: now, Received: now, Fields: fields("end_date", "2025-01-09")}
	b.hears(people.Heard{Event: ev, Record: &rec}, now)
	want(t, "she has left", b.at("2025-01-10T18:00:00Z").Status, dayone.Left)
	b.reads("2025-01-12T00:00:00Z", "", dayone.Updated, append(slices.Clone(sarah), "level", "5")...)
	want(t, "a record that never has an end takes none back", b.at("2025-01-12T00:00:00Z").Status, dayone.Left)
	b.reads("2025-01-13T00:00:00Z", "", dayone.TerminationCancelled, sarah...)
	want(t, "HR does", b.at("2025-01-13T00:00:00Z").Status, dayone.Working)
}

// An event's stamp is coarse and the record's is not: what an event says of the end is no older than the record behind it.
func TestTheEventsOwnWordAboutTheEndStandsAgainstTheRecordOfTheSameSecond(t *testing.T) {
	t.Parallel()
	year := append(slices.Clone(sarah), "end_date", "2025-12-31")
	for name, c := range map[string]struct {
		typ  dayone.EventType
		own  []string
		want dayone.Status
		then dayone.Status // once the record was read again
	}{
		"a contract for a year ends early":    {dayone.Terminated, []string{"end_date", "2025-01-09"}, dayone.Left, dayone.Left},
		"she did not come, says the event":    {dayone.NoShow, nil, dayone.Left, dayone.Left},
		"cancelled, but HR forgot its record": {dayone.TerminationCancelled, nil, dayone.Working, dayone.Working},
	} {
		b := newBook(t)
		b.reads("2024-11-22T15:00:00Z", "2024-11-22T14:59:59Z", dayone.Hired, sarah...)
		now := instant(t, "2025-01-10T18:00:03Z")
		rec := dayone.Event{Source: "hr", Subject: "E1", At: now.Add(-2500 * time.Millisecond), Fields: fields(year...), Full: true}
		ev := dayone.Event{ID: "evt_9", Source: "hr", Type: c.typ, Subject: "E1", At: now.Add(-3 * time.Second), Received: now, Fields: fields(c.own...)}
		j := b.hears(people.Heard{Event: ev, Record: &rec}, now)
		want(t, name, j.State, dayone.EventApplied)
		want(t, name, b.at("2025-01-10T18:00:03Z").Status, c.want)
		want(t, name+": told", len(j.Findings) > 0, c.typ == dayone.TerminationCancelled)
		ev.ID, ev.Type, ev.Received = "evt_a", dayone.Updated, now.Add(time.Hour)
		b.hears(people.Heard{Event: ev, Record: &rec}, ev.Received)
		want(t, name+", again", b.at("2025-01-10T19:00:03Z").Status, c.then)
	}
}

func TestAnOfferWithdrawnIsANoShowAtOnce(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.reads("2024-11-15T15:00:00Z", "", dayone.Hired, sarah...)
	before := b.at("2024-11-18T15:00:00Z")
	withdrawn := append(slices.Clone(sarah), "end_date", "2024-11-22")
	b.reads("2024-11-18T15:00:00Z", "", dayone.Updated, withdrawn...)
	p := b.at("2024-11-18T15:00:00Z")
	want(t, "nobody waits for the day", p.Status, dayone.Left)
	want(t, "intent", people.Intent(before, p, false), "no-show")
	want(t, "on what was to be the first day", b.at("2024-11-25T20:00:00Z").Status, dayone.Left)

	b.reads("2024-11-20T15:00:00Z", "", dayone.Updated, append(slices.Clone(sarah), "start_date", "2024-12-09")...)
	want(t, "a new start after it", b.at("2024-12-09T20:00:00Z").Status, dayone.Working)
}

func TestARehireUnderTheSameNumberIsTheSamePersonAtWork(t *testing.T) {
	t.Parallel()
	gone := func() *book {
		b := newBook(t)
		b.reads("2024-11-22T15:00:00Z", "", dayone.Hired, sarah...)
		b.reads("2025-01-10T18:00:00Z", "", dayone.Terminated, append(slices.Clone(sarah), "end_date", "2025-01-17")...)
		want(t, "she has left", b.at("2025-02-01T00:00:00Z").Status, dayone.Left)
		return b
	}
	again := append(slices.Clone(sarah), "start_date", "2025-03-03")
	for name, c := range map[string]struct {
		typ   dayone.EventType
		pairs []string
		end   string
	}{
		"the word":                         {dayone.Rehired, again, ""},
		"the old end stays in the record":  {dayone.Rehired, append(slices.Clone(again), "end_date", "2025-01-17"), ""},
		"for a year":                       {dayone.Rehired, append(slices.Clone(again), "end_date", "2026-03-02"), "2026-03-02"},
		"without the word":                 {dayone.Updated, append(slices.Clone(again), "end_date", "2025-01-17"), ""},
		"as a hire, for a year":            {dayone.Hired, append(slices.Clone(again), "end_date", "2026-03-02"), "2026-03-02"},
		"as a new start, and the end gone": {dayone.StartChanged, again, ""},
	} {
		b := gone()
		before := b.at("2025-02-01T00:00:00Z")
		b.reads("2025-02-01T00:00:00Z", "", c.typ, c.pairs...)
		p := b.at("2025-02-01T00:00:00Z")
		want(t, name+": status", p.Status, dayone.PreHire)
		want(t, name+": intent", people.Intent(before, p, false), "rehire")
		want(t, name+": employments", len(p.Engagements), 1)
		want(t, name+": last day", p.Engagements[0].LastDay, c.end)
		want(t, name+": at work", b.at("2025-03-03T12:00:00Z").Status, dayone.Working)
		b.reads("2025-03-04T00:00:00Z", "", dayone.Updated, append(slices.Clone(c.pairs), "level", "5")...)
		want(t, name+": and stays", b.at("2025-03-05T00:00:00Z").Status, dayone.Working)
		b.reads("2025-03-06T00:00:00Z", "", dayone.Terminated, append(slices.Clone(again), "end_date", "2025-03-05")...)
		want(t, name+": until she leaves again", b.at("2025-03-07T00:00:00Z").Status, dayone.Left)
		want(t, name+": what we knew then", people.At(&b.line, instant(t, "2025-01-20T00:00:00Z"), instant(t, "2025-01-20T00:00:00Z"), b.set).Status, dayone.Left)
	}
	b := gone() // and where only the event says so, with no record
	b.says("2025-02-01T00:00:00Z", dayone.Rehired, "start_date", "2025-03-03")
	want(t, "department", b.at("2025-03-03T12:00:00Z").Attrs.Text("department"), "Sales")
	want(t, "status", b.at("2025-03-03T12:00:00Z").Status, dayone.Working)

	b = newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	b.says("2024-11-25T20:00:00Z", dayone.NoShow)
	want(t, "she did not come", b.at("2024-11-25T20:00:00Z").Status, dayone.Left)
	b.says("2024-11-27T20:00:00Z", dayone.StartChanged, "start_date", "2024-12-02")
	want(t, "she comes a week later", b.at("2024-12-02T20:00:00Z").Status, dayone.Working)
	b.says("2024-12-02T21:00:00Z", dayone.NoShow)
	want(t, "or not", b.at("2024-12-02T21:00:00Z").Status, dayone.Left)
}

func TestAWholeRecordEmptiesWhatIsMissingAndAPartDoesNot(t *testing.T) {
	t.Parallel()
	all := append(slices.Clone(sarah), "manager_email", "john.doe@company.com", "level", "4", "end_date", "2025-06-30")
	less := []string{"employee_id", "E1", "start_date", "2024-11-25", "location", "San Francisco", "department", "Sales"}
	look := func(b *book, at string) string {
		p := b.at(at)
		end := ""
		if !p.End.IsZero() {
			end = " until " + p.End.Format(time.DateOnly)
		}
		return strings.Trim(p.Attrs.Text("manager")+" "+p.Attrs.Text("email")+" "+p.Attrs.Text("level")+end, " ")
	}
	everything := "john.doe@company.com sarah.chen@company.com 4 until 2025-07-01"
	b := newBook(t)
	b.reads("2024-11-22T15:00:00Z", "", dayone.Hired, all...)
	want(t, "at first", look(b, "2024-11-22T15:00:00Z"), everything)
	b.says("2024-11-23T15:00:00Z", dayone.Updated, less...)
	want(t, "not said is not emptied", look(b, "2024-11-23T15:00:00Z"), everything)
	j := b.reads("2024-11-24T15:00:00Z", "", dayone.Updated, less...)
	want(t, "state", j.State, dayone.EventApplied)
	want(t, "missing in the whole", look(b, "2024-11-24T15:00:00Z"), "")
	n := len(b.line.Facts)
	want(t, "once more", b.reads("2024-11-25T15:00:00Z", "", dayone.Updated, less...).State, dayone.EventUnchanged)
	want(t, "facts", len(b.line.Facts), n)

	b = newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, all...)
	b.says("2024-11-23T15:00:00Z", dayone.Updated, "manager_email", "", "email", " ", "level", "", "end_date", "")
	want(t, "said to be empty", look(b, "2024-11-23T15:00:00Z"), "")
	want(t, "nothing of it is bad", len(b.at("2024-11-23T15:00:00Z").Unknown), 0)
}

func TestAChangePutOffDoesNotComeOnTheOldDay(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	b.says("2025-01-01T00:00:00Z", dayone.LeaveStarted, "effective_date", "2025-12-01")
	b.says("2025-01-02T00:00:00Z", dayone.Updated, "department", "Engineering", "effective_date", "2025-04-01")
	j := b.says("2025-01-03T00:00:00Z", dayone.LeaveStarted, "effective_date", "2026-02-01")
	want(t, "state", j.State, dayone.EventApplied)
	b.says("2025-01-04T00:00:00Z", dayone.Updated, "department", "Engineering", "effective_date", "2025-05-01")
	want(t, "the old day of the transfer", b.at("2025-04-15T00:00:00Z").Attrs.Text("department"), "Sales")
	want(t, "the new one", b.at("2025-05-15T00:00:00Z").Attrs.Text("department"), "Engineering")
	want(t, "the old day of the leave", b.at("2025-12-15T00:00:00Z").Status, dayone.Working)
	want(t, "the new one", b.at("2026-02-15T00:00:00Z").Status, dayone.OnLeave)
	b.says("2025-01-05T00:00:00Z", dayone.LeaveStarted, "effective_date", "2025-12-01")
	want(t, "and back again", b.at("2025-12-15T00:00:00Z").Status, dayone.OnLeave)

	b = newBook(t) // a second leave is not the first one put off
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	b.says("2025-01-01T00:00:00Z", dayone.LeaveStarted, "effective_date", "2025-03-01")
	b.says("2025-01-02T00:00:00Z", dayone.LeaveEnded, "effective_date", "2025-04-01")
	b.says("2025-01-03T00:00:00Z", dayone.LeaveStarted, "effective_date", "2025-08-01")
	want(t, "the first leave", b.at("2025-03-15T00:00:00Z").Status, dayone.OnLeave)
	want(t, "between", b.at("2025-05-15T00:00:00Z").Status, dayone.Working)

	b = newBook(t) // a whole record that says no more of it
	b.reads("2024-11-22T15:00:00Z", "", dayone.Hired, sarah...)
	b.reads("2025-01-02T00:00:00Z", "", dayone.Updated, append(slices.Clone(sarah), "department", "Engineering", "manager_email", "zoe@company.com", "effective_date", "2025-04-01")...)
	b.reads("2025-01-03T00:00:00Z", "", dayone.Updated, sarah...)
	want(t, "called off: department", b.at("2025-04-15T00:00:00Z").Attrs.Text("department"), "Sales")
	want(t, "manager", b.at("2025-04-15T00:00:00Z").Attrs.Text("manager"), "")
}

func TestARecordCountsFromItsOwnVersionNotFromTheWebhookThatLedToIt(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.reads("2024-11-22T15:00:00Z", "2024-11-22T14:00:00Z", dayone.Hired, sarah...)
	b.reads("2024-11-25T15:00:00Z", "2024-11-25T14:00:00Z", dayone.Updated, append(slices.Clone(sarah), "department", "Engineering")...)
	now := instant(t, "2024-11-27T15:00:00Z")
	for name, at := range map[string]time.Time{"late": instant(t, "2024-11-23T00:00:00Z"), "without a time": {}, "from before all systems": instant(t, "0002-01-01T00:00:00Z"), "from the future": now.AddDate(1, 0, 0)} {
		c := &book{t: t, set: b.set, line: b.line}
		rec := dayone.Event{Source: "hr", Subject: "E1", At: instant(t, "2024-11-27T14:00:00Z"), Fields: fields(append(slices.Clone(sarah), "department", "Legal")...), Full: true}
		ev := dayone.Event{ID: "evt_9", Source: "hr", Type: dayone.Updated, Subject: "E1", At: at, Received: now}
		c.hears(people.Heard{Event: ev, Record: &rec}, now)
		want(t, name, c.at("2024-11-27T15:00:00Z").Attrs.Text("department"), "Legal")
		for i := range 3 { // each further look adds nothing
			n := len(c.line.Facts)
			ev.ID, ev.Received = dayone.EventID("evt_a"+string(rune('0'+i))), now.Add(time.Duration(i)*time.Hour)
			want(t, name+", again", c.hears(people.Heard{Event: ev, Record: &rec}, ev.Received).State, dayone.EventUnchanged)
			want(t, name+", facts", len(c.line.Facts), n)
		}
		old := dayone.Event{Source: "hr", Subject: "E1", At: instant(t, "2024-11-26T14:00:00Z"), Fields: fields(sarah...), Full: true}
		want(t, name+": a copy of HR that lags", c.hears(people.Heard{Event: ev, Record: &old}, now.Add(4*time.Hour)).State, dayone.EventUnchanged)
	}
	ev := dayone.Event{ID: "evt_9", Source: "hr", Type: dayone.Updated, Subject: "E1", Received: now, Fields: fields("department", "Legal")}
	b.hears(people.Heard{Event: ev}, now)
	want(t, "a webhook without a time says what is so now", b.at("2024-11-27T15:00:00Z").Attrs.Text("department"), "Legal")
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

// Any order and repetition of the same events gives the same person: now, and at every instant to come. Events that come
// before the one that makes them readable are looked at again then, as the books do.
func TestOrderAndRepetitionOfEventsDoNotMatter(t *testing.T) {
	t.Parallel()
	set := examplePolicy(t)
	begin := time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)
	day := func(n int) string { return begin.AddDate(0, 0, n).Format(time.DateOnly) }
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, 9).Draw(r, "events")
		starts := 0
		var said []dayone.Event
		for i := range n {
			typ := rapid.SampledFrom(dayone.EventTypes[:len(dayone.EventTypes)-1]).Draw(r, "type")
			if i == 0 {
				typ = dayone.Hired
			}
			pairs := []string{"location", "Berlin"}
			maybe := func(name string, values ...string) {
				if rapid.Bool().Draw(r, "has "+name) {
					pairs = append(pairs, name, rapid.SampledFrom(values).Draw(r, name))
				}
			}
			maybe("department", "Sales", "Legal", "Nonsense")
			maybe("manager_email", "john.doe@company.com", "zoe@company.com", "")
			maybe("end_date", day(10), day(40), day(90), "")
			if i == 0 || typ == dayone.Rehired || rapid.Bool().Draw(r, "has start") {
				if i > 0 && rapid.Bool().Draw(r, "moves") {
					starts += rapid.IntRange(1, 30).Draw(r, "by")
				}
				pairs = append(pairs, "start_date", day(20+starts))
			}
			maybe("effective_date", day(2), day(30), day(60), day(100))
			ev := dayone.Event{
				ID: dayone.EventID("evt_" + string(rune('a'+i))), Source: "hr", Type: typ, Subject: "E1", At: begin.AddDate(0, 0, i), Received: begin.AddDate(0, 0, n+5),
				Fields: fields(pairs...),
			}
			said = append(said, ev)
		}
		tell := func(order []dayone.Event) dayone.Timeline {
			b := &book{t: t, set: set, line: dayone.Timeline{Person: "per_1"}}
			var held []dayone.Event
			now := begin.AddDate(0, 0, n+5)
			for len(order) > 0 {
				ev := order[0]
				order = order[1:]
				now = now.Add(time.Minute)
				switch j := b.hears(people.Heard{Event: ev}, now); {
				case j.State == dayone.EventQuarantined:
					held = append(held, ev)
				case j.New != nil:
					order, held = append(order, held...), nil
				}
			}
			return b.line
		}
		inOrder := tell(said)
		mixed := rapid.Permutation(append(slices.Clone(said), rapid.SliceOfN(rapid.SampledFrom(said), 0, 4).Draw(r, "repeated")...)).Draw(r, "order")
		other := tell(mixed)
		known := begin.AddDate(1, 0, 0)
		for d := n + 6; d < 150; d++ {
			at := begin.AddDate(0, 0, d)
			p, q := people.At(&inOrder, at, known, set), people.At(&other, at, known, set)
			if p.Status != q.Status || !maps.Equal(p.Attrs, q.Attrs) || !slices.Equal(p.Unknown, q.Unknown) || !p.Start.Equal(q.Start) || !p.End.Equal(q.End) || p.Managed != q.Managed {
				r.Fatalf("on day %d she is\n%+v\n%+v\n%+v\n%+v", d, p, q, inOrder.Facts, other.Facts)
			}
		}
	})
}

// Whatever became of the webhooks, be they lost, late or repeated: once the last record was read it counts, and nothing
// that was said before it.
func TestTheLastRecordCountsWhateverCameBefore(t *testing.T) {
	t.Parallel()
	set := examplePolicy(t)
	begin := time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)
	day := func(n int) string { return begin.AddDate(0, 0, n).Format(time.DateOnly) }
	types := []dayone.EventType{dayone.Hired, dayone.Updated, dayone.StartChanged}
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(r, "versions")
		var versions []dayone.Event
		for i := range n {
			pairs := []string{"location", "Berlin", "start_date", day(rapid.IntRange(0, 30).Draw(r, "start"))}
			maybe := func(name string, values ...string) {
				if rapid.Bool().Draw(r, "has "+name) {
					pairs = append(pairs, name, rapid.SampledFrom(values).Draw(r, name))
				}
			}
			maybe("department", "Sales", "Legal", "Nonsense")
			maybe("manager_email", "john.doe@company.com", "zoe@company.com", "")
			maybe("level", "4", "5")
			maybe("end_date", day(31), day(60), day(90), "")
			if i < n-1 {
				maybe("effective_date", day(3), day(30), day(60))
			}
			versions = append(versions, dayone.Event{Source: "hr", Subject: "E1", At: begin.AddDate(0, 0, i), Fields: fields(pairs...), Full: true})
		}
		b := &book{t: t, set: set, line: dayone.Timeline{Person: "per_1"}}
		now := begin.AddDate(0, 0, n)
		look := func(rec dayone.Event, body bool) {
			now = now.Add(time.Minute)
			ev := dayone.Event{ID: "evt_1", Source: "hr", Type: rapid.SampledFrom(types).Draw(r, "type"), Subject: "E1", Received: now}
			if body { // the webhook brings the whole record itself
				ev.At, ev.Fields, ev.Full = rec.At, rec.Fields, true
				b.hears(people.Heard{Event: ev}, now)
				return
			}
			ev.At = rapid.SampledFrom([]time.Time{{}, begin.AddDate(-1, 0, 0), begin, begin.AddDate(9, 0, 0)}).Draw(r, "stamp")
			b.hears(people.Heard{Event: ev, Record: &rec}, now)
		}
		for _, rec := range rapid.SliceOfN(rapid.SampledFrom(versions), 0, 8).Draw(r, "looks") {
			look(rec, rapid.Bool().Draw(r, "body"))
		}
		look(versions[n-1], rapid.Bool().Draw(r, "body"))
		facts := len(b.line.Facts)
		look(versions[rapid.IntRange(0, n-1).Draw(r, "once more")], rapid.Bool().Draw(r, "body"))
		want(r, "facts after one more look", len(b.line.Facts), facts)

		alone := &book{t: t, set: set, line: dayone.Timeline{Person: "per_1"}}
		only := versions[n-1]
		only.Type, only.Received = dayone.Imported, now
		alone.hears(people.Heard{Event: only}, now)
		for d := n + 1; d < 120; d++ {
			at := begin.AddDate(0, 0, d)
			p, q := people.At(&b.line, at, begin.AddDate(1, 0, 0), set), people.At(&alone.line, at, begin.AddDate(1, 0, 0), set)
			bad := slices.DeleteFunc(slices.Clone(q.Unknown), func(s string) bool { return slices.Contains(p.Unknown, s) })
			for _, name := range q.Unknown { // a bad value leaves the last good one, which she who never had one cannot have
				delete(p.Attrs, name)
			}
			if p.Status != q.Status || !maps.Equal(p.Attrs, q.Attrs) || len(bad) > 0 || len(p.Unknown) != len(q.Unknown) || !p.Start.Equal(q.Start) || !p.End.Equal(q.End) {
				r.Fatalf("on day %d she is\n%+v\n%+v\n%+v\n%+v", d, p, q, b.line.Facts, alone.line.Facts)
			}
		}
	})
}

// What would name another account is not taken from somebody who is known: it is flagged, and she stays who she is.
func TestABadAddressOfSomebodyKnownIsFlagged(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, append(slices.Clone(sarah), "email", "sarah@company.com")...)
	j := b.says("2024-11-23T15:00:00Z", dayone.Updated, append(slices.Clone(sarah), "email", "5", "first_name", "[...]")...)
	want(t, "the event counts", j.State, dayone.EventApplied)
	want(t, "findings", len(j.Findings), 2)
	want(t, "email", b.at("2024-11-24T00:00:00Z").Attrs.Text("email"), "sarah@company.com")
}

func TestAnEventOfAnotherTimeIsQuarantinedAndAnEndIsNot(t *testing.T) {
	t.Parallel()
	now := instant(t, "2024-11-22T15:00:00Z")
	for _, c := range []struct {
		at   string
		typ  dayone.EventType
		want dayone.EventState
	}{
		{"2099-01-01T00:00:00Z", dayone.Hired, dayone.EventQuarantined},
		{"1969-12-31T00:00:00Z", dayone.Hired, dayone.EventQuarantined},
		{"2024-11-23T14:00:00Z", dayone.Hired, dayone.EventApplied},
		{"2099-01-01T00:00:00Z", dayone.Terminated, dayone.EventApplied},
	} {
		b := newBook(t)
		f := fields(sarah...)
		if c.typ == dayone.Terminated {
			b.says("2024-11-21T15:00:00Z", dayone.Hired, sarah...)
			f["end_date"] = dayone.Text("2024-12-01")
		}
		j := b.hears(people.Heard{Event: dayone.Event{ID: "evt_1", Source: "hr", Type: c.typ, Subject: "E1", At: instant(t, c.at), Received: now, Fields: f}}, now)
		want(t, c.at+" "+string(c.typ), j.State, c.want)
	}
}

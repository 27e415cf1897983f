package people_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/examples"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
)

// severalSources is the examples' people.yaml with a directory that gives attributes only, an agency that knows employments,
// and a login that we choose ourselves.
func severalSources(t testing.TB) *policy.Set {
	t.Helper()
	raw, err := examples.Files.ReadFile("people.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sites, err := examples.Files.ReadFile("sites.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(raw), "{type: string, from: hr.mobile,", "{type: string, from: [hr.mobile, directory.phone, agency.mobile],", 1)
	text = strings.Replace(text, "attributes:\n", "attributes:\n  custom.login: {type: string, from: [dayone.login, hr.login], optional: true}\n", 1)
	text += "\nsources:\n  directory: {attributes: only}\n"
	one := "policies:\n  - {id: all, title: All, owner: it@company.com, when: \"true\", grant: [{to: okta/account}]}\n"
	set, found := policy.Load(fstest.MapFS{
		"people.yaml": {Data: []byte(text)}, "sites.yaml": {Data: sites}, "policies/all.yaml": {Data: []byte(one)}, "catalog/all.yaml": {Data: []byte("systems:\n  okta:\n    account: {}\n")},
	}, nil)
	for _, d := range found {
		if d.Severity != policy.Warning {
			t.Fatal(d)
		}
	}
	return set
}

// from judges what a source says of a record of its own.
func (b *book) from(source, subject, at string, typ dayone.EventType, pairs ...string) people.Judgement {
	b.t.Helper()
	now := instant(b.t, at)
	return b.hears(people.Heard{Event: dayone.Event{ID: dayone.EventID("evt_" + at), Source: source, Type: typ, Subject: subject, At: now, Received: now, Fields: fields(pairs...)}}, now)
}

// bind makes a record of a source one of this person.
func (b *book) bind(source, subject, at string) {
	b.line.Employments = append(b.line.Employments, dayone.Employment{ID: dayone.EngagementID("eng_" + subject), Source: source, SourceID: subject, Recorded: instant(b.t, at)})
}

func counts(t testing.TB, b *book, at, attr string) people.Attribute {
	t.Helper()
	i := instant(t, at)
	for _, a := range people.Attributes(&b.line, i, i, b.set) {
		if a.Name == attr {
			return a
		}
	}
	return people.Attribute{}
}

func TestTheFirstSourceWithAValueWinsAndIsNamed(t *testing.T) {
	t.Parallel()
	b := &book{t: t, set: severalSources(t), line: dayone.Timeline{Person: "per_1"}}
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	held := b.from("directory", "a3f1", "2024-11-22T16:00:00Z", dayone.Updated, "phone", "+1 415 111")
	want(t, "a record that is bound to nobody", held.State, dayone.EventQuarantined)
	b.bind("directory", "a3f1", "2024-11-22T17:00:00Z")
	want(t, "bound", b.from("directory", "a3f1", "2024-11-22T17:00:01Z", dayone.Updated, "phone", "+1 415 111").State, dayone.EventApplied)

	p := b.at("2024-11-26T00:00:00Z")
	want(t, "a directory is no employment", len(p.Engagements), 1)
	want(t, "status", p.Status, dayone.Working)
	want(t, "mobile", p.Attrs.Text("mobile"), "+1 415 111")
	a := counts(t, b, "2024-11-26T00:00:00Z", "mobile")
	want(t, "from", a.From, "directory")
	want(t, "hr was asked first", a.Words[0].Source+a.Words[0].Value.Text, "hr")

	b.says("2024-11-27T00:00:00Z", dayone.Updated, "mobile", "+1 415 999")
	b.from("directory", "a3f1", "2024-11-28T00:00:00Z", dayone.Updated, "phone", "+1 415 222")
	want(t, "hr is first, whoever spoke last", b.at("2024-11-29T00:00:00Z").Attrs.Text("mobile"), "+1 415 999")
	want(t, "and is named", counts(t, b, "2024-11-29T00:00:00Z", "mobile").From, "hr")
	b.says("2024-11-30T00:00:00Z", dayone.Updated, "mobile", "")
	want(t, "without a word of hr the next one counts", b.at("2024-12-01T00:00:00Z").Attrs.Text("mobile"), "+1 415 222")

	want(t, "what a directory says of an end ends nobody", b.from("directory", "a3f1", "2024-12-02T00:00:00Z", dayone.Terminated, "end_date", "2024-12-01").State, dayone.EventUnchanged)
	want(t, "she is there", b.at("2024-12-03T00:00:00Z").Status, dayone.Working)
}

func TestASecondSourceThatKnowsEmploymentsGivesOneOfItsOwn(t *testing.T) {
	t.Parallel()
	b := &book{t: t, set: severalSources(t), line: dayone.Timeline{Person: "per_1"}}
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	b.bind("agency", "A9", "2024-11-22T17:00:00Z")
	b.from("agency", "A9", "2024-11-23T00:00:00Z", dayone.Hired, with(sarah, "mobile", "+49 30 1", "department", "Legal", "employment_type", "Contractor")...)
	p := b.at("2024-11-26T00:00:00Z")
	want(t, "engagements", len(p.Engagements), 2)
	want(t, "the department is that of the primary one", p.Attrs.Text("department"), "Sales")
	want(t, "the mobile comes from wherever people.yaml says", p.Attrs.Text("mobile"), "+49 30 1")
	b.says("2025-01-01T00:00:00Z", dayone.Terminated, "end_date", "2024-12-31")
	want(t, "she stays with the agency", b.at("2025-01-02T00:00:00Z").Status, dayone.Working)
	want(t, "and what it says counts", b.at("2025-01-02T00:00:00Z").Attrs.Text("department"), "Legal")
}

func TestWhatWeChoseAndWroteBackIsNoWordOfHR(t *testing.T) {
	t.Parallel()
	b := &book{t: t, set: severalSources(t), line: dayone.Timeline{Person: "per_1"}}
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	at := instant(t, "2024-11-22T15:00:01Z")
	b.line.Facts = append(b.line.Facts, dayone.Fact{Engagement: "eng_E1", Attr: "custom.login", Value: dayone.Text("sarah.chen2"), Recorded: at, Source: policy.Ours})
	echo := b.says("2024-11-22T15:10:00Z", dayone.Updated, "login", "SARAH.CHEN2")
	want(t, "the echo", echo.State, dayone.EventUnchanged)
	want(t, "login", b.at("2024-11-23T00:00:00Z").Attrs.Text("custom.login"), "sarah.chen2")
	want(t, "from", counts(t, b, "2024-11-23T00:00:00Z", "custom.login").From, policy.Ours)
}

func TestACorrectionEndsOnItsDayOrWhenHRAgrees(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	correct := func(at string, pairs ...string) people.Judgement {
		now := instant(t, at)
		return b.hears(people.Heard{Event: dayone.Event{ID: dayone.EventID("evt_" + at), Source: dayone.Portal, Type: dayone.Corrected, Subject: "eng_E1", At: now, Received: now, Fields: fields(pairs...), By: "kim", Reason: "HR is on holiday"}}, now)
	}
	want(t, "state", correct("2024-12-01T12:00:00Z", "department", "Legal", "until_date", "2024-12-31").State, dayone.EventApplied)
	want(t, "before", b.at("2024-12-01T11:00:00Z").Attrs.Text("department"), "Sales")
	want(t, "while it stands", b.at("2024-12-31T12:00:00Z").Attrs.Text("department"), "Legal")
	want(t, "it wakes where she works", people.Next(&b.line, instant(t, "2024-12-02T00:00:00Z"), b.set).UTC().Format(time.RFC3339), "2025-01-01T08:00:00Z")
	want(t, "after", b.at("2025-01-01T08:00:00Z").Attrs.Text("department"), "Sales")
	c := counts(t, b, "2024-12-10T00:00:00Z", "department").Correction
	if c == nil {
		t.Fatal("it is not shown")
	}
	want(t, "by", c.By+", "+c.Reason, "kim, HR is on holiday")

	b.says("2024-12-10T00:00:00Z", dayone.Updated, "department", "Legal")
	if counts(t, b, "2024-12-11T00:00:00Z", "department").Correction != nil {
		t.Error("HR agrees, and it still stands")
	}
	b.says("2024-12-12T00:00:00Z", dayone.Updated, "department", "Finance")
	want(t, "what HR says after it agreed counts", b.at("2024-12-13T00:00:00Z").Attrs.Text("department"), "Finance")
	want(t, "what was known on the 5th stays so", people.At(&b.line, instant(t, "2024-12-20T00:00:00Z"), instant(t, "2024-12-05T00:00:00Z"), b.set).Attrs.Text("department"), "Legal")

	correct("2024-12-14T00:00:00Z", "location", "Berlin", "until_date", "2025-01-31")
	want(t, "her site is another one with it", b.at("2024-12-15T00:00:00Z").Attrs.Text("country"), "DE")
	correct("2024-12-16T00:00:00Z", "location", "San Francisco", "until_date", "2024-12-20")
	want(t, "the later correction counts", b.at("2024-12-17T00:00:00Z").Attrs.Text("country"), "US")
	end := dayone.Event{ID: "evt_end", Source: dayone.Portal, Type: dayone.CorrectionEnded, Subject: "eng_E1", At: instant(t, "2024-12-18T00:00:00Z"), Received: instant(t, "2024-12-18T00:00:00Z"), Fields: fields("location", "")}
	want(t, "ended", b.hears(people.Heard{Event: end}, end.At).State, dayone.EventApplied)
	if counts(t, b, "2024-12-18T00:00:01Z", "location").Correction != nil {
		t.Error("an ended correction stands")
	}
	want(t, "said again", b.hears(people.Heard{Event: end}, end.At.Add(time.Hour)).State, dayone.EventUnchanged)
}

func TestACorrectionThatMakesNoSenseIsRefusedWithWhatIsAllowed(t *testing.T) {
	t.Parallel()
	set := examplePolicy(t)
	for name, c := range map[string]struct{ attr, value, says string }{
		"a value that is not allowed": {"department", "Nonsense", "Sales, Engineering"},
		"an attribute by mistake":     {"departmnt", "Sales", `department`},
		"nothing":                     {"department", " ", "end the correction"},
		"no number":                   {"level", "high", "no whole number"},
		"a site that is not there":    {"location", "Atlantis", "sites.yaml"},
		"what follows from the rest":  {"status", "active", "follows"},
		"a date that HR has":          {"end_date", "2025-01-01", "termination"},
	} {
		if _, err := people.Correct(set, c.attr, c.value); err == nil || dayone.KindOf(err) != dayone.ErrInvalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	for name, pairs := range map[string][]string{
		"without an end":      {"department", "Legal"},
		"over already":        {"department", "Legal", "until_date", "2024-11-01"},
		"an end that is none": {"department", "Legal", "until_date", "soon"},
		"a bad value":         {"department", "Nonsense", "until_date", "2025-01-01"},
	} {
		if j := b.from(dayone.Portal, "eng_E1", "2024-12-01T00:00:00Z", dayone.Corrected, pairs...); j.State != dayone.EventQuarantined || len(j.Facts) > 0 {
			t.Errorf("%s: %s, %s", name, j.State, j.Note)
		}
	}
	want(t, "a source corrects nobody", b.says("2024-12-01T00:00:00Z", dayone.Corrected, "department", "Legal", "until_date", "2025-01-01").State, dayone.EventQuarantined)
}

// Any order and repetition of what two sources and somebody here say gives the same person at every instant, with the same
// winners; and nothing changes that Next does not tell.
func TestSourcesAndCorrectionsInAnyOrder(t *testing.T) {
	t.Parallel()
	set := severalSources(t)
	begin := time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC)
	day := func(n int) string { return begin.AddDate(0, 0, n).Format(time.DateOnly) }
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, 9).Draw(r, "events")
		var said []dayone.Event
		for i := range n {
			ev := dayone.Event{ID: dayone.EventID("evt_" + string(rune('a'+i))), Source: "hr", Type: dayone.Updated, Subject: "E1", At: begin.AddDate(0, 0, i), Received: begin.AddDate(0, 0, i)}
			pairs := []string{"location", "Berlin", "mobile", rapid.SampledFrom([]string{"1", "2", ""}).Draw(r, "mobile"), "department", rapid.SampledFrom([]string{"Sales", "Legal", "Nonsense"}).Draw(r, "department")}
			who := rapid.SampledFrom([]string{"hr", "directory", "correct", "end"}).Draw(r, "who")
			switch {
			case i == 0:
				ev.Type, pairs = dayone.Hired, append(pairs, "start_date", day(5))
			case who == "directory":
				ev.Source, ev.Subject, pairs = "directory", "D1", []string{"phone", rapid.SampledFrom([]string{"1", "3", ""}).Draw(r, "phone")}
			case who == "correct":
				ev.Source, ev.Subject, ev.Type = dayone.Portal, "eng_E1", dayone.Corrected
				pairs = []string{"until_date", day(rapid.IntRange(10, 40).Draw(r, "until"))}
				if rapid.Bool().Draw(r, "department") {
					pairs = append(pairs, "department", rapid.SampledFrom([]string{"Sales", "Legal"}).Draw(r, "right"))
				} else {
					pairs = append(pairs, "mobile", rapid.SampledFrom([]string{"1", "4"}).Draw(r, "right"))
				}
			case who == "end":
				ev.Source, ev.Subject, ev.Type, pairs = dayone.Portal, "eng_E1", dayone.CorrectionEnded, []string{"department", "", "mobile", ""}
			}
			ev.Fields = fields(pairs...)
			said = append(said, ev)
		}
		tell := func(order []dayone.Event) *book {
			b := &book{t: t, set: set, line: dayone.Timeline{Person: "per_1", Employments: []dayone.Employment{{ID: "eng_D1", Source: "directory", SourceID: "D1", Recorded: begin}}}}
			var held []dayone.Event
			now := begin.AddDate(0, 0, n+5)
			for len(order) > 0 {
				ev := order[0]
				order, now = order[1:], now.Add(time.Minute)
				switch j := b.hears(people.Heard{Event: ev}, now); {
				case j.State == dayone.EventQuarantined:
					held = append(held, ev)
				case j.New != nil:
					order, held = append(order, held...), nil
				}
			}
			return b
		}
		a := tell(said)
		mixed := rapid.Permutation(append(slices.Clone(said), rapid.SliceOfN(rapid.SampledFrom(said), 0, 4).Draw(r, "repeated")...)).Draw(r, "order")
		b := tell(mixed)
		known := begin.AddDate(1, 0, 0)
		for d := n + 6; d < 60; d++ {
			at := begin.AddDate(0, 0, d)
			p, q := people.At(&a.line, at, known, set), people.At(&b.line, at, known, set)
			if p.Status != q.Status || !maps.Equal(p.Attrs, q.Attrs) || !slices.Equal(p.Unknown, q.Unknown) {
				r.Fatalf("on day %d she is\n%+v\n%+v\n%+v\n%+v", d, p, q, a.line.Facts, b.line.Facts)
			}
			winners := func(line *dayone.Timeline) (out []string) {
				for _, x := range people.Attributes(line, at, known, set) {
					out = append(out, x.Name+" from "+x.From)
				}
				return out
			}
			if !slices.Equal(winners(&a.line), winners(&b.line)) {
				r.Fatalf("on day %d other sources win: %v, %v", d, winners(&a.line), winners(&b.line))
			}
		}
		now := begin.AddDate(0, 0, n+6)
		next := people.Next(&a.line, now, set)
		until := next.Add(-time.Nanosecond)
		if next.IsZero() {
			until = now.AddDate(1, 0, 0)
		}
		p, q := people.At(&a.line, now, known, set), people.At(&a.line, until, known, set)
		if p.Status != q.Status || !maps.Equal(p.Attrs, q.Attrs) {
			r.Fatalf("between %s and %s something changed that Next did not tell: %+v, %+v", now, next, p, q)
		}
	})
}

func TestHistoryPagesToTheFirstWord(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.says("2024-11-22T15:00:00Z", dayone.Hired, sarah...)
	at := instant(t, "2024-11-23T00:00:00Z")
	for i := range 499 {
		at = at.Add(time.Hour)
		b.says(at.Format(time.RFC3339), dayone.Updated, "team", "Team "+string(rune('A'+i%2)), "mobile", "+1 "+string(rune('0'+i%7)))
	}
	if len(b.line.Facts) < 1000 {
		t.Fatalf("only %d facts", len(b.line.Facts))
	}
	var seen []int
	for before, more := 0, true; more; {
		var list []people.Change
		began := time.Now()
		list, more = people.History(&b.line, at, at, b.set, before, 50)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("a page took %s", took)
		}
		for _, c := range list {
			seen = append(seen, c.Seq)
			want(t, "one event, one change", c.Event == "", false)
		}
		before = list[len(list)-1].Seq
	}
	want(t, "changes", len(seen), 500)
	want(t, "newest first", slices.IsSortedFunc(seen, func(a, b int) int { return cmp.Compare(b, a) }), true)
	first, _ := people.History(&b.line, at, instant(t, "2024-11-22T18:00:00Z"), b.set, 0, 50)
	want(t, "what was known then", len(first), 1)
	want(t, "intent", first[0].Intent, "future hire")
}

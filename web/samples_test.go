package web

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

var noon = sampleDay

// Every state of every page renders, is well-formed and says each id once.
func TestEveryStateRenders(t *testing.T) {
	t.Parallel()
	v := newRenderer("test")
	used := map[string]bool{}
	names := map[string]bool{}
	for _, s := range samples(viewer{zone: time.UTC, now: noon}) {
		if names[s.name] {
			t.Errorf("two samples are called %s", s.name)
		}
		names[s.name], used[s.template] = true, true
		var b bytes.Buffer
		if err := v.pages[s.template]().ExecuteTemplate(&b, "page", page{Title: s.title, Plain: s.plain, Phone: s.phone, Main: s.main}); err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		wellFormed(t, s.name, b.String())
	}
	var b bytes.Buffer
	if err := v.pages["gallery"]().ExecuteTemplate(&b, "page", page{Main: newGallery()}); err != nil {
		t.Error(err)
	}
	wellFormed(t, "gallery", b.String())
	for name := range v.pages {
		if name != "gallery" && !used[name] {
			t.Errorf("the gallery shows no state of page %s", name)
		}
	}
}

// wellFormed reads HTML as XML after its void elements were closed: every element ends where it should.
func wellFormed(t *testing.T, name, html string) {
	t.Helper()
	ids := map[string]bool{}
	dec := xml.NewDecoder(strings.NewReader(html))
	dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []string
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		switch e := tok.(type) {
		case xml.StartElement:
			open = append(open, e.Name.Local)
			for _, a := range e.Attr {
				if a.Name.Local == "id" {
					if ids[a.Value] {
						t.Errorf("%s: two elements are called %s", name, a.Value)
					}
					ids[a.Value] = true
				}
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != e.Name.Local {
				t.Errorf("%s: </%s> ends %v", name, e.Name.Local, open)
				return
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%s: %v never end", name, open)
	}
}

// nasty is what people and systems may be called.
const nasty = `<script>alert("x")</script>${okta.account.ref}{{.}}' onmouseover='x` + "\u202eevil"

// What came from outside is text, wherever it stands.
func TestNothingFromOutsideIsMarkup(t *testing.T) {
	t.Parallel()
	v := newRenderer("test")
	view := viewer{zone: time.UTC, now: noon}
	b := *sampleBoard(view, 0)
	b.run.Title = nasty
	for i := range b.run.Steps {
		s := &b.run.Steps[i]
		s.Error, s.Step.Key.Name, s.Step.Because = nasty, nasty, []dayone.Reason{{Policy: nasty, At: nasty}}
		b.run.Plan.Steps[i].Key.Name = nasty
		if s.Wait != nil {
			s.Wait.Note = nasty
		}
		if s.Step.Want != nil {
			s.Step.Want.Attrs = dayone.Attrs{"email": dayone.Text(nasty), "to": dayone.List(nasty)}
		}
	}
	b.titles = map[string]string{"okta": nasty, "slack": nasty}
	b.chosen = 8
	laid := newBoard(b)
	run := newRunView(laid)
	run.Detail, run.Person = laid.detail([]dayone.Record{{Step: b.run.Steps[7].Step.ID, What: nasty, By: nasty, Detail: &dayone.Detail{Note: nasty}}}), link{nasty, "/people/x"}
	row := flow.Row{ID: samplePerson, Name: nasty, Title: nasty, Department: nasty, Location: nasty, Team: nasty, Status: dayone.PreHire, Starts: noon}
	head := newPersonHead(view, row, time.UTC, "access")
	access := []flow.Access{{
		Key: dayone.Key{System: "okta", Kind: "group", Name: nasty}, Title: nasty, Role: nasty, Note: nasty, State: flow.AsWanted, Reasons: []flow.Reason{{Title: nasty, Reason: dayone.Reason{At: nasty}}},
		Holding: &dayone.Holding{Item: dayone.Item{Ref: nasty}},
	}}
	explanation := policy.Explanation{Key: access[0].Key, Finding: nasty, Lines: []policy.Line{{Title: nasty, At: nasty, Reason: nasty, Truth: "yes", Conditions: []policy.Condition{{Text: nasty, Reads: []policy.Read{{Name: nasty, Value: nasty}}}}}}}
	task := todo{
		task: dayone.Task{ID: "tsk_1", Title: nasty, Note: nasty + " https://x/" + nasty, Ask: []string{nasty, "adopt"}, Person: samplePerson},
		row:  row, zone: time.UTC, step: &b.run.Steps[0], number: 1, system: nasty, kind: nasty, thing: nasty,
	}
	stuck := row
	stuck.Problem = nasty
	progress := flow.Progress{Row: row, Access: access, Look: flow.Look{Have: []dayone.Holding{{Item: dayone.Item{Key: dayone.Key{Kind: "order"}, Attrs: dayone.Attrs{"model": dayone.Text(nasty), "tracking": dayone.Text(nasty), "carrier": dayone.Text(nasty)}}}}}}
	for template, main := range map[string]any{
		"run": run, "person": newPersonAccess(view, head, flow.Look{Want: dayone.Want{Findings: []dayone.Finding{{Text: nasty}}}}, access, func(dayone.Key) policy.Explanation { return explanation }),
		"why": newWhy(view, link{nasty, "/x"}, explanation), "task": newTask(view, task, map[string]string{nasty: nasty}),
		"tasks": newTasks(view, []todo{task}, 1), "dashboard": dashboardView{Sentence: nasty, Unplanned: []item{unplannedItem(view, stuck)}, NoStarters: &empty{}, NoRuns: &empty{}}, "progress": newProgress(view, time.UTC, progress, nil),
		"events":   newEvents(view, []dayone.Intake{{Event: dayone.Event{Type: nasty, Source: nasty, Subject: nasty}, Note: nasty, State: dayone.EventApplied}}, []dayone.Intake{{Event: dayone.Event{Source: nasty}, Note: nasty}}, "", nil, nil),
		"policies": newPolicies(plainView(), &policy.Set{Policies: []*policy.Policy{{ID: nasty, Title: nasty, Owner: nasty, At: policy.Position{File: nasty, Line: 1}}}}, map[string]string{nasty: nasty}),
		"proposal": newProposal(view, dayone.PolicyVersion{ID: "1", Author: nasty, Note: nasty}, flow.Everybody{
			Changes: []flow.Change{{Name: nasty, Cases: []string{nasty}}}, Brakes: []string{nasty}, Skipped: []string{nasty}, Keys: []flow.KeyCount{{Key: access[0].Key, First: []string{nasty}}},
		}),
		"mailbox": newMailbox(view, []Mail{{From: nasty, To: []string{nasty}, Subject: nasty, Text: nasty + " javascript:alert(1) https://x/" + nasty, ICS: "BEGIN:VEVENT\nSUMMARY:" + nasty}}, 0),
		"records": recordsView{Rows: []recordRow{newRecordRow(view, dayone.Record{What: nasty, System: nasty, By: nasty, Step: nasty, Detail: &dayone.Detail{Note: nasty, Now: &dayone.Item{Ref: nasty}}})}},
		"people":  peopleView{Query: nasty, List: peopleList{Rows: []personRow{{Name: link{nasty, "/people/x"}, Title: nasty, Department: nasty}}}, Departments: []option{{Value: nasty, Text: nasty}}},
		"sealed":  sealedView{System: nasty, Phase: "open", Secret: nasty}, "find": found{Query: nasty, None: true}, "login": loginView{Next: nasty, From: nasty},
	} {
		var out bytes.Buffer
		if err := v.pages[template]().ExecuteTemplate(&out, "page", page{Title: nasty, Phone: template == "sealed" || template == "progress", Main: main, Crumbs: []link{{nasty, ""}}, Who: nasty}); err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		html := out.String()
		if strings.Contains(html, "<script>alert") || strings.Contains(html, "onmouseover='x") && !strings.Contains(html, "&#39; onmouseover=&#39;x") {
			t.Errorf("%s lets markup through", template)
		}
		if strings.Contains(html, `href="javascript:`) {
			t.Errorf("%s has a link of script", template)
		}
		if !strings.Contains(html, "${okta.account.ref}{{.}}") {
			t.Errorf("%s does not show the text as it is", template)
		}
		wellFormed(t, template, html)
	}
	for name, data := range map[string]any{"live-head": laid.head(), "live-needs": laid.needs(), "live-steps": laid.steps(), "live-gantt": laid.timeline(), "step-detail": run.Detail} {
		html, err := v.html(name, data)
		if err != nil || strings.Contains(html, "<script>alert") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Names of any script stand by themselves: they do not turn the line around them.
func TestNamesAreIsolated(t *testing.T) {
	t.Parallel()
	v := newRenderer("test")
	html, err := v.html("people-list", peopleList{Rows: []personRow{{Name: link{"שרה כהן", "/people/x"}}}})
	if err != nil || !strings.Contains(html, "<bdi>שרה כהן</bdi>") {
		t.Errorf("%v\n%s", err, html)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "under 0.1 s", 1900 * time.Millisecond: "1.9 s", 21 * time.Second: "21 s", 192 * time.Second: "3 min 12 s", 2 * time.Hour: "2 h", 125 * time.Minute: "2 h 5 min", 80 * time.Hour: "3 days",
	} {
		if got := took(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 100412: "100,412", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
	tokyo, _ := time.LoadLocation("Asia/Tokyo")
	v := viewer{zone: time.UTC, now: noon}
	if got := v.day(time.Date(2024, 11, 25, 0, 0, 0, 0, tokyo), tokyo).Text; got != "Mon 25 Nov" {
		t.Errorf("a first day in Tokyo, seen from London, is %s", got)
	}
	for days, want := range map[int]string{0: "today", 1: "tomorrow", -1: "yesterday", -45: "45 days ago", 100: "in 3 months", -400: "1 year ago", -2513: "6 years ago"} {
		if got := v.away(days); got != want {
			t.Errorf("%d days are %q, want %q", days, got, want)
		}
	}
	for n, want := range map[int]string{0: "0 lines", 1: "1 line", 100412: "100,412 lines"} {
		if got := linesText(viewer{}, n); got != want {
			t.Errorf("%d lines are %q", n, got)
		}
	}
	for word, want := range map[string]string{"Okta account": "an", "Slack account": "a", "AWS account": "an", "SCIM account": "an", "UKG account": "a", "Entra": "an"} {
		if got := article(word); got != want {
			t.Errorf("%s %s", got, word)
		}
	}
	for name, want := range map[string]string{"okta": "Okta", "gitlab-eu": "GitLab EU", "ad": "AD", "reseller": "Reseller"} {
		if got := systemTitle(nil, name); got != want {
			t.Errorf("system %s is called %q, want %q", name, got, want)
		}
	}
	for next, want := range map[string]string{"/a?b=c#d": "/a?b=c#d", "/\n/evil": "/", "///evil": "/", "http:/x": "/"} {
		if got := back(next); got != want {
			t.Errorf("back(%q) = %q", next, got)
		}
	}
}

func TestEveryKindOfErrorHasWords(t *testing.T) {
	t.Parallel()
	for _, k := range dayone.Kinds {
		if a := answerTo(k); a.kind != k || a.text == "" || a.next == "" {
			t.Errorf("%v has no answer of its own", k)
		}
		if _, ok := failTexts[k.Error()]; !ok && k != dayone.ErrDryRun {
			t.Errorf("a step that fails as %v has no words", k)
		}
	}
	if a := answerTo(errors.New("anything")); a.status != 500 {
		t.Errorf("our own fault is %d", a.status)
	}
}

func TestMeetings(t *testing.T) {
	t.Parallel()
	m := readMeeting(sampleICS)
	if m.summary != "Intro call, Sarah" || m.organizer != "it@company.com" || len(m.attendees) != 1 || m.attendees[0] != "john.doe@company.com" || m.end.Sub(m.start) != 30*time.Minute {
		t.Errorf("%+v", m)
	}
	if m.start.UTC().Hour() != 17 {
		t.Errorf("starts %v", m.start)
	}
	if !readMeeting("METHOD:CANCEL\nBEGIN:VEVENT\nEND:VEVENT").cancelled {
		t.Error("a cancelled meeting stands")
	}
}

// What a reader remembers is enough to tell it what has changed, and nothing else.
func TestMemoryOfAReader(t *testing.T) {
	t.Parallel()
	b := sampleBoard(viewer{zone: time.UTC, now: noon}, 0)
	m := b.seen()
	if got := b.changed(m); len(got) != 0 {
		t.Errorf("%v changed", got)
	}
	again, known := b.remember(m.String())
	if !known || again.String() != m.String() {
		t.Error("a memory does not survive its text")
	}
	b.run.Steps[3].Attempt++
	b.run.Steps[7].State = dayone.StepDone
	if got := b.changed(m); len(got) != 2 || got[0] != 3 || got[1] != 7 {
		t.Errorf("%v changed", got)
	}
	for _, bad := range []string{"", "x", "AAAA", strings.Repeat("A", 10000)} {
		if m, known := b.remember(bad); known || len(b.changed(m)) != len(b.run.Steps) {
			t.Errorf("%q is taken for a memory", bad)
		}
	}
}

func TestPredictionsRestOnThePast(t *testing.T) {
	t.Parallel()
	view := viewer{zone: time.UTC, now: noon}
	b := *sampleBoard(view, 0)
	for i := range b.run.Steps {
		if s := &b.run.Steps[i]; s.State == dayone.StepWaiting || s.State == dayone.StepFailed {
			s.State, s.Wait = dayone.StepDone, nil
		}
	}
	if f := newBoard(b).finish(); !f.at.IsZero() || f.on == 0 {
		t.Errorf("without a past: %+v", f)
	}
	b.pace = map[flow.PaceOf]flow.Pace{}
	for _, s := range b.run.Plan.Steps {
		b.pace[paceKey(s)] = flow.Pace{P10: 30 * time.Second, Median: time.Minute, P90: 2 * time.Minute}
	}
	f := newBoard(b).finish()
	if f.at.Before(noon) || f.late.Before(f.early) || f.at.Sub(noon) > 3*time.Minute {
		t.Errorf("with a past: %+v", f)
	}
	if svg := string(newBoard(b).timeline().SVG); !strings.Contains(svg, `class="b-p"`) {
		t.Error("the timeline shows no prediction")
	}
}

func TestTimelineBreaksWhereTimeIsLong(t *testing.T) {
	t.Parallel()
	start := noon
	s := scaleOf(start, start.Add(20*time.Second), start.Add(3*24*time.Hour), start.Add(3*24*time.Hour))
	if !s.broken() || s.x(start) != ganttLeft || s.x(start.Add(20*time.Second)) < 600 || s.x(start.Add(3*24*time.Hour)) > ganttRight {
		t.Errorf("%+v", s)
	}
	if s := scaleOf(start, start.Add(20*time.Second), start.Add(25*time.Second), start.Add(40*time.Second)); s.broken() {
		t.Error("40 s break a scale of 20 s")
	}
	for _, span := range []time.Duration{0, time.Millisecond, time.Second, time.Minute, time.Hour, 30 * 24 * time.Hour, 5 * 365 * 24 * time.Hour} {
		step := tickStep(span, 500)
		if step <= 0 || span/step > 12 {
			t.Errorf("%v is ruled every %v", span, step)
		}
	}
}

func TestAThousandStepsStayReadable(t *testing.T) {
	t.Parallel()
	b := sampleBoard(viewer{zone: time.UTC, now: noon}, 1000)
	if n := strings.Count(string(b.timeline().SVG), `class="row-alt"`) + strings.Count(string(b.timeline().SVG), "<text x="); n > 120 {
		t.Errorf("the timeline has %d rows", n)
	}
	if n := strings.Count(string(b.picture().SVG), `class="node `); n > 60 {
		t.Errorf("the picture has %d nodes", n)
	}
	rows := 0
	for _, g := range b.steps().Groups {
		rows += len(g.Rows)
	}
	if rows != len(b.run.Steps) {
		t.Errorf("the list has %d rows of %d", rows, len(b.run.Steps))
	}
}

// What stands in the place of a bad value is told as it is: who never had a good one has none to keep.
func TestOnlyAGoodValueStays(t *testing.T) {
	t.Parallel()
	p := dayone.Person{Attrs: dayone.Attrs{"department": dayone.Text("Sales"), "location": dayone.Text("Mars")}, Unknown: []string{"department", "level", "location"}}
	got := strings.Join(unknownTexts(viewer{}, p), "\n")
	if want := "No site is called Mars, so the company's own zone counts, and nothing else of it.\nThe last good value stays: Department.\nThere is no value yet: Level."; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// Somebody who is only known from an import has what policies would give, and nothing is on its way.
func TestAnImportPromisesNothing(t *testing.T) {
	t.Parallel()
	html := pageOf(t, "person-imported")
	for _, want := range []string{"Known from an import", "policies would give", "Nothing is planned until HR hires them, or somebody gives them products.", "Not planned"} {
		if !strings.Contains(html, want) {
			t.Errorf("the person's page lacks %q", want)
		}
	}
	if strings.Contains(html, "To come") || strings.Contains(html, "Not there yet") {
		t.Error("the person's page promises something")
	}
	if html := pageOf(t, "why-imported"); !strings.Contains(html, "A policy would give it") || strings.Contains(html, "A policy gives it now") {
		t.Error("the explanation says that it is given")
	}
}

// pageOf renders a state of the gallery.
func pageOf(t *testing.T, name string) string {
	t.Helper()
	all := samples(viewer{zone: time.UTC, now: noon})
	i := slices.IndexFunc(all, func(s sample) bool { return s.name == name })
	if i < 0 {
		t.Fatalf("the gallery has no %s", name)
	}
	var b bytes.Buffer
	s := all[i]
	if err := newRenderer("test").pages[s.template]().ExecuteTemplate(&b, "page", page{Title: s.title, Plain: s.plain, Phone: s.phone, Main: s.main}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Nobody is told that nothing is left while a parcel is not known to have come.
func TestTheLaptopIsPartOfEverything(t *testing.T) {
	t.Parallel()
	late := pageOf(t, "progress-laptop")
	if strings.Contains(late, "Nothing is left to do") || !strings.Contains(late, "Every account is ready") || !strings.Contains(late, "The laptop should have arrived Wed 20 Nov. If it has not, tell IT.") {
		t.Errorf("%s", late)
	}
	got := flow.Progress{Row: flow.Row{Status: dayone.Working}, Access: sampleAccess(noon)[:2]}
	if v := newProgress(viewer{zone: time.UTC, now: noon}, time.UTC, got, nil); v.State.Text != "Everything is ready" || v.Sentence != "Nothing is left to do." {
		t.Errorf("without a laptop: %s %s", v.State.Text, v.Sentence)
	}
}

// What somebody took back is not ready, though policies still want it, and who works here waits for no first day.
func TestWhatWasTakenBackIsNotReady(t *testing.T) {
	t.Parallel()
	closed := &dayone.Holding{Item: dayone.Item{State: dayone.Disabled}}
	got := flow.Progress{Row: flow.Row{Status: dayone.Working}, Access: []flow.Access{
		{Key: dayone.Key{System: "okta", Kind: dayone.AccountKindName}, Title: "Okta", State: flow.Held, Holding: closed, Closed: true},
		{Key: dayone.Key{System: "notion", Kind: dayone.AccountKindName}, Title: "Notion", State: flow.Held},
		{Key: dayone.Key{System: "slack", Kind: dayone.AccountKindName}, Title: "Slack", State: flow.Held, Holding: &dayone.Holding{}},
	}}
	v := newProgress(viewer{zone: time.UTC, now: noon}, time.UTC, got, nil)
	var states []string
	for _, one := range v.Things {
		states = append(states, one.Title+": "+one.State.Text)
	}
	if all := strings.Join(states, ", "); all != "Notion: Taken back for now, Okta: Taken back for now, Slack: Ready" || v.State.Text != takenBack || v.BarText != "1 of 3 ready" {
		t.Errorf("%s; %s, %s", all, v.State.Text, v.BarText)
	}
	if v := newProgress(viewer{zone: time.UTC, now: noon}, time.UTC, flow.Progress{Row: flow.Row{Status: dayone.Working}}, nil); v.State.Text != "Not set up from here" {
		t.Errorf("somebody who works here is told %q", v.Sentence)
	}
}

// What is part of a closed account is in the books still. It is closed with its account, and not kept.
func TestWhatIsPartOfAClosedAccountIsNotKept(t *testing.T) {
	t.Parallel()
	profile := flow.Access{
		Key: dayone.Key{System: "salesforce", Kind: "profile", Name: "sales-engineer"}, Title: "Salesforce", State: flow.Held, Note: "until 2 Dec 2024",
		Holding: &dayone.Holding{Item: dayone.Item{State: dayone.Active}},
	}
	said := func(a flow.Access) string {
		row := newAccessRow(viewer{zone: time.UTC, now: noon}, "per_1", a, policy.Explanation{})
		return joined(" ", row.State.Text, row.Note)
	}
	if got := said(profile); got != "Kept until Mon 2 Dec" {
		t.Errorf("while its account is open: %s", got)
	}
	profile.Closed = true
	if got := said(profile); got != "Disabled" {
		t.Errorf("when its account is closed: %s", got)
	}
}

// Pages without a login have no menu that says the zone of their times, so each time says it: that of the new hire's site.
func TestPagesWithoutLoginNameTheZoneOfTheSite(t *testing.T) {
	t.Parallel()
	pacific, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	utc := viewer{zone: time.UTC, now: noon}
	opens := time.Date(2024, 11, 25, 7, 0, 0, 0, pacific)
	v := newProgress(utc, pacific, flow.Progress{Row: flow.Row{Starts: opens.Add(-7 * time.Hour)}, Code: "1", Shows: opens.Add(-7 * time.Hour), Opens: opens}, nil)
	if v.Opens.Text != "Mon 25 Nov, 07:00 PST" || v.CodeFrom.Text != "Mon 25 Nov, 00:00 PST" {
		t.Errorf("the code stands there from %s, and opens from %s", v.CodeFrom.Text, v.Opens.Text)
	}
	if s := newSealed(utc, flow.SealedLink{Opens: opens, Zone: pacific}); s.Opens.Text != "Mon 25 Nov, 07:00 PST" {
		t.Errorf("the link opens %s", s.Opens.Text)
	}
	recife, err := time.LoadLocation("America/Recife")
	if err != nil {
		t.Fatal(err)
	}
	if got := utc.there(recife).at(noon).Text; got != "Fri 22 Nov, 09:00 UTC-03" {
		t.Errorf("where the zone has no name: %s", got)
	}
}

// An invitation is shown when it is where people meet, as its text says it, and never in two zones.
func TestAnInvitationHasOneZone(t *testing.T) {
	t.Parallel()
	v := newMailbox(viewer{zone: time.UTC, now: noon}, []Mail{{Text: "09:00 to 09:30 (America/Los_Angeles)", ICS: sampleICS}}, 0)
	if m := v.Open.Meeting; m.From.Text != "Mon 25 Nov, 09:00" || m.To.Text != "09:30 PST" {
		t.Errorf("it is from %s to %s", m.From.Text, m.To.Text)
	}
}

// What is to be done follows from the step and the person: what, for whom, how it is to be left, and by when.
func TestTasksAreSentences(t *testing.T) {
	t.Parallel()
	pacific, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	opened := time.Date(2024, 11, 22, 15, 0, 0, 0, time.UTC)
	first, last := time.Date(2024, 11, 25, 0, 0, 0, 0, pacific), time.Date(2024, 12, 21, 0, 0, 0, 0, pacific)
	for _, c := range []struct {
		key        string
		action     dayone.Action
		have, want *dayone.Item
		title      string
		told       string
		due        time.Time
	}{
		{"okta/account", dayone.AccountCreate, nil, &dayone.Item{State: dayone.Staged}, "Create an Okta account for Bob Moss", "Leave it closed until the first day, Mon 25 Nov", first},
		{"okta/account", dayone.AccountEnable, &dayone.Item{Ref: "00u1"}, &dayone.Item{State: dayone.Active}, "Open the Okta account of Bob Moss", "Id in Okta: 00u1", first},
		{"okta/account:admin", dayone.AccountDisable, &dayone.Item{Ref: "00u1"}, &dayone.Item{State: dayone.Disabled}, "Close the Okta admin account of Bob Moss", "Nobody may sign in with it any more", last},
		{"okta/account", dayone.AccountDelete, &dayone.Item{Ref: "00u1"}, nil, "Delete the Okta account of Bob Moss", "Delete it for good", last},
		{"okta/group:sales-team", dayone.EntitlementAdd, nil, &dayone.Item{Role: "member"}, "Add bob@company.com to the group Sales team in Okta as member", "Role: member", first},
		{"okta/group:sales-team", dayone.EntitlementAdd, &dayone.Item{Role: "member"}, &dayone.Item{Role: "owner"}, "Make bob@company.com owner of the group Sales team in Okta", "Role: owner", first},
		{"okta/group:sales-team", dayone.EntitlementRemove, &dayone.Item{}, nil, "Remove bob@company.com from the group Sales team in Okta", "For: Bob Moss, bob@company.com", last},
		{"okta/licence:e5", dayone.EntitlementAdd, nil, &dayone.Item{Attrs: dayone.Attrs{"seats": dayone.Int(1)}}, "Give bob@company.com the group Sales team in Okta", "Seats: 1", first},
		{"okta/device", dayone.EntitlementAdd, nil, &dayone.Item{}, "Set up the group of Bob Moss in Okta", "complete this task", first},
	} {
		key, err := dayone.ParseKey(c.key)
		if err != nil {
			t.Fatal(err)
		}
		d := todo{
			task: dayone.Task{Title: c.key, Opened: opened}, row: flow.Row{Name: "Bob Moss", Email: "bob@company.com", Starts: first, Ends: last}, zone: pacific,
			step:   &dayone.StepRun{Kind: dayone.ErrUnsupported.Error(), Step: dayone.Step{Key: key, Action: c.action, Have: c.have, Want: c.want}},
			system: "Okta", kind: "group", thing: "Sales team",
		}
		if got := d.title(); got != c.title {
			t.Errorf("%s %s is %q, want %q", c.key, c.action, got, c.title)
		}
		if told := strings.Join(d.instructions(), "\n"); !strings.Contains(told, c.told) {
			t.Errorf("%s %s does not say %q:\n%s", c.key, c.action, c.told, told)
		}
		if due, _ := d.due(); !due.Equal(c.due) {
			t.Errorf("%s %s is due %v, want %v", c.key, c.action, due, c.due)
		}
	}
	begun := todo{task: dayone.Task{Opened: opened}, row: flow.Row{Starts: opened.AddDate(-1, 0, 0)}, zone: time.UTC}
	for days, want := range map[int]int{0: 0, 1: -1} {
		if got := begun.days(viewer{zone: time.UTC, now: opened.AddDate(0, 0, days)}); got != want {
			t.Errorf("what is due when it was opened has %d days left after %d", got, days)
		}
	}
}

// A policy's text is its item of the list, and nothing of its neighbours.
func TestExcerptsOfPolicies(t *testing.T) {
	t.Parallel()
	set, texts := samplePolicies()
	v := newPolicies(plainView(), set, texts)
	rows := v.Files[0].Policies
	if rows[0].Lines != "lines 2 to 9" || len(rows[0].Text) != 8 || rows[0].Text[0].Text != "- id: sales-team" || rows[0].Text[7].Text != `    - {to: "slack/channel:#sales-team", as: member}` {
		t.Errorf("%s: %+v", rows[0].Lines, rows[0].Text)
	}
	if rows[1].Lines != "lines 11 to 13" || rows[1].Text[0].Anchor != "policies-sales-yaml-11" {
		t.Errorf("%s: %+v", rows[1].Lines, rows[1].Text)
	}
	if v := newPolicies(plainView(), set, nil); v.Files[0].Policies[0].Text != nil {
		t.Error("a file that has changed shows a text")
	}
}

// A run may be taken back by the undo of an earlier one. Its page says so, and where that stands.
func TestARunThatWentWithAnEarlierOneSaysSo(t *testing.T) {
	t.Parallel()
	own := flow.TakenBack{By: "run_3", Of: "run_1", Whole: true}
	for run, want := range map[dayone.RunID]bool{"run_1": false, "run_2": true} {
		for _, under := range []bool{false, true} {
			for _, whole := range []bool{false, true} {
				own.Under, own.Whole = under, whole
				n := goneNotice(own, run, own.By)
				if strings.Contains(n.Text, "earlier run") != want || n.Act.Href != "/runs/run_3" {
					t.Errorf("%s, whole %v, under way %v: %s, at %s", run, whole, under, n.Text, n.Act.Href)
				}
			}
		}
	}
}

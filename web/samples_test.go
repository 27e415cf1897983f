package web

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

var noon = time.Date(2024, 11, 22, 12, 0, 0, 0, time.UTC)

// Every state of every page renders, is well-formed and says each id once.
func TestEveryStateRenders(t *testing.T) {
	t.Parallel()
	v := newRenderer("test")
	used := map[string]bool{}
	names := map[string]bool{}
	for _, s := range samples(viewer{time.UTC, noon}) {
		if names[s.name] {
			t.Errorf("two samples are called %s", s.name)
		}
		names[s.name], used[s.template] = true, true
		var b bytes.Buffer
		if err := v.pages[s.template].ExecuteTemplate(&b, "page", page{Title: s.title, Plain: s.plain, Phone: s.phone, Main: s.main}); err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		wellFormed(t, s.name, b.String())
	}
	var b bytes.Buffer
	if err := v.pages["gallery"].ExecuteTemplate(&b, "page", page{Main: newGallery()}); err != nil {
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
	view := viewer{time.UTC, noon}
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
	task := dayone.Task{ID: "tsk_1", Title: nasty, Note: nasty + " https://x/" + nasty, Ask: []string{nasty, "adopt"}, Person: samplePerson}
	progress := flow.Progress{Row: row, Access: access, Look: flow.Look{Have: []dayone.Holding{{Item: dayone.Item{Key: dayone.Key{Kind: "order"}, Attrs: dayone.Attrs{"model": dayone.Text(nasty), "tracking": dayone.Text(nasty), "carrier": dayone.Text(nasty)}}}}}}
	for template, main := range map[string]any{
		"run": run, "person": newPersonAccess(view, head, flow.Look{Want: dayone.Want{Findings: []dayone.Finding{{Text: nasty}}}}, access, func(dayone.Key) policy.Explanation { return explanation }),
		"why": newWhy(link{nasty, "/x"}, explanation), "task": newTask(view, task, nasty, nasty, &b.run.Steps[0], map[string]string{nasty: nasty}),
		"tasks": newTasks(view, []dayone.Task{task}, func(dayone.PersonID) string { return nasty }), "progress": newProgress(view, time.UTC, progress, nil),
		"events":  newEvents(view, []dayone.Intake{{Event: dayone.Event{Type: nasty, Source: nasty, Subject: nasty}, Note: nasty, State: dayone.EventApplied}}, []dayone.Intake{{Event: dayone.Event{Source: nasty}, Note: nasty}}, "", nil),
		"mailbox": newMailbox(view, []Mail{{From: nasty, To: []string{nasty}, Subject: nasty, Text: nasty + " javascript:alert(1) https://x/" + nasty, ICS: "BEGIN:VEVENT\nSUMMARY:" + nasty}}, 0),
		"records": recordsView{Rows: []recordRow{newRecordRow(view, dayone.Record{What: nasty, System: nasty, By: nasty, Step: nasty, Detail: &dayone.Detail{Note: nasty, Now: &dayone.Item{Ref: nasty}}})}},
		"people":  peopleView{Query: nasty, List: peopleList{Rows: []personRow{{Name: link{nasty, "/people/x"}, Title: nasty, Department: nasty}}}, Departments: []option{{Value: nasty, Text: nasty}}},
		"sealed":  sealedView{System: nasty, Phase: "open", Secret: nasty}, "find": found{Query: nasty, None: true}, "login": loginView{Next: nasty},
	} {
		var out bytes.Buffer
		if err := v.pages[template].ExecuteTemplate(&out, "page", page{Title: nasty, Phone: template == "sealed" || template == "progress", Main: main, Crumbs: []link{{nasty, ""}}, Who: nasty}); err != nil {
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
	v := viewer{time.UTC, noon}
	if got := v.day(time.Date(2024, 11, 25, 0, 0, 0, 0, tokyo), tokyo).Text; got != "Mon 25 Nov" {
		t.Errorf("a first day in Tokyo, seen from London, is %s", got)
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
	b := sampleBoard(viewer{time.UTC, noon}, 0)
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
	view := viewer{time.UTC, noon}
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
	b := sampleBoard(viewer{time.UTC, noon}, 1000)
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

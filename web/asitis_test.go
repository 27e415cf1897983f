package web

import (
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/locale"
	"github.com/dayone-hq/dayone/policy"
)

// Whoever works with it is not told that a thing is ready of which it is known that it is not.
func TestWhatASystemShowsOtherwiseIsNotReady(t *testing.T) {
	t.Parallel()
	there := &dayone.Holding{Item: dayone.Item{State: dayone.Active}}
	mail, line := dayone.Key{System: "google", Kind: dayone.AccountKindName}, dayone.Key{System: "phone", Kind: "line"}
	got := flow.Progress{Row: flow.Row{Status: dayone.Working}, Access: []flow.Access{
		{Key: mail, Title: "Google", State: flow.AsWanted, Holding: there},
		{Key: line, Title: "Phone", State: flow.AsWanted, Holding: there},
		{Key: dayone.Key{System: "slack", Kind: dayone.AccountKindName}, Title: "Slack", State: flow.AsWanted, Holding: there},
	}}
	said := func() string {
		v := newProgress(viewer{zone: time.UTC, now: noon}, time.UTC, got, nil)
		all := []string{v.State.Text, v.BarText}
		for _, one := range v.Things {
			all = append(all, one.Title+": "+one.State.Text)
		}
		return strings.Join(all, "; ")
	}
	if is := said(); is != "Everything is ready; 3 of 3 ready; Google: Ready; Phone: Ready; Slack: Ready" {
		t.Error(is)
	}
	got.Unseen = true
	if is := said(); is != "Being set up; 2 of 3 ready; Google: Ready; Phone: Being set up; Slack: Ready" {
		t.Error(is)
	}
	got.Lacks = map[dayone.Key]bool{mail: true}
	if is := said(); is != "Not everything is as it should be; 1 of 3 ready; Google: Not as it should be; Phone: Being set up; Slack: Ready" {
		t.Error(is)
	}
}

// A laptop in a parcel is not there, though what manages it knows it already.
func TestWhatIsInAParcelIsNotThere(t *testing.T) {
	t.Parallel()
	parcel := flow.PersonDevice{Kind: "Laptop", Serial: "C02XK1ABCD", Tracking: "1Z", State: flow.AsWanted}
	known := flow.PersonDevice{Kind: "Managed Mac", Product: "MacBook Pro", Serial: "C02XK1ABCD", State: flow.AsWanted}
	view := viewer{zone: time.UTC, now: noon}
	if things, _ := ownThings(view, flow.Belongings{Devices: []flow.PersonDevice{parcel, known}}); len(things) > 0 {
		t.Errorf("%+v", things)
	}
	if things, _ := ownThings(view, flow.Belongings{Devices: []flow.PersonDevice{known}}); len(things) != 1 || things[0].State.Text != "There" {
		t.Errorf("%+v", things)
	}
}

// What somebody who left still has is no good news.
func TestWhatALeaverStillHasIsAWarning(t *testing.T) {
	t.Parallel()
	view := viewer{zone: time.UTC, now: noon}
	has := flow.Belongings{
		Numbers: []flow.PersonNumber{{NumberView: flow.NumberView{Number: dayone.Number{ID: "+14085552101", State: dayone.NumberAssigned}}}, {Before: true}},
		Devices: []flow.PersonDevice{{Name: "SEP001122334455"}, {Name: "SEP001122334466", Other: true}},
		Phones:  []flow.PhonesRead{{System: "cucm", Title: "CUCM", Read: noon, Mailboxes: []string{"2101"}}},
	}
	v := belongingsView{Numbers: make([]item, 2), Devices: make([]item, 2)}
	v.Numbers[0].Title.Href = "/numbers/1"
	n := v.behind(view, v.leftBehind(has), has)
	if n == nil || n.Title != "They left, and 3 numbers, devices and mailboxes are still theirs" || n.Kind != "warn" || n.Act == nil || n.Act.Href != "/numbers/1" {
		t.Errorf("%+v", n)
	}
	if v.Numbers[0].State == nil || v.Numbers[0].State.Class != "s-fail" || v.Devices[0].State == nil || v.Numbers[1].State != nil || v.Devices[1].State != nil {
		t.Errorf("%+v", v)
	}
	if n := v.behind(view, 0, flow.Belongings{}); n != nil {
		t.Errorf("of somebody who has nothing: %+v", n)
	}
	gone := newPersonAccess(view, personHead{ID: "per_1", Figures: make([]figure, 1)}, flow.Look{Person: dayone.Person{Managed: true, Status: dayone.Left}}, nil, func(dayone.Key) policy.Explanation { return policy.Explanation{} })
	if len(gone.Products) != 1 {
		t.Errorf("whoever has left is offered %+v", gone.Products)
	}
}

func TestThePeopleListShowsALeaversLastDay(t *testing.T) {
	t.Parallel()
	first, off, day := firstAndLast(viewer{zone: time.UTC, now: noon}, flow.Row{Status: dayone.Left, Starts: noon.AddDate(-2, 0, 0), Ends: noon.AddDate(0, 0, -3)}, time.UTC)
	if want := (viewer{zone: time.UTC, now: noon}).day(noon.AddDate(0, 0, -3), time.UTC); off != "" || day == nil || day.Text != want.Text || first == nil || first.Text == want.Text {
		t.Errorf("%+v, %q, %+v", first, off, day)
	}
}

// What would be refused is not offered.
func TestWhoeverIsOnlyKnownIsOfferedNoRequest(t *testing.T) {
	t.Parallel()
	key := dayone.Key{System: "okta", Kind: "group", Name: "sales-team"}
	look := flow.Look{Want: dayone.Want{Offers: []dayone.Grant{{Key: key}}}}
	view, head := viewer{zone: time.UTC, now: noon}, personHead{ID: "per_1", Figures: make([]figure, 1)}
	why := func(dayone.Key) policy.Explanation { return policy.Explanation{} }
	v := newPersonAccess(view, head, look, nil, why)
	if len(v.Offers) > 0 || !strings.Contains(v.Notices[0].Text, textNoRequest) {
		t.Errorf("offered %+v, told %+v", v.Offers, v.Notices)
	}
	if r := newRequest(view, head, key, look); r.Refused == nil || r.Refused.Title != "Nothing can be requested" {
		t.Errorf("%+v", r)
	}
	look.Person.Managed = true
	if v := newPersonAccess(view, head, look, nil, why); len(v.Offers) != 1 {
		t.Errorf("offered %+v", v.Offers)
	}
	if r := newRequest(view, head, key, look); r.Refused != nil {
		t.Errorf("%+v", r.Refused)
	}
}

// A code that nobody has is in nobody's hands.
func TestWithoutAManagerNobodyHasTheCode(t *testing.T) {
	t.Parallel()
	if is := pageOf(t, "codes"); !strings.Contains(is, "Their manager has it") || strings.Contains(is, "No manager is known") {
		t.Error(is)
	}
	if is := pageOf(t, "codes-empty"); strings.Contains(is, "Their manager has it") || !strings.Contains(is, "No manager is known, so nobody has it yet") || !strings.Contains(is, "/timeline\">Name a manager") {
		t.Error(is)
	}
}

// Nothing but a membership ends: the channel stays.
func TestAMembershipIsNotAThingThatIsRemoved(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, name, en, de string
	}{
		{"channel", "#general", "Remove from channel #general", "Kanal #general: austragen"},
		{"laptop", "", "Take back laptop", "Laptop zurücknehmen"},
		{"profile", "standard", "Take back profile standard", "Profil standard zurücknehmen"},
	} {
		s := dayone.Step{Action: dayone.EntitlementRemove, Key: dayone.Key{System: "x", Kind: c.kind, Name: c.name}}
		if got := (viewer{}).stepTitle(s, c.kind, ""); got != c.en {
			t.Errorf("%s, want %s", got, c.en)
		}
		if got := (viewer{in: locale.Of("de")}).stepTitle(s, c.kind, ""); got != c.de {
			t.Errorf("%s, want %s", got, c.de)
		}
	}
}

// Of a run that was given up before anything was done nothing was continued, and nothing of it is finished.
func TestARunThatWasGivenUpHasDoneNothing(t *testing.T) {
	t.Parallel()
	run := dayone.Run{State: dayone.RunSuperseded, Steps: []dayone.StepRun{{Step: dayone.Step{ID: "a", Action: dayone.EntitlementRemove}, State: dayone.StepSkipped}}}
	b := &board{run: run}
	if _, steps := b.strip(); b.state().Text != "Given up" || steps != "0 of 1" {
		t.Errorf("%s, %s", b.state().Text, steps)
	}
	run.Steps = append(run.Steps, dayone.StepRun{Step: dayone.Step{ID: "b"}, State: dayone.StepDone})
	b = &board{run: run}
	if _, steps := b.strip(); b.state().Text != "Continued" || steps != "1 of 2" {
		t.Errorf("%s, %s", b.state().Text, steps)
	}
}

// Whoever makes a line is told for which number, and reads no error of a machine once it is made.
func TestATaskForALineNamesTheNumber(t *testing.T) {
	t.Parallel()
	step := dayone.StepRun{Step: dayone.Step{Action: dayone.EntitlementAdd, Key: dayone.Key{System: "phone", Kind: "line"}, Want: &dayone.Item{Attrs: dayone.Attrs{"pool": dayone.Text("US-geo")}}}, State: dayone.StepDone}
	d := todo{step: &step, system: "Phone", kind: "line", phone: "+14085552142", zone: time.UTC, task: dayone.Task{Closed: noon, Note: "phone: calling: not supported: " + engine.NoConnector + "; do it by hand"}}
	if is := strings.Join(d.facts(), ". "); !strings.HasPrefix(is, "Number: +14085552142. ") {
		t.Error(is)
	}
	if v := newTask(viewer{zone: time.UTC, now: noon}, d, nil); v.Note != "" || v.Technical != engine.NoConnector {
		t.Errorf("%q, %q", v.Note, v.Technical)
	}
	step.Step.Action = dayone.EntitlementRemove
	if is := strings.Join(d.facts(), ". "); !strings.HasPrefix(is, "Number: +14085552142") {
		t.Error(is)
	}
}

// What a brake held has two times: since when, and when somebody decided.
func TestADecidedBrakeSaysBothTimes(t *testing.T) {
	t.Parallel()
	b := dayone.Brake{ID: "brk_1", State: dayone.BrakeReleased, Held: 1, Opened: noon.Add(-3 * time.Hour), Closed: noon}
	it := brakeItem(viewer{zone: time.UTC, now: noon}, b)
	if !strings.Contains(it.Meta, "held since") || !strings.HasSuffix(it.Meta, "decided") || it.At == nil {
		t.Errorf("%q", it.Meta)
	}
}

// A page is found by what is done on it.
func TestAPageIsFoundByWhatIsDoneThere(t *testing.T) {
	t.Parallel()
	approvals, runs := menuItem{Text: "Approvals", Href: "/approvals"}, menuItem{Text: "Runs", Href: "/runs"}
	german := viewer{in: locale.Of("de")}
	if !leadsTo(viewer{}, approvals, "Approve") || !leadsTo(viewer{}, runs, "undo") || leadsTo(viewer{}, approvals, "undo") || !leadsTo(german, approvals, "freigeben") || !leadsTo(german, runs, "rückgängig") {
		t.Error("commands are not found")
	}
}

// No machine is as slow as somebody who is asked: that is what a finish hangs on.
func TestThePreviewsFinishHangsOnWhoeverIsAsked(t *testing.T) {
	t.Parallel()
	course := dayone.Step{ID: "training/course:privacy entitlement.add", Action: dayone.EntitlementAdd, Key: dayone.Key{System: "training", Kind: "course", Name: "privacy"}}
	account := dayone.Step{ID: "okta/account account.create", Action: dayone.AccountCreate, Key: dayone.Key{System: "okta", Kind: dayone.AccountKindName}}
	group := dayone.Step{ID: "okta/group:a entitlement.add", Action: dayone.EntitlementAdd, Key: dayone.Key{System: "okta", Kind: "group", Name: "a"}, Needs: []dayone.Need{{Step: account.ID, When: dayone.Done}}}
	pv := flow.PickPreview{Look: flow.Look{Plan: dayone.Plan{Steps: []dayone.Step{account, group, course}}}, Handed: map[dayone.StepID]flow.Handed{course.ID: {}}}
	var v onboardPreviewView
	v.steps(viewer{zone: time.UTC, now: noon}, pv, map[string]string{}, map[string]string{})
	if len(v.Path) != 1 || v.Path[0].Href != "#plan-3" {
		t.Errorf("it hangs on %+v", v.Path)
	}
}

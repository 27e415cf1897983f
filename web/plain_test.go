package web

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/locale"
	"github.com/dayone-hq/dayone/policy"
)

// What a page says is whole, adds up and is told in the order in which it matters.

func plainView() viewer { return viewer{zone: time.UTC, now: noon, in: locale.Of("en")} }

// drawn is a page as somebody reads it.
func drawn(t *testing.T, template string, main any) string {
	t.Helper()
	var b bytes.Buffer
	if err := newRenderer("test").pages[template]().ExecuteTemplate(&b, "main", main); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func reads(t *testing.T, where, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("%s lacks %q", where, text)
		}
	}
}

func readsNot(t *testing.T, where, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(page, text) {
			t.Errorf("%s says %q", where, text)
		}
	}
}

func TestAPoolSaysHowLongItLasts(t *testing.T) {
	t.Parallel()
	view, german := plainView(), plainView()
	german.in = locale.Of("de")
	for _, x := range []struct {
		pool        flow.PoolView
		state, text string
	}{
		{flow.PoolView{}, "No range yet", ""},
		{flow.PoolView{Total: 10}, "None left", ""},
		{flow.PoolView{Total: 10, Given: 4, Outlook: flow.NumberOutlook{Free: 4}}, "Enough", ""},
	} {
		if st, text := outlook(view, x.pool); st.Text != x.state || text != x.text {
			t.Errorf("%d of %d: %q, %q", x.pool.Given, x.pool.Total, st.Text, text)
		}
	}
	low := flow.PoolView{Total: 10, Given: 2, Outlook: flow.NumberOutlook{Free: 2}}
	low.Low = 5
	if _, text := outlook(german, low); text != "weniger als 5 übrig" {
		t.Errorf("German: %q", text)
	}
	low.Reservation, low.Quarantine = 30*24*time.Hour, 24*time.Hour
	page := drawn(t, "number-pool", newPoolPage(view, low, nil))
	reads(t, "the pool", page, "30 days", "<dd>1 day</dd>")
	readsNot(t, "the pool", page, "30d")
}

// What cannot be done is said first, and then nothing is promised.
func TestWhatIsRefusedIsToldFirst(t *testing.T) {
	t.Parallel()
	view, row := plainView(), flow.Row{ID: "per_1", Name: "Ngozi Eze"}
	head := personHead{ID: "per_1", Name: "Ngozi Eze"}
	merge := newMerge(view, head, flow.Merging{Stays: row, Goes: row, Refused: "they are the same person already"}, strings.ToUpper)
	page := drawn(t, "order", merge)
	reads(t, "a merge", page, "They cannot be merged", "They are the same person already.")
	readsNot(t, "a merge", page, merge.Lead, "What will happen", "<form", "Say so")
	erase := drawn(t, "order", newErase(view, head, flow.Erasure{Refused: "a legal hold stands since 3 March 2025; release it first"}))
	reads(t, "an erasure", erase, "It cannot be erased yet")
	readsNot(t, "an erasure", erase, "What it does", "Nobody can take that back")
	may := newErase(view, head, flow.Erasure{Token: "x"})
	if len(may.List) != 1 {
		t.Errorf("it says what nothing comes to: %+v", may.List)
	}
	reads(t, "an erasure", drawn(t, "order", may), ">Confirm</h2>", may.Lead)
	reads(t, "a reinstatement", drawn(t, "order", newReinstate(head, false)), "There is nothing to give back")
	readsNot(t, "a reinstatement", drawn(t, "order", newReinstate(head, false)), "Closed accounts are opened")
}

func TestSentencesBeginLarge(t *testing.T) {
	t.Parallel()
	view := plainView()
	for _, x := range []struct{ is, want string }{
		{alertItem(view, flow.AlertView{Alert: dayone.Alert{Note: "it ends 25 employments"}}).Meta, "It ends 25 employments; open since"},
		{refusedItem(view, dayone.PolicyAct{Version: "pol_0123456789ab", Why: "plan again"}).Next, "Plan again."},
		{deliveryItem(view, flow.Delivery{Letter: dayone.Letter{Error: "webhooks.tickets: posting: it does not answer"}, Webhook: "tickets", Up: true}).Next, "It does not answer."},
		{newPlatformRow(view, flow.PlatformFindingView{}).Meta, "."},
		{roleTag(dayone.HR).Text, "HR"},
		{roleTag(dayone.Administrator).Text, "Administrator"},
		{view.heldLine(dayone.HeldLine{What: "department", Is: "Sales"}), "Department becomes Sales"},
		{view.heldLine(dayone.HeldLine{What: "department", Was: "Legal", Is: "Sales"}), "Department: Legal becomes Sales"},
		{shortly(dayone.ErrUnsupported.Error(), "no connector is configured for it"), "No connector: by hand"},
	} {
		if x.is != x.want {
			t.Errorf("%q, want %q", x.is, x.want)
		}
	}
}

func TestABrowserIsCalledAsPeopleDo(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36":                                   "Chrome (Linux)",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0":           "Edge (Windows)",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari (iPhone)",
		"curl/8.5": "curl/8.5",
	} {
		if got := browserOf(agent); got != want {
			t.Errorf("%s is %q, want %q", agent, got, want)
		}
	}
}

// A reason and the time of an event are two facts.
func TestAHeldEventSaysWhenItCame(t *testing.T) {
	t.Parallel()
	it := quarantinedItem(plainView(), dayone.Intake{Event: dayone.Event{ID: "evt_1", Source: "hr", Received: noon}, Note: "start_date: 2024-13-40 is no day"})
	if it.Meta != "start_date: 2024-13-40 is no day; received" {
		t.Errorf("it says %q", it.Meta)
	}
}

func TestDriftSaysWhatWasCompared(t *testing.T) {
	t.Parallel()
	view := plainView()
	page := func(of map[string]flow.DriftReading) string {
		return drawn(t, "drift", newDrift(view, flow.DriftFilter{}, nil, of, nil, nil, nil, "02:00"))
	}
	none := page(nil)
	reads(t, "no system", none, "Nobody can say yet what differs")
	readsNot(t, "no system", none, "Nothing is known to differ", "It is reported; nothing follows")
	read, unread := flow.DriftReading{DriftReading: dayone.DriftReading{At: noon}, Lists: true}, flow.DriftReading{Lists: true}
	some := page(map[string]flow.DriftReading{"okta": read, "slack": unread, "google": unread})
	reads(t, "two unread", some, "Google and Slack were not compared yet.")
	if n := strings.Count(some, "held against the books each night"); n != 1 {
		t.Errorf("it says %d times when it compares", n)
	}
	reads(t, "one unread", page(map[string]flow.DriftReading{"okta": read, "slack": unread}), "Slack was not compared yet.")
	waits := newOneDrift(view, flow.DriftView{Waits: "a run of this person is at work", Run: "run_1"}, nil, nil)
	if waits.Waits.Act == nil || waits.Waits.Act.Href != "/runs/run_1" {
		t.Errorf("it leads to %+v", waits.Waits.Act)
	}
}

func TestTheLastDayNamesNobodyWhoIsNotThere(t *testing.T) {
	t.Parallel()
	head := personHead{ID: "per_1", Name: "Ngozi Eze"}
	of := dayone.Engagement{LastDay: "2025-03-31", Sponsor: "john.doe@company.com"}
	nobody := drawn(t, "extend", newExtend(plainView(), head, flow.Outside{Engagement: of}))
	reads(t, "nobody answers", nobody, "Nobody is found who answers for them", `<a href="/people/per_1">Back</a>`)
	readsNot(t, "nobody answers", nobody, "john.doe@company.com answers for them")
	reads(t, "the sponsor answers", drawn(t, "extend", newExtend(plainView(), head, flow.Outside{Engagement: of, Answer: []dayone.Decider{{Mail: of.Sponsor}}})), "john.doe@company.com answers for them.")
}

// A message that cannot be written is no message.
func TestAPreviewShowsAFaultAsOne(t *testing.T) {
	t.Parallel()
	v := onboardPreviewView{Start: "Start onboarding"}
	v.letters(plainView(), []flow.Foretold{{Key: dayone.Key{System: "message", Kind: "message", Name: "codes"}, To: []string{"a@home.example"}, Hers: true, Problem: "template codes, line 3: there is no field Person.Nickname"}}, true)
	page := drawn(t, "onboard-preview", v)
	reads(t, "the preview", page, "It cannot be written", `href="/settings/templates/codes"`, `form="start"`)
	if !regexp.MustCompile(`(?s)</form>\s*<div class="bar-foot">`).MatchString(page) {
		t.Error("the bar is within the form, so it does not stay in sight before that")
	}
}

// The sums of somebody's access add up: what waits for a first login is to come, and not there as well.
func TestAccessAddsUp(t *testing.T) {
	t.Parallel()
	held := &dayone.Holding{}
	list := []flow.Access{
		{Key: dayone.Key{System: "okta", Kind: "account"}, State: flow.AsWanted, Holding: held},
		{Key: dayone.Key{System: "gitlab", Kind: "account"}, State: flow.WaitsLogin, Holding: held},
		{Key: dayone.Key{System: "slack", Kind: "account"}, State: flow.ToCome},
	}
	v := newPersonAccess(plainView(), personHead{Figures: []figure{{Label: "First day"}}}, flow.Look{}, list, func(dayone.Key) policy.Explanation { return policy.Explanation{} })
	if v.Total != "1, now; 2 are to come" {
		t.Errorf("in words %q", v.Total)
	}
	got := map[string]string{}
	for _, f := range v.Head.Figures {
		got[f.Label] = f.Value
	}
	if got["Access"] != "1" || got["Not there yet"] != "2" {
		t.Errorf("in figures %v", got)
	}
}

func TestPoliciesAreCountedWithTheirRules(t *testing.T) {
	t.Parallel()
	if got := (policyRow{Gives: []string{"a"}, Duty: []string{"a", "b"}}).does(); got != "Gives 1 thing, nobody may have both a and b" {
		t.Errorf("a policy: %q", got)
	}
	reads(t, "policies", pageOf(t, "policies"), "1 rule of separation")
}

func TestAMatchHasDaysAsOthers(t *testing.T) {
	t.Parallel()
	v := newMatch(plainView(), dayone.Match{State: dayone.MatchOther, Person: "per_2", Says: map[string]string{"start_date": "2024-12-02"}}, nil, nil)
	page := drawn(t, "match", v)
	reads(t, "a match", page, "Mon 2 Dec", `href="/people/per_2"`)
	readsNot(t, "a match", page, "2024-12-02")
}

func TestATaskWithoutASystemNamesNone(t *testing.T) {
	t.Parallel()
	readsNot(t, "a task", drawn(t, "task", newTask(plainView(), todo{task: dayone.Task{ID: "tsk_1", Title: "Decide about a hold"}}, nil)), "<dt>System</dt>")
}

func TestStandingBySaysOneThing(t *testing.T) {
	t.Parallel()
	silent := Standing{Leader: flow.Leader{Epoch: 3, Name: "one", Silent: true}}
	readsNot(t, "a silent leader", drawn(t, "standby", newStandingBy(plainView(), silent, "http://two")), "does nothing else")
	silent.Silent = false
	reads(t, "a leader at work", drawn(t, "standby", newStandingBy(plainView(), silent, "http://two")), "does nothing else")
}

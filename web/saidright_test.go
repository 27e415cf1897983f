package web

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/locale"
)

// plainWords are the words of a page, without what is between tags.
func plainWords(page string) string {
	page = regexp.MustCompile(`(?s)<svg.*?</svg>|<[^>]+>`).ReplaceAllString(page, " ")
	return strings.Join(strings.Fields(page), " ")
}

// A page agrees with itself: its head with its list, and what is over with what is said of it.
func TestAHeadSaysWhatItsListSays(t *testing.T) {
	t.Parallel()
	stuck := pageOf(t, "progress-stuck")
	reads(t, "progress without a plan", stuck, "Not everything is ready yet", "IT is on it")
	readsNot(t, "progress without a plan", stuck, "Being set up")

	run := plainWords(pageOf(t, "run-cancelled"))
	reads(t, "a run that was cancelled", run, "Done 8 of 18 steps", "7 changed", "1 failed", "2 blocked", "1 skipped", "7 given up")

	audit := pageOf(t, "number-audit")
	reads(t, "the audit of numbers", audit, "7 things are not right, 4 of them on telephone systems.")
	fine := drawn(t, "number-audit", newNumberAudit(plainView(), flow.NumberAudit{Numbers: 12}, flow.PlatformAudit{System: "cucm-eu", Title: "Cisco Unified CM", Read: noon, Total: 4}))
	reads(t, "books that are right", fine, "4 things are not right", "Nothing is wrong in the books")

	over, instead := plainWords(pageOf(t, "extend-over")), plainWords(pageOf(t, "extend-instead"))
	reads(t, "a last day that is over", over, "The last day of Sarah Chen was Fri 15 Nov.")
	readsNot(t, "a last day that is over", over, "answers for them")
	if n := strings.Count(instead, "answers for them"); n != 1 {
		t.Errorf("who answers is said %d times: %s", n, instead)
	}
	reads(t, "a last day that can be put off", plainWords(pageOf(t, "extend")), "The last day of Sarah Chen is Mon 31 Mar 2025. john.doe@company.com answers for them.")

	if systems := pageOf(t, "systems"); strings.Count(systems, "CHG-1234, Google moves the tenant") != 1 {
		t.Error("why a system is in maintenance stands twice")
	}
}

// Who has voted is not among those who may, and nobody is once it is decided.
func TestWhoMayDecideIsWhoMayStill(t *testing.T) {
	t.Parallel()
	who := regexp.MustCompile(`(?s)<h2 id="h-who">([^<]*)</h2>.*?</section>`)
	open := who.FindStringSubmatch(pageOf(t, "approval"))
	if open == nil || open[1] != "Who may decide" {
		t.Fatalf("%q", open)
	}
	voted := dayone.Petition{
		ID: "apr_01jd9x0000000000000000000a", State: dayone.ApprovalOpen, Rule: dayone.Approval{Need: "all"},
		Deciders: []dayone.Decider{{Mail: "max@company.com", Why: "manager"}, {Mail: "lee@company.com", Why: "owner"}}, Votes: []dayone.Vote{{Of: "max@company.com", By: "max@company.com", At: noon, Yes: true}},
	}
	page := drawn(t, "approval", newApproval(plainView(), petition{req: voted, row: flow.Row{Name: "Sarah Chen"}}))
	list := who.FindString(page)
	readsNot(t, "who may decide", list, "max@company.com")
	reads(t, "who may decide", list, "lee@company.com")
	reads(t, "the answers", page, "Answers", "max@company.com")
	if over := who.FindStringSubmatch(pageOf(t, "approval-given")); over == nil || over[1] != "Who was asked" {
		t.Errorf("once it is decided: %q", over)
	}
}

// Brakes call a system by its title, to people.
func TestABrakeCallsItsSystemByItsTitle(t *testing.T) {
	t.Parallel()
	page := pageOf(t, "brakes")
	reads(t, "brakes", page, "(Okta)", "(GitLab)", "(hr)")
	readsNot(t, "brakes", page, "(okta)", "(gitlab)")
}

// Where nothing is found, or nothing can be done, a page has a way on.
func TestADeadEndHasAWayOn(t *testing.T) {
	t.Parallel()
	reads(t, "drift that nobody has read", pageOf(t, "drift-unread"), `class="btn" href="/systems/okta">Open Okta</a>`)
	v := newDrift(plainView(), flow.DriftFilter{}, nil, map[string]flow.DriftReading{"okta": {Lists: true}}, nil, nil, nil, "")
	v.unlink()
	readsNot(t, "drift for who sees no systems", drawn(t, "drift", v), "/systems")
	reads(t, "nothing found", pageOf(t, "find-none"), `href="/people">All people</a>`)
	reads(t, "an undo that is too late", pageOf(t, "undo-none"), `href="/policies"`)
	ask := pageOf(t, "merge-ask")
	reads(t, "whom to merge with", ask, "With whom</h2>")
	readsNot(t, "whom to merge with", ask, ">Confirm</h2>")
	reads(t, "minutes", pageOf(t, "effort"), "write minutes from 0 to 1440 as a number, such as 12 or 7.5.")
}

// What was tried reads as sentences, and says once what it is about; a secret that is written is not waited for.
func TestWhatWasTriedReadsAsSentences(t *testing.T) {
	t.Parallel()
	page := plainWords(pageOf(t, "system-form"))
	reads(t, "what was tried", page, "None is shown: if there are some", "It does not let us in")
	readsNot(t, "what was tried", page, "github: checking", "none is shown")
	readsNot(t, "what was written", pageOf(t, "system-form-saved"), "Given a moment ago")
}

// Records of somebody stand with people, those of a run with runs; sessions and tokens are where the menu leads to them.
func TestEveryRecordStandsSomewhereInTheMenu(t *testing.T) {
	t.Parallel()
	for _, s := range samples(viewer{zone: time.UTC, now: noon, in: locale.Of("en")}) {
		if want := map[string]string{"records": "records", "records-empty": "people", "sessions": "sessions", "tokens": "sessions"}[s.name]; want != "" && sampleNav(s) != want {
			t.Errorf("%s stands at %q", s.name, sampleNav(s))
		}
	}
	var b strings.Builder
	if err := newRenderer("test").pages["sessions"]().ExecuteTemplate(&b, "page", page{Title: "Sessions", Nav: "sessions", Main: sessionsView{}}); err != nil {
		t.Fatal(err)
	}
	reads(t, "the menu", b.String(), `<a href="/sessions" aria-current="page">`)
}

// What is not there is left out of a page; what could not be read is not taken for that.
func TestAFaultIsNotTakenForGone(t *testing.T) {
	t.Parallel()
	if fault(nil) != nil || fault(fmt.Errorf("person: %w", dayone.ErrNotFound)) != nil || fault(dayone.ErrUnavailable) == nil {
		t.Error("only what is gone is left out")
	}
}

// What a page says of a policy, a certificate or an account that was only seen is said as everywhere else, and in German, too.
func TestPagesSayItAsTheReaderDoes(t *testing.T) {
	t.Parallel()
	asked := pageOf(t, "person-requests")
	readsNot(t, "requests of somebody", plainWords(asked), "okta/group:sales-reports", "aws/permission-set:sandbox", "sales-leads")
	seen := plainWords(pageOf(t, "person"))
	reads(t, "what nobody here gave", seen, "Seen, not given")
	readsNot(t, "what nobody here gave", seen, " baseline ")

	b := sampleBoard(plainView(), 0)
	b.view.policies = samplePolicyTitle
	b.chosen = 1
	if chain := b.chain(&b.run.Steps[0], "Okta"); chain[0].Text != "Everyone on the payroll" || b.row(0).Policy != "Everyone on the payroll" {
		t.Errorf("the policy of a step is called %q, and %q above", chain[0].Text, b.row(0).Policy)
	}

	german := plainView()
	german.in = locale.Of("de")
	list := sampleCertificates(noon)
	list[1].Systems = list[1].Systems[:1]
	open := newLeaving(german, personHead{}, dayone.Person{Status: dayone.Left}, nil, list, dayone.Succession{}, func(string) bool { return true })
	if got := open.History[0].Meta; got != "1 System wurde gelesen, und nichts ist offen." {
		t.Errorf("an earlier certificate says %q", got)
	}
	if got := open.Newest.Systems[0].Findings[0].Title.Text; got != "Gruppe" {
		t.Errorf("what could not be read is called %q", got)
	}

	drawing := string(sampleCancelled(plainView()).timeline().SVG)
	if up, by := strings.Count(drawing, ">given up<"), strings.Count(drawing, ">skipped<"); up != 7 || by != 1 {
		t.Errorf("the timeline of a cancelled run gives up %d steps and skips %d", up, by)
	}
	if up, by := strings.Count(drawing, "Given up"), strings.Count(drawing, "Skipped"); up != 3 || by != 1 { // of those that had begun
		t.Errorf("its bars are called given up %d times, and skipped %d times", up, by)
	}
	reads(t, "a dashboard", pageOf(t, "dashboard"), "each is resolved by itself when it is over")
	reads(t, "a dashboard without anybody", pageOf(t, "dashboard-empty"), "to /hooks/ followed by the name of the source.")
}

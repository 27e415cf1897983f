package web

import (
	"regexp"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/locale"
)

// What somebody looks at is true, whole and in words of people.

// A run that was cancelled has not done what was given up with it, in its head, its groups and the lists of runs.
func TestWhatWasGivenUpIsNotDone(t *testing.T) {
	t.Parallel()
	b := sampleCancelled(plainView())
	gone, done := 0, 0
	for i := range b.run.Steps {
		s := &b.run.Steps[i]
		gone += btoi(strings.HasPrefix(s.Error, "given up"))
		done += btoi(b.finished(s))
	}
	if gone == 0 || done+gone > len(b.run.Steps) {
		t.Errorf("of %d steps %d were given up, and %d are said to be done", len(b.run.Steps), gone, done)
	}
	page := pageOf(t, "run-cancelled")
	readsNot(t, "the run", page, "2 of 2")
	refused := dayone.StepRun{State: dayone.StepSkipped, Error: "refused by kim@company.com"}
	if !b.finished(&refused) {
		t.Error("what somebody decided about is over")
	}
}

func TestAnErrorWithACommandIsOneSentence(t *testing.T) {
	t.Parallel()
	page := pageOf(t, "login-password")
	if !regexp.MustCompile(`</svg><span>Address or password is not right\. <code>[^<]*</code>, on the server, sets a new one\.</span></span>`).MatchString(page) {
		t.Error("its parts are columns of their own")
	}
}

// An address goes on in the next line where it would be parted by hand.
func TestValuesBreakBetweenTheirParts(t *testing.T) {
	t.Parallel()
	for is, want := range map[string]string{
		"sarah@company.com":                   "sarah@<wbr>company.com",
		"base (policies/engineering.yaml:21)": "base (policies/<wbr>engineering.yaml<wbr>:21)",
		`<script src="//a:1">`:                `&lt;script src=&#34;/<wbr>/<wbr>a<wbr>:1&#34;&gt;`,
		"Engineering":                         "Engineering",
	} {
		if got := string(breaks(is)); got != want {
			t.Errorf("%s is %s", is, got)
		}
	}
}

// What is typed is set as such; nothing else of a text is markup.
func TestCommandsAreSetAsCode(t *testing.T) {
	t.Parallel()
	for is, want := range map[string]string{
		"On the server, `dayone init` writes one.": "On the server, <code>dayone init</code> writes one.",
		"`<b>` & one":     "<code>&lt;b&gt;</code> &amp; one",
		"one ` alone <i>": "one ` alone &lt;i&gt;",
	} {
		if got := string(commands(is)); got != want {
			t.Errorf("%s is %s", is, got)
		}
	}
	reads(t, "webhooks", pageOf(t, "webhooks-none"), "<code>dayone.yaml</code>")
}

func TestCountsOfANoteAreInGroups(t *testing.T) {
	t.Parallel()
	view, german := plainView(), plainView()
	german.in = locale.Of("de")
	for is, want := range map[string]string{
		"the list has 812 records, and had 1204":                        "the list has 812 records, and had 1,204",
		"it broke off after 100000 lines, 38411 users, 12 devices":      "it broke off after 100,000 lines, 38,411 users, 12 devices",
		"a legal hold stands since 3 March 2025":                        "a legal hold stands since 3 March 2025",
		"extension 4711 in 2024-11-25, id 100000000000000000042, v2024": "extension 4711 in 25 Nov 2024, id 100000000000000000042, v2024",
	} {
		if got := view.found(is); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := german.found("the list of accounts has 12, and had 1204"); !strings.HasSuffix(got, "hatte 1.204") {
		t.Errorf("in German: %q", got)
	}
}

func TestDaysReadAsEveryOther(t *testing.T) {
	t.Parallel()
	if got := plainView().heldLine(dayone.HeldLine{What: "end", Was: "2024-12-31"}); !strings.Contains(got, "31 Dec 2024") {
		t.Errorf("a held change: %q", got)
	}
	for _, name := range []string{"add-person-confirm", "number-pool"} {
		if raw := regexp.MustCompile(`>[^<]*\b20\d\d-\d\d-\d\d\b[^<]*<`).FindString(pageOf(t, name)); raw != "" {
			t.Errorf("%s has %s", name, raw)
		}
	}
}

// Where there is nothing, a page says what comes next, and offers no form that could only be refused.
func TestNothingThereHasANextStep(t *testing.T) {
	t.Parallel()
	reads(t, "no products", pageOf(t, "onboard-products-none"), `href="/onboard">Back</a>`)
	readsNot(t, "no products", pageOf(t, "onboard-products-none"), "Policies give 0")
	reads(t, "a pool without a range", pageOf(t, "number-pool-empty"), `href="/numbers/plan"`, `href="/numbers/import"`)
	readsNot(t, "a pool without a range", pageOf(t, "number-pool-empty"), "Reserve it", "of 0")
	reads(t, "a newcomer", pageOf(t, "onboard-bring"), "Mend it in the directory")
	reads(t, "a pool in the audit", drawn(t, "number-audit", newNumberAudit(plainView(), flow.NumberAudit{Findings: []flow.FindingView{{NumberFinding: flow.NumberFinding{Kind: "low", Pool: "london", Text: "0 left"}}}})), ">Open the pool<")
	readsNot(t, "no baseline", pageOf(t, "effort-none"), ">Hours</th>")
}

// Things are called as people call them; their ids stand below.
func TestTitlesAreNoIds(t *testing.T) {
	t.Parallel()
	reads(t, "codes", pageOf(t, "codes"), "Network code HQ/Corp")
	readsNot(t, "a request", pageOf(t, "request"), "<h1>Request <code>")
	wait := dayone.Key{System: "procurement", Kind: "order"}
	if got := plainView().thingAt(nil, nil, wait); got != "Procurement: order" {
		t.Errorf("%s is %q", wait, got)
	}
	if got := sentence(plainView().deciders([]string{"manager", "group:security-oncall"})); got != "Manager, group security-oncall" {
		t.Errorf("who is asked: %q", got)
	}
	f := newFormField(plainView(), SystemField{Name: "url", Type: "url", Error: "Url is an address, such as https://company.com"})
	if f.Error != "Write an address, such as https://company.com" {
		t.Errorf("an error: %q", f.Error)
	}
}

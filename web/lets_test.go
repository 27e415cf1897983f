package web_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

var (
	offering = regexp.MustCompile(`<(?:a|form|button|div|input|section)\b[^>]*>`)
	leading  = regexp.MustCompile(` (href|action|formaction|hx-get|hx-post|sse-connect)="([^"]*)"`)
)

// offersOf are the addresses that a page offers within the portal: what a link leads to, a form sends, and a part loads.
func offersOf(at, page string) (out []string) {
	for _, tag := range offering.FindAllString(page, -1) {
		if strings.Contains(tag, ` method="post"`) && !strings.Contains(tag, " action=") {
			tag += ` action="` + at + `"`
		}
		for _, a := range leading.FindAllStringSubmatch(tag, -1) {
			method := http.MethodGet
			if a[1] == "formaction" || a[1] == "hx-post" || a[1] == "action" && strings.Contains(tag, ` method="post"`) {
				method = http.MethodPost
			}
			path, _, _ := strings.Cut(html.UnescapeString(a[2]), "?")
			path, _, _ = strings.Cut(path, "#")
			if strings.HasPrefix(path, "/") && !slices.Contains(out, method+" "+path) {
				out = append(out, method+" "+path)
			}
		}
	}
	return out
}

// aBitOfEverything has one of each thing that pages are about: a run that waits, its tasks and questions, a brake, drift, and
// beside it a run that is over.
func aBitOfEverything(t *testing.T) (b *bench, things map[flow.Thing]string, over dayone.RunID) {
	t.Helper()
	b = startBench(t, twoCountries, false, withRoles, versioned, func(_ *web.Options, d *flow.Deps) {
		hr := d.Sources["hr"]
		hr.Brakes.Terminations, hr.Brakes.Percent = 1, 0.001
		d.Sources["hr"] = hr
	})
	if err := b.flow.OpenPolicies(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	m := &matrix{bench: b}
	now := time.Now()
	over = m.comes("head", "", "Board", "Berlin", "Acme GmbH", now.AddDate(0, 0, -90)).ID
	things = m.thingsOf(m.comes("sarah", "head@company.com", "Sales", "Berlin", "Acme GmbH", now.AddDate(0, 0, -30)))
	m.comes("luc", "head@company.com", "Sales", "Paris", "Acme GmbH", now.AddDate(0, 0, -10))
	m.comes("nemo", "head@company.com", "Sales", "Berlin", "Acme GmbH", now.AddDate(0, 0, -10))
	for _, id := range []string{"luc", "nemo"} {
		b.say(fmt.Sprintf(`{"event_type":"employee.terminated","event_id":"evt_end_%s","timestamp":%q,"data":{"employee_id":%q,"end_date":%q}}`, id, now.Format(time.RFC3339), id, now.AddDate(0, 0, 40).Format(time.DateOnly)))
	}
	b.until("a brake holds them", func() bool {
		list, err := b.flow.Brakes(t.Context(), true, 10)
		if len(list) > 0 {
			things[flow.TheBrake] = string(list[0].ID)
		}
		return err == nil && len(list) > 0
	})
	base := string(twoCountries["policies/base.yaml"].Data)
	res := b.post("/policies/propose", url.Values{"file": {"policies/base.yaml"}, "text": {strings.Replace(base, "title: Sales", "title: The sales", 1)}, "note": {"CHG-1"}}, "Cookie", b.signIn(dayone.Operator))
	list, err := b.flow.Proposals(t.Context(), 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("proposals %+v (%v), as it was answered %s", list, err, res.Status)
	}
	things[proposal] = list[0].ID
	return b, things, over
}

const proposal flow.Thing = "proposal"

// Nobody is offered what the table of roles refuses: on each page that there is, of a thing of each kind, each role finds only
// links that it may follow and forms that it may send.
func TestPagesOfferNothingThatTheTableRefuses(t *testing.T) {
	t.Parallel()
	b, things, _ := aBitOfEverything(t)
	table, addresses := web.Allowed(), http.NewServeMux()
	for _, pattern := range web.Patterns() {
		addresses.Handle(pattern, http.NotFoundHandler())
	}
	patternOf := func(offer string) string {
		method, path, _ := strings.Cut(offer, " ")
		req, err := http.NewRequest(method, b.url+path, nil)
		if err != nil {
			return ""
		}
		_, pattern := addresses.Handler(req)
		return pattern
	}
	for _, r := range dayone.Roles {
		cookie := b.signIn(r)
		seen := 0
		for _, pattern := range web.Patterns() {
			_, path, _ := strings.Cut(pattern, " ")
			if !strings.HasPrefix(pattern, "GET /") || strings.HasPrefix(path, "/api/") || !r.In(table[pattern]) || path == "/metrics" || pattern == "GET /runs/{id}/events" {
				continue
			}
			if id, has := things[web.About(pattern)]; has {
				path = strings.ReplaceAll(path, "{id}", id)
			}
			_, at := filled("GET " + strings.NewReplacer("{version}", things[proposal], "/policies/{id}", "/policies/sales").Replace(path))
			switch {
			case strings.HasSuffix(at, "/why"):
				at += "?key=okta/account"
			case pattern == "GET /runs/{id}":
				at += "?step=1"
			}
			res := b.as(r, cookie, "GET", at)
			page := text(t, res)
			if res.StatusCode == http.StatusForbidden {
				t.Errorf("%s may go to %s, and may not: %s", r, pattern, res.Status)
			}
			if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
				continue
			}
			seen++
			for _, offer := range offersOf(at, page) {
				switch leads := patternOf(offer); {
				case leads == "":
					t.Errorf("%s at %s: %s leads nowhere", r, pattern, offer)
				case len(table[leads]) > 0 && !r.In(table[leads]):
					t.Errorf("%s at %s is offered %s, which is for %q", r, pattern, leads, table[leads])
				}
			}
		}
		least := 35
		if r == dayone.Approver {
			least = 8
		}
		if seen < least {
			t.Errorf("%s has seen %d pages only", r, seen)
		}
	}
}

// What is left out leaves no hole: no heading stands over nothing, what a link names is still said, and where a page is there
// for what one may not do, it says who may.
func TestAPageIsWholeWithoutWhatItsReaderMayNotDo(t *testing.T) {
	t.Parallel()
	b, things, over := aBitOfEverything(t)
	cookies := map[dayone.Role]string{}
	for _, r := range dayone.Roles {
		cookies[r] = b.signIn(r)
	}
	run, brake, approval := "/runs/"+things[flow.TheRun], "/brakes/"+things[flow.TheBrake], "/approvals/"+things[flow.TheApproval]
	timeline := "/people/" + things[flow.ThePerson] + "/timeline"
	const notHers = "Your role, auditor, may not do this. It is for: "
	for _, c := range []struct {
		role      dayone.Role
		path      string
		has, lack []string
	}{
		{dayone.Operator, run, []string{"Decide about the whole run", "Report an issue", `href="#report"`, ">Undo</a>"}, nil},
		{dayone.HR, run, []string{"Report an issue", `href="#report"`, ">base.yaml:7<"}, []string{"Decide about the whole run", ">Undo</a>", "/policies/"}},
		{dayone.Auditor, run, []string{`href="#h-gantt"`, "/policies/sales/text"}, []string{"Decide about the whole run", "Report an issue", `"#report"`, ">Undo</a>"}},
		{dayone.Operator, run + "/undo", []string{`name="hash"`}, []string{"may not do this"}},
		{dayone.Auditor, run + "/undo", []string{"Will be taken back", notHers + "administrator, operator."}, []string{`name="hash"`}},
		{dayone.Operator, brake, []string{"Throw it away</button>"}, []string{"may not do this"}},
		{dayone.Auditor, brake, []string{notHers + "administrator, hr, operator."}, []string{`name="hash"`, "Throw it away</button>"}},
		{dayone.HR, brake, []string{"An operator or administrator decides."}, []string{`name="hash"`, "Throw it away</button>"}},
		{dayone.Operator, "/proposals/" + things[proposal], []string{"Your role, operator, may not do this. It is for: administrator."}, []string{`name="mark"`}},
		{dayone.Operator, timeline, []string{"Correct what a source says"}, []string{"split it off", "merge them"}},
		{dayone.Auditor, timeline, nil, []string{"Correct what a source says", "split it off", "merge them"}},
		{dayone.Operator, "/systems", []string{">Okta<", "Announce maintenance"}, nil},
		{dayone.Auditor, "/systems", []string{">Okta<", "Answers"}, []string{"Announce maintenance", "Orders"}},
		{dayone.Auditor, "/people", []string{"Sarah Test"}, []string{"Add a person", `class="acts"`}},
		{dayone.Auditor, "/policies", []string{`href="/catalogue"`}, []string{`href="/policies/edit"`}},
		{dayone.Auditor, "/policies/edit", []string{"id: everybody", "readonly"}, []string{"Save as a proposal", "hx-post", "New file"}},
		{dayone.Auditor, "/settings/effort", []string{"An administrator sets it.", `name="seq"`}, []string{"Count like this"}},
		{dayone.Approver, approval, []string{"<span>Sarah Test</span>"}, []string{`href="/people/`, `href="/runs/`, `href="/policies/`}},
		{dayone.HR, "/", []string{`<span class="fig">`}, []string{`href="/approvals"`}},
		{dayone.HR, "/runs/" + string(over) + "/events", []string{"event: run", "<code>base.yaml:7</code>"}, []string{"/policies/"}},
		{dayone.Auditor, "/runs/" + string(over) + "/events", []string{"event: run", "/policies/everybody/text"}, nil},
	} {
		page := text(t, b.as(c.role, cookies[c.role], "GET", c.path))
		want(t, string(c.role)+" at "+c.path, page, c.has...)
		for _, lack := range c.lack {
			if strings.Contains(page, lack) {
				t.Errorf("%s at %s finds %q", c.role, c.path, lack)
			}
		}
	}
	german := text(t, b.as(dayone.Auditor, cookies[dayone.Auditor]+"; lang=de", "GET", run+"/undo"))
	want(t, "in German", german, "darf das nicht. Es ist für: ")
}

// The gallery shows what each page has, whoever looks at it.
func TestTheGalleryLeavesNothingOut(t *testing.T) {
	t.Parallel()
	b := newBench(t, withViews)
	for _, sample := range []string{"undo", "brake", "run"} {
		_, all := b.seen("administrator", "/gallery/"+sample)
		_, some := b.seen("auditor", "/gallery/"+sample)
		if n := strings.Count(all, ` method="post"`); n < 4 || strings.Count(some, ` method="post"`) != n {
			t.Errorf("an auditor finds other forms in the sample %s", sample)
		}
	}
}

// What is left to an auditor of what a page may have, piece by piece; and whatever is broken off stays as it is.
func TestWhatIsLeftOfAPage(t *testing.T) {
	t.Parallel()
	auditor, administrator := web.LeftTo(dayone.Auditor), web.LeftTo(dayone.Administrator)
	const form = `<form method="post" action="/runs/run_1/cancel"><p>Cancel</p><button class="btn">Do</button></form>`
	for page, left := range map[string]string{
		`<a class="t" href="/people?q=a#b">People</a>`:                                                             `<a class="t" href="/people?q=a#b">People</a>`,
		`<a href="/nowhere">A</a> <a href="#x">B</a> <a href="?y">C</a>`:                                           `<a href="/nowhere">A</a> <a href="#x">B</a> <a href="?y">C</a>`,
		`<a href="https://people.example/people/add">A</a> <a href="//x/people/add">`:                              `<a href="https://people.example/people/add">A</a> <a href="//x/people/add">`,
		`See <a class="t" title="x" hx-get="/people/add" href="/people/add">this</a>.`:                             `See <span class="t" title="x">this</span>.`,
		`<a href="/people&#x2f;add">it</a>`:                                                                        `<span>it</span>`,
		`<a href="/people/%61dd">it</a>`:                                                                           `<span>it</span>`,
		`<p class="demo"><a class="btn btn-small" href="/people/add">Add</a></p>.`:                                 `.`,
		`<p><a href="/people" data-for="POST /people/add">Add</a> or not</p>`:                                      `<p> or not</p>`,
		`<form action="/people"><button>Find</button></form>`:                                                      `<form action="/people"><button>Find</button></form>`,
		`<form method="post">x</form>`:                                                                             ``,
		`<form class="body" method="post" data-said>x</form>`:                                                      `<div class="body"><p class="muted">Your role, auditor, may not do this. It is for: administrator.</p></div>`,
		`<form method="post" action="/tokens" data-shown>x<button>Do</button></form>`:                              `<div>x</div>`,
		`<form method="post" action="/tasks/x">x<button formaction="/tokens">y</button></form>`:                    `<form method="post" action="/tasks/x">x</form>`,
		`<section id="a"><header><h2>Decide</h2></header><div class="body"> ` + form + form + ` </div></section>.`: `.`,
		`<section><header><h2>Okta</h2><span>Answers</span></header><div>` + form + `</div></section>`:             `<section><header><h2>Okta</h2><span>Answers</span></header></section>`,
		`<details class="reason"><summary><svg/><span>Cancel</span></summary>` + form + `</details>.`:              `.`,
		`<div id="run-needs">` + form + `</div>`:                                                                   `<div id="run-needs"></div>`,
		`<div><p>Stays</p>` + form + `</div>`:                                                                      `<div><p>Stays</p></div>`,
		`<div><h3>Next</h3>` + form + `</div>.`:                                                                    `.`,
		`<td>` + form + `</td>`:                                                                                    `<td></td>`,
		`<p>` + form + `<b>Stays</b></p>`:                                                                          `<p><b>Stays</b></p>`,
		`<pre>` + form + `</p>`:                                                                                    `<pre></p>`,
	} {
		if got := auditor(page); got != left {
			t.Errorf("of %s is left\n%s, want\n%s", page, got, left)
		}
		if got := administrator(page); got != page {
			t.Errorf("of %s an administrator finds\n%s", page, got)
		}
		for i := range page {
			auditor(page[:i])
		}
	}
}

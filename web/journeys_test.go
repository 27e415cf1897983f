package web_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// What each role comes for, in a real browser, from signing in to the last page: by what stands on the screen, never by an
// address that nobody would type.

// stranger stands before the sign-in page as somebody whom the browser does not know.
func (b *tab) stranger(base string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.Navigate(base + "/login"))
}

// signsIn opens the sign-in page and enters the token of a role.
func (b *tab) signsIn(base string, r dayone.Role) {
	b.t.Helper()
	b.stranger(base)
	eval[chromedp.Void](b, `document.querySelectorAll('details').forEach(d=>d.open=true);0`)
	b.do(chromedp.SendKeys("#token", tokenOf(r)+kb.Enter))
	b.until(`location.pathname!=='/login'`)
}

// comesBy signs in at the company's provider, which knows an address.
func (b *tab) comesBy(p *provider, base, email string) {
	b.t.Helper()
	p.claims = map[string]any{"email": email, "groups": []string{"everybody"}}
	b.stranger(base)
	b.press("Sign in with the company")
	b.until(`location.pathname==='/me'`)
}

// press clicks what is called so: a link, a button or the head of something folded, the first that is seen.
func (b *tab) press(text string) {
	b.t.Helper()
	quoted, _ := json.Marshal(text)
	find := `[...document.querySelectorAll('main a,main button,main summary,.login a,.login button,nav a,#toast button')].find(e=>e.textContent.trim().replace(/\s+/g,' ')===` + string(quoted) + `&&e.getClientRects().length)`
	b.until(find)
	eval[chromedp.Void](b, find+`.click();0`)
}

// reads waits until all of it stands on the page.
func (b *tab) reads(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		quoted, _ := json.Marshal(text)
		b.until(`document.body.innerText.replace(/\s+/g,' ').includes(` + string(quoted) + `)`)
	}
}

// readsNot says that something does not stand there.
func (b *tab) readsNot(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		quoted, _ := json.Marshal(text)
		if eval[bool](b, `document.body.innerText.includes(`+string(quoted)+`)`) {
			b.t.Errorf("%s says %q", eval[string](b, `location.pathname`), text)
		}
	}
}

// types writes into a field, over what stands there.
func (b *tab) types(field, text string) {
	b.t.Helper()
	b.until(`document.querySelector('` + field + `')`)
	eval[chromedp.Void](b, `document.querySelector('`+field+`').value='';0`)
	b.do(chromedp.SendKeys(field, text))
}

// forgives what the console says of answers that were to be refusals.
func (b *tab) forgives(status string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = slices.DeleteFunc(b.complaints, func(c string) bool { return strings.Contains(c, "the server responded with a status of "+status) })
}

// keeps looks at the page as a test of every page does: nothing too wide, nothing that axe minds, a silent console.
func (b *tab) keeps(name string) {
	b.t.Helper()
	if wide := eval[int](b, `document.documentElement.scrollWidth-document.documentElement.clientWidth`); wide > 0 {
		b.t.Errorf("%s: %d px wider than the window", name, wide)
	}
	b.accessible(name)
	if *shots {
		b.shoot("journey-" + name)
	}
	b.calm(name)
}

// An administrator finds somebody in the directory as he types, looks at the plan, starts it, watches it end, reads what she
// was told, and takes it back.
func TestBrowserTheAdministratorOnboardsAndUndoes(t *testing.T) {
	d := &directory{people: map[string]map[string]string{"E-9": {
		"first_name": "Núria", "last_name": "Vidal", "email": "nuria@company.com", "employee_id": "E-9", "department": "Sales", "job_title": "Sales Engineer", "team": "Iberia", "employment_type": "FTE",
		"start_date": "2020-03-02", "location": "Berlin", "work_arrangement": "Office", "manager_email": "boss@company.com",
	}}}
	b := newCompany(t, withRoles, func(_ *web.Options, deps *flow.Deps) { deps.Sources["entra"] = flow.Source{Source: d} })
	tab := browse(t)
	tab.do(chromedp.EmulateViewport(1280, 900))
	tab.signsIn(b.url, dayone.Administrator)
	tab.press("Onboard")
	tab.types("#q", "nú")
	tab.until(`document.querySelector('#onboard-found [role=option]')?.textContent.includes('Vidal')`)
	tab.keeps("administrator-finds")
	tab.do(chromedp.SendKeys("#q", kb.ArrowDown+kb.Enter)) // no mouse is needed
	tab.reads("Nothing is planned for them until you start", "nuria@company.com")
	tab.press("Bring in and choose products")
	tab.reads("What does Núria Vidal need?")
	tab.press("Preview the plan")
	tab.reads("Núria Vidal is going to read", "The finish hangs on", "Who else is told")
	tab.keeps("administrator-previews")
	for field, text := range map[string]string{"by": "administrator@company.com", "reason": "she begins on Monday"} {
		if eval[bool](tab, `!!document.querySelector('main [name=`+field+`]:not([type=hidden])')`) {
			tab.types("main [name="+field+"]", text)
		}
	}
	eval[chromedp.Void](tab, `document.querySelector('.bar-foot .btn-primary').click();0`)
	tab.until(`document.querySelector('#onboard-live')&&!document.querySelector('#onboard-live').hasAttribute('hx-get')`) // it ends by itself
	tab.keeps("administrator-started")
	run := b.started("nuria@company.com")
	if run.State != dayone.RunDone && run.State != dayone.RunIncomplete && run.State != dayone.RunWaiting {
		t.Errorf("the page rests, the run is %s", run.State)
	}
	tab.press("Messages")
	tab.reads("Welcome to Company")
	tab.press("Undo")
	tab.reads("Will be taken back", "Nothing is done before you say so")
	tab.types("#reason", "it was another Núria")
	u, err := b.flow.UndoPreview(t.Context(), run.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	steps := len(u.Plan.Steps) // the button says how many, and the run has as many
	tab.press(fmt.Sprintf("Undo %d steps", steps))
	tab.reads("Undo")
	b.until("all is taken back", func() bool {
		list, err := b.flow.Runs(t.Context(), flow.RunFilter{Of: run.ID})
		return err == nil && len(list) == 1 && list[0].State == dayone.RunDone
	})
	if list, err := b.flow.Runs(t.Context(), flow.RunFilter{Of: run.ID}); err != nil {
		t.Fatal(err)
	} else if back, err := b.flow.RunOf(t.Context(), list[0].ID); err != nil || len(back.Steps) != steps {
		t.Errorf("the button said %d steps, the run has %d: %v", steps, len(back.Steps), err)
	}
	_, list, err := b.flow.Access(t.Context(), run.Person)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if a.Holding != nil && a.Key.Kind == dayone.AccountKindName && a.Holding.State == dayone.Active {
			t.Errorf("%s is still open", a.Key)
		}
	}
	tab.do(chromedp.Navigate(b.url + "/people/" + string(run.Person)))
	tab.reads("Núria Vidal")
	tab.keeps("administrator-undone")
	tab.calm("the administrator")
}

// HR adds somebody who is in no HR system, finds her, and sees what will happen; it is not HR who decides about systems.
func TestBrowserHRAddsSomebody(t *testing.T) {
	b := newCompany(t, withRoles)
	tab := browse(t)
	tab.do(chromedp.EmulateViewport(390, 844))
	b.hire("max", "Max", "Boss", "Sales", time.Now().AddDate(-1, 0, 0))
	tab.signsIn(b.url, dayone.HR)
	tab.do(chromedp.Navigate(b.url + "/people"))
	tab.press("Add a person")
	for field, text := range map[string]string{"first_name": "Ólafur", "last_name": "Þór Jónsson", "email": "olafur@company.com", "sponsor": "max@company.com", "department": "Sales", "job_title": "Advisor", "location": "Berlin"} {
		tab.types("[name="+field+"]", text)
	}
	tab.keeps("hr-adds")
	eval[chromedp.Void](tab, `document.querySelector('[name=end]').value='`+time.Now().AddDate(0, 1, 0).Format(time.DateOnly)+`';0`)
	tab.press("Look at it first")
	tab.reads("Nothing is entered yet", "Þór Jónsson")
	tab.press("Add them")
	b.until("she is there", func() bool { _, err := b.flow.Named(t.Context(), "olafur@company.com"); return err == nil })
	tab.do(chromedp.Navigate(b.url + "/people"))
	tab.types("#q", "jóns")
	tab.until(`document.querySelectorAll('#people-list tbody tr').length===1`)
	tab.press("Ólafur Þór Jónsson")
	tab.until(`document.querySelector('h1')?.textContent.includes('Ólafur')`)
	tab.keeps("hr-person")
	tab.do(chromedp.Navigate(b.url + "/systems"))
	tab.readsNot("Stop everything")
	tab.forgives("403")
}

// An approver decides what waits, an operator does by hand what no system can, an auditor finds both with who did it and takes
// the lines away as a table.
func TestBrowserDecidesDoesAndProves(t *testing.T) {
	files := maps.Clone(fewPolicies)
	files["policies/base.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(fewPolicies["policies/base.yaml"].Data), "okta/group:sales-team}", "okta/group:sales-team, approval: {by: [manager]}}", 1))}
	b := startBench(t, files, false, withRoles, func(o *web.Options, _ *flow.Deps) {
		i := slices.IndexFunc(o.Tokens, func(x web.Token) bool { return x.Role == dayone.Approver })
		o.Tokens[i].Name = "john.doe@company.com" // who is asked
	})
	tab := browse(t)
	tab.do(chromedp.EmulateViewport(1280, 900))
	b.hireSarah()
	b.until("somebody is asked", func() bool {
		list, err := b.flow.Approvals(t.Context(), flow.ApprovalFilter{Open: true})
		return err == nil && len(list) == 1 && list[0].Run != ""
	})
	tab.signsIn(b.url, dayone.Approver)
	tab.do(chromedp.Navigate(b.url))
	tab.until(`location.pathname==='/approvals'`) // what waits is all that an approver sees
	tab.reads("1 request waits")
	eval[chromedp.Void](tab, `document.querySelector('main .rows a.t, main table a').click();0`)
	tab.reads("Who may decide", "john.doe@company.com")
	tab.keeps("approver-decides")
	tab.press("Approve")
	tab.reads("The answer is kept")
	run := b.started("sarah.chen@company.com")
	b.until("what was approved is there", func() bool {
		r, err := b.flow.RunOf(t.Context(), run.ID)
		return err == nil && r.State == dayone.RunDone
	})
	tab.calm("the approver")

	tab.signsIn(b.url, dayone.Auditor)
	tab.do(chromedp.Navigate(b.url + "/records"))
	tab.reads("Each line proves the one before it", "Approval given", "by john.doe@company.com")
	tab.keeps("auditor-reads")
	if table := eval[string](tab, `fetch(document.querySelector('a[href*="format=csv"]').href).then(r=>r.text())`, chromedp.EvalAwaitPromise); !strings.Contains(table, "approve") || strings.Count(table, "\n") < 5 {
		t.Errorf("the table is %.300s", table)
	}
	tab.do(chromedp.Navigate(b.url + "/people/" + string(run.Person)))
	tab.reads("Sarah Chen")
	if n := eval[int](tab, `document.querySelectorAll('main form[method=post]').length`); n > 0 {
		t.Errorf("an auditor is offered %d acts", n)
	}
	tab.calm("the auditor")
}

// An operator does a task by hand: the run goes on with the id that he enters.
func TestBrowserTheOperatorDoesATask(t *testing.T) {
	b := newCompany(t, withRoles)
	b.any.set("notion/account", dayone.Wait{}, dayone.ErrUnsupported)
	tab := browse(t)
	tab.do(chromedp.EmulateViewport(390, 844))
	b.hireSarah()
	b.until("a task", func() bool {
		list, err := b.flow.Tasks(t.Context(), "", "")
		return err == nil && len(list) > 0
	})
	tab.signsIn(b.url, dayone.Operator)
	tab.do(chromedp.Navigate(b.url + "/tasks"))
	tab.press("Create a Notion account for Sarah Chen")
	tab.reads("Login: sarah.chen@company.com", "Why a human does it")
	tab.keeps("operator-task")
	tab.types("form:has(#evidence) .field:first-of-type input", "n-4711")
	tab.types("#evidence", "notion.example/people/n-4711")
	tab.press("Mark as done")
	tab.reads("The task is done")
	tab.calm("the operator")
}

// A new hire sees what is hers in her own words, her manager sees how far she is, and neither sees more.
func TestBrowserTheManagerAndTheNewHire(t *testing.T) {
	p := ownProvider(t)
	b := startBench(t, fewPolicies, false, func(o *web.Options, _ *flow.Deps) {
		o.Open, o.SignOn = false, signOnAt(p.url)
		o.SignOn.Everyone, o.SignOn.Title = true, "the company"
	})
	for _, who := range []struct{ id, boss, department string }{{"max", "head@company.com", "Sales"}, {"sarah", "max@company.com", "Sales"}, {"olga", "head@company.com", "Sales"}} {
		res := b.say(fmt.Sprintf(`{"event_type":"employee.hired","event_id":"evt_%s","timestamp":%q,"data":{"employee_id":%q,"email":%q,"first_name":%q,"last_name":"Test","department":%q,"employment_type":"FTE","start_date":%q,"location":"Berlin","job_title":"Engineer","manager_email":%q}}`,
			who.id, time.Now().Format(time.RFC3339), who.id, who.id+"@company.com", who.id, who.department, time.Now().AddDate(0, 0, -2).Format(time.DateOnly), who.boss))
		if res.StatusCode != http.StatusAccepted {
			t.Fatal(res.Status)
		}
		b.until("a run of "+who.id, func() bool { return b.started(who.id+"@company.com").State == dayone.RunDone })
	}
	tab := browse(t)
	tab.do(chromedp.EmulateViewport(390, 844))
	tab.comesBy(p, b.url, "sarah@company.com")
	tab.reads("sarah Test", "What you use", "Okta")
	tab.readsNot("max Test", "olga Test", "Your people")
	tab.keeps("employee-me")
	tab.comesBy(p, b.url, "max@company.com")
	tab.press("Your people")
	tab.reads("sarah Test")
	tab.readsNot("olga Test")
	tab.keeps("manager-team")
	tab.press("sarah Test")
	tab.until(`document.querySelector('h1')?.textContent.includes('sarah')`)
	tab.keeps("manager-sees")
	tab.do(chromedp.Navigate(b.url + "/me"))
	tab.press("Sign out")
	tab.reads("You are signed out")
	tab.calm("the manager")
}

// A telephony engineer brings a list with a fault, is told its line, mends it, and sees the numbers on the map of their pool.
func TestBrowserTheTelephonyEngineerImports(t *testing.T) {
	b := newCompany(t, withRoles)
	plan, _ := json.Marshal(map[string]any{"text": benchNumbers, "seq": 0})
	if res := b.as(dayone.Administrator, "", http.MethodGet, "/api/v1/numbers/plan"); res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	if status, said := b.bearer(tokenOf(dayone.Administrator), http.MethodPut, "/api/v1/numbers/plan", string(plan)); status != http.StatusOK {
		t.Fatal(status, said)
	}
	tab := browse(t)
	tab.do(chromedp.EmulateViewport(1280, 900))
	tab.signsIn(b.url, dayone.Administrator)
	tab.do(chromedp.Navigate(b.url + "/numbers"))
	tab.reads("San Francisco")
	tab.press("Import")
	tab.types("#text", "number,state,reason\n+14085550110,held,lift\n+14085550110,held,lift\n")
	tab.press("Show what it does")
	tab.reads("line 3")
	tab.forgives("422") // the browser's console says so, too
	tab.keeps("engineer-fault")
	tab.types("#text", "number,state,reason\n+14085550110,held,lift\n")
	tab.press("Show what it does")
	tab.press("Import it")
	tab.until(`location.pathname!=='/numbers/import'`)
	tab.do(chromedp.Navigate(b.url + "/numbers"))
	tab.press("San Francisco")
	tab.reads("1 held", "19 available")
	tab.keeps("engineer-pool")
}

// The wizard's last page says when the server does not answer, and goes on by itself once it does.
func TestBrowserTheResultGoesOnAfterTheServerWasAway(t *testing.T) {
	b := newCompany(t, withRoles)
	run := b.comes("erin", "boss@company.com", "Sales", "Berlin", "", time.Now().AddDate(0, 0, -3))
	tab := browse(t)
	tab.signsIn(b.url, dayone.Administrator)
	page := "/onboard/" + string(run.Person) + "/result"
	tab.do(chromedp.Navigate(b.url + page))
	away := func(is bool) {
		t.Helper()
		if _, err := chromedp.Call(tab.ctx, network.Enable, network.EnableParams{}); err != nil {
			t.Fatal(err)
		}
		if _, err := chromedp.Call(tab.ctx, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{{URLPattern: "*://*:*" + page, Block: is}}}); err != nil {
			t.Fatal(err)
		}
	}
	away(true)
	// it asks again, as it does while something is under way: her run may be over
	eval[chromedp.Void](tab, `(e=>{for(const [k,v] of Object.entries({get:location.pathname,trigger:'every 2s',target:'#onboard-live',swap:'outerHTML'}))e.setAttribute('hx-'+k,v);htmx.process(e)})(document.querySelector('#onboard-live'));0`)
	tab.reads("Live updates are paused")
	eval[chromedp.Void](tab, `document.querySelector('#onboard-live').dataset.before='';0`)
	away(false)
	tab.until(`document.querySelector('#live-broken').hidden&&!('before' in document.querySelector('#onboard-live').dataset)`)
}

package web_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// axe is axe-core 4.14.1, Mozilla Public License 2.0; see testdata/LICENSE-axe.
//
//go:embed testdata/axe.min.js
var axe string

// tab is one tab of a real browser that keeps every complaint of its console.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

// browse opens a tab, or skips the test where there is no browser.
func browse(t *testing.T) *tab {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if path == "" {
			path, _ = exec.LookPath(name)
		}
	}
	if path == "" {
		t.Skip("no Chromium here: `make setup` gets it, or name one in CHROMIUM")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 20*time.Minute)
	t.Cleanup(stop)
	b := &tab{t: t, ctx: ctx}
	b.do(chromedp.Navigate("about:blank"))
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	return b
}

// hear keeps errors, warnings and exceptions: a page that is refused something by its own policy says so there.
func (b *tab) hear(ev any) {
	text := ""
	switch e := ev.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			text = fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			raw, _ := json.Marshal(e.Args)
			text = fmt.Sprintf("console %s: %s", e.Type, raw)
		}
	case *runtime.EventExceptionThrown:
		raw, _ := json.Marshal(e.ExceptionDetails)
		text = "exception: " + string(raw)
	}
	if text == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, text)
}

// calm says that the browser had nothing to complain about.
func (b *tab) calm(where string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Errorf("%s: %s", where, c)
	}
	b.complaints = nil
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func eval[T any](b *tab, expression string, opts ...chromedp.EvaluateOption) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, opts...))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until asks the page again and again, over a navigation too: it must become true by itself.
func (b *tab) until(expression string) {
	b.t.Helper()
	late := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`(()=>{try{return !!(`+expression+`)}catch{return false}})()`))
		if ok {
			return
		}
		if time.Now().After(late) {
			shown, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.pathname+'\n'+document.body.innerText.slice(0,3000)`))
			b.t.Fatalf("waiting for %s: %v\n%s", expression, err, shown)
		}
		<-tick.C
	}
}

// shoot keeps a picture of the whole page among the test's artifacts.
func (b *tab) shoot(name string) {
	b.t.Helper()
	eval[chromedp.Void](b, `scrollTo(0,0);document.querySelectorAll('.bar-foot').forEach(x=>{x.style.position='static'});0`) // else it lies over the middle of a page that is taken whole
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// accessible runs axe with every rule it has.
func (b *tab) accessible(where string) {
	b.t.Helper()
	eval[chromedp.Void](b, axe+";0")
	raw := eval[string](b, `axe.run(document,{runOnly:{type:'tag',values:['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']}})
		.then(r=>JSON.stringify(r.violations.map(v=>v.impact+' '+v.id+': '+v.nodes.slice(0,3).map(n=>n.target.join(' ')+' '+(n.any[0]||n.all[0]||n.none[0]||{}).message).join(' | '))))`, chromedp.EvalAwaitPromise)
	var found []string
	if err := json.Unmarshal([]byte(raw), &found); err != nil {
		b.t.Fatal(err)
	}
	for _, f := range found {
		b.t.Errorf("%s: %s", where, f)
	}
}

// A run in mid-run: the page shows every grant, moves by itself, and the browser has nothing to complain about.
func TestBrowserWatchesARun(t *testing.T) {
	b := newCompany(t)
	tab := browse(t)
	release := b.any.hold()
	defer release()
	b.any.set("gitlab/account", dayone.Wait{Kind: dayone.WaitFirstLogin, Note: "after she signs in"}, nil)
	b.any.set("notion/account", dayone.Wait{}, dayone.ErrForbidden)
	b.hireSarah()
	var run dayone.Run
	b.until("the run", func() bool { run = b.started("sarah.chen@company.com"); return run.ID != "" })

	tab.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(b.url+"/runs/"+string(run.ID)+"?step=1"))
	if n := eval[int](tab, `document.querySelectorAll('tr[data-grant]').length`); n != 24 {
		t.Errorf("%d grants are shown", n)
	}
	open := eval[int](tab, `[...document.querySelectorAll('tr[data-grant]')].filter(r=>!r.textContent.includes('Done')).length`)
	if open < 15 {
		t.Fatalf("only %d grants are open: the run is not in its middle", open)
	}
	// htmx says of each row that it swaps; a mark on the window says that the page was never loaded anew
	eval[chromedp.Void](tab, `window.swapped=new Set();window.same=true;document.addEventListener('htmx:oobAfterSwap',e=>{if(e.detail.target&&e.detail.target.id)window.swapped.add(e.detail.target.id)});0`)
	tab.shoot("run-held")
	release()
	tab.until(`[...document.querySelectorAll('tr[data-grant]')].every(r=>/Done|Failed|Blocked|first login/.test(r.textContent))`)
	tab.until(`document.querySelector('#run-head').textContent.includes('Waiting')||document.querySelector('#run-head').textContent.includes('Incomplete')`)
	if n := eval[int](tab, `[...window.swapped].filter(i=>/^step-\d+$/.test(i)).length`); n < open {
		t.Errorf("%d rows moved live, %d were open", n, open)
	}
	if n := eval[int](tab, `[...window.swapped].filter(i=>/^node-\d+$/.test(i)).length`); n < open {
		t.Errorf("%d nodes of the picture moved live", n)
	}
	if !eval[bool](tab, `window.same===true`) {
		t.Error("the page was loaded anew")
	}
	if ns := eval[string](tab, `document.querySelector('#node-2').namespaceURI`); !strings.HasSuffix(ns, "svg") {
		t.Errorf("a node that was swapped is an element of %s", ns)
	}
	tab.until(`document.querySelector('#run-needs').textContent.includes('Notion does not allow it')`)
	tab.until(`document.querySelector('.graph .edge.cut')!==null`)
	tab.calm("a run, live")

	// a step opens beside the list, from the list and from the picture
	tab.do(chromedp.Click(`tr[data-grant="notion/account"] a.t`))
	tab.until(`document.querySelector('#h-det').textContent.startsWith('Notion')`)
	tab.until(`document.querySelector('tr[data-grant="notion/account"]').classList.contains('on') && location.search.includes('step=')`)
	eval[chromedp.Void](tab, `document.querySelector('a.node[aria-label^="GitLab account"]').dispatchEvent(new MouseEvent('click',{bubbles:true,cancelable:true}));0`)
	tab.until(`document.querySelector('#h-det').textContent.startsWith('GitLab')`)
	if !eval[bool](tab, `window.same===true`) {
		t.Error("the picture's link loaded the page anew")
	}
	tab.accessible("a run, live")
	tab.shoot("run-live")

	// a decision in the open detail moves the page, too
	tab.do(chromedp.Click(`tr[data-grant="notion/account"] a.t`))
	tab.until(`document.querySelector('#h-det').textContent.startsWith('Notion')`)
	b.any.set("notion/account", dayone.Wait{}, nil)
	eval[chromedp.Void](tab, `document.querySelector('#step-detail form[action$="/retry"] button').click();0`)
	tab.until(`document.querySelector('#toast').textContent.includes('tried again')`)
	tab.until(`document.querySelector('tr[data-grant="notion/space:technical"]').textContent.includes('Done')`)
	tab.until(`document.querySelector('#step-detail').textContent.includes('Done, changed')`)
	tab.calm("after a retry")
}

// The palette and the search work by keyboard alone.
func TestBrowserFindsByKeyboard(t *testing.T) {
	b := newBench(t)
	tab := browse(t)
	for _, n := range []string{"Ada", "Bea"} {
		b.hire("emp_"+n, n, "Moss", "Sales", soon)
	}
	tab.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(b.url+"/people"))
	tab.do(chromedp.SendKeys("#q", "be"))
	tab.until(`document.querySelectorAll('#people-list tbody tr').length===1 && location.search.includes('q=be')`)
	eval[chromedp.Void](tab, `document.dispatchEvent(new KeyboardEvent('keydown',{key:'k',ctrlKey:true,bubbles:true}));0`)
	tab.until(`document.querySelector('#palette').open && document.querySelectorAll('#palette [role=option]').length>3`)
	tab.accessible("the palette")
	tab.shoot("palette")
	tab.do(chromedp.SendKeys("#palette input", "ada"))
	tab.until(`document.querySelector('#palette [aria-selected=true]')?.textContent.includes('Ada')`)
	eval[chromedp.Void](tab, `document.querySelector('#palette input').dispatchEvent(new KeyboardEvent('keydown',{key:'Enter',bubbles:true,cancelable:true}));0`)
	tab.until(`document.querySelector('h1')?.textContent==='Ada Moss'`)
	tab.calm("palette and search")
}

// A row that lights up opens wherever it is pressed, and what else can be pressed in it is not covered.
func TestBrowserARowOpensWhereverItIsPressed(t *testing.T) {
	b := newBench(t)
	tab := browse(t)
	b.hire("emp_Ada", "Ada", "Moss", "Sales", soon)
	tab.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(b.url+"/people"))
	const under = `(e=>{const r=e.getBoundingClientRect();return document.elementFromPoint(r.x+r.width/2,r.y+r.height/2)})`
	tab.until(under + `(document.querySelector('#people-list tbody td:nth-child(3)')).closest('a.t')!==null`)
	eval[chromedp.Void](tab, under+`(document.querySelector('#people-list tbody td:nth-child(3)')).click();0`)
	tab.until(`document.querySelector('h1')?.textContent==='Ada Moss'`)
	for _, page := range []string{"/gallery/people", "/gallery/mailbox", "/gallery/runs", "/gallery/approvals", "/gallery/tasks", "/gallery/dashboard"} {
		tab.do(chromedp.Navigate(b.url + page))
		tab.until(`document.readyState==='complete'`)
		if s := eval[string](tab, `[...document.querySelectorAll('.table tbody tr :is(a:not(.t),button,summary), .rows > li :is(a:not(.t),button,summary)')].filter(e=>{e.scrollIntoView({block:'center'});const x=`+under+`(e);return e.getClientRects().length===1&&x&&!e.contains(x)&&x.matches('a.t')}).map(e=>e.outerHTML).join('\n')`); s != "" {
			t.Errorf("%s covers %s", page, s)
		}
	}
	tab.calm("rows")
}

var (
	everything = flag.Bool("everything", false, "look at every page in both themes and both widths")
	shots      = flag.Bool("shots", false, "keep a picture of every page among the artifacts")
)

// Every state of every page: axe finds nothing, nothing is wider than the window, the console is silent. The pages that
// most people use are looked at in both themes and both widths, the others in one of the four, by turns.
func TestBrowserGalleryIsAccessible(t *testing.T) {
	if testing.Short() {
		t.Skip("it looks at every state of every page: leave out -short")
	}
	b := newBench(t, func(o *web.Options, _ *flow.Deps) { o.Mailbox = mails{} })
	tab := browse(t)
	var pages []string
	for part := range strings.SplitSeq(b.page("/gallery"), `href="/gallery/`) {
		if name, _, ok := strings.Cut(part, `"`); ok && !strings.ContainsAny(name, "<> /") {
			pages = append(pages, "/gallery/"+name)
		}
	}
	if len(pages) < 40 {
		t.Fatalf("the gallery has %d pages", len(pages))
	}
	often := []string{"/gallery/people", "/gallery/person", "/gallery/run", "/gallery/tasks", "/gallery/progress", "/gallery/login"}
	for i, path := range append(pages, "/gallery", "/policies", "/mailbox") {
		for turn, c := range []struct {
			theme string
			width int64
		}{{"light", 1280}, {"dark", 390}, {"dark", 1280}, {"light", 390}} {
			if i%4 != turn && !*everything && !slices.Contains(often, path) {
				continue
			}
			where := fmt.Sprintf("%s %s %d", path, c.theme, c.width)
			tab.do(chromedp.EmulateViewport(c.width, 900), chromedp.Navigate(b.url+path))
			eval[chromedp.Void](tab, `document.documentElement.dataset.theme='`+c.theme+`';0`)
			if wide := eval[int](tab, `document.documentElement.scrollWidth-document.documentElement.clientWidth`); wide > 0 {
				t.Errorf("%s: %d px wider than the window", where, wide)
			}
			if n := eval[int](tab, `[...document.querySelectorAll('.tabs')].filter(e=>e.scrollHeight>e.clientHeight).length`); n > 0 {
				t.Errorf("%s: %d rows of tabs scroll up and down", where, n)
			}
			if n := eval[int](tab, `[...document.querySelectorAll('.figure-scroll')].filter(e=>e.firstElementChild.clientWidth+32>e.clientWidth-17).length`); n > 0 && c.width == 1280 {
				t.Errorf("%s: %d pictures do not fit beside a scroll bar", where, n)
			}
			tab.accessible(where)
			if *shots {
				tab.shoot(fmt.Sprintf("%s-%s-%d", strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", "-"), c.theme, c.width))
			}
			tab.calm(where)
		}
	}
}

type mails struct{}

func (mails) Messages() []web.Mail { return nil }

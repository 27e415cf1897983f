package web

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/locale"
)

//go:embed templates
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// renderer turns view structs into HTML: components, one template each, and pages that compose them.
type renderer struct {
	parts   *template.Template
	pages   map[string]func() *template.Template // each is made when somebody opens it first
	hashes  map[string]string                    // of static files, for their addresses
	version string
	others  map[string]func() *renderer // by language; each is made when somebody reads it first
}

func newRenderer(version string) *renderer {
	v := &renderer{hashes: map[string]string{}, version: version, others: map[string]func() *renderer{}}
	names, err := fs.Glob(staticFiles, "static/*")
	must(err)
	more, err := fs.Glob(staticFiles, "static/vendor/*.js")
	must(err)
	for _, name := range slices.Concat(names, more) {
		raw, err := staticFiles.ReadFile(name)
		if err != nil {
			continue // a folder
		}
		sum := sha256.Sum256(raw)
		v.hashes[strings.TrimPrefix(name, "static/")] = hex.EncodeToString(sum[:6])
	}
	v.read(nil)
	for _, tag := range locale.Tags() {
		v.others[tag] = sync.OnceValue(func() *renderer { return v.speaking(locale.Of(tag)) })
	}
	return v
}

// breaks lets an address, a path or a place in a file go on in the next line where people would part it.
func breaks(text string) template.HTML {
	return template.HTML(lineIn.ReplaceAllString(partsOf.Replace(template.HTMLEscapeString(text)), "$1<wbr>:$2"))
}

var (
	partsOf = strings.NewReplacer("@", "@<wbr>", "/", "/<wbr>")
	lineIn  = regexp.MustCompile(`([a-z]):(\d)`)
)

// commands sets what stands between backquotes as what is typed.
func commands(text string) template.HTML {
	parts := strings.Split(template.HTMLEscapeString(text), "`")
	if len(parts)%2 == 0 { // one has no end
		return template.HTML(template.HTMLEscapeString(text))
	}
	for i := 1; i < len(parts); i += 2 {
		parts[i] = "<code>" + parts[i] + "</code>"
	}
	return template.HTML(strings.Join(parts, ""))
}

// untorn keeps together what a line tears apart, a telephone number, and what turns what stands beside it, a name in letters that
// are read from the right.
func untorn(text string) template.HTML {
	var b strings.Builder
	at := 0
	for _, m := range tornIn.FindAllStringIndex(text, -1) {
		b.WriteString(escaped(text[at:m[0]]))
		is := escaped(text[m[0]:m[1]])
		if text[m[0]] == '+' {
			is = `<span class="nowrap">` + is + "</span>"
		} else {
			is = "<bdi>" + is + "</bdi>"
		}
		b.WriteString(is)
		at = m[1]
	}
	return template.HTML(b.String() + escaped(text[at:]))
}

// escaped is a text as templates write it.
func escaped(text string) string {
	return strings.ReplaceAll(template.HTMLEscapeString(text), "+", "&#43;")
}

var tornIn = regexp.MustCompile(`\+\d+(?: \d+)+|(?:\p{Lu}\p{Ll}+ )?[\p{Arabic}\p{Hebrew}][\p{Arabic}\p{Hebrew}\p{M}'’"-]*(?: [\p{Arabic}\p{Hebrew}][\p{Arabic}\p{Hebrew}\p{M}'’"-]*)*`)

// read parses what every page shares; what one page has is parsed when it is opened first. Texts are put into the language.
func (v *renderer) read(l *locale.Language) {
	v.pages = map[string]func() *template.Template{}
	v.parts = template.New("").Funcs(template.FuncMap{"asset": v.asset, "icon": v.icon, "count": l.Number, "say": l.Said, "code": l.Tag, "breaks": breaks, "commands": commands, "untorn": untorn})
	template.Must(v.parts.ParseFS(templateFiles, "templates/*.html"))
	files, err := fs.Glob(templateFiles, "templates/pages/*.html")
	must(err)
	t := translator{find: l.Find, starts: map[string]place{}}
	known := map[string]bool{}
	if l != nil {
		known = t.translate(v.parts, known)
	}
	parts := template.Must(v.parts.Clone()) // what was executed once cannot be cloned
	for _, file := range files {
		v.pages[strings.TrimSuffix(path.Base(file), ".html")] = sync.OnceValue(func() *template.Template {
			page := template.Must(template.Must(parts.Clone()).ParseFS(templateFiles, file))
			if l != nil {
				(&translator{find: t.find, starts: maps.Clone(t.starts)}).translate(page, known)
			}
			return page
		})
	}
}

// speaking is the same in another language.
func (v *renderer) speaking(l *locale.Language) *renderer {
	if l == nil {
		return v
	}
	other := &renderer{hashes: v.hashes, version: v.version}
	other.read(l)
	return other
}

// in is the renderer for whoever reads this language.
func (v *renderer) in(l *locale.Language) *renderer {
	if other := v.others[l.Tag()]; other != nil {
		return other()
	}
	return v
}

// must: what is built into the program is right, or the program is wrong.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// asset is the address of a static file. It changes with the file, so browsers may keep it for ever.
func (v *renderer) asset(name string) (string, error) {
	hash, ok := v.hashes[name]
	if !ok {
		return "", fmt.Errorf("there is no static file %q", name)
	}
	return "/static/" + name + "?v=" + hash, nil
}

func (v *renderer) icon(name string) string {
	return "/static/icons.svg?v=" + v.hashes["icons.svg"] + "#i-" + name
}

func (v *renderer) static() http.Handler {
	files, err := fs.Sub(staticFiles, "static")
	must(err)
	serve := http.StripPrefix("/static/", http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/static/")
		hash, ok := v.hashes[name]
		if !ok {
			http.NotFound(w, r) // folders are not listed
			return
		}
		w.Header().Set("ETag", `"`+hash+`"`)
		w.Header().Set("Cache-Control", "no-cache")
		if r.URL.Query().Get("v") == hash {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		serve.ServeHTTP(w, r)
	})
}

// page is what every page has around its content.
type page struct {
	Template string // of the content
	Title    string
	Nav      string // current entry of the menu
	Crumbs   []link
	Plain    bool // without menu
	Phone    bool // made for a phone, for people without a login
	MadeUp   bool // a sample: it shows what any role may do
	Main     any

	// set by show
	Brand               brandView
	Theme, Version, Who string
	Initials, Zone      string
	Languages           []tongue // others that it can be read in
	Here                string   // its own address
	Menu                []menu
	Toast               *toast
	Banner              *notice // while something is stopped
	Export              *export // the list of the page as a table
	Demo                bool
	LookAs              lookAs // the demo: as whom it is looked at
}

type menu struct {
	Title string // "": the first group has none
	Items []menuItem
}

type menuItem struct {
	Text, Href, Icon string
	Current          bool
	Count            int
	Counted          string // where its count stands; "": nothing is counted
}

// menuCount is how much waits at one entry of the menu.
type menuCount struct {
	ID    string
	Count int
}

// menuCounts are those of a menu.
func menuCounts(list []menu) (out []menuCount) {
	for _, g := range list {
		for _, it := range g.Items {
			if it.Counted != "" {
				out = append(out, menuCount{it.Counted, it.Count})
			}
		}
	}
	return out
}

// show answers with a whole page. It is built before the first byte leaves, so an error can still become an error page.
func (p *portal) show(w http.ResponseWriter, r *http.Request, status int, pg page) error {
	pg.Theme, pg.Version, pg.Demo = themeOf(r), p.opt.Version, p.opt.Open
	pg.LookAs = p.lookAsOf(r)
	lang := p.languageOf(r)
	pg.Languages, pg.Here = p.tongues(lang), r.URL.RequestURI()
	pg.Brand = p.brand(r)
	if pg.Brand.Href = "/"; pg.Phone {
		pg.Brand.Href = "#main"
	}
	if !pg.Plain {
		who, _ := p.access.session(r)
		pg.Who, pg.Initials = who.Name, initials(who.Name)
		pg.Zone = p.viewerOf(r).zone.String()
		pg.Menu = p.menu(r, pg.Nav)
		pg.Toast, pg.Banner = p.toastOf(r), p.banner(r)
		pg.Export = p.exportOf(r)
	}
	t, ok := p.view.in(lang).pages[pg.Template]
	if !ok {
		return fmt.Errorf("there is no page %q", pg.Template)
	}
	lets := p.letsOf(r)
	if pg.MadeUp {
		lets = nil
	}
	var b bytes.Buffer
	if err := t().ExecuteTemplate(&b, "page", pg); err != nil {
		return fmt.Errorf("building page %s: %w", pg.Template, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "HX-Request, Cookie, Accept-Language")
	if pg.Phone || pg.Plain {
		w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	}
	w.WriteHeader(status)
	_, _ = w.Write(lets.only(b.Bytes()))
	return nil
}

// part answers with one component.
func (p *portal) part(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	html, err := p.view.in(p.languageOf(r)).html(name, data)
	if err != nil {
		p.log.Error("a part could not be built", "part", name, "path", logPath(r.URL.Path), "error", err)
		status, html = http.StatusInternalServerError, ""
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "HX-Request, Cookie, Accept-Language")
	w.WriteHeader(status)
	_, _ = w.Write(p.letsOf(r).only([]byte(html)))
}

// html is one component as text.
func (v *renderer) html(name string, data any) (string, error) {
	var b bytes.Buffer
	err := v.parts.ExecuteTemplate(&b, name, data)
	return b.String(), err
}

// isFragment says that htmx asks, for a part of a page.
func isFragment(r *http.Request) bool {
	return r.Header.Get("HX-Request") == "true" && r.Header.Get("HX-History-Restore-Request") != "true"
}

// themeOf is what somebody chose; "" follows the system.
func themeOf(r *http.Request) string {
	if c, err := r.Cookie("theme"); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// menu shows where one can go, and how much waits there.
func (p *portal) menu(r *http.Request, current string) []menu {
	item := func(id, text, href, icon string, count int) menuItem {
		return menuItem{Text: text, Href: href, Icon: icon, Current: id == current, Count: count}
	}
	counted := func(id, text, href, icon string, count int) menuItem {
		it := item(id, text, href, icon, count)
		it.Counted = "count-" + id
		return it
	}
	open := p.openCounts(r)
	me, _ := p.access.session(r)
	groups := []menu{
		{Items: []menuItem{
			item("dashboard", "Dashboard", "/", "home", 0), item("people", "People", "/people", "people", 0), item("onboard", "Onboard", "/onboard", "plus", 0),
			item("confidential", "Confidential", "/confidential", "lock", 0),
			counted("runs", "Runs", "/runs", "play", open.runs), counted("tasks", "Tasks", "/tasks", "inbox", open.tasks),
			counted("approvals", "Approvals", "/approvals", "hand", open.approvals), counted("matches", "Matches", "/matches", "people", open.matches),
		}},
		{Title: "Decide", Items: []menuItem{item("policies", "Policies", "/policies", "policy", 0), item("products", "Products", "/products", "key", 0)}},
		{Title: "Operate", Items: []menuItem{item("systems", "Systems", "/systems", "system", 0), item("drift", "Drift", "/drift", "drift", 0), item("numbers", "Numbers", "/numbers", "phone", 0), counted("brakes", "Brakes", "/brakes", "pause", open.brakes)}},
		{Title: "Prove", Items: []menuItem{counted("events", "Events", "/events", "bolt", open.quarantined), item("records", "Records", "/records", "record", 0)}},
	}
	groups = append(groups, menu{Title: "Set up", Items: []menuItem{item("settings", "Settings", "/settings", "cog", 0)}})
	if p.opt.Mailbox != nil {
		groups = append(groups, menu{Title: "Demo", Items: []menuItem{item("mailbox", "Mailbox", "/mailbox", "mail", 0)}})
	}
	for i := range groups {
		groups[i].Items = slices.DeleteFunc(groups[i].Items, func(it menuItem) bool { return !p.lets(me, menuPattern(it.Href)) })
	}
	return slices.DeleteFunc(groups, func(g menu) bool { return len(g.Items) == 0 })
}

// menuPattern is the address of an entry of the menu, as the table of roles has it.
func menuPattern(href string) string {
	if href == "/" {
		href = "/{$}"
	}
	return "GET " + href
}

type openCounts struct{ runs, tasks, approvals, matches, quarantined, brakes int }

type countsKey struct{}

// withCounts tells the menu of a page what the page has counted itself.
func withCounts(ctx context.Context, c openCounts) context.Context {
	return context.WithValue(ctx, countsKey{}, c)
}

// openCounts are a service, not the page: what cannot be counted is not shown.
func (p *portal) openCounts(r *http.Request) openCounts {
	var c openCounts
	is, in := p.access.session(r)
	if !in {
		return c
	}
	ctx := with(r.Context(), is) // pages that say what is wrong have a menu as well
	if known, counted := ctx.Value(countsKey{}).(openCounts); counted {
		return known
	}
	if n, err := p.flow.CountRuns(ctx, runsUnderWay(countedTo)); err == nil {
		c.runs = n
	}
	if n, err := p.flow.CountTasks(ctx, flow.TaskFilter{}); err == nil {
		c.tasks = n
	}
	if n, err := p.flow.CountApprovals(ctx); err == nil {
		c.approvals = n
	}
	if n, err := p.flow.CountMatches(ctx); err == nil {
		c.matches = n
	}
	if list, err := p.flow.Events(ctx, quarantined(countedTo)); err == nil {
		c.quarantined = len(list)
	}
	if n, err := p.flow.CountBrakes(ctx, countedTo); err == nil {
		c.brakes = n
	}
	return c
}

func initials(name string) string {
	out := ""
	for _, f := range strings.Fields(name) {
		r := []rune(f)
		out += strings.ToUpper(string(r[:1]))
		if len(out) >= 2 {
			break
		}
	}
	return out
}

// titles are systems as pages call them.
func (p *portal) titles() map[string]string {
	out := map[string]string{}
	for name, s := range p.flow.Active().Systems {
		out[name] = s.Title
	}
	return out
}

// systemTitle is how a system is called. One that nobody has given a title, as it is not configured, is called by its name.
func systemTitle(titles map[string]string, name string) string {
	if t := titles[name]; t != "" && t != name {
		return t
	}
	words := strings.Split(name, "-")
	for i, w := range words {
		switch {
		case spelled[w] != "":
			words[i] = spelled[w]
		case len(w) <= 3: // AD, EU
			words[i] = strings.ToUpper(w)
		default:
			words[i] = sentence(w)
		}
	}
	return strings.Join(words, " ")
}

// kindTitle is how a kind of entitlement is called.
func kindTitle(titles map[string]string, k dayone.Key) string {
	if t := titles[k.System+"/"+k.Kind]; t != "" {
		return t
	}
	return strings.ReplaceAll(k.Kind, "-", " ")
}

// kindTitles are kinds of entitlements as pages call them within a sentence: "group", "permission set". What a company calls its
// own in its catalogue stays as it has written it.
func (p *portal) kindTitles() map[string]string {
	out := map[string]string{}
	systems := p.flow.Active().Systems
	for _, name := range slices.Sorted(maps.Keys(systems)) {
		for kind, k := range systems[name].Kinds {
			if k.Title != "" {
				out[name+"/"+kind] = k.Title
				if g := p.flow.Systems[name]; g != nil && g.Manifest != nil && g.Manifest.Kinds[kind].Title == k.Title {
					out[name+"/"+kind] = strings.ToLower(k.Title)
				}
			}
		}
	}
	return out
}

// thing is an access by its kind and name, as a title: Group engineering; an account by its kind alone.
func (v viewer) thing(kinds map[string]string, k dayone.Key) string {
	return sentence(joined(" ", v.kind(kindTitle(kinds, k)), k.Name))
}

// thingAt is the same with the system that it is in.
func (v viewer) thingAt(titles, kinds map[string]string, k dayone.Key) string {
	return systemTitle(titles, k.System) + ": " + v.within(v.thing(kinds, k))
}

// kind is a kind of entitlement in the viewer's language. One that is not written small is what a company calls its own.
func (v viewer) kind(title string) string {
	if title != strings.ToLower(title) {
		return title
	}
	return v.label(title)
}

// peopleIn are those whom a list is about.
func peopleIn[T any](list []T, who func(T) dayone.PersonID) []dayone.PersonID {
	out := make([]dayone.PersonID, len(list))
	for i, x := range list {
		out[i] = who(x)
	}
	return out
}

// know reads those people of a page who are not in the cache yet, together. Who is gone, or nobody to the viewer, is called by
// an id.
func (p *portal) know(ctx context.Context, cache map[dayone.PersonID]flow.Row, ids []dayone.PersonID) error {
	var unread []dayone.PersonID
	for _, id := range ids {
		if _, ok := cache[id]; !ok && id != "" && !slices.Contains(unread, id) {
			unread = append(unread, id)
		}
	}
	if len(unread) == 0 {
		return nil
	}
	rows, err := p.flow.PeopleOf(ctx, unread)
	if err != nil {
		return err
	}
	for _, id := range unread {
		row := rows[id]
		row.Name = cmp.Or(row.Name, string(id))
		cache[id] = row
	}
	return nil
}

// meet reads together those people of a page whom rowOf will be asked for. Of whom could not be read it says so.
func (p *portal) meet(r *http.Request, cache map[dayone.PersonID]flow.Row, ids []dayone.PersonID) {
	if err := p.know(r.Context(), cache, ids); err != nil {
		p.log.Warn("people could not be read together; they are read one by one", "error", err)
	}
}

// rowOf finds a person as lists show them; with the id as name, if nobody knows more.
func (p *portal) rowOf(r *http.Request, cache map[dayone.PersonID]flow.Row, id dayone.PersonID) flow.Row {
	return p.rowRead(r, p.viewerOf(r), cache, id)
}

// rowRead is the same for another viewer. Who is gone is called by an id; of whom could not be read that is said.
func (p *portal) rowRead(r *http.Request, view viewer, cache map[dayone.PersonID]flow.Row, id dayone.PersonID) flow.Row {
	row, ok := cache[id]
	if ok || id == "" {
		return row
	}
	row, err := p.flow.Person(r.Context(), id)
	switch {
	case fault(err) != nil:
		row.Name = view.say("%s (could not be read)", id)
	case err != nil || row.Name == "":
		row.Name = string(id)
	}
	cache[id] = row
	return row
}

package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// platformPage is a telephone system as it was read, with what differs and what may be adopted.
type platformPage struct {
	Title, Post string
	Sentence    string
	At, Again   *stamp // when it was read, and will be
	Age         string // how long ago that is
	Problem     *notice
	Live        platformLive
	MayRead     bool
	MayAdopt    bool
	Figures     []figure
	Filter      platformFilter
	Groups      []findingGroup
	First, Next string
	Says        string
	Empty       *empty
	Leads       []item
	Adopt       takeView
}

// platformLive is a reading under way.
type platformLive struct {
	Reading bool
	Path    string // that tells how far it is; "": nobody is asked
	Text    string
}

type platformFilter struct {
	Query string
	Kinds []option
}

type takeView struct {
	Sentence string
	Least    []option
	Takes    bool // there is something to take over
	Shown    bool // what it would do is shown, so that it can be done
	Does     []pair
	Rows     []adoptRow
	More     string
}

type adoptRow struct {
	Number, Who link
	Does, Why   string
}

// platformPageSize is how many findings a page shows; the table has all.
const platformPageSize = 200

func platformPath(system string) string { return "/numbers/audit/" + url.PathEscape(system) }

func (p *portal) platform(w http.ResponseWriter, r *http.Request) error {
	return p.showPlatform(w, r, http.StatusOK, nil, nil)
}

// showPlatform shows a telephone system. did is what adopting would do.
func (p *portal) showPlatform(w http.ResponseWriter, r *http.Request, status int, problem *notice, did *flow.PlatformAdoption) error {
	q, system := r.URL.Query(), r.PathValue("system")
	f := platformQuery(q, platformPageSize)
	a, err := p.flow.PlatformAudit(r.Context(), system, f)
	if err != nil {
		return numberSaid(err)
	}
	if isFragment(r) && r.Header.Get("HX-Target") == "phone-live" {
		if !a.Reading {
			w.Header().Set("HX-Refresh", "true")
		}
		p.part(w, r, http.StatusOK, "phone-live", newPlatformLive(p.viewerOf(r), a))
		return nil
	}
	v := newPlatformPage(p.viewerOf(r), a, q)
	v.Adopt.did(p.viewerOf(r), did, r.PostFormValue("least"))
	if problem != nil {
		v.Problem = problem
	}
	v.MayRead, v.MayAdopt = p.shows(r, "POST /numbers/audit/{system}/read"), p.shows(r, "POST /numbers/audit/{system}/adopt")
	return p.show(w, r, status, page{Template: "number-platform", Title: v.Title, Nav: "numbers", Crumbs: []link{{"Numbers", "/numbers"}, {"Audit", "/numbers/audit"}, {system, ""}}, Main: v})
}

// newSystemAudited is a telephone system among others.
func newSystemAudited(view viewer, a flow.PlatformAudit) item {
	it := item{Title: link{a.System, platformPath(a.System)}, Meta: a.Title}
	switch {
	case a.Reading:
		it.Meta += ", it is being read"
	case a.Read.IsZero():
		it.Meta += ", not read yet"
	default:
		it.Meta += ", " + view.plural(a.Total, "1 finding", "%d findings") + ", read"
		it.At = view.at(a.Read)
	}
	return it
}

// platformQuery is the filter of an address.
func platformQuery(q url.Values, limit int) flow.PlatformFilter {
	f := flow.PlatformFilter{Kind: flow.PlatformKind(q.Get("kind")), Text: q.Get("q"), Limit: limit}
	f.After, _ = strconv.Atoi(q.Get("after")) // what is no number was refused
	return f
}

// platformSheet is what differs on a telephone system, as a table: all of it, with the filters of the page.
func (p *portal) platformSheet(r *http.Request, _ *time.Location) (sheet, error) {
	f := platformQuery(r.URL.Query(), 0)
	f.After = 0
	a, err := p.flow.PlatformAudit(r.Context(), r.PathValue("system"), f)
	if err != nil {
		return sheet{}, numberSaid(err)
	}
	type row = flow.PlatformFindingView
	return sheetOf("numbers-audit-"+fileSafe(a.System), whole(a.Findings),
		column[row]{"Kind", func(x row) string { return string(x.Kind) }}, column[row]{"Thing", func(x row) string { return x.Thing }}, column[row]{"Name", func(x row) string { return x.Name }},
		column[row]{"Pool", func(x row) string { return x.Pool }}, column[row]{"Number", func(x row) string { return string(x.Number) }},
		column[row]{"Person", func(x row) string { return string(x.Person) }}, column[row]{"Person's name", func(x row) string { return x.PersonName }},
		column[row]{"Other", func(x row) string { return string(x.Other) }}, column[row]{"Other's name", func(x row) string { return x.OtherName }},
		column[row]{"Finding", func(x row) string { return x.Text }}, column[row]{"Next", func(x row) string { return x.Next }},
	), nil
}

// fileSafe keeps of a system's name what may stand in a file's.
func fileSafe(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, name)
}

func newPlatformLive(view viewer, a flow.PlatformAudit) platformLive {
	v := platformLive{Reading: a.Reading, Path: platformPath(a.System), Text: textPlatformBegins}
	if len(a.Seen) > 0 {
		v.Text = view.say("Read by now: %s.", howMany(view, a.Seen))
	}
	return v
}

func howMany(view viewer, list []flow.PlatformCount) string {
	var out []string
	for _, c := range list {
		out = append(out, view.number(c.N)+" "+view.label(string(c.Kind)))
	}
	return strings.Join(out, ", ")
}

func newPlatformPage(view viewer, a flow.PlatformAudit, q url.Values) platformPage {
	path := platformPath(a.System)
	v := platformPage{Title: view.say("Audit of %s", a.System), Post: path, Live: newPlatformLive(view, a), At: view.at(a.Read), Again: view.at(a.Next), MayRead: true, MayAdopt: true}
	v.Filter.Query = q.Get("q")
	if !a.Read.IsZero() {
		v.Age = view.age(view.now.Sub(a.Read))
	}
	if a.Problem != "" && !a.Reading {
		v.Problem = &notice{Kind: "bad", Icon: "x", Title: textPlatformBroken, Text: sentence(grouped(a.Problem)) + "."}
	}
	if a.Read.IsZero() {
		v.Sentence = textPlatformNever
		if !a.Reading {
			v.Empty = &empty{Icon: "phone", Title: "Not read yet", Text: textPlatformRead}
		}
		return v
	}
	if a.Compared.IsZero() {
		v.Sentence = textPlatformComparing
		return v
	}
	v.Sentence = view.say("%s has %s.", a.Title, howMany(view, a.Has))
	if a.Unread > 0 {
		v.Sentence += " " + view.plural(a.Unread, "1 person could not be read, and nothing is said of them.", "%d people could not be read, and nothing is said of them.")
	}
	v.figures(view, a)
	v.findings(view, a, q)
	for _, l := range a.Leads {
		v.Leads = append(v.Leads, item{Title: link{l.Pattern, ""}, Meta: joined(", ", view.label(l.Kind), l.Partition, view.say("%s of pool %s", view.plural(l.Numbers, "1 number", "%d numbers"), l.Pool))})
	}
	v.Adopt.Takes = a.Takes > 0
	v.Adopt.Sentence = view.counted(a.Takes, textAdoptableOne, textAdoptable)
	if a.Takes == 0 {
		v.Adopt.Sentence = textNothingToAdopt
	}
	v.Adopt.least(view, "")
	return v
}

// age is how long ago something is.
func (v viewer) age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return v.label("just now")
	case d < time.Hour:
		return v.plural(int(d/time.Minute), "1 minute ago", "%d minutes ago")
	case d < 48*time.Hour:
		return v.plural(int(d/time.Hour), "1 hour ago", "%d hours ago")
	}
	return v.plural(int(d/(24*time.Hour)), "1 day ago", "%d days ago")
}

func (v *platformPage) figures(view viewer, a flow.PlatformAudit) {
	all := 0
	for _, n := range a.Counts {
		all += n
	}
	v.Figures = []figure{{Label: "Findings", Value: view.number(all)}, {Label: "Compared", At: view.at(a.Compared)}}
	for _, x := range []struct {
		label string
		of    [5]int
	}{{"Users recognised", a.Users}, {"Lines recognised", a.Lines}, {"Mailboxes recognised", a.Mailboxes}} {
		total := 0
		for _, n := range x.of {
			total += n
		}
		if total == 0 {
			continue // it has none, or does not tell them
		}
		var sure []string
		for i, n := range slices.Backward(x.of[:]) {
			if i > 0 && n > 0 {
				sure = append(sure, view.number(n)+" "+view.label(flow.Confidences[i]))
			}
		}
		v.Figures = append(v.Figures, figure{Label: x.label, Value: view.number(total - x.of[0]), Small: joined("; ", view.say("of %s", view.number(total)), strings.Join(sure, ", "))})
	}
}

func (v *platformPage) findings(view viewer, a flow.PlatformAudit, q url.Values) {
	v.Filter.Kinds = []option{{Text: "Everything"}}
	for _, k := range flow.PlatformKinds {
		if n := a.Counts[k]; n > 0 || string(k) == q.Get("kind") {
			v.Filter.Kinds = append(v.Filter.Kinds, option{Value: string(k), Text: view.label(platformTitles[k].title) + " (" + view.number(n) + ")", Selected: string(k) == q.Get("kind")})
		}
	}
	f := platformQuery(q, platformPageSize)
	for _, x := range a.Findings {
		if n := len(v.Groups); n == 0 || v.Groups[n-1].ID != string(x.Kind) {
			t := platformTitles[x.Kind]
			st := state{Icon: "warn", Class: "s-wait", Text: "Look at it"}
			if t.bad {
				st = state{Icon: "x", Class: "s-fail", Text: "Wrong"}
			}
			v.Groups = append(v.Groups, findingGroup{ID: string(x.Kind), Title: t.title, State: st})
		}
		g := &v.Groups[len(v.Groups)-1]
		g.Rows = append(g.Rows, newPlatformRow(view, x))
	}
	v.Says = view.plural(a.Total, "1 finding", "%d findings")
	if len(a.Findings) < a.Total {
		v.Says = view.say("%s to %s of %s findings", view.number(min(f.After+1, a.Total)), view.number(f.After+len(a.Findings)), view.number(a.Total))
	}
	at := func(after int) string {
		next := url.Values{}
		for _, k := range []string{"kind", "q"} {
			if s := q.Get(k); s != "" {
				next.Set(k, s)
			}
		}
		if after > 0 {
			next.Set("after", strconv.Itoa(after))
		}
		return address(v.Post, next)
	}
	if f.After > 0 {
		v.First = at(0)
	}
	if f.After+len(a.Findings) < a.Total && len(a.Findings) > 0 {
		v.Next = at(f.After + len(a.Findings))
	}
	switch {
	case len(a.Findings) > 0:
	case f.Kind != "" || f.Text != "" || f.After > 0:
		v.Empty = &empty{Icon: "search", Title: "No finding is like that", Text: "Take the filter away to see all of them.", Acts: []link{{"All findings", v.Post}}}
	default:
		v.Empty = &empty{Icon: "check", Title: "Nothing is wrong", Text: "What the system shows, the books and the people agree."}
	}
}

func newPlatformRow(view viewer, x flow.PlatformFindingView) item {
	it := item{Title: link{sentence(joined(" ", view.label(x.Thing), x.Name)), ""}, Meta: sentence(joined(": ", view.list(both(x.PersonName, x.OtherName)), view.heard(x.Text))) + ".", Next: view.heard(x.Next)}
	if x.Number != "" {
		it.Title.Href = "/numbers/" + url.PathEscape(string(x.Number))
	}
	if x.Person != "" {
		it.Open = &link{view.say("Open %s", x.PersonName), "/people/" + string(x.Person)}
	}
	return it
}

// both are those of two names that there are.
func both(a, b string) []string {
	return slices.DeleteFunc([]string{a, b}, func(s string) bool { return s == "" })
}

// least are the words for how sure it has to be.
func (v *takeView) least(view viewer, word string) {
	v.Least = nil
	for i := len(flow.Confidences) - 1; i > 0; i-- {
		c := flow.Confidences[i]
		v.Least = append(v.Least, option{Value: c, Text: view.label(confidenceTexts[c]), Selected: c == word || word == "" && c == "likely"})
	}
}

// did shows what adopting would do.
func (v *takeView) did(view viewer, x *flow.PlatformAdoption, least string) {
	if x == nil {
		return
	}
	v.least(view, least)
	v.Shown = x.Assigned+x.Held+x.Shown > 0
	for _, p := range []struct {
		name string
		n    int
	}{
		{"Become somebody's, confirmed", x.Assigned},
		{"Are held: nobody gets them", x.Held},
		{"Places where they ring, too", x.Shown},
		{"So in the books already", x.Same},
		{"Left as they are", x.Left},
	} {
		v.Does = append(v.Does, pair{Name: p.name, Value: thousands(p.n)})
	}
	for i, l := range x.Lines {
		if i == platformPageSize {
			break
		}
		row := adoptRow{Number: link{string(l.Number), "/numbers/" + url.PathEscape(string(l.Number))}, Does: sentence(l.Does), Why: sentence(view.heard(l.Why)) + "."}
		if l.Person != "" && l.Name != "" {
			row.Who = link{l.Name, "/people/" + string(l.Person)}
		}
		if l.Does != "left" && l.Does != "held" {
			row.Why = sentence(view.heard(l.Confidence+": "+l.Why)) + "."
		}
		v.Rows = append(v.Rows, row)
	}
	if n := len(x.Lines) + x.More - len(v.Rows); n > 0 {
		v.More = fmt.Sprintf("%s more are not listed here.", thousands(n))
	}
}

func (p *portal) readPlatform(w http.ResponseWriter, r *http.Request) error {
	err := p.flow.ReadPlatform(r.Context(), r.PathValue("system"), me(r).Name)
	if err != nil {
		return numberSaid(err)
	}
	http.Redirect(w, r, platformPath(r.PathValue("system")), http.StatusSeeOther)
	return nil
}

// adoptPlatform shows what adopting would do, and does it once that was seen.
func (p *portal) adoptPlatform(w http.ResponseWriter, r *http.Request) error {
	if err := only(r, "least", "do"); err != nil {
		return err
	}
	system, least, do := r.PathValue("system"), r.PostFormValue("least"), r.PostFormValue("do") == "adopt"
	got, err := p.flow.AdoptPlatform(r.Context(), system, least, me(r).Name, !do)
	switch {
	case numberRefused(err) && dayone.KindOf(err) != dayone.ErrNotFound:
		return p.showPlatform(w, r, http.StatusConflict, notDone(p.viewerOf(r), err), nil)
	case err != nil:
		return numberSaid(err)
	case do:
		http.Redirect(w, r, platformPath(system)+"?said=number-adopt", http.StatusSeeOther)
		return nil
	}
	return p.showPlatform(w, r, http.StatusOK, nil, &got)
}

// ---- API ----

type apiPlatformCount struct {
	Kind dayone.PlatformKind `json:"kind"`
	N    int                 `json:"n"`
}

type apiPlatformFinding struct {
	Kind      flow.PlatformKind `json:"kind"`
	Thing     string            `json:"thing"`
	Name      string            `json:"name"`
	Pool      string            `json:"pool,omitempty"`
	Number    dayone.NumberID   `json:"number,omitempty"`
	Person    dayone.PersonID   `json:"person,omitempty"`
	Who       string            `json:"person_name,omitempty"`
	Other     dayone.PersonID   `json:"other,omitempty"`
	OtherName string            `json:"other_name,omitempty"`
	Text      string            `json:"text"`
	Next      string            `json:"next"`
}

func platformCounts(list []flow.PlatformCount) []apiPlatformCount {
	out := []apiPlatformCount{}
	for _, c := range list {
		out = append(out, apiPlatformCount(c))
	}
	return out
}

// platformAnswer is a telephone system as the API has it.
func platformAnswer(a flow.PlatformAudit, next string) map[string]any {
	sure := func(of [5]int) map[string]int {
		out := map[string]int{}
		for i, n := range of {
			out[flow.Confidences[i]] = n
		}
		return out
	}
	findings, leads := []apiPlatformFinding{}, []map[string]any{}
	for _, f := range a.Findings {
		findings = append(findings, apiPlatformFinding{f.Kind, f.Thing, f.Name, f.Pool, f.Number, f.Person, f.PersonName, f.Other, f.OtherName, f.Text, f.Next})
	}
	for _, l := range a.Leads {
		leads = append(leads, map[string]any{"pool": l.Pool, "pattern": l.Pattern, "partition": l.Partition, "kind": l.Kind, "numbers": l.Numbers})
	}
	out := map[string]any{
		"system": a.System, "title": a.Title, "reading": a.Reading, "seen": platformCounts(a.Seen), "has": platformCounts(a.Has), "users": sure(a.Users), "lines": sure(a.Lines), "mailboxes": sure(a.Mailboxes), "unread": a.Unread,
		"counts": a.Counts, "total": a.Total, "findings": findings, "leads": leads, "adoptable": a.Takes,
	}
	for name, at := range map[string]time.Time{"began": a.Began, "failed": a.Failed, "reads_next": a.Next, "read": a.Read, "compared": a.Compared} {
		if !at.IsZero() {
			out[name] = moment(at)
		}
	}
	if a.Problem != "" {
		out["problem"] = a.Problem
	}
	if next != "" {
		out["next"] = next
	}
	return out
}

func (p *portal) apiPlatform(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	limit := platformPageSize
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			return said(dayone.ErrInvalid, "limit is 1 to 1000.")
		}
		limit = n
	}
	f := platformQuery(q, limit)
	a, err := p.flow.PlatformAudit(r.Context(), r.PathValue("system"), f)
	if err != nil {
		return numberSaid(err)
	}
	next := ""
	if at := f.After + len(a.Findings); at < a.Total && len(a.Findings) > 0 {
		q.Set("after", strconv.Itoa(at))
		next = address("/api/v1"+platformPath(a.System), q)
	}
	return answerJSON(w, http.StatusOK, platformAnswer(a, next))
}

func (p *portal) apiReadPlatform(w http.ResponseWriter, r *http.Request) error {
	if err := p.flow.ReadPlatform(r.Context(), r.PathValue("system"), me(r).Name); err != nil {
		return numberSaid(err)
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (p *portal) apiAdoptPlatform(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Check bool   `json:"check"`
		Least string `json:"least"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	x, err := p.flow.AdoptPlatform(r.Context(), r.PathValue("system"), in.Least, me(r).Name, in.Check)
	if err != nil {
		return numberSaid(err)
	}
	type line struct {
		Number     dayone.NumberID `json:"number"`
		Line       string          `json:"line"`
		Person     dayone.PersonID `json:"person,omitempty"`
		Name       string          `json:"person_name,omitempty"`
		Does       string          `json:"does"`
		Confidence string          `json:"confidence"`
		Why        string          `json:"why"`
	}
	lines := []line{}
	for _, l := range x.Lines {
		lines = append(lines, line(l))
	}
	return answerJSON(w, http.StatusOK, map[string]any{
		"system": x.System, "read": moment(x.Read), "adopted": !in.Check, "assigned": x.Assigned, "held": x.Held, "shown": x.Shown, "same": x.Same, "left": x.Left, "lines": lines, "more": x.More,
	})
}

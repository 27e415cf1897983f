package web

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

type numberPage struct {
	ID       string
	Post     string // where forms go
	State    state
	Sentence string
	Problem  *notice
	Facts    []pair
	Shown    []item
	History  []item
	Verbs    []verbForm
	May      bool
	Show     showForm
}

// verbForm is something that can be done with a number, with what it does: nothing happens by one click.
type verbForm struct {
	Verb, Text, Does, Button string
	Reason                   bool // has to be said
	Heir                     bool // may be named
	Danger                   bool
}

type showForm struct {
	Role           []option
	Person, Device field
}

func (p *portal) number(w http.ResponseWriter, r *http.Request) error {
	id, err := p.flow.NumberID(r.Context(), r.PathValue("number"))
	if err != nil {
		return err
	}
	return p.showNumberPage(w, r, http.StatusOK, id, nil)
}

func (p *portal) showNumberPage(w http.ResponseWriter, r *http.Request, status int, id dayone.NumberID, problem *notice) error {
	x, lines, err := p.flow.Number(r.Context(), id)
	if err != nil {
		return err
	}
	v := newNumberPage(p.viewerOf(r), x, lines)
	v.Problem, v.May = problem, p.shows(r, "POST /numbers/{number}/{verb}")
	return p.show(w, r, status, page{Template: "number", Title: v.ID, Nav: "numbers", Crumbs: []link{{"Numbers", "/numbers"}, {v.ID, ""}}, Main: v})
}

func newNumberPage(view viewer, x flow.NumberView, lines []flow.NumberEventView) numberPage {
	row := newNumberRow(view, x)
	v := numberPage{ID: string(x.ID), Post: "/numbers/" + url.PathEscape(string(x.ID)), State: row.State, May: true}
	who := row.Text
	if row.Who != nil {
		who = row.Who.Text
		v.Facts = append(v.Facts, pair{Name: "Owner", Value: row.Who.Text, Href: row.Who.Href})
	}
	v.Sentence = joined(": ", view.label(row.State.Text), who)
	add := func(p pair) {
		if p.Value != "" || p.At != nil {
			v.Facts = append(v.Facts, p)
		}
	}
	add(pair{Name: "For", Value: row.Text})
	add(pair{Name: "Since", At: view.at(x.Since)})
	until := map[dayone.NumberState]string{dayone.NumberReserved: "Kept until", dayone.NumberQuarantine: "At rest until", dayone.NumberAssigned: "Its platform shows it by"}
	add(pair{Name: cmp.Or(until[x.State], "Until"), At: view.at(x.Until)})
	add(pair{Name: "Confirmed", At: view.at(x.Confirmed)})
	if x.Last != "" {
		add(pair{Name: "Had it before", Value: x.LastName, Href: "/people/" + string(x.Last)})
	}
	if row.Pool != nil {
		add(pair{Name: "Pool", Value: row.Pool.Text, Href: row.Pool.Href})
	}
	add(pair{Name: "Emergency location", Value: x.Location, Code: true})
	add(pair{Name: "Platform", Value: joined(", ", x.Platform, x.Partition)})
	add(pair{Name: "Pattern", Value: x.Pattern, Code: true})
	if x.Range != nil {
		add(pair{Name: "Range", Value: view.say("%s to %s", x.Range.First, x.Range.Last)})
		add(pair{Name: "Carrier", Value: joined(", ", x.Range.Carrier, x.Range.Contract, x.Range.Trunk)})
	}
	if x.Vanity {
		add(pair{Name: "Given", Value: view.label("only to whoever asks for just this one")})
	}
	for _, s := range x.Shown {
		it := item{Title: link{cmp.Or(s.Name, s.Device, view.label("somebody who is confidential")), ""}, Meta: joined(", ", view.label(string(s.Role)), s.Device, view.label("since")), At: view.date(s.Since), Acts: []act{{Text: "It rings there no more", Action: v.Post + "/shown/" + strconv.Itoa(s.Slot) + "/hide"}}}
		if s.Person != "" {
			it.Title.Href = "/people/" + string(s.Person)
		}
		v.Shown = append(v.Shown, it)
	}
	for _, e := range lines {
		it := item{Title: link{sentence(view.label(e.What)), ""}, Meta: joined(", ", e.Name, view.say("by %s on", cmp.Or(e.By, view.label("a timer")))), At: view.at(e.At), Small: e.Note}
		v.History = append(v.History, it)
	}
	v.Verbs = verbsOf(view, x)
	for _, role := range dayone.NumberRoles {
		v.Show.Role = append(v.Show.Role, option{Value: string(role), Text: sentence(view.label(string(role)))})
	}
	v.Show.Person = field{ID: "show-person", Name: "person", Label: "Person", Hint: "Mail address, id or name. May stay empty", Type: "text"}
	v.Show.Device = field{ID: "show-device", Name: "device", Label: "Device", Hint: "As the platform calls it. May stay empty if there is a person", Type: "text", Mono: true}
	return v
}

// verbsOf is what can be done with a number as it stands.
func verbsOf(view viewer, x flow.NumberView) []verbForm {
	confirm := verbForm{Verb: "confirm", Text: "Confirm it", Does: view.say("Its platform shows it as theirs. An emergency call from it comes from %s.", x.Location), Button: "It is there"}
	hold := verbForm{Verb: "hold", Text: "Hold it", Does: "Nobody gets it until it is released.", Button: "Hold it", Reason: true}
	retire := verbForm{Verb: "retire", Text: "Retire it", Does: "It is not ours any more. Its history stays.", Button: "Retire it", Reason: true, Danger: true}
	release := verbForm{Verb: "release", Text: "Release it", Button: "Release it"}
	switch x.State {
	case dayone.NumberAssigned:
		release.Does, release.Heir, release.Reason, release.Danger = "It is taken from its owner and rests before anybody else gets it. Where others show it, name who has it from now on.", true, true, true
		if x.Confirmed.IsZero() {
			return []verbForm{confirm, release}
		}
		return []verbForm{release}
	case dayone.NumberReserved:
		release.Does, release.Reason = "It is kept for them no more.", true
		return []verbForm{release}
	case dayone.NumberQuarantine:
		return []verbForm{hold, retire}
	case dayone.NumberFree:
		return []verbForm{hold, retire}
	case dayone.NumberOnHold, dayone.NumberExternal:
		release.Does = "It can be given again; if somebody had it lately, it rests first."
		return []verbForm{release, retire}
	default:
		release.Does = "It is ours again."
		return []verbForm{release}
	}
}

// numberRefused says whether an error is one for whoever asked.
func numberRefused(err error) bool {
	return err != nil && (refused(err) || errors.Is(err, dayone.ErrNoSeat) || errors.Is(err, dayone.ErrNotFound))
}

func (p *portal) orderNumberIt(w http.ResponseWriter, r *http.Request) error {
	id, err := p.flow.NumberID(r.Context(), r.PathValue("number"))
	if err != nil {
		return err
	}
	verb := r.PathValue("verb")
	err = p.orderNumber(r, id, verb, numberOrder{Reason: r.PostFormValue("reason"), Heir: r.PostFormValue("heir")})
	return p.numberDone(w, r, id, "number-"+verb, err)
}

func (p *portal) numberDone(w http.ResponseWriter, r *http.Request, id dayone.NumberID, said string, err error) error {
	if numberRefused(err) {
		return p.showNumberPage(w, r, http.StatusConflict, id, notDone(p.viewerOf(r), err))
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/numbers/"+url.PathEscape(string(id))+"?said="+said, http.StatusSeeOther)
	return nil
}

func (p *portal) showNumberIt(w http.ResponseWriter, r *http.Request) error {
	id, err := p.flow.NumberID(r.Context(), r.PathValue("number"))
	if err != nil {
		return err
	}
	return p.numberDone(w, r, id, "number-shown", p.showNumber(r, id, r.PostFormValue("role"), r.PostFormValue("person"), r.PostFormValue("device")))
}

func (p *portal) hideNumber(w http.ResponseWriter, r *http.Request) error {
	slot, err := strconv.Atoi(r.PathValue("slot"))
	if err != nil {
		return dayone.ErrNotFound
	}
	id, err := p.flow.NumberID(r.Context(), r.PathValue("number"))
	if err != nil {
		return err
	}
	return p.numberDone(w, r, id, "number-hidden", p.flow.HideNumber(r.Context(), id, slot, me(r).Name))
}

// ---- numbers.yaml ----

type numberPlanView struct {
	Text    string
	Seq     int
	Problem *notice
	Faults  []faultRow
	Lines   []string
	Judged  bool // and it can be saved
	At      *stamp
	By      string
	May     bool
}

// newNumberPlanText is what an empty plan begins with.
const newNumberPlanText = `# Which numbers there are, and by which rules they are given.
# docs/numbers.md says all of it.
pools:
  berlin:
    title: Berlin direct dial
    platform: cucm-eu
    partition: DN_BER
    country: DE
    site: Berlin
    # where an emergency call from one of them comes from
    emergency: ERL-BER-1
    when: person.location == "Berlin"
    ranges:
      - {first: +493012340000, last: +493012340099, carrier: Telekom}
`

func (p *portal) numberPlan(w http.ResponseWriter, r *http.Request) error {
	plan, err := p.flow.NumberPlan(r.Context())
	if err != nil {
		return err
	}
	v := numberPlanView{Text: plan.Text, Seq: plan.Seq, At: p.viewerOf(r).at(plan.At), By: plan.By}
	if plan.Seq == 0 {
		v.Text = newNumberPlanText
	}
	return p.showNumberPlan(w, r, http.StatusOK, v)
}

func (p *portal) showNumberPlan(w http.ResponseWriter, r *http.Request, status int, v numberPlanView) error {
	v.May = p.shows(r, "POST /numbers/plan")
	return p.show(w, r, status, page{Template: "number-plan", Title: "numbers.yaml", Nav: "numbers", Crumbs: []link{{"Numbers", "/numbers"}, {"numbers.yaml", ""}}, Main: v})
}

// saveNumberPlan shows what a text would change, and saves it once that was seen.
func (p *portal) saveNumberPlan(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	v := numberPlanView{Text: strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n")}
	v.Seq, _ = strconv.Atoi(r.PostForm.Get("seq")) // none is refused below
	d, err := p.flow.JudgeNumberPlan(r.Context(), v.Text)
	if err == nil && len(d.Faults) == 0 && r.PostForm.Get("do") == "save" {
		if d, err = p.flow.SaveNumberPlan(r.Context(), v.Text, v.Seq, me(r).Name); err == nil {
			http.Redirect(w, r, "/numbers?said=number-plan", http.StatusSeeOther)
			return nil
		}
	}
	if err != nil && !numberRefused(err) {
		return err
	}
	status := http.StatusOK
	switch {
	case len(d.Faults) > 0:
		status = http.StatusUnprocessableEntity
		v.Problem = &notice{Kind: "bad", Icon: "x", Title: plural(len(d.Faults), "One thing is not right", "%d things are not right"), Text: "Nothing was saved. What is wrong stands beside its line."}
	case err != nil:
		status, v.Problem = http.StatusConflict, notDone(p.viewerOf(r), err)
	default:
		v.Judged = true
	}
	v.Faults = numberFaults(d.Faults)
	for _, line := range d.Lines {
		v.Lines = append(v.Lines, sentence(line))
	}
	return p.showNumberPlan(w, r, status, v)
}

func numberFaults(list []flow.NumberFault) []faultRow {
	var out []faultRow
	for _, f := range list {
		out = append(out, faultRow{State: state{Icon: "x", Class: "s-fail", Text: "Error"}, Line: f.Line, Text: sentence(f.Text) + "."})
	}
	return out
}

// ---- import ----

type numberImportView struct {
	Name, Text string
	Problem    *notice
	Faults     []faultRow
	Would      []pair
	Columns    string
}

const numberColumnsText = "number, to, pool, platform, partition, pattern, state, person, confirmed, since, reason"

func (p *portal) importNumbers(w http.ResponseWriter, r *http.Request) error {
	return p.showImportNumbers(w, r, http.StatusOK, numberImportView{})
}

func (p *portal) showImportNumbers(w http.ResponseWriter, r *http.Request, status int, v numberImportView) error {
	v.Columns = numberColumnsText
	return p.show(w, r, status, page{Template: "number-import", Title: "Import numbers", Nav: "numbers", Crumbs: []link{{"Numbers", "/numbers"}, {"Import", ""}}, Main: v})
}

// importNumbersIt shows what a file would do, and imports it once that was seen. The file comes from the disk or as text.
func (p *portal) importNumbersIt(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseMultipartForm(1 << 20); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	v := numberImportView{Name: fileName(r.PostFormValue("name")), Text: r.PostFormValue("text")}
	if file, head, err := r.FormFile("file"); err == nil {
		raw, err := io.ReadAll(file)
		if err = errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
		}
		if len(raw) > 0 {
			v.Name, v.Text = fileName(head.Filename), string(raw)
		}
	}
	save := r.PostFormValue("do") == "import"
	im, err := p.flow.ImportNumbers(r.Context(), v.Name, v.Text, me(r).Name, !save)
	if err == nil && save {
		http.Redirect(w, r, "/numbers?said=number-import", http.StatusSeeOther)
		return nil
	}
	if err != nil && !numberRefused(err) {
		return err
	}
	status := http.StatusOK
	switch {
	case len(im.Faults) > 0:
		status = http.StatusUnprocessableEntity
		v.Problem = &notice{Kind: "bad", Icon: "x", Title: plural(len(im.Faults), "One line is not right", "%d lines are not right"), Text: "Nothing is imported while one is wrong."}
	case err != nil:
		status, v.Problem = http.StatusConflict, notDone(p.viewerOf(r), err)
	default:
		for _, x := range []struct {
			name string
			n    int
		}{{"Lines", im.Rows}, {"Numbers", im.Numbers}, {"New in the books", im.New}, {"Changed", im.Changed}, {"Of these somebody's own", im.Assigned}} {
			v.Would = append(v.Would, pair{Name: x.name, Value: thousands(x.n)})
		}
	}
	v.Faults = numberFaults(im.Faults)
	return p.showImportNumbers(w, r, status, v)
}

// ---- audit ----

type numberAuditView struct {
	Sentence string
	At       *stamp
	Systems  []item // telephone systems, each with an audit of its own
	Groups   []findingGroup
	More     string
	Empty    *empty
}

type findingGroup struct {
	ID, Title string
	State     state
	Rows      []item
}

// findingTitles are what an audit finds, by kind; those that hurt somebody are marked so.
var findingTitles = map[string]struct {
	title string
	bad   bool
}{
	"leaver": {"Somebody who left has it", true}, "nobody": {"Whoever has it is in no books", true}, "doubled": {"Two people are said to have it", true},
	"other-stated": {"A source says another number", false}, "free-stated": {"A source says one that is nobody's", true}, "out-of-range": {"In use, and its range is not ours", true},
	"outside": {"In use, and in no pool", true}, "short": {"Too few for those who come", true}, "low": {"Few are left", false}, "unconfirmed": {"Never seen on its platform", false},
	"resting": {"It rests longer than it should", false}, "two-numbers": {"Two of one pool", false}, "unreadable": {"A source says what is no number", false},
}

// findingsShown is how many findings the page shows; the table has all.
const findingsShown = 500

func (p *portal) auditNumbers(w http.ResponseWriter, r *http.Request) error {
	a, err := p.flow.AuditNumbers(r.Context())
	if err != nil {
		return err
	}
	var systems []flow.PlatformAudit
	for _, name := range p.flow.PhoneSystems() {
		x, err := p.flow.PlatformAudit(r.Context(), name, flow.PlatformFilter{Limit: 1})
		if err != nil {
			return err
		}
		systems = append(systems, x)
	}
	v := newNumberAudit(p.viewerOf(r), a, systems...)
	v.At = p.viewerOf(r).at(a.At)
	return p.show(w, r, http.StatusOK, page{Template: "number-audit", Title: "Audit of numbers", Nav: "numbers", Crumbs: []link{{"Numbers", "/numbers"}, {"Audit", ""}}, Main: v})
}

// auditSheet is what the audit of the books finds, as a table.
func (p *portal) auditSheet(r *http.Request, _ *time.Location) (sheet, error) {
	a, err := p.flow.AuditNumbers(r.Context())
	if err != nil {
		return sheet{}, err
	}
	type row = flow.FindingView
	return sheetOf("numbers-audit", whole(a.Findings),
		column[row]{"Kind", func(x row) string { return string(x.Kind) }}, column[row]{"Pool", func(x row) string { return x.Pool }}, column[row]{"Number", func(x row) string { return string(x.Number) }},
		column[row]{"Person", func(x row) string { return string(x.Person) }}, column[row]{"Name", func(x row) string { return x.Name }},
		column[row]{"Finding", func(x row) string { return x.Text }}, column[row]{"Next", func(x row) string { return x.Next }},
	), nil
}

// newNumberAudit counts what the page lists: what is not right in the books, and what telephone systems have otherwise.
func newNumberAudit(view viewer, a flow.NumberAudit, systems ...flow.PlatformAudit) numberAuditView {
	var v numberAuditView
	there := 0
	for _, x := range systems {
		v.Systems = append(v.Systems, newSystemAudited(view, x))
		if !x.Reading && !x.Read.IsZero() { // only these say how many
			there += x.Total
		}
	}
	v.Sentence = view.say("%s; %s.", view.counted(a.Numbers, "1 number was looked at", "%s numbers were looked at"), view.plural(len(a.Findings)+there, "1 thing is not right", "%d things are not right"))
	if there > 0 {
		v.Sentence = view.say("%s; %s, %s.", view.counted(a.Numbers, "1 number was looked at", "%s numbers were looked at"), view.plural(len(a.Findings)+there, "1 thing is not right", "%d things are not right"), view.plural(there, "1 of them on telephone systems", "%d of them on telephone systems"))
	}
	if a.Unread > 0 {
		v.Sentence += " " + view.plural(a.Unread, "1 person could not be read, and nothing is said of them.", "%d people could not be read, and nothing is said of them.")
	}
	for i, f := range a.Findings {
		if i == findingsShown {
			v.More = fmt.Sprintf("%s more; the table has all of them.", thousands(len(a.Findings)-i))
			break
		}
		if n := len(v.Groups); n == 0 || v.Groups[n-1].ID != string(f.Kind) {
			t := findingTitles[string(f.Kind)]
			st := state{Icon: "warn", Class: "s-wait", Text: "Look at it"}
			if t.bad {
				st = state{Icon: "x", Class: "s-fail", Text: "Wrong"}
			}
			v.Groups = append(v.Groups, findingGroup{ID: string(f.Kind), Title: cmp.Or(t.title, string(f.Kind)), State: st})
		}
		it := item{Title: link{string(f.Number), "/numbers/" + url.PathEscape(string(f.Number))}, Meta: view.isoDays(sentence(joined(": ", f.Name, view.heard(f.Text)))) + ".", Next: view.heard(f.Next)}
		switch {
		case f.Number == "" && f.Person != "":
			it.Title = link{f.Name, "/people/" + string(f.Person)}
			it.Meta = view.isoDays(sentence(view.heard(f.Text))) + "."
		case f.Number == "":
			it.Title = link{cmp.Or(f.Title, view.say("Pool %s", f.Pool)), "/numbers/pools/" + url.PathEscape(f.Pool)}
			it.Open = &link{"Open the pool", it.Title.Href}
		case f.Person != "":
			it.Open = &link{view.say("Open %s", f.Name), "/people/" + string(f.Person)}
		}
		g := &v.Groups[len(v.Groups)-1]
		g.Rows = append(g.Rows, it)
	}
	if len(a.Findings) == 0 {
		v.Empty = &empty{Icon: "check", Title: "Nothing is wrong in the books", Text: "Every number is somebody's who works here, in a pool that lasts, or free."}
	}
	return v
}

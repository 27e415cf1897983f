package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Drift: what systems showed otherwise than the books have it, when all of their accounts were read last. No page reads a system.

type driftView struct {
	Sentence       string
	Systems, Kinds []option
	Person, Whose  string // of one person only
	Rows           []driftLine
	Empty          *empty
	First, Next    string
	Filtered       bool
	Readings       []item
	Unknown        *notice
	When           string // systems are compared
}

type driftLine struct {
	Name, What link
	State      state
	System     string
	Is, Should string
	Since      *stamp
	By         string
}

// driftTexts are ways in which a system differs: a word, and what of it should be.
var driftTexts = map[dayone.DriftKind]state{
	dayone.DriftOpen:    {Icon: "warn", Class: "s-fail", Text: "Open again"},
	dayone.DriftMissing: {Icon: "x", Class: "s-fail", Text: "Missing"},
	dayone.DriftClosed:  {Icon: "block", Class: "s-wait", Text: "Closed"},
	dayone.DriftRole:    {Icon: "drift", Class: "s-wait", Text: "Other role"},
	dayone.DriftExtra:   {Icon: "plus", Class: "s-wait", Text: "More than known"},
}

// driftWords say what the system shows, and what the books have.
func (view viewer) driftWords(x dayone.Drift) (is, should string) {
	switch x.Kind {
	case dayone.DriftMissing:
		return view.label("not there"), view.label("there")
	case dayone.DriftRole:
		return x.Is.Role, x.Was
	case dayone.DriftExtra:
		return strings.TrimPrefix(joined(", ", view.label("there"), x.Is.Role), ", "), view.label("not there")
	}
	return view.label(stateWord(x.Is.State)), view.label(stateWord(dayone.State(x.Was)))
}

func stateWord(s dayone.State) string {
	switch s {
	case dayone.Active:
		return "open"
	case dayone.Disabled:
		return "closed"
	case dayone.Staged:
		return "prepared, not open"
	}
	return string(s)
}

// driftBy says on whose word it should be so.
func (view viewer) driftBy(x dayone.Drift) string {
	switch {
	case len(x.By) > 0:
		return strings.Join(x.By, ", ")
	case x.Kind == dayone.DriftExtra:
		return view.label(textDriftNobody)
	case x.Kind == dayone.DriftOpen:
		return view.label(textDriftClosed)
	}
	return view.label(textDriftBaseline)
}

const driftPage = 50

func driftFilter(q url.Values) (flow.DriftFilter, error) {
	f := flow.DriftFilter{System: q.Get("system"), Kind: dayone.DriftKind(q.Get("kind")), Person: dayone.PersonID(q.Get("person")), Before: dayone.DriftID(q.Get("before"))}
	if f.Kind != "" && !slices.Contains(dayone.DriftKinds, f.Kind) {
		return f, refuse(dayone.ErrInvalid, fmt.Sprintf(textNoWord, "kind", strings.Join(wordsOf(dayone.DriftKinds), ", ")))
	}
	return f, nil
}

func (p *portal) drift(w http.ResponseWriter, r *http.Request) error {
	f, err := driftFilter(r.URL.Query())
	if err != nil {
		return err
	}
	f.Limit = driftPage + 1
	rows, err := p.flow.Drift(r.Context(), f)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].By = p.policyTitles(rows[i].By)
	}
	reads, err := p.flow.DriftReadings(r.Context())
	if err != nil {
		return err
	}
	counts, err := p.flow.CountDrift(r.Context())
	if err != nil {
		return err
	}
	v := newDrift(p.viewerOf(r), f, rows, reads, counts, p.titles(), p.kindTitles(), p.flow.Removals.ListsAt)
	if f.Person != "" && v.Whose == "" {
		row, err := p.flow.Person(r.Context(), f.Person)
		if fault(err) != nil {
			return err
		}
		v.Whose = row.Name // "" of whom nobody knows, or who is none of the viewer's
	}
	if !p.shows(r, "GET /systems/{system}") {
		v.unlink()
	}
	return p.show(w, r, http.StatusOK, page{Template: "drift", Title: "Drift", Nav: "drift", Crumbs: []link{{"Drift", ""}}, Main: v})
}

func newDrift(view viewer, f flow.DriftFilter, rows []flow.DriftRow, reads map[string]flow.DriftReading, counts map[string]int, titles, kinds map[string]string, nightly string) driftView {
	v := driftView{When: textDriftAsked, Filtered: f.System != "" || f.Kind != "" || f.Person != "", Person: string(f.Person)}
	if nightly != "" {
		v.When = textDriftNightly
	}
	v.Systems, v.Kinds = []option{{Text: view.label("Every system")}}, []option{{Text: view.label("Every difference")}}
	total, unread, unseen := 0, 0, []string{}
	for _, name := range slices.Sorted(maps.Keys(reads)) {
		x := reads[name]
		total += counts[name]
		if !x.Lists && counts[name] == 0 {
			continue
		}
		text := systemTitle(titles, name)
		if n := counts[name]; n > 0 {
			text += " (" + capped(n, flow.MostDrift) + ")"
		}
		v.Systems = append(v.Systems, option{Value: name, Text: text, Selected: name == f.System})
		v.Readings = append(v.Readings, readingItem(view, systemTitle(titles, name), name, x, counts[name]))
		if x.At.IsZero() {
			unread++
			unseen = append(unseen, systemTitle(titles, name))
		}
	}
	for _, k := range dayone.DriftKinds {
		v.Kinds = append(v.Kinds, option{Value: string(k), Text: view.label(driftTexts[k].Text), Selected: k == f.Kind})
	}
	if len(rows) > driftPage {
		rows = rows[:driftPage]
		v.Next = driftAddress(f, rows[driftPage-1].ID)
	}
	if f.Before != "" {
		v.First = driftAddress(f, "")
	}
	for _, x := range rows {
		v.Rows = append(v.Rows, newDriftLine(view, x, titles, kinds))
		if f.Person != "" {
			v.Whose = x.Name
		}
	}
	v.Sentence = view.plural(total, "One thing differs from the books.", "%d things differ from the books.")
	switch {
	case total >= flow.MostDrift:
		v.Sentence = view.say("More than %s things differ from the books.", view.number(flow.MostDrift-1))
	case total == 0 && unread == len(v.Readings):
		v.Sentence = "Nobody can say yet what differs from the books."
	case total == 0 && v.Filtered:
		v.Sentence = "Nothing like this is known to differ from the books."
	case total == 0:
		v.Sentence = "Nothing is known to differ from the books."
	}
	if v.Sentence = view.label(v.Sentence); total > 0 {
		v.Sentence += " " + view.label(textDriftOnly)
	}
	switch {
	case len(v.Rows) > 0:
	case v.Filtered:
		v.Empty = &empty{Icon: "search", Title: "Nothing differs like this", Text: "Other systems or other differences may have something.", Acts: []link{{"All drift", "/drift"}}}
	case len(v.Readings) == 0:
		v.Empty = &empty{Icon: "drift", Title: "No system can be compared", Text: textDriftNoSystem, Acts: []link{{"Systems", "/systems"}}}
	case unread == len(v.Readings):
		v.Empty = &empty{Icon: "clock", Title: "No system was compared yet", Text: textDriftUnread, Acts: firstReading(view, v.Readings)}
	default:
		v.Empty = &empty{Icon: "check", Title: "Every account that was read is as the books have it", Text: textDriftNone}
	}
	if unread > 0 && unread < len(v.Readings) {
		text := textDriftSome
		if unread == 1 {
			text = textDriftOne
		}
		v.Unknown = &notice{Icon: "info", Title: "Not every system was compared", Text: view.say(text, view.list(unseen))}
	}
	return v
}

// unlink takes links to systems away from whom they would be refused.
func (v *driftView) unlink() {
	for i := range v.Readings {
		v.Readings[i].Title.Href = ""
	}
	if v.Empty != nil {
		v.Empty.Acts = slices.DeleteFunc(v.Empty.Acts, func(l link) bool { return strings.HasPrefix(l.Href, "/systems") })
	}
}

func driftAddress(f flow.DriftFilter, before dayone.DriftID) string {
	q := url.Values{}
	for name, v := range map[string]string{"system": f.System, "kind": string(f.Kind), "person": string(f.Person), "before": string(before)} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return address("/drift", q)
}

// firstReading is where the first comparison is asked for: at the only system, or at one of the list.
func firstReading(view viewer, list []item) []link {
	if len(list) == 1 {
		return []link{{view.say("Open %s", list[0].Title.Text), list[0].Title.Href}}
	}
	return []link{{"Systems", "/systems"}}
}

func newDriftLine(view viewer, x flow.DriftRow, titles, kinds map[string]string) driftLine {
	l := driftLine{
		Name: link{x.Name, "/people/" + string(x.Person)}, What: link{view.thing(kinds, x.Key), "/drift/" + string(x.ID)},
		State: driftTexts[x.Kind], System: systemTitle(titles, x.Key.System), Since: view.at(x.Since), By: view.driftBy(x.Drift),
	}
	l.Is, l.Should = view.driftWords(x.Drift)
	return l
}

// readingItem says when a system was compared last, and why not since.
func readingItem(view viewer, title, name string, x flow.DriftReading, n int) item {
	it := item{Title: link{title, "/systems/" + name}, At: view.at(x.At)}
	st := state{Icon: "check", Class: "s-done", Text: "As the books"}
	switch {
	case !x.Under.IsZero() || x.Asked:
		st = state{Icon: "run", Class: "s-run", Text: "Being read"}
	case !x.Failed.IsZero():
		st = state{Icon: "x", Class: "s-fail", Text: "Could not be read"}
	case x.At.IsZero():
		st = state{Icon: "clock", Class: "s-wait", Text: "Not read yet"}
	case n > 0:
		st = state{Icon: "drift", Class: "s-wait", Text: view.differ(n)}
	}
	it.State = &st
	if !x.At.IsZero() {
		it.Meta = view.say(textDriftRead, view.counted(x.Accounts, "1 account", "%s accounts"), view.counted(x.Nobodys, "1 of them is nobody's", "%s of them are nobody's"))
	}
	if !x.Failed.IsZero() {
		it.Next = view.say(textDriftFailed, view.at(x.Failed).Text, x.Note)
	}
	return it
}

// differ says how many things of a system are not as the books have them.
func (v viewer) differ(n int) string {
	if n == 1 {
		return v.label("1 differs")
	}
	return v.say("%s differ", v.capped(n, flow.MostDrift))
}

type driftOneView struct {
	ID, Title, Whose  string
	State             state
	Problem, Waits    *notice
	Facts             []pair
	Steps             []item
	Nothing           string
	Until, Why        field
	Refused, Accepted string
	Extra, May        bool
}

func driftID(r *http.Request) (dayone.DriftID, error) {
	id := r.PathValue("id")
	if !dayone.ValidID("drf", id) {
		return "", said(fmt.Errorf("%q is no id of drift: %w", id, dayone.ErrNotFound), textDriftGone)
	}
	return dayone.DriftID(id), nil
}

func (p *portal) oneDrift(w http.ResponseWriter, r *http.Request) error {
	id, err := driftID(r)
	if err != nil {
		return err
	}
	return p.showDrift(w, r, http.StatusOK, id, nil)
}

func (p *portal) showDrift(w http.ResponseWriter, r *http.Request, status int, id dayone.DriftID, problem *notice) error {
	x, err := p.flow.DriftOf(r.Context(), id)
	if err != nil {
		return goneDrift(err)
	}
	x.By = p.policyTitles(x.By)
	for i, s := range x.Steps {
		x.Steps[i].Because = slices.Clone(s.Because) // the plan's own is left as it is
		for j := range s.Because {
			x.Steps[i].Because[j].Policy = p.policyTitle(s.Because[j].Policy)
		}
	}
	v := newOneDrift(p.viewerOf(r), x, p.titles(), p.kindTitles())
	v.Problem, v.May = problem, p.shows(r, "POST /drift/{id}/put-right")
	if !p.shows(r, "GET /systems/{system}") {
		for i := range v.Facts {
			if strings.HasPrefix(v.Facts[i].Href, "/systems/") {
				v.Facts[i].Href = ""
			}
		}
	}
	v.Until.Value, v.Why.Value = r.PostFormValue("until"), r.PostFormValue("reason")
	return p.show(w, r, status, page{Template: "drift-one", Title: v.Title, Nav: "drift", Crumbs: []link{{"Drift", "/drift"}, {v.Title, ""}}, Main: v})
}

func newOneDrift(view viewer, x flow.DriftView, titles, kinds map[string]string) driftOneView {
	v := driftOneView{ID: string(x.ID), Whose: x.Name, State: driftTexts[x.Kind], Refused: sentence(view.heard(x.Refused)), Extra: x.Kind == dayone.DriftExtra, May: true}
	v.Title = joined(" ", systemTitle(titles, x.Key.System), view.kind(kindTitle(kinds, x.Key)), x.Key.Name)
	is, should := view.driftWords(x.Drift)
	v.Facts = []pair{
		{Name: "Person", Value: x.Name, Href: "/people/" + string(x.Person)},
		{Name: "System", Value: systemTitle(titles, x.Key.System), Href: "/systems/" + x.Key.System},
		{Name: "What", Value: x.Key.String(), Code: true},
		{Name: "It is", Value: is},
		{Name: "By the books", Value: should},
		{Name: "Because of", Value: view.driftBy(x.Drift)},
		{Name: "Seen first", At: view.at(x.Since)},
		{Name: "Seen last", At: view.at(x.Seen)},
	}
	if text := driftStays[x.Stays]; text != "" {
		v.Facts = append(v.Facts, pair{Name: "Waits for somebody", Value: view.label(text)})
	}
	if x.Is.Ref != "" {
		v.Facts = append(v.Facts, pair{Name: "Known there as", Value: x.Is.Ref, Code: true})
	}
	if x.Waits != "" {
		v.Waits = &notice{Icon: "clock", Title: "It cannot be decided just now", Text: sentence(view.heard(x.Waits)) + "."}
		if x.Run != "" {
			v.Waits.Act = &link{"Open that run", "/runs/" + string(x.Run)}
		}
		return v
	}
	for _, s := range x.Steps {
		it := item{Title: link{Text: systemTitle(titles, s.Key.System) + ": " + view.within(view.stepTitle(s, kindTitle(kinds, s.Key), systemTitle(titles, s.Via.System)))}}
		if len(s.Because) > 0 {
			it.Meta = s.Because[0].String()
		}
		if s.Approval != nil {
			it.Next = view.label("Somebody has to agree first.")
		}
		v.Steps = append(v.Steps, it)
	}
	for _, l := range x.Later {
		v.Steps = append(v.Steps, item{Title: link{Text: view.say("Later: %s", l.Key)}, At: view.at(l.From)})
	}
	switch {
	case x.Holds != "":
		v.Nothing = sentence(view.heard(x.Holds)) + "."
	case len(v.Steps) == 0:
		v.Nothing = textDriftNothing
	}
	v.Accepted = textDriftAccept
	if v.Extra {
		v.Accepted = textDriftAcceptExtra
	}
	v.Until = field{ID: "until", Name: "until", Label: "Until", Hint: "The last day on which it stays so; 90 days from now if it is empty", Type: "date"}
	v.Why = field{ID: "why-accept", Name: "reason", Label: "Reason, for the record", Type: "text", Required: true}
	return v
}

// goneDrift says of what was seen to meanwhile that it was.
func goneDrift(err error) error {
	if dayone.KindOf(err) == dayone.ErrNotFound {
		return said(err, textDriftGone)
	}
	return err
}

// driftVerdict carries out what a form or a call says about drift.
func (p *portal) driftVerdict(r *http.Request, id dayone.DriftID, reason, until string) (flow.DriftRow, error) {
	until = strings.TrimSpace(until)
	if strings.HasSuffix(r.URL.Path, "/put-right") {
		if until != "" {
			return flow.DriftRow{}, fmt.Errorf("until is of what is left as it is; what is put right has no end: %w", dayone.ErrInvalid)
		}
		return p.flow.PutRight(r.Context(), id, me(r).Name, reason)
	}
	var end time.Time
	if until != "" {
		day, err := time.ParseInLocation(time.DateOnly, until, p.zoneOf(""))
		if err != nil {
			return flow.DriftRow{}, fmt.Errorf("%q is no day; write 2025-01-31: %w", until, dayone.ErrInvalid)
		}
		end = day.AddDate(0, 0, 1)
	}
	return p.flow.AcceptDrift(r.Context(), id, me(r).Name, reason, end)
}

func (p *portal) decideDrift(w http.ResponseWriter, r *http.Request) error {
	id, err := driftID(r)
	if err != nil {
		return err
	}
	if err := only(r, "reason", "until"); err != nil {
		return err
	}
	row, err := p.driftVerdict(r, id, r.PostFormValue("reason"), r.PostFormValue("until"))
	if refused(err) {
		return p.showDrift(w, r, http.StatusConflict, id, notDone(p.viewerOf(r), err))
	}
	if err != nil {
		return goneDrift(err)
	}
	word := "drift-accepted"
	if strings.HasSuffix(r.URL.Path, "/put-right") {
		word = "drift-right"
	}
	p.said(w, r, "/people/"+string(row.Person), word, nil)
	return nil
}

func (p *portal) readSystem(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("system")
	if err := p.flow.ReadSystem(r.Context(), name, me(r).Name); err != nil {
		return speaking(err)
	}
	p.said(w, r, "/systems/"+url.PathEscape(name), "system-read", nil)
	return nil
}

// ---- API ----

type apiDrift struct {
	ID     dayone.DriftID   `json:"id"`
	Person dayone.PersonID  `json:"person"`
	Name   string           `json:"name"`
	System string           `json:"system"`
	Key    string           `json:"key"`
	Kind   dayone.DriftKind `json:"kind"`
	Is     string           `json:"is"`
	Should string           `json:"should_be"`
	By     []string         `json:"policies"`
	Since  *time.Time       `json:"since"`
	Seen   *time.Time       `json:"seen"`
	Stays  dayone.DriftStay `json:"not_by_itself,omitempty"`
}

func newAPIDrift(x flow.DriftRow) apiDrift {
	is, should := viewer{}.driftWords(x.Drift)
	return apiDrift{x.ID, x.Person, x.Name, x.Key.System, x.Key.String(), x.Kind, is, should, append([]string{}, x.By...), moment(x.Since), moment(x.Seen), x.Stays}
}

type apiDriftDetail struct {
	apiDrift
	Steps   []string `json:"steps"`
	Waits   string   `json:"waits,omitempty"`
	Kept    string   `json:"kept_by,omitempty"`
	Refused string   `json:"not_accepted,omitempty"`
}

func (p *portal) apiDrifts(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f, err := driftFilter(q)
	if err != nil {
		return err
	}
	f.Limit = apiLimit(r) + 1
	list, err := p.flow.Drift(r.Context(), f)
	if err != nil {
		return err
	}
	out := apiPage[apiDrift]{Items: []apiDrift{}}
	if len(list) == f.Limit {
		list = list[:f.Limit-1]
		out.Next = nextPage("/api/v1/drift", q, f.Limit-1, string(list[len(list)-1].ID), "system", "kind", "person")
	}
	for _, x := range list {
		out.Items = append(out.Items, newAPIDrift(x))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiOneDrift(w http.ResponseWriter, r *http.Request) error {
	id, err := driftID(r)
	if err != nil {
		return err
	}
	x, err := p.flow.DriftOf(r.Context(), id)
	if err != nil {
		return goneDrift(err)
	}
	out := apiDriftDetail{apiDrift: newAPIDrift(x.DriftRow), Steps: []string{}, Waits: x.Waits, Kept: x.Holds, Refused: x.Refused}
	for _, s := range x.Steps {
		out.Steps = append(out.Steps, string(s.ID))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiDecideDrift(w http.ResponseWriter, r *http.Request) error {
	id, err := driftID(r)
	if err != nil {
		return err
	}
	var in struct {
		Reason string `json:"reason"`
		Until  string `json:"until"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	x, err := p.driftVerdict(r, id, in.Reason, in.Until)
	if err != nil {
		return goneDrift(worth(err))
	}
	return answerJSON(w, http.StatusOK, newAPIDrift(x))
}

func (p *portal) apiReadSystem(w http.ResponseWriter, r *http.Request) error {
	if err := p.flow.ReadSystem(r.Context(), r.PathValue("system"), me(r).Name); err != nil {
		return worth(speaking(err))
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (p *portal) driftSheet(r *http.Request, zone *time.Location) (sheet, error) {
	f, err := driftFilter(r.URL.Query())
	if err != nil {
		return sheet{}, err
	}
	f.Before, f.Limit = "", sheetPage
	rows := paged(func(last *flow.DriftRow) ([]flow.DriftRow, error) {
		if last != nil {
			f.Before = last.ID
		}
		return p.flow.Drift(r.Context(), f)
	})
	type row = flow.DriftRow
	z := inZone{zone}
	return sheetOf("drift", rows,
		column[row]{"Id", func(x row) string { return string(x.ID) }}, column[row]{"Person", func(x row) string { return string(x.Person) }}, column[row]{"Name", func(x row) string { return x.Name }},
		column[row]{"System", func(x row) string { return x.Key.System }}, column[row]{"What", func(x row) string { return x.Key.String() }}, column[row]{"Difference", func(x row) string { return string(x.Kind) }},
		column[row]{"It is", func(x row) string { is, _ := viewer{}.driftWords(x.Drift); return is }}, column[row]{"By the books", func(x row) string { _, should := viewer{}.driftWords(x.Drift); return should }},
		column[row]{"Because of", func(x row) string { return viewer{}.driftBy(x.Drift) }},
		column[row]{z.head("Seen first"), func(x row) string { return z.at(x.Since) }}, column[row]{z.head("Seen last"), func(x row) string { return z.at(x.Seen) }},
	), nil
}

package web

import (
	"cmp"
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

// One system: how it stands, what it can do and may be asked, who has how much there, what differs and what failed.

type systemPageView struct {
	systemView
	Summary  string
	Problem  *notice
	Figures  []figure
	Facts    []pair
	Kinds    []kindRow
	NoKinds  string
	Limits   []limitRow
	Calls    string
	Drift    []item
	Failures []item
	Settings *link
	Links    []link
	Actions  []item
	May      bool // order, read and try
	Lists    bool
	Tries    bool
}

type kindRow struct{ Title, Does string }

type limitRow struct{ What, Limit, Used, Note string }

func (p *portal) system(w http.ResponseWriter, r *http.Request) error {
	return p.showSystem(w, r, http.StatusOK, nil)
}

func (p *portal) showSystem(w http.ResponseWriter, r *http.Request, status int, said *notice) error {
	x, err := p.flow.SystemOf(r.Context(), r.PathValue("system"))
	if err != nil {
		return speaking(err)
	}
	x.Phones = x.Phones && p.shows(r, "GET /numbers/audit/{system}")
	x.Policies = p.policyTitles(x.Policies)
	v := newSystemPage(p.viewerOf(r), x, p.titles(), p.kindTitles())
	v.Problem, v.May = said, p.shows(r, "POST /systems/{system}/read")
	if p.opt.SystemForms != nil && p.shows(r, "GET /settings/systems/{name}") && x.Connector != nil {
		v.Settings = &link{"Change its settings", "/settings/systems/" + x.Name}
	}
	return p.show(w, r, status, page{Template: "system", Title: v.Title, Nav: "systems", Crumbs: []link{{"Systems", "/systems"}, {v.Title, ""}}, Main: v})
}

func newSystemPage(view viewer, x flow.SystemView, titles, kinds map[string]string) systemPageView {
	v := systemPageView{systemView: newSystem(view, x.SystemState, x.Stopped.ID != ""), May: true, Lists: x.Reading.Lists, Tries: x.Connector != nil}
	v.Figures = []figure{
		{Label: "People", Value: view.number(x.Held.People), Small: view.label("hold something")},
		{Label: "Accounts", Value: view.number(x.Held.Accounts), Small: view.say("%s open", view.number(x.Held.Open))},
		{Label: "Other things", Value: view.number(x.Held.Others)},
		{Label: "Differ", Value: capped(x.Drift, flow.MostDrift), Href: "/drift?system=" + url.QueryEscape(x.Name)},
		{Label: "Failed steps", Value: capped(len(x.Failures), flow.FailuresShown), Href: "#h-failed"},
		{Label: "Waiting steps", Value: view.number(x.Waiting), Href: "/tasks?system=" + url.QueryEscape(x.Name)},
	}
	if !x.Reading.Lists || x.Reading.At.IsZero() && x.Drift == 0 {
		v.Figures[3].Value, v.Figures[3].Small = view.label("unknown"), view.label("not compared yet")
		if !x.Reading.Lists {
			v.Figures[3].Small = view.label("nothing lists it")
		}
	}
	if len(x.Failures) == 0 {
		v.Figures[4].Href = ""
	}
	v.Drift = []item{readingItem(view, view.label("All of its accounts"), x.Name, x.Reading, x.Drift)}
	v.Drift[0].Title.Href = "/drift?system=" + url.QueryEscape(x.Name)
	if !x.Reading.Lists {
		v.Drift = nil
	}
	for _, f := range x.Failures {
		v.Failures = append(v.Failures, failureItem(view, f, titles, kinds))
	}
	v.Links = []link{{"Records", "/records?system=" + url.QueryEscape(x.Name)}, {view.label("What policies may give there"), catalogueOf(x.Name)}}
	if x.Phones {
		v.Links = append(v.Links, link{textAuditLink, platformPath(x.Name)})
	}
	v.Facts = append(v.Facts, systemFacts(view, x)...)
	if m := x.Connector; m != nil {
		v.Summary = m.Summary
		v.Kinds = kindRows(*m)
		v.Limits, v.Calls = limitRows(view, x)
		v.Actions = accountActions(view, x.Cannot)
	} else {
		v.NoKinds = textSystemUnset
		if !v.Calm { // above it says so
			v.NoKinds = "What can be given there is known once it is connected."
		}
	}
	return v
}

// systemFacts are what is known of its last contacts and of what it is.
func systemFacts(view viewer, x flow.SystemView) (out []pair) {
	if x.Connector != nil {
		out = append(out, pair{Name: "Connector", Value: x.Connector.Title}, pair{Name: "It is", Value: strings.Join(x.Connector.Capabilities, ", ")})
		if x.Connector.Plan != "" {
			out = append(out, pair{Name: "Made for", Value: x.Connector.Plan})
		}
	}
	if !x.Circuit.Since.IsZero() {
		out = append(out, pair{Name: map[bool]string{true: "Answers since", false: "Does not answer since"}[cmp.Or(x.Circuit.State, dayone.CircuitClosed) == dayone.CircuitClosed], At: view.at(x.Circuit.Since)})
	}
	for _, f := range []pair{
		{Name: "Catalogue read", At: view.at(x.Read)}, {Name: "Accounts counted", At: view.at(x.Count.Counted)}, {Name: "Compared", At: view.at(x.Reading.At)},
	} {
		if f.At == nil {
			f.Value = view.label("never")
		}
		out = append(out, f)
	}
	if x.Phones {
		f := pair{Name: "Audit read it", At: view.at(x.Audited), Value: view.label("never"), Href: platformPath(x.Name)}
		if f.At != nil {
			f.Value = ""
		}
		out = append(out, f)
	}
	offers := pair{Name: "Offers", Value: view.counted(x.Offers, "1 entitlement, as last read", "%s entitlements, as last read"), Href: catalogueOf(x.Name)}
	if x.Read.IsZero() && x.Offers == 0 { // what was never read is not nothing
		offers.Value = view.label("nothing was read yet")
	}
	out = append(out, offers)
	if !x.Count.Counted.IsZero() {
		out = append(out, pair{Name: "Accounts there", Value: view.number(x.Count.Accounts)})
	}
	if x.Count.Brake != "" {
		out = append(out, pair{Name: "Brake", Value: view.say("Its list is held: %s", view.heard(x.Count.Note)), Href: "/brakes/" + string(x.Count.Brake)})
	}
	if x.Protected > 0 {
		out = append(out, pair{Name: "Protected", Value: view.plural(x.Protected, "1 account is never written to", "%d accounts are never written to")})
	}
	given := view.label("no policy")
	if n := len(x.Policies); n > 0 {
		given = strings.Join(x.Policies[:min(n, 8)], ", ")
		if n > 8 {
			given += view.say(" and %d more", n-8)
		}
	}
	return append(out, pair{Name: "Given by", Value: given, Href: "/policies"})
}

// kindRows are what can be given there.
func kindRows(c flow.Connector) (out []kindRow) {
	for _, k := range c.Kinds {
		row := kindRow{Title: sentence(k.Title), Does: strings.Join(k.Actions, ", ")}
		switch {
		case k.Shown:
			row.Does = textShownOnly
		case row.Does == "":
			row.Does = textByHand
		}
		out = append(out, row)
	}
	return out
}

// accountActions are those that its settings leave to humans.
func accountActions(view viewer, cannot map[string]string) (out []item) {
	for _, what := range slices.Sorted(maps.Keys(cannot)) {
		out = append(out, item{Title: link{Text: sentence(what)}, Meta: view.label("Somebody's task"), Next: view.say("It does that by itself with: %s", cannot[what])})
	}
	return out
}

func limitRows(view viewer, x flow.SystemView) (out []limitRow, calls string) {
	for _, l := range x.Limits {
		row := limitRow{What: cmp.Or(l.Path, "Every request"), Limit: "none is known", Used: ""}
		if l.Method != "" {
			row.What = l.Method + " " + row.What
		}
		if len(x.Limits) > 1 && l.Path == "" {
			row.What = "Every other request"
		}
		if l.PerMinute > 0 {
			row.Limit = fmt.Sprintf("%s a minute", thousands(l.PerMinute))
			row.Used = fmt.Sprintf("%d of a burst of %d", l.Used, l.Burst)
		}
		if !l.Shut.IsZero() {
			row.Note = fmt.Sprintf("It takes no more until %s.", view.clock(l.Shut).Text)
		}
		out = append(out, row)
	}
	return out, view.plural(x.Calls, "One call at a time.", "Up to %d calls at the same time.")
}

// failureItem is a step that failed: what, since when, and the one thing to do.
func failureItem(view viewer, f flow.Failure, titles, kinds map[string]string) item {
	st := state{Icon: "x", Class: "s-fail", Text: "Failed"}
	system := systemTitle(titles, f.Step.Key.System)
	what, next := view.failText(f.Kind, system)
	return item{
		State: &st, Title: link{fmt.Sprintf("%s: %s", f.Name, view.within(view.stepTitle(f.Step, kindTitle(kinds, f.Step.Key), systemTitle(titles, f.Step.Via.System)))), fmt.Sprintf("/runs/%s?step=%d#step-detail", f.Run, f.Number)},
		Meta: view.say("%s Since", what), At: view.at(f.Since), Next: next,
	}
}

func (p *portal) checkSystem(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("system")
	err := p.flow.CheckSystem(r.Context(), name, me(r).Name)
	switch {
	case dayone.KindOf(err) == dayone.ErrNotFound && !slices.Contains(p.systemList(r), name):
		return speaking(err)
	case err != nil:
		what, next := p.viewerOf(r).failText(faultOf(err), systemTitle(p.titles(), name))
		if dayone.KindOf(err) == dayone.ErrConflict || dayone.KindOf(err) == dayone.ErrUnsupported {
			what, next = "", ""
		}
		return p.showSystem(w, r, http.StatusOK, &notice{Kind: "bad", Icon: "x", Title: "It was not reached as it should be", Text: strings.TrimSpace(joined(" ", what, p.viewerOf(r).problem(err)+".", next))})
	}
	return p.showSystem(w, r, http.StatusOK, &notice{Kind: "good", Icon: "check", Title: "It answers, and lets us in", Text: textSystemGood})
}

// systemList are the names of systems in sight.
func (p *portal) systemList(r *http.Request) (names []string) {
	list, _, err := p.flow.SystemStates(r.Context())
	if err != nil {
		return nil
	}
	for _, s := range list {
		names = append(names, s.Name)
	}
	return names
}

// faultOf is the kind of an error, as texts about failures go by it.
func faultOf(err error) string {
	if k := dayone.KindOf(err); k != nil {
		return k.Error()
	}
	return ""
}

// ---- API ----

type apiSystemDetail struct {
	apiSystem
	Connector string       `json:"connector,omitempty"`
	Can       []string     `json:"capabilities"`
	Held      apiHeldAt    `json:"held"`
	Kinds     []string     `json:"kinds"`
	Limits    []apiLimitOf `json:"limits"`
	Calls     int          `json:"calls_at_once"`
	Offers    int          `json:"offers"`
	Reading   apiReading   `json:"comparison"`
	Failures  []apiFailure `json:"failures"`
	Policies  []string     `json:"policies"`
	Brake     string       `json:"brake,omitempty"`
}

type apiHeldAt struct {
	People   int `json:"people"`
	Accounts int `json:"accounts"`
	Open     int `json:"open_accounts"`
	Others   int `json:"other_things"`
}

type apiLimitOf struct {
	Path      string `json:"path,omitempty"`
	Method    string `json:"method,omitempty"`
	PerMinute int    `json:"per_minute"`
	Burst     int    `json:"at_once"`
	Used      int    `json:"used_now"`
}

type apiReading struct {
	Lists    bool       `json:"listed"`
	Under    bool       `json:"under_way"`
	At       *time.Time `json:"at,omitempty"`
	Accounts int        `json:"accounts"`
	Nobodys  int        `json:"accounts_of_nobody"`
	Differ   int        `json:"differ"`
	Failed   *time.Time `json:"failed,omitempty"`
	Note     string     `json:"note,omitempty"`
}

type apiFailure struct {
	Run    dayone.RunID    `json:"run"`
	Step   int             `json:"step"`
	Person dayone.PersonID `json:"person"`
	Name   string          `json:"name"`
	System string          `json:"system"`
	What   string          `json:"what"`
	Kind   string          `json:"kind"`
	Error  string          `json:"error"`
	Next   string          `json:"next"`
	Since  *time.Time      `json:"since"`
}

func newAPIFailure(f flow.Failure) apiFailure {
	_, next := failText(f.Kind, f.Step.Key.System)
	return apiFailure{f.Run, f.Number, f.Person, f.Name, f.System, string(f.Step.ID), f.Kind, f.Error, next, moment(f.Since)}
}

func (p *portal) apiOneSystem(w http.ResponseWriter, r *http.Request) error {
	x, err := p.flow.SystemOf(r.Context(), r.PathValue("system"))
	if err != nil {
		return speaking(err)
	}
	out := apiSystemDetail{
		apiSystem: newAPISystem(x.SystemState), Can: []string{}, Kinds: []string{}, Limits: []apiLimitOf{}, Failures: []apiFailure{}, Policies: append([]string{}, x.Policies...),
		Held: apiHeldAt{x.Held.People, x.Held.Accounts, x.Held.Open, x.Held.Others}, Calls: x.Calls, Offers: x.Offers, Brake: string(x.Count.Brake),
		Reading: apiReading{x.Reading.Lists, x.Reading.Asked || !x.Reading.Under.IsZero(), moment(x.Reading.At), x.Reading.Accounts, x.Reading.Nobodys, x.Drift, moment(x.Reading.Failed), x.Reading.Note},
	}
	if m := x.Connector; m != nil {
		out.Connector, out.Can = m.Name, append(out.Can, m.Capabilities...)
		for _, k := range m.Kinds {
			out.Kinds = append(out.Kinds, k.Kind)
		}
	}
	for _, l := range x.Limits {
		out.Limits = append(out.Limits, apiLimitOf{l.Path, l.Method, l.PerMinute, l.Burst, l.Used})
	}
	for _, f := range x.Failures {
		out.Failures = append(out.Failures, newAPIFailure(f))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiCheckSystem(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("system")
	err := p.flow.CheckSystem(r.Context(), name, me(r).Name)
	out := struct {
		Good bool   `json:"good"`
		Kind string `json:"kind,omitempty"`
		Note string `json:"note,omitempty"`
		Next string `json:"next,omitempty"`
	}{Good: err == nil}
	switch {
	case err == nil:
	case dayone.KindOf(err) == dayone.ErrConflict, dayone.KindOf(err) == dayone.ErrNotFound && !slices.Contains(p.systemList(r), name):
		return worth(speaking(err))
	default:
		out.Kind, out.Note = faultOf(err), flow.Problem(err)
		_, out.Next = failText(out.Kind, name)
	}
	return answerJSON(w, http.StatusOK, out)
}

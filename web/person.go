package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

// personHead is what stands above all views of a person.
type personHead struct {
	ID      string
	Photo   string // where the picture is; "": no source has any
	Name    string
	Facts   string
	Figures []figure
	Tabs    []tab
	Problem *notice
	Secret  *notice // what few may know
}

type personAccessView struct {
	Head     personHead
	Groups   []accessGroup
	Total    string // 24, now
	Notices  []notice
	Findings []string
	Facts    []pair
	Offers   []item
	Requests []item
	Holds    []item
	Empty    *empty
	Things   *belongingsView
	Products []link // what leads to products
}

type accessGroup struct {
	Title, Account string
	Rows           []accessRow
}

type accessRow struct {
	Key, Name string
	Role      string
	State     state
	Note      string
	Since     *stamp
	Until     *stamp
	From      *stamp
	Implied   bool
	Reason    reason
}

type personRunsView struct {
	Head   personHead
	Rows   []runRow
	Next   string // where older ones are
	Newest string // where the newest are, if these are not
	Empty  *empty
}

type recordsView struct {
	Head  *personHead // records of one person
	Run   *runHead    // records of one run
	Rows  []recordRow
	Next  string
	Total string
	Empty *empty
}

type recordRow struct {
	Seq           string
	At            *stamp
	What          string
	System        string
	Key           string
	Person        link
	Run           link
	Because, By   string
	Entered       bool // By entered it, and the note says who decided
	Note          string
	Before, After string
	Erased        bool
}

func personID(r *http.Request) (dayone.PersonID, error) {
	id := r.PathValue("id")
	if !dayone.ValidID("per", id) {
		return "", fmt.Errorf("%q is no id of a person: %w", id, dayone.ErrNotFound)
	}
	return dayone.PersonID(id), nil
}

// aboutPerson reads the head; what decides about her may fail without hiding who she is.
func (p *portal) aboutPerson(r *http.Request, current string) (flow.Row, personHead, error) {
	id, err := personID(r)
	if err != nil {
		return flow.Row{}, personHead{}, err
	}
	row, err := p.flow.Person(r.Context(), id)
	if err != nil {
		return row, personHead{}, err
	}
	head := newPersonHead(p.viewerOf(r), row, p.zoneOf(row.Location), current)
	if p.flow.Pictured() {
		head.Photo = "/people/" + string(id) + "/photo"
	}
	head.Secret, err = p.inConfidence(r, id)
	return row, head, err
}

// sinceWord is what the first day is called: of somebody who has begun, and is here, it is since when.
func sinceWord(ahead string, starts, now time.Time, is dayone.Status) string {
	if starts.After(now) || is == dayone.PreHire || is == dayone.Left {
		return ahead
	}
	return "Here since"
}

func newPersonHead(view viewer, row flow.Row, zone *time.Location, current string) personHead {
	base := "/people/" + string(row.ID)
	h := personHead{ID: string(row.ID), Name: row.Name, Facts: joined(", ", row.Title, row.Department, row.Location)}
	if row.Problem != "" {
		h.Problem = unplannedNotice(view, row.Problem)
	}
	st := statusState(row.Status)
	h.Figures = []figure{{Label: "Status", State: &st}}
	if s := view.day(row.Starts, zone); s != nil {
		h.Figures = append(h.Figures, figure{Label: sinceWord("First day", row.Starts, view.now, row.Status), At: s, Small: view.away(view.days(row.Starts, zone))})
	}
	if s := view.day(row.LastDay(), zone); s != nil {
		h.Figures = append(h.Figures, figure{Label: "Last day", At: s})
	}
	if s := view.date(row.Wake); s != nil {
		h.Figures = append(h.Figures, figure{Label: "Looked at again", At: s, Small: view.label("by itself")})
	}
	for _, t := range []struct{ id, text, path string }{{"access", "Access", ""}, {"timeline", "Timeline", "/timeline"}, {"runs", "Runs", "/runs"}, {"leaving", "Leaving", "/leaving"}, {"records", "Records", "/records"}} {
		h.Tabs = append(h.Tabs, tab{Text: t.text, Href: base + t.path, Current: t.id == current})
	}
	return h
}

func (p *portal) showPerson(w http.ResponseWriter, r *http.Request, template string, row flow.Row, main any) error {
	return p.show(w, r, http.StatusOK, page{Template: template, Title: row.Name, Nav: "people", Crumbs: []link{{"People", "/people"}, {row.Name, ""}}, Main: main})
}

func (p *portal) personAccess(w http.ResponseWriter, r *http.Request) error {
	row, head, err := p.aboutPerson(r, "access")
	if err != nil {
		return err
	}
	look, list, err := p.flow.Access(r.Context(), row.ID)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) {
		return err
	}
	if err != nil {
		head.Problem = unplannedNotice(p.viewerOf(r), flow.Problem(err))
	}
	why := p.flow.Reasons(look)
	facts, err := p.personFacts(r, row)
	if err != nil {
		return err
	}
	if p.shows(r, "GET /people/{id}/codes") {
		facts = append(facts, pair{Name: "Codes", Value: p.viewerOf(r).label("Links, and what can be renewed"), Href: "/people/" + head.ID + "/codes"})
	}
	v := newPersonAccess(p.viewerOf(r), head, look, list, why).with(facts)
	has, err := p.flow.BelongingsOf(r.Context(), row.ID, list)
	if err != nil {
		return err
	}
	if len(has.Numbers) > 0 && has.Numbers[0].Role == "" && !has.Numbers[0].Before {
		v.Facts = slices.Insert(v.Facts, min(2, len(v.Facts)), pair{Name: "Number", Value: string(has.Numbers[0].ID), Href: "#numbers"})
	}
	things := newBelongings(p.viewerOf(r), has, seesSerials(r), p.shows(r, "GET /numbers/audit/{system}"))
	if row.Status == dayone.Left {
		left := things.leftBehind(has)
		if n := things.behind(p.viewerOf(r), left, has); n != nil {
			v.Notices = append(v.Notices, *n)
		}
	}
	v = v.holding(things.awaiting(p.viewerOf(r), head.ID, p.flow.AwaitedDevices(look)))
	differs, err := p.flow.Drift(r.Context(), flow.DriftFilter{Person: row.ID, Limit: flow.MostDrift})
	if err != nil {
		return err
	}
	v = v.differing(p.viewerOf(r), differs, p.shows(r, "GET /drift")).only(func(pattern string) bool { return p.shows(r, pattern) })
	outside, err := p.outsideNotices(r, look.Person)
	if err != nil {
		return err
	}
	v.Notices = append(outside, v.Notices...)
	mail, err := p.mailNotice(r, look)
	if err != nil {
		return err
	}
	if mail != nil {
		v.Notices = append([]notice{*mail}, v.Notices...)
	}
	if n := anewNotice(p.viewerOf(r), look.Person); n != nil {
		v.Notices = append([]notice{*n}, v.Notices...)
	}
	for i, q := range look.Requests {
		if q.Product != "" {
			v.Requests[i].Title.Text = p.productTitle(q.Product)
			continue
		}
		if most := p.flow.Lasts(q.Key, q.Role); most > 0 && v.Requests[i].Next == p.viewerOf(r).label(waitsApproval) {
			v.Requests[i].Next = p.viewerOf(r).say("Waits for an approval; then it lasts at most %s.", p.viewerOf(r).hours(most))
		}
	}
	return p.showPerson(w, r, "person", row, v)
}

// differing says of what systems show otherwise than the books how they show it: nobody is to read there that it is right.
func (v personAccessView) differing(view viewer, list []flow.DriftRow, opens bool) personAccessView {
	if len(list) == 0 {
		return v
	}
	kinds := map[string]dayone.DriftKind{}
	for _, x := range list {
		kinds[x.Key.String()] = x.Kind
	}
	for _, g := range v.Groups {
		for i, row := range g.Rows {
			if k, ok := kinds[row.Key]; ok {
				g.Rows[i].State, g.Rows[i].Note = driftTexts[k], ""
			}
		}
	}
	n := notice{Kind: "warn", Icon: "drift", Title: view.plural(len(list), "One thing differs from the books.", "%d things differ from the books.")}
	if opens {
		n.Act = &link{"What differs", driftAddress(flow.DriftFilter{Person: list[0].Person}, "")}
	}
	v.Notices = append(v.Notices, n)
	return v
}

// anewNotice says why somebody is in again whose access was ended here; nil: it was not.
func anewNotice(view viewer, p dayone.Person) *notice {
	if p.Anew.IsZero() {
		return nil
	}
	hired := ""
	for _, e := range p.Engagements {
		if e.Primary {
			hired = view.say("%s has hired them anew since (%s, from %s), so they are let in.", e.Source, e.SourceID, e.Start)
		}
	}
	return &notice{
		Icon: "info", Title: view.say("Access was ended here on %s", view.at(p.Anew).Text), Text: hired + " " + view.label("The employment that was ended stays closed."),
		Act: &link{"Timeline", "/people/" + string(p.ID) + "/timeline"},
	}
}

// unplannedNotice says why no plan can be made for somebody, and what to do.
func unplannedNotice(view viewer, problem string) *notice {
	return &notice{Kind: "bad", Icon: "x", Title: "No plan can be made for this person, so nothing is given, changed or taken", Text: problem + ". " + view.label(unplannedNext)}
}

func (v personAccessView) holding(b belongingsView) personAccessView { v.Things = &b; return v }

func (v personAccessView) with(facts []pair) personAccessView { v.Facts = facts; return v }

// personFacts are the few that everybody asks for.
func (p *portal) personFacts(r *http.Request, row flow.Row) ([]pair, error) {
	manager, err := p.called(r, row.Manager)
	if err != nil {
		return nil, err
	}
	buddy, err := p.called(r, row.Buddy)
	if err != nil {
		return nil, err
	}
	zone := p.zoneOf(row.Location)
	out := []pair{{Name: "Person", Value: string(row.ID), Code: true}}
	for _, f := range []pair{
		{Name: "Mail", Value: row.Email},
		{Name: "Manager", Value: manager.Text, Href: manager.Href},
		{Name: "Team", Value: row.Team},
		{Name: "Buddy", Value: buddy.Text, Href: buddy.Href},
		{Name: "Zone", Value: zone.String()},
	} {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	return out, nil
}

// called is somebody of whom the books have the address, by name and with a page where whoever looks may know them.
func (p *portal) called(r *http.Request, mail string) (link, error) {
	as := link{mail, "/people?q=" + queryEscape(mail)}
	if !dayone.IsMail(mail) {
		return as, nil
	}
	row, err := p.flow.Named(r.Context(), mail)
	if err == nil && strings.EqualFold(row.Email, mail) {
		row, err = p.flow.Person(r.Context(), row.ID) // as lists show them to whoever looks
		if err == nil && strings.EqualFold(row.Email, mail) && row.Name != "" {
			return link{row.Name, "/people/" + string(row.ID)}, nil
		}
	}
	if errors.Is(err, dayone.ErrConflict) { // several may be meant
		err = nil
	}
	return as, fault(err)
}

// only leaves out what its reader may not do.
func (v personAccessView) only(may func(pattern string) bool) personAccessView {
	if !may("GET /onboard/{id}") {
		v.Products = v.Products[:1]
	}
	if !may("POST /people/{id}/request") {
		v.Offers = nil
	}
	for _, x := range []struct {
		items   []item
		pattern string
	}{{v.Holds, "POST /holds/{id}/end"}, {v.Requests, "POST /requests/{id}/end"}} {
		for i := range x.items {
			if !may(x.pattern) {
				x.items[i].Acts = nil
			}
		}
	}
	return v
}

func newPersonAccess(view viewer, head personHead, look flow.Look, list []flow.Access, why func(dayone.Key) policy.Explanation) personAccessView {
	v := personAccessView{Head: head, Products: []link{{"How they stand", "/onboard/" + head.ID + "/result"}, {"Add products", "/onboard/" + head.ID}}}
	systems := map[string]bool{}
	if look.Person.Status == dayone.Left { // nothing is given to whoever has left
		v.Products = v.Products[:1]
	}
	there, idle, gone, along, shut, come := 0, 0, 0, 0, 0, 0 // gone: held back
	for _, a := range list {
		title := systemTitle(map[string]string{a.Key.System: a.Title}, a.Key.System)
		if n := len(v.Groups); n == 0 || v.Groups[n-1].Title != title {
			v.Groups = append(v.Groups, accessGroup{Title: title})
		}
		g := &v.Groups[len(v.Groups)-1]
		if a.Key.IsAccount() && a.Holding != nil && a.Key.As == dayone.Personal {
			g.Account = cmp.Or(a.Holding.Attrs.Text("login"), a.Holding.Attrs.Text("email"), a.Holding.Attrs.Text("user_name"), a.Holding.Ref)
		}
		g.Rows = append(g.Rows, newAccessRow(view, head.ID, a, why(a.Key)))
		there += btoi(a.Holding != nil)
		gone += btoi(a.HeldBack())
		idle += btoi(a.State == flow.NotPlanned && a.Holding == nil)
		if a.HeldBack() {
			continue
		}
		if a.Closed {
			shut++
			continue
		}
		if a.Implied { // no policy gives it: what policies give needs it, and the demo's sums leave it out, too
			along++
			continue
		}
		comes := a.State == flow.WaitsLogin || a.Holding == nil && (a.State == flow.ToCome || a.State == flow.Planned || a.State == flow.Asks)
		if !comes && (a.State != flow.NotPlanned && a.State != flow.Held || a.Holding != nil) {
			systems[a.Key.System] = true
		}
		come += btoi(comes)
	}
	access := figure{Label: "Access", Value: view.number(len(list) - gone - along - shut - come), Small: view.plural(len(systems), "on 1 system", "on %d systems")}
	v.Total = view.say("%s, now", view.in.Number(len(list)-gone-along-shut-come))
	if along > 0 && idle == 0 {
		v.Total += "; " + view.plural(along, "they bring 1 more along", "they bring %d more along")
	}
	if come > 0 {
		v.Total += "; " + view.plural(come, "1 is to come", "%d are to come")
	}
	if gone > 0 {
		v.Total += "; " + view.plural(gone, "1 is held back", "%d are held back")
	}
	if shut > 0 {
		v.Total += "; " + view.plural(shut, "1 is disabled", "%d are disabled")
	}
	if idle > 0 {
		access.Value, access.Small = view.number(there), view.plural(idle, "policies would give 1", "policies would give %d")
		v.Total = joined("; ", view.plural(there, "1 is there", "%d are there"), access.Small)
		if there == 0 {
			v.Total = access.Small
		}
	}
	v.Head.Figures = slices.Insert(slices.Clone(v.Head.Figures), 1, access)
	if come > 0 {
		v.Head.Figures = append(v.Head.Figures, figure{Label: "Not there yet", Value: view.number(come)})
	}
	if !look.Person.Managed && head.Secret == nil {
		v.Notices = append(v.Notices, notice{
			Icon: "info", Title: "Known from an import",
			Text: view.plural(idle, "Policies would give 1 access. Nothing is planned until HR hires them, or somebody gives them products.", "Policies would give %d. Nothing is planned until HR hires them, or somebody gives them products.") + " " + view.label(textNoRequest),
		})
	}
	if len(look.Person.Unknown) > 0 {
		v.Notices = append(v.Notices, notice{
			Kind: "warn", Icon: "warn", Title: "A source said something that cannot be used", Text: strings.Join(unknownTexts(view, look.Person), " "),
			Act: &link{"Timeline", "/people/" + head.ID + "/timeline"},
		})
	}
	for _, h := range look.Holds {
		v.Holds = append(v.Holds, holdItem(view, h, list))
	}
	for _, f := range look.Want.Findings {
		if text := findingText(view, f.Text); !slices.Contains(v.Findings, text) { // of several grants at one system
			v.Findings = append(v.Findings, text)
		}
	}
	for _, g := range look.Want.Offers {
		if !look.Person.Managed { // a request would be refused
			break
		}
		v.Offers = append(v.Offers, item{Title: link{view.titled(g.Key), requestPage(dayone.PersonID(head.ID), g)}, Meta: reasonTitle(view, g.Because), Open: &link{"Request it", requestPage(dayone.PersonID(head.ID), g)}})
	}
	for _, q := range look.Requests {
		v.Requests = append(v.Requests, requestItem(view, q, look))
	}
	switch {
	case len(list) > 0:
	case head.Problem != nil:
		v.Empty = &empty{Icon: "key", Title: "No access", Text: "Nothing is there. What policies want is not planned, as no plan can be made."}
	default:
		v.Empty = &empty{Icon: "key", Title: "No access", Text: "No policy gives this person anything now, and no system has shown an account."}
	}
	return v
}

// unknownTexts say what stands in the place of what could not be used: the last good value, where there was one.
func unknownTexts(view viewer, p dayone.Person) []string {
	var kept, none, out []string
	for _, a := range p.Unknown {
		switch value := p.Attrs[a].Text; {
		case a == "location" && value != "" && p.Site.Name != value:
			out = append(out, view.say("No site is called %s, so the company's own zone counts, and nothing else of it.", value))
		case value != "":
			kept = append(kept, view.label(attrText(a)))
		default:
			none = append(none, view.label(attrText(a)))
		}
	}
	if len(kept) > 0 {
		out = append(out, view.say("The last good value stays: %s.", strings.Join(kept, ", ")))
	}
	if len(none) > 0 {
		out = append(out, view.say("There is no value yet: %s.", strings.Join(none, ", ")))
	}
	return out
}

// unsaid is what policy finds where a value is made from something that nobody has said.
var unsaid = regexp.MustCompile(`^(\S+) of (\S+) is not known: .*[Pp]erson\.(\w+) is unknown$`)

// findingText is a finding in words of people who write no policies.
func findingText(view viewer, text string) string {
	if m := unsaid.FindStringSubmatch(text); m != nil {
		return view.say("%s is not known, and %s needs it (%s). It comes once HR says it.", view.label(attrText(m[3])), m[2], strings.ReplaceAll(m[1], "_", " "))
	}
	return view.withKeys(view.heard(text))
}

func whyHref(person string, k dayone.Key) string {
	return "/people/" + person + "/why?key=" + queryEscape(k.String())
}

func reasonTitle(view viewer, rs []dayone.Reason) string {
	if len(rs) == 0 {
		return ""
	}
	return view.policy(rs[0].Policy)
}

func newAccessRow(view viewer, person string, a flow.Access, x policy.Explanation) accessRow {
	name := a.Key.Kind
	if a.Key.Name != "" {
		name += ":" + a.Key.Name
	}
	if a.Key.As != dayone.Personal {
		name = string(a.Key.As) + " " + name
	}
	row := accessRow{
		Key: a.Key.String(), Name: name, Role: a.Role, State: accessState(a.State), Note: view.heard(a.Note), Since: view.date(a.Since), Until: view.date(a.Until), From: view.date(a.From),
		Implied: a.Implied, Reason: newReason(view, person, a, x),
	}
	if day, err := time.Parse("until 2 Jan 2006", a.Note); err == nil {
		row.Note = view.say("until %s", view.in.Time(day, view.dayLayout(day)))
	}
	switch {
	case a.State == flow.WaitsLogin:
		row.Note = ""
	case a.Closed && a.State == flow.Held && a.Key.IsAccount():
		row.State.Text = "Disabled and kept"
	case a.Closed:
		row.State, row.Note = state{Icon: "block", Text: "Disabled"}, ""
	case a.State == flow.Held && a.Holding != nil:
		row.State.Text = "Kept"
	case a.State == flow.Held:
		row.State.Text = "Held back"
	}
	return row
}

// baseline says that nobody here gave it, and since when it is known.
func (v viewer) baseline(r dayone.Reason) string {
	if day, is := r.Seen(); is {
		return v.say("nobody here gave it; it was seen first on %s", v.date(day.Add(12*time.Hour)).Text)
	}
	return v.label(textDriftBaseline)
}

// newReason is the chain of proof: what HR said, the policy's line, the step, what the system confirmed.
func newReason(view viewer, person string, a flow.Access, x policy.Explanation) reason {
	v := reason{Text: view.label("Why"), Why: &link{"Explain", whyHref(person, a.Key)}}
	switch {
	case len(a.Reasons) == 1:
		if v.Text = a.Reasons[0].Title; a.Reasons[0].Policy == dayone.Baseline {
			v.Text = view.label("Seen, not given")
		}
	case len(a.Reasons) > 1:
		v.Text = view.say("%s and %d more", a.Reasons[0].Title, len(a.Reasons)-1)
	case a.Implied:
		v.Text = view.label("Brought along by another grant")
	}
	because := make([]dayone.Reason, 0, len(a.Reasons))
	for _, r := range a.Reasons {
		because = append(because, r.Reason)
	}
	for _, l := range x.Won(because, a.Role) {
		for _, c := range l.Conditions {
			for _, r := range c.Reads {
				entry := chained{Head: "HR", Text: view.label(attrText(r.Name)) + " " + cmp.Or(view.read(r.Value), view.label("unknown"))}
				if !slices.Contains(v.Chain, entry) {
					v.Chain = append(v.Chain, entry)
				}
			}
		}
	}
	for _, r := range a.Reasons {
		if r.Policy == dayone.Baseline {
			v.Chain = append(v.Chain, chained{Head: "Baseline", Text: view.baseline(r.Reason)})
			continue
		}
		v.Chain = append(v.Chain, chained{Head: "Policy", Text: r.Title, Code: r.At, Href: policyHref(r.Reason)})
	}
	for _, g := range x.Votes {
		v.Chain = append(v.Chain, chained{Head: "Approval", Text: whoAgreed(view, g), At: view.at(g.At)})
	}
	h := a.Holding
	if h == nil {
		v.Chain = append(v.Chain, chained{Head: "Step", Text: view.label("none yet")})
		return v
	}
	if h.Run != "" {
		v.Chain = append(v.Chain, chained{Head: "Step", Text: view.label("the run that gave it"), Href: "/runs/" + string(h.Run)})
	}
	v.Chain = append(v.Chain, chained{Head: "Confirmed", Text: a.Title, At: view.at(h.Confirmed)})
	return v
}

func (p *portal) personRuns(w http.ResponseWriter, r *http.Request) error {
	row, head, err := p.aboutPerson(r, "runs")
	if err != nil {
		return err
	}
	before := r.URL.Query().Get("before")
	list, err := p.flow.Runs(r.Context(), flow.RunFilter{Person: row.ID, Before: dayone.RunID(before), Limit: pageSize + 1})
	if err != nil {
		return err
	}
	v := personRunsView{Head: head}
	if path := "/people/" + string(row.ID) + "/runs"; len(list) > pageSize {
		list = list[:pageSize]
		v.Next = address(path, url.Values{"before": {string(list[pageSize-1].ID)}})
	}
	if before != "" {
		v.Newest = "/people/" + string(row.ID) + "/runs"
	}
	if v.Rows, err = p.runRows(r, list, pageSize); err != nil {
		return err
	}
	if len(list) == 0 {
		v.Empty = &empty{Icon: "play", Title: "No run yet", Text: "A run starts when something is to be done for this person."}
	}
	return p.showPerson(w, r, "person-runs", row, v)
}

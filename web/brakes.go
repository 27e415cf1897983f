package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

type brakesView struct {
	Sentence  string
	Problem   *notice
	On        []item
	Sources   []sourceRow
	Missing   []item
	More      string
	Announced []announcedRow
	Announce  announceForm
	Past      []item
	MorePast  bool // a table has the others

	MayAnnounce, MayRead bool // what would only be refused is not offered
}

type sourceRow struct {
	Name, Note, Reads, Limit string
	At                       *stamp
	Brake                    *link
}

// missingShown is how many people the page names whom a list lacks.
const missingShown = 50

var brakeOn = state{Icon: "pause", Class: "s-wait", Text: "Holds"}

// brakeTitle is the same in English, as programs read it.
func brakeTitle(b dayone.Brake) string { return viewer{}.brakeTitle(b) }

// brakeTitle says in words which limit was passed where.
func (v viewer) brakeTitle(b dayone.Brake) string {
	rule, veiled := strings.CutSuffix(b.Rule, dayone.BrakeVeiled)
	what := rule
	switch {
	case rule == dayone.BrakeTerminations:
		what = v.label("terminations")
	case rule == dayone.BrakeRead:
		what = v.label("a whole list")
	case rule == dayone.BrakeChanged:
		what = v.label("not what was reviewed")
	case rule == dayone.BrakeList:
		what = v.label("far fewer accounts than before")
	case rule == dayone.BrakeRemovals:
		what = v.label("accesses that would go")
	case strings.HasPrefix(rule, dayone.BrakeBody):
		what = v.label("a whole body")
	case strings.HasPrefix(rule, dayone.BrakeShift):
		what = v.say("the %s of many", v.in.Inside(attrText(strings.TrimPrefix(rule, dayone.BrakeShift))))
	case strings.HasPrefix(rule, dayone.BrakeEmpty):
		what = v.say("the last of %s", strings.TrimPrefix(rule, dayone.BrakeEmpty))
	}
	if veiled {
		what = v.say("%s, confidential", what)
	}
	return sentence(what) + " (" + v.scoped(b.Scope) + ")"
}

// scoped is what a brake holds: a system by its title. The name of a source stays as it is written.
func (v viewer) scoped(scope string) string {
	name := dayone.AfterScope(scope)
	if v.systems == nil || !strings.HasPrefix(scope, "system:") {
		return name
	}
	return cmp.Or(v.systems(name), name)
}

func brakeItem(view viewer, b dayone.Brake) item {
	st := brakeOn
	it := item{Title: link{view.brakeTitle(b), "/brakes/" + string(b.ID)}, Meta: joined("; ", sentence(view.found(b.Note)), view.plural(b.Held, "1 is held", "%d are held"), view.label("since")), At: view.at(b.Opened)}
	if b.State != dayone.BrakeOn {
		st = brakeState(b.State)
		it.Meta, it.At = joined("; ", sentence(view.found(b.Note)), view.plural(b.Held, "1 was held", "%d were held"), view.say("held since %s", view.at(b.Opened).Text), view.label("decided")), view.at(b.Closed)
		if b.By != "" {
			it.Next = view.decidedBy(b)
		}
	} else {
		it.Next = view.label("Look at what would change, then let it through or throw it away. Everything else goes on.")
		switch p := b.Proposed; {
		case p != nil && p.Stale:
			it.Next = view.label("What was proposed counts for nothing: something has joined or left since. Look at it again.")
		case p != nil:
			it.Next = view.say("%s wants it let through; it waits for a second person.", p.By)
		}
	}
	it.State = &st
	return it
}

func (v viewer) decidedBy(b dayone.Brake) string {
	by := b.By
	if b.Second != "" {
		by = v.list([]string{by, b.Second})
	}
	return by + ": " + b.Reason
}

func brakeState(s dayone.BrakeState) state {
	switch s {
	case dayone.BrakeReleased:
		return state{Icon: "check", Class: "s-done", Text: "Let through"}
	case dayone.BrakeDiscarded:
		return state{Icon: "block", Text: "Thrown away"}
	case dayone.BrakeReplaced:
		return state{Icon: "skip", Text: "No longer needed"}
	}
	return brakeOn
}

// brakesShown is how many brakes a page shows; a table has all of them.
const brakesShown = 200

func (p *portal) brakes(w http.ResponseWriter, r *http.Request) error {
	return p.showBrakes(w, r, http.StatusOK, nil)
}

func (p *portal) showBrakes(w http.ResponseWriter, r *http.Request, status int, problem *notice) error {
	ctx := r.Context()
	list, err := p.flow.Brakes(ctx, false, brakesShown+1)
	if err != nil {
		return err
	}
	more := len(list) > brakesShown
	if more {
		list = list[:brakesShown]
	}
	sources, err := p.flow.SourceStates(ctx)
	if err != nil {
		return err
	}
	missing, err := p.flow.Absent(ctx, missingShown+1)
	if err != nil {
		return err
	}
	announced, err := p.flow.Announced(ctx)
	if err != nil {
		return err
	}
	lay, err := p.layOffs(r, announced)
	if err != nil {
		return err
	}
	v := newBrakes(p.viewerOf(r), list, sources, missing, lay)
	if !p.flow.TwoPersons {
		notice, _ := p.flow.MayAlone()
		v.Announce.Says = saysAlone(p.viewerOf(r), notice)
	}
	v.MorePast = more
	v.Problem, v.MayAnnounce, v.MayRead = problem, p.shows(r, "POST /brakes/announcements"), p.shows(r, "POST /sources/{source}/read")
	for _, f := range []*field{&v.Announce.Count, &v.Announce.From, &v.Announce.Until, &v.Announce.By, &v.Announce.Reason} {
		f.Value = r.PostFormValue(f.Name)
	}
	return p.show(w, r, status, page{Template: "brakes", Title: "Brakes", Nav: "brakes", Crumbs: []link{{"Brakes", ""}}, Main: v})
}

func newBrakes(view viewer, list []dayone.Brake, sources []flow.SourceState, missing []flow.AbsentView, announced []announcedLayOff) brakesView {
	v := brakesView{Sentence: "Nothing is held."}
	for _, b := range list {
		if b.State == dayone.BrakeOn {
			v.On = append(v.On, brakeItem(view, b))
		} else {
			v.Past = append(v.Past, brakeItem(view, b))
		}
	}
	if len(v.On) > 0 {
		v.Sentence = view.plural(len(v.On), "1 brake holds something back until somebody decides.", "%d brakes hold something back until somebody decides.")
	}
	for _, s := range sources {
		row := sourceRow{Name: s.Source, Note: view.heard(s.Note), At: view.at(s.At), Reads: "only when somebody asks"}
		if s.Reads != "" {
			row.Reads = fmt.Sprintf("every day at %s", s.Reads)
		}
		if row.Limit = inEnglish.Say("%d of %d today", s.Passed, s.Limit); s.Off != "" {
			row.Limit = fmt.Sprintf("no brakes: %s", s.Off)
		}
		if s.Brake != "" {
			row.Brake = &link{"Open what is held", "/brakes/" + string(s.Brake)}
		}
		v.Sources = append(v.Sources, row)
		v.Announce.Sources = append(v.Announce.Sources, option{Value: s.Source, Text: s.Source})
	}
	for i, a := range missing {
		if i == missingShown {
			v.More = "There are more; dayone source missing lists them all."
			break
		}
		v.Missing = append(v.Missing, item{Title: link{a.Name, "/people/" + string(a.Person)}, Meta: view.say("%s, %s, missing since", a.Source, a.Subject), At: view.at(a.Since)})
	}
	for _, a := range announced {
		v.Announced = append(v.Announced, announcedRow{Item: a.item(view)})
	}
	v.MayAnnounce, v.MayRead = true, true
	v.Announce.Count = field{ID: "count", Name: "count", Label: "How many will leave", Type: "number", Required: true}
	v.Announce.From = field{ID: "from", Name: "from", Label: "From", Hint: "The first day on which HR may say so", Type: "date", Required: true}
	v.Announce.Until = field{ID: "until", Name: "until", Label: "Until", Hint: "The last such day", Type: "date", Required: true}
	v.Announce.By = field{ID: "a-by", Name: "by", Label: "Who announces it", Hint: "May stay empty: then whoever is logged in", Type: "text"}
	v.Announce.Says = "Nobody passes by it before somebody else with a login of their own confirms it."
	v.Announce.Reason = field{ID: "a-reason", Name: "reason", Label: "Reason, for the record", Type: "text", Required: true}
	return v
}

type brakeView struct {
	ID, Title, Note string
	State           state
	Problem, Over   *notice
	Waits           *notice
	Items           []item
	Total           string
	Held            pager // of those items
	Hash            string
	Others          bool // whoever looks does not decide
	Facts           []pair
	By, Reason      field
	Proposed        *notice // what somebody wants let through
	Go, Says        string  // the button that lets it through, and what that does; "": whoever looks may not
	Nothing, Thrown string  // what it means if nobody is in it, and what throwing it away does
	List            []figureRow
	Missing         *missingView
}

// figureRow is one figure of a list; the first of a sum stands over its parts.
type figureRow struct {
	Name, Hint string
	Value      int
	Whole      bool
}

// heldAfter is the word of an address for the page of what a brake holds: those who are missing from a list have their own.
const heldAfter = "held_after"

func brakeID(r *http.Request) (dayone.BrakeID, error) {
	id := r.PathValue("id")
	if !dayone.ValidID("brk", id) {
		return "", fmt.Errorf("%q is no id of a brake: %w", id, dayone.ErrNotFound)
	}
	return dayone.BrakeID(id), nil
}

func (p *portal) brake(w http.ResponseWriter, r *http.Request) error {
	id, err := brakeID(r)
	if err != nil {
		return err
	}
	return p.showBrake(w, r, http.StatusOK, id, nil)
}

func (p *portal) showBrake(w http.ResponseWriter, r *http.Request, status int, id dayone.BrakeID, problem *notice) error {
	b, err := p.flow.BrakeFrom(r.Context(), id, r.URL.Query().Get(heldAfter), pageSize)
	if err != nil {
		return err
	}
	view := p.viewerOf(r)
	v := newBrake(view, b)
	v.Held = heldPager(b, r.URL.Query().Get(heldAfter))
	v.Others = b.State == dayone.BrakeOn && othersDecide(me(r), b.Brake)
	if v.Problem = problem; b.List != nil {
		q := r.URL.Query()
		filter, err := missingFilter(q, pageSize)
		if err != nil {
			return err
		}
		missing, err := p.flow.MissingFrom(r.Context(), b, filter)
		if err != nil {
			return err
		}
		v.Missing = newMissing(view, b, q, missing)
	}
	for _, f := range []*field{&v.By, &v.Reason} {
		f.Value = r.PostFormValue(f.Name)
	}
	return p.show(w, r, status, page{Template: "brake", Title: v.Title, Nav: "brakes", Crumbs: []link{{"Brakes", "/brakes"}, {v.Title, ""}}, Main: v})
}

// heldPager leads through what a brake holds.
func heldPager(b flow.BrakeView, after string) (out pager) {
	path := "/brakes/" + string(b.ID)
	if after != "" {
		out.First = path
	}
	if b.Next != "" {
		out.Next = address(path, url.Values{heldAfter: {b.Next}})
	}
	return out
}

func newBrake(view viewer, b flow.BrakeView) brakeView {
	v := brakeView{ID: string(b.ID), Title: view.brakeTitle(b.Brake), Note: sentence(view.found(b.Note)), State: brakeState(b.State), Hash: b.Hash, List: listFigures(b.List)}
	v.Nothing, v.Thrown = brakeMeans(b.Brake)
	v.Total = view.plural(b.Held, "1 in all", "%d in all")
	for _, h := range b.Items {
		it := item{Title: link{h.Name, ""}, Next: sentence(view.heard(h.What))}
		if h.Person != "" {
			it.Title.Href = "/people/" + string(h.Person)
		}
		if h.Subject != h.Name {
			it.Meta = h.Subject
		}
		if h.Mark == "" {
			it.Next = view.label("Not looked at yet")
		}
		var lines []string
		for _, l := range h.Lines {
			lines = append(lines, view.heldLine(l))
		}
		it.Small = strings.Join(lines, "; ")
		v.Items = append(v.Items, it)
	}
	v.Facts = []pair{{Name: "Held", Value: fmt.Sprint(b.Held)}, {Name: "Since", At: view.at(b.Opened)}}
	if b.State != dayone.BrakeOn {
		v.Over = &notice{Icon: "info", Title: brakeState(b.State).Text, Text: "Nothing is held here any more."}
		if b.By != "" {
			v.Over.Text = view.decidedBy(b.Brake)
		}
		v.Facts = append(v.Facts, pair{Name: "Decided", At: view.at(b.Closed)})
		return v
	}
	v.Facts = append(v.Facts, pair{Name: "Reviewed as", Value: b.Hash, Code: true})
	if b.Unseen > 0 {
		v.Waits = &notice{Icon: "clock", Title: "Some of it is still being looked at", Text: plural(b.Unseen, "1 event is read at its source first. Load the page again.", "%d events are read at their source first. Load the page again.")}
	}
	v.By = field{ID: "by", Name: "by", Label: "Who decides", Hint: "May stay empty: then whoever is logged in", Type: "text"}
	v.Reason = field{ID: "reason", Name: "reason", Label: "Reason, for the record", Type: "text", Required: true}
	v.Go, v.Says = "Let it through", "Just what stands here is let through. If it is something else by then, it is refused."
	switch {
	case b.Confirms() && b.Mine:
		v.Go, v.Says = "", "Somebody else with a login of their own lets it through. You can take back what you proposed."
		v.Reason.Required = false
	case b.Confirms():
		v.Go, v.Says = "Confirm, and let it through", "You are the second person: just what stands here is let through. If it is something else by then, it is refused."
		v.Reason.Hint, v.Reason.Required = "May stay empty: then the reason of who proposed it", false
	case b.Second:
		v.Go, v.Says = "Propose to let it through", "So many take two persons: nothing goes before somebody else with a login of their own confirms just what stands here."
	}
	if p := b.Proposed; p != nil {
		v.Proposed = proposedNotice(*p, b.Mine)
		v.Facts = append(v.Facts, pair{Name: "Proposed", At: view.at(p.At)}, pair{Name: "Proposed by", Value: p.By}, pair{Name: "Why", Value: p.Reason})
	}
	return v
}

// proposedNotice says what comes of a proposed release; who wants it, and why, stand among the facts.
func proposedNotice(p dayone.ProposedRelease, mine bool) *notice {
	switch {
	case p.Stale:
		return &notice{Kind: "warn", Icon: "warn", Title: "What was proposed counts for nothing", Text: "Something has joined or left since. Look at it again, and propose it anew.", Act: &link{"Decide", "#h-go"}}
	case mine:
		return &notice{Icon: "hand", Title: "Waits for a second person", Text: "You proposed it. It takes somebody else with a login of their own."}
	}
	return &notice{Icon: "hand", Title: "Waits for a second person", Text: "Somebody proposed to let it through. Confirm it, or throw it away.", Act: &link{"Decide", "#h-go"}}
}

// listFigures are two sums that a reader can check: the records of the list, and the employments in the books.
func listFigures(l *dayone.ListFigures) []figureRow {
	if l == nil {
		return nil
	}
	out := []figureRow{
		{Name: "Records of the last list that counted", Value: l.Before, Whole: true},
		{Name: "Records of this list", Value: l.Records, Whole: true},
		{Name: "of employments in the books", Value: l.There},
		{Name: "of people who are new", Value: l.New},
	}
	if l.Unusable > 0 {
		out = append(out, figureRow{Name: "of nobody we know, and of no use", Value: l.Unusable})
	}
	out = append(out, figureRow{Name: "Employments in the books, of this source", Value: l.Known, Whole: true}, figureRow{Name: "in this list", Value: l.There})
	if l.Unfit {
		return append(out, figureRow{Name: "not in it", Value: l.Aside, Hint: "Nobody counts as missing: the list is empty, or has records that are older than what is known or cannot be used"})
	}
	return append(out, figureRow{Name: "missing from it", Value: l.Missing},
		figureRow{Name: "not in it, and not missing", Value: l.Aside, Hint: "They have left, leave today, or are newer than the list"})
}

// brakeMeans says what it means if nobody is in a brake, and what throwing away does.
func brakeMeans(b dayone.Brake) (nothing, thrown string) {
	switch {
	case b.Rule == dayone.BrakeList:
		return "No access is taken by this. Until it is let through, no leaver's certificate calls this system closed. Let through, the next list is measured by this one.",
			"Thrown away, the list is still not believed, and the next one that is so short comes again."
	case strings.HasPrefix(b.Rule, dayone.BrakeRead):
		return "Nobody's data would change. Nobody leaves for being missing from a list; a source that is set up so that they do has them here as terminations.",
			"Let through, what stands here goes into the books, and the list counts: the next one is measured by it, and the page Brakes names who is missing from it. Thrown away, what stands here counts for nothing, the next list is measured by the last one that counted, and is held again if it is still so short."
	case strings.HasPrefix(b.Scope, "source:"):
		return "Nothing would change. Let through, a list counts as the source's list of today.",
			"Thrown away, these events count for nothing. What is still so at the source comes again with its next list."
	}
	return "Nothing would change.", "Thrown away, they keep these accesses for 30 days; then somebody is asked."
}

// heldLine is one change in words.
func (v viewer) heldLine(l dayone.HeldLine) string {
	what := v.in.Inside(attrText(strings.ReplaceAll(l.What, " ", "_")))
	l.Was, l.Is = v.isoDays(l.Was), v.isoDays(l.Is)
	switch {
	case l.Is == "":
		return v.say("%s: %s goes", sentence(what), l.Was)
	case l.Was == "":
		return v.say("%s becomes %s", sentence(what), l.Is)
	}
	return v.say("%s: %s becomes %s", sentence(what), l.Was, l.Is)
}

// othersDecide: what few may know is HR's to decide; the rest is the operators'.
func othersDecide(w who, b dayone.Brake) bool { return w.Role == dayone.HR && !b.Veiled() }

// verdict carries out what a form or a call says about a brake.
func (p *portal) verdict(r *http.Request, id dayone.BrakeID, d flow.BrakeDecision) (dayone.Brake, error) {
	if me(r).Role == dayone.HR {
		b, err := p.flow.Brake(r.Context(), id)
		if err == nil && othersDecide(me(r), b.Brake) {
			err = fmt.Errorf("an operator or administrator decides about this brake: %w", dayone.ErrForbidden)
		}
		if err != nil {
			return dayone.Brake{}, err
		}
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/release"):
		return p.flow.ReleaseBrake(r.Context(), id, d)
	case strings.HasSuffix(r.URL.Path, "/take-back"):
		return p.flow.TakeBackRelease(r.Context(), id, d)
	}
	return p.flow.DiscardBrake(r.Context(), id, d)
}

// refused says whether an error is one for whoever asked.
func refused(err error) bool {
	for _, kind := range []error{dayone.ErrInvalid, dayone.ErrConflict, dayone.ErrForbidden, dayone.ErrNotYet, dayone.ErrUnavailable, dayone.ErrUnsupported, dayone.ErrAuth} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

func notDone(view viewer, err error) *notice {
	return &notice{Kind: "bad", Icon: "x", Title: "Not done", Text: view.problem(err) + "."}
}

func (p *portal) decideBrake(w http.ResponseWriter, r *http.Request) error {
	id, err := brakeID(r)
	if err != nil {
		return err
	}
	if err := only(r, "hash", "by", "reason"); err != nil {
		return err
	}
	b, err := p.verdict(r, id, flow.BrakeDecision{Hash: r.PostFormValue("hash"), By: r.PostFormValue("by"), Reason: r.PostFormValue("reason")})
	if refused(err) {
		return p.showBrake(w, r, http.StatusConflict, id, notDone(p.viewerOf(r), err))
	}
	if err != nil {
		return err
	}
	said := string(b.State)
	switch {
	case b.State == dayone.BrakeOn && b.Proposed != nil:
		said = "release proposed"
	case b.State == dayone.BrakeOn:
		said = "release taken back"
	}
	http.Redirect(w, r, "/brakes?said="+url.QueryEscape(said), http.StatusSeeOther)
	return nil
}

func (p *portal) readSource(w http.ResponseWriter, r *http.Request) error {
	_, err := p.flow.ReadSource(r.Context(), r.PathValue("source"), me(r).Name)
	if refused(err) {
		return p.showBrakes(w, r, http.StatusConflict, notDone(p.viewerOf(r), err))
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/brakes?said=read", http.StatusSeeOther)
	return nil
}

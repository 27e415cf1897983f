package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// undoView is what an undo would do, before anybody says that it shall.
type undoView struct {
	ID, Title string
	Person    link
	Sum       string
	Refused   *notice // why it cannot be undone
	Problem   *notice // what was wrong with the order
	About     *notice // of a run under way
	Does      []item
	Steps     string // how many steps do that
	Stays     []item
	Absent    []item // not there to be taken back any more
	Numbers   []item // telephone numbers, which no undo takes
	Held      []string
	HeldNote  string
	Reason    string
	Until     field
	Button    string
	Hash      string
	Chosen    []string // step numbers; empty: the whole run
	Choices   []undoChoice
}

type undoChoice struct {
	Number  int
	Title   string
	Key     string
	Checked bool
}

// undoFound makes errors of an undo readable: what they say was written for whoever decides about it.
func undoFound(err error) error {
	if err == nil || !errors.Is(err, dayone.ErrConflict) && !errors.Is(err, dayone.ErrInvalid) {
		return err
	}
	return said(err, sentence(flow.Problem(err))+".")
}

// undo shows what an undo would do.
func (p *portal) undo(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	if err := askable(q, []string{"step"}); err != nil { // else it would be the undo of the whole run
		return err
	}
	return p.showUndo(w, r, http.StatusOK, id, q["step"], nil)
}

func (p *portal) showUndo(w http.ResponseWriter, r *http.Request, status int, id dayone.RunID, chosen []string, problem *notice) error {
	run, err := p.flow.RunOf(r.Context(), id)
	if err != nil {
		return err
	}
	b := board{run: run, view: p.viewerOf(r), titles: p.titles(), kinds: p.kindTitles()}
	steps, err := flow.StepsNamed(run, chosen)
	if err != nil {
		return undoFound(err)
	}
	u, err := p.flow.UndoPreview(r.Context(), id, steps)
	v := undoView{ID: string(id), Title: b.runTitle(), Problem: problem}
	switch {
	case errors.Is(err, dayone.ErrConflict):
		v.Refused = &notice{Kind: "warn", Icon: "warn", Title: "This run cannot be undone", Text: sentence(b.view.heard(flow.Problem(err))) + "."}
		if u.Waits != "" {
			v.Refused.Act = &link{"Open that run", "/runs/" + string(u.Waits)}
		}
		if u.Waits == "" && len(u.Tasks) == 0 && p.shows(r, "GET /policies") { // what is wanted otherwise is said there
			v.Refused.Act = &link{"Policies", "/policies"}
		}
		if problem != nil && problem.Text == v.Refused.Text { // once is enough
			v.Problem = nil
		}
		if len(u.Tasks) > 0 {
			v.Refused.Also = &link{"Open the task", "/tasks/" + string(u.Tasks[0].ID)}
		}
	case err != nil:
		return undoFound(err)
	default:
		v = newUndo(&b, u, problem)
	}
	if v.Refused == nil {
		if v.Numbers, err = p.numbersAhead(r, run.Person, false); err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return err
		}
	}
	v.Reason, v.Until.Value = r.PostFormValue("reason"), r.PostFormValue("until")
	switch row, err := p.flow.Person(r.Context(), run.Person); {
	case err == nil:
		v.Person = link{row.Name, "/people/" + string(row.ID)}
	case !errors.Is(err, dayone.ErrNotFound):
		return err
	}
	return p.show(w, r, status, page{Template: "undo", Title: b.view.say("Undo: %s", b.runTitle()), Nav: "runs", Crumbs: []link{{"Runs", "/runs"}, {b.runTitle(), "/runs/" + string(id)}, {"Undo", ""}}, Main: v})
}

// newUndo is the page of a preview.
func newUndo(b *board, u flow.Undoing, problem *notice) undoView {
	v := undoView{ID: string(u.Run.ID), Title: b.view.runTitle(u.Run.Title), Problem: problem, Hash: u.Hash}
	for i, s := range u.Run.Steps {
		if s.Of != "" || s.State == dayone.StepUndone {
			continue
		}
		c := undoChoice{i + 1, b.stepAt(s.Step), s.Step.Key.String(), slices.Contains(u.Steps, s.Step.ID)}
		v.Choices = append(v.Choices, c)
		if c.Checked {
			v.Chosen = append(v.Chosen, fmt.Sprint(c.Number))
		}
	}
	instead := map[dayone.Key]string{}
	for _, f := range u.Instead() {
		instead[f.Key] = joined(" ", instead[f.Key], sentence(b.view.heard(f.Text))+".")
	}
	for _, s := range u.Plan.Steps {
		it := item{Title: link{b.stepAt(s), ""}, Meta: s.Key.String(), Next: instead[s.Key]}
		if h, people := u.Handed[s.ID]; people {
			it.State = &taskState
			it.Next = joined(" ", it.Next, handedText(b.view, h))
		}
		v.Does = append(v.Does, it)
	}
	for _, a := range u.Along {
		// its step in the run gave it, which is no title of what goes
		v.Does = append(v.Does, item{Title: link{b.view.thingAt(b.titles, b.kinds, a.Step.Key), ""}, Meta: a.Step.Key.String(), Next: sentence(b.view.heard(a.Why)) + "."})
	}
	for _, f := range u.Stays() {
		v.Stays = append(v.Stays, item{Title: link{b.view.thingAt(b.titles, b.kinds, f.Key), ""}, Meta: f.Key.String(), Next: sentence(b.view.heard(f.Text)) + "."})
	}
	for _, f := range u.Absent() {
		v.Absent = append(v.Absent, item{Title: link{b.view.thingAt(b.titles, b.kinds, f.Key), ""}, Meta: f.Key.String(), Next: sentence(b.view.heard(f.Text)) + "."})
	}
	steps, along := len(u.Plan.Steps), len(u.Along)
	if v.Steps = b.view.plural(steps, "1 step", "%d steps"); along > 0 {
		v.Steps += "; " + b.view.plural(along, "1 more goes along with its account", "%d more go along with their accounts")
	}
	var sum []string
	if u.Held > 0 {
		sum = append(sum, b.view.plural(u.Held, "1 access is held back", "%d accesses are held back"))
	}
	if u.Given > 0 {
		sum = append(sum, b.view.plural(u.Given, "1 access is given back", "%d accesses are given back"))
	}
	if len(sum) == 0 {
		sum = append(sum, b.view.plural(steps, "1 step is taken back", "%d steps are taken back"))
	}
	v.Sum = strings.Join(append(sum, b.view.plural(len(v.Stays), "1 thing stays", "%d things stay")), ", ") + "."
	if n := len(u.Handed); n > 0 {
		v.Sum += " " + b.view.plural(n, "1 step is done by people: it opens a task.", "%d steps are done by people: each opens a task.")
	}
	v.Button = b.view.plural(steps, "Undo 1 step", "Undo %d steps") // as many as its run will have
	for _, k := range u.Keys {
		v.Held = append(v.Held, k.String())
	}
	until := b.view.at(u.Until).Text
	switch {
	case u.Keep:
		v.HeldNote = fmt.Sprintf("They have left, so policies would take all of this away at once. Until %s they do not; then they do.", until)
	default:
		v.HeldNote = fmt.Sprintf("Until %s policies neither give nor take any of this. Then a task asks what is to become of it.", until)
	}
	v.Until = field{ID: "until", Name: "until", Label: "Leave it alone until", Hint: "A day within a year. Seven days if empty.", Type: "date"}
	switch {
	case u.Live && len(u.Steps) == 0:
		v.About = &notice{Icon: "info", Title: "This run is under way", Text: "It turns back from wherever it is by then: nothing new starts, calls under way come back first and are taken back as well, and messages that have not gone do not go."}
	case u.GivesUp != "":
		v.About = &notice{Icon: "info", Title: "A run of this person is under way", Text: "It is given up first: nothing new starts in it, and what it has done stays. What is still wanted goes on in a new run afterwards.", Act: &link{"Open that run", "/runs/" + string(u.GivesUp)}}
	}
	if u.Nothing() {
		v.Refused = &notice{Kind: "warn", Icon: "warn", Title: "Nothing can be taken back", Text: "Why stands below. Choose other steps, or change policies."}
	}
	return v
}

// taskState is how a preview marks a step that people do.
var taskState = state{Icon: "task", Class: "s-wait", Text: "Opens a task"}

// handedText says who does a step by hand, and what they do.
func handedText(view viewer, h flow.Handed) string {
	text := view.label("Nothing does this by itself: it becomes a task that nobody has yet.")
	if h.To != "" {
		text = view.say("Nothing does this by itself: it becomes a task for %s.", view.deciders([]string{h.To}))
	}
	if h.What != "" {
		text += " " + sentence(strings.TrimRight(view.heard(h.What), ".")) + "."
	}
	return text
}

// undoIt does what was shown.
func (p *portal) undoIt(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	if err := only(r, "step", "hash", "reason", "until"); err != nil {
		return err
	}
	f := r.PostForm
	by, err := p.undoRun(r.Context(), id, f["step"], f.Get("reason"), f.Get("hash"), f.Get("until"), me(r).Name)
	if errors.Is(err, dayone.ErrConflict) || errors.Is(err, dayone.ErrInvalid) {
		n := &notice{Kind: "bad", Icon: "x", Title: "It was not undone", Text: p.viewerOf(r).problem(err) + "."}
		return p.showUndo(w, r, http.StatusConflict, id, f["step"], n)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/runs/"+string(by)+"?said=undo", http.StatusSeeOther)
	return nil
}

func (p *portal) undoRun(ctx context.Context, id dayone.RunID, names []string, reason, hash, until, by string) (dayone.RunID, error) {
	run, err := p.flow.RunOf(ctx, id)
	if err != nil {
		return "", err
	}
	o := flow.UndoOrder{Run: id, By: by, Reason: reason, Hash: hash}
	if o.Steps, err = flow.StepsNamed(run, names); err != nil {
		return "", err
	}
	if until != "" {
		row, err := p.flow.Person(ctx, run.Person)
		if err != nil {
			return "", err
		}
		if o.Until, err = p.endOfDay(row, until); err != nil {
			return "", err
		}
	}
	return p.flow.Undo(ctx, o)
}

// undone says on the page of a run that it was taken back, or what it takes back.
func (p *portal) undone(ctx context.Context, v *runView, b *board) error {
	if run := b.run; run.Of != "" {
		why, err := p.orderText(ctx, b)
		if err != nil {
			return err
		}
		if run.Of == run.ID {
			what := b.view.label("What it had done is taken back, as far as that was possible. Its hold stands on the person's page.")
			v.Undone = &notice{Icon: "info", Title: "Somebody turned this run back", Text: joined(" ", why, what)}
			return nil
		}
		v.Undone = &notice{Icon: "info", Title: "This run takes another one back", Text: joined(" ", why, b.view.label(undoneText(run))), Act: &link{"Open that run", "/runs/" + string(run.Of)}}
		return nil
	}
	list, err := p.flow.UndoneBy(ctx, b.run.ID)
	if err != nil {
		return err
	}
	last := b.gone.By
	if last == "" && len(list) > 0 {
		last = list[0].ID
	}
	if last != "" {
		v.Undone = goneNotice(b.gone, b.run.ID, last)
	}
	v.Undo = b.undoAt()
	return nil
}

// orderText says who asked for an undo, and why; "": it is not known any more.
func (p *portal) orderText(ctx context.Context, b *board) (string, error) {
	h, err := p.flow.OrderOf(ctx, b.run)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	}
	return b.view.say("Asked for by %s: %s.", h.By, strings.TrimRight(h.Reason, ".")), nil
}

// goneText says in a few words how far a run was taken back.
func goneText(t flow.TakenBack) string {
	switch {
	case t.Under:
		return "Being taken back"
	case t.Whole:
		return "Taken back"
	default:
		return "Taken back in part"
	}
}

// goneNotice says how far undos have taken a run back, and leads to the last of them.
func goneNotice(gone flow.TakenBack, run, last dayone.RunID) *notice {
	n, along := notice{Icon: "info", Act: &link{"Open the undo", "/runs/" + string(last)}}, gone.Of != run
	switch {
	case gone.Under && along:
		n.Title, n.Text = "This run is being taken back", "It goes with an earlier run that is being undone. What is taken back already stands in its steps."
	case gone.Under:
		n.Title, n.Text = "This run is being taken back", "What is taken back already stands in its steps."
	case gone.Whole && along:
		n.Title, n.Text = "This run was taken back", "It went with an earlier run that was undone. Nothing of it is left but what nobody can take back."
	case gone.Whole:
		n.Title, n.Text = "This run was taken back", "Nothing of it is left but what nobody can take back."
	case gone.By != "" && along:
		n.Title, n.Text = "This run was taken back in part", "That part went with an earlier run that was undone. Its other steps stay as they are."
	case gone.By != "":
		n.Title, n.Text = "This run was taken back in part", "Its other steps stay as they are."
	default:
		n.Title, n.Text = "An undo of this run has taken nothing back", "Why stands in the steps of the undo."
	}
	return &n
}

// undoneText says where what stayed stands, if anything did.
func undoneText(run dayone.Run) string {
	stays := 0
	for i := range run.Steps {
		switch run.Steps[i].State {
		case dayone.StepFailed, dayone.StepBlocked, dayone.StepSkipped, dayone.StepUndoFailed:
			stays++
		}
	}
	if stays == 0 {
		return "Its steps are what is taken back."
	}
	return "What could not be taken back, and why, stands in its steps below."
}

// holdItem is a hold on the page of its person, which lists what she has.
func holdItem(view viewer, h dayone.Hold, list []flow.Access) item {
	var keys, hers []dayone.Key
	for _, a := range list {
		if h.Covers(a.Key) {
			hers = append(hers, a.Key)
		}
		if h.Covers(a.Key) && a.HeldBack() {
			keys = append(keys, a.Key)
		}
	}
	switch { // none is held back of a leaver's, or before the undo has begun
	case len(keys) > 0:
	case len(hers) > 0:
		keys = hers
	default:
		keys = h.Keys
	}
	it := item{
		State: &state{Icon: "pause", Class: "s-wait", Text: "Held"}, Title: link{view.plural(len(keys), "1 access", "%d accesses"), "/runs/" + string(h.Run)}, At: view.at(h.Until),
		Meta: view.say("%s. Until", joined(", ", h.Reason, view.say("by %s", h.By))), Next: view.say("Policies neither give nor take: %s.", keysText(view, keys)),
		Acts: []act{{Text: "End the hold now", Action: "/holds/" + string(h.ID) + "/end"}},
	}
	if h.Away {
		it.State.Text, it.Next = "Withheld", view.say("A review says that it is not needed: %s. Policies do not give it until then.", keysText(view, keys))
		if h.Run == "" {
			it.Title.Href = ""
		}
	}
	if h.Keep {
		it.Next = view.say("Stays although they have left: %s. It goes when the hold ends.", keysText(view, keys))
	}
	return it
}

// keysText names a few keys and counts the rest.
func keysText(view viewer, keys []dayone.Key) string {
	const most = 4
	var out []string
	for _, k := range keys[:min(most, len(keys))] {
		out = append(out, view.titled(k))
	}
	text := strings.Join(out, ", ")
	if more := len(keys) - most; more > 0 {
		text = view.say("%s and %d more", text, more)
	}
	return text
}

func (p *portal) endHold(w http.ResponseWriter, r *http.Request) error {
	h, err := p.holdOf(r)
	if err != nil {
		return err
	}
	if err := p.flow.EndHold(r.Context(), h.ID, me(r).Name, ""); err != nil {
		return undoFound(err)
	}
	http.Redirect(w, r, "/people/"+string(h.Person)+"?said=hold", http.StatusSeeOther)
	return nil
}

func (p *portal) holdOf(r *http.Request) (dayone.Hold, error) {
	id := r.PathValue("id")
	if !dayone.ValidID("hld", id) {
		return dayone.Hold{}, fmt.Errorf("%q is no id of a hold: %w", id, dayone.ErrNotFound)
	}
	return p.flow.Hold(r.Context(), dayone.HoldID(id))
}

// The API's own words.

type apiUndo struct {
	Run     dayone.RunID    `json:"run"`
	Steps   []dayone.StepID `json:"steps"` // chosen; empty: all
	Live    bool            `json:"live"`
	GivesUp dayone.RunID    `json:"gives_up,omitempty"`
	Does    []apiUndoStep   `json:"does"`
	Stays   []apiUndoNote   `json:"stays"`
	Absent  []apiUndoNote   `json:"absent"` // not there to be taken back any more
	Holds   []dayone.Key    `json:"holds"`
	Keep    bool            `json:"keep"`
	Until   *time.Time      `json:"until,omitempty"`
	Expires *time.Time      `json:"expires,omitempty"`
	Hash    string          `json:"hash"`
}

type apiUndoStep struct {
	Step   dayone.StepID `json:"step"` // that is taken back
	Key    dayone.Key    `json:"key"`
	Action dayone.Action `json:"action"`
	Note   string        `json:"note,omitempty"`
	Task   *apiHanded    `json:"task,omitempty"` // that it opens, since no call does it
}

type apiHanded struct {
	To   string `json:"to,omitempty"`
	What string `json:"what,omitempty"`
}

type apiUndoNote struct {
	Key dayone.Key `json:"key"`
	Why string     `json:"why"`
}

func newAPIUndo(u flow.Undoing) apiUndo {
	out := apiUndo{
		Run: u.Run.ID, Steps: []dayone.StepID{}, Live: u.Live, GivesUp: u.GivesUp, Does: []apiUndoStep{}, Stays: []apiUndoNote{}, Absent: []apiUndoNote{}, Holds: []dayone.Key{}, Keep: u.Keep,
		Until: moment(u.Until), Expires: moment(u.Expires), Hash: u.Hash,
	}
	out.Steps, out.Holds = append(out.Steps, u.Steps...), append(out.Holds, u.Keys...)
	notes := map[dayone.Key]string{}
	for _, f := range u.Instead() {
		notes[f.Key] = joined("; ", notes[f.Key], f.Text)
	}
	for _, s := range u.Plan.Steps {
		one := apiUndoStep{Step: s.Undoes, Key: s.Key, Action: s.Action, Note: notes[s.Key]}
		if h, people := u.Handed[s.ID]; people {
			one.Task = &apiHanded{h.To, h.What}
		}
		out.Does = append(out.Does, one)
	}
	for _, a := range u.Along {
		out.Does = append(out.Does, apiUndoStep{Step: a.Step.ID, Key: a.Step.Key, Action: a.With, Note: a.Why})
	}
	for _, f := range u.Stays() {
		out.Stays = append(out.Stays, apiUndoNote{f.Key, f.Text})
	}
	for _, f := range u.Absent() {
		out.Absent = append(out.Absent, apiUndoNote{f.Key, f.Text})
	}
	return out
}

func (p *portal) apiUndoPreview(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	run, err := p.flow.RunOf(r.Context(), id)
	if err != nil {
		return err
	}
	steps, err := flow.StepsNamed(run, r.URL.Query()["step"])
	if err != nil {
		return undoFound(err)
	}
	u, err := p.flow.UndoPreview(r.Context(), id, steps)
	if err != nil {
		return undoFound(err)
	}
	return answerJSON(w, http.StatusOK, newAPIUndo(u))
}

func (p *portal) apiUndo(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	var in struct {
		Steps  []string `json:"steps"`
		Reason string   `json:"reason"`
		Hash   string   `json:"hash"`
		Until  string   `json:"until"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	by, err := p.undoRun(r.Context(), id, in.Steps, in.Reason, in.Hash, in.Until, me(r).Name)
	if err != nil {
		return undoFound(err)
	}
	return answerJSON(w, http.StatusOK, struct {
		Run dayone.RunID `json:"run"`
	}{by})
}

type apiHold struct {
	ID      dayone.HoldID   `json:"id"`
	Person  dayone.PersonID `json:"person"`
	Name    string          `json:"name,omitempty"`
	Run     dayone.RunID    `json:"run"`
	Keys    []dayone.Key    `json:"keys"`
	Keep    bool            `json:"keep"`
	Away    bool            `json:"away"`
	Reason  string          `json:"reason,omitempty"`
	By      string          `json:"by,omitempty"`
	From    *time.Time      `json:"from,omitempty"`
	Until   *time.Time      `json:"until,omitempty"`
	Due     bool            `json:"due"` // it has come to its end, and somebody has to decide
	Ended   *time.Time      `json:"ended,omitempty"`
	EndedBy string          `json:"ended_by,omitempty"`
}

func newAPIHold(h dayone.Hold, now time.Time) apiHold {
	return apiHold{
		ID: h.ID, Person: h.Person, Run: h.Run, Keys: append([]dayone.Key{}, h.Keys...), Keep: h.Keep, Away: h.Away, Reason: h.Reason, By: h.By, From: moment(h.From), Until: moment(h.Until),
		Due: h.Due(now), Ended: moment(h.Ended), EndedBy: h.EndedBy,
	}
}

func (p *portal) apiHolds(w http.ResponseWriter, r *http.Request) error {
	q, limit := r.URL.Query(), apiLimit(r)
	f := flow.HoldFilter{Person: dayone.PersonID(q.Get("person")), Ended: q.Get("ended") == "true", Before: dayone.HoldID(q.Get("before")), Limit: limit + 1}
	list, err := p.flow.Holds(r.Context(), f)
	if err != nil {
		return err
	}
	out := apiPage[apiHold]{Items: []apiHold{}}
	if len(list) > limit {
		list = list[:limit]
		out.Next = nextPage("/api/v1/holds", q, limit, string(list[limit-1].ID), "person", "ended")
	}
	for _, h := range list {
		item := newAPIHold(h, p.flow.Now())
		row, err := p.flow.Person(r.Context(), h.Person)
		if err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return err
		}
		item.Name = row.Name
		out.Items = append(out.Items, item)
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiEndHold(w http.ResponseWriter, r *http.Request) error {
	h, err := p.holdOf(r)
	if err != nil {
		return err
	}
	if err := p.flow.EndHold(r.Context(), h.ID, me(r).Name, strings.TrimSpace(r.URL.Query().Get("reason"))); err != nil {
		return undoFound(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

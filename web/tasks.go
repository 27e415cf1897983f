package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

type tasksView struct {
	Sentence string
	Groups   []taskGroup
	First    string // where the list begins; "": here
	Next     string // where those are that are due later
	Empty    *empty
}

type taskGroup struct {
	ID, Title string
	Items     []item
}

type taskView struct {
	ID        string
	Title     string
	State     state
	Note      string
	Lines     []string // what to do, step by step
	Technical string   // why a human has to do it
	Links     []string // addresses in the note
	Facts     []pair
	Fields    []field
	Adopt     *adoptView
	Problem   *notice
	Run       link
	Closed    *notice
	Done      []pair // what was supplied
	Assignee  string
	Proof     bool
	Evidence  string // as it was typed
}

// adoptView asks whose an account is.
type adoptView struct {
	Found  string // what the system calls it; "" if the note only describes it
	Retry  string // where it posts to, once the name is free
	Person string
}

// How many tasks a page shows, and the API if nobody says.
const (
	tasksPage   = 100
	tasksLooked = 500
)

func (p *portal) tasks(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f, err := taskFilter(url.Values{"system": q["system"], "after": q["after"]}, tasksPage+1)
	if err != nil {
		return err
	}
	list, err := p.flow.TasksBy(r.Context(), f)
	if err != nil {
		return err
	}
	count, err := p.flow.CountTasks(r.Context(), f)
	if err != nil {
		return err
	}
	at, next := url.Values{}, ""
	if f.System != "" {
		at.Set("system", f.System)
	}
	first := address("/tasks", at)
	if len(list) > tasksPage {
		list = list[:tasksPage]
		last := list[tasksPage-1]
		at.Set("after", dueMark(last.Due, string(last.ID)))
		next = address("/tasks", at)
	}
	known, err := p.todosOf(r.Context(), list)
	if err != nil {
		return err
	}
	v, crumbs := newTasks(p.viewerOf(r), known, count), []link{{"Tasks", ""}}
	if v.Next = next; f.AfterID != "" {
		v.First = first
	}
	if f.System != "" {
		crumbs = []link{{"Tasks", "/tasks"}, {systemTitle(p.titles(), f.System), ""}}
	}
	return p.show(w, r, http.StatusOK, page{Template: "tasks", Title: "Tasks", Nav: "tasks", Crumbs: crumbs, Main: v})
}

// newTasks is the page: count is how many there are, of which list has those of one page, the next due first.
func newTasks(view viewer, list []todo, count int) tasksView {
	groups := []taskGroup{{ID: "overdue", Title: "Overdue"}, {ID: "today", Title: "Due today"}, {ID: "later", Title: "Due later"}}
	v := tasksView{Sentence: view.plural(count, "1 task waits for somebody.", "%d tasks wait for somebody.")}
	for _, d := range list {
		at := 2
		switch n := d.days(view); {
		case n < 0:
			at = 0
		case n == 0:
			at = 1
		}
		groups[at].Items = append(groups[at].Items, taskItem(view, d))
	}
	v.Groups = slices.DeleteFunc(groups, func(g taskGroup) bool { return len(g.Items) == 0 })
	if count == 0 {
		v.Sentence = "Nothing waits for you."
		v.Empty = &empty{Icon: "inbox", Title: "No tasks", Text: "A task appears when a step needs a human: a laptop to order, a system without an API, an account that may be somebody else's."}
	}
	return v
}

// byDue puts first what has to be done first.
func byDue(list []todo) {
	slices.SortStableFunc(list, func(a, b todo) int {
		x, _ := a.due()
		y, _ := b.due()
		return x.Compare(y)
	})
}

// taskItem is a task in a list.
func taskItem(view viewer, d todo) item {
	d.in = view.in
	st := state{Icon: "task", Class: "s-wait", Text: view.say("Due %s", d.dueStamp(view).Text)}
	switch n := d.days(view); {
	case n < 0:
		st = lateState(view, d)
	case n == 0:
		st.Text = "Due today"
	}
	it := item{Title: link{d.title(), "/tasks/" + string(d.task.ID)}, State: &st}
	switch {
	case d.technical():
		it.Next, it.Small = strings.Join(d.facts(), ". "), firstLine(view.label(shortly(d.step.Kind, d.task.Note)))
	default:
		it.Meta, it.Next = joined(", ", d.row.Name, d.system), firstLine(d.task.Note)
	}
	return it
}

// lateState says since when a task is late, and by how much.
func lateState(view viewer, d todo) state {
	by := view.plural(-d.days(view), "1 day", "%d days")
	if at, day := d.due(); !day && view.now.Sub(at) < 24*time.Hour {
		by = view.took(view.now.Sub(at))
	}
	return state{Icon: "x", Class: "s-fail", Text: view.say("Due %s, %s late", d.dueStamp(view).Text, by)}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if r := []rune(line); len(r) > 160 {
		return string(r[:159]) + "…"
	}
	return line
}

func (p *portal) taskOf(r *http.Request) (dayone.Task, error) {
	id := r.PathValue("id")
	if len(id) > 128 {
		return dayone.Task{}, dayone.ErrNotFound
	}
	t, err := p.flow.Task(r.Context(), id)
	is := me(r)
	if err != nil || is.Role == "" || is.Role.In(mayDo(r, everyRole)) { // who completes by a signature has no role, and was looked at before
		return t, err
	}
	hers, err := p.flow.HasTask(r.Context(), t, is.Name)
	if err == nil && !hers {
		err = fmt.Errorf("task %s is not hers: %w", t.ID, dayone.ErrNotFound)
	}
	if err != nil {
		return dayone.Task{}, err
	}
	return t, nil
}

func (p *portal) task(w http.ResponseWriter, r *http.Request) error {
	t, err := p.taskOf(r)
	if err != nil {
		return err
	}
	v, err := p.taskPage(r, t, nil)
	if err != nil {
		return err
	}
	return p.showTask(w, r, http.StatusOK, v)
}

func (p *portal) showTask(w http.ResponseWriter, r *http.Request, status int, v taskView) error {
	from := link{"Tasks", "/tasks"}
	if me(r).Role == dayone.Employee {
		from = link{"You", "/me"}
		v.Run = link{}
		for i := range v.Facts {
			v.Facts[i].Href = ""
		}
	}
	return p.show(w, r, status, page{Template: "task", Title: v.Title, Nav: "tasks", Crumbs: []link{from, {v.Title, ""}}, Main: v})
}

func (p *portal) taskPage(r *http.Request, t dayone.Task, given map[string]string) (taskView, error) {
	d, err := p.todos().of(r.Context(), t)
	if err != nil {
		return taskView{}, err
	}
	v := newTask(p.viewerOf(r), d, given)
	if d.run.Href != "" && v.Adopt != nil {
		v.Adopt.Retry = fmt.Sprintf("/runs/%s/steps/%d/retry", t.Run, d.number)
	}
	return v, nil
}

func newTask(view viewer, d todo, given map[string]string) taskView {
	t, step := d.task, d.step
	d.in = view.in
	v := taskView{ID: string(t.ID), Title: d.title(), Note: t.Note, Lines: d.instructions(), State: state{Icon: "task", Class: "s-wait", Text: "Open", Tag: true}}
	if d.technical() || strings.Contains(t.Note, engine.NoConnector) { // done by hand, its step has no error any more
		v.Note, v.Technical = "", t.Note
		if strings.Contains(t.Note, engine.NoConnector) {
			v.Technical = view.label(engine.NoConnector)
		}
	}
	v.Facts = append(v.Facts, pair{Name: "For", Value: d.row.Name, Href: "/people/" + string(t.Person)})
	if d.system != "" {
		v.Facts = append(v.Facts, pair{Name: "System", Value: d.system})
	}
	if step != nil {
		v.Facts = append(v.Facts, pair{Name: "Access", Value: step.Step.Key.String(), Code: true, Href: whyHref(string(t.Person), step.Step.Key)})
	}
	if t.Assignee != "" {
		v.Facts = append(v.Facts, pair{Name: "Who has it", Value: t.Assignee})
	}
	if d.mute && t.Assignee != "" && t.Closed.IsZero() {
		v.Facts = append(v.Facts, pair{Name: "Told", Value: view.label(textNoMail)})
	} else if s := view.at(t.Reminded); s != nil {
		v.Facts = append(v.Facts, pair{Name: "Reminded", At: s})
	}
	if s := view.at(t.Opened); s != nil {
		v.Facts = append(v.Facts, pair{Name: "Opened", At: s})
	}
	if s := d.dueStamp(view); s != nil {
		v.Facts = append(v.Facts, pair{Name: "Due", At: s})
		if d.days(view) < 0 && t.Closed.IsZero() {
			v.State = lateState(view, d)
			v.State.Tag = true
		}
	}
	if step != nil {
		v.Facts = append(v.Facts, whyFacts(step.Step.Because, d.policy)...)
	}
	if d.run.Href != "" {
		v.Facts = append(v.Facts, pair{Name: "Run", Value: d.run.Text, Href: d.run.Href})
		if t.Step == "" { // about the whole run: what is to be done is found there
			v.Run = d.run
		}
	}
	for _, word := range strings.Fields(t.Note) {
		if word = strings.TrimRight(word, ".,;)"); strings.HasPrefix(word, "https://") {
			v.Links = append(v.Links, word)
		}
	}
	if !t.Closed.IsZero() {
		by := t.By
		if by == "" {
			by = view.label("the run itself")
		}
		v.State = state{Icon: "check", Class: "s-done", Text: "Done", Tag: true}
		v.Closed = &notice{Kind: "good", Icon: "check", Title: view.say("Closed by %s", by), Text: view.say("On %s.", view.at(t.Closed).Text)}
		if t.Left != "" {
			v.State = state{Icon: "skip", Class: "s-skip", Text: "No longer needed", Tag: true}
			v.Closed = &notice{Kind: "info", Icon: "skip", Title: "Nobody has to do this any more", Text: view.say("Left by %s on %s.", by, view.at(t.Closed).Text)}
		}
		for _, n := range t.Attrs.Names() {
			v.Done = append(v.Done, pair{Name: fieldOf(n).Label, Value: view.read(valueText(t.Attrs[n]))})
		}
		return v
	}
	v.Assignee, v.Proof, v.Evidence = t.Assignee, t.Proof, given[dayone.Evidence]
	for _, name := range t.Ask {
		if name == "adopt" {
			v.Adopt = &adoptView{Found: engine.Adoptable(t.Note), Person: d.row.Name}
			const byHand = " If it is theirs, complete this task with" // the forms below do both
			v.Note, _, _ = strings.Cut(v.Note, byHand)
			v.Technical, _, _ = strings.Cut(v.Technical, byHand)
			continue
		}
		f := fieldOf(name)
		f.Value = given[name]
		v.Fields = append(v.Fields, f)
	}
	return v
}

// completeTask takes the form. What is missing is said beside its field, with what was typed kept.
func (p *portal) completeTask(w http.ResponseWriter, r *http.Request) error {
	t, err := p.taskOf(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	given, attrs := map[string]string{}, dayone.Attrs{}
	for _, name := range t.Ask {
		if text := strings.TrimSpace(r.PostForm.Get("ask." + name)); text != "" {
			given[name], attrs[name] = text, dayone.Text(text)
		}
	}
	if note := strings.TrimSpace(r.PostForm.Get("note")); note != "" {
		attrs["note"] = dayone.Text(note)
	}
	if proof := strings.TrimSpace(r.PostForm.Get(dayone.Evidence)); proof != "" {
		given[dayone.Evidence], attrs[dayone.Evidence] = proof, dayone.Text(proof)
	}
	v, err := p.taskPage(r, t, given)
	if err != nil {
		return err
	}
	bad := missing(p.viewerOf(r), &v, given)
	if t.Proof && given[dayone.Evidence] == "" {
		bad++
	}
	if bad > 0 {
		v.Problem = &notice{Kind: "bad", Icon: "x", Title: p.viewerOf(r).plural(bad, "One thing is missing", "%d things are missing"), Text: "The step goes on with what you enter here."}
		return p.showTask(w, r, http.StatusUnprocessableEntity, v)
	}
	if _, err := p.flow.CompleteTask(r.Context(), string(t.ID), me(r).Name, attrs); err != nil {
		var not *flow.Unconfirmed
		if errors.As(err, &not) {
			v.Problem = &notice{Kind: "bad", Icon: "x", Title: "Not done yet", Text: p.viewerOf(r).in.Heard(not.Text)}
			return p.showTask(w, r, http.StatusUnprocessableEntity, v)
		}
		if errors.Is(err, dayone.ErrConflict) {
			return p.notCompleted(w, r, given, err)
		}
		return err
	}
	list := "/tasks"
	if !me(r).Role.In(deciders) {
		list = "/me"
	}
	http.Redirect(w, r, list+"?said=completed", http.StatusSeeOther)
	return nil
}

// notCompleted says to whoever came second that it was not taken, and who had done it. The same by the same login, as a double
// click sends it, was taken.
func (p *portal) notCompleted(w http.ResponseWriter, r *http.Request, given map[string]string, why error) error {
	t, err := p.taskOf(r)
	if err != nil {
		return err
	}
	if !t.Closed.IsZero() && t.Left == "" && strings.EqualFold(t.By, me(r).Name) && t.Evidence == given[dayone.Evidence] && !slices.ContainsFunc(t.Ask, func(name string) bool { return t.Attrs.Text(name) != given[name] }) {
		http.Redirect(w, r, "/tasks/"+string(t.ID), http.StatusSeeOther)
		return nil
	}
	v, err := p.taskPage(r, t, given)
	if err != nil {
		return err
	}
	v.Problem = &notice{Kind: "warn", Icon: "warn", Title: textNotTaken, Text: p.viewerOf(r).completed(t, why)}
	return p.showTask(w, r, http.StatusConflict, v)
}

// completed says who had done it before; why is told where nobody had.
func (v viewer) completed(t dayone.Task, why error) string {
	by := cmp.Or(t.By, v.label("the run itself"))
	switch {
	case t.Closed.IsZero():
		return v.problem(why) + "."
	case t.Left != "":
		return v.say("Left by %s on %s.", by, v.at(t.Closed).Text)
	}
	return v.say("%s: done on %s.", by, v.at(t.Closed).Text)
}

// assignTask gives a task to somebody.
func (p *portal) assignTask(w http.ResponseWriter, r *http.Request) error {
	t, err := p.taskOf(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	who := r.PostForm.Get("assignee")
	given, err := p.flow.Assign(r.Context(), string(t.ID), who, me(r).Name)
	switch {
	case errors.Is(err, dayone.ErrInvalid):
		v, err := p.taskPage(r, t, nil)
		if err != nil {
			return err
		}
		v.Assignee = who
		v.Problem = &notice{Kind: "bad", Icon: "x", Title: "This is nobody", Text: p.viewerOf(r).problem(err)}
		return p.showTask(w, r, http.StatusUnprocessableEntity, v)
	case errors.Is(err, dayone.ErrConflict): // it was closed meanwhile
		return p.notCompleted(w, r, nil, err)
	case err != nil:
		return err
	}
	if text, err := p.flow.Unheard(r.Context(), given.Assignee); err == nil && text != "" {
		v, err := p.taskPage(r, given, nil)
		if err != nil {
			return err
		}
		v.Problem = &notice{Kind: "warn", Icon: "warn", Title: "It is given, but nobody may hear of it", Text: sentence(p.viewerOf(r).in.Heard(text)) + "."}
		return p.showTask(w, r, http.StatusOK, v)
	}
	http.Redirect(w, r, "/tasks/"+string(t.ID)+"?said=assigned", http.StatusSeeOther)
	return nil
}

// reportIssue opens a task about a run.
func (p *portal) reportIssue(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	t, err := p.flow.ReportIssue(r.Context(), id, r.PostForm.Get("text"), me(r).Name)
	if err != nil {
		return told(err)
	}
	http.Redirect(w, r, "/tasks/"+string(t.ID)+"?said=reported", http.StatusSeeOther)
	return nil
}

// told shows what flow says about what somebody entered on a page: it is written for them, and names nobody.
func told(err error) error {
	if k := dayone.KindOf(err); k == dayone.ErrInvalid || k == dayone.ErrForbidden || k == dayone.ErrConflict {
		return said(err, sentence(flow.Problem(err))+".")
	}
	return err
}

// missing marks fields that are empty or not as they must be, and counts them.
func missing(view viewer, v *taskView, given map[string]string) int {
	bad := 0
	for i := range v.Fields {
		f := &v.Fields[i]
		switch value := given[strings.TrimPrefix(f.Name, "ask.")]; {
		case value == "":
			f.Error = view.say("Enter the %s.", view.in.Inside(f.Label))
		case f.Type == "date":
			if _, err := time.Parse(time.DateOnly, value); err != nil {
				f.Error, f.Value = "Enter a day as 2025-01-31.", ""
			}
		}
		bad += btoi(f.Error != "")
	}
	if v.Adopt != nil && given["adopt"] == "" {
		bad++
	}
	return bad
}

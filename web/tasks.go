package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

type tasksView struct {
	Sentence string
	Groups   []taskGroup
	More     bool
	Empty    *empty
}

type taskGroup struct {
	ID, Title string
	Items     []item
}

type taskView struct {
	ID      string
	Title   string
	State   state
	Note    string
	Links   []string // addresses in the note
	Facts   []pair
	Fields  []field
	Adopt   *adoptView
	Problem *notice
	Run     link
	Closed  *notice
	Done    []pair // what was supplied
}

// adoptView asks whose an account is.
type adoptView struct {
	Found  string // what the system calls it; "" if the note only describes it
	Retry  string // where it posts to, once the name is free
	Person string
}

// tasksMost is how many tasks a page shows: more are worked off from the top.
const tasksMost = 200

func (p *portal) tasks(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.Tasks(r.Context(), "", "")
	if err != nil {
		return err
	}
	people := map[dayone.PersonID]string{}
	v := newTasks(p.viewerOf(r), list, func(id dayone.PersonID) string { return p.nameOf(r, people, id) })
	return p.show(w, r, http.StatusOK, page{Template: "tasks", Title: "Tasks", Nav: "tasks", Crumbs: []link{{"Tasks", ""}}, Main: v})
}

func newTasks(view viewer, list []dayone.Task, name func(dayone.PersonID) string) tasksView {
	groups := []taskGroup{{ID: "overdue", Title: "Overdue"}, {ID: "today", Title: "Due today"}, {ID: "later", Title: "Due later"}, {ID: "open", Title: "Without a date"}}
	v := tasksView{More: len(list) > tasksMost, Sentence: plural(len(list), "1 task waits for somebody.", "%d tasks wait for somebody.")}
	for _, t := range list[:min(len(list), tasksMost)] {
		at := 3
		switch {
		case t.Due.IsZero():
		case t.Due.Before(view.now):
			at = 0
		case view.days(t.Due, view.zone) == 0:
			at = 1
		default:
			at = 2
		}
		groups[at].Items = append(groups[at].Items, taskItem(view, t, name(t.Person)))
	}
	v.Groups = slices.DeleteFunc(groups, func(g taskGroup) bool { return len(g.Items) == 0 })
	if len(list) == 0 {
		v.Sentence = "Nothing waits for you."
		v.Empty = &empty{Icon: "inbox", Title: "No tasks", Text: "A task appears when a step needs a human: a laptop to order, a system without an API, an account that may be somebody else's."}
	}
	return v
}

// taskItem is a task in a list.
func taskItem(view viewer, t dayone.Task, name string) item {
	st := state{Icon: "task", Class: "s-wait", Text: "Open"}
	if !t.Due.IsZero() {
		st.Text = view.at(t.Due).Text
		if t.Due.Before(view.now) {
			st = state{Icon: "x", Class: "s-fail", Text: "Overdue"}
		}
	}
	return item{Title: link{t.Title, "/tasks/" + string(t.ID)}, Meta: joined(", ", name, t.System), Next: firstLine(t.Note), State: &st}
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
	return p.flow.Task(r.Context(), id)
}

func (p *portal) task(w http.ResponseWriter, r *http.Request) error {
	t, err := p.taskOf(r)
	if err != nil {
		return err
	}
	return p.showTask(w, r, http.StatusOK, t, p.taskPage(r, t, nil))
}

func (p *portal) showTask(w http.ResponseWriter, r *http.Request, status int, t dayone.Task, v taskView) error {
	return p.show(w, r, status, page{Template: "task", Title: t.Title, Nav: "tasks", Crumbs: []link{{"Tasks", "/tasks"}, {t.Title, ""}}, Main: v})
}

func (p *portal) taskPage(r *http.Request, t dayone.Task, given map[string]string) taskView {
	run, err := p.flow.RunOf(r.Context(), t.Run)
	var step *dayone.StepRun
	number := 0
	if err == nil {
		for i := range run.Steps {
			if run.Steps[i].Step.ID == t.Step {
				step, number = &run.Steps[i], i+1
			}
		}
	}
	v := newTask(p.viewerOf(r), t, p.nameOf(r, map[dayone.PersonID]string{}, t.Person), systemTitle(p.titles(), t.System), step, given)
	if err == nil {
		v.Run = link{run.Title, fmt.Sprintf("/runs/%s?step=%d#step-detail", t.Run, number)}
		v.Facts = append(v.Facts, pair{Name: "Run", Value: run.Title, Href: v.Run.Href})
		if v.Adopt != nil {
			v.Adopt.Retry = fmt.Sprintf("/runs/%s/steps/%d/retry", t.Run, number)
		}
	}
	return v
}

func newTask(view viewer, t dayone.Task, name, system string, step *dayone.StepRun, given map[string]string) taskView {
	v := taskView{ID: string(t.ID), Title: t.Title, Note: t.Note, State: state{Icon: "task", Class: "s-wait", Text: "Open", Tag: true}}
	v.Facts = append(v.Facts, pair{Name: "For", Value: name, Href: "/people/" + string(t.Person)}, pair{Name: "System", Value: system})
	if s := view.at(t.Opened); s != nil {
		v.Facts = append(v.Facts, pair{Name: "Opened", At: s})
	}
	if s := view.at(t.Due); s != nil {
		v.Facts = append(v.Facts, pair{Name: "Due", At: s})
		if t.Due.Before(view.now) && t.Closed.IsZero() {
			v.State = state{Icon: "x", Class: "s-fail", Text: "Overdue", Tag: true}
		}
	}
	if step != nil {
		for _, r := range step.Step.Because {
			v.Facts = append(v.Facts, pair{Name: "Why", Value: r.String(), Href: "/policies#" + idOf(r.Policy)})
		}
		v.Facts = append(v.Facts, stepFacts(step)...)
	}
	for _, word := range strings.Fields(t.Note) {
		if word = strings.TrimRight(word, ".,;)"); strings.HasPrefix(word, "https://") {
			v.Links = append(v.Links, word)
		}
	}
	if !t.Closed.IsZero() {
		by := t.By
		if by == "" {
			by = "the run itself"
		}
		v.State = state{Icon: "check", Class: "s-done", Text: "Done", Tag: true}
		v.Closed = &notice{Kind: "good", Icon: "check", Title: fmt.Sprintf("Closed by %s", by), Text: fmt.Sprintf("On %s.", view.at(t.Closed).Text)}
		for _, n := range t.Attrs.Names() {
			v.Done = append(v.Done, pair{Name: fieldOf(n).Label, Value: valueText(t.Attrs[n])})
		}
		return v
	}
	for _, name := range t.Ask {
		if name == "adopt" {
			v.Adopt = &adoptView{Found: adoptable(t.Note), Person: v.Facts[0].Value}
			continue
		}
		f := fieldOf(name)
		f.Value = given[name]
		v.Fields = append(v.Fields, f)
	}
	return v
}

// stepFacts are what the thing should be: where to ship it, by when.
func stepFacts(s *dayone.StepRun) []pair {
	if s.Step.Want == nil {
		return nil
	}
	attrs := s.Step.Want.Attrs.With(s.Asked)
	var out []pair
	for _, n := range attrs.Names() {
		if v := attrs[n]; v.Kind != dayone.SecretValue && v.Kind != dayone.LinkValue && v.Kind != dayone.TemplateValue && v.Text != "" {
			out = append(out, pair{Name: attrText(n), Value: v.String()})
		}
	}
	return out
}

// adoptable reads the vendor's id that the engine names in the note of a conflict: "adopt = 00u1".
func adoptable(note string) string {
	_, rest, ok := strings.Cut(note, "adopt = ")
	if !ok {
		return ""
	}
	ref, _, _ := strings.Cut(rest, ";")
	return strings.TrimSpace(ref)
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
	v := p.taskPage(r, t, given)
	if bad := missing(&v, given); bad > 0 {
		v.Problem = &notice{Kind: "bad", Icon: "x", Title: plural(bad, "One thing is missing", "%d things are missing"), Text: "The step goes on with what you enter here."}
		return p.showTask(w, r, http.StatusUnprocessableEntity, t, v)
	}
	if _, err := p.flow.CompleteTask(r.Context(), string(t.ID), me(r).Name, attrs); err != nil {
		if errors.Is(err, dayone.ErrConflict) {
			http.Redirect(w, r, "/tasks/"+string(t.ID), http.StatusSeeOther)
			return nil
		}
		return err
	}
	http.Redirect(w, r, "/tasks?said=completed", http.StatusSeeOther)
	return nil
}

// missing marks fields that are empty or not as they must be, and counts them.
func missing(v *taskView, given map[string]string) int {
	bad := 0
	for i := range v.Fields {
		f := &v.Fields[i]
		switch value := given[strings.TrimPrefix(f.Name, "ask.")]; {
		case value == "":
			f.Error = fmt.Sprintf("Enter the %s.", lowerFirst(f.Label))
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

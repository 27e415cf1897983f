package web

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/planner"
)

// runView is a run page. Its parts are components of their own: each can be swapped while the run goes on.
type runView struct {
	ID       string
	Title    string
	Person   link
	Next     *notice // the run that took over
	Facts    string  // title and place of the person
	Started  *stamp
	Event    string
	Head     headView
	Needs    needsView
	Key      []tally
	Strip    strip
	Graph    graphView
	Gantt    ganttView
	Steps    stepsView
	Detail   detailView
	Messages []item
	Findings []string
	Later    []laterView
	Tabs     []tab
	Undo     string // where it is taken back; "": it is not
	Undone   *notice
	Acts     []decision // about the whole run
	Systems  []notice   // that keep steps of it waiting
	Live     string     // address of the stream; "" when the run is over
}

type headView struct {
	Figures []figure
	Running *stampFor
}

// stampFor is how long the run has been running.
type stampFor struct{ Text string }

type needsView struct {
	Items []item
	Quiet []item // wait for the person herself: nothing to do for us
	Over  bool
}

type laterView struct {
	Key  string
	From *stamp
}

type stepsView struct {
	Groups []groupView
	Total  int
	Show   string // all | needs | open
	Seg    []tab
	Empty  *empty
}

type groupView struct {
	ID, Title   string
	Done, Total int
	Rows        []stepView
}

// stepView is one row of the table.
type stepView struct {
	Number        int
	Href, Get     string // opens the detail: the page with it, and it alone
	Title         string
	Sub           string
	Later         *link // the run in which it went on
	State         state
	Why           string // base.yaml:14
	Took, SoFar   string
	Grant         string // the key, on rows that are grants
	Implied       string // the key, on rows that a grant brought along
	Message       string // the key, on rows that tell somebody
	Undo          string // the key, on rows that take something back
	On            bool
	Policy, Whole string
	WhyHref       string
}

// board lays a run out: everything that page and stream draw from, made once for both from the same nouns.
type board struct {
	run    dayone.Run
	view   viewer
	titles map[string]string // of systems
	kinds  map[string]string // of kinds
	tasks  map[dayone.StepID]dayone.TaskID
	asked  map[dayone.StepID]dayone.ApprovalID
	pace   map[flow.PaceOf]flow.Pace
	open   []string
	rows   bool // the picture leads to the list below it, not to steps of a run
	show   string
	chosen int                                         // step whose detail is open; 0: none
	posted func(to dayone.Value, subject string) *link // where a mail that was sent can be read
	next   *dayone.Run                                 // superseded: the run after it
	where  map[dayone.StepID]continued                 // and where its steps went on
	gone   flow.TakenBack                              // what undos have taken back since
	may    bool                                        // whoever looks may decide about it

	graph planner.Graph
	index map[dayone.StepID]int
}

// newBoard lays out. Places depend on the plan and on the pace of runs before it, never on how far the run is.
func newBoard(b board) *board {
	b.index = placesOf(b.run)
	d := planner.Drawing{Titles: map[string]string{}, Open: b.open, Rows: b.rows, Say: b.view.heard, Took: map[dayone.StepID]time.Duration{}}
	for _, s := range b.run.Plan.Steps {
		d.Titles[s.Key.System] = b.system(s.Key.System)
		d.Took[s.ID] = cmp.Or(b.usual(s).Median, time.Second) // of whose kind too few were done: as long as any other
	}
	b.graph = planner.Layout(b.run.Plan, d)
	return &b
}

// placesOf is where each step of a run stands.
func placesOf(run dayone.Run) map[dayone.StepID]int {
	out := make(map[dayone.StepID]int, len(run.Steps))
	for i := range run.Steps {
		out[run.Steps[i].Step.ID] = i
	}
	return out
}

func (b *board) usual(s dayone.Step) flow.Pace {
	return b.pace[flow.PaceOf{System: s.Key.System, Kind: s.Key.Kind, Action: s.Action}]
}

func (b *board) path() string { return "/runs/" + string(b.run.ID) }

func (b *board) detailHref(i int) string {
	return b.path() + "?step=" + strconv.Itoa(i+1) + "#step-detail"
}

func (b *board) title(s dayone.Step) string {
	return b.view.stepTitle(s, b.kinds[s.Key.System+"/"+s.Key.Kind], b.system(s.Via.System))
}

// runTitle is what the run is called.
func (b *board) runTitle() string { return b.view.runTitle(b.run.Title) }

func (b *board) system(name string) string { return systemTitle(b.titles, name) }

// marks are states as pictures show them.
func (b *board) marks() map[dayone.StepID]planner.Mark {
	out := make(map[dayone.StepID]planner.Mark, len(b.run.Steps))
	for i := range b.run.Steps {
		s := &b.run.Steps[i]
		look, st := b.stateOf(s)
		out[s.Step.ID] = planner.Mark{Look: look, Text: b.view.heard(st.Text)}
	}
	return out
}

func (b *board) looks() []planner.Look {
	out := make([]planner.Look, len(b.run.Steps))
	for i := range b.run.Steps {
		s := &b.run.Steps[i]
		out[i], _ = stepState(s)
		if b.undone(s) {
			out[i] = planner.LookUndone
		}
		if b.abandoned(s) {
			out[i] = lookGivenUp
		}
		if _, ok := b.where[s.Step.ID]; ok {
			out[i] = lookLater
		}
	}
	return out
}

// stepState is a step's state as an icon and a word.
func stepState(s *dayone.StepRun) (planner.Look, state) {
	switch s.State {
	case dayone.StepRunning, dayone.StepRetrying:
		text := "Running"
		if n := s.Attempt; n > 1 || s.State == dayone.StepRetrying {
			text = fmt.Sprintf("Running, attempt %d", max(n, 1)+btoi(s.State == dayone.StepRetrying))
		}
		return planner.LookRunning, state{Icon: "run", Class: "s-run", Text: text}
	case dayone.StepWaiting:
		w := waitTexts[dayone.WaitPropagation]
		look := planner.LookWaiting
		if s.Wait != nil {
			w = waitTexts[s.Wait.Kind]
			switch s.Wait.Kind {
			case dayone.WaitTask:
				look = planner.LookTask
			case dayone.WaitFirstLogin, dayone.WaitAcceptance:
				look = planner.LookFirstLogin
			case dayone.WaitApproval:
				look = planner.LookApproval
			}
		}
		return look, state{Icon: cmp.Or(w.icon, "clock"), Class: "s-wait", Text: cmp.Or(w.text, "Waiting")}
	case dayone.StepDone:
		switch {
		case s.Step.Action == dayone.MessageSend:
			return planner.LookDone, state{Icon: "check", Class: "s-done", Text: "Sent"}
		case s.Step.Action == dayone.AccountConfirm, s.Step.Action == dayone.EntitlementConfirm:
			return planner.LookDone, state{Icon: "check", Class: "s-done", Text: "Confirmed"}
		case s.Result.Changed():
			return planner.LookDone, state{Icon: "check", Class: "s-done", Text: "Done, changed"}
		default:
			return planner.LookAlready, state{Icon: "already", Class: "s-done", Text: "Done, already so"}
		}
	case dayone.StepFailed:
		return planner.LookFailed, state{Icon: "x", Class: "s-fail", Text: "Failed"}
	case dayone.StepUndoFailed:
		return planner.LookFailed, state{Icon: "x", Class: "s-fail", Text: "Undo failed"}
	case dayone.StepBlocked:
		return planner.LookBlocked, state{Icon: "block", Text: "Blocked"}
	case dayone.StepSkipped:
		return planner.LookSkipped, state{Icon: "skip", Text: "Skipped"}
	case dayone.StepUndone:
		return planner.LookUndone, state{Icon: "undo", Text: "Undone"}
	default:
		return planner.LookPending, state{Icon: "dot", Text: "Not started"}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// human says that a step moves only when somebody of ours does something.
func human(s *dayone.StepRun) bool {
	switch s.State {
	case dayone.StepFailed, dayone.StepUndoFailed:
		return true
	case dayone.StepWaiting:
		return s.Wait != nil && s.Wait.Kind.Human() && !s.Wait.Kind.There()
	}
	return false
}

// row is one line of the step table.
func (b *board) row(i int) stepView {
	s := &b.run.Steps[i]
	_, st := b.stateOf(s)
	v := stepView{
		Number: i + 1, Title: b.title(s.Step), Sub: b.sub(s), State: st, On: i+1 == b.chosen,
		Href: b.detailHref(i), Get: b.path() + "?step=" + strconv.Itoa(i+1),
	}
	v.Took, v.SoFar = b.tookOf(s)
	if c, ok := b.where[s.Step.ID]; ok {
		v.Sub, v.Later, v.Took, v.SoFar = "", c.link(b.view), "", ""
	}
	if len(s.Step.Because) > 0 {
		v.Why, v.Whole = shortAt(s.Step.Because[0].At), s.Step.Because[0].At
		v.Policy, v.WhyHref = b.view.policy(s.Step.Because[0].Policy), policyHref(s.Step.Because[0])
		if v.Why == "" {
			v.Why = s.Step.Because[0].Policy
		}
	}
	key := s.Step.Key.String()
	switch {
	case s.Of != "":
		v.Undo = key
	case s.Step.Action == dayone.MessageSend:
		v.Message = key
	case s.Step.Implied:
		v.Implied = key
	default:
		v.Grant = key
	}
	return v
}

// shortAt is the file without its folder: base.yaml:14.
func shortAt(at string) string {
	if i := strings.LastIndexByte(at, '/'); i >= 0 {
		return at[i+1:]
	}
	return at
}

// sub is the grey line: what is not plain from the state.
func (b *board) sub(s *dayone.StepRun) string {
	switch s.State {
	case dayone.StepRetrying:
		if at := b.view.clock(s.Next); at != nil {
			return b.view.say("%s asked to wait; again at %s", b.system(s.Step.Key.System), at.Text)
		}
	case dayone.StepWaiting:
		if s.Wait != nil {
			return b.waitNote(s)
		}
	case dayone.StepFailed, dayone.StepUndoFailed:
		what, _ := b.view.failText(s.Kind, b.system(s.Step.Key.System))
		return what
	case dayone.StepBlocked:
		return b.blockedBy(s)
	case dayone.StepSkipped:
		return s.Error
	case dayone.StepDone:
		if s.Attempt > 1 && s.Waited.IsZero() {
			return b.view.say("%d attempts", s.Attempt)
		}
	}
	switch {
	case s.Of != "":
		return b.view.say("takes back step %d", b.index[s.Of]+1)
	case s.Step.Implied:
		return "brought along by another grant"
	case s.Step.Action == dayone.MessageSend && s.Step.Want != nil:
		return b.view.say("to %s", s.Step.Want.Attrs["to"])
	}
	return ""
}

// waitNote is why a step waits, with its system's title: the engine knows systems by their names.
func (b *board) waitNote(s *dayone.StepRun) string {
	ours, theirs, reason := strings.Cut(shortly(s.Kind, s.Wait.Note), ": ") // behind it stands what somebody has written
	words := strings.Split(ours, " ")
	for i, word := range words {
		if word == s.Step.Key.System {
			words[i] = b.system(word)
		}
	}
	if ours = strings.Join(words, " "); reason {
		ours += ": " + theirs
	}
	return b.view.heard(ours)
}

// blockedBy names the need that will not come.
func (b *board) blockedBy(s *dayone.StepRun) string {
	for _, n := range s.Step.Needs {
		i, ok := b.index[n.Step]
		if !ok || n.When != dayone.Done {
			continue
		}
		switch o := &b.run.Steps[i]; o.State {
		case dayone.StepFailed, dayone.StepBlocked, dayone.StepSkipped, dayone.StepUndone:
			return b.view.say("by %s, %s", b.system(o.Step.Key.System), b.view.within(b.title(o.Step)))
		}
	}
	return ""
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToLower(r)) + s[n:]
}

// tookOf is how long a step took; or takes, so far.
func (b *board) tookOf(s *dayone.StepRun) (d, soFar string) {
	switch {
	case s.Since.IsZero():
		return "", ""
	case s.State == dayone.StepRunning, s.State == dayone.StepRetrying, s.State == dayone.StepWaiting:
		return b.view.took(b.view.now.Sub(s.Since)), "so far"
	case s.Ended.IsZero():
		return "", ""
	default:
		return b.view.took(s.Ended.Sub(s.Since)), ""
	}
}

// order is the steps as lists show them: by system in the order of the picture, then what was added on the way.
func (b *board) order() []int {
	out := slices.Clone(b.graph.Order)
	for i := len(b.run.Plan.Steps); i < len(b.run.Steps); i++ {
		out = append(out, i)
	}
	return out
}

// steps is the table: the twin of the picture in words.
func (b *board) steps() stepsView {
	v := stepsView{Total: len(b.run.Steps), Show: b.show}
	needs, open := 0, 0
	at := map[string]int{}
	for _, i := range b.order() {
		s := &b.run.Steps[i]
		isHuman, isOpen := b.waitsForUs(s), !s.State.Over() || b.waitsForUs(s) // what failed is open for whoever has to act
		needs, open = needs+btoi(isHuman), open+btoi(isOpen)
		id, title := s.Step.Key.System, b.system(s.Step.Key.System)
		switch {
		case s.Of != "":
			id, title = "undo", "Taken back"
		case s.Step.Action == dayone.MessageSend:
			id, title = "messages", "Messages"
		}
		g, ok := at[id]
		if !ok {
			g = len(v.Groups)
			at[id] = g
			v.Groups = append(v.Groups, groupView{ID: "group-" + idOf(id), Title: title})
		}
		v.Groups[g].Total++
		v.Groups[g].Done += btoi(b.finished(s))
		if b.show == "needs" && !isHuman || b.show == "open" && !isOpen {
			continue
		}
		v.Groups[g].Rows = append(v.Groups[g].Rows, b.row(i))
	}
	v.Groups = slices.DeleteFunc(v.Groups, func(g groupView) bool { return len(g.Rows) == 0 })
	for _, t := range []struct {
		id, text string
		n        int
	}{{"", "All", len(b.run.Steps)}, {"needs", "Need you", needs}, {"open", "Open", open}} {
		href := b.path() + "#steps"
		if t.id != "" {
			href = b.path() + "?show=" + t.id + "#steps"
		}
		v.Seg = append(v.Seg, tab{Text: t.text, Href: href, Count: t.n, Current: t.id == b.show})
	}
	if len(v.Groups) == 0 {
		v.Empty = &empty{Icon: "check", Title: "No step here", Text: "Nothing of this run stands in this list now.", Acts: []link{{"Show all steps", b.path() + "#steps"}}}
	}
	return v
}

// finished: done, here or in a later run, or ended as somebody decided.
func (b *board) finished(s *dayone.StepRun) bool {
	if c, ok := b.where[s.Step.ID]; ok {
		return c.step.State == dayone.StepDone
	}
	return s.State == dayone.StepDone || s.State == dayone.StepSkipped && !b.abandoned(s) || s.State == dayone.StepUndone
}

// abandoned says that a step ended only because its run did: nobody decided about it, and a count of what is done leaves it out.
func (b *board) abandoned(s *dayone.StepRun) bool {
	return s.State == dayone.StepSkipped && (b.run.State == dayone.RunSuperseded || engine.GivenUp(s))
}

// lookGivenUp is a step that was given up with its run: a key counts it apart from what somebody skipped.
const lookGivenUp planner.Look = "given up"

// idOf makes a name fit for an id of HTML.
func idOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(s))
}

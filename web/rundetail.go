package web

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// detailView is everything about one step.
type detailView struct {
	Number     int // 0: none is chosen
	Title      string
	State      *state
	What, Next string
	Later      *link // the run in which it went on
	Acts       []act
	Task       *link
	Skip       string // where skipping posts to; "" if it cannot be skipped
	Chain      []chained
	Facts      []pair
	Attempts   []attemptView
	Error      string
	Values     []valueView
	Needs      []item
	HoldsUp    []item
	Undo       string
	Calls      []callLogView
	Letter     *letterView // a message that is still to be sent, as it reads so far
	Silent     string      // what is said instead of requests; "": whoever asks may not see them
}

type attemptView struct {
	At           *stamp
	What, Answer string
}

// valueView is one attribute before and now.
type valueView struct {
	Name, Before, Now string
	Changed           bool
}

// detail lays out one step. records are the ledger's lines of this run, oldest first; they may be missing.
func (b *board) detail(records []dayone.Record) detailView {
	if b.chosen < 1 || b.chosen > len(b.run.Steps) {
		return detailView{}
	}
	s := &b.run.Steps[b.chosen-1]
	system := b.system(s.Step.Key.System)
	_, st := b.stateOf(s)
	v := detailView{
		Number: b.chosen, Title: b.stepAt(s.Step), State: st.tag(),
		Error: s.Error, Undo: b.view.undoText(s.Step.Undo),
	}
	if s.State == dayone.StepBlocked || s.State == dayone.StepSkipped {
		v.Error = ""
	}
	v.What, v.Next = b.story(s, system)
	if s.Step.Action == dayone.MessageSend && s.State == dayone.StepPending && !b.run.State.Over() {
		if waits := b.waitedFor(s); len(waits) > 0 {
			it := b.unsentOne(b.chosen - 1)
			v.What, v.Task = it.Next, it.Open
		}
	}
	if c, ok := b.where[s.Step.ID]; ok {
		v.What, v.Next, v.Error, v.Later = "", "", "", c.link(b.view)
		v.Later.Text = sentence(b.view.heard(v.Later.Text))
	} else {
		b.acts(&v, s)
	}
	v.Chain = b.chain(s, system)
	v.Facts = b.facts(s)
	v.Values = values(s)
	for _, r := range records {
		if r.Step == s.Step.ID {
			v.Attempts = append(v.Attempts, b.attempt(r))
		}
	}
	for _, n := range s.Step.Needs {
		if i, ok := b.index[n.Step]; ok && (n.When != dayone.Settled || len(s.Step.Needs) <= 5) {
			v.Needs = append(v.Needs, b.neighbour(i, needTexts[n.When]))
		}
	}
	if all := len(s.Step.Needs); all > 5 && len(v.Needs) == 0 {
		v.Needs = []item{{Title: link{Text: b.view.say("All %d steps before it settled", all)}}}
	}
	for i := range b.run.Steps {
		o := &b.run.Steps[i]
		if slices.ContainsFunc(o.Step.Needs, func(n dayone.Need) bool { return n.Step == s.Step.ID && n.When == dayone.Done }) {
			v.HoldsUp = append(v.HoldsUp, b.neighbour(i, ""))
		}
	}
	return v
}

func (b *board) neighbour(i int, note string) item {
	s := &b.run.Steps[i]
	_, st := b.stateOf(s)
	return item{State: &st, Title: link{b.stepAt(s.Step), b.detailHref(i)}, Get: b.path() + "?step=" + strconv.Itoa(i+1), Meta: note}
}

// story is what happened, and what comes next.
func (b *board) story(s *dayone.StepRun, system string) (what, next string) {
	switch s.State {
	case dayone.StepFailed, dayone.StepUndoFailed:
		return b.view.failText(s.Kind, system)
	case dayone.StepBlocked:
		return b.view.say("It is held up %s.", b.blockedBy(s)), "Get that step done or skip it. This one goes on by itself."
	case dayone.StepRetrying:
		if at := b.view.clock(s.Next); at != nil {
			return b.view.say("%s asked to wait.", system), b.view.say("It is tried again by itself at %s.", at.Text)
		}
	case dayone.StepWaiting:
		if s.Wait == nil {
			return "", ""
		}
		return sentence(b.waitNote(s)), waitNext(s)
	case dayone.StepSkipped:
		return sentence(s.Error), ""
	}
	return "", ""
}

// waitNext says who has to move.
func waitNext(s *dayone.StepRun) string {
	switch s.Wait.Kind {
	case dayone.WaitTask:
		return "Do the task and say what it asks for. Then this step goes on."
	case dayone.WaitApproval:
		return "It goes on when it is approved."
	case dayone.WaitFirstLogin, dayone.WaitAcceptance:
		return "Nothing to do here: it is done when the person has signed in once."
	case dayone.WaitSeat:
		return "Free a seat or buy one. It is tried again every hour."
	default:
		return "Nothing to do here: it goes on by itself."
	}
}

// acts are what somebody may do about a step now.
func (b *board) acts(v *detailView, s *dayone.StepRun) {
	if id, ok := b.tasks[s.Step.ID]; ok {
		v.Task = &link{"Open task", "/tasks/" + string(id)}
	}
	post := b.path() + "/steps/" + strconv.Itoa(b.chosen) + "/"
	asks := s.State == dayone.StepWaiting && s.Wait != nil && s.Wait.Kind == dayone.WaitApproval
	if id, ok := b.asked[s.Step.ID]; ok && asks {
		v.Task = &link{"Open approval", "/approvals/" + string(id)}
	}
	if !b.mends() {
		return
	}
	switch s.State {
	case dayone.StepFailed, dayone.StepUndoFailed, dayone.StepRetrying:
		v.Acts = append(v.Acts, act{Text: "Retry", Action: post + string(engine.Retry), Primary: s.State != dayone.StepRetrying})
	case dayone.StepWaiting:
		if !asks {
			v.Acts = append(v.Acts, act{Text: "Check again", Action: post + string(engine.Retry)})
		}
	}
	if s.State != dayone.StepRunning && (!s.State.Over() || s.State == dayone.StepFailed || s.State == dayone.StepBlocked) {
		v.Skip = post + string(engine.Skip)
	}
}

// chain is the proof: from the policy's line to what the system confirmed.
func (b *board) chain(s *dayone.StepRun, system string) []chained {
	var out []chained
	for _, r := range s.Step.Because {
		out = append(out, chained{Head: "Policy", Text: b.view.policy(r.Policy), Code: r.At, Href: policyHref(r)})
	}
	if s.Step.Implied {
		out = append(out, chained{Head: "Implied", Text: "brought along by what needs it, not granted by itself"})
	}
	out = append(out, chained{Head: "Step", Text: b.view.label(criticalTexts[s.Step.Critical]), Code: string(s.Step.Action)})
	c, later := b.where[s.Step.ID]
	switch {
	case later && c.step.State == dayone.StepDone:
		out = append(out, chained{Head: "Confirmed", Text: system, Href: c.href(), At: b.view.clock(c.step.Ended)})
	case s.State == dayone.StepDone && !s.Ended.IsZero():
		out = append(out, chained{Head: "Confirmed", Text: system, At: b.view.clock(s.Ended)})
	default:
		out = append(out, chained{Head: "Confirmed", Text: "not yet"})
	}
	return out
}

func (b *board) facts(s *dayone.StepRun) []pair {
	out := []pair{{Name: "Access", Value: s.Step.Key.String(), Code: true, Href: "/people/" + string(b.run.Person) + "/why?key=" + queryEscape(s.Step.Key.String())}}
	add := func(name, value string) {
		if value != "" {
			out = append(out, pair{Name: name, Value: value})
		}
	}
	add("Tier", b.view.label(tierTexts[s.Step.Tier]))
	if s.Step.Via.System != "" {
		add("Provisioned by", b.system(s.Step.Via.System))
	}
	if s.Attempt > 0 {
		add("Calls", strconv.Itoa(s.Attempt))
	}
	for _, t := range []struct {
		name string
		at   time.Time
	}{{"First tried", s.Since}, {"Last call", s.Started}, {"Last answer", s.Ended}, {"Again at", s.Next}} {
		if st := b.view.clock(t.at); st != nil {
			out = append(out, pair{Name: t.name, At: st})
		}
	}
	d, soFar := b.tookOf(s)
	add("Took", joined(" ", d, b.view.label(soFar)))
	if now := s.Result.Now; now != nil && now.Ref != "" {
		out = append(out, pair{Name: "Id there", Value: now.Ref, Code: true})
	}
	return out
}

// values lay what was there beside what is there now; before the first answer what is asked for.
func values(s *dayone.StepRun) []valueView {
	before, now := itemValues(s.Result.Before), itemValues(s.Result.Now)
	if s.Result.Now == nil && s.Result.Before == nil {
		if s.Step.Have != nil {
			before = itemValues(s.Step.Have)
		}
		if s.Step.Want != nil {
			want := *s.Step.Want
			want.Attrs = want.Attrs.With(s.Asked)
			now = itemValues(&want)
		}
	}
	if s.Step.Want != nil && s.Result.Now != nil && s.Result.Before == nil {
		for name, v := range s.Step.Want.Attrs { // what was made is not read back, nor shown
			if v.Kind == dayone.SecretValue {
				now[name] = valueText(v)
			}
		}
	}
	names := slices.Sorted(maps.Keys(now))
	for _, n := range slices.Sorted(maps.Keys(before)) {
		if _, ok := now[n]; !ok {
			names = append(names, n)
		}
	}
	var out []valueView
	for _, n := range names {
		if before[n] == "" && now[n] == "" {
			continue
		}
		out = append(out, valueView{Name: attrText(n), Before: before[n], Now: now[n], Changed: before[n] != now[n]})
	}
	return out
}

func itemValues(it *dayone.Item) map[string]string {
	out := map[string]string{}
	if it == nil {
		return out
	}
	if it.State != "" {
		out["state"] = string(it.State)
	}
	if it.Role != "" {
		out["role"] = it.Role
	}
	for name, v := range it.Attrs {
		out[name] = valueText(v)
	}
	return out
}

// valueText never shows a secret, not even its recipe.
func valueText(v dayone.Value) string {
	switch v.Kind {
	case dayone.SecretValue:
		return "made and sealed"
	default:
		return v.String()
	}
}

func (b *board) attempt(r dayone.Record) attemptView {
	v := attemptView{At: b.view.clock(r.At), What: sentence(b.view.heard(r.What))}
	if r.Detail != nil {
		if v.Answer = r.Detail.Note; strings.Contains(v.Answer, engine.NoConnector) {
			v.Answer = b.view.label(engine.NoConnector)
		}
	}
	if r.By != "" {
		v.Answer = strings.TrimSpace(v.Answer + " (" + r.By + ")")
	}
	return v
}

package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

// What a run has still to say waits for the rest of it. Whoever looks for a mail finds here what it waits for, the act that
// ends the wait, and how it reads so far.

// unsent are the messages of a run that are still to go out: what each waits for, where that is done, where it can be read.
func (b *board) unsent() []item {
	var out []item
	for i := range b.run.Steps {
		if b.toCome(i) {
			out = append(out, b.unsentOne(i))
		}
	}
	return out
}

// toCome says of a step that it is a message which is still to go out.
func (b *board) toCome(i int) bool {
	s := &b.run.Steps[i]
	if b.run.State.Over() || s.Step.Action != dayone.MessageSend || s.Of != "" || s.State.Over() {
		return false
	}
	_, later := b.where[s.Step.ID]
	return !later
}

func (b *board) unsentOne(i int) item {
	s := &b.run.Steps[i]
	_, st := b.stateOf(s)
	if s.State == dayone.StepPending {
		st = state{Icon: "clock", Class: "s-wait", Text: "Not sent yet"}
	}
	it := item{State: &st, Title: link{b.title(s.Step), b.detailHref(i)}, Also: &link{"Read it", b.detailHref(i)}}
	if s.Step.Want != nil {
		it.Meta = b.view.say("to %s", s.Step.Want.Attrs["to"])
	}
	waits := b.waitedFor(s)
	if len(waits) == 0 {
		return it
	}
	it.Next = b.waitText(waits)
	for _, j := range waits {
		o := &b.run.Steps[j]
		if id, ok := b.tasks[o.Step.ID]; ok {
			it.Open = &link{"Open the task", "/tasks/" + string(id)}
			break
		}
	}
	return it
}

// waitedFor are the steps for which a message waits: those that move on by themselves, and the tasks of humans for as long
// as the engine has patience with them.
func (b *board) waitedFor(s *dayone.StepRun) []int {
	var out []int
	for _, n := range s.Step.Needs {
		j, ok := b.index[n.Step]
		if !ok {
			continue
		}
		o := &b.run.Steps[j]
		if o.State.Over() || o.Step.Action == dayone.MessageSend {
			continue
		}
		if o.State == dayone.StepWaiting && o.Wait != nil && o.Wait.Kind.Human() && n.When != dayone.Done {
			if at := patientUntil(o); at.IsZero() || !b.view.now.Before(at) {
				continue
			}
		}
		out = append(out, j)
	}
	if ahead := slices.DeleteFunc(slices.Clone(out), func(j int) bool { return b.run.Steps[j].State == dayone.StepPending }); len(ahead) > 0 {
		return ahead // the rest hangs on these
	}
	return out
}

// patientUntil is until when messages wait for a step that waits for a human; zero: not at all.
func patientUntil(s *dayone.StepRun) time.Time {
	if s.Wait.Kind != dayone.WaitTask || s.Waited.IsZero() {
		return time.Time{}
	}
	return s.Waited.Add(engine.DefaultConfig.Patience)
}

// goesAt is when a message goes out without what it waits for; zero: it waits for as long as that takes.
func (b *board) goesAt(waits []int) time.Time {
	var at time.Time
	for _, j := range waits {
		o := &b.run.Steps[j]
		if o.State != dayone.StepWaiting || o.Wait == nil || o.Wait.Kind != dayone.WaitTask {
			return time.Time{}
		}
		at = latest(at, patientUntil(o))
	}
	return at
}

// waitText names what is waited for, and when a message goes without it.
func (b *board) waitText(waits []int) string {
	const most = 2
	var names []string
	for _, j := range waits[:min(most, len(waits))] {
		o := &b.run.Steps[j]
		names = append(names, fmt.Sprintf("%s: %s", b.system(o.Step.Key.System), b.view.within(b.title(o.Step))))
	}
	text := b.view.say("It waits for %s.", strings.Join(names, ", "))
	if more := len(waits) - most; more > 0 {
		text = b.view.say("It waits for %s and %d more.", strings.Join(names, ", "), more)
	}
	if at := b.goesAt(waits); !at.IsZero() {
		text += " " + b.view.say("Without it, it goes out on %s.", b.view.at(at).Text)
	}
	return text
}

// heldUp says of a task which message waits for it; "": none does.
func (b *board) heldUp(i int) string {
	var names []string
	for j := range b.run.Steps {
		s := &b.run.Steps[j]
		if s.Step.Action != dayone.MessageSend || s.Of != "" || s.State != dayone.StepPending || !slices.Contains(b.waitedFor(s), i) {
			continue
		}
		names = append(names, b.title(s.Step))
	}
	if len(names) == 0 {
		return ""
	}
	return b.view.say("Messages that wait for it: %s.", strings.Join(names, ", "))
}

// readsLetters is where whoever may go may read what is still to be written to somebody.
const readsLetters = "GET /onboard/{id}/preview"

// letter is how a message reads that is still to be sent; nil: it is not, or whoever asks may not read it.
func (p *portal) letter(r *http.Request, b *board) (*letterView, error) {
	s := &b.run.Steps[b.chosen-1]
	if s.Step.Action != dayone.MessageSend || s.Of != "" || s.State.Over() || b.run.State.Over() || !p.shows(r, readsLetters) {
		return nil, nil
	}
	m, err := p.flow.ForetellStep(r.Context(), b.run, s.Step.ID)
	if err != nil {
		return nil, err
	}
	return &letterView{ID: "letter-" + strconv.Itoa(b.chosen), Subject: m.Subject, To: strings.Join(m.To, ", "), Lines: mailLines(m.Text), Problem: sentence(m.Problem)}, nil
}

// posted leads to a mail in the mailbox of a demo; nil where there is none.
func (p *portal) posted(to dayone.Value, subject string) *link {
	if p.opt.Mailbox == nil || subject == "" {
		return nil
	}
	list := p.opt.Mailbox.Messages()
	for i, m := range slices.Backward(list) {
		if m.Subject == subject && slices.Equal(m.To, to.Items()) {
			return &link{"Read the mail", "/mailbox/" + strconv.Itoa(i+1)}
		}
	}
	return nil
}

// unsentRuns bounds how many runs the mailbox looks through for mails that are still to come.
const unsentRuns = 10

// onTheWay are mails and invitations of the newest runs that are still to go out.
func (p *portal) onTheWay(r *http.Request) ([]item, error) {
	runs, err := p.flow.Runs(r.Context(), runsUnderWay(unsentRuns))
	if err != nil {
		return nil, err
	}
	var out []item
	for _, run := range runs {
		b, err := p.board(r, run.ID)
		if err != nil {
			return nil, err
		}
		for _, it := range b.unsent() {
			it.Meta = joined(", ", b.runTitle(), it.Meta)
			out = append(out, it)
		}
	}
	return out, nil
}

// mailNotice tells on a person's page that her mail is still to come, and why; nil: it is not.
func (p *portal) mailNotice(r *http.Request, look flow.Look) (*notice, error) {
	runs, err := p.flow.Runs(r.Context(), flow.RunFilter{Person: look.Person.ID, Limit: 1})
	if err != nil || len(runs) == 0 || runs[0].State.Over() {
		return nil, err
	}
	b, err := p.board(r, runs[0].ID)
	if err != nil {
		return nil, err
	}
	for _, it := range b.unsent() {
		if it.Next == "" || it.Open == nil {
			continue
		}
		return &notice{Icon: "mail", Title: b.view.say("Not sent yet: %s", b.view.within(it.Title.Text)), Text: joined(". ", sentence(it.Meta), it.Next), Act: it.Open, Also: it.Also}, nil
	}
	return nil, nil
}

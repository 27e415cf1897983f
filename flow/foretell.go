package flow

import (
	"context"
	"slices"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/message"
)

// Foretold is a message of a plan as it would read if everything went as planned. No link in it opens anything.
type Foretold struct {
	Key           dayone.Key
	To            []string
	Hers          bool // it goes to the person herself
	Subject, Text string
	Start         string // of an invitation: RFC 3339
	Problem       string // why it cannot be put into words now
}

// What stands for a link that lets its reader in: it is made when the message is sent, and for nobody before.
const (
	foretoldSecret   = "(a one-time link, made when this is sent)"
	foretoldProgress = "(a link of its own, made when this is sent)"
	foretoldRun      = "(the page of the run, once it has begun)"
)

// Foretell writes the messages of a plan as they would read, and sends none. What nobody can know yet, such as a serial
// number, is left out as a template leaves it out.
func (f *Flow) Foretell(ctx context.Context, l Look) ([]Foretold, error) {
	return f.foretell(ctx, carriedOut(l), "")
}

// ForetellStep writes a message that a run has not sent yet, as it would read once the rest of the run is there. ErrNotFound:
// the run tells nobody anything in that step.
func (f *Flow) ForetellStep(ctx context.Context, run dayone.Run, id dayone.StepID) (Foretold, error) {
	rest := run
	rest.Steps = slices.Clone(run.Steps)
	for i := range rest.Steps {
		if s := &rest.Steps[i]; !s.State.Over() && s.Step.Approval == nil {
			*s = expected(s.Step)
		}
	}
	out, err := f.foretell(ctx, rest, id)
	if err != nil {
		return Foretold{}, err
	}
	if len(out) == 0 {
		return Foretold{}, dayone.ErrNotFound
	}
	return out[0], nil
}

// foretell writes the messages of a run, or only the one of a step.
func (f *Flow) foretell(ctx context.Context, run dayone.Run, only dayone.StepID) ([]Foretold, error) {
	var out []Foretold
	var view message.View
	var p dayone.Person
	for i := range run.Steps {
		s := &run.Steps[i].Step
		if s.Action != dayone.MessageSend || s.Want == nil || only != "" && s.ID != only {
			continue
		}
		if out == nil {
			var err error
			if view, p, err = f.view(ctx, run); err != nil {
				return nil, err
			}
			for i := range view.Links.Secrets {
				view.Links.Secrets[i].URL = foretoldSecret
			}
			view.Links.Log, view.Links.Report, view.Links.Progress = foretoldRun, foretoldRun, foretoldProgress
		}
		out = append(out, f.foretold(ctx, run, *s, view, p))
	}
	return out, nil
}

func (f *Flow) foretold(ctx context.Context, run dayone.Run, s dayone.Step, view message.View, p dayone.Person) Foretold {
	m := Foretold{Key: s.Key, To: s.Want.Attrs["to"].Items()}
	m.Hers = hers(p, m.To)
	a, err := f.compose(ctx, run, dayone.Act{Action: s.Action, Key: s.Key, Want: s.Want}, view, p)
	if err != nil {
		m.Problem = Problem(err)
		return m
	}
	attrs := a.Want.Attrs
	m.Subject, m.Text, m.Start = attrs.Text("subject"), attrs.Text("text"), attrs.Text("start")
	if s.Key.Kind == "invitation" {
		m.Subject, m.Text = attrs.Text("summary"), attrs.Text("description")
	}
	return m
}

// carriedOut is a plan as a run that did all of it but what waits for somebody to agree.
func carriedOut(l Look) dayone.Run {
	run := dayone.Run{Person: l.Person.ID, Plan: l.Plan, Have: l.Have}
	for _, s := range l.Plan.Steps {
		one := expected(s)
		if s.Approval != nil {
			one = dayone.StepRun{Step: s, State: dayone.StepWaiting, Wait: &dayone.Wait{Kind: dayone.WaitApproval}}
		}
		run.Steps = append(run.Steps, one)
	}
	return run
}

// expected is a step as if it were done, with what it asks for as what is there.
func expected(s dayone.Step) dayone.StepRun {
	one := dayone.StepRun{Step: s, State: dayone.StepDone}
	if s.Want == nil {
		return one
	}
	now := *s.Want
	now.Attrs = dayone.Attrs{}
	for name, v := range s.Want.Attrs {
		if v.Kind != dayone.SecretValue {
			now.Attrs[name] = v
		}
	}
	one.Result.Now = &now
	return one
}

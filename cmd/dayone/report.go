package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

// demoReport is what demo --json prints.
type demoReport struct {
	Run struct {
		ID             dayone.RunID    `json:"id"`
		State          dayone.RunState `json:"state"`                     // at the end of the story
		ContinuedBy    dayone.RunID    `json:"continued_by,omitempty"`    // the run that took over what waited for the first day
		ContinuedState dayone.RunState `json:"continued_state,omitempty"` // and how that one ended
		Steps          int             `json:"steps"`
		Changed        int             `json:"changed"` // before the clock jumped, as the counts below
		Already        int             `json:"already"`
		Failed         int             `json:"failed"`
	} `json:"run"`
	Grants struct {
		Before grantCount `json:"before"`
		After  grantCount `json:"after"`
	} `json:"grants"`
	Systems        []string        `json:"systems"`
	MakespanMS     float64         `json:"makespan_ms"`
	CriticalPathMS float64         `json:"critical_path_ms"`
	Messages       []reportMessage `json:"messages"`
	Events         []reportEvent   `json:"events"`
	Tasks          []reportTask    `json:"tasks"`
	Records        int64           `json:"records"`
}

type grantCount struct {
	Total             int `json:"total"`
	Confirmed         int `json:"confirmed"`
	PendingFirstLogin int `json:"pending_first_login"`
	Failed            int `json:"failed"`
}

type reportMessage struct {
	System  string   `json:"system"`
	To      []string `json:"to"`
	Subject string   `json:"subject"`
}

type reportEvent struct {
	Summary string   `json:"summary"`
	Start   string   `json:"start"`
	End     string   `json:"end"`
	To      []string `json:"to"`
}

type reportTask struct {
	Title  string       `json:"title"`
	Closed bool         `json:"closed"`
	By     string       `json:"by,omitempty"`
	Attrs  dayone.Attrs `json:"attrs,omitempty"`
}

type stepCount struct{ Changed, Already, Failed, Waiting int }

func counts(r dayone.Run) stepCount {
	var c stepCount
	for _, s := range r.Steps {
		switch s.State {
		case dayone.StepDone:
			if s.Result.Changed() {
				c.Changed++
			} else {
				c.Already++
			}
		case dayone.StepFailed, dayone.StepBlocked:
			c.Failed++
		case dayone.StepWaiting:
			c.Waiting++
			if s.Result.Changed() {
				c.Changed++
			}
		}
	}
	return c
}

// lastAnswer is when the last call of a run came back: what it waits for since then is not its own time.
func lastAnswer(r dayone.Run) time.Time {
	last := r.Started
	for _, s := range r.Steps {
		at := s.Ended
		if !s.Waited.IsZero() && s.State == dayone.StepWaiting {
			at = s.Waited
		}
		if at.After(last) {
			last = at
		}
	}
	return last
}

// count asks the books how the wanted grants stand.
func (s *story) count(ctx context.Context) (grantCount, error) {
	l, err := s.flow.Preview(ctx, s.person)
	if err != nil {
		return grantCount{}, err
	}
	held := map[dayone.Key]dayone.Holding{}
	for _, h := range l.Have {
		held[h.Key] = h
	}
	failed := map[dayone.Key]bool{}
	runs, err := s.flow.Runs(ctx, flow.RunFilter{Person: s.person, Limit: 1})
	if err != nil {
		return grantCount{}, err
	}
	for _, head := range runs {
		r, err := s.flow.RunOf(ctx, head.ID)
		if err != nil {
			return grantCount{}, err
		}
		for _, st := range r.Steps {
			if st.State == dayone.StepFailed || st.State == dayone.StepBlocked {
				failed[st.Step.Key] = true
			}
		}
	}
	var c grantCount
	for _, g := range l.Want.Grants {
		c.Total++
		h, there := held[g.Key]
		switch {
		case failed[g.Key]:
			c.Failed++
		case there && h.State == dayone.Pending:
			c.PendingFirstLogin++
		case there && h.State != dayone.Gone && (!g.Key.IsAccount() || s.flow.Active().Systems[g.Key.System].Meets(h.State, g.State)) && h.Role == g.Role:
			c.Confirmed++
		}
	}
	return c, nil
}

func (s *story) report(ctx context.Context) (demoReport, error) {
	var out demoReport
	if s.person == "" {
		return out, errNoPerson
	}
	r := s.first
	c := counts(r)
	out.Run.ID, out.Run.Steps, out.Run.Changed, out.Run.Already, out.Run.Failed = r.ID, len(r.Steps), c.Changed, c.Already, c.Failed
	out.Grants.Before = s.before
	now, err := s.flow.RunOf(ctx, r.ID)
	if err != nil {
		return out, err
	}
	out.Run.State = now.State
	if now.State == dayone.RunSuperseded {
		next, err := s.flow.Next(ctx, now)
		if err != nil {
			return out, err
		}
		out.Run.ContinuedBy, out.Run.ContinuedState = next.ID, next.State
	}
	if out.Grants.After, err = s.count(ctx); err != nil {
		return out, err
	}
	l, err := s.flow.Preview(ctx, s.person)
	if err != nil {
		return out, err
	}
	systems := map[string]bool{}
	for _, g := range l.Want.Grants {
		systems[g.Key.System] = true
	}
	out.Systems = slices.Sorted(maps.Keys(systems))
	out.MakespanMS = ms(lastAnswer(r).Sub(r.Started))
	out.CriticalPathMS = ms(engine.CriticalPath(r))
	for _, st := range r.Steps {
		if st.Step.Action != dayone.MessageSend || st.Result.Now == nil {
			continue
		}
		a := st.Result.Now.Attrs
		if st.Step.Key.Kind == "invitation" {
			out.Events = append(out.Events, reportEvent{a.Text("summary"), a.Text("start"), a.Text("end"), a["to"].Items()})
			continue
		}
		out.Messages = append(out.Messages, reportMessage{st.Step.Key.System, a["to"].Items(), cmp.Or(a.Text("subject"), st.Step.Key.Name)})
	}
	if out.Tasks, err = s.tasks(ctx, r); err != nil {
		return out, err
	}
	out.Records, err = s.flow.CountRecords(ctx)
	return out, err
}

// tasks that the run opened, done or not.
func (s *story) tasks(ctx context.Context, r dayone.Run) ([]reportTask, error) {
	out := []reportTask{}
	for _, st := range r.Steps {
		t, err := s.flow.Task(ctx, st.Step.Once)
		if err != nil {
			continue // most steps need no human
		}
		out = append(out, reportTask{strings.TrimSpace(t.Title), !t.Closed.IsZero(), t.By, t.Attrs})
	}
	return out, nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

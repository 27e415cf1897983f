package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// watch shows a run while it goes on, until it has come to rest.
func (s *story) watch(ctx context.Context, id dayone.RunID) (dayone.Run, error) {
	moved := s.flow.Watch(id)
	defer moved.Stop()
	if s.shown[id] == nil {
		s.shown[id] = map[dayone.StepID]dayone.StepState{}
	}
	for {
		r, err := s.flow.RunOf(ctx, id)
		if err != nil {
			return r, err
		}
		s.lines(r, s.shown[id])
		if resting(r) {
			s.erase()
			return r, nil
		}
		s.progress(r)
		select {
		case <-moved.Ready():
			moved.Take()
		case <-time.After(time.Second): // a wait that the clock ends
		case <-ctx.Done():
			return r, ctx.Err()
		case err := <-s.errs:
			return r, err
		}
	}
}

// resting says that nothing more happens without a human, or without the clock.
func resting(r dayone.Run) bool {
	if r.State.Over() {
		return true
	}
	if r.State != dayone.RunWaiting {
		return false
	}
	for _, st := range r.Steps {
		if st.State == dayone.StepWaiting && st.Wait != nil && !st.Wait.Kind.There() || !st.State.Over() && st.State != dayone.StepWaiting {
			return false // the reseller's parcel is on its way
		}
	}
	return true
}

// lines says what has begun and ended since the last look, in the order in which it did.
func (s *story) lines(r dayone.Run, shown map[dayone.StepID]dayone.StepState) {
	type line struct {
		at   time.Time
		text string
	}
	var ls []line
	for _, st := range r.Steps {
		was := shown[st.Step.ID]
		if st.State == was || st.State == dayone.StepPending {
			continue
		}
		shown[st.Step.ID] = st.State
		tier := fmt.Sprintf("%-10s", st.Step.Tier)
		if was == "" && !st.Started.IsZero() {
			ls = append(ls, line{st.Started, fmt.Sprintf("start  %s  %s", tier, st.Step.Key)})
		}
		if st.State == dayone.StepRunning {
			continue
		}
		took := ""
		if !st.Ended.IsZero() && !st.Started.IsZero() {
			took = round(st.Ended.Sub(st.Started)).String()
		}
		at := cmp.Or(st.Ended, r.Started)
		ls = append(ls, line{at, fmt.Sprintf("%-6s %s  %-36s %-34s %s", word(st), tier, st.Step.Key, told(st), took)})
	}
	slices.SortStableFunc(ls, func(a, b line) int { return a.at.Compare(b.at) })
	if len(ls) > 0 {
		s.erase()
	}
	for _, l := range ls {
		fmt.Fprintf(s.out, "  %s  %s\n", l.at.UTC().Format("15:04:05.000"), strings.TrimRight(l.text, " "))
	}
}

func word(st dayone.StepRun) string {
	switch st.State {
	case dayone.StepWaiting:
		return "wait"
	case dayone.StepRetrying:
		return "retry"
	default:
		return string(st.State)
	}
}

// told is what a step came to, in a few words.
func told(st dayone.StepRun) string {
	switch st.State {
	case dayone.StepWaiting:
		if st.Wait != nil {
			return "for " + string(st.Wait.Kind)
		}
	case dayone.StepFailed, dayone.StepBlocked, dayone.StepSkipped, dayone.StepRetrying:
		return st.Error
	case dayone.StepDone:
		switch {
		case st.Step.Action == dayone.MessageSend:
			return "sent"
		case !st.Result.Changed():
			return "already so"
		case st.Result.Now == nil:
			return "removed"
		case st.Step.Action == dayone.AccountCreate:
			return "created, " + string(st.Result.Now.State)
		case st.Step.Action == dayone.AccountEnable:
			return "opened"
		case st.Result.Now.Attrs.Text("serial") != "":
			return "serial " + st.Result.Now.Attrs.Text("serial")
		case st.Result.Now.Role != "":
			return "as " + st.Result.Now.Role
		}
		return "granted"
	}
	return ""
}

// progress is the one line that is written over, on a terminal.
func (s *story) progress(r dayone.Run) {
	if !s.live {
		return
	}
	done, running := 0, []string{}
	for _, st := range r.Steps {
		if st.State.Over() {
			done++
		}
		if st.State == dayone.StepRunning {
			running = append(running, st.Step.Key.String())
		}
	}
	bar := strings.Repeat("#", done*20/max(1, len(r.Steps)))
	line := fmt.Sprintf("  [%-20s] %d of %d  %s", bar, done, len(r.Steps), strings.Join(running, ", "))
	if len(line) > 118 {
		line = line[:115] + "..."
	}
	fmt.Fprint(untamed(s.out), "\r\x1b[K")
	fmt.Fprint(s.out, line)
}

func (s *story) erase() {
	if s.live {
		fmt.Fprint(untamed(s.out), "\r\x1b[K")
	}
}

func (s *story) summary(r dayone.Run) {
	c := counts(r)
	took := ""
	if _, before := s.past[r.ID]; !before { // else the demo did not run through, or its clock has jumped since
		took = fmt.Sprintf(" in %s (the longest chain of calls took %s)", round(lastAnswer(r).Sub(r.Started)), round(engine.CriticalPath(r)))
	}
	fmt.Fprintf(s.out, "\n%s: %d steps%s. %d changed, %d were so already, %d failed, %d wait.\n", r.Title, len(r.Steps), took, c.Changed, c.Already, c.Failed, c.Waiting)
	for _, st := range r.Steps {
		if st.State == dayone.StepWaiting && st.Wait != nil {
			fmt.Fprintf(s.out, "  %s waits: %s.\n", st.Step.Key, st.Wait.Note)
		}
	}
	fmt.Fprintf(s.out, "Grants: %d, %d confirmed, %d before their first login.\n", s.before.Total, s.before.Confirmed, s.before.PendingFirstLogin)
	for _, m := range s.mail.Messages() {
		fmt.Fprintf(s.out, "  mail to %s: %s\n", strings.Join(m.To, ", "), m.Subject)
	}
}

package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// What Dayone does is worth something: how soon starters are ready, and how many hours nobody had to work. Each end of a run is
// counted once, so that nobody counts steps while a page waits.

// countedAtOnce is how many runs are counted before others get their turn.
const countedAtOnce = 100

// countAgain is after how long a run that could not be read is tried again. Until then those behind it are counted.
const countAgain = 10 * time.Minute

// passed over are runs that ended and could not be read, by when each is tried again. A restart forgets them, and tries.
type passed struct {
	mu    sync.Mutex
	until map[dayone.RunID]time.Time
}

// countable are runs that ended and are to be counted now, most of them at most, and when the next of those is that are passed over.
func (f *Flow) countable(ctx context.Context, most int) (out []store.UncountedRun, next time.Time, err error) {
	p := &f.passed
	p.mu.Lock()
	defer p.mu.Unlock()
	still := map[dayone.RunID]time.Time{}
	for after := dayone.RunID(""); ; {
		list, err := f.Store.Uncounted(ctx, after, countedAtOnce)
		if err != nil {
			return nil, next, err
		}
		for _, u := range list {
			until := p.until[u.Run]
			if !until.After(f.Clock.Now()) {
				if out = append(out, u); len(out) == most {
					return out, next, nil
				}
				continue
			}
			if still[u.Run] = until; next.IsZero() || until.Before(next) {
				next = until
			}
		}
		if len(list) < countedAtOnce {
			p.until = still // what is counted meanwhile, or gone, is not remembered
			return out, next, nil
		}
		after = list[len(list)-1].Run
	}
}

// nextUncounted is now while runs that ended are to be counted, or when one is tried again that could not be read; else zero.
func (f *Flow) nextUncounted(ctx context.Context) (time.Time, error) {
	list, next, err := f.countable(ctx, 1)
	if err != nil || len(list) == 0 {
		return next, err
	}
	return f.Clock.Now(), nil
}

func (f *Flow) countRuns(ctx context.Context) error {
	list, _, err := f.countable(ctx, countedAtOnce)
	if err != nil {
		return err
	}
	for _, u := range list {
		r, err := f.Store.Run(ctx, u.Run)
		if err == nil && !r.Ended.Equal(u.Ended) {
			continue // it goes on, and ends again
		}
		c := store.CountedRun{Run: u.Run}
		if err == nil {
			c, err = f.countOf(ctx, r, u.Before)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, dayone.ErrNotFound): // it, or its person's key, is gone
		case err != nil: // another time it may be read: what is marked as counted is never looked at again
			f.passed.over(u.Run, f.Clock.Now().Add(countAgain))
			f.Log.Error("a run that ended cannot be counted; it is tried again", "run", u.Run, "error", err)
			continue
		}
		c.Ended = u.Ended
		if err := f.Store.CountRun(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// over passes a run over until an instant.
func (p *passed) over(id dayone.RunID, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until == nil {
		p.until = map[dayone.RunID]time.Time{}
	}
	p.until[id] = until
}

// longBefore is how long after a first day a first run tells nothing of that day: whoever is imported was there before.
const longBefore = 30 * 24 * time.Hour

// countOf is what a run that ended adds to what it had done at its end before. What a human did is nothing that Dayone saved, what was so already was no work,
// and what was taken back is worth nothing any more.
func (f *Flow) countOf(ctx context.Context, r dayone.Run, before time.Time) (store.CountedRun, error) {
	row, err := f.Store.Person(ctx, r.Person)
	if errors.Is(err, dayone.ErrNotFound) || err == nil && row.Veil == dayone.WholeVeiled { // whoever is hidden is in no count
		return store.CountedRun{Run: r.ID}, nil
	}
	if err != nil {
		return store.CountedRun{}, err
	}
	c := store.CountedRun{Run: r.ID, Month: monthOf(r.Ended), Person: r.Person}
	if r.Of != "" && r.Of != r.ID {
		err = f.lessOf(ctx, &c, r, before)
		return c, err
	}
	c.Steps = f.remains(r, r.Ended, backs(r, r.Ended))
	if r.State == dayone.RunUndone {
		c.Steps = map[dayone.Action]int{}
	}
	if !before.IsZero() {
		less(c.Steps, f.remains(r, before, backs(r, before)))
	}
	if r.State != dayone.RunDone || r.Of != "" {
		return c, nil
	}
	ready := f.readyAt(r)
	if ready.IsZero() || !row.Starts.After(r.Started.Add(-longBefore)) {
		return c, nil
	}
	if gone, err := f.TakenBack(ctx, r); err != nil || gone[r.ID].Whole {
		return c, err // it is counted late
	}
	c.Starts, c.Ready, c.Early = row.Starts, ready, r.Started.Before(row.Starts.Add(24*time.Hour))
	return c, nil
}

// readyAt is since when all was there that a run has brought.
func (f *Flow) readyAt(r dayone.Run) (ready time.Time) {
	for i := range r.Steps {
		s := &r.Steps[i]
		if s.State != dayone.StepDone {
			continue
		}
		switch at := s.Ended; {
		case s.Step.Action == dayone.MessageSend, s.Step.Action == dayone.AccountConfirm, s.Step.Action == dayone.EntitlementConfirm:
		case f.hers(s) && s.Waited.After(ready): // the rest of it was to sign in
			ready = s.Waited
		case !f.hers(s) && at.After(ready):
			ready = at
		}
	}
	return ready
}

func monthOf(t time.Time) string { return t.UTC().Format("2006-01") }

// lessOf is what the undo of an earlier run takes from what that was worth, in the month in which it was counted, and more than at its own end before. An
// undo is nobody's work that was saved: without the run there were nothing to undo. Of a run that was undone whole nobody is ready.
func (f *Flow) lessOf(ctx context.Context, c *store.CountedRun, undo dayone.Run, before time.Time) error {
	r, err := f.Store.Run(ctx, undo.Of)
	if err != nil {
		return err
	}
	heads, err := f.UndoneBy(ctx, r.ID)
	if err != nil {
		return err
	}
	if before.IsZero() {
		before = undo.Started
	}
	var undos []dayone.Run
	was, is := backs(r, r.Ended), backs(r, r.Ended)
	for _, head := range heads {
		if head.ID == r.ID { // it turned back by itself
			continue
		}
		one, err := f.Store.Run(ctx, head.ID)
		if err != nil {
			return err
		}
		undos = append(undos, one)
		was, is = append(was, backs(one, before)...), append(is, backs(one, undo.Ended)...)
	}
	c.Month, c.Steps = monthOf(r.Ended), f.remains(r, r.Ended, is)
	less(c.Steps, f.remains(r, r.Ended, was))
	if takenBack(r, undos, undo.Ended).Whole {
		c.Unready = f.readyAt(r)
	}
	return nil
}

// backs are the steps of a run that had taken others back at an instant.
func backs(r dayone.Run, at time.Time) (out []*dayone.StepRun) {
	for i := range r.Steps {
		s := &r.Steps[i]
		if (s.Of != "" && s.State == dayone.StepUndone || s.Step.Undoes != "" && s.State == dayone.StepDone) && !s.Ended.After(at) {
			out = append(out, s)
		}
	}
	return out
}

// remains counts what a run had done by itself at an instant, without what backs have taken back: a step, or the account that it is part of. If all else was,
// what nobody can take back, such as a mail or an order, was for nothing.
func (f *Flow) remains(r dayone.Run, at time.Time, backs []*dayone.StepRun) map[dayone.Action]int {
	out, stays := map[dayone.Action]int{}, len(backs) == 0
	for i := range r.Steps {
		s := &r.Steps[i]
		did := s.Of == "" && (s.State == dayone.StepDone || s.State == dayone.StepUndone) && s.Result.Changed() && !f.doneByHand(s) && !s.Ended.After(at)
		if !did || slices.ContainsFunc(backs, func(b *dayone.StepRun) bool { return takesBack(b, s.Step) }) {
			continue
		}
		out[s.Step.Action]++
		stays = stays || s.Step.Undo.Possible()
	}
	if !stays {
		return map[dayone.Action]int{}
	}
	return out
}

func takesBack(b *dayone.StepRun, s dayone.Step) bool {
	closed := b.Step.Action == dayone.AccountDelete || b.Step.Action == dayone.AccountDisable
	return b.Of == s.ID || b.Step.Undoes == s.ID || closed && b.Step.Key == s.Key.Account()
}

func less(of, counts map[dayone.Action]int) {
	for a, n := range counts {
		of[a] -= n
	}
}

// hers says that a step waited for whom it is about: until then all that others have to do was done.
func (f *Flow) hers(s *dayone.StepRun) bool {
	g := f.Systems[s.Step.Key.System]
	return !s.Waited.IsZero() && s.Step.Key.IsAccount() && !f.doneByHand(s) && g != nil && g.Manifest != nil && g.Manifest.Account != nil && g.Manifest.Account.Pending.There()
}

// doneByHand says that a human did a step.
func (f *Flow) doneByHand(s *dayone.StepRun) bool {
	_, listed := f.listedAt(s.Step.Key.System)
	return listed || f.Systems[s.Step.Key.System] == nil || s.Wait != nil && s.Wait.Kind == dayone.WaitTask || !s.Parked.IsZero()
}

// Readiness is how long it took until starters had everything, from the first word of their source.
type Readiness struct {
	Days   int // first days of so many days
	N      int // starters; zero: nothing is known
	Median time.Duration
}

// Saved is what Dayone did by itself since a month, and what that is worth.
type Saved struct {
	Since    string // 2025-01
	Untold   bool   // to whoever asks
	Steps    map[dayone.Action]int
	Baseline dayone.Effort
	Counted  int // steps that the baseline has minutes for
	Minutes  float64
}

// savedFor is how many months hours are counted of, this one with them.
const savedFor = 12

// Saved is what Dayone did by itself in the last twelve months. Whoever has a scope is told the baseline alone: the counts are of everybody.
func (f *Flow) Saved(ctx context.Context) (Saved, error) {
	now := f.Clock.Now().UTC()
	s := Saved{Since: time.Date(now.Year(), now.Month()-savedFor+1, 1, 0, 0, 0, 0, time.UTC).Format("2006-01")}
	var err error
	if s.Baseline, err = f.Store.Baseline(ctx); err != nil {
		return s, err
	}
	if s.Untold = !scopeOf(ctx).AllPeople(); s.Untold {
		s.Steps = map[dayone.Action]int{}
		return s, nil
	}
	if s.Steps, err = f.Store.Work(ctx, s.Since); err != nil {
		return s, err
	}
	for a, n := range s.Steps {
		if m, ok := s.Baseline.Minutes[a]; ok {
			s.Counted += n
			s.Minutes += m * float64(n)
		}
	}
	return s, nil
}

// Readiness is of first days of the last 30 and 90 days; to whoever has a scope, of those of her starters.
func (f *Flow) Readiness(ctx context.Context) ([]Readiness, error) {
	out := []Readiness{{Days: 30}, {Days: 90}}
	now := f.Clock.Now()
	for i := range out {
		o := &out[i]
		list, err := f.Store.ReadyAfter(ctx, now.AddDate(0, 0, -o.Days), now, scopeOf(ctx))
		if err != nil {
			return nil, err
		}
		if o.N = len(list); o.N > 0 {
			o.Median = (list[(o.N-1)/2] + list[o.N/2]) / 2
		}
	}
	return out, nil
}

// MostMinutes is the most that a step may be worth: a day.
const MostMinutes = 24 * 60

// SetBaseline says how many minutes a human needs for a step of each action; none: it is not counted. made is the Seq that it was
// made of. ErrConflict: somebody else was faster.
func (f *Flow) SetBaseline(ctx context.Context, minutes map[dayone.Action]float64, made int64, by, note string) (dayone.Effort, error) {
	b := dayone.Effort{Seq: made + 1, Minutes: map[dayone.Action]float64{}, At: f.Clock.Now(), By: by, Note: strings.TrimSpace(note)}
	known := map[dayone.Action]bool{}
	for _, a := range dayone.EffortActions {
		known[a] = true
	}
	var said []string
	for a, m := range minutes {
		switch {
		case !known[a]:
			return b, fmt.Errorf("%q is no action that is counted: %w", a, dayone.ErrInvalid)
		case !(m >= 0 && m <= MostMinutes): // also what is no number
			return b, fmt.Errorf("a step of %s takes between 0 and %d minutes: %w", a, MostMinutes, dayone.ErrInvalid)
		case m > 0:
			b.Minutes[a] = m
		}
	}
	if len(b.Note) > 500 {
		return b, fmt.Errorf("the note has more than 500 bytes; say it shorter: %w", dayone.ErrInvalid)
	}
	for _, a := range dayone.EffortActions {
		if m, ok := b.Minutes[a]; ok {
			said = append(said, fmt.Sprintf("%s %g min", a, m))
		}
	}
	what := strings.Join(said, ", ")
	if what == "" {
		what = "none"
	}
	if b.Note != "" {
		what += ": " + b.Note
	}
	return b, f.Store.AddBaseline(ctx, b, dayone.Record{At: b.At, What: "baseline of hours saved changed", By: by, Detail: &dayone.Detail{Note: what}})
}

// Failure is a step that failed, and that nobody has seen to.
type Failure struct {
	FailedStep
	Step  dayone.Step
	Kind  string // of the error
	Error string
}

// Failures are steps that failed in the latest run of their person, the newest first; at one system, if named.
func (f *Flow) Failures(ctx context.Context, system string, limit int) ([]Failure, error) {
	list, err := f.Store.Failed(ctx, system, scopeOf(ctx), limit)
	if err != nil {
		return nil, err
	}
	runs := map[dayone.RunID]dayone.Run{}
	var out []Failure
	for _, x := range list {
		r, ok := runs[x.Run]
		if !ok {
			if r, err = f.RunOf(ctx, x.Run); err != nil {
				return nil, err
			}
			runs[x.Run] = r
		}
		if x.Number > len(r.Steps) || r.Steps[x.Number-1].State != dayone.StepFailed { // it has moved since
			continue
		}
		s := &r.Steps[x.Number-1]
		out = append(out, Failure{x, s.Step, s.Kind, s.Error})
	}
	return out, nil
}

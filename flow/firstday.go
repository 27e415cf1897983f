package flow

import (
	"context"
	"errors"
	"slices"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// firstDayRuns is how many runs of somebody are looked through for what her first day needs.
const firstDayRuns = 20

// First tells whether all is there on somebody's first day: by a run with the steps that count for it, which is what policies give.
// What she asked for on top, and what comes along with only that, is no matter of the first day. A step that was taken back since is
// undone, whatever it was at the end of the run.
type First struct {
	dayone.Run
	Away  int          // accesses that policies would give, and that an undo holds back
	Undo  dayone.RunID // that undo; "": nothing is away
	Under bool         // it is under way
	Whole bool         // nothing else was given
}

// FirstDay is that of somebody. A run that was taken back whole tells nothing while another one tells something. false: none does.
func (f *Flow) FirstDay(ctx context.Context, id dayone.PersonID) (First, bool, error) {
	runs, err := f.Store.Runs(ctx, RunFilter{Person: id, Limit: firstDayRuns, Within: scopeOf(ctx)})
	if err != nil || len(runs) == 0 {
		return First{}, false, err
	}
	list, err := f.Store.Requests(ctx, id, true)
	if err != nil {
		return First{}, false, err
	}
	gone, err := f.TakenBack(ctx, runs...)
	if err != nil {
		return First{}, false, err
	}
	var out First
	if out.Away, out.Undo, err = f.away(ctx, id); err != nil {
		return First{}, false, err
	}
	if i := slices.IndexFunc(runs, func(r dayone.Run) bool { return r.ID == out.Undo }); i >= 0 {
		out.Under = !runs[i].State.Over()
	}
	asked := f.Active().Asked(list)
	var other, undone *dayone.Run // the newest of which no step counts, and of which none is left
	for i := range runs {
		if runs[i].Of != "" && runs[i].Of != runs[i].ID { // it takes something back
			continue
		}
		run, err := f.RunOf(ctx, runs[i].ID)
		if err != nil {
			return First{}, false, err
		}
		back, is := gone[run.ID]
		need := undoneIn(f.onlyNeeded(run, asked), back.Steps)
		switch {
		case !slices.ContainsFunc(need.Steps, counts):
			if other == nil {
				other = &run
			}
		case !is && run.Of == "" || slices.ContainsFunc(need.Steps, func(s dayone.StepRun) bool { return counts(s) && stands(&s) }):
			out.Run = need
			return out, true, nil
		case undone == nil:
			undone = &need
		}
	}
	switch {
	case undone != nil && out.Away > 0:
		out.Run, out.Whole = *undone, true
	case undone == nil && other != nil:
		out.Run = *other
	default: // nothing is held any more, and nothing given again
		return First{}, false, nil
	}
	return out, true, nil
}

// undoneIn is a run with the state of those of its steps that another run has taken back.
func undoneIn(run dayone.Run, gone map[dayone.StepID]bool) dayone.Run {
	run.Steps = slices.Clone(run.Steps)
	for i := range run.Steps {
		if s := &run.Steps[i]; gone[s.Step.ID] {
			s.State = dayone.StepUndone
		}
	}
	return run
}

// away counts what policies would give somebody if no undo held it back, and names the undo of the newest run of those.
func (f *Flow) away(ctx context.Context, id dayone.PersonID) (n int, by dayone.RunID, err error) {
	holds, err := f.Store.Holds(ctx, HoldFilter{Person: id})
	holds = slices.DeleteFunc(holds, func(h dayone.Hold) bool { return h.Run == "" || h.Away || h.Keep || h.Brake != "" })
	if err != nil || len(holds) == 0 {
		return 0, "", err
	}
	l, err := f.Preview(ctx, id)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) { // without a plan it is away all the same
		return 0, "", err
	}
	set, asked := f.Active(), f.Active().Asked(l.Requests)
	var of dayone.RunID
	for _, g := range l.Want.Grants {
		held := slices.IndexFunc(holds, func(h dayone.Hold) bool { return h.Covers(g.Key) })
		there := slices.ContainsFunc(l.Have, func(h dayone.Holding) bool {
			return h.Key == g.Key && h.State != dayone.Gone && (!g.Key.IsAccount() || set.Systems[g.Key.System].Meets(h.State, g.State))
		})
		if held < 0 || there || wished(set, asked, dayone.Step{Key: g.Key, Because: g.Because, Implied: g.Implied}) {
			continue
		}
		n, of = n+1, max(of, holds[held].Run)
	}
	if n == 0 {
		return 0, "", nil
	}
	undos, err := f.Store.UndosOf(ctx, []dayone.RunID{of})
	if err != nil || len(undos) == 0 { // it was turned back itself
		return n, of, err
	}
	return n, undos[0].ID, nil
}

// counts says whether a step brings something about that a first day may need.
func counts(s dayone.StepRun) bool { return s.Step.Action != dayone.MessageSend && s.Of == "" }

// wished says whether a step is there only because somebody asked for it: no policy gives it without, whoever asks for it, too. Of a
// rule that is gone the request tells.
func wished(set *policy.Set, asked map[dayone.Key][]dayone.Request, s dayone.Step) bool {
	gives, offers := set.Sources(s.Key, s.Because)
	_, is := asked[s.Key]
	return !s.Implied && !gives && (offers || is)
}

// onlyNeeded is a run without the steps for what was asked for. One of which nothing else is left to do is done.
func (f *Flow) onlyNeeded(run dayone.Run, asked map[dayone.Key][]dayone.Request) dayone.Run {
	set := f.Active()
	var wish, need []dayone.Grant
	for _, s := range run.Steps {
		switch {
		case s.Step.Implied:
		case wished(set, asked, s.Step):
			wish = append(wish, dayone.Grant{Key: s.Step.Key})
		default:
			need = append(need, dayone.Grant{Key: s.Step.Key})
		}
	}
	if len(wish) == 0 {
		return run
	}
	along, needed := set.Brings(wish), set.Brings(need)
	extra := map[dayone.StepID]bool{}
	for _, s := range run.Steps {
		extra[s.Step.ID] = wished(set, asked, s.Step) || s.Step.Implied && slices.Contains(along, s.Step.Key) && !slices.Contains(needed, s.Step.Key)
	}
	rest := make([]dayone.StepRun, 0, len(run.Steps))
	over, failed := true, false
	for _, s := range run.Steps {
		if extra[s.Step.ID] {
			continue
		}
		s.Step.Needs = slices.DeleteFunc(slices.Clone(s.Step.Needs), func(n dayone.Need) bool { return extra[n.Step] })
		rest = append(rest, s)
		over = over && (s.State.Over() || !counts(s))
		failed = failed || s.State == dayone.StepFailed || s.State == dayone.StepBlocked
	}
	if run.Steps = rest; over && !failed {
		run.State = dayone.RunDone
	}
	return run
}

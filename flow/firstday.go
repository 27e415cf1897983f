package flow

import (
	"context"
	"slices"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// firstDayRuns is how many runs of somebody are looked through for what her first day needs.
const firstDayRuns = 20

// FirstDay is the run that tells whether all is there on somebody's first day, with the steps that count for it: what policies
// give. What she asked for on top, what comes along with only that, and what was taken back is no matter of the first day, and
// a run that has nothing else says nothing of it. false: she has none.
func (f *Flow) FirstDay(ctx context.Context, id dayone.PersonID) (dayone.Run, bool, error) {
	runs, err := f.Store.Runs(ctx, RunFilter{Person: id, Limit: firstDayRuns, Within: scopeOf(ctx)})
	if err != nil || len(runs) == 0 {
		return dayone.Run{}, false, err
	}
	list, err := f.Store.Requests(ctx, id, true)
	if err != nil {
		return dayone.Run{}, false, err
	}
	asked := f.Active().Asked(list)
	var newest dayone.Run
	for i := range runs {
		run, err := f.RunOf(ctx, runs[i].ID)
		if err != nil {
			return run, false, err
		}
		if i == 0 {
			newest = run
		}
		if run.Of != "" { // it takes something back
			continue
		}
		if out := f.onlyNeeded(run, asked); slices.ContainsFunc(out.Steps, counts) {
			return out, true, nil
		}
	}
	return newest, true, nil
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

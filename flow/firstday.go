package flow

import (
	"context"
	"errors"
	"maps"
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
	Away  int          // of what her first day needs, what policies would give and an undo holds back
	Held  int          // accesses that an undo holds back, as her page counts them
	Undo  dayone.RunID // that undo; "": nothing is away
	Under bool         // it is under way
	Whole bool         // nothing else was given

	Full dayone.Run // the run with all its steps, as it stands
	Back TakenBack  // how far it was taken back
}

// FirstDays are those of several people, read together; of whom no run tells it says nothing. A run that was taken back whole tells
// nothing while another one tells something.
func (f *Flow) FirstDays(ctx context.Context, ids []dayone.PersonID) (map[dayone.PersonID]First, error) {
	runs, err := f.Store.LastRuns(ctx, ids, firstDayRuns, scopeOf(ctx))
	if err != nil {
		return nil, err
	}
	requests, err := f.Store.StandingRequests(ctx, ids)
	if err != nil {
		return nil, err
	}
	holds, err := f.Store.StandingHolds(ctx, ids)
	if err != nil {
		return nil, err
	}
	gone, err := f.TakenBack(ctx, slices.Concat(slices.Collect(maps.Values(runs))...)...)
	if err != nil {
		return nil, err
	}
	set := f.Active()
	var open []*firstLook
	for id, of := range runs {
		l := &firstLook{id: id, asked: set.Asked(requests[id]), gone: gone}
		if l.out.Away, l.out.Held, l.out.Undo, err = f.away(ctx, id, ofUndos(holds[id])); err != nil {
			return nil, err
		}
		for _, r := range of {
			if r.Of == "" || r.Of == r.ID { // else it takes something back
				l.next = append(l.next, r.ID)
			}
			l.out.Under = l.out.Under || r.ID == l.out.Undo && !r.State.Over()
		}
		open = append(open, l)
	}
	out := map[dayone.PersonID]First{}
	for len(open) > 0 { // of most the newest run tells
		open = slices.DeleteFunc(open, func(l *firstLook) bool {
			if len(l.next) == 0 && l.ends() {
				out[l.id] = l.out
			}
			return len(l.next) == 0
		})
		at := make([]dayone.RunID, 0, len(open))
		for _, l := range open {
			at = append(at, l.next[0])
		}
		list, err := f.RunsOf(ctx, at)
		if err != nil {
			return nil, err
		}
		for i, l := range open {
			l.next = l.next[1:]
			if l.tells(list[i], f.onlyNeeded(list[i], l.asked)) {
				out[l.id], l.next = l.out, nil
				open[i] = nil
			}
		}
		open = slices.DeleteFunc(open, func(l *firstLook) bool { return l == nil })
	}
	return out, nil
}

// FirstDaysHeld are those of whoever an undo keeps something from: of others nothing is read but that.
func (f *Flow) FirstDaysHeld(ctx context.Context, ids []dayone.PersonID) (map[dayone.PersonID]First, error) {
	holds, err := f.Store.StandingHolds(ctx, ids)
	if err != nil {
		return nil, err
	}
	held := slices.DeleteFunc(slices.Clone(ids), func(id dayone.PersonID) bool { return len(ofUndos(holds[id])) == 0 })
	if len(held) == 0 {
		return nil, nil
	}
	return f.FirstDays(ctx, held)
}

// firstLook looks through the runs of somebody for the one that tells of her first day.
type firstLook struct {
	id            dayone.PersonID
	asked         map[dayone.Key][]dayone.Request
	gone          map[dayone.RunID]TakenBack
	next          []dayone.RunID // those not looked at yet, newest first
	out           First
	other, undone *First // the newest of which no step counts, and of which none is left
}

// tells says whether a run tells of the first day, by those of its steps that are needed then.
func (l *firstLook) tells(run, need dayone.Run) bool {
	back, is := l.gone[run.ID]
	need = undoneIn(need, back.Steps)
	switch {
	case !slices.ContainsFunc(need.Steps, counts):
		if l.other == nil {
			l.other = &First{Run: run, Full: run, Back: back}
		}
	case !is && run.Of == "" || slices.ContainsFunc(need.Steps, func(s dayone.StepRun) bool { return counts(s) && stands(&s) }):
		l.out.Run, l.out.Full, l.out.Back = need, run, back
		return true
	case l.undone == nil || l.undone.Back.Of != l.undone.ID: // it only went with an earlier one
		l.undone = &First{Run: need, Full: run, Back: back}
	}
	return false
}

// ofUndos are those of holds that keep away what somebody took back.
func ofUndos(holds []dayone.Hold) []dayone.Hold {
	return slices.DeleteFunc(slices.Clone(holds), func(h dayone.Hold) bool { return h.Run == "" || h.Away || h.Keep || h.Brake != "" })
}

// ends says what is left to say where no run tells; false: nothing is held any more, and nothing given again.
func (l *firstLook) ends() bool {
	switch {
	case l.undone != nil && l.out.Away > 0:
		l.out.Run, l.out.Full, l.out.Back, l.out.Whole = l.undone.Run, l.undone.Full, l.undone.Back, true
	case l.undone == nil && l.other != nil:
		l.out.Run, l.out.Full, l.out.Back = l.other.Run, l.other.Full, l.other.Back
	default:
		return false
	}
	return true
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

// away counts what policies would give somebody on her first day if no undo held it back, and all that undos hold back, and names the
// undo of the newest run of those. holds are those of undos of hers.
func (f *Flow) away(ctx context.Context, id dayone.PersonID, holds []dayone.Hold) (n, held int, by dayone.RunID, err error) {
	if len(holds) == 0 {
		return 0, 0, "", nil
	}
	l, err := f.Preview(ctx, id)
	switch {
	case errors.Is(err, dayone.ErrNotFound): // erased or merged since
		return 0, 0, "", nil
	case err != nil && !errors.Is(err, dayone.ErrInvalid): // without a plan it is away all the same
		return 0, 0, "", err
	}
	set, asked := f.Active(), f.Active().Asked(l.Requests)
	var of dayone.RunID
	for _, g := range l.Want.Grants {
		by := slices.IndexFunc(holds, func(h dayone.Hold) bool { return h.Covers(g.Key) })
		there := slices.ContainsFunc(l.Have, func(h dayone.Holding) bool {
			return h.Key == g.Key && h.State != dayone.Gone && (!g.Key.IsAccount() || set.Systems[g.Key.System].Meets(h.State, g.State))
		})
		if by < 0 || there || wished(set, asked, dayone.Step{Key: g.Key, Because: g.Because, Implied: g.Implied}) {
			continue
		}
		n, of = n+1, max(of, holds[by].Run)
	}
	if n == 0 {
		return 0, 0, "", nil
	}
	list, err := f.accessOf(ctx, l, err == nil)
	if err != nil {
		return 0, 0, "", err
	}
	for _, a := range list {
		held += btoi(a.HeldBack() && slices.ContainsFunc(holds, func(h dayone.Hold) bool { return h.Covers(a.Key) }))
	}
	undos, err := f.Store.UndosOf(ctx, []dayone.RunID{of})
	i := slices.IndexFunc(undos, func(u dayone.Run) bool { return u.Of == of })
	if err != nil || i < 0 { // it was turned back itself
		return n, held, of, err
	}
	return n, held, undos[i].ID, nil
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

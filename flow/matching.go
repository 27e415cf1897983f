package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
)

// Matching: a source tells of an employment of nobody, and maybe it is one of somebody who is known. By the employee number it
// is bound; by mail or name it is a question to a human, and until that is answered nothing of it counts. What ends an
// employment is never held.

// marksOf are the digests of traits, in their order.
func (f *Flow) marksOf(ts []people.Trait) []string {
	out := make([]string, 0, len(ts))
	for _, t := range ts {
		out = append(out, secret.Mark(f.Keeper.Token("trait "+t.Kind+"\n"+t.Value)))
	}
	return out
}

// claims are newcomers who are being looked at: of two that may be one, the second waits until the first is in the books.
type claims struct {
	mu    sync.Mutex
	moved *sync.Cond
	taken map[string]bool
}

// claim takes all marks or waits; the result lets go.
func (c *claims) claim(marks []string) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moved == nil {
		c.moved, c.taken = sync.NewCond(&c.mu), map[string]bool{}
	}
	for slices.ContainsFunc(marks, func(m string) bool { return c.taken[m] }) {
		c.moved.Wait()
	}
	for _, m := range marks {
		c.taken[m] = true
	}
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, m := range marks {
			delete(c.taken, m)
		}
		c.moved.Broadcast()
	})
}

// newcomer is an employment of nobody.
type newcomer struct {
	person   dayone.PersonID // whose it is after all; "": nobody's yet
	suspects []dayone.Suspect
	says     map[string]string
	release  func() // never nil; to be called once she is in the books
}

// meet looks whether an employment of nobody is one of somebody who is known.
func (f *Flow) meet(ctx context.Context, h people.Heard) (newcomer, error) {
	n := newcomer{release: func() {}}
	now, set := f.Clock.Now(), f.Active()
	var t dayone.Timeline
	j := people.Judge(&t, h, set, now, "eng_new")
	if j.State == dayone.EventQuarantined {
		return n, nil // it is not known of whom it tells
	}
	t = j.Extend(t)
	traits := people.Traits(&t, now)
	n.says = saysOf(people.At(&t, now, now, set))
	if err := f.markAll(ctx); err != nil {
		return n, err
	}
	n.release = f.claims.claim(append(f.marksOf(traits), h.Source+"\n"+h.Subject))
	err := f.find(ctx, h, traits, &n)
	if err != nil {
		n.release()
	}
	return n, err
}

// find looks for somebody by what is said of her, and for what a human said about it.
func (f *Flow) find(ctx context.Context, h people.Heard, traits []people.Trait, n *newcomer) error {
	m, asked, err := f.Store.MatchOf(ctx, h.Source, h.Subject)
	switch {
	case err != nil:
		return err
	case asked && m.State == dayone.MatchSame:
		to, err := f.Store.PersonOfMerged(ctx, m.Person)
		n.person = cmp.Or(to, m.Person)
		return err
	case asked && m.State == dayone.MatchOther:
		return nil
	}
	if n.suspects, n.person, err = f.suspects(ctx, h.Source, traits); err != nil {
		return err
	}
	if people.Ends(h.Event) {
		n.suspects = nil
	}
	return nil
}

// suspects are who may be meant; the second result is who is, without a doubt.
func (f *Flow) suspects(ctx context.Context, source string, traits []people.Trait) ([]dayone.Suspect, dayone.PersonID, error) {
	asks := people.Asks(traits)
	marks := f.marksOf(asks)
	found, err := f.Store.Marked(ctx, marks)
	if err != nil {
		return nil, "", err
	}
	why := map[dayone.PersonID][]string{}
	var bound []dayone.PersonID
	for i, m := range marks {
		for _, p := range found[m] {
			switch asks[i].Kind {
			case people.TraitNumber:
				switch alike, err := f.alike(ctx, p, traits); {
				case err != nil:
					return nil, "", err
				case alike:
					bound = append(bound, p)
					continue
				}
			case people.TraitStart: // of two who begin on one day the source that tells of both knows that they are two
				switch only, err := f.onlyOf(ctx, p, source); {
				case err != nil:
					return nil, "", err
				case only:
					continue
				}
			}
			if text := people.TraitTexts[asks[i].Kind]; !slices.Contains(why[p], text) {
				why[p] = append(why[p], text)
			}
		}
	}
	if len(bound) == 1 {
		return nil, bound[0], nil
	}
	for _, p := range bound {
		why[p] = append(why[p], "the same employee number, as others have, too")
	}
	var out []dayone.Suspect
	for _, p := range slices.Sorted(maps.Keys(why)) {
		out = append(out, dayone.Suspect{Person: p, Why: why[p]})
	}
	slices.SortStableFunc(out, func(a, b dayone.Suspect) int { return cmp.Compare(len(b.Why), len(a.Why)) })
	return out, "", nil
}

// alike says that the name of somebody known does not speak against her being the newcomer.
func (f *Flow) alike(ctx context.Context, p dayone.PersonID, traits []people.Trait) (bool, error) {
	t, err := f.Store.Timeline(ctx, p)
	if err != nil {
		return false, err
	}
	return people.SameName(people.Traits(&t, f.Clock.Now()), traits), nil
}

// onlyOf says that somebody is known from one source alone.
func (f *Flow) onlyOf(ctx context.Context, p dayone.PersonID, source string) (bool, error) {
	t, err := f.Store.Timeline(ctx, p)
	return !slices.ContainsFunc(t.Employments, func(e dayone.Employment) bool { return e.Source != source }), err
}

// markAll writes by what people are found who came into the books before that was asked.
func (f *Flow) markAll(ctx context.Context) error {
	f.marking.Lock()
	defer f.marking.Unlock()
	for !f.marked {
		ids, err := f.Store.Unmarked(ctx, 200)
		if err != nil {
			return err
		}
		f.marked = len(ids) == 0
		for _, id := range ids {
			switch err := f.mark(ctx, id); {
			case errors.Is(err, dayone.ErrUnsupported): // this process only looks: whoever writes does it
				f.marked = true
			case err != nil:
				return err
			}
		}
	}
	return nil
}

func (f *Flow) mark(ctx context.Context, id dayone.PersonID) error {
	defer f.lock(id)()
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return err
	}
	return f.Store.SaveMarks(ctx, id, f.marksOf(people.Traits(&t, f.Clock.Now())))
}

// saysOf is what a human sees of a newcomer.
func saysOf(p dayone.Person) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"first_name", "last_name", "email", "personal_email", "mobile", "department", "job_title", "location", "manager", "company", "employee_number"} {
		if v := p.Attrs.Text(name); v != "" {
			out[name] = v
		}
	}
	if len(p.Engagements) > 0 {
		e := p.Engagements[0]
		out["start_date"], out["end_date"], out["employment_type"] = e.Start, e.LastDay, e.Type
	}
	maps.DeleteFunc(out, func(_, v string) bool { return v == "" })
	return out
}

// ask holds an event until a human has said whose it is.
func (f *Flow) ask(ctx context.Context, in dayone.Intake, n newcomer) error {
	note := "it may be about somebody who is known already; say who under Matches"
	return f.Store.HoldEvent(ctx, in.ID, note, dayone.Match{
		ID: dayone.MatchID(f.IDs.New("mat")), Source: in.Source, Subject: in.Subject, Event: in.ID, Opened: f.Clock.Now(), Suspects: n.suspects, Says: n.says, State: dayone.MatchOpen,
	})
}

// matchesLookedAt is how many questions are read at once to find those that somebody with a scope may answer, and how far they are counted.
const matchesLookedAt = 1000

// Matches lists the questions whether somebody is known already: open ones first.
func (f *Flow) Matches(ctx context.Context, open bool, limit int) ([]dayone.Match, error) {
	return f.MatchesBy(ctx, MatchFilter{Open: open, Limit: limit})
}

// MatchFilter chooses questions.
type MatchFilter = store.MatchFilter

// MatchesBy lists those of a filter. What is not in sight takes nobody's place.
func (f *Flow) MatchesBy(ctx context.Context, q MatchFilter) (out []dayone.Match, err error) {
	limit := q.Limit
	if q.Public = !mayKnow(ctx); scopeOf(ctx).AllPeople() {
		return f.Store.Matches(ctx, q)
	}
	for q.Limit = matchesLookedAt; ; {
		list, err := f.Store.Matches(ctx, q)
		if err != nil {
			return nil, err
		}
		some, err := seen(list, func(m dayone.Match) (bool, error) { return f.matchInSight(ctx, m) })
		if err != nil {
			return nil, err
		}
		if out = append(out, some...); len(list) < q.Limit || len(out) >= limit {
			return out[:min(len(out), limit)], nil
		}
		last := list[len(list)-1]
		q.From = Mark{Waits: last.State == dayone.MatchOpen, ID: string(last.ID)}
	}
}

// Match is one of them. ErrNotFound also where it is not for whoever asks.
func (f *Flow) Match(ctx context.Context, id dayone.MatchID) (dayone.Match, error) {
	m, err := f.Store.Match(ctx, id, store.MatchFilter{Public: !mayKnow(ctx)})
	if err == nil {
		var in bool
		if in, err = f.matchInSight(ctx, m); err == nil && !in {
			err = fmt.Errorf("match: %w", dayone.ErrNotFound)
		}
	}
	if err != nil {
		return dayone.Match{}, err
	}
	return m, nil
}

// CountMatches is how many wait for an answer.
func (f *Flow) CountMatches(ctx context.Context) (int, error) {
	if !scopeOf(ctx).AllPeople() {
		list, err := f.Matches(ctx, true, matchesLookedAt)
		return len(list), err
	}
	return f.Store.CountMatches(ctx, store.MatchFilter{Open: true, Public: !mayKnow(ctx)})
}

// DecideMatch is a human's answer: the person whose employment it is, or "" for somebody who is not known yet. What was held is
// looked at then.
func (f *Flow) DecideMatch(ctx context.Context, id dayone.MatchID, person dayone.PersonID, by, reason string) (dayone.Match, error) {
	m, err := f.Match(ctx, id)
	if err != nil {
		return m, err
	}
	reason = strings.TrimSpace(reason)
	switch {
	case m.State != dayone.MatchOpen:
		return m, fmt.Errorf("this was decided already: %w", dayone.ErrConflict)
	case len(reason) > 2000:
		return m, fmt.Errorf("the reason is longer than 2000 characters: %w", dayone.ErrInvalid)
	}
	m.State, m.By, m.Decided = dayone.MatchOther, by, f.Clock.Now()
	what := "match: " + m.Source + " tells of somebody new"
	if person != "" {
		row, err := f.Store.Person(ctx, person)
		if err != nil {
			return m, err
		}
		if !slices.ContainsFunc(m.Suspects, func(s dayone.Suspect) bool { return s.Person == person }) {
			return m, fmt.Errorf("%s is none of those who may be meant; choose one of them, or somebody new: %w", row.Name, dayone.ErrInvalid)
		}
		m.State, m.Person, what = dayone.MatchSame, person, "match: "+m.Source+" tells of the same person"
	}
	err = f.Store.DecideMatch(ctx, m, dayone.Record{At: m.Decided, Person: person, What: what, System: m.Source, By: by, Detail: &dayone.Detail{Note: withReason(string(m.Event), reason)}})
	if err == nil {
		f.look()
	}
	return m, err
}

// TakeBack is how the answer to a question is undone: by splitting the employment off again, or by merging whoever it made
// with the one who was meant.
type TakeBack struct {
	Split bool
	To    dayone.PersonID // who has the employment; of a merge, who stays
	With  dayone.PersonID // of a merge: who becomes a part of them
	Of    string          // of a split: the employment
}

// TakeBackOf says how an answer is undone. ErrConflict: nothing is left of it to undo. ErrNotFound: not for whoever asks.
func (f *Flow) TakeBackOf(ctx context.Context, m dayone.Match) (TakeBack, error) {
	none := fmt.Errorf("nothing of this answer is left to take back: %w", dayone.ErrConflict)
	has, known, err := f.Store.PersonOf(ctx, m.Source, m.Subject)
	if err != nil {
		return TakeBack{}, err
	}
	if !known || m.State == dayone.MatchOpen {
		return TakeBack{}, none
	}
	if m.State == dayone.MatchSame {
		to, err := f.Store.PersonOfMerged(ctx, m.Person)
		if err != nil {
			return TakeBack{}, err
		}
		if cmp.Or(to, m.Person) != has {
			return TakeBack{}, none
		}
		s, err := f.SplitPreview(ctx, has, m.Source+"/"+m.Subject)
		if err == nil && s.Refused != "" {
			err = none
		}
		return TakeBack{Split: true, To: has, Of: m.Source + "/" + m.Subject}, err
	}
	for _, s := range m.Suspects {
		to, err := f.Store.PersonOfMerged(ctx, s.Person)
		if err != nil {
			return TakeBack{}, err
		}
		stays := cmp.Or(to, s.Person)
		if _, err := f.whole(ctx, stays); err == nil && stays != has {
			return TakeBack{To: stays, With: has}, nil
		} else if err != nil && dayone.KindOf(err) == nil {
			return TakeBack{}, err
		}
	}
	return TakeBack{}, none
}

// MatchAbout is the latest question about an employment. ErrNotFound: there was none, or not for whoever asks.
func (f *Flow) MatchAbout(ctx context.Context, source, subject string) (dayone.Match, error) {
	m, asked, err := f.Store.MatchOf(ctx, source, subject)
	if err == nil && !asked {
		err = fmt.Errorf("match: %w", dayone.ErrNotFound)
	}
	if err != nil {
		return m, err
	}
	return f.Match(ctx, m.ID)
}

// newOf says whose an employment of nobody is; held: a human says so first.
func (f *Flow) newOf(ctx context.Context, in dayone.Intake, h people.Heard) (n newcomer, held bool, err error) {
	if n, err = f.meet(ctx, h); err != nil || len(n.suspects) == 0 {
		return n, false, err
	}
	defer n.release()
	return n, true, f.ask(ctx, in, n)
}

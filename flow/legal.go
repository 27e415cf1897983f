package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// LegalHolds are those on a person, the newest first.
func (f *Flow) LegalHolds(ctx context.Context, id dayone.PersonID) ([]dayone.LegalHold, error) {
	if _, err := f.Person(ctx, id); err != nil {
		return nil, err
	}
	return f.Store.LegalHolds(ctx, id)
}

// standing is the legal hold that stands; nil: none does.
func standing(holds []dayone.LegalHold) *dayone.LegalHold {
	i := slices.IndexFunc(holds, func(h dayone.LegalHold) bool { return h.Ended.IsZero() })
	if i < 0 {
		return nil
	}
	return &holds[i]
}

// HoldLegally stops every loss of what somebody has, until somebody says otherwise. A deletion that is under way is given up,
// as far as its system has not been told yet. ErrConflict: a hold stands. ErrInvalid: no reason.
func (f *Flow) HoldLegally(ctx context.Context, id dayone.PersonID, by, reason string) (dayone.LegalHold, error) {
	h := dayone.LegalHold{ID: dayone.LegalHoldID(f.IDs.New("lgl")), Person: id, Reason: strings.TrimSpace(reason), By: by, From: f.Clock.Now()}
	if h.Reason == "" {
		return h, fmt.Errorf("say why, such as the name of the case: %w", dayone.ErrInvalid)
	}
	if _, err := f.there(ctx, id); err != nil {
		return h, err
	}
	rec := dayone.Record{At: h.From, Person: id, What: "legal hold", By: by, Detail: &dayone.Detail{Note: h.Reason}}
	if err := f.spare(ctx, h, rec); err != nil {
		return h, err
	}
	return h, f.afresh(ctx, id)
}

// spare keeps a legal hold, and gives up the run that would lose something: the engine knows no legal holds, so no such run
// may go on, nor be resumed. One that somebody paused is cancelled, so that nothing of it starts again by itself.
func (f *Flow) spare(ctx context.Context, h dayone.LegalHold, rec dayone.Record) error {
	defer f.lock(h.Person)() // whoever plans now knows of no hold yet
	if err := f.Store.SaveLegalHold(ctx, h, h.From, rec); err != nil {
		return err
	}
	active, err := f.Store.ActiveRun(ctx, h.Person)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = f.stopLoss(ctx, active, h)
	}
	if err != nil {
		return fmt.Errorf("the legal hold stands, but it is not known that their run has stopped, which may still delete an account; cancel it: %w", err)
	}
	return nil
}

func (f *Flow) stopLoss(ctx context.Context, active dayone.RunID, h dayone.LegalHold) error {
	r, err := f.RunOf(ctx, active)
	if err != nil || r.State.Over() || r.Ending != "" || !slices.ContainsFunc(r.Steps, destroys) {
		return err // one that is being given up begins nothing any more
	}
	if r.State == dayone.RunHeld {
		return f.end(ctx, active, engine.Human{By: h.By, Verb: engine.Cancel, Reason: "a legal hold: " + h.Reason})
	}
	return f.supersede(ctx, active)
}

// destroys says that a step deletes something, or would if its run turned back.
func destroys(s dayone.StepRun) bool {
	return s.Step.Action == dayone.AccountDelete && !s.State.Over() || s.Of == "" && s.Step.Undo == dayone.UndoDelete
}

// ReleaseLegally ends the legal hold on somebody: what was put off goes on by the timers as they stand. ErrConflict: none
// stands.
func (f *Flow) ReleaseLegally(ctx context.Context, id dayone.PersonID, by, reason string) (dayone.LegalHold, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return dayone.LegalHold{}, fmt.Errorf("say why: the reason goes into the record: %w", dayone.ErrInvalid)
	}
	holds, err := f.LegalHolds(ctx, id)
	if err != nil {
		return dayone.LegalHold{}, err
	}
	h := standing(holds)
	if h == nil {
		return dayone.LegalHold{}, fmt.Errorf("no legal hold stands on this person: %w", dayone.ErrConflict)
	}
	h.Ended, h.EndedBy, h.Why = f.Clock.Now(), by, reason
	rec := dayone.Record{At: h.Ended, Person: id, What: "legal hold released", By: by, Detail: &dayone.Detail{Note: reason}}
	if err := f.Store.SaveLegalHold(ctx, *h, h.Ended, rec); err != nil {
		return *h, err
	}
	return *h, f.afresh(ctx, id)
}

// afresh plans somebody anew at once; where no plan can be made the order stands all the same, and she is looked at later.
func (f *Flow) afresh(ctx context.Context, id dayone.PersonID) error {
	_, err := f.Replan(ctx, id, "", "")
	if err != nil && dayone.KindOf(err) != nil {
		f.Log.Warn("planning after a legal hold", "person", id, "error", err)
		f.look()
		return nil
	}
	return err
}

// there is a person who was not erased, and of whom whoever asks may know.
func (f *Flow) there(ctx context.Context, id dayone.PersonID) (Row, error) {
	row, err := f.Person(ctx, id)
	if err != nil {
		return row, err
	}
	gone, err := f.Store.WasErased(ctx, id)
	if err == nil && gone {
		err = fmt.Errorf("this person was erased: %w", dayone.ErrConflict)
	}
	return row, err
}

// Erasure is what erasing somebody would destroy, and why it cannot be done yet.
type Erasure struct {
	Row      Row
	Refused  string    // "": it can be done
	From     time.Time // from when on it may be done; zero: she has not left
	Accounts []dayone.Key
	Stays    []Staying // what is open of them still
	Runs     int
	Lines    int    // of the ledger, which stay and go on proving
	Token    string // says that this was shown: Erase wants it
}

// ErasePreview says what Erase would do.
func (f *Flow) ErasePreview(ctx context.Context, id dayone.PersonID) (Erasure, error) {
	var e Erasure
	row, err := f.there(ctx, id)
	if err != nil {
		return e, err
	}
	e.Row = row
	l, err := f.Preview(ctx, id)
	if err != nil && dayone.KindOf(err) == nil {
		return e, err
	}
	if l.Person.Status == dayone.Left {
		e.Stays = f.Stays(l)
	}
	have, err := f.Store.Holdings(ctx, id, false)
	if err != nil {
		return e, err
	}
	for _, h := range have {
		if h.Key.IsAccount() && h.State != dayone.Gone {
			e.Accounts = append(e.Accounts, h.Key)
		}
	}
	runs, err := f.Store.Runs(ctx, RunFilter{Person: id})
	if err != nil {
		return e, err
	}
	e.Runs = len(runs)
	if _, _, e.Lines, err = f.Store.LastLine(ctx, id); err != nil {
		return e, err
	}
	holds, err := f.Store.LegalHolds(ctx, id)
	if err != nil {
		return e, err
	}
	now := f.Clock.Now()
	if !l.Person.End.IsZero() {
		e.From = l.Person.End.Add(f.retained(l.Person))
	}
	under := slices.IndexFunc(runs, func(r dayone.Run) bool { return !r.State.Over() })
	switch h := standing(holds); {
	case h != nil:
		e.Refused = "a legal hold stands since " + h.From.UTC().Format("2 January 2006") + "; release it first"
	case l.Person.Status != dayone.Left:
		e.Refused = "they work here or will; only somebody who has left is erased"
	case now.Before(e.From):
		e.Refused = "what is known of them is kept until " + e.From.UTC().Format("2 January 2006") + " (privacy.retain_days and privacy.retain)"
	case under >= 0:
		e.Refused = "a run of theirs is under way; let it end, or cancel it, first"
	}
	if e.Refused == "" {
		e.Token = f.Keeper.Token(eraseWord(id, now))
	}
	return e, nil
}

// eraseWord is what a token stands for that is good for what is left of the hour, and for the one after.
func eraseWord(id dayone.PersonID, at time.Time) string {
	return "erase " + string(id) + " " + at.UTC().Format("2006-01-02T15")
}

// Erase destroys the key of somebody's values, for good. It takes two steps: token is that of a preview, not older than an
// hour. Proofs still verify, and say that she was erased. ErrForbidden: not yet, or not at all, and why.
func (f *Flow) Erase(ctx context.Context, id dayone.PersonID, by, reason, token string) error {
	if reason = strings.TrimSpace(reason); reason == "" {
		return fmt.Errorf("say why: the reason goes into the record: %w", dayone.ErrInvalid)
	}
	e, err := f.ErasePreview(ctx, id)
	if err != nil {
		return err
	}
	now := f.Clock.Now()
	switch {
	case e.Refused != "":
		return fmt.Errorf("%s: %w", e.Refused, dayone.ErrForbidden)
	case !f.Keeper.Verify(eraseWord(id, now), token) && !f.Keeper.Verify(eraseWord(id, now.Add(-time.Hour)), token):
		return fmt.Errorf("look again at what is destroyed: that look was too long ago, or was about somebody else: %w", dayone.ErrConflict)
	}
	defer f.lock(id)()
	// the reason is about the person, and goes with her key; that it was done, and by whom, stays
	if err := f.Store.Erase(ctx, id, now, dayone.Record{At: now, Person: id, What: "erased", By: by, Detail: &dayone.Detail{Note: reason}}); err != nil {
		return err
	}
	f.forgetPhones()
	return nil
}

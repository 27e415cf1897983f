package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
)

// Reply is an answer to a request. Of is who decides; empty: whoever is logged in.
type Reply struct {
	Of, By string
	Yes    bool
	Reason string
}

// Answer takes somebody's answer. ErrForbidden: it is not for them to decide, or it is about themselves. ErrConflict: it is
// decided.
func (f *Flow) Answer(ctx context.Context, id dayone.ApprovalID, a Reply) (dayone.Petition, error) {
	r, err := f.Approval(ctx, id)
	if err != nil {
		return r, err
	}
	row, err := f.Store.Person(ctx, r.Person)
	if err != nil {
		return r, err
	}
	of, reason := strings.ToLower(strings.TrimSpace(a.Of)), strings.TrimSpace(a.Reason)
	if of == "" {
		of = strings.ToLower(a.By)
	}
	now := f.Clock.Now()
	var seats []string
	for _, d := range r.Deciders {
		if d.Mail == of {
			seats = append(seats, d.As)
		}
	}
	v, _ := ctx.Value(viewerKey{}).(dayone.Viewer)
	others, err := f.ForOthers(ctx)
	if err != nil {
		return r, err
	}
	own, err := f.ownMatter(ctx, r, row.Email, of, a.By)
	if err != nil {
		return r, err
	}
	switch {
	case r.Why != "":
		return r, fmt.Errorf("nobody has to answer this now: %s: %w", r.Why, dayone.ErrConflict)
	case r.State != dayone.ApprovalOpen:
		return r, fmt.Errorf("this was %s already: %w", r.State, dayone.ErrConflict)
	case !now.Before(r.Due):
		return r, fmt.Errorf("nobody answered in time, which is no: %w", dayone.ErrConflict)
	case own:
		return r, fmt.Errorf("nobody decides for themselves, or about what they asked for: %w", dayone.ErrForbidden)
	case !others && !strings.EqualFold(of, v.Login):
		return r, fmt.Errorf("you answer for yourself alone; whoever else is asked signs in, or an administrator enters it: %w", dayone.ErrForbidden)
	case len(seats) == 0 && a.Of == "":
		return r, fmt.Errorf("say for whom you decide: one of those who may: %w", dayone.ErrInvalid)
	case len(seats) == 0:
		return r, fmt.Errorf("they may not decide this; choose one of those who may: %w", dayone.ErrForbidden)
	case !a.Yes && reason == "":
		return r, fmt.Errorf("say why not: whoever wanted it will ask: %w", dayone.ErrInvalid)
	case len(reason) > 2000:
		return r, fmt.Errorf("the reason is longer than 2000 characters: %w", dayone.ErrInvalid)
	}
	if err := f.stillAsked(ctx, r); err != nil {
		return r, err
	}
	before, err := f.answeredBefore(ctx, r.Votes, a.By)
	if err != nil {
		return r, err
	}
	again := false // somebody answered while we looked
	vote := dayone.Vote{Of: of, By: a.By, As: seats, Yes: a.Yes, Reason: reason, At: now}
	out, err := f.Store.ChangeApproval(ctx, id, now, func(is *dayone.Petition) error {
		switch {
		case is.State != dayone.ApprovalOpen:
			return fmt.Errorf("this was %s already: %w", is.State, dayone.ErrConflict)
		case slices.ContainsFunc(is.Votes, func(v dayone.Vote) bool { return v.Of == of }):
			return fmt.Errorf("they have answered already; it waits for somebody else: %w", dayone.ErrConflict)
		case slices.ContainsFunc(is.Votes, func(v dayone.Vote) bool { _, known := before[strings.ToLower(v.By)]; return !known }):
			again = true
			return dayone.ErrConflict
		case slices.ContainsFunc(is.Votes, func(v dayone.Vote) bool { return before[strings.ToLower(v.By)] }): // it takes two, and she is one
			return fmt.Errorf("you have answered this already; somebody else has to answer for %s: %w", of, dayone.ErrForbidden)
		}
		is.Votes, is.Deciders = append(is.Votes, vote), r.Deciders
		if is.State = people.Verdict(is.Rule, is.Votes); is.State != dayone.ApprovalOpen {
			is.Decided, is.Next = now, time.Time{}
		}
		return nil
	})
	if again {
		return f.Answer(ctx, id, a)
	}
	f.look()
	return out, err
}

// stillAsked refuses an answer of which nothing would come, before the next look has withdrawn what it is about.
func (f *Flow) stillAsked(ctx context.Context, r dayone.Petition) error {
	l, err := f.Preview(ctx, r.Person)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) { // a plan that cannot be made keeps nobody from answering
		return err
	}
	idle, err := f.idle(ctx, l, "")
	if err != nil {
		return err
	}
	if why := idle(r.Key); why != "" {
		return fmt.Errorf("nobody has to answer this now: %s: %w", why, dayone.ErrConflict)
	}
	return nil
}

// asker is who asks: a mail address, or nobody in particular. Whoever is logged in by mail address asks herself.
func asker(of, login string) (string, error) {
	of = strings.ToLower(strings.TrimSpace(of))
	switch {
	case of == "" && dayone.IsMail(login):
		return strings.ToLower(login), nil
	case of != "" && (!dayone.IsMail(of) || len(of) > 320):
		return "", fmt.Errorf("write the mail address of who asks, or leave it empty: %w", dayone.ErrInvalid)
	}
	return of, nil
}

// AskAnew asks again for what was refused, or for what nobody answered. Nobody who ever asked for it decides.
func (f *Flow) AskAnew(ctx context.Context, id dayone.ApprovalID, a dayone.Ask) (dayone.Petition, error) {
	r, err := f.Store.Approval(ctx, id)
	if err != nil {
		return r, err
	}
	now := f.Clock.Now()
	if a.Of, err = asker(a.Of, a.By); err != nil {
		return r, err
	}
	v, _ := ctx.Value(viewerKey{}).(dayone.Viewer)
	switch others, err := f.ForOthers(ctx); {
	case err != nil:
		return r, err
	case !others && a.Of != "" && !strings.EqualFold(a.Of, v.Login): // whoever asked decides no more: that is nobody's to say of others
		return r, fmt.Errorf("you ask in your own name; an administrator may enter that somebody else asks: %w", dayone.ErrForbidden)
	}
	if a.Reason = strings.TrimSpace(a.Reason); len(a.Reason) > 2000 {
		return r, fmt.Errorf("the reason is longer than 2000 characters: %w", dayone.ErrInvalid)
	}
	a.At = now
	r.ID, r.State, r.Noted, r.Asks, r.Anew, r.Run = dayone.ApprovalID(f.IDs.New("apr")), dayone.ApprovalOpen, "", append(r.Asks, a), true, ""
	r.Opened, r.Due, r.Next = now, now.Add(cmp.Or(r.Rule.Within, dayone.Silence)), now
	r.Asked, r.Reminded, r.Escalated, r.Decided, r.Ended, r.Deciders, r.Votes = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}, nil, nil
	err = f.Store.RenewApproval(ctx, id, r)
	f.look()
	return r, err
}

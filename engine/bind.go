package engine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dayone-hq/dayone"
)

// Whose an account is. Systems show what may be somebody's; the books alone say whose it is, and they are asked before
// anything is written to it, before a human's word for it is taken, and before it is booked.

// account is one at its system.
type account struct{ system, ref string }

// owner is whose an account is, or was, in our books; those that are not on the disk yet count.
func (l *loop) owner(a account) (dayone.PersonID, bool, error) {
	if p, ok := l.bound[a]; ok {
		return p, true, nil
	}
	p, bound, err := l.Store.Owner(l.ctx, a.system, a.ref)
	if err != nil {
		return "", false, unread("whose an account is", err)
	}
	return p, bound, nil
}

// claimed looks at what an answer would bind: an account of somebody else never becomes hers, whatever its system says.
// Since this loop alone writes bindings, what passes here passes the index of the database, too.
func (l *loop) claimed(lv *live, step dayone.StepID, now *dayone.Item) error {
	s := lv.run.Step(step)
	if s == nil || now == nil || now.Ref == "" || !s.Step.Key.IsAccount() {
		return nil
	}
	if had := s.Result.Now; had != nil && had.Ref == now.Ref || s.Step.Action != dayone.AccountCreate && s.Step.Subject.Ref == now.Ref {
		return nil // bound already
	}
	owner, bound, err := l.owner(account{s.Step.Key.System, now.Ref})
	if err != nil || !bound || owner == lv.run.Person {
		return err
	}
	return others(&dayone.Fault{System: s.Step.Key.System, Op: "binding account", Err: dayone.ErrConflict}, now.Ref, owner)
}

// mayBind refuses a human's word by which an account of somebody else would become hers.
func (l *loop) mayBind(lv *live, ev Event) error {
	s := lv.run.Step(ev.Step)
	if ev.Human.Verb != Complete || s == nil || !s.Step.Key.IsAccount() {
		return nil
	}
	for _, name := range []string{adopt, ref} {
		id := ev.Human.Attrs.Text(name)
		if id == "" {
			continue
		}
		switch owner, bound, err := l.owner(account{s.Step.Key.System, id}); {
		case err != nil:
			return err
		case bound && owner != lv.run.Person:
			return fmt.Errorf("%s is the account of %s; name another one, or free the name there and retry the step: %w", id, owner, dayone.ErrConflict)
		}
	}
	return nil
}

// others makes a conflict say that it is about an account of somebody whom we know.
func others(f *dayone.Fault, ref string, owner dayone.PersonID) *dayone.Fault {
	o := *f
	o.Found, o.Next = nil, fmt.Sprintf("%s is the account of %s, whom we know; give one of the two another name at the source, then retry", ref, owner)
	return &o
}

// whose is what a call has to know of the run that it is for.
type whose struct {
	person    dayone.PersonID
	run       dayone.Run            // messages tell of it
	elsewhere map[string]dayone.Key // new accounts: those that she has there already
}

// call makes one call, and decides whose an account is that the system shows in its way: a system never takes up one by
// itself, only the one that it is given by id.
func (l *loop) call(t Target, w whose, a dayone.Act) (res dayone.Result, err error) {
	defer func() {
		if p := recover(); p != nil { // a connector's fault must not take everybody's runs with it
			err = &dayone.Fault{System: a.Key.System, Op: string(a.Action), Detail: fmt.Sprintf("the connector broke: %v", p), Err: dayone.ErrInvalid}
		}
	}()
	if a.Action == dayone.MessageSend && l.Compose != nil {
		if a, err = l.Compose.Compose(l.ctx, w.run, a); err != nil {
			return res, fmt.Errorf("writing %s: %w", a.Key, err)
		}
	}
	res, err = t.Apply(l.ctx, a)
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrConflict) || !errors.As(err, &f) || f.Found == nil {
		return res, err
	}
	if o, ok := w.elsewhere[f.Found.Ref]; ok {
		return res, twin(a.Key, f.Found.Ref, o)
	}
	owner, bound, bad := l.Store.Owner(l.ctx, a.Key.System, f.Found.Ref)
	switch {
	case bad != nil:
		return res, unread("whose an account is", bad)
	case bound && owner != w.person:
		return res, others(f, f.Found.Ref, owner)
	case bound && a.Subject.Ref == "", !bound && a.Hers(*f.Found):
		a.Subject = dayone.Subject{Ref: f.Found.Ref}
		before := res
		res, err = t.Apply(l.ctx, a)
		res.Calls, res.Left = joined(before, res)
	}
	return res, err
}

// joined are the requests of two calls of one attempt, within the bound of what is kept: the first say how it began, and the last what
// came of it.
func joined(first, then dayone.Result) (calls []dayone.Call, left int) {
	calls, left = slices.Concat(first.Calls, then.Calls), first.Left+then.Left
	if over := len(calls) - dayone.CallsKept; over > 0 {
		const middle = dayone.CallsKept / 2
		calls, left = slices.Delete(calls, middle, middle+over), left+over
	}
	return calls, left
}

package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// What humans did at a system that we could have called is read back before it is booked. Where nothing can be read, they
// say how they know.

// Unconfirmed is why a task that somebody says is done is not booked yet. Its text is for people.
type Unconfirmed struct {
	Text string
	kind error
}

func (u *Unconfirmed) Error() string { return u.Text }
func (u *Unconfirmed) Unwrap() error { return u.kind }

// readBack looks at the system whether a step is done, and says in words how it is known. note is what the human says.
func (f *Flow) readBack(ctx context.Context, t dayone.Task, attrs dayone.Attrs) (evidence string, err error) {
	r, err := f.RunOf(ctx, t.Run)
	if err != nil {
		return "", nil // whatever is wrong with it the engine says
	}
	s := r.Step(t.Step)
	_, listed := f.listedAt(t.System)
	if s == nil || !listed && s.Parked.IsZero() && s.Alarmed.IsZero() || slices.Contains(t.Ask, "adopt") || s.Wait == nil || s.Wait.Kind != dayone.WaitTask {
		return "", nil
	}
	told := cmp.Or(attrs.Text("note"), attrs.Text(dayone.Evidence)) // either says how it is known
	why := f.unreadable(ctx, *s)
	if why == "" && listed {
		why = f.listBefore(ctx, t)
	}
	if why == "" {
		var seen connector.Seen
		account, known := f.accountOf(ctx, r, *s, attrs)
		switch {
		case !known:
			why = "nobody knows here which account it is"
		default:
			seen, err = f.Systems[t.System].Observe(ctx, dayone.Subject{Ref: account})
			if errors.Is(err, dayone.ErrNotFound) {
				err = nil // there is no such account, which may be just what was to be done
			}
			switch wrong := ""; {
			case err != nil && listed:
				why = detailOf(err)
			case err != nil:
				why = "it does not answer"
			case slices.Contains(seen.Unread, s.Step.Key.Kind):
				why = "it does not show this"
			default:
				if listed {
					seen = asListed(seen, s.Step)
				}
				if wrong = f.differs(seen, *s); wrong == "" {
					return "read back from " + f.systemTitle(t.System), nil
				}
				if listed {
					why = "in its latest list " + wrong // which may be from before it was done
					break
				}
				return "", &Unconfirmed{fmt.Sprintf("%s was looked at just now: %s. Do it there, then complete this task.", f.systemTitle(t.System), wrong), dayone.ErrConflict}
			}
		}
	}
	if told == "" {
		return "", &Unconfirmed{fmt.Sprintf("%s cannot be asked whether it is done: %s. Say in the note, or as evidence, how you know that it is.", f.systemTitle(t.System), why), dayone.ErrInvalid}
	}
	return told, nil
}

// unreadable says why a system is not asked; "": it is.
func (f *Flow) unreadable(ctx context.Context, s dayone.StepRun) string {
	name := s.Step.Key.System
	if f.Systems[name] == nil {
		return "it has no connector"
	}
	if s.Step.Action == dayone.MessageSend {
		return "messages cannot be read again"
	}
	stops, err := f.Stops(ctx) // also where people work by hand
	if err != nil {
		return "whether it may be asked is not known just now"
	}
	if slices.ContainsFunc(stops, func(o dayone.Order) bool { return o.About(name) }) {
		return "it is stopped"
	}
	return ""
}

// accountOf is the id of the account that a step is about or hangs on.
func (f *Flow) accountOf(ctx context.Context, r dayone.Run, s dayone.StepRun, attrs dayone.Attrs) (string, bool) {
	if s.Step.Key.IsAccount() {
		ref := cmp.Or(attrs.Text("ref"), s.Step.Subject.Ref)
		for _, it := range []*dayone.Item{s.Result.Now, s.Step.Have, s.Step.Want} {
			if it != nil {
				ref = cmp.Or(ref, it.Ref)
			}
		}
		return ref, ref != ""
	}
	if s.Step.Account.Kind == dayone.TextValue && s.Step.Account.Text != "" {
		return s.Step.Account.Text, true
	}
	have, err := f.Store.Holdings(ctx, r.Person, false)
	if err != nil {
		return "", false
	}
	for _, h := range have {
		if h.Key == s.Step.Key.Account() && h.Ref != "" {
			return h.Ref, true
		}
	}
	return "", false
}

// differs says what of a step is not so yet; "": all of it is.
func (f *Flow) differs(seen connector.Seen, s dayone.StepRun) string {
	k, want := s.Step.Key, s.Step.Want
	var is *dayone.Item
	if k.IsAccount() {
		is = seen.Account()
	} else if i := slices.IndexFunc(seen.Items, func(it dayone.Item) bool { return it.Key.Kind == k.Kind && it.Key.Name == k.Name }); i >= 0 {
		is = &seen.Items[i]
	}
	switch {
	case want == nil && (is == nil || is.State == dayone.Gone):
		return ""
	case want == nil:
		return fmt.Sprintf("%s is still there", k)
	case is == nil && f.shownAs(k.System, want.State) == dayone.Gone:
		return ""
	case is == nil:
		return fmt.Sprintf("it shows no %s", k)
	case want.Role != "" && is.Role != "" && want.Role != is.Role:
		return fmt.Sprintf("it shows the role %s, not %s", is.Role, want.Role)
	case k.IsAccount() && want.State != "" && is.State != want.State && is.State != f.shownAs(k.System, want.State) &&
		!(want.State == dayone.Active && is.State == dayone.Pending):
		return fmt.Sprintf("it shows the account as %s, not %s", is.State, want.State)
	}
	if s.Step.Action != dayone.AccountUpdate {
		return ""
	}
	plain := dayone.Attrs{}
	for name, v := range want.Attrs {
		if _, shows := is.Attrs[name]; shows && v.Kind != dayone.TemplateValue && v.Kind != dayone.SecretValue {
			plain[name] = v
		}
	}
	if names := is.Attrs.Differ(plain).Names(); len(names) > 0 {
		return "it shows another " + strings.Join(names, ", ")
	}
	return ""
}

// shownAs is what a system shows instead of a state that it does not have.
func (f *Flow) shownAs(system string, s dayone.State) dayone.State {
	return cmp.Or(f.Active().Systems[system].States[s], s)
}

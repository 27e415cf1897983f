package connector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
)

// Target makes the contract of a vendor's verbs: find, compare, adopt, act, verify and keep the state from before. It is
// a Connector.
type Target struct {
	System   string
	Manifest *Manifest
	Now      func() time.Time
	Ping     func(ctx context.Context) error // Check
	Accounts Accounts                        // nil: no accounts
	Kinds    map[string]Entitlements
	Things   map[string]Things
	Left     map[dayone.RemainClass]func(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) // what remains on an account, by class

	// Unset are actions that this configuration leaves to humans, by the words of results, and what to set: "account disable".
	Unset map[string]string

	// HandOver sees to it that nothing is left without an owner before an account is closed, or before it loses one thing that
	// it owns; nil: nothing here has owners. heir is by what who takes over is recognised. ErrUnsupported: nobody can, so a
	// human has to see to it first.
	HandOver func(ctx context.Context, account string, one *dayone.Item, heir map[string]string) error

	mu     sync.Mutex
	offers map[dayone.Key]string // catalogue: vendor ids by key
	read   time.Time
}

var _ Connector = (*Target)(nil)

// confirmEvery is how often a pending account or grant is looked at again.
const confirmEvery = 15 * time.Minute

// catalogueAge is how long a catalogue is trusted for the ids in it, and for what it misses.
const catalogueAge = 10 * time.Minute

// Cannot is Unset.
func (t *Target) Cannot() map[string]string { return t.Unset }

func (t *Target) Check(ctx context.Context) error { return t.Ping(ctx) }

func (t *Target) fault(op string, kind error, format string, args ...any) *dayone.Fault {
	return &dayone.Fault{System: t.System, Op: op, Err: kind, Detail: fmt.Sprintf(format, args...)}
}

// Apply does one step.
func (t *Target) Apply(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	if a.Key.IsAccount() {
		if t.Accounts == nil {
			return dayone.Result{}, t.fault(string(a.Action), dayone.ErrUnsupported, "%s has no accounts", t.System)
		}
		return t.account(ctx, a)
	}
	if k, ok := t.Things[a.Key.Kind]; ok {
		return t.thing(ctx, k, a)
	}
	if k, ok := t.Kinds[a.Key.Kind]; ok {
		return t.entitlement(ctx, k, a)
	}
	return dayone.Result{}, t.fault(string(a.Action), dayone.ErrUnsupported, "%s has no kind %q", t.System, a.Key.Kind)
}

func (t *Target) account(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	if a.Action == dayone.AccountCreate {
		return t.create(ctx, a)
	}
	is, err := t.Accounts.Get(ctx, a.Subject.Ref)
	switch {
	case errors.Is(err, dayone.ErrNotFound) && a.Want == nil:
		return dayone.Result{Before: a.Have}, nil // gone already
	case err != nil:
		return dayone.Result{}, err
	}
	before := is
	if a.Action == dayone.AccountConfirm {
		return t.confirmed(dayone.Result{Before: &before, Now: &is}, a), nil
	}
	if a.Via.System != "" { // somebody else changes it: wait until it shows
		return t.awaited(is, a), nil
	}
	if a.Want == nil {
		if t.HandOver != nil {
			if err := t.HandOver(ctx, is.Ref, nil, a.Subject.Heir); err != nil {
				return dayone.Result{}, err
			}
		}
		if err := t.Accounts.Delete(ctx, is.Ref); err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return dayone.Result{}, err
		}
		return dayone.Result{Before: &before}, nil
	}
	if t.HandOver != nil && a.Action == dayone.AccountDisable {
		if err := t.HandOver(ctx, is.Ref, nil, a.Subject.Heir); err != nil {
			return dayone.Result{}, err
		}
	}
	r, err := t.bring(ctx, is, before, a)
	if v, ok := t.Accounts.(Revoker); ok && err == nil && a.Action == dayone.AccountDisable {
		err = v.Revoke(ctx, is.Ref) // an error: the step is not done, and is tried again
	}
	return r, err
}

// bring makes an account that is there what it should be.
func (t *Target) bring(ctx context.Context, is, before dayone.Item, a dayone.Act) (dayone.Result, error) {
	acted := false
	if changed := is.Attrs.Differ(t.writable(a.Want.Attrs)); len(changed) > 0 {
		if err := t.Accounts.Update(ctx, is.Ref, changed); err != nil {
			return dayone.Result{}, err
		}
		acted = true
	}
	if to := a.Want.State; to != "" && !t.shows(is.State, to) {
		if err := t.Accounts.Switch(ctx, is.Ref, is.State, to); err != nil && !errors.Is(err, dayone.ErrConflict) {
			return dayone.Result{}, err
		}
		acted = true
	}
	now := is
	if acted {
		var err error
		if now, err = t.Accounts.Get(ctx, is.Ref); err != nil {
			return dayone.Result{}, t.late(a, err)
		}
		if to := a.Want.State; to != "" && !t.shows(now.State, to) {
			return dayone.Result{}, t.fault(string(a.Action), dayone.ErrNotYet, "it still shows %s, not %s", now.State, to)
		}
	}
	return t.confirmed(dayone.Result{Before: &before, Now: &now}, a), nil
}

// shows says whether the state that a system shows is the one that is wanted. A pending account is as active as we can
// make it; a staged one may show as disabled.
func (t *Target) shows(is, want dayone.State) bool {
	switch {
	case is == want:
		return true
	case want == dayone.Active && is == dayone.Pending:
		return true
	}
	return false
}

// writable drops what the manifest calls read-only, or set when the account is made and not again.
func (t *Target) writable(want dayone.Attrs) dayone.Attrs {
	out := dayone.Attrs{}
	for name, v := range want {
		if t.Manifest.Account != nil {
			if at := t.Manifest.Account.Attributes[name]; at.ReadOnly || at.Once {
				continue
			}
		}
		out[name] = v
	}
	return out
}

// confirmed turns a pending account into a wait.
func (t *Target) confirmed(r dayone.Result, a dayone.Act) dayone.Result {
	if r.Now == nil || r.Now.State != dayone.Pending || a.Want == nil || a.Want.State != dayone.Active {
		return r
	}
	kind := dayone.WaitFirstLogin
	if t.Manifest.Account != nil && t.Manifest.Account.Pending != "" {
		kind = t.Manifest.Account.Pending
	}
	r.Wait = &dayone.Wait{Kind: kind, Check: t.Now().Add(confirmEvery), Note: pendingNote(kind, t.Manifest.Title)}
	return r
}

func pendingNote(kind dayone.WaitKind, title string) string {
	if kind == dayone.WaitAcceptance {
		return "the invitation of " + title + " has to be accepted"
	}
	return title + " opens at the first sign-in"
}

// awaited is an account that another system provisions.
func (t *Target) awaited(is dayone.Item, a dayone.Act) dayone.Result {
	r := dayone.Result{Before: a.Have, Now: &is}
	if a.Want != nil && a.Want.State != "" && !t.shows(is.State, a.Want.State) {
		r.Wait = &dayone.Wait{
			Kind: dayone.WaitPropagation, Check: t.Now().Add(wait(a.Attempt)), Until: t.deadline(a),
			Note: fmt.Sprintf("%s shows it as %s until %s has passed the change on", t.Manifest.Title, is.State, a.Via.System),
		}
		return r
	}
	return t.confirmed(r, a)
}

// wait grows with the number of looks: half a second, then longer, at most a minute.
func wait(attempt int) time.Duration {
	return min(500*time.Millisecond<<min(max(attempt-1, 0), 7), time.Minute)
}

func (t *Target) deadline(a dayone.Act) time.Time {
	since := a.Since
	if since.IsZero() {
		since = t.Now()
	}
	return since.Add(4 * time.Hour)
}

// create makes an account, or brings the one that it is given by id to where it should be. Whatever else it finds, by
// employee number, mail or login, it only shows, in a conflict: whose that is the books say, which no system knows.
func (t *Target) create(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	found, err := t.find(ctx, a)
	if err != nil {
		return dayone.Result{}, err
	}
	switch {
	case found == nil && a.Via.System != "":
		return dayone.Result{Wait: &dayone.Wait{
			Kind: dayone.WaitPropagation, Check: t.Now().Add(wait(a.Attempt)), Until: t.deadline(a),
			Note: fmt.Sprintf("%s makes the account in %s", a.Via.System, t.Manifest.Title),
		}}, nil
	case found != nil && a.Via.System != "":
		r := t.awaited(*found, a)
		r.Before = nil
		r.Also, err = t.held(ctx, found.Ref)
		return r, err
	case found != nil:
		before := *found
		r, err := t.bring(ctx, *found, before, a)
		if err != nil {
			return r, err
		}
		if a.Made(before) {
			r.Before = nil
		}
		r.Also, err = t.held(ctx, found.Ref)
		return r, err
	}
	r, err := t.Accounts.Create(ctx, a)
	if errors.Is(err, dayone.ErrConflict) {
		return dayone.Result{}, t.taken(ctx, a, err)
	}
	if err != nil {
		return dayone.Result{}, err
	}
	if r.Now == nil || r.Now.Ref == "" {
		return dayone.Result{}, t.fault("creating account", dayone.ErrNotYet, "the answer names no id")
	}
	if !t.Manifest.Account.Proof {
		now, err := t.Accounts.Get(ctx, r.Now.Ref)
		if err != nil {
			return dayone.Result{}, t.late(a, err)
		}
		r.Now = &now
	}
	if a.Want.State != "" && !t.shows(r.Now.State, a.Want.State) {
		made := r.Secrets
		if r, err = t.bring(ctx, *r.Now, *r.Now, a); err == nil {
			r.Before, r.Secrets = nil, made // it was made, then brought to its state: nothing was there before
		}
		return r, err
	}
	return t.confirmed(r, a), nil
}

// late turns "not found" shortly after a create into "not yet".
func (t *Target) late(a dayone.Act, err error) error {
	if errors.Is(err, dayone.ErrNotFound) && time.Duration(t.Manifest.Lag) > 0 && t.Now().Sub(a.Since) < time.Duration(t.Manifest.Lag) {
		return t.fault(string(a.Action), dayone.ErrNotYet, "it is made but not shown yet")
	}
	return err
}

// find reads the account that is given by id. Without one it looks for what may be this subject's; if anything is, that is
// a conflict.
func (t *Target) find(ctx context.Context, a dayone.Act) (*dayone.Item, error) {
	if a.Subject.Ref != "" {
		it, err := t.Accounts.Get(ctx, a.Subject.Ref)
		if errors.Is(err, dayone.ErrNotFound) {
			return nil, t.late(a, t.fault("reading account", dayone.ErrNotFound, "%s is gone; retry makes a new one after the binding is taken out", a.Subject.Ref))
		}
		if err != nil {
			return nil, err
		}
		return &it, nil
	}
	for _, by := range t.Manifest.Account.Match {
		value := a.Subject.Keys[by]
		if value == "" {
			continue
		}
		items, err := t.Accounts.Find(ctx, by, value)
		if errors.Is(err, dayone.ErrUnsupported) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			continue
		}
		if len(items) > 1 {
			return nil, t.conflict(items[0], "%d accounts have the %s of this person", len(items), words(by))
		}
		it := items[0]
		if number := it.Attrs.Text("employee_number"); number != "" && number != a.Subject.Keys["employee_number"] {
			return nil, t.conflict(it, "the account with this %s belongs to employee %s", words(by), number)
		}
		return nil, t.conflict(it, "an account with this %s exists", words(by))
	}
	return nil, nil
}

func words(key string) string {
	switch key {
	case "employee_number":
		return "employee number"
	case "email":
		return "mail address"
	default:
		return key
	}
}

func (t *Target) conflict(it dayone.Item, format string, args ...any) *dayone.Fault {
	f := t.fault("creating account", dayone.ErrConflict, format, args...)
	f.Found = &it
	return f
}

// taken explains a conflict that the vendor reports: with the account in the way, if it can be found.
func (t *Target) taken(ctx context.Context, a dayone.Act, err error) error {
	_, again := t.find(ctx, a)
	var f *dayone.Fault
	if errors.As(again, &f) && f.Found != nil {
		return f
	}
	return err
}

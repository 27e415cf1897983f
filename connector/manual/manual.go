// Package manual stands for a system that nothing can call: people do what is to be done there, and bring a list of its
// accounts, from which it is read. All that it knows is of when that list is.
package manual

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/sheet"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes systems by hand.
var Factory = connector.Factory{Manifest: manifest, New: New, Shape: shape}

// shape gives the system its name, its kinds and its own attributes, and says where people work.
func shape(m *connector.Manifest, settings map[string]string) error {
	m.Title = cmp.Or(settings["title"], m.Title)
	if _, err := time.ParseDuration(settings["max_age"]); err != nil {
		return &connector.SettingError{Setting: "max_age", Text: fmt.Sprintf("setting max_age is %q", settings["max_age"]), Hint: "write 168h for a week"}
	}
	if err := sheet.Shape(m, settings); err != nil {
		return err
	}
	for name, kind := range m.Kinds {
		kind.Manual = map[string]string{"add": by("Give it", m.Title, settings["where"]), "remove": by("Take it away", m.Title, settings["where"])}
		m.Kinds[name] = kind
	}
	m.Account.Manual = map[string]string{}
	for action, text := range map[string]string{
		"create": "Make the account", "update": "Change the account", "enable": "Open the account", "disable": "Close the account, and end its sessions", "delete": "Delete the account",
	} {
		m.Account.Manual[action] = by(text, m.Title, settings["where"])
	}
	return nil
}

// by says what a human does, and where.
func by(what, title, where string) string {
	text := what + " in " + title
	if where != "" {
		text += " (" + where + ")"
	}
	return text + ", then complete this task, or bring a new list that shows it"
}

// system is one, as its latest list shows it.
type system struct {
	*connector.Target
	name      string
	title     string
	book      *sheet.Book
	catalogue string
	good      time.Duration
	now       func() time.Time

	bringing sync.Mutex
}

// New knows one system by its list. That none was brought yet is no error: somebody has to configure it first.
func New(cfg connector.Config) (connector.Connector, error) {
	good, err := time.ParseDuration(cfg.Settings["max_age"])
	if err != nil || good <= 0 {
		return nil, &connector.SettingError{Setting: "max_age", Text: fmt.Sprintf("setting max_age is %q", cfg.Settings["max_age"]), Hint: "write 168h for a week"}
	}
	s := &system{
		name: cfg.System, title: cfg.Manifest.Title, catalogue: cfg.Settings["catalogue"], good: good, now: cfg.Now,
		book: &sheet.Book{File: cfg.Settings["file"], Layout: sheet.LayoutOf(cfg.System, cfg.Manifest, cfg.Settings)},
	}
	s.Target = &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: s.ping, Accounts: accounts{s}, Kinds: map[string]connector.Entitlements{},
	}
	for _, kind := range s.book.Layout.Kinds {
		s.Kinds[kind] = held{s, kind}
	}
	return s, nil
}

func (s *system) fault(op string, err error) error {
	f := &dayone.Fault{System: s.name, Op: op, Err: cmp.Or(dayone.KindOf(err), dayone.ErrUnavailable), Detail: err.Error()}
	if k := f.Err; k != nil {
		f.Detail = strings.TrimSuffix(f.Detail, ": "+k.Error())
	}
	return f
}

// believed is the list, if it tells how things are. Else nothing is known, which is never "nothing is there".
func (s *system) believed() (*sheet.Roster, error) {
	r, at, err := s.book.Latest()
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		return nil, &dayone.Fault{System: s.name, Op: "reading the list", Err: dayone.ErrUnavailable, Detail: "no list of its accounts was brought yet", Next: "bring one: dayone system upload " + s.name + " FILE"}
	case err != nil: // what is wrong with it is no word about anybody
		return nil, &dayone.Fault{System: s.name, Op: "reading the list", Err: dayone.ErrUnavailable, Detail: s.fault("", err).(*dayone.Fault).Detail, Next: "bring another: dayone system upload " + s.name + " FILE"}
	}
	now := s.now()
	switch {
	case at.After(now.Add(time.Minute)):
		return nil, &dayone.Fault{System: s.name, Op: "reading the list", Err: dayone.ErrUnavailable, Detail: "its file is of " + clockOf(at) + ", which is still to come", Next: "set the clock of whoever wrote it"}
	case now.Sub(at) > s.good:
		return nil, &dayone.Fault{
			System: s.name, Op: "reading the list", Err: dayone.ErrUnavailable, Detail: fmt.Sprintf("the list is of %s, and is believed for %s", clockOf(at), connector.ListState{Good: s.good}.GoodFor()),
			Next: "bring a newer one: dayone system upload " + s.name + " FILE",
		}
	}
	return r, nil
}

func clockOf(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func (s *system) ping(context.Context) error {
	_, err := s.believed()
	return err
}

// Apply does nothing: a human does it.
func (s *system) Apply(_ context.Context, a dayone.Act) (dayone.Result, error) {
	return dayone.Result{}, &dayone.Fault{
		System: s.name, Op: string(a.Action), Err: dayone.ErrUnsupported, Detail: "nothing can be called there",
		Next: cmp.Or(s.Manifest.ByHand()[connector.ActOn{Kind: a.Key.Kind, Action: a.Action}], "do it by hand in "+s.title+", then complete this task"),
	}
}

// Observe says of a kind that the list has no column for that nothing is known.
func (s *system) Observe(ctx context.Context, who dayone.Subject) (connector.Seen, error) {
	seen, err := s.Target.Observe(ctx, who)
	if err != nil || seen.Account() != nil {
		return seen, err
	}
	r, err := s.believed()
	if err != nil {
		return connector.Seen{}, err
	}
	for by, value := range who.Keys { // who is recognised by nothing that the list shows is not known to be missing
		if value != "" && slices.Contains(s.Manifest.Account.Match, by) && r.Shows(by) {
			return seen, nil
		}
	}
	if who.Ref != "" {
		return seen, nil
	}
	return connector.Seen{}, &dayone.Fault{
		System: s.name, Op: "reading the list", Err: dayone.ErrUnavailable, Detail: "the list has none of the columns by which they could be recognised: " + strings.Join(s.Manifest.Account.Match, ", "),
	}
}

// accounts of the list. Nothing is written to it.
type accounts struct{ s *system }

func (a accounts) Get(_ context.Context, ref string) (dayone.Item, error) {
	r, err := a.s.believed()
	if err != nil {
		return dayone.Item{}, err
	}
	if e := r.Of(ref); e != nil {
		return stateless(r, e.Item), nil
	}
	return dayone.Item{}, a.s.fault("reading the list", fmt.Errorf("it has no account %s: %w", ref, dayone.ErrNotFound))
}

func (a accounts) Find(_ context.Context, by, value string) ([]dayone.Item, error) {
	r, err := a.s.believed()
	if err != nil {
		return nil, err
	}
	if !r.Shows(by) {
		return nil, a.s.fault("reading the list", fmt.Errorf("it has no column %s: %w", by, dayone.ErrUnsupported))
	}
	found := r.Find(by, value)
	for i := range found {
		found[i] = stateless(r, found[i])
	}
	return found, nil
}

// stateless takes the state off an account where the list has no column for it: that it is there is all that is known.
func stateless(r *sheet.Roster, it dayone.Item) dayone.Item {
	if !r.Shows(sheet.StateColumn) {
		it.State = ""
	}
	return it
}

func (a accounts) All(context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		r, err := a.s.believed()
		if err != nil {
			yield(dayone.Item{}, err)
			return
		}
		for _, e := range r.Accounts {
			if !yield(stateless(r, e.Item), nil) {
				return
			}
		}
	}
}

var errHands = fmt.Errorf("nothing can be called there: %w", dayone.ErrUnsupported)

func (a accounts) Create(context.Context, dayone.Act) (dayone.Result, error) {
	return dayone.Result{}, errHands
}
func (a accounts) Update(context.Context, string, dayone.Attrs) error { return errHands }
func (a accounts) Switch(context.Context, string, dayone.State, dayone.State) error {
	return errHands
}
func (a accounts) Delete(context.Context, string) error { return errHands }

// held is one kind of entitlements of the list.
type held struct {
	s    *system
	kind string
}

func (h held) Held(_ context.Context, account string) ([]dayone.Item, error) {
	r, err := h.s.believed()
	if err != nil {
		return nil, err
	}
	if !r.Shows(h.kind) {
		return nil, h.s.fault("reading the list", fmt.Errorf("it has no column %s: %w", h.kind, dayone.ErrUnavailable))
	}
	e := r.Of(account)
	if e == nil {
		return nil, h.s.fault("reading the list", fmt.Errorf("it has no account %s: %w", account, dayone.ErrNotFound))
	}
	return slices.Clone(e.Held[h.kind]), nil
}

// Offers are those of the catalogue; without one, what somebody has.
func (h held) Offers(context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		offers, err := h.s.offers()
		if err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, o := range offers {
			if o.Key.Kind == h.kind && !yield(o, nil) {
				return
			}
		}
	}
}

func (h held) Add(context.Context, string, dayone.Item) error    { return errHands }
func (h held) Remove(context.Context, string, dayone.Item) error { return errHands }

// Package rest reaches an application that has no folder of its own: a company describes its HTTP interface in a definition,
// as calls with templates. It must not know an application; what a definition leaves out is a task for a human.
package rest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/defined"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes connectors to any application with an HTTP interface.
var Factory = connector.Factory{Manifest: manifest, New: New, Shape: Shape}

// New reaches one application.
func New(cfg connector.Config) (connector.Connector, error) {
	m, err := connector.ParseManifest(manifest) // as it is written: the one that is configured was shaped already
	if err != nil {
		return nil, err
	}
	def, err := read(m, cfg.Settings[defined.Setting])
	if err != nil {
		return nil, err
	}
	c, err := newClient(cfg, def)
	if err != nil {
		return nil, err
	}
	c.reach = &defined.Reach{
		System: cfg.System, By: slices.Sorted(maps.Keys(def.Accounts.Find)), Find: people{c}.search,
		Get: func(ctx context.Context, ref string) error {
			_, err := people{c}.fetch(ctx, ref)
			return err
		},
	}
	t := &connector.Target{System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Kinds: map[string]connector.Entitlements{}}
	t.Accounts, t.Ping = people{c}, people{c}.ping
	if len(def.Accounts.Revoke) > 0 {
		t.Accounts = revoking{people{c}}
	}
	for name, k := range def.Kinds {
		t.Kinds[name] = things{people{c}, name, k}
	}
	return t, nil
}

// people are the accounts that are defined.
type people struct{ *client }

// ping reads what is defined, and looks whether the definition fits what is there: the first account of the list has to be
// found again by each way that is defined. A path with a slip in it would else answer "not found", and that means gone.
func (p people) ping(ctx context.Context) error {
	a := &p.def.Accounts
	if a.List == nil {
		for by := range a.Find {
			if _, err := p.search(ctx, by, "dayone-check"); err != nil {
				return err
			}
		}
		return nil
	}
	for v, err := range p.list(ctx, "listing accounts", a.List, nil, pointer(a.ID)) {
		if err != nil {
			return err
		}
		it, err := p.item(v)
		if errors.Is(err, dayone.ErrNotFound) {
			continue // one that is only remembered
		}
		if err != nil {
			return err
		}
		return p.reach.Retrace(ctx, it)
	}
	return nil
}

// item is an account as the definition reads it.
func (p people) item(v any) (dayone.Item, error) {
	a := &p.def.Accounts
	bad := func(format string, args ...any) error {
		return p.Fault("reading an account", dayone.ErrUnavailable, "", fmt.Sprintf(format, args...))
	}
	it := dayone.Item{Key: dayone.Key{System: p.System, Kind: dayone.AccountKindName}, Attrs: dayone.Attrs{}, State: dayone.Active}
	ref, ok := pointer(a.ID).text(v)
	if !ok || ref == "" {
		return it, bad("the answer has no id at %q; is accounts.id, or item of the call, right in the definition?", a.ID)
	}
	it.Ref = ref
	for name, at := range a.Attributes {
		if at.At == "" {
			continue
		}
		if text, shown := pointer(at.At).text(v); shown {
			it.Attrs[name] = dayone.Text(text)
		}
	}
	if s := a.State; s != nil {
		word, shown := pointer(s.At).text(v)
		if !shown {
			return it, bad("the account %s shows no state at %q", ref, s.At)
		}
		state, err := s.Of(word)
		if err != nil {
			return it, p.Fault("reading an account", dayone.ErrInvalid, "", err.Error())
		}
		if state == dayone.Gone {
			return it, p.Fault("reading an account", dayone.ErrNotFound, "", ref+" is only remembered")
		}
		it.State = state
	}
	if a.Created != "" {
		text, _ := pointer(a.Created).text(v)
		it.Created = instant(text)
	}
	return it, nil
}

// instant reads RFC 3339, or seconds or milliseconds since 1970; what it does not understand is no instant.
func instant(text string) time.Time {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil || n <= 0:
		return time.Time{}
	case n > 100_000_000_000:
		return time.UnixMilli(n)
	}
	return time.Unix(n, 0)
}

// raw is an account as the application shows it.
func (p people) raw(ctx context.Context, ref string) (any, error) {
	v, err := p.fetch(ctx, ref)
	return v, p.reach.Believed(ctx, err, p.ping)
}

func (p people) fetch(ctx context.Context, ref string) (any, error) {
	a := &p.def.Accounts
	if a.Get == nil {
		for v, err := range p.list(ctx, "reading account", a.List, nil, pointer(a.ID)) {
			if err != nil {
				return nil, err
			}
			if id, _ := pointer(a.ID).text(v); id == ref {
				return v, nil
			}
		}
		return nil, p.Fault("reading account", dayone.ErrNotFound, "", ref+" is not in the list")
	}
	answer, _, err := p.do(ctx, "reading account", a.Get, values{"id": dayone.Text(ref)}, nil)
	if err != nil {
		return nil, err
	}
	v, ok := a.Get.Item.in(answer)
	if !ok || v == nil {
		return nil, p.Fault("reading account", dayone.ErrUnavailable, "", fmt.Sprintf("the answer has no account at %q; is accounts.get.item right in the definition?", a.Get.Item))
	}
	if id, _ := pointer(a.ID).text(v); id != ref {
		return nil, p.Fault("reading account", dayone.ErrUnavailable, "", fmt.Sprintf("asked for %s, the application shows %q", ref, id))
	}
	return v, nil
}

func (p people) Get(ctx context.Context, ref string) (dayone.Item, error) {
	v, err := p.raw(ctx, ref)
	if err != nil {
		return dayone.Item{}, err
	}
	return p.item(v)
}

func (p people) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	if p.def.Accounts.Attributes[by].At == "" {
		return nil, dayone.ErrUnsupported
	}
	return p.search(ctx, by, value)
}

// search finds by one key. An application that does not know the parameter of a query may answer with everybody, so only
// those count who show the value.
func (p people) search(ctx context.Context, by, value string) ([]dayone.Item, error) {
	a := &p.def.Accounts
	q := a.Find[by]
	if q == nil {
		q = a.List
	}
	if q == nil {
		return nil, dayone.ErrUnsupported
	}
	v := values{"value": dayone.Text(value)}
	var out []dayone.Item
	take := func(raw any) error {
		it, err := p.item(raw)
		if errors.Is(err, dayone.ErrNotFound) {
			return nil
		}
		if err == nil && same(by, it.Attrs.Text(by), value) {
			out = append(out, it)
		}
		return err
	}
	if q.Items == nil { // one, or none
		answer, _, err := p.do(ctx, "finding account", q, v, nil)
		if errors.Is(err, dayone.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		raw, ok := q.Item.in(answer)
		if !ok {
			return nil, p.Fault("finding account", dayone.ErrUnavailable, "", fmt.Sprintf("the answer has nothing at %q; is item right in the definition?", q.Item))
		}
		if raw == nil {
			return nil, nil
		}
		return out, errors.Join(take(raw))
	}
	for raw, err := range p.list(ctx, "finding account", q, v, pointer(a.ID)) {
		if errors.Is(err, dayone.ErrNotFound) {
			return nil, nil // its path names the value
		}
		if err == nil {
			err = take(raw)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// same compares as people do: mail addresses and logins are the same in small letters.
func same(by, is, value string) bool {
	if by == "employee_number" {
		return is == value
	}
	return strings.EqualFold(is, value)
}

func (p people) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	a := &p.def.Accounts
	return func(yield func(dayone.Item, error) bool) {
		if a.List == nil {
			yield(dayone.Item{}, p.Fault("listing accounts", dayone.ErrUnsupported, "", "the definition has no accounts.list"))
			return
		}
		for v, err := range p.list(ctx, "listing accounts", a.List, nil, pointer(a.ID)) {
			var it dayone.Item
			if err == nil {
				it, err = p.item(v)
			}
			if errors.Is(err, dayone.ErrNotFound) {
				continue
			}
			if !yield(it, err) || err != nil {
				return
			}
		}
	}
}

func (p people) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	q := p.def.Accounts.Create
	if q == nil {
		return dayone.Result{}, p.byHand("create", "")
	}
	v := values(defined.Filled(act.Want.Attrs, act.Secrets))
	v["active"] = dayone.Bool(act.Want.State == dayone.Active || act.Want.State == "")
	v["once"] = dayone.Text(act.Once)
	answer, _, err := p.do(ctx, "making account", q, v, nil)
	if err != nil {
		return dayone.Result{}, err
	}
	if made, ok := q.Item.in(answer); ok {
		if ref, _ := pointer(p.def.Accounts.ID).text(made); ref != "" {
			return dayone.Result{Now: &dayone.Item{Key: act.Key, Ref: ref}}, nil
		}
	}
	made, err := p.reach.Made(ctx, p.man.Account.Match, act.Subject.Keys)
	if err == nil && made == nil {
		err = p.Fault("making account", dayone.ErrNotYet, "", "it was made, and is not shown yet")
	}
	return dayone.Result{Now: made}, err
}

// Update sends what changed. What stands in one field with it is read first, and goes along.
func (p people) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	if len(p.def.Accounts.Update) == 0 {
		return p.byHand("update", defined.Change(ref, changed))
	}
	is, err := p.Get(ctx, ref)
	if err != nil {
		return err
	}
	v := values(defined.Filled(is.Attrs.With(changed), nil))
	v["id"] = dayone.Text(ref)
	for _, q := range p.def.Accounts.Update {
		only := changed
		if q.Whole {
			only = nil
		}
		if only != nil && !touches(q, changed) {
			continue
		}
		if _, _, err := p.do(ctx, "changing account", q, v, only); err != nil {
			return err
		}
	}
	return nil
}

// touches says whether a call names anything of what changed.
func touches(q *call, changed dayone.Attrs) bool {
	for _, name := range q.refs() {
		if _, ok := changed[name]; ok {
			return true
		}
	}
	return false
}

func (p people) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	action, op, cs := "disable", "closing account", p.def.Accounts.Disable
	if to == dayone.Active {
		action, op, cs = "enable", "opening account", p.def.Accounts.Enable
	}
	if len(cs) == 0 {
		return p.byHand(action, "the account "+ref)
	}
	return p.each(ctx, op, cs, values{"id": dayone.Text(ref)})
}

// Delete believes no "not found" before it has looked: the path may be wrong, and the account still there.
func (p people) Delete(ctx context.Context, ref string) error {
	if len(p.def.Accounts.Delete) == 0 {
		return p.byHand("delete", "the account "+ref)
	}
	refused := p.each(ctx, "deleting account", p.def.Accounts.Delete, values{"id": dayone.Text(ref)})
	if refused != nil && !errors.Is(refused, dayone.ErrNotFound) {
		return refused
	}
	_, err := p.Get(ctx, ref)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		return nil
	case err != nil:
		return err
	case refused != nil:
		return p.Fault("deleting account", dayone.ErrInvalid, "", "the call finds nothing, and the account is still there; is the path of accounts.delete right in the definition?")
	}
	return p.Fault("deleting account", dayone.ErrNotYet, "", "it is still shown")
}

func (c *client) each(ctx context.Context, op string, cs calls, v values) error {
	for _, q := range cs {
		if _, _, err := c.do(ctx, op, q, v, nil); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) byHand(action, what string) error {
	return defined.ByHand(c.System, c.man, c.man.Account.Manual, action, what)
}

// revoking are accounts whose sessions and tokens can be ended.
type revoking struct{ people }

// Switch ends what is open at once also where a human closes the account.
func (r revoking) Switch(ctx context.Context, ref string, from, to dayone.State) error {
	if to != dayone.Active && len(r.def.Accounts.Disable) == 0 {
		if err := r.Revoke(ctx, ref); err != nil {
			return err
		}
	}
	return r.people.Switch(ctx, ref, from, to)
}

// Revoke ends what is open. Nothing open is as good.
func (r revoking) Revoke(ctx context.Context, ref string) error {
	for _, q := range r.def.Accounts.Revoke {
		_, _, err := r.do(ctx, "ending sessions", q, values{"id": dayone.Text(ref)}, nil)
		if err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return err
		}
	}
	return nil
}

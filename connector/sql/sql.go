// Package sql reaches an application through its database, PostgreSQL, MySQL or SQLite: a company describes in a definition
// which statements read, make and close accounts. It must not put a statement together: values go into named parameters.
package sql

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

// Factory makes connectors to any database.
var Factory = connector.Factory{Manifest: manifest, New: New, Shape: Shape}

// New reaches one database. Nothing is called before something is asked.
func New(cfg connector.Config) (connector.Connector, error) {
	m, err := connector.ParseManifest(manifest) // as it is written: the one that is configured was shaped already
	if err != nil {
		return nil, err
	}
	def, err := read(m, cfg.Settings)
	if err != nil {
		return nil, err
	}
	d, err := open(cfg)
	if err != nil {
		return nil, err
	}
	d.types = map[string]string{}
	for name, a := range def.Accounts.Attributes {
		d.types[name] = a.Type
	}
	p := people{d, def, cfg.Manifest, &defined.Reach{System: cfg.System, By: slices.Sorted(maps.Keys(def.Accounts.Find))}}
	p.reach.Find = p.Find
	p.reach.Get = func(ctx context.Context, ref string) error {
		_, err := p.fetch(ctx, ref)
		return err
	}
	t := &connector.Target{System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: p.ping, Accounts: p, Kinds: map[string]connector.Entitlements{}}
	if len(def.Accounts.Revoke) > 0 {
		t.Accounts = revoking{p}
	}
	for name, k := range def.Kinds {
		t.Kinds[name] = things{p, name, k}
	}
	return t, nil
}

// people are the accounts that are defined.
type people struct {
	*database
	def   *definition
	man   *connector.Manifest
	reach *defined.Reach
}

// ping has the database read every statement, and looks whether the definition fits what is there: the first account of the
// list has to be found again by each way that is defined. A slip in a condition would else say "not found", and that means
// gone.
func (p people) ping(ctx context.Context) error {
	for at, s := range p.def.all(nil) {
		if err := p.prepare(ctx, s); err != nil {
			return p.fault(ctx, "checking "+at.name, err)
		}
	}
	a := &p.def.Accounts
	for by, s := range a.Find {
		if _, err := p.rows(ctx, "checking accounts.find."+by, s, values{"value": dayone.Text("dayone-check")}, 0); err != nil {
			return err
		}
	}
	for name, k := range p.def.Kinds {
		if k.List == nil {
			continue
		}
		if _, err := p.columns(ctx, "checking kinds."+name+".list", k.List, nil, 1, k.ID, k.Name); err != nil {
			return err
		}
	}
	if a.List == nil {
		return nil
	}
	first, err := p.rows(ctx, "checking accounts.list", a.List, nil, 1)
	if err != nil || len(first) == 0 {
		return err
	}
	it, err := p.item(first[0])
	if errors.Is(err, dayone.ErrNotFound) {
		return nil // one that is only remembered
	}
	if err != nil {
		return err
	}
	return p.reach.Retrace(ctx, it)
}

// rows reads accounts, and looks whether every column is there of which the definition speaks.
func (p people) rows(ctx context.Context, op string, s *statement, v values, most int) ([]row, error) {
	a := &p.def.Accounts
	need := []string{a.ID}
	for _, at := range a.Attributes {
		need = append(need, at.At)
	}
	if a.State != nil {
		need = append(need, a.State.At)
	}
	return p.columns(ctx, op, s, v, most, append(need, a.Created)...)
}

func (p people) columns(ctx context.Context, op string, s *statement, v values, most int, need ...string) ([]row, error) {
	out, columns, err := p.query(ctx, op, s, v, most)
	if err != nil {
		return nil, err
	}
	for _, name := range need {
		if name != "" && !slices.Contains(columns, strings.ToLower(name)) {
			return nil, &dayone.Fault{
				System: p.system, Op: op, Err: dayone.ErrInvalid, Detail: fmt.Sprintf("the statement shows no column %s; it shows %s", name, strings.Join(columns, ", ")),
				Next: mend + ", or the column's name",
			}
		}
	}
	return out, nil
}

// item is an account as the definition reads it.
func (p people) item(r row) (dayone.Item, error) {
	a := &p.def.Accounts
	it := dayone.Item{Key: dayone.Key{System: p.system, Kind: dayone.AccountKindName}, Attrs: dayone.Attrs{}, State: dayone.Active}
	if it.Ref, _ = r.column(a.ID); it.Ref == "" {
		return it, p.refuse("reading an account", dayone.ErrInvalid, "a row has no id in the column "+a.ID)
	}
	for name, at := range a.Attributes {
		if text, shown := r.column(at.At); shown && at.At != "" {
			it.Attrs[name] = dayone.Text(text)
		}
	}
	if a.Created != "" {
		text, _ := r.column(a.Created)
		it.Created = instant(text)
	}
	if a.State == nil {
		return it, nil
	}
	word, _ := r.column(a.State.At)
	state, err := a.State.Of(word)
	switch {
	case err != nil:
		return it, p.refuse("reading an account", dayone.ErrInvalid, err.Error())
	case state == dayone.Gone:
		return it, p.refuse("reading an account", dayone.ErrNotFound, it.Ref+" is only remembered")
	}
	it.State = state
	return it, nil
}

// instant reads what databases write; what it does not understand is no instant.
func instant(text string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05.999999999", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at
		}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
		return time.Unix(n, 0)
	}
	return time.Time{}
}

func (p people) Get(ctx context.Context, ref string) (dayone.Item, error) {
	it, err := p.fetch(ctx, ref)
	return it, p.reach.Believed(ctx, err, p.ping)
}

func (p people) fetch(ctx context.Context, ref string) (dayone.Item, error) {
	a, op := &p.def.Accounts, "reading account"
	s := a.Get
	if s == nil {
		s = a.List
	}
	all, err := p.rows(ctx, op, s, values{"id": dayone.Text(ref)}, 0)
	if err != nil {
		return dayone.Item{}, err
	}
	found := slices.DeleteFunc(slices.Clone(all), func(r row) bool { id, _ := r.column(a.ID); return id != ref })
	switch {
	case len(found) == 0 && len(all) > 0 && s == a.Get:
		return dayone.Item{}, p.refuse(op, dayone.ErrUnavailable, "asked for "+ref+", accounts.get shows another; mend its condition in the definition")
	case len(found) == 0:
		return dayone.Item{}, p.refuse(op, dayone.ErrNotFound, "there is no "+ref)
	case len(found) > 1:
		return dayone.Item{}, p.refuse(op, dayone.ErrUnavailable, fmt.Sprintf("%d rows have the id %s; a join may double them", len(found), ref))
	}
	return p.item(found[0])
}

// Find searches by one key; only those count who show the value.
func (p people) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	a := &p.def.Accounts
	s := a.Find[by]
	if s == nil {
		s = a.List
	}
	if s == nil || a.Attributes[by].At == "" {
		return nil, dayone.ErrUnsupported
	}
	all, err := p.rows(ctx, "finding account", s, values{"value": dayone.Text(value)}, 0)
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, r := range all {
		is, _ := r.column(a.Attributes[by].At)
		if is != value && (by == "employee_number" || !strings.EqualFold(is, value)) {
			continue
		}
		it, err := p.item(r)
		if errors.Is(err, dayone.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

func (p people) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		a, op := &p.def.Accounts, "listing accounts"
		if a.List == nil {
			yield(dayone.Item{}, p.refuse(op, dayone.ErrUnsupported, "the definition has no accounts.list"))
			return
		}
		all, err := p.rows(ctx, op, a.List, nil, 0)
		if err != nil {
			yield(dayone.Item{}, err)
			return
		}
		seen := map[string]bool{}
		for _, r := range all {
			it, err := p.item(r)
			if errors.Is(err, dayone.ErrNotFound) {
				continue
			}
			if err == nil && seen[it.Ref] {
				err = p.refuse(op, dayone.ErrUnavailable, "the list shows "+it.Ref+" twice; a join may double it")
			}
			seen[it.Ref] = true
			if !yield(it, err) || err != nil {
				return
			}
		}
	}
}

func (p people) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	a, op := &p.def.Accounts, "making account"
	if len(a.Create) == 0 {
		return dayone.Result{}, p.byHand("create", "")
	}
	v := values(defined.Filled(act.Want.Attrs, act.Secrets))
	v["active"] = dayone.Bool(act.Want.State == dayone.Active || act.Want.State == "")
	v["once"] = dayone.Text(act.Once)
	made, err := p.change(ctx, op, a.Create, v, a.ID, false)
	if err != nil {
		return dayone.Result{}, err
	}
	if ref, _ := made.column(a.ID); ref != "" {
		return dayone.Result{Now: &dayone.Item{Key: act.Key, Ref: ref}}, nil
	}
	it, err := p.reach.Made(ctx, p.man.Account.Match, act.Subject.Keys)
	if err == nil && it == nil {
		err = p.refuse(op, dayone.ErrNotYet, "it was made, and is not found; let accounts.create return its id")
	}
	return dayone.Result{Now: it}, err
}

// Update carries out the statements that name what changed. What else they name is as it was.
func (p people) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	all := p.def.Accounts.Update
	if len(all) == 0 {
		return p.byHand("update", defined.Change(ref, changed))
	}
	is, err := p.Get(ctx, ref)
	if err != nil {
		return err
	}
	v := values(defined.Filled(is.Attrs.With(changed), nil))
	v["id"] = dayone.Text(ref)
	var touched statements
	for _, s := range all {
		if slices.ContainsFunc(s.names, func(name string) bool { _, ok := changed[name]; return ok }) {
			touched = append(touched, s)
		}
	}
	_, err = p.change(ctx, "changing account", touched, v, "", false)
	return err
}

func (p people) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	action, op, ss := "disable", "closing account", p.def.Accounts.Disable
	if to == dayone.Active {
		action, op, ss = "enable", "opening account", p.def.Accounts.Enable
	}
	if len(ss) == 0 {
		return p.byHand(action, "the account "+ref)
	}
	_, err := p.change(ctx, op, ss, values{"id": dayone.Text(ref)}, "", false)
	return plainly(err)
}

// Delete believes no "found no row" before it has looked: the condition may be wrong, and the account still there.
func (p people) Delete(ctx context.Context, ref string) error {
	ss, op := p.def.Accounts.Delete, "deleting account"
	if len(ss) == 0 {
		return p.byHand("delete", "the account "+ref)
	}
	_, refused := p.change(ctx, op, ss, values{"id": dayone.Text(ref)}, "", false)
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
		return p.refuse(op, dayone.ErrInvalid, "a statement finds no row, and the account is still there; mend accounts.delete in the definition, or say rows: any where none may be there")
	}
	return p.refuse(op, dayone.ErrInvalid, "the statements changed a row, and the account is still there; mend accounts.delete in the definition")
}

func (p people) byHand(action, what string) error {
	return defined.ByHand(p.system, p.man, p.man.Account.Manual, action, what)
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
	_, err := r.change(ctx, "ending sessions", r.def.Accounts.Revoke, values{"id": dayone.Text(ref)}, "", true)
	return err
}

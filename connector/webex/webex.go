// Package webex reaches a Webex organisation: people, their licences, phones and workspaces.
// https://developer.webex.com/docs/api/getting-started
package webex

import (
	"context"
	_ "embed"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/scim"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes Webex connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// numberPath and identityURN are where SCIM keeps what the admin API does not show.
const (
	numberPath  = scim.Enterprise + ":employeeNumber"
	identityURN = "urn:scim:schemas:extension:cisco:webexidentity:2.0:User"
)

// paths of our attributes in SCIM. The login is the mail address.
var paths = map[string]string{
	"email": "userName", "first_name": "name.givenName", "last_name": "name.familyName", "display_name": "displayName",
	"title": "title", "department": scim.Enterprise + ":department", "employee_number": numberPath,
}

// New reaches one organisation.
func New(cfg connector.Config) (connector.Connector, error) {
	c := newClient(cfg)
	as := accounts{scim.Accounts{Client: c.scim, Attrs: paths, Finish: finish}, c, time.Duration(cfg.Manifest.Lag)}
	return org{c, &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: c.check,
		Accounts: as,
		Kinds:    map[string]connector.Entitlements{"license": licenses{c}},
		Things:   map[string]connector.Things{"device": devices{c}, "phone": phones{devices{c}}, "workspace": rooms{c}},
		Left: map[dayone.RemainClass]func(context.Context, dayone.Item) ([]dayone.Remain, error){
			dayone.KeptToken: as.tokens, dayone.Unreturned: as.unreturned,
		},
	}}, nil
}

type accounts struct {
	scim.Accounts
	*client
	lag time.Duration
}

// finish tells an account that nobody has signed in to yet.
func finish(_ context.Context, r scim.Resource, it *dayone.Item) error {
	own, _ := r[identityURN].(map[string]any)
	status, _ := own["accountStatus"].([]any)
	if it.State == dayone.Active && slices.Contains(status, any("pending")) {
		it.State = dayone.Pending
	}
	return nil
}

func (a accounts) Get(ctx context.Context, ref string) (dayone.Item, error) {
	id, err := a.identity(ref)
	if err != nil {
		return dayone.Item{}, err
	}
	it, err := a.Accounts.Get(ctx, id)
	it.Ref = ref
	return it, advised(err)
}

// Find reads an address by the admin API, which finds it at once. Only SCIM can search by employee number.
func (a accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	switch by {
	case "employee_number":
		items, err := a.Accounts.Find(ctx, by, value)
		if err != nil {
			return nil, advised(err)
		}
		for i := range items {
			if items[i].Ref, err = a.ref(ctx, items[i].Ref); err != nil {
				return nil, err
			}
		}
		return items, nil
	case "email":
		found, err := a.findPeople(ctx, value)
		if err != nil {
			return nil, err
		}
		var out []dayone.Item
		for _, p := range found {
			if a.foreign(p) {
				continue
			}
			it, err := a.Get(ctx, p.ID)
			if errors.Is(err, dayone.ErrNotFound) {
				err = a.Fault("reading person", dayone.ErrNotYet, "", "the person is made but Webex Identity does not show it yet")
			}
			if err != nil {
				return nil, err
			}
			out = append(out, it)
		}
		return out, nil
	}
	return nil, dayone.ErrUnsupported
}

// Create makes the person, then writes what only SCIM takes. The admin API calls several services, one of which may fail
// when the person is made already: what it answers with 400 is believed only if there is nobody.
func (a accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	email := act.Want.Attrs.Text("email")
	if email == "" {
		return dayone.Result{}, a.Fault("creating person", dayone.ErrInvalid, "", "a person needs a mail address")
	}
	body := map[string]any{"emails": []string{email}}
	for ours, theirs := range map[string]string{"first_name": "firstName", "last_name": "lastName", "display_name": "displayName", "title": "title", "department": "department"} {
		if v := act.Want.Attrs.Text(ours); v != "" {
			body[theirs] = v
		}
	}
	p, err := a.createPerson(ctx, body)
	switch {
	case errors.Is(err, dayone.ErrInvalid):
		if p, err = a.despite(ctx, act, err); err != nil {
			return dayone.Result{}, err
		}
	case errors.Is(err, dayone.ErrConflict):
		return dayone.Result{}, a.taken(act, err)
	case err != nil:
		return dayone.Result{}, err
	}
	id, err := a.identity(p.ID)
	if err != nil {
		return dayone.Result{}, err
	}
	rest := map[string]any{}
	if n := act.Want.Attrs.Text("employee_number"); n != "" {
		rest[numberPath] = n
	}
	if act.Want.State != "" && act.Want.State != dayone.Active {
		rest["active"] = false
	}
	if len(rest) > 0 {
		if err := a.scim.Update(ctx, scim.User, id, rest); err != nil {
			if errors.Is(err, dayone.ErrNotFound) {
				err = a.Fault("updating person", dayone.ErrNotYet, "", "the person is made but Webex Identity does not show it yet")
			}
			return dayone.Result{}, advised(err)
		}
	}
	return dayone.Result{Now: &dayone.Item{Key: act.Key, Ref: p.ID}}, nil
}

// despite looks whether a person was made although the answer was 400. Nobody had the address a moment ago.
func (a accounts) despite(ctx context.Context, act dayone.Act, refusal error) (person, error) {
	found, err := a.findPeople(ctx, act.Want.Attrs.Text("email"))
	if err != nil {
		return person{}, err
	}
	found = slices.DeleteFunc(found, a.foreign)
	if len(found) != 1 || found[0].Created.Before(act.Since.Truncate(time.Second)) {
		return person{}, refusal
	}
	return found[0], nil
}

// taken tells an address that is somebody's from one that our own call, whose answer was lost, has just taken.
func (a accounts) taken(act dayone.Act, err error) error {
	if act.Attempt > 1 && a.Now().Sub(act.Since) < a.lag {
		return a.Fault("creating person", dayone.ErrNotYet, "", "the address is taken by somebody who is not shown yet, perhaps the one of the attempt before")
	}
	var f *dayone.Fault
	if !errors.As(err, &f) {
		return err
	}
	said := *f
	said.Next = "if nobody of this organisation has the address, another Webex organisation has: verify and claim the domain, then claim the user in Control Hub"
	return &said
}

// Update writes what changed; the address is the login and the mail at once.
func (a accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	id, err := a.identity(ref)
	if err != nil {
		return err
	}
	set := a.Values(changed)
	if v, ok := changed["email"]; ok {
		set["emails"] = v.Text
	}
	return advised(a.scim.Update(ctx, scim.User, id, set))
}

// Switch lets nobody sign in any more, or again. Licences stay, each is a grant of its own.
func (a accounts) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	id, err := a.identity(ref)
	if err != nil {
		return err
	}
	return advised(a.scim.SetActive(ctx, id, to == dayone.Active))
}

func (a accounts) Delete(ctx context.Context, ref string) error { return a.deletePerson(ctx, ref) }

// All shows people only: SCIM has rooms and machines, too.
func (a accounts) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		for r, err := range a.scim.List(ctx, scim.User, "") {
			var it dayone.Item
			if err == nil {
				if kind := r.Text("userType"); kind != "" && kind != "user" {
					continue
				}
				it, err = a.Item(ctx, r)
			}
			if err == nil {
				it.Ref, err = a.ref(ctx, it.Ref)
			}
			if err = advised(err); !yield(it, err) || err != nil {
				return
			}
		}
	}
}

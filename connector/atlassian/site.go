package atlassian

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// users are those of one Jira site, where there is no directory. Their id is the Atlassian account's.
type users struct {
	*client
	products []string
}

var _ accounts = users{}

func (u users) item(s siteUser) dayone.Item {
	it := dayone.Item{
		Key: dayone.Key{System: u.system, Kind: dayone.AccountKindName}, Ref: s.ID, State: dayone.Disabled,
		Attrs: dayone.Attrs{"account_id": dayone.Text(s.ID), "display_name": dayone.Text(s.Name), "suspended": dayone.Bool(!s.Active)},
	}
	if s.Email != "" { // a profile may hide it
		it.Attrs["email"], it.Attrs["login"] = dayone.Text(s.Email), dayone.Text(s.Email)
	}
	if s.Active {
		it.State = dayone.Active
	}
	return it
}

func (u users) check(ctx context.Context) error { return u.mayAdminister(ctx) }

func (u users) accountID(_ context.Context, ref string) (string, error) { return ref, nil }

func (u users) Get(ctx context.Context, ref string) (dayone.Item, error) {
	s, err := u.siteUser(ctx, ref)
	if err != nil {
		return dayone.Item{}, err
	}
	return u.item(s), nil
}

// Find asks by mail address, which is the login as well. The search forgets who is suspended, so that everybody is read if it
// finds nobody.
func (u users) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	if by != "email" {
		return nil, dayone.ErrUnsupported
	}
	hers := func(all []siteUser) (out []dayone.Item) {
		for _, s := range all {
			if s.Type == "atlassian" && strings.EqualFold(s.Email, value) {
				out = append(out, u.item(s))
			}
		}
		return out
	}
	found, err := sitePages[siteUser](ctx, u.client, "searching user", "/user/search", url.Values{"query": {value}})
	if err != nil {
		return nil, err
	}
	if out := hers(found); len(out) > 0 {
		return out, nil
	}
	all, err := u.everybody(ctx)
	return hers(all), err
}

// Create invites to the site's products.
func (u users) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	in := map[string]any{"emailAddress": act.Want.Attrs.Text("email"), "products": u.products}
	var made siteUser
	if err := u.onSite(ctx, "inviting user", "POST", "/user", nil, in, &made); err != nil {
		return dayone.Result{}, err
	}
	it := u.item(made)
	if it.State == dayone.Disabled { // an account that the site had suspended
		return dayone.Result{}, &dayone.Fault{
			System: u.system, Op: "inviting user" + atSite, Err: dayone.ErrConflict, Found: &it, Detail: "this mail address has a suspended account",
			Next: "say whose it is; it is restored then",
		}
	}
	return dayone.Result{Now: &it}, nil
}

// Update is never asked for: a profile is its owner's.
func (u users) Update(context.Context, string, dayone.Attrs) error {
	return u.site.Fault("changing user"+atSite, dayone.ErrUnsupported, "", "a profile is its owner's")
}

// Switch suspends or restores the access.
func (u users) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	if to == dayone.Active {
		return u.access(ctx, ref, "restore")
	}
	return u.access(ctx, ref, "suspend")
}

func (u users) Revoke(ctx context.Context, ref string) error { return u.dropTokens(ctx, ref) }

// Delete is left to a human.
func (u users) Delete(context.Context, string) error {
	return u.site.Fault("deleting user"+atSite, dayone.ErrUnsupported, "", "remove them in Atlassian Administration, if they have to go")
}

func (u users) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		all, err := u.everybody(ctx)
		if err != nil {
			yield(dayone.Item{}, err)
			return
		}
		for _, s := range all {
			if s.Type == "atlassian" && !yield(u.item(s), nil) {
				return
			}
		}
	}
}

// siteGroups are the site's.
type siteGroups struct{ *client }

type siteGroup struct {
	ID   string `json:"groupId"`
	Name string `json:"name"`
}

func (g siteGroups) Held(ctx context.Context, ref string) ([]dayone.Item, error) {
	var all []siteGroup
	if err := g.onSite(ctx, "listing groups of user", "GET", "/user/groups", url.Values{"accountId": {ref}}, nil, &all); err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, x := range all {
		out = append(out, dayone.Item{Key: dayone.Key{Name: x.Name}, Ref: x.ID, State: dayone.Active})
	}
	return out, nil
}

func (g siteGroups) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		for at, last := 0, false; !last; {
			var page struct {
				Last   bool        `json:"isLast"`
				Values []siteGroup `json:"values"`
			}
			if err := g.onSite(ctx, "listing groups", "GET", "/group/bulk", url.Values{"startAt": {strconv.Itoa(at)}}, nil, &page); err != nil {
				yield(dayone.Offer{}, err)
				return
			}
			for _, x := range page.Values {
				if !yield(dayone.Offer{Key: dayone.Key{Name: x.Name}, Ref: x.ID}, nil) {
					return
				}
			}
			at, last = at+len(page.Values), page.Last || len(page.Values) == 0
		}
	}
}

func (g siteGroups) Add(ctx context.Context, ref string, want dayone.Item) error {
	return g.onSite(ctx, "adding to group", "POST", "/group/user", url.Values{"groupId": {want.Ref}}, map[string]string{"accountId": ref}, nil)
}

func (g siteGroups) Remove(ctx context.Context, ref string, is dayone.Item) error {
	return g.onSite(ctx, "removing from group", "DELETE", "/group/user", url.Values{"groupId": {is.Ref}, "accountId": {ref}}, nil, nil)
}

// projectRoles are entitlements called KEY/role; their id is KEY/number.
type projectRoles struct {
	*client
	all   accounts
	names []string
}

var _ connector.Entitlements = projectRoles{}

// find gives the managed roles that there are, by name. A name that Jira does not know is left out: who wants it is told.
func (p projectRoles) find(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	read := map[string]map[string]string{} // by project: the address of each role by its name
	for _, name := range p.names {
		project, role, _ := strings.Cut(name, "/")
		if _, known := read[project]; !known {
			var roles map[string]string
			err := p.onSite(ctx, "listing project roles", "GET", "/project/"+url.PathEscape(project)+"/role", nil, nil, &roles)
			if err != nil && !errors.Is(err, dayone.ErrNotFound) {
				return nil, err
			}
			read[project] = roles
		}
		if at, ok := read[project][role]; ok {
			out[name] = project + "/" + at[strings.LastIndex(at, "/")+1:]
		}
	}
	return out, nil
}

// path of a role from its id.
func (p projectRoles) path(ref string) string {
	project, id, _ := strings.Cut(ref, "/")
	return "/project/" + url.PathEscape(project) + "/role/" + url.PathEscape(id)
}

// Held asks every managed role who has it themselves; what a group brings is the group's.
func (p projectRoles) Held(ctx context.Context, ref string) ([]dayone.Item, error) {
	if len(p.names) == 0 {
		return nil, nil
	}
	id, err := p.all.accountID(ctx, ref)
	if errors.Is(err, dayone.ErrNotYet) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	roles, err := p.find(ctx)
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, name := range slices.Sorted(maps.Keys(roles)) {
		var r struct {
			Actors []struct {
				User struct {
					ID string `json:"accountId"`
				} `json:"actorUser"`
			} `json:"actors"`
		}
		if err := p.onSite(ctx, "reading project role", "GET", p.path(roles[name]), nil, nil, &r); err != nil {
			return nil, err
		}
		for _, a := range r.Actors {
			if a.User.ID == id {
				out = append(out, dayone.Item{Key: dayone.Key{Name: name}, Ref: roles[name], State: dayone.Active})
			}
		}
	}
	return out, nil
}

func (p projectRoles) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		roles, err := p.find(ctx)
		if err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, name := range slices.Sorted(maps.Keys(roles)) {
			if !yield(dayone.Offer{Key: dayone.Key{Name: name}, Ref: roles[name]}, nil) {
				return
			}
		}
	}
}

func (p projectRoles) Add(ctx context.Context, ref string, want dayone.Item) error {
	id, err := p.all.accountID(ctx, ref)
	if err != nil {
		return err
	}
	return p.onSite(ctx, "adding to project role", "POST", p.path(want.Ref), nil, map[string][]string{"user": {id}}, nil)
}

func (p projectRoles) Remove(ctx context.Context, ref string, is dayone.Item) error {
	id, err := p.all.accountID(ctx, ref)
	if err != nil {
		return err
	}
	return p.onSite(ctx, "removing from project role", "DELETE", p.path(is.Ref), url.Values{"user": {id}}, nil, nil)
}

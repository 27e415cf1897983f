// Package entra reaches a Microsoft Entra ID tenant by Microsoft Graph: its people as a source, its users with their groups,
// licences and first passes as a target, and mail and meetings through one mailbox.
// https://learn.microsoft.com/graph/api/overview
package entra

import (
	"context"
	_ "embed"
	"errors"
	"iter"
	"net/url"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes connectors to tenants.
var Factory = connector.Factory{Manifest: manifest, New: New}

// tenant is a target and a source.
type tenant struct {
	*connector.Target
	source
}

var (
	_ connector.Connector = tenant{}
	_ connector.Source    = tenant{}
	_ connector.Pictured  = tenant{}
	_ connector.Revoker   = accounts{}
)

// New reaches one tenant.
func New(cfg connector.Config) (connector.Connector, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	a := accounts{c}
	left := map[dayone.RemainClass]func(context.Context, dayone.Item) ([]dayone.Remain, error){
		dayone.KeptToken: ofNobody(a.tokens), dayone.KeptAccess: ofNobody(a.roles), dayone.KeptOwnership: ofNobody(a.owned),
	}
	if cfg.Settings["mail_forwards"] == "true" {
		left[dayone.MailForward] = ofNobody(a.forwards)
	}
	return tenant{
		Target: &connector.Target{
			System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: c.ping,
			Accounts: a,
			Kinds:    map[string]connector.Entitlements{"group": groups{c}, "license": licences{c}},
			Things:   map[string]connector.Things{"pass": passes{c}, "message": messages{c}, "invitation": invitations{c}},
			Left:     left,
		},
		source: source{c},
	}, nil
}

// ping reads one user: with less nothing works, and a source needs no more.
func (c *client) ping(ctx context.Context) error {
	return c.call(ctx, &c.Client, httpc.Request{Op: "checking access", Method: "GET", Path: "/users", Query: url.Values{"$select": {"id"}, "$top": {"1"}}}, nil)
}

type accounts struct{ *client }

// properties of a user by our names; a nil get is one that is written elsewhere.
var properties = []struct {
	ours, theirs string
	get          func(user) string
}{
	{"login", "userPrincipalName", func(u user) string { return u.UPN }},
	{"display_name", "displayName", func(u user) string { return u.Display }},
	{"first_name", "givenName", func(u user) string { return u.Given }},
	{"last_name", "surname", func(u user) string { return u.Surname }},
	{"title", "jobTitle", func(u user) string { return u.Title }},
	{"department", "department", func(u user) string { return u.Department }},
	{"office", "officeLocation", func(u user) string { return u.Office }},
	{"company", "companyName", func(u user) string { return u.Company }},
	{"usage_location", "usageLocation", func(u user) string { return u.Usage }},
	{"employee_number", "employeeId", func(u user) string { return u.EmployeeID }},
	{"hire_date", "employeeHireDate", func(u user) string { return day(u.HireDate) }},
}

// body is what a request sets. Graph takes no empty text, but null.
func body(as dayone.Attrs) map[string]any {
	b := map[string]any{}
	for _, p := range properties {
		v, asked := as[p.ours]
		switch {
		case !asked:
		case v.Text == "":
			b[p.theirs] = nil
		case p.ours == "hire_date":
			b[p.theirs] = v.Text + "T00:00:00Z"
		default:
			b[p.theirs] = v.Text
		}
	}
	return b
}

// address is what people know of somebody: mail, or the login of those who have no mailbox.
func (u *user) address() string {
	switch {
	case u == nil:
		return ""
	case u.Mail != "":
		return u.Mail
	default:
		return u.UPN
	}
}

func (a accounts) item(u user) dayone.Item {
	it := dayone.Item{Key: dayone.Key{System: a.System, Kind: dayone.AccountKindName}, Ref: u.ID, State: dayone.Active, Created: u.Created.UTC(), Attrs: dayone.Attrs{}}
	if u.Enabled == nil || !*u.Enabled {
		it.State = dayone.Disabled
	}
	for _, p := range properties {
		it.Attrs[p.ours] = dayone.Text(p.get(u))
	}
	it.Attrs["email"], it.Attrs["manager"] = dayone.Text(u.Mail), dayone.Text(u.Manager.address())
	if u.Synced {
		it.Attrs["synced"] = dayone.Text("true")
	}
	return it
}

func (a accounts) Get(ctx context.Context, ref string) (dayone.Item, error) {
	u, err := a.getUser(ctx, ref)
	if err != nil {
		return dayone.Item{}, err
	}
	return a.item(u), nil
}

// Find reads a login directly, since lists lag behind.
func (a accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	var out []dayone.Item
	switch by {
	case "login":
		u, err := a.getUser(ctx, value)
		if errors.Is(err, dayone.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return []dayone.Item{a.item(u)}, nil
	case "employee_number":
		err := a.listUsers(ctx, "employeeId eq "+quoted(value), accountFields, func(u user) bool {
			out = append(out, a.item(u))
			return true
		})
		return out, err
	default:
		return nil, dayone.ErrUnsupported
	}
}

// All streams everybody, guests too.
func (a accounts) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		stopped := false
		err := a.listUsers(ctx, "", accountFields, func(u user) bool {
			stopped = !yield(a.item(u), nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(dayone.Item{}, err)
		}
	}
}

// Create makes the user, or restores the one that was deleted not long ago. A manager who has no account yet is left out:
// nobody's first day waits for that. https://learn.microsoft.com/graph/api/user-post-users
func (a accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	if r, err := a.restored(ctx, act); err != nil || r.Now != nil {
		return r, err
	}
	want := act.Want.Attrs
	b := body(want)
	for name, v := range b {
		if v == nil {
			delete(b, name)
		}
	}
	b["accountEnabled"] = act.Want.State == dayone.Active
	b["mailNickname"] = nickname(want.Text("login"))
	b["passwordProfile"] = map[string]any{"password": act.Secrets["password"].Reveal(), "forceChangePasswordNextSignIn": true}
	var u user
	err := a.call(ctx, &a.Client, httpc.Request{Op: "creating user", Method: "POST", Path: "/users", JSON: b}, &u)
	if errors.Is(err, dayone.ErrConflict) && act.Attempt > 1 && a.Now().Sub(act.Since) < a.lag {
		return dayone.Result{}, a.Fault("creating user", dayone.ErrNotYet, "ObjectConflict", "the login is taken by a user who is not shown yet, perhaps the one of the attempt before")
	}
	if err != nil {
		return dayone.Result{}, err
	}
	made := dayone.Item{Key: act.Want.Key, Ref: u.ID, State: dayone.Disabled, Attrs: want.Clone(), Created: u.Created.UTC()}
	delete(made.Attrs, "password")
	if b["accountEnabled"] == true {
		made.State = dayone.Active
	}
	err = a.manage(ctx, u.ID, want.Text("manager"))
	switch {
	case errors.Is(err, dayone.ErrUnsupported): // no such manager
		made.Attrs["manager"] = dayone.Text("")
	case errors.Is(err, dayone.ErrNotFound):
		return dayone.Result{}, a.Fault("setting manager", dayone.ErrNotYet, "", "the user is made but not shown yet")
	case err != nil:
		return dayone.Result{}, err
	}
	return dayone.Result{Now: &made}, nil
}

// nickname is the mailNickname of a login: what stands before the @, without what Graph refuses there.
func nickname(login string) string {
	local, _, _ := strings.Cut(login, "@")
	return strings.Map(func(r rune) rune {
		if r > 126 || r <= ' ' || strings.ContainsRune(`@()\[]";:<>,`, r) {
			return -1
		}
		return r
	}, local)
}

// restored takes the user back from the deleted ones who has this employee number and this login, if there is exactly one.
// Where we may not look, or Graph cannot filter, none is. https://learn.microsoft.com/graph/api/directory-deleteditems-list
func (a accounts) restored(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	number, login := act.Want.Attrs.Text("employee_number"), act.Want.Attrs.Text("login")
	if a.set["restore"] != "true" || number == "" {
		return dayone.Result{}, nil
	}
	var found []user
	err := pages(ctx, a.client, &a.advanced, httpc.Request{
		Op: "looking for deleted users", Method: "GET", Path: "/directory/deletedItems/microsoft.graph.user",
		Query: url.Values{"$select": {accountFields}, "$filter": {"employeeId eq " + quoted(number)}, "$count": {"true"}, "$top": {"999"}},
	}, func(u user) bool {
		if strings.EqualFold(strings.TrimPrefix(u.UPN, strings.ReplaceAll(u.ID, "-", "")), login) { // a deleted user's login begins with its id
			found = append(found, u)
		}
		return true
	})
	if errors.Is(err, dayone.ErrInvalid) || errors.Is(err, dayone.ErrForbidden) {
		return dayone.Result{}, nil
	}
	if err != nil || len(found) != 1 || found[0].Synced {
		return dayone.Result{}, err
	}
	ref := found[0].ID
	before := a.item(found[0])
	before.State = dayone.Disabled
	if err := a.call(ctx, &a.Client, httpc.Request{Op: "restoring user", Method: "POST", Path: "/directory/deletedItems/" + url.PathEscape(ref) + "/restore"}, nil); err != nil {
		return dayone.Result{}, err
	}
	b := body(act.Want.Attrs)
	b["accountEnabled"] = act.Want.State == dayone.Active
	b["passwordProfile"] = map[string]any{"password": act.Secrets["password"].Reveal(), "forceChangePasswordNextSignIn": true}
	if err := a.patchUser(ctx, ref, b); err != nil {
		return dayone.Result{}, a.soon(err)
	}
	if err := a.manage(ctx, ref, act.Want.Attrs.Text("manager")); err != nil && !errors.Is(err, dayone.ErrUnsupported) {
		return dayone.Result{}, a.soon(err)
	}
	now, err := a.Get(ctx, ref)
	if err != nil {
		return dayone.Result{}, a.soon(err)
	}
	r := dayone.Result{Before: &before, Now: &now}
	for kind, k := range map[string]connector.Entitlements{"group": groups(a), "license": licences(a)} {
		held, err := k.Held(ctx, ref)
		if err != nil {
			return dayone.Result{}, a.soon(err)
		}
		for _, it := range held {
			it.Key.System, it.Key.Kind = a.System, kind
			r.Also = append(r.Also, it)
		}
	}
	return r, nil
}

// soon turns "not found" about somebody whom we have just restored into "not yet".
func (a accounts) soon(err error) error {
	if errors.Is(err, dayone.ErrNotFound) {
		return a.Fault("restoring user", dayone.ErrNotYet, "", "the user is restored but not shown yet")
	}
	return err
}

// manage names somebody's manager. ErrUnsupported: nobody has that address.
// https://learn.microsoft.com/graph/api/user-post-manager
func (a accounts) manage(ctx context.Context, ref, manager string) error {
	if manager == "" {
		return nil
	}
	var ids []string
	who := quoted(manager)
	err := a.listUsers(ctx, "userPrincipalName eq "+who+" or mail eq "+who, "id", func(u user) bool {
		ids = append(ids, u.ID)
		return true
	})
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		return a.Fault("setting manager", dayone.ErrUnsupported, "", "no one user, or more than one, has the manager's address; set the manager by hand")
	}
	return a.call(ctx, &a.Client, httpc.Request{Op: "setting manager", Method: "PUT", Path: userPath(ref) + "/manager/$ref", JSON: a.reference("users", ids[0])}, nil)
}

// ours refuses to write to whom Active Directory masters: the change would be refused, or be undone.
func (a accounts) ours(ctx context.Context, op, ref, instead string) error {
	u, err := a.getUser(ctx, ref)
	if err != nil || !u.Synced {
		return err
	}
	return a.Fault(op, dayone.ErrUnsupported, "", "the user is synchronised from Active Directory on premises; "+instead+" there, and it shows here after the next synchronisation")
}

func (a accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	if err := a.ours(ctx, "updating user", ref, "change it"); err != nil {
		return err
	}
	if b := body(changed); len(b) > 0 {
		if err := a.patchUser(ctx, ref, b); err != nil {
			return err
		}
	}
	manager, asked := changed["manager"]
	switch {
	case !asked:
		return nil
	case manager.Text != "":
		return a.manage(ctx, ref, manager.Text)
	}
	err := a.call(ctx, &a.Client, httpc.Request{Op: "removing manager", Method: "DELETE", Path: userPath(ref) + "/manager/$ref"}, nil)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	return err
}

// Switch enables and disables. Whom only Active Directory can disable is signed out at least.
func (a accounts) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	words := "enable"
	if to != dayone.Active {
		words = "disable"
	}
	if err := a.ours(ctx, "switching user", ref, words+" the account"); err != nil {
		if to != dayone.Active && errors.Is(err, dayone.ErrUnsupported) {
			return errors.Join(a.Revoke(ctx, ref), err)
		}
		return err
	}
	return a.patchUser(ctx, ref, map[string]any{"accountEnabled": to == dayone.Active})
}

// Delete is soft for 30 days. https://learn.microsoft.com/graph/api/user-delete
func (a accounts) Delete(ctx context.Context, ref string) error {
	if err := a.ours(ctx, "deleting user", ref, "delete the account"); err != nil {
		return err
	}
	return a.call(ctx, &a.Client, httpc.Request{Op: "deleting user", Method: "DELETE", Path: userPath(ref)}, nil)
}

package cucm

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// users are the cluster's end users.
type users struct {
	*Cluster
	number string // the field that holds the employee number; none; custom: a field that the directory fills
	custom string // name of that field
	local  bool   // local users are made in a cluster that a directory feeds
	tokens bool   // OAuth tokens are ended
	place  string // where the directory has whom it brings; "": not said

	zone     *time.Location // in which the cluster writes when a PIN was changed
	forwards bool           // whoever reads the cluster looks at each line for its forwards
}

var (
	_ connector.Accounts = users{}
	_ connector.Revoker  = users{}
)

// fields maps our attribute names to AXL's.
var fields = map[string]string{
	"login": "userid", "email": "mailid", "first_name": "firstName", "last_name": "lastName", "display_name": "displayName", "title": "title",
	"department": "department", "phone": "telephoneNumber",
}

// presenceGroup is what every cluster has, and AXL asks for.
const presenceGroup = "Standard Presence group"

func (u users) put(o *Object, as dayone.Attrs) {
	for ours, theirs := range fields {
		if v, ok := as[ours]; ok {
			o.Set(theirs, v.Text)
		}
	}
	if v, ok := as["employee_number"]; ok && u.listed() {
		o.Set(u.number, v.Text)
	}
}

// listed says that the employee number stands in a field of our own, which lists show.
func (u users) listed() bool { return u.number != "none" && u.number != "custom" }

// employee is the number that a user shows.
func (u users) employee(o *Object) string {
	if u.number != "custom" {
		return o.Value(u.number)
	}
	for _, f := range o.All("customUserFields/customUserField") {
		if f.Value("name") == u.custom {
			return f.Value("value")
		}
	}
	return ""
}

func (u users) item(o *Object) dayone.Item {
	it := dayone.Item{
		Key: dayone.Key{System: u.System, Kind: dayone.AccountKindName}, Ref: o.UUID, State: dayone.Active,
		Attrs: dayone.Attrs{"directory": dayone.Text(o.Value("ldapDirectoryName"))},
	}
	for ours, theirs := range fields {
		it.Attrs[ours] = dayone.Text(o.Value(theirs))
	}
	if u.number != "none" {
		it.Attrs["employee_number"] = dayone.Text(u.employee(o))
	}
	inactive := synced(o) && o.Value("status") != "" && o.Value("status") != "1" // the directory let go of it
	if inactive || o.True("pinCredentials/pinCredLockedByAdministrator") && (synced(o) || o.True("passwordCredentials/pwdCredLockedByAdministrator")) {
		it.State = dayone.Disabled
	}
	return it
}

// synced says that a directory feeds the user.
func synced(o *Object) bool { return o.Value("ldapDirectoryName") != "" }

func (u users) Get(ctx context.Context, ref string) (dayone.Item, error) {
	o, err := u.Cluster.Get(ctx, User, Key{UUID: ref})
	if err != nil {
		return dayone.Item{}, err
	}
	return u.item(o), nil
}

// Find reads a user by id. The employee number can only be looked for in a list of everybody.
func (u users) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	var refs []string
	switch {
	case by == "login":
		o, err := u.Cluster.Get(ctx, User, By(value))
		if errors.Is(err, dayone.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return []dayone.Item{u.item(o)}, nil
	case by == "employee_number" && u.listed():
		err := u.List(ctx, User, "userid", []string{u.number}, func(o *Object) bool {
			if o.Value(u.number) == value {
				refs = append(refs, o.UUID)
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	default:
		return nil, dayone.ErrUnsupported
	}
	var out []dayone.Item
	for _, ref := range refs {
		it, err := u.Get(ctx, ref)
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// Create makes a local user. In a cluster that a directory feeds it makes none unless told so, or unless no agreement can
// bring this person: the directory would bring the same id later, and the two would have to be made one.
func (u users) Create(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	if !u.local {
		var agreements []string
		all, err := u.Agreements(ctx)
		if err != nil {
			return dayone.Result{}, err
		}
		who := u.entrant(a)
		who.DN = "" // of whom no directory has it is not said where
		for _, g := range all {
			if g.Excludes(who) == "" {
				agreements = append(agreements, g.Name)
			}
		}
		if len(agreements) > 0 {
			return dayone.Result{}, u.Fault("adding user", dayone.ErrInvalid, "", "the directory agreement "+strings.Join(agreements, ", ")+" feeds this cluster: let the directory make the account (provisioned_by in the configuration of this system), or allow local users by the setting local_users")
		}
	}
	o := User.New()
	u.put(o, a.Want.Attrs)
	o.Set("presenceGroupName", presenceGroup)
	for name, s := range map[string]string{"password": "password", "pin": "pin"} {
		if v := a.Secrets[name]; !v.IsZero() {
			o.Set(s, v.Reveal())
		}
	}
	lock(o, a.Want.State != dayone.Active, true)
	ref, err := u.Add(ctx, o)
	if err != nil {
		return dayone.Result{}, err
	}
	it := u.item(o)
	it.Ref = ref
	return dayone.Result{Now: &it}, nil
}

// lock shuts or opens the PIN and, of a local user, the password.
func lock(o *Object, shut, local bool) {
	text := "false"
	if shut {
		text = "true"
	}
	if local {
		o.Set("passwordCredentials/pwdCredLockedByAdministrator", text)
	}
	o.Set("pinCredentials/pinCredLockedByAdministrator", text)
}

// mastered is what the directory says of a user whom it feeds.
var mastered = []string{"login", "email", "first_name", "last_name", "display_name", "title", "department", "phone"}

// Update sets attributes. What a directory masters is changed there.
func (u users) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	_, _, err := u.Change(ctx, User, Key{UUID: ref}, func(o *Object) error {
		if synced(o) {
			for _, name := range mastered {
				if _, ok := changed[name]; ok {
					return u.Fault("updating user", dayone.ErrUnsupported, "", "the directory "+o.Value("ldapDirectoryName")+" masters "+strings.ReplaceAll(name, "_", " ")+": change it there, then synchronize")
				}
			}
		}
		u.put(o, changed)
		return o.Err()
	})
	return err
}

func (u users) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	is, err := u.Cluster.Get(ctx, User, Key{UUID: ref})
	if err != nil {
		return err
	}
	o := User.New()
	lock(o, to != dayone.Active, !synced(is))
	return u.Cluster.Update(ctx, Key{UUID: ref}, o)
}

// pin locks or opens the PIN of somebody whose account a directory opens and closes; it stays if it is so already.
func (u users) pin(ctx context.Context, ref string, shut bool) error {
	is, err := u.Cluster.Get(ctx, User, Key{UUID: ref})
	if err != nil || is.True("pinCredentials/pinCredLockedByAdministrator") == shut {
		return err
	}
	o := User.New()
	lock(o, shut, !synced(is))
	return u.Cluster.Update(ctx, Key{UUID: ref}, o)
}

// Delete removes a local user. One whom a directory feeds goes when the directory lets go of it.
func (u users) Delete(ctx context.Context, ref string) error {
	o, err := u.Cluster.Get(ctx, User, Key{UUID: ref})
	if err != nil {
		return err
	}
	if synced(o) {
		return u.Fault("removing user", dayone.ErrUnsupported, "", "the directory "+o.Value("ldapDirectoryName")+" feeds this user: take it out of the agreement's search base, and the cluster removes it a day after the next synchronization")
	}
	return u.Remove(ctx, User, Key{UUID: ref})
}

func (u users) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		for o, err := range u.everybody(ctx) {
			if err != nil {
				yield(dayone.Item{}, err)
				return
			}
			if !yield(u.item(o), nil) {
				return
			}
		}
	}
}

// Revoke logs the user out wherever they are logged in by extension mobility, and ends Jabber's tokens if that is asked for.
func (u users) Revoke(ctx context.Context, ref string) error {
	o, err := u.Cluster.Get(ctx, User, Key{UUID: ref})
	if err != nil {
		return err
	}
	id := o.Value("userid")
	devices, err := u.where(ctx, id)
	if err != nil {
		return err
	}
	for _, d := range devices {
		if err := u.logOut(ctx, id, d); err != nil {
			return err
		}
	}
	if !u.tokens {
		return nil
	}
	_, err = u.Do(ctx, httpc.Request{Op: "revoking tokens", Method: "POST", Path: "/ssosp/token/revoke", Query: url.Values{"user_id": {id}}}, nil)
	return err
}

// logOut logs a user out of a device, if they are still the one who is logged in: the call itself logs out whoever is.
func (u users) logOut(ctx context.Context, id, device string) error {
	if err := enter(ctx, u.writer); err != nil {
		return err
	}
	defer func() { <-u.writer }()
	p, err := u.Cluster.Get(ctx, Phone, By(device))
	if errors.Is(err, dayone.ErrNotFound) || err == nil && !strings.EqualFold(p.Value("loginUserId"), id) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = u.write(ctx, "logging out", "doDeviceLogout", Leaf("deviceName", device))
	return err
}

// where are the devices on which a user is logged in by extension mobility.
func (u users) where(ctx context.Context, id string) ([]string, error) {
	var out []string
	err := u.List(ctx, Phone, "name", []string{"name", "loginUserId"}, func(o *Object) bool {
		if at := o.Value("loginUserId"); at != "" && strings.EqualFold(at, id) {
			out = append(out, o.Value("name"))
		}
		return true
	})
	slices.Sort(out)
	return out, err
}

// loggedIn are the phones on which a leaver is still logged in.
func (u users) loggedIn(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	o, err := u.Cluster.Get(ctx, User, Key{UUID: account.Ref})
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	devices, err := u.where(ctx, o.Value("userid"))
	var out []dayone.Remain
	for _, d := range devices {
		out = append(out, dayone.Remain{Name: d, Ref: d, Note: "they are logged in on it by extension mobility"})
	}
	return out, err
}

// devices are phones that still name a leaver as their owner.
func (u users) devices(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	o, err := u.Cluster.Get(ctx, User, Key{UUID: account.Ref})
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	id := o.Value("userid")
	var out []dayone.Remain
	err = u.List(ctx, Phone, "name", []string{"name", "ownerUserName"}, func(p *Object) bool {
		if owner := p.Value("ownerUserName"); owner != "" && strings.EqualFold(owner, id) {
			out = append(out, dayone.Remain{Name: p.Value("name"), Ref: p.UUID, Note: "they own it"})
		}
		return true
	})
	return out, err
}

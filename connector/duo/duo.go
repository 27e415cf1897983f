// Package duo reaches Duo Security: users with their enrolment, groups, phones and bypass codes.
// https://duo.com/docs/adminapi
package duo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes Duo connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New reaches one account of Duo's.
func New(cfg connector.Config) (connector.Connector, error) {
	c := newClient(cfg)
	as := accounts{client: c, alias: cfg.Settings["employee_number"], enrols: cfg.Settings["enrol"] == "true"}
	if as.alias == "none" {
		as.alias = ""
	}
	for name, to := range map[string]*int{"enrol_days": &as.enrolDays, "bypass_days": &as.bypassDays} {
		n, err := strconv.Atoi(cfg.Settings[name])
		if err != nil || n < 1 || n > 365 {
			return nil, fmt.Errorf("setting %s is %q, not a number of days from 1 to 365: %w", name, cfg.Settings[name], dayone.ErrInvalid)
		}
		*to = n
	}
	return &account{as, &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now,
		Ping: func(ctx context.Context) error {
			if err := c.listUsers(ctx, url.Values{"username": {"dayone-check"}}, func(user) bool { return false }); err != nil {
				return err
			}
			return c.listGroups(ctx, func(group) bool { return false })
		},
		Accounts: as,
		Kinds:    map[string]connector.Entitlements{"group": groups{c}},
		Things:   map[string]connector.Things{"phone": phones{c}},
		Left: map[dayone.RemainClass]func(context.Context, dayone.Item) ([]dayone.Remain, error){
			dayone.KeptToken: as.tokens,
		},
	}}, nil
}

// account of Duo's is a target that gives whoever it has made a code for the first day.
type account struct {
	accounts accounts
	*connector.Target
}

// Apply sets the code last, whichever attempt made the user: it is the same code over retries, and takes its own place. A
// user who was there before gets none. An employee number that has no place at Duo is not asked for, else every look would
// find it missing.
func (d *account) Apply(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	if d.accounts.alias == "" && a.Key.IsAccount() && a.Want != nil {
		want := *a.Want
		want.Attrs = want.Attrs.Clone()
		delete(want.Attrs, "employee_number")
		a.Want = &want
	}
	r, err := d.Target.Apply(ctx, a)
	code := a.Secrets["bypass_code"]
	if err != nil || a.Action != dayone.AccountCreate || r.Now == nil || r.Before != nil || r.Now.State == dayone.Disabled || code.IsZero() {
		return r, err
	}
	return r, d.accounts.setBypassCode(ctx, r.Now.Ref, code, d.accounts.bypassDays*24*60*60)
}

var _ connector.Teller = &account{}

// Tiles counts users.
func (d *account) Tiles(ctx context.Context) ([]dayone.Tile, error) {
	n, err := d.accounts.countUsers(ctx)
	if err != nil {
		return nil, err
	}
	return []dayone.Tile{{Title: "Duo users", Value: n, Unit: "users", Link: "https://admin.duosecurity.com/users"}}, nil
}

type accounts struct {
	*client
	alias                 string // which alias holds the employee number; "": none
	enrols                bool
	enrolDays, bypassDays int
}

// fields are our attributes as Duo calls them.
var fields = map[string]string{"login": "username", "email": "email", "first_name": "firstname", "last_name": "lastname", "display_name": "realname"}

// item shows a user. Whoever has no device yet is pending; one that Duo has locked out is open as far as we go, since that
// is for an administrator to look at.
func (a accounts) item(u user) dayone.Item {
	it := dayone.Item{
		Key: dayone.Key{System: a.System, Kind: dayone.AccountKindName}, Ref: u.ID, State: dayone.Active, Created: time.Unix(u.Created, 0).UTC(),
		Attrs: dayone.Attrs{
			"login": dayone.Text(u.Username), "email": dayone.Text(u.Email), "first_name": dayone.Text(u.First),
			"last_name": dayone.Text(u.Last), "display_name": dayone.Text(u.Real),
		},
	}
	switch {
	case u.Status == "disabled", u.Status == "pending deletion":
		it.State = dayone.Disabled
	case !u.Enrolled && u.Status == "active":
		it.State = dayone.Pending
	}
	if a.alias != "" {
		it.Attrs["employee_number"] = dayone.Text(u.Aliases[a.alias])
	}
	if u.LastLogin != nil {
		it.Attrs["last_login"] = dayone.Text(time.Unix(*u.LastLogin, 0).UTC().Format(time.RFC3339))
	}
	return it
}

func (a accounts) params(as dayone.Attrs) url.Values {
	out := url.Values{}
	for ours, theirs := range fields {
		if v, ok := as[ours]; ok {
			out.Set(theirs, v.Text)
		}
	}
	if v, ok := as["employee_number"]; ok && a.alias != "" {
		out.Set("aliases", url.Values{a.alias: {v.Text}}.Encode())
	}
	return out
}

func (a accounts) Get(ctx context.Context, ref string) (dayone.Item, error) {
	u, err := a.getUser(ctx, ref)
	if err != nil {
		return dayone.Item{}, err
	}
	return a.item(u), nil
}

// Find compares again what a search gives: a search by name finds aliases as well. The owner of an alias that somebody wants
// for a login is in the way, and is shown.
func (a accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	search := "username"
	switch {
	case by == "email":
		search = "email"
	case by == "employee_number" && a.alias == "", by != "employee_number" && by != "login":
		return nil, dayone.ErrUnsupported
	}
	var out []dayone.Item
	err := a.listUsers(ctx, url.Values{search: {value}}, func(u user) bool {
		has := map[string]bool{"email": strings.EqualFold(u.Email, value), "employee_number": u.Aliases[a.alias] == value, "login": strings.EqualFold(u.Username, value)}
		for _, alias := range u.Aliases {
			has["login"] = has["login"] || strings.EqualFold(alias, value)
		}
		if has[by] {
			out = append(out, a.item(u))
		}
		return true
	})
	return out, err
}

// Create makes the user, by an enrolment if there is to be one. A user whom a call made that was cut off is found by its
// login.
func (a accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	want := a.params(act.Want.Attrs)
	if act.Want.State == dayone.Disabled {
		want.Set("status", "disabled")
	}
	var u user
	var err error
	if a.enrols && act.Want.State != dayone.Disabled {
		u, err = a.invite(ctx, want)
	} else {
		u, err = a.createUser(ctx, want)
	}
	if err != nil {
		return dayone.Result{}, err
	}
	it := a.item(u)
	return dayone.Result{Now: &it}, nil
}

// invite makes a user by enrolment, which takes no more than name and address, and sets the rest.
func (a accounts) invite(ctx context.Context, want url.Values) (user, error) {
	login := want.Get("username")
	err := a.enroll(ctx, url.Values{"username": {login}, "email": {want.Get("email")}, "valid_secs": {strconv.Itoa(a.enrolDays * 24 * 60 * 60)}})
	if err != nil {
		return user{}, err
	}
	var made []user
	err = a.listUsers(ctx, url.Values{"username": {login}}, func(u user) bool {
		if strings.EqualFold(u.Username, login) {
			made = append(made, u)
		}
		return true
	})
	if err != nil {
		return user{}, err
	}
	if len(made) != 1 {
		return user{}, a.Fault("enrolling user", dayone.ErrNotYet, "", "the user is made but not shown yet")
	}
	return made[0], a.updateUser(ctx, made[0].ID, want)
}

func (a accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	return a.refused(ctx, ref, a.updateUser(ctx, ref, a.params(changed)))
}

// Switch never takes somebody out of the trash, which is no change of status.
func (a accounts) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	status := "disabled"
	if to == dayone.Active {
		status = "active"
		u, err := a.getUser(ctx, ref)
		if err != nil {
			return err
		}
		if u.Status == "pending deletion" {
			return &dayone.Fault{
				System: a.System, Op: "opening user", Err: dayone.ErrUnsupported, Detail: "the user is in the trash", Next: "restore it in the Duo Admin Panel under Users > Trash",
			}
		}
	}
	return a.refused(ctx, ref, a.updateUser(ctx, ref, url.Values{"status": {status}}))
}

func (a accounts) Delete(ctx context.Context, ref string) error {
	return a.refused(ctx, ref, a.deleteUser(ctx, ref))
}

// refused explains a refusal that follows from the user's being a directory's.
func (a accounts) refused(ctx context.Context, ref string, err error) error {
	if !errors.Is(err, dayone.ErrInvalid) && !errors.Is(err, dayone.ErrForbidden) {
		return err
	}
	var f *dayone.Fault
	u, bad := a.getUser(ctx, ref)
	if bad != nil || u.Synced == 0 || !errors.As(err, &f) {
		return err
	}
	said := *f
	said.Err, said.Next = dayone.ErrUnsupported, "Duo synchronises this user from a directory: change it there, then synchronise"
	return &said
}

func (a accounts) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		stopped := false
		err := a.listUsers(ctx, nil, func(u user) bool {
			stopped = !yield(a.item(u), nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(dayone.Item{}, err)
		}
	}
}

var _ connector.Revoker = accounts{}

// Revoke ends codes that would let somebody in without a device. A disabled user is let in nowhere; devices stay with the
// account, each phone is a grant of its own.
func (a accounts) Revoke(ctx context.Context, ref string) error {
	codes, err := a.bypassCodes(ctx, ref)
	if err != nil {
		return err
	}
	for _, b := range codes {
		if err := a.drop(ctx, "deleting bypass code", "/admin/v1/bypass_codes/"+url.PathEscape(b.ID)); err != nil {
			return err
		}
	}
	return nil
}

// tokens are bypass codes, phones and hardware tokens that are left.
func (a accounts) tokens(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	u, err := a.getUser(ctx, account.Ref)
	if err != nil {
		return nil, err
	}
	codes, err := a.bypassCodes(ctx, account.Ref)
	if err != nil {
		return nil, err
	}
	var out []dayone.Remain
	for _, b := range codes {
		out = append(out, dayone.Remain{Name: "bypass code", Ref: b.ID, Note: "it lets them in without a device"})
	}
	for _, p := range u.Phones {
		out = append(out, dayone.Remain{Name: "phone", Ref: p.ID, Note: "a phone that approves their sign-ins"})
	}
	for _, t := range u.Tokens {
		out = append(out, dayone.Remain{Name: "hardware token " + t.Serial, Ref: t.ID, Note: "it is assigned to them", Act: "collect it and take it off in the Duo Admin Panel"})
	}
	return out, nil
}

type groups struct{ *client }

func (g groups) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	u, err := g.getUser(ctx, account)
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, x := range u.Groups {
		out = append(out, dayone.Item{Key: dayone.Key{Name: x.Name}, Ref: x.ID, State: dayone.Active})
	}
	return out, nil
}

func (g groups) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		stopped := false
		err := g.listGroups(ctx, func(x group) bool {
			stopped = !yield(dayone.Offer{Key: dayone.Key{Name: x.Name}, Ref: x.ID, Title: x.Desc}, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(dayone.Offer{}, err)
		}
	}
}

func (g groups) Add(ctx context.Context, account string, want dayone.Item) error {
	_, err := g.call(ctx, "adding group member", "POST", userPath(account)+"/groups", url.Values{"group_id": {want.Ref}}, nil)
	return accounts{client: g.client}.refused(ctx, account, err)
}

func (g groups) Remove(ctx context.Context, account string, is dayone.Item) error {
	_, err := g.call(ctx, "removing group member", "DELETE", userPath(account)+"/groups/"+url.PathEscape(is.Ref), nil, nil)
	return accounts{client: g.client}.refused(ctx, account, err)
}

// phones hang on a user; one may belong to several.
type phones struct{ *client }

// number without what people put between its digits.
func number(n string) string {
	return strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", "/", "", ".", "").Replace(n)
}

func (p phones) Look(ctx context.Context, a dayone.Act) (*dayone.Item, error) {
	u, err := p.getUser(ctx, a.Account)
	if errors.Is(err, dayone.ErrNotFound) && a.Want == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(u.Phones, func(x phone) bool {
		if a.Want != nil {
			return number(x.Number) == number(a.Want.Attrs.Text("number"))
		}
		return a.Have != nil && x.ID == a.Have.Ref
	})
	if i < 0 {
		return nil, nil
	}
	x := u.Phones[i]
	it := dayone.Item{Ref: x.ID, State: dayone.Active, Attrs: dayone.Attrs{"number": dayone.Text(x.Number), "activated": dayone.Bool(x.Activated)}}
	if a.Want != nil {
		it.Attrs["number"] = a.Want.Attrs["number"]
	}
	return &it, nil
}

// Put takes the phone that has this number, if Duo knows it, and gives it to the user as well. A phone under a former number
// is taken off first.
func (p phones) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	n := number(a.Want.Attrs.Text("number"))
	if n == "" {
		return dayone.Result{}, p.Fault("creating phone", dayone.ErrInvalid, "", "no number is known")
	}
	found, err := p.findPhones(ctx, n)
	if err != nil {
		return dayone.Result{}, err
	}
	found = slices.DeleteFunc(found, func(x phone) bool { return number(x.Number) != n })
	var x phone
	if len(found) > 0 {
		x = found[0]
	} else {
		want := url.Values{"number": {n}, "type": {"mobile"}}
		if v := a.Want.Attrs.Text("platform"); v != "" {
			want.Set("platform", v)
		}
		if x, err = p.createPhone(ctx, want); err != nil {
			return dayone.Result{}, err
		}
	}
	if _, err := p.call(ctx, "giving phone to user", "POST", userPath(a.Account)+"/phones", url.Values{"phone_id": {x.ID}}, nil); err != nil {
		return dayone.Result{}, err
	}
	is, err := p.Look(ctx, a)
	if err == nil && is == nil {
		err = p.Fault("giving phone to user", dayone.ErrNotYet, "", "the phone is not shown yet")
	}
	return dayone.Result{Now: is}, err
}

// Drop takes the phone off the user, and deletes it if nobody else has it.
func (p phones) Drop(ctx context.Context, a dayone.Act) error {
	if err := p.drop(ctx, "taking phone off user", userPath(a.Account)+"/phones/"+url.PathEscape(a.Have.Ref)); err != nil {
		return err
	}
	x, err := p.getPhone(ctx, a.Have.Ref)
	if errors.Is(err, dayone.ErrNotFound) || err == nil && len(x.Users) > 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return p.drop(ctx, "deleting phone", "/admin/v1/phones/"+url.PathEscape(x.ID))
}

// Of cannot be had: whose number a phone is is known to the books alone. What a leaver still has is told as a remain.
func (phones) Of(context.Context, dayone.Subject) ([]dayone.Item, error) {
	return nil, dayone.ErrUnsupported
}

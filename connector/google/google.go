// Package google reaches a Google Workspace customer: users with their licence, and group members.
// https://developers.google.com/workspace/admin/directory/reference/rest
package google

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes Google Workspace connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New reaches one customer.
func New(cfg connector.Config) (connector.Connector, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	left := map[dayone.RemainClass]func(context.Context, dayone.Item) ([]dayone.Remain, error){
		dayone.KeptToken: accounts{client: c}.tokens, dayone.KeptOwnership: accounts{client: c}.owned,
	}
	if c.mailbox != nil {
		left[dayone.MailForward] = accounts{client: c}.forwards
	}
	return &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now,
		Ping: func(ctx context.Context) error {
			err := c.listUsers(ctx, "email=dayone-check", func(user) bool { return false })
			if err != nil {
				return err
			}
			return c.listGroups(ctx, "", func(group) bool { return false })
		},
		Accounts: accounts{c, time.Duration(cfg.Manifest.Lag)},
		Kinds:    map[string]connector.Entitlements{"group": groups{c}},
		Left:     left,
	}, nil
}

// license is one that an account can be given by name.
type license struct{ name, product, sku string }

// readLicenses reads NAME=PRODUCT/SKU, separated by commas.
func readLicenses(setting string) ([]license, error) {
	var out []license
	for _, word := range strings.FieldsFunc(setting, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		name, id, _ := strings.Cut(word, "=")
		product, sku, _ := strings.Cut(id, "/")
		if name == "" || product == "" || sku == "" {
			return nil, fmt.Errorf("setting licenses: %q is not NAME=PRODUCT/SKU: %w", word, dayone.ErrInvalid)
		}
		out = append(out, license{name, product, sku})
	}
	return out, nil
}

func (c *client) license(name string) (license, bool) {
	i := slices.IndexFunc(c.licenses, func(l license) bool { return l.name == name })
	if i < 0 {
		return license{}, false
	}
	return c.licenses[i], true
}

type accounts struct {
	*client
	lag time.Duration
}

// item shows a user. What Google leaves out right after a create is left out here, too: it is not empty.
func (a accounts) item(u user) dayone.Item {
	it := dayone.Item{Key: dayone.Key{System: a.System, Kind: dayone.AccountKindName}, Ref: u.ID, State: dayone.Active, Created: u.CreationTime.UTC()}
	if u.Suspended || u.Archived {
		it.State = dayone.Disabled
	}
	it.Attrs = dayone.Attrs{
		"email": dayone.Text(u.PrimaryEmail), "org_unit": dayone.Text(u.OrgUnitPath), "personal_email": dayone.Text(u.RecoveryEmail),
		"title": text(u.Organizations, primary, "title"), "department": text(u.Organizations, primary, "department"),
		"employee_number": text(u.ExternalIDs, typed("organization"), "value"), "manager": text(u.Relations, typed("manager"), "value"),
	}
	if u.Name != nil {
		it.Attrs["first_name"], it.Attrs["last_name"] = dayone.Text(u.Name.GivenName), dayone.Text(u.Name.FamilyName)
	}
	return it
}

// find is the place in a list of the entry that is ours to read and write, or -1.
type find func([]map[string]any) int

// typed finds the entry of a type.
func typed(kind string) find {
	return func(list []map[string]any) int {
		return slices.IndexFunc(list, func(e map[string]any) bool { return e["type"] == kind })
	}
}

// primary finds the entry marked so, else the first.
func primary(list []map[string]any) int {
	i := slices.IndexFunc(list, func(e map[string]any) bool { return e["primary"] == true })
	return max(i, min(0, len(list)-1))
}

func text(list []map[string]any, which find, property string) dayone.Value {
	if i := which(list); i >= 0 {
		s, _ := list[i][property].(string)
		return dayone.Text(s)
	}
	return dayone.Text("")
}

// put sets a property of our entry, and leaves the other entries and what else stands in it. An entry of which nothing but
// its frame is left goes; a list is never nil, which a patch would take for "remove it".
func put(list []map[string]any, which find, frame map[string]any, property, value string) []map[string]any {
	i := which(list)
	switch {
	case i < 0 && value == "":
		return append([]map[string]any{}, list...)
	case i < 0:
		list, i = append(list, frame), len(list)
	}
	list[i][property] = value
	if value == "" {
		delete(list[i], property)
		bare := true
		for name := range list[i] {
			_, framed := frame[name]
			bare = bare && framed
		}
		if bare {
			list = slices.Delete(list, i, i+1)
		}
	}
	return list
}

// body is what a user becomes by attributes; was is the user as it stands.
func body(as dayone.Attrs, was user) map[string]any {
	b, names := map[string]any{}, map[string]any{}
	for ours, v := range as {
		switch ours {
		case "email":
			b["primaryEmail"] = v.Text
		case "first_name":
			names["givenName"] = v.Text
		case "last_name":
			names["familyName"] = v.Text
		case "org_unit":
			b["orgUnitPath"] = v.Text
		case "personal_email":
			b["recoveryEmail"] = v.Text
		case "title", "department":
			was.Organizations = put(was.Organizations, primary, map[string]any{"primary": true, "type": "work"}, ours, v.Text)
			b["organizations"] = was.Organizations
		case "employee_number":
			b["externalIds"] = put(was.ExternalIDs, typed("organization"), map[string]any{"type": "organization"}, "value", v.Text)
		case "manager":
			b["relations"] = put(was.Relations, typed("manager"), map[string]any{"type": "manager"}, "value", v.Text)
		}
	}
	if len(names) > 0 {
		b["name"] = names
	}
	return b
}

// licensed adds the licence. Where nobody authorised the Licensing API the account shows none.
func (a accounts) licensed(ctx context.Context, it dayone.Item) (dayone.Item, error) {
	if len(a.licenses) == 0 {
		return it, nil
	}
	held, err := a.held(ctx, it.Attrs.Text("email"))
	switch {
	case unauthorised(err):
		return it, nil
	case err != nil:
		return dayone.Item{}, err
	}
	it.Attrs["license"] = dayone.Text(held.name)
	return it, nil
}

func unauthorised(err error) bool {
	return errors.Is(err, dayone.ErrAuth) || errors.Is(err, dayone.ErrForbidden)
}

func (a accounts) Get(ctx context.Context, ref string) (dayone.Item, error) {
	u, err := a.getUser(ctx, ref)
	if err != nil {
		return dayone.Item{}, err
	}
	return a.licensed(ctx, a.item(u))
}

// Find reads an address directly, since search lags behind; it finds the owner of an alias as well, who is in the way.
// Search looks into external ids of every type, hence the second look.
func (a accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	var found []user
	switch by {
	case "email":
		u, err := a.getUser(ctx, value)
		switch {
		case errors.Is(err, dayone.ErrNotFound):
			return nil, nil
		case err != nil:
			return nil, err
		}
		found = []user{u}
	case "employee_number":
		err := a.listUsers(ctx, "externalId='"+strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value)+"'", func(u user) bool {
			if text(u.ExternalIDs, typed("organization"), "value").Text == value {
				found = append(found, u)
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
	for _, u := range found {
		it, err := a.licensed(ctx, a.item(u))
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// Create makes the user suspended unless she is to work at once, then gives the licence. A refused licence leaves the user
// there: the next attempt finds her by her number and goes on.
func (a accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	want, asked := act.Want.Attrs["license"]
	if err := a.knows(want.Text); err != nil {
		return dayone.Result{}, err
	}
	b := body(act.Want.Attrs, user{})
	b["suspended"] = act.Want.State != dayone.Active
	b["password"] = act.Secrets["password"].Reveal()
	b["changePasswordAtNextLogin"] = true
	u, err := a.insertUser(ctx, b)
	if errors.Is(err, dayone.ErrConflict) && act.Attempt > 1 && a.Now().Sub(act.Since) < a.lag {
		return dayone.Result{}, a.Fault("creating user", dayone.ErrNotYet, "duplicate", "the address is taken by a user who is not shown yet, perhaps the one of the attempt before")
	}
	if err != nil {
		return dayone.Result{}, err
	}
	it := a.item(u)
	if asked {
		if err := a.setLicense(ctx, u.PrimaryEmail, want.Text); err != nil {
			return dayone.Result{}, err
		}
		it.Attrs["license"] = want
	}
	return dayone.Result{Now: &it}, nil
}

// Update reads first, since lists are written whole. An update may be answered with a conflict and be carried out all the
// same: the account itself tells.
func (a accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	want, asked := changed["license"]
	if err := a.knows(want.Text); err != nil {
		return err
	}
	u, err := a.getUser(ctx, ref)
	if err != nil {
		return err
	}
	if b := body(changed, u); len(b) > 0 {
		now, err := a.patchUser(ctx, ref, b)
		if errors.Is(err, dayone.ErrConflict) {
			now, err = a.despite(ctx, ref, changed, err)
		}
		if err != nil {
			return err
		}
		u = now
	}
	if asked {
		return a.setLicense(ctx, u.PrimaryEmail, want.Text)
	}
	return nil
}

// despite looks whether an update was carried out although Google answered with a conflict. Only a changed address can
// truly be taken.
func (a accounts) despite(ctx context.Context, ref string, changed dayone.Attrs, conflict error) (user, error) {
	u, err := a.getUser(ctx, ref)
	if err != nil {
		return user{}, err
	}
	changed = changed.Clone()
	delete(changed, "license")
	left := a.item(u).Attrs.Differ(changed)
	switch {
	case len(left) == 0:
		return u, nil
	case !left["email"].IsZero():
		return user{}, conflict
	default:
		return user{}, a.Fault("updating user", dayone.ErrNotYet, "duplicate", "it was answered with a conflict and is not shown yet")
	}
}

func (a accounts) knows(license string) error {
	if _, ok := a.license(license); ok || license == "" {
		return nil
	}
	var names []string
	for _, l := range a.licenses {
		names = append(names, l.name)
	}
	return a.Fault("assigning licence", dayone.ErrInvalid, "", fmt.Sprintf("the setting licenses names no %q; it has %s", license, strings.Join(names, ", ")))
}

// setLicense brings the licence about: first, changed or taken away. Whoever is known here but not to the Licensing API was
// made just now.
func (a accounts) setLicense(ctx context.Context, email, name string) error {
	is, err := a.held(ctx, email)
	if err != nil {
		return err
	}
	want, _ := a.license(name)
	switch {
	case is == want:
		return nil
	case want.name == "":
		err = a.removeLicense(ctx, is, email)
	case is.product == want.product:
		err = a.reassignLicense(ctx, is, want, email)
	default:
		err = a.assignLicense(ctx, want, email)
	}
	switch {
	case errors.Is(err, dayone.ErrConflict): // she has it already
		return nil
	case errors.Is(err, dayone.ErrNotFound):
		return a.Fault("assigning licence", dayone.ErrNotYet, "notFound", "the Licensing API does not know the user yet")
	}
	return err
}

// held is the licence of a user among those that we may name; the zero licence is none.
func (a accounts) held(ctx context.Context, email string) (license, error) {
	for _, l := range a.licenses {
		if has, err := a.hasLicense(ctx, l, email); has || err != nil {
			return l, err
		}
	}
	return license{}, nil
}

// Switch suspends and opens. Whom somebody archived stays archived: taking her out would need a licence.
func (a accounts) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	u, err := a.patchUser(ctx, ref, map[string]any{"suspended": to != dayone.Active})
	if err == nil && to == dayone.Active && u.Archived {
		return a.Fault("opening user", dayone.ErrUnsupported, "", "the user is archived; take it out of the archive in the Admin console")
	}
	return err
}

func (a accounts) Delete(ctx context.Context, ref string) error { return a.deleteUser(ctx, ref) }

// All reads the licences of everybody at once, not one by one.
func (a accounts) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		var names map[string]string // licences by address
		var failed error
		first, stopped := true, false
		err := a.listUsers(ctx, "", func(u user) bool {
			if first {
				names, failed = a.everybodys(ctx, u.CustomerID)
				first = false
			}
			if failed != nil {
				return false
			}
			it := a.item(u)
			if names != nil {
				it.Attrs["license"] = dayone.Text(names[u.PrimaryEmail])
			}
			stopped = !yield(it, nil)
			return !stopped
		})
		if err == nil {
			err = failed
		}
		if err != nil && !stopped {
			yield(dayone.Item{}, err)
		}
	}
}

// everybodys licences by address; nil: there are none to name, or we may not read them.
func (a accounts) everybodys(ctx context.Context, customer string) (map[string]string, error) {
	if len(a.licenses) == 0 {
		return nil, nil
	}
	names, read := map[string]string{}, map[string]bool{}
	for _, l := range a.licenses {
		if read[l.product] {
			continue
		}
		read[l.product] = true
		err := a.listLicenses(ctx, l.product, customer, func(x assignment) bool {
			i := slices.IndexFunc(a.licenses, func(l2 license) bool { return l2.product == l.product && l2.sku == x.SKU })
			if i >= 0 {
				names[x.UserID] = a.licenses[i].name
			}
			return true
		})
		switch {
		case unauthorised(err):
			return nil, nil
		case err != nil:
			return nil, err
		}
	}
	return names, nil
}

type groups struct{ *client }

// Held are the groups in which the user herself is a member, under their addresses; those that a group of hers is in are not.
func (g groups) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	var out []dayone.Item
	err := g.listGroups(ctx, account, func(x group) bool {
		out = append(out, dayone.Item{Key: dayone.Key{Name: x.Email}, Ref: x.ID, State: dayone.Active})
		return true
	})
	return out, err
}

func (g groups) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		stopped := false
		err := g.listGroups(ctx, "", func(x group) bool {
			stopped = !yield(dayone.Offer{Key: dayone.Key{Name: x.Email}, Ref: x.ID, Title: x.Name}, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(dayone.Offer{}, err)
		}
	}
}

func (g groups) Add(ctx context.Context, account string, want dayone.Item) error {
	return g.insertMember(ctx, want.Ref, account)
}

func (g groups) Remove(ctx context.Context, account string, is dayone.Item) error {
	return g.deleteMember(ctx, is.Ref, account)
}

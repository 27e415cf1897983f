// Package jamf reaches a Jamf Pro server: laptops assigned to their users, and the profile that a laptop gets.
// https://developer.jamf.com/jamf-pro/docs
package jamf

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes Jamf connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New reaches one server.
func New(cfg connector.Config) (connector.Connector, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	p := profiles{c, cfg.Settings["prefix"], cfg.Files}
	return &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now,
		Ping: func(ctx context.Context) error { // one read of each kind: whoever may not read will not write either
			if _, err := c.findComputers(ctx, `id=="0"`, "GENERAL"); err != nil {
				return err
			}
			if _, err := c.findGroup(ctx, p.prefix); err != nil {
				return err
			}
			_, err := c.findProfile(ctx, p.prefix+"check")
			return err
		},
		Things: map[string]connector.Things{"device": devices{c}, "profile": p},
	}, nil
}

// devices are laptops assigned to their users.
type devices struct{ *client }

// fields are what we call as Jamf does; the department is an id there.
var fields = []string{"username", "email", "realname", "position"}

func (d devices) item(ctx context.Context, c computer) (dayone.Item, error) {
	it := dayone.Item{Key: dayone.Key{System: d.System, Kind: "device"}, Ref: c.ID, State: dayone.Active, Attrs: dayone.Attrs{
		"serial": dayone.Text(c.Hardware.SerialNumber), "model": dayone.Text(c.Hardware.Model),
	}}
	for _, f := range fields {
		it.Attrs[f] = dayone.Text(c.User.get(f))
	}
	name := ""
	if id := c.User.get("departmentId"); id != "" && id != "-1" {
		var err error
		if name, err = d.departmentName(ctx, id); err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return it, err
		}
	}
	it.Attrs["department"] = dayone.Text(name)
	return it, nil
}

// of says whether the computer is assigned to whom the attributes name.
func (c computer) of(as dayone.Attrs) bool {
	is := func(have, want string) bool { return have != "" && strings.EqualFold(have, want) }
	return is(c.User.get("username"), as.Text("username")) || is(c.User.get("email"), as.Text("email"))
}

// mine says whether the computer is the one that the act is about, under her present or her former name.
func (c computer) mine(a dayone.Act) bool {
	return a.Want != nil && c.of(a.Want.Attrs) || a.Have != nil && c.ID == a.Have.Ref && c.of(a.Have.Attrs)
}

// bySerial is the computer with this serial number, or nil.
func (d devices) bySerial(ctx context.Context, serial string) (*computer, error) {
	serial = strings.ToUpper(strings.TrimSpace(serial))
	if serial == "" {
		return nil, d.Fault("finding computer", dayone.ErrInvalid, "", "the order tells no serial number")
	}
	found, err := d.findComputers(ctx, "hardware.serialNumber=="+quote(serial), "HARDWARE", "USER_AND_LOCATION")
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(c computer) bool { return !strings.EqualFold(c.Hardware.SerialNumber, serial) })
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return &found[0], nil
	}
	return nil, &dayone.Fault{
		System: d.System, Op: "finding computer", Err: dayone.ErrConflict,
		Detail: fmt.Sprintf("%d computers have the serial number %s", len(found), serial), Next: "delete the records of former enrolments at Jamf",
	}
}

func (d devices) Look(ctx context.Context, a dayone.Act) (*dayone.Item, error) {
	var c *computer
	switch {
	case a.Want != nil:
		found, err := d.bySerial(ctx, a.Want.Attrs.Text("serial"))
		if err != nil {
			return nil, err
		}
		c = found
	case a.Have != nil && a.Have.Ref != "":
		got, err := d.getComputer(ctx, a.Have.Ref)
		switch {
		case err == nil:
			c = &got
		case !errors.Is(err, dayone.ErrNotFound):
			return nil, err
		}
	}
	if c == nil || !c.mine(a) {
		return nil, nil
	}
	it, err := d.item(ctx, *c)
	return &it, err
}

// Put assigns the computer. One that is somebody else's stays so.
func (d devices) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	serial := a.Want.Attrs.Text("serial")
	c, err := d.bySerial(ctx, serial)
	if err != nil {
		return dayone.Result{}, err
	}
	if c == nil {
		now := d.Now()
		return dayone.Result{Wait: &dayone.Wait{Kind: dayone.WaitPropagation, Check: now.Add(arrivalCheck), Until: now.Add(arrivalPatience), Note: "Jamf does not know the serial number " + serial +
			" yet; if the laptop was delivered, see that Apple Business assigns it to this Jamf server, and synchronise"}}, nil
	}
	to := location{}
	if !c.mine(a) {
		if other := cmp.Or(c.User.get("username"), c.User.get("email")); other != "" {
			it, err := d.item(ctx, *c)
			if err != nil {
				return dayone.Result{}, err
			}
			return dayone.Result{}, &dayone.Fault{
				System: d.System, Op: "assigning computer", Err: dayone.ErrConflict, Found: &it,
				Detail: c.Hardware.SerialNumber + " is assigned to " + other,
				Next:   "clear its user at Jamf, or correct the serial number of the order",
			}
		}
		for _, f := range fields {
			to[f] = "" // nothing of whoever had it before stays
		}
	}
	for _, f := range fields {
		if v, ok := a.Want.Attrs[f]; ok {
			to[f] = v.Text
		}
	}
	if v, ok := a.Want.Attrs["department"]; ok && v.Text != "" {
		if to["departmentId"], err = d.departmentID(ctx, v.Text); err != nil {
			return dayone.Result{}, err
		}
	}
	if err := d.updateUser(ctx, c.ID, to); err != nil {
		return dayone.Result{}, err
	}
	now, err := d.getComputer(ctx, c.ID)
	if err != nil {
		return dayone.Result{}, err
	}
	for f, v := range to {
		if strings.TrimSpace(now.User.get(f)) != strings.TrimSpace(v) {
			return dayone.Result{}, d.Fault("assigning computer", dayone.ErrNotYet, "", "Jamf still shows its former "+f)
		}
	}
	it, err := d.item(ctx, now)
	return dayone.Result{Now: &it}, err
}

// Drop clears the user.
func (d devices) Drop(ctx context.Context, a dayone.Act) error {
	to := location{"phone": ""}
	for _, f := range fields {
		to[f] = ""
	}
	if err := d.updateUser(ctx, a.Have.Ref, to); err != nil {
		return err
	}
	now, err := d.getComputer(ctx, a.Have.Ref)
	if err == nil && now.mine(a) {
		return d.Fault("clearing user", dayone.ErrNotYet, "", "Jamf still shows the user")
	}
	return err
}

// A laptop that was bought is known to Jamf when Apple Business has passed it on, at the latest when it is switched on.
const (
	arrivalCheck    = 15 * time.Minute
	arrivalPatience = 30 * 24 * time.Hour
)

func (d devices) Of(ctx context.Context, s dayone.Subject) ([]dayone.Item, error) {
	found, err := d.computersOf(ctx, s)
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, c := range found {
		it, err := d.item(ctx, c)
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// computersOf are all that are assigned to a subject.
func (c *client) computersOf(ctx context.Context, s dayone.Subject) ([]computer, error) {
	email, login := s.Keys["email"], cmp.Or(s.Keys["username"], s.Keys["login"], s.Keys["email"])
	who := dayone.Attrs{"email": dayone.Text(email), "username": dayone.Text(login)}
	var by []string
	if email != "" {
		by = append(by, "userAndLocation.email=="+quote(email))
	}
	if login != "" {
		by = append(by, "userAndLocation.username=="+quote(login))
	}
	if len(by) == 0 {
		return nil, c.Fault("finding computers of user", dayone.ErrInvalid, "", "there is neither a mail address nor a login to look for")
	}
	found, err := c.findComputers(ctx, strings.Join(by, ","), "HARDWARE", "USER_AND_LOCATION", "GROUP_MEMBERSHIPS")
	return slices.DeleteFunc(found, func(x computer) bool { return !x.of(who) }), err // the filter knows wildcards
}

// profiles are static groups to which a configuration profile of the same name is scoped.
type profiles struct {
	*client
	prefix string
	files  fs.FS
}

func (p profiles) item(name, group, device string) *dayone.Item {
	return &dayone.Item{
		Key: dayone.Key{System: p.System, Kind: "profile", Name: name}, Ref: group, State: dayone.Active,
		Attrs: dayone.Attrs{"device": dayone.Text(device)},
	}
}

// device is the computer that the act is about.
func (p profiles) device(a dayone.Act) (string, error) {
	id := ""
	if a.Want != nil {
		id = a.Want.Attrs.Text("device")
	} else if a.Have != nil {
		id = a.Have.Attrs.Text("device")
	}
	if id == "" {
		return "", p.Fault("finding computer", dayone.ErrInvalid, "", "nothing says which computer the profile is for")
	}
	return id, nil
}

// in is the membership of a computer in our group, or nil.
func (p profiles) in(ctx context.Context, device, name string) (*membership, error) {
	c, err := p.getComputer(ctx, device)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(c.Groups, func(m membership) bool { return m.Name == p.prefix+name && !m.Smart })
	if i < 0 {
		return nil, nil
	}
	return &c.Groups[i], nil
}

// Look finds the profile on the computer. It is pending while Jamf has another content than the file.
func (p profiles) Look(ctx context.Context, a dayone.Act) (*dayone.Item, error) {
	device, err := p.device(a)
	if err != nil {
		return nil, err
	}
	m, err := p.in(ctx, device, a.Key.Name)
	switch {
	case a.Want == nil && errors.Is(err, dayone.ErrNotFound):
		return nil, nil // the computer is gone, and the profile with it
	case err != nil || m == nil:
		return nil, err
	}
	it := p.item(a.Key.Name, m.ID, device)
	if a.Want == nil {
		return it, nil
	}
	want, err := p.read(a.Key.Name)
	if err != nil {
		return nil, err
	}
	have, err := p.findProfile(ctx, p.prefix+a.Key.Name)
	if err != nil {
		return nil, err
	}
	it.State = dayone.Pending
	if have != nil {
		it.Attrs["content"] = dayone.Text(version(have.General.Description))
		if want.is(*have) && have.scoped(m.ID) {
			it.State = dayone.Active
		}
	}
	return it, nil
}

// Put brings group and configuration profile up to date, then puts the computer into the group. Nothing of any scope is
// ever replaced.
func (p profiles) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	name := a.Key.Name
	device, err := p.device(a)
	if err != nil {
		return dayone.Result{}, err
	}
	want, err := p.read(name)
	if err != nil {
		return dayone.Result{}, err
	}
	group, err := p.group(ctx, name)
	if err != nil {
		return dayone.Result{}, err
	}
	if err := p.keep(ctx, want, group); err != nil {
		return dayone.Result{}, err
	}
	m, err := p.in(ctx, device, name)
	if err != nil {
		return dayone.Result{}, err
	}
	if m == nil {
		if err := p.changeMembers(ctx, group, change{Add: []string{device}}); err != nil {
			return dayone.Result{}, err
		}
		if m, err = p.in(ctx, device, name); err != nil {
			return dayone.Result{}, err
		}
	}
	if m == nil {
		return dayone.Result{}, p.Fault("applying profile", dayone.ErrNotYet, "", "Jamf does not show the computer in the group "+p.prefix+name+" yet")
	}
	it := p.item(name, group, device)
	it.Attrs["content"] = dayone.Text(want.version)
	return dayone.Result{Now: it}, nil
}

// group is the id of our static group, made if it is missing.
func (p profiles) group(ctx context.Context, name string) (string, error) {
	id, err := p.findGroup(ctx, p.prefix+name)
	if err != nil || id != "" {
		return id, err
	}
	id, err = p.createGroup(ctx, p.prefix+name)
	if !errors.Is(err, dayone.ErrConflict) {
		return id, err
	}
	again, found := p.findGroup(ctx, p.prefix+name) // somebody else was faster
	if found != nil || again != "" {
		return again, found
	}
	return "", &dayone.Fault{
		System: p.System, Op: "creating static group", Err: dayone.ErrConflict,
		Detail: "a smart group is called " + p.prefix + name, Next: "rename it, or change the setting prefix",
	}
}

// keep makes the configuration profile what the file says, and reads it back.
func (p profiles) keep(ctx context.Context, want *laptop, group string) error {
	name := p.prefix + want.name
	have, err := p.findProfile(ctx, name)
	if err != nil {
		return err
	}
	conflict := func(detail, next string) error {
		return &dayone.Fault{System: p.System, Op: "updating configuration profile", Err: dayone.ErrConflict, Detail: detail, Next: next}
	}
	switch {
	case have == nil:
		err = p.createProfile(ctx, want.general(name, nil), group)
	case version(have.General.Description) == "":
		return conflict("a configuration profile "+name+" is there that we did not make", "rename it, or change the setting prefix")
	case !have.scoped(group):
		return conflict(name+" is not scoped to the group "+name+" any more", "add the group to its scope at Jamf")
	case want.is(*have):
		return nil
	default:
		err = p.updateProfile(ctx, have.General.ID, want.general(name, have))
	}
	if err != nil {
		return err
	}
	now, err := p.findProfile(ctx, name)
	if err != nil {
		return err
	}
	if now == nil || !want.is(*now) || !now.scoped(group) {
		return p.Fault("updating configuration profile", dayone.ErrNotYet, "", "Jamf does not show "+name+" with the content of "+want.file)
	}
	return nil
}

// Drop takes the computer out of the group; group and configuration profile are others', too.
func (p profiles) Drop(ctx context.Context, a dayone.Act) error {
	device, err := p.device(a)
	if err != nil {
		return err
	}
	m, err := p.in(ctx, device, a.Key.Name)
	if err != nil || m == nil {
		return err
	}
	if err := p.changeMembers(ctx, m.ID, change{Delete: []string{device}}); err != nil {
		return err
	}
	if m, err = p.in(ctx, device, a.Key.Name); err == nil && m != nil {
		return p.Fault("removing profile", dayone.ErrNotYet, "", "Jamf still shows the computer in the group "+p.prefix+a.Key.Name)
	}
	return err
}

func (p profiles) Of(ctx context.Context, s dayone.Subject) ([]dayone.Item, error) {
	found, err := p.computersOf(ctx, s)
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, c := range found {
		for _, m := range c.Groups {
			if name, ours := strings.CutPrefix(m.Name, p.prefix); ours && !m.Smart {
				out = append(out, *p.item(name, m.ID, c.ID))
			}
		}
	}
	return out, nil
}

// Offers are the files of the policy folder.
func (p profiles) Offers(context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		if p.files == nil {
			return
		}
		names, err := fs.Glob(p.files, path.Join(folder, "*.yaml"))
		if err != nil {
			yield(dayone.Offer{}, p.Fault("listing profiles", dayone.ErrInvalid, "", err.Error()))
			return
		}
		for _, file := range names {
			name := strings.TrimSuffix(path.Base(file), ".yaml")
			l, err := p.read(name)
			if err != nil {
				yield(dayone.Offer{}, err)
				return
			}
			if !yield(dayone.Offer{Key: dayone.Key{Name: name}, Ref: file, Title: l.Title}, nil) {
				return
			}
		}
	}
}

// read is the profile as its file says it.
func (p profiles) read(name string) (*laptop, error) {
	l, err := readLaptop(p.files, name)
	if err != nil {
		return nil, p.Fault("reading profile", dayone.ErrInvalid, "", err.Error())
	}
	return l, nil
}

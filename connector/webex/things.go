package webex

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// devices of a person are activated by whoever unpacks them, with a code.
type devices struct{ *client }

// phones of a person are registered at once, as their MAC addresses are known.
type phones struct{ devices }

func shown(d device, want *dayone.Item) dayone.Item {
	it := dayone.Item{Ref: d.ID, State: dayone.Active, Attrs: dayone.Attrs{
		"product": dayone.Text(d.Product), "serial": dayone.Text(d.Serial), "mac": dayone.Text(address(d.MAC)),
	}}
	if want != nil {
		if m, ok := want.Attrs["model"]; ok {
			it.Attrs["model"] = m
		}
	}
	return it
}

// address is a MAC address as Webex takes it: without what people put between its digits.
func address(mac string) string {
	return strings.ToUpper(strings.NewReplacer(":", "", "-", "", ".", "", " ", "").Replace(mac))
}

// fits says whether a device may be of a model: "DMS Cisco 8865" is shown as "Cisco 8865".
func (d device) fits(model string) bool {
	return model == "" || d.Product != "" && strings.Contains(strings.ToLower(model), strings.ToLower(d.Product))
}

// Look finds the device by its id, else by MAC address or model among those of the person. A code that nobody has used yet
// is known to the books alone.
func (d devices) Look(ctx context.Context, a dayone.Act) (*dayone.Item, error) {
	if a.Have != nil && a.Have.Ref != "" && a.Have.State == dayone.Active {
		got, err := d.getDevice(ctx, a.Have.Ref)
		switch {
		case errors.Is(err, dayone.ErrNotFound), err == nil && got.Person != a.Account:
			return nil, nil
		case err != nil:
			return nil, err
		}
		it := shown(got, a.Want)
		return &it, nil
	}
	list, err := d.devicesOf(ctx, a.Account)
	if err != nil && !(a.Want == nil && errors.Is(err, dayone.ErrNotFound)) {
		return nil, err
	}
	want := cmp.Or(a.Want, a.Have)
	if want == nil {
		return nil, nil
	}
	mac, model := address(want.Attrs.Text("mac")), want.Attrs.Text("model")
	i := slices.IndexFunc(list, func(x device) bool {
		if mac != "" {
			return address(x.MAC) == mac
		}
		return x.fits(model)
	})
	if i >= 0 {
		it := shown(list[i], want)
		return &it, nil
	}
	if a.Have != nil && a.Have.State == dayone.Pending && a.Want != nil {
		it := *a.Have
		return &it, nil
	}
	return nil, nil
}

// Put registers the phone.
func (p phones) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	mac, model := address(a.Want.Attrs.Text("mac")), a.Want.Attrs.Text("model")
	if mac == "" || model == "" {
		return dayone.Result{}, p.Fault("creating device", dayone.ErrInvalid, "", "a phone needs its MAC address and its model, such as DMS Cisco 8865")
	}
	made, err := p.createDevice(ctx, a.Account, mac, model)
	if errors.Is(err, dayone.ErrConflict) {
		return dayone.Result{}, next(err, "the device is registered to somebody else or to another organisation; delete it there first")
	}
	if err != nil {
		return dayone.Result{}, err
	}
	made.MAC = cmp.Or(made.MAC, mac)
	it := shown(made, a.Want)
	return dayone.Result{Now: &it}, nil
}

// Put makes a code. One that is still good is not made again.
func (d devices) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	model := a.Want.Attrs.Text("model")
	if a.Have != nil {
		if until, err := time.Parse(time.RFC3339, a.Have.Attrs.Text("expires")); err == nil && d.Now().Before(until) {
			is := *a.Have
			return d.waiting(is, until), nil
		}
	}
	got, err := d.activationCode(ctx, a.Account, model)
	if err != nil {
		return dayone.Result{}, err
	}
	it := dayone.Item{State: dayone.Pending, Attrs: dayone.Attrs{"expires": dayone.Text(got.Expires.UTC().Format(time.RFC3339))}}
	if model != "" {
		it.Attrs["model"] = dayone.Text(model)
	}
	r := d.waiting(it, got.Expires)
	r.Secrets = map[string]dayone.Secret{"activation_code": dayone.NewSecret(got.Code)}
	return r, nil
}

// codeCheck is how often it is looked whether the code was used.
const codeCheck = 15 * time.Minute

func (d devices) waiting(is dayone.Item, until time.Time) dayone.Result {
	return dayone.Result{Now: &is, Wait: &dayone.Wait{
		Kind: dayone.WaitAcceptance, Check: d.Now().Add(codeCheck),
		Note: "the device is there once its owner has entered the activation code, which lies behind a one-time link. It is good until " +
			until.UTC().Format("2006-01-02 15:04 MST") + ", then the link shows a new one",
	}}
}

// Drop deletes a device from the organisation. A code that was never used ends by itself.
func (d devices) Drop(ctx context.Context, a dayone.Act) error {
	is, err := d.Look(ctx, a)
	if err != nil || is == nil || is.Ref == "" {
		return err
	}
	return d.deleteDevice(ctx, is.Ref)
}

// Of cannot be had: which grant a device came by is known to the books alone. What a leaver still has is told as a remain.
func (devices) Of(context.Context, dayone.Subject) ([]dayone.Item, error) {
	return nil, dayone.ErrUnsupported
}

func next(err error, advice string) error {
	var f *dayone.Fault
	if !errors.As(err, &f) {
		return err
	}
	said := *f
	said.Next = advice
	return &said
}

// rooms are workspaces that are made for a person, such as an office of one's own. The note on it says that it is ours.
type rooms struct{ *client }

func (w rooms) mark(a dayone.Act) string { return "dayone " + a.Once }

func (w rooms) item(x workspace) *dayone.Item {
	return &dayone.Item{Ref: x.ID, State: dayone.Active, Attrs: dayone.Attrs{"name": dayone.Text(x.Name), "type": dayone.Text(x.Type)}}
}

func (w rooms) Look(ctx context.Context, a dayone.Act) (*dayone.Item, error) {
	if a.Have != nil && a.Have.Ref != "" {
		x, err := w.getWorkspace(ctx, a.Have.Ref)
		if errors.Is(err, dayone.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return w.item(x), nil
	}
	if a.Want == nil {
		return nil, nil
	}
	x, err := w.find(ctx, a.Want.Attrs.Text("name"))
	if err != nil || x == nil || x.Notes != w.mark(a) {
		return nil, err
	}
	return w.item(*x), nil
}

func (w rooms) find(ctx context.Context, name string) (*workspace, error) {
	found, err := w.workspaces(ctx, name)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(found, func(x workspace) bool { return x.Name == name })
	if i < 0 {
		return nil, nil
	}
	return &found[i], nil
}

// Put makes one. A workspace of this name that somebody else made is left alone.
func (w rooms) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	name := a.Want.Attrs.Text("name")
	switch {
	case name == "":
		return dayone.Result{}, w.Fault("creating workspace", dayone.ErrInvalid, "", "it needs a name")
	case a.Have != nil:
		return dayone.Result{}, &dayone.Fault{
			System: w.System, Op: "changing workspace", Err: dayone.ErrUnsupported, Detail: "it has another name or type", Next: "change it in Control Hub under Workspaces",
		}
	}
	other, err := w.find(ctx, name)
	if err != nil {
		return dayone.Result{}, err
	}
	if other != nil {
		return dayone.Result{}, &dayone.Fault{
			System: w.System, Op: "creating workspace", Err: dayone.ErrConflict, Found: w.item(*other),
			Detail: "a workspace of this name is there and is not ours", Next: "name this one otherwise in the policy",
		}
	}
	made, err := w.createWorkspace(ctx, workspace{Name: name, Type: a.Want.Attrs.Text("type"), Notes: w.mark(a)})
	if err != nil {
		return dayone.Result{}, err
	}
	return dayone.Result{Now: w.item(made)}, nil
}

// Drop never takes devices along: they would have to be set up again.
func (w rooms) Drop(ctx context.Context, a dayone.Act) error {
	in, err := w.devicesIn(ctx, a.Have.Ref)
	if err != nil {
		return err
	}
	if len(in) > 0 {
		return &dayone.Fault{
			System: w.System, Op: "deleting workspace", Err: dayone.ErrConflict, Detail: "there are devices in it", Next: "move or delete them in Control Hub under Devices, then retry",
		}
	}
	return w.deleteWorkspace(ctx, a.Have.Ref)
}

func (rooms) Of(context.Context, dayone.Subject) ([]dayone.Item, error) {
	return nil, dayone.ErrUnsupported
}

package flow

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/number/platform"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// Belongings are somebody's telephone numbers and devices: as the ledger has them, as policies give them, and as telephone
// systems showed them when they were read last. What was not read is unknown, and not none.
type Belongings struct {
	Numbers []PersonNumber
	Devices []PersonDevice
	Phones  []PhonesRead
}

// PersonNumber is a number that is somebody's, was, or rings at her, too.
type PersonNumber struct {
	NumberView
	Service NumberClass       // what the class of its pool is on its platform
	Role    dayone.NumberRole // how it rings at her; "": it is, or was, her own
	Devices []string          // of hers that show it, as its platform was read
	Before  bool              // she had it; it rests
}

// Unseen says that it is somebody's own, and that no telephone system has shown it as theirs.
func (n PersonNumber) Unseen() bool {
	return !n.Before && n.Role == "" && n.State == dayone.NumberAssigned && n.Confirmed.IsZero()
}

// PersonDevice is a device that she has, gets, or uses.
type PersonDevice struct {
	System, Title string
	Kind          string             // title of the kind of a grant; "": it was only read
	Class         dayone.DeviceClass // of a telephone system's; "": it is none
	Name          string             // as its system calls it
	Product       string
	Serial, MAC   string
	State         AccessState // of a grant; "": it was only read
	Note          string
	Since         time.Time
	Tracking      string // of a parcel on its way
	Arrives       string // the day on which it arrives, as the reseller says it
	Lines         []string
	On            bool                // she is signed in on it
	Registered    dayone.Registration // as it was read; "": it is not known
	LastSeen      time.Time           // when its system had word of it last; zero: it does not tell
	Other         bool                // it is not hers: she is only signed in on it
	Sure          string              // how sure it is that it is hers; "": a policy gives it, or she holds it
	Seen          time.Time           // when its system last showed it; zero: it did not yet
	Read          bool                // Seen is when the whole system was read
}

// PhonesRead is a telephone system, and how far what it has is known.
type PhonesRead struct {
	System, Title string
	Read          time.Time // of what was compared; zero: never read, thrown away, or not compared yet
	Kept          time.Time // of what is being compared, where Read is zero; zero: there is none
	Reading       bool
	Problem       string // why it could not be read, or compared
	Mailboxes     []string
}

// deviceKinds are the kinds of things that somebody holds in her hands, or that stand for such a thing.
var deviceKinds = []string{"device", "order", "phone", "device_profile"}

// Belongings are those of somebody, of whom whoever asks may know.
func (f *Flow) Belongings(ctx context.Context, id dayone.PersonID) (Belongings, error) {
	_, list, err := f.Access(ctx, id)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) {
		return Belongings{}, err
	}
	return f.BelongingsOf(ctx, id, list)
}

// BelongingsOf is Belongings with her access at hand.
func (f *Flow) BelongingsOf(ctx context.Context, id dayone.PersonID, list []Access) (Belongings, error) {
	var out Belongings
	of := map[string]platform.Theirs{}
	for _, name := range f.PhoneSystems() {
		read, has, err := f.phonesOf(ctx, name, id)
		if err != nil {
			return out, err
		}
		for _, b := range has.Mailboxes {
			read.Mailboxes = append(read.Mailboxes, cmp.Or(b.Extension, b.Alias))
		}
		of[name] = has
		out.Phones = append(out.Phones, read)
	}
	var err error
	if out.Numbers, err = f.numbersOf(ctx, id, of); err != nil {
		return out, err
	}
	out.Devices = grantedDevices(list)
	for _, p := range out.Phones {
		out.Devices = seenDevices(out.Devices, p, of[p.System].Devices)
	}
	return out, nil
}

// phonesOf is what a telephone system has of somebody, as it was read and compared last.
func (f *Flow) phonesOf(ctx context.Context, name string, id dayone.PersonID) (PhonesRead, platform.Theirs, error) {
	f.phones.mu.Lock()
	p := f.phones.at(name)
	out := PhonesRead{System: name, Title: f.systemTitle(name), Reading: p.reading || p.asked, Problem: cmp.Or(p.problem, p.wrong)}
	report, loaded := p.report, p.loaded
	switch {
	case report != nil:
		out.Read = p.of
	case p.is != nil && p.wrong == "":
		out.Kept = p.read
	}
	f.phones.mu.Unlock()
	switch {
	case report != nil:
		return out, report.Of(id), nil // what is pointed at is never changed
	case loaded:
		return out, platform.Theirs{}, nil
	}
	row, err := f.keptRow(ctx, name)
	out.Kept = row.Read
	return out, platform.Theirs{}, err
}

// NumbersAhead are somebody's own numbers, and what assigning one now would give who has none; nil: no rule gives one, or no pool
// that is hers has one left.
func (f *Flow) NumbersAhead(ctx context.Context, id dayone.PersonID) (own []PersonNumber, next *NumberGiven, err error) {
	if own, err = f.numbersOf(ctx, id, nil); err != nil {
		return nil, nil, err
	}
	own = slices.DeleteFunc(own, func(x PersonNumber) bool { return x.Role != "" || x.Before })
	if len(own) > 0 {
		return own, nil, nil
	}
	w := NumberWish{Person: id, At: f.Clock.Now()}
	n := f.Store.ReadNumbers(ctx)
	plan, _, err := f.numberBook(n)
	if err != nil {
		return nil, nil, err
	}
	refs, err := f.numberRefs(ctx, &w)
	if errors.Is(err, dayone.ErrConflict) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	chosen, why, _, err := choose(n, plan, w, refs)
	switch {
	case errors.Is(err, dayone.ErrNoSeat), errors.Is(err, dayone.ErrNotFound), errors.Is(err, dayone.ErrConflict):
		return nil, nil, nil
	case err != nil:
		return nil, nil, err
	}
	return nil, &NumberGiven{chosen, why, poolTitle(plan, chosen.Pool)}, nil
}

// numbersOf are her own first, then those that ring at her too, then those that rest after her.
func (f *Flow) numbersOf(ctx context.Context, id dayone.PersonID, of map[string]platform.Theirs) ([]PersonNumber, error) {
	n := f.Store.ReadNumbers(ctx)
	plan, _, err := f.numberBook(n)
	if err != nil {
		return nil, err
	}
	own, before, err := n.Of(id)
	if err != nil {
		return nil, err
	}
	shown, err := n.ShownAt(id)
	if err != nil {
		return nil, err
	}
	var out []PersonNumber
	cache := map[dayone.PersonID]string{}
	add := func(x dayone.Number, role dayone.NumberRole, was bool) error {
		v, err := f.personNumber(ctx, n, plan, x, id, cache)
		if err != nil {
			return err
		}
		v.Role, v.Before, v.Devices = role, was, ringsOn(of[x.Platform], x)
		out = append(out, v)
		return nil
	}
	for _, x := range own {
		if err := add(x, "", false); err != nil {
			return nil, err
		}
	}
	for _, a := range shown {
		if slices.ContainsFunc(out, func(v PersonNumber) bool { return v.ID == a.Number }) {
			continue // it is hers, and rings at another place of hers, too
		}
		x, err := n.Number(a.Number)
		if err == nil {
			err = add(x, a.Role, false)
		}
		if err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return nil, err
		}
	}
	for _, x := range before {
		if x.State != dayone.NumberQuarantine {
			continue
		}
		if err := add(x, "", true); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (f *Flow) personNumber(ctx context.Context, n *store.Numbers, plan *number.Plan, x dayone.Number, whose dayone.PersonID, cache map[dayone.PersonID]string) (PersonNumber, error) {
	v, err := f.numberView(ctx, plan, x, cache)
	if err != nil {
		return PersonNumber{}, err
	}
	shown, err := n.Shown(x.ID)
	if err != nil {
		return PersonNumber{}, err
	}
	for _, a := range shown {
		if a.Person == whose && a.Person != x.Owner {
			continue // that is why it is told of here
		}
		name, hidden, err := f.whoHas(ctx, a.Person, cache)
		if err != nil {
			return PersonNumber{}, err
		}
		if hidden {
			a.Person, a.Device = "", ""
		}
		v.Shown = append(v.Shown, ShownView{a, name})
	}
	out := PersonNumber{NumberView: v}
	if v.Pool != nil {
		out.Service, _ = plan.Class(v.Pool.Class, v.Pool.Platform, v.Pool.Site)
	}
	return out, nil
}

// ringsOn are her devices that show a number.
func ringsOn(of platform.Theirs, x dayone.Number) (out []string) {
	for _, d := range of.Devices {
		if slices.ContainsFunc(d.Lines, func(l dayone.PlatformLine) bool { return isLine(&l, x) }) {
			out = append(out, d.Name)
		}
	}
	return out
}

func isLine(l *dayone.PlatformLine, x dayone.Number) bool {
	return l.Pattern == x.Pattern && l.Partition == x.Partition || l.E164 != "" && l.E164 == x.E164
}

// AwaitedDevice is a device that policies would give somebody, if something were known of her.
type AwaitedDevice struct {
	Key         dayone.Key
	Title, Kind string   // of its system, and of its kind
	Unsaid      []string // attributes that nobody has said
}

// AwaitedDevices are those of somebody as she was looked at. What she holds already is none.
func (f *Flow) AwaitedDevices(l Look) []AwaitedDevice {
	if !l.Person.Managed { // nothing is planned, so nothing waits
		return nil
	}
	var out []AwaitedDevice
	var why func(dayone.Key) policy.Explanation
	for _, k := range l.Want.Keep {
		if !slices.Contains(deviceKinds, k.Kind) || slices.ContainsFunc(l.Have, func(h dayone.Holding) bool { return h.Key == k && h.State != dayone.Gone }) {
			continue
		}
		if why == nil {
			why = f.Reasons(l)
		}
		out = append(out, AwaitedDevice{Key: k, Title: f.systemTitle(k.System), Kind: cmp.Or(f.Active().Systems[k.System].Kinds[k.Kind].Title, k.Kind), Unsaid: why(k).Missing()})
	}
	return out
}

// grantedDevices are what policies give her, and what she holds besides.
func grantedDevices(list []Access) (out []PersonDevice) {
	for _, a := range list {
		if !slices.Contains(deviceKinds, a.Key.Kind) || a.State == NotPlanned && a.Holding == nil {
			continue
		}
		d := PersonDevice{System: a.Key.System, Title: a.Title, Kind: a.Kind, Name: a.Key.Name, State: a.State, Note: a.Note, Since: a.Since}
		if h := a.Holding; h != nil {
			text := h.Attrs.Text
			d.Product, d.Serial, d.MAC = cmp.Or(text("product"), text("model")), text("serial"), text("mac")
			d.Tracking, d.Arrives = text("tracking"), text("arrives")
			d.Name, d.Seen = cmp.Or(d.Name, text("name")), h.Confirmed
		}
		out = append(out, d)
	}
	return out
}

// seenDevices joins what a telephone system showed to what is known already: by its name it is the same device.
func seenDevices(out []PersonDevice, read PhonesRead, has []platform.TheirDevice) []PersonDevice {
	for _, t := range has {
		i := slices.IndexFunc(out, func(d PersonDevice) bool { return d.System == read.System && strings.EqualFold(d.Name, t.Name) })
		if i < 0 {
			i = len(out)
			out = append(out, PersonDevice{System: read.System, Title: read.Title, Name: t.Name})
			if !t.Other {
				out[i].Sure = t.Sure.String()
			}
		}
		d := &out[i]
		d.Class, d.Product, d.MAC = t.Class, cmp.Or(d.Product, t.Product), cmp.Or(d.MAC, addressOf(t.Name))
		d.Registered, d.LastSeen = t.Registered, t.LastSeen
		d.On, d.Other, d.Seen, d.Read = t.On, t.Other, read.Read, true
		for _, l := range t.Lines {
			d.Lines = append(d.Lines, cmp.Or(l.E164, l.Pattern))
		}
	}
	return out
}

// addressOf is the hardware address in the name of a desk phone: SEP001122334455. "": the name is another.
func addressOf(name string) string {
	digits, is := strings.CutPrefix(strings.ToUpper(name), "SEP")
	if !is || len(digits) != 12 || strings.Trim(digits, "0123456789ABCDEF") != "" {
		return ""
	}
	var parts []string
	for i := 0; i < 12; i += 2 {
		parts = append(parts, digits[i:i+2])
	}
	return strings.Join(parts, ":")
}

package cucm

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// groups are access control groups, a list of the user that is only written whole.
type groups struct{ users }

func groupsOf(o *Object) []dayone.Item {
	var out []dayone.Item
	for _, g := range o.All("associatedGroups/userGroup") {
		name := g.Value("name")
		out = append(out, dayone.Item{Key: dayone.Key{Name: name}, Ref: name, State: dayone.Active})
	}
	return out
}

func (g groups) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	o, err := g.Cluster.Get(ctx, User, Key{UUID: account})
	if err != nil {
		return nil, err
	}
	return groupsOf(o), nil
}

// Offers name groups by name: a user's list holds names, and no ids.
func (g groups) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return g.offers(ctx, named{"UserGroup", "name", []string{"name"}}, func(e *Element) string { return e.Value("name") })
}

func (g groups) Add(ctx context.Context, account string, want dayone.Item) error {
	there := false
	_, _, err := g.Change(ctx, User, Key{UUID: account}, func(o *Object) error {
		list := o.All("associatedGroups/userGroup")
		if there = slices.ContainsFunc(list, called(want.Ref)); !there {
			o.Put("associatedGroups", append(slices.Clone(list), Group("userGroup", Leaf("name", want.Ref)))...)
		}
		return o.Err()
	})
	err = g.loud(err)
	if err == nil && there {
		return g.Fault("adding to group", dayone.ErrConflict, "", "the user is in it already")
	}
	return err
}

func (g groups) Remove(ctx context.Context, account string, is dayone.Item) error {
	there := false
	_, _, err := g.Change(ctx, User, Key{UUID: account}, func(o *Object) error {
		list := o.All("associatedGroups/userGroup")
		if there = slices.ContainsFunc(list, called(is.Ref)); there {
			o.Put("associatedGroups", slices.DeleteFunc(slices.Clone(list), called(is.Ref))...)
		}
		return o.Err()
	})
	err = g.loud(err)
	if err == nil && !there {
		return g.Fault("removing from group", dayone.ErrNotFound, "", "the user is not in it")
	}
	return err
}

// loud makes a write that met somebody else's fail for good: as a conflict it would mean that the grant was there before.
func (g groups) loud(err error) error {
	var f *dayone.Fault
	if !errors.As(err, &f) || !errors.Is(err, dayone.ErrConflict) {
		return err
	}
	out := *f
	out.Err = dayone.ErrInvalid
	return &out
}

func called(name string) func(*Element) bool {
	return func(e *Element) bool { return strings.EqualFold(e.Value("name"), name) }
}

// shown is a kind that is read and not yet given: lines, phones and profiles. Nobody offers them by name.
type shown struct{ u users }

func (shown) Offers(context.Context) iter.Seq2[dayone.Offer, error] {
	return func(func(dayone.Offer, error) bool) {}
}
func (s shown) Add(context.Context, string, dayone.Item) error    { return s.byHand() }
func (s shown) Remove(context.Context, string, dayone.Item) error { return s.byHand() }

func (s shown) byHand() error {
	return s.u.Fault("changing what is shown", dayone.ErrUnsupported, "", "lines, phones and profiles are shown only: do it in Cisco Unified CM Administration")
}

type phones struct{ shown }

type profiles struct{ shown }

type lines struct{ shown }

var (
	_ connector.Entitlements = groups{}
	_ connector.Entitlements = lines{}
)

func (k phones) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	o, err := k.u.Cluster.Get(ctx, User, Key{UUID: account})
	if err != nil {
		return nil, err
	}
	return phonesOf(o), nil
}

func (k profiles) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	o, err := k.u.Cluster.Get(ctx, User, Key{UUID: account})
	if err != nil {
		return nil, err
	}
	return profilesOf(o), nil
}

func (k lines) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	o, err := k.u.Cluster.Get(ctx, User, Key{UUID: account})
	if err != nil {
		return nil, err
	}
	return k.u.linesOf(ctx, o)
}

func phonesOf(o *Object) []dayone.Item {
	return namesOf(o.Values("associatedDevices/device"))
}

func profilesOf(o *Object) []dayone.Item {
	return namesOf(o.Values("phoneProfiles/profileName"))
}

func namesOf(names []string) []dayone.Item {
	var out []dayone.Item
	for _, n := range names {
		if n != "" {
			out = append(out, dayone.Item{Key: dayone.Key{Name: n}, Ref: n, State: dayone.Active})
		}
	}
	return out
}

// linesOf are the lines of a user's devices and profiles, and the primary extension. A line is named by its number and its
// partition, since the same number may stand in several.
func (u users) linesOf(ctx context.Context, o *Object) ([]dayone.Item, error) {
	var out []dayone.Item
	add := func(pattern, partition string) {
		name := LineName(pattern, partition)
		if pattern != "" && !slices.ContainsFunc(out, func(it dayone.Item) bool { return it.Ref == name }) {
			out = append(out, dayone.Item{Key: dayone.Key{Name: name}, Ref: name, State: dayone.Active})
		}
	}
	add(o.Value("primaryExtension/pattern"), o.Value("primaryExtension/routePartitionName"))
	for kind, names := range map[*Kind][]string{Phone: o.Values("associatedDevices/device"), DeviceProfile: o.Values("phoneProfiles/profileName")} {
		for _, name := range names {
			if name == "" {
				continue
			}
			d, err := u.Cluster.Get(ctx, kind, By(name))
			if errors.Is(err, dayone.ErrNotFound) {
				continue // the user's list names what went
			}
			if err != nil {
				return nil, err
			}
			for _, l := range d.All("lines/line") {
				add(l.Value("dirn/pattern"), l.Value("dirn/routePartitionName"))
			}
		}
	}
	slices.SortFunc(out, func(a, b dayone.Item) int { return strings.Compare(a.Ref, b.Ref) })
	return out, nil
}

// LineName is how a line is called outside its cluster: number@partition, as it is stored.
func LineName(pattern, partition string) string { return pattern + "@" + partition }

package flow

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// What can be given is what policies may name, and what systems showed when they were read last: the one from files, the other maybe
// a hundred thousand groups.

// Offering is one thing of it.
type Offering struct {
	dayone.Offer
	Kind      dayone.Kind
	Authority dayone.Authority
	Closed    bool // it is there, and policies may not name it: the catalogue of their folder does not list it
	key       string
	words     string // by which it is found
}

// OfferingFilter says which. Pages are found by the key of the last one before them.
type OfferingFilter struct {
	Text   string // each of its words is a part of key or title
	System string
	After  string
	Limit  int
}

// Offerings is a page of what can be given, in the order of keys, how many fit in all, and whether there are more behind it.
func (f *Flow) Offerings(ctx context.Context, q OfferingFilter) (page []Offering, total int, more bool, err error) {
	all, err := f.offerings.get(ctx, f.Clock, &f.errands.WaitGroup, func(ctx context.Context) ([]Offering, error) {
		read, err := f.Store.Catalogue(ctx, "")
		return OfferingsOf(f.Active(), read), err
	})
	if err != nil {
		return nil, 0, false, err
	}
	page, total, more = q.page(all)
	return page, total, more, nil
}

func (q OfferingFilter) page(all []Offering) (page []Offering, total int, more bool) {
	words := strings.Fields(strings.ToLower(q.Text))
	for i := range all {
		o := &all[i]
		if q.System != "" && o.Key.System != q.System || slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(o.words, w) }) {
			continue
		}
		total++
		switch {
		case o.key <= q.After:
		case len(page) < q.Limit:
			page = append(page, *o)
		default:
			more = true
		}
	}
	return page, total, more
}

// OfferingsOf is all that can be given, in the order of keys.
func OfferingsOf(set *policy.Set, read map[dayone.Key]dayone.Offer) []Offering {
	var out []Offering
	add := func(o dayone.Offer, k dayone.Kind, closed bool) {
		key := o.Key.String()
		out = append(out, Offering{o, k, set.Systems[o.Key.System].Authority(o.Key), closed, key, strings.ToLower(key + " " + o.Title)})
	}
	named := map[dayone.Key]bool{}
	for system, sys := range set.Systems {
		for kind, k := range sys.Kinds {
			if k.Shown { // no policy may name it
				continue
			}
			names := k.Names
			if len(names) == 0 {
				names = []string{""}
			}
			for _, name := range names {
				key := dayone.Key{System: system, Kind: kind, Name: name}
				o := read[key]
				o.Key, named[key] = key, true
				o.Roles = k.Roles
				add(o, k, false)
			}
		}
	}
	for key, o := range read {
		k, is := set.Systems[key.System].Kinds[key.Kind]
		if is && !k.Shown && !named[key] {
			add(o, k, true)
		}
	}
	slices.SortFunc(out, func(a, b Offering) int { return cmp.Compare(a.key, b.key) })
	return out
}

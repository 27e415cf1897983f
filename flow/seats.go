package flow

import (
	"cmp"
	"context"
	"slices"
)

// SeatCount is what a plan for everybody asks of the licences behind entitlements. Entitlements of one pool share them.
type SeatCount struct {
	System string
	Pool   string
	Keys   []string
	Total  int
	Used   int
	Free   int
	Needed int // more than now; less than none: so many become free
	Short  int
}

// seats compares what entitlements gain and lose with the licences that systems told of when their catalogue was read.
func (f *Flow) seats(ctx context.Context, keys []KeyCount) ([]SeatCount, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	offers, err := f.Store.Catalogue(ctx, "")
	if err != nil {
		return nil, err
	}
	type pool struct{ system, name string }
	by := map[pool]*SeatCount{}
	for _, k := range keys {
		o := offers[k.Key]
		if o.Seats == nil {
			continue
		}
		at := pool{k.Key.System, cmp.Or(o.Seats.Pool, k.Key.String())}
		s := by[at]
		if s == nil {
			s = &SeatCount{System: at.system, Pool: at.name, Total: o.Seats.Total, Used: o.Seats.Used, Free: o.Seats.Free()}
			by[at] = s
		}
		s.Keys = append(s.Keys, k.Key.String())
		s.Needed += k.Gained - k.Lost
	}
	var out []SeatCount
	for _, s := range by {
		s.Short = max(0, s.Needed-s.Free)
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b SeatCount) int { return cmp.Or(cmp.Compare(a.System, b.System), cmp.Compare(a.Pool, b.Pool)) })
	return out, nil
}

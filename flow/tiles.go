package flow

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// Tiles are what systems show on the dashboard. They are read beside everything else, each system by itself and within its
// limits, and kept in memory with their age: a page never waits for a vendor. What cannot be read keeps its last numbers,
// and says so. Where nobody looks, nothing is read.

// Shown is what a system shows.
type Shown struct {
	System, Title string
	Tiles         []dayone.Tile
	Read          time.Time // zero: not yet
	Problem       string    // why it could not be read since; "": it could
}

const (
	tilesEvery = 15 * time.Minute
	// TilesOld is from which age on numbers are old: they are being read again by now.
	TilesOld = 2 * tilesEvery
	// seatsLow is from when on seats are few: a tenth, and five at least.
	seatsLow = 5
)

type tiles struct {
	mu    sync.Mutex
	last  map[string]Shown
	tried map[string]time.Time
	asked time.Time // when somebody last looked
}

// tilesSeen is how long tiles are read again after somebody has looked: systems are not called for nobody.
const tilesSeen = time.Hour

// tilesDue says of each system that shows tiles when it is to be read.
func (f *Flow) tilesDue() map[string]time.Time {
	out := map[string]time.Time{}
	if f.Beside {
		return out // a command that ends soon
	}
	f.tiles.mu.Lock()
	defer f.tiles.mu.Unlock()
	for name, g := range f.Systems {
		if g != nil && g.Tells() {
			tried, read := f.tiles.tried[name]
			switch {
			case !read: // once, so that the first look shows something
				out[name] = f.Clock.Now()
			case f.tiles.asked.Add(tilesSeen).After(tried.Add(tilesEvery)):
				out[name] = tried.Add(tilesEvery)
			}
		}
	}
	return out
}

// readTiles reads those of one system, unless it is held: then it is not called.
func (f *Flow) readTiles(ctx context.Context, name string) error {
	now := f.Clock.Now()
	stance, err := f.stanceOf(ctx, name)
	if err != nil {
		return err
	}
	next := Shown{System: name, Title: f.systemTitle(name), Read: now}
	switch stance {
	case engine.Free:
		next.Tiles, err = f.Systems[name].Tiles(ctx)
		if ctx.Err() != nil {
			return nil // we end, and nothing was found out
		}
		if err != nil {
			next.Problem = cmp.Or(unreadable(err), "it cannot be read")
		}
	default:
		next.Problem = "it is " + string(stance)
	}
	f.tiles.mu.Lock()
	defer f.tiles.mu.Unlock()
	if f.tiles.last == nil {
		f.tiles.last, f.tiles.tried = map[string]Shown{}, map[string]time.Time{}
	}
	if next.Problem != "" { // what was read last still stands, with its age
		old := f.tiles.last[name]
		next.Tiles, next.Read = old.Tiles, old.Read
	}
	f.tiles.last[name], f.tiles.tried[name] = next, now
	return nil
}

// unreadable is what a page says of a failure: its kind and what to do, nothing of the answer.
func unreadable(err error) string {
	text := ""
	if kind := dayone.KindOf(err); kind != nil {
		text = kind.Error()
	}
	var fault *dayone.Fault
	if errors.As(err, &fault) && fault.Next != "" {
		text += ": " + fault.Next
	}
	return text
}

// Tiles are what systems show, as last read, with the seats that their catalogues tell of.
func (f *Flow) Tiles(ctx context.Context) ([]Shown, error) {
	s := scopeOf(ctx)
	if !s.AllPeople() { // they count everybody
		return nil, nil
	}
	now := f.Clock.Now()
	f.tiles.mu.Lock()
	by, before := maps.Clone(f.tiles.last), f.tiles.asked
	f.tiles.asked = now
	f.tiles.mu.Unlock()
	if now.Sub(before) >= tilesEvery { // nobody looked for a while, so nothing may be planned to be read
		f.look()
	}
	out := slices.Collect(maps.Values(by))
	offers, err := f.Store.Catalogue(ctx, "")
	if err != nil {
		return nil, err
	}
	read, err := f.Store.CatalogueRead(ctx)
	if err != nil {
		return nil, err
	}
	pools := map[string]map[string]dayone.Seats{}
	for k, o := range offers {
		if o.Seats != nil {
			if pools[k.System] == nil {
				pools[k.System] = map[string]dayone.Seats{}
			}
			pools[k.System][cmp.Or(o.Seats.Pool, k.String())] = *o.Seats
		}
	}
	for system, of := range pools {
		s := Shown{System: system, Title: f.systemTitle(system), Read: read[system]}
		for _, pool := range slices.Sorted(maps.Keys(of)) {
			s.Tiles = append(s.Tiles, seatTile(pool, of[pool]))
		}
		out = append(out, s)
	}
	if !s.Whole() {
		out = slices.DeleteFunc(out, func(x Shown) bool { return !s.Runs(x.System) })
		slices.SortFunc(out, func(a, b Shown) int { return cmp.Or(cmp.Compare(a.System, b.System), a.Read.Compare(b.Read)) })
		return out, nil
	}
	levels, err := f.numberPoolTiles(ctx, now)
	if err != nil {
		return nil, err
	}
	out = append(out, levels...)
	slices.SortFunc(out, func(a, b Shown) int { return cmp.Or(cmp.Compare(a.System, b.System), a.Read.Compare(b.Read)) })
	return out, nil
}

// numberPoolTiles say how full the pools of telephone numbers are. They are in our own books, so they are of this instant.
func (f *Flow) numberPoolTiles(ctx context.Context, now time.Time) ([]Shown, error) {
	pools, err := f.NumberPools(ctx)
	if err != nil {
		return nil, err
	}
	s := Shown{System: "numbers", Title: "Telephone numbers", Read: now}
	for _, p := range pools {
		if p.Total == 0 {
			continue
		}
		t := dayone.Tile{Title: cmp.Or(p.Title, p.Name), Value: p.Given, Of: p.Total, Unit: "numbers left", Link: "/numbers/pools/" + url.PathEscape(p.Name)}
		switch {
		case p.Given == 0:
			t.State = dayone.TileNone
		case p.Given < p.Low || p.Outlook.Short > 0:
			t.State = dayone.TileLow
		}
		s.Tiles = append(s.Tiles, t)
	}
	if len(s.Tiles) == 0 {
		return nil, nil
	}
	return []Shown{s}, nil
}

func seatTile(pool string, s dayone.Seats) dayone.Tile {
	t := dayone.Tile{Title: pool, Value: s.Free(), Of: s.Total, Unit: "seats left"}
	switch {
	case s.Free() == 0:
		t.State = dayone.TileNone
	case s.Free() <= max(seatsLow, s.Total/10) && s.Used > 0:
		t.State = dayone.TileLow
	}
	return t
}

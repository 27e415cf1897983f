package policy

import (
	"slices"
	"sync"
	"time"

	"cel.dev/cel-go/common/types"
)

// flips knows on which days the atoms that read today change their answers. A day that is known stays known: tomorrow
// costs one question per value, not a year's.
type flips struct {
	mu sync.Mutex
	of map[atomValue]*calendarOf
}

type atomValue struct {
	atom int
	code uint32
}

// calendarOf is the answer of one atom for one value from a day on. Days are Unix days.
type calendarOf struct {
	from, to int64
	last     truth // on to
	days     []int64
}

// dated are the atoms of a unit that read today; rest says that a residual does, whose days nobody knows beforehand.
type dated struct {
	atoms []int
	rest  bool
}

const daySeconds = 86400

// days on which one of these units may change its answer, after the day and not after the horizon; every says that any
// day may be one.
func (x *Index) flipDays(units []int, row []uint32, day time.Time) (out []int64, every bool) {
	first := day.Unix() / daySeconds
	for _, u := range units {
		d := x.dates[u]
		if d.rest {
			return nil, true
		}
		for _, a := range d.atoms {
			out = append(out, x.atomDays(a, row[x.columnOf[a]], first)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), false
}

func (x *Index) atomDays(a int, code uint32, first int64) []int64 {
	x.flips.mu.Lock()
	defer x.flips.mu.Unlock()
	key := atomValue{a, code}
	c := x.flips.of[key]
	col := x.cols[x.columnOf[a]]
	p := col.sampleOf(code).person(col)
	ask := func(day int64) truth {
		return x.atoms[a].truth(&p, &world{set: x.set, of: &p, today: types.Timestamp{Time: time.Unix(day*daySeconds, 0).UTC()}})
	}
	if c == nil || first < c.from || first > c.to {
		c = &calendarOf{from: first, to: first, last: ask(first)}
		x.flips.of[key] = c
	}
	for c.to < first+horizonDays {
		c.to++
		if now := ask(c.to); now != c.last {
			c.days, c.last = append(c.days, c.to), now
		}
	}
	if i, _ := slices.BinarySearch(c.days, first+1); i > 0 {
		c.days, c.from = slices.Clone(c.days[i:]), first
	}
	return slices.Clone(c.days)
}

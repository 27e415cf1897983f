package number

import (
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// Piece is some of a range's numbers, one after the other.
type Piece struct {
	Pool  *Pool
	Range *Range
	span  span
}

// Count is how many they are.
func (p Piece) Count() int { return int(p.span.hi-p.span.lo) + 1 }

// First and Last are how they are written.
func (p Piece) First() string { return p.span.at(p.span.lo) }
func (p Piece) Last() string  { return p.span.at(p.span.hi) }

// Numbers are all of them, as they begin.
func (p Piece) Numbers(at time.Time) []dayone.Number {
	out := make([]dayone.Number, 0, p.Count())
	for n := p.span.lo; n <= p.span.hi; n++ {
		out = append(out, p.Pool.Number(p.Range, p.span.at(n), at))
	}
	return out
}

// Moved is a range that another pool has from now on, on the same platform.
type Moved struct {
	From *Pool
	To   *Pool
	Range
}

// Changes are what one plan makes of the numbers of another.
type Changes struct {
	Added []Piece
	Gone  []Piece
	Moved []Moved
	Pools []string // pools that are new, gone, or have other rules, in words
}

// Compare says what has to be written so that the books have what the new plan says.
func Compare(was, is *Plan) Changes {
	var c Changes
	type known struct {
		pool *Pool
		r    *Range
	}
	before := map[string]known{}
	for i := range was.Pools {
		for j := range was.Pools[i].Ranges {
			p, r := &was.Pools[i], &was.Pools[i].Ranges[j]
			before[identity(p, r)] = known{p, r}
		}
	}
	for i := range is.Pools {
		for j := range is.Pools[i].Ranges {
			p, r := &is.Pools[i], &is.Pools[i].Ranges[j]
			s, _ := spanOf(r.First, r.Last)
			old, ok := before[identity(p, r)]
			if !ok {
				c.Added = append(c.Added, Piece{p, r, s})
				continue
			}
			delete(before, identity(p, r))
			if old.pool.Name != p.Name {
				c.Moved = append(c.Moved, Moved{old.pool, p, *r})
			}
			o, _ := spanOf(old.r.First, old.r.Last)
			switch {
			case s.hi > o.hi:
				c.Added = append(c.Added, Piece{p, r, span{s.sign, s.width, o.hi + 1, s.hi}})
			case s.hi < o.hi:
				c.Gone = append(c.Gone, Piece{old.pool, old.r, span{s.sign, s.width, s.hi + 1, o.hi}})
			}
		}
	}
	for i := range was.Pools {
		for j := range was.Pools[i].Ranges {
			p, r := &was.Pools[i], &was.Pools[i].Ranges[j]
			if _, left := before[identity(p, r)]; left {
				s, _ := spanOf(r.First, r.Last)
				c.Gone = append(c.Gone, Piece{p, r, s})
			}
		}
	}
	c.Pools = poolsChanged(was, is)
	return c
}

// identity is what makes a range the same one in two plans: its first number, and how its platform stores it.
func identity(p *Pool, r *Range) string {
	return fmt.Sprintf("%s\n%s\n%s\n%s", p.Platform, p.Partition, r.First, r.Stored)
}

func poolsChanged(was, is *Plan) (out []string) {
	for i := range is.Pools {
		p := is.Pools[i]
		old, ok := was.Pool(p.Name)
		switch {
		case !ok:
			out = append(out, "pool "+p.Name+" is new")
		case rules(*old) != rules(p):
			out = append(out, "pool "+p.Name+" has other rules")
		}
	}
	for _, p := range was.Pools {
		if _, ok := is.Pool(p.Name); !ok {
			out = append(out, "pool "+p.Name+" is gone")
		}
	}
	return out
}

// rules is all that a pool says, but where it says it.
func rules(p Pool) string {
	p.At, p.WhenAt = Position{}, Position{}
	ranges := make([]Range, len(p.Ranges))
	for i, r := range p.Ranges {
		r.At = Position{}
		ranges[i] = r
	}
	p.Ranges = ranges
	return fmt.Sprintf("%+v", p)
}

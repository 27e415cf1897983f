package bench

import (
	"slices"
	"strings"

	"github.com/dayone-hq/dayone/internal/company"
)

// holds is a condition as a person would write it in Go, had she the time to write all of them.
type holds func(*Person) bool

// onWords compares texts.
func onWords(t company.Test) holds {
	i, v := textOf(t.Attr), t.Values[0].Text
	switch t.Op {
	case company.Is:
		return func(p *Person) bool { return p.Text[i&7] == v }
	case company.Not:
		return func(p *Person) bool { return p.Text[i&7] != v }
	case company.In:
		w := t.Values[1].Text
		return func(p *Person) bool { return p.Text[i&7] == v || p.Text[i&7] == w }
	case company.Begins:
		return func(p *Person) bool { return strings.HasPrefix(p.Text[i&7], v) }
	case company.AtLeast:
		n := number(t)
		return func(p *Person) bool { return p.Level >= n }
	default:
		n := number(t)
		return func(p *Person) bool { return p.Start <= n }
	}
}

// onCodes compares numbers that stand for texts.
func (c *Crowd) onCodes(t company.Test) holds {
	i := textOf(t.Attr)
	code := func(n int) uint32 { // one that nobody has, for a word that nobody has
		if at := slices.Index(c.Words[i], t.Values[n].Text); at >= 0 {
			return uint32(at)
		}
		return ^uint32(0)
	}
	switch t.Op {
	case company.Is:
		v := code(0)
		return func(p *Person) bool { return p.Code[i&7] == v }
	case company.Not:
		v := code(0)
		return func(p *Person) bool { return p.Code[i&7] != v }
	case company.In:
		v, w := code(0), code(1)
		return func(p *Person) bool { return p.Code[i&7] == v || p.Code[i&7] == w }
	case company.Begins:
		table := make([]bool, len(c.Words[i]))
		for at, word := range c.Words[i] {
			table[at] = strings.HasPrefix(word, t.Values[0].Text)
		}
		return func(p *Person) bool { return table[p.Code[i&7]] }
	default:
		return onWords(t)
	}
}

func closure(asked company.Asked, test func(company.Test) holds) holds {
	var out holds
	for _, g := range asked {
		var all holds
		for _, t := range g {
			one, before := test(t), all
			if all = one; before != nil {
				all = func(p *Person) bool { return before(p) && one(p) }
			}
		}
		before := out
		if out = all; before != nil {
			out = func(p *Person) bool { return before(p) || all(p) }
		}
	}
	return out
}

type goEngine struct {
	people []Person
	asks   []holds
}

func newGo(c *Crowd, asked []company.Asked, test func(company.Test) holds) *goEngine {
	e := &goEngine{people: c.People}
	for _, a := range asked {
		e.asks = append(e.asks, closure(a, test))
	}
	return e
}

func (e *goEngine) person(row int, hold []int32) []int32 {
	p := &e.people[row]
	for i, ask := range e.asks {
		if ask(p) {
			hold = append(hold, int32(i))
		}
	}
	return hold
}

func (e *goEngine) policy(n int32, row int, hold [][]int32) {
	ask, people := e.asks[n], e.people[row:]
	for i := range hold {
		if ask(&people[i]) {
			hold[i] = append(hold[i], n)
		}
	}
}

package bench

import (
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/internal/company"
)

// Scan answers every condition for the people in rows from to to and shows, row by row, which of them hold, in any order.
// The list is good until each returns. A Scan of ours is for many goroutines, one of a peer for one.
type Scan func(from, to int, each func(row int, hold []int32))

// byPerson asks everything about one person, then about the next, as one does for somebody who has changed. ask appends
// what holds.
func byPerson(ask func(row int, hold []int32) []int32) Scan {
	var hold []int32
	return func(from, to int, each func(int, []int32)) {
		for row := from; row < to; row++ {
			hold = ask(row, hold[:0])
			each(row, hold)
		}
	}
}

// byPolicy asks one condition about a block of people, then the next: where everybody is asked about anyway this may be
// faster, for the condition stays in the processor's cache. ask appends the condition to those for whom it holds, from row on.
func byPolicy(policies int, ask func(policy int32, row int, hold [][]int32)) Scan {
	var block [1024][]int32
	return func(from, to int, each func(int, []int32)) {
		for ; from < to; from += len(block) {
			hold := block[:min(len(block), to-from)]
			for i := range hold {
				hold[i] = hold[i][:0]
			}
			for n := range policies {
				ask(int32(n), from, hold)
			}
			for i := range hold {
				each(from+i, hold[i])
			}
		}
	}
}

// texts are the attributes that are words; a Person has them in this order.
var texts = [...]string{"job_title", "team", "cost_center", "department", "country", "employment_type", "location"}

// Person is somebody as hand-written Go would have her. Peers make what they like best of it, before the clock starts.
type Person struct {
	Text  [8]string // one more than there are: an index cut to three bits is never out of range
	Code  [8]uint32 // the same, by the place of the word in the crowd's list
	Level int64     // 0 is none: nobody has that level, and no condition asks for less than 2
	Start int64     // days since 1970
}

// Crowd is people, and each word that one of them has.
type Crowd struct {
	People []Person
	Words  [len(texts)][]string
}

func crowdOf(seed uint64, n int) *Crowd {
	c := &Crowd{People: make([]Person, 0, n)}
	var codes [len(texts)]map[string]uint32
	for i := range codes {
		codes[i] = map[string]uint32{}
	}
	for from := range company.People(seed, n) {
		p := Person{Start: dayOf(from.Attrs["start_date"])}
		p.Level, _ = from.Attrs["level"].Int()
		for i, name := range texts {
			word := from.Attrs.Text(name)
			code, ok := codes[i][word]
			if !ok {
				code = uint32(len(c.Words[i]))
				codes[i][word] = code
				c.Words[i] = append(c.Words[i], word)
			}
			p.Text[i], p.Code[i] = c.Words[i][code], code
		}
		c.People = append(c.People, p)
	}
	return c
}

func dayOf(v dayone.Value) int64 {
	day, _ := v.Day()
	return day.Unix() / int64((24 * time.Hour).Seconds())
}

func textOf(attr string) int { return slices.Index(texts[:], attr) }

func askedOf(seed uint64, n int) []company.Asked {
	out := make([]company.Asked, n)
	for i := range out {
		out[i] = company.Asks(seed, i)
	}
	return out
}

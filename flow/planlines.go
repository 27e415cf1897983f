package flow

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// A plan for everybody goes from the server to whoever asked for it as lines of JSON: what is said of all comes first, then
// one line for each person whom it changes, then their number. Neither side holds it as one text, and a stream that broke
// off is seen by its missing end.

// planHead is the first line.
type planHead struct {
	At       time.Time         `json:"at"`
	Stage    int64             `json:"stage"`
	Active   string            `json:"active"`
	Proposed string            `json:"proposed"`
	Only     map[string]string `json:"only,omitempty"`
	People   int               `json:"people"`
	Policies []planShift       `json:"policies,omitempty"`
	Keys     []planKey         `json:"keys,omitempty"`
	Seats    []planSeats       `json:"seats,omitempty"`
	Told     []string          `json:"told,omitempty"`
	Files    []string          `json:"files,omitempty"`
	Skipped  []string          `json:"skipped,omitempty"`
	Brakes   []string          `json:"brakes,omitempty"`
}

type planShift struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	At     string `json:"at"`
	Change string `json:"change"`
	Before int    `json:"before"`
	After  int    `json:"after"`
	Joins  int    `json:"joins"`
	Leaves int    `json:"leaves"`
	Unsure int    `json:"unsure,omitempty"`
}

type planKey struct {
	Key     dayone.Key `json:"key"`
	Gained  int        `json:"gained"`
	Lost    int        `json:"lost"`
	Changed int        `json:"changed"`
	Pending int        `json:"pending"`
	Left    int        `json:"left"`
	By      []string   `json:"by,omitempty"`
	First   []string   `json:"first,omitempty"`
}

type planSeats struct {
	System string   `json:"system"`
	Pool   string   `json:"pool"`
	Keys   []string `json:"keys"`
	Total  int      `json:"total"`
	Used   int      `json:"used"`
	Free   int      `json:"free"`
	Needed int      `json:"needed"`
	Short  int      `json:"short"`
}

// planLine is somebody, or the end.
type planLine struct {
	Person  dayone.PersonID `json:"person,omitempty"`
	Name    string          `json:"name,omitempty"`
	Gained  []planGiven     `json:"gained,omitempty"`
	Lost    []planGiven     `json:"lost,omitempty"`
	Changed []planGiven     `json:"changed,omitempty"`
	Pending []planGiven     `json:"pending,omitempty"`
	Cases   []string        `json:"cases,omitempty"`
	End     *int            `json:"end,omitempty"` // how many there were
}

type planGiven struct {
	Key  dayone.Key `json:"key"`
	Role string     `json:"role,omitempty"`
	Was  string     `json:"was,omitempty"`
	By   string     `json:"by,omitempty"`
}

// each turns every item of a list into its form on a line, or back; none stay none.
func each[A, B any](list []A, turn func(A) B) []B {
	if list == nil {
		return nil
	}
	out := make([]B, len(list))
	for i, x := range list {
		out[i] = turn(x)
	}
	return out
}

// WritePlan writes a plan as lines.
func WritePlan(w io.Writer, e Everybody) error {
	b := bufio.NewWriterSize(w, 64<<10)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(planHead{
		At: e.At, Stage: e.Stage, Active: e.Active, Proposed: e.Proposed, Only: e.Only, People: e.People,
		Policies: each(e.Policies, func(s policy.PolicyShift) planShift { return planShift(s) }),
		Keys:     each(e.Keys, func(k KeyCount) planKey { return planKey(k) }),
		Seats:    each(e.Seats, func(s SeatCount) planSeats { return planSeats(s) }),
		Told:     e.Told, Files: e.Files, Skipped: e.Skipped, Brakes: e.Brakes,
	})
	if err != nil {
		return err
	}
	given := func(g Given) planGiven { return planGiven(g) }
	for _, c := range e.Changes {
		if err := enc.Encode(planLine{
			Person: c.Person, Name: c.Name, Gained: each(c.Gained, given), Lost: each(c.Lost, given), Changed: each(c.Changed, given), Pending: each(c.Pending, given), Cases: c.Cases,
		}); err != nil {
			return err
		}
	}
	n := len(e.Changes)
	return errors.Join(enc.Encode(planLine{End: &n}), b.Flush())
}

// errBrokenPlan is a stream that is not whole.
var errBrokenPlan = fmt.Errorf("the plan broke off on its way: %w", dayone.ErrUnavailable)

// ReadPlan reads it again.
func ReadPlan(r io.Reader) (Everybody, error) {
	dec := json.NewDecoder(bufio.NewReaderSize(r, 64<<10))
	var h planHead
	if err := dec.Decode(&h); err != nil {
		return Everybody{}, errBrokenPlan
	}
	e := Everybody{
		At: h.At, Stage: h.Stage, Active: h.Active, Proposed: h.Proposed, Only: h.Only, People: h.People,
		Policies: each(h.Policies, func(s planShift) policy.PolicyShift { return policy.PolicyShift(s) }),
		Keys:     each(h.Keys, func(k planKey) KeyCount { return KeyCount(k) }),
		Seats:    each(h.Seats, func(s planSeats) SeatCount { return SeatCount(s) }),
		Told:     h.Told, Files: h.Files, Skipped: h.Skipped, Brakes: h.Brakes,
	}
	known := map[planGiven]Given{} // one copy of what is said of many
	given := func(g planGiven) Given {
		one, ok := known[g]
		if !ok {
			one = Given(g)
			known[g] = one
		}
		return one
	}
	for {
		var l planLine
		if err := dec.Decode(&l); err != nil {
			return Everybody{}, errBrokenPlan
		}
		if l.End != nil {
			if *l.End != len(e.Changes) {
				return Everybody{}, errBrokenPlan
			}
			return e, nil
		}
		e.Changes = append(e.Changes, Change{
			Person: l.Person, Name: l.Name, Gained: each(l.Gained, given), Lost: each(l.Lost, given), Changed: each(l.Changed, given), Pending: each(l.Pending, given), Cases: l.Cases,
		})
	}
}

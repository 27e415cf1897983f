package bench

import (
	"fmt"
	"iter"
	"strconv"

	"github.com/cedar-policy/cedar-go"

	"github.com/dayone-hq/dayone/internal/company"
)

func cedarTest(t company.Test) string {
	attr := "context." + t.Attr
	switch t.Op {
	case company.Is:
		return attr + " == " + quoted(t)
	case company.Not:
		return attr + " != " + quoted(t)
	case company.In:
		return "[" + quoted(t) + "].contains(" + attr + ")"
	case company.Begins:
		return fmt.Sprintf("%s like %q", attr, t.Values[0].Text+"*")
	case company.AtLeast:
		return fmt.Sprintf("%s >= %d", attr, number(t))
	default:
		return fmt.Sprintf("%s <= %d", attr, number(t))
	}
}

// cedarPolicies is a set in a slice: going through one is faster than through the library's map.
type cedarPolicies struct {
	ids []cedar.PolicyID
	all []*cedar.Policy
}

func (s *cedarPolicies) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for i, p := range s.all {
			if !yield(s.ids[i], p) {
				return
			}
		}
	}
}

// cedarEngine asks one question a person, which all policies permit whose conditions hold: the reasons name them.
func cedarEngine(c *Crowd, asked []company.Asked) (Scan, error) {
	set, place := &cedarPolicies{}, map[cedar.PolicyID]int32{}
	for i, a := range asked {
		p := new(cedar.Policy)
		if err := p.UnmarshalCedar([]byte("permit (principal, action, resource) when { " + written(a, cedarTest) + " };")); err != nil {
			return nil, fmt.Errorf("cedar: %w", err)
		}
		id := cedar.PolicyID(strconv.Itoa(i))
		place[id] = int32(i)
		set.ids, set.all = append(set.ids, id), append(set.all, p)
	}
	var words [len(texts)][]cedar.String
	for i := range words {
		for _, w := range c.Words[i] {
			words[i] = append(words[i], cedar.String(w))
		}
	}
	requests := make([]cedar.Request, len(c.People))
	for row := range c.People {
		p := &c.People[row]
		m := cedar.RecordMap{"level": cedar.Long(p.Level), "start_date": cedar.Long(p.Start)}
		for i, name := range texts {
			m[cedar.String(name)] = words[i][p.Code[i]]
		}
		requests[row] = cedar.Request{
			Principal: cedar.NewEntityUID("Person", "somebody"), Action: cedar.NewEntityUID("Action", "have"),
			Resource: cedar.NewEntityUID("Access", "any"), Context: cedar.NewRecord(m),
		}
	}
	return byPerson(func(row int, hold []int32) []int32 {
		_, why := cedar.Authorize(set, nil, requests[row])
		for _, r := range why.Reasons {
			hold = append(hold, place[r.PolicyID])
		}
		return hold
	}), nil
}

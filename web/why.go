package web

import (
	"cmp"
	"net/http"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

type whyView struct {
	Person  link
	Key     string
	State   state
	Text    string
	Finding string
	Role    string
	Chain   []chained // from the policy to the confirmation, if it is there
	Lines   []whyLine
	Ask     string // where another access can be asked about
}

// whyLine is what one policy says about it.
type whyLine struct {
	Title, Policy, At string
	Does              string
	Role              string
	State             state
	Conditions        []whyCondition
	Reason            string
}

type whyCondition struct {
	Text  string
	State state
	Reads []pair
}

// why explains one access of one person: every policy that names it, each condition with the values it read.
func (p *portal) why(w http.ResponseWriter, r *http.Request) error {
	row, _, err := p.aboutPerson(r, "access")
	if err != nil {
		return err
	}
	key, err := dayone.ParseKey(r.URL.Query().Get("key"))
	if err != nil {
		return refuse(dayone.ErrInvalid, textNoKey)
	}
	look, list, err := p.flow.Access(r.Context(), row.ID)
	if err != nil {
		return err
	}
	v := newWhy(link{row.Name, "/people/" + string(row.ID)}, p.flow.Why(look, key))
	for _, a := range list {
		if a.Key == key {
			v.Chain = newReason(p.viewerOf(r), string(row.ID), a, policy.Explanation{}).Chain
			if a.Implied && v.Text == explained["not given"].text {
				v.State, v.Text = state{Icon: "check", Class: "s-done", Text: "Brought along"}, "No policy names it; another grant needs it and brings it along."
			}
		}
	}
	return p.show(w, r, http.StatusOK, page{
		Template: "why", Title: "Why " + key.String(), Nav: "people",
		Crumbs: []link{{"People", "/people"}, {row.Name, "/people/" + string(row.ID)}, {"Why", ""}}, Main: v,
	})
}

func newWhy(person link, x policy.Explanation) whyView {
	e, ok := explained[x.Answer]
	if !ok {
		e = explained["not given"]
	}
	v := whyView{Person: person, Key: x.Key.String(), State: e.state, Text: e.text, Finding: x.Finding, Ask: person.Href + "/why"}
	if x.Grant != nil {
		v.Role = x.Grant.Role
	}
	for _, l := range x.Lines {
		line := whyLine{Title: cmp.Or(l.Title, l.Policy), Policy: l.Policy, At: l.At, Does: does[l.Does], Role: l.Role, State: truthState(l.Truth), Reason: l.Reason}
		for _, c := range l.Conditions {
			cond := whyCondition{Text: c.Text, State: truthState(c.Truth)}
			for _, rd := range c.Reads {
				value := rd.Value
				if !rd.Known {
					value = "not known"
				}
				cond.Reads = append(cond.Reads, pair{Name: attrText(rd.Name), Value: value})
			}
			line.Conditions = append(line.Conditions, cond)
		}
		v.Lines = append(v.Lines, line)
	}
	return v
}

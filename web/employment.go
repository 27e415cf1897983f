package web

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

type personEmploymentView struct {
	Head    personHead
	Periods []pair
	History []factGroup
	Unknown []string // what stands in the place of what could not be used
	Empty   *empty
}

// factGroup is what one event said: from when it counts, and since when we know.
type factGroup struct {
	Title     string
	Effective *stamp
	Recorded  *stamp
	Source    string
	Now, Next bool
	Facts     []factRow
}

type factRow struct {
	Name, Value, Was string
	Bad, Personal    bool
}

func (p *portal) personEmployment(w http.ResponseWriter, r *http.Request) error {
	row, head, err := p.aboutPerson(r, "employment")
	if err != nil {
		return err
	}
	t, err := p.flow.Timeline(r.Context(), row.ID)
	if err != nil {
		return err
	}
	look, err := p.flow.Preview(r.Context(), row.ID)
	if err != nil && dayone.KindOf(err) == nil { // a policy that cannot be planned hides no employment
		return err
	}
	return p.showPerson(w, r, "employment", row, newEmployment(p.viewerOf(r), p.zoneOf(row.Location), head, look.Person, t))
}

func newEmployment(view viewer, zone *time.Location, head personHead, person dayone.Person, t dayone.Timeline) personEmploymentView {
	v := personEmploymentView{Head: head, Unknown: unknownTexts(person)}
	for _, e := range person.Engagements {
		text := joined(", ", e.Type, "from "+e.Start)
		if e.LastDay != "" {
			text += " to " + e.LastDay
		}
		v.Periods = append(v.Periods, pair{Name: e.Source + " " + e.SourceID, Value: text})
	}
	v.History = history(view, zone, t)
	if len(v.History) == 0 {
		v.Empty = &empty{Icon: "record", Title: "Nothing is known", Text: "No source has said anything about this employment that could be kept."}
	}
	return v
}

const corrected = "Corrected, as if it had always been so"

// history groups facts by what one event said, the newest first. Facts that count later than now come first of all.
func history(view viewer, zone *time.Location, t dayone.Timeline) []factGroup {
	facts := slices.Clone(t.Facts)
	slices.SortStableFunc(facts, func(a, b dayone.Fact) int {
		return cmp.Or(a.Recorded.Compare(b.Recorded), a.Effective.Compare(b.Effective), cmp.Compare(a.Attr, b.Attr))
	})
	type at struct{ recorded, effective int64 }
	index := map[at]int{}
	last := map[string]string{}
	var out []factGroup
	for _, f := range facts {
		k := at{f.Recorded.UnixMicro(), f.Effective.UnixMicro()}
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			g := factGroup{Recorded: view.at(f.Recorded), Source: f.Source, Title: "Changed", Next: f.Effective.After(view.now)}
			switch {
			case f.Effective.IsZero() && len(out) == 0:
				g.Title = "First known"
			case f.Effective.IsZero():
				g.Title = corrected
			case g.Next:
				g.Title = "Will change"
			}
			if !f.Effective.IsZero() {
				g.Effective = view.day(f.Effective, zone)
			}
			out = append(out, g)
		}
		name := string(f.Engagement) + f.Attr
		row := factRow{Name: attrText(f.Attr), Value: view.value(f.Value), Was: last[name], Bad: f.Bad, Personal: f.Personal}
		if row.Value == "" {
			row.Value = "empty"
		}
		if !f.Bad {
			last[name] = view.value(f.Value)
		}
		out[i].Facts = append(out[i].Facts, row)
	}
	for i := range out {
		if g := &out[i]; g.Title == corrected && !slices.ContainsFunc(g.Facts, func(f factRow) bool { return f.Was != "" }) {
			g.Title = "Added"
		}
	}
	slices.Reverse(out)
	for i := range out {
		if !out[i].Next {
			out[i].Now = true
			break
		}
	}
	return out
}

package people

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// Meaning names what one event did to a timeline, in words: for the timeline, the log and messages. before is the timeline
// without it; what it brought stands at the end of after. Nothing is decided by the name: access follows from the timeline.
func Meaning(before, after *dayone.Timeline, at time.Time, set *policy.Set) string {
	fresh := after.Facts[min(len(before.Facts), len(after.Facts)):]
	if word := byHand(fresh, at); word != "" {
		return word
	}
	isNew := len(before.Facts) == 0
	was, is := At(before, at, at, set), At(after, at, at, set)
	word := Intent(was, is, isNew)
	if word != otherwise && amends(before, fresh, at, set) && word == moving(was, is) {
		return otherwise + ": " + attrsOf(fresh, set)
	}
	if word != otherwise {
		return word
	}
	if word := putOff(before, after, fresh, at, set); word != "" {
		return word
	}
	for _, i := range ahead(fresh, at) { // it is about a day to come
		a := At(after, i, at, set)
		if word := Intent(At(before, i, at, set), a, false); word != otherwise {
			zone, _ := a.Location()
			return word + ", from " + i.In(zone).Format("2 Jan 2006")
		}
	}
	if what := attrsOf(fresh, set); what != "" {
		return word + ": " + what
	}
	return word
}

// otherwise is the name of what has no other.
const otherwise = "correction"

// byHand is the name of a correction that somebody entered, or of what we chose ourselves; "": it is neither.
func byHand(fresh []dayone.Fact, at time.Time) string {
	var set, ended []string
	ours := len(fresh) > 0
	for _, f := range fresh {
		ours = ours && f.Source == policy.Ours
		name, ok := strings.CutPrefix(f.Attr, corrected)
		switch name = inWords(name); {
		case !ok || f.Effective.After(at):
		case f.Value.Text != "":
			set = append(set, name)
		default:
			ended = append(ended, name)
		}
	}
	switch {
	case len(set) > 0:
		return fmt.Sprintf("corrected by hand: %s", strings.Join(set, ", "))
	case len(ended) > 0:
		return fmt.Sprintf("correction by hand ended: %s", strings.Join(ended, ", "))
	case ours:
		return fmt.Sprintf("chosen by Dayone: %s", inWords(fresh[0].Attr))
	}
	return ""
}

// amends says that what is new was so from where what it replaces began: that was wrong, and nothing has changed.
func amends(before *dayone.Timeline, fresh []dayone.Fact, at time.Time, set *policy.Set) bool {
	any, was := false, listen(before)
	for _, f := range fresh {
		if _, ok := set.Schema.Attributes[f.Attr]; !ok || f.Bad {
			continue
		}
		old := was.last(f.Engagement, f.Attr, at, at, true)
		if old != nil && f.Effective.After(later(old.Effective, old.Said)) {
			return false
		}
		any = any || old != nil
	}
	return any
}

// putOff names a change that was to come and does not come on its day any more; "": there is none.
func putOff(before, after *dayone.Timeline, fresh []dayone.Fact, at time.Time, set *policy.Set) string {
	was, is := listen(before), listen(after)
	for i := range before.Facts {
		f := &before.Facts[i]
		if !f.Effective.After(at) || was.withdrawn(f, at) || !is.withdrawn(f, at) {
			continue
		}
		zone, _ := set.SiteOf(is.place(f.Engagement, at, at, set)).Location()
		for _, g := range fresh {
			if g.Engagement == f.Engagement && g.Attr == f.Attr && g.Value == f.Value && g.Effective.After(f.Effective) {
				return fmt.Sprintf("put off: %s, to %s", inWords(f.Attr), g.Effective.In(zone).Format("2 Jan 2006"))
			}
		}
		return fmt.Sprintf("called off: %s, which was to come on %s", inWords(f.Attr), f.Effective.In(zone).Format("2 Jan 2006"))
	}
	return ""
}

// ahead are the instants to come at which new facts begin to count, the first first.
func ahead(fresh []dayone.Fact, at time.Time) []time.Time {
	var out []time.Time
	for _, f := range fresh {
		if f.Effective.After(at) {
			out = append(out, f.Effective)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// attrsOf are the attributes that new facts speak of.
func attrsOf(fresh []dayone.Fact, set *policy.Set) string {
	var out []string
	for _, f := range fresh {
		if _, ok := set.Schema.Attributes[f.Attr]; ok && !slices.Contains(out, inWords(f.Attr)) {
			out = append(out, inWords(f.Attr))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func inWords(attr string) string {
	return strings.ReplaceAll(strings.TrimPrefix(attr, "custom."), "_", " ")
}

// Intent names what is different between two looks at a person at one instant.
func Intent(before, now dayone.Person, isNew bool) string {
	if word := hiring(before, now, isNew); word != "" {
		return word
	}
	if word := ending(before, now); word != "" {
		return word
	}
	switch {
	case now.Garden && !before.Garden:
		return "garden leave starts"
	case before.Status != dayone.OnLeave && now.Status == dayone.OnLeave:
		return "leave starts"
	case before.Garden && !now.Garden && now.Status == dayone.OnLeave:
		return "garden leave becomes another leave"
	case before.Status == dayone.OnLeave && now.Status != dayone.OnLeave:
		return "return from leave"
	case !before.Start.Equal(now.Start):
		return "start date moved"
	}
	return moving(before, now)
}

// hiring names how an employment begins; "": none does.
func hiring(before, now dayone.Person, isNew bool) string {
	switch {
	case isNew && !now.Managed:
		return "known from a source; nothing is planned"
	case isNew && now.Status == dayone.PreHire:
		return "future hire"
	case isNew && now.Status == dayone.Working && !now.Start.IsZero() && now.At.Sub(now.Start) > 0 && now.Managed:
		return "late hire: the start was before we heard of it"
	case isNew:
		return "hire"
	}
	var added *dayone.Engagement
	for i := range now.Engagements {
		if e := &now.Engagements[i]; e.Start != "" && began(before, e.ID) == "" {
			added = e
		}
	}
	switch {
	case before.Stopped && !now.Anew.IsZero():
		return "rehire: hired anew after access was ended here"
	case before.Status == dayone.Left && now.Status != dayone.Left && (added != nil || now.Start.After(before.Start)):
		return "rehire"
	case added == nil:
		return ""
	}
	for _, e := range now.Engagements { // one after the other
		if e.ID != added.ID && e.LastDay != "" && e.LastDay < added.Start {
			if e.Type != added.Type && e.Type != "" && added.Type != "" && near(e.LastDay, added.Start) {
				return conversion(e.Type, added.Type)
			}
			return "rehire"
		}
	}
	return "second engagement"
}

// ending names how an employment ends, or does not after all; "": nothing of the kind.
func ending(before, now dayone.Person) string {
	switch {
	case before.Status != dayone.Left && now.Status == dayone.Left && !now.End.IsZero() && !now.End.After(now.Start):
		return "no-show"
	case before.Status != dayone.Left && now.Status == dayone.Left:
		return "immediate termination"
	case before.Status == dayone.Left && now.Status != dayone.Left, !before.End.IsZero() && now.End.IsZero() && lastDayOf(before, now) == "":
		return "termination cancelled"
	}
	for _, e := range now.Engagements { // one of several ends, and she stays
		was := ended(before, e.ID)
		if e.LastDay == "" || e.LastDay == was || began(before, e.ID) == "" || len(now.Engagements) == 1 {
			continue
		}
		for _, o := range now.Engagements {
			switch {
			case o.ID == e.ID || o.Start == "" || o.LastDay != "" && o.LastDay <= e.LastDay:
			case o.Start > e.LastDay && o.Type != e.Type && near(e.LastDay, o.Start):
				return conversion(e.Type, o.Type)
			default:
				return "one engagement ends, another goes on"
			}
		}
	}
	switch {
	case before.End.IsZero() && !now.End.IsZero():
		return "planned termination"
	case !before.End.Equal(now.End) && !now.End.IsZero():
		return "last day moved"
	}
	return ""
}

// lastDayOf is the last day of what was the primary engagement.
func lastDayOf(before, now dayone.Person) string {
	return ended(now, before.Primary())
}

func began(p dayone.Person, id dayone.EngagementID) string {
	for _, e := range p.Engagements {
		if e.ID == id {
			return e.Start
		}
	}
	return ""
}

func ended(p dayone.Person, id dayone.EngagementID) string {
	for _, e := range p.Engagements {
		if e.ID == id {
			return e.LastDay
		}
	}
	return ""
}

// near says that one employment follows another so closely that she is not taken for gone in between.
func near(last, start string) bool {
	return startOf(start, time.UTC).Sub(startOf(last, time.UTC)) <= 31*24*time.Hour
}

func conversion(from, to string) string { return fmt.Sprintf("conversion: %s to %s", from, to) }

// moving names a change within an employment.
func moving(before, now dayone.Person) string {
	moved := func(attr string) bool { return before.Attrs[attr] != now.Attrs[attr] }
	if moved("employment_type") && before.Attrs.Text("employment_type") != "" {
		return conversion(before.Attrs.Text("employment_type"), now.Attrs.Text("employment_type"))
	}
	var what []string
	for _, attr := range []string{"department", "job_title", "team", "location", "manager", "level"} {
		if moved(attr) {
			what = append(what, inWords(attr))
		}
	}
	was, known := before.Attrs["level"].Int()
	is, knows := now.Attrs["level"].Int()
	switch {
	case known && knows && is > was:
		return fmt.Sprintf("promotion: %s", strings.Join(what, ", "))
	case len(what) > 0:
		return fmt.Sprintf("transfer: %s", strings.Join(what, ", "))
	}
	return otherwise
}

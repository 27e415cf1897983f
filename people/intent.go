package people

import (
	"strings"

	"github.com/dayone-hq/dayone"
)

// Intent names what happened between two looks at a person, in words: for the timeline, the log and messages. Nothing is
// decided by it: access follows from the timeline itself.
func Intent(before, now dayone.Person, isNew bool) string {
	moved := func(attr string) bool { return before.Attrs[attr] != now.Attrs[attr] }
	switch {
	case isNew && now.Status == dayone.PreHire:
		return "future hire"
	case isNew && now.Status == dayone.Working && !now.Start.IsZero() && now.At.Sub(now.Start) > 0 && now.Managed:
		return "late hire: the start was before we heard of it"
	case isNew:
		return "hire"
	case before.Status == dayone.Left && now.Status != dayone.Left && (len(now.Engagements) > len(before.Engagements) || now.Start.After(before.Start)):
		return "rehire"
	case len(now.Engagements) > len(before.Engagements):
		return "second engagement"
	case before.Status != dayone.Left && now.Status == dayone.Left && !now.End.IsZero() && !now.End.After(now.Start):
		return "no-show"
	case before.Status != dayone.Left && now.Status == dayone.Left:
		return "immediate termination"
	case before.Status == dayone.Left && now.Status != dayone.Left, !before.End.IsZero() && now.End.IsZero():
		return "termination cancelled"
	case before.End.IsZero() && !now.End.IsZero():
		return "planned termination"
	case !before.End.Equal(now.End):
		return "last day moved"
	case before.Status != dayone.OnLeave && now.Status == dayone.OnLeave:
		return "leave starts"
	case before.Status == dayone.OnLeave && now.Status != dayone.OnLeave:
		return "return from leave"
	case !before.Start.Equal(now.Start):
		return "start date moved"
	case moved("employment_type"):
		return "conversion: " + before.Attrs.Text("employment_type") + " to " + now.Attrs.Text("employment_type")
	}
	var what []string
	for _, attr := range []string{"department", "job_title", "team", "location", "manager", "level"} {
		if moved(attr) {
			what = append(what, strings.ReplaceAll(attr, "_", " "))
		}
	}
	if len(what) > 0 {
		return "transfer: " + strings.Join(what, ", ")
	}
	return "correction"
}

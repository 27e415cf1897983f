package unity_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
)

// TestChangeOneThing: whatever one field of a mailbox, or one number at a place of its own, becomes, nothing else of it and of anybody
// changes: with the old value again, every row is what it was, byte for byte.
func TestChangeOneThing(t *testing.T) {
	b := begin(t)
	ref := b.Do(b.hire(dayone.Active)).Now.Ref
	b.Do(b.opens(ref, "pin", "58203947"))
	b.Do(b.answers(ref, "work-phone", "+14085552198"))
	b.Do(b.answers(ref, "mobile-phone", "+14155550100"))
	was := sarah()
	was["department"] = dayone.Text("Sales")
	b.Do(b.change(ref, dayone.Attrs{"department": was["department"]}))
	texts := rapid.OneOf(rapid.StringMatching(`[!-~]([ -~]{0,30}[!-~])?`), rapid.StringMatching(`[äßŁ山éø"'<>&]{1,12}`))
	numbers := rapid.StringMatching(`\+1408555[3-9][0-9]{3}`)
	rapid.Check(t, func(r *rapid.T) {
		what := rapid.SampledFrom([]string{"first_name", "last_name", "display_name", "title", "department", "employee_number", "extension", "number"}).Draw(r, "what")
		before := b.Sim.Snapshot()
		var there, back dayone.Act
		switch what {
		case "number":
			there, back = b.answers(ref, "work-phone", numbers.Draw(r, "number")), b.answers(ref, "work-phone", "+14085552198")
		case "extension":
			there, back = b.change(ref, dayone.Attrs{what: dayone.Text(numbers.Draw(r, "number"))}), b.change(ref, dayone.Attrs{what: was[what]})
		default:
			there, back = b.change(ref, dayone.Attrs{what: dayone.Text(texts.Draw(r, "text"))}), b.change(ref, dayone.Attrs{what: was[what]})
		}
		if err := b.try(there); err != nil {
			r.Fatalf("%s: %v", what, err)
		}
		for _, d := range differences(before, b.Sim.Snapshot()) {
			if kind, _, _ := strings.Cut(d, " "); !slices.Contains(touched[what], kind) {
				r.Fatalf("with %s this changed: %s", what, d)
			}
		}
		if err := b.try(back); err != nil {
			r.Fatalf("%s back: %v", what, err)
		}
		if after := b.Sim.Snapshot(); !maps.Equal(before, after) {
			r.Fatalf("beside %s this changed: %v", what, differences(before, after))
		}
	})
}

// touched are the tables in which one thing stands. The number of a mailbox is its first extension's and its call handler's, too.
var touched = map[string][]string{
	"first_name": {"users"}, "last_name": {"users"}, "display_name": {"users", "handlers/callhandlers"}, "title": {"users"}, "department": {"users"}, "employee_number": {"users"},
	"extension": {"users", "mwis", "alternateextensions", "handlers/callhandlers"}, "number": {"alternateextensions"},
}

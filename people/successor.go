package people

import (
	"fmt"

	"github.com/dayone-hq/dayone"
)

// Successor is who takes over what somebody looked after who has left: whoever was named, else her manager, else the next one
// above who works here. Nobody who is away for long or has left takes anything over, and nobody of whom only the address is
// known. "": nobody is found.
func Successor(of Colleague, named string, d Directory) (mail, why string) {
	takes := func(at string) bool {
		c := d.Colleague(at)
		return at != "" && at != lower(of.Mail) && c.Known && c.Status == dayone.Working
	}
	if named = lower(named); takes(named) {
		return named, "named when access was ended"
	}
	why = "manager"
	seen := map[string]bool{lower(of.Mail): true}
	for at := lower(of.Manager); at != "" && !seen[at]; at = lower(d.Colleague(at).Manager) {
		if seen[at] = true; takes(at) {
			return at, why
		}
		why = fmt.Sprintf("manager of %s", at)
	}
	return "", ""
}

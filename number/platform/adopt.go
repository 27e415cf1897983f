package platform

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
)

// Take is what the books may take over of one number: whose it is and where else it rings, or that nobody is to have it.
// Nothing becomes of the platform by it.
type Take struct {
	Number     dayone.NumberID
	Line       string
	Owner      dayone.PersonID // "": it is held
	Hold       string          // why
	Confidence Confidence
	Why        string
	Shown      []dayone.Appearance // besides at its owner's
}

// take says what the books may take over of a line that is in use.
func (c *comparing) take(l *dayone.PlatformLine, n *dayone.Number, here bool, m Match) {
	if n == nil || !here || n.Pool == "" {
		return
	}
	t := Take{Number: n.ID, Line: lineName(l.Pattern, l.Partition), Owner: m.Person, Confidence: m.Confidence, Why: m.Why}
	if m.Person == "" {
		if n.State == dayone.NumberFree {
			t.Hold, t.Confidence, t.Why = fmt.Sprintf("in use on %s, and nobody knows whose it is", c.System), Certain, "the platform shows it"
			c.out.Takes = append(c.out.Takes, t)
		}
		return
	}
	for _, a := range l.At {
		i, ok := c.devices[a.Device]
		if !ok {
			continue
		}
		if _, o, _ := c.owner(&c.p.Devices[i]); o.Person != m.Person {
			t.Shown = append(t.Shown, dayone.Appearance{Number: n.ID, Role: dayone.ShownShared, Person: o.Person, Device: a.Device})
		}
	}
	if n.State == dayone.NumberAssigned && n.Owner == m.Person && !n.Confirmed.IsZero() && len(t.Shown) == 0 {
		return // the books have all of it
	}
	c.out.Takes = append(c.out.Takes, t)
}

// Taken is what a take makes of a number as it stands now; changed is false where the books say so already. seen is when the
// platform was read: then it showed the line. An error says why the number is left as it is.
func (t Take) Taken(n dayone.Number, p number.Pool, seen, at time.Time) (is dayone.Number, changed bool, err error) {
	if t.Owner == "" {
		if n.State == dayone.NumberOnHold {
			return n, false, nil
		}
		if n.State != dayone.NumberFree {
			return n, false, fmt.Errorf("%s is %s by now: %w", n.ID, n.State, dayone.ErrConflict)
		}
		is, _, err = number.Apply(n, number.Order{Verb: number.Hold, At: at, For: dayone.NumberNote{Reason: t.Hold}}, p)
		return is, err == nil, err
	}
	if is, _, err = number.Apply(n, number.Order{Verb: number.Assign, At: at, Person: t.Owner}, p); err != nil {
		return n, false, err
	}
	if is.State == n.State && !n.Confirmed.IsZero() {
		return n, false, nil
	}
	if is, _, err = number.Apply(is, number.Order{Verb: number.Confirm, At: seen}, p); err != nil {
		return n, false, err
	}
	return is, true, nil
}

// Unshown are the places of a take that the books do not have yet.
func (t Take) Unshown(known []dayone.Appearance) []dayone.Appearance {
	return slices.DeleteFunc(slices.Clone(t.Shown), func(a dayone.Appearance) bool {
		return slices.ContainsFunc(known, func(k dayone.Appearance) bool { return strings.EqualFold(k.Device, a.Device) && k.Person == a.Person })
	})
}

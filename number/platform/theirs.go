package platform

import (
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// Theirs is what a telephone system has of one person, as it was read.
type Theirs struct {
	Devices   []TheirDevice
	Lines     []TheirLine
	Mailboxes []TheirMailbox
}

// TheirDevice is a device of theirs, or one of somebody else on which they are signed in.
type TheirDevice struct {
	dayone.PlatformDevice
	Lines []dayone.PlatformLine // that it shows, in the order of its buttons
	On    bool                  // they are signed in on it now
	Other bool                  // it is not theirs: they are only signed in on it
	Sure  Confidence            // that it is theirs
}

// TheirLine is a line of theirs, and where it is shown.
type TheirLine struct {
	dayone.PlatformLine
	Sure Confidence
}

// TheirMailbox is a mailbox of theirs.
type TheirMailbox struct {
	dayone.PlatformMailbox
	Sure Confidence
}

// belongings is whose everything on a platform is, in the platform's own order.
type belongings struct {
	p                     *dayone.Platform
	users                 map[string]dayone.PersonID // by log-in, in lower case; only who is somebody
	devices, lines, boxes []owned
}

// owned is whose one thing is; nobody's has no person.
type owned struct {
	person dayone.PersonID
	sure   Confidence
}

func (m Match) owned() owned { return owned{m.Person, m.Confidence} }

// keep remembers whose users and devices are. Lines and mailboxes are noted where they are judged.
func (c *comparing) keep() {
	o := &c.out.of
	o.p, o.users = c.p, make(map[string]dayone.PersonID, len(c.p.Users))
	for i, m := range c.matches {
		if m.Person != "" {
			o.users[strings.ToLower(c.p.Users[i].Login)] = m.Person
		}
	}
	o.devices = make([]owned, len(c.p.Devices))
	for i := range c.p.Devices {
		_, m, _ := c.owner(&c.p.Devices[i])
		o.devices[i] = m.owned()
	}
}

// Of is what the platform has of somebody.
func (r *Report) Of(id dayone.PersonID) Theirs {
	var out Theirs
	o := &r.of
	if id == "" || o.p == nil {
		return out
	}
	at := map[string]int{} // devices of out, by name
	for i := range o.p.Devices {
		d := &o.p.Devices[i]
		own := o.devices[i].person == id
		on := d.LoggedIn != "" && o.users[strings.ToLower(d.LoggedIn)] == id
		if !own && !on {
			continue
		}
		t := TheirDevice{PlatformDevice: *d, On: on, Other: !own, Sure: o.devices[i].sure}
		if t.LoggedIn = ""; on { // who else is signed in is another's matter
			t.LoggedIn = d.LoggedIn
		}
		if t.Other {
			t.Owner, t.Description, t.Sure = "", "", 0
		}
		at[d.Name] = len(out.Devices)
		out.Devices = append(out.Devices, t)
	}
	for i := range o.p.Lines {
		l := &o.p.Lines[i]
		if i < len(o.lines) && o.lines[i].person == id {
			out.Lines = append(out.Lines, TheirLine{*l, o.lines[i].sure})
		}
		for _, a := range l.At {
			if n, ok := at[a.Device]; ok && !out.Devices[n].Other {
				out.Devices[n].Lines = append(out.Devices[n].Lines, *l)
			}
		}
	}
	for i := range out.Devices {
		d := &out.Devices[i]
		slices.SortStableFunc(d.Lines, func(x, y dayone.PlatformLine) int { return button(&x, d.Name) - button(&y, d.Name) })
	}
	for i, b := range o.boxes {
		if b.person == id {
			out.Mailboxes = append(out.Mailboxes, TheirMailbox{o.p.Mailboxes[i], b.sure})
		}
	}
	return out
}

// button is at which button of a device a line is.
func button(l *dayone.PlatformLine, device string) int {
	for _, a := range l.At {
		if a.Device == device {
			return a.Index
		}
	}
	return 0
}

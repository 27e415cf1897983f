package platform

import (
	"fmt"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
)

// What numbers.yaml writes where a class has no voice mail, and where its lines name no profile, so that the platform's own counts.
const (
	noVoicemail  = "none"
	ownVoicemail = "default"
)

// serving is a comparison of one thing with the class of service of a pool.
type serving struct {
	*comparing
	pool  *number.Pool
	class number.Class
	whose string
	found Finding
}

// serves is what a number is to be served as here; false: the map of classes does not say.
func (c *comparing) serves(n *dayone.Number, m Match) (serving, bool) {
	pool, ok := c.Plan.Pool(n.Pool)
	if !ok || pool.Class == "" {
		return serving{}, false
	}
	class, ok := c.Plan.Class(pool.Class, c.System, pool.Site)
	whose := "nobody knows whose it is"
	if m.Person != "" {
		whose = fmt.Sprintf("whose it is, is %s", m.says())
	}
	return serving{c, pool, class, whose, Finding{Kind: ClassDiffers, Number: n.ID, Pool: n.Pool, Person: m.Person}}, ok
}

// differs says that a thing has one setting and should have another.
func (s serving) differs(thing, name, has, want, next string) {
	f := s.found
	f.Thing, f.Name, f.Next = thing, name, next
	f.Text = fmt.Sprintf("%s, and the numbers of pool %s are of class %s, which is %s (%s)", has, s.pool.Name, s.class.Name, want, s.whose)
	s.find(f)
}

// service compares what a line may call, where it sends calls on, and the phones of which it is the first, with the class of
// service of its pool. Nothing is said where the map of classes says nothing, nor of what the platform did not tell.
func (c *comparing) service(l *dayone.PlatformLine, n *dayone.Number, m Match) {
	s, ok := c.serves(n, m)
	if !ok {
		return
	}
	name, want := lineName(l.Pattern, l.Partition), s.class.Line
	if want != "" && (l.Space != "" || l.NoSpace) && !strings.EqualFold(l.Space, want) {
		s.differs("line", name, "it has "+s.means(l.Space, lineOfClass), want, "Set the line's calling search space to "+want+", or put its number into a pool of the class that it is to have.")
	}
	s.forwards(l, name)
	s.voicemail(l, name)
	if want = s.class.Device; want == "" {
		return
	}
	for _, a := range l.At {
		i, ok := c.devices[a.Device]
		if !ok || a.Index > 1 {
			continue
		}
		d := &c.p.Devices[i]
		if d.Class == dayone.DevicePhone && (d.Space != "" || d.NoSpace) && !strings.EqualFold(d.Space, want) {
			s.differs(string(d.Class), d.Name, "it has "+s.means(d.Space, deviceOfClass), want, "Set the phone's calling search space to "+want+", or put the number of its first line into a pool of the class that it is to have.")
		}
	}
}

// forwards finds those that may call what the class may not: whoever sets one goes round the line's own limits. The second space of
// the forward of all calls may be that of the phone.
func (s serving) forwards(l *dayone.PlatformLine, name string) {
	want := s.class.Forward
	if want == "" {
		return
	}
	next := "Set the calling search space of that forward to " + want + ", or put the line's number into a pool of the class that it is to have."
	for _, f := range l.Forwards {
		if (f.Space != "" || f.NoSpace) && !strings.EqualFold(f.Space, want) {
			s.differs("line", name, "its forward ("+f.On+") has "+s.means(f.Space, forwardOfClass), want, next)
		}
		if f.Second != "" && !strings.EqualFold(f.Second, want) && s.class.Device != "" && !strings.EqualFold(f.Second, s.class.Device) {
			s.differs("line", name, "its forward ("+f.On+") has "+f.Second+" as the second calling search space", want, "Empty the secondary calling search space of that forward, or set it to "+s.class.Device+".")
		}
	}
}

// voicemail compares the profile that a line names.
func (s serving) voicemail(l *dayone.PlatformLine, name string) {
	want := s.class.Voicemail
	if want == "" || l.Voicemail == "" && !l.NoVoicemail {
		return
	}
	is := l.Voicemail
	if is == "" {
		is = ownVoicemail
	}
	if !strings.EqualFold(is, want) {
		s.differs("line", name, "its voice mail profile is "+is, want, "Set the line's voice mail profile to "+want+", or put its number into a pool of the class that it is to have.")
	}
}

// boxed compares a mailbox with the class of service of the number at which it answers, or of the only one that its owner has.
func (c *comparing) boxed(b *dayone.PlatformMailbox, m Match) {
	n := c.reached(b, m)
	if n == nil || c.left(m.Person) || n.State == dayone.NumberOnHold || n.State == dayone.NumberExternal { // what leavers have goes anyway
		return
	}
	s, ok := c.serves(n, m)
	want := s.class.Voicemail
	switch {
	case !ok || want == "":
	case strings.EqualFold(want, noVoicemail):
		s.differs("mailbox", b.Alias, "it is there", "without one", "Delete the mailbox, or put the number into a pool of a class that has voice mail.")
	case b.Class != "" && !strings.EqualFold(b.Class, want):
		s.differs("mailbox", b.Alias, "its class of service is "+b.Class, want, "Choose the class of service "+want+" for the mailbox, or put the number into a pool of the class that it is to have.")
	}
}

// unboxed finds people whose only number is of a class that has voice mail here, and who have no mailbox. One whose owner cannot be
// told may be theirs, so that nothing is said while there is such a one at the number.
func (c *comparing) unboxed() {
	if !c.p.Tells(dayone.PlatformMailboxes) {
		return
	}
	has, at := map[dayone.PersonID]bool{}, map[dayone.NumberID]bool{}
	for i, o := range c.out.of.boxes {
		has[o.person] = true
		for _, e := range append(c.p.Mailboxes[i].Extensions, c.p.Mailboxes[i].Extension) {
			if n := c.answers(e); n != nil {
				at[n.ID] = true
			}
		}
	}
	for i := range c.Numbers {
		n := &c.Numbers[i]
		if n.State != dayone.NumberAssigned || n.Confirmed.IsZero() || n.Owner == "" || has[n.Owner] || at[n.ID] || c.left(n.Owner) || c.only(n.Owner) != n {
			continue
		}
		s, ok := c.serves(n, Match{Person: n.Owner, Confidence: Certain, Why: "the books say that it is theirs"})
		if want := s.class.Voicemail; ok && want != "" && !strings.EqualFold(want, noVoicemail) {
			s.differs("number", string(n.ID), "it has no mailbox", want, "Give its owner a mailbox, or put the number into a pool of a class that has none.")
		}
	}
}

// reached is the number of the books at which a mailbox answers; else the only one that its owner has. nil: it cannot be told.
func (c *comparing) reached(b *dayone.PlatformMailbox, m Match) *dayone.Number {
	for _, e := range append([]string{b.Extension}, b.Extensions...) {
		if n := c.answers(e); n != nil {
			return n
		}
	}
	return c.only(m.Person)
}

// only is the number that somebody has and no second one; nil: none, or several.
func (c *comparing) only(id dayone.PersonID) *dayone.Number {
	if id == "" {
		return nil
	}
	if c.one == nil {
		c.one = make(map[dayone.PersonID]*dayone.Number, len(c.Numbers))
		for i := range c.Numbers {
			n := &c.Numbers[i]
			if n.Owner == "" || n.State != dayone.NumberAssigned {
				continue
			}
			if _, several := c.one[n.Owner]; several {
				n = nil
			}
			c.one[c.Numbers[i].Owner] = n
		}
	}
	return c.one[id]
}

// lineOfClass and the others are where a class says what a calling search space is for.
func lineOfClass(c number.Class) string    { return c.Line }
func deviceOfClass(c number.Class) string  { return c.Device }
func forwardOfClass(c number.Class) string { return c.Forward }

// means is a calling search space with the class that it is here, if the map of classes has one.
func (s serving) means(space string, of func(number.Class) string) string {
	if space == "" {
		return "no calling search space"
	}
	for _, x := range s.Plan.Classes {
		if x.Platform == s.System && (x.Site == "" || x.Site == s.pool.Site) && strings.EqualFold(of(x), space) {
			return space + " (" + x.Name + ")"
		}
	}
	return space
}

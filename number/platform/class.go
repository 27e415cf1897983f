package platform

import (
	"fmt"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
)

// service compares what a line may call, and the phones of which it is the first, with the class of service of its pool.
// Nothing is said where the map of classes says nothing, nor of what the platform did not tell.
func (c *comparing) service(l *dayone.PlatformLine, n *dayone.Number, m Match) {
	pool, ok := c.Plan.Pool(n.Pool)
	if !ok || pool.Class == "" {
		return
	}
	class, ok := c.Plan.Class(pool.Class, c.System, pool.Site)
	if !ok {
		return
	}
	whose := "nobody knows whose it is"
	if m.Person != "" {
		whose = "whose it is, is " + m.says()
	}
	f := Finding{Kind: ClassDiffers, Number: n.ID, Pool: n.Pool, Person: m.Person}
	differs := func(thing, name, is, want, next string) {
		f.Thing, f.Name, f.Next = thing, name, next
		f.Text = fmt.Sprintf("it has %s, and the numbers of pool %s are of class %s, which is %s (%s)", is, pool.Name, class.Name, want, whose)
		c.find(f)
	}
	if class.Line != "" && (l.Space != "" || l.NoSpace) && !strings.EqualFold(l.Space, class.Line) {
		differs("line", lineName(l.Pattern, l.Partition), c.means(pool, l.Space, true), class.Line, "Set the line's calling search space to "+class.Line+", or put its number into a pool of the class that it is to have.")
	}
	if class.Device == "" {
		return
	}
	for _, a := range l.At {
		i, ok := c.devices[a.Device]
		if !ok || a.Index > 1 {
			continue
		}
		d := &c.p.Devices[i]
		if d.Class == dayone.DevicePhone && (d.Space != "" || d.NoSpace) && !strings.EqualFold(d.Space, class.Device) {
			differs(string(d.Class), d.Name, c.means(pool, d.Space, false), class.Device, "Set the phone's calling search space to "+class.Device+", or put the number of its first line into a pool of the class that it is to have.")
		}
	}
}

// means is a calling search space with the class that it is here, if the map of classes has one.
func (c *comparing) means(pool *number.Pool, space string, line bool) string {
	if space == "" {
		return "no calling search space"
	}
	for _, x := range c.Plan.Classes {
		is := x.Device
		if line {
			is = x.Line
		}
		if x.Platform == c.System && (x.Site == "" || x.Site == pool.Site) && strings.EqualFold(is, space) {
			return space + " (" + x.Name + ")"
		}
	}
	return space
}

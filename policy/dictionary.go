package policy

import (
	"fmt"
	"strings"
	"sync"

	"github.com/dayone-hq/dayone"
)

// Dictionary numbers the values that attributes take. A company has 150 titles, not 100,000: what is asked once for
// every value need not be asked for every person. It only grows, may be shared by several indexes, and is safe for use
// by many goroutines.
type Dictionary struct {
	mu      sync.RWMutex
	columns map[string]*column
}

// NewDictionary is an empty one.
func NewDictionary() *Dictionary { return &Dictionary{columns: map[string]*column{}} }

func (d *Dictionary) column(path string) *column {
	d.mu.RLock()
	c := d.columns[path]
	d.mu.RUnlock()
	if c != nil {
		return c
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if c = d.columns[path]; c == nil {
		c = &column{path: path, codes: map[dayone.Value]uint32{}, samples: []sample{{}}}
		c.attr, c.own = strings.CutPrefix(path, "person.")
		d.columns[path] = c
	}
	return c
}

// sample is a person reduced to one attribute.
type sample struct {
	known       bool
	value       dayone.Value
	site        *dayone.Site
	engagements []dayone.Engagement
}

// column is one attribute. Code 0 stands for its absence.
type column struct {
	path, attr string
	own        bool // an attribute of the person, not her site

	mu      sync.RWMutex
	codes   map[dayone.Value]uint32
	samples []sample // by code
}

// code numbers what p has; fresh says that it was not seen before.
func (c *column) code(p *dayone.Person) uint32 {
	s := c.sample(p)
	if !s.known {
		return 0
	}
	c.mu.RLock()
	n, ok := c.codes[s.value]
	c.mu.RUnlock()
	if ok {
		return n
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n, ok = c.codes[s.value]; !ok {
		n = uint32(len(c.samples))
		s.value.Text = strings.Clone(s.value.Text)
		if s.site != nil {
			site := *s.site
			s.site = &site
		}
		c.samples = append(c.samples, s)
		c.codes[s.value] = n
	}
	return n
}

func (c *column) sample(p *dayone.Person) sample {
	switch {
	case c.path == constant:
		return sample{}
	case c.path == siteColumn:
		return sample{known: true, site: &p.Site, value: dayone.Text(siteText(p.Site))}
	case c.attr == "engagements":
		return sample{known: true, engagements: p.Engagements, value: dayone.Text(fmt.Sprint(p.Engagements))}
	case c.attr == "id":
		return sample{known: true, value: dayone.Text(string(p.ID))}
	case c.attr == "status":
		return sample{known: true, value: dayone.Text(string(p.Status))}
	}
	v, ok := p.Attrs[c.attr]
	return sample{known: ok, value: v}
}

// siteText tells sites apart; usually the name does.
func siteText(s dayone.Site) string {
	if s.Name != "" && s.Facts == nil {
		return s.Name + "\x00" + s.Country + "\x00" + s.Zone + "\x00" + s.Address + "\x00" + s.Numbers
	}
	return fmt.Sprint(s.Name, "\x00", s.Country, "\x00", s.Zone, "\x00", s.Address, "\x00", s.Numbers, "\x00", s.Facts)
}

func (c *column) len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.samples)
}

func (c *column) sampleOf(code uint32) sample {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.samples[code]
}

// person is somebody of whom only this is known.
func (s sample) person(c *column) dayone.Person {
	p := dayone.Person{Engagements: s.engagements}
	if s.site != nil {
		p.Site = *s.site
	}
	switch {
	case !s.known || !c.own:
	case c.attr == "id":
		p.ID = dayone.PersonID(s.value.Text)
	case c.attr == "status":
		p.Status = dayone.Status(s.value.Text)
	case c.attr != "engagements":
		p.Attrs = dayone.Attrs{c.attr: s.value}
	}
	return p
}

// Columns that are filled in whether or not a policy reads them now: what an editor may name next.
func (s Schema) columns() []string {
	var out []string
	for _, name := range s.Names() {
		if a := s.Attributes[name]; !a.Personal && name != "id" {
			out = append(out, "person."+name)
		}
	}
	return append(out, siteColumn)
}

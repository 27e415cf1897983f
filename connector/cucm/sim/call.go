package sim

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone/connector/sim"
)

// Call is where a call goes.
type Call struct {
	Rings    []string `json:"rings"`              // devices, in no order of time
	Mailbox  string   `json:"mailbox,omitempty"`  // which answers if nobody does
	Outside  string   `json:"outside,omitempty"`  // the route pattern by which it leaves
	Refused  string   `json:"refused,omitempty"`  // why nobody hears of it
	Caller   string   `json:"caller,omitempty"`   // the number that is shown
	Location string   `json:"location,omitempty"` // of the device, which an emergency call presents
	Way      []string `json:"way"`                // each pattern that was met
}

func (s *Sim) call(w http.ResponseWriter, r *http.Request) {
	c, err := s.Call(r.URL.Query().Get("from"), r.URL.Query().Get("to"))
	if err != nil {
		sim.JSON(w, http.StatusNotFound, map[string]string{"error": err.Error()})
		return
	}
	sim.JSON(w, http.StatusOK, c)
}

// Call routes a call from a device, or from PSTN, to what is dialled.
func (s *Sim) Call(from, to string) (Call, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Call{Rings: []string{}, Way: []string{}}
	reach := s.css["PSTN_IN_CSS"]
	if from != "PSTN" {
		d := s.object("phone", from)
		if d == nil {
			return c, fmt.Errorf("there is no device %s", from)
		}
		active := d
		if p := s.object("deviceProfile", s.profile[d.name]); p != nil {
			active = p // the lines of whoever is logged in; the device's place and search space stay
		}
		reach = nil
		if lines := active.running().all("lines", "line"); len(lines) > 0 {
			c.Caller = lines[0].value("e164Mask")
			if l := s.object("line", lines[0].value("dirn/pattern")+"@"+lines[0].value("dirn/routePartitionName")); l != nil {
				reach = append(reach, s.css[l.running().value("shareLineAppearanceCssName")]...)
			}
		}
		reach = append(reach, s.css[d.running().value("callingSearchSpaceName")]...) // the line's partitions come first
		c.Location = d.running().value("locationName")
	}
	s.route(&c, reach, to, 0)
	slices.Sort(c.Rings)
	c.Rings = slices.Compact(c.Rings)
	return c, nil
}

// hit is one pattern that a number meets.
type hit struct {
	pattern, partition string
	line               *object
	plan               *pattern
	width              float64 // how many numbers it could be: the fewest win
	at                 int     // place of its partition: the first wins where widths are equal
}

func (s *Sim) route(c *Call, reach []string, to string, depth int) {
	if depth > 12 {
		c.Refused = "it goes round in circles"
		return
	}
	var best *hit
	try := func(h hit) {
		if h.at = slices.Index(reach, h.partition); h.at < 0 && h.partition != "" || !expression(h.pattern).MatchString(to) {
			return
		}
		if h.width = width(h.pattern); best == nil || h.width < best.width || h.width == best.width && h.at < best.at {
			best = &h
		}
	}
	for _, l := range s.objects["line"] {
		if n := l.running(); n.yes("active") {
			try(hit{pattern: n.value("pattern"), partition: n.value("routePartitionName"), line: l})
		}
	}
	for _, p := range s.patterns {
		try(hit{pattern: p.pattern, partition: p.partition, plan: p})
	}
	if best == nil {
		c.Refused = "no pattern that the caller may reach answers " + to
		return
	}
	c.Way = append(c.Way, best.pattern+" in "+best.partition)
	switch {
	case best.line != nil:
		s.ring(c, best.line, depth)
	case best.plan.kind == "Translation":
		s.route(c, s.css[best.plan.css], masked(best.plan.to, to), depth+1)
	case best.plan.kind == "Hunt Pilot":
		for _, m := range best.plan.members {
			if l := s.object("line", m+"@"+best.plan.partition); l != nil {
				s.devices(c, l)
			}
		}
	case best.plan.kind == "Route":
		c.Outside = best.pattern
	default:
		c.Refused = best.plan.kind + " answers"
	}
}

// masked puts the last signs dialled in place of the X of a mask.
func masked(mask, dialled string) string {
	out := []byte(mask)
	j := len(dialled)
	for i := len(out) - 1; i >= 0; i-- {
		if j--; out[i] == 'X' && j >= 0 {
			out[i] = dialled[j]
		}
	}
	return string(out)
}

// ring calls a line: where all calls are forwarded they go on, else its devices ring and forwards follow.
func (s *Sim) ring(c *Call, line *object, depth int) {
	n := line.running()
	if n.yes("callForwardAll/forwardToVoiceMail") {
		c.Mailbox = n.value("pattern")
		return
	}
	if to := n.value("callForwardAll/destination"); to != "" {
		s.route(c, append(slices.Clone(s.css[n.value("callForwardAll/callingSearchSpaceName")]), s.css[n.value("callForwardAll/secondaryCallingSearchSpaceName")]...), to, depth+1)
		return
	}
	rang := len(c.Rings)
	s.devices(c, line)
	forward := "callForwardNoAnswer"
	if len(c.Rings) == rang {
		forward = "callForwardNotRegistered"
	}
	switch to := n.value(forward + "/destination"); {
	case n.yes(forward + "/forwardToVoiceMail"):
		c.Mailbox = n.value("pattern")
	case to != "" && len(c.Rings) == rang:
		s.route(c, s.css[n.value(forward+"/callingSearchSpaceName")], to, depth+1)
	case len(c.Rings) == rang:
		c.Refused = "nothing rings"
	}
}

// devices ring that show a line: phones, and the phone on which a profile with it is active.
func (s *Sim) devices(c *Call, line *object) {
	for _, d := range s.ringing(line) {
		name := d.node.value("name")
		if s.object("phone", name) == d {
			if s.profile[name] == "" && !s.unplug[name] { // while somebody is logged in the phone shows their lines
				c.Rings = append(c.Rings, name)
			}
			continue
		}
		for device, p := range s.profile {
			if strings.EqualFold(p, name) && !s.unplug[device] {
				c.Rings = append(c.Rings, device)
			}
		}
	}
}

// expression is a pattern as a regular expression: X is a digit, ! one or more, brackets are sets, \+ is a plus.
func expression(p string) *regexp.Regexp {
	var b strings.Builder
	b.WriteByte('^')
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case 'X':
			b.WriteString("[0-9]")
		case '!':
			b.WriteString("[0-9]+")
		case '.':
		case '\\':
			if i+1 < len(p) {
				i++
				b.WriteString(regexp.QuoteMeta(p[i : i+1]))
			}
		case '[', ']', '^', '-', '?', '+':
			b.WriteByte(p[i])
		default:
			b.WriteString(regexp.QuoteMeta(p[i : i+1]))
		}
	}
	re, err := regexp.Compile(b.String() + "$")
	if err != nil {
		return regexp.MustCompile(`[^\s\S]`) // a pattern that cannot be read answers nothing
	}
	return re
}

// width is how many numbers a pattern could be.
func width(p string) float64 {
	w := 1.0
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case 'X':
			w *= 10
		case '!':
			w *= 1e15
		case '[':
			w *= 5
		}
	}
	return w
}

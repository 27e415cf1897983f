package number

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Plan is what numbers.yaml says: which numbers there are, and by which rules they are given.
type Plan struct {
	Pools   []Pool
	Classes []Class
	// Stated are attributes of people.yaml in which sources state a number of work; an audit compares them with the books.
	Stated []string
}

// Pool is numbers of one platform, site and class that are given by the same rules.
type Pool struct {
	Name, Title         string
	Platform, Partition string
	Country, Site       string
	Class               string // of service
	Emergency           string // location that an emergency call from here presents
	When                string // who gets one of these without anybody choosing; "": those whose site names the pool
	Reservation         time.Duration
	Activation          time.Duration
	Quarantine          time.Duration
	Margin              time.Duration // a number is not given out if its range ends within it
	Low                 int           // so few left are too few
	Vanity              []string      // ends of numbers that only somebody gets who asks for just this one
	Ranges              []Range
	At                  Position
	WhenAt              Position
}

// Port says how a range stands with its carrier.
type Port string

const (
	PortingIn  Port = "porting-in"
	Active     Port = "active"
	PortingOut Port = "porting-out"
	Lost       Port = "lost"
)

// Ports are all there are.
var Ports = []Port{PortingIn, Active, PortingOut, Lost}

// Mappings are how what a platform stores becomes the E.164 number.
var Mappings = []string{"same", "prefix", "translation", "alternate"}

// Range is numbers one after the other.
type Range struct {
	First, Last                        string // +493012340000, or 2000 where there is no E.164 number
	Stored                             string // escaped, plain, or last:N: how the platform writes it
	Mapping                            string
	Mask                               string // what others see, where that is another number
	Carrier, Contract, Trunk, Location string // Location is the emergency location, where it is not the pool's
	Port                               Port
	From, Until                        time.Time // the first and the last day on which it is ours; zero: no end
	At                                 Position
}

// Class is a class of service on one platform: what its lines, and the phones of which they are the first, are set to. What is
// empty the class says nothing of. Line, Device and Forward are calling search spaces. Voicemail is the voice mail profile of lines,
// and where the platform is a voice mail server the class of service of its mailboxes. Site "": everywhere there.
type Class struct {
	Name, Platform, Site             string
	Line, Device, Forward, Voicemail string
	At                               Position
}

// Defaults of a pool.
const (
	day         = 24 * time.Hour
	Reservation = 30 * day
	Activation  = 3 * day
	Quarantine  = 180 * day
	Margin      = 30 * day
	MostInRange = 100_000
)

// Position in a file, from 1.
type Position struct{ Line, Col int }

// Fault is what is wrong at a place of a file.
type Fault struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
	Text string `json:"text"`
}

func (f Fault) String() string { return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Col, f.Text) }

// Pool finds one by its name.
func (p *Plan) Pool(name string) (*Pool, bool) {
	for i := range p.Pools {
		if p.Pools[i].Name == name {
			return &p.Pools[i], true
		}
	}
	return nil, false
}

// Range finds the range of a pool by its first number. A single number has one of its own.
func (p *Pool) Range(first string) (*Range, bool) {
	for i := range p.Ranges {
		if p.Ranges[i].First == first {
			return &p.Ranges[i], true
		}
	}
	return nil, false
}

// Class finds what a class means on a platform at a site: what is said for the site before what is said for everywhere.
func (p *Plan) Class(name, platform, site string) (Class, bool) {
	var everywhere *Class
	for i, c := range p.Classes {
		switch {
		case c.Name != name || c.Platform != platform:
		case c.Site == site:
			return c, true
		case c.Site == "":
			everywhere = &p.Classes[i]
		}
	}
	if everywhere == nil {
		return Class{}, false
	}
	return *everywhere, true
}

// Location is where somebody is who makes an emergency call from a number of the pool.
func (p *Pool) Location(first string) string {
	if r, ok := p.Range(first); ok && r.Location != "" {
		return r.Location
	}
	return p.Emergency
}

// Shut says why a number of a range is not given out for an instant; "": it may be.
func (p *Pool) Shut(r *Range, at time.Time) string {
	switch {
	case r.Port == Lost:
		return "the range is lost"
	case r.Port == PortingOut:
		return "the range is being ported out"
	case r.Port == PortingIn && r.From.IsZero():
		return "the range is being ported in, and nobody has said from when it is ours"
	case !r.From.IsZero() && at.Before(r.From):
		return "the range is ours from " + r.From.Format(time.DateOnly) + " on"
	case !r.Until.IsZero() && !at.Add(p.Margin).Before(r.Until.Add(day)):
		return "the range ends on " + r.Until.Format(time.DateOnly)
	}
	return ""
}

// Out says why numbers of a range do not work at an instant, whoever has them; "": they do.
func (r *Range) Out(at time.Time) string {
	switch {
	case r.Port == Lost:
		return "its range is lost"
	case !r.From.IsZero() && at.Before(r.From):
		return "its range is ours only from " + r.From.Format(time.DateOnly) + " on"
	case !r.Until.IsZero() && !at.Before(r.Until.Add(day)):
		return "its range ended on " + r.Until.Format(time.DateOnly)
	}
	return ""
}

// span is numbers as they count: all of one length, with the same signs before them.
type span struct {
	sign   string
	width  int
	lo, hi uint64
}

func spanOf(first, last string) (span, bool) {
	sign := ""
	if strings.HasPrefix(first, "+") {
		sign = "+"
	}
	a, b := strings.TrimPrefix(first, sign), strings.TrimPrefix(last, sign)
	lo, err := strconv.ParseUint(a, 10, 64)
	hi, err2 := strconv.ParseUint(b, 10, 64)
	return span{sign, len(a), lo, hi}, err == nil && err2 == nil && digits(a) && digits(b) && len(a) == len(b) && lo <= hi
}

func (s span) at(n uint64) string { return fmt.Sprintf("%s%0*d", s.sign, s.width, n) }

func (s span) meets(o span) bool {
	return s.sign == o.sign && s.width == o.width && s.lo <= o.hi && o.lo <= s.hi
}

func (s span) has(text string) bool {
	o, ok := spanOf(text, text)
	return ok && s.meets(o)
}

// Count is how many numbers the range has.
func (r *Range) Count() int {
	s, ok := spanOf(r.First, r.Last)
	if !ok {
		return 0
	}
	return int(s.hi-s.lo) + 1
}

// Has says whether a number is one of the range.
func (r *Range) Has(text string) bool {
	s, ok := spanOf(r.First, r.Last)
	return ok && s.has(text)
}

// e164 says that the range has numbers which the world can dial.
func (r *Range) e164() bool { return strings.HasPrefix(r.First, "+") }

// pattern is how the platform stores a number of the range.
func (r *Range) pattern(text string) string {
	switch {
	case strings.HasPrefix(r.Stored, lastDigits):
		n, _ := strconv.Atoi(strings.TrimPrefix(r.Stored, lastDigits))
		return text[len(text)-n:]
	case r.Stored == storedEscaped && strings.HasPrefix(text, "+"):
		return `\` + text
	}
	return text
}

const (
	storedEscaped = "escaped"
	storedPlain   = "plain"
	lastDigits    = "last:"
)

// patterns are those of the range as they count.
func (r *Range) patterns() (span, bool) {
	a, b := r.pattern(r.First), r.pattern(r.Last)
	sign := strings.TrimRight(a, "0123456789")
	s, ok := spanOf(strings.TrimPrefix(a, sign), strings.TrimPrefix(b, sign))
	s.sign = sign
	return s, ok && s.hi-s.lo == uint64(r.Count()-1)
}

// Number is the number of a range that is written so, as it begins.
func (p *Pool) Number(r *Range, text string, at time.Time) dayone.Number {
	n := dayone.Number{
		Pool: p.Name, Range: r.First, Platform: p.Platform, Partition: p.Partition, Pattern: r.pattern(text), State: dayone.NumberFree, Since: at,
		Vanity: p.vanity(text),
	}
	if r.e164() {
		n.E164 = text
	}
	n.ID = IDOf(n)
	return n
}

// Single is a number of the pool that lies in none of its ranges.
func (p *Pool) Single(text string, at time.Time) dayone.Number {
	n := p.Number(&Range{First: text, Last: text, Stored: storedEscaped}, text, at)
	n.Range = ""
	return n
}

// IDOf is what a number is called.
func IDOf(n dayone.Number) dayone.NumberID {
	if n.E164 != "" {
		return dayone.NumberID(n.E164)
	}
	return dayone.NumberID(n.Platform + ":" + n.Partition + ":" + n.Pattern)
}

// IsVanity says whether a number is one that only somebody gets who asks for just this one.
func (p *Pool) IsVanity(n dayone.Number) bool { return p.vanity(n.Digits()) }

func (p *Pool) vanity(text string) bool {
	for _, end := range p.Vanity {
		if strings.HasSuffix(text, end) {
			return true
		}
	}
	return false
}

// Of finds the pool and the range to which a number belongs, by its E.164 form or, on a platform, by its digits there.
func (p *Plan) Of(text, platform, partition string) (*Pool, *Range, bool) {
	for i := range p.Pools {
		pool := &p.Pools[i]
		for j := range pool.Ranges {
			r := &pool.Ranges[j]
			if r.Has(text) && (r.e164() || platform == pool.Platform && partition == pool.Partition) {
				return pool, r, true
			}
		}
	}
	return nil, nil, false
}

package dayone

import (
	"sync"
	"time"
)

// Status is derived from engagements and the clock, never taken from a source's flag.
type Status string

const (
	PreHire Status = "pre-hire"
	Working Status = "active"
	OnLeave Status = "leave"
	Left    Status = "terminated"
)

var Statuses = []Status{PreHire, Working, OnLeave, Left}

// Engagement is one employment of a person. Start and End are calendar days in the worker's zone, both inclusive.
type Engagement struct {
	ID       EngagementID
	Source   string
	SourceID string // the source's id of it: an employee number
	Type     string // FTE, Contractor, ...
	Start    string // 2006-01-02
	LastDay  string // last day of work or termination date, the earlier one; "" while open
	Primary  bool
	Sponsor  string    // who answers for somebody who is in no HR system: a mail address
	Heir     string    // who was named to take over what she looks after, when her access was ended here: a mail address
	EndKnown time.Time // since when we know its last day; zero: it has none
}

// Site is what a location means: sites.yaml.
type Site struct {
	Name     string
	Country  string // ISO 3166-1 alpha-2
	Zone     string // IANA
	Address  string
	Numbers  string            // number pool
	Holidays []string          // 2006-01-02
	Facts    map[string]string // template data: chat channel, handbook, portal
}

// Location is the site's zone, or UTC with false if the zone is missing or unknown.
func (s Site) Location() (*time.Location, bool) {
	if s.Zone == "" {
		return time.UTC, false
	}
	if l, ok := zones.Load(s.Zone); ok {
		return l.(*time.Location), true
	}
	l, err := time.LoadLocation(s.Zone)
	if err != nil {
		return time.UTC, false
	}
	zones.Store(s.Zone, l)
	return l, true
}

var zones sync.Map // by IANA name: reading the zone's file for every person of a big company takes longer than deciding

// Person is somebody at one instant, as the timeline shows it: the only thing that policies read.
type Person struct {
	ID          PersonID
	At          time.Time
	Status      Status
	Garden      bool     // on leave, and it is garden leave
	Attrs       Attrs    // by the names of people.yaml; a missing name is unknown
	Unknown     []string // attributes whose last word was bad: their value is the last good one, or missing
	Engagements []Engagement
	Site        Site
	Start, End  time.Time // first and last instant of the primary engagement; zero End: open
	Recorded    time.Time // when we first heard of the primary engagement
	Stopped     bool      // access was ended here, at an instant: no lead time of a life cycle counts
	Anew        time.Time // when access was ended here, though a source has hired her anew since; zero: it was not
	Managed     bool      // false: known from an import, nothing is planned for them yet
	Veil        Veil      // how much was left out because it is confidential
	Unveils     time.Time // when some of that may be known; zero: never, or nothing was left out
}

// Name is how a person is called on a page: preferred or first name and last name, else the mail address, else the id.
func (p Person) Name() string {
	first := p.Attrs.Text("preferred_name")
	if first == "" {
		first = p.Attrs.Text("first_name")
	}
	last := p.Attrs.Text("last_name")
	switch {
	case first != "" && last != "":
		return first + " " + last
	case first+last != "":
		return first + last
	case p.Attrs.Text("email") != "":
		return p.Attrs.Text("email")
	default:
		return string(p.ID)
	}
}

// Primary is the employment that counts; "": there is none.
func (p Person) Primary() EngagementID {
	for _, e := range p.Engagements {
		if e.Primary {
			return e.ID
		}
	}
	return ""
}

// Location is the worker's zone; the second result is false if it is a guess.
func (p Person) Location() (*time.Location, bool) { return p.Site.Location() }

// Fact is one word of a source about one employment: what holds from Effective on, when the source said so, and since
// when we know it. What counts is the source's latest word, not the one that came last.
type Fact struct {
	Engagement EngagementID
	Attr       string
	Effective  time.Time // zero: since ever
	Said       time.Time // by the source's clock
	Again      time.Time // when it last said the same; Said, if once
	Recorded   time.Time
	Value      Value
	Bad        bool // the word was no good: flagged unknown, the last good value stays
	Personal   bool // kept under the person's own key
	Veiled     bool // said in confidence: it does not count before the employment ends
	Source     string
	Event      EventID
}

// Employment is a source's id for one employment; everything else about it is facts.
type Employment struct {
	ID       EngagementID
	Source   string
	SourceID string
	Recorded time.Time
}

// Timeline is everything we know of a person, with both times.
type Timeline struct {
	Person      PersonID
	Managed     bool
	Employments []Employment
	Facts       []Fact
	Told        Told
}

// Told is a person as she was when she was last planned for, as far as others are told of changes. Zero: she never was.
type Told struct {
	At     time.Time // since when she was known so
	Status Status
	Ends   time.Time         `json:",omitzero"`
	Attrs  map[string]string `json:",omitempty"`
}

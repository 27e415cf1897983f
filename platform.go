package dayone

import (
	"slices"
	"time"
)

// Platform is a telephone system as it was read: lines and phones of a cluster, mailboxes of a voice mail server. It is whole:
// what could not be read would look as if it were free. Nothing of it is in the books; who of the people somebody is there is
// for package number to say.
type Platform struct {
	Of        []PlatformKind // what it tells of; of any other kind nothing is known
	Lines     []PlatformLine
	Patterns  []PlatformPattern
	Users     []PlatformUser
	Devices   []PlatformDevice
	Mailboxes []PlatformMailbox
	Reaches   []PlatformReach
}

// PlatformKind is a kind of what a telephone system has.
type PlatformKind string

const (
	PlatformLines     PlatformKind = "lines"
	PlatformPatterns  PlatformKind = "patterns"
	PlatformUsers     PlatformKind = "users"
	PlatformDevices   PlatformKind = "devices"
	PlatformMailboxes PlatformKind = "mailboxes"
	PlatformReaches   PlatformKind = "remote destinations"
)

// Tells says whether the platform tells of a kind: that none is there means something only then.
func (p *Platform) Tells(k PlatformKind) bool { return slices.Contains(p.Of, k) }

// PlatformLine is a line, which outlives every device that shows it.
type PlatformLine struct {
	Ref         string
	Pattern     string // as the platform stores it: \+49305552101, 2101
	Partition   string // "": the platform has none
	E164        string // "": the pattern is none
	Description string
	Space       string            // what it may call: its calling search space. "": it has none, or it is not known
	NoSpace     bool              // it is known to have none
	Voicemail   string            // the voice mail profile that it names. "": none, or it is not known
	NoVoicemail bool              // it is known to name none
	Forwards    []PlatformForward // how calls to it are sent on; empty: it is not known
	Primary     []string          // log-ins of users whose own number it is
	At          []PlatformAppearance
}

// PlatformForward is what one forward of a line may call. Where to it leads is its owner's, and is not kept. The forward of all
// calls is always told, since its owner sets it at the telephone; another one only where it leads to a number.
type PlatformForward struct {
	On      string // all, busy, no answer ...
	Space   string // "": it has none, or it is not known
	NoSpace bool   // it is known to have none
	Second  string // the other calling search space of the forward of all calls
}

// PlatformAppearance is one place at which a line is shown.
type PlatformAppearance struct {
	Device string   // by its name
	Index  int      // which button; 1 is the device's own line
	Users  []string // log-ins of users whom the platform connects with the line there
}

// PlatformPattern is one pattern of a route plan: a number, a translation, a route or hunt pattern, a park number, a place.
type PlatformPattern struct {
	Pattern   string // as the platform stores it: 2101, 21XX, \+49305550[1-3]XX
	Partition string
	Class     PatternClass
	Kind      string // as the platform calls it: "Translation", "Hunt Pilot", "Emergency Location ID Number"
	Detail    string // what it leads to
}

// PatternClass says what a pattern means to whoever gives numbers.
type PatternClass string

const (
	PatternLine      PatternClass = "line"      // a directory number, which the lines tell of too
	PatternRoute     PatternClass = "route"     // it leads on: a translation, a route pattern
	PatternHunt      PatternClass = "hunt"      // it rings at several
	PatternService   PatternClass = "service"   // the platform itself answers: park, pickup, conference, message lamps
	PatternEmergency PatternClass = "emergency" // an emergency call is called back here
	PatternOther     PatternClass = "other"
)

// PlatformUser is a user of the platform.
type PlatformUser struct {
	Ref            string // the platform's own id: an account that we hold has it
	Login          string // by which lines and devices name them
	Email          string
	EmployeeNumber string // "": none, or the connector knows of no field
	FirstName      string
	LastName       string
	Phone          string   // what the platform, or the directory that feeds it, states as their number
	Extension      string   // at which calls for a contact centre reach them; "": they are no agent
	Directory      string   // which directory feeds it; "": nobody, the user is the platform's own
	Closed         bool     // the user cannot sign in any more
	Devices        []string // phones and profiles that the user is connected with, by name
}

// PlatformDevice is a phone, or what stands for one: a profile with which somebody signs in on any phone.
type PlatformDevice struct {
	Ref         string
	Name        string
	Class       DeviceClass
	Product     string
	Pool        string
	Space       string // what it may call, besides its lines; "": it has none, or it is not known
	NoSpace     bool   // it is known to have none
	Description string
	Owner       string       // log-in of the user; "": nobody, or a public place
	LoggedIn    string       // log-in of whoever is signed in on it now
	Registered  Registration // whether calls get to it, as it was read; "": it is not known
	LastSeen    time.Time    // when the platform had word of it last; zero: it does not tell
}

// Registration says whether a device is in touch with its platform.
type Registration string

const (
	InTouch     Registration = "registered"
	PartInTouch Registration = "partly registered"
	OutOfTouch  Registration = "not registered"
	NotLetIn    Registration = "rejected"
)

// DeviceClass says what a device is.
type DeviceClass string

const (
	DevicePhone   DeviceClass = "phone"
	DeviceProfile DeviceClass = "profile"
	DeviceReach   DeviceClass = "remote destination profile" // it rings elsewhere, and is no phone
)

// PlatformMailbox is a voice mailbox.
type PlatformMailbox struct {
	Ref        string
	Alias      string // by which the platform calls it; mostly the log-in of its owner
	Extension  string // at which it answers, as the platform stores it
	Partition  string
	Extensions []string // others at which it answers, too
	Email      string   // of its owner, as the platform has it
	FirstName  string
	LastName   string
	Directory  string   // which directory feeds it; "": none
	Class      string   // its class of service there: to what numbers it may call out and hand callers; "": it is not known
	Locked     bool     // nobody gets in
	Needs      []string // what names it and keeps it from being deleted, in words: "call handler Sales opens it"
}

// PlatformReach is a number outside at which somebody's line rings, too.
type PlatformReach struct {
	Ref    string
	Number string // as the platform stores it
	Owner  string // log-in of the user
	Device string // the profile to which it belongs
}

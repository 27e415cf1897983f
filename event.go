package dayone

import "time"

// EventType is our word for what a source says. A source's own words are mapped to these by configuration.
type EventType string

const (
	Hired                EventType = "hired"
	Updated              EventType = "updated"
	Terminated           EventType = "terminated"
	Rehired              EventType = "rehired"
	LeaveStarted         EventType = "leave started"
	LeaveEnded           EventType = "leave ended"
	GardenLeaveStarted   EventType = "garden leave started" // a leave in which nobody may work until the last day
	StartChanged         EventType = "start date changed"
	NoShow               EventType = "no-show"
	TerminationCancelled EventType = "termination cancelled"
	Imported             EventType = "imported" // a first full read: known, nothing is planned

	// What is said of somebody who is nobody's yet: it makes no person, and a telephone number is kept.
	Offered        EventType = "offered"
	OfferWithdrawn EventType = "offer withdrawn"

	// What only people say, here.
	Corrected       EventType = "corrected"        // what sources say of these attributes is wrong until a day
	CorrectionEnded EventType = "correction ended" // what they say counts again
)

var EventTypes = []EventType{
	Hired, Updated, Terminated, Rehired, LeaveStarted, LeaveEnded, GardenLeaveStarted, StartChanged, NoShow, TerminationCancelled, Imported,
}

// OfferTypes are what a source says of an offer.
var OfferTypes = []EventType{Offered, OfferWithdrawn}

// EnteredTypes are what people may enter: beside everything that a source may say, corrections of it.
var EnteredTypes = append([]EventType{Corrected, CorrectionEnded}, EventTypes...)

// Portal is the source of what people enter here. Its subject is the id of an engagement that is known, or an id of its own
// for an employment that no other source knows; its fields have the names of people.yaml.
const Portal = "portal"

// Event is what a source said, once, about one employment. Access never follows from an event: it follows from the
// timeline that the event extends.
type Event struct {
	ID       EventID
	Source   string // configured name: "hr"
	SourceID string // the source's id of this event; "" where it has none
	Type     EventType
	Subject  string // the source's id of the employment: an employee number
	At       time.Time
	Received time.Time
	Fields   map[string]Value // by the source's field names; only configured ones survive intake
	Full     bool             // Fields are the whole record: a field that is missing is empty, not left unsaid
	By       string           // who entered it, and why: of the portal's alone, and kept in the record of what it did
	Reason   string
	Veiled   bool // it speaks, or before it is judged may speak, of something confidential
}

// EventState is where an event stands on its way through intake.
type EventState string

const (
	EventReceived    EventState = "received"    // durable, answered, not yet looked at
	EventApplied     EventState = "applied"     // in the timeline
	EventUnchanged   EventState = "unchanged"   // looked at: it changes nothing
	EventQuarantined EventState = "quarantined" // no usable id or dates; a human decides, nothing is lost
	EventHeld        EventState = "held"        // beyond a brake: a human lets it through or throws it away
	EventAsked       EventState = "asked"       // maybe about somebody who is known already: a human says whose it is
	EventDiscarded   EventState = "discarded"   // thrown away by a human
)

// Intake is an event as it lies in the books.
type Intake struct {
	Event
	State  EventState
	Person PersonID  // once known
	Run    RunID     // the run it started, if any
	Note   string    // why quarantined, what changed, why it still waits and what to do about it
	Tries  int       // looks in vain
	Next   time.Time // while it waits: when it is looked at again; zero: at once
	Brake  BrakeID   // that holds it, or held it
}

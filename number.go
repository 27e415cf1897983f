package dayone

import (
	"strings"
	"time"
)

// NumberID is a telephone number in our books: its E.164 form, or platform:partition:pattern where it has none.
type NumberID string

// NumberState says what a number is for at an instant.
type NumberState string

const (
	NumberFree       NumberState = "available"
	NumberReserved   NumberState = "reserved"   // kept for somebody until an instant
	NumberAssigned   NumberState = "assigned"   // somebody's own
	NumberQuarantine NumberState = "quarantine" // rests after somebody had it, so that her callers reach nobody else
	NumberOnHold     NumberState = "held"       // given to nobody: an emergency line, a park slot, a promise
	NumberExternal   NumberState = "external"   // ours to know, somebody else's to give
	NumberRetired    NumberState = "retired"    // not ours any more
)

// NumberStates are all there are, in the order in which pages count them.
var NumberStates = []NumberState{NumberFree, NumberReserved, NumberAssigned, NumberQuarantine, NumberOnHold, NumberExternal, NumberRetired}

// Number is one number as the ledger has it. It has one owner and any appearances.
type Number struct {
	ID        NumberID
	Pool      string // "": of none, known from an import
	Range     string // the first number of its range; "": single
	Platform  string
	Partition string
	Pattern   string // as the platform stores it: \+4930..., 2101
	E164      string // "": it has none
	State     NumberState
	Since     time.Time // of the state
	Used      time.Time // when somebody gave it back last; zero: nobody ever had it
	Until     time.Time // reserved: kept until then; quarantine: rests until then; assigned: its platform shows it by then
	Owner     PersonID
	Last      PersonID  // who had it before
	Vanity    bool      // given only to whoever asks for just this one
	Confirmed time.Time // when its platform last showed it as its owner's
	For       NumberNote
}

// NumberNote is what is known of a number that nobody in the books owns.
type NumberNote struct {
	Name   string `json:",omitempty"` // a candidate, a room
	Ref    string `json:",omitempty"` // an offer, or the employee number to come: by it the reservation finds its person
	Reason string `json:",omitempty"` // why it is held
}

// Digits are those of the number, without any sign.
func (n Number) Digits() string {
	text := n.E164
	if text == "" {
		text = n.Pattern
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
}

// NumberRole says how a line is shown somewhere besides at its owner's.
type NumberRole string

const (
	ShownSecond    NumberRole = "second"
	ShownShared    NumberRole = "shared"
	ShownFax       NumberRole = "fax"
	ShownAssistant NumberRole = "assistant"
)

// NumberRoles are all there are.
var NumberRoles = []NumberRole{ShownSecond, ShownShared, ShownFax, ShownAssistant}

// Appearance is a place where a number rings besides at its owner's.
type Appearance struct {
	Number NumberID
	Slot   int // of this number, from 1
	Role   NumberRole
	Person PersonID // "": a device alone
	Device string   // "": wherever the person is
	Since  time.Time
}

// NumberEvent is one line of a number's history.
type NumberEvent struct {
	Number NumberID
	Seq    int
	At     time.Time
	What   string // created, reserved, assigned, confirmed, released, free again, held, retired, shown, hidden, imported
	From   NumberState
	To     NumberState
	Person PersonID // whom it is about; "": nobody
	By     string
	Note   string
}

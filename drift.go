package dayone

import "time"

// DriftKind is in which way a system differs from the books.
type DriftKind string

const (
	DriftMissing DriftKind = "missing" // the books have it, and the system does not show it
	DriftClosed  DriftKind = "closed"  // an account that is open in the books, and not there
	DriftOpen    DriftKind = "open"    // an account that is closed in the books, and open there
	DriftExtra   DriftKind = "extra"   // the system shows it, and the books do not have it
	DriftRole    DriftKind = "role"    // it has another role there
)

// DriftKinds are all of them, the worst first.
var DriftKinds = []DriftKind{DriftOpen, DriftMissing, DriftClosed, DriftRole, DriftExtra}

// Drift is a difference between what somebody holds by the books and what its system showed when all of its accounts were read
// last. It is reported; nothing follows from it until somebody decides, but where policies alone decide.
type Drift struct {
	ID     DriftID
	Person PersonID
	Key    Key
	Kind   DriftKind
	Is     Item      // as the system shows it; of what is missing: nothing
	Was    string    // state or role in the books; "": they did not have it
	By     []string  // policies that give it, by the books
	Since  time.Time // when it was seen first
	Seen   time.Time // when it was seen last
	Stays  DriftStay // policies alone decide about it, and it is not put right all the same: why
}

// DriftStay is why what policies alone decide about waits for a human.
type DriftStay string

const (
	DriftContested DriftStay = "contested" // it was put right, and differs again, too often
	DriftBraked    DriftStay = "braked"    // too many differ at once
)

// DriftReading is the last whole reading of a system.
type DriftReading struct {
	System   string
	Began    time.Time
	At       time.Time // when it had ended; zero: there was none
	Accounts int
	Nobodys  int       // accounts that are bound to nobody
	Failed   time.Time // when the last try broke off; zero: it did not
	Note     string    // why
}

package dayone

import "time"

// LegalHold keeps everything of a person: while it stands no account of hers is deleted, no device wiped, no licence
// released that keeps her data, and she is not erased. It outranks every timer, and ends only by somebody's word.
type LegalHold struct {
	ID      LegalHoldID
	Person  PersonID
	Reason  string
	By      string
	From    time.Time
	Ended   time.Time // zero: it stands
	EndedBy string
	Why     string // why it ended
}

// RemainClass is what a leaver may still have, in a few words.
type RemainClass string

const (
	KeptAccount   RemainClass = "kept account"
	KeptAccess    RemainClass = "kept access"
	KeptToken     RemainClass = "kept token" // a session, token, key or application password
	KeptOwnership RemainClass = "kept ownership"
	MailForward   RemainClass = "mail forward"
	Unreturned    RemainClass = "unreturned device"
	NestedGroup   RemainClass = "nested group"
	Unread        RemainClass = "unreadable"
	OpenTask      RemainClass = "open task"
)

// Remain is one thing that an account still has or gives beside its entitlements, as its system shows it.
type Remain struct {
	Class RemainClass `json:"class"`
	Name  string      `json:"name"`          // what it is called there
	Ref   string      `json:"ref,omitempty"` // its id there; never a secret
	Note  string      `json:"note,omitempty"`
	Act   string      `json:"act,omitempty"` // who has to do what
}

// SystemVerdict is how a system stands for a leaver. What could not be read is never closed.
type SystemVerdict string

const (
	Closed     SystemVerdict = "closed"
	StillOpen  SystemVerdict = "open"
	Unreadable SystemVerdict = "unreadable"
	ByHand     SystemVerdict = "by hand" // everything that can be read is closed, and a human has still to do something
)

// ReadBack is what one system said when it was asked what a leaver still has.
type ReadBack struct {
	System    string        `json:"system"`
	Title     string        `json:"title"`
	Verdict   SystemVerdict `json:"verdict"`
	Accounts  []string      `json:"accounts,omitempty"` // the vendor's ids that were looked at
	Findings  []Remain      `json:"findings,omitempty"`
	Unchecked []string      `json:"unchecked,omitempty"` // what this system does not tell us
}

// Certificate is what every system said of a leaver at an instant.
type Certificate struct {
	ID      CertificateID `json:"id"`
	Person  PersonID      `json:"person"`
	Made    time.Time     `json:"made"`
	By      string        `json:"by,omitempty"` // "": by itself
	Name    string        `json:"name"`
	Left    time.Time     `json:"left"`
	Policy  string        `json:"policy"` // version in force
	Seq     int64         `json:"seq"`    // last line of the ledger that it rests upon, and its chain
	Chain   string        `json:"chain"`
	Lines   int           `json:"lines"` // how many lines of the ledger are about the person
	Systems []ReadBack    `json:"systems"`
	Others  []Remain      `json:"others,omitempty"` // what is open in our own books
}

// Counts are the systems by verdict.
func (c Certificate) Counts() map[SystemVerdict]int {
	out := map[SystemVerdict]int{}
	for _, s := range c.Systems {
		out[s.Verdict]++
	}
	return out
}

// Clean says that every system was read and nothing is open anywhere.
func (c Certificate) Clean() bool {
	return c.Counts()[Closed] == len(c.Systems) && len(c.Others) == 0
}

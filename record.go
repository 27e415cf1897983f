package dayone

import "time"

// Record is one line of the evidence ledger. It names nobody: Person is our own id. Personal values stay in Detail,
// which is kept beside the ledger under the person's own key; the ledger holds only its salted digest.
type Record struct {
	Seq     int64
	At      time.Time
	Person  PersonID
	Run     RunID
	Step    StepID
	What    string // granted, changed, already so, removed, pending, confirmed, sent, failed, skipped, started, ...
	System  string
	Because []Reason
	By      string // a human who decided, as login; "" for the engine
	Detail  *Detail
}

// Detail is what the system confirmed: before and now.
type Detail struct {
	Before *Item  `json:",omitempty"`
	Now    *Item  `json:",omitempty"`
	Note   string `json:",omitempty"`
}

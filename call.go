package dayone

import "time"

// Call is one request that a connector made, as its log shows it: what was asked and what came of it, and no value of it. What
// stands in an address or names a field is kept only where the connector's own source has that word; all else is {}.
type Call struct {
	At     time.Time
	Method string
	Host   string
	Path   string        // with {} for each part that is a value
	Op     string        `json:",omitempty"` // what was asked for, where all requests go to one address
	Query  []string      `json:",omitempty"` // names
	Keys   []string      `json:",omitempty"` // names of fields in the body: profile.email
	More   int           `json:",omitempty"` // names that are not kept
	Bytes  int64         `json:",omitempty"` // of the body
	Status int           `json:",omitempty"` // 0: no answer
	Took   time.Duration // until the answer began
	ID     string        `json:",omitempty"` // by which the vendor finds the request in its own log
	Fault  string        `json:",omitempty"` // why there is no answer, in a word
	Again  string        `json:",omitempty"` // the same request was made before, and this is why it was made again
}

// Bounds of a log. What is beyond them is counted and not kept.
const (
	CallsKept    = 40 // requests of one attempt: the first and the last of them
	AttemptsKept = 10 // attempts of one step, the last of them
)

// CallLog are the requests of one attempt of a step, in their order.
type CallLog struct {
	Seq     int // of the step in its run
	Attempt int
	System  string
	At      time.Time // of the answer
	Kind    string    // why the attempt did not succeed, by kind; "": it did
	Calls   []Call
	Left    int // requests between the first and the last that are not kept
}

package dayone

import "time"

// Alert is something that somebody has to know: it opens once, and is resolved when it is over. It names nobody: person and
// run are ids, and the note holds counts, instants and names of systems.
type Alert struct {
	ID       string
	Rule     string
	Subject  string // what it is about, by the rule: a person, a run, a system, a source...
	Person   PersonID
	Run      RunID
	Note     string
	Opened   time.Time
	Resolved time.Time // zero: it is open
	Told     time.Time // when it was last told
}

// Letter is what is to be sent outside of runs. Sent again after a crash it has the same Once.
type Letter struct {
	Once  string
	Via   string // which way out
	Kind  string // alert.opened, alert.reminder, alert.resolved, run.finished
	About string // letters about the same thing go out in their order
	Body  string // JSON that names nobody
	Made  time.Time
	Next  time.Time // when it is sent, or sent again
	Tries int
	Sent  time.Time
	Error string // why it was not taken the last time
}

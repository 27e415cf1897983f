package dayone

import "time"

// PolicyVersion is a policy folder as it once was. Its id is the hash of its content, so it never changes.
type PolicyVersion struct {
	ID     string
	Files  []byte // a zip of the folder; empty in lists
	Commit string // of git, where it came from one
	Author string
	Note   string
	Made   time.Time
}

// Stage makes a version the one that events are evaluated against: for everybody, or for those that Only names. The
// latest stage that names somebody counts. Going back is another stage.
type Stage struct {
	Seq      int64
	Version  string
	Only     map[string]string // attribute: value; empty for everybody
	Approver string
	Reason   string
	Applied  time.Time
	People   int // whose access it changed
}

// Covers says whether a stage is for somebody.
func (s Stage) Covers(p Person) bool {
	for name, value := range s.Only {
		if p.Attrs.Text(name) != value {
			return false
		}
	}
	return true
}

// ActState is how far a PolicyAct is.
type ActState string

// A waiting act takes effect when its notice is over; all others are at an end.
const (
	ActWaiting   ActState = "waiting"
	ActApplied   ActState = "applied"
	ActWithdrawn ActState = "withdrawn"
	ActRefused   ActState = "refused" // at its instant the plan was not the same any more
)

// PolicyAct is a plan for everybody that its author alone approved. Where there is one administrator, a second person is
// replaced by time: it takes effect at Due, everybody can see it until then, and anybody can withdraw it.
type PolicyAct struct {
	ID       string
	Version  string
	Only     map[string]string // as of a Stage
	Author   string
	Approver string
	Reason   string
	Release  string // why limits may be passed
	Made     time.Time
	Due      time.Time
	After    int64               // the latest stage when it was planned
	Marks    map[PersonID]string // what it changes for whom, as digests; nil in lists
	People   int
	State    ActState
	Ended    time.Time
	By       string // who withdrew it
	Why      string // it was refused
	Told     ActState
}

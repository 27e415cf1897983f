package dayone

import "time"

// ApprovalState is how far a request for an approval is.
type ApprovalState string

const (
	ApprovalOpen      ApprovalState = "open"
	ApprovalGiven     ApprovalState = "approved"
	ApprovalRefused   ApprovalState = "refused"
	ApprovalExpired   ApprovalState = "expired"   // nobody answered: that is no
	ApprovalWithdrawn ApprovalState = "withdrawn" // nobody wants it any more
)

var ApprovalStates = []ApprovalState{ApprovalOpen, ApprovalGiven, ApprovalRefused, ApprovalExpired, ApprovalWithdrawn}

// Petition asks somebody to agree to one grant of one person. It belongs to the grant and not to a run: Once finds it
// again, for as long as the grant is wanted.
type Petition struct {
	ID        ApprovalID
	Person    PersonID
	Key       Key
	Role      string
	Once      string // of person, key and role
	State     ApprovalState
	Rule      Approval
	Because   []Reason
	Requester string // who asked for it anew, as a mail address: she does not decide
	Run       RunID
	Step      StepID
	Opened    time.Time
	Due       time.Time // silence until then is no
	Asked     time.Time // the first message is out
	Reminded  time.Time
	Escalated time.Time
	Decided   time.Time
	Ended     time.Time     // the grant is no longer wanted, or somebody asked anew
	Next      time.Time     // when those who decide hear of it again, or it expires
	Noted     ApprovalState // what the ledger knows
	Deciders  []Decider     // as they were found last
	Votes     []Vote
}

// Decider is somebody who may decide, and why.
type Decider struct {
	Mail string
	As   string // the word of the rule: manager, owner, group:NAME, a mail address
	Why  string
}

// Vote is one answer. Of is who decides, By who was logged in.
type Vote struct {
	Of     string
	By     string
	As     []string // words of the rule for which it counts
	Yes    bool
	Reason string
	At     time.Time
}

// Delegation lets somebody decide for somebody else for a time.
type Delegation struct {
	ID       string
	Person   PersonID
	Delegate PersonID
	From     time.Time
	Until    time.Time
	By       string
	Made     time.Time
}

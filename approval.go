package dayone

import (
	"strings"
	"time"
)

// ApprovalState is how far an approval is.
type ApprovalState string

const (
	ApprovalOpen      ApprovalState = "open"
	ApprovalGiven     ApprovalState = "approved"
	ApprovalRefused   ApprovalState = "refused"
	ApprovalExpired   ApprovalState = "expired"   // nobody answered: that is no
	ApprovalWithdrawn ApprovalState = "withdrawn" // nobody wants it any more
)

var ApprovalStates = []ApprovalState{ApprovalOpen, ApprovalGiven, ApprovalRefused, ApprovalExpired, ApprovalWithdrawn}

// Petition is one approval that is asked for: it asks somebody to agree to one grant of one person. It belongs to the grant and not to a run: Once finds it
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
	Asks      []Ask  // who asked for it, the first one first: none of them decides; empty: a policy
	Anew      bool   // it was refused, or nobody answered, and was asked for again
	Why       string // it was withdrawn though policies want it, and why: the next look that may ask asks again
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

// Requester is who asked for it last, as a mail address; "": a policy, or nobody said who.
func (p Petition) Requester() string {
	if n := len(p.Asks); n > 0 {
		return p.Asks[n-1].Of
	}
	return ""
}

// Reason is what it was asked for last; "": nobody said.
func (p Petition) Reason() string {
	if n := len(p.Asks); n > 0 {
		return p.Asks[n-1].Reason
	}
	return ""
}

// Askers are the mail addresses of all who asked for it, or entered that somebody asks: none of them decides.
func (p Petition) Askers() (out []string) {
	for _, a := range p.Asks {
		for _, who := range []string{a.Of, a.By} {
			if IsMail(who) {
				out = append(out, strings.ToLower(who))
			}
		}
	}
	return out
}

// IsMail tells a mail address from the name of a login that several share.
func IsMail(who string) bool { return strings.Contains(who, "@") }

// Ask is one wish for it. Of is who asks, as a mail address, By who was logged in.
type Ask struct {
	Of     string
	By     string
	Reason string
	At     time.Time
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

// Who is who decided, and who entered it where that was somebody else.
func (v Vote) Who() string {
	switch {
	case v.Of == "":
		return v.By
	case v.By == "" || strings.EqualFold(v.Of, v.By):
		return v.Of
	}
	return v.Of + ", entered by " + v.By
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

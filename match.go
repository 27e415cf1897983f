package dayone

import "time"

// MatchState is where the question stands whether somebody is known already.
type MatchState string

const (
	MatchOpen  MatchState = "open"
	MatchSame  MatchState = "same"  // one of the suspects
	MatchOther MatchState = "other" // somebody we do not know yet
)

// Match is the question to a human whether an employment that a source tells of is one of somebody who is known already. Until
// it is answered nothing that the source says of that employment counts, and nothing of it is lost.
type Match struct {
	ID       MatchID
	Source   string
	Subject  string // the source's id of the employment
	Event    EventID
	Opened   time.Time
	Suspects []Suspect
	Says     map[string]string // what the source says of whom it means, by the names of people.yaml; empty once it is decided
	State    MatchState
	Person   PersonID // whose it is: MatchSame
	By       string
	Decided  time.Time
}

// Suspect is somebody who may be meant, and what speaks for it.
type Suspect struct {
	Person PersonID `json:"person"`
	Why    []string `json:"why"`
}

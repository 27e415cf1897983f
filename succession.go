package dayone

import "time"

// HandedKind is what somebody looked after in our own books.
type HandedKind string

const (
	HandedTask       HandedKind = "task"        // an open task that was hers
	HandedSponsor    HandedKind = "sponsorship" // somebody in no HR system for whom she answered
	HandedDelegation HandedKind = "delegation"  // she decided for somebody, or somebody for her
	HandedApproval   HandedKind = "approval"    // a question for which nobody is found any more who may decide
	HandedReport     HandedKind = "report"      // somebody whose manager she is, as HR says
	HandedPolicy     HandedKind = "policy"      // a policy that names her as its owner, or as one who decides
	HandedSetting    HandedKind = "setting"     // a setting that names her
)

// Handed is one thing that somebody who has left looked after.
type Handed struct {
	Kind HandedKind `json:"kind"`
	Ref  string     `json:"ref"`            // the id of the task, employment, delegation, approval, person or policy
	Name string     `json:"name"`           // what it is called
	To   string     `json:"to,omitempty"`   // who has it now
	Over bool       `json:"over,omitempty"` // it has ended, and nobody has to take it over
	Act  string     `json:"act,omitempty"`  // what a human has to do; "": it is done
}

// Succession is what became of everything that somebody looked after who has left. What is to be moved is kept before it is
// moved: what a crash cut short goes on from there.
type Succession struct {
	Person PersonID  `json:"person"`
	Left   time.Time `json:"left"`
	Made   time.Time `json:"made"`           // what she looked after was listed then
	Done   time.Time `json:"done,omitzero"`  // zero: it is under way
	To     string    `json:"to,omitempty"`   // her successor; "": nobody is found
	Why    string    `json:"why,omitempty"`  // how the successor was found
	Task   TaskID    `json:"task,omitempty"` // what is left to a human
	Items  []Handed  `json:"items,omitempty"`
}

// ToDo are those of them that a human has to see to.
func (s Succession) ToDo() (out []Handed) {
	for _, h := range s.Items {
		if h.Act != "" {
			out = append(out, h)
		}
	}
	return out
}

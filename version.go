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

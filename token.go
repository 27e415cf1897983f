package dayone

import "time"

// APIToken lets a program call the API. What opens is shown once, when it is made; only its digest is kept.
type APIToken struct {
	ID      string // tok_...
	Name    string // of what uses it; goes into records
	Role    Role
	Reach   Reach // how far the role reaches
	Made    time.Time
	By      string // who made it
	Expires time.Time
	Used    time.Time // roughly; zero: never
	Ended   time.Time // zero: it was not taken back
	EndedBy string
}

// Opens says whether a token lets in at an instant.
func (t APIToken) Opens(now time.Time) bool { return t.Ended.IsZero() && now.Before(t.Expires) }

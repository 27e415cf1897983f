package dayone

import (
	"slices"
	"time"
)

// Hold keeps policies away from what somebody took back: while it stands nothing of it is given and nothing of it is
// taken. Without one the next event would bring back what an undo has just removed. What goes with its end is decided by a
// human; only one that keeps somebody's access open although they have left ends by itself.
type Hold struct {
	ID      HoldID
	Person  PersonID
	Run     RunID   // what was taken back
	Keys    []Key   // its scope; it covers nothing else
	Keep    bool    // what is there stays also when its owner has left: the undo of a leaver
	Away    bool    // what is there is taken away, and not given: the no of a review
	Brake   BrakeID // a brake's: what would be taken away stays until somebody lets it go
	Reason  string
	By      string
	From    time.Time
	Until   time.Time
	Ended   time.Time // zero: it stands
	EndedBy string
}

// Covers says whether the hold is about k.
func (h Hold) Covers(k Key) bool { return slices.Contains(h.Keys, k) }

// Due says that the hold has come to its end, and that somebody has to decide.
func (h Hold) Due(now time.Time) bool { return h.Ended.IsZero() && !h.Until.After(now) }

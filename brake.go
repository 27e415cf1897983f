package dayone

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Brake is a limit that was passed: what is beyond it waits until somebody lets it through or throws it away.
type Brake struct {
	ID     BrakeID
	Scope  string // what it holds: "source:hr", or what is taken away there: "system:okta"
	Rule   string // one of the rules below; some with what it is about behind it
	State  BrakeState
	Note   string // why it holds, in counts: it names nobody
	Held   int    // what waits, or waited when somebody decided
	Opened time.Time
	Closed time.Time
	By     string // who decided, with whom, and why
	Second string
	Reason string

	Proposed *ProposedRelease // what somebody wants and nobody has confirmed; nil: nothing, or it does not hold any more

	List *ListFigures // of the list that it holds whole; nil: it holds none, or was on before they were counted
}

// ProposedRelease is a release that takes a second person, who has a login of their own. Until they confirm it nothing goes.
type ProposedRelease struct {
	By     string   // as it is recorded
	Logins []string // whoever is behind it: the login, and who made it where it is a token
	At     time.Time
	Reason string
	Hash   string // of what was reviewed
	Stale  bool   // something else is held by now: it counts for nothing
}

// ListFigures are what a list that is held has against the books, so that whoever decides can check the sums: Records is
// There, New and Unusable together, Known is There, Missing and Aside. What is confidential counts as if all knew it already.
type ListFigures struct {
	Before   int  `json:"before"`   // records of the last list that counted; of the first, employments in the books that go on
	Records  int  `json:"records"`  // of this one
	There    int  `json:"there"`    // of employments in the books
	New      int  `json:"new"`      // of people who are not in the books
	Unusable int  `json:"unusable"` // of nobody in the books, and of no use
	Known    int  `json:"known"`    // employments in the books, those that have ended too
	Missing  int  `json:"missing"`  // of those that go on and should be in it
	Aside    int  `json:"aside"`    // not in it, and not missing either: ended, or end today, or newer than the list
	Unfit    bool `json:"unfit"`    // it is empty, or has records that are old or of no use: nobody counts as missing from it
}

// Rules of brakes. After a colon stands an attribute, a key, or what tells one body from another.
const (
	BrakeTerminations = "terminations" // more people of a source leave in a day than may
	BrakeShift        = "shift:"       // an attribute of too many people of a source changes in a day
	BrakeRead         = "read"         // a whole list that is empty, much shorter, or changes too much
	BrakeBody         = "body:"        // one body that ends more employments than a day may
	BrakeChanged      = "changed"      // it was let through, and then was not what had been reviewed
	BrakeRemovals     = "removals"     // a system takes something from more people in a day than may lose it
	BrakeList         = "list"         // a system lists far fewer accounts than before
	BrakeEmpty        = "empty:"       // an entitlement that several have is left without anybody
)

// BrakeVeiled ends the rule of a brake that holds what is confidential: it counts apart, and only those who may know find it.
const BrakeVeiled = ", confidential"

// Veiled says whether only those who may know what is confidential may know that the brake is there.
func (b Brake) Veiled() bool { return strings.HasSuffix(b.Rule, BrakeVeiled) }

// BrakeState is where a brake stands.
type BrakeState string

const (
	BrakeMaking    BrakeState = "making" // what it holds is being written
	BrakeOn        BrakeState = "on"     // it holds
	BrakeReleased  BrakeState = "released"
	BrakeDiscarded BrakeState = "discarded"
	BrakeReplaced  BrakeState = "replaced" // by a newer list of the same source, or nothing is left to be held
)

// Held is one thing that a brake holds.
type Held struct {
	Brake   BrakeID
	Item    string // an event, or a hold
	Person  PersonID
	Subject string // the source's id of the employment
	Mark    string // a digest of what would change; "": nobody has looked yet
	What    string // what it amounts to: planned termination, transfer: manager
	Lines   []HeldLine
}

// HeldLine is one thing that would change.
type HeldLine struct {
	What string `json:"what"`
	Was  string `json:"was"`
	Is   string `json:"is"`
}

// HeldHash is what a release names: whoever lets something through has seen just this.
func HeldHash(items []Held) string {
	lines := make([]string, 0, len(items))
	for _, h := range items {
		lines = append(lines, h.Item+" "+h.Mark+"\n")
	}
	slices.Sort(lines)
	sum := sha256.New()
	for _, l := range lines {
		sum.Write([]byte(l))
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}

// Announcement lets more terminations of a source through than a day may have: a lay-off that is known beforehand.
type Announcement struct {
	ID      string
	Source  string
	Count   int
	Used    int
	From    time.Time
	Until   time.Time
	Reason  string
	By      string
	Second  string   // who confirmed it; "": nobody
	Logins  []string // whoever is behind it, as with a proposed release
	Made    time.Time
	Counts  time.Time // from when on it lets anybody pass; zero: once somebody else confirms it
	Ended   time.Time // zero: it stands
	EndedBy string
}

// LetsPass says whether an announcement counts at an instant, whatever its window is. two: nobody may announce alone here.
func (a Announcement) LetsPass(now time.Time, two bool) bool {
	return !a.Counts.IsZero() && !now.Before(a.Counts) && (!two || a.Second != "")
}

// Absence is an employment that a source's last list does not have. By itself it ends nothing.
type Absence struct {
	Source  string
	Subject string
	Person  PersonID
	Since   time.Time
}

// SourceRead is the last time that a source's whole list was read.
type SourceRead struct {
	Source  string
	First   time.Time // the first one that counted
	At      time.Time // the last try
	Counted time.Time // the last one that counted
	Records int       // of that one
	Seen    int       // of the last try
	Note    string    // what became of the last try
	Brake   BrakeID   // that holds it; "": none
}

// SystemList is the last count of the accounts that a system lists.
type SystemList struct {
	System   string
	At       time.Time // the last count
	Counted  time.Time // the last one that is believed
	Accounts int       // of that one
	Seen     int       // of the last count
	Note     string    // why the last count is not believed; "": it is
	Brake    BrakeID   // that holds it; "": none
}

// AfterScope is the source or system that a scope names.
func AfterScope(scope string) string {
	_, name, _ := strings.Cut(scope, ":")
	return name
}

// KeysMark is the digest of accesses that would be taken away.
func KeysMark(keys []Key) string {
	texts := make([]string, 0, len(keys))
	for _, k := range keys {
		texts = append(texts, k.String())
	}
	slices.Sort(texts)
	sum := sha256.Sum256([]byte(strings.Join(texts, "\n")))
	return hex.EncodeToString(sum[:])[:16]
}

package number

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

// FindingKind says what is wrong; it is stable, for programs.
type FindingKind string

const (
	Leaver      FindingKind = "leaver"       // somebody who left has it
	Nobody      FindingKind = "nobody"       // whoever has it is in no books
	Unconfirmed FindingKind = "unconfirmed"  // its platform never showed it
	Resting     FindingKind = "resting"      // its rest is over, and something keeps it
	OutOfRange  FindingKind = "out-of-range" // in use, and its range is not ours
	Outside     FindingKind = "outside"      // in use, and in no pool
	TwoNumbers  FindingKind = "two-numbers"  // somebody has several of one pool
	OtherStated FindingKind = "other-stated" // a source says another number of somebody than the books do
	FreeStated  FindingKind = "free-stated"  // a source says a number of somebody that is nobody's
	Doubled     FindingKind = "doubled"      // two people are said to have one number
	Unreadable  FindingKind = "unreadable"   // a source says something that is no number
	LowPool     FindingKind = "low"          // few are left
	ShortPool   FindingKind = "short"        // people who come get none
)

// FindingKinds are all there are, the worst first.
var FindingKinds = []FindingKind{Leaver, Nobody, Doubled, OtherStated, FreeStated, OutOfRange, Outside, ShortPool, LowPool, Unconfirmed, Resting, TwoNumbers, Unreadable}

// Finding is one thing that is wrong, and what to do about it.
type Finding struct {
	Kind   FindingKind
	Pool   string
	Number dayone.NumberID
	Person dayone.PersonID
	Text   string
	Next   string
}

// Auditor compares the books with what is known of people. Numbers come first, then what sources state.
type Auditor struct {
	plan   *Plan
	now    time.Time
	out    []Finding
	has    map[holder]dayone.NumberID // the first one of each pool
	owner  map[string]dayone.PersonID // of numbers with an E.164 form; "": nobody's
	hers   map[dayone.PersonID][]string
	stated map[string]dayone.PersonID
}

type holder struct {
	person dayone.PersonID
	pool   string
}

// NewAuditor begins an audit. sources says that statements will come: then it is remembered whose each number is.
func NewAuditor(p *Plan, now time.Time, sources bool) *Auditor {
	a := &Auditor{plan: p, now: now, has: map[holder]dayone.NumberID{}}
	if sources {
		a.owner, a.hers, a.stated = map[string]dayone.PersonID{}, map[dayone.PersonID][]string{}, map[string]dayone.PersonID{}
	}
	return a
}

// Number looks at one number. status is its owner's; "": nobody knows her. kept says why it rests on after its time.
func (a *Auditor) Number(n dayone.Number, status dayone.Status, kept string) {
	if a.owner != nil && n.E164 != "" {
		a.owner[n.E164] = n.Owner
		if n.Owner != "" {
			a.hers[n.Owner] = append(a.hers[n.Owner], n.E164)
		}
	}
	find := func(k FindingKind, next, format string, args ...any) {
		a.out = append(a.out, Finding{k, n.Pool, n.ID, n.Owner, fmt.Sprintf(format, args...), next})
	}
	if pool, ok := a.plan.Pool(n.Pool); ok && n.State == dayone.NumberQuarantine && kept != "" {
		if until := n.Used.Add(pool.Quarantine); !until.After(a.now) {
			find(Resting, "See to what keeps it; it is available at the next look.", "its rest was over on %s, and it rests on: %s", until.Format(time.DateOnly), kept)
		}
	}
	if n.State != dayone.NumberAssigned && n.State != dayone.NumberReserved {
		return
	}
	switch {
	case n.Owner == "": // reserved for somebody who is to come
	case status == "":
		find(Nobody, "Find out who uses it, and release it or assign it anew.", "whoever has it is in no books")
	case status == dayone.Left:
		text := "it is assigned, and its owner has left"
		if n.State == dayone.NumberReserved {
			text = "it is reserved for somebody who has left"
		}
		find(Leaver, "Release it, or name an heir.", "%s", text)
	}
	if n.State != dayone.NumberAssigned {
		return
	}
	if n.Confirmed.IsZero() && !n.Until.IsZero() && !n.Until.After(a.now) {
		find(Unconfirmed, "Look at the platform: confirm it there, or release it here.", "it was assigned on %s, and its platform has not shown it", n.Since.Format(time.DateOnly))
	}
	a.place(n, find)
	at := holder{n.Owner, n.Pool}
	if first, two := a.has[at]; two && n.Owner != "" {
		find(TwoNumbers, "Release the one that is not used.", "its owner has %s of the same pool, too", first)
	} else {
		a.has[at] = n.ID
	}
}

// place says where a number in use has no right to be.
func (a *Auditor) place(n dayone.Number, find func(FindingKind, string, string, ...any)) {
	pool, ok := a.plan.Pool(n.Pool)
	if !ok {
		find(Outside, "Put it into a pool of numbers.yaml, or release it.", "it is in no pool: nobody knows its emergency location")
		return
	}
	r, ok := pool.Range(n.Range)
	switch {
	case n.Range == "":
	case !ok:
		find(Outside, "Put its range back into numbers.yaml, or release it.", "its range is not in numbers.yaml any more")
	case r.Out(a.now) != "":
		find(OutOfRange, "Give its owner another number.", "%s", r.Out(a.now))
	case r.Port == PortingOut:
		find(OutOfRange, "Give its owner another number before it goes.", "its range is being ported out")
	}
}

// Stated looks at what a source says is somebody's number.
func (a *Auditor) Stated(person dayone.PersonID, country, attribute, text string) {
	find := func(k FindingKind, number, next, format string, args ...any) {
		a.out = append(a.out, Finding{k, "", dayone.NumberID(number), person, fmt.Sprintf(format, args...), next})
	}
	e, err := Parse(text, country)
	if err != nil {
		find(Unreadable, "", "Correct it at its source.", "%s holds what is no number", attribute)
		return
	}
	if other, twice := a.stated[e]; twice && other != person {
		find(Doubled, e, "Find out whose it is, and correct it at its source.", "%s says it is theirs, and the same is said of somebody else", attribute)
		return
	}
	a.stated[e] = person
	owner, known := a.owner[e]
	hers := a.hers[person]
	switch {
	case owner == person:
	case owner != "":
		find(Doubled, e, "Find out whose it is; the books say somebody else's.", "%s says it is theirs, and the books say it is somebody else's", attribute)
	case len(hers) > 0:
		find(OtherStated, e, "Correct one of them.", "%s says this number, and the books say %s", attribute, hers[0])
	case known:
		find(FreeStated, e, "Assign it to them, or correct it at its source; until then it may be given to somebody else.", "%s says it is theirs, and in the books it is nobody's", attribute)
	}
}

// Pool looks at how long a pool lasts.
func (a *Auditor) Pool(p Pool, o Outlook) {
	find := func(k FindingKind, next, format string, args ...any) {
		a.out = append(a.out, Finding{k, p.Name, "", "", fmt.Sprintf(format, args...), next})
	}
	switch {
	case o.Short > 0:
		find(ShortPool, "Order a range, or release what leavers have.", "%d of %d people who are to come get no number, the first on %s", o.Short, o.Needs, o.ShortAt.Format(time.DateOnly))
	case o.Free < p.Low:
		find(LowPool, "Order a range, or release what leavers have.", "%d numbers are left, and fewer than %d are too few", o.Free, p.Low)
	}
}

// Findings are all of them, the worst first.
func (a *Auditor) Findings() []Finding {
	slices.SortFunc(a.out, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(FindingKinds, x.Kind), slices.Index(FindingKinds, y.Kind)), cmp.Compare(x.Pool, y.Pool), cmp.Compare(x.Number, y.Number), cmp.Compare(x.Person, y.Person), cmp.Compare(x.Text, y.Text))
	})
	return a.out
}

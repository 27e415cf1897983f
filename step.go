package dayone

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// StepID is the key and the action: "okta/group:sales-team entitlement.add".
type StepID string

// Action is how a step is shown, permitted, limited and priced. Its meaning is Have -> Want.
type Action string

const (
	AccountCreate      Action = "account.create" // or adopt, if the account is bound to this person
	AccountUpdate      Action = "account.update"
	AccountEnable      Action = "account.enable"
	AccountDisable     Action = "account.disable"
	AccountDelete      Action = "account.delete"
	AccountConfirm     Action = "account.confirm" // reads only: is what was pending there now?
	EntitlementAdd     Action = "entitlement.add" // or change its role
	EntitlementRemove  Action = "entitlement.remove"
	EntitlementConfirm Action = "entitlement.confirm"
	MessageSend        Action = "message.send"
)

var Actions = []Action{
	AccountCreate, AccountUpdate, AccountEnable, AccountDisable, AccountDelete, AccountConfirm,
	EntitlementAdd, EntitlementRemove, EntitlementConfirm, MessageSend,
}

// Gives says whether the action adds something; the others take, read or tell.
func (a Action) Gives() bool {
	switch a {
	case AccountCreate, AccountUpdate, AccountEnable, EntitlementAdd:
		return true
	}
	return false
}

// Takes says whether the action takes something away.
func (a Action) Takes() bool {
	switch a {
	case AccountDisable, AccountDelete, EntitlementRemove:
		return true
	}
	return false
}

// When a need is met.
type When string

const (
	Done    When = ""        // the item is there: done, or it waits only for its owner's own act
	Settled When = "settled" // moves no more by itself: done, failed, blocked, skipped, or waits for a human
	Tried   When = "tried"   // had its first answer, good or bad
)

// Need is an edge of the plan.
type Need struct {
	Step StepID
	When When `json:",omitempty"`
}

// Step is one idempotent action at one system, as data: no function, no clock, no secret.
type Step struct {
	ID       StepID
	Action   Action
	Key      Key
	Subject  Subject   `json:",omitzero"`
	Account  Value     `json:",omitzero"`  // the account's vendor id: text, or ${okta.account.ref}
	Have     *Item     `json:",omitempty"` // nil: not there
	Want     *Item     `json:",omitempty"` // nil: to be gone
	Needs    []Need    `json:",omitempty"`
	Because  []Reason  `json:",omitempty"`
	Critical Critical  `json:",omitempty"`
	Via      Key       `json:",omitzero"`  // somebody else provisions it: wait and verify
	On       []Moment  `json:",omitempty"` // messages: only then; empty: once all else has settled
	After    time.Time `json:",omitzero"`  // messages at risk: then at the latest
	Undo     Undo      `json:",omitempty"`
	Once     string    // hex of (person, key, generation): the same over retries and runs
	Lock     string    `json:",omitempty"` // steps with the same lock never run at the same time
	Tier     Tier      `json:",omitempty"`
	Implied  bool      `json:",omitempty"`
	Undoes   StepID    `json:",omitempty"` // the step of an earlier run that this one takes back
	Urgent   bool      `json:",omitempty"` // a leaver is cut off: whatever stands in the way, it is tried, and somebody is told

	Approval *Approval `json:",omitempty"` // it does not start before these have agreed
	Along    []StepID  `json:",omitempty"` // only these bring it along: it starts when one of them was agreed to
}

// Undo says how a step is taken back: restore, delete, disable, or "none: why".
type Undo string

const (
	UndoRestore Undo = "restore"
	UndoDelete  Undo = "delete"
	UndoDisable Undo = "disable"
	UndoNone    Undo = "none: "
)

func (u Undo) Possible() bool { return u != "" && !strings.HasPrefix(string(u), string(UndoNone)) }

// Later is something the plan does not do yet.
type Later struct {
	Key     Key
	From    time.Time
	Because []Reason `json:",omitempty"`
}

// Plan is want minus have for one person: steps in topological order, ties by id. There is no id and no clock in it:
// equal inputs give equal plans, and an equal hash.
type Plan struct {
	Person    PersonID
	At        time.Time
	Steps     []Step
	Later     []Later         `json:",omitempty"`
	Occasions []Occasion      `json:",omitempty"` // what its messages tell of beside the run itself
	Findings  []Finding       `json:",omitempty"`
	Leaves    bool            `json:",omitempty"` // it was made for somebody who has left
	Lost      []Key           `json:",omitempty"` // nothing justifies them from now on, and their loss is put off
	Release   map[Key]Release `json:",omitempty"` // what losing each grant will do, for the books
}

// Hash is over the plan's JSON without commit ids and without the instants at which it was made and she was first heard
// of: else every commit, and every look at the clock, would void every saved plan.
func (p Plan) Hash() string {
	p.At = time.Time{}
	p.Steps = append([]Step(nil), p.Steps...)
	for i := range p.Steps {
		p.Steps[i].Because = withoutCommits(p.Steps[i].Because)
		p.Steps[i].Subject.Recorded = time.Time{}
	}
	p.Later = append([]Later(nil), p.Later...)
	for i := range p.Later {
		p.Later[i].Because = withoutCommits(p.Later[i].Because)
		if slices.Contains(p.Lost, p.Later[i].Key) { // counted from the look
			p.Later[i].From = time.Time{}
		}
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic("dayone: a plan that cannot be marshalled: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func withoutCommits(rs []Reason) []Reason {
	out := make([]Reason, len(rs))
	for i, r := range rs {
		r.Commit = ""
		out[i] = r
	}
	return out
}

// Act is a step with its references resolved and its secrets opened: what a connector gets. Never stored, never logged.
type Act struct {
	Once    string
	Action  Action
	Key     Key
	Subject Subject
	Account string // vendor id of the account it hangs on
	Have    *Item
	Want    *Item
	Via     Key
	Secrets map[string]Secret
	Since   time.Time // when this step was first intended
	Attempt int       // number of this call, from 1
	Fresh   bool      // Have was read from the system in this run
}

// Made says that an account is the one that an earlier call of this step made, whose answer was lost: it is as young as our
// first try.
func (a Act) Made(it Item) bool {
	return a.Attempt > 1 && !it.Created.IsZero() && !it.Created.Before(a.Since.Truncate(time.Second))
}

// Hers says that an account which the books call nobody's is this subject's without a human's word: it carries her
// employee number; or it carries nobody's, and we made it, or it was made after this hire was recorded. A match by mail or
// login alone is a question to a human.
func (a Act) Hers(it Item) bool {
	number := it.Attrs.Text("employee_number")
	switch {
	case a.Action != AccountCreate || a.Subject.Ref != "":
		return false
	case number != "":
		return number == a.Subject.Keys["employee_number"]
	default:
		return a.Made(it) || !a.Subject.Recorded.IsZero() && it.Created.After(a.Subject.Recorded)
	}
}

// Result is a connector's answer. Whether something was changed is computed from Before and Now, never claimed.
type Result struct {
	Before  *Item             `json:",omitempty"`
	Now     *Item             `json:",omitempty"`
	Also    []Item            `json:",omitempty"` // account steps: every entitlement seen on the account
	Wait    *Wait             `json:",omitempty"`
	Secrets map[string]Secret `json:"-"` // made by the vendor; sealed in the outcome's transaction
	Calls   []Call            `json:"-"` // requests that were made for it, also where it failed; a log of its own has them
	Left    int               `json:"-"` // and how many of them are not among these
}

// Changed says whether the step changed anything.
func (r Result) Changed() bool {
	if (r.Before == nil) != (r.Now == nil) {
		return true
	}
	if r.Before == nil {
		return false
	}
	return r.Before.State != r.Now.State || r.Before.Role != r.Now.Role || r.Before.Ref != r.Now.Ref ||
		len(r.Before.Attrs.Differ(r.Now.Attrs)) > 0
}

// WaitKind says for whom or what a step waits.
type WaitKind string

const (
	WaitApproval    WaitKind = "approval"
	WaitTask        WaitKind = "task"
	WaitFirstLogin  WaitKind = "first login"
	WaitAcceptance  WaitKind = "acceptance"
	WaitPropagation WaitKind = "propagation"
	WaitSeat        WaitKind = "seat"
	WaitSystem      WaitKind = "system down"
)

// Human says whether only a person can end the wait.
func (k WaitKind) Human() bool { return k != WaitPropagation && k != WaitSystem }

// There says whether the item exists already and only its owner's own act is missing.
func (k WaitKind) There() bool { return k == WaitFirstLogin || k == WaitAcceptance }

// Wait is a connector's "come back": at Check, or when a human says so.
type Wait struct {
	Kind  WaitKind
	Check time.Time `json:",omitzero"`
	Until time.Time `json:",omitzero"`  // a system's wait has failed then; a human's is only due
	Note  string    `json:",omitempty"` // what it waits for, and what to do: shown to people
	Ask   []string  `json:",omitempty"` // tasks: attributes that the human supplies
	Proof bool      `json:",omitempty"` // tasks: done when the human shows that it is
}

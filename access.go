package dayone

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AccountKind says whose life an account follows. Only personal and admin accounts follow their owner's.
type AccountKind string

const (
	Personal   AccountKind = "" // written without a name
	Admin      AccountKind = "admin"
	Service    AccountKind = "service"
	Shared     AccountKind = "shared"
	Resource   AccountKind = "resource"
	BreakGlass AccountKind = "break-glass"
)

var AccountKinds = []AccountKind{Admin, Service, Shared, Resource, BreakGlass}

// AccountKindName is the kind of item that is an account; every other kind is an entitlement.
const AccountKindName = "account"

// Key names a thing a person can have. Its text is the one used in policies, plans, pages and records:
//
//	okta/account              a personal account
//	ad/account:admin          an admin account
//	okta/group:sales-team     an entitlement of the personal account
//	ad+admin/group:tier0      an entitlement of the admin account
//	phone/line                a kind with one per person
type Key struct {
	System string
	Kind   string
	Name   string      // "" for accounts and for kinds with one per person
	As     AccountKind // the account it is, or hangs on
}

func (k Key) IsAccount() bool { return k.Kind == AccountKindName }

// Account is the key of the account that k is or hangs on.
func (k Key) Account() Key { return Key{System: k.System, Kind: AccountKindName, As: k.As} }

func (k Key) String() string {
	if k == (Key{}) {
		return ""
	}
	var b strings.Builder
	b.WriteString(k.System)
	if k.As != Personal && !k.IsAccount() {
		b.WriteString("+" + string(k.As))
	}
	b.WriteString("/" + k.Kind)
	switch {
	case k.IsAccount() && k.As != Personal:
		b.WriteString(":" + string(k.As))
	case k.Name != "":
		b.WriteString(":" + k.Name)
	}
	return b.String()
}

// ParseKey reads the text form. The name may hold any character, colons and slashes too.
func ParseKey(s string) (Key, error) {
	head, rest, ok := strings.Cut(s, "/")
	if !ok || head == "" || rest == "" {
		return Key{}, fmt.Errorf("%q is not system/kind or system/kind:name: %w", s, ErrInvalid)
	}
	k := Key{}
	system, as, isAs := strings.Cut(head, "+")
	k.System = system
	k.Kind, k.Name, _ = strings.Cut(rest, ":")
	if k.IsAccount() {
		as, isAs = k.Name, k.Name != ""
		k.Name = ""
	}
	if isAs {
		k.As = AccountKind(as)
		known := false
		for _, a := range AccountKinds {
			known = known || a == k.As
		}
		if !known {
			return Key{}, fmt.Errorf("%q: there is no account kind %q: %w", s, as, ErrInvalid)
		}
	}
	if k.System == "" || k.Kind == "" {
		return Key{}, fmt.Errorf("%q is not system/kind or system/kind:name: %w", s, ErrInvalid)
	}
	return k, nil
}

func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

func (k *Key) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*k = Key{}
		return nil
	}
	p, err := ParseKey(string(b))
	*k = p
	return err
}

// Less orders keys as plans and pages show them: by system, accounts first, then kind and name.
func (k Key) Less(o Key) bool {
	if k.System != o.System {
		return k.System < o.System
	}
	if k.As != o.As {
		return k.As < o.As
	}
	if k.IsAccount() != o.IsAccount() {
		return k.IsAccount()
	}
	if k.Kind != o.Kind {
		return k.Kind < o.Kind
	}
	return k.Name < o.Name
}

// Reason is why somebody has something: a policy and the line that grants it, as it stood then.
type Reason struct {
	Policy string
	At     string `json:",omitempty"` // policies/base.yaml:16
	Commit string `json:",omitempty"` // of the policy folder; "" if it is no git folder
	Hash   string `json:",omitempty"` // of the file's content, short
}

func (r Reason) String() string {
	if r.At == "" {
		return r.Policy
	}
	return r.Policy + " (" + r.At + ")"
}

// Critical says what the failure of a step does to the rest of its run.
type Critical string

const (
	Stop     Critical = "stop"     // default: what depends on it is blocked, and an alarm is raised
	Rollback Critical = "rollback" // this run's grants are taken back; never a removal, message, order or number
	Continue Critical = "continue"
)

// Approval is who must agree before a grant becomes a step.
type Approval struct {
	By     []string      // manager, owner, group:NAME, a mail address
	Need   string        // any | all
	Within time.Duration // silence after that is no
}

// Silence is how long somebody may take to answer if a policy does not say: after it the answer is no.
const Silence = 14 * 24 * time.Hour

// Release says what the loss of an account or entitlement does, and when.
type Release struct {
	Suspend     time.Duration // so long after the loss it is disabled, or taken away: grace
	DeleteAfter time.Duration // counted from the confirmed disable; zero: never deleted
}

// Grant is one line of a want.
type Grant struct {
	Key      Key
	Role     string `json:",omitempty"`
	Attrs    Attrs  `json:",omitempty"` // the policy's params and the system's attribute mapping, one map
	State    State  `json:",omitempty"` // accounts: what the life cycle asks for at this instant
	Because  []Reason
	From     time.Time     `json:",omitzero"`
	Until    time.Time     `json:",omitzero"`
	Critical Critical      `json:",omitempty"`
	Approval *Approval     `json:",omitempty"`
	Release  Release       `json:",omitzero"`
	Review   time.Duration `json:",omitempty"` // how often somebody confirms it
	Tier     Tier          `json:",omitempty"`
	Needs    []Key         `json:",omitempty"` // what the policy asks to be done first
	Implied  bool          `json:",omitempty"` // added by the planner for what another grant needs; not counted as a grant
}

// Tier is only how a plan is shown; order comes from data.
type Tier string

const (
	TierIdentity   Tier = "identity"
	TierBase       Tier = "base"
	TierDepartment Tier = "department"
	TierRole       Tier = "role"
	TierDevice     Tier = "device"
	TierMessages   Tier = "messages"
)

var Tiers = []Tier{TierIdentity, TierBase, TierDepartment, TierRole, TierDevice, TierMessages}

// Notice is a message that a want includes: sent once, when its moment comes, and never taken back.
type Notice struct {
	Key      Key // mail/message:welcome, calendar/invitation:intro
	On       []Moment
	Changed  []string // with OnChanged: the attributes that are meant
	To       []string // addresses, already resolved
	Template string
	Digest   bool // gathered: one message a day to whom they go
	Because  []Reason
}

// Moment is when a notice is sent.
type Moment string

// Moments of a run, once what it does has settled.
const (
	OnReady   Moment = "ready"   // nothing failed; all else is done or waits only for a human
	OnFailed  Moment = "failed"  // something failed or is blocked
	OnWaiting Moment = "waiting" // a human has something to do: a task, an approval, a seat
	OnAtRisk  Moment = "at_risk" // something failed, or is not there when the last working day before the first one begins
)

// Moments of a person: a run that does nothing but tell is made for them if need be, and they can come again.
const (
	OnMoved   Moment = "moved"    // another department, team, manager, title, place, company or kind of employment
	OnChanged Moment = "changed"  // one of the attributes that the notice names
	OnLeaving Moment = "leaving"  // a last day is known, or another one
	OnLeft    Moment = "left"     // the last day is over
	OnNewCode Moment = "new_code" // they have a code that they had not on their first day: renewed, or come with something
)

var Moments = []Moment{OnReady, OnFailed, OnWaiting, OnAtRisk, OnMoved, OnChanged, OnLeaving, OnLeft, OnNewCode}

// OfPerson says that the moment is one of a person, not of a run.
func (m Moment) OfPerson() bool {
	switch m {
	case OnMoved, OnChanged, OnLeaving, OnLeft, OnNewCode:
		return true
	}
	return false
}

// Occasion is something about a person that notices tell of. Its id is the same however often it is looked at, and another
// the next time it happens.
type Occasion struct {
	ID      string
	Moment  Moment
	Changes []AttrChange `json:",omitempty"`
}

// AttrChange is an attribute before and after, as text; "" is none.
type AttrChange struct{ Attr, Was, Is string }

// Finding is something that a human should know and that stops nobody else: a separation-of-duty case, an attribute
// that nobody can read, a grant that nothing offers any more.
type Finding struct {
	Kind   string // sod | unknown | conflict | missing
	Key    Key    `json:",omitzero"`
	Policy string `json:",omitempty"`
	At     string `json:",omitempty"`
	Text   string
}

// Want is everything that policies give one person at one instant, each with its reasons.
type Want struct {
	Person   PersonID
	At       time.Time
	Status   Status
	Garden   bool    `json:",omitempty"` // on garden leave, which is a kind of leave
	Grants   []Grant // now, ordered by key
	Pending  []Grant // wanted, but not without an approval that is not there
	Offers   []Grant // may be requested
	Later    []Grant // their window has not begun
	Keep     []Key   // a condition could not be evaluated: not given, not taken
	Notices  []Notice
	Findings []Finding
	Next     time.Time // the next instant at which this want can change; zero: none by itself
}

// State of an item in our words; a connector maps its vendor's.
type State string

const (
	Staged   State = "staged" // made, not yet usable
	Active   State = "active"
	Pending  State = "pending" // there, but somebody must act: invited, ordered, before its first login
	Disabled State = "disabled"
	Gone     State = "gone" // only as an answer of System.As: there is no such state, the account is deleted instead
)

// Item is one account or entitlement of one person as its system shows it.
type Item struct {
	Key     Key
	Ref     string    `json:",omitempty"` // the vendor's immutable id
	State   State     `json:",omitempty"`
	Role    string    `json:",omitempty"`
	Attrs   Attrs     `json:",omitempty"` // every readable one, empty ones too; an absent name: the system does not show it
	Created time.Time `json:",omitzero"`  // the vendor's clock, UTC; zero: it does not tell
}

// Holding is an item a person has and what we know about it. Items of everybody's accounts that nobody explained are
// holdings as well: their only reason is a baseline.
type Holding struct {
	Item
	Asked      Attrs     // what we last asked for and the system accepted; merged, not replaced
	Ours       bool      // created by us, not adopted
	Generation int       // how often given, or its secrets renewed, before
	Since      time.Time // when it came into its state
	Confirmed  time.Time // last time the system said so
	Because    []Reason
	Run        RunID     // the run that gave it
	Release    Release   // what losing it does, as its policy said when it was given
	Lost       time.Time `json:",omitzero"` // since when nothing justifies it, while its loss is put off
}

// Renew asks for new secrets of these names in the place of those that it was given with: what was asked for is an empty
// recipe until it has them.
func (h Holding) Renew(names []string) Holding {
	h.Asked = h.Asked.With(nil)
	for _, name := range names {
		h.Asked[name] = Value{Kind: SecretValue}
	}
	return h
}

// Renews says whether secrets of it are to be made anew.
func (h Holding) Renews() bool {
	for _, v := range h.Asked {
		if v.Kind == SecretValue && v.Text == "" {
			return true
		}
	}
	return false
}

// Baseline is the policy name in the reason of a holding that was there before us.
const Baseline = "baseline"

// seenOn begins where a baseline was seen first, in the place of a policy's line.
const seenOn = "seen "

// SeenFirst is the reason of what nobody here gave: baseline (seen 2025-06-02).
func SeenFirst(at time.Time) Reason {
	return Reason{Policy: Baseline, At: seenOn + at.UTC().Format(time.DateOnly)}
}

// Seen is the day on which a baseline was seen first; false: it is none, or nobody wrote that down.
func (r Reason) Seen() (time.Time, bool) {
	day, is := strings.CutPrefix(r.At, seenOn)
	if r.Policy != Baseline || !is {
		return time.Time{}, false
	}
	at, err := time.Parse(time.DateOnly, day)
	return at, err == nil
}

// Offer is one entitlement of a catalogue.
type Offer struct {
	Key   Key
	Ref   string // the vendor's id: steps use it, names may change
	Roles []string
	Title string
	Seats *Seats // the licences behind it; nil: nobody tells
}

// Seats are licences of a system. Entitlements of one pool share them.
type Seats struct {
	Pool  string // as the system calls it
	Total int
	Used  int
}

// Free is how many are left; never less than none.
func (s Seats) Free() int { return max(0, s.Total-s.Used) }

// Subject is all that a connector learns about who is meant. Never a Person.
type Subject struct {
	Ref      string            `json:",omitempty"`
	Keys     map[string]string `json:",omitempty"` // employee_number, email, login; used only while Ref is unknown
	Heir     map[string]string `json:",omitempty"` // of a leaver: by what who takes over what she owns there is recognised
	Recorded time.Time         `json:",omitzero"`  // an account older than this was somebody's before
}

// System is one configured target as decisions see it: manifest, configuration and catalogue in one.
type System struct {
	Name      string
	Title     string
	Connector string
	Tier      Tier     // identity or device; "" elsewhere
	Needs     []string // its accounts come after those of these systems
	Via       Key      // its accounts are provisioned by this grant elsewhere: okta/app:salesforce; zero: by us
	Lifecycle Lifecycle
	CutFirst  bool            // an identity provider: a leaver is cut here first
	Match     []string        // subject keys by which its accounts can be found
	States    map[State]State // what it shows instead of a state it does not have; Gone: it must be deleted
	Kinds     map[string]Kind
	CanDelete bool
	NoUndo    map[Action]string // why an action has no way back
	Protected []string          // vendor ids that are never written
}

// Lifecycle is the state of a system's accounts by the status of their owner.
type Lifecycle struct {
	PreHire, Working, OnLeave State
	GardenLeave               State         // "": as on any other leave
	Enable                    time.Duration // accounts open this long before the start; at it if zero
	Release                   Release       // when the owner has left, or lost the account
}

// At is the state for a status. garden: the leave is garden leave.
func (l Lifecycle) At(s Status, garden bool) State {
	switch s {
	case PreHire:
		return l.PreHire
	case Working:
		return l.Working
	case OnLeave:
		if garden && l.GardenLeave != "" {
			return l.GardenLeave
		}
		return l.OnLeave
	default:
		return Disabled
	}
}

// As returns the state that the system can show for s.
func (s System) As(state State) State {
	if t, ok := s.States[state]; ok {
		return t
	}
	return state
}

// Brought returns what a grant of k brings along: the account that an entitlement hangs on, the order behind a device, the
// assignment elsewhere that provisions an account.
func Brought(systems map[string]System, k Key) []Key {
	sys := systems[k.System] // nobody configured it: its steps become tasks
	kind := sys.Kinds[k.Kind]
	var out []Key
	if slices.Contains(kind.Needs, AccountKindName) && sys.Kinds[AccountKindName].Implied {
		out = append(out, k.Account())
	}
	if kind.Supply.System != "" {
		out = append(out, kind.Supply)
	}
	if k.IsAccount() && sys.Via.System != "" {
		out = append(out, sys.Via)
	}
	return out
}

// Meets says whether an account is as it is wanted: before a first day a closed account is as good as a staged one, since
// no system takes one back to staged.
func (s System) Meets(is, want State) bool {
	return is == want || (want == Staged && is == s.As(Disabled))
}

// Kind is one kind of entitlement of a system, or "account".
type Kind struct {
	Title     string
	Names     []string // catalogue; empty with Free: one per person, no names
	Roles     []string // by rank, lowest first
	Params    map[string]Param
	Needs     []string // kinds of the same system that must be there first
	Exclusive bool     // one value at a time: adding replaces
	Default   string   // what an exclusive slot falls back to
	Supply    Key      // implied grant that must come first: an order behind a device
	Implied   bool     // accounts: brought along by whatever needs them
	OneWay    bool     // given once, never taken back by itself: an order
	Sensitive bool
	Approval  *Approval // the catalogue's own: no policy gives this kind without it
	ReadOnly  string    // why it cannot be granted, and what to grant instead
	Shown     bool      // it is read and listed, and nobody can be given it: ReadOnly says why
	WholeSet  bool      // the vendor's write replaces the whole list: serialised
	Attrs     []string  // attributes that its items carry, besides ref and state: what ${...} may name
	Mapping   Attrs     // attributes that we give it: templates over the person, or recipes for secrets

	Authority   Authority            // who decides about what it names; "": additive
	AuthorityOf map[string]Authority // by name, where it is another than of the rest
}

// Authority says who decides about an entitlement.
type Authority string

const (
	Exclusive Authority = "exclusive" // policies alone: what they do not give goes, whoever gave it
	Additive  Authority = "additive"  // policies add: what they did not give is reported, and stays
	Observe   Authority = "observe"   // whoever decides about it there: it is read, and neither given nor taken while its owner works here
)

// Authorities are all of them.
var Authorities = []Authority{Exclusive, Additive, Observe}

// Authority is who decides about a key: what the catalogue says of its name, or else of its kind. Accounts follow the life of their owner.
func (s System) Authority(k Key) Authority {
	kind := s.Kinds[k.Kind]
	return cmp.Or(kind.AuthorityOf[k.Name], kind.Authority, Additive)
}

// Param is the type of one parameter and how two policies' values become one.
type Param struct {
	Type  string // string | int | bool | date
	Merge string // error | max | min | any | all | union
}

package planner

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/dayone-hq/dayone"
)

// Input is all that a plan depends on.
type Input struct {
	Person   dayone.PersonID
	At       time.Time
	Heir     map[string]string // of a leaver: by what who takes over what she owns is recognised
	Subject  map[string]string // employee_number, email, login: how systems may recognise her
	Recorded time.Time         // when we first heard of this employment
	Want     dayone.Want
	Have     []dayone.Holding
	Holds    []dayone.Hold // those that stand: what they cover is neither given nor taken
	Systems  map[string]dayone.System
	Leaves   bool                                // she has left: closing her accounts is urgent
	AtOnce   bool                                // and at once: nothing of hers stays open for a while
	Legal    bool                                // a legal hold stands: nothing is deleted or wiped
	Offers   map[dayone.Key]dayone.Offer         // catalogue: vendor ids of entitlements
	Refused  func(dayone.Grant) string           // why a grant that asks for an approval is not asked for again; "": nobody said no; may be nil
	Spent    func(dayone.Grant) bool             // what is there of a grant that asks for an approval was agreed to for what has ended; may be nil
	Mapped   func(dayone.Grant) dayone.Grant     // gives an implied grant what its kind maps from the person; may be nil
	Deliver  func(dayone.Notice) []dayone.Notice // addresses and systems of a notice; may be nil: nothing is sent
	Tell     []dayone.Occasion                   // what happened to the person since she was last planned for
	Risk     time.Time                           // before a first day: when what is not there yet is told; zero: it is not a first day
}

// Make plans. An error wraps dayone.ErrInvalid and says what in the configuration has to change.
func Make(in Input) (dayone.Plan, error) {
	p := &making{
		Input: in, want: make(map[dayone.Key]dayone.Grant, len(in.Want.Grants)), have: make(map[dayone.Key]dayone.Holding, len(in.Have)), gone: map[dayone.Key]dayone.Holding{}, keep: map[dayone.Key]bool{},
		steps: map[dayone.StepID]*dayone.Step{}, byKey: map[dayone.Key][]dayone.StepID{}, brought: map[dayone.Key][]dayone.Key{},
		higher: map[dayone.Key]dayone.Grant{}, along: map[dayone.Key][]dayone.Key{},
	}
	p.plan = dayone.Plan{Person: in.Person, At: in.At, Leaves: in.Leaves, Findings: slices.Clone(in.Want.Findings)}
	for _, g := range in.Want.Grants {
		p.want[g.Key] = g
	}
	for _, g := range in.Want.Pending {
		p.ask(g)
	}
	for _, h := range in.Have {
		if h.State == dayone.Gone { // it tells how often it was given, and nothing about what is there
			p.gone[h.Key] = h
			continue
		}
		p.have[h.Key] = h
	}
	for _, k := range in.Want.Keep {
		p.keep[k] = true
	}
	p.away()
	if err := p.imply(); err != nil {
		return dayone.Plan{}, err
	}
	p.observe()
	p.hold()
	for _, k := range sorted(p.want) {
		if _, held := p.held[k]; !held {
			p.give(p.want[k])
		}
	}
	for _, k := range sorted(p.higher) {
		if _, held := p.held[k]; !held {
			p.raise(p.higher[k])
		}
	}
	for _, k := range sorted(p.have) {
		_, wanted := p.want[k]
		if _, held := p.held[k]; !wanted && !held && !p.keep[k] {
			if err := p.take(p.have[k]); err != nil {
				return dayone.Plan{}, err
			}
		}
	}
	if err := p.edges(); err != nil {
		return dayone.Plan{}, err
	}
	p.notices()
	for k, g := range p.want {
		if g.Release != (dayone.Release{}) && len(p.byKey[k]) > 0 {
			if p.plan.Release == nil {
				p.plan.Release = map[dayone.Key]dayone.Release{}
			}
			p.plan.Release[k] = g.Release
		}
	}
	for _, g := range in.Want.Later {
		p.plan.Later = append(p.plan.Later, dayone.Later{Key: g.Key, From: g.From, Because: g.Because})
	}
	slices.SortFunc(p.plan.Later, func(a, b dayone.Later) int { return compare(a.Key, b.Key) })
	var err error
	p.plan.Steps, err = order(p.steps)
	return p.plan, err
}

type making struct {
	Input
	want  map[dayone.Key]dayone.Grant
	have  map[dayone.Key]dayone.Holding
	gone  map[dayone.Key]dayone.Holding
	keep  map[dayone.Key]bool
	held  map[dayone.Key]dayone.Hold
	steps map[dayone.StepID]*dayone.Step
	byKey map[dayone.Key][]dayone.StepID
	plan  dayone.Plan

	brought map[dayone.Key][]dayone.Key // what brings an implied grant along
	higher  map[dayone.Key]dayone.Grant // roles above what is given, once somebody agrees
	along   map[dayone.Key][]dayone.Key // implied: whose approval brings it; those that are not here need none
}

// imply adds what wanted grants bring along: the account that an entitlement hangs on, the order behind a device, the
// assignment elsewhere that provisions an account. Implied grants have the reasons of those that need them.
func (p *making) imply() error {
	todo := sorted(p.want)
	for len(todo) > 0 {
		g := p.want[todo[0]]
		todo = todo[1:]
		kind := p.Systems[g.Key.System].Kinds[g.Key.Kind]
		add := func(k dayone.Key, attrs dayone.Attrs) {
			o, had := p.want[k]
			if had && !o.Implied {
				return
			}
			p.brought[k] = added(p.brought[k], []dayone.Key{g.Key})
			again := p.bring(k, g, had)
			n := dayone.Grant{Key: k, Because: merged(o.Because, g.Because), Critical: g.Critical, Tier: g.Tier, Implied: true, Attrs: attrs.With(o.Attrs)}
			if k.IsAccount() {
				n.State = g.State
				if n.State == "" {
					n.State = p.stateLike(k)
				}
			}
			if p.Mapped != nil {
				n = p.Mapped(n)
			}
			p.want[k] = n
			if !had || again {
				todo = append(todo, k)
			}
		}
		for _, k := range dayone.Brought(p.Systems, g.Key) {
			var attrs dayone.Attrs
			if k == kind.Supply { // what the policy said of it; what is mapped for the thing itself is not the order's
				attrs = dayone.Attrs{}
				for name := range kind.Params {
					if v, ok := g.Attrs[name]; ok {
						attrs[name] = v
					}
				}
			}
			add(k, attrs)
		}
	}
	return nil
}

// stateLike is the state that the life cycle gives accounts of this person now.
func (p *making) stateLike(k dayone.Key) dayone.State {
	sys := p.Systems[k.System]
	return sys.As(sys.Lifecycle.At(p.Want.Status, p.Want.Garden))
}

func merged(a, b []dayone.Reason) []dayone.Reason {
	out := slices.Concat(a, b)
	slices.SortFunc(out, func(a, b dayone.Reason) int {
		if a.Policy != b.Policy {
			if a.Policy < b.Policy {
				return -1
			}
			return 1
		}
		if a.At < b.At {
			return -1
		}
		return 1
	})
	return slices.Compact(out)
}

// step adds a step with what is the same for all of them.
func (p *making) step(a dayone.Action, k dayone.Key, have, want *dayone.Item, g dayone.Grant, h dayone.Holding) *dayone.Step {
	return p.called(dayone.StepID(k.String()+" "+string(a)), a, k, have, want, g, h)
}

func (p *making) called(id dayone.StepID, a dayone.Action, k dayone.Key, have, want *dayone.Item, g dayone.Grant, h dayone.Holding) *dayone.Step {
	generation := h.Generation
	if h.Ref == "" && h.State == "" { // nothing is there; it may have been before
		generation = p.gone[k].Generation
	}
	renews := a == dayone.EntitlementAdd && h.Renews()
	if renews { // as if it were given anew: the next secrets have ids of their own
		generation++
	}
	if want != nil && !makes(a, h) {
		want.Attrs = withoutSecrets(want.Attrs)
	}
	s := &dayone.Step{
		ID: id, Action: a, Key: k, Have: have, Want: want,
		Because: g.Because, Critical: g.Critical, Tier: g.Tier, Implied: g.Implied,
		Once: Once(p.Person, k, generation), Urgent: p.Leaves && a == dayone.AccountDisable,
	}
	if opens(a) {
		s.Approval = g.Approval
	}
	sys := p.Systems[k.System]
	if k.IsAccount() {
		s.Subject = dayone.Subject{Ref: h.Ref}
		if h.Ref == "" {
			s.Subject.Recorded = p.Recorded
			s.Subject.Keys = map[string]string{}
			for _, m := range sys.Match {
				v := g.Attrs[m].Text
				if v == "" {
					v = p.Subject[m]
				}
				if v != "" {
					s.Subject.Keys[m] = v
				}
			}
		}
		s.Via = sys.Via
	} else if kind := sys.Kinds[k.Kind]; slices.Contains(kind.Needs, dayone.AccountKindName) {
		s.Account = p.accountRef(k)
	}
	if a.Takes() && (k.IsAccount() || have != nil && have.Role == "owner") {
		s.Subject.Heir = p.Heir
	}
	if sys.Kinds[k.Kind].WholeSet {
		s.Lock = k.String()
	}
	if later := len(p.have) > 0; a == dayone.EntitlementAdd && later && want != nil && hasSecrets(want.Attrs) { // on a first day the welcome tells
		p.Tell = append(slices.Clone(p.Tell), dayone.Occasion{ID: s.Once[:12], Moment: dayone.OnNewCode})
	}
	if s.Undo = undo(sys, k, a); renews {
		s.Undo = dayone.UndoNone + "what was renewed does not come back"
	}
	if s.Undo == dayone.UndoDelete && p.Legal {
		s.Undo = dayone.UndoDisable
	}
	p.steps[s.ID] = s
	p.byKey[k] = append(p.byKey[k], s.ID)
	return s
}

// accountRef is the vendor id of the account that k hangs on: known, or brought by the step that makes it.
func (p *making) accountRef(k dayone.Key) dayone.Value {
	if h, ok := p.have[k.Account()]; ok && h.Ref != "" {
		return dayone.Text(h.Ref)
	}
	kind := dayone.AccountKindName
	if k.As != dayone.Personal {
		kind += ":" + string(k.As)
	}
	return dayone.Value{Kind: dayone.TemplateValue, Text: "${" + k.System + "." + kind + ".ref}"}
}

// Once is the id under which a step is the same over retries and runs.
func Once(person dayone.PersonID, k dayone.Key, generation int) string {
	sum := sha256.Sum256([]byte(string(person) + "\x00" + k.String() + "\x00" + strconv.Itoa(generation)))
	return hex.EncodeToString(sum[:16])
}

// undo says beforehand how a step is taken back.
func undo(sys dayone.System, k dayone.Key, a dayone.Action) dayone.Undo {
	if why, no := sys.NoUndo[a]; no {
		return dayone.UndoNone + dayone.Undo(why)
	}
	if sys.Kinds[k.Kind].OneWay {
		return dayone.UndoNone + "what was ordered is called off by hand"
	}
	switch a {
	case dayone.AccountCreate:
		if sys.CanDelete {
			return dayone.UndoDelete
		}
		return dayone.UndoDisable
	case dayone.AccountDelete:
		return dayone.UndoNone + "a deleted account is built anew, without what it held"
	case dayone.MessageSend:
		return dayone.UndoNone + "a message that was read stays read"
	case dayone.AccountConfirm, dayone.EntitlementConfirm:
		return dayone.UndoNone + "it only reads"
	default:
		return dayone.UndoRestore
	}
}

// give plans what brings a wanted grant about, if anything is missing.
func (p *making) give(g dayone.Grant) {
	want := &dayone.Item{Key: g.Key, State: g.State, Role: g.Role, Attrs: g.Attrs}
	h, had := p.have[g.Key]
	if o, ok := p.Offers[g.Key]; ok {
		want.Ref = o.Ref
	}
	if p.protected(h) {
		return
	}
	if g.Key.IsAccount() {
		p.giveAccount(g, h, had, want)
		return
	}
	if need, ok := p.stands(g.Key); !ok {
		p.plan.Findings = append(p.plan.Findings, dayone.Finding{
			Kind: "missing", Key: g.Key,
			Text: fmt.Sprintf("%s is not given: it hangs on %s/%s, which no policy gives to this person", g.Key, g.Key.System, need),
		})
		return
	}
	want.State = dayone.Active
	switch {
	case had && h.State == dayone.Pending:
		p.step(dayone.EntitlementConfirm, g.Key, &h.Item, want, g, h)
	case !had:
		p.step(dayone.EntitlementAdd, g.Key, p.slot(g.Key), want, g, h)
	case h.Role != g.Role || len(openAttrs(h, g.Attrs)) > 0:
		p.step(dayone.EntitlementAdd, g.Key, &h.Item, want, g, h)
	}
}

// stands says whether what an entitlement hangs on is wanted too; the kind that is missing, if not.
func (p *making) stands(k dayone.Key) (string, bool) {
	for _, need := range p.Systems[k.System].Kinds[k.Kind].Needs {
		if need == dayone.AccountKindName {
			if _, ok := p.want[k.Account()]; !ok {
				return need, false
			}
			continue
		}
		if !slices.ContainsFunc(sorted(p.want), func(o dayone.Key) bool { return o.System == k.System && o.Kind == need && o.As == k.As }) {
			return need, false
		}
	}
	return "", true
}

func (p *making) giveAccount(g dayone.Grant, h dayone.Holding, had bool, want *dayone.Item) {
	if !had {
		p.step(dayone.AccountCreate, g.Key, nil, want, g, h)
		return
	}
	want.Ref = h.Ref
	if open := openAttrs(h, g.Attrs); len(open) > 0 && g.Approval == nil {
		to := *want
		to.State, to.Attrs = h.State, open
		p.step(dayone.AccountUpdate, g.Key, &h.Item, &to, g, h)
	}
	sys := p.Systems[g.Key.System]
	switch {
	case sys.Meets(h.State, want.State):
	case g.Approval != nil && want.State != dayone.Active: // what nobody has agreed to is not touched
	case h.State == dayone.Pending && want.State == dayone.Active:
		p.step(dayone.AccountConfirm, g.Key, &h.Item, want, g, h)
	case want.State == dayone.Active:
		p.step(dayone.AccountEnable, g.Key, &h.Item, want, g, h)
	case want.State == dayone.Disabled:
		p.step(dayone.AccountDisable, g.Key, &h.Item, want, g, h)
	case want.State == dayone.Staged && h.State == dayone.Active:
		// opened before its time, or a start date that moved away: it is closed again
		if want.State = sys.As(dayone.Disabled); want.State == dayone.Gone {
			return
		}
		p.step(dayone.AccountDisable, g.Key, &h.Item, want, g, h)
	}
}

// slot is the present value of an exclusive kind, which adding another replaces.
func (p *making) slot(k dayone.Key) *dayone.Item {
	if !p.Systems[k.System].Kinds[k.Kind].Exclusive {
		return nil
	}
	for _, o := range sorted(p.have) {
		if o.System == k.System && o.Kind == k.Kind && o.As == k.As {
			h := p.have[o]
			return &h.Item
		}
	}
	return nil
}

// openAttrs are the attributes of want that were never asked for, or asked for otherwise. What was never asked is
// compared with what is seen. References are compared by what they stand for, which only the engine knows: they are
// open only if never asked.
func openAttrs(h dayone.Holding, want dayone.Attrs) dayone.Attrs {
	open := dayone.Attrs{}
	for name, w := range want {
		switch w.Kind {
		case dayone.SecretValue: // set at birth, and when it is renewed
			if asked, ok := h.Asked[name]; ok && asked.Kind == dayone.SecretValue && asked.Text == "" {
				open[name] = w
			}
			continue
		case dayone.TemplateValue:
			if _, asked := h.Asked[name]; asked {
				continue
			}
		}
		if asked, ok := h.Asked[name]; ok {
			if asked != w {
				open[name] = w
			}
		} else if seen, ok := h.Attrs[name]; !ok || seen != w {
			open[name] = w
		}
	}
	return open
}

// protected accounts, and what hangs on them, are never written.
func (p *making) protected(h dayone.Holding) bool {
	account := h
	if !h.Key.IsAccount() {
		account = p.have[h.Key.Account()]
	}
	return account.Ref != "" && slices.Contains(p.Systems[h.Key.System].Protected, account.Ref)
}

// observe leaves what others decide about to them, also where something that is wanted brings it along.
func (p *making) observe() {
	for _, k := range sorted(p.want) {
		if k.IsAccount() || p.Systems[k.System].Authority(k) != dayone.Observe {
			continue
		}
		delete(p.want, k)
		delete(p.higher, k)
		if _, there := p.have[k]; !there {
			p.plan.Findings = append(p.plan.Findings, dayone.Finding{
				Kind: "missing", Key: k,
				Text: fmt.Sprintf("%s is not given: it is only observed; give it there, or let policies decide about it in the catalogue", k),
			})
		}
	}
}

// take plans the loss of a holding that nothing justifies any more.
func (p *making) take(h dayone.Holding) error {
	sys := p.Systems[h.Key.System]
	leaver := p.Want.Status == dayone.Left
	switch {
	case p.protected(h):
		return nil
	case h.Key.Kind == "message", h.Key.Kind == "invitation":
		return nil // told is told
	case h.Key.As != dayone.Personal && h.Key.As != dayone.Admin:
		return nil // a service or shared account of hers is handed over, never closed with her
	case sys.Kinds[h.Key.Kind].OneWay:
		return nil // an order that was placed is not taken back by itself
	case !leaver && sys.Authority(h.Key) == dayone.Observe:
		return nil // others decide about it
	case !leaver && onlyBaseline(h.Because) && sys.Authority(h.Key) != dayone.Exclusive:
		return nil // we did not give it: reported as drift, not removed
	case p.putOff(sys, h):
		return nil
	}
	g := dayone.Grant{Key: h.Key, Because: h.Because, Critical: dayone.Continue}
	if h.Key.IsAccount() {
		return p.close(sys, h, g)
	}
	kind := sys.Kinds[h.Key.Kind]
	if kind.Exclusive {
		for k, g := range p.want {
			if k.System == h.Key.System && k.Kind == h.Key.Kind && k.As == h.Key.As && (g.Approval == nil || kind.Default == "") {
				return nil // the new value replaces this one; one that somebody has still to agree to does not hold it, if it can fall back
			}
		}
		if account, open := p.want[h.Key.Account()]; open && account.State != dayone.Disabled && h.Key.Name != kind.Default {
			if kind.Default == "" {
				return fmt.Errorf("%s/%s is a slot that cannot be empty: %s goes and nothing comes; declare a default in the catalogue: %w",
					h.Key.System, h.Key.Kind, h.Key, dayone.ErrInvalid)
			}
			k := h.Key
			k.Name = kind.Default
			want := &dayone.Item{Key: k, State: dayone.Active, Ref: p.Offers[k].Ref}
			p.step(dayone.EntitlementAdd, k, &h.Item, want, g, dayone.Holding{})
		}
		return nil
	}
	p.step(dayone.EntitlementRemove, h.Key, &h.Item, nil, g, h)
	return nil
}

// putOff says that a loss is still to come: a mover keeps for a time what she was promised it for. A leaver keeps nothing,
// but where the life cycle of a system says so.
func (p *making) putOff(sys dayone.System, h dayone.Holding) bool {
	hold := h.Release.Suspend
	if p.Want.Status == dayone.Left {
		hold = 0
		if h.Key.IsAccount() && h.Key.As == dayone.Personal && !p.AtOnce {
			hold = sys.Lifecycle.Release.Suspend
		}
	}
	if h.State == sys.As(dayone.Disabled) && h.Key.IsAccount() {
		return false
	}
	due := p.carried(h) // what hangs on it may stay for longer
	if hold > 0 {
		since := h.Lost
		if since.IsZero() {
			since = p.At
			p.plan.Lost = append(p.plan.Lost, h.Key)
		}
		if own := since.Add(hold); own.After(due) {
			due = own
		}
	}
	if !due.After(p.At) {
		return false
	}
	p.plan.Later = append(p.plan.Later, dayone.Later{Key: h.Key, From: due, Because: h.Because})
	return true
}

// carried is until when something hangs on a lost account that its owner was promised for a time; zero: nothing does.
func (p *making) carried(h dayone.Holding) (until time.Time) {
	if !h.Key.IsAccount() || p.Want.Status == dayone.Left {
		return until
	}
	for k, o := range p.have {
		if _, wanted := p.want[k]; k == h.Key || k.Account() != h.Key || wanted || o.Release.Suspend <= 0 {
			continue
		}
		since := o.Lost
		if since.IsZero() {
			since = p.At
		}
		if due := since.Add(o.Release.Suspend); due.After(until) {
			until = due
		}
	}
	return until
}

func onlyBaseline(rs []dayone.Reason) bool {
	return len(rs) > 0 && !slices.ContainsFunc(rs, func(r dayone.Reason) bool { return r.Policy != dayone.Baseline })
}

// close disables a lost account at once and deletes it, where that is declared, after its hold: counted from the
// disable that the system confirmed, never from a date of HR.
func (p *making) close(sys dayone.System, h dayone.Holding, g dayone.Grant) error {
	off := sys.As(dayone.Disabled)
	if off == dayone.Gone {
		if p.kept(h.Key, "the account would have to be deleted, since its system has no closed ones; close it by hand without losing what it holds") {
			return nil
		}
		if !sys.CanDelete {
			p.plan.Findings = append(p.plan.Findings, dayone.Finding{
				Kind: ByHand, Key: h.Key,
				Text: fmt.Sprintf("%s can neither be disabled nor deleted by us; close it by hand", h.Key),
			})
			return nil
		}
		p.step(dayone.AccountDelete, h.Key, &h.Item, nil, g, h).Urgent = p.Leaves
		return nil
	}
	if h.State != off {
		p.step(dayone.AccountDisable, h.Key, &h.Item, &dayone.Item{Key: h.Key, Ref: h.Ref, State: off}, g, h)
	}
	if h.Release.DeleteAfter <= 0 || !sys.CanDelete {
		return nil
	}
	if h.State != off {
		return nil // planned again when the disable is confirmed
	}
	due := h.Since.Add(h.Release.DeleteAfter)
	if due.After(p.At) {
		p.plan.Later = append(p.plan.Later, dayone.Later{Key: h.Key, From: due, Because: h.Because})
		return nil
	}
	if !p.kept(h.Key, "the account is closed, and not deleted") {
		p.step(dayone.AccountDelete, h.Key, &h.Item, nil, g, h)
	}
	return nil
}

// Kinds of findings about what a plan does not take though it is wanted no more.
const (
	UnderLegalHold = "legal hold"
	ByHand         = "missing" // we have no way to take it
)

// kept says that a legal hold forbids a loss, and finds it.
func (p *making) kept(k dayone.Key, what string) bool {
	if p.Legal {
		p.plan.Findings = append(p.plan.Findings, dayone.Finding{Kind: UnderLegalHold, Key: k, Text: fmt.Sprintf("%s stays under a legal hold: %s", k, what)})
	}
	return p.Legal
}

func sorted[V any](m map[dayone.Key]V) []dayone.Key { return slices.SortedFunc(maps.Keys(m), compare) }

func compare(a, b dayone.Key) int {
	switch {
	case a == b:
		return 0
	case a.Less(b):
		return -1
	default:
		return 1
	}
}

func reasonText(rs []dayone.Reason) string {
	if len(rs) == 0 {
		return "its policy"
	}
	return rs[0].String()
}

package flow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// A product is what somebody picks for a person: one request for all that belongs to it, or none at all. What it holds is
// said in products/*.yaml, who may have it by policies, which give or offer its parts. While the request stands, each part is
// asked for; what policies give anyway stays when the request ends.

// ProductState is how a product stands for somebody.
type ProductState string

const (
	ProductGiven     ProductState = "given"     // policies give all of it
	ProductRequested ProductState = "requested" // a request for it stands
	ProductOffered   ProductState = "offered"   // it may be asked for
	ProductNone      ProductState = "not offered"
)

// PersonProduct is a product as it stands for somebody.
type PersonProduct struct {
	dayone.Product
	State     ProductState
	Parts     []PersonPart
	Policies  []dayone.Reason   // that give of it, each once
	Approvals []dayone.Approval // who would have to agree, each once
	Lasts     time.Duration     // how long it is had at most once it is given; 0: until somebody ends it
	Needs     []string          // prerequisites that are not there
	Unsaid    []string          // attributes for which alone it waits: policies would give or offer it, and nobody has said them
	Request   *dayone.Request   // that stands
}

// Comes says that not all of it is given yet: a part has its time to come, or waits for somebody who has to agree.
func (p PersonProduct) Comes() bool {
	return slices.ContainsFunc(p.Parts, func(x PersonPart) bool { return x.State == PartLater || x.State == PartPending })
}

// From is when the last of its parts begins; zero: now, or nobody knows since somebody has to agree.
func (p PersonProduct) From() (at time.Time) {
	for _, x := range p.Parts {
		if x.State == PartPending {
			return time.Time{}
		}
		if x.State == PartLater && x.From.After(at) {
			at = x.From
		}
	}
	return at
}

// PersonPart is a part of a product as it stands for somebody.
type PersonPart struct {
	dayone.ProductPart
	State    PartState
	Given    bool // by policy, also without a request
	Because  []dayone.Reason
	Approval *dayone.Approval
	From     time.Time // of what is given later
}

// PartState is how a part stands.
type PartState string

const (
	PartGiven   PartState = "given"
	PartLater   PartState = "given later"
	PartPending PartState = "waits for an approval"
	PartOffered PartState = "offered"
	PartNone    PartState = "not offered"
)

// Products are those that count now.
func (f *Flow) Products() []*dayone.Product { return f.Active().Products }

// ProductsOf says how each product stands for a person, and what else a look at her shows.
func (f *Flow) ProductsOf(ctx context.Context, id dayone.PersonID) (Look, []PersonProduct, error) {
	if _, err := f.Person(ctx, id); err != nil {
		return Look{}, nil, err
	}
	l, err := f.Preview(ctx, id)
	if err != nil && l.Person.ID == "" {
		return l, nil, err
	}
	list := f.productsOf(l) // which products there are does not depend on a plan
	f.waiting(l, list)
	return l, list, err
}

// waiting names, for products that nobody may have now, the attributes for which they wait. One of which a part is in no policy for
// this person, whatever is said, waits for none.
func (f *Flow) waiting(l Look, list []PersonProduct) {
	var why func(dayone.Key) policy.Explanation
	for i := range list {
		p := &list[i]
		waits := p.State == ProductNone
		for _, part := range p.Parts {
			if !waits || part.State != PartNone {
				continue
			}
			if why == nil {
				why = f.Reasons(l)
			}
			x := why(part.Key)
			missing := x.Missing()
			for _, name := range missing {
				if !slices.Contains(p.Unsaid, name) {
					p.Unsaid = append(p.Unsaid, name)
				}
			}
			waits = len(missing) > 0 || slices.ContainsFunc(x.Lines, func(l policy.Line) bool { return l.Truth == "yes" && l.Does != "denies" })
		}
		if !waits {
			p.Unsaid = nil
		}
	}
}

func (f *Flow) productsOf(l Look) []PersonProduct {
	set := f.ActiveFor(l.Person)
	held := heldOf(l.Have)
	base := set.Want(l.Person, policy.Context{Now: l.Person.At, Held: held, Approved: agreed(l.Person.ID, set, held, nil, l.answers)})
	bare := Look{Person: l.Person, Have: l.Have, Want: base}
	withoutRetired(&bare, *f.retires(), f.systemTitle) // nobody gets anything there, whatever policies say
	base = bare.Want
	out := make([]PersonProduct, 0, len(set.Products))
	there := map[string]bool{}
	for _, p := range set.Products {
		of := f.productOf(set, p, l, base)
		there[p.ID] = of.State == ProductGiven || of.State == ProductRequested
		out = append(out, of)
	}
	for i := range out {
		for _, need := range out[i].Prerequisites {
			if !there[need] {
				out[i].Needs = append(out[i].Needs, need)
			}
		}
	}
	return out
}

// productOf judges one product by what policies give without any request, and by what they give now.
func (f *Flow) productOf(set *policy.Set, p *dayone.Product, l Look, base dayone.Want) PersonProduct {
	out := PersonProduct{Product: *p}
	all, offered := true, true
	for _, part := range p.Parts {
		is := partOf(set, part, base)
		is.Given = is.State != PartNone && is.State != PartOffered
		if is.State == PartOffered {
			out.Lasts = shorter(out.Lasts, f.Lasts(part.Key, part.Role))
			if is.Approval != nil && !slices.ContainsFunc(out.Approvals, func(a dayone.Approval) bool { return sameApproval(a, *is.Approval) }) {
				out.Approvals = append(out.Approvals, *is.Approval)
			}
		}
		all, offered = all && is.Given, offered && is.State != PartNone
		if is.Given {
			for _, r := range is.Because {
				if !slices.ContainsFunc(out.Policies, func(o dayone.Reason) bool { return o.Policy == r.Policy }) {
					out.Policies = append(out.Policies, r)
				}
			}
		}
		if now := partOf(set, part, l.Want); now.State != PartNone {
			now.Given = is.Given
			is = now
		}
		out.Parts = append(out.Parts, is)
	}
	for _, r := range l.Requests {
		if r.Product == p.ID && !over(r, l.Person.At) {
			out.Request = &r
		}
	}
	switch {
	case out.Request != nil:
		out.State = ProductRequested
	case all:
		out.State = ProductGiven
	case offered:
		out.State = ProductOffered
	default:
		out.State = ProductNone
	}
	return out
}

func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

func sameApproval(a, b dayone.Approval) bool {
	return a.Need == b.Need && a.Within == b.Within && slices.Equal(a.By, b.By)
}

// partOf is what a want says of a part. Whoever has a higher role has the lower one.
func partOf(set *policy.Set, part dayone.ProductPart, w dayone.Want) PersonPart {
	out := PersonPart{ProductPart: part, State: PartNone}
	for _, s := range []struct {
		state PartState
		in    []dayone.Grant
	}{{PartGiven, w.Grants}, {PartLater, w.Later}, {PartPending, w.Pending}, {PartOffered, w.Offers}} {
		for _, g := range s.in {
			if g.Key != part.Key || s.state == PartOffered && g.Role != part.Role || !set.Holds(g.Key, g.Role, part.Role) {
				continue
			}
			out.State, out.Because, out.Approval, out.From = s.state, g.Because, g.Approval, g.From
			return out
		}
	}
	return out
}

// Pick is what somebody picks for a person.
type Pick struct {
	Person   dayone.PersonID
	Products []string
	By       string // who asks, as a mail address; "": nobody said
	Login    string
	Reason   string
	Until    time.Time
	Plan     string // hash of the plan that was looked at: another one is not begun; "": whatever it is
	Manage   bool   // also plan for somebody who is only known from an import or a directory
}

// PickPreview is what a pick would do. Nothing of it is done.
type PickPreview struct {
	Look     Look            // as it would be
	Now      Look            // as it is
	Picked   []PersonProduct // what would be asked for
	Already  []PersonProduct // policies give it, or it was asked for
	Needs    []Prerequisite  // what has to be picked, too
	Gained   []dayone.Grant  // given, or once somebody agrees
	Pending  []dayone.Grant  // of those, what waits for an approval
	Seats    []SeatCount
	Findings []string // that the pick would bring: what stands against it
	Forecast engine.Forecast
	Pace     map[PaceOf]Pace          // of earlier runs: how long such steps take
	Handed   map[dayone.StepID]Handed // steps of the plan that people do: each opens a task
	Hash     string                   // of the plan
}

// Prerequisite is a product that a picked one needs.
type Prerequisite struct{ Product, For string }

// PreviewPick shows what picking products for a person would do. ErrNotFound: there is no such product. ErrForbidden: no
// policy offers one of them to her.
func (f *Flow) PreviewPick(ctx context.Context, p Pick) (PickPreview, error) {
	out, _, err := f.previewPick(ctx, p)
	return out, err
}

func (f *Flow) previewPick(ctx context.Context, p Pick) (out PickPreview, rs []dayone.Request, err error) {
	if _, err := f.Person(ctx, p.Person); err != nil {
		return out, nil, err
	}
	b, err := f.booksOf(ctx, p.Person)
	if err != nil {
		return out, nil, err
	}
	if out.Now, err = f.lookAt(b); err != nil {
		return out, nil, err
	}
	all := f.productsOf(out.Now)
	if len(p.Products) > 0 {
		f.waiting(out.Now, all)
	}
	if err := out.choose(all, p.Products); err != nil {
		return out, nil, err
	}
	with := b
	with.requests = slices.Clone(b.requests)
	for _, of := range out.Picked {
		r := dayone.Request{Person: p.Person, Product: of.ID, By: p.By, Login: p.Login, Reason: p.Reason, Made: b.at, Until: p.Until}
		if of.Lasts > 0 && len(of.Approvals) == 0 && r.Until.After(b.at.Add(of.Lasts)) {
			r.Until = b.at.Add(of.Lasts) // it is given at once
		}
		rs, with.requests = append(rs, r), append(with.requests, r)
	}
	if out.Look, err = f.lookAt(with); err != nil {
		return out, nil, err
	}
	out.Hash = out.Look.Plan.Hash()
	return out, rs, f.weigh(ctx, &out)
}

// choose sorts what was picked into what is to be asked for and what is there, and says what else it needs.
func (v *PickPreview) choose(all []PersonProduct, ids []string) error {
	var seen []string
	for _, id := range ids {
		if id = strings.TrimSpace(id); id == "" || slices.Contains(seen, id) {
			continue
		}
		seen = append(seen, id)
		i := slices.IndexFunc(all, func(p PersonProduct) bool { return p.ID == id })
		if i < 0 {
			return fmt.Errorf("there is no product %q; dayone product list shows them: %w", id, dayone.ErrNotFound)
		}
		switch p := all[i]; p.State {
		case ProductGiven, ProductRequested:
			v.Already = append(v.Already, p)
		case ProductOffered:
			v.Picked = append(v.Picked, p)
		default:
			if len(p.Unsaid) > 0 {
				return fmt.Errorf("%s waits for what nobody has said of %s: %s; HR says it, or correct it on the person's timeline: %w", p.Title, v.Now.Person.Name(), strings.Join(p.Unsaid, ", "), dayone.ErrForbidden)
			}
			return fmt.Errorf("no policy offers all of %s to %s; what is missing: %s: %w", p.Title, v.Now.Person.Name(), p.missing(), dayone.ErrForbidden)
		}
	}
	for _, p := range v.Picked {
		for _, need := range p.Needs {
			if !slices.Contains(seen, need) {
				v.Needs = append(v.Needs, Prerequisite{need, p.ID})
			}
		}
	}
	return nil
}

// missing names the parts that nobody offers.
func (p PersonProduct) missing() string {
	var out []string
	for _, part := range p.Parts {
		if part.State == PartNone {
			out = append(out, part.Key.String())
		}
	}
	return strings.Join(out, ", ")
}

// weigh adds what else is to be known before a pick is begun.
func (f *Flow) weigh(ctx context.Context, v *PickPreview) error {
	w, now := v.Look.Want, v.Now.Want
	had := map[dayone.Key]string{}
	if v.Now.Person.Managed { // else nothing was planned so far, and what policies give is new, too
		for _, g := range slices.Concat(now.Grants, now.Pending, now.Later) {
			had[g.Key] = g.Role + " "
		}
	}
	var keys []KeyCount
	for i, g := range slices.Concat(w.Grants, w.Pending, w.Later) {
		if had[g.Key] == g.Role+" " {
			continue
		}
		v.Gained = append(v.Gained, g)
		if i >= len(w.Grants) && i < len(w.Grants)+len(w.Pending) {
			v.Pending = append(v.Pending, g)
		}
		if had[g.Key] == "" && !v.Now.has(g.Key) {
			keys = append(keys, KeyCount{Key: g.Key, Gained: 1})
		}
	}
	for _, x := range w.Findings {
		if !slices.Contains(now.Findings, x) && !slices.Contains(v.Findings, x.Text) {
			v.Findings = append(v.Findings, x.Text)
		}
	}
	var err error
	if v.Seats, err = f.seats(ctx, keys); err != nil {
		return err
	}
	pace, err := f.Pace(ctx, dayone.Run{})
	if err != nil {
		return err
	}
	v.Pace = pace
	if v.Handed, err = f.handed(ctx, v.Look.Plan.Steps); err != nil {
		return err
	}
	run := dayone.Run{Plan: v.Look.Plan}
	for _, s := range v.Look.Plan.Steps {
		step := dayone.StepRun{Step: s, State: dayone.StepPending}
		if s.Approval != nil {
			step.State, step.Wait = dayone.StepWaiting, &dayone.Wait{Kind: dayone.WaitApproval}
		}
		run.Steps = append(run.Steps, step)
	}
	v.Forecast = engine.Foresee(run, v.Look.Person.At, func(s dayone.Step) (Pace, bool) {
		p, ok := pace[PaceOf{s.Key.System, s.Key.Kind, s.Action}]
		return p, ok
	})
	return nil
}

// policiesGive is why something begins where nobody asked for anything: nobody agrees to it, so nobody need read a reason.
const policiesGive = "what policies give"

// PickProducts asks for products for a person, for all of them or for none. What it gives begins by itself. ErrConflict: one of them needs
// another product, or the plan is not the one that was looked at.
func (f *Flow) PickProducts(ctx context.Context, p Pick) ([]dayone.Request, error) {
	now := f.Clock.Now()
	r := dayone.Request{Person: p.Person, By: p.By, Login: p.Login, Reason: p.Reason, Until: p.Until}
	if p.Manage && len(p.Products) == 0 && strings.TrimSpace(r.Reason) == "" {
		r.Reason = policiesGive
	}
	if err := f.wish(ctx, &r, now); err != nil {
		return nil, err
	}
	p.By, p.Reason = r.By, r.Reason
	rs, managed, err := f.pick(ctx, p)
	if err != nil {
		return nil, err
	}
	if p.Manage && !managed { // after the requests: whoever is planned is planned with them
		free := f.intake.take(p.Person)
		err := f.manage(ctx, p.Person, cmp.Or(p.Login, p.By))
		if free(); err != nil {
			return rs, err
		}
	}
	f.look()
	return rs, nil
}

// Begun refuses to start what was started already. Who did it is whoever asked last for one of the products, or began the planning.
type Begun struct {
	Name string // whose it is
	By   string // "": nobody asked, policies give it
	At   time.Time
}

func (b *Begun) Error() string {
	text := b.Name + " has all of it already"
	if b.By != "" {
		text += ", " + b.By + " started it at " + b.At.UTC().Format("2006-01-02 15:04 MST")
	}
	return text
}

func (*Begun) Unwrap() error { return dayone.ErrConflict }

// begun says who started what a pick asks for.
func (f *Flow) begun(ctx context.Context, p Pick, v PickPreview) error {
	out := &Begun{Name: v.Now.Person.Name()}
	for _, of := range v.Already {
		if r := of.Request; r != nil && r.Made.After(out.At) {
			out.By, out.At = cmp.Or(r.By, r.Login), r.Made
		}
	}
	if out.By != "" || !p.Manage {
		return out
	}
	lines, err := f.Store.Records(ctx, store.RecordFilter{Person: p.Person, Limit: 200})
	if err != nil {
		return err
	}
	for _, l := range lines {
		if l.What != personManaged {
			continue
		}
		rec, err := RecordOf(l)
		if err != nil {
			return err
		}
		out.By, out.At = rec.By, rec.At
		break
	}
	return out
}

func (f *Flow) pick(ctx context.Context, p Pick) (rs []dayone.Request, managed bool, err error) {
	defer f.lock(p.Person)() // a look under way would put off the next one
	v, rs, err := f.previewPick(ctx, p)
	managed = v.Now.Person.Managed
	name := v.Now.Person.Name()
	switch {
	case err != nil:
		return nil, managed, err
	case !managed && !p.Manage:
		return nil, managed, fmt.Errorf("nothing is planned for %s, who is only known from an import: %w", name, dayone.ErrConflict)
	case len(v.Needs) > 0:
		return nil, managed, fmt.Errorf("%s needs %s, which %s does not have; pick it, too: %w", v.Needs[0].For, v.Needs[0].Product, name, dayone.ErrConflict)
	case len(rs) == 0 && managed: // before the plan: whoever comes second looked at another one
		return nil, managed, f.begun(ctx, p, v)
	case p.Plan != "" && p.Plan != v.Hash:
		return nil, managed, fmt.Errorf("what would be done has changed since you looked at it; look again: %w", dayone.ErrConflict)
	}
	var records []dayone.Record
	for i := range rs {
		r := &rs[i]
		r.ID = dayone.RequestID(f.IDs.New("req"))
		records = append(records, dayone.Record{At: r.Made, Person: p.Person, What: "requested: " + r.What(), By: cmp.Or(r.Login, r.By), Detail: &dayone.Detail{Note: askedNote(*r)}})
		if err := f.makeRoom(ctx, v.Now, r.What()); err != nil {
			return nil, managed, err
		}
	}
	if len(rs) > 0 {
		err = f.Store.AddRequests(ctx, rs, records...)
	}
	return rs, managed, err
}

// EndProduct ends the request for a product of a person. ErrNotFound: none stands.
func (f *Flow) EndProduct(ctx context.Context, id dayone.PersonID, product, by, reason string) (dayone.Request, error) {
	rs, err := f.Store.Requests(ctx, id, true)
	if err != nil {
		return dayone.Request{}, err
	}
	for _, r := range rs {
		if r.Product == product {
			return f.EndRequest(ctx, r.ID, by, reason)
		}
	}
	return dayone.Request{}, fmt.Errorf("no request for the product %q stands; what policies give ends with them: %w", product, dayone.ErrNotFound)
}

// needed refuses to end a product that another one which was asked for needs, unless policies give it.
func (f *Flow) needed(ctx context.Context, r dayone.Request) error {
	if r.Product == "" {
		return nil
	}
	l, all, err := f.ProductsOf(ctx, r.Person)
	if err != nil {
		return nil // it can be ended however she stands: what only it gave goes once she can be planned
	}
	for _, p := range all {
		if p.ID == r.Product && !slices.ContainsFunc(p.Parts, func(part PersonPart) bool { return !part.Given }) {
			return nil
		}
	}
	for _, p := range all {
		if p.State == ProductRequested && p.ID != r.Product && slices.Contains(p.Prerequisites, r.Product) {
			return fmt.Errorf("%s was asked for %s and needs it; end that first: %w", p.ID, l.Person.Name(), dayone.ErrConflict)
		}
	}
	return nil
}

// productUntil is the end of a request for a product: its own, or the first that the offers of its parts give it. What policies
// give anyway does not end it.
func (f *Flow) productUntil(l Look, r dayone.Request) time.Time {
	for _, p := range f.productsOf(l) {
		if p.ID != r.Product {
			continue
		}
		for _, part := range p.Parts {
			most := f.Lasts(part.Key, part.Role)
			i := slices.IndexFunc(l.Have, func(h dayone.Holding) bool { return h.Key == part.Key && h.State != dayone.Gone })
			if part.Given || most == 0 || i < 0 {
				continue
			}
			if end := policy.Lasting(l.Have[i].Since, r.Made, most); r.Until.IsZero() || end.Before(r.Until) {
				r.Until = end
			}
		}
	}
	return r.Until
}

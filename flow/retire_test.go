package flow_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
)

func (h *house) retires(system string, how dayone.OrderKind) {
	h.t.Helper()
	if _, err := h.Order(ctx, dayone.Order{Kind: how, System: system, Reason: "we move away", By: "kim"}); err != nil {
		h.t.Fatal(err)
	}
}

// engineers are hired, and have signed in at GitLab.
func (h *house) engineers(n int) []dayone.PersonID {
	h.t.Helper()
	var out []dayone.PersonID
	for i := range n {
		id := fmt.Sprint(i + 1)
		p, _ := h.hires(employee(id, "start_date", "2024-11-11"))
		h.gitlab.Login("e" + id + "@company.com")
		h.lookedAt(p)
		out = append(out, p)
	}
	return out
}

func closed(s sim.Simulator) (n int) {
	for _, a := range s.Accounts() {
		if a.State == dayone.Disabled {
			n++
		}
	}
	return n
}

// A system that is not managed any more is left as it is, whatever happens to people; taken back, policies count again.
func TestARetiredSystemIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p := h.engineers(1)[0]
	const erin = "e1@company.com"
	h.shows(h.gitlab, erin, dayone.Active, "group:platform=developer")
	_, err := h.Order(ctx, dayone.Order{Kind: dayone.OrderClose, System: "okta", Reason: "x", By: "kim"})
	is(t, err, dayone.ErrConflict) // gitlab needs it
	_, err = h.Order(ctx, dayone.Order{Kind: dayone.OrderClose, System: "mail", Reason: "x", By: "kim"})
	is(t, err, dayone.ErrConflict) // messages go by it
	is(t, h.LiftRetirement(ctx, "gitlab", "kim", "x"), dayone.ErrNotFound)

	h.retires("gitlab", dayone.OrderRelease)
	r, err := h.Retirement(ctx, "gitlab")
	if err != nil || r.Held != (store.HeldAt{People: 1, Accounts: 1, Open: 1, Others: 1}) || r.Standing.Kind != dayone.OrderRelease || fmt.Sprint(r.Policies) != "[engineers]" {
		t.Errorf("it is retired as %+v, %v", r, err)
	}
	calls := writes(h.gitlab)
	run := h.changes(p, h.newest(p).ID, employee("1", "start_date", "2024-11-11", "department", "Sales", "effective_date", "2024-11-14"))
	if f := failures(run); len(f) > 0 {
		t.Fatal(f)
	}
	h.shows(h.okta, erin, dayone.Active, "group:base-employee", "group:sales-team")
	h.shows(h.gitlab, erin, dayone.Active, "group:platform=developer")
	other, _ := h.hires(employee("2", "start_date", "2024-11-11"))
	if _, made := account(h.gitlab, "e2@company.com"); made || writes(h.gitlab) != calls {
		t.Errorf("something was done at a system that is retired: %d calls", writes(h.gitlab)-calls)
	}
	x, err := h.Explain(ctx, other, dayone.Key{System: "gitlab", Kind: "account"})
	if err != nil || !strings.Contains(x.Finding, "GitLab is being retired") {
		t.Errorf("why she has none is %q, %v", x.Finding, err)
	}

	if err := h.LiftRetirement(ctx, "gitlab", "kim", "we stay"); err != nil {
		t.Fatal(err)
	}
	until(h, "policies count again", func() (bool, bool) {
		a, _ := account(h.gitlab, erin)
		_, made := account(h.gitlab, "e2@company.com")
		return true, a.State == dayone.Disabled && made
	})
}

// Accounts are closed as many a day as the brake lets go; taken back, policies open them again.
func TestARetiredSystemIsClosedWithinTheBrakes(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.engineers(7)
	h.retires("gitlab", dayone.OrderClose)
	brakes := until(h, "the brake holds the rest", func() ([]dayone.Brake, bool) {
		list, err := h.Brakes(ctx, true, 10)
		return list, err == nil && len(list) == 1 && list[0].Held == 2 && closed(h.gitlab) == 5
	})
	if brakes[0].Scope != "system:gitlab" {
		t.Errorf("the brake is at %s", brakes[0].Scope)
	}
	if n := closed(h.okta); n > 0 {
		t.Errorf("%d accounts were closed elsewhere", n)
	}
	if err := h.LiftRetirement(ctx, "gitlab", "kim", "we stay"); err != nil {
		t.Fatal(err)
	}
	until(h, "they are open again", func() (bool, bool) { return true, closed(h.gitlab) == 0 })
}

// A system that is missing from the configuration while people hold something there keeps the server from starting, until
// somebody has said what is to become of it.
func TestAMissingSystemIsAnErrorAndNeverARemoval(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	p := h.engineers(1)[0]
	if err := h.AtStart(ctx); err != nil {
		t.Fatal(err)
	}
	without := func(d *flow.Deps) { delete(d.Systems, "gitlab") }
	again := func(joined func(*flow.Deps)) *house {
		t.Helper()
		h.stop()
		w.joined = joined
		return w.open()
	}
	h = again(without)
	err := h.AtStart(ctx)
	is(t, err, dayone.ErrInvalid)
	if !strings.Contains(err.Error(), "1 person holds something there: 1 open account, 1 other thing") || !strings.Contains(err.Error(), "dayone system retire gitlab") {
		t.Errorf("it says %v", err)
	}
	h.retires("gitlab", dayone.OrderClose)
	is(t, h.AtStart(ctx), dayone.ErrInvalid) // it is not closed yet, and nothing can close it
	h = again(nil)
	if err := h.AtStart(ctx); err != nil {
		t.Fatal(err)
	}
	h.retires("gitlab", dayone.OrderRelease)
	h = again(without)
	for range 2 { // a second start has nothing left to do
		if err := h.AtStart(ctx); err != nil {
			t.Fatal(err)
		}
	}
	have, err := h.Store.Holdings(ctx, p, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range have {
		if (x.Key.System == "gitlab") != (x.State == dayone.Gone) {
			t.Errorf("%s is in the books as %s", x.Key, x.State)
		}
	}
	h.shows(h.gitlab, "e1@company.com", dayone.Active, "group:platform=developer")
	for _, joined := range []func(*flow.Deps){without, nil} { // with it back, everybody would get a second account
		h = again(joined)
		if err := h.AtStart(ctx); err != nil {
			t.Fatal(err)
		}
		err := h.LiftRetirement(ctx, "gitlab", "kim", "we stay")
		is(t, err, dayone.ErrConflict)
		if !strings.Contains(err.Error(), "under another name") {
			t.Errorf("it does not say what to do: %v", err)
		}
		r, err := h.Retirement(ctx, "gitlab")
		if err != nil || r.Standing.ID == "" {
			t.Fatalf("it is not retired any more: %+v, %v", r, err)
		}
		is(t, h.Lift(ctx, r.Standing.ID, "kim", "we stay"), dayone.ErrConflict)
		h.retires("gitlab", dayone.OrderClose) // another way is still no way back
		is(t, h.LiftRetirement(ctx, "gitlab", "kim", "we stay"), dayone.ErrConflict)
	}
	records, err := h.Records(ctx, flow.RecordFilter{Person: p})
	if err != nil || records[0].What != "not managed any more" && !strings.Contains(fmt.Sprint(records), "not managed any more") {
		t.Errorf("the ledger does not say it: %+v, %v", records, err)
	}
}

// Where people have no accounts, only things such as codes of a network, these are what is to be taken: while one is had, nothing
// is let go. What hangs on a closed account went with it.
func TestASystemOfThingsAloneIsNotLetGoWhileSomebodyHasThem(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, _ := h.hires(employee("1", "start_date", "2024-11-11"))
	if err := h.Store.SetMeta(ctx, "configured systems", `["network", "gitlab", "okta"]`); err != nil {
		t.Fatal(err)
	}
	code := dayone.Holding{Item: dayone.Item{Key: dayone.Key{System: "network", Kind: "code", Name: "guests"}, Ref: "c1", State: dayone.Active}}
	keep := func(have ...dayone.Holding) {
		t.Helper()
		if err := h.Store.KeepHoldings(ctx, p, have); err != nil {
			t.Fatal(err)
		}
	}
	state := func() dayone.State {
		t.Helper()
		for _, x := range h.held(p) {
			if x.Key == code.Key {
				return x.State
			}
		}
		return dayone.Gone
	}
	keep(code)
	h.retires("network", dayone.OrderClose)
	err := h.AtStart(ctx)
	is(t, err, dayone.ErrInvalid)
	if !strings.Contains(err.Error(), "0 open accounts and 1 other thing") {
		t.Errorf("it says %v", err)
	}
	same(t, "the code", state(), dayone.Active)
	account := dayone.Holding{Item: dayone.Item{Key: code.Key.Account(), Ref: "u1", State: dayone.Disabled}}
	keep(code, account)
	if err := h.AtStart(ctx); err != nil {
		t.Fatal(err)
	}
	same(t, "the code of a closed account", state(), dayone.Gone)
}

// Somebody joins while a system goes: what her run had still to do there is not done.
func TestARunUnderWayGivesNothingAtARetiredSystem(t *testing.T) {
	t.Parallel()
	for _, how := range []dayone.OrderKind{dayone.OrderRelease, dayone.OrderClose} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			h := newWorld(t).open()
			h.stops("okta")
			p, r := h.hires(employee("1", "start_date", "2024-11-11"))
			same(t, "the run", r.State, dayone.RunWaiting)
			h.retires("gitlab", how)
			until(h, "a run without it", func() (bool, bool) { return true, h.newest(p).ID != r.ID })
			if err := h.LiftStop(ctx, "okta", "kim", "solved"); err != nil {
				t.Fatal(err)
			}
			h.settledAt(p)
			h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
			if _, made := account(h.gitlab, "e1@company.com"); made {
				t.Error("an account was made at a system that is retired")
			}
		})
	}
}

// Who leaves keeps what they have at a system that is left as it is. That is said before, and after.
func TestWhatStaysOpenAtARetiredSystemIsNamed(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p := h.engineers(1)[0]
	h.retires("gitlab", dayone.OrderRelease)
	h.settledAt(p)
	same(t, "while they work here", h.accessOf(p, "gitlab/account").State, flow.Kept)
	before, err := h.TerminatePreview(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, x := range before.Stays {
		keys = append(keys, x.Key.String())
		if !x.Ended || x.Legal || !strings.Contains(x.Why, "does not manage GitLab any more") {
			t.Errorf("it stays as %+v", x)
		}
	}
	same(t, "what stays", strings.Join(keys, " "), "gitlab/account gitlab/group:platform")
	if s := before.Summary(); !strings.Contains(s, "2 things stay open") {
		t.Errorf("the summary is %q", s)
	}
	h.fired(p, h.newest(p).ID)
	h.settledAt(p)
	a := h.accessOf(p, "gitlab/account")
	if a.State != flow.StaysOpen || !strings.Contains(a.Note, "does not manage") {
		t.Errorf("the access tab says %s, %q", a.State, a.Note)
	}
	e, err := h.ErasePreview(ctx, p)
	if err != nil || len(e.Stays) != 2 {
		t.Errorf("what erasing says: %+v, %v", e.Stays, err)
	}
	h.shows(h.gitlab, "e1@company.com", dayone.Active, "group:platform=developer")
}

// Nobody can pick what holds something at a system that is being retired.
func TestAProductAtARetiredSystemIsNotOffered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = withProducts(w.folder(houseOffers), houseProducts)
	h := w.open()
	p, _ := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	same(t, "before", h.product(p, "code").State, flow.ProductOffered)
	h.retires("gitlab", dayone.OrderRelease)
	same(t, "the product", h.product(p, "code").State, flow.ProductNone)
	_, err := h.PreviewPick(ctx, flow.Pick{Person: p, Products: []string{"code"}, By: "lead@company.com", Reason: "x"})
	is(t, err, dayone.ErrForbidden)
	same(t, "what is elsewhere", h.product(p, "directory").State, flow.ProductGiven)
}

package flow_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/store/storetest"
)

const houseNumbers = `
pools:
  DE-geo:
    platform: cucm-eu
    partition: DN_BER
    country: DE
    site: Berlin
    emergency: ERL-BER-1
    quarantine: 90d
    vanity: ["00"]
    ranges:
      - {first: +493012340000, last: +493012340009}
  bosses:
    platform: cucm-eu
    partition: DN_BER
    country: DE
    emergency: ERL-BER-1
    when: person.location == "Berlin" && person.level > 7
    ranges:
      - {first: +493012349990, last: +493012349991}
`

// numbered opens a house that has numbers.
func numbered(t *testing.T) *house {
	t.Helper()
	return numberedAt(t, "")
}

// numberedAt is numbered with a database of its own.
func numberedAt(t *testing.T, at string) *house {
	t.Helper()
	w := newWorld(t)
	if at != "" {
		w.at = at
	}
	h := w.open()
	if _, err := h.SaveNumberPlan(few, houseNumbers, 0, "kim"); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) gives(w flow.NumberWish) flow.NumberGiven {
	h.t.Helper()
	got, err := h.AssignNumber(few, w)
	if err != nil {
		h.t.Fatal(err)
	}
	return got
}

// known lets HR say that somebody starts on the 25th.
func (h *house) known(id string, pairs ...string) dayone.PersonID {
	h.t.Helper()
	in := h.judged(h.hears(h.hr.Put(employee(id, pairs...)))[0].ID)
	same(h.t, "the hire", in.State, dayone.EventApplied)
	return in.Person
}

func (h *house) number(id dayone.NumberID) flow.NumberView {
	h.t.Helper()
	v, _, err := h.Number(few, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

// poolTile is what the dashboard shows of a pool.
func (h *house) poolTile(pool string) dayone.Tile {
	h.t.Helper()
	all, err := h.Tiles(few)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, s := range all {
		for _, x := range s.Tiles {
			if s.System == "numbers" && strings.HasSuffix(x.Link, "/"+pool) {
				return x
			}
		}
	}
	return dayone.Tile{}
}

// A number is reserved with an offer, becomes hers when HR hires her, rests when she leaves, and is hers again when she
// comes back in time.
func TestANumberFromTheOfferToTheLastDay(t *testing.T) {
	t.Parallel()
	h := numbered(t)
	offer, err := h.ReserveNumber(few, flow.NumberWish{Pool: "DE-geo", For: dayone.NumberNote{Name: "Erin, offer 17", Ref: "emp_1"}, By: "hr", At: begin.AddDate(0, 0, 10)})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "state", offer.State, dayone.NumberReserved)
	erin := h.known("emp_1")
	got := h.gives(flow.NumberWish{Person: erin, By: "kim"})
	same(t, "number", got.ID, offer.ID)
	same(t, "why", got.Why, "it was reserved for them")
	again := h.gives(flow.NumberWish{Person: erin, By: "kim"})
	same(t, "asked twice", again.ID, offer.ID)

	before := h.poolTile(got.Pool)
	other := h.known("emp_2")
	_, err = h.AssignNumber(few, flow.NumberWish{Person: other, Number: offer.ID, By: "kim"})
	is(t, err, dayone.ErrConflict)
	second := h.gives(flow.NumberWish{Person: other, Like: "7", By: "kim"})
	same(t, "the end that was wished", second.ID, "+493012340007")
	if now := h.poolTile(got.Pool); now.Value != before.Value-1 || now.Of != before.Of || now.Of == 0 || !strings.HasPrefix(now.Link, "/numbers/pools/") {
		t.Errorf("the dashboard shows %+v, before it was %+v", now, before)
	}

	if _, err := h.OrderNumber(few, offer.ID, flow.NumberOrder{Verb: number.Confirm, By: "cucm-eu"}); err != nil {
		t.Fatal(err)
	}
	gone, err := h.OrderNumber(few, offer.ID, flow.NumberOrder{Verb: number.Release, By: "kim", Reason: "she left"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "state", gone.State, dayone.NumberQuarantine)
	_, err = h.AssignNumber(few, flow.NumberWish{Person: other, Number: offer.ID, Another: true, By: "kim"})
	is(t, err, dayone.ErrConflict)
	back := h.gives(flow.NumberWish{Person: erin, By: "kim"})
	same(t, "hers again", back.ID, offer.ID)
	same(t, "why", back.Why, "they had it before")

	v, lines, err := h.Number(few, offer.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "owner", v.Name, "Erin No emp_1")
	same(t, "emergency location", v.Location, "ERL-BER-1")
	var what []string
	for _, e := range slices.Backward(lines) {
		what = append(what, e.What)
	}
	same(t, "history", strings.Join(what, ", "), "created, reserved, assigned, confirmed, released, assigned")
	recs, err := h.Records(few, flow.RecordFilter{Person: erin, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, l := range recs {
		if rec, err := flow.RecordOf(l); err == nil && strings.HasPrefix(rec.What, "number ") {
			told++
		}
	}
	same(t, "records", told, 4)
}

// Timers end by themselves, and what others show rests on.
func TestTimersOfNumbers(t *testing.T) {
	t.Parallel()
	h := numbered(t)
	erin := h.known("emp_1")
	kept, err := h.ReserveNumber(few, flow.NumberWish{Pool: "DE-geo", For: dayone.NumberNote{Name: "nobody comes"}, By: "hr"})
	if err != nil {
		t.Fatal(err)
	}
	used, shown := h.gives(flow.NumberWish{Person: erin, By: "kim"}), h.gives(flow.NumberWish{Person: erin, Another: true, By: "kim"})
	for _, id := range []dayone.NumberID{used.ID, shown.ID} {
		if _, err := h.OrderNumber(few, id, flow.NumberOrder{Verb: number.Release, By: "kim"}); err != nil {
			t.Fatal(err)
		}
	}
	place, err := h.ShowNumber(few, dayone.Appearance{Number: shown.ID, Role: dayone.ShownFax, Device: "fax-1"}, "kim")
	if err != nil {
		t.Fatal(err)
	}
	state := func(id dayone.NumberID, want dayone.NumberState) {
		t.Helper()
		until(h, fmt.Sprintf("%s is %s", id, want), func() (bool, bool) { return true, h.number(id).State == want })
	}
	h.clock.Jump(h.clock.Now().Add(31 * 24 * time.Hour))
	state(kept.ID, dayone.NumberFree)
	state(used.ID, dayone.NumberQuarantine)
	h.clock.Jump(h.clock.Now().Add(60 * 24 * time.Hour))
	state(used.ID, dayone.NumberFree)
	same(t, "what a fax shows", h.number(shown.ID).State, dayone.NumberQuarantine)
	audit, err := h.AuditNumbers(few)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(audit.Findings, func(x flow.FindingView) bool { return x.Kind == number.Resting && x.Number == shown.ID }) {
		t.Errorf("nobody is told of what rests on: %+v", audit.Findings)
	}
	if err := h.HideNumber(few, shown.ID, place.Slot, "kim"); err != nil {
		t.Fatal(err)
	}
	h.clock.Jump(h.clock.Now().Add(25 * time.Hour))
	state(shown.ID, dayone.NumberFree)
}

// Fifty ask for the numbers of a pool at once, and the server falls in between: each number has one owner, and whoever asks
// again after the start gets the same.
func TestManyAskAtOnceAndTheServerFalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	plan := strings.Replace(houseNumbers, "last: +493012340009", "last: +493012340059", 1)
	if _, err := h.SaveNumberPlan(few, plan, 0, "kim"); err != nil {
		t.Fatal(err)
	}
	got, owners := sync.Map{}, map[dayone.NumberID]string{}
	ask := func(h *house, ctx context.Context) {
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				ref := fmt.Sprintf("offer_%d", i)
				x, err := h.ReserveNumber(ctx, flow.NumberWish{Pool: "DE-geo", For: dayone.NumberNote{Ref: ref}, By: "hr"})
				if err != nil {
					return // the server is gone, or whoever asked is
				}
				if before, had := got.Swap(ref, x.ID); had && before != x.ID {
					t.Errorf("%s had %s and gets %s", ref, before, x.ID)
				}
			})
		}
		wg.Wait()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Millisecond)
	ask(h, ctx)
	cancel()
	var fell sync.WaitGroup
	fell.Go(h.stop)
	ask(h, context.Background())
	fell.Wait()
	h = w.open()
	ask(h, context.Background())
	list, err := h.Numbers(few, flow.NumberFilter{Pool: "DE-geo", State: dayone.NumberReserved, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "reserved", len(list), 50)
	for _, x := range list {
		owners[x.ID] = x.For.Ref
	}
	got.Range(func(ref, id any) bool {
		if owners[id.(dayone.NumberID)] != ref {
			t.Errorf("%s was told %s, which is %s's", ref, id, owners[id.(dayone.NumberID)])
		}
		return true
	})
}

func TestThePlanOfNumbersChangesWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	h := numbered(t)
	erin := h.known("emp_1")
	got := h.gives(flow.NumberWish{Person: erin, Number: "+493012340009", By: "kim"})

	_, err := h.SaveNumberPlan(few, houseNumbers, 0, "lee") // who has not seen kim's
	is(t, err, dayone.ErrConflict)
	d, err := h.SaveNumberPlan(few, strings.Replace(houseNumbers, "last: +493012340009", "last: +493012340005", 1), 1, "lee")
	is(t, err, dayone.ErrInvalid)
	if len(d.Faults) != 1 || !strings.Contains(d.Faults[0].Text, string(got.ID)) || d.Faults[0].Line != 3 {
		t.Errorf("faults: %+v", d.Faults)
	}
	same(t, "a number that was to go with it", h.number("+493012340008").State, dayone.NumberFree)
	if p, err := h.NumberPlan(few); err != nil || p.Seq != 1 || p.Text != houseNumbers {
		t.Errorf("the plan: %+v, %v", p, err)
	}
	for text, want := range map[string]string{
		strings.Replace(houseNumbers, "person.level", "person.levle", 1):     `did you mean "level"`,
		strings.Replace(houseNumbers, "person.level > 7", "person.level", 1): "expected type 'bool' but found 'int'",
		"stated_by: [fone]": "people.yaml has no such attribute",
	} {
		if d, err := h.JudgeNumberPlan(few, text); err != nil || len(d.Faults) != 1 || !strings.Contains(d.Faults[0].Text, want) {
			t.Errorf("%q: %+v, %v", want, d, err)
		}
	}

	if _, err := h.OrderNumber(few, got.ID, flow.NumberOrder{Verb: number.Release, By: "kim"}); err != nil {
		t.Fatal(err)
	}
	short := strings.Replace(houseNumbers, "last: +493012340009", "last: +493012340005", 1)
	if d, err = h.JudgeNumberPlan(few, short); err != nil || d.Gone != 4 || len(d.Faults) != 0 || len(d.Lines) != 2 {
		t.Errorf("judged: %+v, %v", d, err)
	}
	if _, err = h.SaveNumberPlan(few, short, 1, "lee"); err != nil {
		t.Fatal(err)
	}
	same(t, "what is gone", h.number(got.ID).State, dayone.NumberRetired)
	if _, err = h.SaveNumberPlan(few, strings.Replace(houseNumbers, `["00"]`, `["8"]`, 1), 2, "lee"); err != nil {
		t.Fatal(err)
	}
	same(t, "what is there again rests on", h.number(got.ID).State, dayone.NumberQuarantine)
	if !h.number("+493012340008").Vanity || h.number("+493012340000").Vanity {
		t.Error("numbers are not marked anew")
	}
}

// A file that nobody can read as a whole is refused with its line, and nothing of it is done.
func TestAFileThatIsNoTextIsNotImported(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(testing.TB) string{"SQLite": nil, "PostgreSQL": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := ""
			if at != nil {
				where = at(t)
			}
			h := numberedAt(t, where)
			const head, good = "number,state,reason\n", "+493012340002,held,lift\n"
			for bad, line := range map[string]int{head + good + "+493012340003,held,do\x00or\n": 3, head + "+493012340003,held,d\xf6or\n" + good: 1} {
				im, err := h.ImportNumbers(few, "n.csv", bad, "kim", false)
				is(t, err, dayone.ErrInvalid)
				if len(im.Faults) != 1 || im.Faults[0].Line != line {
					t.Errorf("%q: %+v", bad, im.Faults)
				}
				same(t, "a good line of it", h.number("+493012340002").State, dayone.NumberFree)
			}
			if _, err := h.ImportNumbers(few, "n.csv", head+good, "kim", false); err != nil {
				t.Error(err)
			}
			same(t, "the good line alone", h.number("+493012340002").State, dayone.NumberOnHold)
		})
	}
}

func TestAFileIsImportedWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	h := numbered(t)
	erin := h.known("emp_1")
	file := "number,to,person,state,confirmed,reason\n030 12340001,,x,,,\n+493012340001,,,,,\n"
	im, err := h.ImportNumbers(few, "n.csv", strings.ReplaceAll(file, "030 12340001,,x", "+493012340001,,nobody@company.com"), "kim", false)
	is(t, err, dayone.ErrInvalid)
	if len(im.Faults) != 2 {
		t.Errorf("faults: %+v", im.Faults)
	}
	file = "number,to,person,state,confirmed,reason\n+493012340001,,emp_1,,yes,\n+493012340002,+493012340004,,held,,emergency lines\n+493012341111,,eemp_1@company.com,,,\n+442079460000,,,,,\n"
	im, err = h.ImportNumbers(few, "n.csv", file, "kim", true)
	if err != nil || im.Numbers != 6 || im.New != 2 || im.Changed != 4 || im.Assigned != 2 {
		t.Errorf("dry: %+v, %v", im, err)
	}
	same(t, "after a dry run", h.number("+493012340001").State, dayone.NumberFree)
	if im, err = h.ImportNumbers(few, "n.csv", file, "kim", false); err != nil || im.Assigned != 2 {
		t.Fatalf("%+v, %v", im, err)
	}
	v := h.number("+493012340001")
	same(t, "owner", v.Owner, erin)
	if v.Confirmed.IsZero() {
		t.Error("it is not confirmed")
	}
	same(t, "held", h.number("+493012340003").For.Reason, "emergency lines")
	same(t, "of no pool", h.number("+442079460000").State, dayone.NumberExternal)
	if im, err = h.ImportNumbers(few, "n.csv", file, "kim", false); err != nil || im.New+im.Changed != 0 {
		t.Errorf("imported twice: %+v, %v", im, err)
	}
	other := h.known("emp_2")
	im, err = h.ImportNumbers(few, "n.csv", "number,person\n+493012340005,emp_2\n+493012340001,emp_2\n", "kim", false)
	is(t, err, dayone.ErrInvalid)
	if len(im.Faults) != 1 || im.Faults[0].Line != 3 || !strings.Contains(im.Faults[0].Text, "somebody else") {
		t.Errorf("faults: %+v", im.Faults)
	}
	if got, err := h.Numbers(few, flow.NumberFilter{Owner: other}); err != nil || len(got) != 0 {
		t.Errorf("half of it is imported: %v, %v", got, err)
	}
}

// Who starts soon is known, and whether there is a number for each of them.
func TestStartersAreCountedBeforeTheyCome(t *testing.T) {
	t.Parallel()
	h := numbered(t)
	for i := range 11 {
		h.known(fmt.Sprintf("emp_%d", i))
	}
	boss := h.known("emp_b", "level", "9")
	pools, err := h.NumberPools(few)
	if err != nil {
		t.Fatal(err)
	}
	de, bosses := pools[0], pools[1]
	// the first rule that holds counts: site DE-geo comes before bosses
	if de.Outlook.Needs != 12 || de.Outlook.Free != 9 || de.Outlook.Short != 3 || bosses.Outlook.Needs != 0 {
		t.Errorf("%+v\n%+v", de.Outlook, bosses.Outlook)
	}
	got := h.gives(flow.NumberWish{Person: boss, Pool: "bosses", By: "kim"})
	same(t, "of the pool that is named", got.Pool, "bosses")
	for range 9 {
		if _, err := h.ReserveNumber(few, flow.NumberWish{Pool: "DE-geo", For: dayone.NumberNote{Name: "x"}, By: "hr"}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = h.ReserveNumber(few, flow.NumberWish{Pool: "DE-geo", For: dayone.NumberNote{Name: "x"}, By: "hr"})
	is(t, err, dayone.ErrNoSeat)
	if got, err := h.ReserveNumber(few, flow.NumberWish{Number: "+493012340000", For: dayone.NumberNote{Name: "the board"}, By: "hr"}); err != nil || !got.Vanity {
		t.Errorf("a vanity number that is asked for: %+v, %v", got, err)
	}
	cells, err := h.NumberMap(few, "DE-geo", "+493012340000", 4)
	if err != nil || len(cells) != 1 || cells[0].Count[dayone.NumberReserved] != 10 {
		t.Errorf("map: %+v, %v", cells, err)
	}
}

// A line that others show is not taken from them with its owner.
func TestASharedLineGoesToAnHeir(t *testing.T) {
	t.Parallel()
	h := numbered(t)
	erin := h.known("emp_1")
	ada := h.known("emp_2")
	got := h.gives(flow.NumberWish{Person: erin, By: "kim"})
	if _, err := h.ShowNumber(few, dayone.Appearance{Number: got.ID, Role: dayone.ShownAssistant, Person: ada, Device: "SEP001122334455"}, "kim"); err != nil {
		t.Fatal(err)
	}
	_, err := h.OrderNumber(few, got.ID, flow.NumberOrder{Verb: number.Release, By: "kim"})
	is(t, err, dayone.ErrConflict)
	x, err := h.OrderNumber(few, got.ID, flow.NumberOrder{Verb: number.Release, Heir: ada, By: "kim"})
	if err != nil || x.Owner != ada || x.State != dayone.NumberAssigned {
		t.Errorf("%+v, %v", x, err)
	}
	h.judged(h.hears(h.hr.Put(employee("emp_2", "end_date", "2024-11-20", "start_date", "2024-11-01")))[0].ID)
	h.clock.Jump(begin.AddDate(0, 0, 7))
	until(h, "an audit that finds the leaver", func() (bool, bool) {
		audit, err := h.AuditNumbers(few)
		return true, err == nil && slices.ContainsFunc(audit.Findings, func(f flow.FindingView) bool { return f.Kind == number.Leaver && f.Person == ada })
	})
}

// Two records of one person: the number goes with whoever goes, and comes back with them.
func TestANumberGoesWithWhoeverIsMerged(t *testing.T) {
	t.Parallel()
	_, h, first, second := twice(t)
	if _, err := h.SaveNumberPlan(few, houseNumbers, 0, "kim"); err != nil {
		t.Fatal(err)
	}
	got := h.gives(flow.NumberWish{Person: second, Pool: "DE-geo", By: "kim"})
	other := h.gives(flow.NumberWish{Person: first, Pool: "DE-geo", By: "kim"})
	if _, err := h.ShowNumber(few, dayone.Appearance{Number: other.ID, Role: dayone.ShownSecond, Person: second, Device: "SEP1"}, "kim"); err != nil {
		t.Fatal(err)
	}
	h.merges(first, second)
	same(t, "owner", h.number(got.ID).Owner, first)
	if s := h.number(other.ID).Shown; len(s) != 1 || s[0].Person != first || s[0].Device != "SEP1" {
		t.Errorf("shown: %+v", s)
	}
	if _, err := h.Split(few, flow.Splitter{Person: first, Employment: "77", By: "kim@company.com", Reason: "two after all"}); err != nil {
		t.Fatal(err)
	}
	same(t, "owner after all", h.number(got.ID).Owner, second)
	same(t, "and not the other's", h.number(other.ID).Owner, first)
	if s := h.number(other.ID).Shown; len(s) != 1 || s[0].Person != second || s[0].Device != "SEP1" {
		t.Errorf("shown after all: %+v", s)
	}
}

// Who may not know of a hire sees that somebody has a number, and not who.
func TestWhoIsConfidentialHasANumberInConfidence(t *testing.T) {
	t.Parallel()
	h := numbered(t)
	in, err := h.Enter(few, flow.Entry{Type: dayone.Hired, Subject: "ceo", By: "kim@company.com", Fields: map[string]string{
		"start_date": "2024-12-02", "first_name": "Ngozi", "last_name": "Eze", "email": "ngozi@company.com", "department": "Sales", "location": "Berlin", "employment_type": "FTE",
		"confidential": "true", "announced_on": "2024-11-25",
	}})
	if err != nil {
		t.Fatal(err)
	}
	hidden := in.Person
	is(t, errOf(h.Person(ctx, hidden)), dayone.ErrNotFound)
	got := h.gives(flow.NumberWish{Person: hidden, Pool: "DE-geo", By: "hr"})
	v, lines, err := h.Number(ctx, got.ID)
	if err != nil || !v.Hidden || v.Owner != "" || v.Number.Owner != "" || v.Name != "" {
		t.Errorf("%+v, %v", v, err)
	}
	for _, e := range lines {
		if e.Person != "" || e.Name != "" || e.Note != "" {
			t.Errorf("the history says %+v", e)
		}
	}
	_, err = h.OrderNumber(ctx, got.ID, flow.NumberOrder{Verb: number.Release, By: "it"})
	is(t, err, dayone.ErrForbidden)
	_, err = h.AssignNumber(ctx, flow.NumberWish{Person: hidden, Pool: "DE-geo", By: "it"})
	is(t, err, dayone.ErrNotFound)
	if recs, err := h.Records(ctx, flow.RecordFilter{Limit: 100}); err != nil || slices.ContainsFunc(recs, func(l flow.Line) bool { return l.Person == hidden }) {
		t.Errorf("the ledger names them: %v, %v", recs, err)
	}
	h.clock.Jump(time.Date(2024, 11, 25, 12, 0, 0, 0, time.UTC))
	until(h, "the record, once everybody may know", func() (bool, bool) { return true, slices.Contains(h.whats(hidden), "number assigned") })
	same(t, "owner", h.number(got.ID).Name, "Ngozi Eze")
}

// An audit that takes long is remembered, says of when it is, and is made anew after a while.
func TestAnAuditOfTheBooksIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var slow atomic.Bool
	w.asked = func() {
		if slow.Load() { // each look at the clock takes a second
			w.clock.Jump(w.clock.Now().Add(time.Second))
		}
	}
	h := w.open()
	if _, err := h.SaveNumberPlan(few, houseNumbers, 0, "kim"); err != nil {
		t.Fatal(err)
	}
	erin := h.known("emp_1")
	h.gives(flow.NumberWish{Person: erin, By: "kim"})
	two := func(ctx context.Context) (flow.NumberAudit, bool) {
		a, err := h.AuditNumbers(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return a, slices.ContainsFunc(a.Findings, func(f flow.FindingView) bool { return f.Kind == number.TwoNumbers && f.Person == erin })
	}
	slow.Store(true)
	first, wrong := two(few)
	slow.Store(false)
	same(t, "before she has two", wrong, false)
	h.gives(flow.NumberWish{Person: erin, Another: true, By: "kim"})
	again, wrong := two(few)
	same(t, "remembered", wrong, false)
	same(t, "of when it is", again.At, first.At)
	_, wrong = two(context.Background())
	same(t, "others have one of their own", wrong, true)
	h.clock.Jump(h.clock.Now().Add(24 * time.Hour))
	now, wrong := two(few)
	same(t, "made anew", wrong, true)
	if !now.At.After(first.At) {
		t.Errorf("it is of %s", now.At)
	}
}

// offers lets HR say something of an offer.
func (h *house) offers(what, id string, pairs ...string) dayone.Intake {
	h.t.Helper()
	event := h.hears(h.hr.Offer(what, employee(id, pairs...)))[0].ID
	return until(h, "an offer judged", func() (dayone.Intake, bool) {
		got, err := h.Event(few, event)
		if err != nil {
			h.t.Fatal(err)
		}
		return got, got.State != dayone.EventReceived
	})
}

// kept are the numbers that are reserved, with for whom.
func (h *house) kept() string {
	h.t.Helper()
	all, err := h.Numbers(few, flow.NumberFilter{State: dayone.NumberReserved, Limit: 50})
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, x := range all {
		out = append(out, fmt.Sprintf("%s %s for %q %s", x.ID, x.Number.Pool, x.For.Name, x.For.Ref))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// HR makes an offer, and a number is kept of the pool that the rules name; offered again it is the same one, in another place one of
// that place's. Withdrawn it is free again. The offer makes nobody; who is hired has the number that was kept.
func TestANumberWithAnOfferOfHR(t *testing.T) {
	t.Parallel()
	h := numbered(t)
	before, err := h.People(few, flow.PeopleFilter{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	made := h.offers("made", "emp_812", "location", "Berlin")
	same(t, "an offer", made.State, dayone.EventApplied)
	first := h.kept()
	if !strings.Contains(first, "DE-geo") || !strings.HasSuffix(first, "hr/emp_812") || !strings.Contains(made.Note, strings.Fields(first)[0]) {
		t.Fatalf("kept is %s; the event says %s", first, made.Note)
	}
	h.offers("changed", "emp_812", "location", "Berlin", "job_title", "Lead")
	same(t, "said again", h.kept(), first)
	same(t, "offered where no pool is", h.offers("changed", "emp_812", "location", "San Francisco").State, dayone.EventUnchanged)
	same(t, "kept then", h.kept(), "")
	h.offers("changed", "emp_812", "location", "Berlin")
	same(t, "withdrawn", h.offers("withdrawn", "emp_812").State, dayone.EventApplied)
	same(t, "kept after it was withdrawn", h.kept(), "")
	same(t, "withdrawn twice", h.offers("declined", "emp_812").State, dayone.EventUnchanged)

	same(t, "an offer without a date", h.offers("made", "emp_813", "start_date", "").State, dayone.EventQuarantined)

	h.offers("made", "emp_812", "location", "Berlin")
	after, err := h.People(few, flow.PeopleFilter{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "people after offers", len(after), len(before))
	number := strings.Fields(h.kept())[0]
	erin := h.known("emp_812", "location", "Berlin")
	until(h, "the number is hers when she is hired", func() (bool, bool) { // right after the hire is in the books
		return true, h.number(dayone.NumberID(number)).Owner == erin
	})
	same(t, "an offer after the hire", h.offers("changed", "emp_812", "location", "Berlin").State, dayone.EventUnchanged)
	same(t, "its end after the hire", h.offers("withdrawn", "emp_812").State, dayone.EventUnchanged)
	same(t, "what she is given", h.gives(flow.NumberWish{Person: erin, By: "kim"}).ID, dayone.NumberID(number))

	h.offers("made", "emp_814", "location", "Berlin")
	h.clock.Jump(h.clock.Now().AddDate(0, 6, 0))
	until(h, "an offer that lapses", func() (string, bool) { k := h.kept(); return k, k == "" })
}

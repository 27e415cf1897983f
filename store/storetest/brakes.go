package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// ends is a body of so many terminations; from tells one delivery of it from another.
func ends(n int, from string) []store.HeldEvent {
	var out []store.HeldEvent
	for i := range n {
		ev := dayone.Event{ID: dayone.EventID(fmt.Sprintf("evt_%s%04d", from, i)), Source: "hr", Type: dayone.Terminated, Subject: fmt.Sprint("emp_", i), At: at, Received: at}
		out = append(out, store.HeldEvent{Event: ev, Body: []byte("a body"), Held: dayone.Held{Item: string(ev.ID), Subject: ev.Subject}})
	}
	return out
}

func bodyOf(id string) dayone.Brake {
	return dayone.Brake{ID: dayone.BrakeID(id), Scope: "source:hr", Rule: dayone.BrakeBody + id, Note: "too many", Opened: at}
}

// brokenOff keeps the first commit of a body and fails in the next one, as a full disk does.
func brokenOff(t *testing.T, d *store.DB, id string) {
	t.Helper()
	all := slices.Clone(ends(500, "a"))
	all[300].Event.ID = all[0].Event.ID
	if _, err := d.HoldAll(t.Context(), bodyOf(id), all); err == nil {
		t.Fatal("it was to break off")
	}
	if held := must[[]dayone.Held](t)(d.HeldFrom(t.Context(), dayone.BrakeID(id), "", 1000)); len(held) != 200 {
		t.Fatalf("%d are kept of what broke off", len(held))
	}
}

// on are the brakes that hold, and what each of them does.
func on(t *testing.T, d *store.DB) map[dayone.BrakeID]int {
	t.Helper()
	out := map[dayone.BrakeID]int{}
	for _, b := range must[[]dayone.Brake](t)(d.Brakes(t.Context(), true, 10)) {
		out[b.ID] = b.Held
	}
	return out
}

// listSaidAgain: a list counts as read though nothing in it is new, and what it brings again is held by it.
func listSaidAgain(t *testing.T, d *store.DB) {
	ctx := t.Context()
	all := ends(250, "a") // more than go in one commit
	held := func(id dayone.BrakeID, want int) {
		t.Helper()
		list := dayone.Brake{ID: id, Scope: "source:hr", Rule: dayone.BrakeRead, Note: "the list is short", Opened: at, List: &dayone.ListFigures{Known: 300, Missing: 50}}
		for i := range all { // each list names its events anew
			all[i].Event.ID = dayone.EventID(fmt.Sprintf("evt_%s%04d", id, i))
			all[i].Held.Item = string(all[i].Event.ID)
		}
		if err := d.HoldList(ctx, list, all, dayone.SourceRead{Source: "hr", At: at, Note: "read for " + string(id), Brake: id}, nil); err != nil {
			t.Fatal(err)
		}
		if got := on(t, d); len(got) != 1 || got[id] != want {
			t.Errorf("what is held by %s: %v, want %d", id, got, want)
		}
		if r := must[map[string]dayone.SourceRead](t)(d.SourceReads(ctx))["hr"]; r.Brake != id || r.Note != "read for "+string(id) {
			t.Errorf("what was read last is %+v, not that of %s", r, id)
		}
	}
	first := func(want dayone.EventState, brake dayone.BrakeID) {
		t.Helper()
		if in := must[dayone.Intake](t)(d.Event(ctx, "evt_brk_10000")); in.State != want || in.Brake != brake {
			t.Errorf("its first event is %s, by %s; want %s, by %s", in.State, in.Brake, want, brake)
		}
	}
	held("brk_1", 250)
	held("brk_2", 250)
	first(dayone.EventHeld, "brk_2")
	if err := d.Decide(ctx, store.Verdict{Brake: "brk_2", State: dayone.BrakeDiscarded, By: "kim", Reason: "no", At: at}); err != nil {
		t.Fatal(err)
	}
	held("brk_3", 0) // somebody has thrown it away; whom the list lacks still waits for a word
	first(dayone.EventDiscarded, "brk_2")
}

func bodySaidAgain(t *testing.T, d *store.DB) {
	brokenOff(t, d, "brk_1")
	for i, id := range []string{"brk_2", "brk_3"} { // the second time all of it is kept
		kept := must[[]dayone.Intake](t)(d.HoldAll(t.Context(), bodyOf(id), ends(500, string(rune('b'+i)))))
		if len(kept) != 500 || kept[0].ID != "evt_a0000" || kept[0].Brake != "brk_2" {
			t.Errorf("%d are kept, the first as %+v", len(kept), kept[0])
		}
		if got := on(t, d); len(got) != 1 || got["brk_2"] != 500 {
			t.Errorf("what is held after it was said again: %v", got)
		}
	}
	if err := d.FinishBrakes(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if got := on(t, d); len(got) != 1 {
		t.Errorf("the one that broke off is empty, and on: %v", got)
	}
	b := must[dayone.Brake](t)(d.Brake(t.Context(), "brk_2"))
	if err := d.Decide(t.Context(), store.Verdict{Brake: b.ID, State: dayone.BrakeReleased, By: "kim", Reason: "a site closes", At: at}); err != nil {
		t.Fatal(err)
	}
	if left := must[[]dayone.Intake](t)(d.Events(t.Context(), store.EventFilter{State: dayone.EventHeld, Limit: 1000})); len(left) > 0 {
		t.Errorf("%d events stay behind", len(left))
	}
}

func bodyBrokenOff(t *testing.T, d *store.DB) {
	brokenOff(t, d, "brk_1")
	if got := on(t, d); len(got) > 0 {
		t.Errorf("half a body can be let through: %v", got)
	}
	if err := d.FinishBrakes(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if got := on(t, d); len(got) != 1 || got["brk_1"] != 200 {
		t.Errorf("after a start: %v", got)
	}
	must[[]dayone.Intake](t)(d.HoldAll(t.Context(), bodyOf("brk_2"), ends(500, "b"))) // said again after all
	if got := on(t, d); len(got) != 2 || got["brk_1"] != 200 || got["brk_2"] != 300 {
		t.Errorf("said again after a start: %v", got)
	}
}

// A body may say two things of one employment.
func twoInOneBody(t *testing.T, d *store.DB) {
	say := func(from, body string, again bool) {
		t.Helper()
		for i, kind := range []dayone.EventType{dayone.Updated, dayone.Terminated} {
			ev := event(fmt.Sprintf("evt_%s%d", from, i), "")
			ev.Type = kind
			in, was, err := d.Accept(t.Context(), ev, []byte(body))
			if err != nil || was != again || in.Type != kind {
				t.Errorf("%s %s: %+v, again %v, want %v (%v)", from, kind, in, was, again, err)
			}
		}
	}
	say("1", "a", false)
	say("2", "a", true)
	say("3", "b", false)
	say("4", "a", false)
	say("5", "a", true)
}

// What held somebody goes with her, or with what became of it.
func heldEnds(t *testing.T, d *store.DB) {
	ctx := t.Context()
	hold := func(id string, all []store.HeldEvent) {
		t.Helper()
		must[[]dayone.Intake](t)(d.HoldAll(ctx, bodyOf(id), all))
	}
	p := Sarah(t, d)
	all := ends(3, "a")
	all[0].Held.Person, all[1].Held.Person = p, p
	hold("brk_1", all[:1])
	hold("brk_2", all[1:])
	if err := d.Erase(ctx, p, at); err != nil {
		t.Fatal(err)
	}
	if got := on(t, d); len(got) != 1 || got["brk_2"] != 1 {
		t.Errorf("after she was erased: %v", got)
	}
	if err := d.Decide(ctx, store.Verdict{Brake: "brk_2", State: dayone.BrakeReleased, By: "kim", Reason: "so it is", At: at}); err != nil {
		t.Fatal(err)
	}
	must[dayone.Held](t)(d.HeldItem(ctx, "evt_a0002"))
	if err := d.MarkEvent(ctx, "evt_a0002", dayone.EventQuarantined, "no start date"); err != nil {
		t.Fatal(err)
	}
	if h, err := d.HeldItem(ctx, "evt_a0002"); err == nil {
		t.Errorf("it stays for ever: %+v", h)
	}
}

// Whom a held list lacks goes where her employment goes, and is named until somebody decides.
func heldLacks(t *testing.T, d *store.DB) {
	ctx := t.Context()
	a, rowA := known(t, d, "a")
	b, rowB := known(t, d, "b")
	c, _ := known(t, d, "c")
	missing := func(id string, want ...string) {
		t.Helper()
		rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Missing: dayone.BrakeID(id)}))
		subjects := must[map[dayone.PersonID][]string](t)(d.MissingSubjects(ctx, dayone.BrakeID(id), rows))
		var got []string
		n := 0
		for _, r := range rows {
			got = append(got, fmt.Sprint(r.ID, subjects[r.ID]))
			n += len(subjects[r.ID])
		}
		people, named, err := d.CountMissing(ctx, dayone.BrakeID(id), nil)
		if err != nil || !slices.Equal(got, want) || named != n || people != len(rows) {
			t.Errorf("brake %s lacks %q and counts %d of %d people, want %q; %v", id, got, named, people, want, err)
		}
	}
	hold := func(id string, who ...dayone.PersonID) {
		t.Helper()
		list := dayone.Brake{ID: dayone.BrakeID(id), Scope: "source:hr", Rule: dayone.BrakeRead, Note: "the list is short", Opened: at, List: &dayone.ListFigures{Known: 3, Missing: len(who)}}
		var lacks []dayone.Absence
		for _, p := range who {
			lacks = append(lacks, dayone.Absence{Source: "hr", Subject: string(p)[len("per_"):], Person: p, Since: at})
		}
		if err := d.HoldList(ctx, list, nil, dayone.SourceRead{Source: "hr", At: at, Brake: list.ID}, lacks); err != nil {
			t.Fatal(err)
		}
		if r := must[map[string]dayone.SourceRead](t)(d.SourceReads(ctx))["hr"]; r.Brake != list.ID {
			t.Errorf("the read names brake %q, not %s", r.Brake, id)
		}
	}
	hold("brk_1", a, b, c)
	missing("brk_1", "per_a[a]", "per_b[b]", "per_c[c]")
	hold("brk_2", a, b) // the next night's list
	missing("brk_1")
	missing("brk_2", "per_a[a]", "per_b[b]")

	m := store.Merger{Merge: dayone.Merge{ID: "mrg_1", Person: a, Other: b, Made: at, By: "kim", Reason: "one person"}, Row: rowA, Once: onceOf}
	if err := d.Merge(ctx, m); err != nil {
		t.Fatal(err)
	}
	missing("brk_2", "per_a[a b]")
	was := must[[]dayone.Merge](t)(d.Merges(ctx, a))
	if err := d.Split(ctx, store.Splitter{Merge: was[0], Person: a, Off: b, At: at, Rows: [2]store.Row{rowA, rowB}, Once: onceOf}); err != nil {
		t.Fatal(err)
	}
	missing("brk_2", "per_a[a]", "per_b[b]")
	if err := d.Erase(ctx, b, at); err != nil {
		t.Fatal(err)
	}
	missing("brk_2", "per_a[a]")

	decide := func(id dayone.BrakeID, to dayone.BrakeState, want ...string) {
		t.Helper()
		if err := d.Decide(ctx, store.Verdict{Brake: id, State: to, By: "kim", Reason: "so it is", At: at}); err != nil {
			t.Fatal(err)
		}
		missing(string(id))
		var got []string
		for _, x := range must[[]dayone.Absence](t)(d.Absent(ctx, 10)) {
			got = append(got, string(x.Person))
		}
		if brake := must[dayone.Brake](t)(d.Brake(ctx, id)); !slices.Equal(got, want) || brake.List == nil || brake.List.Known != 3 {
			t.Errorf("%s, the last list lacks %q, want %q; its figures are %+v", to, got, want, brake.List)
		}
	}
	decide("brk_2", dayone.BrakeReleased, "per_a")
	hold("brk_3", c)
	decide("brk_3", dayone.BrakeDiscarded, "per_a")
	hold("brk_4", c)
	decide("brk_4", dayone.BrakeReleased, "per_c")
}

// What a brake holds is the same by pages, and by its marks alone.
func heldByPages(t *testing.T, d *store.DB) {
	ctx, id := t.Context(), dayone.BrakeID("brk_1")
	must[[]dayone.Intake](t)(d.HoldAll(ctx, bodyOf(string(id)), ends(150, "a")))
	var paged, marked []string
	for after := ""; ; {
		page := must[[]dayone.Held](t)(d.HeldFrom(ctx, id, after, 50))
		if len(page) == 0 {
			break
		}
		for _, h := range page {
			paged = append(paged, string(h.Person)+h.Item+h.Mark)
		}
		after = page[len(page)-1].Item
	}
	for _, h := range must[[]dayone.Held](t)(d.HeldMarks(ctx, id)) {
		marked = append(marked, string(h.Person)+h.Item+h.Mark)
	}
	if !slices.Equal(paged, marked) || len(paged) != 150 {
		t.Errorf("%d by pages, %d by their marks", len(paged), len(marked))
	}
}

// What is proposed stands until it is confirmed, taken back or thrown away, and is of what was held then.
func proposedRelease(t *testing.T, d *store.DB) {
	ctx := t.Context()
	id := dayone.BrakeID("brk_1")
	must[[]dayone.Intake](t)(d.HoldAll(ctx, bodyOf(string(id)), ends(2, "a")))
	if err := d.FinishBrakes(ctx, at); err != nil {
		t.Fatal(err)
	}
	p := dayone.ProposedRelease{By: "kim (logged in as api)", Logins: []string{"api", "a login"}, At: at.Add(time.Minute), Reason: "so it is", Hash: dayone.HeldHash(must[[]dayone.Held](t)(d.HeldFrom(ctx, id, "", 1000)))}
	said := func(what string) dayone.Record { return dayone.Record{At: at, What: what, By: "kim"} }
	propose := func(p dayone.ProposedRelease, want error) {
		t.Helper()
		if err := d.ProposeRelease(ctx, id, p, nil, said("proposed")); !errors.Is(err, want) {
			t.Errorf("proposed: %v, want %v", err, want)
		}
	}
	stands := func(want *dayone.ProposedRelease) {
		t.Helper()
		one := must[dayone.Brake](t)(d.Brake(ctx, id))
		all := must[[]dayone.Brake](t)(d.Brakes(ctx, false, 10))
		if !reflect.DeepEqual(one.Proposed, want) || !reflect.DeepEqual(all[0].Proposed, want) {
			t.Errorf("there stand %+v and %+v, want %+v", one.Proposed, all[0].Proposed, want)
		}
	}
	stands(nil)
	other := p
	other.Hash = "0123456789abcdef"
	propose(other, dayone.ErrConflict)
	stands(nil)
	propose(p, nil)
	stands(&p)
	propose(p, dayone.ErrConflict)
	confirm := func(proposed time.Time) error {
		return d.Decide(ctx, store.Verdict{Brake: id, State: dayone.BrakeReleased, By: p.By, Second: "lee", Reason: p.Reason, Confirms: proposed, At: at, Records: []dayone.Record{said("released")}})
	}
	if err := confirm(at); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("another proposal than that which stands is confirmed: %v", err)
	}
	if err := d.TakeBackRelease(ctx, id, at, nil, said("taken back")); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("another proposal than that which stands is taken back: %v", err)
	}
	stands(&p)

	seen := must[[]dayone.Held](t)(d.HeldFrom(ctx, id, "", 1000))[0] // what is held is something else from now on
	seen.Mark = "1"
	if err := d.SeeHeld(ctx, seen); err != nil {
		t.Fatal(err)
	}
	old := p
	old.Stale = true
	stands(&old)
	p.At, p.Hash = p.At.Add(time.Minute), dayone.HeldHash(must[[]dayone.Held](t)(d.HeldFrom(ctx, id, "", 1000)))
	propose(p, nil)
	stands(&p)
	if err := d.TakeBackRelease(ctx, id, p.At, nil, said("taken back")); err != nil {
		t.Fatal(err)
	}
	stands(nil)
	if err := confirm(p.At); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("what was taken back is confirmed: %v", err)
	}
	propose(p, nil)
	if err := confirm(p.At); err != nil {
		t.Fatal(err)
	}
	stands(nil)
	propose(p, dayone.ErrConflict)
	if b := must[dayone.Brake](t)(d.Brake(ctx, id)); b.State != dayone.BrakeReleased || b.By != p.By || b.Second != "lee" {
		t.Errorf("it ended as %+v", b)
	}
	var got []string
	for _, l := range must[[]store.Line](t)(d.Records(ctx, store.RecordFilter{Limit: 100})) {
		if slices.Contains([]string{"proposed", "taken back", "released"}, l.What) {
			got = append(got, l.What)
		}
	}
	slices.Reverse(got)
	if want := []string{"proposed", "proposed", "taken back", "proposed", "released"}; !slices.Equal(got, want) {
		t.Errorf("the ledger says %q, want %q", got, want)
	}
}

// An announced lay-off comes back as it was said, and is confirmed once.
func announcedCounts(t *testing.T, d *store.DB) {
	ctx := t.Context()
	a := dayone.Announcement{ID: "ann_1", Source: "hr", Count: 2, From: at, Until: at.Add(time.Hour), Reason: "a site closes", By: "kim", Logins: []string{"kim", "api"}, Made: at}
	if err := d.Announce(ctx, a); err != nil {
		t.Fatal(err)
	}
	stands := func() {
		t.Helper()
		if got := must[[]dayone.Announcement](t)(d.Announced(ctx, at)); len(got) != 1 || !reflect.DeepEqual(got[0], a) {
			t.Errorf("announced is %+v, want %+v", got, a)
		}
	}
	stands()
	a.Second, a.Counts = "lee", at.Add(time.Minute)
	if err := d.ConfirmAnnouncement(ctx, a.ID, a.Second, a.Counts); err != nil {
		t.Fatal(err)
	}
	stands()
	if err := d.ConfirmAnnouncement(ctx, a.ID, "sam", at); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("confirmed twice: %v", err)
	}
	if err := d.ConfirmAnnouncement(ctx, "ann_2", "sam", at); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("one that is not there is confirmed: %v", err)
	}
	if err := d.EndAnnouncement(ctx, a.ID, "kim", at); err != nil {
		t.Fatal(err)
	}
	if err := d.ConfirmAnnouncement(ctx, a.ID, "sam", at); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("one that was taken back is confirmed: %v", err)
	}
}

// brakesWithin: a brake is in a scope if it holds something, and nobody who is out of it.
func brakesWithin(t *testing.T, d *store.DB) {
	ctx := t.Context()
	for name, country := range map[string]string{"ada": "DE", "bo": "de", "luc": "FR", "nemo": ""} {
		row := store.Row{ID: dayone.PersonID("per_" + name), Name: name, Country: country, Status: dayone.Working}
		if err := d.Save(ctx, store.Saved{Person: row.ID, New: true, Row: &row}); err != nil {
			t.Fatal(err)
		}
	}
	brakes := map[string][]string{"brk_a": {"ada"}, "brk_b": {"ada", "bo"}, "brk_c": {"ada", "luc"}, "brk_d": {"nemo"}, "brk_e": {"ada", ""}, "brk_f": nil, "brk_g": {"bo"}}
	for _, id := range slices.Sorted(maps.Keys(brakes)) {
		b := dayone.Brake{ID: dayone.BrakeID(id), Scope: "source:hr", Rule: dayone.BrakeBody + id, Opened: at}
		if id == "brk_g" {
			b.Rule += dayone.BrakeVeiled
		}
		var held []store.HeldEvent
		for _, name := range brakes[id] {
			h := store.HeldEvent{Event: event("evt_"+id+name, id+name), Body: []byte(id + name)}
			if name != "" {
				h.Held.Person = dayone.PersonID("per_" + name)
			}
			held = append(held, h)
		}
		must[[]dayone.Intake](t)(d.HoldAll(ctx, b, held))
	}
	german := dayone.Scope{{Countries: []string{"DE"}}}
	both := append(slices.Clone(german), dayone.Reach{Countries: []string{"FR"}})
	for _, c := range []struct {
		f    store.BrakeFilter
		want []string
	}{
		{store.BrakeFilter{}, []string{"brk_g", "brk_f", "brk_e", "brk_d", "brk_c", "brk_b", "brk_a"}},
		{store.BrakeFilter{Public: true}, []string{"brk_f", "brk_e", "brk_d", "brk_c", "brk_b", "brk_a"}},
		{store.BrakeFilter{Within: dayone.Scope{{Systems: []string{"okta"}}}}, []string{"brk_g", "brk_f", "brk_e", "brk_d", "brk_c", "brk_b", "brk_a"}},
		{store.BrakeFilter{Within: german}, []string{"brk_g", "brk_b", "brk_a"}},
		{store.BrakeFilter{Within: german, Public: true}, []string{"brk_b", "brk_a"}},
		{store.BrakeFilter{Within: german, Beside: []dayone.PersonID{"per_nemo"}}, []string{"brk_g", "brk_d", "brk_b", "brk_a"}},
		{store.BrakeFilter{Within: both, Public: true}, []string{"brk_c", "brk_b", "brk_a"}},
		{store.BrakeFilter{Within: both, Public: true, Limit: 2}, []string{"brk_c", "brk_b"}},
		{store.BrakeFilter{Within: both, Public: true, From: store.Mark{Waits: true, ID: "brk_c"}}, []string{"brk_b", "brk_a"}},
		{store.BrakeFilter{Within: german, ID: "brk_b"}, []string{"brk_b"}},
		{store.BrakeFilter{Within: german, ID: "brk_c"}, nil},
		{store.BrakeFilter{Within: dayone.Scope{{Countries: []string{"XX"}}}}, nil},
	} {
		c.f.On, c.f.Limit = true, cmp.Or(c.f.Limit, 10)
		var got []string
		for _, b := range must[[]dayone.Brake](t)(d.BrakesBy(ctx, c.f)) {
			got = append(got, string(b.ID))
			if b.Held != len(brakes[string(b.ID)]) {
				t.Errorf("%s holds %d", b.ID, b.Held)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v finds %q, want %q", c.f, got, c.want)
		}
		if n := must[int](t)(d.CountBrakes(ctx, c.f)); n != len(c.want) {
			t.Errorf("%+v counts %d, want %d", c.f, n, len(c.want))
		}
	}
}

package flow_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
)

// in is what somebody asks who is logged in.
func in(login string) context.Context {
	return flow.As(ctx, dayone.Viewer{Login: login, Role: dayone.Administrator})
}

// takesTwo is a house where two persons have to agree, to more than one held thing.
func (h *house) takesTwo() *house {
	h.t.Helper()
	h.stop() // a house at work reads its settings: they change when it opens anew
	was := h.joined
	h.joined = func(d *flow.Deps) {
		was(d)
		d.TwoPersons, d.Removals.SecondFrom = true, 1
	}
	return h.open()
}

// heldForTwo is a town of which three leave whom a brake holds, and two persons have to agree.
func heldForTwo(t *testing.T) (*house, flow.BrakeView) {
	t.Helper()
	h, _ := town(t, 10, nil)
	h = h.takesTwo()
	for i := range 8 {
		h.leave(strconv.Itoa(i + 1))
	}
	v := h.braked(dayone.BrakeTerminations)
	if same(t, "held", len(v.Items), 3); !v.Second || v.Confirms() || v.Proposed != nil {
		t.Fatalf("%+v", v)
	}
	return h, v
}

func (h *house) proposes(login string, v flow.BrakeView) dayone.Brake {
	h.t.Helper()
	b, err := h.ReleaseBrake(in(login), v.ID, flow.BrakeDecision{Hash: v.Hash, Reason: "the site closes"})
	if err != nil || b.State != dayone.BrakeOn || b.Proposed == nil || b.Proposed.By != login || b.Proposed.Hash != v.Hash || b.Proposed.Stale {
		h.t.Fatalf("proposed by %s it is %+v, %+v (%v)", login, b, b.Proposed, err)
	}
	return b
}

func TestSoManyAreLetThroughByTwoLogins(t *testing.T) {
	t.Parallel()
	h, v := heldForTwo(t)
	why := flow.BrakeDecision{Hash: v.Hash, Reason: "the site closes"}
	_, err := h.ReleaseBrake(ctx, v.ID, flow.BrakeDecision{Hash: v.Hash, By: "kim", Reason: "the site closes"})
	is(t, err, dayone.ErrForbidden) // a name that is typed is nobody
	_, err = h.TakeBackRelease(in("kim@company.com"), v.ID, flow.BrakeDecision{})
	is(t, err, dayone.ErrConflict)
	h.proposes("kim@company.com", v)
	same(t, "said that it was proposed", h.recorded("brake release proposed"), 1)
	h.lineSays("brake release proposed", "reviewed as "+v.Hash+": the site closes")

	h.stop() // it is in the books
	h = h.open()
	same(t, "nobody has left but who passed", h.count(dayone.Left), 5)
	for _, login := range []string{"kim@company.com", "KIM@company.com", "kim"} {
		_, err = h.ReleaseBrake(in(login), v.ID, why)
		is(t, err, dayone.ErrForbidden)
	}
	seen, err := h.Brake(in("kim@company.com"), v.ID)
	if err != nil || !seen.Mine || !seen.Confirms() {
		t.Errorf("whoever proposed it sees %+v (%v)", seen, err)
	}
	if seen, err = h.Brake(in("lee@company.com"), v.ID); err != nil || seen.Mine || !seen.Confirms() || seen.Proposed.By != "kim@company.com" {
		t.Errorf("somebody else sees %+v (%v)", seen, err)
	}
	b, err := h.ReleaseBrake(in("lee@company.com"), v.ID, flow.BrakeDecision{Hash: v.Hash})
	if err != nil || b.State != dayone.BrakeReleased || b.By != "kim@company.com" || b.Second != "lee@company.com" || b.Reason != "the site closes" || b.Proposed != nil {
		t.Fatalf("confirmed it is %+v (%v)", b, err)
	}
	h.calm()
	same(t, "left", h.count(dayone.Left), 8)
	h.lineSays("brake released", "the site closes")
	_, err = h.ReleaseBrake(in("sam@company.com"), v.ID, why)
	is(t, err, dayone.ErrConflict)
}

// Whoever proposed it is not the second person, by whatever login they come.
func TestWhoProposedIsNotTheSecondPerson(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 9, nil)
	h.judged(h.hears(h.hr.Put(employee("30", "start_date", here, "personal_email", "erin@home.example")))[0].ID)
	h.judged(h.hears(h.hr.Put(employee("31", "start_date", here)))[0].ID)
	h.judged(h.hears(h.hr.Put(employee("32", "start_date", here, "email", "ann.old@company.com")))[0].ID)
	h.judged(h.hears(h.hr.Put(employee("32", "start_date", here, "email", "ann.new@company.com")))[0].ID)
	h = h.takesTwo()
	for i := range 8 {
		h.leave(strconv.Itoa(i + 1))
	}
	v := h.braked(dayone.BrakeTerminations)
	token := func(name, by string) {
		t.Helper()
		if _, _, err := h.MakeToken(ctx, name, dayone.Administrator, dayone.Reach{}, 30, by); err != nil {
			t.Fatal(err)
		}
	}
	token("robot", "E30@company.com")
	token("nested", "robot")
	token("chore", "lee@company.com")
	token("robot-of-api", "api")
	for _, c := range []struct {
		first, second string
		one           bool
	}{
		{"e30@company.com", "erin@home.example", true}, // the same person of the books under another address
		{"erin@home.example", "E30@company.com", true},
		{"e30@company.com", "robot", true}, // a token that she made
		{"e30@company.com", "nested", true},
		{"robot", "e30@company.com", true},
		{"nested", "robot", true},
		{"erin@home.example", "nested", true},
		{"ann.old@company.com", "ann.new@company.com", true}, // HR has replaced her address
		{"ann.new@company.com", "ANN.old@company.com", true},
		{"ann.old@company.com", "e31@company.com", false},
		{"administrator", "api", true}, // one token
		{"administrator", "robot-of-api", true},
		{"e30", "e30@company.com", true},
		{"e30@company.com", "e31@company.com", false},
		{"e30@company.com", "chore", false},
		{"api", "e30@company.com", false},
	} {
		h.proposes(c.first, v)
		seen, err := h.Brake(in(c.second), v.ID)
		if err != nil || seen.Mine != c.one {
			t.Errorf("%s proposed it, and for %s it is her own: %v (%v)", c.first, c.second, seen.Mine, err)
		}
		if c.one {
			_, err = h.ReleaseBrake(in(c.second), v.ID, flow.BrakeDecision{Hash: v.Hash, Reason: "me, too", By: "lee@company.com"})
			is(t, err, dayone.ErrForbidden)
		}
		if b, err := h.TakeBackRelease(in(c.second), v.ID, flow.BrakeDecision{}); err != nil || b.Proposed != nil || b.State != dayone.BrakeOn {
			t.Fatalf("taken back it is %+v (%v)", b, err)
		}
	}
}

func TestAProposalIsOfWhatWasReviewed(t *testing.T) {
	t.Parallel()
	h, v := heldForTwo(t)
	h.proposes("kim@company.com", v)
	same(t, "one joins", h.leave("9").State, dayone.EventHeld)
	now := h.braked(dayone.BrakeTerminations)
	list, err := h.Brakes(ctx, true, 10)
	if err != nil || len(list) != 1 || list[0].Proposed == nil || !list[0].Proposed.Stale || now.Confirms() || !now.Proposed.Stale {
		t.Fatalf("what was proposed counts: %+v, %+v (%v)", list, now, err)
	}
	_, err = h.ReleaseBrake(in("lee@company.com"), v.ID, flow.BrakeDecision{Hash: v.Hash, Reason: "so it is"})
	is(t, err, dayone.ErrConflict)
	b, err := h.ReleaseBrake(in("lee@company.com"), v.ID, flow.BrakeDecision{Hash: now.Hash, Reason: "so it is"})
	if err != nil || b.State != dayone.BrakeOn || b.Proposed == nil || b.Proposed.By != "lee@company.com" || b.Proposed.Stale {
		t.Fatalf("what lee lets through is a proposal of its own: %+v, %+v (%v)", b, b.Proposed, err)
	}
	same(t, "nobody has left but who passed", h.count(dayone.Left), 5)
	b, err = h.ReleaseBrake(in("kim@company.com"), v.ID, flow.BrakeDecision{Hash: now.Hash, Reason: "all four"})
	if err != nil || b.State != dayone.BrakeReleased || b.By != "lee@company.com" || b.Second != "kim@company.com" || b.Reason != "so it is; all four" {
		t.Fatalf("confirmed it is %+v (%v)", b, err)
	}
	h.calm()
	same(t, "left", h.count(dayone.Left), 9)
}

func TestAProposalIsTakenBackOrEndsWithWhatIsThrownAway(t *testing.T) {
	t.Parallel()
	h, v := heldForTwo(t)
	h.proposes("kim@company.com", v)
	b, err := h.TakeBackRelease(in("lee@company.com"), v.ID, flow.BrakeDecision{Reason: "ask HR first"})
	if err != nil || b.State != dayone.BrakeOn || b.Proposed != nil {
		t.Fatalf("taken back it is %+v (%v)", b, err)
	}
	h.lineSays("brake release taken back", "ask HR first")
	_, err = h.TakeBackRelease(in("lee@company.com"), v.ID, flow.BrakeDecision{})
	is(t, err, dayone.ErrConflict)
	h.proposes("lee@company.com", v) // which confirms nothing
	same(t, "nobody has left but who passed", h.count(dayone.Left), 5)
	if b, err = h.DiscardBrake(in("lee@company.com"), v.ID, flow.BrakeDecision{Reason: "HR was wrong"}); err != nil || b.State != dayone.BrakeDiscarded || b.Proposed != nil || b.Second != "" {
		t.Fatalf("thrown away it is %+v (%v)", b, err)
	}
	_, err = h.ReleaseBrake(in("kim@company.com"), v.ID, flow.BrakeDecision{Hash: v.Hash, Reason: "x"})
	is(t, err, dayone.ErrConflict)
	same(t, "left", h.count(dayone.Left), 5)
}

// Whenever we die there is either the whole proposal or the whole verdict.
func TestAKillBetweenTwoPersonsLeavesTheOneOrTheOther(t *testing.T) {
	t.Parallel()
	h, v := heldForTwo(t)
	w := h.world
	h.stop()
	var mu sync.Mutex
	stood := map[string]int{}
	w.wired = func(db *store.DB, _ *engine.Driver) {
		db.Committed = func(int) { // all that a life has that is started after it
			b, err := db.Brake(ctx, v.ID)
			lines, err2 := db.Records(ctx, flow.RecordFilter{Limit: 500})
			held, err3 := db.HeldBy(ctx, v.ID)
			if err != nil || err2 != nil || err3 != nil {
				t.Error(err, err2, err3)
			}
			said := map[string]bool{}
			for _, l := range lines {
				said[l.What] = true
			}
			waits := 0
			for _, x := range held {
				if e, err := db.Event(ctx, dayone.EventID(x.Item)); err == nil && e.State == dayone.EventHeld {
					waits++
				}
			}
			stands, p := "half", b.Proposed
			proposed, released := said["brake release proposed"], said["brake released"]
			switch {
			case b.State == dayone.BrakeOn && p == nil && b.By == "" && waits == 3 && !proposed && !released:
				stands = "nothing"
			case b.State == dayone.BrakeOn && p != nil && p.By != "" && len(p.Logins) == 1 && p.Reason != "" && p.Hash == v.Hash && b.By == "" && waits == 3 && proposed && !released:
				stands = "a proposal"
			case b.State == dayone.BrakeReleased && p == nil && b.By != "" && b.Second != "" && b.Reason != "" && waits == 0 && proposed && released:
				stands = "a verdict"
			}
			mu.Lock()
			defer mu.Unlock()
			stood[stands]++
		}
	}
	h = w.open()
	h.proposes("kim@company.com", v)
	if _, err := h.ReleaseBrake(in("lee@company.com"), v.ID, flow.BrakeDecision{Hash: v.Hash}); err != nil {
		t.Fatal(err)
	}
	h.calm()
	mu.Lock()
	defer mu.Unlock()
	if stood["half"] > 0 || stood["a proposal"] == 0 || stood["a verdict"] == 0 {
		t.Errorf("after commits there stood %v", stood)
	}
}

// What is proposed of what few may know is as confidential.
func TestAProposalOfWhatIsConfidentialIsKeptToFew(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 9, secretive)
	h = h.takesTwo()
	for i := range 7 {
		e := h.hears(h.hr.Put(employee(strconv.Itoa(i+1), "start_date", here, "end_date", "2024-12-31")))[0]
		until(h, "it is looked at", func() (dayone.Intake, bool) {
			e, err := h.Event(few, e.ID)
			return e, err == nil && e.State != dayone.EventReceived
		})
	}
	v := h.brakedFor(dayone.BrakeTerminations)
	why := flow.BrakeDecision{Hash: v.Hash, Reason: "they do leave"}
	hidden := func() {
		t.Helper()
		h.unheard()
		same(t, "the ledger is told", h.recorded("brake release proposed")+h.recorded("brake release taken back")+h.recorded("brake released"), 0)
		h.brakedFor(dayone.BrakeTerminations)
		_, err := h.ReleaseBrake(in("lee@company.com"), v.ID, why)
		is(t, err, dayone.ErrNotFound)
		_, err = h.TakeBackRelease(in("lee@company.com"), v.ID, why)
		is(t, err, dayone.ErrNotFound)
		for _, it := range v.Items {
			for _, what := range h.whats(it.Person) {
				if strings.Contains(what, "brake") {
					t.Errorf("the ledger tells %q", what)
				}
			}
		}
	}
	propose := func() {
		t.Helper()
		if b, err := h.ReleaseBrake(few, v.ID, why); err != nil || b.State != dayone.BrakeOn || b.Proposed == nil {
			t.Fatalf("%+v (%v)", b, err)
		}
		hidden()
	}
	propose()
	_, err := h.ReleaseBrake(few, v.ID, why)
	is(t, err, dayone.ErrForbidden)
	if _, err := h.TakeBackRelease(few, v.ID, why); err != nil {
		t.Fatal(err)
	}
	hidden()
	propose()
	lee := flow.As(ctx, dayone.Viewer{Login: "lee@company.com", Role: dayone.HR, Confidential: true})
	if b, err := h.ReleaseBrake(lee, v.ID, why); err != nil || b.State != dayone.BrakeReleased || b.By != "kim@company.com" || b.Second != "lee@company.com" {
		t.Fatalf("%+v (%v)", b, err)
	}
	until(h, "all are to leave", func() (bool, bool) {
		list, err := h.Confidentials(few)
		return true, err == nil && len(list) == 7
	})
	h.unheard()
}

func TestALayOffIsAnnouncedByOneAndConfirmedByAnother(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 14, nil)
	h = h.takesTwo()
	now := h.clock.Now()
	a := dayone.Announcement{Source: "hr", Count: 3, From: now, Until: now.Add(48 * time.Hour), Reason: "site closes", Second: "lee@company.com"}
	_, err := h.Announce(ctx, dayone.Announcement{Source: "hr", Count: 3, From: now, Until: a.Until, Reason: "site closes", By: "kim"})
	is(t, err, dayone.ErrForbidden)
	if a, err = h.Announce(in("kim@company.com"), a); err != nil || a.Second != "" || !a.Counts.IsZero() || a.By != "kim@company.com" || !h.Waits(a) {
		t.Fatalf("%+v (%v)", a, err)
	}
	h.lineSays("lay-off announced", "once a second person confirms it: site closes")
	for _, login := range []string{"", "kim@company.com", "KIM@company.com"} {
		_, err = h.ConfirmAnnouncement(in(login), a.ID, "lee@company.com")
		is(t, err, dayone.ErrForbidden)
	}
	_, err = h.ConfirmAnnouncement(in("lee@company.com"), "ann_none", "")
	is(t, err, dayone.ErrNotFound)
	h.clock.Jump(now.Add(25 * time.Hour)) // no notice makes up for a second person here
	for i := 1; i <= 6; i++ {
		want := dayone.EventApplied
		if i > 5 {
			want = dayone.EventHeld
		}
		same(t, fmt.Sprint("state of ", i), h.leave(strconv.Itoa(i)).State, want)
	}
	states, err := h.SourceStates(ctx)
	if err != nil || states[0].Limit != 5 {
		t.Errorf("the source lets %+v pass (%v)", states, err)
	}
	h.stop()
	h = h.open()
	if a, err = h.ConfirmAnnouncement(in("lee@company.com"), a.ID, ""); err != nil || a.Second != "lee@company.com" || h.Waits(a) {
		t.Fatalf("%+v (%v)", a, err)
	}
	h.lineSays("lay-off confirmed", a.ID)
	_, err = h.ConfirmAnnouncement(in("sam@company.com"), a.ID, "")
	is(t, err, dayone.ErrConflict)
	for i := 7; i <= 10; i++ {
		want := dayone.EventApplied
		if i > 9 {
			want = dayone.EventHeld
		}
		same(t, fmt.Sprint("state of ", i), h.leave(strconv.Itoa(i)).State, want)
	}
	if list, err := h.Announced(ctx); err != nil || len(list) != 1 || list[0].Used != 3 || list[0].By != "kim@company.com" || list[0].Second != "lee@company.com" {
		t.Errorf("%+v (%v)", list, err)
	}
}

// Where one may act alone a notice is in the place of the second person; somebody else may confirm it before.
func TestWhatOneAnnouncesAloneCountsAfterANotice(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 14, nil)
	now := h.clock.Now()
	a, err := h.Announce(in("kim@company.com"), dayone.Announcement{Source: "hr", Count: 2, From: now, Until: now.Add(96 * time.Hour), Reason: "site closes"})
	if err != nil || a.Second != "" || !a.Counts.Equal(a.Made.Add(flow.Notice)) || !h.Waits(a) {
		t.Fatalf("%+v (%v)", a, err)
	}
	for i := 1; i <= 6; i++ {
		want := dayone.EventApplied
		if i > 5 {
			want = dayone.EventHeld
		}
		same(t, fmt.Sprint("state of ", i), h.leave(strconv.Itoa(i)).State, want)
	}
	if list, err := h.Announced(ctx); err != nil || len(list) != 1 || !list[0].Counts.Equal(a.Counts) {
		t.Errorf("whoever looks finds %+v (%v)", list, err)
	}
	is(t, errOf(h.ConfirmAnnouncement(in("kim@company.com"), a.ID, "")), dayone.ErrForbidden)
	h.clock.Jump(a.Counts)
	if h.Waits(a) {
		t.Error("it waits after its notice")
	}
	is(t, errOf(h.ConfirmAnnouncement(in("lee@company.com"), a.ID, "")), dayone.ErrConflict)
	for i := 7; i <= 14; i++ { // another day: five, and two who are announced
		want := dayone.EventApplied
		if i > 13 {
			want = dayone.EventHeld
		}
		same(t, fmt.Sprint("state of ", i), h.leave(strconv.Itoa(i)).State, want)
	}

	b, err := h.Announce(in("kim@company.com"), dayone.Announcement{Source: "hr", Count: 2, From: h.clock.Now(), Until: h.clock.Now().Add(96 * time.Hour), Reason: "another site"})
	if err != nil || !h.Waits(b) {
		t.Fatalf("%+v (%v)", b, err)
	}
	if err := h.EndAnnouncement(ctx, b.ID, "lee"); err != nil { // whoever sees it takes it back
		t.Fatal(err)
	}
	c, err := h.Announce(in("kim@company.com"), dayone.Announcement{Source: "hr", Count: 2, From: h.clock.Now(), Until: h.clock.Now().Add(96 * time.Hour), Reason: "another site"})
	if err != nil {
		t.Fatal(err)
	}
	if c, err = h.ConfirmAnnouncement(in("lee@company.com"), c.ID, ""); err != nil || h.Waits(c) {
		t.Errorf("somebody else has confirmed it: %+v (%v)", c, err)
	}
	h = h.takesTwo() // from now on nobody announces alone: what counts by its notice does no longer
	if h.Waits(c) || !h.Waits(a) {
		t.Error("after the settings have changed it is not the second person that counts")
	}
}

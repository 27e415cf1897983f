// Package storetest is the suite that the store passes on every database.
package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// Opener opens an empty database of its own for each call.
type Opener func(t *testing.T) *store.DB

var at = time.Date(2024, 11, 22, 15, 1, 0, 0, time.UTC)

// Run tests everything.
func Run(t *testing.T, open Opener) {
	t.Helper()
	for _, c := range []struct {
		name string
		f    func(*testing.T, *store.DB)
	}{
		{"EventIsAcceptedOnce", acceptedOnce},
		{"BodyWithoutID", bodyWithoutID},
		{"BodyIsSealedAndExpires", bodyExpires},
		{"EventsWaitTheirTurn", turns},
		{"WhatWasSaidOfAnOffer", offers},
		{"TimelineComesBack", timeline},
		{"ManyAreReadAsOneByOne", manyAtOnce},
		{"EmploymentBindsOnce", employmentOnce},
		{"PeopleInPages", people},
		{"PeopleSorted", peopleSorted},
		{"PeopleByWords", byWords},
		{"PeopleByLetters", byLetters},
		{"Named", named},
		{"Wakes", wakes},
		{"ProblemStaysUntilTheNextLook", problems},
		{"RunComesBack", runComesBack},
		{"RequestsOfStepsAreKeptForAWhile", callLogs},
		{"OneRunAPerson", oneRun},
		{"NewestOfStates", newestOfStates},
		{"AnAccountIsBoundOnce", boundOnce},
		{"TasksOutliveRuns", tasks},
		{"HoldsComeBack", holds},
		{"ALegalHoldStandsAlone", legalHolds},
		{"TheEndOfALegalHoldEndsItsTasks", legalTasks},
		{"TasksCountAndComePageByPage", taskPages},
		{"UndosAreFoundByThoseTheyAreAbout", undosOf},
		{"OneBrakeForAListThatShrank", systemLists},
		{"WhatABrakeHoldsIsReadByPages", heldByPages},
		{"AReleaseIsProposedAndConfirmed", proposedRelease},
		{"AnAnnouncementLetsPassOnceItCounts", announcedCounts},
		{"DriftIsKnownUntilAWholeListShowsItNoMore", drift},
		{"ARunIsCountedOnce", work},
		{"BrandsAreVersions", brands},
		{"WhatAWebhookWasTold", deliveries},
		{"CertificatesComeBack", certificates},
		{"ASuccessionGoesOnWhereItWas", successions},
		{"TasksAreChangedAsTheyStand", taskChanges},
		{"OneRequestAGrant", approvals},
		{"RequestsAreChangedAsTheyStand", approvalChanges},
		{"WhatWaitsForSomebodyIsFound", asked},
		{"Delegations", delegations},
		{"LedgerIsOneChain", ledgerChain},
		{"FailedWriteHarmsNobody", failedWrite},
		{"LinkOpensOnce", linkOnce},
		{"CodesAreCountedBeforeTheyAreLookedAt", codes},
		{"Catalogue", catalogue},
		{"ActsEndOnce", acts},
		{"AnActIsAnnouncedOnce", announcedOnce},
		{"LongAndStrangeTexts", strange},
		{"OrdersAndBreakers", standing},
		{"AStepThatWaitsIsCountedOnce", waitsAt},
		{"WhatIsHeldAtASystemThatIsRetired", retired},
		{"RequestsStandUntilTheyAreEnded", requests},
		{"DigestsAreGathered", digest},
		{"WhoMayBeKnownWaits", matches},
		{"AlertsOpenOnceAndLettersKeepTheirOrder", alerts},
		{"AlertsGoOnAndKeepToAScope", alertsWithin},
		{"WhatRulesLookFor", lookedFor},
		{"WhatWasToldIsKept", told},
		{"WhoIsDueIsReadTogether", dueTogether},
		{"StartersAreReadTogether", startersTogether},
		{"WhatIsVeiledIsFoundByNobody", veiled},
		{"AScopeLeavesOutTheRest", scopes},
		{"ALinkSetsUpOnce", localLogin},
		{"AMergeIsTakenBackToTheSameBooks", merges},
		{"AnEmploymentIsSplitOff", splits},
		{"ABodyThatBrokeOffIsSaidAgain", bodySaidAgain},
		{"AListThatIsSaidAgainIsRead", listSaidAgain},
		{"ABodyThatBrokeOffIsOnAfterAStart", bodyBrokenOff},
		{"TwoEventsInOneBody", twoInOneBody},
		{"WhatIsHeldEnds", heldEnds},
		{"WhomAHeldListLacks", heldLacks},
		{"ABrakeIsInAScopeAsAWhole", brakesWithin},
		{"WhatFailedForOthersTakesNoPlace", failedWithin},
		{"NumbersComeBack", numbers},
		{"NumbersRingElsewhere", numbersShown},
		{"NoNumberIsTwoPeoples", numbersConcurrently},
		{"AReadingOfTelephonesIsWholeOrNone", phoneReadings},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.f(t, open(t))
		})
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ledgerChain(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := d.Record(ctx, dayone.Record{At: at, Person: p, What: fmt.Sprintf("act %d", i), Detail: &dayone.Detail{Note: "1 Main St"}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var seq int64
	for l, err := range d.Ledger(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if seq++; l.Seq != seq {
			t.Fatalf("line %d is numbered %d", seq, l.Seq)
		}
		if strings.Contains(l.Leaf, "Main St") || strings.Contains(l.Leaf, "Sarah") {
			t.Errorf("a line holds a personal value: %s", l.Leaf)
		}
	}
	from := int64(20)
	for l, err := range d.LedgerFrom(ctx, from) {
		if err != nil || l.Seq != from || l.Chain == "" || l.What == "" || l.At == 0 {
			t.Errorf("from line %d on there is %+v, %v", from, l, err)
		}
		from++
	}
	if from != 22 {
		t.Errorf("the last line is %d", from-1)
	}
	if n := must[int64](t)(d.CountRecords(ctx)); n != 21 || seq != 21 {
		t.Errorf("%d records, %d lines", n, seq)
	}
	lines := must[[]store.Line](t)(d.Records(ctx, store.RecordFilter{Person: p, Detail: true, Limit: 3}))
	if len(lines) != 3 || !strings.Contains(string(lines[0].Detail), "1 Main St") {
		t.Errorf("details: %+v", lines)
	}
}

// failedWrite: what goes into a commit with a bad neighbour is written all the same.
func failedWrite(t *testing.T, d *store.DB) {
	ctx := t.Context()
	Sarah(t, d)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			p := dayone.PersonID(fmt.Sprintf("per_%d", i))
			s := store.Saved{Person: p, New: true, Row: &store.Row{ID: p, Name: "x"}}
			if i%5 == 0 {
				s.Employment = &dayone.Employment{ID: dayone.EngagementID(fmt.Sprint("eng_x", i)), Source: "hr", SourceID: "emp_789"}
			}
			err := d.Save(ctx, s)
			if (i%5 == 0) != errors.Is(err, dayone.ErrConflict) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := must[map[dayone.Status]int](t)(d.CountPeople(ctx, nil)); n[""] != 32 {
		t.Errorf("%d of 32 good ones were written", n[""])
	}
}

func linkOnce(t *testing.T, d *store.DB) {
	ctx := t.Context()
	r := aRun("run_1", "per_1")
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(r), New: true, Secrets: []dayone.Sealed{{ID: "sec_aa.password", Person: "per_1", Box: "sealed"}}}}); err != nil {
		t.Fatal(err)
	}
	code := dayone.Holding{Item: dayone.Item{Key: dayone.Key{System: "meraki", Kind: "code", Name: "HQ/Corp"}, Ref: "N_1/0/1", State: dayone.Active}, Ours: true, Generation: 1}
	if err := d.AskAnew(ctx, "per_1", code.Renew([]string{"code"}), at.Add(time.Hour), dayone.Record{At: at, Person: "per_1", What: "renewal asked for"}); err != nil {
		t.Fatal(err)
	}
	if hs := must[[]dayone.Holding](t)(d.Holdings(ctx, "per_1", false)); len(hs) != 1 || !hs[0].Renews() || code.Renews() || hs[0].Generation != 1 {
		t.Errorf("what was asked for is %+v", hs)
	}
	if lines := must[[]store.Line](t)(d.Records(ctx, store.RecordFilter{Person: "per_1", Limit: 9})); len(lines) != 1 || lines[0].What != "renewal asked for" {
		t.Errorf("the records are %+v", lines)
	}
	box, found, err := d.Secret(ctx, "sec_aa.password")
	if err != nil || !found || box != "sealed" {
		t.Fatalf("%q %v %v", box, found, err)
	}
	if _, found, _ := d.Secret(ctx, "sec_none"); found {
		t.Error("no secret is found")
	}
	var opened, late int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			err := d.OpenSecret(ctx, "sec_aa.password", at, dayone.Record{At: at, Person: "per_1", What: "credential opened"})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				opened++
			case errors.Is(err, dayone.ErrConflict):
				late++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if opened != 1 || late != 9 {
		t.Errorf("opened %d times", opened)
	}
	if box, _, _ := d.Secret(ctx, "sec_aa.password"); box != "" {
		t.Error("the secret outlives its reading")
	}
}

func codes(t *testing.T, d *store.DB) {
	ctx := t.Context()
	r := aRun("run_1", "per_1")
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(r), New: true, Secrets: []dayone.Sealed{{ID: "sec_aa.password", Person: "per_1", Box: "sealed"}}}}); err != nil {
		t.Fatal(err)
	}
	var looked atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			err := d.TrySecret(ctx, "sec_aa.password", 10)
			if err == nil {
				looked.Add(1)
			} else if !errors.Is(err, dayone.ErrForbidden) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := looked.Load(); n != 10 {
		t.Errorf("%d of 50 codes may be looked at", n)
	}
	if err := d.TrySecret(ctx, "sec_none", 10); !errors.Is(err, dayone.ErrForbidden) {
		t.Errorf("no secret: %v", err)
	}
}

func catalogue(t *testing.T, d *store.DB) {
	ctx := t.Context()
	k := func(n string) dayone.Key { return dayone.Key{System: "okta", Kind: "group", Name: n} }
	if err := d.SaveCatalogue(ctx, "okta", []dayone.Offer{{Key: k("a"), Ref: "1"}, {Key: k("b"), Ref: "2", Roles: []string{"x"}}}, at); err != nil {
		t.Fatal(err)
	}
	if err := d.SaveCatalogue(ctx, "slack", []dayone.Offer{{Key: dayone.Key{System: "slack", Kind: "channel", Name: "#general"}, Ref: "C1", Seats: &dayone.Seats{Pool: "pro", Total: 50, Used: 47}}}, at); err != nil {
		t.Fatal(err)
	}
	if err := d.SaveCatalogue(ctx, "okta", []dayone.Offer{{Key: k("b"), Ref: "2b"}, {Key: k("c"), Ref: "3"}}, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n, read, err := d.Offered(ctx, "okta"); n != 2 || !read.Equal(at.Add(time.Hour)) || err != nil {
		t.Errorf("okta offers %d, read %s: %v", n, read, err)
	}
	if n, read, err := d.Offered(ctx, "slack"); n != 1 || !read.Equal(at) || err != nil {
		t.Errorf("slack offers %d, read %s: %v", n, read, err)
	}
	if n, read, err := d.Offered(ctx, "nowhere"); n != 0 || !read.IsZero() || err != nil {
		t.Errorf("nothing offers %d, read %s: %v", n, read, err)
	}
	got := must[map[dayone.Key]dayone.Offer](t)(d.Catalogue(ctx, ""))
	if len(got) != 3 || got[k("b")].Ref != "2b" || got[k("a")].Ref != "" {
		t.Errorf("%v", got)
	}
	if one := must[map[dayone.Key]dayone.Offer](t)(d.Catalogue(ctx, "slack")); len(one) != 1 {
		t.Errorf("%v", one)
	} else if o := one[dayone.Key{System: "slack", Kind: "channel", Name: "#general"}]; o.Seats == nil || *o.Seats != (dayone.Seats{Pool: "pro", Total: 50, Used: 47}) || o.Seats.Free() != 3 {
		t.Errorf("its seats come back as %+v", o.Seats)
	}
	if o := got[k("b")]; o.Seats != nil {
		t.Errorf("seats that nobody told of: %+v", o.Seats)
	}
	if v := must[string](t)(d.Meta(ctx, "nothing")); v != "" {
		t.Errorf("unset meta is %q", v)
	}
	if err := errors.Join(d.SetMeta(ctx, "a", "1"), d.SetMeta(ctx, "a", "2")); err != nil {
		t.Fatal(err)
	}
	if v := must[string](t)(d.Meta(ctx, "a")); v != "2" {
		t.Errorf("meta is %q", v)
	}
}

func strange(t *testing.T, d *store.DB) {
	ctx := t.Context()
	for i, name := range []string{"نور الزهراني", "山田 美咲", `O'Neil "Bob"; DROP TABLE person`, strings.Repeat("Wolfeschlegelstein", 400), "Zoë\u0301 𝔐𝔞𝔵"} {
		p := dayone.PersonID(fmt.Sprintf("per_s%d", i))
		if err := d.Save(ctx, store.Saved{Person: p, New: true, Facts: []dayone.Fact{{Engagement: "eng", Attr: "x", Recorded: at, Value: dayone.Text(name)}}, Row: &store.Row{ID: p, Name: name}}); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		r := must[store.Row](t)(d.Person(ctx, p))
		tl := must[dayone.Timeline](t)(d.Timeline(ctx, p))
		if r.Name != name || tl.Facts[0].Value.Text != name {
			t.Errorf("%q comes back as %q", name, r.Name)
		}
	}
	for i, note := range []string{"a\x00b", "a letter cut in two: \xc3", "\xff\xfe"} { // one system's words must not fail everybody's commit
		task := dayone.Task{Once: fmt.Sprint("s", i), Note: note, Opened: at}
		if err := d.Commit(ctx, []dayone.Progress{{Run: dayone.Run{ID: "run_s"}, Opened: []dayone.Task{task}}}); err != nil {
			t.Errorf("%q: %v", note, err)
		}
	}
}

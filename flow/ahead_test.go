package flow_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/internal/company"
	"github.com/dayone-hq/dayone/store"
)

// meanwhile happens to some people between a look ahead and the instant: what holds a person while it changes her books, and
// what other processes write.
func meanwhile(h *house, r *rand.Rand, round, n int, now, instant time.Time) {
	h.t.Helper()
	must := func(err error) {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
	}
	for i, who := range r.Perm(n)[:n/2] {
		id := dayone.PersonID(fmt.Sprintf("per_%026d", who))
		made := fmt.Sprintf("9%024d%d", who, round)
		if row, err := h.Store.Person(ctx, id); err != nil || row.Status == dayone.Left {
			continue
		}
		switch i % 8 {
		case 0, 1:
			_, err := h.Correct(ctx, id, flow.Correction{Values: map[string]string{"department": []string{"Sales", "Finance", "Engineering"}[r.IntN(3)]}, Until: instant.AddDate(0, 0, r.IntN(60)).Format(time.DateOnly), By: "kim", Reason: "test"})
			if err != nil && !errors.Is(err, dayone.ErrConflict) {
				h.t.Fatal(err)
			}
		case 2:
			err := h.Store.AddRequest(ctx, dayone.Request{ID: dayone.RequestID("req_" + made), Person: id, Key: dayone.Key{System: "gitlab", Kind: "group", Name: "customer-solutions"}, Role: "guest", By: "e1@company.com", Reason: "x", Made: now})
			if err != nil && !errors.Is(err, dayone.ErrConflict) {
				h.t.Fatal(err)
			}
		case 3:
			must(h.Store.SaveHold(ctx, store.HoldChange{Wake: now, Hold: dayone.Hold{
				ID: dayone.HoldID("hld_" + made), Person: id, Keys: []dayone.Key{{System: "okta", Kind: "group", Name: "base-employee"}}, From: now, Until: instant.AddDate(0, 0, 2), Reason: "test", By: "kim", Away: true,
			}}))
		case 4:
			must(h.Store.SetWake(ctx, id, instant.Add(time.Duration(r.IntN(3)-1)*time.Minute)))
		case 5: // somebody answered, in a process beside this one, and the person was not made due
			k := dayone.Key{System: "gitlab", Kind: "group", Name: "platform"}
			must(h.Store.AskApprovals(ctx, []dayone.Petition{{
				ID: dayone.ApprovalID("apr_" + made), Person: id, Key: k, Role: "developer", Once: flow.RequestOnce(id, k, "developer") + made, State: dayone.ApprovalGiven, Noted: dayone.ApprovalOpen,
				Rule: dayone.Approval{By: []string{"manager"}}, Opened: now, Due: instant.AddDate(0, 0, 7), Votes: []dayone.Vote{{Of: "e0@company.com", By: "e0@company.com", Yes: true, Reason: "so", At: now}},
			}}))
		case 6:
			if _, err := h.HoldLegally(ctx, id, "kim", "a dispute"); err != nil && !errors.Is(err, dayone.ErrConflict) {
				h.t.Fatal(err)
			}
		case 7:
			_, err := h.Replan(ctx, id, "", "")
			if err != nil && !strings.Contains(err.Error(), "wait for each other") {
				h.t.Fatal(err)
			}
		}
	}
	if round == 2 {
		must(h.Store.SaveCatalogue(ctx, "gitlab", []dayone.Offer{{Key: dayone.Key{System: "gitlab", Kind: "group", Name: "platform"}, Ref: "17"}}, now))
	}
}

// Looked at ahead, with much said meanwhile, people end with the same books as looked at one after the other when they are
// due; and who is in memory is as the books have her.
func TestPeopleWhoWereLookedAtAheadEndAsOneByOne(t *testing.T) {
	t.Parallel()
	const people = 80
	for seed := range uint64(1) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			morning := time.Date(2024, 11, 18, 8, 0, 0, 0, time.UTC)
			now := still{new(atomic.Int64)}
			now.Store(begin.UnixMicro())
			first := newWorld(t)
			first.files = first.folder(duePolicy)
			h := first.halted(now)
			if _, err := h.Order(ctx, dayone.Order{Kind: dayone.OrderStop, Reason: "nobody is called", By: "kim"}); err != nil {
				t.Fatal(err)
			}
			crowdDue(h, rand.New(rand.NewPCG(seed, 9)), people, morning)
			now.Store(morning.UnixMicro())
			if err := h.LookOneByOne(ctx); err != nil { // then rows are as looks leave them
				t.Fatal(err)
			}
			h.stop()
			second := first.twin()
			ahead, apart := first.halted(now), second.halted(now)
			pr := ahead.proposal(strings.Replace(duePolicy, "{to: okta/group:sales-team, grace: 14d}", "{to: gitlab/account}", 1), nil)
			foreseen, kept := 0, 0
			for round, instant := range []time.Time{morning.AddDate(0, 0, 1), morning.AddDate(0, 0, 3), morning.AddDate(0, 0, 30)} {
				now.Store(instant.Add(-30 * time.Minute).UnixMicro())
				for _, h := range []*house{ahead, apart} { // nobody is due before, and then everybody is
					if err := h.LookOneByOne(ctx); err != nil {
						t.Fatal(err)
					}
					_ = h.Store.EachPerson(ctx, func(id dayone.PersonID, _ bool) error { return h.Store.SetWake(ctx, id, instant) })
				}
				plans(t, ahead, pr) // there is a crowd in memory from here on
				was, err := ahead.LookAhead(ctx)
				if err != nil {
					t.Fatal(err)
				}
				meanwhile(ahead, rand.New(rand.NewPCG(seed, uint64(round))), round, people, ahead.Clock.Now(), instant)
				meanwhile(apart, rand.New(rand.NewPCG(seed, uint64(round))), round, people, apart.Clock.Now(), instant)
				foreseen, kept = foreseen+was, kept+ahead.Foreseen()
				now.Store(instant.Add(3 * time.Second).UnixMicro())
				if err := ahead.LookTogether(ctx); err != nil {
					t.Fatal(err)
				}
				if err := apart.LookOneByOne(ctx); err != nil {
					t.Fatal(err)
				}
				sameBooks(fmt.Sprint("instant ", round), ahead, apart)
				plans(t, ahead, pr)
			}
			if foreseen < 20 || kept < 10 || kept == foreseen {
				t.Errorf("of %d something was foreseen, and kept of %d: that tells little", foreseen, kept)
			}
		})
	}
}

// plans says whether a plan for everybody, made of who is in memory, is what the books say.
func plans(t *testing.T, h *house, pr flow.Proposal) {
	t.Helper()
	made, _, judged, err := h.PlanBothWays(ctx, pr, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(judged, made, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("a plan (+) is not what close looks say (-)\n%s", diff)
	}
}

// The server looks ahead by itself in the hour before many are due. Whatever is said meanwhile of one of them
// takes away what was foreseen of her.
func TestTheServerLooksAheadOfAnInstantAtWhichManyAreDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = company.Policies(companySeed, 10)
	h := w.open()
	const town = 550
	noon := begin.Add(24 * time.Hour)
	townDue(t, h, town, noon, 0)
	h.clock.Jump(noon.Add(-20 * time.Minute))
	until(h, "all is foreseen", func() (int, bool) { n := h.Foreseen(); return n, n == town })

	one := dayone.PersonID(fmt.Sprintf("per_%026d", 7))
	if _, err := h.Correct(ctx, one, flow.Correction{Values: map[string]string{"job_title": "Captain"}, Until: "2024-12-24", By: "kim", Reason: "HR mends it later"}); err != nil {
		t.Fatal(err)
	}
	same(t, "foreseen of those of whom nothing was said", h.Foreseen(), town-1)

	h.clock.Jump(noon)
	until(h, "nobody is due any more", func() (int, bool) {
		due, err := h.Store.CountDue(ctx, h.Now())
		return due, err == nil && due == 0
	})
	same(t, "foreseen afterwards", h.Foreseen(), 0)
	if row, err := h.Store.Person(ctx, one); err != nil || row.Title != "Captain" || row.Wake.IsZero() || !row.Wake.After(noon) {
		t.Errorf("she is %q, and due at %s, %v", row.Title, row.Wake, err)
	}
}

package flow_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

// What fifty who want numbers do at once, again and again, and when the server falls meanwhile.
type (
	rush struct {
		acts  [askers][]string // of each, one after the other
		falls int              // at which commit of the rush the server falls; 0: it does not
		gone  int              // how many milliseconds whoever asks waits; 0: for ever
	}
	asker struct {
		person dayone.PersonID // "": an offer
		ref    string
		has    dayone.NumberID // that it was told, and has not given back
	}
)

const askers, askersHere = 50, 8

var rushes = rapid.Custom(func(r *rapid.T) []rush {
	out := make([]rush, rapid.IntRange(2, 4).Draw(r, "rushes"))
	for i := range out {
		for who := range askers {
			out[i].acts[who] = rapid.SliceOfN(rapid.SampledFrom([]string{"ask", "ask", "ask", "release", "hold", "confirm"}), 1, 4).Draw(r, "acts")
		}
		out[i].falls = rapid.SampledFrom([]int{0, 1, 2, 3, 5, 8}).Draw(r, "falls")
		out[i].gone = rapid.SampledFrom([]int{0, 0, 5, 20}).Draw(r, "gone")
	}
	return out
})

// Whatever fifty do at once, and wherever the server falls: no number is two people's, none is lost, whoever was told a number
// has it, and what became of each number is what its history says.
func TestNoNumberIsTwoPeoplesWhateverHappens(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(testing.TB) string{"SQLite": nil, "PostgreSQL": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, seed := range rushSeeds(t) {
				w := newWorld(t)
				if at != nil {
					w.at = at(t)
				}
				t.Logf("again: %s=%d go test ./flow -run %s", onlySeed, seed, t.Name()) // shown when it fails
				crowded(t, w, rushes.Example(seed))
			}
		})
	}
}

const (
	moreSeeds = "DAYONE_RAPID_SEEDS" // how many seeds more than usual, each a fresh one
	onlySeed  = "DAYONE_RAPID_SEED"  // the one that failed
)

// rushSeeds are those that every run has, so that what is mended stays so, and fresh ones: one in a run of CI, as many as are
// asked for elsewhere.
func rushSeeds(t *testing.T) []int {
	t.Helper()
	number := func(name string) (n int) {
		if s := os.Getenv(name); s != "" {
			var err error
			if n, err = strconv.Atoi(s); err != nil || n < 0 {
				t.Fatalf("%s is %q and not a number", name, s)
			}
		}
		return n
	}
	if os.Getenv(onlySeed) != "" {
		return []int{number(onlySeed)}
	}
	seeds := []int{0, 1, 2}
	if testing.Short() {
		seeds = seeds[:1]
	}
	more := number(moreSeeds)
	if os.Getenv(moreSeeds) == "" && os.Getenv("CI") != "" {
		more = 1
	}
	for range more {
		seeds = append(seeds, 3+rand.IntN(1<<31-3))
	}
	return seeds
}

// crowded lives through some rushes.
func crowded(t *testing.T, w *world, all []rush) {
	t.Helper()
	commits, falls := 0, make(chan struct{})
	var mu sync.Mutex
	left := 0
	w.wired = func(db *store.DB, _ *engine.Driver) {
		db.Committing = func() {
			mu.Lock()
			defer mu.Unlock()
			if commits++; left > 0 && commits == left {
				close(falls)
			}
		}
	}
	h := w.open()
	if _, err := h.SaveNumberPlan(few, crowdNumbers, 0, "kim"); err != nil {
		t.Fatal(err)
	}
	who := make([]*asker, askers)
	for i := range who {
		who[i] = &asker{ref: fmt.Sprintf("offer_%d", i)}
		if i < askersHere {
			who[i].ref = fmt.Sprintf("emp_%d", i)
			who[i].person = h.known(who[i].ref)
		}
	}
	c := &claimed{t: t, of: map[dayone.NumberID]string{}}
	for i, r := range all {
		mu.Lock()
		commits, left, falls = 0, r.falls, make(chan struct{})
		mu.Unlock()
		ctx, cancel := context.Background(), func() {}
		if r.gone > 0 {
			ctx, cancel = context.WithTimeout(ctx, time.Duration(r.gone)*time.Millisecond)
		}
		var wg, fell sync.WaitGroup
		over := make(chan struct{})
		fell.Go(func() {
			select {
			case <-falls:
				h.stop()
			case <-over:
			}
		})
		for j, a := range who {
			wg.Go(func() { c.does(ctx, h, a, r.acts[j]) })
		}
		wg.Wait()
		close(over)
		fell.Wait()
		cancel()
		if i%2 == 0 || r.falls > 0 {
			h.stop()
			mu.Lock()
			left = 0
			mu.Unlock()
			h = w.open()
		}
		c.judge(h, who)
	}
	h.stop()
}

const crowdNumbers = `
pools:
  office: {platform: cucm, emergency: ERL, ranges: [{first: +493012340000, last: +493012340063}]}
`

// claimed is who was told that a number is theirs.
type claimed struct {
	t  *testing.T
	mu sync.Mutex
	of map[dayone.NumberID]string
}

// does what somebody does. Of what the server did not answer nothing is known.
func (c *claimed) does(ctx context.Context, h *house, a *asker, acts []string) {
	for _, act := range acts {
		switch {
		case act == "ask":
			c.asks(ctx, h, a)
		case a.has != "":
			c.orders(ctx, h, a, act)
		}
	}
}

func (c *claimed) asks(ctx context.Context, h *house, a *asker) {
	w := flow.NumberWish{Pool: "office", Person: a.person, By: "kim"}
	ask := h.AssignNumber
	if a.person == "" {
		w.For, ask = dayone.NumberNote{Ref: a.ref}, h.ReserveNumber
	}
	x, err := ask(ctx, w)
	if err != nil {
		return // the server is gone, or whoever asked, or no number is left
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if other, had := c.of[x.ID]; had && other != a.ref {
		c.t.Errorf("%s is told that %s is theirs, and so was %s", a.ref, x.ID, other)
	}
	if a.has != "" && a.has != x.ID {
		c.t.Errorf("%s has %s, and is told %s", a.ref, a.has, x.ID)
	}
	c.of[x.ID], a.has = a.ref, x.ID
}

func (c *claimed) orders(ctx context.Context, h *house, a *asker, act string) {
	id := a.has
	if act != "confirm" {
		c.mu.Lock()
		delete(c.of, id) // before it can be anybody else's
		c.mu.Unlock()
		a.has = ""
	}
	verbs := map[string][]number.Verb{"confirm": {number.Confirm}, "release": {number.Release}, "hold": {number.Release, number.Hold, number.Release}}
	for _, v := range verbs[act] {
		if x, err := h.Store.ReadNumbers(few).Number(id); v != verbs[act][0] && (err != nil || x.Owner != "" || x.For.Ref != "") {
			return // it is somebody else's by now
		}
		if v == number.Hold { // between the look and the order it may have become somebody's: then it is refused, as it is to be
			x, err := h.OrderNumber(ctx, id, flow.NumberOrder{Verb: v, By: "kim", Reason: "a look"})
			if err == nil && x.Owner != "" {
				c.t.Errorf("%s is held, and somebody's", id)
			}
			return
		}
		if _, err := h.OrderNumber(ctx, id, flow.NumberOrder{Verb: v, By: "kim", Reason: "x"}); err != nil && !errors.Is(err, dayone.ErrConflict) {
			return
		}
	}
}

// judge looks at all numbers while nobody asks.
func (c *claimed) judge(h *house, who []*asker) {
	c.t.Helper()
	list, err := h.Numbers(few, flow.NumberFilter{Pool: "office", Limit: 200})
	if err != nil {
		c.t.Fatal(err)
	}
	same(c.t, "numbers", len(list), 64)
	byID, ofRef := map[dayone.NumberID]flow.NumberView{}, map[string][]dayone.NumberID{}
	for _, x := range list {
		byID[x.ID] = x
		taken := x.State == dayone.NumberAssigned || x.State == dayone.NumberReserved
		if taken != (x.Owner != "" || x.For.Ref != "") {
			c.t.Errorf("%s is %s, of %q and %q", x.ID, x.State, x.Owner, x.For.Ref)
		}
		if taken {
			key := string(x.Owner) + x.For.Ref
			ofRef[key] = append(ofRef[key], x.ID)
		}
		c.history(h, x)
	}
	for _, a := range who {
		key := a.ref
		if a.person != "" {
			key = string(a.person)
		}
		if n := ofRef[key]; len(n) > 1 {
			c.t.Errorf("%s asked for one number, and has %v", a.ref, n)
		}
		if a.has != "" && !slices.Contains(ofRef[key], a.has) {
			c.t.Errorf("%s was told %s, which is %s, of %q and %q", a.ref, a.has, byID[a.has].State, byID[a.has].Owner, byID[a.has].For.Ref)
		}
	}
}

// history is one line after the other, and its end is what the number is.
func (c *claimed) history(h *house, x flow.NumberView) {
	c.t.Helper()
	lines, err := h.Store.ReadNumbers(few).History(x.ID, 1000)
	if err != nil || len(lines) == 0 {
		c.t.Fatalf("%s has no history: %v", x.ID, err)
	}
	slices.Reverse(lines)
	var was dayone.NumberState
	for i, e := range lines {
		if e.Seq != i+1 || e.From != was {
			c.t.Errorf("%s: line %d is numbered %d, and goes from %q where it was %q", x.ID, i+1, e.Seq, e.From, was)
		}
		was = e.To
	}
	if last := lines[len(lines)-1]; was != x.State || x.Owner != "" && last.Person != x.Owner {
		c.t.Errorf("%s is %s, of %q, and its history ends with %s, of %q", x.ID, x.State, x.Owner, was, last.Person)
	}
}

package policy

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

// lintHolds: whatever the linter says of random policies is true of random people. It may say too little, never anything
// wrong.
func lintHolds(t *testing.T, seed uint64) (dead, within int) {
	g := grower{rand.New(rand.NewPCG(seed, 23))}
	now := time.Date(2025, 1, 15, 9, 0, 0, 0, time.UTC)
	set, _ := fuzzSet(g.policies(1 + g.IntN(6)))
	if set == nil {
		return 0, 0
	}
	var people []dayone.Person
	for n := range 150 {
		p := g.person(n)
		p.Site = set.SiteOf("") // sites are those of sites.yaml, and there is none
		people = append(people, p)
	}
	truths := make([][]truth, len(set.units))
	for u := range set.units {
		for i := range people {
			truths[u] = append(truths[u], set.units[u].truth(people[i].Status, set.worldOf(&people[i], now)))
		}
	}
	l := newLinter(&reader{}, set)
	alive := l.unreachable()
	for u := range set.units {
		if !alive[u] {
			dead++
			if i := slices.Index(truths[u], yes); i >= 0 {
				t.Fatalf("seed %d: nobody fulfils %q, but somebody does: %+v", seed, set.units[u].key, people[i])
			}
			continue
		}
		for v := range set.units {
			if u == v || !alive[v] {
				continue
			}
			if l.covers(v, u) {
				within++
				for i := range people {
					if rank(truths[u][i]) > rank(truths[v][i]) {
						t.Fatalf("seed %d: who fulfils %q fulfils %q, but %s and %s for %+v", seed, set.units[u].key, set.units[v].key, truths[u][i], truths[v][i], people[i])
					}
				}
			}
			if !l.together(u, v) {
				for i := range people {
					if truths[u][i] == yes && truths[v][i] == yes {
						t.Fatalf("seed %d: nobody fulfils both %q and %q, but %+v does", seed, set.units[u].key, set.units[v].key, people[i])
					}
				}
			}
		}
	}
	return dead, within
}

func TestWhatLintSaysIsTrue(t *testing.T) {
	t.Parallel()
	dead, within := 0, 0
	for seed := range uint64(60) {
		d, w := lintHolds(t, seed)
		dead, within = dead+d, within+w
	}
	if dead == 0 || within == 0 {
		t.Errorf("it said nothing: %d dead, %d within", dead, within)
	}
}

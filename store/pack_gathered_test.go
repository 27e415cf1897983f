package store

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dayone-hq/dayone"
)

func TestEveryFieldOfAFactIsGathered(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		var was struct {
			Employments []dayone.Employment
			Facts       []dayone.Fact
		}
		fill(rand.New(rand.NewPCG(seed, 2)), reflect.ValueOf(&was).Elem(), seed%2 == 0)
		for i := range was.Employments {
			was.Employments[i].Recorded = instant(micros(was.Employments[i].Recorded))
		}
		for i := range was.Facts {
			f := &was.Facts[i]
			f.Effective, f.Said, f.Again, f.Recorded = instant(micros(f.Effective)), instant(micros(f.Said)), instant(micros(f.Again)), instant(micros(f.Recorded))
		}
		var is gathered
		if err := unpackWhole(packed(&gathered{was.Employments, was.Facts}), &is); err != nil {
			t.Fatal(err)
		}
		for _, diff := range []string{cmp.Diff(was.Employments, is.employments, cmpopts.EquateEmpty()), cmp.Diff(was.Facts, is.facts, cmpopts.EquateEmpty())} {
			if diff != "" {
				t.Fatalf("seed %d: %s", seed, diff)
			}
		}
	}
}

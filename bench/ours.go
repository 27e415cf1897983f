package bench

import (
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/internal/company"
	"github.com/dayone-hq/dayone/policy"
)

var now = time.Date(2024, 11, 22, 15, 0, 0, 0, time.UTC)

// setOf loads the company's policies from their files, as the product does.
func setOf(seed uint64, policies int) (*policy.Set, error) {
	set, diags := policy.Load(company.Policies(seed, policies), nil)
	if set == nil {
		return nil, fmt.Errorf("%v: %w", diags[0], dayone.ErrInvalid)
	}
	return set, nil
}

func workforceOf(seed uint64, people int, sets ...*policy.Set) *policy.Workforce {
	w := policy.NewWorkforce(policy.NewDictionary(), sets[0].Schema, sets...)
	for p := range company.People(seed, people) {
		w.Add(&p)
	}
	return w
}

func ours(set *policy.Set, w *policy.Workforce) Scan {
	scan := set.Scanner(w, now)
	return func(from, to int, each func(int, []int32)) {
		scan(from, to, func(row int, hold, _ []int32) { each(row, hold) })
	}
}

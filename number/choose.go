package number

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Wish is what somebody asks of a pool.
type Wish struct {
	Person  dayone.PersonID
	Ref     string // by which a reservation may have been made for her
	Like    string // digits in which the number would best end
	Another bool   // though she has one there
	At      time.Time
}

// Found is what the books have for a wish. Each list is in the order in which it is to be used.
type Found struct {
	Own    []dayone.Number // hers in this pool: assigned or reserved
	Kept   []dayone.Number // reserved by her reference
	Before []dayone.Number // hers once, and available or at rest
	Alike  []dayone.Number // available, ending as is wished
	Next   []dayone.Number // available, the first of each range
}

// Choose says which number it is to be, and why. A pool that has none left is ErrNoSeat.
func Choose(w Wish, f Found, p Pool) (dayone.Number, string, error) {
	if len(f.Own) > 0 && !w.Another {
		return f.Own[0], "they have it already", nil
	}
	if len(f.Kept) > 0 {
		return f.Kept[0], "it was reserved for them", nil
	}
	shut := ""
	open := func(n dayone.Number) bool {
		r, ok := p.Range(n.Range)
		if !ok {
			return n.Range == "" // single numbers have no dates
		}
		why := p.Shut(r, w.At)
		shut = cmp.Or(shut, why)
		return why == ""
	}
	for _, n := range f.Before {
		if open(n) && (n.State == dayone.NumberFree || n.State == dayone.NumberQuarantine) && n.Last == w.Person && w.Person != "" {
			return n, "they had it before", nil
		}
	}
	for _, n := range f.Alike {
		if open(n) && n.State == dayone.NumberFree && strings.HasSuffix(n.Digits(), w.Like) && w.Like != "" {
			return n, "it ends as was wished", nil
		}
	}
	next := slices.DeleteFunc(slices.Clone(f.Next), func(n dayone.Number) bool { return n.State != dayone.NumberFree || n.Vanity || !open(n) })
	if len(next) == 0 {
		why := "every number of it is in use, at rest or held"
		if shut != "" {
			why += ", and of one range " + shut
		}
		return dayone.Number{}, "", fmt.Errorf("pool %s has no number to give: %s: %w", cmp.Or(p.Title, p.Name), why, dayone.ErrNoSeat)
	}
	slices.SortFunc(next, func(a, b dayone.Number) int { return cmp.Or(a.Used.Compare(b.Used), cmp.Compare(a.ID, b.ID)) })
	return next[0], "the one that is free for longest", nil
}

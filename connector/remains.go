package connector

import (
	"context"
	"maps"
	"slices"

	"github.com/dayone-hq/dayone"
)

var _ Reader = (*Target)(nil)

// Remains asks for every class that the vendor tells of. One that cannot be read leaves the others as they are.
func (t *Target) Remains(ctx context.Context, account dayone.Item) (found []dayone.Remain, checked, unread []dayone.RemainClass, err error) {
	checked = slices.Sorted(maps.Keys(t.Left))
	for _, class := range checked {
		list, err := t.Left[class](ctx, account)
		if ctx.Err() != nil {
			return nil, nil, nil, ctx.Err()
		}
		if err != nil {
			unread = append(unread, class)
			continue
		}
		for _, r := range list {
			r.Class = class
			found = append(found, r)
		}
	}
	return found, checked, unread, nil
}

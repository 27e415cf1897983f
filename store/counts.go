package store

import (
	"context"

	"github.com/dayone-hq/dayone"
)

// OpenRuns counts the runs that are not over, by state.
func (d *DB) OpenRuns(ctx context.Context) (map[dayone.RunState]int, error) {
	return counted[dayone.RunState](ctx, d, `SELECT state, COUNT(*) FROM run WHERE state IN `+active+` GROUP BY state`)
}

// counted is a column and a count of each of its values.
func counted[K ~string](ctx context.Context, d *DB, q string, args ...any) (map[K]int, error) {
	rows, err := d.read.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[K]int{}
	for rows.Next() {
		var k K
		var n int
		if err := rows.Scan(&k, &n); err != nil {
			return nil, err
		}
		out[k] = n
	}
	return out, rows.Err()
}

// readable: of nobody in the books, or of somebody who was not erased.
const readable = `(p.key_box IS NULL OR p.key_box <> '')`

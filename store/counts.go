package store

import (
	"context"

	"github.com/dayone-hq/dayone"
)

// CountRuns counts the runs that are not over, by state.
func (d *DB) CountRuns(ctx context.Context) (map[dayone.RunState]int, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT state, COUNT(*) FROM run WHERE state IN `+active+` GROUP BY state`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[dayone.RunState]int{}
	for rows.Next() {
		var s dayone.RunState
		var n int
		if err := rows.Scan(&s, &n); err != nil {
			return nil, err
		}
		out[s] = n
	}
	return out, rows.Err()
}

// CountTasks is how many tasks are open.
func (d *DB) CountTasks(ctx context.Context) (int, error) {
	var n int
	err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM task WHERE closed = 0`).Scan(&n)
	return n, err
}

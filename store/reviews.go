package store

import (
	"context"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

func (t *tx) reviewed(person dayone.PersonID, k dayone.Key, at time.Time) error {
	if _, err := t.exec(`INSERT INTO review (person, key, at) VALUES ($1, $2, $3) ON CONFLICT (person, key) DO UPDATE SET at = excluded.at`, string(person), k.String(), micros(at)); err != nil {
		return fmt.Errorf("writing review: %w", err)
	}
	return nil
}

// Confirm keeps that somebody still needs something, closes the task that asked, and makes its person due.
func (d *DB) Confirm(ctx context.Context, k dayone.Key, task dayone.Task, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		if err := t.reviewed(task.Person, k, task.Closed); err != nil {
			return err
		}
		if err := d.closeTask(t, task.Person, task); err != nil {
			return err
		}
		return d.due(t, task.Person, task.Closed, records)
	})
}

// Reviewed is when what a person has was last confirmed.
func (d *DB) Reviewed(ctx context.Context, person dayone.PersonID) (map[dayone.Key]time.Time, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT key, at FROM review WHERE person = $1`, string(person))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[dayone.Key]time.Time{}
	for rows.Next() {
		var key string
		var at int64
		if err := rows.Scan(&key, &at); err != nil {
			return nil, err
		}
		k, err := dayone.ParseKey(key)
		if err != nil {
			return nil, err
		}
		out[k] = instant(at)
	}
	return out, rows.Err()
}

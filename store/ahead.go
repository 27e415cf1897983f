package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/dayone-hq/dayone"
)

// Many who will be due at one instant are looked at ahead of it. At the instant only when they are due next is written.

// Wake is when somebody is due. As it is written, Since is what it was: has somebody made her due at another instant, or
// answered about her, it stays as it is.
type Wake struct {
	Person    dayone.PersonID
	At, Since time.Time
}

// WakeAt is when the n-th person from now is due, counted from 1; zero: fewer ever are.
func (d *DB) WakeAt(ctx context.Context, now time.Time, n int) (time.Time, error) {
	var at sql.NullInt64
	err := d.read.QueryRowContext(ctx, `SELECT MAX(wake) FROM (SELECT wake FROM person WHERE wake > $1 AND key_box <> '' ORDER BY wake LIMIT 1 OFFSET $2) AS one`, micros(now), n-1).Scan(&at)
	return instant(at.Int64), err
}

// DueBy are people who will be due after one instant and until another, the earliest first.
func (d *DB) DueBy(ctx context.Context, after, until time.Time, limit int) ([]Wake, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT id, wake FROM person WHERE wake > 0 AND wake > $1 AND wake <= $2 AND key_box <> '' ORDER BY wake LIMIT $3`, micros(after), micros(until), limit)
	if err != nil {
		return nil, err
	}
	var out []Wake
	err = eachRow(rows, func(rows *sql.Rows) error {
		var w Wake
		var at int64
		err := rows.Scan(&w.Person, &at)
		w.At = instant(at)
		out = append(out, w)
		return err
	})
	return out, err
}

// SaveWakes writes when people are due next, in one commit. ErrConflict: other policies count than those of a stage, and
// nothing was written.
func (d *DB) SaveWakes(ctx context.Context, stage int64, list []Wake) error {
	if len(list) == 0 {
		return nil
	}
	rows := make([]any, 0, 3*len(list))
	for _, w := range list {
		rows = append(rows, string(w.Person), micros(w.At), micros(w.Since))
	}
	return d.write(ctx, func(t *tx) error {
		if err := t.stageIs(stage); err != nil {
			return err
		}
		return t.wakes(rows)
	})
}

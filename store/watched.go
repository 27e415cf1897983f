package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/dayone-hq/dayone"
)

// What alert rules look for. Each answers with ids alone.

// Starting are people whose first day lies between two instants and who have not left.
func (d *DB) Starting(ctx context.Context, since, until time.Time) ([]Row, error) {
	return d.rows(ctx, `managed = 1 AND status IN ('pre-hire', 'active') AND starts > $1 AND starts <= $2`, micros(since), micros(until))
}

// LeftWithAccounts are people whose last employment ended between two instants and who have an account that is neither
// closed nor gone.
func (d *DB) LeftWithAccounts(ctx context.Context, since, until time.Time) ([]Row, error) {
	return d.rows(ctx, `managed = 1 AND ends > $1 AND ends <= $2
		AND EXISTS (SELECT 1 FROM holding h WHERE h.person = person.id AND h.kind = 'account' AND h.state NOT IN ('gone', 'disabled'))`, micros(since), micros(until))
}

// rows are people by a condition, the next to start first.
func (d *DB) rows(ctx context.Context, where string, args ...any) ([]Row, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT id, location, status, starts, ends, problem FROM person WHERE merged = '' AND `+where+` ORDER BY starts, id`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Row
	for rows.Next() {
		var r Row
		var starts, ends int64
		if err := rows.Scan(&r.ID, &r.Location, &r.Status, &starts, &ends, &r.Problem); err != nil {
			return nil, err
		}
		r.Starts, r.Ends = instant(starts), instant(ends)
		out = append(out, r)
	}
	return out, rows.Err()
}

// Incomplete are runs that ended incomplete and after which their person had no other.
func (d *DB) Incomplete(ctx context.Context) ([]dayone.Run, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT id, person, state, started, ended FROM run WHERE state IN ('incomplete', 'undo incomplete')
		AND NOT EXISTS (SELECT 1 FROM run n WHERE n.person = run.person AND n.id > run.id) ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.Run
	for rows.Next() {
		var r dayone.Run
		var started, ended int64
		if err := rows.Scan(&r.ID, &r.Person, &r.State, &started, &ended); err != nil {
			return nil, err
		}
		r.Started, r.Ended = instant(started), instant(ended)
		out = append(out, r)
	}
	return out, rows.Err()
}

// Overdue are open tasks that were due by an instant, by their ids.
func (d *DB) Overdue(ctx context.Context, by time.Time) ([]dayone.Task, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT id, person, run, step, system, opened, due FROM task WHERE closed = 0 AND due > 0 AND due <= $1 ORDER BY due, id`, micros(by))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.Task
	for rows.Next() {
		var t dayone.Task
		var opened, due int64
		if err := rows.Scan(&t.ID, &t.Person, &t.Run, &t.Step, &t.System, &opened, &due); err != nil {
			return nil, err
		}
		t.Opened, t.Due = instant(opened), instant(due)
		out = append(out, t)
	}
	return out, rows.Err()
}

// OldestWaiting is when the oldest event came that has not been looked at; zero: none waits.
func (d *DB) OldestWaiting(ctx context.Context) (time.Time, error) {
	var us sql.NullInt64
	err := d.read.QueryRowContext(ctx, `SELECT MIN(received) FROM event WHERE state = 'received'`).Scan(&us)
	return instant(us.Int64), err
}

// CountDue is how many people are due to be looked at.
func (d *DB) CountDue(ctx context.Context, now time.Time) (int, error) {
	var n int
	err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM person WHERE wake > 0 AND wake <= $1 AND merged = ''`, micros(now)).Scan(&n)
	return n, err
}

// CountAlerts counts open alerts by rule.
func (d *DB) CountAlerts(ctx context.Context) (map[string]int, error) {
	return counted[string](ctx, d, `SELECT rule, COUNT(*) FROM alert WHERE resolved = 0 GROUP BY rule`)
}

// Room is how much of the volume is free on which SQLite's database lies, in bytes. ErrUnsupported: it lies on none that
// we know of.
func (d *DB) Room() (free, total uint64, err error) {
	if d.file == "" {
		return 0, 0, dayone.ErrUnsupported
	}
	return room(d.file)
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// SucceedAt says that what somebody looked after who left at an instant is to be handed over. Said again of the same end it
// changes nothing.
func (d *DB) SucceedAt(ctx context.Context, person dayone.PersonID, left, at time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO succession (person, since, at, box) VALUES ($1, $2, $3, '')
			ON CONFLICT (person) DO UPDATE SET since = excluded.since, at = excluded.at, box = '' WHERE succession.since <> excluded.since`, person, micros(left), micros(at))
		return err
	})
}

// SucceedsSince is the end for which somebody's succession was asked for; zero: for none.
func (d *DB) SucceedsSince(ctx context.Context, person dayone.PersonID) (time.Time, error) {
	return d.oneInstant(ctx, `SELECT since FROM succession WHERE person = $1`, person)
}

// NextSuccession is when the next one is to be seen to; zero: none is.
func (d *DB) NextSuccession(ctx context.Context) (time.Time, error) {
	return d.oneInstant(ctx, `SELECT at FROM succession WHERE at > 0 ORDER BY at LIMIT 1`)
}

// DueSuccessions are those to be seen to by now. One with a zero Made was not looked at yet.
func (d *DB) DueSuccessions(ctx context.Context, now time.Time, limit int) ([]dayone.Succession, error) {
	rows, err := d.read.QueryContext(ctx, successionQuery+` WHERE s.at > 0 AND s.at <= $1 AND p.key_box <> '' ORDER BY s.at, s.person LIMIT $2`, micros(now), limit)
	if err != nil {
		return nil, err
	}
	return collect(rows, d.scanSuccession)
}

// Succession is what became of what somebody looked after. ErrNotFound: nothing was looked at.
func (d *DB) Succession(ctx context.Context, person dayone.PersonID) (dayone.Succession, error) {
	s, err := d.scanSuccession(d.read.QueryRowContext(ctx, successionQuery+` WHERE s.person = $1 AND s.box <> ''`, person))
	return s, notFound("succession", err)
}

const successionQuery = `SELECT s.person, s.since, s.box, p.key_box FROM succession s JOIN person p ON p.id = s.person`

func (d *DB) scanSuccession(row interface{ Scan(...any) error }) (dayone.Succession, error) {
	var s dayone.Succession
	var person dayone.PersonID
	var since int64
	var box string
	var key sql.NullString
	if err := row.Scan(&person, &since, &box, &key); err != nil {
		return s, err
	}
	if box != "" {
		if _, err := d.unseal(key, box, &s); err != nil {
			return s, fmt.Errorf("the succession of person %s does not read: %w", person, err)
		}
	}
	s.Person, s.Left = person, instant(since)
	return s, nil
}

// SaveSuccession keeps how far one has come, opens what is left to a human, and ends it once it is done. ErrConflict: it was
// asked for anew, or is over.
func (d *DB) SaveSuccession(ctx context.Context, s dayone.Succession, task *dayone.Task, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		if task != nil {
			if err := d.openTask(t, *task, noStep); err != nil {
				return err
			}
			if err := t.row(`SELECT id FROM task WHERE once = $1 AND closed = 0`, task.Once).Scan(&s.Task); err != nil {
				return fmt.Errorf("reading task: %w", err)
			}
		}
		box, err := d.seal(t, s.Person, s)
		if err != nil {
			return err
		}
		res, err := t.exec(`UPDATE succession SET box = $3, at = CASE WHEN $4 = 1 THEN 0 ELSE at END WHERE person = $1 AND since = $2 AND at > 0`, s.Person, micros(s.Left), box, truth(!s.Done.IsZero()))
		if err != nil {
			return fmt.Errorf("writing succession: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("the succession of person %s was asked for anew, or is over: %w", s.Person, dayone.ErrConflict))
		}
		return d.append(t, records)
	})
}

// DropSuccession forgets one that is not over: its person came back first.
func (d *DB) DropSuccession(ctx context.Context, person dayone.PersonID) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM succession WHERE person = $1 AND at > 0`, person)
		return err
	})
}

// OpenTasks pages through every open task by id.
func (d *DB) OpenTasks(ctx context.Context, after dayone.TaskID, limit int) ([]dayone.Task, error) {
	return d.someTasks(ctx, taskQuery+` WHERE t.closed = 0 AND t.id > $1 AND `+readable+` ORDER BY t.id LIMIT $2`, after, limit)
}

// Outsiders are people with an employment that was entered here, who have not left and are no secret.
func (d *DB) Outsiders(ctx context.Context) ([]dayone.PersonID, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT DISTINCT e.person FROM employment e JOIN person p ON p.id = e.person WHERE e.source = $1 AND p.status <> $2 AND p.veil < 2 ORDER BY e.person`, dayone.Portal, string(dayone.Left))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (id dayone.PersonID, err error) {
		err = s.Scan(&id)
		return id, err
	})
}

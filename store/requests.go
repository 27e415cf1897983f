package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// requestBox is the part of a request that nobody searches by.
type requestBox struct{ Role, By, Login, Reason, EndBy string }

// AddRequest keeps a request and makes its person due. ErrConflict: one for the same thing stands.
func (d *DB) AddRequest(ctx context.Context, r dayone.Request, records ...dayone.Record) error {
	return d.AddRequests(ctx, []dayone.Request{r}, records...)
}

// AddRequests keeps several of one person, or none of them.
func (d *DB) AddRequests(ctx context.Context, rs []dayone.Request, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		for _, r := range rs {
			if err := d.addRequest(t, r); err != nil {
				return err
			}
		}
		return d.due(t, rs[0].Person, rs[0].Made, records)
	})
}

func (d *DB) addRequest(t *tx, r dayone.Request) error {
	box, err := d.seal(t, r.Person, requestBox{r.Role, r.By, r.Login, r.Reason, ""})
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO request (id, person, key, made, until, ended, box) VALUES ($1, $2, $3, $4, $5, 0, $6)`,
		string(r.ID), string(r.Person), r.What(), micros(r.Made), micros(r.Until), box)
	if taken(err) {
		return fmt.Errorf("a request for %s stands already; end it first: %w", r.What(), dayone.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("writing request: %w", err)
	}
	return nil
}

// due makes a person due and appends records.
func (d *DB) due(t *tx, person dayone.PersonID, now time.Time, records []dayone.Record) error {
	if _, err := t.exec(`UPDATE person SET wake = $2 WHERE id = $1 AND key_box <> ''`, string(person), micros(now)); err != nil {
		return fmt.Errorf("waking person: %w", err)
	}
	return d.append(t, records)
}

// EndRequest ends one that stands, and makes its person due. ErrConflict: it has ended.
func (d *DB) EndRequest(ctx context.Context, r dayone.Request, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		box, err := d.seal(t, r.Person, requestBox{r.Role, r.By, r.Login, r.Reason, r.EndBy})
		if err != nil {
			return err
		}
		res, err := t.exec(`UPDATE request SET ended = $2, until = $3, box = $4 WHERE id = $1 AND ended = 0`, string(r.ID), micros(r.Ended), micros(r.Until), box)
		if err != nil {
			return fmt.Errorf("writing request: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("request %s has ended already: %w", r.ID, dayone.ErrConflict))
		}
		return d.due(t, r.Person, r.Ended, records)
	})
}

// RequestUntil keeps the end of a request that its offer gives it.
func (d *DB) RequestUntil(ctx context.Context, id dayone.RequestID, until time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE request SET until = $2 WHERE id = $1 AND ended = 0`, string(id), micros(until))
		return err
	})
}

const requestColumns = `r.id, r.person, r.key, r.made, r.until, r.ended, r.box, p.key_box`

func (d *DB) scanRequest(s interface{ Scan(...any) error }) (dayone.Request, error) {
	var r dayone.Request
	var made, until, ended int64
	var what, box string
	var owner sql.NullString
	if err := s.Scan(&r.ID, &r.Person, &what, &made, &until, &ended, &box, &owner); err != nil {
		return r, err
	}
	if err := r.Asks(what); err != nil {
		return r, err
	}
	var b requestBox
	if _, err := d.unseal(owner, box, &b); err != nil {
		return r, fmt.Errorf("request %s does not read: %w", r.ID, err)
	}
	r.Made, r.Until, r.Ended = instant(made), instant(until), instant(ended)
	r.Role, r.By, r.Login, r.Reason, r.EndBy = b.Role, b.By, b.Login, b.Reason, b.EndBy
	return r, nil
}

// Request is one of them.
func (d *DB) Request(ctx context.Context, id dayone.RequestID) (dayone.Request, error) {
	r, err := d.scanRequest(d.read.QueryRowContext(ctx, `SELECT `+requestColumns+` FROM request r LEFT JOIN person p ON p.id = r.person WHERE r.id = $1`, string(id)))
	return r, notFound("request", err)
}

// Requests of a person, the newest first; only those that stand, if asked.
func (d *DB) Requests(ctx context.Context, person dayone.PersonID, standing bool) ([]dayone.Request, error) {
	q := `SELECT ` + requestColumns + ` FROM request r LEFT JOIN person p ON p.id = r.person WHERE `
	if standing {
		q += `r.person = $1 AND r.ended = 0`
	} else {
		q += fmt.Sprintf(hers("r.person"), 1)
	}
	rows, err := d.read.QueryContext(ctx, q+` ORDER BY r.id DESC`, string(person))
	if err != nil {
		return nil, err
	}
	return collect(rows, d.scanRequest)
}

// Requesting are the people for whom a request stands.
func (d *DB) Requesting(ctx context.Context) (map[dayone.PersonID]bool, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT DISTINCT person FROM request WHERE ended = 0`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[dayone.PersonID]bool{}
	for rows.Next() {
		var p dayone.PersonID
		if err := rows.Scan(&p); err != nil {
			return nil, err
		}
		out[p] = true
	}
	return out, rows.Err()
}

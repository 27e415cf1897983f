package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// holdBox is what a hold says of its person, and who said it.
type holdBox struct {
	Keys    []dayone.Key   `json:"keys"`
	Keep    bool           `json:"keep,omitempty"`
	Away    bool           `json:"away,omitempty"`
	Brake   dayone.BrakeID `json:"brake,omitempty"`
	Reason  string         `json:"reason,omitempty"`
	By      string         `json:"by,omitempty"`
	EndedBy string         `json:"ended_by,omitempty"`
}

// hold writes one, or what became of it.
func (d *DB) hold(t *tx, h dayone.Hold) error {
	box, err := d.seal(t, h.Person, holdBox{h.Keys, h.Keep, h.Away, h.Brake, h.Reason, h.By, h.EndedBy})
	if err != nil {
		return err
	}
	if _, err := t.exec(`INSERT INTO hold (id, person, run, since, until, ended, box) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET until = excluded.until, ended = excluded.ended, box = excluded.box`,
		h.ID, h.Person, h.Run, micros(h.From), micros(h.Until), micros(h.Ended), box); err != nil {
		return fmt.Errorf("writing hold: %w", err)
	}
	return nil
}

// HoldChange is what becomes of a hold, written in one transaction.
type HoldChange struct {
	Hold    dayone.Hold
	Opened  *dayone.Task // somebody has to decide
	Review  *dayone.Key  // that was looked at now: the no of a review
	Closed  *dayone.Task
	Wake    time.Time // when its person is looked at; zero: as before
	Records []dayone.Record
}

// SaveHold writes it.
func (d *DB) SaveHold(ctx context.Context, c HoldChange) error {
	return d.write(ctx, func(t *tx) error {
		err := d.hold(t, c.Hold)
		if err == nil && c.Closed != nil {
			err = d.closeTask(t, c.Hold.Person, *c.Closed)
		}
		if err == nil && c.Opened != nil {
			err = d.openTask(t, *c.Opened, noStep)
		}
		if err == nil && c.Review != nil {
			err = t.reviewed(c.Hold.Person, *c.Review, c.Hold.From)
		}
		if err == nil && !c.Wake.IsZero() {
			_, err = t.exec(`UPDATE person SET wake = $2 WHERE id = $1`, c.Hold.Person, micros(c.Wake))
		}
		if err != nil {
			return err
		}
		return d.append(t, c.Records)
	})
}

// HoldFilter narrows a list of holds.
type HoldFilter struct {
	Person dayone.PersonID
	Ended  bool          // those that have ended, too
	Before dayone.HoldID // only older ones
	Limit  int           // 0: all
	Within dayone.Scope
}

const holdQuery = `SELECT h.id, h.person, h.run, h.since, h.until, h.ended, h.box, p.key_box FROM hold h LEFT JOIN person p ON p.id = h.person`

// Holds lists holds, newest first. Those of somebody who was erased are in no list.
func (d *DB) Holds(ctx context.Context, f HoldFilter) ([]dayone.Hold, error) {
	var where []string
	var args []any
	add := func(cond string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(cond, len(args)))
	}
	if f.Person != "" {
		whose := "h.person = $%d"
		if f.Ended {
			whose = hers("h.person")
		}
		add(whose, f.Person)
	}
	if f.Before != "" {
		add("h.id < $%d", f.Before)
	}
	if !f.Ended {
		where = append(where, "h.ended = 0")
	}
	if !f.Within.AllPeople() {
		where = append(where, within(f.Within, "p", "", func(v any) string {
			args = append(args, v)
			return fmt.Sprintf("$%d", len(args))
		}))
	}
	q := holdQuery
	if len(where) > 0 {
		q += " WHERE " + strings.Join(where, " AND ")
	}
	q += " ORDER BY h.id DESC"
	if f.Limit > 0 {
		args = append(args, f.Limit)
		q += fmt.Sprintf(" LIMIT $%d", len(args))
	}
	rows, err := d.read.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.Hold
	for rows.Next() {
		h, there, err := d.scanHold(rows)
		if err != nil {
			return nil, err
		}
		if there {
			out = append(out, h)
		}
	}
	return out, rows.Err()
}

// Hold is one of them. ErrNotFound: there is none, or its person was erased.
func (d *DB) Hold(ctx context.Context, id dayone.HoldID) (dayone.Hold, error) {
	h, there, err := d.scanHold(d.read.QueryRowContext(ctx, holdQuery+` WHERE h.id = $1`, id))
	if err == nil && !there {
		err = fmt.Errorf("hold %s: %w", id, dayone.ErrNotFound)
	}
	return h, notFound("hold "+string(id), err)
}

func (d *DB) scanHold(s interface{ Scan(...any) error }) (dayone.Hold, bool, error) {
	var h dayone.Hold
	var since, until, ended int64
	var box string
	var key sql.NullString
	if err := s.Scan(&h.ID, &h.Person, &h.Run, &since, &until, &ended, &box, &key); err != nil {
		return h, false, err
	}
	h.From, h.Until, h.Ended = instant(since), instant(until), instant(ended)
	var b holdBox
	there, err := d.unseal(key, box, &b)
	if err != nil {
		return h, false, fmt.Errorf("hold %s does not read: %w", h.ID, err)
	}
	h.Keys, h.Keep, h.Away, h.Brake, h.Reason, h.By, h.EndedBy = b.Keys, b.Keep, b.Away, b.Brake, b.Reason, b.By, b.EndedBy
	return h, there, nil
}

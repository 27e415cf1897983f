package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// hushed is a record that is not in the ledger yet, as it lies in its box.
type hushed struct {
	At     time.Time
	What   string
	System string
	By     string `json:",omitempty"`
	Note   string `json:",omitempty"`
}

// hush keeps records of a veiled event back from the ledger.
func (d *DB) hush(t *tx, event dayone.EventID, person dayone.PersonID, records []dayone.Record) error {
	for _, r := range records {
		h := hushed{At: r.At, What: r.What, System: r.System, By: r.By}
		if r.Detail != nil {
			h.Note = r.Detail.Note
		}
		box, err := d.seal(t, person, h)
		if err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO veiled_record (event, number, person, box) SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3 FROM veiled_record WHERE event = $1`, event, person, box); err != nil {
			return fmt.Errorf("keeping a record back: %w", err)
		}
	}
	return nil
}

// HushedRecord keeps a record about a veiled event back from the ledger until that is unveiled.
func (d *DB) HushedRecord(ctx context.Context, event dayone.EventID, r dayone.Record) error {
	return d.write(ctx, func(t *tx) error { return d.hush(t, event, r.Person, []dayone.Record{r}) })
}

// Unveil lets everybody find what was confidential about a person: her events, and their records, which enter the ledger
// now and say when they were made.
func (d *DB) Unveil(ctx context.Context, person dayone.PersonID, at time.Time) error {
	return d.write(ctx, func(t *tx) error {
		records, err := d.unhush(t, person, at)
		if err != nil {
			return err
		}
		for _, q := range []string{
			`DELETE FROM veiled_record WHERE event IN (SELECT id FROM event WHERE person = $1)`,
			`UPDATE event SET veiled = 0 WHERE person = $1 AND veiled = 1`,
		} {
			if _, err := t.exec(q, person); err != nil {
				return fmt.Errorf("unveiling person %s: %w", person, err)
			}
		}
		return d.append(t, records)
	})
}

func (d *DB) unhush(t *tx, person dayone.PersonID, at time.Time) ([]dayone.Record, error) {
	rows, err := t.conn.QueryContext(t.ctx, `SELECT v.person, v.box FROM veiled_record v JOIN event e ON e.id = v.event WHERE e.person = $1 ORDER BY v.event, v.number`, person)
	if err != nil {
		return nil, err
	}
	type kept struct {
		person dayone.PersonID
		box    string
	}
	all, err := collect(rows, func(s interface{ Scan(...any) error }) (k kept, err error) { return k, s.Scan(&k.person, &k.box) })
	if err != nil {
		return nil, err
	}
	var out []dayone.Record
	for _, k := range all {
		key, err := d.key(t, k.person)
		if err != nil {
			return nil, err
		}
		var h hushed
		switch there, err := d.unseal(sql.NullString{String: key, Valid: true}, k.box, &h); {
		case err != nil:
			return nil, fmt.Errorf("a record that was kept back does not read: %w", err)
		case !there:
			continue
		}
		note := "said in confidence at " + h.At.UTC().Format(time.RFC3339)
		if h.Note != "" {
			note = h.Note + "; " + note
		}
		out = append(out, dayone.Record{At: at, Person: person, What: h.What, System: h.System, By: h.By, Detail: &dayone.Detail{Note: note}})
	}
	return out, nil
}

// Veiled are people of whom something is confidential, as many as there are: only HR keeps secrets, and few.
func (d *DB) Veiled(ctx context.Context) ([]Row, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT `+rowColumns+` FROM person WHERE veil > 0 AND key_box <> '' ORDER BY unveil, id`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (Row, error) { return scanRow(s) })
}

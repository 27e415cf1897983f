package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// legalBox is what a legal hold says.
type legalBox struct {
	Reason  string `json:"reason"`
	By      string `json:"by,omitempty"`
	EndedBy string `json:"ended_by,omitempty"`
	Why     string `json:"why,omitempty"`
}

// LegalTask is how the Once of a task begins that a legal hold opened: its id and the key of what stays open follow.
const LegalTask = "legal."

// SaveLegalHold writes one, or its end, and makes its person due. With its end its tasks end. ErrConflict: another one
// stands.
func (d *DB) SaveLegalHold(ctx context.Context, h dayone.LegalHold, wake time.Time, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		var key, id string
		switch err := t.row(`SELECT key_box FROM person WHERE id = $1`, h.Person).Scan(&key); {
		case errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("person %s: %w", h.Person, dayone.ErrNotFound)
		case err != nil:
			return err
		case key == "" && h.Ended.IsZero(): // nothing is left that it could keep
			return fmt.Errorf("this person was erased: %w", dayone.ErrConflict)
		}
		switch err := t.row(`SELECT id FROM legal_hold WHERE person = $1 AND ended = 0`, h.Person).Scan(&id); {
		case err == nil && id != string(h.ID):
			return fmt.Errorf("a legal hold on person %s stands already: %w", h.Person, dayone.ErrConflict)
		case err != nil && !errors.Is(err, sql.ErrNoRows):
			return err
		}
		box, err := d.seal(t, h.Person, legalBox{h.Reason, h.By, h.EndedBy, h.Why})
		if err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO legal_hold (id, person, since, ended, box) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, box = excluded.box`, h.ID, h.Person, micros(h.From), micros(h.Ended), box); err != nil {
			return fmt.Errorf("writing legal hold: %w", err)
		}
		if !h.Ended.IsZero() {
			done, err := d.seal(t, h.Person, doneBox{Left: "the legal hold was released"})
			if err != nil {
				return err
			}
			if _, err := t.exec(`UPDATE task SET closed = $2, done_box = $3 WHERE closed = 0 AND once LIKE $1`, LegalTask+string(h.ID)+".%", micros(h.Ended), done); err != nil {
				return fmt.Errorf("closing tasks of a legal hold: %w", err)
			}
		}
		return d.due(t, h.Person, wake, records)
	})
}

// LegalHolds are those of a person, the newest first; one that stands has no Ended.
func (d *DB) LegalHolds(ctx context.Context, person dayone.PersonID) ([]dayone.LegalHold, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT h.id, h.since, h.ended, h.box, p.key_box FROM legal_hold h LEFT JOIN person p ON p.id = h.person WHERE `+fmt.Sprintf(hers("h.person"), 1)+` ORDER BY h.id DESC`, person)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.LegalHold
	for rows.Next() {
		h := dayone.LegalHold{Person: person}
		var since, ended int64
		var box string
		var key sql.NullString
		if err := rows.Scan(&h.ID, &since, &ended, &box, &key); err != nil {
			return nil, err
		}
		h.From, h.Ended = instant(since), instant(ended)
		var b legalBox
		if _, err := d.unseal(key, box, &b); err != nil {
			return nil, fmt.Errorf("legal hold %s does not read: %w", h.ID, err)
		}
		h.Reason, h.By, h.EndedBy, h.Why = b.Reason, b.By, b.EndedBy, b.Why
		out = append(out, h)
	}
	return out, rows.Err()
}

// UnderLegalHold says whether a legal hold on somebody stands.
func (d *DB) UnderLegalHold(ctx context.Context, person dayone.PersonID) (bool, error) {
	var one int
	err := d.read.QueryRowContext(ctx, `SELECT 1 FROM legal_hold WHERE person = $1 AND ended = 0`, person).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// SaveCertificate keeps one, and opens and closes what humans have to do by it; again is when the person is read back again
// by itself, zero: not any more.
func (d *DB) SaveCertificate(ctx context.Context, c dayone.Certificate, again time.Time, tasks []dayone.Task, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		if err := d.settleTasks(t, tasks); err != nil {
			return err
		}
		box, err := d.seal(t, c.Person, c)
		if err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO certificate (id, person, made, box) VALUES ($1, $2, $3, $4)`, c.ID, c.Person, micros(c.Made), box); err != nil {
			return fmt.Errorf("writing certificate: %w", err)
		}
		if err := certifyAt(t, c.Person, again); err != nil {
			return err
		}
		return d.append(t, records)
	})
}

func certifyAt(t *tx, person dayone.PersonID, at time.Time) error {
	if _, err := t.exec(`DELETE FROM certificate_due WHERE person = $1`, person); err != nil || at.IsZero() {
		return err
	}
	_, err := t.exec(`INSERT INTO certificate_due (person, at) VALUES ($1, $2)`, person, micros(at))
	return err
}

// CertifyAt says when somebody is read back by itself; zero: not any more.
func (d *DB) CertifyAt(ctx context.Context, person dayone.PersonID, at time.Time) error {
	return d.write(ctx, func(t *tx) error { return certifyAt(t, person, at) })
}

// CertifiesAt is when somebody is read back by itself; zero: not yet asked for.
func (d *DB) CertifiesAt(ctx context.Context, person dayone.PersonID) (time.Time, error) {
	return d.oneInstant(ctx, `SELECT at FROM certificate_due WHERE person = $1`, person)
}

// NextCertificate is when the next person is read back; zero: nobody is.
func (d *DB) NextCertificate(ctx context.Context) (time.Time, error) {
	return d.oneInstant(ctx, `SELECT at FROM certificate_due ORDER BY at LIMIT 1`)
}

func (d *DB) oneInstant(ctx context.Context, q string, args ...any) (time.Time, error) {
	var at int64
	err := d.read.QueryRowContext(ctx, q, args...).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return instant(at), err
}

// DueCertificates are people to be read back by now, those who wait longest first.
func (d *DB) DueCertificates(ctx context.Context, now time.Time, limit int) ([]dayone.PersonID, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT person FROM certificate_due WHERE at <= $1 ORDER BY at, person LIMIT $2`, micros(now), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.PersonID
	for rows.Next() {
		var p dayone.PersonID
		if err := rows.Scan(&p); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// Certificates are those of a person, the newest first. Those of somebody who was erased are gone with her key.
func (d *DB) Certificates(ctx context.Context, person dayone.PersonID) ([]dayone.Certificate, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT c.box, p.key_box FROM certificate c LEFT JOIN person p ON p.id = c.person WHERE `+fmt.Sprintf(hers("c.person"), 1)+` ORDER BY c.id DESC LIMIT 100`, person)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.Certificate
	for rows.Next() {
		var box string
		var key sql.NullString
		if err := rows.Scan(&box, &key); err != nil {
			return nil, err
		}
		var c dayone.Certificate
		there, err := d.unseal(key, box, &c)
		if err != nil {
			return nil, fmt.Errorf("a certificate of person %s does not read: %w", person, err)
		}
		if there {
			out = append(out, c)
		}
	}
	return out, rows.Err()
}

// LastLine is the end of the ledger, and how many of its lines are about a person.
func (d *DB) LastLine(ctx context.Context, person dayone.PersonID) (seq int64, chain string, about int, err error) {
	err = d.read.QueryRowContext(ctx, `SELECT seq, chain FROM record ORDER BY seq DESC LIMIT 1`).Scan(&seq, &chain)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	if err == nil {
		err = d.read.QueryRowContext(ctx, `SELECT count(*) FROM record WHERE `+fmt.Sprintf(hers("person"), 1), person).Scan(&about)
	}
	return seq, chain, about, err
}

// WasErased says whether somebody's key was destroyed. ErrNotFound: there was never such a person.
func (d *DB) WasErased(ctx context.Context, person dayone.PersonID) (bool, error) {
	key, err := d.keyOf(ctx, person)
	if err == nil && !key.Valid {
		err = fmt.Errorf("person %s: %w", person, dayone.ErrNotFound)
	}
	return key.String == "", err
}

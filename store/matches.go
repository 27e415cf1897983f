package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/dayone-hq/dayone"
)

var traitTable = table{"trait", []string{"person", "mark"}, nil}

// keepMarks replaces the digests by which a person is found.
func (t *tx) keepMarks(person dayone.PersonID, marks []string) error {
	if _, err := t.exec(`DELETE FROM trait WHERE person = $1`, string(person)); err != nil {
		return fmt.Errorf("writing traits: %w", err)
	}
	rows := make([]any, 0, 2*len(marks))
	for _, m := range marks {
		rows = append(rows, string(person), m)
	}
	if err := t.put(traitTable, rows); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE person SET marked = 1 WHERE id = $1`, string(person))
	return err
}

// SaveMarks writes the digests by which somebody is found who may be known already.
func (d *DB) SaveMarks(ctx context.Context, person dayone.PersonID, marks []string) error {
	return d.write(ctx, func(t *tx) error { return t.keepMarks(person, marks) })
}

// Unmarked are people of whom nobody has written yet by what they are found.
func (d *DB) Unmarked(ctx context.Context, limit int) ([]dayone.PersonID, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT id FROM person WHERE marked = 0 AND key_box <> '' AND merged = '' ORDER BY id LIMIT $1`, limit)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (p dayone.PersonID, err error) {
		err = s.Scan(&p)
		return p, err
	})
}

// Marked are the people who are found by digests, by digest.
func (d *DB) Marked(ctx context.Context, marks []string) (map[string][]dayone.PersonID, error) {
	out := map[string][]dayone.PersonID{}
	if len(marks) == 0 {
		return out, nil
	}
	args, in := make([]any, len(marks)), make([]string, len(marks))
	for i, m := range marks {
		args[i], in[i] = m, fmt.Sprintf("$%d", i+1)
	}
	rows, err := d.read.QueryContext(ctx, `SELECT t.mark, t.person FROM trait t JOIN person p ON p.id = t.person WHERE p.key_box <> '' AND p.merged = '' AND t.mark IN (`+strings.Join(in, ", ")+`) ORDER BY t.person`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var m string
		var p dayone.PersonID
		if err := rows.Scan(&m, &p); err != nil {
			return nil, err
		}
		out[m] = append(out[m], p)
	}
	return out, rows.Err()
}

// HoldEvent holds an event until somebody has said whose employment it is about, and opens that question, or refreshes it if it
// is open. What is said in confidence about a question that others see too does not change it.
func (d *DB) HoldEvent(ctx context.Context, event dayone.EventID, note string, m dayone.Match) error {
	suspects, err := json.Marshal(m.Suspects)
	if err != nil {
		return err
	}
	says, err := json.Marshal(m.Says)
	if err != nil {
		return err
	}
	box, err := d.sealer.Seal(d.bodyKey, says) // it is not known yet whose it is
	if err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		if _, err := t.exec(`UPDATE event SET state = $2, note = $3, tries = 0, next = 0 WHERE id = $1`, string(event), string(dayone.EventAsked), note); err != nil {
			return fmt.Errorf("holding event: %w", err)
		}
		_, err := t.exec(`INSERT INTO suspicion (id, source, subject, event, opened, suspects, state, person, by_whom, decided, box) VALUES ($1, $2, $3, $4, $5, $6, 'open', '', '', 0, $7)
			ON CONFLICT (source, subject) WHERE state = 'open' DO UPDATE SET suspects = excluded.suspects, box = excluded.box
			WHERE (SELECT veiled FROM event WHERE id = suspicion.event) >= (SELECT veiled FROM event WHERE id = excluded.event)`,
			string(m.ID), m.Source, m.Subject, string(event), micros(m.Opened), string(suspects), box)
		if err != nil {
			return fmt.Errorf("writing suspicion: %w", err)
		}
		return nil
	})
}

const matchColumns = `id, source, subject, event, opened, suspects, state, person, by_whom, decided, box`

func (d *DB) scanMatch(s interface{ Scan(...any) error }) (dayone.Match, error) {
	var m dayone.Match
	var opened, decided int64
	var suspects, box string
	if err := s.Scan(&m.ID, &m.Source, &m.Subject, &m.Event, &opened, &suspects, &m.State, &m.Person, &m.By, &decided, &box); err != nil {
		return m, err
	}
	m.Opened, m.Decided = instant(opened), instant(decided)
	if err := json.Unmarshal([]byte(suspects), &m.Suspects); err != nil {
		return m, fmt.Errorf("suspicion %s does not read: %w", m.ID, err)
	}
	if _, err := d.unseal(sql.NullString{}, box, &m.Says); err != nil {
		return m, fmt.Errorf("suspicion %s does not read: %w", m.ID, err)
	}
	return m, nil
}

// publicMatch leaves out what was asked in confidence, and what is about somebody of whom nobody may know.
const publicMatch = ` AND NOT EXISTS (SELECT 1 FROM event e WHERE e.id = suspicion.event AND e.veiled = 1)
	AND NOT EXISTS (SELECT 1 FROM person p WHERE p.veil = 2 AND (p.id = suspicion.person OR suspicion.suspects LIKE '%' || p.id || '%'))`

// MatchFilter chooses questions.
type MatchFilter struct {
	Open   bool // only those
	Over   bool // only those that somebody decided
	Public bool // only what everybody may know
	From   Mark
	Limit  int
}

func (f MatchFilter) where() string {
	q := ` WHERE 1 = 1`
	if f.Open {
		q += ` AND state = 'open'`
	}
	if f.Over {
		q += ` AND state <> 'open'`
	}
	if f.Public {
		q += publicMatch
	}
	return q
}

// Mark is the last row of a page of a list that has those first that wait for somebody, the newest first of both. The zero Mark
// is where the list begins.
type Mark struct {
	Waits bool
	ID    string
}

// where is what comes after it, of rows whose state says that they wait.
func (m Mark) where(waits string, args []any) (string, []any) {
	if m.ID == "" {
		return "", args
	}
	args = append(args, m.ID)
	if m.Waits {
		return fmt.Sprintf(` AND (state <> '%s' OR id < $%d)`, waits, len(args)), args
	}
	return fmt.Sprintf(` AND state <> '%s' AND id < $%d`, waits, len(args)), args
}

// Matches lists questions, open ones first, the newest first of both.
func (d *DB) Matches(ctx context.Context, f MatchFilter) ([]dayone.Match, error) {
	from, args := f.From.where("open", []any{f.Limit})
	q := `SELECT ` + matchColumns + ` FROM suspicion` + f.where() + from
	rows, err := d.read.QueryContext(ctx, q+` ORDER BY CASE WHEN state = 'open' THEN 0 ELSE 1 END, id DESC LIMIT $1`, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, d.scanMatch)
}

// Match is one of them. ErrNotFound also where it is not public, and only what is was asked for.
func (d *DB) Match(ctx context.Context, id dayone.MatchID, f MatchFilter) (dayone.Match, error) {
	m, err := d.scanMatch(d.read.QueryRowContext(ctx, `SELECT `+matchColumns+` FROM suspicion`+f.where()+` AND id = $1`, string(id)))
	return m, notFound("match", err)
}

// MatchOf is the latest question about an employment; false: there was none.
func (d *DB) MatchOf(ctx context.Context, source, subject string) (dayone.Match, bool, error) {
	m, err := d.scanMatch(d.read.QueryRowContext(ctx, `SELECT `+matchColumns+` FROM suspicion WHERE source = $1 AND subject = $2 ORDER BY id DESC LIMIT 1`, source, subject))
	if errors.Is(err, sql.ErrNoRows) {
		return m, false, nil
	}
	return m, err == nil, err
}

// CountMatches is how many there are.
func (d *DB) CountMatches(ctx context.Context, f MatchFilter) (int, error) {
	var n int
	err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM suspicion`+f.where()).Scan(&n)
	return n, err
}

// DecideMatch keeps the answer, and lets what was held be looked at again. ErrConflict: it was answered already.
func (d *DB) DecideMatch(ctx context.Context, m dayone.Match, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		res, err := t.exec(`UPDATE suspicion SET state = $2, person = $3, by_whom = $4, decided = $5, box = '' WHERE id = $1 AND state = 'open'`,
			string(m.ID), string(m.State), string(m.Person), m.By, micros(m.Decided))
		if err != nil {
			return fmt.Errorf("writing suspicion: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("this was decided already: %w", dayone.ErrConflict))
		}
		if err := t.unhold(m.Source, m.Subject); err != nil {
			return err
		}
		return d.append(t, records)
	})
}

// unhold lets what waited for the answer whose an employment is be looked at.
func (t *tx) unhold(source, subject string) error {
	_, err := t.exec(`UPDATE event SET state = 'received', tries = 0, next = 0 WHERE source = $1 AND subject = $2 AND state = 'asked'`, source, subject)
	return err
}

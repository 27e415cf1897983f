package store

import (
	"context"
	"fmt"

	"github.com/dayone-hq/dayone"
)

// What people hold at a system, as far as somebody has to know before the system is retired. Who was erased holds nothing.

// HeldAt counts it.
type HeldAt struct {
	People   int
	Accounts int // of them
	Open     int // of these, not closed
	Others   int // entitlements and things
}

// lives is who holds what at systems; who was erased is looked up by its index, not with each of a million rows.
const lives = `h.state <> 'gone' AND h.kind NOT IN ('message', 'invitation') AND h.person NOT IN (SELECT id FROM person WHERE key_box = '')`

const livesOn = ` FROM holding h WHERE ` + lives

// HeldBySystem counts it for each system at which anybody holds anything. It goes through the index of holdings by system
// from one end to the other: for pages it is remembered.
func (d *DB) HeldBySystem(ctx context.Context) (map[string]HeldAt, error) {
	return d.heldAt(ctx, livesOn)
}

// HeldAt counts it for one system.
func (d *DB) HeldAt(ctx context.Context, system string) (HeldAt, error) {
	held, err := d.heldAt(ctx, livesOn+` AND h.system = $1`, system)
	return held[system], err
}

func (d *DB) heldAt(ctx context.Context, from string, args ...any) (map[string]HeldAt, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT system, COUNT(*), SUM(accounts), SUM(opened), SUM(others) FROM (
		SELECT h.system AS system, SUM(CASE WHEN h.kind = 'account' THEN 1 ELSE 0 END) AS accounts,
			SUM(CASE WHEN h.kind = 'account' AND h.state <> 'disabled' THEN 1 ELSE 0 END) AS opened, SUM(CASE WHEN h.kind = 'account' THEN 0 ELSE 1 END) AS others`+
		from+` GROUP BY h.system, h.person) AS each_one GROUP BY system`, args...)
	if err != nil {
		return nil, fmt.Errorf("counting holdings: %w", err)
	}
	defer rows.Close()
	out := map[string]HeldAt{}
	for rows.Next() {
		var name string
		var n HeldAt
		if err := rows.Scan(&name, &n.People, &n.Accounts, &n.Open, &n.Others); err != nil {
			return nil, err
		}
		out[name] = n
	}
	return out, rows.Err()
}

// HoldsAny says whether anybody holds anything at a system: it stops at the first.
func (d *DB) HoldsAny(ctx context.Context, system string) (bool, error) {
	some, err := d.HoldersAt(ctx, system, 1)
	return len(some) > 0, err
}

// UnclosedAt counts what is still had at a system: open accounts, and things that hang on no closed account of their owner. What
// hangs on a closed one went with it.
func (d *DB) UnclosedAt(ctx context.Context, system string) (accounts, things int, err error) {
	err = d.read.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN h.kind = 'account' AND h.state <> 'disabled' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN h.kind <> 'account' AND NOT EXISTS (SELECT 1 FROM holding a
			WHERE a.person = h.person AND a.system = h.system AND a.kind = 'account' AND a.state = 'disabled') THEN 1 ELSE 0 END), 0)`+livesOn+` AND h.system = $1`, system).Scan(&accounts, &things)
	if err != nil {
		return 0, 0, fmt.Errorf("counting what is not closed at %s: %w", system, err)
	}
	return accounts, things, nil
}

// HoldersAt are some of those who hold anything at a system.
func (d *DB) HoldersAt(ctx context.Context, system string, limit int) ([]dayone.PersonID, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT DISTINCT h.person`+livesOn+` AND h.system = $1 ORDER BY h.person LIMIT $2`, system, limit)
	if err != nil {
		return nil, fmt.Errorf("reading who holds something at %s: %w", system, err)
	}
	defer rows.Close()
	var out []dayone.PersonID
	for rows.Next() {
		var id dayone.PersonID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

// dueFor makes those due for whom an order about a system changes what they are to have: whoever holds something there, and
// whoever has a run under way, which may be about to give something there. What a run has still to do has no rows to ask.
func (d *DB) dueFor(t *tx, o dayone.Order) error {
	if !o.Kind.Retires() {
		return nil
	}
	q, args := `UPDATE person SET wake = $1 WHERE managed = 1 AND key_box <> '' AND merged = '' AND (wake = 0 OR wake > $1)`, []any{micros(d.now())}
	if o.Lifted.IsZero() {
		q, args = q+` AND (id IN (SELECT person FROM holding WHERE system = $2) OR id IN (SELECT person FROM run WHERE state IN `+active+`))`, append(args, o.System)
	}
	if _, err := t.exec(q, args...); err != nil {
		return fmt.Errorf("looking at people again: %w", err)
	}
	return nil
}

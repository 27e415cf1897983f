package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// What systems show otherwise than the books have it, as their last whole readings found it.

// driftBox is what a system shows of somebody.
type driftBox struct {
	Ref   string       `json:"ref,omitempty"`
	State dayone.State `json:"state,omitempty"`
	Role  string       `json:"role,omitempty"`
	Was   string       `json:"was,omitempty"`
	By    []string     `json:"by,omitempty"`

	Stays dayone.DriftStay `json:"stays,omitempty"`
}

// SaveDrift keeps what a reading that began at an instant has found so far. What was known stays known since it was seen first.
// Of those who are unsure it is not known now: what was known of them at the system stays.
func (d *DB) SaveDrift(ctx context.Context, system string, began time.Time, found []dayone.Drift, unsure []dayone.PersonID) error {
	return d.write(ctx, func(t *tx) error {
		for _, x := range found {
			box, err := d.seal(t, x.Person, driftBox{x.Is.Ref, x.Is.State, x.Is.Role, x.Was, x.By, x.Stays})
			if err != nil {
				return err
			}
			_, err = t.exec(`INSERT INTO drift (id, person, key, system, kind, since, seen, box) VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
				ON CONFLICT (person, key) DO UPDATE SET since = CASE WHEN drift.kind = excluded.kind THEN drift.since ELSE excluded.since END,
					kind = excluded.kind, seen = excluded.seen, box = excluded.box`,
				x.ID, x.Person, x.Key.String(), system, x.Kind, micros(began), box)
			if err != nil {
				return fmt.Errorf("keeping drift: %w", err)
			}
		}
		for _, p := range unsure {
			if _, err := t.exec(`UPDATE drift SET seen = $3 WHERE person = $1 AND system = $2`, p, system, micros(began)); err != nil {
				return fmt.Errorf("keeping drift: %w", err)
			}
		}
		return nil
	})
}

// EndDrift ends a whole reading: what it did not show is no drift any more.
func (d *DB) EndDrift(ctx context.Context, r dayone.DriftReading, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM drift WHERE system = $1 AND seen < $2`, r.System, micros(r.Began)); err != nil {
			return fmt.Errorf("ending drift: %w", err)
		}
		_, err := t.exec(`INSERT INTO drift_reading (system, began, at, accounts, nobodys, failed, note) VALUES ($1, $2, $3, $4, $5, 0, '')
			ON CONFLICT (system) DO UPDATE SET began = excluded.began, at = excluded.at, accounts = excluded.accounts, nobodys = excluded.nobodys, failed = 0, note = ''`,
			r.System, micros(r.Began), micros(r.At), r.Accounts, r.Nobodys)
		if err != nil {
			return fmt.Errorf("keeping a reading: %w", err)
		}
		return d.append(t, records)
	})
}

// seenTo is a thing as a run has just brought it about, or found it.
type seenTo struct {
	person dayone.PersonID
	is     dayone.Holding
}

// settleDrift forgets what differed of things that runs have seen to since: what their systems show of them now is not known before
// the next reading. What is on an account that is closed or gone went with it.
func (b *bulk) settleDrift() error {
	var whose []any
	for _, s := range b.seen {
		if p := string(s.person); len(whose) == 0 || whose[len(whose)-1] != p {
			whose = append(whose, p)
		}
	}
	var id, person, key string
	var seen int64
	var over []any
	err := b.t.each(`SELECT id, person, key, seen FROM drift WHERE person IN `, whose, []any{&id, &person, &key, &seen}, func() {
		k, err := dayone.ParseKey(key)
		if err == nil && slices.ContainsFunc(b.seen, func(s seenTo) bool {
			last := max(micros(s.is.Since), micros(s.is.Confirmed))
			with := s.is.Key == k.Account() && (s.is.State == dayone.Disabled || s.is.State == dayone.Gone)
			return string(s.person) == person && last > seen && (s.is.Key == k || with)
		}) {
			over = append(over, id)
		}
	})
	if err != nil {
		return fmt.Errorf("finding drift that was seen to: %w", err)
	}
	for _, id := range over {
		if _, err := b.t.exec(`DELETE FROM drift WHERE id = $1`, id); err != nil {
			return fmt.Errorf("forgetting drift that was seen to: %w", err)
		}
	}
	return nil
}

// FailDrift keeps why a reading broke off. What was known stays known.
func (d *DB) FailDrift(ctx context.Context, system string, at time.Time, note string) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO drift_reading (system, began, at, accounts, nobodys, failed, note) VALUES ($1, 0, 0, 0, 0, $2, $3)
			ON CONFLICT (system) DO UPDATE SET failed = excluded.failed, note = excluded.note`, system, micros(at), note)
		return err
	})
}

// DriftReadings are the last readings of systems, by name.
func (d *DB) DriftReadings(ctx context.Context) (map[string]dayone.DriftReading, error) {
	out := map[string]dayone.DriftReading{}
	return out, d.each(ctx, `SELECT system, began, at, accounts, nobodys, failed, note FROM drift_reading`, nil, func(rows *sql.Rows) error {
		var r dayone.DriftReading
		var began, at, failed int64
		err := rows.Scan(&r.System, &began, &at, &r.Accounts, &r.Nobodys, &failed, &r.Note)
		r.Began, r.At, r.Failed = instant(began), instant(at), instant(failed)
		out[r.System] = r
		return err
	})
}

// DriftFilter narrows a list of drift.
type DriftFilter struct {
	ID     dayone.DriftID
	System string
	Kind   dayone.DriftKind
	Person dayone.PersonID
	Before dayone.DriftID // only what was found before it
	Limit  int
	Within dayone.Scope
}

// DriftRow is drift with the name of whom it is about.
type DriftRow struct {
	dayone.Drift
	Name string
}

// driftFrom: whoever was erased, merged or is hidden is in no list and no count.
const driftFrom = ` FROM drift d JOIN person p ON p.id = d.person WHERE p.key_box <> '' AND p.veil < 2 AND p.merged = ''`

// Drift lists drift, what was found last first.
func (d *DB) Drift(ctx context.Context, f DriftFilter) ([]DriftRow, error) {
	q, args := driftWhere(f)
	args = append(args, f.Limit)
	rows, err := d.read.QueryContext(ctx, `SELECT d.id, d.person, d.key, d.kind, d.since, d.seen, d.box, p.name, p.key_box`+q+fmt.Sprintf(` ORDER BY d.id DESC LIMIT $%d`, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("reading drift: %w", err)
	}
	return collect(rows, d.scanDrift)
}

// DriftOf is what of several people is otherwise, without how it is.
func (d *DB) DriftOf(ctx context.Context, ids []dayone.PersonID) (map[dayone.PersonID][]dayone.Drift, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	marks, args := among(ids)
	rows, err := d.read.QueryContext(ctx, `SELECT d.id, d.person, d.key, d.kind`+driftFrom+` AND d.person IN `+marks+` ORDER BY d.id DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading drift of several people: %w", err)
	}
	return eachOf(rows, func(rows *sql.Rows) (dayone.PersonID, dayone.Drift, error) {
		var x dayone.Drift
		var key string
		err := rows.Scan(&x.ID, &x.Person, &key, &x.Kind)
		if err == nil {
			x.Key, err = dayone.ParseKey(key)
		}
		return x.Person, x, err
	})
}

func driftWhere(f DriftFilter) (string, []any) {
	var q strings.Builder
	q.WriteString(driftFrom)
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	for _, c := range []struct{ cond, v string }{
		{"d.id = ", string(f.ID)}, {"d.system = ", f.System}, {"d.kind = ", string(f.Kind)}, {"d.person = ", string(f.Person)}, {"d.id < ", string(f.Before)},
	} {
		if c.v != "" {
			q.WriteString(" AND " + c.cond + arg(c.v))
		}
	}
	if !f.Within.Whole() {
		q.WriteString(" AND " + within(f.Within, "p", "d.system", arg))
	}
	return q.String(), args
}

func (d *DB) scanDrift(s interface{ Scan(...any) error }) (DriftRow, error) {
	var r DriftRow
	var key, box string
	var owner sql.NullString
	var since, seen int64
	if err := s.Scan(&r.ID, &r.Person, &key, &r.Kind, &since, &seen, &box, &r.Name, &owner); err != nil {
		return r, err
	}
	r.Since, r.Seen = instant(since), instant(seen)
	var b driftBox
	_, err := d.unseal(owner, box, &b)
	if err == nil {
		r.Key, err = dayone.ParseKey(key)
	}
	if err != nil {
		return r, fmt.Errorf("drift %s does not read: %w", r.ID, err)
	}
	r.Is, r.Was, r.By, r.Stays = dayone.Item{Key: r.Key, Ref: b.Ref, State: b.State, Role: b.Role}, b.Was, b.By, b.Stays
	return r, nil
}

// CountDrift counts drift of each of some systems within a scope, up to most of each: a system of which everything differs
// costs no more than another.
func (d *DB) CountDrift(ctx context.Context, systems []string, within dayone.Scope, most int) (map[string]int, error) {
	if len(systems) == 0 {
		return nil, nil
	}
	q, args := driftWhere(DriftFilter{Within: within})
	var names strings.Builder
	for i, name := range systems {
		args = append(args, name)
		if i > 0 {
			names.WriteString(", ")
		}
		fmt.Fprintf(&names, "($%d)", len(args))
	}
	args = append(args, most)
	rows, err := d.read.QueryContext(ctx, `WITH system (name) AS (VALUES `+names.String()+`) SELECT name, (SELECT COUNT(*) FROM (SELECT 1`+q+
		fmt.Sprintf(` AND d.system = system.name LIMIT CAST($%d AS INTEGER)) few) FROM system`, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("counting drift: %w", err)
	}
	defer rows.Close()
	out := map[string]int{}
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			return nil, fmt.Errorf("counting drift: %w", err)
		}
		if n > 0 {
			out[name] = n
		}
	}
	return out, rows.Err()
}

// ForgetDrift deletes what is known of a system's drift, and of its readings.
func (d *DB) ForgetDrift(ctx context.Context, system string) error {
	return d.write(ctx, func(t *tx) error { return forgetAt(t, system, `drift`, `drift_reading`) })
}

// ForgetReadings deletes what readings of a system that was let go have left.
func (d *DB) ForgetReadings(ctx context.Context, system string) error {
	return d.write(ctx, func(t *tx) error { return forgetAt(t, system, `drift`, `drift_reading`, `phone_part`, `phone_system`) })
}

func forgetAt(t *tx, system string, tables ...string) error {
	for _, table := range tables {
		if _, err := t.exec(`DELETE FROM `+table+` WHERE system = $1`, system); err != nil {
			return fmt.Errorf("forgetting what was read of %s: %w", system, err)
		}
	}
	return nil
}

// HeldThere is what some people hold at a system.
type HeldThere struct {
	Of     map[dayone.PersonID][]dayone.Holding
	Unread map[dayone.PersonID]bool // whose holdings do not read; Of has none of theirs
}

// HeldThere are holdings at a system of whom some of its accounts are bound to. One person whose holdings do not read is not known,
// and the others are.
func (d *DB) HeldThere(ctx context.Context, system string, people []dayone.PersonID) (HeldThere, error) {
	out := HeldThere{Of: map[dayone.PersonID][]dayone.Holding{}, Unread: map[dayone.PersonID]bool{}}
	if len(people) == 0 {
		return out, nil
	}
	args := append(many(people), system)
	return out, d.each(ctx, `SELECT h.person, p.key_box, h.key, h.ref, h.state, h.box FROM holding h JOIN person p ON p.id = h.person
		WHERE h.person IN `+manyIn+fmt.Sprintf(` AND h.system = $%d AND p.key_box <> ''`, len(args)), args, func(rows *sql.Rows) error {
		var person dayone.PersonID
		var owner sql.NullString
		var h dayone.Holding
		var key, box string
		if err := rows.Scan(&person, &owner, &key, &h.Ref, &h.State, &box); err != nil {
			return err
		}
		h, err := d.openHolding(h, key, box, owner)
		switch {
		case err != nil:
			out.Unread[person] = true
			delete(out.Of, person)
		case !out.Unread[person]:
			out.Of[person] = append(out.Of[person], h)
		}
		return nil
	})
}

// Busy are those of some people who have a run that is not over, with its state.
func (d *DB) Busy(ctx context.Context, people []dayone.PersonID) (map[dayone.PersonID]dayone.RunState, error) {
	out := map[dayone.PersonID]dayone.RunState{}
	if len(people) == 0 {
		return out, nil
	}
	return out, d.each(ctx, `SELECT person, state FROM run WHERE person IN `+manyIn+` AND state IN `+active, many(people), func(rows *sql.Rows) error {
		var p dayone.PersonID
		var state dayone.RunState
		err := rows.Scan(&p, &state)
		out[p] = state
		return err
	})
}

// DriftDecision is what somebody decided about drift: how the books have it from now on, and whether it is left alone there.
type DriftDecision struct {
	ID      dayone.DriftID
	Person  dayone.PersonID
	Books   dayone.Holding
	Hold    *dayone.Hold
	At      time.Time // its person is looked at
	Records []dayone.Record
}

// DecideDrift writes it, in one transaction. ErrConflict: somebody was faster.
func (d *DB) DecideDrift(ctx context.Context, x DriftDecision) error {
	return d.write(ctx, func(t *tx) error {
		res, err := t.exec(`DELETE FROM drift WHERE id = $1`, x.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fmt.Errorf("somebody has seen to this meanwhile: %w", dayone.ErrConflict)
		}
		b := bulk{t: t, d: d, holdAt: map[string]int{}}
		b.holding(x.Person, x.Books)
		if err := b.flush(); err != nil {
			return err
		}
		if x.Hold != nil {
			if err := d.hold(t, *x.Hold); err != nil {
				return err
			}
		}
		if _, err := t.exec(`UPDATE person SET wake = $2 WHERE id = $1`, x.Person, micros(x.At)); err != nil {
			return err
		}
		return d.append(t, x.Records)
	})
}

// KeepDrift notes why a difference waits for a human. The next reading forgets it.
func (d *DB) KeepDrift(ctx context.Context, x dayone.Drift, why dayone.DriftStay) error {
	return d.write(ctx, func(t *tx) error {
		box, err := d.seal(t, x.Person, driftBox{x.Is.Ref, x.Is.State, x.Is.Role, x.Was, x.By, why})
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE drift SET box = $2 WHERE id = $1`, x.ID, box)
		return err
	})
}

// Acted is how often since an instant one of some things was recorded of somebody.
func (d *DB) Acted(ctx context.Context, person dayone.PersonID, whats []string, since time.Time) (n int, err error) {
	args, in := []any{person, micros(since)}, make([]string, len(whats))
	for i, what := range whats {
		args = append(args, what)
		in[i] = fmt.Sprintf("$%d", len(args))
	}
	err = d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM record WHERE `+fmt.Sprintf(hers("person"), 1)+` AND at > $2 AND what IN (`+strings.Join(in, ", ")+`)`, args...).Scan(&n)
	return n, err
}

// LetGo says that somebody has let a thing of a person's be taken away, and it may be still.
func (d *DB) LetGo(ctx context.Context, person dayone.PersonID, key dayone.Key, now time.Time) (bool, error) {
	var n int
	err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM pass WHERE person = $1 AND key = $2 AND until > $3`, person, key.String(), micros(now)).Scan(&n)
	return n > 0, err
}

package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// What holds for calls to systems: orders of humans, and breakers.

const orderQuery = `SELECT id, kind, system, since, until, reason, author, made, lifted, lifted_by, lifted_reason, recorded FROM system_order`

// SaveOrder keeps an order. What it takes the place of is lifted with it: another mode of the same system, another stop of
// the same. The ledger has it once RecordOrders was called, since whoever works beside the server writes none.
func (d *DB) SaveOrder(ctx context.Context, o dayone.Order) error {
	return d.write(ctx, func(t *tx) error {
		replaced := map[dayone.OrderKind][]any{
			dayone.OrderStop: {dayone.OrderStop, dayone.OrderStop}, dayone.OrderManual: {dayone.OrderManual, dayone.OrderAutomatic},
			dayone.OrderAutomatic: {dayone.OrderManual, dayone.OrderAutomatic},
			dayone.OrderRelease:   {dayone.OrderRelease, dayone.OrderClose}, dayone.OrderClose: {dayone.OrderRelease, dayone.OrderClose},
		}
		if kinds, ok := replaced[o.Kind]; ok {
			if _, err := t.exec(`UPDATE system_order SET lifted = $1, lifted_by = $2, lifted_reason = $3 WHERE lifted = 0 AND system = $4 AND kind IN ($5, $6)`,
				append([]any{micros(o.Made), o.By, "replaced: " + o.Reason, o.System}, kinds...)...); err != nil {
				return fmt.Errorf("lifting what an order replaces: %w", err)
			}
		}
		_, err := t.exec(`INSERT INTO system_order (id, kind, system, since, until, reason, author, made, lifted, lifted_by, lifted_reason, recorded)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, '', '', 0)`,
			o.ID, o.Kind, o.System, micros(o.From), micros(o.Until), o.Reason, o.By, micros(o.Made))
		if err != nil {
			return fmt.Errorf("keeping an order: %w", err)
		}
		return nil
	})
}

// LiftOrder ends one. ErrNotFound: there is none of this id that was not lifted.
func (d *DB) LiftOrder(ctx context.Context, id dayone.OrderID, at time.Time, by, reason string) error {
	return d.write(ctx, func(t *tx) error {
		res, err := t.exec(`UPDATE system_order SET lifted = $2, lifted_by = $3, lifted_reason = $4 WHERE id = $1 AND lifted = 0`, id, micros(at), by, reason)
		if err != nil {
			return fmt.Errorf("lifting an order: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fmt.Errorf("order %s does not stand any more: %w", id, dayone.ErrNotFound)
		}
		return nil
	})
}

// RecordOrders puts what was ordered and lifted since into the ledger, and says whether there was anything. Whoever has
// something at a system that is being retired becomes due with that, and everybody when it is not retired after all.
func (d *DB) RecordOrders(ctx context.Context, lines func(o dayone.Order, given, lifted bool) []dayone.Record) (bool, error) {
	rows, err := d.read.QueryContext(ctx, orderQuery+` WHERE (recorded = 0 OR recorded = 1) AND (recorded = 0 OR lifted > 0) ORDER BY made, id`)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	var records []dayone.Record
	var seen []dayone.Order
	for rows.Next() {
		o, recorded, err := scanOrder(rows)
		if err != nil {
			return false, err
		}
		seen = append(seen, o)
		records = append(records, lines(o, recorded == 0, !o.Lifted.IsZero())...)
	}
	if err := rows.Err(); err != nil || len(seen) == 0 {
		return false, err
	}
	return true, d.write(ctx, func(t *tx) error {
		for _, o := range seen {
			to := 1
			if !o.Lifted.IsZero() {
				to = 2
			}
			if _, err := t.exec(`UPDATE system_order SET recorded = $2 WHERE id = $1`, o.ID, to); err != nil {
				return fmt.Errorf("marking an order: %w", err)
			}
			if err := d.dueFor(t, o); err != nil {
				return err
			}
		}
		return d.append(t, records)
	})
}

func scanOrder(rows *sql.Rows) (o dayone.Order, recorded int, err error) {
	var since, until, made, lifted int64
	err = rows.Scan(&o.ID, &o.Kind, &o.System, &since, &until, &o.Reason, &o.By, &made, &lifted, &o.LiftedBy, &o.LiftedReason, &recorded)
	o.From, o.Until, o.Made, o.Lifted = instant(since), instant(until), instant(made), instant(lifted)
	return o, recorded, err
}

// Standing is what holds at an instant, or will hold, for calls to systems.
func (d *DB) Standing(ctx context.Context, now time.Time) (dayone.Standing, error) {
	var st dayone.Standing
	rows, err := d.read.QueryContext(ctx, orderQuery+` WHERE lifted = 0 AND (until = 0 OR until > $1) ORDER BY made, id`, micros(now))
	if err != nil {
		return st, fmt.Errorf("reading orders about systems: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		o, _, err := scanOrder(rows)
		if err != nil {
			return st, err
		}
		st.Orders = append(st.Orders, o)
	}
	if err := rows.Err(); err != nil {
		return st, err
	}
	st.Circuits, err = d.circuits(ctx)
	return st, err
}

func (d *DB) circuits(ctx context.Context) ([]dayone.Circuit, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT system, state, failures, since, next, probes, note FROM circuit ORDER BY system`)
	if err != nil {
		return nil, fmt.Errorf("reading breakers: %w", err)
	}
	defer rows.Close()
	var out []dayone.Circuit
	for rows.Next() {
		var c dayone.Circuit
		var since, next int64
		if err := rows.Scan(&c.System, &c.State, &c.Failures, &since, &next, &c.Probes, &c.Note); err != nil {
			return nil, err
		}
		c.Since, c.Next = instant(since), instant(next)
		out = append(out, c)
	}
	return out, rows.Err()
}

func (t *tx) circuits(list []dayone.Circuit) error {
	for _, c := range list {
		if _, err := t.exec(`INSERT INTO circuit (system, state, failures, since, next, probes, note) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (system) DO UPDATE SET state = excluded.state, failures = excluded.failures, since = excluded.since, next = excluded.next,
			probes = excluded.probes, note = excluded.note`,
			c.System, c.State, c.Failures, micros(c.Since), micros(c.Next), c.Probes, c.Note); err != nil {
			return fmt.Errorf("keeping a breaker: %w", err)
		}
	}
	return nil
}

// WaitsAt counts the steps that wait at a system.
type WaitsAt struct {
	All   int // for it, or for somebody: who has to sign in there waits, too
	Tasks int // of those, for whoever does a task there
}

// WaitsAt counts them for each system. A step that waits for its system and for a task is one. Of a task that was opened before
// tasks knew their step it is taken that its step is one of those that wait.
func (d *DB) WaitsAt(ctx context.Context) (map[string]WaitsAt, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT system, SUM(CASE WHEN tasks > steps THEN tasks ELSE steps END), SUM(tasks) FROM (
		SELECT run, system, COUNT(DISTINCT seq) AS steps, SUM(task) AS tasks FROM (
			SELECT s.run AS run, s.system AS system, s.seq AS seq, 0 AS task FROM step s JOIN run r ON r.id = s.run
			WHERE s.state = 'waiting' AND s.next = 0 AND r.state IN `+active+`
			UNION ALL
			SELECT t.run AS run, t.system AS system, CASE WHEN t.seq < 0 THEN NULL ELSE t.seq END AS seq, 1 AS task FROM task t JOIN run r ON r.id = t.run
			WHERE t.closed = 0 AND t.system <> '' AND r.state IN `+active+`
		) AS one GROUP BY run, system) AS of_a_run GROUP BY system`)
	if err != nil {
		return nil, fmt.Errorf("counting steps that wait: %w", err)
	}
	defer rows.Close()
	out := map[string]WaitsAt{}
	for rows.Next() {
		var name string
		var n WaitsAt
		if err := rows.Scan(&name, &n.All, &n.Tasks); err != nil {
			return nil, err
		}
		out[name] = n
	}
	return out, rows.Err()
}

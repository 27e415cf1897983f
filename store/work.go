package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// What Dayone has done by itself, how soon starters were ready, and what failed: counted once, so that a dashboard costs the same
// however many people there are.

// UncountedRun is one whose last end is not counted yet.
type UncountedRun struct {
	Run    dayone.RunID
	Ended  time.Time
	Before time.Time // the end before, which is counted; zero: there was none
}

// Uncounted are runs that ended, or ended again, and were not counted since, the oldest first, from the one behind after on.
func (d *DB) Uncounted(ctx context.Context, after dayone.RunID, limit int) ([]UncountedRun, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT id, ended, counted_to FROM run WHERE counted = 0 AND ended > 0 AND id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (UncountedRun, error) {
		var u UncountedRun
		var ended, before int64
		err := s.Scan(&u.Run, &ended, &before)
		u.Ended, u.Before = instant(ended), instant(before)
		return u, err
	})
}

// CountedRun is what an end of a run adds.
type CountedRun struct {
	Run    dayone.RunID
	Ended  time.Time // which end of it
	Month  string
	Steps  map[dayone.Action]int // since the end before; below zero: what was taken back
	Person dayone.PersonID
	Starts time.Time // with Ready: the first day
	Ready  time.Time // since when all was there that it had to bring; zero: it says nothing of a first day
	Early  bool      // it began before the first day was over: what it brought belongs to that day

	Unready time.Time // since when she was ready with a run that was undone whole: she is not, unless she was made ready since; zero: none was
}

// CountRun adds it, unless it was added before or the run goes on meanwhile. Somebody is ready with the last of the runs for the first day, or else with the first
// one that ended well; of whoever was erased, or merged into another, nothing is kept.
func (d *DB) CountRun(ctx context.Context, c CountedRun) error {
	return d.write(ctx, func(t *tx) error {
		res, err := t.exec(`UPDATE run SET counted = 1, counted_to = ended WHERE id = $1 AND counted = 0 AND ended = $2`, c.Run, micros(c.Ended))
		if err != nil {
			return fmt.Errorf("counting a run: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		for a, n := range c.Steps {
			if _, err := t.exec(`INSERT INTO work (month, action, steps) VALUES ($1, $2, $3) ON CONFLICT (month, action) DO UPDATE SET steps = work.steps + excluded.steps`, c.Month, a, n); err != nil {
				return fmt.Errorf("counting steps: %w", err)
			}
		}
		if !c.Unready.IsZero() {
			if _, err := t.exec(`DELETE FROM ready WHERE person = $1 AND at >= $2 AND at <= $3`, c.Person, micros(c.Unready), micros(c.Ended)); err != nil {
				return fmt.Errorf("forgetting since when somebody was ready: %w", err)
			}
		}
		if c.Ready.IsZero() {
			return nil
		}
		_, err = t.exec(`INSERT INTO ready (person, starts, began, at) SELECT $1, $2, MIN(received), $3 FROM event WHERE person = $1 AND EXISTS (SELECT 1 FROM person p WHERE p.id = $1 AND p.key_box <> '' AND p.merged = '') HAVING MIN(received) > 0 AND MIN(received) <= $3
			ON CONFLICT (person) DO UPDATE SET at = excluded.at WHERE ready.starts = excluded.starts AND ready.at < excluded.at AND $4 = 1`, c.Person, micros(c.Starts), micros(c.Ready), truth(c.Early))
		if err != nil {
			return fmt.Errorf("keeping since when somebody was ready: %w", err)
		}
		return nil
	})
}

// Work is how many steps were done by themselves since a month, and not taken back.
func (d *DB) Work(ctx context.Context, since string) (map[dayone.Action]int, error) {
	return counted[dayone.Action](ctx, d, `SELECT action, SUM(steps) FROM work WHERE month >= $1 GROUP BY action HAVING SUM(steps) > 0`, since)
}

// lookedAtReady is among how many starters the middle is looked for: the latest of a whole company that started at once say enough.
const lookedAtReady = 5000

// ReadyAfter is how long it took until starters of some days were ready, those of a scope, the quickest first; of more than lookedAtReady
// the latest.
func (d *DB) ReadyAfter(ctx context.Context, from, until time.Time, in dayone.Scope) ([]time.Duration, error) {
	args := []any{micros(from), micros(until), lookedAtReady}
	hers := ""
	if !in.AllPeople() {
		hers = ` AND EXISTS (SELECT 1 FROM person p WHERE p.id = r.person AND ` + within(in, "p", "", func(v any) string {
			args = append(args, v)
			return fmt.Sprintf("$%d", len(args))
		}) + `)`
	}
	rows, err := d.read.QueryContext(ctx, `SELECT took FROM (SELECT r.at - r.began AS took FROM ready r WHERE r.starts > $1 AND r.starts <= $2`+hers+` ORDER BY r.starts DESC LIMIT $3) latest ORDER BY took`, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (time.Duration, error) {
		var us int64
		err := s.Scan(&us)
		return time.Duration(us) * time.Microsecond, err
	})
}

// FailedStep is a step that failed and was not seen to.
type FailedStep struct {
	Run    dayone.RunID
	Person dayone.PersonID
	Name   string
	Number int // in the run, from 1
	System string
	Since  time.Time
}

// lookedAtFailed is among how many failed steps those are looked for that still count: of most of them a later run has made good.
const lookedAtFailed = 500

// Failed are steps that failed in the latest run of their person, the newest first; at one system, if named. Whoever has a scope
// has as many looked at as others: those of other people take no place.
func (d *DB) Failed(ctx context.Context, system string, scope dayone.Scope, limit int) ([]FailedStep, error) {
	args := []any{lookedAtFailed}
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	newest := `SELECT f.run, f.seq, f.system, f.since FROM step f`
	if !scope.Whole() {
		newest += ` JOIN run o ON o.id = f.run JOIN person w ON w.id = o.person`
	}
	newest += ` WHERE f.state = 'failed'`
	if system != "" {
		newest += ` AND f.system = ` + arg(system)
	}
	if !scope.Whole() {
		few, err := d.few(ctx, scope, "o.person", arg)
		if err != nil {
			return nil, err
		}
		newest += ` AND ` + few + ` AND ` + within(scope, "w", "f.system", arg)
	}
	rows, err := d.read.QueryContext(ctx, `SELECT s.run, r.person, p.name, s.seq, s.system, s.since
		FROM (`+newest+` ORDER BY f.since DESC LIMIT $1) s JOIN run r ON r.id = s.run JOIN person p ON p.id = r.person
		WHERE r.state NOT IN ('superseded', 'cancelled', 'undone') AND p.key_box <> '' AND p.veil < 2 AND p.merged = '' AND NOT EXISTS (SELECT 1 FROM run n WHERE n.person = r.person AND n.id > r.id)
		ORDER BY s.since DESC LIMIT `+arg(limit), args...)
	if err != nil {
		return nil, fmt.Errorf("reading what failed: %w", err)
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (FailedStep, error) {
		var f FailedStep
		var since int64
		err := s.Scan(&f.Run, &f.Person, &f.Name, &f.Number, &f.System, &since)
		f.Number, f.Since = f.Number+1, instant(since)
		return f, err
	})
}

// Baseline is how many minutes humans need for steps; Seq 0: nobody has said.
func (d *DB) Baseline(ctx context.Context) (dayone.Effort, error) {
	var b dayone.Effort
	var minutes string
	var made int64
	err := d.read.QueryRowContext(ctx, `SELECT seq, minutes, made, made_by, note FROM baseline ORDER BY seq DESC LIMIT 1`).Scan(&b.Seq, &minutes, &made, &b.By, &b.Note)
	if errors.Is(err, sql.ErrNoRows) {
		return b, nil
	}
	if err != nil {
		return b, fmt.Errorf("reading the baseline: %w", err)
	}
	b.At = instant(made)
	return b, json.Unmarshal([]byte(minutes), &b.Minutes)
}

// AddBaseline keeps another one, made of the one with the Seq before. ErrConflict: somebody else was faster.
func (d *DB) AddBaseline(ctx context.Context, b dayone.Effort, rec dayone.Record) error {
	raw, err := json.Marshal(b.Minutes)
	if err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		var last int64
		if err := t.row(`SELECT COALESCE(MAX(seq), 0) FROM baseline`).Scan(&last); err != nil {
			return err
		}
		if b.Seq != last+1 {
			return fmt.Errorf("somebody else has changed it meanwhile; look at it again: %w", dayone.ErrConflict)
		}
		if _, err := t.exec(`INSERT INTO baseline (seq, minutes, made, made_by, note) VALUES ($1, $2, $3, $4, $5)`, b.Seq, string(raw), micros(b.At), b.By, b.Note); err != nil {
			return fmt.Errorf("keeping the baseline: %w", err)
		}
		return d.append(t, []dayone.Record{rec})
	})
}

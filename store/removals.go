package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Taking is what a plan would take from somebody who stays.
type Taking struct {
	Person      dayone.PersonID
	Day         string
	Now         time.Time
	Keys        []dayone.Key
	Limit       int           // people who may lose something of one system in a day
	EmptiedFrom int           // members from whom on an entitlement is not left without anybody
	Standing    []dayone.Hold // of brakes, that she has already
	Until       time.Time     // of new holds
	New         func(prefix string) string
	Note        func(rule string) string
}

// Take counts what may be taken away and holds the rest. It says whether holds changed: then the plan has to be made again.
func (d *DB) Take(ctx context.Context, k Taking) (changed bool, err error) {
	err = d.write(ctx, func(t *tx) error {
		changed = false
		rest, err := t.mayGo(k)
		if err != nil {
			return err
		}
		for _, h := range k.Standing {
			keep := slices.DeleteFunc(slices.Clone(h.Keys), func(key dayone.Key) bool { return !slices.Contains(rest, key) })
			rest = slices.DeleteFunc(rest, func(key dayone.Key) bool { return slices.Contains(keep, key) })
			if len(keep) == len(h.Keys) {
				continue
			}
			changed = true
			if err := d.shrink(t, h, keep, k.Now); err != nil {
				return err
			}
		}
		by := map[string][]dayone.Key{}
		var systems []string
		for _, key := range rest {
			if by[key.System] == nil {
				systems = append(systems, key.System)
			}
			by[key.System] = append(by[key.System], key)
		}
		for _, system := range systems {
			held, err := d.takeAt(t, k, system, by[system])
			if err != nil {
				return err
			}
			changed = changed || held
		}
		return nil
	})
	return changed, err
}

// mayGo leaves out what somebody has let go.
func (t *tx) mayGo(k Taking) ([]dayone.Key, error) {
	var rest []dayone.Key
	for _, key := range k.Keys {
		var one int
		switch err := t.row(`SELECT 1 FROM pass WHERE person = $1 AND key = $2 AND until > $3`, k.Person, key.String(), micros(k.Now)).Scan(&one); {
		case errors.Is(err, sql.ErrNoRows):
			rest = append(rest, key)
		case err != nil:
			return nil, err
		}
	}
	return rest, nil
}

// shrink lets go of what need not be held any more: it is wanted again, or somebody has let it go.
func (d *DB) shrink(t *tx, h dayone.Hold, keep []dayone.Key, now time.Time) error {
	if h.Keys = keep; len(keep) == 0 {
		h.Ended, h.EndedBy = now, "nothing is left to be held"
		if err := t.dropHeld(string(h.ID), now); err != nil {
			return err
		}
		return d.hold(t, h)
	}
	if err := d.hold(t, h); err != nil {
		return err
	}
	return d.keepHeld(t, lost(h))
}

// lost is a hold of a brake as the brake's list shows it.
func lost(h dayone.Hold) dayone.Held {
	out := dayone.Held{Brake: h.Brake, Item: string(h.ID), Person: h.Person, Mark: dayone.KeysMark(h.Keys), What: "loses access"}
	for _, k := range h.Keys {
		out.Lines = append(out.Lines, dayone.HeldLine{What: "access", Was: k.String()})
	}
	return out
}

// takeAt counts what goes at one system, or holds it.
func (d *DB) takeAt(t *tx, k Taking, system string, keys []dayone.Key) (bool, error) {
	pass := func(rule PassRule, keys []dayone.Key, force bool) (bool, error) {
		h := dayone.Hold{ID: dayone.HoldID(k.New("hld")), Person: k.Person, Keys: keys, From: k.Now, Until: k.Until, By: "a brake", Reason: rule.Note}
		p := &Passing{
			Scope: "system:" + system, Day: k.Day, Now: k.Now, Open: dayone.BrakeID(k.New("brk")), Held: lost(h), Taken: &h, Rules: []PassRule{rule},
		}
		if force {
			return true, d.brake(t, p, rule)
		}
		return d.braked(t, p)
	}
	rule := PassRule{Name: dayone.BrakeRemovals, Limit: k.Limit, Note: k.Note(dayone.BrakeRemovals)}
	var one int
	err := t.row(`SELECT 1 FROM brake WHERE scope = $1 AND rule = $2 AND state = 'on'`, "system:"+system, rule.Name).Scan(&one)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	if held, err := pass(rule, keys, err == nil); err != nil || held {
		return held, err
	}
	any := false
	for _, key := range keys {
		rule := PassRule{Name: dayone.BrakeEmpty + key.String(), All: true}
		err := t.row(`SELECT base FROM passed_count WHERE scope = $1 AND day = $2 AND rule = $3`, "system:"+system, k.Day, rule.Name).Scan(&rule.Base)
		if errors.Is(err, sql.ErrNoRows) {
			err = t.row(`SELECT COUNT(*) FROM holding WHERE key = $1 AND state NOT IN ('gone', 'disabled')`, key.String()).Scan(&rule.Base)
		}
		if err != nil {
			return false, err
		}
		if rule.Base < k.EmptiedFrom {
			continue
		}
		rule.Note = k.Note(rule.Name)
		held, err := pass(rule, []dayone.Key{key}, false)
		if err != nil {
			return false, err
		}
		any = any || held
	}
	return any, nil
}

// EndTaking ends the holds of brakes of somebody who has left: all of hers is taken away, and never braked.
func (d *DB) EndTaking(ctx context.Context, holds []dayone.Hold, at time.Time) error {
	return d.write(ctx, func(t *tx) error {
		for _, h := range holds {
			h.Ended, h.EndedBy = at, "the person has left"
			if err := t.dropHeld(string(h.ID), at); err != nil {
				return err
			}
			if err := d.hold(t, h); err != nil {
				return err
			}
		}
		return nil
	})
}

// PassedToday is how many people have passed a limit on a day.
func (d *DB) PassedToday(ctx context.Context, scope, day, rule string) (int, error) {
	var n int
	err := d.read.QueryRowContext(ctx, `SELECT n FROM passed_count WHERE scope = $1 AND day = $2 AND rule = $3`, scope, day, rule).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return n, err
}

// ForgetPassed takes counters of days before one out of the books, and passes that are over.
func (d *DB) ForgetPassed(ctx context.Context, day string, now time.Time) error {
	return d.write(ctx, func(t *tx) error {
		for _, q := range []string{`DELETE FROM passed WHERE day < $1`, `DELETE FROM passed_count WHERE day < $1`} {
			if _, err := t.exec(q, day); err != nil {
				return err
			}
		}
		_, err := t.exec(`DELETE FROM pass WHERE until < $1`, micros(now))
		return err
	})
}

// ManagedOf is how many people are managed who work or will, of one source; "": of all.
func (d *DB) ManagedOf(ctx context.Context, source string) (int, error) {
	q, args := `SELECT COUNT(*) FROM person p WHERE p.managed = 1 AND p.status <> 'terminated' AND p.key_box <> ''`, []any{}
	if source != "" {
		q += ` AND EXISTS (SELECT 1 FROM employment e WHERE e.person = p.id AND e.source = $1)`
		args = append(args, source)
	}
	var n int
	err := d.read.QueryRowContext(ctx, q, args...).Scan(&n)
	return n, err
}

// ---- lay-offs that are known beforehand ----

const announcedColumns = `id, source, many, used, since, until, reason, author, second, made, ended, ended_by, counts, logins`

// Announce keeps one.
func (d *DB) Announce(ctx context.Context, a dayone.Announcement, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO announced (`+announcedColumns+`) VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, 0, '', $10, $11)`,
			a.ID, a.Source, a.Count, micros(a.From), micros(a.Until), a.Reason, a.By, a.Second, micros(a.Made), micros(a.Counts), strings.Join(a.Logins, "\n")); err != nil {
			return fmt.Errorf("keeping what is announced: %w", err)
		}
		return d.append(t, records)
	})
}

// ConfirmAnnouncement lets one count from now on, as somebody else says so, too. ErrConflict: it has ended, or counts already.
func (d *DB) ConfirmAnnouncement(ctx context.Context, id, second string, at time.Time, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		var ended int64
		var was string
		if err := t.row(`SELECT ended, second FROM announced WHERE id = $1`, id).Scan(&ended, &was); err != nil {
			return notFound("announcement "+id, err)
		}
		switch {
		case ended != 0:
			return fmt.Errorf("this announcement was taken back already: %w", dayone.ErrConflict)
		case was != "":
			return fmt.Errorf("this announcement is confirmed already: %w", dayone.ErrConflict)
		}
		if _, err := t.exec(`UPDATE announced SET second = $2, counts = $3 WHERE id = $1`, id, second, micros(at)); err != nil {
			return err
		}
		return d.append(t, records)
	})
}

// EndAnnouncement takes one back. ErrConflict: it has ended.
func (d *DB) EndAnnouncement(ctx context.Context, id, by string, at time.Time, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		var ended int64
		if err := t.row(`SELECT ended FROM announced WHERE id = $1`, id).Scan(&ended); err != nil {
			return notFound("announcement "+id, err)
		}
		if ended != 0 {
			return fmt.Errorf("this announcement was taken back already: %w", dayone.ErrConflict)
		}
		if _, err := t.exec(`UPDATE announced SET ended = $2, ended_by = $3 WHERE id = $1`, id, micros(at), by); err != nil {
			return err
		}
		return d.append(t, records)
	})
}

// Announced lists those that stand or are to come.
func (d *DB) Announced(ctx context.Context, now time.Time) ([]dayone.Announcement, error) {
	var out []dayone.Announcement
	err := d.each(ctx, `SELECT `+announcedColumns+` FROM announced WHERE ended = 0 AND until > $1 ORDER BY since, id`, []any{micros(now)}, func(rows *sql.Rows) error {
		var a dayone.Announcement
		var since, until, made, ended, counts int64
		var logins string
		if err := rows.Scan(&a.ID, &a.Source, &a.Count, &a.Used, &since, &until, &a.Reason, &a.By, &a.Second, &made, &ended, &a.EndedBy, &counts, &logins); err != nil {
			return err
		}
		a.From, a.Until, a.Made, a.Ended, a.Counts = instant(since), instant(until), instant(made), instant(ended), instant(counts)
		a.Logins = inLines(logins)
		out = append(out, a)
		return nil
	})
	return out, err
}

// ---- whole lists of sources ----

// SourceReads are the last reads of sources, by name.
func (d *DB) SourceReads(ctx context.Context) (map[string]dayone.SourceRead, error) {
	out := map[string]dayone.SourceRead{}
	err := d.each(ctx, `SELECT source, first, at, counted, records, seen, note, brake FROM source_read`, nil, func(rows *sql.Rows) error {
		var r dayone.SourceRead
		var first, at, counted int64
		if err := rows.Scan(&r.Source, &first, &at, &counted, &r.Records, &r.Seen, &r.Note, &r.Brake); err != nil {
			return err
		}
		r.First, r.At, r.Counted = instant(first), instant(at), instant(counted)
		out[r.Source] = r
		return nil
	})
	return out, err
}

// SaveSourceRead keeps what became of a read, and which employments its list lacks, if it counted.
func (d *DB) SaveSourceRead(ctx context.Context, r dayone.SourceRead, counted bool, absent []dayone.Absence) error {
	return d.write(ctx, func(t *tx) error {
		if err := t.sourceRead(r); err != nil || !counted {
			return err
		}
		since := map[string]int64{}
		for _, a := range absent {
			since[a.Subject] = micros(a.Since)
		}
		old, err := t.absentSince(r.Source)
		if err != nil {
			return err
		}
		for subject, at := range old {
			if _, still := since[subject]; still {
				since[subject] = at
			}
		}
		if _, err := t.exec(`DELETE FROM absent WHERE source = $1`, r.Source); err != nil {
			return err
		}
		var rows []any
		for _, a := range absent {
			rows = append(rows, a.Source, a.Subject, string(a.Person), since[a.Subject])
		}
		return t.put(table{"absent", []string{"source", "subject", "person", "since"}, nil}, rows)
	})
}

func (t *tx) sourceRead(r dayone.SourceRead) error {
	if _, err := t.exec(`INSERT INTO source_read (source, first, at, counted, records, seen, note, brake) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (source) DO UPDATE SET first = excluded.first, at = excluded.at, counted = excluded.counted, records = excluded.records, seen = excluded.seen, note = excluded.note, brake = excluded.brake`,
		r.Source, micros(r.First), micros(r.At), micros(r.Counted), r.Records, r.Seen, r.Note, r.Brake); err != nil {
		return fmt.Errorf("keeping a read: %w", err)
	}
	return nil
}

func (t *tx) absentSince(source string) (map[string]int64, error) {
	s, err := t.prepare(`SELECT subject, since FROM absent WHERE source = $1`)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(t.ctx, source)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var subject string
		var at int64
		if err := rows.Scan(&subject, &at); err != nil {
			return nil, err
		}
		out[subject] = at
	}
	return out, rows.Err()
}

// Absent lists employments that the last lists lack.
func (d *DB) Absent(ctx context.Context, limit int) ([]dayone.Absence, error) {
	var out []dayone.Absence
	err := d.each(ctx, `SELECT a.source, a.subject, a.person, a.since FROM absent a LEFT JOIN person p ON p.id = a.person ORDER BY a.source, COALESCE(p.name, ''), a.subject LIMIT $1`, []any{limit}, func(rows *sql.Rows) error {
		var a dayone.Absence
		var since int64
		if err := rows.Scan(&a.Source, &a.Subject, &a.Person, &since); err != nil {
			return err
		}
		a.Since = instant(since)
		out = append(out, a)
		return nil
	})
	return out, err
}

// EmploymentsOf are all employments of a source that are in the books: whose each is.
func (d *DB) EmploymentsOf(ctx context.Context, source string) (map[string]dayone.PersonID, error) {
	out := map[string]dayone.PersonID{}
	err := d.each(ctx, `SELECT source_id, person FROM employment WHERE source = $1`, []any{source}, func(rows *sql.Rows) error {
		var subject string
		var person dayone.PersonID
		if err := rows.Scan(&subject, &person); err != nil {
			return err
		}
		out[subject] = person
		return nil
	})
	return out, err
}

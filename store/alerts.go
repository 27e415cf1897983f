package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

var alertTable = table{"alert", []string{"id", "rule", "subject", "person", "run", "note", "opened", "resolved", "told"}, []string{"id"}}

const alertColumns = `id, rule, subject, person, run, note, opened, resolved, told`

// AlertFilter chooses alerts.
type AlertFilter struct {
	Open    bool         // only those
	Over    bool         // only those that were resolved
	Rule    string       // only of this one
	Within  dayone.Scope // only those about people of it
	Systems []string     // with Within: and those about nobody, but about one of these systems
	Public  bool         // with Within: none about somebody of whom only few may know
	From    Mark         // only those after it
	Limit   int          // 0: all
}

// Alerts lists them: open ones first, the newest first of both.
func (d *DB) Alerts(ctx context.Context, f AlertFilter) ([]dayone.Alert, error) {
	which, args := f.which()
	rows, err := d.read.QueryContext(ctx, `SELECT `+alertColumns+which, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (dayone.Alert, error) {
		var a dayone.Alert
		var opened, resolved, told int64
		err := s.Scan(&a.ID, &a.Rule, &a.Subject, &a.Person, &a.Run, &a.Note, &opened, &resolved, &told)
		a.Opened, a.Resolved, a.Told = instant(opened), instant(resolved), instant(told)
		return a, err
	})
}

// CountAlertsBy is how long the list of alerts would be, its limit at the most.
func (d *DB) CountAlertsBy(ctx context.Context, f AlertFilter) (n int, err error) {
	which, args := f.which()
	if err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT id`+which+`) AS listed`, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting alerts: %w", err)
	}
	return n, nil
}

// which alerts a filter lists, in order: what stands behind the columns.
func (f AlertFilter) which() (string, []any) {
	q := ` FROM alert WHERE 1 = 1`
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	if f.Open {
		q += ` AND resolved = 0`
	}
	if f.Over {
		q += ` AND resolved > 0`
	}
	if f.Rule != "" {
		q += ` AND rule = ` + arg(f.Rule)
	}
	if !f.Within.Whole() {
		in := `person <> ''`
		if !f.Within.AllPeople() {
			in = `EXISTS (SELECT 1 FROM person p WHERE p.id = alert.person AND ` + within(f.Within, "p", "", arg)
			if f.Public {
				in += ` AND p.veil < 2`
			}
			in += `)`
		}
		if len(f.Systems) > 0 {
			in += ` OR person = '' AND subject IN (` + marks(f.Systems, strings.TrimSpace, arg) + `)`
		}
		q += ` AND (` + in + `)`
	}
	if f.From.ID != "" {
		id := arg(f.From.ID)
		older := fmt.Sprintf(`(opened < (SELECT m.opened FROM alert m WHERE m.id = %[1]s) OR opened = (SELECT m.opened FROM alert m WHERE m.id = %[1]s) AND id < %[1]s)`, id)
		if f.From.Waits {
			q += ` AND (resolved > 0 OR ` + older + `)`
		} else {
			q += ` AND resolved > 0 AND ` + older
		}
	}
	q += ` ORDER BY CASE WHEN resolved = 0 THEN 0 ELSE 1 END, opened DESC, id DESC`
	if f.Limit > 0 {
		q += ` LIMIT ` + arg(f.Limit)
	}
	return q, args
}

// SaveAlerts writes alerts as they stand now, and what is to be sent about them, in one transaction. A letter that is there
// already is not written again.
func (d *DB) SaveAlerts(ctx context.Context, alerts []dayone.Alert, letters []dayone.Letter) error {
	if len(alerts)+len(letters) == 0 {
		return nil
	}
	return d.write(ctx, func(t *tx) error {
		var rows []any
		for _, a := range alerts {
			rows = append(rows, a.ID, a.Rule, a.Subject, string(a.Person), string(a.Run), a.Note, micros(a.Opened), micros(a.Resolved), micros(a.Told))
		}
		if err := t.put(alertTable, rows); err != nil {
			return err
		}
		for _, l := range letters {
			if err := post(t, l); err != nil {
				return err
			}
		}
		return nil
	})
}

// post puts a letter into the outbox, once.
func post(t *tx, l dayone.Letter) error {
	_, err := t.exec(`INSERT INTO outbox (once, via, kind, about, body, made, next, tries, sent, error) VALUES ($1, $2, $3, $4, $5, $6, $6, 0, 0, '') ON CONFLICT (once) DO NOTHING`,
		l.Once, l.Via, l.Kind, l.About, l.Body, micros(l.Made))
	if err != nil {
		return fmt.Errorf("writing a letter: %w", err)
	}
	return nil
}

// LetterMade is when a letter was written, sent or not; zero: none of that name is in the outbox.
func (d *DB) LetterMade(ctx context.Context, once string) (time.Time, error) {
	return d.oneInstant(ctx, `SELECT made FROM outbox WHERE once = $1`, once)
}

// first says that no earlier letter about the same thing waits for the same way.
const first = ` AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.about = o.about AND e.via = o.via AND e.sent = 0 AND (e.made < o.made OR e.made = o.made AND e.once < o.once))`

// DueLetters are what is to be sent now by one way, the oldest first. What waits for an earlier letter about the same thing
// is not due.
func (d *DB) DueLetters(ctx context.Context, via string, now time.Time, limit int) ([]dayone.Letter, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT once, via, kind, about, body, made, next, tries, error FROM outbox o WHERE via = $1 AND sent = 0 AND next <= $2`+first+`
		ORDER BY made, once LIMIT $3`, via, micros(now), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.Letter
	for rows.Next() {
		var l dayone.Letter
		var made, next int64
		if err := rows.Scan(&l.Once, &l.Via, &l.Kind, &l.About, &l.Body, &made, &next, &l.Tries, &l.Error); err != nil {
			return nil, err
		}
		l.Made, l.Next = instant(made), instant(next)
		out = append(out, l)
	}
	return out, rows.Err()
}

// NextLetter is when the next letter by a way is due; zero: none waits.
func (d *DB) NextLetter(ctx context.Context, via string) (time.Time, error) {
	var us sql.NullInt64
	err := d.read.QueryRowContext(ctx, `SELECT MIN(next) FROM outbox o WHERE via = $1 AND sent = 0`+first, via).Scan(&us)
	return instant(us.Int64), err
}

// SentLetter marks a letter that was taken, or that nobody takes any more: then why says so.
func (d *DB) SentLetter(ctx context.Context, once, why string, at time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE outbox SET sent = $2, error = $3 WHERE once = $1`, once, micros(at), why)
		return err
	})
}

// LetterWaits notes that a letter was not taken, why, and when it is sent again.
func (d *DB) LetterWaits(ctx context.Context, once, why string, next time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE outbox SET tries = tries + 1, error = $2, next = $3 WHERE once = $1`, once, why, micros(next))
		return err
	})
}

// CountLetters is how many letters wait, by way out.
func (d *DB) CountLetters(ctx context.Context) (map[string]int, error) {
	return counted[string](ctx, d, `SELECT via, COUNT(*) FROM outbox WHERE sent = 0 GROUP BY via`)
}

// ForgetLetters takes letters out of the books that were written before, sent or not, and alerts that were resolved before.
func (d *DB) ForgetLetters(ctx context.Context, before time.Time) error {
	return d.write(ctx, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM outbox WHERE made < $1`, micros(before)); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM alert WHERE resolved > 0 AND resolved < $1`, micros(before))
		return err
	})
}

// Heard are the instants at which sources were last heard or read.
func (d *DB) Heard(ctx context.Context) (map[string]time.Time, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT source, heard FROM source_heard`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]time.Time{}
	for rows.Next() {
		var name string
		var us int64
		if err := rows.Scan(&name, &us); err != nil {
			return nil, err
		}
		out[name] = instant(us)
	}
	return out, rows.Err()
}

// KeepHeard writes down when sources were heard.
func (d *DB) KeepHeard(ctx context.Context, heard map[string]time.Time) error {
	if len(heard) == 0 {
		return nil
	}
	return d.write(ctx, func(t *tx) error {
		for name, at := range heard {
			if _, err := t.exec(`INSERT INTO source_heard (source, heard) VALUES ($1, $2) ON CONFLICT (source) DO UPDATE SET heard = $2`, name, micros(at)); err != nil {
				return err
			}
		}
		return nil
	})
}

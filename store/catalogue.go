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

var offerTable = table{"offer", []string{"key", "system", "ref", "roles", "title", "seen", "pool", "seats", "used"}, []string{"key"}}

// SaveCatalogue replaces what a system offers. It must have been read to its end.
func (d *DB) SaveCatalogue(ctx context.Context, system string, offers []dayone.Offer, at time.Time) error {
	rows := make([]any, 0, len(offers)*len(offerTable.columns))
	seen := map[string]int{}
	for _, o := range offers {
		roles, err := json.Marshal(o.Roles)
		if err != nil {
			return err
		}
		seats := dayone.Seats{Total: -1}
		if o.Seats != nil {
			seats = *o.Seats
		}
		rows = latest(rows, seen, o.Key.String(), o.Key.String(), system, o.Ref, string(roles), o.Title, micros(at), seats.Pool, seats.Total, seats.Used)
	}
	return d.write(ctx, func(t *tx) error {
		if err := t.put(offerTable, rows); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM offer WHERE system = $1 AND seen < $2`, system, micros(at))
		return err
	})
}

// CatalogueRead is when each system was last read whose catalogue tells of seats.
func (d *DB) CatalogueRead(ctx context.Context) (map[string]time.Time, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT system, MAX(seen) FROM offer WHERE seats >= 0 GROUP BY system`)
	if err != nil {
		return nil, fmt.Errorf("reading catalogue: %w", err)
	}
	defer rows.Close()
	out := map[string]time.Time{}
	for rows.Next() {
		var system string
		var seen int64
		if err := rows.Scan(&system, &seen); err != nil {
			return nil, err
		}
		out[system] = instant(seen)
	}
	return out, rows.Err()
}

// Offered is how many entitlements a system offers, and when it was read last. Not one of them is read.
func (d *DB) Offered(ctx context.Context, system string) (n int, read time.Time, err error) {
	var seen int64
	err = d.read.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(MAX(seen), 0) FROM offer WHERE system = $1`, system).Scan(&n, &seen)
	if err != nil {
		return 0, read, fmt.Errorf("counting what %s offers: %w", system, err)
	}
	return n, instant(seen), nil
}

// Catalogue is everything that systems offer, as last read; of one system, if named.
func (d *DB) Catalogue(ctx context.Context, system string) (map[dayone.Key]dayone.Offer, error) {
	q, args := `SELECT key, ref, roles, title, pool, seats, used FROM offer`, []any{}
	if system != "" {
		q, args = q+` WHERE system = $1`, append(args, system)
	}
	rows, err := d.read.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[dayone.Key]dayone.Offer{}
	for rows.Next() {
		var o dayone.Offer
		var key, roles string
		var seats dayone.Seats
		if err := rows.Scan(&key, &o.Ref, &roles, &o.Title, &seats.Pool, &seats.Total, &seats.Used); err != nil {
			return nil, err
		}
		if seats.Total >= 0 {
			o.Seats = &seats
		}
		k, err := dayone.ParseKey(key)
		if err = errors.Join(err, json.Unmarshal([]byte(roles), &o.Roles)); err != nil {
			return nil, fmt.Errorf("offer %s does not read: %w", key, err)
		}
		o.Key = k
		out[k] = o
	}
	return out, rows.Err()
}

// LinkedSecret is a secret that somebody has a one-time link to.
type LinkedSecret struct {
	ID     dayone.SecretID
	Person dayone.PersonID
	Box    string
	Opened time.Time // once opened it is dead
	Tries  int       // second proofs that were tried
}

// SecretByMark finds the secret of a link.
func (d *DB) SecretByMark(ctx context.Context, mark string) (LinkedSecret, error) {
	var s LinkedSecret
	var opened int64
	err := d.read.QueryRowContext(ctx, `SELECT id, person, box, opened, tries FROM secret WHERE mark = $1`, mark).Scan(&s.ID, &s.Person, &s.Box, &opened, &s.Tries)
	s.Opened = instant(opened)
	return s, notFound("link", err)
}

// AskAnew writes that secrets of a thing are to be made anew, with who asked for it, and has its owner looked at.
func (d *DB) AskAnew(ctx context.Context, person dayone.PersonID, h dayone.Holding, at time.Time, rec dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		b := bulk{t: t, d: d, holdAt: map[string]int{}}
		b.holding(person, h)
		if err := b.flush(); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE person SET wake = $2 WHERE id = $1`, person, micros(at)); err != nil {
			return err
		}
		return d.append(t, []dayone.Record{rec})
	})
}

// OpenSecret burns a link: it returns ErrConflict if somebody was faster. The box is emptied: nobody opens it again.
func (d *DB) OpenSecret(ctx context.Context, id dayone.SecretID, at time.Time, rec dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		res, err := t.exec(`UPDATE secret SET opened = $2, box = '' WHERE id = $1 AND opened = 0`, id, micros(at))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("this link was used: %w", dayone.ErrConflict))
		}
		return d.append(t, []dayone.Record{rec})
	})
}

// TrySecret counts a second proof before anybody looks whether it is right: however many come at once, no more than most
// are looked at. ErrForbidden: this one is not.
func (d *DB) TrySecret(ctx context.Context, id dayone.SecretID, most int) error {
	return d.write(ctx, func(t *tx) error {
		res, err := t.exec(`UPDATE secret SET tries = tries + 1 WHERE id = $1 AND tries < $2`, id, most)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("too many codes were tried: %w", dayone.ErrForbidden))
		}
		return nil
	})
}

// Meta reads a setting that the program keeps for itself; "" if it was never set.
func (d *DB) Meta(ctx context.Context, key string) (string, error) {
	var v string
	err := d.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = $1`, key).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return v, err
}

// SetMeta keeps one.
func (d *DB) SetMeta(ctx context.Context, key, value string) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
		return err
	})
}

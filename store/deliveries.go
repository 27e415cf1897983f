package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// Letters are those by one way, the newest first, sent or not.
func (d *DB) Letters(ctx context.Context, via string, limit int) ([]dayone.Letter, error) {
	var out []dayone.Letter
	err := d.each(ctx, `SELECT once, via, kind, about, body, made, next, tries, sent, error FROM outbox WHERE via = $1 ORDER BY made DESC, once DESC LIMIT $2`, []any{via, limit}, func(rows *sql.Rows) error {
		var l dayone.Letter
		var made, next, sent int64
		err := rows.Scan(&l.Once, &l.Via, &l.Kind, &l.About, &l.Body, &made, &next, &l.Tries, &sent, &l.Error)
		l.Made, l.Next, l.Sent = instant(made), instant(next), instant(sent)
		out = append(out, l)
		return err
	})
	return out, err
}

// LetterAgain has a letter sent once more, as the same. ErrNotFound: it is not in the outbox, or goes another way.
func (d *DB) LetterAgain(ctx context.Context, once, via string, now time.Time, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		res, err := t.exec(`UPDATE outbox SET sent = 0, next = $3, tries = 0, error = '' WHERE once = $1 AND via = $2`, once, via, micros(now))
		if err != nil {
			return err
		}
		switch n, err := res.RowsAffected(); {
		case err != nil:
			return err
		case n == 0:
			return notFound("delivery "+once, sql.ErrNoRows)
		}
		return d.append(t, records)
	})
}

// KeepSent keeps a letter that was sent before it was written: one that only tried the way. Records go with it.
func (d *DB) KeepSent(ctx context.Context, l dayone.Letter, at time.Time, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		if err := post(t, l); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE outbox SET sent = $2, error = $3 WHERE once = $1`, l.Once, micros(at), l.Error); err != nil {
			return fmt.Errorf("keeping a letter: %w", err)
		}
		return d.append(t, records)
	})
}

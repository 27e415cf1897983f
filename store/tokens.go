package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

const tokenColumns = `id, name, role, made, made_by, expires, used, ended, ended_by, reach`

func scanToken(row interface{ Scan(...any) error }) (dayone.APIToken, error) {
	var t dayone.APIToken
	var made, expires, used, ended int64
	var reach string
	err := row.Scan(&t.ID, &t.Name, &t.Role, &made, &t.By, &expires, &used, &ended, &t.EndedBy, &reach)
	if err == nil && reach != "" {
		err = json.Unmarshal([]byte(reach), &t.Reach)
	}
	t.Made, t.Expires, t.Used, t.Ended = instant(made), instant(expires), instant(used), instant(ended)
	return t, err
}

// AddToken keeps a token by its digest. ErrConflict: one that was not taken back has its name. One that has expired gives its
// name away.
func (d *DB) AddToken(ctx context.Context, a dayone.APIToken, digest string, now time.Time, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		if _, err := t.exec(`UPDATE api_token SET ended = expires, ended_by = '' WHERE name = $1 AND ended = 0 AND expires <= $2`, a.Name, micros(now)); err != nil {
			return err
		}
		var same int
		if err := t.row(`SELECT COUNT(*) FROM api_token WHERE name = $1 AND ended = 0`, a.Name).Scan(&same); err != nil {
			return err
		}
		if same > 0 {
			return fmt.Errorf("a token is called %q already; end it first, or call this one otherwise: %w", a.Name, dayone.ErrConflict)
		}
		reach := ""
		if !a.Reach.Whole() {
			raw, err := json.Marshal(a.Reach)
			if err != nil {
				return err
			}
			reach = string(raw)
		}
		if _, err := t.exec(`INSERT INTO api_token (`+tokenColumns+`, digest) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, '', $7, $8)`,
			a.ID, a.Name, a.Role, micros(a.Made), a.By, micros(a.Expires), reach, digest); err != nil {
			return fmt.Errorf("keeping token: %w", err)
		}
		return d.append(t, records)
	})
}

// Tokens are those that were not taken back more than 90 days ago, the newest first.
func (d *DB) Tokens(ctx context.Context, now time.Time) ([]dayone.APIToken, error) {
	var out []dayone.APIToken
	err := d.each(ctx, `SELECT `+tokenColumns+` FROM api_token WHERE ended = 0 OR ended > $1 ORDER BY made DESC, id`, []any{micros(now.AddDate(0, 0, -90))}, func(rows *sql.Rows) error {
		t, err := scanToken(rows)
		out = append(out, t)
		return err
	})
	return out, err
}

// TokenOf is the token with a digest. ErrNotFound.
func (d *DB) TokenOf(ctx context.Context, digest string) (dayone.APIToken, error) {
	t, err := scanToken(d.read.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM api_token WHERE digest = $1`, digest))
	return t, notFound("token", err)
}

// TokenUsed notes that a token let somebody in.
func (d *DB) TokenUsed(ctx context.Context, id string, at time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE api_token SET used = $2 WHERE id = $1`, id, micros(at))
		return err
	})
}

// EndToken takes one back. ErrConflict: it has ended.
func (d *DB) EndToken(ctx context.Context, id, by string, at time.Time, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		var ended int64
		if err := t.row(`SELECT ended FROM api_token WHERE id = $1`, id).Scan(&ended); err != nil {
			return notFound("token "+id, err)
		}
		if ended != 0 {
			return fmt.Errorf("this token has ended already: %w", dayone.ErrConflict)
		}
		if _, err := t.exec(`UPDATE api_token SET ended = $2, ended_by = $3 WHERE id = $1`, id, micros(at), by); err != nil {
			return err
		}
		return d.append(t, records)
	})
}

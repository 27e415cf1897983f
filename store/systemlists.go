package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dayone-hq/dayone"
)

// SystemLists are the last counts of systems' lists, by name.
func (d *DB) SystemLists(ctx context.Context) (map[string]dayone.SystemList, error) {
	out := map[string]dayone.SystemList{}
	err := d.each(ctx, `SELECT system, at, counted, accounts, seen, note, brake FROM system_list`, nil, func(rows *sql.Rows) error {
		var s dayone.SystemList
		var at, counted int64
		if err := rows.Scan(&s.System, &at, &counted, &s.Accounts, &s.Seen, &s.Note, &s.Brake); err != nil {
			return err
		}
		s.At, s.Counted = instant(at), instant(counted)
		out[s.System] = s
		return nil
	})
	return out, err
}

// SaveSystemList keeps what became of a count. on is the brake that holds it: one of its scope and rule that is on goes on. With
// none, one that was on is over.
func (d *DB) SaveSystemList(ctx context.Context, s dayone.SystemList, on *dayone.Brake) error {
	return d.write(ctx, func(t *tx) error {
		s.Brake = ""
		if on == nil {
			if err := t.replace("system:"+s.System, dayone.BrakeList, "", s.At); err != nil {
				return err
			}
		} else {
			switch err := t.row(`SELECT id FROM brake WHERE scope = $1 AND rule = $2 AND state = 'on'`, on.Scope, on.Rule).Scan(&s.Brake); {
			case errors.Is(err, sql.ErrNoRows):
				s.Brake = on.ID
				if err := d.openBrake(t, *on); err != nil {
					return err
				}
			case err != nil:
				return err
			default:
				if _, err := t.exec(`UPDATE brake SET note = $2 WHERE id = $1`, s.Brake, on.Note); err != nil {
					return err
				}
			}
		}
		_, err := t.exec(`INSERT INTO system_list (system, at, counted, accounts, seen, note, brake) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (system) DO UPDATE SET at = excluded.at, counted = excluded.counted, accounts = excluded.accounts, seen = excluded.seen, note = excluded.note, brake = excluded.brake`,
			s.System, micros(s.At), micros(s.Counted), s.Accounts, s.Seen, s.Note, s.Brake)
		if err != nil {
			return fmt.Errorf("keeping the count of a list: %w", err)
		}
		return nil
	})
}

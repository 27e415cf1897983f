package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dayone-hq/dayone"
)

const preHireColumns = `engagement, person, mark, links, made, told, next, done`

func scanPreHire(s interface{ Scan(...any) error }) (dayone.PreHireForm, error) {
	var f dayone.PreHireForm
	var made, next, done int64
	err := s.Scan(&f.Engagement, &f.Person, &f.Mark, &f.Links, &made, &f.Told, &next, &done)
	f.Made, f.Next, f.Done = instant(made), instant(next), instant(done)
	return f, err
}

// SavePreHire keeps what somebody is asked for, with the letter that asks, in one commit.
func (d *DB) SavePreHire(ctx context.Context, f dayone.PreHireForm, letters []dayone.Letter, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO prehire (engagement, person, mark, links, made, told, next, done) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (engagement) DO UPDATE SET person = excluded.person, mark = excluded.mark, links = excluded.links, told = excluded.told, next = excluded.next, done = excluded.done`,
			string(f.Engagement), string(f.Person), f.Mark, f.Links, micros(f.Made), f.Told, micros(f.Next), micros(f.Done))
		if err != nil {
			return fmt.Errorf("writing pre-hire form: %w", err)
		}
		for _, l := range letters {
			if err := post(t, l); err != nil {
				return err
			}
		}
		return d.append(t, records)
	})
}

// PreHire is what is asked of an employment; false: nothing was.
func (d *DB) PreHire(ctx context.Context, e dayone.EngagementID) (dayone.PreHireForm, bool, error) {
	f, err := scanPreHire(d.read.QueryRowContext(ctx, `SELECT `+preHireColumns+` FROM prehire WHERE engagement = $1`, string(e)))
	if errors.Is(err, sql.ErrNoRows) {
		return f, false, nil
	}
	return f, err == nil, err
}

// PreHireByMark finds it by the digest of its link.
func (d *DB) PreHireByMark(ctx context.Context, mark string) (dayone.PreHireForm, error) {
	f, err := scanPreHire(d.read.QueryRowContext(ctx, `SELECT `+preHireColumns+` FROM prehire WHERE mark = $1`, mark))
	return f, notFound("link", err)
}

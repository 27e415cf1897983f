package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dayone-hq/dayone"
)

// A list of starters asks the same of each of them. It is read for all of them at once, with one statement for each kind of
// thing, so that a list costs about what one of them does.

// LastRuns are the newest runs of each of some people, at most so many of each, newest first, without their steps. Runs of
// whoever was merged into one of them are hers.
func (d *DB) LastRuns(ctx context.Context, ids []dayone.PersonID, most int, in dayone.Scope) (map[dayone.PersonID][]dayone.Run, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	marks, args := among(ids)
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	const whose = `CASE WHEN p.merged <> '' THEN p.merged ELSE r.person END`
	scope := ""
	if !in.AllPeople() {
		scope = ` AND ` + within(in, "p", "", arg)
	}
	newest := `SELECT r.id, ` + whose + ` AS whose, ROW_NUMBER() OVER (PARTITION BY ` + whose + ` ORDER BY r.id DESC) AS place` + runTables +
		` WHERE r.person IN (SELECT id FROM person WHERE id IN ` + marks + ` UNION ALL SELECT id FROM person WHERE merged <> '' AND merged IN ` + marks + `)` + scope
	rows, err := d.read.QueryContext(ctx, runHead+`, n.whose`+runTables+` JOIN (`+newest+`) n ON n.id = r.id WHERE n.place <= `+arg(most)+` ORDER BY r.id DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading the last runs of several people: %w", err)
	}
	return eachOf(rows, func(rows *sql.Rows) (id dayone.PersonID, r dayone.Run, err error) {
		row, err := d.scanHead(rows, &id)
		return id, row.Run, err
	})
}

// StandingRequests are what some people have asked for and nobody has ended, newest first.
func (d *DB) StandingRequests(ctx context.Context, ids []dayone.PersonID) (map[dayone.PersonID][]dayone.Request, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	marks, args := among(ids)
	rows, err := d.read.QueryContext(ctx, `SELECT `+requestColumns+` FROM request r LEFT JOIN person p ON p.id = r.person WHERE r.person IN `+marks+` AND r.ended = 0 ORDER BY r.id DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading requests of several people: %w", err)
	}
	return eachOf(rows, func(rows *sql.Rows) (dayone.PersonID, dayone.Request, error) {
		q, err := d.scanRequest(rows)
		return q.Person, q, err
	})
}

// StandingHolds are what is held of some people, newest first. Of whoever was erased nothing is.
func (d *DB) StandingHolds(ctx context.Context, ids []dayone.PersonID) (map[dayone.PersonID][]dayone.Hold, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	marks, args := among(ids)
	rows, err := d.read.QueryContext(ctx, holdQuery+` WHERE h.person IN `+marks+` AND h.ended = 0 AND p.key_box <> '' ORDER BY h.id DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading holds of several people: %w", err)
	}
	return eachOf(rows, func(rows *sql.Rows) (dayone.PersonID, dayone.Hold, error) {
		h, _, err := d.scanHold(rows)
		return h.Person, h, err
	})
}

// eachOf collects rows by whom they are about.
func eachOf[T any](rows *sql.Rows, scan func(*sql.Rows) (dayone.PersonID, T, error)) (map[dayone.PersonID][]T, error) {
	defer rows.Close()
	out := map[dayone.PersonID][]T{}
	for rows.Next() {
		id, v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out[id] = append(out[id], v)
	}
	return out, rows.Err()
}

package store

import (
	"context"
	"strconv"
	"strings"
)

// LimitPages makes the disk of a SQLite database so small: as many pages more than it has. A negative number is room again.
func (d *DB) LimitPages(ctx context.Context, more int) error {
	return d.write(ctx, func(t *tx) error {
		var pages int
		if err := t.row(`PRAGMA page_count`).Scan(&pages); err != nil {
			return err
		}
		if more < 0 {
			pages, more = 1<<30, 0
		}
		return t.conn.QueryRowContext(ctx, "PRAGMA max_page_count = "+strconv.Itoa(pages+more)).Scan(&pages)
	})
}

// PeoplePlan is how SQLite means to find a page of people, a part of it a line.
func (d *DB) PeoplePlan(ctx context.Context, f PeopleFilter) (string, error) {
	var plans []string
	for _, part := range f.parts() {
		q, args, err := d.peopleQuery(ctx, part)
		if err != nil {
			return "", err
		}
		rows, err := d.read.QueryContext(ctx, "EXPLAIN QUERY PLAN "+q, args...)
		if err != nil {
			return "", err
		}
		steps, err := collect(rows, func(s interface{ Scan(...any) error }) (step string, err error) {
			var id, parent, unused int
			err = s.Scan(&id, &parent, &unused, &step)
			return step, err
		})
		if err != nil {
			return "", err
		}
		plans = append(plans, strings.Join(steps, "; "))
	}
	return strings.Join(plans, "\n"), nil
}

// RefuseWrites has SQLite refuse every write as that of a disk which is mounted for reading, or take them again.
func (d *DB) RefuseWrites(ctx context.Context, on bool) error {
	_, err := d.w.conn.ExecContext(ctx, "PRAGMA query_only = "+strconv.FormatBool(on)) // a write would be refused itself
	return err
}

package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dayone-hq/dayone"
)

// Whom a list lacks that a brake holds: ids only, for as long as somebody has to decide. Let through, the list counts, and they
// are those whom the last list lacks; thrown away, or replaced by a newer one, it says nothing of anybody any more. What stays
// of it are figures, so that nights of short lists do not pile up.

func (t *tx) lack(brake dayone.BrakeID, missing []dayone.Absence) error {
	var rows []any
	for _, a := range missing {
		rows = append(rows, string(brake), a.Subject, string(a.Person))
	}
	if err := t.put(table{"brake_missing", []string{"brake", "subject", "person"}, nil}, rows); err != nil {
		return fmt.Errorf("keeping whom a list lacks: %w", err)
	}
	return nil
}

// lacked is what a verdict makes of those whom the list lacks.
func (t *tx) lacked(v Verdict) error {
	b, err := scanBrake(t.row(`SELECT `+brakeColumns+` FROM brake WHERE id = $1`, v.Brake))
	if err != nil {
		return err
	}
	if v.State == dayone.BrakeReleased && b.List != nil && !b.List.Unfit {
		source := dayone.AfterScope(b.Scope)
		if _, err := t.exec(`DELETE FROM absent WHERE source = $1 AND NOT EXISTS (SELECT 1 FROM brake_missing m WHERE m.brake = $2 AND m.subject = absent.subject)`, source, v.Brake); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO absent (source, subject, person, since) SELECT CAST($1 AS TEXT), subject, person, CAST($3 AS BIGINT) FROM brake_missing WHERE brake = $2
			ON CONFLICT (source, subject) DO NOTHING`, source, v.Brake, micros(b.Opened)); err != nil {
			return err
		}
	}
	_, err = t.exec(`DELETE FROM brake_missing WHERE brake = $1`, v.Brake)
	return err
}

// CountMissing is how many people of a scope who may be named a held list lacks, and how many employments of theirs.
func (d *DB) CountMissing(ctx context.Context, brake dayone.BrakeID, scope dayone.Scope) (people, employments int, err error) {
	args := []any{brake}
	q := `SELECT COUNT(DISTINCT m.person), COUNT(*) FROM brake_missing m JOIN person p ON p.id = m.person WHERE m.brake = $1 AND p.key_box <> '' AND p.veil < 2 AND p.merged = ''`
	if !scope.AllPeople() {
		q += " AND " + within(scope, "p", "", func(v any) string {
			args = append(args, v)
			return fmt.Sprintf("$%d", len(args))
		})
	}
	err = d.read.QueryRowContext(ctx, q, args...).Scan(&people, &employments)
	return people, employments, err
}

// MissingSubjects are the source's ids of the employments of some people that a held list lacks.
func (d *DB) MissingSubjects(ctx context.Context, brake dayone.BrakeID, of []Row) (map[dayone.PersonID][]string, error) {
	out := map[dayone.PersonID][]string{}
	for _, row := range of {
		err := d.each(ctx, `SELECT subject FROM brake_missing WHERE brake = $1 AND person = $2 ORDER BY subject`, []any{brake, row.ID}, func(rows *sql.Rows) error {
			var subject string
			err := rows.Scan(&subject)
			out[row.ID] = append(out[row.ID], subject)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/dayone-hq/dayone"
)

// Roles with a scope are shown what is about people of their countries and companies, and no more: lists leave the rest out
// by a condition on the row of the person, which is in the question, so that pages are whole and nobody counts the others.

// fewPeople is up to how many people lists of what is theirs are read person by person. Of more than these the newest
// things are found soon by going through what is new.
const fewPeople = 500

// within is a scope as a condition: person is the alias of the row of the person that something is about, system an
// expression for the system that it concerns; "": what is asked for concerns none. arg takes a value and gives its mark.
func within(s dayone.Scope, person, system string, arg func(any) string) string {
	if s.Whole() || system == "" && s.AllPeople() {
		return "1 = 1"
	}
	var reaches []string
	for _, r := range s {
		var both []string
		if !r.AllPeople() {
			is := func(alias string) string {
				var of []string
				for _, x := range []struct {
					column string
					values []string
				}{{"country", r.Countries}, {"company", r.Companies}} {
					if len(x.values) > 0 {
						of = append(of, alias+"."+x.column+" IN ("+marks(x.values, strings.ToLower, arg)+")")
					}
				}
				return strings.Join(of, " AND ")
			}
			both = append(both, fmt.Sprintf("(%s OR %s.merged <> '' AND EXISTS (SELECT 1 FROM person whole WHERE whole.id = %s.merged AND %s))", is(person), person, person, is("whole")))
		}
		if system != "" && len(r.Systems) > 0 {
			both = append(both, system+" IN ("+marks(r.Systems, strings.TrimSpace, arg)+")")
		}
		if len(both) == 0 {
			return "1 = 1"
		}
		reaches = append(reaches, strings.Join(both, " AND "))
	}
	return "(" + strings.Join(reaches, " OR ") + ")"
}

func marks[T ~string](values []T, as func(string) string, arg func(any) string) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = arg(as(string(v)))
	}
	return strings.Join(out, ", ")
}

// few narrows what is about people to those of a scope where they are few: then the things of each are asked for by the person,
// else all that others have would be gone through to find none. It comes beside within, in the place of nothing.
func (d *DB) few(ctx context.Context, s dayone.Scope, column string, arg func(any) string) (string, error) {
	if s.AllPeople() {
		return "1 = 1", nil
	}
	var args []any
	where := within(s, "one", "", func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	})
	args = append(args, fewPeople+1)
	rows, err := d.read.QueryContext(ctx, fmt.Sprintf(`SELECT one.id FROM person one WHERE %s LIMIT $%d`, where, len(args)), args...)
	if err != nil {
		return "", err
	}
	ids, err := collect(rows, scanText)
	switch {
	case err != nil:
		return "", err
	case len(ids) > fewPeople:
		return "1 = 1", nil
	case len(ids) == 0:
		return "1 = 0", nil
	}
	return column + " IN (" + marks(ids, strings.TrimSpace, arg) + ")", nil
}

// Unplaced are people behind one, by their ids, of whom it was not written yet where they are.
func (d *DB) Unplaced(ctx context.Context, after dayone.PersonID, limit int) ([]dayone.PersonID, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT id FROM person WHERE placed = 0 AND id > $1 AND key_box <> '' AND merged = '' ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (p dayone.PersonID, err error) { return p, s.Scan(&p) })
}

// Place is where somebody is.
type Place struct {
	Person           dayone.PersonID
	Country, Company string
}

// SavePlaces writes where people are, of whom that was not written meanwhile.
func (d *DB) SavePlaces(ctx context.Context, places []Place) error {
	return d.write(ctx, func(t *tx) error {
		for _, p := range places {
			if _, err := t.exec(`UPDATE person SET country = $2, company = $3, placed = 1 WHERE id = $1 AND placed = 0 AND key_box <> '' AND merged = ''`, p.Person, strings.ToLower(p.Country), strings.ToLower(p.Company)); err != nil {
				return fmt.Errorf("writing where somebody is: %w", err)
			}
		}
		return nil
	})
}

// Unplace forgets where everybody is: policies say otherwise what a location means. Until they are looked at again nobody is
// in a scope that names countries or companies.
func (d *DB) Unplace(ctx context.Context) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE person SET country = '', company = '', placed = 0 WHERE placed = 1`)
		return err
	})
}

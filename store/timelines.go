package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
)

// Reading everybody fact by fact costs a row and a box for each of some twenty things that are known of a person. So what is
// known of one lies gathered in a box of its own, too. Employments and facts are what counts: the box is made of them in the
// transaction that writes them, and only there, and whoever has none is read from them.

// gathered is the content of such a box.
type gathered struct {
	employments []dayone.Employment
	facts       []dayone.Fact
}

// gather brings the box of a person up to what is being written about her.
func (d *DB) gather(t *tx, s Saved) error {
	var g gathered
	if !s.New {
		var err error
		if g, err = d.gatheredOf(t, s.Person); err != nil { // what does not read now is read fact by fact, and says why
			_, err = t.exec(`DELETE FROM timeline WHERE person = $1`, s.Person)
			return err
		}
	}
	if s.Employment != nil {
		g.employments = append(g.employments, *s.Employment)
	}
	g.facts = append(g.facts, s.Facts...)
	return d.saveGathered(t, s.Person, g)
}

func (d *DB) saveGathered(t *tx, person dayone.PersonID, g gathered) error {
	box, err := d.seal(t, person, g.settled())
	if err != nil || box == "" {
		return err
	}
	_, err = t.exec(`INSERT INTO timeline (person, box) VALUES ($1, $2) ON CONFLICT (person) DO UPDATE SET box = excluded.box`, person, box)
	if err != nil {
		return fmt.Errorf("writing timeline: %w", err)
	}
	return nil
}

// gatheredOf is what is known of a person before this transaction's own words: from her box, or where there is none from
// her facts, among which those words may be already.
func (d *DB) gatheredOf(t *tx, person dayone.PersonID) (gathered, error) {
	key, err := d.key(t, person)
	if err != nil {
		return gathered{}, err
	}
	var box string
	switch err := t.row(`SELECT box FROM timeline WHERE person = $1`, person).Scan(&box); {
	case err == nil:
		return d.openGathered(key, box)
	case !errors.Is(err, sql.ErrNoRows):
		return gathered{}, err
	}
	r := Read{Timeline: dayone.Timeline{Person: person}, key: sql.NullString{String: key, Valid: true}}
	ask := func(query string, args []any, row func(*sql.Rows) error) error {
		rows, err := t.conn.QueryContext(t.ctx, query, args...)
		if err != nil {
			return err
		}
		return eachRow(rows, row)
	}
	err = d.byFact(ask, many([]dayone.PersonID{person}), map[dayone.PersonID]*Read{person: &r})
	return gathered{r.Employments, r.Facts}, errors.Join(err, r.Err)
}

func (d *DB) openGathered(key, box string) (gathered, error) {
	if key == "" {
		return gathered{}, nil
	}
	plain, err := d.sealer.Open(key, box)
	if err != nil {
		return gathered{}, err
	}
	var g gathered
	return g, unpackWhole(plain, &g)
}

// GatherTimelines makes the boxes of people who have none: those whose facts an older program wrote. It says how many.
func (d *DB) GatherTimelines(ctx context.Context) (made int, err error) {
	after := dayone.PersonID("")
	for {
		rows, err := d.read.QueryContext(ctx, fmt.Sprintf(`SELECT p.id FROM person p LEFT JOIN timeline t ON t.person = p.id
			WHERE p.id > $1 AND p.key_box <> '' AND p.merged = '' AND t.person IS NULL ORDER BY p.id LIMIT %d`, AtOnce), after)
		if err != nil {
			return made, err
		}
		ids, err := collect(rows, scanText)
		if err != nil || len(ids) == 0 {
			return made, err
		}
		after = dayone.PersonID(ids[len(ids)-1])
		err = d.write(ctx, func(t *tx) error {
			for _, id := range ids {
				g, err := d.gatheredOf(t, dayone.PersonID(id))
				if errors.Is(err, dayone.ErrInvalid) || errors.Is(err, dayone.ErrForbidden) { // a fact does not read: she is no worse off
					continue
				}
				if err == nil {
					err = d.saveGathered(t, dayone.PersonID(id), g)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return made, err
		}
		made += len(ids)
	}
}

// settled sorts, leaves out what a later word of the same instant replaced, and keeps of each what a fact's own row would.
func (g gathered) settled() *gathered {
	slices.SortStableFunc(g.employments, func(a, b dayone.Employment) int { return cmp.Compare(a.ID, b.ID) })
	g.employments = lastOf(g.employments, func(a, b dayone.Employment) bool { return a.ID == b.ID })
	byKey := func(a, b dayone.Fact) int {
		return cmp.Or(cmp.Compare(a.Engagement, b.Engagement), cmp.Compare(a.Attr, b.Attr), cmp.Compare(micros(a.Effective), micros(b.Effective)), cmp.Compare(micros(a.Recorded), micros(b.Recorded)))
	}
	slices.SortStableFunc(g.facts, byKey)
	g.facts = lastOf(g.facts, func(a, b dayone.Fact) bool { return byKey(a, b) == 0 })
	for i := range g.employments {
		e := &g.employments[i]
		e.Source, e.SourceID = storable(e.Source), storable(e.SourceID)
	}
	for i := range g.facts {
		f := &g.facts[i]
		f.Attr, f.Source = storable(f.Attr), storable(f.Source)
		if !utf8.ValidString(f.Value.Text) {
			f.Value.Text = strings.Map(func(r rune) rune { return r }, f.Value.Text) // as JSON has it
		}
	}
	return &g
}

func (g *gathered) pack(p *pack) {
	list(p, &g.employments, func(p *pack, e *dayone.Employment) {
		word(p, &e.ID)
		word(p, &e.Source)
		word(p, &e.SourceID)
		microsOf(p, &e.Recorded)
	})
	list(p, &g.facts, packFact)
}

func packFact(p *pack, f *dayone.Fact) {
	word(p, &f.Engagement)
	word(p, &f.Attr)
	word(p, &f.Source)
	word(p, &f.Event)
	packValue(p, &f.Value)
	for _, at := range []*time.Time{&f.Effective, &f.Said, &f.Again, &f.Recorded} {
		microsOf(p, at)
	}
	yes(p, &f.Personal)
	yes(p, &f.Bad)
	yes(p, &f.Veiled)
}

// microsOf is an instant as columns have it.
func microsOf(p *pack, v *time.Time) {
	us := micros(*v)
	number(p, &us)
	if p.reading {
		*v = instant(us)
	}
}

// lastOf keeps the last of equal neighbours.
func lastOf[T any](list []T, same func(a, b T) bool) []T {
	out := list[:0]
	for i, x := range list {
		if i+1 == len(list) || !same(x, list[i+1]) {
			out = append(out, x)
		}
	}
	return out
}

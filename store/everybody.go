package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// Reading everybody person by person costs more in statements than in rows, so what a plan for everybody needs is read for
// many at once. The statements have one text whatever they are asked for: both databases prepare each of them once.

// pageOf is how many ids are read at once.
const pageOf = 10_000

// EachPerson gives the id of everybody who may be known, in order, as of when it is asked, and whether access is planned for her.
func (d *DB) EachPerson(ctx context.Context, each func(id dayone.PersonID, managed bool) error) error {
	type row struct {
		id      dayone.PersonID
		managed int
	}
	after := dayone.PersonID("")
	page := make([]row, 0, pageOf)
	for {
		page = page[:0]
		rows, err := d.read.QueryContext(ctx, fmt.Sprintf(`SELECT id, managed FROM person WHERE id > $1 AND key_box <> '' AND veil < 2 AND merged = '' ORDER BY id LIMIT %d`, pageOf), after)
		if err != nil {
			return err
		}
		for rows.Next() {
			var r row
			if err := rows.Scan(&r.id, &r.managed); err != nil {
				return errors.Join(err, rows.Close())
			}
			page = append(page, r)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		for _, r := range page {
			if err := each(r.id, r.managed != 0); err != nil {
				return err
			}
		}
		if len(page) < pageOf {
			return nil
		}
		after = page[len(page)-1].id
	}
}

// AtOnce is how many people are read with one statement at most.
const AtOnce = 200

// manyIn is a list of marks from $1 on, for AtOnce values.
var manyIn = func() string {
	var b strings.Builder
	for i := range AtOnce {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	return "(" + b.String() + ")"
}()

// many are the values of manyIn, the last one repeated.
func many[T ~string](of []T) []any {
	out := make([]any, AtOnce)
	for i := range out {
		out[i] = string(of[min(i, len(of)-1)])
	}
	return out
}

// Read is somebody who was read with others; Err says why she could not be.
type Read struct {
	dayone.Timeline
	Held  []dayone.Holding
	Err   error
	Apart bool // what is known of her is not gathered in a box: she was read fact by fact

	key sql.NullString
}

// Timelines are those of several people, AtOnce at most, in their order. Whoever is not there is ErrNotFound, and nobody
// who does not read hides another. What others were told of them is left out.
func (d *DB) Timelines(ctx context.Context, ids []dayone.PersonID) ([]Read, error) {
	out, err := d.heads(ctx, ids)
	if err != nil {
		return nil, err
	}
	apart := map[dayone.PersonID]*Read{}
	for i := range out {
		if out[i].Apart {
			apart[out[i].Person] = &out[i]
		}
	}
	if len(apart) == 0 {
		return out, nil
	}
	ask := func(query string, args []any, row func(*sql.Rows) error) error { return d.each(ctx, query, args, row) }
	return out, d.byFact(ask, many(slices.Collect(maps.Keys(apart))), apart)
}

// byFact reads employments and facts of people whose ids are args.
func (d *DB) byFact(ask func(query string, args []any, row func(*sql.Rows) error) error, args []any, at map[dayone.PersonID]*Read) error {
	err := ask(`SELECT person, id, source, source_id, recorded FROM employment WHERE person IN `+manyIn+` ORDER BY person, id`, args, func(rows *sql.Rows) error {
		var person dayone.PersonID
		var e dayone.Employment
		var recorded int64
		if err := rows.Scan(&person, &e.ID, &e.Source, &e.SourceID, &recorded); err != nil {
			return err
		}
		e.Recorded = instant(recorded)
		if r := at[person]; r != nil {
			r.Employments = append(r.Employments, e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	words := words{}
	var person, engagement, attr, source, event, box sql.RawBytes
	var effective, said, again, recorded int64
	var personal, bad, veiled int
	var r *Read
	to := []any{&person, &engagement, &attr, &effective, &said, &again, &recorded, &box, &personal, &bad, &source, &event, &veiled}
	return ask(`SELECT person, engagement, attr, effective, said, again, recorded, box, personal, bad, source, event, veiled FROM fact
		WHERE person IN `+manyIn+` ORDER BY person, engagement, attr, effective, recorded`, args, func(rows *sql.Rows) error {
		if err := rows.Scan(to...); err != nil {
			return err
		}
		if r == nil || string(person) != string(r.Person) {
			r = at[dayone.PersonID(person)]
		}
		if r == nil || r.Err != nil {
			return nil
		}
		f := dayone.Fact{
			Engagement: dayone.EngagementID(words.of(engagement)), Attr: words.of(attr), Effective: instant(effective), Said: instant(said), Again: instant(again),
			Recorded: instant(recorded), Personal: personal != 0, Bad: bad != 0, Veiled: veiled != 0, Source: words.of(source), Event: dayone.EventID(words.of(event)),
		}
		switch there, err := d.unseal(r.key, string(box), &f.Value); {
		case err != nil:
			r.Err = fmt.Errorf("%s of %s does not read: %w", f.Attr, r.Person, err)
		case there: // erased: it is as if it had never been said
			if r.Facts == nil {
				r.Facts = make([]dayone.Fact, 0, 24)
			}
			r.Facts = append(r.Facts, f)
		}
		return nil
	})
}

// words keeps one copy of what is said again and again.
type words map[string]string

func (w words) of(b []byte) string {
	if s, ok := w[string(b)]; ok {
		return s
	}
	s := string(b)
	w[s] = s
	return s
}

// heads are the people themselves, in the order of the ids, with what is gathered of each.
func (d *DB) heads(ctx context.Context, ids []dayone.PersonID) ([]Read, error) {
	if len(ids) > AtOnce {
		return nil, fmt.Errorf("%d people at once are more than %d: %w", len(ids), AtOnce, dayone.ErrInvalid)
	}
	out, at := make([]Read, len(ids)), make(map[dayone.PersonID]*Read, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	for i, id := range ids {
		out[i] = Read{Timeline: dayone.Timeline{Person: id}, Err: fmt.Errorf("person: %w", dayone.ErrNotFound)}
		at[id] = &out[i]
	}
	query := `SELECT p.id, p.managed, p.key_box, t.box FROM person p LEFT JOIN timeline t ON t.person = p.id WHERE p.id IN ` + manyIn
	return out, d.each(ctx, query, many(ids), func(rows *sql.Rows) error {
		var id dayone.PersonID
		var managed int
		var key, box sql.NullString
		if err := rows.Scan(&id, &managed, &key, &box); err != nil {
			return err
		}
		r := at[id]
		r.Managed, r.key, r.Err, r.Apart = managed != 0, key, nil, true
		if box.String != "" && key.String != "" {
			if g, err := d.openGathered(key.String, box.String); err == nil { // else her facts are what counts
				r.Employments, r.Facts, r.Apart = g.employments, g.facts, false
			}
		}
		return nil
	})
}

// WithHoldings adds what the people have who were read, but for what is gone: which entitlements, and in which state. That
// is all that policies ask for.
func (d *DB) WithHoldings(ctx context.Context, people []Read) error {
	ids, at := make([]dayone.PersonID, 0, len(people)), make(map[dayone.PersonID]*Read, len(people))
	for i := range people {
		if r := &people[i]; r.Err == nil {
			ids = append(ids, r.Person)
			at[r.Person] = r
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return d.each(ctx, `SELECT person, key, state FROM holding WHERE person IN `+manyIn+` AND state <> 'gone'`, many(ids), func(rows *sql.Rows) error {
		var person dayone.PersonID
		var text string
		var h dayone.Holding
		if err := rows.Scan(&person, &text, &h.State); err != nil {
			return err
		}
		r := at[person]
		if r == nil || r.Err != nil {
			return nil
		}
		if h.Key, r.Err = dayone.ParseKey(text); r.Err == nil {
			r.Held = append(r.Held, h)
		}
		return nil
	})
}

// HaveOf says who has which of some keys, and in which state: neither gone nor disabled.
func (d *DB) HaveOf(ctx context.Context, keys []dayone.Key) (map[dayone.PersonID][]dayone.Key, error) {
	out := map[dayone.PersonID][]dayone.Key{}
	for some := range slices.Chunk(keys, AtOnce) {
		texts, of := make([]string, len(some)), map[string]dayone.Key{}
		for i, k := range some {
			texts[i] = k.String()
			of[texts[i]] = k
		}
		err := d.each(ctx, `SELECT person, key FROM holding WHERE key IN `+manyIn+` AND state NOT IN ('gone', 'disabled')`, many(texts), func(rows *sql.Rows) error {
			var person dayone.PersonID
			var key string
			if err := rows.Scan(&person, &key); err != nil {
				return err
			}
			out[person] = append(out[person], of[key])
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// each goes through the rows of a question.
func (d *DB) each(ctx context.Context, query string, args []any, row func(*sql.Rows) error) error {
	rows, err := d.read.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, row)
}

// eachRow goes through rows, and closes.
func eachRow(rows *sql.Rows, row func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

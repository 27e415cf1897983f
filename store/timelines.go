package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

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
	box, err := d.sealed(t, person, g.pack())
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
	return unpackGathered(string(plain))
}

// GatherTimelines makes the boxes of people who have none: those whose facts an older program wrote. It says how many.
func (d *DB) GatherTimelines(ctx context.Context) (made int, err error) {
	after := dayone.PersonID("")
	for {
		rows, err := d.read.QueryContext(ctx, fmt.Sprintf(`SELECT p.id FROM person p LEFT JOIN timeline t ON t.person = p.id
			WHERE p.id > $1 AND p.key_box <> '' AND t.person IS NULL ORDER BY p.id LIMIT %d`, AtOnce), after)
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

// gatheredForm begins each box; another number is of a program that writes otherwise.
const gatheredForm = 1

// pack sorts, and leaves out what a later word of the same instant replaced.
func (g gathered) pack() []byte {
	slices.SortStableFunc(g.employments, func(a, b dayone.Employment) int { return cmp.Compare(a.ID, b.ID) })
	g.employments = lastOf(g.employments, func(a, b dayone.Employment) bool { return a.ID == b.ID })
	byKey := func(a, b dayone.Fact) int {
		return cmp.Or(cmp.Compare(a.Engagement, b.Engagement), cmp.Compare(a.Attr, b.Attr), cmp.Compare(micros(a.Effective), micros(b.Effective)), cmp.Compare(micros(a.Recorded), micros(b.Recorded)))
	}
	slices.SortStableFunc(g.facts, byKey)
	g.facts = lastOf(g.facts, func(a, b dayone.Fact) bool { return byKey(a, b) == 0 })

	p := packer{b: make([]byte, 0, 64*len(g.facts)+64), seen: map[string]uint64{}}
	p.number(gatheredForm)
	p.number(uint64(len(g.employments)))
	for _, e := range g.employments {
		p.text(string(e.ID), e.Source, e.SourceID)
		p.instant(micros(e.Recorded))
	}
	p.number(uint64(len(g.facts)))
	for _, f := range g.facts {
		value, _ := f.Value.MarshalJSON() // never fails, and is how a fact's own box has it
		p.text(string(f.Engagement), f.Attr, f.Source, string(f.Event), string(value))
		p.instant(micros(f.Effective), micros(f.Said), micros(f.Again), micros(f.Recorded))
		p.number(uint64(truth(f.Personal) | truth(f.Bad)<<1 | truth(f.Veiled)<<2))
	}
	return p.b
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

// packer writes numbers, and each text once.
type packer struct {
	b    []byte
	seen map[string]uint64
}

func (p *packer) number(n uint64) { p.b = binary.AppendUvarint(p.b, n) }

func (p *packer) instant(all ...int64) {
	for _, us := range all {
		p.b = binary.AppendVarint(p.b, us)
	}
}

func (p *packer) text(all ...string) {
	for _, s := range all {
		s = storable(s)
		if n, ok := p.seen[s]; ok {
			p.number(n)
			continue
		}
		p.seen[s] = uint64(len(p.seen) + 1)
		p.number(0)
		p.number(uint64(len(s)))
		p.b = append(p.b, s...)
	}
}

// unpacker reads what a packer wrote. Once something is wrong it reads nothing more.
type unpacker struct {
	s     string
	texts []string
	wrong bool
}

func (u *unpacker) number() uint64 {
	var n uint64
	for i := range len(u.s) {
		c := u.s[i]
		if i == binary.MaxVarintLen64 {
			break
		}
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			u.s = u.s[i+1:]
			return n
		}
	}
	u.wrong = true
	return 0
}

// count is how many of something follow, each of which takes a byte at least.
func (u *unpacker) count() int {
	n := u.number()
	if n > uint64(len(u.s)) {
		u.wrong = true
		return 0
	}
	return int(n)
}

func (u *unpacker) instant() int64 {
	n := u.number()
	return int64(n>>1) ^ -int64(n&1)
}

func (u *unpacker) text() string {
	n := u.number()
	if n == 0 {
		size := u.count()
		s := u.s[:size]
		u.s = u.s[size:]
		u.texts = append(u.texts, s)
		return s
	}
	if n > uint64(len(u.texts)) {
		u.wrong = true
		return ""
	}
	return u.texts[n-1]
}

var errGathered = fmt.Errorf("what is gathered of a person does not read: %w", dayone.ErrInvalid)

func unpackGathered(s string) (gathered, error) {
	u := unpacker{s: s, texts: make([]string, 0, 48)}
	if u.number() != gatheredForm {
		return gathered{}, errGathered
	}
	var g gathered
	if n := u.count(); n > 0 {
		g.employments = make([]dayone.Employment, n)
	}
	for i := range g.employments {
		e := &g.employments[i]
		e.ID, e.Source, e.SourceID = dayone.EngagementID(u.text()), u.text(), u.text()
		e.Recorded = instant(u.instant())
	}
	if n := u.count(); n > 0 {
		g.facts = make([]dayone.Fact, n)
	}
	for i := range g.facts {
		f := &g.facts[i]
		f.Engagement, f.Attr, f.Source, f.Event = dayone.EngagementID(u.text()), u.text(), u.text(), dayone.EventID(u.text())
		value := u.text()
		f.Effective, f.Said, f.Again, f.Recorded = instant(u.instant()), instant(u.instant()), instant(u.instant()), instant(u.instant())
		flags := u.number()
		f.Personal, f.Bad, f.Veiled = flags&1 != 0, flags&2 != 0, flags&4 != 0
		if u.wrong || f.Value.UnmarshalJSON([]byte(value)) != nil {
			return gathered{}, errGathered
		}
	}
	if u.wrong || u.s != "" {
		return gathered{}, errGathered
	}
	return g, nil
}

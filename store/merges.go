package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Merging moves what stands of one person to another, in one commit, and keeps what moved so that it can be moved back. What
// is over stays where it is, under the key it lies under: runs, lines of the ledger, what was closed or ended. It is read
// with the books of whoever stays.

// ErrMerged is the fault of writing about somebody whose books are another's now.
var ErrMerged = fmt.Errorf("this person was merged into another: %w", dayone.ErrConflict)

// hers is a condition, to be given the number of its argument: a column names a person, or somebody merged into her.
func hers(column string) string {
	return column + ` IN (SELECT CAST($%[1]d AS TEXT) UNION ALL SELECT id FROM person WHERE merged = $%[1]d AND merged <> '')`
}

// Merger is what a merge does. Row, Marks and Facts are as of the two together.
type Merger struct {
	dayone.Merge
	Row     Row
	Marks   []string
	Facts   []dayone.Fact // that keep the names of whoever stays over what comes
	Names   []Name
	Tasks   []dayone.Task                                    // for what nobody can join but a human
	Once    func(dayone.PersonID, dayone.Key, string) string // names a question to those who approve: person, thing, role
	Records []dayone.Record
}

// Splitter takes a merge back, or makes a person of one employment where none brought it.
type Splitter struct {
	Merge   dayone.Merge // ID "": none
	Person  dayone.PersonID
	Off     dayone.PersonID
	Move    []dayone.EngagementID
	Stay    []string // names that we made stay with Person though they lie with an employment that goes
	Names   []Name   // that are Off's then
	At      time.Time
	Rows    [2]Row // of Person, of Off
	Marks   [2][]string
	Once    func(dayone.PersonID, dayone.Key, string) string
	Records []dayone.Record
}

// mergeBox is what a merge says, and what it moved.
type mergeBox struct {
	By, Reason, UndoneBy, Why string
	Engagements               []dayone.EngagementID
	Moved                     map[string][]string // ids by table
	Ended                     map[string][]string // what would have stood twice, by table
	Next                      map[string]int64    // when those who decide about one of it would have heard again
	Systems                   []string            // whose account moved
	Own                       []string            // what the one who stays had of them herself
	Aside                     []asideHolding      // what was gone of hers and made room
	Added                     []addedFact
	Merged                    []dayone.PersonID // who pointed to the one who goes
	Managed                   bool              // the one who stays was
	OtherManaged              bool
	Certify, OtherCertify     int64
}

type (
	asideHolding struct {
		Key, System, Kind, Ref, State string
		Box                           string // under the key of whoever stays
	}
	addedFact struct {
		Engagement, Attr    string
		Effective, Recorded int64
	}
)

// movable are rows that stand and belong to somebody, with the boxes to be sealed anew. double is the column of which only one
// may stand for a person.
var movable = []struct{ table, id, stands, double, end, again string }{
	{"task", "id", "closed = 0", "once", "closed = $2", "closed = 0, done_box = ''"},
	{"approval", "id", "ended = 0", "once", "ended = $2, next = 0", "ended = 0, next = $2"},
	{"request", "id", "ended = 0", "key", "ended = $2", "ended = 0"},
	{"hold", "id", "ended = 0", "", "", ""},
	{"delegation", "id", "1 = 1", "", "", ""},
	{"held", "item", "released = 0", "", "", ""},
}

// PersonOfMerged is whose books hold what somebody had; "": her own do.
func (d *DB) PersonOfMerged(ctx context.Context, id dayone.PersonID) (dayone.PersonID, error) {
	var to dayone.PersonID
	err := d.read.QueryRowContext(ctx, `SELECT merged FROM person WHERE id = $1`, id).Scan(&to)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return to, err
}

// MergedInto are those whose books a person's hold.
func (d *DB) MergedInto(ctx context.Context, id dayone.PersonID) ([]dayone.PersonID, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT id FROM person WHERE merged = $1 AND merged <> '' ORDER BY id`, id)
	if err != nil {
		return nil, err
	}
	ids, err := collect(rows, scanText)
	return persons(ids), err
}

func persons(ids []string) (out []dayone.PersonID) {
	for _, id := range ids {
		out = append(out, dayone.PersonID(id))
	}
	return out
}

// Merges are those that a person stays of or goes with, the newest first.
func (d *DB) Merges(ctx context.Context, id dayone.PersonID) ([]dayone.Merge, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT m.id, m.person, m.other, m.made, m.undone, m.box, p.key_box FROM merge m LEFT JOIN person p ON p.id = m.person
		WHERE m.person = $1 OR m.other = $1 ORDER BY m.id DESC`, id)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (dayone.Merge, error) {
		m, _, err := d.scanMerge(s)
		return m, err
	})
}

func (d *DB) scanMerge(s interface{ Scan(...any) error }) (dayone.Merge, mergeBox, error) {
	var m dayone.Merge
	var b mergeBox
	var made, undone int64
	var box string
	var key sql.NullString
	if err := s.Scan(&m.ID, &m.Person, &m.Other, &made, &undone, &box, &key); err != nil {
		return m, b, err
	}
	m.Made, m.Undone = instant(made), instant(undone)
	if _, err := d.unseal(key, box, &b); err != nil {
		return m, b, fmt.Errorf("merge %s does not read: %w", m.ID, err)
	}
	m.By, m.Reason, m.UndoneBy, m.Why, m.Engagements = b.By, b.Reason, b.UndoneBy, b.Why, b.Engagements
	return m, b, nil
}

func (d *DB) putMerge(t *tx, m dayone.Merge, b mergeBox) error {
	b.By, b.Reason, b.UndoneBy, b.Why, b.Engagements = m.By, m.Reason, m.UndoneBy, m.Why, m.Engagements
	box, err := d.seal(t, m.Person, b)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO merge (id, person, other, made, undone, box) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET undone = excluded.undone, box = excluded.box`, m.ID, m.Person, m.Other, micros(m.Made), micros(m.Undone), box)
	if err != nil {
		return fmt.Errorf("writing merge: %w", err)
	}
	return nil
}

// mover moves what is one person's to another.
type mover struct {
	d        *DB
	t        *tx
	from, to dayone.PersonID
	old, new string // boxes of their keys
	once     func(dayone.PersonID, dayone.Key, string) string
}

func (d *DB) mover(t *tx, from, to dayone.PersonID, once func(dayone.PersonID, dayone.Key, string) string) (m mover, err error) {
	m = mover{d: d, t: t, from: from, to: to, once: once}
	if m.old, err = d.key(t, from); err != nil {
		return m, err
	}
	m.new, err = d.key(t, to)
	return m, err
}

// reseal puts what lies in a box under the key of whom it moves to.
func (m *mover) reseal(box string) (string, error) {
	if box == "" {
		return "", nil
	}
	plain, err := m.d.sealer.Open(m.old, box)
	if err != nil {
		return "", fmt.Errorf("a value of person %s does not read: %w", m.from, err)
	}
	box, err = m.d.sealer.Seal(m.new, plain)
	if errors.Is(err, dayone.ErrNotFound) { // her key is destroyed: nothing is kept
		return "", nil
	}
	return box, err
}

// texts are rows of text columns.
func (t *tx) texts(n int, query string, args ...any) (out [][]string, err error) {
	rows, err := t.conn.QueryContext(t.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	err = eachRow(rows, func(rows *sql.Rows) error {
		row, to := make([]string, n), make([]any, n)
		for i := range row {
			to[i] = &row[i]
		}
		out = append(out, row)
		return rows.Scan(to...)
	})
	return out, err
}

// together refuses to join or part people of whom something is in the way.
func (t *tx) together(ids ...dayone.PersonID) error {
	for _, id := range ids {
		var key, merged string
		switch err := t.row(`SELECT key_box, merged FROM person WHERE id = $1`, id).Scan(&key, &merged); {
		case err != nil:
			return notFound("person "+string(id), err)
		case key == "":
			return fmt.Errorf("person %s was erased: %w", id, dayone.ErrForbidden)
		case merged != "":
			return fmt.Errorf("person %s: %w", id, ErrMerged)
		}
		for q, why := range map[string]string{
			`SELECT 1 FROM run WHERE person = $1 AND state IN ` + active: "a run of theirs is under way",
			`SELECT 1 FROM legal_hold WHERE person = $1 AND ended = 0`:   "a legal hold stands",
		} {
			var one int
			switch err := t.row(q, id).Scan(&one); {
			case err == nil:
				return fmt.Errorf("person %s: %s: %w", id, why, dayone.ErrConflict)
			case !errors.Is(err, sql.ErrNoRows):
				return err
			}
		}
	}
	return nil
}

// Merge does it.
func (d *DB) Merge(ctx context.Context, m Merger) error {
	salt, err := d.nameSalt(ctx)
	if err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		if err := t.together(m.Person, m.Other); err != nil {
			return err
		}
		mv, err := d.mover(t, m.Other, m.Person, m.Once)
		if err != nil {
			return err
		}
		b := mergeBox{Moved: map[string][]string{}, Ended: map[string][]string{}, Next: map[string]int64{}}
		for _, do := range []func(*mergeBox) error{mv.people, mv.employments, mv.standing(m.Made), mv.things, mv.plain, mv.veiled} {
			if err := do(&b); err != nil {
				return fmt.Errorf("merging person %s: %w", m.Other, err)
			}
		}
		for _, e := range b.Moved["employment"] {
			m.Engagements = append(m.Engagements, dayone.EngagementID(e))
		}
		for _, f := range m.Facts {
			b.Added = append(b.Added, addedFact{string(f.Engagement), f.Attr, micros(f.Effective), micros(f.Recorded)})
		}
		if err := errors.Join(t.claim(salt, m.Person, m.Names), d.facts(t, m.Person, m.Facts)); err != nil {
			return err
		}
		if err := d.regather(t, m.Person); err != nil {
			return err
		}
		if err := errors.Join(d.saveRow(t, m.Row), t.keepMarks(m.Person, m.Marks), d.putMerge(t, m.Merge, b)); err != nil {
			return err
		}
		for _, task := range m.Tasks {
			if err := d.openTask(t, task, noStep); err != nil {
				return err
			}
		}
		return d.append(t, m.Records)
	})
}

// people makes the one id point to the other: she is in no list any more, and nobody plans her.
func (m *mover) people(b *mergeBox) error {
	var own, other int
	if err := m.t.row(`SELECT managed FROM person WHERE id = $1`, m.to).Scan(&own); err != nil {
		return err
	}
	if err := m.t.row(`SELECT managed FROM person WHERE id = $1`, m.from).Scan(&other); err != nil {
		return err
	}
	b.Managed, b.OtherManaged = own != 0, other != 0
	ids, err := m.t.texts(1, `SELECT id FROM person WHERE merged = $1 AND merged <> '' ORDER BY id`, m.from)
	if err != nil {
		return err
	}
	for _, id := range ids {
		b.Merged = append(b.Merged, dayone.PersonID(id[0]))
	}
	for id, at := range map[dayone.PersonID]*int64{m.to: &b.Certify, m.from: &b.OtherCertify} {
		if err := m.t.row(`SELECT at FROM certificate_due WHERE person = $1`, id).Scan(at); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	if _, err := m.t.exec(`DELETE FROM person_word WHERE person = $1`, m.from); err != nil {
		return err
	}
	for _, q := range []string{
		`UPDATE person SET merged = $2 WHERE merged = $1 AND merged <> ''`,
		`UPDATE person SET merged = $2, managed = 0, wake = 0, search = '', email = '', manager = '', title = '', department = '', team = '', location = '', country = '', company = '', status = 'merged', starts = 0, ends = 0,
			buddy = '', problem = '', veil = 0, unveil = 0 WHERE id = $1`,
	} {
		if _, err := m.t.exec(q, m.from, m.to); err != nil {
			return err
		}
	}
	for _, q := range []string{`DELETE FROM certificate_due WHERE person = $1`, `DELETE FROM drift WHERE person = $1`, `DELETE FROM ready WHERE person = $1`} { // the next reading finds drift as hers; she has one first day
		if _, err := m.t.exec(q, m.from); err != nil {
			return err
		}
	}
	return nil
}

// employments move with every fact about them, and with what hangs on the source's id.
func (m *mover) employments(b *mergeBox) error {
	ids, err := m.t.texts(1, `SELECT id FROM employment WHERE person = $1 ORDER BY id`, m.from)
	if err != nil {
		return err
	}
	for _, id := range ids {
		b.Moved["employment"] = append(b.Moved["employment"], id[0])
		if err := m.employment(id[0], nil); err != nil {
			return err
		}
	}
	return nil
}

// employment moves one; of it, what we made of the attributes that stay does not.
func (m *mover) employment(id string, stay []string) error {
	if _, err := m.t.exec(`UPDATE employment SET person = $2 WHERE id = $3 AND person = $1`, m.from, m.to, id); err != nil {
		return err
	}
	if err := m.facts(id, stay); err != nil {
		return err
	}
	for _, q := range []string{
		`UPDATE prehire SET person = $2 WHERE person = $1 AND engagement = $3`,
		`UPDATE absent SET person = $2 WHERE person = $1 AND EXISTS (SELECT 1 FROM employment e WHERE e.id = $3 AND e.source = absent.source AND e.source_id = absent.subject)`,
		`UPDATE brake_missing SET person = $2 WHERE person = $1 AND EXISTS (SELECT 1 FROM employment e JOIN brake b ON b.scope = 'source:' || e.source
			WHERE e.id = $3 AND b.id = brake_missing.brake AND e.source_id = brake_missing.subject)`,
		`UPDATE suspicion SET person = $2 WHERE person = $1 AND EXISTS (SELECT 1 FROM employment e WHERE e.id = $3 AND e.source = suspicion.source AND e.source_id = suspicion.subject)`,
	} {
		if _, err := m.t.exec(q, m.from, m.to, id); err != nil {
			return err
		}
	}
	return nil
}

func (m *mover) facts(engagement string, stay []string) error {
	type fact struct {
		attr, box, source   string
		effective, recorded int64
	}
	var facts []fact
	rows, err := m.t.conn.QueryContext(m.t.ctx, `SELECT attr, box, source, effective, recorded FROM fact WHERE person = $1 AND engagement = $2`, m.from, engagement)
	if err != nil {
		return err
	}
	if err := eachRow(rows, func(rows *sql.Rows) error {
		var f fact
		err := rows.Scan(&f.attr, &f.box, &f.source, &f.effective, &f.recorded)
		facts = append(facts, f)
		return err
	}); err != nil {
		return err
	}
	for _, f := range facts {
		if f.source == "dayone" && slices.Contains(stay, f.attr) {
			continue
		}
		box, err := m.reseal(f.box)
		if err != nil {
			return err
		}
		if _, err := m.t.exec(`UPDATE fact SET person = $2, box = $3 WHERE person = $1 AND engagement = $4 AND attr = $5 AND effective = $6 AND recorded = $7`,
			m.from, m.to, box, engagement, f.attr, f.effective, f.recorded); err != nil {
			return err
		}
	}
	return nil
}

// standing moves what somebody is to do or decide about her. What stands of both already ends.
func (m *mover) standing(at time.Time) func(*mergeBox) error {
	return func(b *mergeBox) error {
		for _, k := range movable {
			double := "''"
			if k.double != "" {
				double = k.double
			}
			rows, err := m.t.texts(2, `SELECT `+k.id+`, `+double+` FROM `+k.table+` WHERE person = $1 AND `+k.stands+` ORDER BY `+k.id, m.from)
			if err != nil {
				return err
			}
			for _, r := range rows {
				switch moved, err := m.row(k.table, k.id, r[0], k.double, k.stands); {
				case err != nil:
					return err
				case moved:
					b.Moved[k.table] = append(b.Moved[k.table], r[0])
					continue
				}
				b.Ended[k.table] = append(b.Ended[k.table], r[0])
				if k.table == "approval" {
					var next int64
					if err := m.t.row(`SELECT next FROM approval WHERE id = $1`, r[0]).Scan(&next); err != nil {
						return err
					}
					b.Next[r[0]] = next
				}
				if _, err := m.t.exec(`UPDATE `+k.table+` SET `+k.end+` WHERE `+k.id+` = $1`, r[0], micros(at)); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// row moves one row, unless one for the same stands already where it goes.
func (m *mover) row(table, id, is, double, stands string) (bool, error) {
	name, second := double, "''"
	if name == "" {
		name = "''"
	}
	key := "''"
	switch table {
	case "task":
		second = "done_box"
	case "approval":
		key = "key"
	}
	rows, err := m.t.texts(4, `SELECT `+name+`, box, `+second+`, `+key+` FROM `+table+` WHERE `+id+` = $1 AND person = $2`, is, m.from)
	if err != nil || len(rows) == 0 {
		return err == nil, err // it went another way meanwhile
	}
	r := rows[0]
	switch table {
	case "task":
		r[0] = strings.ReplaceAll(r[0], string(m.from), string(m.to))
	case "approval":
		var a approvalBox
		if _, err := m.d.unseal(sql.NullString{String: m.old, Valid: true}, r[1], &a); err != nil {
			return false, err
		}
		k, err := dayone.ParseKey(r[3])
		if err != nil {
			return false, err
		}
		r[0] = m.once(m.to, k, a.Role)
	}
	if double != "" {
		var one int
		switch err := m.t.row(`SELECT 1 FROM `+table+` WHERE person = $1 AND `+double+` = $2 AND `+stands, m.to, r[0]).Scan(&one); {
		case err == nil:
			return false, nil
		case !errors.Is(err, sql.ErrNoRows):
			return false, err
		}
	}
	box, err := m.reseal(r[1])
	if err != nil {
		return false, err
	}
	set, args := `person = $2, box = $3`, []any{is, m.to, box}
	if double != "" {
		args = append(args, r[0])
		set += fmt.Sprintf(", %s = $%d", double, len(args))
	}
	if table == "task" {
		done, err := m.reseal(r[2])
		if err != nil {
			return false, err
		}
		args = append(args, done)
		set += fmt.Sprintf(", done_box = $%d", len(args))
	}
	_, err = m.t.exec(`UPDATE `+table+` SET `+set+` WHERE `+id+` = $1`, args...)
	return true, err
}

// plain moves what has no box: by what she is asked and found. What is there already stays.
func (m *mover) plain(b *mergeBox) error {
	for table, id := range map[string]string{"review": "key", "pass": "key", "name": "digest"} {
		free := ` AND NOT EXISTS (SELECT 1 FROM ` + table + ` o WHERE o.person = $2 AND o.` + id + ` = ` + table + `.` + id + `)`
		if table == "name" {
			free = ` AND CAST($2 AS TEXT) <> ''`
		}
		rows, err := m.t.texts(1, `SELECT `+id+` FROM `+table+` WHERE person = $1`+free, m.from, m.to)
		if err != nil {
			return err
		}
		for _, r := range rows {
			b.Moved[table] = append(b.Moved[table], r[0])
		}
		if err := m.named(table, "person", id, b.Moved[table]); err != nil {
			return err
		}
	}
	rows, err := m.t.texts(1, `SELECT id FROM delegation WHERE delegate = $1`, m.from)
	if err != nil {
		return err
	}
	for _, r := range rows {
		b.Moved["delegate"] = append(b.Moved["delegate"], r[0])
	}
	if err := m.named("delegation", "delegate", "id", b.Moved["delegate"]); err != nil {
		return err
	}
	return m.numbers(b)
}

func (m *mover) named(table, column, id string, which []string) error {
	for _, is := range which {
		if _, err := m.t.exec(`UPDATE `+table+` SET `+column+` = $2 WHERE `+column+` = $1 AND `+id+` = $3`, m.from, m.to, is); err != nil {
			return err
		}
	}
	return nil
}

// veiled moves what is kept back of her until everybody may know it.
func (m *mover) veiled(b *mergeBox) error {
	rows, err := m.t.texts(1, `SELECT id FROM event WHERE person = $1 AND veiled = 1`, m.from)
	if err != nil {
		return err
	}
	for _, r := range rows {
		b.Moved["event"] = append(b.Moved["event"], r[0])
	}
	return m.unspoken(b.Moved["event"])
}

func (m *mover) unspoken(events []string) error {
	for _, id := range events {
		rows, err := m.t.texts(2, `SELECT CAST(number AS TEXT), box FROM veiled_record WHERE event = $1 AND person = $2`, id, m.from)
		if err != nil {
			return err
		}
		for _, r := range rows {
			box, err := m.reseal(r[1])
			if err != nil {
				return err
			}
			if _, err := m.t.exec(`UPDATE veiled_record SET person = $2, box = $3 WHERE event = $1 AND CAST(number AS TEXT) = $4`, id, m.to, box, r[0]); err != nil {
				return err
			}
		}
	}
	return m.named("event", "person", "id", events)
}

// regather makes the box of a person's timeline anew from what lies there now.
func (d *DB) regather(t *tx, id dayone.PersonID) error {
	if _, err := t.exec(`DELETE FROM timeline WHERE person = $1`, id); err != nil {
		return err
	}
	g, err := d.gatheredOf(t, id)
	if err != nil {
		return err
	}
	return d.saveGathered(t, id, g)
}

// Brought is what a merge brought of what somebody has.
func (d *DB) Brought(ctx context.Context, id dayone.MergeID) (out []dayone.Key, err error) {
	_, b, err := d.scanMerge(d.read.QueryRowContext(ctx, `SELECT m.id, m.person, m.other, m.made, m.undone, m.box, p.key_box FROM merge m LEFT JOIN person p ON p.id = m.person WHERE m.id = $1`, id))
	if err != nil {
		return nil, notFound("merge "+string(id), err)
	}
	for _, text := range b.Moved["holding"] {
		k, err := dayone.ParseKey(text)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

var recordTable = table{"record", []string{"seq", "at", "person", "run", "system", "what", "leaf", "chain", "box"}, nil}

// append puts records at the end of the ledger. Only the writer knows the end.
func (d *DB) append(t *tx, records []dayone.Record) error {
	return (&bulk{t: t, d: d, records: records}).flush()
}

// ledgerEnd finds the last line, once.
func (d *DB) ledgerEnd(t *tx) error {
	if d.beside {
		return fmt.Errorf("only the server writes the ledger: %w", dayone.ErrUnsupported)
	}
	if t.loaded {
		return nil
	}
	err := t.row(`SELECT seq, chain FROM record ORDER BY seq DESC LIMIT 1`).Scan(&t.seq, &t.chain)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("finding the end of the ledger: %w", err)
	}
	t.loaded = true
	return nil
}

// Where chainUp finds things in a row of a record.
const (
	leafColumn  = 6
	chainColumn = 7
)

// leaves makes the rows of records, but for their chain, which needs those before.
func (d *DB) leaves(s *segment, keys map[dayone.PersonID]string) error {
	s.rows = make([]any, 0, len(s.records)*len(recordTable.columns))
	for i := range s.records {
		r := &s.records[i]
		seq := s.seq + int64(i)
		leaf, detail, err := d.sealer.Leaf(seq, *r)
		if err != nil {
			return fmt.Errorf("making a ledger line: %w", err)
		}
		box := ""
		if detail != nil {
			if box, err = d.sealer.Seal(keys[r.Person], detail); err != nil && !errors.Is(err, dayone.ErrNotFound) {
				return fmt.Errorf("sealing a ledger detail: %w", err)
			}
		}
		s.rows = append(s.rows, seq, micros(r.At), string(r.Person), string(r.Run), r.System, r.What, leaf, "", box)
	}
	return nil
}

// chainUp ties rows to the end of the ledger, which they then are.
func (t *tx) chainUp(s Sealer, rows []any) {
	for row := range slices.Chunk(rows, len(recordTable.columns)) {
		t.chain = s.Chain(t.chain, row[leafColumn].(string))
		row[chainColumn] = t.chain
		t.seq++
	}
}

// key is the box of a person's key.
func (d *DB) key(t *tx, person dayone.PersonID) (string, error) {
	one := map[dayone.PersonID]string{person: ""}
	err := d.keys(t, one)
	return one[person], err
}

// keys fills in the boxes of people's keys. What is about nobody is kept under the key of nobody.
func (d *DB) keys(t *tx, people map[dayone.PersonID]string) error {
	if len(t.keys)+len(people) > keptKeys {
		clear(t.keys)
	}
	var unknown []any
	for person := range people {
		box, there := t.keys[person]
		if people[person] = box; !there {
			unknown = append(unknown, string(person))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	found := 0
	var person dayone.PersonID
	var box string
	if err := t.each(`SELECT id, key_box FROM person WHERE id IN `, unknown, []any{&person, &box}, func() {
		t.keys[person], people[person] = box, box
		found++
	}); err != nil {
		return fmt.Errorf("reading people's keys: %w", err)
	}
	if found == len(unknown) {
		return nil
	}
	nobody, err := d.nobody(t)
	if err != nil {
		return err
	}
	for _, v := range unknown {
		person := dayone.PersonID(v.(string))
		if _, there := t.keys[person]; !there {
			t.keys[person], people[person] = nobody, nobody
		}
	}
	return nil
}

// keptKeys are the boxes of people's keys that the writer remembers.
const keptKeys = 4096

// nobody is the box of the key for what is about nobody, made once.
func (d *DB) nobody(t *tx) (string, error) {
	var box string
	err := t.row(`SELECT value FROM meta WHERE key = 'key_box'`).Scan(&box)
	if errors.Is(err, sql.ErrNoRows) {
		if box, err = d.sealer.NewKey(); err != nil {
			return "", err
		}
		_, err = t.exec(`INSERT INTO meta (key, value) VALUES ('key_box', $1)`, box)
	}
	if err != nil {
		return "", fmt.Errorf("reading the key of nobody: %w", err)
	}
	return box, nil
}

// NewestInstant is the latest instant that the books know: that of the newest line of the ledger, or of the newest event.
func (d *DB) NewestInstant(ctx context.Context) (time.Time, error) {
	var newest int64
	for _, query := range []string{`SELECT at FROM record ORDER BY seq DESC LIMIT 1`, `SELECT received FROM event ORDER BY id DESC LIMIT 1`} {
		var at int64
		if err := d.read.QueryRowContext(ctx, query).Scan(&at); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return time.Time{}, fmt.Errorf("reading the newest instant: %w", err)
		}
		newest = max(newest, at)
	}
	return instant(newest), nil
}

// Record appends records that no run makes: administrative acts.
func (d *DB) Record(ctx context.Context, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error { return d.append(t, records) })
}

// Line is a ledger line as it lies in the books.
type Line struct {
	Seq    int64
	At     int64 // microseconds
	Person dayone.PersonID
	Run    dayone.RunID
	System string
	What   string
	Leaf   string
	Chain  string
	Detail []byte // opened; nil if there is none, or it was erased
	Erased bool
}

// RecordFilter narrows a list of records.
type RecordFilter struct {
	Person dayone.PersonID
	Run    dayone.RunID
	System string
	Before int64 // only older ones
	Limit  int
	Detail bool     // open what the system confirmed
	Told   []string // records of which the detail is opened in any case
	Within dayone.Scope
}

// Records lists ledger lines, newest first.
func (d *DB) Records(ctx context.Context, f RecordFilter) ([]Line, error) {
	q := `SELECT r.seq, r.at, r.person, r.run, r.system, r.what, r.leaf, r.chain, r.box, p.key_box FROM record r LEFT JOIN person p ON p.id = r.person WHERE 1 = 1`
	var args []any
	add := func(cond string, arg any) {
		args = append(args, arg)
		q += fmt.Sprintf(" AND "+cond, len(args))
	}
	if f.Person != "" {
		add(hers("r.person"), f.Person)
	}
	if f.Run != "" {
		add("r.run = $%d", f.Run)
	}
	if f.System != "" {
		add("r.system = $%d", f.System)
	}
	if f.Before > 0 {
		add("r.seq < $%d", f.Before)
	}
	if !f.Within.Whole() {
		arg := func(v any) string {
			args = append(args, v)
			return fmt.Sprintf("$%d", len(args))
		}
		few, err := d.few(ctx, f.Within, "r.person", arg)
		if err != nil {
			return nil, err
		}
		q += " AND " + few + " AND " + within(f.Within, "p", "r.system", arg)
	}
	if f.Limit <= 0 {
		f.Limit = 100
	}
	args = append(args, f.Limit)
	rows, err := d.read.QueryContext(ctx, q+fmt.Sprintf(" ORDER BY r.seq DESC LIMIT $%d", len(args)), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Line
	for rows.Next() {
		var l Line
		var box string
		var key sql.NullString
		if err := rows.Scan(&l.Seq, &l.At, &l.Person, &l.Run, &l.System, &l.What, &l.Leaf, &l.Chain, &box, &key); err != nil {
			return nil, err
		}
		if box != "" && (f.Detail || slices.Contains(f.Told, l.What)) {
			if !key.Valid { // it is about nobody
				key.String = d.bodyKey
			}
			l.Detail, err = d.sealer.Open(key.String, box)
			if l.Erased = errors.Is(err, dayone.ErrNotFound); err != nil && !l.Erased {
				return nil, err
			}
		}
		out = append(out, l)
	}
	return out, rows.Err()
}

// Ledger streams every line from the first, for verification.
func (d *DB) Ledger(ctx context.Context) iter.Seq2[Line, error] { return d.LedgerFrom(ctx, 0) }

// ledgerPage is how many lines are read at once: a reading that lasts would keep SQLite's log from coming home.
const ledgerPage = 2000

// LedgerFrom streams the lines from one on, as they lie in the books: nothing of them is opened.
func (d *DB) LedgerFrom(ctx context.Context, from int64) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		for {
			page, err := d.ledgerPage(ctx, from)
			if err != nil {
				yield(Line{}, err)
				return
			}
			for _, l := range page {
				if !yield(l, nil) {
					return
				}
			}
			if len(page) < ledgerPage {
				return
			}
			from = page[len(page)-1].Seq + 1
		}
	}
}

func (d *DB) ledgerPage(ctx context.Context, from int64) ([]Line, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT seq, at, person, run, system, what, leaf, chain FROM record WHERE seq >= $1 ORDER BY seq LIMIT $2`, from, ledgerPage)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make([]Line, 0, ledgerPage)
	for rows.Next() {
		var l Line
		if err := rows.Scan(&l.Seq, &l.At, &l.Person, &l.Run, &l.System, &l.What, &l.Leaf, &l.Chain); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, rows.Err()
}

// CountRecords is the number of ledger lines.
func (d *DB) CountRecords(ctx context.Context) (int64, error) {
	var n sql.NullInt64
	err := d.read.QueryRowContext(ctx, `SELECT MAX(seq) FROM record`).Scan(&n)
	return n.Int64, err
}

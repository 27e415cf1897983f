package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// The ledger of telephone numbers. Whoever changes it reads and writes in one transaction of the writer, so that what was
// decided is decided about what stands: no number is given to two.

// Numbers is the ledger as one transaction sees it, or, to read, as it stands.
type Numbers struct {
	d     *DB
	ctx   context.Context
	t     *tx // nil: to read only
	wrote bool
}

var (
	numberTable      = table{"number", []string{"id", "pool", "block", "platform", "part", "pattern", "e164", "tail", "state", "since", "used", "until", "owner", "last", "vanity", "confirmed", "box"}, []string{"id"}}
	numberEventTable = table{"number_event", []string{"number", "seq", "at", "what", "was", "state", "person", "author", "box"}, nil}
)

const numberColumns = `id, pool, block, platform, part, pattern, e164, state, since, used, until, owner, last, vanity, confirmed, box`

// ChangeNumbers runs change in one transaction. It may run twice; an error writes nothing of it.
func (d *DB) ChangeNumbers(ctx context.Context, change func(*Numbers) error) error {
	var refused error
	err := d.write(ctx, func(t *tx) error {
		n := &Numbers{d: d, ctx: t.ctx, t: t}
		refused = change(n)
		if !n.wrote {
			return nil // a refusal need not take those with it that are written in the same commit
		}
		return refused
	})
	return errors.Join(err, differs(refused, err))
}

func differs(refused, err error) error {
	if err != nil {
		return nil
	}
	return refused
}

// ReadNumbers is the ledger to read.
func (d *DB) ReadNumbers(ctx context.Context) *Numbers { return &Numbers{d: d, ctx: ctx} }

// ReadsOnly says that nothing is written through it, so that all it reads is committed.
func (n *Numbers) ReadsOnly() bool { return n.t == nil }

func (n *Numbers) row(query string, args ...any) *sql.Row {
	if n.t != nil {
		return n.t.row(query, args...)
	}
	return n.d.read.QueryRowContext(n.ctx, query, args...)
}

func (n *Numbers) rows(query string, args ...any) (*sql.Rows, error) {
	if n.t == nil {
		return n.d.read.QueryContext(n.ctx, query, args...)
	}
	s, err := n.t.prepare(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(n.ctx, args...)
}

// nobodysKey is what opens boxes about nobody in the books.
func (n *Numbers) nobodysKey() sql.NullString {
	return sql.NullString{String: n.d.bodyKey, Valid: true}
}

func (n *Numbers) scan(s interface{ Scan(...any) error }) (dayone.Number, error) {
	var x dayone.Number
	var since, used, until, confirmed int64
	var vanity int
	var box string
	if err := s.Scan(&x.ID, &x.Pool, &x.Range, &x.Platform, &x.Partition, &x.Pattern, &x.E164, &x.State, &since, &used, &until, &x.Owner, &x.Last, &vanity, &confirmed, &box); err != nil {
		return x, err
	}
	x.Since, x.Used, x.Until, x.Confirmed, x.Vanity = instant(since), instant(used), instant(until), instant(confirmed), vanity != 0
	if box == "" {
		return x, nil
	}
	_, err := n.d.unseal(n.nobodysKey(), box, &x.For)
	return x, err
}

func (n *Numbers) some(query string, args ...any) ([]dayone.Number, error) {
	rows, err := n.rows(`SELECT `+numberColumns+` FROM number WHERE `+query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading numbers: %w", err)
	}
	return collect(rows, n.scan)
}

// Number is one of them.
func (n *Numbers) Number(id dayone.NumberID) (dayone.Number, error) {
	x, err := n.scan(n.row(`SELECT `+numberColumns+` FROM number WHERE id = $1`, id))
	return x, notFound("number "+string(id), err)
}

// Known are those of some numbers that are in the books.
func (n *Numbers) Known(ids []dayone.NumberID) (map[dayone.NumberID]dayone.Number, error) {
	out := make(map[dayone.NumberID]dayone.Number, len(ids))
	for page := range slices.Chunk(ids, 64) {
		marks, args := make([]string, len(page)), make([]any, len(page))
		for i, id := range page {
			marks[i], args[i] = fmt.Sprintf("$%d", i+1), string(id)
		}
		list, err := n.some(`id IN (`+strings.Join(marks, ",")+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			out[x.ID] = x
		}
	}
	return out, nil
}

// Of are the numbers that a person has, is kept, or had last.
func (n *Numbers) Of(person dayone.PersonID) (own, before []dayone.Number, err error) {
	if own, err = n.some(`owner = $1 AND owner <> '' ORDER BY since, id`, person); err != nil {
		return nil, nil, err
	}
	before, err = n.some(`last = $1 AND last <> '' AND owner = '' ORDER BY used DESC, id`, person)
	return own, before, err
}

// Awaited are those that are reserved for somebody who is in no books yet.
func (n *Numbers) Awaited(pool string) ([]dayone.Number, error) {
	return n.some(`pool = $1 AND state = 'reserved' AND owner = '' ORDER BY since, id`, pool)
}

// Next is the one of each range that is available for longest, and may be given without being asked for.
func (n *Numbers) Next(pool string, blocks []string) (out []dayone.Number, err error) {
	for _, block := range blocks {
		list, err := n.some(`pool = $1 AND block = $2 AND state = 'available' AND vanity = 0 ORDER BY used, id LIMIT 1`, pool, block)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// Ending are available numbers of a pool that end in some digits.
func (n *Numbers) Ending(pool, digits string, limit int) ([]dayone.Number, error) {
	tail := reversed(digits)
	return n.some(`tail >= $2 AND tail <= $3 AND pool = $1 AND state = 'available' ORDER BY used, id LIMIT $4`, pool, tail, tail+"99999999999999999999", limit)
}

// Patterned are two, at most, of the numbers that platforms store as some digits.
func (n *Numbers) Patterned(digits string) ([]dayone.Number, error) {
	return n.some(`tail >= $2 AND tail <= $3 AND pattern = $1 ORDER BY id LIMIT 2`, digits, reversed(digits), reversed(digits)+"99999999999999999999")
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// Put writes numbers as they are now. ErrConflict: another has its pattern or its E.164 form.
func (n *Numbers) Put(list ...dayone.Number) error {
	n.wrote = true
	rows := make([]any, 0, len(list)*len(numberTable.columns))
	for _, x := range list {
		box := ""
		if x.For != (dayone.NumberNote{}) {
			var err error
			if box, err = n.d.sealUnder(n.d.bodyKey, x.For); err != nil {
				return err
			}
		}
		rows = append(rows, string(x.ID), x.Pool, x.Range, x.Platform, x.Partition, x.Pattern, x.E164, reversed(x.Digits()), string(x.State),
			micros(x.Since), micros(x.Used), micros(x.Until), string(x.Owner), string(x.Last), truth(x.Vanity), micros(x.Confirmed), box)
	}
	err := n.t.put(numberTable, rows)
	if taken(err) {
		return fmt.Errorf("a number is in the books already with this pattern on its platform: %w", dayone.ErrConflict)
	}
	return err
}

// Tell adds lines to the histories of numbers, and puts records into the ledger; those of whom nobody may know are kept back
// until everybody may.
func (n *Numbers) Tell(events []dayone.NumberEvent, records ...dayone.Record) error {
	n.wrote = true
	last := map[dayone.NumberID]int{}
	rows := make([]any, 0, len(events)*len(numberEventTable.columns))
	for _, e := range events {
		seq, ok := last[e.Number]
		if !ok {
			if err := n.t.row(`SELECT COALESCE(MAX(seq), 0) FROM number_event WHERE number = $1`, e.Number).Scan(&seq); err != nil {
				return err
			}
		}
		last[e.Number] = seq + 1
		box := ""
		if e.Note != "" {
			var err error
			if box, err = n.d.seal(n.t, e.Person, e.Note); err != nil {
				return err
			}
		}
		rows = append(rows, string(e.Number), seq+1, micros(e.At), e.What, string(e.From), string(e.To), string(e.Person), e.By, box)
	}
	if err := n.t.put(numberEventTable, rows); err != nil {
		return err
	}
	open := make([]dayone.Record, 0, len(records))
	for _, r := range records {
		event, err := n.t.veiledBy(r.Person)
		switch {
		case err != nil:
			return err
		case event == "":
			open = append(open, r)
		default:
			if err := n.d.hush(n.t, event, r.Person, []dayone.Record{r}); err != nil {
				return err
			}
		}
	}
	return n.d.append(n.t, open)
}

// veiledBy is the event that keeps all of somebody from others, with which what is recorded of her is kept back; "": none does.
func (t *tx) veiledBy(person dayone.PersonID) (event dayone.EventID, err error) {
	if person == "" {
		return "", nil
	}
	err = t.row(`SELECT e.id FROM person p JOIN event e ON e.person = p.id AND e.veiled = 1 WHERE p.id = $1 AND p.veil = $2 ORDER BY e.id DESC LIMIT 1`, person, int(dayone.WholeVeiled)).Scan(&event)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return event, err
}

// Begin adds the first line of the histories of numbers that are new.
func (n *Numbers) Begin(list []dayone.Number, what, by string, at time.Time) error {
	rows := make([]any, 0, len(list)*len(numberEventTable.columns))
	for _, x := range list {
		rows = append(rows, string(x.ID), 1, micros(at), what, "", string(x.State), string(x.Owner), by, "")
	}
	return n.t.put(numberEventTable, rows)
}

// Shown are the places where a number rings besides at its owner's.
func (n *Numbers) Shown(id dayone.NumberID) ([]dayone.Appearance, error) {
	rows, err := n.rows(`SELECT s.number, s.slot, s.role, s.person, s.since, s.box, p.key_box FROM number_shown s LEFT JOIN person p ON p.id = s.person WHERE s.number = $1 ORDER BY s.slot`, id)
	if err != nil {
		return nil, err
	}
	return collect(rows, n.scanShown)
}

// ShownAt are the numbers that ring at a person besides at their owner's.
func (n *Numbers) ShownAt(person dayone.PersonID) ([]dayone.Appearance, error) {
	rows, err := n.rows(`SELECT s.number, s.slot, s.role, s.person, s.since, s.box, p.key_box FROM number_shown s LEFT JOIN person p ON p.id = s.person WHERE s.person = $1 AND s.person <> '' ORDER BY s.number, s.slot`, person)
	if err != nil {
		return nil, err
	}
	return collect(rows, n.scanShown)
}

func (n *Numbers) scanShown(s interface{ Scan(...any) error }) (dayone.Appearance, error) {
	var a dayone.Appearance
	var since int64
	var box string
	var key sql.NullString
	if err := s.Scan(&a.Number, &a.Slot, &a.Role, &a.Person, &since, &box, &key); err != nil {
		return a, err
	}
	a.Since = instant(since)
	_, err := n.d.unseal(key, box, &a.Device)
	return a, err
}

// Show adds a place to a number; Hide takes one away.
func (n *Numbers) Show(a dayone.Appearance) (int, error) {
	n.wrote = true
	if err := n.t.row(`SELECT COALESCE(MAX(slot), 0) + 1 FROM number_shown WHERE number = $1`, a.Number).Scan(&a.Slot); err != nil {
		return 0, err
	}
	box, err := n.d.seal(n.t, a.Person, a.Device)
	if err != nil {
		return 0, err
	}
	_, err = n.t.exec(`INSERT INTO number_shown (number, slot, role, person, since, box) VALUES ($1, $2, $3, $4, $5, $6)`, string(a.Number), a.Slot, string(a.Role), string(a.Person), micros(a.Since), box)
	return a.Slot, err
}

// Hide takes a place away from a number.
func (n *Numbers) Hide(id dayone.NumberID, slot int) error {
	n.wrote = true
	res, err := n.t.exec(`DELETE FROM number_shown WHERE number = $1 AND slot = $2`, string(id), slot)
	if err != nil {
		return err
	}
	if k, err := res.RowsAffected(); err != nil || k == 0 {
		return errors.Join(err, fmt.Errorf("%s is not shown at place %d: %w", id, slot, dayone.ErrNotFound))
	}
	return nil
}

// History is what became of a number, the newest first.
func (n *Numbers) History(id dayone.NumberID, limit int) ([]dayone.NumberEvent, error) {
	rows, err := n.rows(`SELECT e.number, e.seq, e.at, e.what, e.was, e.state, e.person, e.author, e.box, p.key_box FROM number_event e LEFT JOIN person p ON p.id = e.person
		WHERE e.number = $1 ORDER BY e.seq DESC LIMIT $2`, id, limit)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (dayone.NumberEvent, error) {
		var e dayone.NumberEvent
		var at int64
		var box string
		var key sql.NullString
		if err := s.Scan(&e.Number, &e.Seq, &at, &e.What, &e.From, &e.To, &e.Person, &e.By, &box, &key); err != nil {
			return e, err
		}
		e.At = instant(at)
		_, err := n.d.unseal(key, box, &e.Note)
		return e, err
	})
}

// Lapsed are numbers whose timer is over, those for longest first.
func (n *Numbers) Lapsed(now time.Time, limit int) ([]dayone.Number, error) {
	return n.some(`state IN ('reserved', 'quarantine') AND until > 0 AND until <= $1 ORDER BY until, id LIMIT $2`, micros(now), limit)
}

// NumberCount is how many numbers of a range are in a state.
type NumberCount struct {
	Pool, Range string
	State       dayone.NumberState
	Vanity      bool
	N           int
}

// Count counts numbers.
func (n *Numbers) Count() ([]NumberCount, error) {
	rows, err := n.rows(`SELECT pool, block, state, vanity, COUNT(*) FROM number GROUP BY pool, block, state, vanity ORDER BY pool, block, state, vanity`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (c NumberCount, err error) {
		vanity := 0
		err = s.Scan(&c.Pool, &c.Range, &c.State, &vanity, &c.N)
		c.Vanity = vanity != 0
		return c, err
	})
}

// Turnover counts, by pool, what was taken and what came back since an instant.
func (n *Numbers) Turnover(since time.Time) (taken, returned map[string]int, err error) {
	taken, returned = map[string]int{}, map[string]int{}
	rows, err := n.rows(`SELECT x.pool, e.what, COUNT(*) FROM number_event e JOIN number x ON x.id = e.number
		WHERE e.at >= $1 AND (e.what = 'assigned' OR e.what = 'released' AND e.was = 'assigned') GROUP BY x.pool, e.what`, micros(since))
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var pool, what string
		var k int
		if err := rows.Scan(&pool, &what, &k); err != nil {
			return nil, nil, err
		}
		if what == "assigned" {
			taken[pool] += k
		} else {
			returned[pool] += k
		}
	}
	return taken, returned, rows.Err()
}

// Coming are the instants at which numbers of a pool that rest, or are kept for nobody in particular, become available.
func (n *Numbers) Coming(pool string, until time.Time) ([]time.Time, error) {
	rows, err := n.rows(`SELECT until FROM number WHERE pool = $1 AND state = 'quarantine' AND until <= $2 AND vanity = 0 ORDER BY until`, pool, micros(until))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (time.Time, error) {
		var us int64
		err := s.Scan(&us)
		return instant(us), err
	})
}

// Rename puts the numbers of a range into another pool.
func (n *Numbers) Rename(from, to, block string) error {
	n.wrote = true
	_, err := n.t.exec(`UPDATE number SET pool = $2 WHERE pool = $1 AND block = $3`, from, to, block)
	return err
}

// NumberFilter narrows a list of numbers. After is the last one of the page before.
type NumberFilter struct {
	Pool, Range string
	State       dayone.NumberState
	Owner       dayone.PersonID
	Text        string // digits with which it ends, or begins after a +
	After       dayone.NumberID
	Limit       int
	Within      dayone.Scope // only those of people of it
}

// List lists numbers.
func (n *Numbers) List(f NumberFilter) ([]dayone.Number, error) {
	q := []string{"1 = 1"}
	var args []any
	add := func(cond string, v any) {
		args = append(args, v)
		q = append(q, strings.ReplaceAll(cond, "?", fmt.Sprintf("$%d", len(args))))
	}
	for _, c := range []struct{ cond, v string }{{"pool = ?", f.Pool}, {"block = ?", f.Range}, {"state = ?", string(f.State)}, {"owner = ?", string(f.Owner)}, {"id > ?", string(f.After)}} {
		if c.v != "" {
			add(c.cond, c.v)
		}
	}
	switch {
	case strings.HasPrefix(f.Text, "+"):
		add(`e164 LIKE ? ESCAPE '\'`, like(f.Text)+"%")
	case f.Text != "":
		tail := reversed(f.Text)
		add("tail >= ?", tail)
		add("tail <= ?", tail+"99999999999999999999")
	}
	if !f.Within.AllPeople() {
		q = append(q, "EXISTS (SELECT 1 FROM person has WHERE has.id = number.owner AND "+within(f.Within, "has", "", func(v any) string {
			args = append(args, v)
			return fmt.Sprintf("$%d", len(args))
		})+")")
	}
	args = append(args, f.Limit)
	return n.some(strings.Join(q, " AND ")+fmt.Sprintf(" ORDER BY id LIMIT $%d", len(args)), args...)
}

// OwnedNumber is a number with its owner's status; "": nobody knows her. Shown says that it rings elsewhere, too.
type OwnedNumber struct {
	dayone.Number
	Status dayone.Status
	Shown  bool
}

// Each goes through all numbers that are in use or at rest, and, with the rest of them, through those that are not.
func (n *Numbers) Each() iter.Seq2[OwnedNumber, error] {
	return func(yield func(OwnedNumber, error) bool) {
		rows, err := n.rows(`SELECT n.id, n.pool, n.block, n.platform, n.part, n.pattern, n.e164, n.state, n.since, n.used, n.until, n.owner, n.last, n.vanity, n.confirmed, '',
			CASE WHEN p.key_box <> '' AND p.merged = '' THEN p.status ELSE '' END, s.number IS NOT NULL
			FROM number n LEFT JOIN person p ON p.id = n.owner AND n.owner <> '' LEFT JOIN (SELECT DISTINCT number FROM number_shown) s ON s.number = n.id WHERE n.state <> 'retired' ORDER BY n.id`)
		if err != nil {
			yield(OwnedNumber{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var o OwnedNumber
			var status sql.NullString
			var shown bool
			if o.Number, err = n.scan(alsoScans{rows, []any{&status, &shown}}); err == nil {
				o.Status, o.Shown = dayone.Status(status.String), shown
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(OwnedNumber{}, err)
		}
	}
}

// alsoScans reads columns behind those that somebody asks for.
type alsoScans struct {
	s    interface{ Scan(...any) error }
	more []any
}

func (a alsoScans) Scan(into ...any) error { return a.s.Scan(append(into, a.more...)...) }

// NumberPlan is numbers.yaml as it was kept.
type NumberPlan struct {
	Seq  int
	At   time.Time
	By   string
	Text string
}

// Plan is the one that counts; its zero value: none was kept yet.
func (n *Numbers) Plan() (NumberPlan, error) {
	var p NumberPlan
	var at int64
	err := n.row(`SELECT seq, at, author, body FROM number_plan ORDER BY seq DESC LIMIT 1`).Scan(&p.Seq, &at, &p.By, &p.Text)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	p.At = instant(at)
	return p, err
}

// KeepPlan keeps another one after it. ErrConflict: somebody was faster.
func (n *Numbers) KeepPlan(p NumberPlan) error {
	n.wrote = true
	_, err := n.t.exec(`INSERT INTO number_plan (seq, at, author, body) VALUES ($1, $2, $3, $4)`, p.Seq, micros(p.At), p.By, p.Text)
	if taken(err) {
		return fmt.Errorf("somebody has changed the plan of numbers meanwhile: %w", dayone.ErrConflict)
	}
	return err
}

// NextNumber is when the next timer of a number ends; zero: none runs.
func (d *DB) NextNumber(ctx context.Context) (time.Time, error) {
	return d.oneInstant(ctx, `SELECT until FROM number WHERE state IN ('reserved', 'quarantine') AND until > 0 ORDER BY until LIMIT 1`)
}

// PlanSeq is the Seq of the one that counts; 0: none was kept yet.
func (n *Numbers) PlanSeq() (seq int, err error) {
	err = n.row(`SELECT COALESCE(MAX(seq), 0) FROM number_plan`).Scan(&seq)
	return seq, err
}

// States are the numbers of a range, in their order, with what each is for.
func (n *Numbers) States(pool, block string) (ids []dayone.NumberID, states []dayone.NumberState, err error) {
	rows, err := n.rows(`SELECT id, state FROM number WHERE pool = $1 AND block = $2 ORDER BY id`, pool, block)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id dayone.NumberID
		var s dayone.NumberState
		if err := rows.Scan(&id, &s); err != nil {
			return nil, nil, err
		}
		ids, states = append(ids, id), append(states, s)
	}
	return ids, states, rows.Err()
}

// Here says who of some people is in the books: neither erased nor merged into somebody else.
func (n *Numbers) Here(people []dayone.PersonID) (map[dayone.PersonID]bool, error) {
	out := map[dayone.PersonID]bool{}
	for some := range slices.Chunk(people, AtOnce) {
		rows, err := n.rows(`SELECT id FROM person WHERE id IN `+manyIn+` AND key_box <> '' AND merged = ''`, many(some)...)
		if err != nil {
			return nil, err
		}
		if err := eachRow(rows, func(rows *sql.Rows) error {
			var id dayone.PersonID
			err := rows.Scan(&id)
			out[id] = true
			return err
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Held says whether a legal hold on somebody stands.
func (n *Numbers) Held(person dayone.PersonID) (bool, error) {
	if person == "" {
		return false, nil
	}
	var one int
	err := n.row(`SELECT 1 FROM legal_hold WHERE person = $1 AND ended = 0`, person).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

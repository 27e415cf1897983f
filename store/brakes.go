package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Counters of brakes lie in the books, and move in the transaction that carries out what they count: neither a crash nor a
// second look counts somebody twice or not at all.

const brakeColumns = `id, scope, rule, state, note, held, opened, closed, author, second, reason, list, proposed_by, proposed_logins, proposed_at, proposed_reason, proposed_hash`

func scanBrake(s interface{ Scan(...any) error }) (dayone.Brake, error) {
	var b dayone.Brake
	var opened, closed, proposed int64
	var list, logins string
	var p dayone.ProposedRelease
	err := s.Scan(&b.ID, &b.Scope, &b.Rule, &b.State, &b.Note, &b.Held, &opened, &closed, &b.By, &b.Second, &b.Reason, &list, &p.By, &logins, &proposed, &p.Reason, &p.Hash)
	b.Opened, b.Closed = instant(opened), instant(closed)
	if err == nil && list != "" {
		err = json.Unmarshal([]byte(list), &b.List)
	}
	if proposed != 0 && b.State == dayone.BrakeOn {
		p.At, p.Logins = instant(proposed), inLines(logins)
		b.Proposed = &p
	}
	return b, err
}

// inLines is a list that lies one a line.
func inLines(s string) []string { return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' }) }

// Passing is what asks to be let through.
type Passing struct {
	Scope  string
	Day    string
	Now    time.Time
	Rules  []PassRule
	Held   dayone.Held    // as it is kept if it is held
	Open   dayone.BrakeID // of the brake that opens, if none of its rule is on
	Force  string         // it is held by this rule, whatever counters say
	Two    bool           // an announced lay-off counts only if a second person has confirmed it
	Free   bool           // it is counted, and never held: somebody has let it through
	Veiled bool           // nobody else may know of it: its rules are those of BrakeVeiled
	Taken  *dayone.Hold   // what keeps an access that would be taken away; nil: it is about an event

	By dayone.BrakeID // afterwards: what holds it; "": nothing
}

// PassRule is a limit: so many people a day.
type PassRule struct {
	Name  string
	Limit int
	Note  string // why the brake holds, if it does
	Base  int    // what the day began with; kept with the first one who passes
	All   bool   // the limit is one below that base: nobody would be left
}

// braked says whether something is beyond a limit; if it is not, it is counted.
func (d *DB) braked(t *tx, p *Passing) (held bool, err error) {
	p.By = ""
	if p.Force != "" {
		return true, d.brake(t, p, PassRule{Name: p.Force, Note: "it is no longer what was reviewed when it was let through"})
	}
	source, announced := dayone.AfterScope(p.Scope), ""
	var fresh []PassRule
	for _, r := range p.Rules {
		var one int
		switch err := t.row(`SELECT 1 FROM passed WHERE scope = $1 AND day = $2 AND rule = $3 AND person = $4`, p.Scope, p.Day, r.Name, p.Held.Person).Scan(&one); {
		case err == nil:
			continue
		case !errors.Is(err, sql.ErrNoRows):
			return false, err
		}
		fresh = append(fresh, r)
		if p.Free {
			continue
		}
		n, base := 0, r.Base
		if err := t.row(`SELECT n, base FROM passed_count WHERE scope = $1 AND day = $2 AND rule = $3`, p.Scope, p.Day, r.Name).Scan(&n, &base); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return false, err
		}
		limit := r.Limit
		if r.All {
			limit = base - 1
		}
		if n < limit {
			continue
		}
		if r.Name == dayone.BrakeTerminations {
			switch err := t.row(`SELECT id FROM announced WHERE source = $1 AND since <= $2 AND until > $2 AND ended = 0 AND used < many AND counts > 0 AND counts <= $2 AND (second <> '' OR $3 = 0) ORDER BY id LIMIT 1`, source, micros(p.Now), truth(p.Two)).Scan(&announced); {
			case err == nil:
				continue
			case !errors.Is(err, sql.ErrNoRows):
				return false, err
			}
		}
		return true, d.brake(t, p, r)
	}
	for _, r := range fresh {
		if _, err := t.exec(`INSERT INTO passed (scope, day, rule, person) VALUES ($1, $2, $3, $4)`, p.Scope, p.Day, r.Name, p.Held.Person); err != nil {
			return false, fmt.Errorf("counting who passes a brake: %w", err)
		}
		if _, err := t.exec(`INSERT INTO passed_count (scope, day, rule, n, base) VALUES ($1, $2, $3, 1, $4) ON CONFLICT (scope, day, rule) DO UPDATE SET n = passed_count.n + 1`, p.Scope, p.Day, r.Name, r.Base); err != nil {
			return false, fmt.Errorf("counting who passes a brake: %w", err)
		}
	}
	if announced != "" {
		if _, err := t.exec(`UPDATE announced SET used = used + 1 WHERE id = $1`, announced); err != nil {
			return false, err
		}
	}
	if p.Free {
		_, err = t.exec(`DELETE FROM held WHERE item = $1`, p.Held.Item)
	}
	return false, err
}

// brake keeps what is beyond a limit, behind the brake of that rule.
func (d *DB) brake(t *tx, p *Passing, r PassRule) error {
	err := t.row(`SELECT id FROM brake WHERE scope = $1 AND rule = $2 AND state = 'on'`, p.Scope, r.Name).Scan(&p.By)
	if errors.Is(err, sql.ErrNoRows) {
		p.By = p.Open
		err = d.openBrake(t, dayone.Brake{ID: p.Open, Scope: p.Scope, Rule: r.Name, State: dayone.BrakeOn, Note: r.Note, Opened: p.Now})
	}
	if err != nil {
		return err
	}
	h := p.Held
	h.Brake = p.By
	if p.Taken != nil {
		p.Taken.Brake = p.By
		if err := d.hold(t, *p.Taken); err != nil {
			return err
		}
	} else if _, err := t.exec(`UPDATE event SET state = 'held', note = $2, brake = $3, person = $4, veiled = $5, tries = 0, next = 0 WHERE id = $1`, h.Item, r.Note, h.Brake, h.Person, truth(p.Veiled)); err != nil {
		return fmt.Errorf("holding an event: %w", err)
	}
	if p.Veiled {
		if err := d.whisper(t, []dayone.Held{h}, brakeOn(p.Scope, r.Name, p.Now)); err != nil {
			return err
		}
	}
	return d.keepHeld(t, h)
}

func (d *DB) openBrake(t *tx, b dayone.Brake) error {
	list := ""
	if b.List != nil {
		raw, err := json.Marshal(b.List)
		if err != nil {
			return err
		}
		list = string(raw)
	}
	if _, err := t.exec(`INSERT INTO brake (`+brakeColumns+`) VALUES ($1, $2, $3, $4, $5, 0, $6, 0, '', '', '', $7, '', '', 0, '', '')`, b.ID, b.Scope, b.Rule, string(b.State), b.Note, micros(b.Opened), list); err != nil {
		return fmt.Errorf("opening a brake: %w", err)
	}
	if b.Veiled() { // the ledger gets it with each of whom it holds something, once that may be known
		return nil
	}
	return d.append(t, []dayone.Record{brakeOn(b.Scope, b.Rule, b.Opened)})
}

// whisper keeps back what befalls a brake that nobody may know of: with each event that it holds, under the key of whom that
// is about, so that no record tells of anybody else.
func (d *DB) whisper(t *tx, held []dayone.Held, r dayone.Record) error {
	for _, h := range held {
		if h.Person == "" {
			continue // of whom nothing is kept
		}
		if err := d.hush(t, dayone.EventID(h.Item), h.Person, []dayone.Record{r}); err != nil {
			return err
		}
	}
	return nil
}

func brakeOn(scope, rule string, at time.Time) dayone.Record {
	return dayone.Record{At: at, System: dayone.AfterScope(scope), What: "brake on: " + rule}
}

// heldBox is what would change, as it lies in the books.
type heldBox struct {
	What  string            `json:"what"`
	Lines []dayone.HeldLine `json:"lines"`
}

func (d *DB) keepHeld(t *tx, h dayone.Held) error {
	box, err := d.seal(t, h.Person, heldBox{h.What, h.Lines})
	if err != nil {
		return err
	}
	res, err := t.exec(`UPDATE held SET brake = $2, person = $3, subject = $4, mark = $5, released = 0, box = $6 WHERE item = $1`, h.Item, h.Brake, h.Person, h.Subject, h.Mark, box)
	if err != nil {
		return fmt.Errorf("keeping what is held: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	if _, err := t.exec(`INSERT INTO held (item, brake, person, subject, mark, released, box) VALUES ($1, $2, $3, $4, $5, 0, $6)`, h.Item, h.Brake, h.Person, h.Subject, h.Mark, box); err != nil {
		return fmt.Errorf("keeping what is held: %w", err)
	}
	return nil
}

// BrakeFilter narrows a list of brakes.
type BrakeFilter struct {
	ID     dayone.BrakeID    // only this one
	On     bool              // only those that hold
	Public bool              // none that only those may find who may know what is confidential
	Within dayone.Scope      // only those that hold something, and nobody who is out of it
	Beside []dayone.PersonID // of whom something is confidential, and who are in that scope all the same: what lists know of them says nothing of it
	From   Mark
	Limit  int
}

// Brakes lists them: those that hold first, the newest first of both.
func (d *DB) Brakes(ctx context.Context, on bool, limit int) ([]dayone.Brake, error) {
	return d.BrakesBy(ctx, BrakeFilter{On: on, Limit: limit})
}

// BrakesBy lists those of a filter, in the same order.
func (d *DB) BrakesBy(ctx context.Context, f BrakeFilter) ([]dayone.Brake, error) {
	which, args := f.which()
	rows, err := d.read.QueryContext(ctx, `SELECT `+brakeColumns+which, args...)
	if err != nil {
		return nil, err
	}
	out, err := collect(rows, func(s interface{ Scan(...any) error }) (dayone.Brake, error) { return scanBrake(s) })
	if err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].State == dayone.BrakeOn {
			if err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM held WHERE brake = $1`, out[i].ID).Scan(&out[i].Held); err != nil {
				return nil, err
			}
		}
		if err := d.proposalStands(ctx, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// proposalStands notes where something else is held than what somebody proposed to let through.
func (d *DB) proposalStands(ctx context.Context, b *dayone.Brake) error {
	if b.Proposed == nil {
		return nil
	}
	var items []dayone.Held
	err := d.each(ctx, heldMarks, []any{b.ID}, func(rows *sql.Rows) error {
		var h dayone.Held
		err := rows.Scan(&h.Item, &h.Mark)
		items = append(items, h)
		return err
	})
	b.Proposed.Stale = b.Proposed.Hash != dayone.HeldHash(items)
	return err
}

// CountBrakes is how long the list of brakes would be, its limit at the most.
func (d *DB) CountBrakes(ctx context.Context, f BrakeFilter) (n int, err error) {
	which, args := f.which()
	if err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT id`+which+`) AS listed`, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting brakes: %w", err)
	}
	return n, nil
}

// which brakes a filter lists, in order: what stands behind the columns.
func (f BrakeFilter) which() (string, []any) {
	q, args := ` FROM brake WHERE state <> 'making'`, []any{f.Limit}
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	if f.ID != "" {
		q += ` AND id = ` + arg(f.ID)
	}
	if f.On {
		q += ` AND state = 'on'`
	}
	if f.Public {
		q += fmt.Sprintf(` AND substr(rule, length(rule) - %d) <> '%s'`, len(dayone.BrakeVeiled)-1, dayone.BrakeVeiled)
	}
	if !f.Within.AllPeople() {
		in := `p.veil = 0`
		if f.Public {
			in = `p.veil < 2`
		}
		in += ` AND ` + within(f.Within, "p", "", arg)
		if len(f.Beside) > 0 {
			in = `(` + in + ` OR p.id IN (` + marks(f.Beside, strings.TrimSpace, arg) + `))`
		}
		q += ` AND EXISTS (SELECT 1 FROM held h WHERE h.brake = brake.id) AND NOT EXISTS (SELECT 1 FROM held h WHERE h.brake = brake.id
			AND NOT EXISTS (SELECT 1 FROM person own JOIN person p ON p.id = CASE own.merged WHEN '' THEN own.id ELSE own.merged END WHERE own.id = h.person AND ` + in + `))`
	}
	after, args := f.From.where("on", args)
	return q + after + ` ORDER BY CASE state WHEN 'on' THEN 0 ELSE 1 END, id DESC LIMIT $1`, args
}

// VeiledHeld are people of whom something is confidential and whom a brake holds: few, if any.
func (d *DB) VeiledHeld(ctx context.Context) ([]Row, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT `+rowColumns+` FROM person WHERE veil > 0 AND key_box <> ''
		AND id IN (SELECT CASE own.merged WHEN '' THEN own.id ELSE own.merged END FROM person own JOIN held h ON h.person = own.id)`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (Row, error) { return scanRow(s) })
}

// Brake is one of them.
func (d *DB) Brake(ctx context.Context, id dayone.BrakeID) (dayone.Brake, error) {
	b, err := scanBrake(d.read.QueryRowContext(ctx, `SELECT `+brakeColumns+` FROM brake WHERE id = $1 AND state <> 'making'`, id))
	if err != nil {
		return b, notFound("brake "+string(id), err)
	}
	return b, d.proposalStands(ctx, &b)
}

const heldQuery = `SELECT h.item, h.brake, h.person, h.subject, h.mark, h.box, p.key_box FROM held h LEFT JOIN person p ON p.id = h.person`

// HeldMarks is all that a brake holds without what would change, in the order in which it came: what a release names, and how
// much it is, without opening anything.
func (d *DB) HeldMarks(ctx context.Context, id dayone.BrakeID) ([]dayone.Held, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT item, brake, person, mark FROM held WHERE brake = $1 ORDER BY item`, id)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (h dayone.Held, err error) {
		err = s.Scan(&h.Item, &h.Brake, &h.Person, &h.Mark)
		return h, err
	})
}

// HeldFrom is a page of what a brake holds, in the order in which it came; after is the last item of the page before.
func (d *DB) HeldFrom(ctx context.Context, id dayone.BrakeID, after string, limit int) ([]dayone.Held, error) {
	return d.heldRows(ctx, heldQuery+` WHERE h.brake = $1 AND h.item > $2 ORDER BY h.item LIMIT $3`, id, after, limit)
}

// Unseen is what is held and nobody has looked at yet.
func (d *DB) Unseen(ctx context.Context, limit int) ([]dayone.Held, error) {
	return d.heldRows(ctx, heldQuery+` WHERE h.mark = '' ORDER BY h.item LIMIT $1`, limit)
}

// HeldItem is how something was held; ErrNotFound: it was not.
func (d *DB) HeldItem(ctx context.Context, item string) (dayone.Held, error) {
	list, err := d.heldRows(ctx, heldQuery+` WHERE h.item = $1`, item)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("nothing of %s is held: %w", item, dayone.ErrNotFound)
	}
	if err != nil {
		return dayone.Held{}, err
	}
	return list[0], nil
}

func (d *DB) heldRows(ctx context.Context, query string, args ...any) ([]dayone.Held, error) {
	var out []dayone.Held
	err := d.each(ctx, query, args, func(rows *sql.Rows) error {
		var h dayone.Held
		var box string
		var key sql.NullString
		if err := rows.Scan(&h.Item, &h.Brake, &h.Person, &h.Subject, &h.Mark, &box, &key); err != nil {
			return err
		}
		var b heldBox
		if _, err := d.unseal(key, box, &b); err != nil {
			return fmt.Errorf("what %s would change does not read: %w", h.Item, err)
		}
		h.What, h.Lines = b.What, b.Lines
		out = append(out, h)
		return nil
	})
	return out, err
}

// SeeHeld keeps what somebody's event would change, once it was looked at.
func (d *DB) SeeHeld(ctx context.Context, h dayone.Held) error {
	return d.write(ctx, func(t *tx) error {
		var one int
		if err := t.row(`SELECT 1 FROM held WHERE item = $1 AND mark = ''`, h.Item).Scan(&one); err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				return nil
			}
			return err
		}
		return d.keepHeld(t, h)
	})
}

// DropHeld forgets how something was held, and closes its brake if nothing is left behind it.
func (d *DB) DropHeld(ctx context.Context, item string, at time.Time) error {
	return d.write(ctx, func(t *tx) error { return t.dropHeld(item, at) })
}

func (t *tx) dropHeld(item string, at time.Time) error {
	if _, err := t.exec(`UPDATE brake SET state = 'replaced', closed = $2 WHERE state = 'on' AND rule NOT LIKE 'read%' AND id = (SELECT brake FROM held WHERE item = $1)
		AND NOT EXISTS (SELECT 1 FROM held h WHERE h.brake = brake.id AND h.item <> $1)`, item, micros(at)); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM held WHERE item = $1`, item)
	return err
}

// Verdict is what somebody decided about a brake.
type Verdict struct {
	Brake    dayone.BrakeID
	State    dayone.BrakeState // released or discarded
	Hash     string            // of what was reviewed; "": whatever there is
	By       string
	Second   string
	Reason   string
	Confirms time.Time // when that was proposed which Second confirms; zero: nothing was
	At       time.Time
	Until    time.Time     // released: for how long what was held may be taken away; discarded: how long it stays
	Holds    []dayone.Hold // as they are afterwards, where accesses were held
	Passes   []Pass
	Records  []dayone.Record
	Veiled   []dayone.Held // nobody else may know of them: the records are kept back with each
}

// Pass lets one access of one person be taken away.
type Pass struct {
	Person dayone.PersonID
	Key    dayone.Key
}

// Decide closes a brake. ErrConflict: it is closed, or something has joined or left since it was reviewed.
func (d *DB) Decide(ctx context.Context, v Verdict) error {
	return d.write(ctx, func(t *tx) error {
		var state string
		if err := t.row(`SELECT state FROM brake WHERE id = $1`, v.Brake).Scan(&state); err != nil {
			return notFound("brake "+string(v.Brake), err)
		}
		if dayone.BrakeState(state) != dayone.BrakeOn {
			return fmt.Errorf("this brake is %s already: %w", state, dayone.ErrConflict)
		}
		if !v.Confirms.IsZero() {
			if err := t.proposed(v.Brake, v.Confirms); err != nil {
				return err
			}
		}
		items, err := t.heldMarks(v.Brake)
		if err != nil {
			return err
		}
		if v.Hash != "" && v.Hash != dayone.HeldHash(items) {
			return fmt.Errorf("what is held is not what was reviewed: something has joined or left since; look again: %w", dayone.ErrConflict)
		}
		event := `UPDATE event SET state = 'received', tries = 0, next = 0, note = 'let through by a person' WHERE brake = $1 AND state = 'held'`
		after := `UPDATE held SET released = $2 WHERE brake = $1`
		args := []any{v.Brake, micros(v.At)}
		if v.State == dayone.BrakeDiscarded {
			event = `UPDATE event SET state = 'discarded', note = 'thrown away by a person' WHERE brake = $1 AND state = 'held'`
		}
		if v.State == dayone.BrakeDiscarded || len(v.Holds) > 0 {
			after, args = `DELETE FROM held WHERE brake = $1`, args[:1]
		}
		if _, err := t.exec(event, v.Brake); err != nil {
			return fmt.Errorf("deciding what is held: %w", err)
		}
		if _, err := t.exec(after, args...); err != nil {
			return fmt.Errorf("deciding what is held: %w", err)
		}
		for _, h := range v.Holds {
			if err := d.hold(t, h); err != nil {
				return err
			}
			if _, err := t.exec(`UPDATE person SET wake = $2 WHERE id = $1`, h.Person, micros(v.At)); err != nil {
				return err
			}
		}
		if err := t.passes(v.Passes, v.Until); err != nil {
			return err
		}
		said := "; let through: " // the list is held no longer, and says what became of it
		if v.State == dayone.BrakeDiscarded {
			said = "; thrown away: "
		}
		if _, err := t.exec(`UPDATE source_read SET note = REPLACE(note, '; held: ', CAST($2 AS TEXT)) WHERE brake = $1`, v.Brake, said); err != nil {
			return err
		}
		if v.State == dayone.BrakeDiscarded {
			if _, err := t.exec(`UPDATE source_read SET brake = '' WHERE brake = $1`, v.Brake); err != nil {
				return err
			}
		}
		if v.State == dayone.BrakeReleased { // a list that somebody let through is what the next one is measured by
			for _, q := range []string{
				`UPDATE source_read SET records = seen, counted = at, brake = '' WHERE brake = $1`,
				`UPDATE system_list SET accounts = seen, counted = at, note = '', brake = '' WHERE brake = $1`,
			} {
				if _, err := t.exec(q, v.Brake); err != nil {
					return err
				}
			}
		}
		if err := t.lacked(v); err != nil {
			return fmt.Errorf("deciding about whom a list lacks: %w", err)
		}
		if _, err := t.exec(`UPDATE brake SET state = $2, held = $3, closed = $4, author = $5, second = $6, reason = $7, `+unproposed+` WHERE id = $1`,
			v.Brake, string(v.State), len(items), micros(v.At), v.By, v.Second, v.Reason); err != nil {
			return fmt.Errorf("deciding a brake: %w", err)
		}
		return d.tell(t, v.Veiled, v.Records)
	})
}

// tell puts records of a brake into the ledger; those of one that nobody may know of are kept back with what it holds.
func (d *DB) tell(t *tx, veiled []dayone.Held, records []dayone.Record) error {
	if len(veiled) == 0 {
		return d.append(t, records)
	}
	for _, r := range records {
		if err := d.whisper(t, veiled, r); err != nil {
			return err
		}
	}
	return nil
}

const unproposed = `proposed_by = '', proposed_logins = '', proposed_at = 0, proposed_reason = '', proposed_hash = ''`

// ProposeRelease keeps that somebody wants what a brake holds let through, in the place of a proposal that counts for nothing any
// more. veiled is as with a Verdict. ErrConflict: it is closed, something has joined or left, or somebody has proposed just this.
func (d *DB) ProposeRelease(ctx context.Context, id dayone.BrakeID, p dayone.ProposedRelease, veiled []dayone.Held, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		var state, was string
		var at int64
		if err := t.row(`SELECT state, proposed_at, proposed_hash FROM brake WHERE id = $1`, id).Scan(&state, &at, &was); err != nil {
			return notFound("brake "+string(id), err)
		}
		items, err := t.heldMarks(id)
		switch {
		case err != nil:
			return err
		case dayone.BrakeState(state) != dayone.BrakeOn:
			return fmt.Errorf("this brake is %s already: %w", state, dayone.ErrConflict)
		case p.Hash != dayone.HeldHash(items):
			return fmt.Errorf("what is held is not what was reviewed: something has joined or left since; look again: %w", dayone.ErrConflict)
		case at != 0 && was == p.Hash:
			return fmt.Errorf("somebody has just proposed the same; look again: %w", dayone.ErrConflict)
		}
		if _, err := t.exec(`UPDATE brake SET proposed_by = $2, proposed_logins = $3, proposed_at = $4, proposed_reason = $5, proposed_hash = $6 WHERE id = $1`,
			id, p.By, strings.Join(p.Logins, "\n"), micros(p.At), p.Reason, p.Hash); err != nil {
			return fmt.Errorf("proposing a release: %w", err)
		}
		return d.tell(t, veiled, records)
	})
}

// TakeBackRelease takes back what was proposed at an instant. ErrConflict: it does not stand any more.
func (d *DB) TakeBackRelease(ctx context.Context, id dayone.BrakeID, at time.Time, veiled []dayone.Held, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		if err := t.proposed(id, at); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE brake SET `+unproposed+` WHERE id = $1`, id); err != nil {
			return fmt.Errorf("taking a proposal back: %w", err)
		}
		return d.tell(t, veiled, records)
	})
}

// proposed wants that just what was proposed at an instant still waits.
func (t *tx) proposed(id dayone.BrakeID, at time.Time) error {
	var stands int
	err := t.row(`SELECT 1 FROM brake WHERE id = $1 AND state = 'on' AND proposed_at = $2`, id, micros(at)).Scan(&stands)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("what was proposed does not wait any more; look again: %w", dayone.ErrConflict)
	}
	return err
}

const heldMarks = `SELECT item, mark FROM held WHERE brake = $1`

func (t *tx) heldMarks(id dayone.BrakeID) ([]dayone.Held, error) {
	s, err := t.prepare(heldMarks)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(t.ctx, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.Held
	for rows.Next() {
		var h dayone.Held
		if err := rows.Scan(&h.Item, &h.Mark); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

var passTable = table{"pass", []string{"person", "key", "until"}, []string{"person", "key"}}

func (t *tx) passes(list []Pass, until time.Time) error {
	var rows []any
	seen := map[string]int{}
	for _, p := range list {
		rows = latest(rows, seen, string(p.Person)+" "+p.Key.String(), string(p.Person), p.Key.String(), micros(until))
	}
	return t.put(passTable, rows)
}

// LetPass lets accesses be taken away whatever brakes say: somebody reviewed a plan that takes them.
func (d *DB) LetPass(ctx context.Context, list []Pass, until time.Time) error {
	for some := range slices.Chunk(list, 1000) {
		if err := d.write(ctx, func(t *tx) error { return t.passes(some, until) }); err != nil {
			return err
		}
	}
	return nil
}

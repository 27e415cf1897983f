package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// approvalBox is what of an approval only her key opens.
type approvalBox struct {
	Role     string           `json:"role,omitempty"`
	Rule     dayone.Approval  `json:"rule"`
	Because  []dayone.Reason  `json:"because,omitempty"`
	Asks     []dayone.Ask     `json:"asks,omitempty"`
	Anew     bool             `json:"anew,omitempty"`
	Why      string           `json:"why,omitempty"`
	Deciders []dayone.Decider `json:"deciders,omitempty"`
	Votes    []dayone.Vote    `json:"votes,omitempty"`
}

const approvalColumns = `a.id, a.person, a.key, a.once, a.state, a.noted, a.run, a.step, a.opened, a.due, a.asked, a.reminded, a.escalated, a.decided, a.ended, a.next, a.box, p.key_box`

const approvalQuery = `SELECT ` + approvalColumns + ` FROM approval a LEFT JOIN person p ON p.id = a.person`

func (d *DB) scanApproval(s interface{ Scan(...any) error }) (dayone.Petition, error) {
	var r dayone.Petition
	var k, box string
	var opened, due, asked, reminded, escalated, decided, ended, next int64
	var owner sql.NullString
	if err := s.Scan(&r.ID, &r.Person, &k, &r.Once, &r.State, &r.Noted, &r.Run, &r.Step, &opened, &due, &asked, &reminded, &escalated, &decided, &ended, &next, &box, &owner); err != nil {
		return r, err
	}
	var err error
	if r.Key, err = dayone.ParseKey(k); err != nil {
		return r, fmt.Errorf("approval %s does not read: %w", r.ID, err)
	}
	r.Opened, r.Due, r.Asked, r.Reminded, r.Escalated = instant(opened), instant(due), instant(asked), instant(reminded), instant(escalated)
	r.Decided, r.Ended, r.Next = instant(decided), instant(ended), instant(next)
	var b approvalBox
	if _, err := d.unseal(owner, box, &b); err != nil {
		return r, fmt.Errorf("approval %s does not read: %w", r.ID, err)
	}
	r.Role, r.Rule, r.Because, r.Asks, r.Anew, r.Why, r.Deciders, r.Votes = b.Role, b.Rule, b.Because, b.Asks, b.Anew, b.Why, b.Deciders, b.Votes
	return r, nil
}

// ApprovalFilter narrows a list of requests.
type ApprovalFilter struct {
	Person dayone.PersonID
	Open   bool   // only those that wait for an answer, the next due first
	Over   bool   // only those that wait for none
	Live   bool   // only those whose grant is still wanted
	Asked  string // only those that ask whoever has this mail address; "": whomever
	Before dayone.ApprovalID
	Limit  int
	Within dayone.Scope

	AfterDue time.Time // of the last one of the page before, of those that wait
	AfterID  dayone.ApprovalID
}

// Approvals lists requests for approval, newest first.
func (d *DB) Approvals(ctx context.Context, f ApprovalFilter) ([]dayone.Petition, error) {
	where, order := []string{"1 = 1"}, "a.id DESC"
	var args []any
	if f.Person != "" {
		args = append(args, f.Person)
		whose := hers("a.person")
		if f.Live { // what stands moved with the merge
			whose = "a.person = $%d"
		}
		where = append(where, fmt.Sprintf(whose, len(args)))
	}
	if f.Before != "" {
		args = append(args, f.Before)
		where = append(where, fmt.Sprintf("a.id < $%d", len(args)))
	}
	if f.AfterID != "" {
		args = append(args, micros(f.AfterDue), f.AfterID)
		where = append(where, fmt.Sprintf("(a.due, a.id) > ($%d, $%d)", len(args)-1, len(args)))
	}
	if f.Asked != "" {
		args = append(args, d.asked(f.Asked))
		where = append(where, fmt.Sprintf("a.id IN (SELECT approval FROM decider WHERE digest = $%d)", len(args)))
	}
	if f.Live || f.Open {
		where = append(where, "a.ended = 0")
	}
	if f.Over {
		where = append(where, "a.state <> 'open'")
	}
	if f.Open {
		where, order = append(where, "a.state = 'open'", "p.key_box <> ''"), "a.due, a.id"
	}
	if !f.Within.Whole() {
		where = append(where, within(f.Within, "p", approvalSystem, func(v any) string {
			args = append(args, v)
			return fmt.Sprintf("$%d", len(args))
		}))
	}
	if f.Limit <= 0 {
		f.Limit = 500
	}
	args = append(args, f.Limit)
	return d.requests(ctx, fmt.Sprintf(approvalQuery+` WHERE %s ORDER BY %s LIMIT $%d`, strings.Join(where, " AND "), order, len(args)), args...)
}

func (d *DB) requests(ctx context.Context, q string, args ...any) ([]dayone.Petition, error) {
	rows, err := d.read.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, d.scanApproval)
}

// Approval is one request.
func (d *DB) Approval(ctx context.Context, id dayone.ApprovalID) (dayone.Petition, error) {
	r, err := d.scanApproval(d.read.QueryRowContext(ctx, approvalQuery+` WHERE a.id = $1`, id))
	return r, notFound("approval", err)
}

// approvalSystem is the system of a key: what stands before its first slash.
const approvalSystem = `SUBSTR(a.key, 1, LENGTH(a.key) - LENGTH(LTRIM(a.key, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.')))`

// CountApprovals counts what waits for an answer, in a scope. Whom it is about is only looked up where the scope asks: every
// page of the portal counts them, and a request about somebody who was erased is withdrawn.
func (d *DB) CountApprovals(ctx context.Context, scope dayone.Scope) (int, error) {
	var n int
	var args []any
	q := `SELECT COUNT(*) FROM approval a`
	if !scope.Whole() {
		q += ` JOIN person p ON p.id = a.person`
	}
	q += ` WHERE a.state = 'open' AND a.ended = 0 AND ` + within(scope, "p", approvalSystem, func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	})
	err := d.read.QueryRowContext(ctx, q, args...).Scan(&n)
	return n, err
}

// DueApprovals are requests about which somebody is to hear, or that expire.
func (d *DB) DueApprovals(ctx context.Context, now time.Time, limit int) ([]dayone.Petition, error) {
	return d.requests(ctx, approvalQuery+` WHERE a.next > 0 AND a.next <= $1 AND p.key_box <> '' ORDER BY a.next LIMIT $2`, micros(now), limit)
}

// NextApproval is when the next of them is due; zero: none is.
func (d *DB) NextApproval(ctx context.Context) (time.Time, error) {
	var us sql.NullInt64
	err := d.read.QueryRowContext(ctx, `SELECT MIN(a.next) FROM approval a JOIN person p ON p.id = a.person WHERE a.next > 0 AND p.key_box <> ''`).Scan(&us)
	return instant(us.Int64), err
}

// AskApprovals opens requests; one for the same grant that is there already stays as it is. The ledger hears of them.
func (d *DB) AskApprovals(ctx context.Context, rs []dayone.Petition, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		for i := range rs {
			if err := d.putApproval(t, &rs[i], `ON CONFLICT (once) WHERE ended = 0 DO NOTHING`); err != nil {
				return err
			}
		}
		return d.append(t, records)
	})
}

func (d *DB) putApproval(t *tx, r *dayone.Petition, conflict string) error {
	box, err := d.seal(t, r.Person, approvalBox{r.Role, r.Rule, r.Because, r.Asks, r.Anew, r.Why, r.Deciders, r.Votes})
	if err != nil {
		return err
	}
	res, err := t.exec(`INSERT INTO approval (id, person, key, once, state, noted, run, step, opened, due, asked, reminded, escalated, decided, ended, next, box)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) `+conflict,
		r.ID, r.Person, r.Key.String(), r.Once, r.State, r.Noted, r.Run, r.Step, micros(r.Opened), micros(r.Due), micros(r.Asked), micros(r.Reminded), micros(r.Escalated),
		micros(r.Decided), micros(r.Ended), micros(r.Next), box)
	if err != nil {
		return fmt.Errorf("writing approval: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 { // the one that is there stays
		return err
	}
	return d.deciders(t, r, box)
}

// ChangeApproval changes a request as it stands in the books, so that nobody's word is written over; its person is looked
// at then, if look is an instant. change may be called twice.
func (d *DB) ChangeApproval(ctx context.Context, id dayone.ApprovalID, look time.Time, change func(*dayone.Petition) error, records ...dayone.Record) (dayone.Petition, error) {
	var out dayone.Petition
	err := d.write(ctx, func(t *tx) error {
		q := approvalQuery + ` WHERE a.id = $1`
		if !d.lite() {
			q += ` FOR UPDATE OF a` // the server and the command line may both
		}
		r, err := d.scanApproval(t.row(q, id))
		if err != nil {
			return notFound("approval", err)
		}
		if err := change(&r); err != nil {
			return err
		}
		if err := d.putApproval(t, &r, `ON CONFLICT (id) DO UPDATE SET state = excluded.state, noted = excluded.noted, run = excluded.run, step = excluded.step, due = excluded.due,
			asked = excluded.asked, reminded = excluded.reminded, escalated = excluded.escalated, decided = excluded.decided, ended = excluded.ended, next = excluded.next, box = excluded.box`); err != nil {
			return err
		}
		if !look.IsZero() {
			if _, err := t.exec(`UPDATE person SET wake = $2 WHERE id = $1 AND key_box <> '' AND (wake = 0 OR wake > $2)`, r.Person, micros(look)); err != nil {
				return fmt.Errorf("waking the person of an approval: %w", err)
			}
		}
		out = r
		return d.append(t, records)
	})
	return out, err
}

type delegationBox struct {
	By string `json:"by,omitempty"`
}

// WithdrawnApproval is the newest approval of a grant, if it was withdrawn though policies want the grant; else none.
func (d *DB) WithdrawnApproval(ctx context.Context, person dayone.PersonID, once string) (dayone.Petition, error) {
	r, err := d.scanApproval(d.read.QueryRowContext(ctx, approvalQuery+` WHERE a.person = $1 AND a.once = $2 ORDER BY a.id DESC LIMIT 1`, person, once))
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && r.Why == "":
		return dayone.Petition{}, nil
	case err != nil:
		return dayone.Petition{}, err
	}
	return r, nil
}

// Delegate keeps a delegation, and what the ledger says of it.
func (d *DB) Delegate(ctx context.Context, g dayone.Delegation, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		box, err := d.seal(t, g.Person, delegationBox{g.By})
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO delegation (id, person, delegate, starts, ends, made, box) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			g.ID, g.Person, g.Delegate, micros(g.From), micros(g.Until), micros(g.Made), box)
		if err != nil {
			return fmt.Errorf("writing delegation: %w", err)
		}
		return d.append(t, records)
	})
}

// EndDelegation ends one before its time. What the ledger says of that names who let somebody else decide.
func (d *DB) EndDelegation(ctx context.Context, id string, at time.Time, records ...dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		res, err := t.exec(`UPDATE delegation SET ends = $2 WHERE id = $1 AND ends > $2`, id, micros(at))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("no delegation %s is under way: %w", id, dayone.ErrNotFound))
		}
		var person dayone.PersonID
		if err := t.row(`SELECT person FROM delegation WHERE id = $1`, id).Scan(&person); err != nil {
			return fmt.Errorf("reading delegation: %w", err)
		}
		for i := range records {
			records[i].Person = person
		}
		return d.append(t, records)
	})
}

// Delegations that have not ended; of one person, if named.
func (d *DB) Delegations(ctx context.Context, person dayone.PersonID, now time.Time) ([]dayone.Delegation, error) {
	if person == "" {
		return d.someDelegations(ctx, "", micros(now))
	}
	return d.someDelegations(ctx, ` AND g.person = $2`, micros(now), person)
}

// DelegationsWith are those that have not ended, and in which somebody decides or lets decide.
func (d *DB) DelegationsWith(ctx context.Context, person dayone.PersonID, now time.Time) ([]dayone.Delegation, error) {
	return d.someDelegations(ctx, ` AND (g.person = $2 OR g.delegate = $2)`, micros(now), person)
}

func (d *DB) someDelegations(ctx context.Context, also string, args ...any) ([]dayone.Delegation, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT g.id, g.person, g.delegate, g.starts, g.ends, g.made, g.box, p.key_box
		FROM delegation g JOIN person p ON p.id = g.person WHERE g.ends > $1 AND p.key_box <> ''`+also+` ORDER BY g.starts, g.id LIMIT 500`, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(row interface{ Scan(...any) error }) (g dayone.Delegation, err error) {
		var from, until, made int64
		var box string
		var key sql.NullString
		if err := row.Scan(&g.ID, &g.Person, &g.Delegate, &from, &until, &made, &box, &key); err != nil {
			return g, err
		}
		var b delegationBox
		if _, err := d.unseal(key, box, &b); err != nil {
			return g, fmt.Errorf("delegation %s does not read: %w", g.ID, err)
		}
		g.From, g.Until, g.Made, g.By = instant(from), instant(until), instant(made), b.By
		return g, nil
	})
}

// Holders are the addresses of those who have one of these entitlements.
func (d *DB) Holders(ctx context.Context, keys []dayone.Key) ([]string, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	marks, args := make([]string, len(keys)), make([]any, len(keys))
	for i, k := range keys {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), k.String()
	}
	rows, err := d.read.QueryContext(ctx, `SELECT DISTINCT p.email FROM holding h JOIN person p ON p.id = h.person
		WHERE h.key IN (`+strings.Join(marks, ", ")+`) AND h.state = 'active' AND p.email <> '' ORDER BY p.email`, args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanText)
}

// RenewApproval asks anew for what was refused, or nobody answered; its person is looked at then. ErrConflict: it was not.
func (d *DB) RenewApproval(ctx context.Context, old dayone.ApprovalID, fresh dayone.Petition) error {
	return d.write(ctx, func(t *tx) error {
		res, err := t.exec(`UPDATE approval SET ended = $2, next = 0 WHERE id = $1 AND ended = 0 AND state IN ('refused', 'expired')`, old, micros(fresh.Opened))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("only what was refused, or nobody answered, is asked anew, and only while it is wanted: %w", dayone.ErrConflict))
		}
		if err := d.putApproval(t, &fresh, ""); err != nil {
			return err
		}
		_, err = t.exec(`UPDATE person SET wake = $2 WHERE id = $1 AND key_box <> '' AND (wake = 0 OR wake > $2)`, fresh.Person, micros(fresh.Opened))
		return err
	})
}

// Approved are the people of whom a grant that is still wanted was agreed to.
func (d *DB) Approved(ctx context.Context) (map[dayone.PersonID]bool, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT DISTINCT person FROM approval WHERE ended = 0 AND state = 'approved'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[dayone.PersonID]bool{}
	for rows.Next() {
		var p dayone.PersonID
		if err := rows.Scan(&p); err != nil {
			return nil, err
		}
		out[p] = true
	}
	return out, rows.Err()
}

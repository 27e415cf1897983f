package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// actSummary is everything of an act but its marks, which may be many.
const actSummary = `id, version, covers, author, approver, reason, release, made, due, after, people, state, ended, ended_by, why, told`

// AddAct keeps an act that waits, with the version that it is about. ErrConflict: one that does just the same waits already,
// as when two announce it at the same instant.
func (d *DB) AddAct(ctx context.Context, v dayone.PolicyVersion, a dayone.PolicyAct) error {
	covers, err := json.Marshal(a.Only)
	if err != nil {
		return err
	}
	marks, err := json.Marshal(a.Marks)
	if err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		if err := t.saveVersion(v); err != nil {
			return err
		}
		if err := t.soleAct(a, string(covers), string(marks)); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO policy_act (`+actSummary+`, marks) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
			a.ID, a.Version, string(covers), a.Author, a.Approver, a.Reason, a.Release, micros(a.Made), micros(a.Due), a.After, a.People, string(dayone.ActWaiting), 0, "", "", "", string(marks))
		return err
	})
}

// soleAct refuses an act that does just what one does that waits. What is of one version goes one after the other.
func (t *tx) soleAct(a dayone.PolicyAct, covers, marks string) error {
	if !t.plain { // the server and the command line may both
		var id string
		if err := t.row(`SELECT id FROM policy_version WHERE id = $1 FOR UPDATE`, a.Version).Scan(&id); err != nil {
			return err
		}
	}
	var n int
	err := t.row(`SELECT COUNT(*) FROM policy_act WHERE state = 'waiting' AND version = $1 AND covers = $2 AND after = $3 AND marks = $4`, a.Version, covers, a.After, marks).Scan(&n)
	if err == nil && n > 0 {
		err = fmt.Errorf("just this was announced already: %w", dayone.ErrConflict)
	}
	return err
}

// Acts lists acts without their marks, newest first; only those that wait, or all of them.
func (d *DB) Acts(ctx context.Context, waiting bool, limit int) ([]dayone.PolicyAct, error) {
	where := `1 = 1 ORDER BY made DESC, id DESC`
	if waiting {
		where = `state = 'waiting' ORDER BY due, id`
	}
	return d.acts(ctx, where+` LIMIT $1`, limit)
}

// UntoldActs are those whose state the ledger does not know yet.
func (d *DB) UntoldActs(ctx context.Context) ([]dayone.PolicyAct, error) {
	return d.acts(ctx, `told <> state ORDER BY made, id LIMIT 100`)
}

func (d *DB) acts(ctx context.Context, where string, args ...any) ([]dayone.PolicyAct, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT `+actSummary+` FROM policy_act WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.PolicyAct
	for rows.Next() {
		var a dayone.PolicyAct
		if err := scanAct(rows, &a); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// Act is one of them, with its marks, by its id.
func (d *DB) Act(ctx context.Context, id string) (dayone.PolicyAct, error) {
	var a dayone.PolicyAct
	var marks string
	if err := scanAct(d.read.QueryRowContext(ctx, `SELECT `+actSummary+`, marks FROM policy_act WHERE id = $1`, id), &a, &marks); err != nil {
		return a, notFound("policy act", err)
	}
	if err := json.Unmarshal([]byte(marks), &a.Marks); err != nil {
		return a, fmt.Errorf("policy act %s does not read: %w", id, err)
	}
	return a, nil
}

func scanAct(row interface{ Scan(...any) error }, a *dayone.PolicyAct, more ...any) error {
	var covers string
	var made, due, ended int64
	if err := row.Scan(append([]any{
		&a.ID, &a.Version, &covers, &a.Author, &a.Approver, &a.Reason, &a.Release, &made, &due, &a.After, &a.People, &a.State, &ended, &a.By, &a.Why, &a.Told,
	}, more...)...); err != nil {
		return err
	}
	a.Made, a.Due, a.Ended = instant(made), instant(due), instant(ended)
	if err := json.Unmarshal([]byte(covers), &a.Only); err != nil {
		return fmt.Errorf("policy act %s does not read: %w", a.ID, err)
	}
	return nil
}

// EndAct ends an act that waits. ErrConflict: it is at its end.
func (d *DB) EndAct(ctx context.Context, id string, state dayone.ActState, by, why string, at time.Time) error {
	return d.write(ctx, func(t *tx) error { return t.endAct(id, state, by, why, at) })
}

func (t *tx) endAct(id string, state dayone.ActState, by, why string, at time.Time) error {
	res, err := t.exec(`UPDATE policy_act SET state = $2, ended_by = $3, why = $4, ended = $5, marks = '{}' WHERE id = $1 AND state = 'waiting'`, id, string(state), by, why, micros(at))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fmt.Errorf("the policy act %s does not wait any more: %w", id, dayone.ErrConflict))
	}
	return nil
}

// TellAct puts the state of an act into the ledger, once.
func (d *DB) TellAct(ctx context.Context, id string, state dayone.ActState, rec dayone.Record) error {
	return d.write(ctx, func(t *tx) error {
		res, err := t.exec(`UPDATE policy_act SET told = $2 WHERE id = $1 AND told <> $2`, id, string(state))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return d.append(t, []dayone.Record{rec})
	})
}

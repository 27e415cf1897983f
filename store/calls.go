package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

var callTable = table{"call_log", []string{"run", "seq", "attempt", "person", "system", "at", "box"}, []string{"run", "seq", "attempt"}}

type callKey struct {
	run          dayone.RunID
	seq, attempt int
}

// callBox is what nobody searches by.
type callBox struct {
	Kind  string        `json:"kind,omitempty"`
	Calls []dayone.Call `json:"calls"`
	Left  int           `json:"left,omitempty"`
}

// log collects the requests of attempts. Those that are kept of a step are its last.
func (b *bulk) log(r *dayone.Run, list []dayone.CallLog) {
	if b.callAt == nil {
		b.callAt = map[callKey]int{}
	}
	for _, c := range list {
		key := callKey{r.ID, c.Seq, c.Attempt}
		b.calls = latest(b.calls, b.callAt, key, string(r.ID), c.Seq, c.Attempt, string(r.Person), c.System, micros(c.At), unsealed{r.Person, &callBox{c.Kind, c.Calls, c.Left}})
		if c.Attempt > dayone.AttemptsKept {
			key.attempt -= dayone.AttemptsKept
			b.old = append(b.old, key)
		}
	}
}

func (b *bulk) dropOldCalls() error {
	for _, k := range b.old {
		if _, err := b.t.exec(`DELETE FROM call_log WHERE run = $1 AND seq = $2 AND attempt <= $3`, k.run, k.seq, k.attempt); err != nil {
			return fmt.Errorf("forgetting requests: %w", err)
		}
	}
	return nil
}

// Calls are the requests of a step, the last attempt first. What was erased has none.
func (d *DB) Calls(ctx context.Context, run dayone.RunID, seq int) ([]dayone.CallLog, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT c.seq, c.attempt, c.system, c.at, c.box, p.key_box FROM call_log c LEFT JOIN person p ON p.id = c.person
		WHERE c.run = $1 AND c.seq = $2 ORDER BY c.attempt DESC`, run, seq)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(s interface{ Scan(...any) error }) (dayone.CallLog, error) {
		var c dayone.CallLog
		var at int64
		var box string
		var key sql.NullString
		if err := s.Scan(&c.Seq, &c.Attempt, &c.System, &at, &box, &key); err != nil {
			return c, err
		}
		var b callBox
		if _, err := d.unseal(key, box, &b); err != nil {
			return c, fmt.Errorf("the requests of run %s do not read: %w", run, err)
		}
		c.At, c.Kind, c.Calls, c.Left = instant(at), b.Kind, b.Calls, b.Left
		return c, nil
	})
}

// ForgetCalls forgets the requests of attempts that were answered before an instant, and says of how many. A legal hold keeps
// those of its person.
func (d *DB) ForgetCalls(ctx context.Context, before time.Time) (int, error) {
	for n := 0; ; {
		var some int64
		err := d.write(ctx, func(t *tx) error {
			res, err := t.exec(`DELETE FROM call_log WHERE (run, seq, attempt) IN (SELECT c.run, c.seq, c.attempt FROM call_log c
				WHERE c.at < $1 AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.person = c.person AND h.ended = 0) ORDER BY c.at LIMIT $2)`, micros(before), expireAtOnce)
			if err == nil {
				some, err = res.RowsAffected()
			}
			return err
		})
		if n += int(some); err != nil || some == 0 {
			return n, err
		}
	}
}

package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

// HeldEvent is an event of a list or of a body that is held whole.
type HeldEvent struct {
	Event dayone.Event
	Body  []byte
	Held  dayone.Held
}

// heldAtOnce is how many of them go in one commit.
const heldAtOnce = 200

// HoldAll keeps a list or a body behind a brake of its own. The brake is on once all of it is kept; what replaces an older one of
// its scope and rule closes that one.
func (d *DB) HoldAll(ctx context.Context, b dayone.Brake, events []HeldEvent) ([]dayone.Intake, error) {
	return d.holdAll(ctx, b, events, nil)
}

// HoldList does so with a source's list: in one write with what became of the read, which names the brake, and with whom the list
// lacks. A brake that no read names could be let through without its list counting. The list is held though all that it brings
// was said before: whom it lacks was not. What an older list of its scope and rule held, and it brings again, is behind it then.
func (d *DB) HoldList(ctx context.Context, b dayone.Brake, events []HeldEvent, r dayone.SourceRead, missing []dayone.Absence) error {
	_, err := d.holdAll(ctx, b, events, func(t *tx) error {
		if err := t.lack(b.ID, missing); err != nil {
			return err
		}
		return t.sourceRead(r)
	})
	return err
}

// holdAll runs on in the commit in which the brake is on. Without it, no brake is made for what was said before.
func (d *DB) holdAll(ctx context.Context, b dayone.Brake, events []HeldEvent, on func(*tx) error) ([]dayone.Intake, error) {
	b.State = dayone.BrakeMaking
	opened := false
	out := make([]dayone.Intake, 0, len(events))
	made := make([]*acceptance, len(events))
	for i, e := range events {
		sum := sha256.Sum256(e.Body)
		box, err := d.sealer.Seal(d.bodyKey, e.Body)
		if err != nil {
			return nil, err
		}
		made[i] = &acceptance{in: dayone.Intake{Event: e.Event, State: dayone.EventHeld, Note: b.Note, Brake: b.ID}, hash: hex.EncodeToString(sum[:]), box: box}
	}
	for from := 0; from == 0 || from < len(events); from += heldAtOnce {
		some := made[from:min(from+heldAtOnce, len(made))]
		last, opens := from+heldAtOnce >= len(events), false
		before := slices.Clone(some)
		for i, a := range some { // the job may run twice
			c := *a
			before[i] = &c
		}
		err := d.write(ctx, func(t *tx) error {
			for i := range some {
				*some[i] = *before[i]
			}
			if err := t.accept(some); err != nil {
				return err
			}
			fresh, err := t.unkept(some, b, on != nil)
			if err != nil {
				return err
			}
			if opens = !opened && (last && on != nil || len(events) == 0 || slices.Contains(fresh, true)); opens {
				if err := d.openBrake(t, b); err != nil {
					return err
				}
			}
			for i, a := range some {
				if !fresh[i] {
					continue
				}
				h := events[from+i].Held
				h.Brake, h.Item = b.ID, string(a.in.ID)
				if _, err := t.exec(`UPDATE event SET brake = $2, person = $3 WHERE id = $1`, a.in.ID, b.ID, h.Person); err != nil {
					return err
				}
				a.in.Brake = b.ID
				if b.Veiled() {
					if err := d.whisper(t, []dayone.Held{h}, brakeOn(b.Scope, b.Rule, b.Opened)); err != nil {
						return err
					}
				}
				if err := d.keepHeld(t, h); err != nil {
					return err
				}
			}
			if !last || !opened && !opens { // all of it was said before
				return nil
			}
			if err := t.replace(b.Scope, b.Rule, b.ID, b.Opened); err != nil {
				return err
			}
			if on != nil {
				if err := on(t); err != nil {
					return err
				}
			}
			_, err = t.exec(`UPDATE brake SET state = 'on' WHERE id = $1`, b.ID)
			return err
		})
		if err != nil {
			return nil, err
		}
		opened = opened || opens
		for _, a := range some {
			out = append(out, a.in)
		}
	}
	return out, nil
}

// unkept says which of them are to be put behind a brake: what is new, and what lies behind one that was never finished,
// which nobody could let through, or with takes behind one that this one replaces.
func (t *tx) unkept(some []*acceptance, by dayone.Brake, takes bool) ([]bool, error) {
	q, args := `SELECT COUNT(*) FROM brake WHERE id = $1 AND state = 'making'`, []any{by.ID}
	if takes {
		q, args = `SELECT COUNT(*) FROM brake WHERE id = $1 AND (state = 'making' OR state = 'on' AND scope = $2 AND rule = $3)`, []any{by.ID, by.Scope, by.Rule}
	}
	out := make([]bool, len(some))
	making := map[dayone.BrakeID]bool{by.ID: false}
	for i, a := range some {
		if !a.again {
			out[i] = true
			continue
		}
		if a.in.State != dayone.EventHeld {
			continue
		}
		if _, asked := making[a.in.Brake]; !asked {
			var n int
			args[0] = a.in.Brake
			if err := t.row(q, args...).Scan(&n); err != nil {
				return nil, err
			}
			making[a.in.Brake] = n > 0
		}
		out[i] = making[a.in.Brake]
	}
	return out, nil
}

// FinishBrakes puts the brakes of bodies on that were never finished: their sources were not answered, but need not say it
// again. A list that was not finished is read anew, which closes its brake.
func (d *DB) FinishBrakes(ctx context.Context, at time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE brake SET state = CASE WHEN EXISTS (SELECT 1 FROM held h WHERE h.brake = brake.id) THEN 'on' ELSE 'replaced' END,
			closed = CASE WHEN EXISTS (SELECT 1 FROM held h WHERE h.brake = brake.id) THEN 0 ELSE CAST($1 AS BIGINT) END WHERE state = 'making' AND rule LIKE '`+dayone.BrakeBody+`%'`, micros(at))
		return err
	})
}

// replace closes what an older list or an interrupted one left behind.
func (t *tx) replace(scope, rule string, but dayone.BrakeID, at time.Time) error {
	for _, q := range []string{
		`UPDATE event SET state = 'discarded', note = 'a newer list replaces it' WHERE state = 'held' AND brake IN (SELECT id FROM brake WHERE scope = $1 AND rule = $2 AND id <> $3 AND state IN ('on', 'making'))`,
		`DELETE FROM held WHERE brake IN (SELECT id FROM brake WHERE scope = $1 AND rule = $2 AND id <> $3 AND state IN ('on', 'making'))`,
		`DELETE FROM brake_missing WHERE brake IN (SELECT id FROM brake WHERE scope = $1 AND rule = $2 AND id <> $3 AND state IN ('on', 'making'))`,
	} {
		if _, err := t.exec(q, scope, rule, but); err != nil {
			return fmt.Errorf("replacing a brake: %w", err)
		}
	}
	_, err := t.exec(`UPDATE brake SET state = 'replaced', closed = $4 WHERE scope = $1 AND rule = $2 AND id <> $3 AND state IN ('on', 'making')`, scope, rule, but, micros(at))
	return err
}

// ReplaceBrakes closes the brakes of a scope and rule: what they held has come in another way, or is not so any more.
func (d *DB) ReplaceBrakes(ctx context.Context, scope, rule string, at time.Time) error {
	return d.write(ctx, func(t *tx) error { return t.replace(scope, rule, "", at) })
}

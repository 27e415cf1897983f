package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

var eventTable = table{"event", []string{
	"id", "source", "source_id", "type", "subject", "at", "received", "state", "person", "run", "note", "tries", "next", "body_hash", "body", "veiled",
}, nil}

// Accept stores what a source said, before it is answered. Said again, it gives the first one and true: the same id of
// the source, or, where the source has none, the same of the same body as the last one about that employment. Records of what
// is new enter the ledger with it, or wait as it does if it is veiled.
func (d *DB) Accept(ctx context.Context, ev dayone.Event, body []byte, records ...dayone.Record) (dayone.Intake, bool, error) {
	return d.accept(ctx, dayone.Intake{Event: ev, State: dayone.EventReceived}, body, records...)
}

// Quarantine stores a body that could not even be read as an event, with the reason.
func (d *DB) Quarantine(ctx context.Context, ev dayone.Event, body []byte, why string) (dayone.Intake, error) {
	in, _, err := d.accept(ctx, dayone.Intake{Event: ev, State: dayone.EventQuarantined, Note: why}, body)
	return in, err
}

// acceptance is an event on its way into the books: many of one commit go in one statement.
type acceptance struct {
	in    dayone.Intake
	hash  string
	box   string // the raw body, sealed; it expires
	again bool

	records []dayone.Record // what brought it
}

func (d *DB) accept(ctx context.Context, in dayone.Intake, body []byte, records ...dayone.Record) (dayone.Intake, bool, error) {
	sum := sha256.Sum256(body)
	box, err := d.sealer.Seal(d.bodyKey, body) // the person is not known yet
	if err != nil {
		return in, false, err
	}
	a := &acceptance{in: in, hash: hex.EncodeToString(sum[:]), box: box, records: records}
	err = d.submit(ctx, job{accept: a})
	return a.in, a.again, err
}

func (a *acceptance) row() []any {
	e := &a.in
	return []any{
		string(e.ID), e.Source, e.SourceID, string(e.Type), e.Subject, micros(e.At), micros(e.Received), string(e.State), "", "", e.Note, 0, 0, a.hash, a.box, truth(e.Veiled),
	}
}

// accept stores events that are new and finds those that are not.
func (t *tx) accept(as []*acceptance) error {
	var rows []any
	var named []*acceptance
	for _, a := range as {
		if a.in.SourceID != "" {
			named, rows = append(named, a), append(rows, a.row()...)
			continue
		}
		old, found, err := t.said(a.in.Event, a.hash)
		if err != nil {
			return err
		}
		if found {
			a.in, a.again = old, true
			continue
		}
		if err := t.put(eventTable, a.row()); err != nil {
			return err
		}
	}
	all, err := t.putNew(eventTable, "(source, source_id) WHERE source_id <> ''", rows)
	if err != nil || all {
		return err
	}
	for _, a := range named {
		old, found, err := t.said(a.in.Event, a.hash)
		switch {
		case err != nil:
			return err
		case !found:
			return fmt.Errorf("event %s of %s is neither new nor known: %w", a.in.SourceID, a.in.Source, dayone.ErrConflict)
		case old.ID != a.in.ID:
			a.in, a.again = old, true
		}
	}
	return nil
}

// brought writes what brought events that are new.
func (d *DB) brought(t *tx, as []*acceptance) error {
	for _, a := range as {
		var err error
		switch {
		case a.again || len(a.records) == 0:
		case a.in.Veiled:
			err = d.hush(t, a.in.ID, a.in.Person, a.records)
		default:
			err = d.append(t, a.records)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) said(ev dayone.Event, hash string) (dayone.Intake, bool, error) {
	var row *sql.Row
	if ev.SourceID != "" {
		row = t.row(eventQuery+` WHERE source = $1 AND source_id = $2 AND source_id <> ''`, ev.Source, ev.SourceID)
	} else {
		// one body may say several things of an employment: it is said again if it is among them
		row = t.row(eventQuery+` WHERE source = $1 AND subject = $2 AND body_hash = $3 AND type = $4 AND at = $5
			AND id > COALESCE((SELECT id FROM event WHERE source = $1 AND subject = $2 AND body_hash <> $3 ORDER BY id DESC LIMIT 1), '') ORDER BY id LIMIT 1`,
			ev.Source, ev.Subject, hash, string(ev.Type), micros(ev.At))
	}
	in, err := scanEvent(row)
	if errors.Is(err, sql.ErrNoRows) {
		return in, false, nil
	}
	return in, err == nil, err
}

const eventQuery = `SELECT id, source, source_id, type, subject, at, received, state, person, run, note, tries, next, brake, veiled FROM event`

func scanEvent(s interface{ Scan(...any) error }) (dayone.Intake, error) {
	var in dayone.Intake
	var at, received, next int64
	var veiled int
	err := s.Scan(&in.ID, &in.Source, &in.SourceID, &in.Type, &in.Subject, &at, &received, &in.State, &in.Person, &in.Run, &in.Note, &in.Tries, &next, &in.Brake, &veiled)
	in.Veiled = veiled != 0
	in.At, in.Received, in.Next = instant(at), instant(received), instant(next)
	return in, err
}

// MarkEvent says where an event stands. One that is to be looked at is looked at as if for the first time.
func (d *DB) MarkEvent(ctx context.Context, id dayone.EventID, s dayone.EventState, note string) error {
	return d.write(ctx, func(t *tx) error {
		if _, err := t.exec(`UPDATE event SET state = $2, note = $3, tries = 0, next = 0 WHERE id = $1`, id, s, note); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM held WHERE item = $1 AND released > 0`, id) // somebody let it through, and that has come to its end
		return err
	})
}

// EventTried counts a failed look at an event and keeps the reason; it is looked at again at next, and until then it is in
// nobody's way.
func (d *DB) EventTried(ctx context.Context, id dayone.EventID, note string, next time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE event SET tries = tries + 1, note = $2, next = $3 WHERE id = $1 AND state = 'received'`, id, note, micros(next))
		return err
	})
}

// overtook lets everything that was quarantined about an employment be looked at again: what came before the event that
// made it known may be readable now, and whose it is nobody asks any more.
func (t *tx) overtook(e *dayone.Employment) error {
	if _, err := t.exec(`UPDATE suspicion SET state = 'other', box = '' WHERE source = $1 AND subject = $2 AND state = 'open'`, e.Source, e.SourceID); err != nil {
		return err // whose it is shows now
	}
	_, err := t.exec(`UPDATE event SET state = 'received', tries = 0, next = 0 WHERE source = $1 AND subject = $2 AND (state = 'quarantined' OR state = 'asked')`, e.Source, e.SourceID)
	return err
}

// Waiting says of which sources events are to be looked at, and from when on; zero: at once.
func (d *DB) Waiting(ctx context.Context) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	for source := ""; ; { // from source to source along the index, however many events wait
		var next int64
		switch err := d.read.QueryRowContext(ctx, `SELECT source, next FROM event WHERE state = 'received' AND source > $1 ORDER BY source, next LIMIT 1`, source).Scan(&source, &next); {
		case errors.Is(err, sql.ErrNoRows):
			return out, nil
		case err != nil:
			return nil, err
		}
		out[source] = instant(next)
	}
}

// WaitingEvents are events of a source that are to be looked at now: those that never were come first, in the order in
// which they came. again says that some of the source were looked at before: then an event may have earlier ones about the
// same employment that are not due.
func (d *DB) WaitingEvents(ctx context.Context, source string, now time.Time, limit int) (events []dayone.Intake, again bool, err error) {
	events, err = d.events(ctx, eventQuery+` WHERE state = 'received' AND source = $1 AND next <= $2 ORDER BY next, id LIMIT $3`, source, micros(now), limit)
	if err != nil || len(events) == 0 {
		return events, false, err
	}
	var one int
	switch err := d.read.QueryRowContext(ctx, `SELECT 1 FROM event WHERE state = 'received' AND source = $1 AND next > 0 LIMIT 1`, source).Scan(&one); {
	case errors.Is(err, sql.ErrNoRows):
		return events, false, nil
	default:
		return events, true, err
	}
}

// EventRun notes which run an event started.
func (d *DB) EventRun(ctx context.Context, id dayone.EventID, run dayone.RunID, note string) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE event SET run = $2, note = $3 WHERE id = $1`, id, run, note)
		return err
	})
}

// Offers says whether a source ever spoke of an offer of this id, and of when its newest word is that was looked at, but for one
// event. One without a time counts from when it came.
func (d *DB) Offers(ctx context.Context, source, subject string, but dayone.EventID) (newest time.Time, any bool, err error) {
	var n, at int64
	err = d.read.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(MAX(CASE WHEN state IN ('applied', 'unchanged') THEN CASE WHEN at = 0 THEN received ELSE at END ELSE 0 END), 0) FROM event
		WHERE source = $1 AND subject = $2 AND id <> $3 AND type IN ('offered', 'offer withdrawn')`, source, subject, string(but)).Scan(&n, &at)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("reading what was said of an offer: %w", err)
	}
	return instant(at), n > 0, nil
}

// Body is what a source sent, as it sent it. ErrNotFound: it has expired.
func (d *DB) Body(ctx context.Context, id dayone.EventID) ([]byte, error) {
	var box, key string
	if err := d.read.QueryRowContext(ctx, `SELECT body FROM event WHERE id = $1`, id).Scan(&box); err != nil {
		return nil, notFound("event", err)
	}
	if box == "" {
		return nil, fmt.Errorf("the body of event %s has expired: %w", id, dayone.ErrNotFound)
	}
	if err := d.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'key_box'`).Scan(&key); err != nil {
		return nil, notFound("key", err)
	}
	return d.sealer.Open(key, box)
}

// Event is one event.
func (d *DB) Event(ctx context.Context, id dayone.EventID) (dayone.Intake, error) {
	in, err := scanEvent(d.read.QueryRowContext(ctx, eventQuery+` WHERE id = $1`, id))
	return in, notFound("event", err)
}

// EventFilter narrows a list of events.
type EventFilter struct {
	State   dayone.EventState
	Source  string
	Subject string
	Person  dayone.PersonID
	Before  dayone.EventID
	After   dayone.EventID
	Limit   int
	Oldest  bool // oldest first
	Public  bool // without those that speak of something confidential
	Within  dayone.Scope
}

// Events lists events.
func (d *DB) Events(ctx context.Context, f EventFilter) ([]dayone.Intake, error) {
	q := eventQuery + " WHERE 1 = 1"
	var args []any
	add := func(cond string, v any) {
		args = append(args, v)
		q += fmt.Sprintf(" AND "+cond, len(args))
	}
	switch { // the words of these must stand in the text for their partial indexes to be used
	case f.State == "":
	case f.State == dayone.EventReceived && f.Source == "":
		q += ` AND id IN (SELECT id FROM event WHERE state = 'received' AND source > '')`
	case f.State == dayone.EventReceived:
		q += ` AND state = 'received'`
	case f.State == dayone.EventQuarantined:
		q += ` AND state = 'quarantined'`
	case f.State == dayone.EventHeld:
		q += ` AND state = 'held'`
	case f.State == dayone.EventAsked:
		q += ` AND state = 'asked'`
	default:
		add("state = $%d", string(f.State))
	}
	if f.Source != "" {
		add("source = $%d", f.Source)
	}
	if f.Subject != "" {
		add("subject = $%d", f.Subject)
	}
	if f.Person != "" {
		add(hers("person"), string(f.Person))
	}
	if f.Before != "" {
		add("id < $%d", string(f.Before))
	}
	if f.After != "" {
		add("id > $%d", string(f.After))
	}
	if f.Public {
		q += ` AND veiled = 0`
	}
	if !f.Within.AllPeople() { // of whom an event is about nothing is known before it was looked at
		arg := func(v any) string {
			args = append(args, v)
			return fmt.Sprintf("$%d", len(args))
		}
		few, err := d.few(ctx, f.Within, "event.person", arg)
		if err != nil {
			return nil, err
		}
		q += ` AND ` + few + ` AND EXISTS (SELECT 1 FROM person about WHERE about.id = event.person AND ` + within(f.Within, "about", "", arg) + `)`
	}
	if f.Limit <= 0 {
		f.Limit = 100
	}
	order := " ORDER BY id DESC"
	if f.Oldest {
		order = " ORDER BY id"
	}
	args = append(args, f.Limit)
	return d.events(ctx, q+order+fmt.Sprintf(" LIMIT $%d", len(args)), args...)
}

func (d *DB) events(ctx context.Context, query string, args ...any) ([]dayone.Intake, error) {
	rows, err := d.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []dayone.Intake
	for rows.Next() {
		in, err := scanEvent(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, in)
	}
	return out, rows.Err()
}

// expireAtOnce is how many bodies go in one commit: the writer is not held up.
const expireAtOnce = 500

// Expire forgets raw bodies received before an instant and says how many. What is still to be read, by us or by somebody
// who mends it, stays.
func (d *DB) Expire(ctx context.Context, before time.Time) (int, error) {
	n := 0
	for last := ""; ; {
		ids, err := d.expired(ctx, before, last)
		if err != nil || len(ids) == 0 {
			return n, err
		}
		err = d.write(ctx, func(t *tx) error {
			for _, id := range ids {
				if _, err := t.exec(`UPDATE event SET body = '' WHERE id = $1`, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		n, last = n+len(ids), ids[len(ids)-1]
	}
}

func (d *DB) expired(ctx context.Context, before time.Time, after string) ([]string, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT id FROM event WHERE id > $1 AND received < $2 AND body <> '' AND state <> 'received' AND state <> 'quarantined' AND state <> 'held' AND state <> 'asked'
		AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.person = event.person AND h.ended = 0) ORDER BY id LIMIT $3`,
		after, micros(before), expireAtOnce)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

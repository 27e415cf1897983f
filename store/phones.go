package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

// What telephone systems showed when they were read last. A reading is written in parts beside the one that counts, and counts
// once all of it is there: whatever happens in between, the old one stands.

// PhoneSystem is what became of the last reading of a telephone system.
type PhoneSystem struct {
	System string
	Began  time.Time // of the reading under way; zero: there is none
	Tried  time.Time // when the last one began
	Failed time.Time // when it broke off; zero: it did not
	Note   string    // why
	Read   time.Time // when what counts was read; zero: nothing was
}

// partOf is how many objects of a telephone system lie in one box.
const partOf = 1000

// PhoneSystems are all that were ever read, or tried, by name.
func (d *DB) PhoneSystems(ctx context.Context) (map[string]PhoneSystem, error) {
	out := map[string]PhoneSystem{}
	err := d.each(ctx, `SELECT system, began, tried, failed, note, at FROM phone_system`, nil, func(rows *sql.Rows) error {
		var s PhoneSystem
		var began, tried, failed, at int64
		if err := rows.Scan(&s.System, &began, &tried, &failed, &s.Note, &at); err != nil {
			return err
		}
		s.Began, s.Tried, s.Failed, s.Read = instant(began), instant(tried), instant(failed), instant(at)
		out[s.System] = s
		return nil
	})
	return out, err
}

// BeginPhones says that a telephone system is being read from an instant on.
func (d *DB) BeginPhones(ctx context.Context, system string, at time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO phone_system (system, began, tried, failed, note, reading, at) VALUES ($1, $2, $2, 0, '', '', 0)
			ON CONFLICT (system) DO UPDATE SET began = excluded.began, tried = excluded.tried`, system, micros(at))
		return err
	})
}

// BrokePhones says that a reading broke off, and why. What was read before stands.
func (d *DB) BrokePhones(ctx context.Context, system, why string, at time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO phone_system (system, began, tried, failed, note, reading, at) VALUES ($1, 0, 0, $2, $3, '', 0)
			ON CONFLICT (system) DO UPDATE SET began = 0, failed = excluded.failed, note = excluded.note`, system, micros(at), why)
		return err
	})
}

// KeepPhones keeps a whole reading, which counts from then on. id names it, and is new. ErrConflict: somebody was erased
// meanwhile, and what was written of it is thrown away.
func (d *DB) KeepPhones(ctx context.Context, system, id string, p *dayone.Platform, at time.Time) error {
	if err := d.write(ctx, func(t *tx) error { // what another one left behind that did not come to its end
		_, err := t.exec(`DELETE FROM phone_part WHERE system = $1 AND reading <> (SELECT reading FROM phone_system WHERE system = $1)`, system)
		return err
	}); err != nil {
		return fmt.Errorf("making room for a reading: %w", err)
	}
	parts := phoneParts(p)
	for seq, part := range parts {
		box, err := d.sealPart(part)
		if err == nil {
			err = d.write(ctx, func(t *tx) error {
				_, err := t.exec(`INSERT INTO phone_part (reading, seq, system, box) VALUES ($1, $2, $3, $4)`, id, seq, system, box)
				return err
			})
		}
		if err != nil {
			return fmt.Errorf("keeping a reading: %w", err)
		}
	}
	return d.write(ctx, func(t *tx) error {
		var whole int
		if err := t.row(`SELECT COUNT(*) FROM phone_part WHERE reading = $1`, id).Scan(&whole); err != nil {
			return err
		}
		if whole != len(parts) {
			return fmt.Errorf("somebody was erased while a reading of %s was kept, so it is thrown away: %w", system, dayone.ErrConflict)
		}
		if _, err := t.exec(`UPDATE phone_system SET began = 0, failed = 0, note = '', reading = $2, at = $3 WHERE system = $1`, system, id, micros(at)); err != nil {
			return fmt.Errorf("keeping a reading: %w", err)
		}
		_, err := t.exec(`DELETE FROM phone_part WHERE system = $1 AND reading <> $2`, system, id)
		return err
	})
}

// Phones is what counts of a telephone system. ErrNotFound: nothing was read, or it was thrown away. ErrInvalid: what is kept of
// it cannot be read.
func (d *DB) Phones(ctx context.Context, system string) (dayone.Platform, time.Time, error) {
	var out dayone.Platform
	var at int64
	parts := 0
	err := d.each(ctx, `SELECT s.at, p.box FROM phone_system s JOIN phone_part p ON p.reading = s.reading WHERE s.system = $1 AND s.reading <> '' ORDER BY p.seq`, []any{system}, func(rows *sql.Rows) error {
		var box string
		if err := rows.Scan(&at, &box); err != nil {
			return err
		}
		parts++
		return d.openPart(box, &out)
	})
	if err == nil && parts == 0 {
		err = fmt.Errorf("nothing of %s is kept: %w", system, dayone.ErrNotFound)
	}
	return out, instant(at), err
}

// phoneParts are a telephone system in pieces, each of which is one of it.
func phoneParts(p *dayone.Platform) []dayone.Platform {
	out := []dayone.Platform{{Of: p.Of}}
	for c := range slices.Chunk(p.Lines, partOf) {
		out = append(out, dayone.Platform{Lines: c})
	}
	for c := range slices.Chunk(p.Patterns, partOf) {
		out = append(out, dayone.Platform{Patterns: c})
	}
	for c := range slices.Chunk(p.Users, partOf) {
		out = append(out, dayone.Platform{Users: c})
	}
	for c := range slices.Chunk(p.Devices, partOf) {
		out = append(out, dayone.Platform{Devices: c})
	}
	for c := range slices.Chunk(p.Mailboxes, partOf) {
		out = append(out, dayone.Platform{Mailboxes: c})
	}
	for c := range slices.Chunk(p.Reaches, partOf) {
		out = append(out, dayone.Platform{Reaches: c})
	}
	return out
}

func (d *DB) sealPart(part dayone.Platform) (string, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return "", err
	}
	if err := errors.Join(json.NewEncoder(z).Encode(part), z.Close()); err != nil {
		return "", err
	}
	return d.sealer.Seal(d.bodyKey, b.Bytes())
}

func (d *DB) openPart(box string, into *dayone.Platform) error {
	raw, err := d.sealer.Open(d.bodyKey, box)
	if err != nil {
		return fmt.Errorf("a reading does not open: %w: %w", err, dayone.ErrInvalid)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("a reading does not open: %w: %w", err, dayone.ErrInvalid)
	}
	var part dayone.Platform
	if err := json.NewDecoder(z).Decode(&part); err != nil {
		return fmt.Errorf("a reading does not read: %w: %w", err, dayone.ErrInvalid)
	}
	into.Of = append(into.Of, part.Of...)
	into.Lines, into.Patterns, into.Users = append(into.Lines, part.Lines...), append(into.Patterns, part.Patterns...), append(into.Users, part.Users...)
	into.Devices, into.Mailboxes, into.Reaches = append(into.Devices, part.Devices...), append(into.Mailboxes, part.Mailboxes...), append(into.Reaches, part.Reaches...)
	return nil
}

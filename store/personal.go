package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// What rows say of a person lies in boxes under her own key, one for each row: who has the database and no key reads
// none of it, and destroying the key destroys it wherever it lies, in backups too. Beside the boxes stand our own ids,
// names of attributes and systems, vendors' ids, states and instants, and what inTheClear lists.

// Erased stands where a person's values were.
const Erased = "erased"

// heldOfHers is what a brake holds of a person, also where nobody has looked yet whose it is.
const heldOfHers = `(held.person = $1 OR EXISTS (SELECT 1 FROM employment e JOIN event v ON v.source = e.source AND v.subject = e.source_id WHERE e.person = $1 AND v.id = held.item))`

// inTheClear is every value of a person that must be read without her key, why, and how it is erased: $1 is the person.
// Statements go in this order, since the later ones take away what the earlier ones find her by.
var inTheClear = []struct{ why, erase string }{
	{
		"the rows of those she leads and is a buddy of name her by mail: lists are filtered and buddies are counted by it",
		`UPDATE person SET manager = '' WHERE manager = (SELECT email FROM person WHERE id = $1 AND email <> '')`,
	},
	{
		"as above",
		`UPDATE person SET buddy = '' WHERE buddy = (SELECT email FROM person WHERE id = $1 AND email <> '')`,
	},
	{
		"what a brake holds of her is thrown away: nobody could read what it is about",
		`DELETE FROM held WHERE ` + heldOfHers,
	},
	{
		"as above",
		`UPDATE event SET state = 'discarded' WHERE (state = 'held' OR state = 'asked') AND (person = $1 OR EXISTS (SELECT 1 FROM employment e WHERE e.person = $1 AND e.source = event.source AND e.source_id = event.subject))`,
	},
	{
		"which employments a source's last list lacks is asked for by the source's id",
		`DELETE FROM absent WHERE person = $1`,
	},
	{
		"as above, of a list that a brake holds",
		`DELETE FROM brake_missing WHERE person = $1`,
	},
	{
		"an event names the employment before anybody knows whose it is, is told from a repetition of it, and says what was wrong with it",
		`UPDATE event SET subject = '', note = '', body = '', body_hash = '' WHERE person = $1
			OR EXISTS (SELECT 1 FROM employment e WHERE e.person = $1 AND e.source = event.source AND e.source_id = event.subject)`,
	},
	{
		"whether an employment is of somebody who is known already is asked before anybody knows whose it is, and of several people",
		`DELETE FROM suspicion WHERE person = $1 OR EXISTS (SELECT 1 FROM employment e WHERE e.person = $1 AND e.source = suspicion.source AND e.source_id = suspicion.subject)`,
	},
	{
		"who comes again is found by digests, which without the master key tell nothing",
		`DELETE FROM trait WHERE person = $1`,
	},
	{
		"who is asked something about her is found by digests, which without the master key tell nothing",
		`DELETE FROM decider WHERE approval IN (SELECT id FROM approval WHERE person = $1)`,
	},
	{
		"as above",
		`UPDATE task SET assigned = '' WHERE person = $1 AND assigned <> ''`,
	},
	{
		"a one-time link is found by its digest",
		`DELETE FROM prehire WHERE person = $1`,
	},
	{
		"whose an employment is, is found by the source's id of it; said again, it is of somebody new",
		`DELETE FROM employment WHERE person = $1`,
	},
	{
		"credentials lie under the master key until they are opened, since their link has nothing else to go by",
		`UPDATE secret SET box = '' WHERE person = $1`,
	},
	{
		"a digest goes to an address of work",
		`DELETE FROM digest_line WHERE person = $1 OR recipient = (SELECT email FROM person WHERE id = $1 AND email <> '')`,
	},
	{
		"when somebody confirmed that she needs a thing is asked for by person and thing",
		`DELETE FROM review WHERE person = $1`,
	},
	{
		"when a leaver is read back is asked for by the instant",
		`DELETE FROM certificate_due WHERE person = $1`,
	},
	{
		"what a system shows of her otherwise than the books is listed and counted by system, thing and kind",
		`DELETE FROM drift WHERE person = $1`,
	},
	{
		"which record of hers is kept back is found by her id",
		`DELETE FROM veiled_record WHERE person = $1 OR event IN (SELECT id FROM event WHERE person = $1)`,
	},
	{
		"when what a leaver looked after is handed over is asked for by the instant",
		`DELETE FROM succession WHERE person = $1`,
	},
	{
		"whoever comes back gets the number that she had, which is asked for by her id",
		`UPDATE number SET last = '' WHERE last = $1`,
	},
	{
		"a telephone system names its users before anybody knows whose they are: what was read of it is thrown away, and read again",
		`UPDATE phone_system SET reading = '', at = 0 WHERE $1 <> ''`,
	},
	{
		"as above",
		`DELETE FROM phone_part WHERE $1 <> ''`,
	},
	{
		"which two ids are one person, and by whose word, is asked for by either; what it moved lies under the key of whoever stays",
		`UPDATE merge SET box = '' WHERE person = $1 OR other = $1`,
	},
	{
		"which attempts of her runs have a log of requests is asked for by the run, and their age by the instant",
		`DELETE FROM call_log WHERE person = $1`,
	},
	{
		"how soon she had everything on her first day is asked for by the day",
		`DELETE FROM ready WHERE person = $1`,
	},
	{
		"people are found by the words of their names as one types",
		`DELETE FROM person_word WHERE person = $1`,
	},
	{
		"people are listed, searched, sorted and filtered by them; the key goes with them",
		`UPDATE person SET name = '` + Erased + `', search = '` + Erased + `', email = '', manager = '', title = '', department = '', team = '', location = '', country = '', company = '',
			starts = 0, ends = 0, buddy = '', problem = '', managed = 0, wake = 0, veil = 0, unveil = 0, told = '', key_box = '' WHERE id = $1`,
	},
}

// standing is what stands of a person and asks somebody for something, or waits for an instant: it ends when she is erased,
// since nobody could read what it is about. $1 is the person, $2 is when.
var standing = []string{
	`UPDATE task SET closed = $2, remind = 0, box = '', done_box = '' WHERE person = $1 AND closed = 0`,
	`UPDATE approval SET ended = $2, next = 0, state = CASE WHEN state = 'open' THEN 'withdrawn' ELSE state END, noted = CASE WHEN state = 'open' THEN 'withdrawn' ELSE noted END WHERE person = $1 AND ended = 0`,
	`UPDATE hold SET ended = $2 WHERE person = $1 AND ended = 0`,
	`UPDATE request SET ended = $2 WHERE person = $1 AND ended = 0`,
	`UPDATE delegation SET ends = $2 WHERE (person = $1 OR delegate = $1) AND ends > $2`,
	`UPDATE alert SET resolved = $2 WHERE person = $1 AND resolved = 0`,
	`UPDATE legal_hold SET ended = $2 WHERE person = $1 AND ended = 0`,
	`UPDATE number SET until = $2 WHERE owner = $1 AND state = 'reserved'`,
	`UPDATE brake SET state = 'replaced', closed = $2 WHERE state = 'on' AND rule <> 'read' AND EXISTS (SELECT 1 FROM held WHERE held.brake = brake.id) AND NOT EXISTS (
		SELECT 1 FROM held WHERE held.brake = brake.id AND NOT ` + heldOfHers + `)`,
}

// What administrators have done stays under the name of whoever was logged in, which may be a mail address: policy_act
// author, approver and ended_by, the authors of policy versions, system_order author and lifted_by, author and second of brakes and announced lay-offs, and By of a ledger line. It is there so that an auditor knows who acted, the law that asks for proof is the reason to
// keep it, and a line of the ledger cannot be changed without breaking every proof after it. docs/operating.md says so.

// Erase destroys a person's key and everything of hers that is in the clear, for good. Her id, her runs without what they
// did, and her ledger lines stay: they name nobody, and proofs still verify. ErrConflict: a run of hers is under way.
// what stands of
// her ends at that instant, and records are put into the ledger with it.
func (d *DB) Erase(ctx context.Context, person dayone.PersonID, at time.Time, records ...dayone.Record) error {
	err := d.write(ctx, func(t *tx) error {
		if err := d.append(t, records); err != nil {
			return err
		}
		ids, err := t.texts(1, `SELECT id FROM person WHERE merged = $1 AND merged <> ''`, person) // whose books hers are
		if err != nil {
			return err
		}
		for _, id := range append(ids, []string{string(person)}) {
			if err := t.erase(dayone.PersonID(id[0]), at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return d.scrub(ctx)
}

func (t *tx) erase(person dayone.PersonID, at time.Time) error {
	var one int
	switch err := t.row(`SELECT 1 FROM person WHERE id = $1`, person).Scan(&one); {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("person %s: %w", person, dayone.ErrNotFound)
	case err != nil:
		return err
	}
	switch err := t.row(`SELECT 1 FROM run WHERE person = $1 AND state IN `+active, person).Scan(&one); {
	case err == nil:
		return fmt.Errorf("a run of person %s is under way; let it end, or cancel it, before she is erased: %w", person, dayone.ErrConflict)
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	switch err := t.row(`SELECT 1 FROM legal_hold WHERE person = $1 AND ended = 0`, person).Scan(&one); {
	case err == nil:
		return fmt.Errorf("a legal hold on person %s stands: %w", person, dayone.ErrForbidden)
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	for _, q := range standing {
		if _, err := t.exec(q, person, micros(at)); err != nil {
			return fmt.Errorf("ending what stands of person %s: %w", person, err)
		}
	}
	for _, c := range inTheClear {
		if _, err := t.exec(c.erase, person); err != nil {
			return fmt.Errorf("erasing person %s: %w", person, err)
		}
	}
	delete(t.keys, person)
	return nil
}

// scrub empties SQLite's log, where pages lie as they were. PostgreSQL keeps old rows and logs as long as it is told to.
func (d *DB) scrub(ctx context.Context) error {
	if !d.lite() {
		return nil
	}
	var busy, pages, moved int
	if err := d.read.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved); err != nil {
		return fmt.Errorf("emptying the database's log: %w", err)
	}
	if busy != 0 {
		return fmt.Errorf("the key is destroyed, but somebody reads for so long that the database's log still shows old pages; erase again: %w", dayone.ErrUnavailable)
	}
	return nil
}

// seal puts v under a person's key. Once that is destroyed nothing is kept, and the box is "".
func (d *DB) seal(t *tx, person dayone.PersonID, v any) (string, error) {
	key, err := d.key(t, person)
	if err != nil {
		return "", err
	}
	return d.sealUnder(key, v)
}

// sealUnder is seal with the person's key at hand, which any goroutine may do.
func (d *DB) sealUnder(key string, v any) (string, error) {
	var plain []byte
	if one, ok := v.(packs); ok {
		plain = packed(one)
	} else {
		var err error
		if plain, err = json.Marshal(v); err != nil {
			return "", err
		}
	}
	box, err := d.sealer.Seal(key, plain)
	if errors.Is(err, dayone.ErrNotFound) {
		return "", nil
	}
	return box, err
}

// unseal reads a box into v; false: it was erased. key is the key_box of the row's person, NULL where the row is about
// nobody in the books: then it lies under the key of nobody.
func (d *DB) unseal(key sql.NullString, box string, v any) (bool, error) {
	if !key.Valid {
		key.String = d.bodyKey
	}
	if box == "" || key.String == "" {
		return false, nil
	}
	plain, err := d.sealer.Open(key.String, box)
	if err != nil {
		return false, err
	}
	if one, ok := v.(packs); ok && (len(plain) == 0 || plain[0] != '{') {
		return true, unpack(plain, one)
	}
	return true, json.Unmarshal(plain, v)
}

// keyOf is the box of a person's key.
func (d *DB) keyOf(ctx context.Context, person dayone.PersonID) (sql.NullString, error) {
	var key sql.NullString
	err := d.read.QueryRowContext(ctx, `SELECT key_box FROM person WHERE id = $1`, person).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return key, err
}

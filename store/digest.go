package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// DigestLine is one message that is gathered with others of a day for its recipient.
type DigestLine struct {
	Once      string // of the message's step: the same line again replaces it
	Recipient string // mail address
	Person    dayone.PersonID
	At        time.Time
	Due       time.Time
	Subject   string
	Text      string
}

var digestTable = table{"digest_line", []string{"once", "recipient", "person", "at", "due", "next", "box"}, nil}

// digestBox is what a line says.
type digestBox struct{ Subject, Text string }

// Gather keeps lines until they are due. One that was gathered before stays as it is, sent or not.
func (d *DB) Gather(ctx context.Context, lines []DigestLine) error {
	return d.write(ctx, func(t *tx) error {
		var rows []any
		for _, l := range lines {
			box, err := d.seal(t, l.Person, digestBox{l.Subject, l.Text})
			if err != nil {
				return err
			}
			rows = append(rows, l.Once, l.Recipient, string(l.Person), micros(l.At), micros(l.Due), micros(l.Due), box)
		}
		_, err := t.putNew(digestTable, "(once, recipient)", rows)
		return err
	})
}

// Digest is one day's lines of the recipient whose turn it is, in the order in which they came. Lines about somebody who was
// erased say nothing. Nothing: nobody's are due.
func (d *DB) Digest(ctx context.Context, now time.Time) (lines []DigestLine, err error) {
	rows, err := d.read.QueryContext(ctx, `SELECT l.once, l.recipient, l.person, l.at, l.due, l.box, p.key_box FROM digest_line l
		JOIN (SELECT recipient, due FROM digest_line WHERE next > 0 AND next <= $1 ORDER BY due, recipient LIMIT 1) f ON f.recipient = l.recipient AND f.due = l.due
		LEFT JOIN person p ON p.id = l.person WHERE l.next > 0 ORDER BY l.at, l.once`, micros(now))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var l DigestLine
		var at, due int64
		var box string
		var key sql.NullString
		if err := rows.Scan(&l.Once, &l.Recipient, &l.Person, &at, &due, &box, &key); err != nil {
			return nil, err
		}
		var b digestBox
		if _, err := d.unseal(key, box, &b); err != nil {
			return nil, fmt.Errorf("a digest's line does not read: %w", err)
		}
		l.At, l.Due, l.Subject, l.Text = instant(at), instant(due), b.Subject, b.Text
		lines = append(lines, l)
	}
	return lines, rows.Err()
}

// NextDigest is when the next lines are to be sent; zero: there are none.
func (d *DB) NextDigest(ctx context.Context) (time.Time, error) {
	var us sql.NullInt64
	err := d.read.QueryRowContext(ctx, `SELECT MIN(next) FROM digest_line WHERE next > 0`).Scan(&us)
	return instant(us.Int64), err
}

// PutOff lets everything that is to be sent by now wait until another instant.
func (d *DB) PutOff(ctx context.Context, now, to time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE digest_line SET next = $2 WHERE next > 0 AND next <= $1`, micros(now), micros(to))
		return err
	})
}

// gatheredFor is how long it is remembered that a line was sent: whoever gathers it again is told so until then.
const gatheredFor = 30 * 24 * time.Hour

// Gathered marks lines that were sent, and forgets what they said.
func (d *DB) Gathered(ctx context.Context, lines []DigestLine, now time.Time) error {
	return d.write(ctx, func(t *tx) error {
		for _, l := range lines {
			if _, err := t.exec(`UPDATE digest_line SET next = 0, box = '' WHERE once = $1 AND recipient = $2`, l.Once, l.Recipient); err != nil {
				return err
			}
		}
		_, err := t.exec(`DELETE FROM digest_line WHERE next = 0 AND due < $1`, micros(now.Add(-gatheredFor)))
		return err
	})
}

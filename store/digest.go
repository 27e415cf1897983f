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

var digestTable = table{"digest_line", []string{"once", "recipient", "person", "at", "due", "box"}, []string{"once", "recipient"}}

// digestBox is what a line says.
type digestBox struct{ Subject, Text string }

// Gather keeps lines until they are due.
func (d *DB) Gather(ctx context.Context, lines []DigestLine) error {
	return d.write(ctx, func(t *tx) error {
		var rows []any
		for _, l := range lines {
			box, err := d.seal(t, l.Person, digestBox{l.Subject, l.Text})
			if err != nil {
				return err
			}
			rows = append(rows, l.Once, l.Recipient, string(l.Person), micros(l.At), micros(l.Due), box)
		}
		return t.put(digestTable, rows)
	})
}

// Digest is what is due of the recipient whose lines are due first, in the order in which they came. Lines about somebody
// who was erased are left out. Nothing: nobody's are due.
func (d *DB) Digest(ctx context.Context, now time.Time) (due time.Time, lines []DigestLine, err error) {
	rows, err := d.read.QueryContext(ctx, `SELECT l.once, l.recipient, l.person, l.at, l.due, l.box, p.key_box FROM digest_line l LEFT JOIN person p ON p.id = l.person
		WHERE l.due > 0 AND l.due <= $1 AND l.recipient = (SELECT recipient FROM digest_line WHERE due > 0 AND due <= $1 ORDER BY due, recipient LIMIT 1)
		ORDER BY l.at, l.once`, micros(now))
	if err != nil {
		return due, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var l DigestLine
		var at, when int64
		var box string
		var key sql.NullString
		if err := rows.Scan(&l.Once, &l.Recipient, &l.Person, &at, &when, &box, &key); err != nil {
			return due, nil, err
		}
		var b digestBox
		if _, err := d.unseal(key, box, &b); err != nil {
			return due, nil, fmt.Errorf("a digest's line does not read: %w", err)
		}
		l.At, l.Due, l.Subject, l.Text = instant(at), instant(when), b.Subject, b.Text
		if due.IsZero() || l.Due.After(due) {
			due = l.Due
		}
		lines = append(lines, l)
	}
	return due, lines, rows.Err()
}

// NextDigest is when the next lines are due; zero: there are none.
func (d *DB) NextDigest(ctx context.Context) (time.Time, error) {
	var us sql.NullInt64
	err := d.read.QueryRowContext(ctx, `SELECT MIN(due) FROM digest_line WHERE due > 0`).Scan(&us)
	return instant(us.Int64), err
}

// PutOff makes a recipient's lines due at another instant: they could not be sent.
func (d *DB) PutOff(ctx context.Context, recipient string, due, to time.Time) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE digest_line SET due = $3 WHERE recipient = $1 AND due > 0 AND due <= $2`, recipient, micros(due), micros(to))
		return err
	})
}

// Gathered takes lines out of the books that were sent.
func (d *DB) Gathered(ctx context.Context, lines []DigestLine) error {
	return d.write(ctx, func(t *tx) error {
		for _, l := range lines {
			if _, err := t.exec(`DELETE FROM digest_line WHERE once = $1 AND recipient = $2`, l.Once, l.Recipient); err != nil {
				return err
			}
		}
		return nil
	})
}

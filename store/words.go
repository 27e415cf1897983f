package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/dayone-hq/dayone"
)

// wordLength is how many bytes of a word find somebody; what is typed beyond is compared with what they found.
const wordLength = 24

// wordKey is how a text lies in the index of words.
func wordKey(folded string) string {
	return hex.EncodeToString([]byte(folded[:min(len(folded), wordLength)]))
}

// wordsOf are those by which somebody is found: her folded name from each word on, and her mail address.
func wordsOf(search, email string) []any {
	var out []any
	seen := map[string]bool{"": true}
	put := func(text string) {
		if w := wordKey(text); !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	for rest, more := search, search != ""; more; _, rest, more = strings.Cut(rest, " ") {
		put(rest)
	}
	put(email)
	return out
}

// words writes by what somebody is found, if it is something else than it was. It says whether there is a row to write.
func (t *tx) words(person dayone.PersonID, search, email string) (bool, error) {
	var was, mail string
	switch err := t.row(`SELECT search, email FROM person WHERE id = $1 AND key_box <> '' AND merged = ''`, person).Scan(&was, &mail); {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reading by what somebody is found: %w", err)
	case was == search && mail == email:
		return true, nil
	}
	if _, err := t.exec(`DELETE FROM person_word WHERE person = $1`, person); err != nil {
		return false, err
	}
	return true, t.putWords(person, search, email)
}

func (t *tx) putWords(person dayone.PersonID, search, email string) error {
	for _, w := range wordsOf(search, email) {
		if _, err := t.exec(`INSERT INTO person_word (word, person) VALUES ($1, $2)`, w, person); err != nil {
			return fmt.Errorf("writing by what somebody is found: %w", err)
		}
	}
	return nil
}

// commonWord is from how many people on a word is no help: a walk along the names finds a page of them sooner.
const commonWord = 2000

// found is the condition that somebody has a text at the beginning of a word of her name, or of her mail address. Rare words
// are looked up, and few then; those that many have are met soon on the way along the list.
func (d *DB) found(ctx context.Context, text string) (cond string, args []any, few bool, err error) {
	p := fold(text)
	like := like(p)
	cond, args = `(search LIKE ? ESCAPE '\' OR search LIKE ? ESCAPE '\' OR email LIKE ? ESCAPE '\')`, []any{like + "%", "% " + like + "%", like + "%"}
	w := wordKey(p)
	var n int
	if err := d.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM person_word WHERE word >= $1 AND word < $2 LIMIT $3) AS few`, w, w+"g", commonWord).Scan(&n); err != nil {
		return "", nil, false, fmt.Errorf("looking for people: %w", err)
	}
	if few = n < commonWord; few {
		cond, args = `id IN (SELECT person FROM person_word WHERE word >= ? AND word < ?) AND `+cond, append([]any{w, w + "g"}, args...)
	}
	return cond, args, few, nil
}

// wordEverybody is a migration: whoever is in the books is found by words from then on.
func wordEverybody(ctx context.Context, db *sql.Tx) error {
	rows, err := db.QueryContext(ctx, `SELECT id, search, email FROM person WHERE key_box <> '' AND merged = ''`)
	if err != nil {
		return err
	}
	all, err := collect(rows, func(r interface{ Scan(...any) error }) (x [3]string, err error) {
		return x, r.Scan(&x[0], &x[1], &x[2])
	})
	if err != nil {
		return err
	}
	for _, x := range all {
		if err := wordPerson(ctx, db, x[0], x[1], x[2]); err != nil {
			return err
		}
	}
	return nil
}

func wordPerson(ctx context.Context, db *sql.Tx, person, search, email string) error {
	for _, w := range wordsOf(search, email) {
		if _, err := db.ExecContext(ctx, `INSERT INTO person_word (word, person) VALUES ($1, $2)`, w, person); err != nil {
			return err
		}
	}
	return nil
}

package store

import (
	"context"
	"database/sql"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold is the form in which names are found and sorted: in lower case, each word one space apart, and without what stands above or
// below a letter, so that Özge stands beside Oskar, and whoever has no ö on their keyboard finds her. Other scripts than Latin,
// Greek and Cyrillic keep theirs: there they are letters.
func fold(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if isASCII(s) {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		if !unicode.Is(marksApart, r) {
			b.WriteRune(r)
		}
	}
	return strings.ToLower(plainLetters.Replace(norm.NFC.String(b.String())))
}

// marksApart are the marks that Unicode writes after the letter they belong to.
var marksApart = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x300, Hi: 0x36f, Stride: 1}}}

// plainLetters are those that are one sign and no letter with a mark, as passports write them where they can be one.
var plainLetters = strings.NewReplacer("ß", "ss", "ẞ", "SS", "ø", "o", "Ø", "O", "ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "ı", "i", "æ", "ae", "Æ", "AE", "œ", "oe", "Œ", "OE", "ð", "d", "Ð", "D", "þ", "th", "Þ", "TH", "ħ", "h", "Ħ", "H")

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// foldEverybody is a migration: whoever was in the books before names were folded as they are now is found and sorted so, too.
func foldEverybody(ctx context.Context, db *sql.Tx) error {
	rows, err := db.QueryContext(ctx, `SELECT id, name, search, email FROM person WHERE key_box <> '' AND merged = ''`)
	if err != nil {
		return err
	}
	all, err := collect(rows, func(r interface{ Scan(...any) error }) (x [4]string, err error) {
		return x, r.Scan(&x[0], &x[1], &x[2], &x[3])
	})
	if err != nil {
		return err
	}
	for _, x := range all {
		id, search := x[0], fold(x[1])
		if search == x[2] {
			continue
		}
		if _, err := db.ExecContext(ctx, `UPDATE person SET search = $2 WHERE id = $1`, id, search); err != nil {
			return err
		}
		if _, err := db.ExecContext(ctx, `DELETE FROM person_word WHERE person = $1`, id); err != nil {
			return err
		}
		if err := wordPerson(ctx, db, id, search, x[3]); err != nil {
			return err
		}
	}
	return nil
}

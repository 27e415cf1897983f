package people

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// What somebody types goes to systems as it stands, and no source mends it the next day: it is looked at more closely than what
// HR says. There is one place for it, whoever types: a form here, somebody who has not begun, or a correction.

// LongestTyped is how long a value may be that somebody types, in characters.
const LongestTyped = 300

// unbracketed are attributes that stand for somebody, and are never written with brackets.
var unbracketed = []string{"first_name", "last_name", "preferred_name", "employee_number"}

// Typed says why a text that somebody typed cannot be a value of an attribute; nil: it can.
func Typed(a policy.Attribute, text string) error {
	text = strings.TrimSpace(text)
	switch {
	case len([]rune(text)) > LongestTyped:
		return fmt.Errorf("it is longer than %d characters", LongestTyped)
	case printable(a.Name, text) != text:
		return errors.New("it holds characters that cannot be seen; type it instead of pasting it")
	case slices.Contains(addresses, a.Name) && !mailLike(text):
		return errors.New("write a mail address, such as ada@company.com")
	case slices.Contains(unbracketed, a.Name) && strings.ContainsAny(text, "<>"):
		return errors.New("write it without < and >")
	case a.Name == "mobile" && !phoneLike(text):
		return errors.New("write the number with its country code, for example +49 151 23456789")
	}
	_, err := normal(a, dayone.Text(text))
	if err != nil && a.Closed() {
		return fmt.Errorf("%w; choose one of %s", err, strings.Join(a.Values, ", "))
	}
	return err
}

// Unprintable says why a text is not taken: a screen would obey it instead of showing it. Several lines are taken where lines are.
func Unprintable(text string, lines bool) error {
	if strings.ContainsFunc(text, func(r rune) bool { return unseen(r) && (!lines || !strings.ContainsRune("\n\r\t", r)) }) {
		return errors.New("it holds characters that cannot be seen; type it instead of pasting it")
	}
	return nil
}

func mailLike(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(s, " \t\r\n,;<>") && !strings.Contains(domain, "@")
}

func phoneLike(s string) bool {
	n := len(digits(s))
	return strings.Trim(s, "+0123456789 ()-./") == "" && n >= 6 && n <= 15
}

// printable is a text without what a screen obeys instead of showing it: control characters, and those that turn the direction
// of what follows. Lines stay in an address; anywhere else they are blanks. Joiners stay: names need them.
func printable(attr, text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && attr == "home_address":
			return r
		case r == '\n', r == '\r', r == '\t', r == '\u2028', r == '\u2029':
			return ' '
		case unicode.IsControl(r), dayone.Hidden(r), r == '\ufeff':
			return -1
		}
		return r
	}, text)
}

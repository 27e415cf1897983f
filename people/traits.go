package people

import (
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// What somebody may be known by who comes from another source, or comes again.

// Trait is something by which two employments may be one person's.
type Trait struct {
	Kind  string
	Value string // in the one spelling in which it is compared
}

// Kinds of traits.
const (
	TraitNumber  = "number"  // an employee number is one person's: it binds
	TraitMail    = "mail"    // work or personal
	TraitStart   = "start"   // the name and the first day
	TraitMobile  = "mobile"  // the name and the mobile number
	TraitName    = "name"    // the name alone
	TraitOutside = "outside" // the name alone, of somebody whom people entered
	TraitFormer  = "former"  // a mail address that was hers: it may be anybody's by now, so nobody who comes is known by it
)

// TraitTexts say what speaks for one person.
var TraitTexts = map[string]string{
	TraitNumber: "the same employee number, but another name", TraitMail: "the same mail address", TraitStart: "the same name and first day",
	TraitMobile: "the same name and mobile number", TraitName: "the same name", TraitOutside: "the same name, and entered by hand",
}

// Traits are all by which a person can be found, of any of her employments.
func Traits(t *dayone.Timeline, now time.Time) []Trait {
	var out []Trait
	add := func(kind string, values ...string) {
		tr := Trait{kind, strings.Join(values, "\n")}
		if !slices.Contains(values, "") && !slices.Contains(out, tr) {
			out = append(out, tr)
		}
	}
	s := listen(t)
	for _, e := range t.Employments {
		word := func(attr string) string {
			f := s.last(e.ID, attr, farFuture, now, true)
			if f == nil {
				return ""
			}
			return one(f.Value.Text)
		}
		start, _ := s.period(e.ID, now)
		first, family := word("first_name"), word("last_name")
		add(TraitNumber, word("employee_number"))
		add(TraitMail, word("email"))
		add(TraitMail, word("personal_email"))
		for _, attr := range []string{"email", "personal_email"} {
			for _, said := range []string{attr, corrected + attr} {
				for f := range s.of(e.ID, said) {
					if mail := one(f.Value.Text); mail != word(attr) && !f.Bad {
						add(TraitFormer, mail)
					}
				}
			}
		}
		add(TraitStart, first, family, start)
		for _, attr := range []string{"email", "personal_email", "employee_number"} { // a correction is as good a word while it stands
			if c := s.correction(e.ID, attr, now, now); c != nil {
				add(Sole(attr, c.Value.Text))
			}
		}
		add(TraitMobile, first, family, digits(word("mobile")))
		add(TraitName, first, family)
		if e.Source == dayone.Portal {
			add(TraitOutside, first, family)
		}
	}
	return out
}

// one is the spelling in which texts are compared.
func one(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }

// Sole is the kind of trait, and its value, of an attribute that no two people share; "": the attribute is none of those.
func Sole(attr, value string) (kind, trait string) {
	value = one(value)
	switch attr {
	case "email", "personal_email":
		return TraitMail, value
	case "employee_number":
		return TraitNumber, value
	}
	return "", value
}

// Asks are the traits by which a newcomer is looked for. A name alone speaks only for somebody of whom one side was entered by
// hand: of two namesakes in HR, HR knows.
func Asks(newcomer []Trait) []Trait {
	hand := slices.ContainsFunc(newcomer, func(t Trait) bool { return t.Kind == TraitOutside })
	var out []Trait
	for _, t := range newcomer {
		switch {
		case t.Kind == TraitOutside, t.Kind == TraitFormer:
			continue
		case t.Kind == TraitName && !hand:
			t.Kind = TraitOutside
		}
		out = append(out, t)
	}
	return out
}

// SameName says that two people may be one by their names: the first or the last one is the same, or one side has none. Who
// marries keeps the first name.
func SameName(a, b []Trait) bool {
	names := func(ts []Trait) (out [][2]string) {
		for _, t := range ts {
			if first, family, ok := strings.Cut(t.Value, "\n"); ok && t.Kind == TraitName {
				out = append(out, [2]string{first, family})
			}
		}
		return out
	}
	x, y := names(a), names(b)
	if len(x) == 0 || len(y) == 0 {
		return true
	}
	for _, n := range x {
		for _, m := range y {
			if n[0] == m[0] || n[1] == m[1] {
				return true
			}
		}
	}
	return false
}

// digits are those of a telephone number: people write blanks, dashes and brackets as they please.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

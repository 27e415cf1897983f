package locale_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone/locale"
)

func TestDaysAndNumbers(t *testing.T) {
	t.Parallel()
	de, at := locale.Of("de-CH"), time.Date(2025, 3, 4, 15, 4, 5, 0, time.UTC)
	for got, want := range map[string]string{
		de.Time(at, "Mon 2 Jan 2006"): "Di, 4. März 2025", de.Time(at, "Mon 2 Jan, 15:04"): "Di, 4. März, 15:04", de.Time(at, "Monday, 2 January"): "Dienstag, 4. März", de.Time(at, "15:04:05"): "15:04:05", de.Time(at, "Monday"): "Dienstag", de.Time(at, "Jan"): "März",
		de.Number(-1234567): "-1.234.567", de.Point("1.9"): "1,9", de.Away(0): "heute", de.Away(3): "in 3 Tagen", de.Away(-45): "vor 45 Tagen", de.Away(400): "in 1 Jahr",
		de.Plural(1, "1 hour", "%d hours"): "1 Stunde", de.Plural(2, "1 hour", "%d hours"): "2 Stunden", de.Say("%s decides for %s", "A", "B"): "A entscheidet für B",
		de.Plural(100412, "1 hour", "%d hours"): "100.412 Stunden", de.Heard("1,018 hours"): "1.018 Stunden", de.Heard("1018 hours"): "1018 Stunden",
		de.Say("Until %s.", "23. Nov."): "Until 23. Nov.", de.Say("%s. Then %s ...", "3. Dez.", "a/../b"): "3. Dez. Then a/../b ...",
		de.Inside("Serial number"): "Seriennummer", de.Label("Nobody knows this text"): "Nobody knows this text", de.Name(): "Deutsch",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	var en *locale.Language
	for got, want := range map[string]string{
		en.Time(at, "Mon 2 Jan, 15:04"): "Tue 4 Mar, 15:04", en.Number(100412): "100,412", en.Plural(1018, "1 step", "%d steps"): "1,018 steps", en.Say("%d of %d ready", 999, 1000): "999 of 1,000 ready", en.Away(1): "tomorrow", en.Inside("Serial number"): "serial number", en.Heard("x"): "x", en.Tag(): "en",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if locale.Of("fr") != nil || locale.Known("../de") || locale.Of("") != nil {
		t.Error("there is a language that there is not")
	}
}

// What flow says in English is said again, with what stood in it.
func TestHeard(t *testing.T) {
	t.Parallel()
	l := locale.New("xx", map[string]string{"nobody is in %q, so %s": "%[2]s: %[1]s", "it is over": "aus", "%s: %s": "never %s %s", "%d of %d ready": "%d von %d", "%d steps now": "%d Schritte", "%s to %s": "nie %s %s", "Onboard %s": "Eintritt von %s", "One. Two.": "Eins, zwei."})
	for s, want := range map[string]string{
		`nobody is in "x", so y`: `y: "x"`, "it is over": "aus", "a: b": "a: b", "": "", "nobody is in": "nobody is in", "1 of 2 ready": "1 von 2", "something else": "something else",
		"It is over.": "Aus.", "It is over. 3 steps now, it is over.": "Aus. 3 Schritte, aus.", "3 steps now, it is over": "3 Schritte, aus", "3 steps now, Ada": "3 steps now, Ada", "Onboard Ada Lovelace": "Eintritt von Ada Lovelace", "1 Jan. to 2 Feb. Then": "1 Jan. to 2 Feb. Then", "One. Two.": "Eins, zwei.", "One. Two. It is over.": "Eins, zwei. Aus.", "Ada steps now": "Ada steps now",
	} {
		if got := l.Heard(s); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}

// What somebody is called, or has written, is not said again, though a text of ours would fit it.
func TestNamesAreNotSaid(t *testing.T) {
	t.Parallel()
	de := locale.Of("de")
	for _, s := range []string{"Request Manager", "Check Point VPN", "Sales account", "Starts Up GmbH", "Update Services", "May", "June"} {
		if got := de.Said(s); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
	if got := de.Said("3 steps"); got != "3 Schritte" {
		t.Errorf("what counts is said: %q", got)
	}
	if long := strings.Repeat("today. Today. ", 100); de.Heard(long) != long {
		t.Error("a text longer than any of ours was heard")
	}
}

func BenchmarkHeard(b *testing.B) {
	de, s := locale.Of("de"), strings.Repeat("Abc def. ", 110)
	for b.Loop() {
		de.Heard(s)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{{"%s of %d", "%[2]d von %[1]s", true}, {"%s of %d", "%[1]s von %[2]s", false}, {"%s", "x", false}, {"100%", "100%", true}, {"%s and %s", "%[1]s", false}} {
		x, y := locale.Places(c.a), locale.Places(c.b)
		same := len(x) == len(y)
		for i := range x {
			same = same && x[i] == y[i]
		}
		if same != c.same {
			t.Errorf("%q and %q: %v and %v", c.a, c.b, x, y)
		}
	}
}

// What separation of duties has found names a title of the customer's, accesses and days: only the rest is said otherwise.
func TestSeparationOfDutiesIsSaidInGerman(t *testing.T) {
	t.Parallel()
	de := locale.Of("de")
	for s, want := range map[string]string{
		"Quote and approve: a/b:c, d/e:f; both are there already: one must go":                                    "Quote and approve: a/b:c, d/e:f; beides ist schon da: Eines muss weg",
		"Quote and approve: a/b:c, d/e:f; nobody should have these together":                                      "Quote and approve: a/b:c, d/e:f; niemand sollte beides zugleich haben",
		"Quote and approve: a/b:c, d/e:f; neither is given until somebody decides":                                "Quote and approve: a/b:c, d/e:f; keines davon wird vergeben, bis jemand entscheidet",
		"Quote and approve: a/b:c, d/e:f; withheld: d/e:f":                                                        "Quote and approve: a/b:c, d/e:f; zurückgehalten: d/e:f",
		"Quote and approve: a/b:c, d/e:f; waived until 2025-01-31 by kim@company.com, with a second look instead": "Quote and approve: a/b:c, d/e:f; erlaubt bis 2025-01-31 von kim@company.com, stattdessen gilt a second look",
		"Quote and approve: a/b:c would begin while d/e:f is there; withheld: a/b:c":                              "Quote and approve: a/b:c begänne, solange d/e:f da ist; zurückgehalten: a/b:c",
	} {
		if got := de.Heard(s); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}

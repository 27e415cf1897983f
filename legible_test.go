package dayone_test

import (
	"testing"

	"github.com/dayone-hq/dayone"
)

func TestLegibleTextIsWhatItLooksLike(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"", "Zoë\n\tMüller", "می\u200cخواهم", "👩\u200d💻", "שרה\u200f!", "\ufeffcsv"} {
		if !dayone.Legible(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{"a\x00b", "a\x1bb", "\xff", "a\u202egnp.exe", "a\u2066b", "a\u200bb", "a\u2060b"} {
		if dayone.Legible(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestAFileWithSomethingHiddenIsRead(t *testing.T) {
	t.Parallel()
	if n := dayone.IllegibleLine("id,name\n1,Sa\u200brah\n"); n != 0 {
		t.Errorf("line %d is refused", n)
	}
	if n := dayone.IllegibleLine("id,name\n1,Sa\u200brah\n2,\x00\n"); n != 3 {
		t.Errorf("line %d is refused", n)
	}
}

func TestCountriesAreThoseThereAre(t *testing.T) {
	t.Parallel()
	for code, is := range map[string]bool{"DE": true, "US": true, "ZW": true, "AD": true, "XK": true, "ZZ": false, "XX": false, "de": false, "": false, "D": false, "E ": false, " A": false, "DEU": false} {
		if dayone.IsCountry(code) != is {
			t.Errorf("%q: %v", code, !is)
		}
	}
}

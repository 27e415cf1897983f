package number

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/dayone-hq/dayone"
)

// longest is more than anybody writes for a number.
const longest = 40

// Parse reads a number as people write it, and gives its E.164 form. country is where a number without a + is dialled;
// "": there is no such place.
func Parse(text, country string) (string, error) {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n == 0 || n > longest {
		return "", fmt.Errorf("a number has 1 to %d signs: %w", longest, dayone.ErrInvalid)
	}
	if country == "" && !strings.HasPrefix(text, "+") {
		return "", fmt.Errorf("%q does not begin with + and a country code: %w", text, dayone.ErrInvalid)
	}
	n, err := phonenumbers.Parse(text, country)
	if err != nil {
		return "", fmt.Errorf("%q is no telephone number: %w", text, dayone.ErrInvalid)
	}
	if n.GetExtension() != "" {
		return "", fmt.Errorf("%q has an extension behind it; write the whole number: %w", text, dayone.ErrInvalid)
	}
	if why := phonenumbers.IsPossibleNumberWithReason(n); why != phonenumbers.IS_POSSIBLE {
		return "", fmt.Errorf("%q is no possible number in +%d: it is %s: %w", text, n.GetCountryCode(), impossible[why], dayone.ErrInvalid)
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

var impossible = map[phonenumbers.ValidationResult]string{
	phonenumbers.INVALID_COUNTRY_CODE:   "of no country",
	phonenumbers.TOO_SHORT:              "too short",
	phonenumbers.TOO_LONG:               "too long",
	phonenumbers.INVALID_LENGTH:         "of a length that no number there has",
	phonenumbers.IS_POSSIBLE_LOCAL_ONLY: "only dialled locally; write the area code, too",
}

// Country is where a number in E.164 form belongs to, as ISO 3166-1 has it; "": to no country alone.
func Country(e164 string) string {
	n, err := phonenumbers.Parse(e164, "")
	if err != nil {
		return ""
	}
	if c := phonenumbers.GetRegionCodeForNumber(n); len(c) == 2 && c != "ZZ" {
		return c
	}
	return ""
}

// knownCountry says whether there is a country of that name.
func knownCountry(c string) bool { return phonenumbers.GetSupportedRegions()[c] }

// digits says whether a text is digits and nothing else.
func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

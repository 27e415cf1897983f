package people

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
)

// What identifies somebody names accounts. For somebody who is not known yet there is no last good value that could stay: the
// event is quarantined, as it is without a start. For somebody who is known the bad value is flagged as any other.

// unlisted stands for a value of the source in which there are others.
const unlisted = "[...]"

// identifying are attributes that accounts are named by, or found.
var identifying = []string{"email", "employee_number", "first_name", "last_name", "preferred_name"}

// identifies says why a value can be no mail address or number of somebody; nil: it can, or the attribute is none of them. What
// cannot be seen is taken out of a name, but not out of these: another account would be meant.
func identifies(attr string, v dayone.Value) error {
	switch {
	case attr != "email" && attr != "personal_email" && attr != "employee_number" || strings.TrimSpace(v.Text) == "":
		return nil
	case strings.ContainsFunc(v.Text, unseen):
		return errors.New("it holds characters that cannot be seen")
	case attr != "employee_number" && !addressed(strings.TrimSpace(v.Text)):
		return fmt.Errorf("%q is no mail address", short(v.Text))
	}
	return nil
}

const (
	mostText = 1000 // characters of one value
	mostMail = 320  // of a mail address: 64 before the @ and 255 after it
	mostList = 100  // times what one value may have
)

// tooLong says that a value is longer than anybody's: it would stand on pages, in messages and at systems.
func tooLong(attr, text string) error {
	most := mostText
	if slices.Contains(addresses, attr) {
		most = mostMail
	}
	if len(text) <= most {
		return nil
	}
	if n := utf8.RuneCountInString(text); n > most {
		return fmt.Errorf("it has %d characters, and %d are the most", n, most)
	}
	return nil
}

// addressed forgives more than mailLike: HR may know of domains without a dot.
func addressed(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && !strings.ContainsAny(s, " ,;<>") && !strings.Contains(domain, "@")
}

func unseen(r rune) bool {
	return unicode.IsControl(r) || dayone.Hidden(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

// firstTime is the earliest at which a source can have said anything.
var firstTime = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

// unlikely says why an event cannot be believed: it is of another time, or what would identify somebody new cannot. What ends
// an employment is carried out whatever else is wrong with it.
func (j *judging) unlikely(h Heard) string {
	if Ends(h.Event) || stops(h.Event) || h.Type == dayone.Corrected || h.Type == dayone.CorrectionEnded {
		return ""
	}
	heard := h.Received
	if heard.IsZero() {
		heard = j.at
	}
	// where the record is read, an event says no more than where to look
	if at := h.At; h.Record == nil && !at.IsZero() && (at.Before(firstTime) || at.Sub(heard) > 24*time.Hour) {
		return fmt.Sprintf("it says that it happened at %s: is the clock of %s right?", at.UTC().Format(time.RFC3339), h.Source)
	}
	if j.out.New == nil {
		return ""
	}
	if strings.ContainsFunc(h.Subject, unseen) {
		return "the employee id holds characters that cannot be seen"
	}
	if err := tooLong("", h.Subject); err != nil {
		return fmt.Sprintf("the employee id: %v", err)
	}
	for _, name := range identifying {
		a, ok := j.set.Schema.Attributes[name]
		if !ok || a.Derived {
			continue
		}
		v, ok := j.field(a)
		if !ok || name != "email" && name != "employee_number" && v.Kind != dayone.ListValue && strings.TrimSpace(v.Text) != unlisted && tooLong(name, v.Text) == nil {
			continue
		}
		_, err := normal(a, v)
		if err == nil {
			err = identifies(name, v)
		}
		if err != nil {
			return fmt.Sprintf("%s: %v", name, err)
		}
	}
	return ""
}

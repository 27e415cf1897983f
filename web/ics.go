package web

import (
	"strings"
	"time"
)

// meeting is what the mailbox shows of an invitation.
type meeting struct {
	summary, location, organizer string
	attendees                    []string
	start, end                   time.Time
	cancelled                    bool
}

// readMeeting reads the few properties of a calendar part that the mailbox shows. It is no calendar: what it does not
// know it leaves out. https://www.rfc-editor.org/rfc/rfc5545#section-3.1
func readMeeting(ics string) meeting {
	var m meeting
	unfolded := strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "").Replace(ics)
	event := false
	for line := range strings.Lines(unfolded) {
		name, params, value := property(strings.TrimRight(line, "\r\n"))
		switch {
		case name == "METHOD":
			m.cancelled = value == "CANCEL"
		case name == "BEGIN":
			event = event || value == "VEVENT"
		case name == "END" && value == "VEVENT":
			return m
		case !event: // a time zone has a DTSTART of its own
		case name == "SUMMARY":
			m.summary = unescaped(value)
		case name == "LOCATION":
			m.location = unescaped(value)
		case name == "DTSTART":
			m.start = icsTime(params["TZID"], value)
		case name == "DTEND":
			m.end = icsTime(params["TZID"], value)
		case name == "ORGANIZER":
			m.organizer = strings.TrimPrefix(value, "mailto:")
		case name == "ATTENDEE":
			m.attendees = append(m.attendees, strings.TrimPrefix(value, "mailto:"))
		}
	}
	return m
}

// property cuts a line at its first colon that is not quoted, and its name at semicolons.
func property(line string) (name string, params map[string]string, value string) {
	quoted, colon := false, -1
	for i, r := range line {
		if r == '"' {
			quoted = !quoted
		}
		if r == ':' && !quoted {
			colon = i
			break
		}
	}
	if colon < 0 {
		return line, nil, ""
	}
	parts := strings.Split(line[:colon], ";")
	params = map[string]string{}
	for _, p := range parts[1:] {
		k, v, _ := strings.Cut(p, "=")
		params[strings.ToUpper(k)] = strings.Trim(v, `"`)
	}
	return strings.ToUpper(parts[0]), params, line[colon+1:]
}

func unescaped(s string) string {
	return strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(s)
}

func icsTime(zone, value string) time.Time {
	if t, err := time.Parse("20060102T150405Z", value); err == nil {
		return t
	}
	in, err := time.LoadLocation(zone)
	if err != nil {
		in = time.UTC
	}
	t, _ := time.ParseInLocation("20060102T150405", value, in)
	return t
}

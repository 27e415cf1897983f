package imip

import (
	"bytes"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-ical"

	"github.com/dayone-hq/dayone/connector/mailc"
)

// event is one meeting, once.
type event struct {
	uid         string
	sequence    int64
	stamp       time.Time // of this message
	summary     string
	description string
	location    string
	start, end  time.Time // in zone
	zone        *time.Location
	organizer   mail.Address
	sender      string
	attendees   []*mail.Address
}

// encode writes the event as an iTIP message (RFC 5546): METHOD:REQUEST or METHOD:CANCEL.
func (e event) encode(method string) ([]byte, error) {
	cal := ical.NewCalendar()
	cal.Props.SetText(ical.PropVersion, "2.0")
	cal.Props.SetText(ical.PropProductID, "-//Dayone//Invitations//EN")
	cal.Props.SetText(ical.PropCalendarScale, "GREGORIAN")
	cal.Props.SetText(ical.PropMethod, method)

	ev := ical.NewEvent()
	ev.Props.SetText(ical.PropUID, e.uid)
	ev.Props.SetDateTime(ical.PropDateTimeStamp, e.stamp.UTC())
	set(ev.Props, ical.PropSequence, strconv.FormatInt(e.sequence, 10))
	ev.Props.SetText(ical.PropSummary, e.summary)
	if e.description != "" {
		ev.Props.SetText(ical.PropDescription, mailc.Text(e.description))
	}
	if e.location != "" {
		ev.Props.SetText(ical.PropLocation, e.location)
	}
	ev.SetStatus(ical.EventConfirmed)
	if method == "CANCEL" {
		ev.SetStatus(ical.EventCancelled)
	}
	ev.Props.SetText(ical.PropTransparency, "OPAQUE")
	organizer := person(ical.PropOrganizer, &e.organizer)
	if e.sender != e.organizer.Address {
		organizer.Params.Set(ical.ParamSentBy, mailto(e.sender))
	}
	ev.Props.Set(organizer)
	for _, a := range e.attendees {
		p := person(ical.PropAttendee, a)
		p.Params.Set(ical.ParamCalendarUserType, "INDIVIDUAL")
		p.Params.Set(ical.ParamRole, "REQ-PARTICIPANT")
		p.Params.Set(ical.ParamParticipationStatus, "NEEDS-ACTION")
		p.Params.Set(ical.ParamRSVP, "TRUE")
		ev.Props.Add(p)
	}

	start, end := e.start, e.end
	if name := e.zone.String(); name == "UTC" || name == "Etc/UTC" {
		start, end = start.UTC(), end.UTC()
	} else {
		cal.Children = append(cal.Children, timezone(e.zone, start, end))
	}
	ev.Props.SetDateTime(ical.PropDateTimeStart, start)
	ev.Props.SetDateTime(ical.PropDateTimeEnd, end)
	cal.Children = append(cal.Children, ev.Component)

	var b bytes.Buffer
	if err := ical.NewEncoder(&b).Encode(cal); err != nil {
		return nil, err
	}
	return fold(b.Bytes()), nil
}

// person is an ORGANIZER or ATTENDEE. A parameter cannot hold quotation marks, and the library lets line breaks through.
func person(prop string, a *mail.Address) *ical.Prop {
	p := ical.NewProp(prop)
	p.Value = mailto(a.Address)
	name := a.Name
	if name == "" {
		name = a.Address
	}
	p.Params.Set(ical.ParamCommonName, mailc.Line(strings.ReplaceAll(name, `"`, "'")))
	return p
}

// set puts a value of the property's own type, which the library has no method for.
func set(props ical.Props, name, value string) {
	p := ical.NewProp(name)
	p.Value = value
	props.Set(p)
}

func mailto(address string) string {
	at := strings.LastIndexByte(address, '@')
	return "mailto:" + url.PathEscape(address[:at]) + address[at:]
}

// timezone writes what a zone does from the year in which a meeting starts to the year in which it ends: the rule in force
// at first and every change, as Go's zone data have them.
func timezone(zone *time.Location, start, end time.Time) *ical.Component {
	tz := ical.NewComponent(ical.CompTimezone)
	tz.Props.SetText(ical.PropTimezoneID, zone.String())
	for at := time.Date(start.Year(), 1, 1, 0, 0, 0, 0, zone); ; {
		from, to := at.ZoneBounds()
		name, offset := at.Zone()
		before, onset := offset, time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC) // it has always been so
		if !from.IsZero() {
			_, before = from.Add(-time.Second).Zone()
			onset = from.UTC().Add(time.Duration(before) * time.Second) // the clock's face, just before it is changed
		}
		kind := ical.CompTimezoneStandard
		if at.IsDST() {
			kind = ical.CompTimezoneDaylight
		}
		c := ical.NewComponent(kind)
		c.Props.SetText(ical.PropTimezoneName, name)
		set(c.Props, ical.PropDateTimeStart, onset.Format("20060102T150405"))
		set(c.Props, ical.PropTimezoneOffsetFrom, utcOffset(before))
		set(c.Props, ical.PropTimezoneOffsetTo, utcOffset(offset))
		tz.Children = append(tz.Children, c)
		if to.IsZero() || to.Year() > end.Year() {
			return tz
		}
		at = to
	}
}

func utcOffset(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	out := fmt.Sprintf("%c%02d%02d", sign, seconds/3600, seconds/60%60)
	if s := seconds % 60; s != 0 {
		out += fmt.Sprintf("%02d", s)
	}
	return out
}

// fold breaks lines after 75 octets, never within a character (RFC 5545, 3.1); the library writes them whole.
func fold(raw []byte) []byte {
	const most = 75
	var b bytes.Buffer
	for line := range bytes.SplitSeq(bytes.TrimSuffix(raw, []byte("\r\n")), []byte("\r\n")) {
		room := most
		for len(line) > room {
			cut := room
			for cut > 1 && !utf8.RuneStart(line[cut]) {
				cut--
			}
			b.Write(line[:cut])
			b.WriteString("\r\n ")
			line, room = line[cut:], most-1
		}
		b.Write(line)
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// words are the invitation for those whose program shows no calendar.
func (e event) words(title string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\nWhen:  %s\n", title, e.summary, e.when())
	if e.location != "" {
		fmt.Fprintf(&b, "Where: %s\n", e.location)
	}
	fmt.Fprintf(&b, "From:  %s\n", strings.TrimSpace(e.organizer.Name+" <"+e.organizer.Address+">"))
	if e.description != "" {
		fmt.Fprintf(&b, "\n%s\n", mailc.Text(e.description))
	}
	return b.String()
}

func (e event) when() string {
	const day, clock = "Monday, 2 January 2006", "15:04"
	until := e.end.Format(clock)
	if e.start.Format(time.DateOnly) != e.end.Format(time.DateOnly) {
		until = e.end.Format(day + ", " + clock)
	}
	return fmt.Sprintf("%s to %s (%s)", e.start.Format(day+", "+clock), until, e.zone)
}

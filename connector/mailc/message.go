package mailc

import (
	"bytes"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
)

// Message is one mail as a connector wants it. Whatever stands in it becomes no header of its own.
type Message struct {
	Op       string   // "sending message": a gerund, for errors
	ID       string   // of Act.Once: the Message-ID's left side, so that a mail sent twice is known as one
	To       []string // "ada@company.com" or "Ada Lovelace <ada@company.com>"
	ReplyTo  string   // "": that of the settings
	Subject  string
	Text     string
	HTML     string    // may be empty
	Calendar *Calendar // may be nil
}

// Calendar is an iCalendar object: a part of the message, for programs, and a file, for people (RFC 6047).
type Calendar struct {
	Method string // REQUEST, CANCEL
	ICS    []byte
}

// longest lines of a header that we write, in characters, and longest address, in octets (RFC 5321).
const (
	longestLine    = 250
	longestAddress = 254
)

var idText = regexp.MustCompile(`^[A-Za-z0-9]+(\.[A-Za-z0-9]+)*$`)

// build writes the message as it goes over the wire.
func (c *Client) build(m Message) (raw []byte, to []*mail.Address, id string, err error) {
	if !idText.MatchString(m.ID) {
		return nil, nil, "", fmt.Errorf("%q makes no Message-ID", m.ID)
	}
	if len(m.To) == 0 {
		return nil, nil, "", errors.New("it goes to nobody")
	}
	if strings.TrimSpace(m.Subject) == "" || strings.TrimSpace(m.Text) == "" {
		return nil, nil, "", errors.New("it has no subject or no text")
	}
	if to, err = Addresses(m.To); err != nil {
		return nil, nil, "", err
	}
	reply := c.ReplyTo
	if m.ReplyTo != "" {
		if reply, err = address(m.ReplyTo); err != nil {
			return nil, nil, "", err
		}
	}
	id = m.ID + "@" + c.Domain

	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&c.From)
	msg.ToMailAddress(to...)
	if reply != nil {
		msg.ReplyToMailAddress(reply)
	}
	msg.SetMessageIDWithValue(id)
	msg.SetDateWithValue(c.Now())
	msg.Subject(heading(m.Subject))
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // so that no absence notice answers it (RFC 3834)
	msg.SetBodyString(gomail.TypeTextPlain, Text(m.Text))
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, Text(m.HTML))
	}
	if cal := m.Calendar; cal != nil {
		msg.AddAlternativeString(gomail.ContentType("text/calendar; method="+cal.Method), string(cal.ICS), gomail.WithPartEncoding(gomail.EncodingB64))
		msg.AttachReadSeeker("invite.ics", bytes.NewReader(cal.ICS), gomail.WithFileContentType("application/ics"))
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, nil, "", err
	}
	return b.Bytes(), to, id, nil
}

// Addresses reads mail addresses, with or without a name.
func Addresses(list []string) ([]*mail.Address, error) {
	out := make([]*mail.Address, 0, len(list))
	for _, s := range list {
		a, err := address(s)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func address(s string) (*mail.Address, error) {
	a, err := mail.ParseAddress(s)
	if err != nil || strings.ContainsFunc(s, unicode.IsControl) || len(a.Address) > longestAddress {
		return nil, fmt.Errorf("%.80q is no mail address", s)
	}
	a.Name = heading(a.Name)
	return a, nil
}

// Line makes one line of a text: what breaks lines becomes a space.
func Line(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}

// Text has line feeds only, and no control characters but those and tabs.
func Text(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n"), "\r", "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// heading is a line that is not too long for a header.
func heading(s string) string {
	s = Line(s)
	if utf8.RuneCountInString(s) > longestLine {
		s = string([]rune(s)[:longestLine-1]) + "…"
	}
	return s
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

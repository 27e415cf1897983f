package sim

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// Message as it was accepted, and as a mail program would show it.
type Message struct {
	ID         string      `json:"id"`   // Message-ID without brackets
	From       string      `json:"from"` // envelope
	To         []string    `json:"to"`   // envelope
	User       string      `json:"user,omitempty"`
	TLS        bool        `json:"tls"`
	Received   time.Time   `json:"received"`
	Header     mail.Header `json:"header"` // as it came, not decoded
	FromName   string      `json:"from_name,omitempty"`
	Subject    string      `json:"subject"`
	Text       string      `json:"text"`
	HTML       string      `json:"html,omitempty"`
	Calendar   []Calendar  `json:"calendar,omitempty"`
	Attachment []File      `json:"attachment,omitempty"`
	Raw        []byte      `json:"raw"`
}

// Calendar is a text/calendar part.
type Calendar struct {
	Method  string `json:"method"`
	Charset string `json:"charset"`
	ICS     string `json:"ics"`
}

// File is an attachment.
type File struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Body []byte `json:"body"`
}

// parse reads a message as strictly as RFC 5322 and RFC 2045 allow a server to.
func parse(raw []byte, utf8 bool) (Message, error) {
	m := Message{Raw: raw}
	in, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return m, errors.New("malformed header")
	}
	m.Header = in.Header
	for _, name := range []string{"From", "To", "Date", "Subject", "Message-Id", "Mime-Version", "Content-Type"} {
		if n := len(in.Header[name]); n != 1 {
			return m, fmt.Errorf("%d headers %s", n, name)
		}
	}
	for name, values := range in.Header {
		if !utf8 && !ascii(name+strings.Join(values, "")) {
			return m, fmt.Errorf("header %s is not encoded", name)
		}
	}
	if _, err := in.Header.Date(); err != nil {
		return m, errors.New("malformed Date")
	}
	if _, err := in.Header.AddressList("To"); err != nil {
		return m, errors.New("malformed To")
	}
	from, err := in.Header.AddressList("From")
	if err != nil || len(from) != 1 {
		return m, errors.New("malformed From")
	}
	m.FromName = from[0].Name
	id, opened := strings.CutPrefix(in.Header.Get("Message-Id"), "<")
	id, closed := strings.CutSuffix(id, ">")
	if !opened || !closed || strings.Count(id, "@") != 1 || strings.ContainsAny(id, "<> ") {
		return m, errors.New("malformed Message-ID")
	}
	m.ID = id
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(in.Header.Get("Subject")); err != nil {
		return m, errors.New("malformed Subject")
	}
	return m, m.part(in.Header, in.Body, 0)
}

type header interface{ Get(string) string }

// part takes one part of the body, or those within it.
func (m *Message) part(h header, body io.Reader, depth int) error {
	typ, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || depth > 4 {
		return errors.New("malformed Content-Type")
	}
	if strings.HasPrefix(typ, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return errors.New("malformed " + typ)
			}
			if err := m.part(p.Header, p, depth+1); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(h.Get("Content-Transfer-Encoding")) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "", "7bit", "8bit":
	default:
		return errors.New("unknown Content-Transfer-Encoding")
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("%s cannot be decoded", typ)
	}
	if disposition, with, _ := mime.ParseMediaType(h.Get("Content-Disposition")); disposition == "attachment" {
		m.Attachment = append(m.Attachment, File{Name: with["filename"], Type: typ, Body: b})
		return nil
	}
	switch typ {
	case "text/plain":
		m.Text += strings.ReplaceAll(string(b), "\r\n", "\n")
	case "text/html":
		m.HTML += strings.ReplaceAll(string(b), "\r\n", "\n")
	case "text/calendar":
		m.Calendar = append(m.Calendar, Calendar{Method: params["method"], Charset: params["charset"], ICS: string(b)})
	}
	return nil
}

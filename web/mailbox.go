package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
)

type mailboxView struct {
	Rows  []mailRow
	Comes []item // still to be sent
	Open  *mailView
	Empty *empty
}

type mailRow struct {
	Href, Subject, To string
	At                *stamp
	Invitation        bool
	Current           bool
}

type mailView struct {
	Subject, From, To string
	At                *stamp
	Lines             []mailLine
	Meeting           *meetingView
}

// mailLine is one line of a text, cut where an address can be clicked.
type mailLine struct {
	Parts []mailPart
	Blank bool
}

type mailPart struct{ Text, Href string }

type meetingView struct {
	Summary, Where       string
	Organizer, Attendees string
	From, To             *stamp
	Cancelled            bool
}

func (p *portal) mailbox(w http.ResponseWriter, r *http.Request) error {
	v := newMailbox(p.viewerOf(r), p.opt.Mailbox.Messages(), -1)
	var err error
	if v.Comes, err = p.onTheWay(r); err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, page{Template: "mailbox", Title: "Mailbox", Nav: "mailbox", Crumbs: []link{{"Mailbox", ""}}, Main: v})
}

func (p *portal) mail(w http.ResponseWriter, r *http.Request) error {
	list := p.opt.Mailbox.Messages()
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || n < 1 || n > len(list) {
		return dayone.ErrNotFound
	}
	v := newMailbox(p.viewerOf(r), list, n-1)
	return p.show(w, r, http.StatusOK, page{Template: "mailbox", Title: v.Open.Subject, Nav: "mailbox", Crumbs: []link{{"Mailbox", "/mailbox"}, {v.Open.Subject, ""}}, Main: v})
}

// newMailbox lists mails, the newest first; open is the one that is read, or -1.
func newMailbox(view viewer, list []Mail, open int) mailboxView {
	var v mailboxView
	for i, m := range list {
		v.Rows = append(v.Rows, mailRow{
			Href: "/mailbox/" + strconv.Itoa(i+1), Subject: m.Subject, To: strings.Join(m.To, ", "), At: view.clock(m.At), Invitation: m.ICS != "", Current: i == open,
		})
	}
	slices.Reverse(v.Rows)
	if len(list) == 0 {
		v.Empty = &empty{Icon: "mail", Title: "No mail yet", Text: "Everything that the demo sends lands here: mails and invitations. Hire somebody and look again.", Acts: []link{{"Onboard", "/onboard"}}}
	}
	if open < 0 || open >= len(list) {
		return v
	}
	m := list[open]
	v.Open = &mailView{Subject: m.Subject, From: m.From, To: strings.Join(m.To, ", "), At: view.clock(m.At), Lines: mailLines(m.Text)}
	if m.ICS != "" {
		meeting := readMeeting(m.ICS)
		there := view.there(meeting.start.Location()) // as its text tells it: where those are who meet
		from := there
		from.named = false // said once, at the end
		v.Open.Meeting = &meetingView{
			Summary: meeting.summary, Where: meeting.location, Organizer: meeting.organizer, Attendees: strings.Join(meeting.attendees, ", "),
			From: from.at(meeting.start), To: there.timed(meeting.end, "15:04"), Cancelled: meeting.cancelled,
		}
	}
	return v
}

// mailLines makes addresses clickable. Only http and https: a mail must not bring script along.
func mailLines(text string) []mailLine {
	var out []mailLine
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		l := mailLine{Blank: strings.TrimSpace(line) == ""}
		for line != "" {
			i := strings.Index(line, "http://")
			if j := strings.Index(line, "https://"); i < 0 || j >= 0 && j < i {
				i = j
			}
			if i < 0 {
				l.Parts = append(l.Parts, mailPart{Text: line})
				break
			}
			end := i + strings.IndexFunc(line[i:]+" ", func(r rune) bool { return r == ' ' || r == '>' || r == '<' || r == '"' || r == '\t' || r == '|' })
			url := strings.TrimRight(line[i:end], ".,;:)")
			if i > 0 {
				l.Parts = append(l.Parts, mailPart{Text: line[:i]})
			}
			l.Parts = append(l.Parts, mailPart{Text: url, Href: url})
			line = line[i+len(url):]
		}
		out = append(out, l)
	}
	return out
}

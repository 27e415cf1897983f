package imip_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
	"github.com/emersion/go-webdav"
	"github.com/emersion/go-webdav/caldav"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/imip"
	mailsim "github.com/dayone-hq/dayone/connector/mailc/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/internal/lab"
)

func serve(t *testing.T, s sim.Simulator) string {
	t.Helper()
	addr, err := s.(*mailsim.Server).Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.(*mailsim.Server).Close)
	return addr
}

func TestIMIP(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: imip.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return mailsim.New(o) },
		Serve:   serve,
		Grants:  []dayone.Grant{{Key: intro(nil).Key, Attrs: intro(nil).Want.Attrs}},
	})
}

var now = time.Date(2024, 11, 22, 15, 1, 0, 0, time.UTC)

func open(t *testing.T, settings map[string]string) *connector.Guard {
	t.Helper()
	return openWith(t, connector.Options{Settings: settings})
}

func openWith(t *testing.T, o connector.Options) *connector.Guard {
	t.Helper()
	g, err := connector.Open(imip.Factory, "calendar", func() time.Time { return now }, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func setup(t *testing.T) (*mailsim.Server, *connector.Guard) {
	t.Helper()
	s := mailsim.New(sim.Options{Now: func() time.Time { return now }})
	return s, open(t, s.Settings(serve(t, s)))
}

const once = "0123456789abcdef0123456789abcdef"

func intro(change dayone.Attrs) dayone.Act {
	key := dayone.Key{System: "calendar", Kind: "invitation", Name: "intro"}
	return dayone.Act{
		Once: once, Action: dayone.MessageSend, Key: key, Attempt: 1, Since: now,
		Want: &dayone.Item{Key: key, State: dayone.Active, Attrs: dayone.Attrs{
			"template": dayone.Text("intro"), "to": dayone.List("Sarah Chen <sarah.chen@company.com>", "john.doe@company.com"),
			"summary": dayone.Text("Intro call; with John, 15 min"), "description": dayone.Text("Hello Sarah,\r\nwe talk about \\ everything."),
			"location": dayone.Text("https://meet.example/abc"), "start": dayone.Text("2024-11-25T09:00:00-08:00"), "end": dayone.Text("2024-11-25T09:15:00-08:00"),
			"zone": dayone.Text("America/Los_Angeles"),
		}.With(change)},
	}
}

// read parses what a mail carries: a part for programs and a file for people, both the same.
func read(t *testing.T, m mailsim.Message) (*ical.Calendar, ical.Event) {
	t.Helper()
	if len(m.Calendar) != 1 || len(m.Attachment) != 1 || m.Attachment[0].Name != "invite.ics" || string(m.Attachment[0].Body) != m.Calendar[0].ICS {
		t.Fatalf("the mail carries %d calendars and %+v", len(m.Calendar), m.Attachment)
	}
	raw := m.Calendar[0].ICS
	for _, line := range strings.SplitAfter(raw, "\n") {
		if len(line) > 77 || line != "" && !strings.HasSuffix(line, "\r\n") || strings.ContainsAny(strings.TrimSuffix(line, "\r\n"), "\r\n") {
			t.Errorf("a line is %d octets long or ends badly: %q", len(line), line)
		}
	}
	cal, err := ical.NewDecoder(strings.NewReader(raw)).Decode()
	if err != nil {
		t.Fatalf("%v in\n%s", err, raw)
	}
	if len(cal.Events()) != 1 || strings.Count(raw, "BEGIN:VEVENT") != 1 {
		t.Fatalf("it holds %d events:\n%s", len(cal.Events()), raw)
	}
	if got := cal.Props.Get(ical.PropMethod); got == nil || got.Value != m.Calendar[0].Method || m.Calendar[0].Charset != "UTF-8" {
		t.Errorf("the part says %s in %s, the calendar %v", m.Calendar[0].Method, m.Calendar[0].Charset, got)
	}
	return cal, cal.Events()[0]
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	s, g := setup(t)
	r, err := g.Apply(t.Context(), intro(dayone.Attrs{"organizer": dayone.Text(`"Doe, John" <john.doe@company.com>`)}))
	if err != nil {
		t.Fatal(err)
	}
	if r.Before != nil || r.Wait != nil || r.Now.State != dayone.Active || r.Now.Ref != once+"@company.com" || r.Now.Attrs.Text("message_id") != once+"@company.com" {
		t.Errorf("the answer is %+v", r)
	}
	if _, kept := r.Now.Attrs["description"]; kept {
		t.Error("the description is kept")
	}
	m := s.Messages()[0]
	if m.Subject != "Invitation: Intro call; with John, 15 min" || m.Header.Get("Reply-To") != "<john.doe@company.com>" || len(m.To) != 2 ||
		!strings.Contains(m.Text, "Monday, 25 November 2024, 09:00 to 09:15 (America/Los_Angeles)") {
		t.Errorf("the mail is %+v", m)
	}
	_, e := read(t, m)
	for name, want := range map[string]string{
		"UID": once + "@company.com", "SEQUENCE": "0", "STATUS": "CONFIRMED", "DTSTAMP": "20241122T150100Z", "DTSTART": "20241125T090000", "DTEND": "20241125T091500",
		"SUMMARY": `Intro call\; with John\, 15 min`, "DESCRIPTION": `Hello Sarah\,\nwe talk about \\ everything.`, "LOCATION": "https://meet.example/abc",
		"ORGANIZER": "mailto:john.doe@company.com",
	} {
		if p := e.Props.Get(name); p == nil || p.Value != want {
			t.Errorf("%s is %+v, want %s", name, p, want)
		}
	}
	if o := e.Props.Get("ORGANIZER"); o.Params.Get("CN") != "Doe, John" || o.Params.Get("SENT-BY") != "mailto:onboarding@company.com" {
		t.Errorf("the organizer is %+v", o)
	}
	guests := e.Props.Values("ATTENDEE")
	if len(guests) != 2 {
		t.Fatalf("%d guests", len(guests))
	}
	for _, p := range guests {
		name := map[string]string{"mailto:sarah.chen@company.com": "Sarah Chen", "mailto:john.doe@company.com": "john.doe@company.com"}[p.Value]
		if p.Params.Get("CN") != name || p.Params.Get("RSVP") != "TRUE" || p.Params.Get("PARTSTAT") != "NEEDS-ACTION" {
			t.Errorf("a guest is %+v", p)
		}
	}
	if seen, err := g.Observe(t.Context(), dayone.Subject{}); err != nil || len(seen.Items)+len(seen.Unread) > 0 {
		t.Errorf("Observe says %+v, %v", seen, err)
	}
}

// Twice is once, a change is the next revision, and what is taken back is cancelled with one more.
func TestLife(t *testing.T) {
	t.Parallel()
	s, g := setup(t)
	s.Inject(mailsim.Fault{Verb: ".", Cut: true})
	a := intro(nil)
	if _, err := g.Apply(t.Context(), a); !errors.Is(err, dayone.ErrUnavailable) {
		t.Fatalf("a cut answer says %v", err)
	}
	a.Attempt = 2
	r, err := g.Apply(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	ms := s.Messages()
	if len(ms) != 2 || ms[0].ID != ms[1].ID || ms[0].Calendar[0].ICS != ms[1].Calendar[0].ICS {
		t.Fatalf("it came as %d different mails", len(ms))
	}
	a.Have = r.Now
	if again, err := g.Apply(t.Context(), a); err != nil || again.Changed() || len(s.Messages()) != 2 {
		t.Fatalf("what is known was sent again: %+v, %v", again, err)
	}

	a = intro(dayone.Attrs{"start": dayone.Text("2024-11-25T10:00:00-08:00"), "end": dayone.Text("2024-11-25T10:15:00-08:00")})
	a.Have = r.Now
	moved, err := g.Apply(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	m := s.Messages()[2]
	_, e := read(t, m)
	if e.Props.Get("SEQUENCE").Value != "1" || e.Props.Get("UID").Value != r.Now.Ref || e.Props.Get("DTSTART").Value != "20241125T100000" || m.ID == ms[0].ID ||
		!strings.HasPrefix(m.Subject, "Updated invitation: ") {
		t.Errorf("the change came as %s %q\n%s", m.ID, m.Subject, m.Calendar[0].ICS)
	}

	a.Have, a.Want, a.Action = moved.Now, nil, dayone.EntitlementRemove
	gone, err := g.Apply(t.Context(), a)
	if err != nil || gone.Now != nil || gone.Before == nil {
		t.Fatalf("the removal says %+v, %v", gone, err)
	}
	m = s.Messages()[3]
	_, e = read(t, m)
	if m.Calendar[0].Method != "CANCEL" || e.Props.Get("SEQUENCE").Value != "2" || e.Props.Get("STATUS").Value != "CANCELLED" || e.Props.Get("UID").Value != r.Now.Ref ||
		len(e.Props.Values("ATTENDEE")) != 2 || !strings.HasPrefix(m.Subject, "Cancelled: ") {
		t.Errorf("the cancellation came as %q\n%s", m.Subject, m.Calendar[0].ICS)
	}
	a.Have = nil
	if again, err := g.Apply(t.Context(), a); err != nil || again.Changed() || len(s.Messages()) != 4 {
		t.Errorf("what is gone was cancelled again: %+v, %v", again, err)
	}
}

func TestUnusable(t *testing.T) {
	t.Parallel()
	s, g := setup(t)
	for name, change := range map[string]dayone.Attrs{
		"no guest":     {"to": dayone.List()},
		"bad guest":    {"to": dayone.List("a@b.example\r\nATTENDEE:mailto:x@y.example")},
		"no summary":   {"summary": dayone.Text(" ")},
		"no start":     {"start": dayone.Text("")},
		"no offset":    {"start": dayone.Text("2024-11-25T09:00:00")},
		"backwards":    {"end": dayone.Text("2024-11-25T08:00:00-08:00")},
		"zone":         {"zone": dayone.Text("Mars/Olympus")},
		"machine zone": {"zone": dayone.Text("Local")},
		"organizer":    {"organizer": dayone.Text("John")},
	} {
		if _, err := g.Apply(t.Context(), intro(change)); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(s.Commands()); n != 0 {
		t.Errorf("%d commands were sent for it", n)
	}
}

// Texts of every script, far too long and full of calendar syntax stay texts.
func TestTexts(t *testing.T) {
	t.Parallel()
	s, g := setup(t)
	evil := "x\r\nATTENDEE:mailto:victim@elsewhere.example\r\nEND:VEVENT\r\n"
	for i, c := range []struct{ summary, description, name string }{
		{"Kaffee mit Zoë Łukasiewicz-Ørsted", "Grüße", "Zoë Łukasiewicz-Ørsted"},
		{"美咲さんの初日", strings.Repeat("山田", 500), "山田"},
		{"نور", "الزهراني", "نور"},
		{evil, evil, `x";RSVP=FALSE:mailto:victim@elsewhere.example`},
		{strings.Repeat("long ", 100), strings.Repeat("y", 3000), strings.Repeat("Wolfeschlegelstein", 20)},
	} {
		to := (&mail.Address{Name: c.name, Address: "sarah.chen@company.com"}).String()
		if _, err := g.Apply(t.Context(), intro(dayone.Attrs{"to": dayone.List(to), "summary": dayone.Text(c.summary), "description": dayone.Text(c.description), "location": dayone.Text(evil)})); err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		_, e := read(t, s.Messages()[len(s.Messages())-1])
		summary, _ := e.Props.Text("SUMMARY")
		description, _ := e.Props.Text("DESCRIPTION")
		if len(e.Props.Values("ATTENDEE")) != 1 || summary != strings.Join(strings.Fields(c.summary), " ") || description != strings.ReplaceAll(c.description, "\r\n", "\n") {
			t.Errorf("%d came as %q, %q", i, summary, description)
		}
		if p := e.Props.Get("ATTENDEE"); p.Value != "mailto:sarah.chen@company.com" || p.Params.Get("RSVP") != "TRUE" || !strings.HasPrefix(c.name, p.Params.Get("CN")[:1]) {
			t.Errorf("%d: the guest is %+v", i, p)
		}
	}
}

// zones are cases that calendars get wrong: both hemispheres, half hours, no change at all, several in a year, a meeting
// over New Year and one in a zone that moved in that year.
var zones = []struct{ zone, start, end string }{
	{"Europe/Berlin", "2024-12-02T09:00:00+01:00", "2024-12-02T09:30:00+01:00"},
	{"Europe/Berlin", "2024-07-01T09:00:00+02:00", "2024-07-01T09:30:00+02:00"},
	{"America/Los_Angeles", "2024-11-03T00:30:00-07:00", "2024-11-03T03:30:00-08:00"},
	{"Australia/Lord_Howe", "2025-01-06T09:00:00+11:00", "2025-01-06T10:00:00+11:00"},
	{"Europe/Dublin", "2025-06-02T09:00:00+01:00", "2025-06-02T10:00:00+01:00"},
	{"Asia/Kolkata", "2024-12-02T09:00:00+05:30", "2024-12-02T10:00:00+05:30"},
	{"Asia/Tokyo", "2024-12-02T09:00:00+09:00", "2024-12-02T10:00:00+09:00"},
	{"Africa/Casablanca", "2025-03-10T09:00:00+00:00", "2025-03-10T10:00:00+00:00"},
	{"America/Sao_Paulo", "2024-12-31T22:00:00-03:00", "2025-01-01T02:00:00-03:00"},
	{"Asia/Almaty", "2024-05-06T09:00:00+05:00", "2024-05-06T10:00:00+05:00"},
	{"UTC", "2024-12-02T09:00:00Z", "2024-12-02T10:00:00Z"},
	{"Europe/Berlin", "2024-12-02T00:00:00-08:00", "2024-12-02T01:00:00-08:00"}, // an instant, said in another zone
}

// The rules that are written alone, read as RFC 5545 says, give each instant back.
func TestZones(t *testing.T) {
	t.Parallel()
	s, g := setup(t)
	for _, z := range zones {
		if _, err := g.Apply(t.Context(), intro(dayone.Attrs{"zone": dayone.Text(z.zone), "start": dayone.Text(z.start), "end": dayone.Text(z.end)})); err != nil {
			t.Errorf("%s: %v", z.zone, err)
			continue
		}
		cal, e := read(t, s.Messages()[len(s.Messages())-1])
		for name, text := range map[string]string{"DTSTART": z.start, "DTEND": z.end} {
			want, _ := time.Parse(time.RFC3339, text)
			if got := instant(t, cal, e.Props.Get(name)); !got.Equal(want) {
				t.Errorf("%s %s reads as %s, want %s:\n%s", z.zone, name, got, want, s.Messages()[len(s.Messages())-1].Calendar[0].ICS)
			}
		}
	}
}

// instant reads a local time with nothing but the calendar's VTIMEZONE: the last onset not after it decides.
func instant(t *testing.T, cal *ical.Calendar, p *ical.Prop) time.Time {
	t.Helper()
	const layout = "20060102T150405"
	zone := p.Params.Get("TZID")
	if zone == "" {
		at, err := time.Parse(layout+"Z", p.Value)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	local, err := time.Parse(layout, p.Value)
	if err != nil {
		t.Fatal(err)
	}
	var offset time.Duration
	var latest time.Time
	for _, tz := range cal.Children {
		if tz.Name != "VTIMEZONE" || tz.Props.Get("TZID").Value != zone {
			continue
		}
		for _, rule := range tz.Children {
			onset, err := time.Parse(layout, rule.Props.Get("DTSTART").Value)
			if err != nil {
				t.Fatal(err)
			}
			if !onset.After(local) && !onset.Before(latest) {
				clock, err := time.Parse("-0700", rule.Props.Get("TZOFFSETTO").Value)
				if err != nil {
					t.Fatal(err)
				}
				_, seconds := clock.Zone()
				latest, offset = onset, time.Duration(seconds)*time.Second
			}
		}
	}
	if latest.IsZero() {
		t.Fatalf("no rule of %s covers %s", zone, p.Value)
	}
	return local.Add(-offset)
}

// Through a real mail server, and out of a real mailbox into a real calendar, which finds the meeting at its time.
func TestRealServers(t *testing.T) {
	t.Parallel()
	server, calendar := lab.Mail(t), lab.CalDAV(t)
	g := openWith(t, connector.Options{Settings: server.Settings("onboarding"), Observe: connectortest.Real(t, imip.Factory)})
	client := webdav.HTTPClientWithBasicAuth(http.DefaultClient, calendar.User, calendar.Password)
	do(t, client, "MKCALENDAR", calendar.URL+"first-day/", "", http.StatusCreated)
	dav, err := caldav.NewClient(client, calendar.URL)
	if err != nil {
		t.Fatal(err)
	}
	for i, z := range zones {
		a := intro(dayone.Attrs{
			"to": dayone.List("Jürgen Große <sarah@corp.test>"), "summary": dayone.Text("Erster Tag: 美咲"), "description": dayone.Text(strings.Repeat("Grüße; ", 40)),
			"zone": dayone.Text(z.zone), "start": dayone.Text(z.start), "end": dayone.Text(z.end),
		})
		a.Once = fmt.Sprintf("zone%d", i)
		r, err := g.Apply(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		ics := calendarPart(t, server.Read(t, "sarah", r.Now.Attrs.Text("message_id")))
		stored := bytes.Replace(ics, []byte("METHOD:REQUEST\r\n"), nil, 1) // a calendar holds no method (RFC 4791, 4.1)
		do(t, client, http.MethodPut, calendar.URL+"first-day/"+a.Once+".ics", string(stored), http.StatusCreated)

		start, _ := time.Parse(time.RFC3339, z.start)
		end, _ := time.Parse(time.RFC3339, z.end)
		for _, w := range []struct {
			from, to time.Time
			there    bool
		}{
			{start.Add(-time.Hour), start, false}, {start, start.Add(time.Minute), true}, {end.Add(-time.Minute), end, true}, {end, end.Add(time.Hour), false},
		} {
			found, err := dav.QueryCalendar(t.Context(), "first-day/", &caldav.CalendarQuery{
				CompRequest: caldav.CalendarCompRequest{Name: "VCALENDAR", AllProps: true, AllComps: true},
				CompFilter:  caldav.CompFilter{Name: "VCALENDAR", Comps: []caldav.CompFilter{{Name: "VEVENT", Start: w.from.UTC(), End: w.to.UTC()}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			there := false
			for _, o := range found {
				there = there || strings.HasSuffix(o.Path, "/"+a.Once+".ics")
			}
			if there != w.there {
				t.Errorf("%s from %s: shown between %s and %s is %v:\n%s", z.zone, z.start, w.from, w.to, there, ics)
			}
		}
	}
}

func do(t *testing.T, c webdav.HTTPClient, method, url, body string, want int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/calendar")
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		said, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s %s says %d: %s\n%s", method, url, resp.StatusCode, said, body)
	}
}

// calendarPart takes the file out of a mail as a mailbox has it.
func calendarPart(t *testing.T, raw string) []byte {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatalf("%v in\n%s", err, raw)
		}
		if p.FileName() == "invite.ics" {
			body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
			if err != nil {
				t.Fatal(err)
			}
			return body
		}
	}
}

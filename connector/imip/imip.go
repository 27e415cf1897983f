// Package imip invites people to meetings by mail: iCalendar objects (RFC 5545) in messages (RFC 6047), which every
// calendar program reads. What it does on the wire is mailc's; the server it is tested against is mailc/sim.
package imip

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/mailc"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes senders of invitations.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New sends through one mail server.
func New(cfg connector.Config) (connector.Connector, error) {
	c, err := mailc.New(cfg)
	if err != nil {
		return nil, err
	}
	return &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: c.Check,
		Things: map[string]connector.Things{"invitation": invitations{c}},
	}, nil
}

type invitations struct{ *mailc.Client }

// Look knows only what the books say: an invitation cannot be read back.
func (invitations) Look(_ context.Context, a dayone.Act) (*dayone.Item, error) {
	if a.Have == nil {
		return nil, nil
	}
	is := *a.Have
	return &is, nil
}

// Put invites, or sends the next revision of what the books know. The event's id, revision and Message-ID are the same
// however often it is tried.
func (v invitations) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	e, err := v.event(a.Once, a.Want.Attrs)
	if err != nil {
		return dayone.Result{}, v.invalid("sending invitation", err)
	}
	subject := "Invitation: "
	if a.Have != nil {
		subject = "Updated invitation: "
		e.uid, e.sequence = cmp.Or(a.Have.Attrs.Text("uid"), e.uid), max(revision(a.Have.Attrs)+1, e.sequence)
	}
	id, err := v.send(ctx, "sending invitation", subject, "REQUEST", a.Once, e)
	if err != nil {
		return dayone.Result{}, err
	}
	now := dayone.Item{Ref: e.uid, State: dayone.Active, Attrs: dayone.Attrs{
		"uid": dayone.Text(e.uid), "sequence": dayone.Int(e.sequence), "message_id": dayone.Text(id),
	}}
	for _, name := range []string{"to", "summary", "location", "start", "end", "zone", "organizer"} {
		if w, ok := a.Want.Attrs[name]; ok {
			now.Attrs[name] = w
		}
	}
	return dayone.Result{Now: &now}, nil
}

// Drop cancels what the books know.
func (v invitations) Drop(ctx context.Context, a dayone.Act) error {
	e, err := v.event(a.Once, a.Have.Attrs)
	if err != nil {
		return v.invalid("cancelling invitation", err)
	}
	e.sequence++
	_, err = v.send(ctx, "cancelling invitation", "Cancelled: ", "CANCEL", a.Once, e)
	return err
}

// Of cannot be had: nobody tells to what somebody was invited.
func (invitations) Of(context.Context, dayone.Subject) ([]dayone.Item, error) {
	return nil, dayone.ErrUnsupported
}

func (v invitations) invalid(op string, err error) error {
	return &dayone.Fault{System: v.System, Op: op, Err: dayone.ErrInvalid, Detail: err.Error()}
}

func revision(as dayone.Attrs) int64 {
	n, _ := as["sequence"].Int()
	return n
}

// event reads one from attributes.
func (v invitations) event(once string, as dayone.Attrs) (event, error) {
	e := event{
		uid: mailc.Line(cmp.Or(as.Text("uid"), once+"@"+v.Domain)), sequence: revision(as), stamp: v.Now(),
		summary: mailc.Line(as.Text("summary")), description: as.Text("description"), location: mailc.Line(as.Text("location")),
		organizer: v.From, sender: v.From.Address,
	}
	if strings.TrimSpace(e.summary) == "" {
		return e, fmt.Errorf("summary is missing")
	}
	var err error
	if e.attendees, err = mailc.Addresses(as["to"].Items()); err != nil {
		return e, err
	}
	if s := as.Text("organizer"); s != "" {
		list, err := mailc.Addresses([]string{s})
		if err != nil {
			return e, err
		}
		e.organizer = *list[0]
	}
	zone := cmp.Or(as.Text("zone"), "UTC")
	if e.zone, err = time.LoadLocation(zone); err != nil || zone == "Local" {
		return e, fmt.Errorf("there is no zone %q", zone)
	}
	for name, to := range map[string]*time.Time{"start": &e.start, "end": &e.end} {
		if *to, err = time.Parse(time.RFC3339, as.Text(name)); err != nil {
			return e, fmt.Errorf("%s is %q; write it as 2024-11-25T09:00:00-08:00", name, as.Text(name))
		}
		*to = to.In(e.zone)
	}
	if !e.end.After(e.start) {
		return e, fmt.Errorf("it ends before it begins")
	}
	return e, nil
}

// send mails one revision of an event. A Message-ID of its own keeps mail programs from taking a later one for a copy.
func (v invitations) send(ctx context.Context, op, subject, method, once string, e event) (string, error) {
	ics, err := e.encode(method)
	if err != nil {
		return "", v.invalid(op, err)
	}
	m := mailc.Message{
		Op: op, ID: once, Subject: subject + e.summary, Text: e.words(strings.TrimSuffix(subject, ": ")),
		Calendar: &mailc.Calendar{Method: method, ICS: ics},
	}
	if e.sequence > 0 {
		m.ID = fmt.Sprintf("%s.%d", once, e.sequence)
	}
	if e.organizer.Address != v.From.Address {
		m.ReplyTo = (&mail.Address{Address: e.organizer.Address}).String() // programs answer there
	}
	for _, a := range e.attendees {
		m.To = append(m.To, a.String())
	}
	return v.Send(ctx, m)
}

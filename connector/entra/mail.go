package entra

import (
	"context"
	"errors"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// messages go out from the mailbox of the setting sender.
type messages struct{ *client }

// from is the path of the sender's mailbox.
func (c *client) from(op string) (string, error) {
	if c.set["sender"] == "" {
		return "", withNext(c.Fault(op, dayone.ErrInvalid, "", "no mailbox is set that sends"), "write the setting sender, such as onboarding@company.com")
	}
	return userPath(c.set["sender"]), nil
}

// recipients reads addresses, with or without a name. No error repeats one.
func (c *client) recipients(op string, list []string) ([]map[string]any, error) {
	if len(list) == 0 {
		return nil, c.Fault(op, dayone.ErrInvalid, "", "it goes to nobody")
	}
	out := []map[string]any{}
	for _, s := range list {
		a, err := mail.ParseAddress(s)
		if err != nil {
			return nil, c.Fault(op, dayone.ErrInvalid, "", "one of the recipients is no mail address")
		}
		e := map[string]any{"address": a.Address}
		if a.Name != "" {
			e["name"] = a.Name
		}
		out = append(out, map[string]any{"emailAddress": e})
	}
	return out, nil
}

// text is a body; a page goes before plain text, since Graph takes one of them.
func text(plain, page string) map[string]any {
	if page != "" {
		return map[string]any{"contentType": "html", "content": page}
	}
	return map[string]any{"contentType": "text", "content": plain}
}

func line(s string) string { return strings.Join(strings.Fields(s), " ") }

// Look knows only what the books say: what was sent is not looked for.
func (messages) Look(_ context.Context, a dayone.Act) (*dayone.Item, error) {
	if a.Have == nil {
		return nil, nil
	}
	is := *a.Have
	return &is, nil
}

// Put sends, and keeps no copy: it may hold a one-time link. https://learn.microsoft.com/graph/api/user-sendmail
func (m messages) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	const op = "sending message"
	box, err := m.from(op)
	if err != nil {
		return dayone.Result{}, err
	}
	want := a.Want.Attrs
	if line(want.Text("subject")) == "" || strings.TrimSpace(want.Text("text")) == "" {
		return dayone.Result{}, m.Fault(op, dayone.ErrInvalid, "", "it has no subject or no text")
	}
	to, err := m.recipients(op, want["to"].Items())
	if err != nil {
		return dayone.Result{}, err
	}
	msg := map[string]any{
		"subject": line(want.Text("subject")), "body": text(want.Text("text"), want.Text("html")), "toRecipients": to,
		"internetMessageHeaders": []map[string]string{{"name": "x-auto-response-suppress", "value": "All"}, {"name": "x-dayone-once", "value": a.Once}},
	}
	if r := want.Text("reply_to"); r != "" {
		if msg["replyTo"], err = m.recipients(op, []string{r}); err != nil {
			return dayone.Result{}, err
		}
	}
	err = m.call(ctx, &m.Client, httpc.Request{Op: op, Method: "POST", Path: box + "/sendMail", JSON: map[string]any{"message": msg, "saveToSentItems": false}}, nil)
	if err != nil {
		return dayone.Result{}, err
	}
	return dayone.Result{Now: &dayone.Item{Ref: a.Once, State: dayone.Active, Attrs: dayone.Attrs{"to": want["to"], "subject": want["subject"]}}}, nil
}

// Drop cannot be had.
func (m messages) Drop(context.Context, dayone.Act) error {
	return m.Fault("taking back message", dayone.ErrUnsupported, "", "a message that was read stays read")
}

// Of cannot be had: nobody tells what somebody was sent.
func (messages) Of(context.Context, dayone.Subject) ([]dayone.Item, error) {
	return nil, dayone.ErrUnsupported
}

// invitations are events in the calendar of the setting sender.
type invitations struct{ *client }

// Look asks whether the event is still there; what stands in it the books say.
func (v invitations) Look(ctx context.Context, a dayone.Act) (*dayone.Item, error) {
	const op = "reading invitation"
	if a.Have == nil {
		return nil, nil
	}
	box, err := v.from(op)
	if err != nil {
		return nil, err
	}
	err = v.call(ctx, &v.Client, httpc.Request{Op: op, Method: "GET", Path: box + "/events/" + url.PathEscape(a.Have.Ref), Query: url.Values{"$select": {"id"}}}, nil)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, nil
	}
	is := *a.Have
	return &is, err
}

// Put invites, or changes what was sent. The same step twice is one meeting: its transactionId is the step's.
// https://learn.microsoft.com/graph/api/user-post-events
func (v invitations) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	const op = "sending invitation"
	box, err := v.from(op)
	if err != nil {
		return dayone.Result{}, err
	}
	e, err := v.event(op, a.Want.Attrs)
	if err != nil {
		return dayone.Result{}, err
	}
	q := httpc.Request{Op: op, Method: "POST", Path: box + "/events", JSON: e}
	if a.Have != nil {
		q.Method, q.Path = "PATCH", box+"/events/"+url.PathEscape(a.Have.Ref)
	} else {
		e["transactionId"] = a.Once
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := v.call(ctx, &v.Client, q, &made); err != nil {
		return dayone.Result{}, err
	}
	if made.ID == "" {
		return dayone.Result{}, v.Fault(op, dayone.ErrUnavailable, "", "the answer names no event")
	}
	now := dayone.Item{Ref: made.ID, State: dayone.Active, Attrs: dayone.Attrs{}}
	for _, name := range []string{"to", "summary", "location", "start", "end", "zone"} {
		if w, ok := a.Want.Attrs[name]; ok {
			now.Attrs[name] = w
		}
	}
	return dayone.Result{Now: &now}, nil
}

// event is what Graph is told. Times are in UTC, which every calendar shows in its own zone.
func (v invitations) event(op string, as dayone.Attrs) (map[string]any, error) {
	bad := func(why string) (map[string]any, error) { return nil, v.Fault(op, dayone.ErrInvalid, "", why) }
	to, err := v.recipients(op, as["to"].Items())
	if err != nil {
		return nil, err
	}
	for _, r := range to {
		r["type"] = "required"
	}
	if line(as.Text("summary")) == "" {
		return bad("summary is missing")
	}
	e := map[string]any{
		"subject": line(as.Text("summary")), "body": text(as.Text("description"), ""), "attendees": to,
		"location": map[string]any{"displayName": line(as.Text("location"))},
	}
	var times []time.Time
	for _, name := range []string{"start", "end"} {
		t, err := time.Parse(time.RFC3339, as.Text(name))
		if err != nil {
			return bad(name + " is no time such as 2024-11-25T09:00:00-08:00")
		}
		times = append(times, t)
		e[name] = map[string]string{"dateTime": t.UTC().Format("2006-01-02T15:04:05"), "timeZone": "UTC"}
	}
	if !times[1].After(times[0]) {
		return bad("it ends before it begins")
	}
	return e, nil
}

// Drop cancels, which tells everybody who was invited. https://learn.microsoft.com/graph/api/event-cancel
func (v invitations) Drop(ctx context.Context, a dayone.Act) error {
	const op = "cancelling invitation"
	box, err := v.from(op)
	if err != nil {
		return err
	}
	return v.call(ctx, &v.Client, httpc.Request{
		Op: op, Method: "POST", Path: box + "/events/" + url.PathEscape(a.Have.Ref) + "/cancel", JSON: map[string]string{"comment": ""},
	}, nil)
}

// Of cannot be had: nobody tells to what somebody was invited.
func (invitations) Of(context.Context, dayone.Subject) ([]dayone.Item, error) {
	return nil, dayone.ErrUnsupported
}

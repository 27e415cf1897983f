// Package smtp sends messages by mail. All that it does on the wire is mailc's; the server it is tested against is
// mailc/sim.
package smtp

import (
	"context"
	_ "embed"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/mailc"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes senders of mail.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New sends through one mail server.
func New(cfg connector.Config) (connector.Connector, error) {
	c, err := mailc.New(cfg)
	if err != nil {
		return nil, err
	}
	return &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: c.Check,
		Things: map[string]connector.Things{"message": messages{c}},
	}, nil
}

type messages struct{ *mailc.Client }

// Look knows only what the books say: what was sent cannot be read back.
func (messages) Look(_ context.Context, a dayone.Act) (*dayone.Item, error) {
	if a.Have == nil {
		return nil, nil
	}
	is := *a.Have
	return &is, nil
}

// Put sends. What is kept of it is to whom, about what and under which id, never the text.
func (m messages) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	want := a.Want.Attrs
	id, err := m.Send(ctx, mailc.Message{
		Op: "sending message", ID: a.Once, To: want["to"].Items(), ReplyTo: want.Text("reply_to"),
		Subject: want.Text("subject"), Text: want.Text("text"), HTML: want.Text("html"),
	})
	if err != nil {
		return dayone.Result{}, err
	}
	return dayone.Result{Now: &dayone.Item{Ref: id, State: dayone.Active, Attrs: dayone.Attrs{
		"to": want["to"], "subject": want["subject"], "message_id": dayone.Text(id),
	}}}, nil
}

// Drop cannot be had.
func (m messages) Drop(context.Context, dayone.Act) error {
	return &dayone.Fault{System: m.System, Op: "taking back message", Err: dayone.ErrUnsupported, Detail: "a message that was read stays read"}
}

// Of cannot be had: nobody tells what somebody was sent.
func (messages) Of(context.Context, dayone.Subject) ([]dayone.Item, error) {
	return nil, dayone.ErrUnsupported
}

package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/planner"
)

// parcel is a message that no run sends: a digest, what somebody is asked, an alert.
type parcel struct {
	system  string
	name    string // tells it from every other to the same recipients: sent again it is the same message
	to      []string
	subject string
	text    string
	since   time.Time
	attempt int
}

// send is the one door through which messages leave beside runs. It asks what a run's call is asked: whether this process
// still leads, and whether its system may be called at all.
func (f *Flow) send(ctx context.Context, p parcel) error {
	g, ok := f.Systems[p.system]
	if !ok {
		return fmt.Errorf("there is no system %q to send by; configure it: %w", p.system, dayone.ErrNotFound)
	}
	if f.Engine.Leads != nil {
		if err := f.Engine.Leads(ctx); err != nil {
			return err
		}
	}
	st, err := f.Store.Standing(ctx, f.Clock.Now())
	if err != nil {
		return err
	}
	circuit := dayone.Circuit{System: p.system}
	for _, c := range st.Circuits {
		if c.System == p.system {
			circuit = c
		}
	}
	switch stance, _ := engine.StanceOf(p.system, f.Engine.Care[p.system], st.Orders, circuit, f.Clock.Now()); stance {
	case engine.Free, engine.Down: // whether it is back shows by calling it
	default:
		return fmt.Errorf("%s is called by nobody now (%s); the message waits: %w", p.system, stance, dayone.ErrUnavailable)
	}
	if p.system == f.Mail {
		p.text = f.underMail(ctx, p.text)
	}
	key := dayone.Key{System: p.system, Kind: "message", Name: p.name}
	res, err := g.Apply(ctx, dayone.Act{
		Once: planner.Once("message", dayone.Key{System: p.system, Kind: "message", Name: fmt.Sprint(p.name, " ", p.to)}, 0), Action: dayone.MessageSend, Key: key,
		Attempt: max(p.attempt, 1), Since: p.since,
		Want: &dayone.Item{Key: key, State: dayone.Active, Attrs: dayone.Attrs{"to": dayone.List(p.to...), "subject": dayone.Text(p.subject), "text": dayone.Text(p.text)}},
	})
	if err == nil && res.Now == nil {
		err = fmt.Errorf("%s did not take it: %w", p.system, dayone.ErrUnavailable)
	}
	return err
}

package flow

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Webhooks tell programs that a run has ended: one letter for each run, outcome and webhook, written in the transaction of the
// end. It has ids and states, and nothing about the person but her id.

// Webhook is where programs hear of runs that end.
type Webhook struct {
	Name   string
	Where  string   // host, for pages: the path may hold a secret
	Events []string // of WebhookEvents; empty: all
	Hook   Hook
}

// WebhookEvents are how a run may end, as webhooks are told.
var WebhookEvents = []string{"ready", "failed", "cancelled", "undone"}

// outcomes are the ends of which webhooks are told. Somebody else's run took over a superseded one and tells how it ends.
var outcomes = map[dayone.RunState]string{
	dayone.RunDone: "ready", dayone.RunIncomplete: "failed", dayone.RunUndoIncomplete: "failed", dayone.RunCancelled: "cancelled", dayone.RunUndone: "undone",
}

const (
	viaRuns      = "webhook:" // and the name of one
	webhookTest  = "webhook.test"
	mostDelivery = 100 // that are shown of each
)

// WebhookBody is what a webhook gets.
type WebhookBody struct {
	Type      string       `json:"type"` // run.ready, run.failed, run.cancelled, run.undone, webhook.test
	Timestamp time.Time    `json:"timestamp"`
	Data      *WebhookData `json:"data"`
}

// WebhookData is the run.
type WebhookData struct {
	Run     dayone.RunID    `json:"run"`
	Person  dayone.PersonID `json:"person"`
	Event   dayone.EventID  `json:"event,omitempty"`
	Of      dayone.RunID    `json:"of,omitempty"` // the run that this one took back
	State   dayone.RunState `json:"state"`
	Started time.Time       `json:"started"`
	Ended   time.Time       `json:"ended"`
	URL     string          `json:"url"`
}

// overFor are the letters to webhooks about a run that has ended.
func (f *Flow) overFor(r dayone.Run) (out []dayone.Letter) {
	outcome := outcomes[r.State]
	if r.Of != "" && outcome == "ready" { // it is there no more
		outcome = "undone"
	}
	if outcome == "" || !r.State.Over() {
		return nil
	}
	body := WebhookBody{Type: "run." + outcome, Timestamp: r.Ended.UTC(), Data: &WebhookData{
		Run: r.ID, Person: r.Person, Event: r.Event, Of: r.Of, State: r.State, Started: r.Started.UTC(), Ended: r.Ended.UTC(), URL: f.Base + "/runs/" + string(r.ID),
	}}
	for _, w := range f.Webhooks {
		if len(w.Events) == 0 || slices.Contains(w.Events, outcome) {
			out = append(out, webhookLetter(w.Name, "msg_"+strings.TrimPrefix(string(r.ID), "run_")+"."+outcome+"."+w.Name, string(r.ID), body))
		}
	}
	return out
}

func webhookLetter(name, id, about string, body WebhookBody) dayone.Letter {
	raw, err := json.Marshal(body)
	if err != nil {
		panic("flow: a letter that cannot be marshalled: " + err.Error())
	}
	return dayone.Letter{Once: id, Via: viaRuns + name, Kind: body.Type, About: about, Body: string(raw), Made: body.Timestamp}
}

// allWays are the ways out, those to webhooks about runs among them.
func (f *Flow) allWays() []string {
	out := f.ways()
	for _, w := range f.Webhooks {
		out = append(out, viaRuns+w.Name)
	}
	return out
}

func (f *Flow) webhook(name string) (Webhook, error) {
	var names []string
	for _, w := range f.Webhooks {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
	}
	return Webhook{}, fmt.Errorf("there is no webhook %q; %s: %w", name, cmp.Or(dayone.Meant(name, names), "configured are: "+cmp.Or(strings.Join(names, ", "), "none")), dayone.ErrNotFound)
}

// Delivery is what a webhook was told, or is to be.
type Delivery struct {
	dayone.Letter
	Webhook string
	Given   bool // it was taken
	Up      bool // it was given up, or the webhook refused it as a test
}

// Deliveries are the latest of all webhooks, the newest first.
func (f *Flow) Deliveries(ctx context.Context) ([]Delivery, error) {
	var out []Delivery
	for _, w := range f.Webhooks {
		list, err := f.Store.Letters(ctx, viaRuns+w.Name, mostDelivery)
		if err != nil {
			return nil, err
		}
		for _, l := range list {
			out = append(out, Delivery{Letter: l, Webhook: w.Name, Given: !l.Sent.IsZero() && l.Error == "", Up: !l.Sent.IsZero() && l.Error != ""})
		}
	}
	slices.SortFunc(out, func(a, b Delivery) int { return cmp.Or(b.Made.Compare(a.Made), strings.Compare(b.Once, a.Once)) })
	return out, nil
}

// SendAgain tells a webhook once more what it was told, under the same id: whoever has it already knows it as a repetition.
func (f *Flow) SendAgain(ctx context.Context, name, id, by string) error {
	if _, err := f.webhook(name); err != nil {
		return err
	}
	now := f.Clock.Now()
	err := f.Store.LetterAgain(ctx, id, viaRuns+name, now, dayone.Record{At: now, What: "webhook sent again", By: by, Detail: &dayone.Detail{Note: name + ", " + id}})
	f.look()
	return err
}

// TestWebhook posts to a webhook what has no run behind it, and says whether it was taken. What was tried is among the
// deliveries.
func (f *Flow) TestWebhook(ctx context.Context, name, by string) (Delivery, error) {
	w, err := f.webhook(name)
	if err != nil {
		return Delivery{}, err
	}
	if f.Engine.Leads != nil {
		if err := f.Engine.Leads(ctx); err != nil {
			return Delivery{}, err
		}
	}
	now := f.Clock.Now().UTC()
	l := webhookLetter(name, f.IDs.New("msg"), webhookTest, WebhookBody{Type: webhookTest, Timestamp: now})
	failed := w.Hook.Post(ctx, l.Once, l.Kind, []byte(l.Body))
	if failed != nil {
		l.Error = Problem(failed)
	}
	l.Sent = f.Clock.Now()
	rec := dayone.Record{At: now, What: "webhook tested", By: by, Detail: &dayone.Detail{Note: name}}
	// it was posted: whoever does not wait for the answer leaves no gap
	if err := f.Store.KeepSent(context.WithoutCancel(ctx), l, l.Sent, rec); err != nil {
		return Delivery{}, err
	}
	return Delivery{Letter: l, Webhook: name, Given: failed == nil, Up: failed != nil}, nil
}

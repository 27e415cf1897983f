package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/dayone-hq/dayone/flow"
)

type webhooksView struct {
	Hooks   []item
	Rows    []item
	Empty   *empty
	Quiet   *empty // none was told anything yet
	Problem *notice
}

func (p *portal) webhooks(w http.ResponseWriter, r *http.Request) error {
	return p.showWebhooks(w, r, http.StatusOK, nil)
}

func (p *portal) showWebhooks(w http.ResponseWriter, r *http.Request, status int, said *notice) error {
	list, err := p.flow.Deliveries(r.Context())
	if err != nil {
		return err
	}
	v := newWebhooks(p.viewerOf(r), p.flow.Webhooks, list)
	v.Problem = said
	return p.show(w, r, status, page{Template: "webhooks", Title: "Webhook deliveries", Nav: "settings", Crumbs: []link{{"Settings", "/settings"}, {"Webhooks", ""}}, Main: v})
}

func newWebhooks(view viewer, hooks []flow.Webhook, list []flow.Delivery) webhooksView {
	var v webhooksView
	for _, h := range hooks {
		events := h.Events
		if len(events) == 0 {
			events = flow.WebhookEvents
		}
		v.Hooks = append(v.Hooks, item{Title: link{Text: h.Name}, Meta: view.say(textWebhook, h.Where, view.labels(events)), Acts: []act{{Text: "Send a test", Action: "/settings/webhooks/" + h.Name + "/test"}}})
	}
	for _, d := range list {
		v.Rows = append(v.Rows, deliveryItem(view, d))
	}
	switch {
	case len(hooks) == 0:
		v.Empty = &empty{Icon: "bolt", Title: "No webhooks", Text: textWebhooksNone}
	case len(list) == 0:
		v.Quiet = &empty{Icon: "bolt", Title: "Nothing was sent yet", Text: textWebhooksQuiet}
	}
	return v
}

func deliveryItem(view viewer, d flow.Delivery) item {
	it := item{Title: link{Text: d.Webhook + ": " + d.Kind}, At: view.at(d.Made), Small: d.Once}
	if strings.HasPrefix(d.About, "run_") {
		it.Title.Href = "/runs/" + d.About
	}
	again := act{Text: "Send again", Action: "/settings/webhooks/" + d.Webhook + "/deliveries/" + d.Once + "/again"}
	switch {
	case d.Given:
		it.State, it.Acts = &state{Icon: "check", Class: "s-done", Text: "Taken"}, []act{again}
	case d.Up:
		it.State, it.Next, it.Acts = &state{Icon: "x", Class: "s-fail", Text: "Given up"}, sentence(view.heard(hookFault(d)))+".", []act{again}
	default:
		it.State = &state{Icon: "clock", Class: "s-wait", Text: "Waits"}
		if d.Tries > 0 {
			it.Next = view.say(textWebhookTries, view.plural(d.Tries, "once", "%d times"), view.at(d.Next).Text, view.heard(hookFault(d)))
			it.Acts = []act{{Text: "Send now", Action: again.Action}}
		}
	}
	if strings.HasPrefix(d.Kind, "webhook.") { // a test is made anew, not again
		it.Acts = nil
		if d.Up {
			it.State.Text = "Not taken"
		}
	}
	return it
}

// hookFault is what was wrong with a delivery, without its webhook: that stands above it.
func hookFault(d flow.Delivery) string {
	return strings.TrimPrefix(d.Error, "webhooks."+d.Webhook+": posting: ")
}

func (p *portal) testWebhook(w http.ResponseWriter, r *http.Request) error {
	d, err := p.flow.TestWebhook(r.Context(), r.PathValue("name"), me(r).Name)
	if err != nil {
		return speaking(err)
	}
	if !d.Given {
		return p.showWebhooks(w, r, http.StatusOK, &notice{Kind: "bad", Icon: "x", Title: d.Webhook + " did not take it", Text: sentence(hookFault(d)) + "."})
	}
	http.Redirect(w, r, "/settings/webhooks?said=webhook-tested", http.StatusSeeOther)
	return nil
}

func (p *portal) deliverAgain(w http.ResponseWriter, r *http.Request) error {
	if err := p.flow.SendAgain(r.Context(), r.PathValue("name"), r.PathValue("id"), me(r).Name); err != nil {
		return speaking(err)
	}
	http.Redirect(w, r, "/settings/webhooks?said=webhook-again", http.StatusSeeOther)
	return nil
}

type apiDelivery struct {
	ID      string     `json:"id"`
	Webhook string     `json:"webhook"`
	Type    string     `json:"type"`
	Run     string     `json:"run,omitempty"`
	State   string     `json:"state"`
	Made    time.Time  `json:"made"`
	Sent    *time.Time `json:"sent,omitempty"`
	Next    *time.Time `json:"next,omitempty"`
	Tries   int        `json:"failed_tries"`
	Error   string     `json:"error,omitempty"`
}

func newAPIDelivery(d flow.Delivery) apiDelivery {
	out := apiDelivery{ID: d.Once, Webhook: d.Webhook, Type: d.Kind, State: "waits", Made: d.Made.UTC(), Sent: moment(d.Sent), Tries: d.Tries, Error: d.Error}
	if strings.HasPrefix(d.About, "run_") {
		out.Run = d.About
	}
	switch {
	case d.Given:
		out.State = "taken"
	case d.Up:
		out.State = "given up"
	default:
		out.Next = moment(d.Next)
	}
	return out
}

func (p *portal) apiWebhooks(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.Deliveries(r.Context())
	if err != nil {
		return err
	}
	type hook struct {
		Name   string   `json:"name"`
		Host   string   `json:"host"`
		Events []string `json:"events"`
	}
	out := struct {
		Webhooks   []hook        `json:"webhooks"`
		Deliveries []apiDelivery `json:"deliveries"`
	}{[]hook{}, []apiDelivery{}}
	for _, h := range p.flow.Webhooks {
		events := h.Events
		if len(events) == 0 {
			events = flow.WebhookEvents
		}
		out.Webhooks = append(out.Webhooks, hook{h.Name, h.Where, events})
	}
	for _, d := range list {
		out.Deliveries = append(out.Deliveries, newAPIDelivery(d))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiTestWebhook(w http.ResponseWriter, r *http.Request) error {
	d, err := p.flow.TestWebhook(r.Context(), r.PathValue("name"), me(r).Name)
	if err != nil {
		return speaking(err)
	}
	return answerJSON(w, http.StatusOK, newAPIDelivery(d))
}

func (p *portal) apiDeliverAgain(w http.ResponseWriter, r *http.Request) error {
	if err := p.flow.SendAgain(r.Context(), r.PathValue("name"), r.PathValue("id"), me(r).Name); err != nil {
		return speaking(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

package flow_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// listener is a program that hears of runs.
type listener struct {
	mu    sync.Mutex
	down  bool
	ids   []string
	kinds []string
	body  []string
	tries int
}

func (l *listener) Post(_ context.Context, id, kind string, body []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tries++; l.down {
		return &dayone.Fault{System: "webhooks.tickets", Op: "posting", Err: dayone.ErrUnavailable, Detail: "it does not answer"}
	}
	l.ids, l.kinds, l.body = append(l.ids, id), append(l.kinds, kind), append(l.body, string(body))
	return nil
}

func (l *listener) heard() (ids, kinds, body []string, tries int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.ids...), append([]string{}, l.kinds...), append([]string{}, l.body...), l.tries
}

func (l *listener) is(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

// A run that ends is told once, with ids and states and nothing of the person, however often it has to be sent and whoever
// dies meanwhile.
func TestAWebhookIsToldOnceOfEachRunThatEnds(t *testing.T) {
	t.Parallel()
	w, l, other := newWorld(t), &listener{down: true}, &listener{}
	w.files = w.folder(talkative)
	w.joined = func(d *flow.Deps) {
		d.Webhooks = []flow.Webhook{{Name: "tickets", Where: "tickets.company.com", Hook: l}, {Name: "undone", Events: []string{"undone"}, Hook: other}}
	}
	h := w.open()
	p, r := h.atWork("1")
	until(h, "it is tried", func() (bool, bool) { _, _, _, n := l.heard(); return true, n > 0 })
	until(h, "it waits", func() (bool, bool) {
		list, err := h.Deliveries(ctx)
		return true, err == nil && len(list) > 0 && list[len(list)-1].Tries > 0 && !list[len(list)-1].Given
	})
	h.stop()
	l.is(false)
	h = w.open()
	h.clock.Jump(h.clock.Now().Add(2 * time.Hour))
	want := "msg_" + strings.TrimPrefix(string(r.ID), "run_") + ".ready.tickets"
	until(h, "it is told", func() (bool, bool) {
		ids, _, _, _ := l.heard()
		return true, len(ids) > 0 && ids[len(ids)-1] == want
	})
	ids, kinds, body, _ := l.heard()
	seen := map[string]bool{}
	for i, id := range ids {
		if seen[id] {
			t.Errorf("%s is told twice", id)
		}
		seen[id] = true
		if kinds[i] != "run.ready" {
			t.Errorf("told of %s", kinds[i])
		}
	}
	last := body[len(body)-1]
	var got flow.WebhookBody
	if err := json.Unmarshal([]byte(last), &got); err != nil || got.Type != "run.ready" || got.Data.Run != r.ID || got.Data.Person != p || got.Data.State != dayone.RunDone {
		t.Errorf("told %s, %v", last, err)
	}
	if strings.Contains(last, "Erin") || strings.Contains(last, "@") {
		t.Errorf("it names her: %s", last)
	}

	// once more, because somebody asks for it: the same id
	if err := h.SendAgain(ctx, "tickets", want, "kim@company.com"); err != nil {
		t.Fatal(err)
	}
	until(h, "it is told again", func() (bool, bool) {
		now, _, _, _ := l.heard()
		return true, len(now) == len(ids)+1 && now[len(now)-1] == want
	})
	is(t, h.SendAgain(ctx, "tickets", "msg_nothing", "kim"), dayone.ErrNotFound)
	is(t, h.SendAgain(ctx, "nobody", want, "kim"), dayone.ErrNotFound)
	is(t, h.SendAgain(ctx, "undone", want, "kim"), dayone.ErrNotFound)
	if got, _, _, _ := other.heard(); len(got) != 0 {
		t.Errorf("who asks for other ends is told of %v", got)
	}
}

func TestAWebhookIsTested(t *testing.T) {
	t.Parallel()
	w, l := newWorld(t), &listener{}
	w.joined = func(d *flow.Deps) { d.Webhooks = []flow.Webhook{{Name: "tickets", Hook: l}} }
	h := w.open()
	d, err := h.TestWebhook(ctx, "tickets", "kim")
	if err != nil || !d.Given || d.Kind != "webhook.test" {
		t.Fatalf("%+v, %v", d, err)
	}
	l.is(true)
	if d, err = h.TestWebhook(ctx, "tickets", "kim"); err != nil || d.Given || !strings.Contains(d.Error, "does not answer") {
		t.Fatalf("%+v, %v", d, err)
	}
	list, err := h.Deliveries(ctx)
	if err != nil || len(list) != 2 || list[0].Given == list[1].Given {
		t.Errorf("kept are %+v, %v", list, err)
	}
	if n := h.recorded("webhook tested"); n != 2 {
		t.Errorf("recorded are %d tests", n)
	}
	h.clock.Jump(h.clock.Now().Add(3 * time.Hour)) // a test is not tried again by itself
	if _, _, _, n := l.heard(); n != 2 {
		t.Errorf("posted %d times", n)
	}
}

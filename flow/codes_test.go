package flow_test

import (
	"io/fs"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/smtp"
	"github.com/dayone-hq/dayone/connector/webex"
	webexsim "github.com/dayone-hq/dayone/connector/webex/sim"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

const deskPolicy = `
policies:
  - id: everyone
    title: Everyone
    owner: it@company.com
    when: "true"
    grant:
      - {to: webex/account}
      - {to: webex/device, params: {model: "DMS Cisco 8865"}}
    notify:
      - {on: ready, to: new-hire, template: welcome}
`

// desks is a world whose people activate the phones on their desks.
func desks(t *testing.T) (*house, *webexsim.Sim) {
	w := newWorld(t)
	wx := webexsim.New(sim.Options{Now: w.clock.Now, Page: 50})
	wx.Invite()
	return w.with("webex", webex.Factory, wx, deskPolicy, "{account: {}, device: {needs: account}}"), wx
}

// with opens a world whose only system, beside the mails, is a simulated one. has is what the catalogue says of it.
func (w *world) with(name string, f connector.Factory, s sim.Simulator, policies, has string) *house {
	w.t.Helper()
	srv := httptest.NewServer(s)
	w.t.Cleanup(srv.Close)
	open := func(name string, f connector.Factory, settings map[string]string) *connector.Guard {
		g, err := connector.Open(f, name, w.clock.Now, connector.Options{Settings: settings, PerMinute: map[string]int{"default": 1_000_000}})
		if err != nil {
			w.t.Fatal(err)
		}
		return g
	}
	g, mail := open(name, f, s.Settings(srv.URL)), open("mail", smtp.Factory, w.setups["mail"])
	files := w.folder(policies).(fstest.MapFS)
	files["catalog/catalog.yaml"] = &fstest.MapFile{Data: []byte("systems: {" + name + ": " + has + "}\n")}
	w.files = files
	w.joined = func(d *flow.Deps) {
		d.Systems = map[string]*connector.Guard{name: g, "mail": mail}
		d.Load = func(f fs.FS) (*policy.Set, []policy.Diagnostic) {
			return policy.Load(f, []dayone.System{g.Manifest.System(name), mail.Manifest.System("mail")})
		}
	}
	return w.open()
}

// The code that Webex makes for a desk phone reaches its owner behind a link in her welcome, and stands nowhere else. If it
// ends before she comes to it, the same link shows the next one, after a restart too; once she has opened it, it is dead.
func TestACodeThatASystemMakesReachesItsOwner(t *testing.T) {
	t.Parallel()
	h, wx := desks(t)
	h.judged(h.hears(h.hr.Put(employee("1", "start_date", "2024-11-15", "country", "DE")))[0].ID)
	sent := until(h, "the welcome", func() (string, bool) {
		for _, m := range h.mail.Messages() {
			return m.Text, true
		}
		return "", false
	})
	rows, err := h.People(t.Context(), flow.PeopleFilter{Limit: 1})
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	p := rows[0].ID
	runs, err := h.Runs(t.Context(), flow.RunFilter{Person: p, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.RunOf(t.Context(), runs[0].ID)
	step := r.Step("webex/device entitlement.add")
	if err != nil || step == nil || step.State != dayone.StepWaiting {
		t.Fatalf("the phone does not wait for its code: %+v, %v", step, err)
	}
	id := engine.SecretIDOf(step.Step.Once, "activation_code")
	token := h.Keeper.Token(string(id))
	if !strings.Contains(sent, "Webex: Device by code: https://dayone.company.com/secret/"+token) {
		t.Fatalf("the welcome has no link to the code:\n%s", sent)
	}
	first := h.sealed(id)
	for what, text := range map[string]string{"the mail": sent, "the wait": step.Wait.Note} {
		if strings.Contains(text, first) {
			t.Errorf("%s tells the code", what)
		}
	}

	h.clock.Jump(h.clock.Now().Add(8 * 24 * time.Hour)) // she was ill in her first week
	second := until(h, "another code", func() (string, bool) { s := h.sealed(id); return s, s != first })
	h.stop()
	h = h.world.open()
	if link, err := h.Link(t.Context(), token); err != nil || link.System != "Webex" || link.Thing != "Device by code" {
		t.Errorf("the link is to %+v, %v", link, err)
	}
	code, err := h.OpenLink(t.Context(), token, h.Keeper.Code(string(p)))
	if err != nil || code.Reveal() != second {
		t.Fatalf("the link does not show the code that is good: %v", err)
	}
	_, err = h.OpenLink(t.Context(), token, h.Keeper.Code(string(p)))
	is(t, err, dayone.ErrConflict)
	if !wx.Enter(code.Reveal()) {
		t.Fatal("Webex does not take the code")
	}
	h.clock.Jump(h.clock.Now().Add(20 * time.Minute))
	until(h, "the phone is there", func() (bool, bool) {
		hs, err := h.Store.Holdings(t.Context(), p, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range hs {
			if x.Key.Kind == "device" && x.State == dayone.Active {
				return true, true
			}
		}
		return false, false
	})
	if box, _, err := h.Store.Secret(t.Context(), id); err != nil || box != "" {
		t.Errorf("a code that was opened is sealed again: %v", err)
	}
}

// sealed is what lies behind a link.
func (h *house) sealed(id dayone.SecretID) string {
	h.t.Helper()
	box, found, err := h.Store.Secret(h.t.Context(), id)
	if err != nil || !found {
		h.t.Fatalf("the secret is not kept: %v", err)
	}
	s, err := h.Keeper.Open(box)
	if err != nil {
		h.t.Fatal(err)
	}
	return s.Reveal()
}

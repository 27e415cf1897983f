package flow_test

import (
	"io/fs"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/entra"
	entrasim "github.com/dayone-hq/dayone/connector/entra/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

const tenantPolicy = `
policies:
  - id: everyone
    title: Everyone
    owner: it@company.com
    when: "true"
    grant:
      - {to: entra/account}
      - {to: entra/group:base-employee}
      - {to: entra/license:SPE_E3}
      - {to: entra/pass}
    notify:
      - {on: ready, to: new-hire, template: welcome}
`

// tenant is a world whose people are at Microsoft: accounts, licences, first passes, and mail.
func tenant(t *testing.T) (*house, *entrasim.Sim) {
	w := newWorld(t)
	ms := entrasim.New(sim.Options{Now: w.clock.Now, Page: 50})
	srv := httptest.NewServer(ms)
	t.Cleanup(srv.Close)
	g, err := connector.Open(entra.Factory, "entra", w.clock.Now, connector.Options{Settings: ms.Settings(srv.URL), PerMinute: map[string]int{"default": 1_000_000}})
	if err != nil {
		t.Fatal(err)
	}
	files := w.folder(tenantPolicy).(fstest.MapFS)
	files["catalog/catalog.yaml"] = &fstest.MapFile{Data: []byte("systems:\n  entra:\n    account: {}\n    group: {names: [base-employee], needs: account}\n    license: {names: [SPE_E3], needs: account}\n")}
	w.files = files
	w.joined = func(d *flow.Deps) {
		d.Systems = map[string]*connector.Guard{"entra": g}
		d.Mail = "entra"
		d.Load = func(f fs.FS) (*policy.Set, []policy.Diagnostic) {
			return policy.Load(f, []dayone.System{g.Manifest.System("entra")})
		}
	}
	return w.open(), ms
}

// A hire begins with a pass instead of a password: its code lies behind a link in her welcome, and nowhere else; when she
// leaves, nothing of hers is open.
func TestFirstPass(t *testing.T) {
	t.Parallel()
	h, ms := tenant(t)
	p, r := h.hires(employee("1", "start_date", "2024-11-15", "country", "DE"))
	if bad := failures(r); len(bad) > 0 {
		t.Fatalf("it failed: %v", bad)
	}
	h.shows(ms, "e1@company.com", dayone.Active, "group:base-employee", "license:SPE_E3", "pass")

	step := r.Step("entra/pass entitlement.add")
	if step == nil {
		t.Fatal("no step gave the pass")
	}
	sent := until(h, "the welcome", func() ([]entrasim.Mail, bool) { return ms.Sent(), len(ms.Sent()) > 0 })
	link := "/secret/" + h.Keeper.Token(string(engine.SecretIDOf(step.Step.Once, "code")))
	if !strings.Contains(sent[0].Text, "Microsoft Entra ID: Temporary access pass: https://dayone.company.com"+link) {
		t.Errorf("the welcome has no link to the pass:\n%s", sent[0].Text)
	}
	box, found, err := h.Store.Secret(t.Context(), engine.SecretIDOf(step.Step.Once, "code"))
	if err != nil || !found {
		t.Fatalf("the code is not kept: %v", err)
	}
	code, err := h.Keeper.Open(box)
	if err != nil || strings.Contains(sent[0].Text, code.Reveal()) {
		t.Errorf("the code stands in the mail, or cannot be opened: %v", err)
	}
	ref := step.Result.Now.Ref
	if user, _ := account(ms, "e1@company.com"); ref == "" || !ms.UsePass(user.Ref, code.Reveal()) {
		t.Error("she cannot sign in by it")
	}

	h.changes(p, r.ID, employee("1", "start_date", "2024-11-15", "country", "DE", "end_date", "2024-11-14"))
	h.shows(ms, "e1@company.com", dayone.Disabled)
	if n := ms.Sessions("e1@company.com"); n > 0 {
		t.Errorf("%d sessions of hers go on", n)
	}
}

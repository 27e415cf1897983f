package flow_test

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/duo"
	duosim "github.com/dayone-hq/dayone/connector/duo/sim"
	"github.com/dayone-hq/dayone/connector/entra"
	entrasim "github.com/dayone-hq/dayone/connector/entra/sim"
	"github.com/dayone-hq/dayone/connector/meraki"
	merakisim "github.com/dayone-hq/dayone/connector/meraki/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/webex"
	webexsim "github.com/dayone-hq/dayone/connector/webex/sim"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

const bundlePolicy = `
policies:
  - id: everyone
    owner: it@company.com
    match: everyone
    grant:
      - {to: okta/account}
    offer:
      - {product: second-factor}
      - {product: vpn, approval: {by: ["security@company.com"]}}
      - {product: webex}
      - {product: network}
`

const bundleProducts = `
products:
  - {id: second-factor, title: Duo, domain: security, owner: it@company.com, grant: [{to: duo/account}]}
  - {id: vpn, title: VPN, domain: network access, owner: it@company.com, prerequisites: [second-factor], grant: [{to: duo/group:vpn}]}
  - {id: webex, title: Webex, domain: collaboration, owner: it@company.com, grant: [{to: webex/account}, {to: webex/license:Messaging}]}
  - {id: network, title: Company network, domain: network access, owner: it@company.com, grant: [{to: "meraki/code:HQ/Corp"}]}
`

// portalOf is the company of the Cisco portal: people in a directory at Microsoft, Webex and Duo for whoever gets them.
type portalOf struct {
	*house
	entra  *entrasim.Sim
	webex  *webexsim.Sim
	duo    *duosim.Sim
	meraki *merakisim.Sim
}

func openPortal(t *testing.T, people int) *portalOf {
	w := newWorld(t)
	opt := sim.Options{Now: w.clock.Now, Page: 999}
	b := &portalOf{entra: entrasim.New(opt), webex: webexsim.New(opt), duo: duosim.New(opt), meraki: merakisim.New(opt)}
	guard := func(name string, f connector.Factory, s http.Handler, settings func(string) map[string]string) *connector.Guard {
		srv := httptest.NewServer(s)
		t.Cleanup(srv.Close)
		g, err := connector.Open(f, name, w.clock.Now, connector.Options{Settings: settings(srv.URL), PerMinute: map[string]int{"default": 1_000_000}})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	directory := guard("directory", entra.Factory, b.entra, b.entra.Settings)
	added := map[string]*connector.Guard{
		"webex": guard("webex", webex.Factory, b.webex, b.webex.Settings), "duo": guard("duo", duo.Factory, b.duo, b.duo.Settings),
		"meraki": guard("meraki", meraki.Factory, b.meraki, b.meraki.Settings),
	}
	for i := range people {
		ref := b.entra.Seed(sim.Account{
			Login: fmt.Sprintf("p%d@company.com", i), Email: fmt.Sprintf("p%d@company.com", i), EmployeeNumber: fmt.Sprintf("E-%d", i),
			FirstName: "Pat", LastName: fmt.Sprintf("Number %d", i), State: dayone.Active,
		})
		b.entra.Set(ref, "employeeHireDate", "2020-03-02T00:00:00Z")
		b.entra.Set(ref, "officeLocation", "Berlin")
		b.entra.Set(ref, "department", "Sales")
		b.entra.Set(ref, "employeeType", "FTE")
	}
	files := withProducts(w.folder(bundlePolicy), bundleProducts).(fstest.MapFS)
	files["catalog/catalog.yaml"] = &fstest.MapFile{Data: []byte("systems:\n  okta:\n    account: {}\n  webex:\n    account: {}\n    license: {names: [Messaging], needs: account}\n  duo:\n    account: {}\n    group: {names: [vpn], needs: account}\n  meraki:\n    code: {names: [HQ/Corp]}\n")}
	w.files = files
	w.joined = func(d *flow.Deps) {
		delete(d.Systems, "gitlab")
		var described []dayone.System
		for name, g := range added {
			d.Systems[name] = g
		}
		for name, g := range d.Systems {
			described = append(described, g.Manifest.System(name))
		}
		source, _ := directory.Source()
		d.Sources["directory"] = flow.Source{Source: source, Since: begin}
		d.Load = func(f fs.FS) (*policy.Set, []policy.Diagnostic) { return policy.Load(f, described) }
	}
	b.house = w.open()
	return b
}

// shown is a tile of a system.
func (b *portalOf) shown(system, title string) (flow.Shown, dayone.Tile) {
	b.t.Helper()
	all, err := b.Tiles(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range all {
		for _, x := range s.Tiles {
			if s.System == system && x.Title == title {
				return s, x
			}
		}
	}
	return flow.Shown{}, dayone.Tile{Value: -1}
}

// Somebody is picked from a directory, with security, network access and collaboration; each comes as one product, by one
// plan, and the dashboard counts her.
func TestABundleForSomebodyOfTheDirectory(t *testing.T) {
	t.Parallel()
	n := 500
	if many, err := strconv.Atoi(os.Getenv("DAYONE_STORY_PEOPLE")); err == nil {
		n = many
	} else if testing.Short() {
		n = 50
	}
	b := openPortal(t, n)
	if got, err := b.Import(ctx, "directory"); err != nil || got != n {
		t.Fatalf("%d people are imported: %v", got, err)
	}
	who := fmt.Sprintf("Pat Number %d", n-1)
	rows, err := b.People(ctx, flow.PeopleFilter{Text: who, Limit: 10})
	if err != nil || len(rows) != 1 || rows[0].Managed {
		t.Fatalf("found: %+v, %v", rows, err)
	}
	p, mail := rows[0].ID, rows[0].Email
	pick := flow.Pick{Person: p, Products: []string{"webex", "vpn", "network"}, Login: "administrator", Reason: "joins the field team"}
	v, err := b.PreviewPick(ctx, pick)
	if err != nil || len(v.Needs) != 1 || v.Needs[0].Product != "second-factor" {
		t.Fatalf("the preview: %+v, %v", v.Needs, err)
	}
	pick.Products = append(pick.Products, "second-factor")
	_, err = b.PickProducts(ctx, pick)
	is(t, err, dayone.ErrConflict) // nothing is planned for her, and nobody said that it should be
	pick.Manage = true
	v, err = b.PreviewPick(ctx, pick)
	if err != nil || len(v.Pending) != 1 || len(v.Seats) != 1 || v.Seats[0].Free != 50 || len(v.Look.Plan.Steps) < 5 {
		t.Fatalf("the preview: pending %+v, seats %+v, %d steps, %v", v.Pending, v.Seats, len(v.Look.Plan.Steps), err)
	}
	pick.Plan = v.Hash
	if rs, err := b.PickProducts(ctx, pick); err != nil || len(rs) != 4 {
		t.Fatalf("picked: %+v, %v", rs, err)
	}
	r := b.rests(p, "")
	if bad := failures(r); len(bad) > 0 {
		t.Fatal(bad)
	}
	if a, ok := account(b.webex, mail); !ok || !slices.Contains(a.Entitlements, "license:Messaging") {
		t.Errorf("at Webex she has %+v", a)
	}
	links, err := b.Links(ctx, p)
	at := slices.IndexFunc(links, func(l flow.SecretLink) bool { return l.Key.System == "meraki" })
	if err != nil || at < 0 {
		t.Fatalf("no link leads to the code of the network: %+v, %v", links, err)
	}
	if got := b.meraki.Joins("HQ/Corp", b.opens(p, path.Base(links[at].URL))); got != mail {
		t.Errorf("with the code of the link the network lets in %q", got)
	}
	in := func() []string {
		for _, a := range b.duo.Accounts() {
			if a.Email == mail {
				return a.Entitlements
			}
		}
		return []string{"no account"}
	}
	if got := in(); len(got) != 0 {
		t.Errorf("before anybody agreed she has %v at Duo", got)
	}
	asked := until(b.house, "somebody is asked", func() ([]dayone.Petition, bool) {
		list, err := b.Approvals(ctx, flow.ApprovalFilter{Person: p, Open: true})
		return list, err == nil && len(list) == 1
	})
	if _, err := b.Answer(ctx, asked[0].ID, flow.Reply{Of: "security@company.com", By: "administrator", Yes: true}); err != nil {
		t.Fatal(err)
	}
	until(b.house, "the group is given", func() (bool, bool) { return true, slices.Contains(in(), "group:vpn") })

	// the dashboard counts them once it is read again, and says so when it cannot
	b.clock.Jump(b.clock.Now().Add(16 * time.Minute))
	until(b.house, "the tiles are read", func() (bool, bool) {
		_, users := b.shown("webex", "Webex users")
		_, enrolled := b.shown("duo", "Duo users")
		return true, users.Value == 1 && enrolled.Value == 1
	})
	b.duo.Door().Inject(sim.Fault{Status: 503, Times: -1})
	before, _ := b.shown("duo", "Duo users")
	b.clock.Jump(b.clock.Now().Add(16 * time.Minute))
	until(b.house, "Duo is not readable", func() (bool, bool) {
		s, x := b.shown("duo", "Duo users")
		return true, s.Problem != "" && x.Value == 1 && s.Read.Equal(before.Read)
	})
	b.duo.Door().Heal()
	if err := b.PullCatalogues(ctx); err != nil {
		t.Fatal(err)
	}
	if _, seats := b.shown("webex", "Messaging"); seats.Value != 49 || seats.Of != 50 {
		t.Errorf("seats: %+v", seats)
	}

	last := b.rests(p, "")
	if _, err := b.EndProduct(ctx, p, "webex", "administrator", "back to the office"); err != nil {
		t.Fatal(err)
	}
	b.rests(p, last.ID)
	until(b.house, "Webex is closed", func() (bool, bool) {
		a, ok := account(b.webex, mail)
		return true, ok && a.State == dayone.Disabled && !slices.ContainsFunc(a.Entitlements, func(e string) bool { return strings.HasPrefix(e, "license:") })
	})
}

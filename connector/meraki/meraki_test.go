package meraki_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/meraki"
	merakisim "github.com/dayone-hq/dayone/connector/meraki/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

const mail = "sarah.chen@company.com"

func sarah() dayone.Attrs {
	return dayone.Attrs{"email": dayone.Text(mail), "display_name": dayone.Text("Sarah Chen")}
}

var specification = connectortest.OpenAPI("meraki/meraki-spec3-2024-01.trimmed.json", "/api/v1")

func TestMeraki(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: meraki.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return merakisim.New(o) },
		Person:  sarah(),
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "code", Name: "HQ/Corp"}, Attrs: dayone.Attrs{"email": dayone.Text(mail), "group_policy": dayone.Text("Contractors")}},
			{Key: dayone.Key{Kind: "code", Name: "Berlin/Corp"}, Attrs: dayone.Attrs{"email": dayone.Text(mail)}},
		},
		CreateMethod: "POST", CreatePath: "/api/v1/networks", ReadPath: "/api/v1/networks",
		Specification: specification,
		DoneBy:        map[string]string{"account update": "TestSplashUser"},
	})
}

// bench is an organisation with a connector to it. Every request is checked against Meraki's specification.
type bench struct {
	*connectortest.Story[*merakisim.Sim]
}

func open(t *testing.T, o sim.Options, settings ...string) *bench {
	t.Helper()
	return &bench{connectortest.Begin(t, connectortest.Stage[*merakisim.Sim]{Factory: meraki.Factory, System: "meraki", New: merakisim.New, Options: o, Specification: specification, Settings: settings})}
}

// code is an act on Sarah's code; secret is what the engine made for it, if anything.
func (b *bench) code(action dayone.Action, have *dayone.Item, secret, policy string) dayone.Act {
	key := dayone.Key{System: "meraki", Kind: "code", Name: "HQ/Corp"}
	a := dayone.Act{Once: "0123456789abcdef", Action: action, Key: key, Have: have, Attempt: 1, Since: b.Now()}
	if action == dayone.EntitlementAdd {
		a.Want = &dayone.Item{Key: key, State: dayone.Active, Attrs: dayone.Attrs{"email": dayone.Text(mail)}}
		if policy != "" {
			a.Want.Attrs["group_policy"] = dayone.Text(policy)
		}
	}
	if secret != "" {
		a.Secrets = map[string]dayone.Secret{"code": dayone.NewSecret(secret)}
	}
	return a
}

func (b *bench) do(a dayone.Act) dayone.Result {
	b.Helper()
	r, err := b.Guard.Apply(b.Context(), a)
	if err != nil {
		b.Fatalf("%s %s: %v", a.Action, a.Key, err)
	}
	return r
}

func (b *bench) opens(secret string, want bool) {
	b.Helper()
	if who := b.Sim.Joins("HQ/Corp", secret); (who == mail) != want {
		b.Errorf("%s opens the network for %q, want her in: %v", secret, who, want)
	}
}

const first, second = "k7mp-3xdf-9wqt-hz4b", "zz22-yy33-xx44-ww55"

// A hire has a code of her own, moves into another group policy with the same code, has it renewed, changes her name, and
// leaves: then nothing of it opens anything.
func TestCode(t *testing.T) {
	b := open(t, sim.Options{})
	r := b.do(b.code(dayone.EntitlementAdd, nil, first, ""))
	if r.Before != nil || r.Now.State != dayone.Active || r.Now.Attrs.Text("group_policy") != "Staff" || r.Wait != nil {
		t.Fatalf("a new code is %+v -> %+v", r.Before, r.Now)
	}
	for name, v := range r.Now.Attrs {
		if strings.Contains(v.Text, first) {
			t.Errorf("%s shows the code", name)
		}
	}
	b.opens(first, true)
	ref := r.Now.Ref

	r = b.do(b.code(dayone.EntitlementAdd, r.Now, "", "contractors"))
	if r.Now.Ref != ref || b.Sim.Policy("HQ/Corp", mail) != "102" {
		t.Errorf("after the move it is %+v with the policy %s", r.Now, b.Sim.Policy("HQ/Corp", mail))
	}
	b.opens(first, true)

	r = b.do(b.code(dayone.EntitlementAdd, r.Now, second, ""))
	if r.Now.Ref != ref || r.Now.State != dayone.Active || b.Sim.Policy("HQ/Corp", mail) != "102" {
		t.Errorf("the renewed code is %+v with the policy %s", r.Now, b.Sim.Policy("HQ/Corp", mail))
	}
	b.opens(first, false)
	b.opens(second, true)

	renamed := b.code(dayone.EntitlementAdd, r.Now, "", "")
	renamed.Want.Attrs["email"] = dayone.Text("s.łukasiewicz@company.com")
	r = b.do(renamed)
	if who := b.Sim.Joins("HQ/Corp", second); who != "s.łukasiewicz@company.com" || r.Now.Ref != ref {
		t.Errorf("after the new name it is that of %s, %+v", who, r.Now)
	}

	seen, err := b.Guard.Observe(t.Context(), dayone.Subject{Keys: map[string]string{"email": "S.Łukasiewicz@company.com"}})
	if err != nil || len(seen.Items) != 1 || seen.Items[0].Key.String() != "meraki/code:HQ/Corp" || seen.Items[0].Ref != ref || len(seen.Unread) > 0 {
		t.Errorf("there is %+v, %v", seen, err)
	}
	leave := b.code(dayone.EntitlementRemove, r.Now, "", "")
	if r = b.do(leave); r.Before == nil || r.Now != nil {
		t.Errorf("the removal is %+v -> %+v", r.Before, r.Now)
	}
	if who := b.Sim.Joins("HQ/Corp", second); who != "" {
		t.Errorf("the code of somebody who left lets %s in", who)
	}
	if r = b.do(leave); r.Changed() {
		t.Error("removed twice it changes twice")
	}
}

// Whatever is cut off on the way, there is one identity PSK with the code that was sealed.
func TestCodeCutOff(t *testing.T) {
	for name, f := range map[string]sim.Fault{
		"made":             {Method: "POST", Path: "/api/v1/networks", Cut: true},
		"not made":         {Method: "POST", Path: "/api/v1/networks", Drop: true},
		"made, not read":   {Method: "GET", Path: "/api/v1/networks", Skip: 3, Status: 503},
		"renewed":          {Method: "PUT", Path: "/api/v1/networks", Cut: true},
		"not renewed":      {Method: "PUT", Path: "/api/v1/networks", Status: 502},
		"deleted":          {Method: "DELETE", Path: "/api/v1/networks", Cut: true},
		"no answer so far": {Method: "DELETE", Path: "/api/v1/networks", Status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, sim.Options{})
			b.Sim.Door().Inject(f)
			struck := 0
			twice := func(a dayone.Act) dayone.Result {
				t.Helper()
				r, err := b.Guard.Apply(t.Context(), a)
				if err == nil {
					return r
				}
				if struck++; !errors.Is(err, dayone.ErrUnavailable) {
					t.Fatal(err)
				}
				a.Attempt = 2
				return b.do(a)
			}
			r := twice(b.code(dayone.EntitlementAdd, nil, first, ""))
			if r.Before != nil {
				t.Errorf("of a code that it made it says that %+v was there", r.Before)
			}
			b.opens(first, true)
			r = twice(b.code(dayone.EntitlementAdd, r.Now, second, ""))
			b.opens(first, false)
			b.opens(second, true)
			twice(b.code(dayone.EntitlementRemove, r.Now, "", ""))
			b.opens(second, false)
			if struck != 1 {
				t.Errorf("it struck %d times", struck)
			}
		})
	}
}

// An identity PSK that an administrator made by hand is nobody's to overwrite; one that was made anew after ours was deleted
// neither.
func TestCodeOfSomebodyElse(t *testing.T) {
	b := open(t, sim.Options{})
	b.Sim.Paste("HQ/Corp", "Sarah.Chen@company.com", "pasted-by-hand")
	_, err := b.Guard.Apply(t.Context(), b.code(dayone.EntitlementAdd, nil, first, ""))
	connectortest.Refused(t, err, dayone.ErrConflict, "delete it in the dashboard")
	if strings.Contains(err.Error(), "pasted") {
		t.Errorf("it tells a passphrase: %v", err)
	}
	var f *dayone.Fault
	if !errors.As(err, &f) || f.Found == nil || b.Sim.Joins("HQ/Corp", "pasted-by-hand") == "" {
		t.Errorf("it shows %+v", f)
	}
	gone := &dayone.Item{Ref: "N_24329001/0/999", Attrs: sarah()}
	_, err = b.Guard.Apply(t.Context(), b.code(dayone.EntitlementAdd, gone, second, ""))
	connectortest.Refused(t, err, dayone.ErrConflict, "passphrase is not ours")
	if r := b.do(b.code(dayone.EntitlementRemove, gone, "", "")); r.Changed() || b.Sim.Joins("HQ/Corp", "pasted-by-hand") == "" {
		t.Error("what has another id was deleted")
	}
}

// Bad words of policies and settings are named, with where to mend them.
func TestCodeRefused(t *testing.T) {
	for name, c := range map[string]struct {
		settings   []string
		key        string
		policy     string
		secret     string
		want       error
		says, next string
	}{
		"no such network":  {nil, "Rome/Corp", "", first, dayone.ErrNotFound, "no SSID Rome/Corp", "setting networks"},
		"no such SSID":     {nil, "HQ/Corp2", "", first, dayone.ErrNotFound, "no SSID HQ/Corp2", "correct the policy"},
		"no wireless":      {nil, "Warehouse/Corp", "", first, dayone.ErrNotFound, "no SSID", ""},
		"one passphrase":   {nil, "HQ/Legacy", "", first, dayone.ErrInvalid, "no identity PSKs; its security is psk", "Identity PSK without RADIUS"},
		"no such policy":   {nil, "HQ/Corp", "Bosses", first, dayone.ErrInvalid, "no group policy Bosses", "Network-wide"},
		"no policy at all": {[]string{"group_policy", ""}, "HQ/Corp", "", first, dayone.ErrInvalid, "without a group policy", "setting group_policy"},
		"not ours":         {[]string{"networks", "Berlin", "users_network", "", "users_ssids", ""}, "HQ/Corp", "", first, dayone.ErrNotFound, "no SSID", ""},
		"no secret":        {nil, "HQ/Corp", "", "", dayone.ErrInvalid, "passphrase", ""},
		"too short":        {nil, "HQ/Corp", "", "short", dayone.ErrInvalid, "between 8 and 63", ""},
		"taken":            {nil, "HQ/Corp", "", "pasted-by-hand", dayone.ErrConflict, "must be unique", "Access control"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, sim.Options{}, c.settings...)
			b.Sim.Paste("HQ/Corp", "kim@company.com", "pasted-by-hand")
			a := b.code(dayone.EntitlementAdd, nil, c.secret, c.policy)
			a.Key.Name = c.key
			_, err := b.Guard.Apply(t.Context(), a)
			connectortest.Refused(t, err, c.want, c.says)
			connectortest.Refused(t, err, c.want, c.next)
		})
	}
}

// The catalogue has SSIDs with identity PSKs only, of the networks that are ours, over as many pages as there are.
func TestCatalogue(t *testing.T) {
	for networks, want := range map[string]string{"": "HQ/Corp Berlin/Corp", "berlin": "Berlin/Corp", "N_24329001, Berlin": "HQ/Corp Berlin/Corp"} {
		t.Run(networks, func(t *testing.T) {
			b := open(t, sim.Options{Page: 1}, "networks", networks, "users_network", "", "users_ssids", "")
			var got []string
			for o, err := range b.Guard.Catalogue(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, o.Key.Name)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("it offers %v, want %s", got, want)
			}
			for s, err := range b.Guard.List(t.Context()) {
				t.Errorf("without users it lists %+v, %v", s, err)
			}
		})
	}
}

// What cannot be read is unread, never gone.
func TestUnread(t *testing.T) {
	b := open(t, sim.Options{})
	r := b.do(b.code(dayone.EntitlementAdd, nil, first, ""))
	b.Sim.Door().Inject(sim.Fault{Method: "GET", Path: "/api/v1/networks/N_24329001/wireless/ssids/0/identityPsks", Status: 500, Times: -1})
	seen, err := b.Guard.Observe(t.Context(), dayone.Subject{Keys: map[string]string{"email": mail}})
	if err != nil || len(seen.Unread) != 1 || seen.Unread[0] != "code" || len(seen.Items) != 0 {
		t.Errorf("there is %+v, %v", seen, err)
	}
	_, err = b.Guard.Apply(t.Context(), b.code(dayone.EntitlementRemove, r.Now, "", ""))
	connectortest.Refused(t, err, dayone.ErrUnavailable, "")
	b.opens(first, true)
}

// Whoever is not let in is told what to do about it in the dashboard.
func TestNotLetIn(t *testing.T) {
	for name, c := range map[string]struct {
		do       func(*merakisim.Sim)
		settings []string
		want     error
		says     string
	}{
		"key ended":       {(*merakisim.Sim).Expire, nil, dayone.ErrAuth, "make another API key"},
		"other org":       {nil, []string{"org", "1"}, dayone.ErrForbidden, "administrator of that very organisation"},
		"API off":         {(*merakisim.Sim).SwitchOff, nil, dayone.ErrForbidden, "switch it on"},
		"no such network": {nil, []string{"networks", "HQ, Rome"}, dayone.ErrInvalid, "no network Rome"},
		"no such SSID":    {nil, []string{"users_ssids", "Foyer"}, dayone.ErrInvalid, "no SSID Foyer"},
		"users' network":  {nil, []string{"users_network", "Rome"}, dayone.ErrInvalid, "no network Rome"},
		"sent to a shard": {func(s *merakisim.Sim) {
			s.Door().Inject(sim.Fault{Status: 308, Header: map[string]string{"Location": "https://n392.meraki.com/api/v1/organizations/549236"}})
		}, nil, dayone.ErrInvalid, "n392.meraki.com"},
		"all is well":      {nil, nil, nil, ""},
		"templates by id":  {nil, []string{"networks", "HQ, L_1234"}, nil, ""},
		"no users at all":  {nil, []string{"users_network", "", "users_ssids", ""}, nil, ""},
		"only may look on": {(*merakisim.Sim).ReadOnly, nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, sim.Options{}, c.settings...)
			if c.do != nil {
				c.do(b.Sim)
			}
			err := b.Guard.Check(t.Context())
			if c.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			connectortest.Refused(t, err, c.want, c.says)
		})
	}
	t.Run("writes", func(t *testing.T) {
		b := open(t, sim.Options{})
		b.Sim.ReadOnly()
		_, err := b.Guard.Apply(t.Context(), b.code(dayone.EntitlementAdd, nil, first, ""))
		connectortest.Refused(t, err, dayone.ErrForbidden, "full access")
	})
	for _, bad := range [][]string{{"users_ssids", ""}, {"users_network", ""}, {"users_type", "Friend"}} {
		all := merakisim.New(sim.Options{}).Settings("https://api.meraki.com")
		all[bad[0]] = bad[1]
		if _, err := connector.Open(meraki.Factory, "meraki", time.Now, connector.Options{Settings: all}); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%v says %v", bad, err)
		}
	}
}

// Ten calls a second are the organisation's; the eleventh comes again when Meraki says so.
func TestThrottled(t *testing.T) {
	b := open(t, sim.Options{})
	b.Sim.Limit(3)
	_, err := b.Guard.Apply(t.Context(), b.code(dayone.EntitlementAdd, nil, first, ""))
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrThrottled) || !errors.As(err, &f) || !f.RetryAt.After(b.Now()) || !b.Guard.Open().After(b.Now()) {
		t.Fatalf("says %v, open at %v", err, b.Guard.Open())
	}
	a := b.code(dayone.EntitlementAdd, nil, first, "")
	for a.Attempt = 2; a.Attempt < 9; a.Attempt++ {
		b.Later(2 * time.Second)
		if _, err = b.Guard.Apply(t.Context(), a); err == nil {
			break
		}
		if !errors.Is(err, dayone.ErrThrottled) {
			t.Fatal(err)
		}
		b.Sim.Limit(10)
	}
	b.opens(first, true)
}

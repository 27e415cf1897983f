package unity_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/cucm"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/unity"
)

// paired is a voice mail server with the cluster beside it whose users are to have the same PINs, each with its own connector.
type paired struct {
	*server
	cluster *cucmsim.Sim
	phones  *connector.Guard
}

func pair(t *testing.T) *paired {
	t.Helper()
	p := &paired{}
	now := time.Now
	p.cluster, _ = cucmsim.NewCompany(sim.Options{Now: func() time.Time { return now() }})
	srv := httptest.NewServer(p.cluster)
	t.Cleanup(srv.Close)
	var err error
	if p.phones, err = connector.Open(cucm.Factory, "cucm", func() time.Time { return now() }, connector.Options{Settings: p.cluster.Settings(srv.URL), PerMinute: map[string]int{"default": 600_000}}); err != nil {
		t.Fatal(err)
	}
	beside := func(name string) *connector.Guard { return map[string]*connector.Guard{"cucm": p.phones}[name] }
	p.server = beginBeside(t, beside, "pin_sync", "dayone", "cluster", "cucm", "pin_must_change", "false")
	now = p.Now
	t.Cleanup(func() {
		p.export()
		for _, breach := range p.cluster.Breaches("hhunt") {
			t.Error(breach)
		}
		for _, r := range p.cluster.Door().Requests() {
			for _, secret := range p.secrets {
				if strings.Contains(r.Path+r.Query+r.Header.Get("SOAPAction"), secret) {
					t.Error("a PIN stands in an address")
				}
			}
		}
	})
	return p
}

// export writes what was sent to the cluster beside what package cucm sends it, for whoever has the vendor's schemas.
func (p *paired) export() {
	dir := os.Getenv("DAYONE_EXPORT_REQUESTS")
	if dir == "" {
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.Error(err)
	}
	for i, r := range p.cluster.Door().Requests() {
		name := filepath.Join(dir, fmt.Sprintf("unity-%s-%04d", p.Name(), i+1))
		if err := errors.Join(os.WriteFile(name+".xml", r.Body, 0o600), os.WriteFile(name+".txt", []byte("SOAPAction: "+r.Header.Get("SOAPAction")+"\n"), 0o600)); err != nil {
			p.Error(err)
		}
	}
}

// is says that a PIN opens both, or neither.
func (p *paired) is(login, pin string, opens bool) {
	p.Helper()
	if box, phone := p.Sim.SignIn(login, "pin", pin), p.cluster.OpensBy(login, pin); box != opens || phone != opens {
		p.Errorf("the PIN opens voice mail: %v, and the telephones: %v; want %v", box, phone, opens)
	}
}

func (p *paired) writes() int { return len(p.cluster.Writes()) }

// fresh renews a PIN.
func (p *paired) fresh(ref, pin string) dayone.Act {
	a := p.opens(ref, "pin", pin)
	a.Have = &dayone.Item{Ref: "x", State: dayone.Active}
	return a
}

// given is the PIN that is handed over: the one that was made, or the one that became of it.
func (p *paired) given(a dayone.Act, r dayone.Result) string {
	p.Helper()
	s, ok := r.Secrets["pin"]
	if !ok {
		return a.Secrets["pin"].Reveal()
	}
	p.secrets = append(p.secrets, s.Reveal())
	return s.Reveal()
}

// TestOnePIN: somebody has one PIN for voice mail and telephone, and a new one is the new one of both.
func TestOnePIN(t *testing.T) {
	p := pair(t)
	ref := p.ref("hhunt")
	first := p.Do(p.opens(ref, "pin", "58203947"))
	if first.Now == nil || len(first.Secrets) != 0 {
		t.Fatalf("the first is %+v", first)
	}
	p.is("hhunt", "58203947", true)
	p.Later(time.Hour)
	renew := p.opens(ref, "pin", "73920485")
	renew.Have = first.Now
	p.Do(renew)
	p.is("hhunt", "73920485", true)
	p.is("hhunt", "58203947", false)
	before := p.writes()
	if p.again(renew); p.writes() != before {
		t.Error("a retry changes it once more")
	}
	p.is("hhunt", "73920485", true)
}

// TestBothPolicies: each of the two says what a PIN has to be, and one that both take is set, at the first try.
func TestBothPolicies(t *testing.T) {
	for name, c := range map[string]struct {
		made string
		sets func(*paired)
		want int
	}{
		"the cluster wants more digits": {"58203947", func(p *paired) { p.cluster.Policy("Default Credential Policy", 10, true) }, 10},
		"the server wants more digits":  {"58203947", func(p *paired) { p.Sim.Policy("MinLength", "12") }, 12},
		"a policy of their own": {"58203947", func(p *paired) {
			p.cluster.Policy("Executives", 9, true)
			p.cluster.Obeys("hhunt", "Executives")
		}, 9},
		"their extension at the cluster":  {"58210493", func(*paired) {}, 8},
		"their name on the keys":          {"58248683", func(*paired) {}, 8}, // hunt
		"a straight line on the keys":     {"42580396", func(*paired) {}, 8},
		"only the cluster looks for them": {"58248683", func(p *paired) { p.Sim.Policy("TrivialCredChecking", "false") }, 8},
	} {
		t.Run(name, func(t *testing.T) {
			p := pair(t)
			c.sets(p)
			ref := p.ref("hhunt")
			a := p.fresh(ref, c.made)
			r, err := p.tries(a)
			if err != nil {
				t.Fatal(err)
			}
			pin := p.given(a, r)
			if pin == c.made || len(pin) != c.want || strings.Trim(pin, "0123456789") != "" {
				t.Errorf("%d digits were handed over, want %d others", len(pin), c.want)
			}
			p.is("hhunt", pin, true)
			a.Attempt = 2 // the answer was lost: what is handed over is what was written
			again, err := p.tries(a)
			if err != nil || p.given(a, again) != pin || p.writes() != 1 {
				t.Errorf("a retry hands over another one, or writes again: %v", err)
			}
			p.is("hhunt", pin, true)
		})
	}
}

// TestPINInBetween: each place at which the two can part. Nothing is written before both policies were read; what is half done says
// which PIN holds where, and the next attempt ends it.
func TestPINInBetween(t *testing.T) {
	p := pair(t)
	ref := p.ref("hhunt")
	p.Do(p.opens(ref, "pin", "58203947"))
	p.Later(time.Hour)
	p.cluster.Door().Inject(sim.Fault{Path: "/axl/", Times: -1, Status: 503, Body: "down"})
	connectortest.Refused(t, p.try(p.fresh(ref, "85201937")), dayone.ErrUnavailable)
	p.cluster.Door().Heal()
	p.is("hhunt", "58203947", true)

	p.Sim.Door().Inject(sim.Fault{Path: "/vmrest/users/", Method: "PUT", Times: 1, Status: 503})
	before := p.writes()
	connectortest.Refused(t, p.try(p.fresh(ref, "85201937")), dayone.ErrUnavailable)
	if p.writes() != before {
		t.Error("the cluster was written before the server had it")
	}
	p.is("hhunt", "58203947", true)

	a := p.fresh(ref, "60392817")
	p.cluster.Publisher(false) // it is read, and not written
	err := p.try(a)
	if err == nil || !strings.Contains(fmt.Sprintf("%+v", faultOf(err)), "voice mail has the new PIN, and the cluster cucm") || strings.Contains(err.Error(), "60392817") {
		t.Errorf("it says %v", err)
	}
	if !p.Sim.SignIn("hhunt", "pin", "60392817") || !p.cluster.OpensBy("hhunt", "58203947") {
		t.Error("it is not as it says")
	}
	p.cluster.Publisher(true)
	p.Later(time.Minute)
	p.again(a)
	p.is("hhunt", "60392817", true)

	p.Later(time.Hour)
	b := p.fresh(ref, "49382716")
	p.cluster.Before("updateUser", p.cluster.CutNext) // the cluster has it, and nobody hears so
	if err := p.try(b); err == nil {
		t.Error("a lost answer is no error")
	}
	n := p.writes()
	p.Later(time.Minute)
	p.again(b)
	p.is("hhunt", "49382716", true)
	if p.writes() != n {
		t.Error("the retry wrote the cluster's once more, which its history would refuse")
	}
}

// TestHumanRetry: who retries by hand what is half done forgets when the first attempt was, and yet both get the one PIN. So they do
// where the rules have changed meanwhile.
func TestHumanRetry(t *testing.T) {
	for name, meanwhile := range map[string]func(*paired){
		"as it was":       func(*paired) {},
		"longer PINs now": func(p *paired) { p.cluster.Policy("Default Credential Policy", 10, true) },
	} {
		t.Run(name, func(t *testing.T) {
			p := pair(t)
			ref := p.ref("hhunt")
			p.Do(p.opens(ref, "pin", "58203947"))
			p.Later(time.Hour)
			a := p.fresh(ref, "60392817")
			p.cluster.Publisher(false)
			if p.try(a) == nil {
				t.Fatal("the publisher is down, and it says that it is done")
			}
			p.cluster.Publisher(true)
			meanwhile(p)
			p.Later(time.Hour)
			a.Attempt, a.Since = 9, p.Now()
			for range 2 { // and once more: the answer was lost
				r, err := p.tries(a)
				if err != nil {
					t.Fatal(err)
				}
				p.is("hhunt", p.given(a, r), true)
				a.Attempt++
				p.Later(time.Hour)
				a.Since = p.Now()
			}
		})
	}
}

func faultOf(err error) dayone.Fault {
	var f *dayone.Fault
	if errors.As(err, &f) {
		return *f
	}
	return dayone.Fault{}
}

// TestOneWriter: what gives PINs and what gives groups write a cluster one after another, whoever they are.
func TestOneWriter(t *testing.T) {
	p := pair(t)
	ref := p.ref("hhunt")
	var id string
	for _, a := range p.cluster.Accounts() {
		if a.Login == "hhunt" {
			id = a.Ref
		}
	}
	p.cluster.Door().Inject(sim.Fault{Path: "/axl/", Times: -1, Hang: 2 * time.Millisecond})
	done := make(chan error)
	go func() {
		key := dayone.Key{System: "cucm", Kind: "user_group", Name: "Standard CTI Enabled"}
		var err error
		for i := range 6 {
			a := dayone.Act{Action: dayone.EntitlementAdd, Key: key, Account: id, Attempt: 1, Since: p.Now(), Want: &dayone.Item{Key: key, Ref: key.Name, State: dayone.Active}}
			if i%2 == 1 {
				a.Action, a.Want, a.Have = dayone.EntitlementRemove, nil, &dayone.Item{Key: key, Ref: key.Name, State: dayone.Active}
			}
			_, e := p.phones.Apply(t.Context(), a)
			if !errors.Is(e, dayone.ErrInvalid) && !errors.Is(e, dayone.ErrConflict) { // who sees the other one's write says so
				err = errors.Join(err, e)
			}
		}
		done <- err
	}()
	for _, pin := range []string{"58203947", "73920485", "60392817"} {
		p.Later(time.Hour)
		if err := p.try(p.fresh(ref, pin)); err != nil {
			t.Error(err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, writes := p.cluster.Busiest(); writes != 1 {
		t.Errorf("%d wrote at the same time", writes)
	}
}

// TestNobodyAtTheCluster: whose mailbox has no user at the cluster is told so, and keeps the PIN.
func TestNobodyAtTheCluster(t *testing.T) {
	p := pair(t)
	ref := p.Do(p.hire(dayone.Active)).Now.Ref
	connectortest.Refused(t, p.try(p.opens(ref, "pin", "58203947")), dayone.ErrNotFound, "no end user with the mailbox's alias")
	if p.Sim.SignIn("schen", "pin", "58203947") {
		t.Error("voice mail has it")
	}
}

// TestClusterByName: the cluster is a system of the same configuration that keeps PINs, or the configuration is wrong.
func TestClusterByName(t *testing.T) {
	p := pair(t)
	if err := p.Guard.Leans(); err != nil {
		t.Error(err)
	}
	for other, want := range map[*connector.Guard]string{nil: "there is no system cucm", p.Guard: "keeps no PINs"} {
		var wrong *connector.SettingError
		settings := p.Sim.Settings("https://127.0.0.1:1")
		settings["pin_sync"], settings["cluster"] = "dayone", "cucm"
		g, err := connector.Open(unity.Factory, "unity", time.Now, connector.Options{Settings: settings, Beside: func(string) *connector.Guard { return other }})
		if err != nil {
			t.Fatal(err)
		}
		err = g.Leans()
		if !errors.As(err, &wrong) || wrong.Setting != "cluster" || !strings.Contains(err.Error(), want) {
			t.Errorf("it says %v, want %s", err, want)
		}
	}
	settings := p.Sim.Settings("https://127.0.0.1:1")
	settings["cluster"] = "cucm"
	if _, err := connector.Open(unity.Factory, "unity", time.Now, connector.Options{Settings: settings}); err == nil || !strings.Contains(err.Error(), "pin_sync") {
		t.Errorf("a cluster whose PINs are not ours to write: %v", err)
	}
}

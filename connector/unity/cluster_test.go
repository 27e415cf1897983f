package unity_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// paired is a voice mail server with the cluster beside it whose users are to have the same PINs.
type paired struct {
	*server
	cluster *cucmsim.Sim
	at      string
}

func pair(t *testing.T) *paired {
	t.Helper()
	p := &paired{}
	p.cluster, _ = cucmsim.NewCompany(sim.Options{Now: func() time.Time { return p.Now() }})
	srv := httptest.NewServer(p.cluster)
	t.Cleanup(srv.Close)
	s := p.cluster.Settings(srv.URL)
	p.at = s["url"]
	p.server = begin(t, "pin_sync", "dayone", "cluster_url", s["url"], "cluster_user", s["user"], "cluster_password", s["password"], "pin_must_change", "false")
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

// opensAt says that a PIN opens a user at the cluster.
func (p *paired) opensAt(login, pin string) bool {
	p.Helper()
	req, err := http.NewRequest("POST", p.at+"/axl/", strings.NewReader(`<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:axl="http://www.cisco.com/AXL/API/14.0"><soapenv:Header/><soapenv:Body><axl:doAuthenticateUser><userid>`+login+`</userid><pin>`+pin+`</pin></axl:doAuthenticateUser></soapenv:Body></soapenv:Envelope>`))
	if err != nil {
		p.Fatal(err)
	}
	s := p.cluster.Settings("")
	req.SetBasicAuth(s["user"], s["password"])
	req.Header.Set("SOAPAction", `"CUCM:DB ver=14.0 doAuthenticateUser"`)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		p.Fatalf("%s: %s, %v", res.Status, body, err)
	}
	return strings.Contains(string(body), "<userAuthenticated>true")
}

func (p *paired) writes() int { return len(p.cluster.Writes()) }

// TestOnePIN: somebody has one PIN for voice mail and telephone, and a new one is the new one of both.
func TestOnePIN(t *testing.T) {
	p := pair(t)
	ref := p.ref("hhunt")
	first := p.Do(p.opens(ref, "pin", "58203947"))
	if first.Now == nil || !p.Sim.SignIn("hhunt", "pin", "58203947") || !p.opensAt("hhunt", "58203947") {
		t.Fatalf("they are apart after %+v", first)
	}
	p.Later(time.Hour)
	renew := p.opens(ref, "pin", "73920485")
	renew.Have = first.Now
	p.Do(renew)
	if !p.Sim.SignIn("hhunt", "pin", "73920485") || !p.opensAt("hhunt", "73920485") || p.opensAt("hhunt", "58203947") {
		t.Error("they are apart after it was renewed")
	}
	before := p.writes()
	if p.again(renew); p.writes() != before {
		t.Error("a retry writes the cluster's once more, which its history would refuse")
	}
}

// TestOnePINOfTwo: what the cluster refuses is written nowhere. What reached the cluster and not the server is written there by
// the retry, and not at the cluster again. A cluster that is down leaves both as they are.
func TestOnePINOfTwo(t *testing.T) {
	p := pair(t)
	ref := p.ref("hhunt")
	p.Do(p.opens(ref, "pin", "58203947"))
	p.Later(time.Hour)
	err := p.try(p.fresh(ref, "012345678"))
	connectortest.Refused(t, err, dayone.ErrInvalid, "the cluster refused this PIN", "voice mail has the one of before")
	if strings.Contains(err.Error(), "012345678") || !p.Sim.SignIn("hhunt", "pin", "58203947") || !p.opensAt("hhunt", "58203947") {
		t.Errorf("%v tells it, or one of them has it", err)
	}
	p.cluster.Door().Inject(sim.Fault{Path: "/axl/", Times: -1, Status: 503, Body: "down"})
	connectortest.Refused(t, p.try(p.fresh(ref, "85201937")), dayone.ErrUnavailable)
	p.cluster.Door().Heal()
	if !p.Sim.SignIn("hhunt", "pin", "58203947") || !p.opensAt("hhunt", "58203947") {
		t.Error("the cluster was down, and one of them has the new one")
	}

	a := p.fresh(ref, "60392817")
	p.Sim.Door().Inject(sim.Fault{Path: "/vmrest/users/", Method: "PUT", Times: 1, Status: 503})
	connectortest.Refused(t, p.try(a), dayone.ErrUnavailable)
	before := p.writes()
	p.Later(time.Minute)
	if p.again(a); !p.Sim.SignIn("hhunt", "pin", "60392817") || !p.opensAt("hhunt", "60392817") {
		t.Error("the retry leaves them apart")
	}
	if p.writes() != before {
		t.Error("the retry wrote the cluster's once more")
	}
}

// fresh renews a PIN.
func (p *paired) fresh(ref, pin string) dayone.Act {
	a := p.opens(ref, "pin", pin)
	a.Have = &dayone.Item{Ref: "x", State: dayone.Active}
	return a
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

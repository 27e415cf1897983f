package unity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
)

// TestRenewed: a lost PIN is made anew, and the old one opens nothing. What locked the mailbox by wrong ones is forgotten.
func TestRenewed(t *testing.T) {
	b := begin(t)
	ref := b.ref("hhunt")
	first := b.Do(b.opens(ref, "pin", "58203947"))
	if first.Now == nil || !first.Changed() || !b.Sim.SignIn("hhunt", "pin", "58203947") {
		t.Fatalf("the first PIN is %+v", first)
	}
	for range 3 {
		b.Sim.SignIn("hhunt", "pin", "11223344")
	}
	if b.Sim.SignIn("hhunt", "pin", "58203947") {
		t.Fatal("three wrong ones lock nothing")
	}
	b.Later(time.Hour)
	renew := b.opens(ref, "pin", "73920485")
	renew.Have = first.Now
	if r := b.Do(renew); !r.Changed() || !b.Sim.SignIn("hhunt", "pin", "73920485") || b.Sim.SignIn("hhunt", "pin", "58203947") {
		t.Errorf("renewed it is %+v", r)
	}
	writes := b.sent("PUT", "/credential/pin")
	if b.again(renew); b.sent("PUT", "/credential/pin") != writes {
		t.Error("a retry sets it once more, which its history would refuse")
	}
	soon := b.opens(ref, "pin", "85201937") // in the same moment: whose it is tells no clock
	soon.Have = first.Now
	if b.Do(soon); !b.Sim.SignIn("hhunt", "pin", "85201937") {
		t.Error("renewed twice at once, the second one opens nothing")
	}
	taken := b.takes(ref, "pin", "", first.Now)
	b.Do(taken)
	if b.Do(taken).Changed() || b.Sim.SignIn("hhunt", "pin", "85201937") || b.observe(ref).State != dayone.Active {
		t.Error("a PIN that was taken opens it, or the mailbox is closed with it")
	}
	b.Later(time.Hour)
	if b.Do(b.opens(ref, "pin", "60392817")); !b.Sim.SignIn("hhunt", "pin", "60392817") {
		t.Error("a PIN that was given again opens nothing")
	}
}

// TestPolicy: what the policy does not take is refused, and the PIN of before still opens.
func TestPolicy(t *testing.T) {
	for why, pin := range map[string]string{
		"three in a row": "11122233", "a line": "23456789", "two in turn": "48484848", "its extension": "58210447", "its extension backwards": "58401247", "too short": "582", "the one it has": "8321046",
	} {
		t.Run(why, func(t *testing.T) {
			b := begin(t)
			err := b.try(b.opens(b.ref("hhunt"), "pin", pin))
			connectortest.Refused(t, err, dayone.ErrInvalid, "Authentication Rules")
			if strings.Contains(err.Error(), pin) || !b.Sim.SignIn("hhunt", "pin", "8321046") {
				t.Errorf("%q tells the PIN, or the old one is gone", err)
			}
		})
	}
}

// TestJudgedFirst: where one PIN is for server and cluster, it is made to the policy before anything is written. A policy that cannot
// be read, or met, is an error, and nothing is written.
func TestJudgedFirst(t *testing.T) {
	b := begin(t, "pin_sync", "dayone")
	ref := b.ref("hhunt")
	b.Sim.Policy("MinLength", "40")
	connectortest.Refused(t, b.try(b.opens(ref, "pin", "58203947")), dayone.ErrInvalid, "40 digits", "nothing was written")
	b.Sim.Policy("MinLength", "6")
	b.Sim.Door().Inject(sim.Fault{Path: "/vmrest/credentialpolicies/", Status: 503})
	connectortest.Refused(t, b.try(b.opens(ref, "pin", "58203947")), dayone.ErrUnavailable)
	if n := b.sent("PUT", "/credential/pin"); n != 0 {
		t.Errorf("the PIN was written %d times", n)
	}
	r, err := b.tries(b.opens(ref, "pin", "58210447")) // the extension is in it
	pin := r.Secrets["pin"].Reveal()
	if err != nil || pin == "58210447" || len(pin) != 8 || !b.Sim.SignIn("hhunt", "pin", pin) {
		t.Errorf("one that the policy calls trivial: %v, %v", r, err)
	}
	b.Later(time.Hour)
	b.Do(b.opens(ref, "pin", "58203947"))
}

// TestNativeSync: where server and cluster keep one PIN, only the cluster's is written; that it arrived shows by its time. Where
// nobody said so and the cluster is away, the refusal says what to set.
func TestNativeSync(t *testing.T) {
	b := begin(t, "pin_sync", "native")
	b.Sim.Native(true, true)
	ref := b.Do(b.hire(dayone.Active)).Now.Ref
	if _, is := b.Guard.Manifest.Kinds["pin"]; is || b.sent("PUT", "/credential/pin") != 0 || b.Sim.SignIn("schen", "password", "ecsbulab") {
		t.Error("the PIN is written here, or the template's password is still there")
	}
	was := b.observe(ref).Attrs.Text("pin_changed")
	b.Later(time.Minute)
	b.Sim.Native(true, false)
	if b.Sim.FromCluster("schen", "58203947") || b.observe(ref).Attrs.Text("pin_changed") != was {
		t.Error("a PIN that did not arrive shows as changed")
	}
	b.Sim.Native(true, true)
	if !b.Sim.FromCluster("schen", "58203947") || b.observe(ref).Attrs.Text("pin_changed") == was || !b.Sim.SignIn("schen", "pin", "58203947") {
		t.Error("a PIN that arrived does not show")
	}
	b.Do(b.turn(ref, dayone.Disabled)) // locking is no PIN
	if b.Sim.SignIn("schen", "pin", "58203947") {
		t.Error("closed it opens")
	}
}

// TestNobodySaidSo: the server keeps one PIN with a cluster that is away.
func TestNobodySaidSo(t *testing.T) {
	b := begin(t)
	b.Sim.Native(true, false)
	connectortest.Refused(t, b.try(b.opens(b.ref("hhunt"), "pin", "58203947")), dayone.ErrInvalid, "pin_sync: native")
}

// TestNoChangeWanted: a PIN that its owner chose in the portal is kept.
func TestNoChangeWanted(t *testing.T) {
	b := begin(t, "pin_must_change", "false")
	b.Do(b.opens(b.ref("hhunt"), "pin", "58203947"))
	if b.Sim.MustChange("hhunt", "pin") {
		t.Error("it has to be changed")
	}
}

// TestClocks: the server's clock may be wrong by minutes; its zone is a setting, and a wrong one is said, not believed.
func TestClocks(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	york, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		zone *time.Location
		set  string
		says string
	}{"right": {berlin, "Europe/Berlin", ""}, "ahead": {berlin, "UTC", "time_zone"}, "behind": {york, "UTC", "time_zone"}} {
		t.Run(name, func(t *testing.T) {
			b := begin(t, "time_zone", c.set)
			b.Sim.Zone(c.zone)
			ref := b.ref("hhunt")
			b.Later(30 * 24 * time.Hour)
			err := b.try(b.opens(ref, "pin", "58203947"))
			if c.says == "" && err != nil {
				t.Errorf("it says %v", err)
			}
			if c.says != "" {
				connectortest.Refused(t, err, dayone.ErrInvalid, c.says)
			}
		})
	}
	for name, skew := range map[string]time.Duration{"slow": -10 * time.Minute, "fast": 10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			b := begin(t)
			b.Sim.Skew(skew)
			ref := b.ref("hhunt")
			a := b.opens(ref, "pin", "58203947")
			b.Later(5 * time.Second)
			if b.Do(a); !b.Sim.SignIn("hhunt", "pin", "58203947") {
				t.Error("it was taken for set")
			}
			writes := b.sent("PUT", "/credential/pin")
			if b.again(a); b.sent("PUT", "/credential/pin") != writes {
				t.Error("it is set twice")
			}
		})
	}
}

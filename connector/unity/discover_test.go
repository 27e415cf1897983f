package unity_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
	unitysim "github.com/dayone-hq/dayone/connector/unity/sim"
)

// TestDiscover: mailboxes with all numbers at which they answer, whoever gets in, and what names them; and nothing is changed.
func TestDiscover(t *testing.T) {
	b := begin(t)
	hugo := b.ref("hhunt")
	b.Do(b.answers(hugo, "work-phone", "+14085552104"))
	b.Do(b.turn(hugo, dayone.Disabled))
	before := b.Sim.Snapshot()
	told := 0
	p, err := b.Guard.Discover(t.Context(), func(k dayone.PlatformKind, n int) {
		if k != dayone.PlatformMailboxes || n != told+1 {
			t.Errorf("after %d it tells of %d %s", told, n, k)
		}
		told = n
	})
	if err != nil || !b.Guard.Phones() || !p.Tells(dayone.PlatformMailboxes) || p.Tells(dayone.PlatformLines) || told != 7 {
		t.Fatalf("it tells of %v, %d, %v", p.Of, told, err)
	}
	if d := differences(before, b.Sim.Snapshot()); len(d) > 0 {
		t.Errorf("changed: %v", d)
	}
	var got []string
	for _, m := range p.Mailboxes {
		got = append(got, fmt.Sprintf("%s %s@%s %v locked=%v %v", m.Alias, m.Extension, m.Partition, m.Extensions, m.Locked, m.Needs))
	}
	want := []string{
		`aassist 2102@Unity Partition [] locked=false []`, `agent 2105@Unity Partition [] locked=false []`, `bberlin 2104@Berlin Partition [] locked=false []`,
		`ecolleague 2103@Unity Partition [+14085552103] locked=false []`,
		`hhunt 2104@Unity Partition [+14085552104] locked=true []`, `local 2106@Unity Partition [] locked=false []`, `mboss 2100@Unity Partition [] locked=false [call handler "Opening Greeting" (key 3 leads to them)]`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("it shows\n%v, want\n%v", got, want)
	}
}

// TestDiscoverWhole: many pages, and not one missing; or an error, and nothing.
func TestDiscoverWhole(t *testing.T) {
	b := begin(t)
	for i := range 120 {
		b.Sim.Seed(sim.Account{Login: fmt.Sprintf("p%03d", i)})
	}
	p, err := b.Guard.Discover(t.Context(), nil)
	if err != nil || len(p.Mailboxes) != 127 || p.Mailboxes[126].Alias != "p119" {
		t.Fatalf("there are %d, %v", len(p.Mailboxes), err)
	}
	for _, path := range []string{"/vmrest/partitions", "/vmrest/handlers/callhandlers", "/vmrest/users", "/vmrest/users/" + b.ref("p050"), "/vmrest/users/" + b.ref("p119") + "/alternateextensions"} {
		b.Sim.Door().Inject(sim.Fault{Path: path, Status: 503, Times: -1})
		p, err := b.Guard.Discover(t.Context(), nil)
		if !errors.Is(err, dayone.ErrUnavailable) || len(p.Mailboxes) != 0 || len(p.Of) != 0 {
			t.Errorf("without %s there are %d, %v", path, len(p.Mailboxes), err)
		}
		b.Sim.Door().Heal()
	}
	b.Sim.Role(false)
	_, err = b.Guard.Discover(t.Context(), nil)
	connectortest.Refused(t, err, dayone.ErrForbidden, "role")
}

// TestDirectoryMailbox: which directory feeds it shows, and one that it let go of is locked.
func TestDirectoryMailbox(t *testing.T) {
	b := begin(t, "accounts", "ldap")
	b.Sim.Directory(unitysim.Entry{ID: "schen", First: "Sarah", Last: "Chen", Mail: "sarah.chen@company.com"})
	b.Sim.Synchronize()
	b.Do(b.hire(dayone.Active))
	b.Sim.Directory()
	b.Sim.Synchronize()
	p, err := b.Guard.Discover(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := p.Mailboxes[7]; m.Alias != "schen" || m.Directory != "ldap" || !m.Locked || m.Email != "sarah.chen@company.com" {
		t.Errorf("it shows %+v", m)
	}
}

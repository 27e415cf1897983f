package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	unitysim "github.com/dayone-hq/dayone/connector/unity/sim"
	"github.com/dayone-hq/dayone/flow"
)

// The demo's telephones: a cluster in San Francisco and one in Berlin with what years have left behind on them, and a voice mail
// server. They are read, compared and adopted into the ledger of numbers; nothing is changed on them, as Dayone does not yet.

//go:embed demo_numbers.yaml
var demoNumbers string

// staffed are the people of HR's list as the clusters know them: where, with which extension, and on what.
var staffed = []struct {
	id, first, last, number, site string
	extension                     int
	profile, jabber               bool
}{
	{"priya.nair", "Priya", "Nair", "emp_007", "SFO", 2120, false, true},
	{"john.doe", "John", "Doe", "emp_101", "SFO", 2121, false, true},
	{"jose.nunez", "José", "Núñez", "emp_233", "SFO", 2122, false, false},
	{"mike.rivera", "Mike", "Rivera", "emp_412", "SFO", 2123, true, true},
	{"omar.haddad", "Omar", "Haddad", gone, "SFO", 2124, true, true}, // who has left, and whose line still rings
	{"jonas.weiss", "Jonas", "Weiß", "emp_031", "BER", 2120, false, false},
	{"zoe.lukasiewicz", "Zoë", "Łukasiewicz", "emp_058", "BER", 2121, false, true},
	{"grace.okafor", "Grace", "Okafor", "emp_164", "LON", 60101, false, false},
	{"misaki.yamada", "美咲", "山田", "emp_287", "LON", 60102, true, false},
	{"nour.alzahrani", "Nour", "الزهراني", "emp_655", "LON", 60104, false, true},
}

// prefixes stand before extensions, as the clusters store them.
var prefixes = map[string]string{"SFO": `\+1408555`, "BER": `\+4930555`, "LON": `\+4420794`}

// newPhones fills two clusters and a voice mail server. They are the same after every start.
func newPhones(opt sim.Options) (sfo, ber *cucmsim.Sim, mailboxes *unitysim.Sim) {
	sfo, ber = cucmsim.NewCompany(opt)
	sfo.Neglect("SFO", prefixes["SFO"])
	ber.Neglect("BER", prefixes["BER"])
	mailboxes = unitysim.New(opt)
	mailboxes.Fill()
	for _, p := range staffed {
		at, site := ber, "BER" // London's people are on Berlin's cluster
		if p.site == "SFO" {
			at, site = sfo, p.site
		}
		mail := p.id + "@company.com"
		at.Staff(site, prefixes[p.site], cucmsim.Entry{ID: p.id, First: p.first, Last: p.last, Mail: mail, Number: p.number}, p.extension, p.profile, p.jabber)
		if p.jabber {
			mailboxes.Staff(strings.TrimPrefix(prefixes[p.site], `\`)+strconv.Itoa(p.extension), sim.Account{Login: p.id, Email: mail, EmployeeNumber: p.number, FirstName: p.first, LastName: p.last})
		}
	}
	sfo.Shared("CSFMIKERIVERA", prefixes["SFO"], 2121, "John Doe", "john.doe") // who answers for his manager
	return sfo, ber, mailboxes
}

// simulatePhones starts them.
func (d *demoWorld) simulatePhones(opt sim.Options, cfg *config, serve func(string, sim.Simulator) (string, error)) error {
	sfo, ber, mailboxes := newPhones(opt)
	for _, x := range []struct {
		name, connector string
		is              sim.Simulator
	}{{"cucm-sfo", "cucm", sfo}, {"cucm-ber", "cucm", ber}, {"unity", "unity", mailboxes}} {
		base, err := serve(x.name, x.is)
		if err != nil {
			return err
		}
		cfg.Systems[x.name] = systemConfig{Connector: x.connector, Settings: x.is.Settings(base), PerMinute: unhurried(x.connector)}
	}
	return nil
}

// offered is the number that was kept for Sarah when she was made an offer: before HR knew of her.
func (s *story) offered(ctx context.Context) error {
	pools, err := s.flow.NumberPools(ctx)
	if err != nil {
		return err
	}
	if len(pools) == 0 {
		if _, err := s.flow.SaveNumberPlan(ctx, demoNumbers, 0, "the demo"); err != nil {
			return fmt.Errorf("numbers.yaml of the demo: %w", err)
		}
	}
	if _, err := s.flow.Named(ctx, sarah); !errors.Is(err, dayone.ErrNotFound) {
		return err // HR knows her: it was done then
	}
	if err := s.readPhones(ctx); err != nil {
		return err
	}
	taken := 0
	for _, name := range s.flow.PhoneSystems() {
		if name == "unity" {
			continue // mailboxes have no numbers of their own
		}
		got, err := s.flow.AdoptPlatform(ctx, name, "", "the demo", false)
		if err != nil {
			return fmt.Errorf("adopting %s: %w", name, err)
		}
		taken += got.Assigned
	}
	kept, err := s.flow.ReserveNumber(ctx, flow.NumberWish{
		Pool: "US-geo", For: dayone.NumberNote{Name: "Sarah Chen", Ref: "emp_789"}, Like: "42", At: s.clock.Now().Add(3 * 24 * time.Hour), By: "the demo", Reason: "with the offer",
	})
	if err != nil {
		return fmt.Errorf("keeping a number for Sarah: %w", err)
	}
	fmt.Fprintf(s.out, "Two telephone clusters were read: %d people's numbers are in the ledger. %s is kept for Sarah, with her offer.\n", taken, kept.ID)
	return nil
}

// numbered gives Sarah what was kept for her, if the story began with an offer. No policy does that yet: somebody says so.
func (s *story) numbered(ctx context.Context) error {
	if pools, err := s.flow.NumberPools(ctx); err != nil || len(pools) == 0 {
		return err
	}
	own, err := s.flow.Numbers(ctx, flow.NumberFilter{Owner: s.person, Limit: 1})
	if err != nil || len(own) > 0 {
		return err
	}
	got, err := s.flow.AssignNumber(ctx, flow.NumberWish{Person: s.person, By: "the demo"})
	if err != nil {
		return fmt.Errorf("giving Sarah her number: %w", err)
	}
	fmt.Fprintf(s.out, "Her number: %s (%s). Somebody makes her line on the cluster: no policy gives one yet.\n", got.ID, got.Why)
	return nil
}

// readPhones has the telephone systems read, and waits until they are compared with the books.
func (s *story) readPhones(ctx context.Context) error {
	for _, name := range s.flow.PhoneSystems() {
		if err := s.flow.ReadPlatform(ctx, name, "the demo"); err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
	}
	var problem string
	_, err := s.await(ctx, "reading the telephone systems", func() (flow.Row, bool) {
		return flow.Row{}, !slices.ContainsFunc(s.flow.PhoneSystems(), func(name string) bool {
			a, err := s.flow.PlatformAudit(ctx, name, flow.PlatformFilter{Limit: 1})
			if err == nil && a.Problem != "" {
				problem = name + ": " + strings.TrimSpace(a.Problem)
			}
			return err != nil || a.Reading || a.Problem == "" && a.Compared.IsZero()
		})
	})
	if err == nil && problem != "" {
		err = fmt.Errorf("%s: %w", problem, dayone.ErrUnavailable)
	}
	return err
}

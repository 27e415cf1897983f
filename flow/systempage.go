package flow

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// SystemView is one system with all that is known of it here. It calls nobody.
type SystemView struct {
	SystemState
	Connector *Connector        // nil: none is configured
	Cannot    map[string]string // actions that its settings leave to humans
	Limits    []RateLimit
	Calls     int // that may be under way at a time
	Offers    int // how many entitlements it offers, as last read
	Read      time.Time
	Phones    bool      // it is a telephone system, which is audited
	Audited   time.Time // when it was read whole for that; zero: never
	Drift     int       // MostDrift at most
	Reading   DriftReading
	Count     dayone.SystemList // of the last night
	Failures  []Failure
	Policies  []string // that give something there
	Stopped   dayone.Order
	Protected int // accounts that are never written to
}

// Connector is what a system's connector can do.
type Connector struct {
	Name, Title, Summary, Plan string
	Capabilities               []string
	Kinds                      []Giving
}

// Giving is a kind of what can be given.
type Giving struct {
	Kind, Title string // Kind: account, group
	Actions     []string
	Shown       bool // nobody can be given it
}

// RateLimit is a limit of requests.
type RateLimit = connector.RateLimit

// FailedStep is where a step failed.
type FailedStep = store.FailedStep

func connectorOf(m *connector.Manifest) *Connector {
	c := &Connector{Name: m.Name, Title: m.Title, Summary: oneLine(m.Summary), Plan: oneLine(m.Plan), Capabilities: m.Capabilities}
	if m.Account != nil {
		c.Kinds = append(c.Kinds, Giving{Kind: dayone.AccountKindName, Title: cmp.Or(m.Account.Title, "account"), Actions: m.Account.Actions})
	}
	for _, name := range slices.Sorted(maps.Keys(m.Kinds)) {
		k := m.Kinds[name]
		c.Kinds = append(c.Kinds, Giving{Kind: name, Title: cmp.Or(k.Title, name), Actions: k.Actions, Shown: k.Shown != ""})
	}
	return c
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// FailuresShown is how many failures of a system are shown; where that many are, there may be more.
const FailuresShown = 6

// SystemOf is one system. ErrNotFound: there is none.
func (f *Flow) SystemOf(ctx context.Context, name string) (SystemView, error) {
	var v SystemView
	list, stop, err := f.SystemStates(ctx)
	if err != nil {
		return v, err
	}
	i := slices.IndexFunc(list, func(s SystemState) bool { return s.Name == name })
	if i < 0 {
		var names []string
		for _, s := range list {
			names = append(names, s.Name)
		}
		return v, fmt.Errorf("there is no system %q; there are %s: %w", name, strings.Join(names, ", "), dayone.ErrNotFound)
	}
	v.SystemState, v.Stopped = list[i], stop
	if g := f.Systems[name]; g != nil && g.Manifest != nil {
		v.Connector, v.Cannot = connectorOf(g.Manifest), g.Cannot()
		v.Limits, v.Calls = g.Limits()
	}
	if v.Offers, v.Read, err = f.Store.Offered(ctx, name); err != nil {
		return v, err
	}
	drift, err := f.Store.CountDrift(ctx, []string{name}, scopeOf(ctx), MostDrift)
	if err != nil {
		return v, err
	}
	v.Drift = drift[name]
	if v.Phones = v.Connector != nil && f.Systems[name].Phones(); v.Phones {
		row, err := f.keptRow(ctx, name)
		if err != nil {
			return v, err
		}
		v.Audited = row.Read
	}
	reads, err := f.DriftReadings(ctx)
	if err != nil {
		return v, err
	}
	v.Reading = reads[name]
	counts, err := f.Store.SystemLists(ctx)
	if err != nil {
		return v, err
	}
	v.Count = counts[name]
	if v.Failures, err = f.Failures(ctx, name, FailuresShown); err != nil {
		return v, err
	}
	set := f.Active()
	v.Protected = len(set.Systems[name].Protected)
	for _, p := range set.Policies {
		if slices.ContainsFunc(slices.Concat(p.Grants, p.Offers), func(r *policy.Rule) bool { return r.Key.System == name }) {
			v.Policies = append(v.Policies, p.ID)
		}
	}
	return v, nil
}

// CheckSystem asks a system whether it lets us in, with enough rights. Nothing is written there.
func (f *Flow) CheckSystem(ctx context.Context, name, by string) error {
	g := f.Systems[name]
	if !slices.Contains(f.systemNames(), name) {
		return fmt.Errorf("there is no system %q; there are %s: %w", name, strings.Join(f.systemNames(), ", "), dayone.ErrNotFound)
	}
	if g == nil {
		return fmt.Errorf("no connector is configured for %s, so nothing can be tried: %w", f.systemTitle(name), dayone.ErrUnsupported)
	}
	stops, err := f.Stops(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(stops, func(o dayone.Order) bool { return o.About(name) }) {
		return fmt.Errorf("%s is stopped, so it is not called; start it first: %w", f.systemTitle(name), dayone.ErrConflict)
	}
	said := g.Check(ctx)
	what := "connection tried: it lets us in"
	if said != nil {
		what = "connection tried: it failed"
	}
	if err := f.Store.Record(ctx, dayone.Record{At: f.Clock.Now(), What: what, System: name, By: by}); err != nil {
		return err
	}
	return said
}

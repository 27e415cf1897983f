package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/connector"
)

func newSystemCheck() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "check SYSTEM",
		Short: "Try a configured system: is it reached, are we let in, does it have what policies give",
		Long: `Check reads, and writes nothing: it asks the system whether we are let in, reads what it offers and the first account, says
which actions its settings leave to people, and compares what policies give there with what there is. What is written there
is only known once it is written; docs/systems.md says how each action was tried.

Exit code 0: all is well, or there are warnings. 1: something is wrong, and each line says what to do.`,
		Example: "  dayone system check okta\n  dayone system check okta --json",
		Args:    args(1, 1, "a system"),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := configured(c)
			if err != nil {
				return err
			}
			s, err := look(c)
			if err != nil {
				return err
			}
			defer s.close()
			if _, ok := cfg.Systems[args[0]]; !ok {
				return unconfigured(c.Context(), s, cfg, args[0])
			}
			list := s.tryOut(c.Context(), cfg, args[0])
			if asJSON {
				err = writeJSON(c.OutOrStdout(), list)
			} else {
				w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, f := range list {
					fmt.Fprintf(w, "%s\t%s\t%s\n", f.Is, f.What, f.Note)
				}
				err = w.Flush()
			}
			if err != nil {
				return err
			}
			n := 0
			for _, f := range list {
				if f.Is == isWrong {
					n++
				}
			}
			if n > 0 {
				return fmt.Errorf("%s: %s: %w", args[0], count(n, "thing")+" to mend", dayone.ErrInvalid)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

// unconfigured says what to do about a system that the configuration does not have.
func unconfigured(ctx context.Context, s *server, cfg *config, name string) error {
	r, err := s.flow.Retirement(ctx, name)
	known := slices.Sorted(maps.Keys(cfg.Systems))
	switch {
	case err == nil && r.Held.People > 0:
		return fmt.Errorf("%s is not in the configuration, and of %s something is known there. Put it back (dayone system add), or retire it: dayone system retire %s: %w",
			name, people(r.Held.People), name, dayone.ErrInvalid)
	case err == nil:
		return fmt.Errorf("%s is not in the configuration: its steps are tasks for people. dayone system add writes it: %w", name, dayone.ErrInvalid)
	case errors.Is(err, dayone.ErrNotFound):
		return fmt.Errorf("there is no system %q; %s: %w", name, cmp.Or(dayone.Meant(name, known), "there are "+strings.Join(known, ", ")), dayone.ErrNotFound)
	}
	return err
}

// finding is one thing that was tried.
type finding struct {
	Is   string `json:"is"`
	What string `json:"what"`
	Note string `json:"note,omitempty"`
}

const (
	isGood  = "ok"
	isOpen  = "warning"
	isWrong = "error"
)

// tryOut tries one system, with its own secrets alone.
func (s *server) tryOut(ctx context.Context, cfg *config, name string) (list []finding) {
	add := func(is, what, note string, args ...any) {
		list = append(list, finding{is, what, strings.TrimSpace(fmt.Sprintf(note, args...))})
	}
	one := *cfg
	one.Systems = map[string]systemConfig{name: cfg.Systems[name]}
	guards, _, err := openSystems(&one, wiring{clock: clock.System{}}, s.flow.InForce())
	if err != nil {
		add(isWrong, "configuration", "%s", plain(err))
		return list
	}
	g := guards[name]
	add(isGood, "configuration", "%s", g.Manifest.Title)
	if err := g.Check(ctx); err != nil {
		add(isWrong, "connection and rights", "%s", plain(err))
		return list // whatever else is tried says the same
	}
	add(isGood, "connection and rights", "it is reached, and lets us in")
	if g.Manifest.Account != nil {
		add(firstAccount(ctx, g))
	}
	offers := s.tryCatalogue(ctx, g, add)
	tryActions(g, add)
	s.tryPolicies(name, g, offers, add)
	return list
}

func firstAccount(ctx context.Context, g *connector.Guard) (is, what, note string) {
	const accounts = "accounts"
	for _, err := range g.List(ctx) {
		if err != nil {
			return isWrong, accounts, plain(err)
		}
		return isGood, accounts, "they can be read, with what is on them"
	}
	return isOpen, accounts, "none is shown: if there are some, we may not see them"
}

// tryCatalogue reads what the system offers; nil: that could not be read.
func (s *server) tryCatalogue(ctx context.Context, g *connector.Guard, add func(is, what, note string, args ...any)) map[dayone.Key]bool {
	offers, kinds := map[dayone.Key]bool{}, map[string]int{}
	for o, err := range g.Catalogue(ctx) {
		if err != nil {
			add(isWrong, "catalogue", "%s", plain(err))
			return nil
		}
		offers[o.Key] = true
		kinds[o.Key.Kind]++
	}
	for _, kind := range slices.Sorted(maps.Keys(g.Manifest.Kinds)) {
		switch k := g.Manifest.Kinds[kind]; {
		case !k.Catalogue:
		case kinds[kind] == 0:
			add(isOpen, "catalogue", "%s: none is shown: if there are some, we may not see them", kind)
		default:
			add(isGood, "catalogue", "%s: %d", kind, kinds[kind])
		}
	}
	return offers
}

// tryActions says what is left to people. Accounts that are opened and cannot be closed would outlive their owners.
func tryActions(g *connector.Guard, add func(is, what, note string, args ...any)) {
	names, cannot := g.Manifest.ActionNames(), g.Cannot()
	can := func(action string) bool { return slices.Contains(names, action) && cannot[action] == "" }
	for _, n := range names {
		if why := cannot[n]; why != "" {
			add(isOpen, "action "+n, "it is a task for people; %s", why)
		}
	}
	if a := g.Manifest.Account; a != nil && can("account create") {
		closes := "account disable"
		if a.States[dayone.Disabled] == dayone.Gone {
			closes = "account delete"
		}
		if !can(closes) {
			add(isWrong, "leaving", "accounts are made there and nothing closes them, so each leaver is a task; %s", cmp.Or(cannot[closes], "the connector has no such action"))
		}
	}
	if len(cannot) == 0 {
		add(isGood, "actions", "%s", strings.Join(names, ", "))
	}
}

// tryPolicies compares what policies give with what there is.
func (s *server) tryPolicies(name string, g *connector.Guard, offers map[dayone.Key]bool, add func(is, what, note string, args ...any)) {
	asks := s.flow.Active().AsksOf(name)
	if len(asks) == 0 {
		if !slices.Contains([]string{s.cfg.Messages.Mail, s.cfg.Messages.Calendar}, name) {
			add(isOpen, "policies", "none gives anything there")
		}
		return
	}
	wrong := 0
	for _, a := range asks {
		k, known := g.Manifest.Kinds[a.Key.Kind]
		if a.Key.IsAccount() && g.Manifest.Account != nil || known && (!k.Catalogue || offers == nil) {
			continue
		}
		plainKey := a.Key
		plainKey.As = dayone.Personal
		switch {
		case !known:
			add(isWrong, "policies", "%s gives %s, and %s has no such kind", a.At, a.Key, g.Manifest.Title)
		case !offers[plainKey]:
			var names []string
			for o := range offers {
				if o.Kind == a.Key.Kind {
					names = append(names, o.Name)
				}
			}
			slices.Sort(names)
			add(isWrong, "policies", "%s gives %s, which is not there; %s", a.At, a.Key, cmp.Or(dayone.Meant(a.Key.Name, names), "make it there, or take it out of the policy"))
		default:
			continue
		}
		wrong++
	}
	if wrong == 0 {
		add(isGood, "policies", "all %d things that they give there exist", len(asks))
	}
}

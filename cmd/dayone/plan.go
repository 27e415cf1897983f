package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/examples"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/planner"
)

func configured(c *cobra.Command) (*config, error) {
	path, err := c.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	cfg, err := readConfig(path)
	if c.Flags().Lookup("demo") != nil && errors.Is(err, dayone.ErrNotFound) {
		return nil, fmt.Errorf("%s, --demo needs none: %w", plain(err), dayone.ErrNotFound)
	}
	return cfg, err
}

// look wires a server for a command that only looks: nothing runs, nothing changes and nobody is called.
func look(c *cobra.Command) (*server, error) {
	cfg, err := configured(c)
	if err != nil {
		return nil, err
	}
	return wire(c.Context(), cfg, wiring{clock: clock.NewForward(time.Now), looks: true, offline: true})
}

// open wires a server for a command that changes something by itself, beside the server, and calls nobody.
func open(c *cobra.Command) (*server, error) {
	cfg, err := configured(c)
	if err != nil {
		return nil, err
	}
	return wire(c.Context(), cfg, wiring{clock: clock.NewForward(time.Now), beside: true, offline: true})
}

// view is whom plan and explain look at: somebody who is known, or somebody of whom an event speaks.
type view struct {
	event, source, now string
	demo               bool
}

// show looks, and gives away what it saw while the world that it saw is still open.
func (v view) show(c *cobra.Command, who string, give func(*server, flow.Look) error) error {
	ctx := c.Context()
	var body []byte
	var err error
	if v.event != "" {
		if body, err = readUpTo(v.event, flow.MaxBody); err != nil {
			return err
		}
	}
	if v.demo {
		return v.showDemo(ctx, who, body, give)
	}
	cfg, err := configured(c)
	if err != nil {
		return err
	}
	source := ""
	if v.event != "" {
		if source, err = cfg.source(v.source); err != nil {
			return err
		}
	}
	s, err := wire(ctx, cfg, wiring{clock: clock.NewForward(time.Now), looks: true, offline: true, source: source})
	if err != nil {
		return err
	}
	defer s.close()
	var l flow.Look
	if v.event != "" {
		l, err = s.flow.PreviewEvent(ctx, source, body)
	} else {
		l, err = s.known(ctx, who)
	}
	if err != nil {
		return err
	}
	return give(s, l)
}

// showDemo looks into the demo's world before anything has happened in it: Sarah is known from the event that it begins
// with.
func (v view) showDemo(ctx context.Context, who string, body []byte, give func(*server, flow.Look) error) error {
	d, err := newDemoWorld(ctx, demoOptions{now: v.now, listen: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	defer d.close()
	if err := d.known(ctx); err != nil {
		return err
	}
	if body == nil {
		if body, err = examples.Files.ReadFile(sarahsEvent); err != nil {
			return err
		}
	}
	l, err := d.flow.PreviewEvent(ctx, "hr", body)
	if err == nil && who != "" && !strings.EqualFold(who, l.Person.Attrs.Text("email")) && !strings.EqualFold(who, l.Person.Name()) {
		l, err = d.server.known(ctx, who)
	}
	if err != nil {
		return err
	}
	return give(d.server, l)
}

// known looks at somebody whom the database knows.
func (s *server) known(ctx context.Context, who string) (flow.Look, error) {
	row, err := s.flow.Named(ctx, who)
	if err != nil {
		return flow.Look{}, err
	}
	return s.flow.Preview(ctx, row.ID)
}

func newPlan() *cobra.Command {
	var v view
	var asJSON bool
	var every everybody
	c := &cobra.Command{
		Use:   "plan PERSON | plan --event FILE | plan --all",
		Short: "Show what would be done for a person, and do nothing",
		Long: `Plan decides what the person is to have, compares it with what she has, and prints the steps in order: what each needs,
how it is taken back, and which line of which policy asks for it. Then it warns where a first password would not come through
to its owner. Nothing is stored and no system is written to.

With --all it shows what the policy folder would change for everybody, against the policies that are in force: per policy
and entitlement who gains, loses or gets another role, approvals, separation of duties, limits. Exit code 0: nothing
changes, 2: something does, 1: an error.

With --event it shows what an event of HR would start if it came now. With --demo it uses the examples and the simulated
systems instead of a configuration; without an event, that of the demo.`,
		Example: `  dayone plan --demo
  dayone plan sarah.chen@company.com
  dayone plan --event event.json --source hr
  dayone plan --all --only department=IT --out change.json`,
		Args: args(0, 1, "a person, --event FILE, or --all"),
		RunE: func(c *cobra.Command, args []string) error {
			if every.all {
				if len(args) == 1 || v.event != "" {
					return &usageError{fmt.Errorf("--all is for everybody; leave the person and --event out")}
				}
				return every.run(c, asJSON)
			}
			if len(args) == 1 && v.event != "" || len(args) == 0 && v.event == "" && !v.demo {
				return &usageError{fmt.Errorf("name a person, --event FILE or --all, one of them; plan --demo needs none")}
			}
			return v.show(c, strings.Join(args, ""), func(s *server, l flow.Look) error {
				if asJSON {
					return writeJSON(c.OutOrStdout(), struct {
						Hash     string         `json:"hash"`
						Plan     any            `json:"plan"`
						Warnings []flow.Warning `json:"warnings,omitempty"`
					}{l.Plan.Hash(), l.Plan, s.flow.Warnings(l)})
				}
				if !l.Person.Managed {
					_, err := fmt.Fprintln(c.OutOrStdout(), unmanaged(s.cfg, l.Person))
					return err
				}
				zone, _ := l.Person.Location()
				if err := planner.Text(c.OutOrStdout(), l.Plan, l.Person.Name(), zone); err != nil {
					return err
				}
				warn(c.OutOrStdout(), s.flow.Warnings(l))
				return nil
			})
		},
	}
	every.flags(c)
	c.Flags().StringVar(&v.event, "event", "", "a file with an event as a source sends it")
	c.Flags().StringVar(&v.source, "source", "", "the source it comes from; not needed if there is only one")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().BoolVar(&v.demo, "demo", false, "use the examples and simulated systems")
	c.Flags().StringVar(&v.now, "now", "", "with --demo: the time that it is there")
	return c
}

// unmanaged says why nothing is planned for somebody.
func unmanaged(c *config, p dayone.Person) string {
	text := p.Name() + " is known, and nothing is planned"
	for _, e := range p.Engagements {
		if since := c.Sources[e.Source].Since; e.Primary && e.Start < since {
			return fmt.Sprintf("%s: the start on %s is before sources.%s.since, %s", text, e.Start, e.Source, since)
		}
	}
	return text + ": no event said hired or rehired"
}

// source is the one that an event comes from: the one that is named, else the only one there is.
func (c *config) source(name string) (string, error) {
	names := slices.Sorted(maps.Keys(c.Sources))
	switch {
	case name == "" && len(names) == 1:
		return names[0], nil
	case len(names) == 0:
		return "", c.wrong("sources", "missing", "write sources: {hr: {connector: webhook, settings: {secret: \"${env:HR_WEBHOOK_SECRET}\"}}}, or add --demo",
			"no source is configured, so nobody can tell what the event says")
	case name == "":
		return "", &usageError{fmt.Errorf("there are the sources %s; name one with --source", strings.Join(names, ", "))}
	case !slices.Contains(names, name):
		return "", fmt.Errorf("no source is called %q; %s: %w", name, cmp.Or(dayone.Meant(name, names), "there are "+strings.Join(names, ", ")), dayone.ErrNotFound)
	}
	return name, nil
}

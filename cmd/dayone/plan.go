package main

import (
	"cmp"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/planner"
)

// look wires a server for a command that only looks: nothing runs.
func look(c *cobra.Command) (*server, error) {
	path, err := c.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	cfg, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	return wire(c.Context(), cfg, wiring{clock: clock.System{}, looks: true})
}

// open wires a server for a command that changes something by itself.
func open(c *cobra.Command) (*server, error) {
	path, err := c.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	cfg, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	return wire(c.Context(), cfg, wiring{clock: clock.System{}})
}

func newPlan() *cobra.Command {
	var event, source, now string
	var asJSON, withDemo bool
	var every everybody
	c := &cobra.Command{
		Use:   "plan PERSON | plan --event FILE | plan --all",
		Short: "Show what would be done for a person, and do nothing",
		Long: `Plan decides what the person is to have, compares it with what she has, and prints the steps in order: what each needs,
how it is taken back, and which line of which policy asks for it. Nothing is stored and no system is written to.

With --all it shows what the policy folder would change for everybody, against the policies that are in force: per policy
and entitlement who gains, loses or gets another role, approvals, separation of duties, limits. Exit code 0: nothing
changes, 2: something does, 1: an error.

With --event it shows what an event of HR would start if it came now. With --demo it uses the examples and the simulated
systems instead of a configuration.`,
		Example: `  dayone plan sarah.chen@company.com
  dayone plan --event event.json --source hr
  dayone plan --all --only department=IT --out change.json
  dayone plan --demo --event examples/events/sarah-hired.json`,
		Args: args(0, 1, "a person, or --event FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			if every.all {
				if len(args) == 1 || event != "" {
					return &usageError{fmt.Errorf("--all is for everybody; leave the person and --event out")}
				}
				return every.run(c, asJSON)
			}
			if (len(args) == 1) == (event != "") {
				return &usageError{fmt.Errorf("name a person, --event FILE or --all, one of them")}
			}
			var s *server
			var err error
			if withDemo {
				d, err := newDemoWorld(c.Context(), demoOptions{now: now, listen: "127.0.0.1:0"})
				if err != nil {
					return err
				}
				defer d.close()
				if s, err = d.server, d.known(c.Context()); err != nil {
					return err
				}
			} else if s, err = look(c); err != nil {
				return err
			} else {
				defer s.close()
			}
			var l flow.Look
			if event != "" {
				body, err := os.ReadFile(event)
				if err != nil {
					return err
				}
				if l, err = s.flow.PreviewEvent(c.Context(), cmp.Or(source, onlySource(s.cfg)), body); err != nil {
					return err
				}
			} else {
				row, err := s.flow.Named(c.Context(), args[0])
				if err != nil {
					return err
				}
				if l, err = s.flow.Preview(c.Context(), row.ID); err != nil {
					return err
				}
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), struct {
					Hash string `json:"hash"`
					Plan any    `json:"plan"`
				}{l.Plan.Hash(), l.Plan})
			}
			zone, _ := l.Person.Location()
			return planner.Text(c.OutOrStdout(), l.Plan, l.Person.Name(), zone)
		},
	}
	every.flags(c)
	c.Flags().StringVar(&event, "event", "", "a file with an event as a source sends it")
	c.Flags().StringVar(&source, "source", "", "the source it comes from; not needed if there is only one")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().BoolVar(&withDemo, "demo", false, "use the examples and simulated systems")
	c.Flags().StringVar(&now, "now", "", "with --demo: the time that it is there")
	return c
}

func onlySource(c *config) string {
	for name := range c.Sources {
		if len(c.Sources) == 1 {
			return name
		}
	}
	return "hr"
}

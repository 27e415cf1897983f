package main

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

// Orders about systems are put into the database, where the server finds them within seconds: they can be given while it
// is down, and it starts with them.

func newSystem() *cobra.Command {
	c := &cobra.Command{
		Use:   "system",
		Short: "Add, check and retire systems; see how they stand, announce maintenance, work there by hand",
		Long: `What holds for calls to a system is the first of: people work there by hand, somebody stopped it (dayone stop), it is in
maintenance, it is down. Steps wait meanwhile, keep their tries, and go on by themselves. A leaver is cut off in
maintenance and at a system that is down all the same; if that is not confirmed within 15 minutes it is somebody's task.`,
	}
	c.AddCommand(newSystemStatus(), newMaintenance(), newSystemMode(), newSystemAdd(), newSystemCheck(), newSystemShow(), newSystemCatalogue(), newSystemRetire(), newSystemUpload(), newSystemList())
	return c
}

func newSystemStatus() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "status [SYSTEM]",
		Short:   "Say what holds for calls to each system",
		Example: "  dayone system status\n  dayone system status okta --json",
		Args:    args(0, 1, "a system, or none"),
		RunE: func(c *cobra.Command, args []string) error {
			if goesThere(c) {
				return statusThere(c, strings.Join(args, ""), asJSON)
			}
			s, err := look(c)
			if err != nil {
				return err
			}
			defer s.close()
			list, _, err := s.flow.SystemStates(c.Context())
			if err != nil {
				return err
			}
			for i := range list { // this process opens no connector
				_, set := s.cfg.Systems[list[i].Name]
				list[i].Unset = !set
			}
			if len(args) > 0 {
				if list, err = only(list, args[0]); err != nil {
					return err
				}
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), said(list))
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, x := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\n", x.Name, x.Word(), inWords(x))
				if o := x.Retiring; o.ID != "" {
					fmt.Fprintf(w, "\tretiring\t%s, by %s since %s: %s\n", o.Kind, o.By, clockOf(o.From), o.Reason)
				}
				for _, o := range x.Ahead {
					fmt.Fprintf(w, "\tmaintenance\t%s: from %s until %s: %s\n", o.ID, clockOf(o.From), clockOf(o.Until), o.Reason)
				}
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	mayGoThere(c)
	return c
}

func only(list []flow.SystemState, name string) ([]flow.SystemState, error) {
	var names []string
	for _, s := range list {
		if s.Name == name {
			return []flow.SystemState{s}, nil
		}
		names = append(names, s.Name)
	}
	return nil, fmt.Errorf("there is no system %q; %s: %w", name, cmp.Or(dayone.Meant(name, names), "there are "+strings.Join(names, ", ")), dayone.ErrNotFound)
}

// saidSystem is a system as --json prints it.
type saidSystem struct {
	Name    string    `json:"name"`
	Stance  string    `json:"stance"`
	Reason  string    `json:"reason,omitempty"`
	By      string    `json:"by,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Next    time.Time `json:"next_probe,omitzero"`
	Waiting int       `json:"waiting_steps"`
	Retires string    `json:"retiring,omitempty"`
}

func said(list []flow.SystemState) []saidSystem {
	out := []saidSystem{}
	for _, s := range list {
		x := saidSystem{Name: s.Name, Stance: s.Word(), Reason: s.Order.Reason, By: s.Order.By, Since: s.Order.From, Until: s.Order.Until, Waiting: s.Waiting, Retires: string(s.Retiring.Kind)}
		if s.Stance == engine.Down {
			x.Reason, x.Since, x.Next = s.Circuit.Note, s.Circuit.Since, s.Circuit.Next
		}
		out = append(out, x)
	}
	return out
}

func inWords(s flow.SystemState) string {
	var text string
	switch s.Stance {
	case engine.Down:
		text = fmt.Sprintf("since %s (%s); asked again at %s", clockOf(s.Circuit.Since), s.Circuit.Note, clockOf(s.Circuit.Next))
	case engine.Stopped:
		text = fmt.Sprintf("by %s since %s: %s", s.Order.By, clockOf(s.Order.From), s.Order.Reason)
	case engine.Maintained:
		text = fmt.Sprintf("until %s: %s", clockOf(s.Order.Until), s.Order.Reason)
	case engine.ByHand:
		text = cmp.Or(s.Order.Reason, "the configuration says so")
	default:
		if s.Unset {
			return "by hand: no connector is configured for it"
		}
		return ""
	}
	if s.Waiting > 0 {
		text += fmt.Sprintf("; %s waiting", count(s.Waiting, "step"))
	}
	return text
}

// clockOf is how every command writes an instant: in this machine's zone, by name.
func clockOf(t time.Time) string { return t.Local().Format("2006-01-02 15:04 MST") }

// lastDay is the last day before an end, which is midnight here where somebody named a day.
func lastDay(end time.Time) string { return end.Add(-time.Second).Local().Format(time.DateOnly) }

func newMaintenance() *cobra.Command {
	var from, until, reason, cancel string
	c := &cobra.Command{
		Use:   "maintenance SYSTEM",
		Short: "Announce when nothing is to be called at a system",
		Long: `Announce when nothing is to be called at a system. Its steps wait and go on at the end of the window. An instant is
written 2025-01-31T22:00 for this machine's time, or with a zone as 2025-01-31T22:00Z; or +2h from now.`,
		Example: `  dayone system maintenance okta --until +2h --reason CHG-1234
  dayone system maintenance okta --from 2025-01-31T22:00 --until 2025-02-01T02:00 --reason "Okta's own window"
  dayone system maintenance okta --cancel ord_01jd9x0000000000000000000a --reason "put off"`,
		Args: args(1, 1, "a system"),
		RunE: func(c *cobra.Command, args []string) error {
			now := time.Now()
			o := dayone.Order{Kind: dayone.OrderMaintenance, System: args[0], Reason: reason, By: whoami()}
			for _, f := range []struct {
				name, text string
				to         *time.Time
			}{{"from", from, &o.From}, {"until", until, &o.Until}} {
				if f.text == "" {
					continue
				}
				at, err := instantOf(f.text, now)
				if err != nil {
					return &usageError{fmt.Errorf("--%s is %q; write 2025-01-31T22:00, 2025-01-31T22:00Z or +2h", f.name, f.text)}
				}
				*f.to = at
			}
			if goesThere(c) {
				return maintainThere(c, o, cancel)
			}
			s, err := open(c)
			if err != nil {
				return err
			}
			defer s.close()
			if cancel != "" {
				if err := announced(c, s, args[0], cancel); err != nil {
					return err
				}
				if err := s.flow.Lift(c.Context(), dayone.OrderID(cancel), whoami(), reason); err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.OutOrStdout(), "%s is lifted; the server heeds it within seconds.\n", cancel)
				return err
			}
			if o, err = s.flow.Order(c.Context(), o); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s: nothing new is called at %s from %s until %s. The server heeds it within seconds.\n", o.ID, o.System, clockOf(o.From), clockOf(o.Until))
			return err
		},
	}
	c.Flags().StringVar(&from, "from", "", "when it begins; now if left out")
	c.Flags().StringVar(&until, "until", "", "when it ends")
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	c.Flags().StringVar(&cancel, "cancel", "", "id of a window that is not to be, or is to end now")
	mayGoThere(c)
	return c
}

// announced says whether a window is one of a system, so that a wrong id ends nothing else.
func announced(c *cobra.Command, s *server, system, id string) error {
	list, _, err := s.flow.SystemStates(c.Context())
	if err != nil {
		return err
	}
	if list, err = only(list, system); err != nil {
		return err
	}
	for _, o := range list[0].Ahead {
		if string(o.ID) == id {
			return nil
		}
	}
	return fmt.Errorf("%s has no maintenance %s ahead; dayone system status %s lists it: %w", system, id, system, dayone.ErrNotFound)
}

// instantOf reads an instant as people write one.
func instantOf(text string, now time.Time) (time.Time, error) {
	if rest, ok := strings.CutPrefix(text, "+"); ok {
		d, err := time.ParseDuration(rest)
		return now.Add(d), err
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.ParseInLocation("2006-01-02T15:04", text, time.Local)
}

func newSystemMode() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   "mode SYSTEM manual|automatic",
		Short: "Let people do what is to be done at a system, or let it work by itself again",
		Long: `With manual each step of the system is a task that says what to do, where and with which values; whoever completes it is
checked by reading back, where the system can be read. automatic changes nothing that is done: open tasks are looked at
again and done, unless somebody is faster. It counts before mode: in the configuration.`,
		Example: "  dayone system mode salesforce manual --reason \"new tenant\"",
		Args:    args(2, 2, "a system, and manual or automatic"),
		RunE: func(c *cobra.Command, args []string) error {
			if args[1] != byHand && args[1] != byItself {
				return &usageError{fmt.Errorf("%q is no mode; write %s or %s", args[1], byHand, byItself)}
			}
			return give(c, dayone.Order{Kind: dayone.OrderKind(args[1]), System: args[0], Reason: reason}, args[0]+" is "+args[1]+" now")
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	mayGoThere(c)
	return c
}

// give puts an order into the database, or gives it to the server that is named.
func give(c *cobra.Command, o dayone.Order, done string) error {
	if goesThere(c) {
		if _, err := orderThere(c, o); err != nil {
			return err
		}
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s.\n", done)
		return err
	}
	s, err := open(c)
	if err != nil {
		return err
	}
	defer s.close()
	o.By = whoami()
	if _, err := s.flow.Order(c.Context(), o); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s. The server heeds it within seconds.\n", done)
	return err
}

func newStop() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   "stop SYSTEM|all",
		Short: "Call nothing new at a system, or at any",
		Long: `Calls under way end and nothing new is called there, not for leavers either: for them somebody gets a task after 15
minutes. It stays so, also through a restart, until dayone start. It can be said while the server is down.`,
		Example: "  dayone stop okta --reason INC-4711\n  dayone stop all --reason \"wrong policies\"",
		Args:    args(1, 1, "a system, or all"),
		RunE: func(c *cobra.Command, args []string) error {
			return give(c, dayone.Order{Kind: dayone.OrderStop, System: args[0], Reason: reason}, "Nothing new is called at "+named(args[0]))
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	mayGoThere(c)
	return c
}

func newStart() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:     "start SYSTEM|all",
		Short:   "End a stop: whatever waits goes on",
		Example: "  dayone start okta --reason \"INC-4711 is solved\"",
		Args:    args(1, 1, "a system, or all"),
		RunE: func(c *cobra.Command, args []string) error {
			if goesThere(c) {
				return tellThere(c, "/systems/"+url.PathEscape(args[0])+"/start", reason, fmt.Sprintf("Whatever waits at %s goes on.", named(args[0])))
			}
			s, err := open(c)
			if err != nil {
				return err
			}
			defer s.close()
			if err := s.flow.LiftStop(c.Context(), args[0], whoami(), reason); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "Whatever waits at %s goes on. The server heeds it within seconds.\n", named(args[0]))
			return err
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	mayGoThere(c)
	return c
}

func named(system string) string {
	if system == flow.Everywhere {
		return "any system"
	}
	return system
}

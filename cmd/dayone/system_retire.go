package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

func newSystemRetire() *cobra.Command {
	var leave, closes, back, preview, yes, asJSON bool
	var reason string
	c := &cobra.Command{
		Use:   "retire SYSTEM --stop-managing|--close-accounts",
		Short: "Give a system up: leave what is there as it is, or close it first",
		Long: `Retire shows what it means, asks, and counts from then on: policies give nothing at the system any more.

With --stop-managing nothing is changed there, not for leavers either: what people have there is yours to see to. With
--close-accounts all that Dayone gave is taken, of as many people a day as the brakes let through; what is beyond waits for
dayone brake release. What was there before Dayone, and what is protected, stays.

Until the system is out of the configuration --back takes it back: policies count again, and give again what they took. Once
nothing is to be done there, take it out of dayone.yaml and start the server: then Dayone lets go of what it knows of it, and nothing takes that back. A
system that is missing there and was not retired keeps the server from starting.`,
		Example: `  dayone system retire notion --stop-managing --preview
  dayone system retire notion --close-accounts --reason CHG-1234
  dayone system retire notion --back --reason "we stay"`,
		Args: args(1, 1, "a system"),
		RunE: func(c *cobra.Command, args []string) error {
			said := 0
			for _, f := range []bool{leave, closes, back} {
				if f {
					said++
				}
			}
			if said != 1 {
				return &usageError{errors.New("say one of --stop-managing, --close-accounts and --back")}
			}
			if strings.TrimSpace(reason) == "" && !preview {
				return &usageError{errors.New("say --reason: it goes into the record")}
			}
			s, err := open(c)
			if err != nil {
				return err
			}
			defer s.close()
			out := c.OutOrStdout()
			if back {
				if err := s.flow.LiftRetirement(c.Context(), args[0], whoami(), reason); err != nil {
					return err
				}
				_, err = fmt.Fprintf(out, "Policies count at %s again. The server heeds it within seconds.\n", args[0])
				return err
			}
			r, err := s.flow.Retirement(c.Context(), args[0])
			if err != nil {
				return err
			}
			kind := dayone.OrderRelease
			if closes {
				kind = dayone.OrderClose
			}
			if asJSON {
				return writeJSON(out, saidRetirement(r, kind))
			}
			printRetirement(out, r, kind)
			if preview {
				return nil
			}
			if !yes && len(r.Needed) == 0 {
				if err := sure(c, "Retire "+args[0]+"?"); err != nil {
					return err
				}
			}
			if _, err := s.flow.Order(c.Context(), dayone.Order{Kind: kind, System: args[0], Reason: reason, By: whoami()}); err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "%s is being retired; the server heeds it within seconds. dayone system retire %[1]s --back takes it back.\n", args[0])
			return err
		},
	}
	c.Flags().BoolVar(&leave, "stop-managing", false, "change nothing there any more, and leave what is there as it is")
	c.Flags().BoolVar(&closes, "close-accounts", false, "take what Dayone gave, within the brakes")
	c.Flags().BoolVar(&back, "back", false, "take it back: policies count there again")
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	c.Flags().BoolVar(&preview, "preview", false, "only show what it would mean")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(&asJSON, "json", false, "print what it would mean as JSON, and do nothing")
	return c
}

// saidRetirement is what --json prints.
func saidRetirement(r flow.Retirement, kind dayone.OrderKind) any {
	return map[string]any{
		"system": r.System, "kind": kind, "people": r.Held.People, "accounts": r.Held.Accounts, "open_accounts": r.Held.Open, "other_things": r.Held.Others,
		"people_a_day": r.Limit, "policies": append([]string{}, r.Policies...), "needed": append([]string{}, r.Needed...), "retiring": r.Standing.Kind,
	}
}

func printRetirement(out io.Writer, r flow.Retirement, kind dayone.OrderKind) {
	fmt.Fprintf(out, "%s (%s): %s, %d of them open, and %s, of %s.\n", r.System, r.Title,
		count(r.Held.Accounts, "account"), r.Held.Open, count(r.Held.Others, "other thing"), people(r.Held.People))
	if r.Standing.ID != "" {
		fmt.Fprintf(out, "It is being retired already: %s, by %s since %s: %s\n", r.Standing.Kind, r.Standing.By, clockOf(r.Standing.From), r.Standing.Reason)
	}
	switch kind {
	case dayone.OrderClose:
		fmt.Fprintln(out, "All of it that Dayone gave is taken, and its accounts are closed. What was there before, and what is protected, stays.")
		if r.Limit > 0 {
			fmt.Fprintf(out, "Of people who stay at most %s a day lose it; the rest waits for dayone brake release.\n", people(r.Limit))
		}
	default:
		fmt.Fprintln(out, "All of it stays as it is, and nothing is changed there any more: whoever leaves keeps what they have there until you see to it.")
	}
	if len(r.Policies) > 0 {
		fmt.Fprintf(out, "These policies give something there, of which nothing comes any more: %s.\n", strings.Join(r.Policies, ", "))
	}
	if len(r.Needed) > 0 {
		fmt.Fprintf(out, "It cannot be retired yet: %s.\n", strings.Join(r.Needed, "; "))
	}
}

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return thousands(n) + " people"
}

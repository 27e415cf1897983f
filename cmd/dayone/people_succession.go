package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

func newSuccession() *cobra.Command {
	return &cobra.Command{
		Use: "succession NAME", Short: "Show what became of what somebody looked after who has left",
		Long: `Succession shows what somebody who has left looked after in our own books: tasks, people in no HR system, delegations, open
questions, people whose manager they are, policies and settings that name them. What could be moved has gone to the
successor: whoever was named when access was ended, else the manager. The rest is one task.`,
		Example: "  dayone people succession sarah.chen@company.com", Args: args(1, 1, whoArgs),
		RunE: func(c *cobra.Command, got []string) error {
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			var s dayone.Succession
			if err := cl.call(c.Context(), http.MethodGet, "/people/"+url.PathEscape(who)+"/succession", nil, nil, &s); err != nil {
				if errors.Is(err, dayone.ErrNotFound) {
					return fmt.Errorf("nothing is known of a succession of %s: they have not left, or it was not looked at yet: %w", got[0], dayone.ErrNotFound)
				}
				return err
			}
			out := c.OutOrStdout()
			if s.To != "" {
				fmt.Fprintf(out, "Successor: %s (%s)\n", s.To, s.Why)
			} else {
				fmt.Fprintln(out, "Nobody is found who takes over.")
			}
			for _, h := range s.Items {
				what := cmp.Or(h.Act, "under way")
				switch {
				case h.To != "":
					what = "now with " + h.To
				case h.Over:
					what = "ended"
				}
				fmt.Fprintf(out, "  %-11s %s: %s\n", h.Kind, h.Name, what)
			}
			switch {
			case s.Done.IsZero():
				fmt.Fprintln(out, "It is under way.")
			case len(s.Items) == 0:
				fmt.Fprintln(out, "They looked after nothing in our books.")
			case s.Task != "":
				fmt.Fprintf(out, "What is left is a task: %s/tasks/%s\n", cl.base, s.Task)
			}
			return nil
		},
	}
}

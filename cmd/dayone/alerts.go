package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newAlerts() *cobra.Command {
	var all bool
	var limit int
	c := &cobra.Command{
		Use:   "alerts",
		Short: "List what somebody has to know: first days at risk, leavers whose accounts are open, and the like",
		Long: `Alerts lists the alerts that are open, the newest first; with --all also those that were resolved in the last 90 days.
An alert opens once, and is resolved by itself when it is over. dayone.yaml says below alerts: what is watched for and who is
told; docs/alerts.md has every rule.`,
		Example: `  dayone alerts
  dayone alerts --all --limit 200`,
		Args: args(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if limit < 1 {
				return &usageError{fmt.Errorf("--limit is %d; write 50", limit)}
			}
			s, err := look(c)
			if err != nil {
				return err
			}
			defer s.close()
			list, err := s.flow.Alerts(c.Context(), !all, limit)
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			if len(list) == 0 {
				fmt.Fprintln(out, "No alert is open.")
			}
			for _, a := range list {
				until := "open"
				if !a.Resolved.IsZero() {
					until = "resolved " + a.Resolved.Local().Format("2006-01-02 15:04")
				}
				fmt.Fprintf(out, "%s  %-25s  %s: %s", a.Opened.Local().Format("2006-01-02 15:04"), until, a.Title, a.About)
				if a.Note != "" {
					fmt.Fprintf(out, ": %s", a.Note)
				}
				fmt.Fprintln(out)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "also what is resolved")
	c.Flags().IntVar(&limit, "limit", 50, "how many at most")
	return c
}

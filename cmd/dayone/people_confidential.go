package main

import (
	"fmt"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

func newPeopleConfidential() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "confidential", Short: "List who leaves or comes and what few may know of it", Args: args(0, 0, "nothing after it"),
		Long: `A termination, or a hire, that HR marks as confidential shows nowhere else until everybody may know. The token has to be
of a role that portal.confidential names: administrator and hr, if it names none.`,
		Example: "  dayone people confidential",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var page struct {
				Items []struct {
					Person   string    `json:"person"`
					Name     string    `json:"name"`
					Kind     string    `json:"kind"`
					Hidden   bool      `json:"hidden"`
					FirstDay string    `json:"first_day,omitempty"`
					LastDay  string    `json:"last_day,omitempty"`
					Until    time.Time `json:"until"`
				}
			}
			if err := cl.call(c.Context(), http.MethodGet, "/confidential", nil, nil, &page); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), page.Items)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, p := range page.Items {
				what := "last day " + p.LastDay
				if p.FirstDay != "" {
					what = "first day " + p.FirstDay
				}
				fmt.Fprintf(w, "%s\t%s\t%s\teverybody may know from %s\n", p.Name, p.Kind, what, p.Until.Local().Format("2006-01-02 15:04 MST"))
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "Nothing is confidential now.")
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

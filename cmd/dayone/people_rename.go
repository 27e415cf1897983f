package main

import (
	"fmt"
	"net/http"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newPeopleRename() *cobra.Command {
	var on, reason string
	c := &cobra.Command{
		Use: "rename PERSON", Short: "Show the login and address that somebody would have now, or give them from a day on", Args: args(1, 1, "a person, by mail address"),
		Long: `Where people.yaml says how a login or an address is made, it stays when its owner is called otherwise. This shows what
would be made today, and with --on it counts from that day on. The old one goes to nobody else.`,
		Example: "  dayone people rename sarah.chen@company.com\n  dayone people rename sarah.chen@company.com --on 2025-06-30 --reason \"has married\"",
		RunE: func(c *cobra.Command, got []string) error {
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			var page struct {
				Items []struct{ Attribute, Now, New string }
			}
			if on == "" {
				err = cl.call(c.Context(), http.MethodGet, "/people/"+who+"/names", nil, nil, &page)
			} else {
				err = cl.call(c.Context(), http.MethodPost, "/people/"+who+"/names", nil, map[string]string{"on": on, "reason": reason}, &page)
			}
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, n := range page.Items {
				fmt.Fprintf(w, "%s\t%s\tbecomes\t%s\n", n.Attribute, n.Now, n.New)
			}
			if err := w.Flush(); err != nil {
				return err
			}
			switch {
			case len(page.Items) == 0:
				_, err = fmt.Fprintln(c.OutOrStdout(), "Nothing would be called otherwise. What HR says is changed there.")
			case on == "":
				_, err = fmt.Fprintln(c.OutOrStdout(), "Agree on a day with them, and say it with --on.")
			default:
				_, err = fmt.Fprintf(c.OutOrStdout(), "So it is from %s on.\n", on)
			}
			return err
		},
	}
	c.Flags().StringVar(&on, "on", "", "the first day of the new names, such as 2025-06-30 (default: only show them)")
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

func newPeople() *cobra.Command {
	c := &cobra.Command{
		Use:   "people",
		Short: "See who works here, and what is known of them over time",
		Long: `People come from HR and other sources. These commands speak with the running server, at portal.url of the configuration
and with its token.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(
		newPeopleList(), newPeopleShow(), newPeopleDevices(), newPeopleAdd(), newPeopleExtend(), newPeopleMatches(), newPeopleBind(), newPeoplePreHire(), newPeopleCorrect(),
		newPeopleRename(), newPeopleRenew(), newPeopleLinks(), newPeopleMerge(), newPeopleSplit(), newPeopleConfidential(),
	)
	c.AddCommand(leavingCommands()...)
	return c
}

func newPeopleList() *cobra.Command {
	var status, department, sort string
	var limit int
	var asJSON bool
	c := &cobra.Command{
		Use: "list [NAME]", Short: "List people, by a part of the name or of the mail address", Args: args(0, 1, "at most a name"),
		Example: "  dayone people list\n  dayone people list chen --status pre-hire\n  dayone people list --sort -starts --limit 10",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			q := url.Values{"limit": {strconv.Itoa(limit)}}
			for name, v := range map[string]string{"status": status, "department": department, "sort": sort} {
				if v != "" {
					q.Set(name, v)
				}
			}
			if len(got) > 0 {
				q.Set("q", got[0])
			}
			var page struct {
				Items []struct {
					ID         string `json:"id"`
					Name       string `json:"name"`
					Email      string `json:"email"`
					Status     string `json:"status"`
					Department string `json:"department"`
					FirstDay   string `json:"first_day,omitempty"`
					LastDay    string `json:"last_day,omitempty"`
				}
				Next string
			}
			if err := cl.call(c.Context(), http.MethodGet, "/people", q, nil, &page); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), page.Items)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, p := range page.Items {
				first := p.FirstDay
				if first != "" {
					first = "since " + first
					if p.Status == string(dayone.PreHire) {
						first = "from " + p.FirstDay
					}
				}
				if p.LastDay != "" {
					first = strings.TrimSpace(first + " until " + p.LastDay)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", p.Name, p.Email, p.Status, p.Department, first)
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "Nobody is found.")
			}
			if page.Next != "" {
				fmt.Fprintf(w, "There are more: narrow it down, or say --limit (at most 200).\n")
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(&status, "status", "", "only pre-hire, active, leave or terminated")
	c.Flags().StringVar(&department, "department", "", "only of this department")
	c.Flags().StringVar(&sort, "sort", "", "by name, starts, ends or department; with a minus, as -starts, from the last to the first")
	c.Flags().IntVar(&limit, "limit", 50, "at most so many, up to 200")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

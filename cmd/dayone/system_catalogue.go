package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newSystemCatalogue() *cobra.Command {
	var text, after string
	var limit int
	var asJSON bool
	c := &cobra.Command{
		Use: "catalogue [SYSTEM]", Short: "Search what can be given: groups, roles, licences", Args: args(0, 1, "at most a system"),
		Long:    "Catalogue lists what policies may give and what systems showed when they were read last, by key, as the running server has it.",
		Example: "  dayone system catalogue okta --q sales\n  dayone system catalogue --q 'group emea' --limit 200 --json\n  dayone system catalogue okta --after okta/group:sales-team",
		RunE: func(c *cobra.Command, got []string) error {
			if limit < 1 {
				return &usageError{fmt.Errorf("--limit is %d; write 50", limit)}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			q := url.Values{"limit": {strconv.Itoa(min(limit, catalogueMost))}}
			for name, v := range map[string]string{"q": text, "after": after, "system": strings.Join(got, "")} {
				if v != "" {
					q.Set(name, v)
				}
			}
			var page struct {
				Items []offeredRow `json:"items"`
				Total int          `json:"total"`
				Next  string       `json:"next,omitempty"`
			}
			if err := cl.call(c.Context(), http.MethodGet, "/catalogue", q, nil, &page); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), page)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, x := range page.Items {
				by := "no policy"
				if len(x.Policies) > 0 {
					by = "by " + strings.Join(x.Policies, ", ")
				}
				if x.Closed {
					by = "policies may not name it"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", x.Key, x.Title, by)
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "Nothing fits.")
			} else if page.Next != "" {
				fmt.Fprintf(w, "%d fit; --after %s goes on.\n", page.Total, page.Items[len(page.Items)-1].Key)
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(&text, "q", "", "words, each of which is a part of the name or the title")
	c.Flags().StringVar(&after, "after", "", "what comes behind this one")
	c.Flags().IntVar(&limit, "limit", 50, "at most so many, up to 200")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().String(portalFlag, "", portalHelp)
	return c
}

// catalogueMost is how many the API gives at once.
const catalogueMost = 200

// offeredRow is what can be given, as the API has it.
type offeredRow struct {
	Key    string `json:"key"`
	Title  string `json:"title,omitempty"`
	Closed bool   `json:"closed,omitempty"`
	Seats  *struct {
		Pool  string `json:"pool"`
		Total int    `json:"total"`
		Used  int    `json:"used"`
	} `json:"seats,omitempty"`
	Policies []string `json:"policies"`
}

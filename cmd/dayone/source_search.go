package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

func newSourceSearch() *cobra.Command {
	var limit int
	var asJSON bool
	c := &cobra.Command{
		Use: "search SOURCE TEXT", Short: "Look somebody up in a source that is a directory, such as Entra ID", Args: args(2, 10, "a source, and a name, a mail address or a login"),
		Long: `Search finds people by the beginnings of the words of their name, by mail address or login, as the directory has them now. The
id of whoever is known here stands behind.`,
		Example: "  dayone source search azure sarah chen\n  dayone source search azure sarah.chen@ --json",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var page struct {
				Items []struct {
					Subject    string `json:"subject"`
					Name       string `json:"name"`
					Email      string `json:"email,omitempty"`
					Title      string `json:"title,omitempty"`
					Department string `json:"department,omitempty"`
					Person     string `json:"person,omitempty"`
				}
			}
			q := url.Values{"q": {strings.Join(got[1:], " ")}, "limit": {strconv.Itoa(limit)}}
			if err := cl.call(c.Context(), http.MethodGet, "/sources/"+url.PathEscape(got[0])+"/people", q, nil, &page); err != nil {
				if errors.Is(err, dayone.ErrUnsupported) {
					return fmt.Errorf("nobody can be looked up in %s, which is no directory; a source with the connector entra is one: %w", got[0], dayone.ErrUnsupported)
				}
				return listed(err, "source", got[0], "dayone source list")
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), page.Items)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, x := range page.Items {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", x.Subject, x.Name, x.Email, x.Title, x.Department, cmp.Or(x.Person, "not known here"))
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "The directory shows nobody like that.")
			}
			return w.Flush()
		},
	}
	c.Flags().IntVar(&limit, "limit", 20, "how many, at most 50")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

// broughtIn is what the server says of one record of a directory.
type broughtIn struct {
	Subject  string   `json:"subject"`
	Name     string   `json:"name"`
	Email    string   `json:"email,omitempty"`
	Title    string   `json:"title,omitempty"`
	Starts   string   `json:"start_date,omitempty"`
	Type     string   `json:"type,omitempty"`
	Person   string   `json:"person,omitempty"`
	Event    string   `json:"event,omitempty"`
	State    string   `json:"state,omitempty"`
	Note     string   `json:"note,omitempty"`
	Findings []string `json:"findings"`
}

func newSourceBring() *cobra.Command {
	var preview, asJSON bool
	c := &cobra.Command{
		Use: "bring SOURCE ID", Short: "Take one record of a directory into the books now", Args: args(2, 2, "a source, and the id that dayone source search shows"),
		Long: `Bring takes over one record, as the nightly list of the source would; the rest of the list stays where it is. Somebody who starts after
Dayone began to read the source is hired by it, and what policies give is planned at once; anybody else is only known, until products are
picked for them with --manage.`,
		Example: "  dayone source search azure sarah chen\n  dayone source bring azure 4711 --preview\n  dayone source bring azure 4711",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			method := map[bool]string{true: http.MethodGet, false: http.MethodPost}[preview]
			var x broughtIn
			if err := cl.call(c.Context(), method, "/sources/"+url.PathEscape(got[0])+"/people/"+url.PathEscape(got[1]), nil, nil, &x); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), x)
			}
			out := c.OutOrStdout()
			switch {
			case x.Event == "" && x.Person != "":
				fmt.Fprintf(out, "%s of %s is known here as %s.\n", got[1], got[0], x.Person)
			case preview:
				does := "would be known here; nothing is planned for them"
				if x.Type == "hired" {
					does = "would be hired, and planned for at once"
				}
				fmt.Fprintf(out, "%s (%s) starts %s and %s.\n", x.Name, x.Email, cmp.Or(x.Starts, "on no day that it names"), does)
			case x.Person != "":
				fmt.Fprintf(out, "%s is here as %s.\n", x.Name, x.Person)
			default:
				fmt.Fprintf(out, "%s is not here yet: event %s is %s. %s\n", x.Name, x.Event, x.State, x.Note)
			}
			for _, f := range x.Findings {
				fmt.Fprintf(out, "  not used: %s\n", f)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&preview, "preview", false, "only say what would come of it")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

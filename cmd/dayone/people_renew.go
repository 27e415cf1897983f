package main

import (
	"fmt"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// sealedLink is a one-time link as the server tells it.
type sealedLink struct {
	Key, System, Thing, URL string
	Opens                   time.Time
	Waits                   bool
}

func newPeopleRenew() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "renew PERSON ACCESS", Short: "Make a code of somebody's anew, such as the one for the network", Args: args(2, 2, "a person, by mail address, and what is renewed: system/kind:name"),
		Long: `The code is made anew and kept sealed; the one before opens nothing from then on. Its owner gets a link that opens once,
with the hand-over code that the manager has: by a message, where a policy notifies on: new_code, and it is printed here.`,
		Example: `  dayone people renew sarah.chen@company.com meraki/code:HQ/Corp --reason "phone stolen"`,
		RunE: func(c *cobra.Command, got []string) error {
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			var l sealedLink
			if err := cl.call(c.Context(), http.MethodPost, "/people/"+who+"/renew", nil, map[string]string{"key": got[1], "reason": reason}, &l); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s is being made anew. Its link shows it once %s has taken it:\n%s\n", l.Key, l.System, l.URL)
			return err
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

func newPeopleLinks() *cobra.Command {
	return &cobra.Command{
		Use: "links PERSON", Short: "Show the one-time links of somebody that nobody has opened", Args: args(1, 1, "a person, by mail address"),
		Long: `For whoever has lost the message with a link. Each opens once, with the hand-over code that the manager has, and shows what
it shows to nobody else.`,
		Example: "  dayone people links sarah.chen@company.com",
		RunE: func(c *cobra.Command, got []string) error {
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			var page struct{ Items []sealedLink }
			if err := cl.call(c.Context(), http.MethodGet, "/people/"+who+"/links", nil, nil, &page); err != nil {
				return err
			}
			if len(page.Items) == 0 {
				_, err = fmt.Fprintln(c.OutOrStdout(), "None. What was opened once is gone; dayone people renew makes a code anew.")
				return err
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, l := range page.Items {
				note := "opens now"
				switch {
				case l.Waits:
					note = "is being made"
				case l.Opens.After(time.Now()):
					note = "opens " + l.Opens.Local().Format("2006-01-02 15:04")
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", l.Key, note, l.URL)
			}
			return w.Flush()
		},
	}
}

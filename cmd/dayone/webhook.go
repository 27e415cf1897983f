package main

import (
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

// delivery is one as the API has it.
type delivery struct {
	ID      string    `json:"id"`
	Webhook string    `json:"webhook"`
	Type    string    `json:"type"`
	State   string    `json:"state"`
	Made    time.Time `json:"made"`
	Sent    time.Time `json:"sent,omitzero"`
	Next    time.Time `json:"next,omitzero"`
	Tries   int       `json:"failed_tries"`
	Error   string    `json:"error,omitempty"`
}

func newWebhook() *cobra.Command {
	c := &cobra.Command{
		Use: "webhook", Short: "List what webhooks were told of runs that ended, test one, send something again",
		Long: `Webhooks of the configuration are told when a run ends: one signed POST for each run and outcome. What is not taken is sent again
for a week. These commands speak with the running server.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newWebhookList(), newWebhookTest(), newWebhookAgain())
	return c
}

func newWebhookList() *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use: "list", Short: "List webhooks, and the latest that each was told", Args: args(0, 0, "no arguments"), Example: "  dayone webhook list",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var got struct {
				Webhooks []struct {
					Name   string   `json:"name"`
					Host   string   `json:"host"`
					Events []string `json:"events"`
				} `json:"webhooks"`
				Deliveries []delivery `json:"deliveries"`
			}
			if err := cl.call(c.Context(), http.MethodGet, "/settings/webhooks", nil, nil, &got); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), got)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, x := range got.Webhooks {
				fmt.Fprintf(w, "%s\t%s\t%v\n", x.Name, x.Host, x.Events)
			}
			for _, d := range got.Deliveries {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Webhook, d.ID, d.Type, clockOf(d.Made), d.State, d.Error)
			}
			if len(got.Webhooks) == 0 {
				fmt.Fprintln(w, "There is none. webhooks: of dayone.yaml names them; docs/webhooks.md says how.")
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func newWebhookTest() *cobra.Command {
	return &cobra.Command{
		Use: "test NAME", Short: "Post a test to a webhook, and say whether it was taken", Args: args(1, 1, "a webhook"), Example: "  dayone webhook test tickets",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var d delivery
			if err := cl.call(c.Context(), http.MethodPost, "/settings/webhooks/"+url.PathEscape(got[0])+"/test", nil, struct{}{}, &d); err != nil {
				return listed(err, "webhook", got[0], "dayone webhook list")
			}
			if d.Error != "" {
				return fmt.Errorf("%s: %w", d.Error, dayone.ErrUnavailable)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s took %s.\n", d.Webhook, d.ID)
			return err
		},
	}
}

func newWebhookAgain() *cobra.Command {
	return &cobra.Command{
		Use: "again NAME ID", Short: "Tell a webhook once more what it was told, under the same id", Args: args(2, 2, "a webhook and the id of a delivery"),
		Example: "  dayone webhook again tickets msg_01jd9x0000000000000000000a.ready.tickets",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			if err := cl.call(c.Context(), http.MethodPost, "/settings/webhooks/"+url.PathEscape(got[0])+"/deliveries/"+url.PathEscape(got[1])+"/again", nil, struct{}{}, nil); err != nil {
				return listed(err, "delivery", got[1], "dayone webhook list")
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), "It is sent again.")
			return err
		},
	}
}

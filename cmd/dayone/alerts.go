package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

func newAlerts() *cobra.Command {
	var all, asJSON bool
	var limit int
	c := &cobra.Command{
		Use:   "alerts",
		Short: "List what somebody has to know: first days at risk, leavers whose accounts are open, and the like",
		Long: `Alerts lists the alerts that are open, the newest first; with --all also those that were resolved in the last 90 days.
An alert opens once, and is resolved by itself when it is over. dayone.yaml says below alerts: what is watched for and who is
told; docs/alerts.md has every rule. With --server that server is asked by its API.`,
		Example: `  dayone alerts
  dayone alerts --all --limit 200
  dayone alerts --server https://dayone.company.com --json`,
		Args: args(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if limit < 1 {
				return &usageError{fmt.Errorf("--limit is %d; write 50", limit)}
			}
			list, err := alertsOf(c, all, limit)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), list)
			}
			out := c.OutOrStdout()
			if len(list) == 0 {
				fmt.Fprintln(out, map[bool]string{false: "No alert is open.", true: "There was no alert in the last 90 days."}[all])
			}
			for _, a := range list {
				until := "open"
				if !a.Resolved.IsZero() {
					until = "resolved " + a.Resolved.Local().Format("2006-01-02 15:04")
				}
				fmt.Fprintf(out, "%s  %-25s  %s", a.Opened.Local().Format("2006-01-02 15:04"), until, a.Title)
				for _, s := range []string{a.About, a.Note} {
					if s != "" {
						fmt.Fprintf(out, ": %s", s)
					}
				}
				fmt.Fprintln(out)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "also what is resolved")
	c.Flags().IntVar(&limit, "limit", 50, "how many at most")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	looksThere(c)
	return c
}

// saidAlert is an alert as the API has it.
type saidAlert struct {
	ID       string          `json:"id"`
	Rule     string          `json:"rule"`
	Title    string          `json:"title"`
	About    string          `json:"about"`
	Person   dayone.PersonID `json:"person,omitempty"`
	Run      dayone.RunID    `json:"run,omitempty"`
	Note     string          `json:"note,omitempty"`
	Opened   time.Time       `json:"opened"`
	Resolved time.Time       `json:"resolved,omitzero"`
}

// alertsPage is how many alerts the API gives at once.
const alertsPage = 200

// alertsOf are those of the configuration's database, or of the server that is named.
func alertsOf(c *cobra.Command, all bool, limit int) ([]saidAlert, error) {
	out := []saidAlert{}
	if goesThere(c) {
		if limit > alertsPage {
			return nil, &usageError{fmt.Errorf("--limit is %d; a server gives %d at most", limit, alertsPage)}
		}
		cl, err := serverOf(c)
		if err != nil {
			return nil, err
		}
		var page struct{ Items []saidAlert }
		q := url.Values{"limit": {strconv.Itoa(limit)}}
		if all {
			q.Set("state", "all")
		}
		err = cl.call(c.Context(), http.MethodGet, "/alerts", q, nil, &page)
		return append(out, page.Items...), err
	}
	s, err := look(c)
	if err != nil {
		return nil, err
	}
	defer s.close()
	list, err := s.flow.Alerts(c.Context(), !all, limit)
	for _, a := range list {
		out = append(out, saidAlert{ID: a.ID, Rule: a.Rule, Title: a.Title, About: a.About, Person: a.Person, Run: a.Run, Note: a.Note, Opened: a.Opened, Resolved: a.Resolved})
	}
	return out, err
}

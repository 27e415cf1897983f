package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

func newSystemShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show SYSTEM", Short: "Show one system: limits, what is held there, drift, failures", Args: args(1, 1, "a system"), Example: "  dayone system show okta",
		Long: "Show what the running server knows of a system. It calls nobody; dayone system check does.",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var x struct {
				Name, Title, Stance, Reason, Connector string
				Waiting                                int `json:"waiting_steps"`
				Capabilities, Kinds, Policies          []string
				Held                                   struct {
					People, Accounts int
					Open             int `json:"open_accounts"`
					Others           int `json:"other_things"`
				}
				Limits []struct {
					Path, Method string
					PerMinute    int `json:"per_minute"`
					Burst        int `json:"at_once"`
					Used         int `json:"used_now"`
				}
				Calls      int `json:"calls_at_once"`
				Offers     int
				Comparison struct {
					Listed           bool
					Under            bool `json:"under_way"`
					At, Failed       time.Time
					Note             string
					Accounts, Differ int
					Nobodys          int `json:"accounts_of_nobody"`
				}
				Failures []struct {
					Run, Name, What, Error, Next string
					Step                         int
					Since                        time.Time
				}
			}
			path := "/systems/" + url.PathEscape(got[0])
			if asJSON {
				var raw any
				if err := cl.call(c.Context(), http.MethodGet, path, nil, nil, &raw); err != nil {
					return err
				}
				return writeJSON(c.OutOrStdout(), raw)
			}
			if err := cl.call(c.Context(), http.MethodGet, path, nil, nil, &x); err != nil {
				return err
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			line := func(name, format string, args ...any) {
				fmt.Fprintf(w, "%s\t%s\n", name, strings.TrimSpace(fmt.Sprintf(format, args...)))
			}
			line(x.Name, "%s (%s); %s %s", x.Title, cmp.Or(x.Connector, "no connector"), x.Stance, x.Reason)
			line("held", "%s: %s, %d of them open, and %s", people(x.Held.People), count(x.Held.Accounts, "account"), x.Held.Open, count(x.Held.Others, "other thing"))
			line("gives", "%s; offers %d", cmp.Or(strings.Join(x.Kinds, ", "), "nothing"), x.Offers)
			line("given by", "%s", cmp.Or(strings.Join(x.Policies, ", "), "no policy"))
			line("waiting", "%s", count(x.Waiting, "step"))
			for _, l := range x.Limits {
				if l.PerMinute > 0 {
					line("limit", "%s %s %d a minute; %d of %d at once used now", l.Method, cmp.Or(l.Path, "every other request"), l.PerMinute, l.Used, l.Burst)
				}
			}
			switch r := x.Comparison; {
			case !r.Listed:
				line("drift", "not known: nothing lists its accounts")
			case r.At.IsZero():
				line("drift", "not known: it was not compared yet")
			default:
				line("drift", "%d differ; %s read %s, %d of nobody", r.Differ, count(r.Accounts, "account"), clockOf(r.At), r.Nobodys)
			}
			if x.Comparison.Under {
				line("", "it is being read now")
			}
			if !x.Comparison.Failed.IsZero() {
				line("", "the last try broke off %s: %s", clockOf(x.Comparison.Failed), x.Comparison.Note)
			}
			for _, f := range x.Failures {
				line("failed", "%s, %s step %d: %s since %s. %s", f.Name, f.Run, f.Step, f.Error, clockOf(f.Since), f.Next)
			}
			return w.Flush()
		},
	}
	c.Flags().String(portalFlag, "", portalHelp)
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

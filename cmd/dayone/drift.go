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

func newDrift() *cobra.Command {
	c := &cobra.Command{
		Use:   "drift",
		Short: "See what differs at systems from the books; put it right or leave it so",
		Long: `Each night all accounts of each system are read and held against the books: accounts that are open or closed otherwise, what is
missing, what is more than known, and other roles. It is reported; nothing follows until somebody decides, except where the
catalogue leaves the decision to policies alone. docs/drift.md says more. These commands speak with the running server, at portal.url of the configuration and with its token.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newDriftList(), newDriftShow(), newDriftVerdict("put-right"), newDriftVerdict("accept"), newDriftCompare())
	return c
}

// driftRow is drift as the API has it.
type driftRow struct {
	ID       string    `json:"id"`
	Person   string    `json:"person"`
	Name     string    `json:"name"`
	System   string    `json:"system"`
	Key      string    `json:"key"`
	Kind     string    `json:"kind"`
	Is       string    `json:"is"`
	Should   string    `json:"should_be"`
	Policies []string  `json:"policies"`
	Since    time.Time `json:"since"`
	Seen     time.Time `json:"seen"`
	Steps    []string  `json:"steps,omitempty"`
	Waits    string    `json:"waits,omitempty"`
	Kept     string    `json:"kept_by,omitempty"`
	Refused  string    `json:"not_accepted,omitempty"`
	Stays    string    `json:"not_by_itself,omitempty"`
}

// driftStays say why what policies alone decide about waits for a human.
var driftStays = map[string]string{
	"contested": "that was done twice within 30 days, and it differs again",
	"braked":    "more people differ at once than may lose something in a day",
}

func newDriftList() *cobra.Command {
	var asJSON bool
	q := map[string]*string{"system": new(string), "kind": new(string), "person": new(string)}
	c := &cobra.Command{
		Use: "list", Short: "List what differs, found last first", Args: args(0, 0, "no arguments"), Example: "  dayone drift list\n  dayone drift list --system okta --kind open",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			ask := url.Values{"limit": {"200"}}
			for name, v := range q {
				if *v != "" {
					ask.Set(name, *v)
				}
			}
			all := []driftRow{}
			for {
				var page struct {
					Items []driftRow
					Next  string
				}
				if err := cl.call(c.Context(), http.MethodGet, "/drift", ask, nil, &page); err != nil {
					return err
				}
				all = append(all, page.Items...)
				if page.Next == "" {
					break
				}
				ask.Set("before", all[len(all)-1].ID)
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), all)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, x := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\tis %s, by the books %s\tsince %s\n", x.ID, x.Kind, x.Name, x.Key, x.Is, x.Should, clockOf(x.Since))
			}
			if len(all) == 0 {
				fmt.Fprintln(w, "Nothing is known to differ. dayone system show NAME says when a system was compared.")
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(q["system"], "system", "", "only at this system")
	c.Flags().StringVar(q["kind"], "kind", "", "only missing, closed, open, extra or role")
	c.Flags().StringVar(q["person"], "person", "", "only of this person, by id")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func newDriftShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show DRIFT", Short: "Show one difference, and what putting it right would do", Args: args(1, 1, "the id of a difference"), Example: "  dayone drift show drf_01jd9x0000000000000000000a",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var x driftRow
			if err := cl.call(c.Context(), http.MethodGet, "/drift/"+url.PathEscape(got[0]), nil, nil, &x); err != nil {
				return listed(err, "drift", got[0], "dayone drift list")
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), x)
			}
			out := c.OutOrStdout()
			fmt.Fprintf(out, "%s of %s (%s)\nit is %s, by the books %s; %s\nseen first %s, last %s\n", x.Key, x.Name, x.Person, x.Is, x.Should, cmp.Or(strings.Join(x.Policies, ", "), "no policy gives it"), clockOf(x.Since), clockOf(x.Seen))
			if x.Stays != "" {
				fmt.Fprintf(out, "Policies alone decide about it, and it is not put right by itself: %s.\n", driftStays[x.Stays])
			}
			switch {
			case x.Waits != "":
				fmt.Fprintf(out, "It cannot be decided now: %s.\n", x.Waits)
				return nil
			case x.Kept != "":
				fmt.Fprintf(out, "Putting it right is kept back: %s.\n", x.Kept)
			case len(x.Steps) == 0:
				fmt.Fprintln(out, "Putting it right changes the books only.")
			}
			for _, s := range x.Steps {
				fmt.Fprintf(out, "  would do: %s\n", s)
			}
			if x.Refused != "" {
				fmt.Fprintf(out, "It cannot be left so: %s.\n", x.Refused)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

// newDriftVerdict makes put-right and accept.
func newDriftVerdict(verb string) *cobra.Command {
	in := struct {
		Reason string `json:"reason"`
		Until  string `json:"until,omitempty"`
	}{}
	c := &cobra.Command{
		Use: verb + " DRIFT", Short: "Let the books have what the system shows, and policies bring back what they want", Args: args(1, 1, "the id of a difference"),
		Example: `  dayone drift put-right drf_01jd9x0000000000000000000a --reason "closed by mistake"`,
		RunE: func(c *cobra.Command, got []string) error {
			if in.Reason == "" {
				return &usageError{fmt.Errorf("say --reason: it goes into the record")}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var x driftRow
			if err := cl.call(c.Context(), http.MethodPost, "/drift/"+url.PathEscape(got[0])+"/"+verb, nil, in, &x); err != nil {
				return listed(err, "drift", got[0], "dayone drift list")
			}
			if verb == "accept" {
				_, err = fmt.Fprintf(c.OutOrStdout(), "%s of %s stays as it is.\n", x.Key, x.Name)
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s of %s is planned anew.\n", x.Key, x.Name)
			return err
		},
	}
	c.Flags().StringVar(&in.Reason, "reason", "", "why, for the record")
	if verb == "accept" {
		c.Short, c.Example = "Leave it as the system shows it", `  dayone drift accept drf_01jd9x0000000000000000000a --until 2025-06-30 --reason "he helps out there"`
		c.Long = `A hold keeps policies from changing it until a day. What is extra counts as there before Dayone and has no end; give it by a request
(dayone request) where it is to have one, or where it needs approval. Nobody leaves as it is what is their own.`
		c.Flags().StringVar(&in.Until, "until", "", "the last day on which it stays so, 2025-01-31; 90 days from now if it is left out. Not of what is extra: that has no end")
	}
	return c
}

func newDriftCompare() *cobra.Command {
	return &cobra.Command{
		Use: "compare SYSTEM", Short: "Have all accounts of a system read and compared now", Args: args(1, 1, "a system"), Example: "  dayone drift compare okta",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			if err := cl.call(c.Context(), http.MethodPost, "/systems/"+url.PathEscape(got[0])+"/read", nil, nil, nil); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s is being read. dayone system show %s says when that has ended.\n", got[0], got[0])
			return err
		},
	}
}

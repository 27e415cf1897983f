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

	"github.com/dayone-hq/dayone"
)

// saidRequest is a request as the API tells it.
type saidRequest struct {
	ID      string    `json:"id"`
	Person  string    `json:"person"`
	Key     string    `json:"key,omitempty"`
	Product string    `json:"product,omitempty"` // instead of a key: all that belongs to it
	Role    string    `json:"role"`
	By      string    `json:"by"`
	Login   string    `json:"entered_by"`
	Reason  string    `json:"reason"`
	Made    time.Time `json:"made"`
	Until   time.Time `json:"until,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Lasts   string    `json:"lasts,omitempty"`
}

// what it is for.
func (r saidRequest) what() string {
	if r.Product != "" {
		return "product:" + r.Product
	}
	return r.Key
}

// end says when it ends, as far as that is known.
func (r saidRequest) end() string {
	out := ""
	if !r.Until.IsZero() {
		out = ", until " + lastDay(r.Until)
	}
	if r.Lasts != "" {
		out += ", for at most " + r.Lasts + " once it is given"
	}
	return out
}

func newRequest() *cobra.Command {
	c := &cobra.Command{
		Use:   "request",
		Short: "Ask for what policies offer to somebody, and end it",
		Long: `What a policy offers is given to nobody by itself: somebody asks for it, whoever has to agrees, and it is taken back at
its end. These commands speak with the running server, at portal.url of the configuration and with its token.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newRequestAdd(), newRequestList(), newRequestEnd())
	return c
}

// personNamed is the id of somebody by id, mail address or whole name.
func (cl *client) personNamed(c *cobra.Command, who string) (string, error) {
	if dayone.ValidID("per", who) {
		return who, nil
	}
	var page struct {
		Items []struct{ ID, Name, Email string }
	}
	if err := cl.call(c.Context(), http.MethodGet, "/people", url.Values{"q": {who}, "limit": {"50"}}, nil, &page); err != nil {
		return "", err
	}
	var found []string
	for _, p := range page.Items {
		if strings.EqualFold(p.Email, who) || strings.EqualFold(p.Name, who) {
			found = append(found, p.ID)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("nobody is called %q; say it by mail address: %w", who, dayone.ErrNotFound)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("several people are called %q; say it by mail address: %w", who, dayone.ErrConflict)
}

// askedAbout is the server that a command means, and the id of whom it is about.
func askedAbout(c *cobra.Command, who string) (*client, string, error) {
	cl, err := serverOf(c)
	if err != nil {
		return nil, "", err
	}
	id, err := cl.personNamed(c, who)
	return cl, id, err
}

func newRequestAdd() *cobra.Command {
	var by, reason, role, until string
	c := &cobra.Command{
		Use: "add PERSON ACCESS", Short: "Ask for something for somebody", Args: args(2, 2, "a person, by mail address, and what is asked for: system/kind:name"),
		Example: `  dayone request add sarah.chen@company.com aws/permission-set:sandbox --by kim@company.com --reason "proof of concept" --until 2025-03-31`,
		RunE: func(c *cobra.Command, got []string) error {
			if strings.TrimSpace(reason) == "" {
				return &usageError{fmt.Errorf("say with --reason what it is needed for")}
			}
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			var r saidRequest
			if err := cl.call(c.Context(), http.MethodPost, "/people/"+who+"/requests", nil, map[string]string{"key": got[1], "role": role, "by": by, "reason": reason, "until": until}, &r); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s: %s is requested for %s%s. dayone approvals list shows whether somebody has to agree.\n", r.ID, r.Key, got[0], r.end())
			return err
		},
	}
	c.Flags().StringVar(&by, "by", "", "mail address of who asks, and so does not decide (default: nobody in particular)")
	c.Flags().StringVar(&reason, "reason", "", "what it is needed for; whoever has to agree reads it")
	c.Flags().StringVar(&role, "role", "", "if several are offered")
	c.Flags().StringVar(&until, "until", "", "last day on which it is needed, such as 2025-03-31 (default: as long as the offer says)")
	return c
}

func newRequestList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list PERSON", Short: "List what was requested for somebody, the newest first", Args: args(1, 1, "a person, by mail address"),
		Example: "  dayone request list sarah.chen@company.com",
		RunE: func(c *cobra.Command, got []string) error {
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			var page struct{ Items []saidRequest }
			if err := cl.call(c.Context(), http.MethodGet, "/people/"+who+"/requests", nil, nil, &page); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), page.Items)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, r := range page.Items {
				state := "stands"
				switch {
				case !r.Ended.IsZero():
					state = "ended " + clockOf(r.Ended)
				case !r.Until.IsZero():
					state = "until " + lastDay(r.Until)
				}
				if r.Ended.IsZero() && r.Lasts != "" {
					state += ", at most " + r.Lasts + " once it is given"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.ID, r.what(), state, r.Reason, cmp.Or(r.By, r.Login))
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "Nothing was requested.")
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func newRequestEnd() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "end REQUEST", Short: "End a request; what only it gave is taken back", Args: args(1, 1, "a request, as dayone request list shows it"),
		Example: `  dayone request end req_01jd9x0000000000000000000a --reason "not needed any more"`,
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var r saidRequest
			if err := cl.call(c.Context(), http.MethodPost, "/requests/"+url.PathEscape(got[0])+"/end", url.Values{"reason": {reason}}, nil, &r); err != nil {
				return listed(err, "request", got[0], "dayone request list PERSON")
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s: the request for %s has ended.\n", r.ID, r.what())
			return err
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

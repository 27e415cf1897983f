package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

func newToken() *cobra.Command {
	c := &cobra.Command{
		Use:   "token",
		Short: "Make, list and end tokens of programs that call the API",
		Long: `Each program that calls the API gets a token of its own, with a role and an end. It is shown once, when it is made. These
commands speak with the running server, at portal.url of the configuration and with its token.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newTokenMake(), newTokenList(), newTokenEnd())
	return c
}

// tokenRow is a token as the API has it.
type tokenRow struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Role string `json:"role"`
	dayone.Reach
	Made    time.Time `json:"made"`
	By      string    `json:"by"`
	Expires time.Time `json:"expires"`
	Used    time.Time `json:"used,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Left    bool      `json:"by_left,omitempty"`
	Token   string    `json:"token,omitempty"`
}

func (t tokenRow) roleText() string {
	if t.Whole() {
		return t.Role
	}
	return t.Role + " for " + t.String()
}

func newTokenMake() *cobra.Command {
	in := struct {
		Name string `json:"name"`
		Role string `json:"role"`
		Days int    `json:"days"`
		dayone.Reach
	}{}
	asJSON := false
	c := &cobra.Command{
		Use: "make NAME", Short: "Make a token, and print it this once", Args: args(1, 1, "what uses the token"),
		Example: "  dayone token make ticket-system --role operator\n  dayone token make grafana --role auditor --days 365 > grafana.token\n  dayone token make hr-germany --role hr --country DE --company 'Acme GmbH'\n  dayone token make network-team --role operator --system cucm",
		RunE: func(c *cobra.Command, got []string) error {
			if in.Name = got[0]; in.Role == "" {
				return &usageError{errors.New("say --role: administrator, hr, operator, approver or auditor")}
			}
			if err := in.Judge(dayone.Role(in.Role)); err != nil {
				return &usageError{errors.New(plain(err))}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var t tokenRow
			if err := cl.call(c.Context(), http.MethodPost, "/tokens", nil, in, &t); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), t)
			}
			fmt.Fprintf(c.ErrOrStderr(), "The token of %s, %s, until %s, %s. It is shown this once:\n", t.Name, t.roleText(), t.Expires.Format(time.DateOnly), t.ID)
			fmt.Fprintln(c.OutOrStdout(), t.Token)
			return nil
		},
	}
	c.Flags().StringVar(&in.Role, "role", "", "what it may do: administrator, hr, operator, approver or auditor")
	c.Flags().Var((*words)(&in.Countries), "country", "only people of this country, as DE; may stand several times")
	c.Flags().StringArrayVar(&in.Companies, "company", nil, "only people of this legal entity, as HR calls it; may stand several times")
	c.Flags().Var((*words)(&in.Systems), "system", "only what is done at this system; may stand several times")
	c.Flags().IntVar(&in.Days, "days", 90, "for how many days it works")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

// words are those of a flag that may stand several times, or once with commas between them. An empty one stays: what is given
// to narrow something must not be left out.
type words []string

func (w *words) Set(s string) error {
	*w = append(*w, strings.Split(s, ",")...)
	return nil
}

func (w *words) String() string { return strings.Join(*w, ",") }
func (w *words) Type() string   { return "strings" }

func newTokenList() *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use: "list", Short: "List tokens", Args: args(0, 0, "no arguments"), Example: "  dayone token list",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var page struct{ Tokens []tokenRow }
			if err := cl.call(c.Context(), http.MethodGet, "/tokens", nil, nil, &page); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), page.Tokens)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, t := range page.Tokens {
				state, used := "until "+t.Expires.Format(time.DateOnly), "never used"
				if !t.Ended.IsZero() {
					state = "ended " + t.Ended.Format(time.DateOnly)
				}
				if !t.Used.IsZero() {
					used = "used " + clockOf(t.Used)
				}
				by := ""
				if t.Left {
					by = "made by " + t.By + ", who has left"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, t.roleText(), state, used, by)
			}
			if len(page.Tokens) == 0 {
				fmt.Fprintln(w, "There is none. dayone token make NAME --role ROLE makes one.")
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func newTokenEnd() *cobra.Command {
	return &cobra.Command{
		Use: "end TOKEN", Short: "Take a token back: its next call is refused", Args: args(1, 1, "the name or the id of a token"),
		Example: "  dayone token end ticket-system\n  dayone token end tok_01jd9x0000000000000000000a",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			id, err := tokenNamed(c.Context(), cl, got[0])
			if err != nil {
				return err
			}
			if err := cl.call(c.Context(), http.MethodDelete, "/tokens/"+url.PathEscape(id), nil, nil, nil); err != nil {
				return listed(err, "token", got[0], "dayone token list")
			}
			fmt.Fprintln(c.OutOrStdout(), "It has ended.")
			return nil
		},
	}
}

// tokenNamed is the id of the token that works by a name, of which there is one; what is no name of one is taken for an id.
func tokenNamed(ctx context.Context, cl *client, name string) (string, error) {
	var page struct{ Tokens []tokenRow }
	if err := cl.call(ctx, http.MethodGet, "/tokens", nil, nil, &page); err != nil {
		return "", err
	}
	for _, t := range page.Tokens { // the newest first: an ended one may have had the name before
		if strings.EqualFold(t.Name, name) && t.Ended.IsZero() {
			return t.ID, nil
		}
	}
	return name, nil
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

func newEvent() *cobra.Command {
	c := &cobra.Command{
		Use: "event", Short: "See what sources said, and have it looked at once more",
		Long: `What cannot be read is kept in quarantine, and looked at once more when the source or its mapping was mended. These commands
speak with the running server, at portal.url of the configuration and with its token.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newEventList(), newEventReplay())
	return c
}

func newEventList() *cobra.Command {
	var state, person string
	var limit int
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List what sources said, the newest first", Args: args(0, 0, "nothing"),
		Example: "  dayone event list --state quarantined\n  dayone event list --person per_01jd9x0000000000000000000a --json",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			q := url.Values{"limit": {strconv.Itoa(limit)}}
			for name, v := range map[string]string{"state": state, "person": person} {
				if v != "" {
					q.Set(name, v)
				}
			}
			var page struct {
				Items []struct {
					ID       string    `json:"id"`
					Source   string    `json:"source"`
					Type     string    `json:"type,omitempty"`
					Subject  string    `json:"subject,omitempty"`
					State    string    `json:"state"`
					Note     string    `json:"note,omitempty"`
					Received time.Time `json:"received,omitzero"`
				}
				Next string
			}
			if err := cl.call(c.Context(), http.MethodGet, "/events", q, nil, &page); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), page.Items)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, x := range page.Items {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", x.ID, clockOf(x.Received), x.Source, x.State, strings.TrimSpace(x.Type+" "+x.Subject), x.Note)
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "Nothing was said.")
			}
			if page.Next != "" {
				fmt.Fprintln(w, "There are more: narrow it down, or say --limit (at most 200).")
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(&state, "state", "", "only received, applied, unchanged, quarantined, held, asked or discarded")
	c.Flags().StringVar(&person, "person", "", "only about this person, by id")
	c.Flags().IntVar(&limit, "limit", 50, "at most so many, up to 200")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func newEventReplay() *cobra.Command {
	return &cobra.Command{
		Use: "replay ID", Short: "Look at one in quarantine once more", Args: args(1, 1, "the id of an event"),
		Example: "  dayone event replay evt_01jd9x0000000000000000000a",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			if err := cl.call(c.Context(), http.MethodPost, "/events/"+url.PathEscape(got[0])+"/replay", nil, nil, nil); err != nil {
				return listed(err, "event", got[0], "dayone event list")
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s is looked at once more; dayone event list says what came of it.\n", got[0])
			return err
		},
	}
}

func newSession() *cobra.Command {
	c := &cobra.Command{
		Use: "session", Short: "See who is signed in by a browser, and end a login",
		Long: `An administrator's token sees and ends everybody's logins. Logins end with the server, too. These commands speak with the running
server, at portal.url of the configuration and with its token.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	asJSON := false
	list := &cobra.Command{
		Use: "list", Short: "List logins", Args: args(0, 0, "nothing"), Example: "  dayone session list",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var out struct {
				Sessions []struct {
					ID    string    `json:"id"`
					Login string    `json:"login"`
					Role  string    `json:"role"`
					From  string    `json:"from"`
					Agent string    `json:"agent"`
					Began time.Time `json:"began"`
					Seen  time.Time `json:"seen"`
				}
			}
			if err := cl.call(c.Context(), http.MethodGet, "/sessions", nil, nil, &out); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), out.Sessions)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, s := range out.Sessions {
				fmt.Fprintf(w, "%s\t%s\t%s\tsince %s, last %s\tfrom %s\n", s.ID, s.Login, s.Role, clockOf(s.Began), clockOf(s.Seen), s.From)
			}
			if len(out.Sessions) == 0 {
				fmt.Fprintln(w, "Nobody is signed in by a browser.")
			}
			return w.Flush()
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	end := &cobra.Command{
		Use: "end ID", Short: "End a login: its next click leads to the login page", Args: args(1, 1, "the id of a login"), Example: "  dayone session end JBSWY3DPEHPK",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			if err := cl.call(c.Context(), http.MethodDelete, "/sessions/"+url.PathEscape(got[0]), nil, nil, nil); err != nil {
				return listed(err, "login", got[0], "dayone session list")
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s has ended.\n", got[0])
			return err
		},
	}
	c.AddCommand(list, end)
	return c
}

// methods of the API.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}

func newAPI() *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "api METHOD PATH",
		Short: "Call any address of the API of the running server, and print what it answers",
		Long: `Everything that the portal does has an address in the API; docs/api.md and /api/openapi.json have them all. PATH is what follows
/api/v1, with its query. What is sent is JSON: --data has it, or - reads it from standard input. The server is that of portal.url of
the configuration, with its token.`,
		Example: `  dayone api GET '/records?system=okta&limit=5'
  dayone api POST /systems/okta/orders --data '{"kind": "stop", "reason": "INC-4711"}'
  dayone api PUT /settings/branding --data - < branding.json`,
		Args: args(2, 2, "a method and a path, such as GET /people"),
		RunE: func(c *cobra.Command, got []string) error {
			method := strings.ToUpper(got[0])
			if !slices.Contains(methods, method) {
				return &usageError{fmt.Errorf("%q is no method; write one of %s", got[0], strings.Join(methods, ", "))}
			}
			at, err := url.Parse(strings.TrimPrefix(got[1], "/api/v1"))
			if err != nil || at.IsAbs() || at.Host != "" || !strings.HasPrefix(at.Path, "/") {
				return &usageError{fmt.Errorf("%q is no path of the API; write one such as /people?q=chen", got[1])}
			}
			if data == "-" {
				raw, err := io.ReadAll(io.LimitReader(c.InOrStdin(), 32<<20))
				if err != nil {
					return err
				}
				data = string(raw)
			}
			var in any
			if data != "" {
				if !json.Valid([]byte(data)) {
					return &usageError{errors.New("--data is no JSON")}
				}
				in = json.RawMessage(data)
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			body, err := cl.ask(c.Context(), method, at.EscapedPath(), at.Query(), in)
			if err != nil {
				return err
			}
			defer body.Close()
			if _, err := io.Copy(c.OutOrStdout(), body); err != nil {
				return fmt.Errorf("the server at %s broke off: %w", cl.base, dayone.ErrUnavailable)
			}
			return nil
		},
	}
	c.Flags().StringVar(&data, "data", "", "JSON to send; - reads it from standard input")
	c.Flags().String(portalFlag, "", portalHelp)
	return c
}

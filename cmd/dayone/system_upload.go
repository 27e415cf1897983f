package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

// mostList is what the server takes at once.
const mostList = 16 << 20

// broughtList is what a list is beside the one before.
type broughtList struct {
	Kept    bool     `json:"kept"`
	Rows    int      `json:"rows"`
	Before  int      `json:"before"`
	New     []string `json:"new"`
	Changed []string `json:"changed"`
	Missing []string `json:"missing"`
	Done    int      `json:"tasks_done"`
}

func newSystemUpload() *cobra.Command {
	var catalogue, dry, yes, asJSON bool
	var asOf string
	c := &cobra.Command{
		Use:   "upload SYSTEM FILE",
		Short: "Bring a list of a system's accounts, where nothing can call the system",
		Long: `Bring a list of the accounts of a system with the connector manual, as CSV with a head; FILE - is the standard input. It
is judged whole, and takes the place of the list before, whole or not at all. What is wrong is said with its line. A list
that is much smaller than the one before is refused without --yes: it looks like a part of one. Tasks that it shows to be
done are completed in your name.`,
		Example: `  dayone system upload payroll export.csv --dry-run
  dayone system upload payroll export.csv --as-of 2025-01-31T22:00
  dayone system upload payroll roles.csv --catalogue`,
		Args: args(2, 2, "a system and a file"),
		RunE: func(c *cobra.Command, args []string) error {
			q := url.Values{}
			for name, on := range map[string]bool{"dry_run": dry, "smaller": yes, "catalogue": catalogue} {
				if on {
					q.Set(name, "true")
				}
			}
			if asOf != "" {
				at, err := instantOf(asOf, time.Now())
				if err != nil {
					return &usageError{fmt.Errorf("--as-of is %q; write 2025-01-31T22:00 or 2025-01-31T22:00Z", asOf)}
				}
				q.Set("as_of", at.UTC().Format(time.RFC3339))
			}
			raw, err := listFile(c.InOrStdin(), args[1])
			if err != nil {
				return err
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var got broughtList
			if err := cl.bring(c.Context(), "/systems/"+url.PathEscape(args[0])+"/list?"+q.Encode(), raw, &got); err != nil {
				if text, ok := strings.CutSuffix(err.Error(), "say so: "+dayone.ErrConflict.Error()); ok {
					return fmt.Errorf("%ssay so with --yes: %w", text, dayone.ErrConflict)
				}
				if errors.Is(err, dayone.ErrNotFound) {
					return fmt.Errorf("the server knows no system %q; dayone system list shows those that it knows, and for one that was added the server has not been started since: %w", args[0], dayone.ErrNotFound)
				}
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), got)
			}
			return got.print(c.OutOrStdout(), args[0])
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "only judge the list")
	c.Flags().BoolVar(&yes, "yes", false, "take it although it is much smaller than the one before")
	c.Flags().BoolVar(&catalogue, "catalogue", false, "it is a list of what the system offers")
	c.Flags().StringVar(&asOf, "as-of", "", "when it was exported; now if left out")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().String(portalFlag, "", portalHelp)
	return c
}

func newSystemList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "list SYSTEM",
		Short:   "Say how the list stands by which a system is known that nothing can call",
		Example: "  dayone system list payroll",
		Args:    args(1, 1, "a system"),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var l struct {
				System   string    `json:"system"`
				Title    string    `json:"title"`
				At       time.Time `json:"as_of,omitzero"`
				Accounts int       `json:"accounts"`
				Good     string    `json:"believed_for"`
				Stale    bool      `json:"stale"`
				Problem  string    `json:"problem,omitempty"`
			}
			if err := cl.call(c.Context(), http.MethodGet, "/systems/"+url.PathEscape(args[0])+"/list", nil, nil, &l); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), l)
			}
			text := fmt.Sprintf("%s: %s by its list of %s, which is believed for %s.", l.Title, count(l.Accounts, "account"), clockOf(l.At), l.Good)
			switch {
			case l.Problem != "":
				text = fmt.Sprintf("%s: %s.", l.Title, l.Problem)
			case l.Stale:
				text = fmt.Sprintf("%s: its list of %s is too old; it is believed for %s. Bring a newer one: dayone system upload %s FILE", l.Title, clockOf(l.At), l.Good, l.System)
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), text)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().String(portalFlag, "", portalHelp)
	return c
}

func listFile(stdin io.Reader, name string) ([]byte, error) {
	if name != "-" {
		return readUpTo(name, mostList)
	}
	raw, err := io.ReadAll(io.LimitReader(stdin, mostList+1))
	if err == nil && len(raw) > mostList {
		err = fmt.Errorf("the list has more than %d MiB: %w", mostList>>20, dayone.ErrInvalid)
	}
	return raw, err
}

func (l broughtList) print(w io.Writer, system string) error {
	var b strings.Builder
	if l.Kept {
		fmt.Fprintf(&b, "The list of %s is taken: ", system)
	} else {
		fmt.Fprintf(&b, "The list of %s is right, and was not taken: ", system)
	}
	fmt.Fprintf(&b, "%s, %d before.\n", count(l.Rows, "line"), l.Before)
	for _, part := range []struct {
		word string
		ids  []string
	}{{"new", l.New}, {"changed", l.Changed}, {"missing", l.Missing}} {
		if n := len(part.ids); n > 0 {
			text := strings.Join(part.ids[:min(n, 10)], ", ")
			if n > 10 {
				text += ", ..."
			}
			fmt.Fprintf(&b, "  %d %s: %s\n", n, part.word, text)
		}
	}
	if l.Done > 0 {
		fmt.Fprintf(&b, "%s that it shows to be done: completed.\n", count(l.Done, "task"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// bring posts a list as it is.
func (cl *client) bring(ctx context.Context, path string, raw []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, cl.base+"/api/v1"+path, bytes.NewReader(raw))
	if err != nil {
		return &usageError{fmt.Errorf("%q is no address of a server; write http://127.0.0.1:8080", cl.base)}
	}
	req.Header.Set("Content-Type", "text/csv")
	if cl.token != "" {
		req.Header.Set("Authorization", "Bearer "+cl.token)
	}
	resp, err := cl.http.Do(req)
	if err != nil {
		return cl.unanswered(ctx, req.Method, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("the server at %s broke off: %w", cl.base, dayone.ErrUnavailable)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return cl.refused(resp.Status, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("what the server at %s says cannot be read; is it another version? %w", cl.base, dayone.ErrInvalid)
	}
	return nil
}

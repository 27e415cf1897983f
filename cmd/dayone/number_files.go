package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

type numberFault struct {
	File, Text string
	Line, Col  int
}

// printFaults prints what is wrong with a file, where editors jump to.
func printFaults(c *cobra.Command, file string, list []numberFault) error {
	for _, f := range list {
		fmt.Fprintf(c.ErrOrStderr(), "%s:%d:%d: %s\n", file, f.Line, f.Col, f.Text)
	}
	return &shownError{errFaults}
}

// mostNumbersFile is more than any file of numbers has.
const mostNumbersFile = 30 << 20

func readNumbersFile(name string) (string, error) {
	info, err := os.Stat(name)
	switch {
	case os.IsNotExist(err):
		return "", fmt.Errorf("there is no file %s: %w", name, dayone.ErrNotFound)
	case err == nil && info.Size() > mostNumbersFile:
		return "", fmt.Errorf("%s has more than %d bytes; split it: %w", name, mostNumbersFile, dayone.ErrInvalid)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	return string(raw), legibleFile(name, raw)
}

// legibleFile refuses a file that is no text, with the line: on its way to the server its bytes would become others.
func legibleFile(name string, raw []byte) error {
	if line := dayone.IllegibleLine(string(raw)); line > 0 {
		return fmt.Errorf("%s:%d: the line holds what nobody can read: a control character, or bytes that are no UTF-8; take it out, or save the file as UTF-8: %w", name, line, dayone.ErrInvalid)
	}
	return nil
}

func newNumberPlan() *cobra.Command {
	var check, dry, yes bool
	var routes []string
	c := &cobra.Command{
		Use: "plan [FILE]", Short: "Print numbers.yaml, or save a file as it", Args: args(0, 1, "at most a file"),
		Long: `Without a file it prints numbers.yaml as it counts. With one it says what that would change, asks, and saves it: whole or not
at all. A pipeline says --check on a proposal, --dry-run to see what it would change, and --yes on what was agreed.

--check asks nobody: no server, no database, no folder. It judges the file by itself, and by route plans if --routes names them:
what else on the platform answers numbers of a pool is told with its place. A route plan is a CSV file with the columns pattern,
partition, type and detail, as the route plan report of a Unified CM writes it.`,
		Example: "  dayone number plan > numbers.yaml\n  dayone number plan numbers.yaml --check --routes cucm-eu=routeplan.csv\n  dayone number plan numbers.yaml",
		RunE: func(c *cobra.Command, got []string) error {
			switch {
			case len(got) == 0 && (check || dry):
				return &usageError{fmt.Errorf("say which file; %s numbers.yaml --check", c.CommandPath())}
			case check && (dry || yes):
				return &usageError{fmt.Errorf("--check asks no server, so it goes with no other of them")}
			case len(routes) > 0 && !check:
				return &usageError{fmt.Errorf("--routes goes with --check")}
			case check:
				return checkNumberPlan(c, got[0], routes)
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var is struct {
				Seq  int
				Text string
			}
			if err := cl.call(c.Context(), http.MethodGet, "/numbers/plan", nil, nil, &is); err != nil {
				return err
			}
			if len(got) == 0 {
				_, err := io.WriteString(c.OutOrStdout(), is.Text)
				return err
			}
			text, err := readNumbersFile(got[0])
			if err != nil {
				return err
			}
			put := func(check bool) (changes []string, err error) {
				in := struct {
					Text  string `json:"text"`
					Seq   int    `json:"seq"`
					Check bool   `json:"check"`
				}{text, is.Seq, check}
				var d struct {
					Changes []string
					Faults  []numberFault
				}
				if err := cl.call(c.Context(), http.MethodPut, "/numbers/plan", nil, in, &d); err != nil {
					return nil, err
				}
				if len(d.Faults) > 0 {
					return nil, printFaults(c, got[0], d.Faults)
				}
				return d.Changes, nil
			}
			changes, err := put(true)
			if err != nil {
				return err
			}
			for _, l := range changes {
				fmt.Fprintln(c.OutOrStdout(), l)
			}
			if len(changes) == 0 {
				fmt.Fprintln(c.OutOrStdout(), "No number and no rule changes.")
			}
			if dry {
				return nil
			}
			if !yes {
				if err := sure(c, "Save it?"); err != nil {
					return err
				}
			}
			if _, err := put(false); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), "Saved; it counts.")
			return nil
		},
	}
	c.Flags().BoolVar(&check, "check", false, "only judge the file, without a server")
	c.Flags().StringArrayVar(&routes, "routes", nil, "with --check: [PLATFORM=]FILE, the route plan of a platform as CSV")
	c.Flags().BoolVar(&dry, "dry-run", false, "only say what it would change")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c
}

func newNumberImport() *cobra.Command {
	var dry, yes bool
	c := &cobra.Command{
		Use: "import FILE", Short: "Take in numbers, ranges of them, and who has which, from CSV", Args: args(1, 1, "a file"),
		Long: `The first line names the columns: number, to, pool, platform, partition, pattern, state, person, confirmed, since, reason.
Only number has to be there. It says what the file would do, asks, and imports it: whole or not at all.`,
		Example: "  dayone number import numbers.csv --dry-run\n  dayone number import numbers.csv",
		RunE: func(c *cobra.Command, got []string) error {
			text, err := readNumbersFile(got[0])
			if err != nil {
				return err
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			cl.http.Timeout = 10 * time.Minute // a quarter of a million lines
			post := func(check bool) error {
				in := struct {
					Name  string `json:"name"`
					CSV   string `json:"csv"`
					Check bool   `json:"check"`
				}{filepath.Base(got[0]), text, check}
				var im struct {
					Rows, Numbers, New, Changed, Assigned int
					Faults                                []numberFault
				}
				if err := cl.call(c.Context(), http.MethodPost, "/numbers/import", nil, in, &im); err != nil {
					return err
				}
				if len(im.Faults) > 0 {
					return printFaults(c, got[0], im.Faults)
				}
				does := "Imported"
				if check {
					does = "It would import"
				}
				fmt.Fprintf(c.OutOrStdout(), "%s %s of %s: %d new, %d changed, %d of these somebody's own.\n", does, count(im.Numbers, "number"), count(im.Rows, "line"), im.New, im.Changed, im.Assigned)
				return nil
			}
			if err := post(true); err != nil || dry {
				return err
			}
			if !yes {
				if err := sure(c, "Import it?"); err != nil {
					return err
				}
			}
			return post(false)
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "only say what it would do")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c
}

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

func newRecord() *cobra.Command {
	c := &cobra.Command{
		Use: "record", Short: "Read the ledger: what was done, to whom, why, and how it was before",
		Long: `Every act that gives, takes or decides something leaves a line in the ledger that cannot be changed unnoticed. list
speaks with the running server, at portal.url of the configuration and with its token; verify reads the database itself.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newRecordList(), newRecordVerify())
	return c
}

// recordRow is a line of the ledger as the API has it.
type recordRow struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	What    string    `json:"what"`
	Person  string    `json:"person,omitempty"`
	Run     string    `json:"run,omitempty"`
	Step    string    `json:"step,omitempty"`
	System  string    `json:"system,omitempty"`
	By      string    `json:"by,omitempty"`
	Because []struct {
		Policy string `json:"policy"`
		At     string `json:"at,omitempty"`
		Commit string `json:"commit,omitempty"`
		Hash   string `json:"hash,omitempty"`
	} `json:"because"`
	Chain  string         `json:"chain"`
	Note   string         `json:"note,omitempty"`
	Before map[string]any `json:"before,omitempty"`
	Now    map[string]any `json:"now,omitempty"`
	Erased bool           `json:"erased,omitempty"`
}

// recordFlags are what lines are asked for by.
type recordFlags struct {
	person, run, system, csv string
	before                   int64
	limit                    int
	detail, json             bool
}

func newRecordList() *cobra.Command {
	var f recordFlags
	c := &cobra.Command{
		Use: "list", Short: "List lines of the ledger, newest first", Args: args(0, 0, "no arguments"),
		Long: `List prints the newest lines; --before goes on from the number of the last one. --csv writes all lines that fit into a file,
however many they are. With --detail what the systems confirmed is in it, too: that names people.`,
		Example: `  dayone record list
  dayone record list --person sarah.chen@company.com --detail
  dayone record list --system okta --limit 500 --json
  dayone record list --run run_01jd9x0000000000000000000a --csv run.csv --server https://dayone.company.com`,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case f.limit < 1:
				return &usageError{fmt.Errorf("--limit is %d; write 50", f.limit)}
			case f.before < 0:
				return &usageError{fmt.Errorf("--before is %d; write the number of a line", f.before)}
			case f.json && f.csv != "":
				return &usageError{fmt.Errorf("say --json or --csv, not both")}
			case f.csv != "" && (c.Flags().Changed("limit") || f.before != 0):
				return &usageError{fmt.Errorf("--csv has all lines that fit; leave --limit and --before out")}
			}
			return listRecords(c, f)
		},
	}
	c.Flags().StringVar(&f.person, "person", "", "only about this person, by name, mail address or id")
	c.Flags().StringVar(&f.run, "run", "", "only of this run")
	c.Flags().StringVar(&f.system, "system", "", "only about this system")
	c.Flags().BoolVar(&f.detail, "detail", false, "with what the systems confirmed")
	c.Flags().Int64Var(&f.before, "before", 0, "lines before the one of this number")
	c.Flags().IntVar(&f.limit, "limit", 50, "how many at most")
	c.Flags().StringVar(&f.csv, "csv", "", "write all of them into this file as CSV; - is the standard output")
	c.Flags().BoolVar(&f.json, "json", false, "print as JSON")
	return c
}

func listRecords(c *cobra.Command, f recordFlags) error {
	cl, err := serverOf(c)
	if err != nil {
		return err
	}
	q := url.Values{}
	if f.person != "" {
		id, err := cl.personNamed(c, f.person)
		if err != nil {
			return err
		}
		q.Set("person", id)
	}
	for name, v := range map[string]string{"run": f.run, "system": f.system} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if f.detail {
		q.Set("detail", "true")
	}
	if f.csv != "" {
		return cl.sheet(c, "/records", q, f.csv)
	}
	list, more, err := cl.records(c, q, f)
	switch {
	case err != nil:
		return err
	case f.json:
		return writeJSON(c.OutOrStdout(), list)
	}
	return printRecords(c.OutOrStdout(), list, more)
}

// recordsPage is how many lines the API gives at once.
const recordsPage = 200

// records reads as many lines as are asked for, page by page, and says whether there are more.
func (cl *client) records(c *cobra.Command, q url.Values, f recordFlags) ([]recordRow, bool, error) {
	list, before := []recordRow{}, f.before
	for {
		q.Set("limit", strconv.Itoa(min(recordsPage, f.limit-len(list))))
		if before > 0 {
			q.Set("before", strconv.FormatInt(before, 10))
		}
		var page struct {
			Items []recordRow
			Next  string
		}
		if err := cl.call(c.Context(), http.MethodGet, "/records", q, nil, &page); err != nil {
			return nil, false, err
		}
		list = append(list, page.Items...)
		if page.Next == "" || len(page.Items) == 0 || len(list) >= f.limit {
			return list, page.Next != "", nil
		}
		before = list[len(list)-1].Seq
	}
}

func printRecords(out io.Writer, list []recordRow, more bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, x := range list {
		because := ""
		if len(x.Because) > 0 {
			because = "because of " + x.Because[0].Policy
		}
		if x.Erased {
			x.Note = "what it said of the person is erased"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.Seq, clockOf(x.At), x.What, cmp.Or(x.Step, x.System), x.Person, x.Run, x.By, because, x.Note)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	switch {
	case len(list) == 0:
		fmt.Fprintln(out, "No line fits.")
	case more:
		fmt.Fprintf(out, "There are more: --before %d goes on, --limit gives more at once.\n", list[len(list)-1].Seq)
	}
	return nil
}

// sheet writes a list of the API, all of it, as the table that the API makes of it. A file is whole or not there.
func (cl *client) sheet(c *cobra.Command, path string, q url.Values, name string) error {
	cl.http.Timeout = 10 * time.Minute
	q.Set("format", "csv")
	body, err := cl.ask(c.Context(), http.MethodGet, path, q, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if name == "-" {
		out := c.OutOrStdout()
		if !isTerminal(out) { // a program reads it byte by byte
			out = untamed(out)
		}
		_, err := io.Copy(out, body)
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(name), ".dayone-*.csv") // for its owner alone
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	_, err = io.Copy(part, body)
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), name)
	}
	if err != nil {
		_ = os.Remove(part.Name())
		return fmt.Errorf("writing %s: %w", name, err)
	}
	_, err = fmt.Fprintf(c.ErrOrStderr(), "%s is written.\n", name)
	return err
}

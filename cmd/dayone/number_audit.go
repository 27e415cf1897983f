package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/web"
)

// auditFlags are what an audit is asked with.
type auditFlags struct {
	json, read, adopt, check, yes bool
	csv, kind, least              string
}

func newNumberAudit() *cobra.Command {
	var f auditFlags
	c := &cobra.Command{
		Use: "audit [SYSTEM]", Short: "Find what is wrong with the books of numbers, or on a telephone system", Args: args(0, 1, "at most one telephone system"),
		Long: `Without a system the audit compares the books with who works here, with what sources state, and with what is going to be
needed. With one it compares a telephone system, as it was read last, with the books and the people: lines, devices, accounts
and mailboxes of people who left, lines that nothing shows, numbers that are in use and that the books may give away, patterns
that answer numbers of a pool. It is read every night (read_at), if it never was, or if you say --read; that takes a while.
Nothing is changed on it. --adopt writes into the books whose numbers it says they are; it shows first what that does.`,
		Example: "  dayone number audit\n  dayone number audit cucm-eu\n  dayone number audit cucm-eu --read --csv findings.csv\n  dayone number audit cucm-eu --adopt",
		RunE: func(c *cobra.Command, got []string) error {
			switch {
			case len(got) == 0 && (f.read || f.adopt || f.kind != ""):
				return &usageError{fmt.Errorf("say which telephone system; %s lists them", c.CommandPath())}
			case f.json && f.csv != "":
				return &usageError{fmt.Errorf("say --json or --csv, not both")}
			case f.check && !f.adopt:
				return &usageError{fmt.Errorf("--dry-run goes with --adopt: an audit changes nothing")}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			cl.http.Timeout = 10 * time.Minute
			switch {
			case len(got) == 0:
				return auditBooks(c, cl, f)
			case f.adopt:
				return adoptSystem(c, cl, got[0], f)
			}
			return auditSystem(c, cl, got[0], f)
		},
	}
	c.Flags().BoolVar(&f.json, "json", false, "print as JSON")
	c.Flags().StringVar(&f.csv, "csv", "", "write the findings into this file as CSV; - is the standard output")
	c.Flags().StringVar(&f.kind, "kind", "", "only findings of this kind, as leaver-line")
	c.Flags().BoolVar(&f.read, "read", false, "read the telephone system again")
	c.Flags().BoolVar(&f.adopt, "adopt", false, "write into the books whose numbers the system says they are")
	c.Flags().BoolVar(&f.check, "dry-run", false, "with --adopt: only say what it would do")
	c.Flags().StringVar(&f.least, "least", "likely", "with --adopt: how sure it has to be whose a number is: certain, sure, likely or possible")
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "with --adopt: do not ask")
	return c
}

// auditBooks prints what is wrong with the books.
func auditBooks(c *cobra.Command, cl *client, f auditFlags) error {
	var a struct {
		At       time.Time `json:"at"`
		Numbers  int       `json:"numbers"`
		People   int       `json:"people"`
		Unread   int       `json:"unread"`
		Findings []struct {
			Kind   string `json:"kind"`
			Pool   string `json:"pool,omitempty"`
			Number string `json:"number,omitempty"`
			Person string `json:"person,omitempty"`
			Name   string `json:"name,omitempty"`
			Text   string `json:"text"`
			Next   string `json:"next"`
		} `json:"findings"`
		Systems []struct {
			System  string    `json:"system"`
			Title   string    `json:"title"`
			Reading bool      `json:"reading"`
			Read    time.Time `json:"read,omitzero"`
			Total   int       `json:"total"`
		} `json:"systems"`
	}
	if err := cl.call(c.Context(), http.MethodGet, "/numbers/audit", nil, nil, &a); err != nil {
		return err
	}
	out := c.OutOrStdout()
	switch {
	case f.json:
		return writeJSON(out, a)
	case f.csv != "":
		rows := [][]string{{"kind", "pool", "number", "person", "name", "finding", "next"}}
		for _, x := range a.Findings {
			rows = append(rows, []string{x.Kind, x.Pool, x.Number, x.Person, x.Name, x.Text, x.Next})
		}
		return writeTable(c, f.csv, rows)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, x := range a.Findings {
		about := x.Number
		if about == "" && x.Name == "" {
			about = "pool " + x.Pool
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s. %s\n", x.Kind, about, x.Name, x.Text, x.Next)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s looked at, as of %s; %s.\n", count(a.Numbers, "number"), clockOf(a.At), count(len(a.Findings), "finding"))
	if a.Unread > 0 {
		fmt.Fprintf(out, "%s could not be read, and nothing is said of them.\n", count(a.Unread, "person"))
	}
	for _, s := range a.Systems {
		is := "not read yet"
		switch {
		case s.Reading:
			is = "it is being read"
		case !s.Read.IsZero():
			is = count(s.Total, "finding") + " as of " + clockOf(s.Read)
		}
		fmt.Fprintf(out, "%s (%s): %s; dayone number audit %s says more.\n", s.System, s.Title, is, s.System)
	}
	return nil
}

// writeTable writes rows as CSV into a file, or on the standard output. A file is whole or not there.
func writeTable(c *cobra.Command, name string, rows [][]string) error {
	var text strings.Builder
	w := csv.NewWriter(&text)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = web.Harmless(cell)
		}
		_ = w.Write(row)
	}
	w.Flush()
	if name == "-" {
		_, err := io.WriteString(c.OutOrStdout(), text.String())
		return err
	}
	if err := os.WriteFile(name, []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("writing the findings: %w", err)
	}
	fmt.Fprintf(c.ErrOrStderr(), "%s written into %s.\n", count(len(rows)-1, "finding"), name)
	return nil
}

type auditCount struct {
	Kind string `json:"kind"`
	N    int    `json:"n"`
}

type systemFinding struct {
	Kind      string `json:"kind"`
	Thing     string `json:"thing"`
	Name      string `json:"name"`
	Pool      string `json:"pool,omitempty"`
	Number    string `json:"number,omitempty"`
	Person    string `json:"person,omitempty"`
	Who       string `json:"person_name,omitempty"`
	Other     string `json:"other,omitempty"`
	OtherName string `json:"other_name,omitempty"`
	Text      string `json:"text"`
	Next      string `json:"next"`
}

// systemAudit is a telephone system as the API has it.
type systemAudit struct {
	System    string          `json:"system"`
	Title     string          `json:"title"`
	Reading   bool            `json:"reading"`
	Seen      []auditCount    `json:"seen"`
	Problem   string          `json:"problem,omitempty"`
	Failed    time.Time       `json:"failed,omitzero"`
	Read      time.Time       `json:"read,omitzero"`
	Compared  time.Time       `json:"compared,omitzero"`
	Next      time.Time       `json:"reads_next,omitzero"`
	Has       []auditCount    `json:"has"`
	Users     map[string]int  `json:"users"`
	Lines     map[string]int  `json:"lines"`
	Mailboxes map[string]int  `json:"mailboxes"`
	Unread    int             `json:"unread"`
	Counts    map[string]int  `json:"counts"`
	Total     int             `json:"total"`
	Findings  []systemFinding `json:"findings"`
	Leads     []any           `json:"leads"`
	Adoptable int             `json:"adoptable"`
}

func auditAt(system string) string { return "/numbers/audit/" + url.PathEscape(system) }

// readSystem waits until a telephone system was read and compared, and says meanwhile how far it is. again: it is read anew.
func readSystem(c *cobra.Command, cl *client, system string, again bool) (systemAudit, error) {
	ask := func() (a systemAudit, err error) {
		err = cl.call(c.Context(), http.MethodGet, auditAt(system), url.Values{"limit": {"1"}}, nil, &a)
		return a, err
	}
	a, err := ask()
	if err != nil {
		return a, err
	}
	if !a.Reading && (again || a.Read.IsZero()) {
		if err := cl.call(c.Context(), http.MethodPost, auditAt(system)+"/read", nil, nil, nil); err != nil {
			return a, err
		}
		if a, err = ask(); err != nil {
			return a, err
		}
		again = true
	}
	began, told := a.Failed, ""
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for a.Reading || !a.Read.IsZero() && a.Compared.Before(a.Read) && a.Problem == "" {
		if now := howMany(a.Seen); now != told && now != "" {
			fmt.Fprintf(c.ErrOrStderr(), "Reading %s: %s.\n", system, now)
			told = now
		}
		select {
		case <-c.Context().Done():
			return a, context.Cause(c.Context())
		case <-every.C:
		}
		if a, err = ask(); err != nil {
			return a, err
		}
	}
	if a.Problem != "" && (again && !a.Failed.Equal(began) || a.Read.IsZero()) {
		return a, fmt.Errorf("%s could not be read: %s: %w", system, a.Problem, dayone.ErrUnavailable)
	}
	return a, nil
}

func howMany(list []auditCount) string {
	var out []string
	for _, c := range list {
		out = append(out, strconv.Itoa(c.N)+" "+c.Kind)
	}
	return strings.Join(out, ", ")
}

// auditSystem prints what differs on a telephone system.
func auditSystem(c *cobra.Command, cl *client, system string, f auditFlags) error {
	if _, err := readSystem(c, cl, system, f.read); err != nil {
		return err
	}
	a, err := wholeAudit(c, cl, system, f.kind)
	if err != nil {
		return err
	}
	out := c.OutOrStdout()
	switch {
	case f.json:
		return writeJSON(out, a)
	case f.csv != "":
		rows := [][]string{{"kind", "thing", "name", "pool", "number", "person", "person name", "other", "other name", "finding", "next"}}
		for _, x := range a.Findings {
			rows = append(rows, []string{x.Kind, x.Thing, x.Name, x.Pool, x.Number, x.Person, x.Who, x.Other, x.OtherName, x.Text, x.Next})
		}
		return writeTable(c, f.csv, rows)
	}
	for _, x := range a.Findings {
		about := strings.TrimSpace(x.Thing + " " + x.Name)
		if x.Who != "" {
			about += ", " + x.Who
		}
		if x.OtherName != "" {
			about += " and " + x.OtherName
		}
		fmt.Fprintf(out, "%s: %s: %s.\n    %s\n", x.Kind, about, x.Text, x.Next)
	}
	fmt.Fprintf(out, "%s (%s) has %s; it was read on %s. %s.\n", a.System, a.Title, howMany(a.Has), clockOf(a.Read), count(a.Total, "finding"))
	if !a.Next.IsZero() {
		fmt.Fprintf(out, "It is read again about %s.\n", clockOf(a.Next))
	}
	for _, x := range []struct {
		what string
		of   map[string]int
	}{{"Users", a.Users}, {"Lines", a.Lines}, {"Mailboxes", a.Mailboxes}} {
		if s := recognised(x.of); s != "" {
			fmt.Fprintf(out, "%s recognised: %s.\n", x.what, s)
		}
	}
	if a.Unread > 0 {
		fmt.Fprintf(out, "%s could not be read, and nothing is said of them.\n", count(a.Unread, "person"))
	}
	if a.Problem != "" {
		fmt.Fprintf(out, "The last reading, on %s, broke off: %s.\n", clockOf(a.Failed), a.Problem)
	}
	if a.Adoptable > 0 {
		fmt.Fprintf(out, "The books do not know all of %s as it does; dayone number audit %s --adopt shows what they can take over.\n", count(a.Adoptable, "number"), system)
	}
	return nil
}

// wholeAudit is every page of one.
func wholeAudit(c *cobra.Command, cl *client, system, kind string) (systemAudit, error) {
	var whole systemAudit
	q := url.Values{"limit": {"1000"}}
	if kind != "" {
		q.Set("kind", kind)
	}
	for {
		var a systemAudit
		q.Set("after", strconv.Itoa(len(whole.Findings)))
		if err := cl.call(c.Context(), http.MethodGet, auditAt(system), q, nil, &a); err != nil {
			return a, err
		}
		a.Findings = append(whole.Findings, a.Findings...)
		more := len(a.Findings) > len(whole.Findings) && len(a.Findings) < a.Total
		if whole = a; !more {
			return whole, nil
		}
	}
}

func recognised(of map[string]int) string {
	var out []string
	for _, word := range []string{"certain", "sure", "likely", "possible", "none"} {
		if of[word] > 0 {
			out = append(out, strconv.Itoa(of[word])+" "+word)
		}
	}
	return strings.Join(out, ", ")
}

// adoptSystem shows what adopting does, asks, and does it.
func adoptSystem(c *cobra.Command, cl *client, system string, f auditFlags) error {
	if _, err := readSystem(c, cl, system, f.read); err != nil {
		return err
	}
	type adoption struct {
		System   string    `json:"system"`
		Read     time.Time `json:"read"`
		Adopted  bool      `json:"adopted"`
		Assigned int       `json:"assigned"`
		Held     int       `json:"held"`
		Shown    int       `json:"shown"`
		Same     int       `json:"same"`
		Left     int       `json:"left"`
		More     int       `json:"more"`
		Lines    []struct {
			Number     string `json:"number"`
			Line       string `json:"line"`
			Person     string `json:"person,omitempty"`
			Name       string `json:"person_name,omitempty"`
			Does       string `json:"does"`
			Confidence string `json:"confidence"`
			Why        string `json:"why"`
		} `json:"lines"`
	}
	out := c.OutOrStdout()
	post := func(check bool) (x adoption, err error) {
		in := struct {
			Check bool   `json:"check"`
			Least string `json:"least"`
		}{check, f.least}
		if err = cl.call(c.Context(), http.MethodPost, auditAt(system)+"/adopt", nil, in, &x); err != nil || f.json {
			return x, err
		}
		does := "Adopted"
		if check {
			does = "Adopting would do this"
		}
		fmt.Fprintf(out, "%s: %s somebody's and confirmed, %d held, %s where they ring, too; %d so already, %d left as they are. Nothing is changed on %s.\n",
			does, count(x.Assigned, "number"), x.Held, count(x.Shown, "place"), x.Same, x.Left, system)
		return x, nil
	}
	x, err := post(true)
	if err != nil {
		return err
	}
	if !f.json {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, l := range x.Lines {
			why := l.Why
			if !slices.Contains([]string{"left", "held"}, l.Does) {
				why = l.Confidence + ": " + l.Why
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.Number, l.Does, l.Name, why)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if x.More > 0 {
			fmt.Fprintf(out, "%s more are not listed.\n", thousands(x.More))
		}
	}
	switch nothing := x.Assigned+x.Held+x.Shown == 0; {
	case f.json && (f.check || nothing):
		return writeJSON(out, x)
	case f.check || nothing:
		return nil
	case !f.yes:
		if err := sure(c, "Adopt it?"); err != nil {
			return err
		}
	}
	if x, err = post(false); err != nil || !f.json {
		return err
	}
	return writeJSON(out, x)
}

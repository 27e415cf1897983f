package main

import (
	"cmp"
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

func newNumber() *cobra.Command {
	c := &cobra.Command{
		Use:   "number",
		Short: "Telephone numbers: pools, whose each is, and what became of it",
		Long: `Every telephone number has one owner at most, and is available, reserved, assigned, at rest, held, external or retired.
numbers.yaml says which numbers there are and by which rules they are given; docs/numbers.md has all of it. These commands
speak with the running server, at portal.url of the configuration and with its token.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newNumberPools(), newNumberList(), newNumberShow(), newNumberPlan(), newNumberImport(), newNumberGive("reserve"), newNumberGive("assign"),
		newNumberOrder("confirm"), newNumberOrder("release"), newNumberOrder("hold"), newNumberOrder("retire"), newNumberShare(), newNumberAudit())
	return c
}

// numberRow is a number as the API has it.
type numberRow struct {
	ID        string    `json:"id"`
	Pool      string    `json:"pool,omitempty"`
	Platform  string    `json:"platform,omitempty"`
	Partition string    `json:"partition,omitempty"`
	Pattern   string    `json:"pattern"`
	State     string    `json:"state"`
	Since     time.Time `json:"since,omitzero"`
	Until     time.Time `json:"until,omitzero"`
	Confirmed time.Time `json:"confirmed,omitzero"`
	Person    string    `json:"person,omitempty"`
	Name      string    `json:"name,omitempty"`
	Hidden    bool      `json:"hidden,omitempty"`
	Vanity    bool      `json:"vanity,omitempty"`
	For       string    `json:"for,omitempty"`
	Ref       string    `json:"ref,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Emergency string    `json:"emergency,omitempty"`
	Why       string    `json:"why,omitempty"`
}

// whose is for whom a number is, in words.
func (n numberRow) whose() string {
	if n.Hidden {
		return "somebody who is confidential"
	}
	return cmp.Or(n.Name, strings.Join(slices.DeleteFunc([]string{n.For, n.Ref, n.Reason}, func(s string) bool { return s == "" }), ", "))
}

// is says what a number is for, in words.
func (n numberRow) is() string {
	if n.State == "quarantine" {
		return "at rest"
	}
	return n.State
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateOnly)
}

func newNumberPools() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "pools", Short: "List pools: what is left of each, and how long it lasts", Args: args(0, 0, "no arguments"), Example: "  dayone number pools",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var page struct {
				Items []struct {
					Name      string         `json:"name"`
					Title     string         `json:"title,omitempty"`
					Platform  string         `json:"platform"`
					Site      string         `json:"site,omitempty"`
					Class     string         `json:"class,omitempty"`
					Emergency string         `json:"emergency"`
					Total     int            `json:"total"`
					Free      int            `json:"free"`
					Low       int            `json:"low"`
					Needs     int            `json:"needs"`
					Short     int            `json:"short"`
					ShortFrom time.Time      `json:"short_from,omitzero"`
					Exhausted time.Time      `json:"exhausted,omitzero"`
					Count     map[string]int `json:"count"`
				} `json:"items"`
			}
			if err := cl.call(c.Context(), http.MethodGet, "/numbers/pools", nil, nil, &page); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), page.Items)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "There is no pool yet; dayone number plan FILE saves numbers.yaml.")
			} else {
				fmt.Fprintln(w, "POOL\tPLATFORM\tSITE\tFREE\tTOTAL\tASSIGNED\tRESERVED\tAT REST\tOUTLOOK")
			}
			for _, p := range page.Items {
				look := "enough"
				switch {
				case p.Short > 0:
					look = fmt.Sprintf("%d of %d people to come get none, from %s on", p.Short, p.Needs, day(p.ShortFrom))
				case p.Free < p.Low:
					look = fmt.Sprintf("low: fewer than %d are left", p.Low)
				case p.Needs > 0:
					look = fmt.Sprintf("enough for %d to come", p.Needs)
				}
				if !p.Exhausted.IsZero() {
					look += ", empty about " + day(p.Exhausted)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", p.Name, p.Platform, p.Site, p.Free, p.Total, p.Count["assigned"], p.Count["reserved"], p.Count["quarantine"], look)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func newNumberList() *cobra.Command {
	var pool, state, person string
	var limit int
	var asJSON bool
	c := &cobra.Command{
		Use: "list [DIGITS]", Short: "List numbers, by the digits in which they end, or by how they begin with a +", Args: args(0, 1, "at most some digits"),
		Example: "  dayone number list 17\n  dayone number list --pool berlin --state reserved\n  dayone number list --person sarah.chen@company.com",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			q := url.Values{"limit": {strconv.Itoa(limit)}}
			for name, v := range map[string]string{"pool": pool, "state": state, "person": person} {
				if v != "" {
					q.Set(name, v)
				}
			}
			if len(got) > 0 {
				q.Set("q", got[0])
			}
			var page struct {
				Items []numberRow
				Next  string
			}
			if err := cl.call(c.Context(), http.MethodGet, "/numbers", q, nil, &page); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), page.Items)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, n := range page.Items {
				until := ""
				if !n.Until.IsZero() {
					until = "until " + day(n.Until)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", n.ID, n.State, n.Pool, n.whose(), until)
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "No number is like that.")
			}
			if page.Next != "" {
				fmt.Fprintln(w, "There are more: narrow it down, or say --limit (at most 200).")
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(&pool, "pool", "", "only of this pool")
	c.Flags().StringVar(&state, "state", "", "only available, reserved, assigned, quarantine, held, external or retired")
	c.Flags().StringVar(&person, "person", "", "only those of this person, by mail address, id or name")
	c.Flags().IntVar(&limit, "limit", 50, "at most so many, up to 200")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

// numberDetail is a number with where else it rings and what became of it.
type numberDetail struct {
	numberRow
	Shown []struct {
		Slot   int       `json:"slot"`
		Role   string    `json:"role"`
		Name   string    `json:"name,omitempty"`
		Device string    `json:"device,omitempty"`
		Since  time.Time `json:"since"`
	} `json:"shown"`
	History []struct {
		Seq  int       `json:"seq"`
		At   time.Time `json:"at"`
		What string    `json:"what"`
		To   string    `json:"to"`
		Name string    `json:"name,omitempty"`
		By   string    `json:"by,omitempty"`
		Note string    `json:"note,omitempty"`
	} `json:"history"`
}

func numberAt(number string) string { return "/numbers/" + url.PathEscape(number) }

func newNumberShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show NUMBER", Short: "Show a number, where it rings, and what became of it", Args: args(1, 1, "a number"), Example: `  dayone number show "+49 30 12340017"`,
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var n numberDetail
			if err := cl.call(c.Context(), http.MethodGet, numberAt(got[0]), nil, nil, &n); err != nil {
				return listed(err, "number", got[0], "dayone number list")
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), n)
			}
			printNumber(c.OutOrStdout(), n)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func printNumber(out io.Writer, n numberDetail) {
	fmt.Fprintf(out, "%s is %s", n.ID, n.is())
	if who := n.whose(); who != "" {
		fmt.Fprintf(out, ": %s", who)
	}
	fmt.Fprintf(out, ", since %s.\n", day(n.Since))
	for _, x := range []struct{ name, value string }{
		{"pool", n.Pool}, {"platform", strings.TrimSuffix(n.Platform+", "+n.Partition, ", ")}, {"pattern", n.Pattern}, {"emergency location", n.Emergency}, {"until", day(n.Until)}, {"confirmed", day(n.Confirmed)},
	} {
		if x.value != "" {
			fmt.Fprintf(out, "  %s: %s\n", x.name, x.value)
		}
	}
	for _, s := range n.Shown {
		fmt.Fprintf(out, "  rings elsewhere, too (%d): %s %s %s\n", s.Slot, s.Role, s.Name, s.Device)
	}
	fmt.Fprintln(out, "\nHistory, the newest first:")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, e := range n.History {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", clockOf(e.At), e.What, e.Name, cmp.Or(e.By, "a timer"), e.Note)
	}
	_ = w.Flush()
}

// newNumberGive makes reserve and assign.
func newNumberGive(verb string) *cobra.Command {
	var in struct {
		Person  string `json:"person,omitempty"`
		Name    string `json:"name,omitempty"`
		Ref     string `json:"ref,omitempty"`
		Pool    string `json:"pool,omitempty"`
		Number  string `json:"number,omitempty"`
		Like    string `json:"like,omitempty"`
		Another bool   `json:"another,omitempty"`
		From    string `json:"from,omitempty"`
		Until   string `json:"until,omitempty"`
		Reason  string `json:"reason,omitempty"`
	}
	c := &cobra.Command{
		Use: verb + " [PERSON]", Short: "Keep a number for somebody, also with an offer", Args: args(0, 1, "at most a person, by mail address, id or name"),
		Long: `Reserve keeps a number until it is assigned, or until its time is over. For somebody who is in no books yet say --for and
--ref: when HR hires them under that id, the number is theirs. Asked twice for a person it is the same number.`,
		Example: "  dayone number reserve sarah.chen@company.com\n  dayone number reserve --pool berlin --for \"Ngozi Eze\" --ref emp_812 --from 2025-03-01\n  dayone number reserve --number +493012340000 --for \"the front desk\"",
		RunE: func(c *cobra.Command, got []string) error {
			if len(got) > 0 {
				in.Person = got[0]
			}
			if in.Person == "" && in.Name == "" && in.Ref == "" {
				return &usageError{fmt.Errorf("say for whom: a person, or --for and --ref for somebody who is in no books yet; see %s --help", c.CommandPath())}
			}
			if in.Person == "" && in.Pool == "" && in.Number == "" {
				return &usageError{fmt.Errorf("say --pool or --number; dayone number pools lists pools")}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var n numberRow
			if err := cl.call(c.Context(), http.MethodPost, "/numbers/"+verb, nil, in, &n); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is %s: %s (%s).\n", n.ID, n.State, n.whose(), n.Why)
			return nil
		},
	}
	c.Flags().StringVar(&in.Pool, "pool", "", "of this pool; else the one that rules name for the person")
	c.Flags().StringVar(&in.Number, "number", "", "just this one")
	c.Flags().StringVar(&in.Like, "like", "", "last digits that are wished")
	c.Flags().BoolVar(&in.Another, "another", false, "though they have one of this pool")
	c.Flags().StringVar(&in.Reason, "reason", "", "why, for the record")
	if verb == "reserve" {
		c.Flags().StringVar(&in.Name, "for", "", "for whom, who is in no books yet, or for which room")
		c.Flags().StringVar(&in.Ref, "ref", "", "an offer, or the employee number to come")
		c.Flags().StringVar(&in.From, "from", "", "the day from which it is needed")
		c.Flags().StringVar(&in.Until, "until", "", "the last day on which it is kept")
		return c
	}
	c.Short = "Make a number somebody's own"
	c.Long = `Assign gives the number that is reserved for them, the one that they had before, the one that you name, or the one that is
free for longest. It is confirmed when its platform shows it.`
	c.Example = "  dayone number assign sarah.chen@company.com\n  dayone number assign sarah.chen@company.com --like 17"
	c.Use, c.Args = "assign PERSON", args(1, 1, "a person, by mail address, id or name")
	return c
}

// numberOrders are the verbs about one number: what they say of themselves, and what they ask before they do anything.
var numberOrders = map[string]struct{ short, long, question string }{
	"confirm": {"Say that a number's platform shows it", "Confirm says that the platform shows the number as its owner's. One without an emergency location is refused.", ""},
	"release": {"Take a number back", "Release takes a number from its owner. It rests, for as long as its pool says, before anybody else gets it. One that others show\nis released only to an heir. A reservation, a hold and a retirement end by it, too.", "Release %s?"},
	"hold":    {"Give a number to nobody", "Hold keeps a number from being given until it is released.", ""},
	"retire":  {"Say that a number is not ours any more", "Retire takes a number out of use for good. Its history stays.", "Retire %s?"},
}

func newNumberOrder(verb string) *cobra.Command {
	var in struct {
		Reason string `json:"reason,omitempty"`
		Heir   string `json:"heir,omitempty"`
	}
	var yes bool
	is := numberOrders[verb]
	c := &cobra.Command{
		Use: verb + " NUMBER", Short: is.short, Long: is.long, Args: args(1, 1, "a number"), Example: `  dayone number ` + verb + ` +493012340017 --reason "why"`,
		RunE: func(c *cobra.Command, got []string) error {
			if verb != "confirm" && strings.TrimSpace(in.Reason) == "" {
				return &usageError{fmt.Errorf("say why with --reason: it goes into the record")}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			if is.question != "" && !yes {
				var n numberDetail
				if err := cl.call(c.Context(), http.MethodGet, numberAt(got[0]), nil, nil, &n); err != nil {
					return listed(err, "number", got[0], "dayone number list")
				}
				fmt.Fprintf(c.OutOrStdout(), "%s is %s: %s.\n", n.ID, n.is(), cmp.Or(n.whose(), "nobody's"))
				if err := sure(c, fmt.Sprintf(is.question, n.ID)); err != nil {
					return err
				}
			}
			var n numberDetail
			if err := cl.call(c.Context(), http.MethodPost, numberAt(got[0])+"/"+verb, nil, in, &n); err != nil {
				return listed(err, "number", got[0], "dayone number list")
			}
			text := fmt.Sprintf("%s is %s", n.ID, n.is())
			if who := n.whose(); who != "" {
				text += ": " + who
			}
			if !n.Until.IsZero() {
				text += ", until " + day(n.Until)
			}
			fmt.Fprintln(c.OutOrStdout(), text+".")
			return nil
		},
	}
	c.Flags().StringVar(&in.Reason, "reason", "", "why, for the record")
	if verb == "release" {
		c.Flags().StringVar(&in.Heir, "heir", "", "who has it from now on, by mail address, id or name")
	}
	if is.question != "" {
		c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	}
	return c
}

func newNumberShare() *cobra.Command {
	var in struct {
		Role   string `json:"role"`
		Person string `json:"person,omitempty"`
		Device string `json:"device,omitempty"`
	}
	var end int
	c := &cobra.Command{
		Use: "share NUMBER", Short: "Say where a number rings besides at its owner's", Args: args(1, 1, "a number"),
		Long:    "A number that rings elsewhere, too, is not taken from there with its owner: its release asks for an heir.",
		Example: "  dayone number share +493012340017 --role assistant --person ada@company.com --device SEP001122334455\n  dayone number share +493012340017 --end 1",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			if end > 0 {
				if err := cl.call(c.Context(), http.MethodDelete, numberAt(got[0])+"/shown/"+strconv.Itoa(end), nil, nil, nil); err != nil {
					return err
				}
				fmt.Fprintln(c.OutOrStdout(), "It rings there no more.")
				return nil
			}
			var n numberDetail
			if err := cl.call(c.Context(), http.MethodPost, numberAt(got[0])+"/shown", nil, in, &n); err != nil {
				return listed(err, "number", got[0], "dayone number list")
			}
			printNumber(c.OutOrStdout(), n)
			return nil
		},
	}
	c.Flags().StringVar(&in.Role, "role", "shared", "second, shared, fax or assistant")
	c.Flags().StringVar(&in.Person, "person", "", "at whom, by mail address, id or name")
	c.Flags().StringVar(&in.Device, "device", "", "at which device")
	c.Flags().IntVar(&end, "end", 0, "it rings no more at this place")
	return c
}

// errFaults ends a command whose file has faults; they were printed.
var errFaults = fmt.Errorf("nothing was done: %w", dayone.ErrInvalid)

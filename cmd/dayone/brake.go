package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

func newBrake() *cobra.Command {
	c := &cobra.Command{
		Use:   "brake",
		Short: "See what is held back since it would take away too much at once; let it through or throw it away",
		Long: `A brake holds what is beyond a limit: terminations of a source in a day, a list that is empty or much shorter, an attribute
that changes for too many, accesses that would go from too many at one system, and a system that suddenly lists far fewer
accounts. Everything else goes on. docs/brakes.md has the limits. These commands speak with the running server, at
portal.url of the configuration and with its token.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newBrakeList(), newBrakeShow(), newBrakeMissing(), newBrakeVerdict("release"), newBrakeVerdict("take-back"), newBrakeVerdict("discard"), newAnnounce(), newAnnounced())
	return c
}

// brakeRow is a brake as the API has it.
type brakeRow struct {
	ID, Scope, Rule, Title, State, Note, By, Second, Reason, Hash string
	Held, Unseen                                                  int
	Opened                                                        time.Time
	SecondNeeded                                                  bool `json:"second_needed"`

	ProposedBy     string    `json:"proposed_by,omitempty"`
	ProposedAt     time.Time `json:"proposed_at,omitzero"`
	ProposedReason string    `json:"proposed_reason,omitempty"`
	ProposedStale  bool      `json:"proposed_stale,omitempty"`
	Items          []struct {
		Item, Person, Name, Subject, What string
		Changes                           []struct{ What, Was, Is string }
	}
	ItemsNext   string              `json:"items_next,omitempty"`
	List        *dayone.ListFigures `json:"list,omitempty"`
	Missing     []missingRow        `json:"missing"`
	MissingNext string              `json:"missing_next,omitempty"`
}

// proposed says what somebody wants let through, and what comes of it; "": nobody does.
func (b brakeRow) proposed() string {
	switch {
	case b.ProposedBy == "":
		return ""
	case b.ProposedStale:
		return b.ProposedBy + " proposed to let something else through; that counts for nothing"
	}
	return "waits for a second person: " + b.ProposedBy + " wants it let through, " + b.ProposedReason
}

// missingRow is somebody whom a held list lacks.
type missingRow struct {
	Person   string   `json:"person"`
	Name     string   `json:"name"`
	Subjects []string `json:"subjects"`
}

// printMissing writes the sums of a held list, and the first of those whom it lacks.
func printMissing(out io.Writer, b brakeRow) {
	l := b.List
	if l == nil {
		return
	}
	fmt.Fprintf(out, "The last list that counted had %s. This one has %s: %s of employments in the books, %s new", count(l.Before, "record"), thousands(l.Records), thousands(l.There), thousands(l.New))
	if l.Unusable > 0 {
		fmt.Fprintf(out, ", %s of no use", thousands(l.Unusable))
	}
	fmt.Fprintf(out, ".\nIn the books of this source are %s: %s in this list, %s missing, %s not in it and not missing", count(l.Known, "employment"), thousands(l.There), thousands(l.Missing), thousands(l.Aside))
	if l.Unfit {
		fmt.Fprintln(out, ", since it is empty, or has records that are old or of no use.")
	} else {
		fmt.Fprintln(out, ": they have left, leave today, or are newer than the list.")
	}
	for _, x := range b.Missing {
		fmt.Fprintf(out, "  missing: %s (%s)\n", x.Name, strings.Join(x.Subjects, ", "))
	}
	if b.MissingNext != "" {
		fmt.Fprintf(out, "  and more: dayone brake missing %s lists all of them.\n", b.ID)
	}
}

func newBrakeMissing() *cobra.Command {
	var text string
	var asJSON bool
	c := &cobra.Command{
		Use: "missing BRAKE", Short: "List whom a list lacks that a brake holds", Args: args(1, 1, "the id of a brake"),
		Long: `Missing lists all whom a list lacks that a brake holds, by name, until somebody decides. Let through, they are among those of
dayone source missing.`,
		Example: "  dayone brake missing brk_01jd9x0000000000000000000a\n  dayone brake missing brk_01jd9x0000000000000000000a --search fisch",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			q, list, unnamed := url.Values{"limit": {"200"}}, []missingRow{}, 0
			if text != "" {
				q.Set("q", text)
			}
			for {
				var page struct {
					Items   []missingRow
					Next    string
					Unnamed int
				}
				if err := cl.call(c.Context(), http.MethodGet, "/brakes/"+url.PathEscape(got[0])+"/missing", q, nil, &page); err != nil {
					return listed(err, "brake", got[0], "dayone brake list")
				}
				list, unnamed = append(list, page.Items...), page.Unnamed
				next, err := url.Parse(page.Next)
				if err != nil {
					return fmt.Errorf("the server's next page does not read: %w", err)
				}
				if q = next.Query(); len(q) == 0 {
					break
				}
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), map[string]any{"items": list, "unnamed": unnamed})
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, x := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\n", x.Person, strings.Join(x.Subjects, ", "), x.Name)
			}
			switch {
			case len(list) == 0 && text != "":
				fmt.Fprintln(w, "Nobody of that name is missing.")
			case len(list) == 0 && unnamed == 0:
				fmt.Fprintln(w, "Nobody is missing.")
			}
			if unnamed > 0 {
				fmt.Fprintf(w, "Not named, since they are beyond your role or erased since: %s.\n", count(unnamed, "employment"))
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(&text, "search", "", "only whose name, a word of it, or mail address begins so")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func newBrakeList() *cobra.Command {
	var all, asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List brakes that hold", Args: args(0, 0, "no arguments"), Example: "  dayone brake list\n  dayone brake list --all",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			q := url.Values{"limit": {"200"}}
			if all {
				q.Set("state", "all")
			}
			var page struct {
				Items []brakeRow
				Next  string
			}
			if err := cl.call(c.Context(), http.MethodGet, "/brakes", q, nil, &page); err != nil {
				return err
			}
			andMore(c, page.Next)
			if asJSON {
				return writeJSON(c.OutOrStdout(), page.Items)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, b := range page.Items {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d held\t%s\t%s\n", b.ID, b.State, clockOf(b.Opened), b.Held, b.Title, strings.TrimPrefix(b.proposed()+"; "+b.Note, "; "))
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "Nothing is held.")
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&all, "all", false, "also those that somebody decided")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func newBrakeShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show BRAKE", Short: "Show what a brake holds, and what would change", Args: args(1, 1, "the id of a brake"), Example: "  dayone brake show brk_01jd9x0000000000000000000a",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var b brakeRow
			for q := (url.Values{"limit": {"200"}}); len(q) > 0; {
				var page brakeRow
				if err := cl.call(c.Context(), http.MethodGet, "/brakes/"+url.PathEscape(got[0]), q, nil, &page); err != nil {
					return listed(err, "brake", got[0], "dayone brake list")
				}
				next, err := url.Parse(page.ItemsNext)
				switch {
				case err != nil:
					return fmt.Errorf("the server's next page does not read: %w", err)
				case b.ID == "":
					b = page
				case b.Hash != page.Hash: // else it would list what no hash names
					return fmt.Errorf("something has joined or left what %s holds while it was read; run this again: %w", got[0], dayone.ErrConflict)
				default:
					b.Items = append(b.Items, page.Items...)
				}
				q, b.ItemsNext = next.Query(), ""
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), b)
			}
			out := c.OutOrStdout()
			fmt.Fprintf(out, "%s\n%s\n%s since %s; %s.\n", b.Title, b.Note, b.State, clockOf(b.Opened), count(b.Held, "thing")+" held")
			if b.By != "" {
				fmt.Fprintf(out, "Decided by %s: %s\n", strings.TrimSuffix(b.By+" and "+b.Second, " and "), b.Reason)
			}
			if b.ProposedBy != "" {
				fmt.Fprintf(out, "Since %s: %s.\n", clockOf(b.ProposedAt), b.proposed())
			}
			printMissing(out, b)
			for _, x := range b.Items {
				fmt.Fprintf(out, "\n  %s (%s): %s\n", x.Name, cmp.Or(x.Subject, x.Person), cmp.Or(x.What, "not looked at yet"))
				for _, l := range x.Changes {
					fmt.Fprintf(out, "    %s: %s -> %s\n", l.What, cmp.Or(l.Was, "nothing"), cmp.Or(l.Is, "nothing"))
				}
			}
			if b.Hash == "" {
				return nil
			}
			switch {
			case b.SecondNeeded && b.ProposedBy != "" && !b.ProposedStale:
				fmt.Fprint(out, "\nTo confirm just this as the second person, with a login of your own on its page, or here if it was proposed there:\n")
			case b.SecondNeeded:
				fmt.Fprint(out, "\nTo propose that just this is let through, which somebody else with a login of their own then confirms on its page:\n")
			default:
				fmt.Fprint(out, "\nTo let just this through:\n")
			}
			fmt.Fprintf(out, "  dayone brake release %s --hash %s --by NAME --reason WHY\n", b.ID, b.Hash)
			if b.ProposedBy != "" {
				fmt.Fprintf(out, "To take the proposal back:\n  dayone brake take-back %s --by NAME --reason WHY\n", b.ID)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

// newBrakeVerdict makes release, take-back and discard, which differ in what must be named.
func newBrakeVerdict(verb string) *cobra.Command {
	in := struct {
		Hash   string `json:"hash,omitempty"`
		By     string `json:"by"`
		Reason string `json:"reason"`
	}{}
	c := &cobra.Command{
		Use: verb + " BRAKE", Short: "Let through exactly what was reviewed", Args: args(1, 1, "the id of a brake"),
		Long: `Release lets through what dayone brake show has shown: --hash names it. If something has joined or left since, it is
refused; what is something else by the time it is carried out is held again. Where two persons have to agree it is proposed by this,
and nothing goes before another login confirms it. All who use this command with one token are one login.`,
		Example: `  dayone brake release brk_01jd9x0000000000000000000a --hash 0a1b2c3d4e5f6071 --by kim --reason "the site closes"`,
		RunE: func(c *cobra.Command, got []string) error {
			if in.By == "" || in.Reason == "" || verb == "release" && in.Hash == "" {
				return &usageError{fmt.Errorf("say --by and --reason, and for a release --hash; dayone brake show %s has it", got[0])}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var b brakeRow
			if err := cl.call(c.Context(), http.MethodPost, "/brakes/"+url.PathEscape(got[0])+"/"+verb, nil, in, &b); err != nil {
				return listed(err, "brake", got[0], "dayone brake list")
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %s, %s.\n", b.Title, b.State, count(b.Held, "thing"))
			if b.ProposedBy != "" {
				fmt.Fprintf(c.OutOrStdout(), "Nothing goes yet: somebody else with a login of their own confirms it, at %s/brakes/%s.\n", cl.base, b.ID)
			}
			return nil
		},
	}
	switch verb {
	case "take-back":
		c.Short = "Take back a release that was proposed"
		c.Long = `Take-back takes back what dayone brake release has proposed where two persons have to agree. The brake goes on holding.`
		c.Example = `  dayone brake take-back brk_01jd9x0000000000000000000a --by kim --reason "ask HR first"`
	case "discard":
		c.Short = "Throw away what a brake holds"
		c.Long = `Discard throws away what a brake holds. Events count for nothing; what is still so at the source comes again with its next
list. Accesses that would have gone stay for 30 days; then somebody is asked.`
		c.Example = `  dayone brake discard brk_01jd9x0000000000000000000a --by kim --reason "HR sent half a list"`
	}
	c.Flags().StringVar(&in.Hash, "hash", "", "what was reviewed, as dayone brake show says")
	c.Flags().StringVar(&in.By, "by", "", "who decides")
	c.Flags().StringVar(&in.Reason, "reason", "", "why, for the record")
	return c
}

func newAnnounce() *cobra.Command {
	in := struct {
		Source string `json:"source"`
		Count  int    `json:"count"`
		From   string `json:"from"`
		Until  string `json:"until"`
		Reason string `json:"reason"`
		By     string `json:"by"`
	}{}
	c := &cobra.Command{
		Use: "announce", Short: "Announce a lay-off: so many more terminations of a source pass", Args: args(0, 0, "no arguments"),
		Long: `Announce lets so many more terminations of a source pass in these days, once another login has confirmed it. Where one person may
act alone (alone.allowed), it also counts by itself when a notice is over. All who use this command with one token are one login.`,
		Example: `  dayone brake announce --source hr --count 40 --from 2025-01-31 --until 2025-02-07 --reason "the site closes" --by kim@company.com`,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var out struct {
				ID     string
				Counts time.Time
			}
			if err := cl.call(c.Context(), http.MethodPost, "/announcements", nil, in, &out); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %s of %s from %s to %s.\n", out.ID, count(in.Count, "more termination"), in.Source, in.From, in.Until)
			if out.Counts.IsZero() {
				fmt.Fprintf(c.OutOrStdout(), "Nobody passes by it yet: somebody else with a login of their own confirms it, at %s/brakes.\n", cl.base)
			} else {
				fmt.Fprintf(c.OutOrStdout(), "It counts from %s on unless it is taken back, or once somebody else confirms it, at %s/brakes.\n", clockOf(out.Counts), cl.base)
			}
			return nil
		},
	}
	c.Flags().StringVar(&in.Source, "source", "", "whose terminations")
	c.Flags().IntVar(&in.Count, "count", 0, "how many")
	c.Flags().StringVar(&in.From, "from", "", "the first day, 2025-01-31")
	c.Flags().StringVar(&in.Until, "until", "", "the last day")
	c.Flags().StringVar(&in.Reason, "reason", "", "why, for the record")
	c.Flags().StringVar(&in.By, "by", "", "who announces it")
	return c
}

func newAnnounced() *cobra.Command {
	var end, confirm, by string
	c := &cobra.Command{
		Use: "announced", Short: "List announced lay-offs, confirm one as the second person, or take one back", Args: args(0, 0, "no arguments"),
		Example: "  dayone brake announced\n  dayone brake announced --end ann_01jd9x0000000000000000000a\n  dayone brake announced --confirm ann_01jd9x0000000000000000000a --by lee@company.com",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			if end != "" {
				if err := cl.call(c.Context(), http.MethodDelete, "/announcements/"+url.PathEscape(end), nil, nil, nil); err != nil {
					return listed(err, "announcement", end, "dayone brake announced")
				}
				fmt.Fprintln(c.OutOrStdout(), "Taken back.")
				return nil
			}
			if confirm != "" {
				in := struct {
					By string `json:"by,omitempty"`
				}{by}
				if err := cl.call(c.Context(), http.MethodPost, "/announcements/"+url.PathEscape(confirm)+"/confirm", nil, in, nil); err != nil {
					return listed(err, "announcement", confirm, "dayone brake announced")
				}
				fmt.Fprintln(c.OutOrStdout(), "Confirmed: it counts from now on.")
				return nil
			}
			var page struct {
				Items []struct {
					ID, Source, By, Second, Reason string
					Count, Used                    int
					From, Until, Counts            time.Time
					Waits                          bool
				}
			}
			if err := cl.call(c.Context(), http.MethodGet, "/announcements", nil, nil, &page); err != nil {
				return err
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, a := range page.Items {
				stands := "counts"
				switch {
				case a.Waits && a.Counts.IsZero():
					stands = "waits for a second person"
				case a.Waits:
					stands = "counts from " + clockOf(a.Counts) + " on"
				}
				fmt.Fprintf(w, "%s\t%s\t%d of %d used\t%s to %s\t%s\t%s: %s\n", a.ID, a.Source, a.Used, a.Count, clockOf(a.From), clockOf(a.Until), stands, strings.TrimSuffix(a.By+" and "+a.Second, " and "), a.Reason)
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "Nothing is announced.")
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(&end, "end", "", "take this one back")
	c.Flags().StringVar(&confirm, "confirm", "", "confirm this one, which somebody else has announced by another login")
	c.Flags().StringVar(&by, "by", "", "who confirms it")
	return c
}

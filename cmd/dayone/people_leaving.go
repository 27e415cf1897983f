package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/paper"
)

// leavingCommands are about somebody's leaving: the emergency, the proof, and what becomes of what is known.
func leavingCommands() []*cobra.Command {
	return []*cobra.Command{newTerminate(), newReinstate(), newSuccession(), newCertificate(), newLegalHold(), newLegalRelease(), newErase(), newExport()}
}

const whoArgs = "a person, by mail address"

// order is a command about one person that needs a reason and asks before it does anything.
type order struct {
	use, short, long, example string
	question                  string
	show                      func(c *cobra.Command, cl *client, at string) error // before it asks
	do                        func(c *cobra.Command, cl *client, at, reason string) error
	flags                     func(c *cobra.Command)
	check                     func() error
}

func (o order) command() *cobra.Command {
	var reason string
	var yes bool
	c := &cobra.Command{
		Use: o.use, Short: o.short, Long: o.long, Example: o.example, Args: args(1, 1, whoArgs),
		RunE: func(c *cobra.Command, got []string) error {
			if o.check != nil {
				if err := o.check(); err != nil {
					return err
				}
			}
			if strings.TrimSpace(reason) == "" {
				return &usageError{fmt.Errorf("say why with --reason: it goes into the record")}
			}
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			at := "/people/" + url.PathEscape(who)
			if o.show != nil {
				if err := o.show(c, cl, at); err != nil {
					return err
				}
			}
			if !yes {
				if err := sure(c, o.question); err != nil {
					return err
				}
			}
			if me := whoami(); me != "" {
				reason += " (" + me + ")"
			}
			return o.do(c, cl, at, reason)
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	if o.flags != nil {
		o.flags(c)
	}
	return c
}

func newTerminate() *cobra.Command {
	var now bool
	var heir string
	return order{
		use: "terminate NAME --now", short: "End all access of somebody at once, without waiting for HR",
		long: `Terminate ends somebody's access at the moment at which it is said: it waits neither for HR nor for the end of the day, and
gives up what runs for them now. It shows what will be closed, and asks.

No ordinary word of HR gives access back: not an update, not an end that is still to come. It stands until dayone people
reinstate, or until HR cancels a termination or hires them again, also under a new number for a day after that. A planned last
day, and a confidential one, is entered in HR.

What a legal hold keeps open is shown beforehand, and becomes a task of whoever placed the hold.

What they look after goes to --successor, else to their manager; dayone people succession shows what became of it.`,
		example:  `  dayone people terminate sarah.chen@company.com --now --reason "INC-1234, sold the customer list"`,
		question: "End all access now?",
		flags: func(c *cobra.Command) {
			c.Flags().BoolVar(&now, "now", false, "needed: access ends now, not at the end of a day")
			c.Flags().StringVar(&heir, "successor", "", "mail address of who takes over what they look after (default: their manager)")
		},
		check: func() error {
			if !now {
				return &usageError{fmt.Errorf("add --now: this ends access at once; a last day that is to come is entered in HR")}
			}
			return nil
		},
		show: func(c *cobra.Command, cl *client, at string) error {
			var page struct {
				Items []struct {
					Key, Action string
					ByHand      bool `json:"by_hand"`
				}
				Stays   []saidStaying
				Summary string
			}
			if err := cl.call(c.Context(), http.MethodGet, at+"/terminate", nil, nil, &page); err != nil {
				return err
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, s := range page.Items {
				by := ""
				if s.ByHand {
					by = " by hand, as a task"
				}
				fmt.Fprintf(w, "  %s\t%s%s\n", s.Key, actionWords(s.Action), by)
			}
			if err := w.Flush(); err != nil {
				return err
			}
			out := c.OutOrStdout()
			printStays(out, page.Stays)
			if len(page.Items) == 0 && len(page.Stays) == 0 {
				fmt.Fprintln(out, "Nothing of theirs that could be closed is in the books.")
			}
			if page.Summary != "" {
				fmt.Fprintln(out, page.Summary)
			}
			return nil
		},
		do: func(c *cobra.Command, cl *client, at, reason string) error {
			said := map[string]string{"reason": reason}
			if heir != "" {
				said["successor"] = heir
			}
			return ended(c, cl, at+"/terminate", said, "The end of all access is ordered")
		},
	}.command()
}

// saidStaying is access that stays open all the same.
type saidStaying struct{ Key, Why string }

func printStays(out io.Writer, list []saidStaying) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(out, "Stays open, until a human closes it by hand:")
	for _, x := range list {
		fmt.Fprintf(out, "  %s\n", x.Why)
	}
}

// actionWords are what a step that takes something does.
func actionWords(action string) string {
	switch dayone.Action(action) {
	case dayone.AccountDisable:
		return "is closed"
	case dayone.AccountDelete:
		return "is deleted"
	case dayone.EntitlementRemove:
		return "is taken away"
	}
	return action
}

// ended gives an order after which a run begins.
func ended(c *cobra.Command, cl *client, at string, said map[string]string, what string) error {
	var done struct {
		Run, Note string
		At        time.Time
	}
	if err := cl.call(c.Context(), http.MethodPost, at, nil, said, &done); err != nil {
		return err
	}
	out := c.OutOrStdout()
	switch {
	case done.Run != "":
		fmt.Fprintf(out, "%s since %s: %s/runs/%s\n", what, clockOf(done.At), cl.base, done.Run)
	case done.Note != "":
		fmt.Fprintf(out, "%s since %s, but: %s\n", what, clockOf(done.At), done.Note)
	default:
		fmt.Fprintf(out, "%s since %s; nothing is known in the books that is to be changed. dayone people certificate reads every system back.\n", what, clockOf(done.At))
	}
	return nil
}

func newReinstate() *cobra.Command {
	return order{
		use: "reinstate NAME", short: "Take back that access was ended at once",
		long:     "Reinstate takes dayone people terminate back: what HR says of the employment counts again from now on.",
		example:  `  dayone people reinstate sarah.chen@company.com --reason "it was somebody else"`,
		question: "Give access back?",
		show: func(c *cobra.Command, cl *client, at string) error {
			var now struct {
				Ended bool `json:"access_ended"`
			}
			if err := cl.call(c.Context(), http.MethodGet, at, nil, nil, &now); err != nil || now.Ended {
				return err
			}
			return fmt.Errorf("their access was not ended here, so there is nothing to take back; a termination that HR said is cancelled in HR: %w", dayone.ErrConflict)
		},
		do: func(c *cobra.Command, cl *client, at, reason string) error {
			return ended(c, cl, at+"/reinstate", map[string]string{"reason": reason}, "What HR says counts again")
		},
	}.command()
}

func newLegalHold() *cobra.Command {
	return order{
		use: "hold NAME", short: "Place a legal hold: nothing of theirs is deleted until it is released",
		example: `  dayone people hold sarah.chen@company.com --reason "case 12/24"`, question: "Place a legal hold?",
		do: func(c *cobra.Command, cl *client, at, reason string) error {
			if err := cl.call(c.Context(), http.MethodPost, at+"/hold", nil, map[string]string{"reason": reason}, nil); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), "The legal hold stands. dayone people release ends it.")
			return err
		},
	}.command()
}

func newLegalRelease() *cobra.Command {
	return order{
		use: "release NAME", short: "Release a legal hold; deletions go on by their timers",
		example: `  dayone people release sarah.chen@company.com --reason "case 12/24 is closed"`, question: "Release the legal hold?",
		show: func(c *cobra.Command, cl *client, at string) error {
			var page struct{ Items []struct{ Ended time.Time } }
			if err := cl.call(c.Context(), http.MethodGet, at+"/legal-holds", nil, nil, &page); err != nil {
				return err
			}
			for _, h := range page.Items {
				if h.Ended.IsZero() {
					return nil
				}
			}
			return fmt.Errorf("no legal hold stands on this person: %w", dayone.ErrConflict)
		},
		do: func(c *cobra.Command, cl *client, at, reason string) error {
			if err := cl.call(c.Context(), http.MethodPost, at+"/release", nil, map[string]string{"reason": reason}, nil); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), "The legal hold is released.")
			return err
		},
	}.command()
}

// saidErasure is what erasing somebody would destroy.
type saidErasure struct {
	Name, Refused, Token string
	From                 time.Time
	Accounts             []string
	Stays                []saidStaying
	Runs, Lines          int
}

func newErase() *cobra.Command {
	var e saidErasure
	return order{
		use: "erase NAME", short: "Destroy what is known of somebody who has left, for good",
		long: `Erase destroys the key under which somebody's values lie, wherever they lie, in backups too. It is refused while they work
here, while a legal hold stands, and before privacy.retain_days or privacy.retain of the configuration has passed since they left. Lines of
the ledger stay: they name nobody, and still verify. It shows what is destroyed first, and asks.`,
		example:  `  dayone people erase sarah.chen@company.com --reason "request 88 of 3 March"`,
		question: "Destroy it, for good?",
		show: func(c *cobra.Command, cl *client, at string) error {
			if err := cl.call(c.Context(), http.MethodGet, at+"/erase", nil, nil, &e); err != nil {
				return err
			}
			printStays(c.OutOrStdout(), e.Stays)
			if e.Refused != "" {
				return fmt.Errorf("%s: %w", e.Refused, dayone.ErrForbidden)
			}
			out := c.OutOrStdout()
			fmt.Fprintf(out, "%s: every value is destroyed; %d runs stay without what they did, %d lines of the ledger stay and name nobody.\n", e.Name, e.Runs, e.Lines)
			for _, a := range e.Accounts {
				fmt.Fprintf(out, "  %s stays, and nobody knows any more whose it was\n", a)
			}
			return nil
		},
		do: func(c *cobra.Command, cl *client, at, reason string) error {
			if err := cl.call(c.Context(), http.MethodPost, at+"/erase", nil, map[string]string{"reason": reason, "token": e.Token}, nil); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), "They are erased.")
			return err
		},
	}.command()
}

func newExport() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "export NAME", Short: "Write everything that is known of somebody into one file", Args: args(1, 1, whoArgs),
		Long: `Export answers a request for access: timeline, what sources sent, access, runs, tasks, requests, holds, certificates and
records, opened, as JSON. Credentials are not in it. That it was made is recorded.`,
		Example: "  dayone people export sarah.chen@company.com --file sarah.json",
		RunE: func(c *cobra.Command, got []string) error {
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			var raw []byte
			if err := cl.call(c.Context(), http.MethodPost, "/people/"+url.PathEscape(who)+"/export", nil, nil, &raw); err != nil {
				return err
			}
			return writeFile(c.OutOrStdout(), file, raw)
		},
	}
	c.Flags().StringVar(&file, "file", "", "write it there (default: to the screen)")
	return c
}

// writeFile writes to a file that only its owner reads, or to the screen.
func writeFile(out io.Writer, file string, raw []byte) error {
	if file == "" || file == "-" {
		_, err := untamed(out).Write(raw)
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if os.IsExist(err) {
		return fmt.Errorf("%s is there already; name another file: %w", file, dayone.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	if _, err = f.Write(raw); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		_, err = fmt.Fprintf(out, "%s is written.\n", file)
	}
	return err
}

func newCertificate() *cobra.Command {
	var asJSON, last bool
	var pdf string
	c := &cobra.Command{
		Use: "certificate NAME", Short: "Ask every system what it still shows of somebody who has left", Args: args(1, 1, whoArgs),
		Long: `Certificate reads every system back, by the ids in the books and by what it recognises people by, and says of each whether
it is closed, open, or could not be read; what could not be read is never closed. It is kept with the others; one is made by
itself an hour after somebody has left. The exit code is 0 only if nothing is open and everything was read.`,
		Example: "  dayone people certificate sarah.chen@company.com\n  dayone people certificate sarah.chen@company.com --last --pdf sarah.pdf",
		RunE: func(c *cobra.Command, got []string) error {
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			at := "/people/" + url.PathEscape(who) + "/certificates"
			cert, err := certificateNow(c, cl, at, last)
			if err != nil {
				return err
			}
			switch out := c.OutOrStdout(); {
			case pdf != "":
				var raw []byte
				if err := cl.call(c.Context(), http.MethodGet, at+"/"+url.PathEscape(string(cert.ID))+"/pdf", nil, nil, &raw); err != nil {
					return err
				}
				if err := writeFile(out, pdf, raw); err != nil {
					return err
				}
			case asJSON:
				if err := writeJSON(out, cert); err != nil {
					return err
				}
			default:
				printCertificate(out, cert)
			}
			if !cert.Clean() {
				return fmt.Errorf("%s: %w", strings.TrimSuffix(paper.Summary(cert), "."), dayone.ErrConflict)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().StringVar(&pdf, "pdf", "", "write it as PDF into this file")
	c.Flags().BoolVar(&last, "last", false, "the newest that was made, instead of asking every system now")
	return c
}

func certificateNow(c *cobra.Command, cl *client, at string, last bool) (dayone.Certificate, error) {
	var cert dayone.Certificate
	if !last {
		err := cl.call(c.Context(), http.MethodPost, at, nil, nil, &cert)
		return cert, err
	}
	var page struct{ Items []dayone.Certificate }
	if err := cl.call(c.Context(), http.MethodGet, at, nil, nil, &page); err != nil {
		return cert, err
	}
	if len(page.Items) == 0 {
		return cert, fmt.Errorf("no certificate was made yet; leave --last out to make one: %w", dayone.ErrNotFound)
	}
	return page.Items[0], nil
}

func printCertificate(out io.Writer, cert dayone.Certificate) {
	fmt.Fprintf(out, "%s, left %s. %s\n", cert.Name, clockOf(cert.Left), paper.Summary(cert))
	remains := func(list []dayone.Remain) {
		for _, m := range list {
			fmt.Fprintf(out, "    %s: %s", m.Class, m.Name)
			if m.Note != "" {
				fmt.Fprintf(out, ", %s", m.Note)
			}
			if m.Act != "" {
				fmt.Fprintf(out, " (%s)", m.Act)
			}
			fmt.Fprintln(out)
		}
	}
	for _, s := range cert.Systems {
		fmt.Fprintf(out, "  %-24s %s\n", s.Title, paper.Verdict(s.Verdict))
		remains(s.Findings)
		if len(s.Unchecked) > 0 {
			fmt.Fprintf(out, "    not told, so not checked: %s\n", strings.Join(s.Unchecked, ", "))
		}
	}
	if len(cert.Others) > 0 {
		fmt.Fprintln(out, "  In our own books")
		remains(cert.Others)
	}
	fmt.Fprintf(out, "%s, made %s by %s; ledger up to line %d, chain %s\n", cert.ID, clockOf(cert.Made), cmp.Or(cert.By, "itself"), cert.Seq, cert.Chain)
}

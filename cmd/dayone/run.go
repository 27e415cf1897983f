package main

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

// What the API says of runs and holds, as far as it is printed.
type (
	saidRun struct {
		ID        string     `json:"id"`
		Person    string     `json:"person"`
		Title     string     `json:"title"`
		State     string     `json:"state"`
		Started   time.Time  `json:"started,omitzero"`
		Ended     time.Time  `json:"ended,omitzero"`
		TakesBack string     `json:"takes_back,omitempty"`
		Continued string     `json:"continued_by,omitempty"`
		TakenBack *saidBack  `json:"taken_back,omitempty"`
		Steps     []saidStep `json:"steps,omitempty"`
	}
	saidBack struct {
		By       string `json:"by"`
		Whole    bool   `json:"whole"`
		UnderWay bool   `json:"under_way"`
	}
	saidStep struct {
		Number int    `json:"number"`
		Key    string `json:"key"`
		Action string `json:"action"`
		State  string `json:"state"`
		Error  string `json:"error,omitempty"`
		Undo   string `json:"undo,omitempty"`
		Wait   *struct {
			Kind, Note string
		} `json:"wait,omitempty"`
		Unsent *saidUnsent `json:"unsent,omitempty"`
	}
	// saidUnsent is a message that is still to go out.
	saidUnsent struct {
		Waits []struct {
			Number int    `json:"number"`
			Key    string `json:"key"`
			Task   string `json:"task,omitempty"`
		} `json:"waits_for"`
		Goes    time.Time `json:"goes_without,omitzero"`
		Message *struct {
			To      []string `json:"to"`
			Subject string   `json:"subject,omitempty"`
			Text    string   `json:"text,omitempty"`
			Problem string   `json:"problem,omitempty"`
		} `json:"message,omitempty"`
	}
	saidUndo struct {
		Run     string                      `json:"run"`
		Steps   []string                    `json:"steps"`
		Live    bool                        `json:"live"`
		GivesUp string                      `json:"gives_up,omitempty"`
		Does    []saidUndone                `json:"does"`
		Stays   []struct{ Key, Why string } `json:"stays"`
		Absent  []struct{ Key, Why string } `json:"absent"`
		Holds   []string                    `json:"holds"`
		Keep    bool                        `json:"keep"`
		Until   time.Time                   `json:"until,omitzero"`
		Expires time.Time                   `json:"expires,omitzero"`
		Hash    string                      `json:"hash"`
	}
	saidUndone struct {
		Step   string `json:"step"`
		Key    string `json:"key"`
		Action string `json:"action"`
		Note   string `json:"note,omitempty"`
		Task   *struct {
			To   string `json:"to,omitempty"`
			What string `json:"what,omitempty"`
		} `json:"task,omitempty"`
	}
	saidHold struct {
		ID      string    `json:"id"`
		Person  string    `json:"person"`
		Name    string    `json:"name,omitempty"`
		Run     string    `json:"run"`
		Keys    []string  `json:"keys"`
		Keep    bool      `json:"keep"`
		Reason  string    `json:"reason,omitempty"`
		By      string    `json:"by,omitempty"`
		From    time.Time `json:"from,omitzero"`
		Until   time.Time `json:"until,omitzero"`
		Due     bool      `json:"due"`
		Ended   time.Time `json:"ended,omitzero"`
		EndedBy string    `json:"ended_by,omitempty"`
	}
)

// word is the state of a run as the portal says it, and how far it was taken back.
func (r saidRun) word() string {
	word := r.stateWord()
	switch b := r.TakenBack; {
	case b == nil:
		return word
	case b.UnderWay:
		return word + ", being taken back"
	case b.Whole:
		return word + ", taken back"
	default:
		return word + ", taken back in part"
	}
}

func (r saidRun) stateWord() string {
	switch {
	case r.State == string(dayone.RunHeld):
		return "paused"
	case r.State == string(dayone.RunSuperseded) && r.Continued != "":
		return "continued in " + r.Continued
	case r.State == string(dayone.RunSuperseded):
		return "continued"
	}
	return r.State
}

func newRun() *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "List, show, undo and decide about runs of the running server",
		Long: `A run is a plan being carried out. These commands speak to the server that portal.url of the configuration names, with
the token of portal.token; --portal names another server, such as a demo's.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newRunList(), newRunShow(), newRunRequests(), newRunUndo())
	c.AddCommand(runDecisions()...)
	return c
}

func newRunList() *cobra.Command {
	var asJSON bool
	var person string
	var states []string
	var limit int
	c := &cobra.Command{
		Use:     "list",
		Short:   "List runs, newest first",
		Example: "  dayone run list --state incomplete\n  dayone run list --person per_01jd9x0000000000000000000a",
		Args:    args(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			q := url.Values{"limit": {strconv.Itoa(limit)}, "state": states}
			if person != "" {
				q.Set("person", person)
			}
			var page struct {
				Items []saidRun
				Next  string
			}
			if err := cl.call(c.Context(), "GET", "/runs", q, nil, &page); err != nil {
				return err
			}
			andMore(c, page.Next)
			if asJSON {
				return writeJSON(c.OutOrStdout(), page.Items)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, r := range page.Items {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.ID, clockOf(r.Started), r.word(), r.Title)
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "There is no such run.")
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(&person, "person", "", "only runs of this person: an id")
	c.Flags().StringArrayVar(&states, "state", nil, "only runs in this state; may be given several times")
	c.Flags().IntVar(&limit, "limit", 50, "how many, at most 200")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func newRunShow() *cobra.Command {
	var asJSON, letters bool
	c := &cobra.Command{
		Use:   "show RUN",
		Short: "Show a run with its steps, as it stands now",
		Long: `Show prints each step of a run, how it stands, and what it waits for. Of a message that is still to go out it says which steps
come first, the task that ends the wait, and when it goes out without them; with --messages also how it reads so far.`,
		Example: "  dayone run show run_01jd9x0000000000000000000a --messages",
		Args:    args(1, 1, "a run"),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var r saidRun
			if err := cl.call(c.Context(), "GET", "/runs/"+url.PathEscape(args[0]), nil, nil, &r); err != nil {
				return listed(err, "run", args[0], "dayone run list")
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), r)
			}
			if err := printRun(c.OutOrStdout(), r); err != nil || !letters {
				return err
			}
			return printLetters(c.OutOrStdout(), r)
		},
	}
	c.Flags().BoolVar(&letters, "messages", false, "also print the messages that are still to go out, as they read so far")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func printRun(out io.Writer, r saidRun) error {
	fmt.Fprintf(out, "%s, %s, started %s\n", r.Title, r.word(), clockOf(r.Started))
	switch {
	case r.TakesBack == r.ID && r.ID != "":
		fmt.Fprintln(out, "Somebody turned it back.")
	case r.TakesBack != "":
		fmt.Fprintf(out, "It takes back run %s.\n", r.TakesBack)
	case r.TakenBack != nil && r.TakenBack.UnderWay:
		fmt.Fprintf(out, "Run %s is taking it back.\n", r.TakenBack.By)
	case r.TakenBack != nil && r.TakenBack.Whole:
		fmt.Fprintf(out, "Run %s took it back.\n", r.TakenBack.By)
	case r.TakenBack != nil:
		fmt.Fprintf(out, "Run %s took a part of it back.\n", r.TakenBack.By)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range r.Steps {
		note := s.Error
		if note == "" && s.Wait != nil {
			note = s.Wait.Kind + ": " + s.Wait.Note
		}
		if note == "" && s.Unsent != nil {
			note = s.Unsent.why()
		}
		fmt.Fprintf(w, "  %d\t%s\t%s\t%s\t%s\n", s.Number, s.Key, s.Action, s.State, strings.SplitN(note, "\n", 2)[0])
	}
	return w.Flush()
}

// why says what a message waits for; "": for nothing but its turn.
func (u saidUnsent) why() string {
	var names []string
	for _, w := range u.Waits {
		name := strconv.Itoa(w.Number) + " " + w.Key
		if w.Task != "" {
			name += " (task " + w.Task + ")"
		}
		names = append(names, name)
	}
	out := "waits for " + strings.Join(names, ", ")
	switch {
	case len(names) == 0:
		return ""
	case u.Goes.IsZero():
		return out
	}
	return out + "; goes out without on " + clockOf(u.Goes)
}

// printLetters prints what a run has still to say, as it reads so far.
func printLetters(out io.Writer, r saidRun) error {
	said := "No message is still to go out."
	printed := false
	for _, s := range r.Steps {
		if s.Unsent == nil {
			continue
		}
		m := s.Unsent.Message
		if m == nil {
			said = "How what is still to go out reads is not for your role, or not known."
			continue
		}
		printed = true
		fmt.Fprintf(out, "\n%d  %s to %s\n", s.Number, s.Key, strings.Join(m.To, ", "))
		if m.Problem != "" {
			fmt.Fprintf(out, "  ! %s\n", m.Problem)
			continue
		}
		if m.Subject != "" {
			fmt.Fprintf(out, "  Subject: %s\n\n", m.Subject)
		}
		for line := range strings.Lines(m.Text) {
			fmt.Fprintln(out, strings.TrimRight("  "+line, " \n"))
		}
	}
	if printed {
		return nil
	}
	_, err := fmt.Fprintln(out, said)
	return err
}

func newRunUndo() *cobra.Command {
	var steps, reason, until string
	var yes, preview, asJSON bool
	c := &cobra.Command{
		Use:   "undo RUN",
		Short: "Take back what a run did, after showing what that means",
		Long: `Undo shows what it will do, what it cannot do and why, and asks. It works while the run is under way and for as long
afterwards as undo_days of the configuration says (30). What changed since, and what another reason justifies now, stays;
an account is deleted only if this run made it, nobody ever signed in and nothing else is on it, else it is closed.

An undo writes a hold: for seven days, or until the day that --until names, policies neither give nor take what was taken
back. Then a task asks what is to become of it; dayone hold end ends it earlier. Undoing the run of somebody who has left
keeps what it gives back until the hold ends, and then it is taken again.`,
		Example: `  dayone run undo run_01jd9x0000000000000000000a --reason "hired by mistake"
  dayone run undo run_01jd9x0000000000000000000a --steps 3,slack/channel:#sales-team --reason CHG-1234 --yes
  dayone run undo run_01jd9x0000000000000000000a --preview`,
		Args: args(1, 1, "a run"),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			chosen := strings.FieldsFunc(steps, func(r rune) bool { return r == ',' })
			path := "/runs/" + url.PathEscape(args[0]) + "/undo"
			var u saidUndo
			if err := cl.call(c.Context(), "GET", path, url.Values{"step": chosen}, nil, &u); err != nil {
				if steps == "" {
					err = listed(err, "run", args[0], "dayone run list")
				}
				return err
			}
			out := c.OutOrStdout()
			switch {
			case asJSON && !yes || preview && asJSON:
				return writeJSON(out, u)
			case !asJSON:
				printUndo(out, u)
			}
			switch {
			case preview:
				return nil
			case u.nothing():
				return fmt.Errorf("nothing of it can be taken back: %w", dayone.ErrConflict)
			case strings.TrimSpace(reason) == "":
				return &usageError{fmt.Errorf("say why with --reason; --preview only shows it")}
			}
			if !yes {
				if err := sure(c, "Undo it?"); err != nil {
					return err
				}
			}
			if me := whoami(); me != "" {
				reason += " (" + me + ")"
			}
			var done struct {
				Run string `json:"run"`
			}
			if err := cl.call(c.Context(), "POST", path, nil, map[string]any{"steps": chosen, "reason": reason, "until": until, "hash": u.Hash}, &done); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(out, done)
			}
			_, err = fmt.Fprintf(out, "It is being undone: %s/runs/%s\n", cl.base, done.Run)
			return err
		},
	}
	c.Flags().StringVar(&steps, "steps", "", "only these steps, with commas between: numbers of run show, or keys such as okta/group:sales-team")
	c.Flags().StringVar(&reason, "reason", "", "why, for the record and beside the hold")
	c.Flags().StringVar(&until, "until", "", "how long policies leave it alone, such as 2025-06-30 (default: seven days)")
	c.Flags().BoolVar(&preview, "preview", false, "only show what it would do")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON; without --yes only the preview")
	return c
}

// nothing says that the server would refuse to do it.
func (u saidUndo) nothing() bool { return len(u.Does) == 0 && (!u.Live || len(u.Steps) > 0) }

// printUndo is the preview as people read it.
func printUndo(out io.Writer, u saidUndo) {
	switch {
	case u.Live && len(u.Steps) == 0:
		fmt.Fprintln(out, "The run is under way and turns back from wherever it is then. By now that means:")
	case u.GivesUp != "":
		fmt.Fprintf(out, "Run %s is under way and is given up first.\n", u.GivesUp)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	tasks := 0
	for _, d := range u.Does {
		var notes []string
		if d.Note != "" {
			notes = append(notes, d.Note)
		}
		if d.Task != nil {
			tasks++
			notes = append(notes, "opens a task for "+cmp.Or(d.Task.To, "whoever takes it"))
			if d.Task.What != "" {
				notes = append(notes, d.Task.What)
			}
		}
		fmt.Fprintf(w, "  -\t%s\t%s\t%s\n", d.Key, d.Action, strings.Join(notes, "; "))
	}
	for _, s := range u.Stays {
		fmt.Fprintf(w, "  =\t%s\tstays\t%s\n", s.Key, s.Why)
	}
	for _, s := range u.Absent {
		fmt.Fprintf(w, "  .\t%s\tis gone\t%s\n", s.Key, s.Why)
	}
	_ = w.Flush()
	if u.nothing() {
		fmt.Fprintln(out, "Nothing of it can be taken back, so it cannot be undone. Nothing changes.")
		return
	}
	then := "then a task asks what is to become of it"
	if u.Keep {
		then = "then it is taken again, since they have left"
	}
	if tasks > 0 {
		fmt.Fprintf(out, "%d of these no call does: people do it, and undoing opens a task for each.\n", tasks)
	}
	fmt.Fprintf(out, "%d are taken back, %d stay. Policies leave %d alone until %s; %s.\n", len(u.Does), len(u.Stays), len(u.Holds), clockOf(u.Until), then)
}

func newHold() *cobra.Command {
	c := &cobra.Command{
		Use:   "hold",
		Short: "List and end what policies leave alone after an undo",
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newHoldList(), newHoldEnd())
	return c
}

func newHoldList() *cobra.Command {
	var asJSON, ended bool
	var person string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List holds, newest first",
		Example: "  dayone hold list",
		Args:    args(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			q := url.Values{"limit": {"200"}, "ended": {strconv.FormatBool(ended)}}
			if person != "" {
				q.Set("person", person)
			}
			var page struct{ Items []saidHold }
			if err := cl.call(c.Context(), "GET", "/holds", q, nil, &page); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), page.Items)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, h := range page.Items {
				state := "until " + clockOf(h.Until)
				switch {
				case !h.Ended.IsZero():
					state = "ended " + clockOf(h.Ended)
				case h.Due:
					state = "to be decided"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%d keys\t%s\n", h.ID, cmp.Or(h.Name, h.Person), state, len(h.Keys), strings.TrimSpace(h.Reason+", by "+h.By))
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "Nothing is held.")
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(&person, "person", "", "only those of this person: an id")
	c.Flags().BoolVar(&ended, "ended", false, "those that have ended, too")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func newHoldEnd() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:     "end HOLD",
		Short:   "End a hold now: policies give and take again what they say",
		Example: `  dayone hold end hld_01jd9x0000000000000000000a --reason "hired after all"`,
		Args:    args(1, 1, "a hold"),
		RunE: func(c *cobra.Command, args []string) error {
			if !dayone.ValidID("hld", args[0]) {
				return &usageError{fmt.Errorf("%q is no id of a hold; dayone hold list shows them", args[0])}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			if err := cl.call(c.Context(), "DELETE", "/holds/"+args[0], url.Values{"reason": {reason}}, nil, nil); err != nil {
				return listed(err, "hold", args[0], "dayone hold list")
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), "The hold has ended; their policies count again.")
			return err
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

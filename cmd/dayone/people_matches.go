package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

type saidMatch struct {
	ID       string            `json:"id"`
	Source   string            `json:"source"`
	Subject  string            `json:"subject"`
	Opened   time.Time         `json:"opened"`
	Suspects []saidSuspect     `json:"suspects"`
	Says     map[string]string `json:"says"`
	State    string            `json:"state"`
	Person   string            `json:"person,omitempty"`
	By       string            `json:"by,omitempty"`
	Back     *saidTakeBack     `json:"take_back,omitempty"`
}

// saidTakeBack is how an answer is undone.
type saidTakeBack struct {
	Verb       string `json:"verb"`
	Person     string `json:"person"`
	With       string `json:"with,omitempty"`
	Employment string `json:"employment,omitempty"`
}

// stands is how far the question is.
func (m saidMatch) stands() string {
	switch m.State {
	case "same":
		who := m.Person
		for _, s := range m.Suspects {
			if s.Person == m.Person {
				who = s.Name
			}
		}
		return joinedBy("the same person as "+who, m.By)
	case "other":
		return joinedBy("somebody else", m.By)
	}
	return "since " + clockOf(m.Opened)
}

func joinedBy(what, who string) string {
	if who == "" {
		return what
	}
	return what + ", says " + who
}

func newPeopleMatches() *cobra.Command {
	var all, asJSON bool
	c := &cobra.Command{
		Use: "matches", Short: "List employments that may be of somebody who is known already", Args: args(0, 0, "nothing"),
		Long: `When a source tells of somebody new who has the mail address, or the name, of somebody who is known, nothing that it says
counts until somebody has decided who is meant. A termination is never held.`,
		Example: "  dayone people matches\n  dayone people matches same mat_01jd9x0000000000000000000a ngozi@partner.example --reason \"her contract becomes an employment\"",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			q := url.Values{"state": {"open"}, "limit": {"200"}}
			if all {
				q.Set("state", "all")
			}
			var page struct {
				Items []saidMatch
				Next  string
			}
			if err := cl.call(c.Context(), http.MethodGet, "/matches", q, nil, &page); err != nil {
				return err
			}
			andMore(c, page.Next)
			if asJSON {
				return writeJSON(c.OutOrStdout(), page.Items)
			}
			w := c.OutOrStdout()
			for _, m := range page.Items {
				name := strings.TrimSpace(m.Says["first_name"] + " " + m.Says["last_name"])
				if name != "" {
					name += ", "
				}
				fmt.Fprintf(w, "%s  %s %s  %s%s\n", m.ID, m.Source, m.Subject, name, m.stands())
				for _, s := range m.Suspects {
					if m.State == "open" {
						fmt.Fprintf(w, "    may be %s\n", s)
					}
				}
				if m.Back != nil {
					fmt.Fprintf(w, "    dayone people matches back %s takes this answer back\n", m.ID)
				}
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "Nobody waits for a decision.")
			}
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "those that were decided, too")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.AddCommand(newPeopleMatch("same", "MATCH PERSON", "Say that it is somebody who is known: she keeps login, accounts and mail", 2), newPeopleMatch("other", "MATCH", "Say that it is somebody who is not known yet", 1), newPeopleMatchBack())
	return c
}

func newPeopleMatchBack() *cobra.Command {
	var reason string
	var yes bool
	c := &cobra.Command{
		Use: "back MATCH", Short: "Take an answer back: split off what was joined, or merge what was kept apart", Args: args(1, 1, "a match"),
		Long: `An answer that it is the same person is taken back by splitting the employment off; that it is somebody else, by merging the
two. Back shows what that does, and asks, as dayone people split and merge do.`,
		Example: "  dayone people matches back mat_01jd9x0000000000000000000a --reason \"two persons after all\"",
		RunE: func(c *cobra.Command, got []string) error {
			if strings.TrimSpace(reason) == "" {
				return &usageError{fmt.Errorf("say why with --reason: it goes into the record")}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var m saidMatch
			if err := cl.call(c.Context(), http.MethodGet, "/matches/"+url.PathEscape(got[0]), nil, nil, &m); err != nil {
				return listed(err, "match", got[0], "dayone people matches --all")
			}
			switch {
			case m.State == "open":
				return fmt.Errorf("%s was not decided yet, so there is nothing to take back: %w", m.ID, dayone.ErrConflict)
			case m.Back == nil:
				return fmt.Errorf("nothing of this answer is left to take back: %w", dayone.ErrConflict)
			case m.Back.Verb == "split":
				return splitOff(c, cl, m.Back.Person, m.Back.Employment, reason, yes)
			}
			return mergeThem(c, cl, [2]string{m.Back.Person, m.Back.With}, reason, yes)
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c
}

func newPeopleMatch(verb, takes, short string, n int) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: verb + " " + takes, Short: short, Args: args(n, n, takes),
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			who := "new"
			if len(got) > 1 {
				if who, err = cl.personNamed(c, got[1]); err != nil {
					return err
				}
			}
			var m saidMatch
			if err := cl.call(c.Context(), http.MethodPost, "/matches/"+url.PathEscape(got[0]), nil, map[string]string{"person": who, "reason": reason}, &m); err != nil {
				return listed(err, "match", got[0], "dayone people matches")
			}
			what := "somebody who was not known"
			if m.State == string(dayone.MatchSame) {
				what = "the same person as " + got[1]
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s: %s %s is %s. What was held is looked at now.\n", m.ID, m.Source, m.Subject, what)
			return err
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

func newPeoplePreHire() *cobra.Command {
	var send bool
	c := &cobra.Command{
		Use: "prehire NAME", Short: "See what is missing of somebody who has not begun, and ask them again", Args: args(1, 1, "a person, by name, mail address or id"),
		Example: "  dayone people prehire sarah.chen@company.com\n  dayone people prehire sarah.chen@company.com --send",
		RunE: func(c *cobra.Command, got []string) error {
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			method := http.MethodGet
			if send {
				method = http.MethodPost
			}
			var s struct {
				Missing []string
				Told    int
				Next    time.Time
				Mute    string `json:"cannot_be_asked"`
			}
			if err := cl.call(c.Context(), method, "/people/"+who+"/prehire", nil, nil, &s); err != nil {
				return err
			}
			w := c.OutOrStdout()
			if len(s.Missing) == 0 {
				fmt.Fprintln(w, "Nothing is missing, or they have begun.")
				return nil
			}
			fmt.Fprintf(w, "Missing: %s.\n", strings.Join(s.Missing, ", "))
			switch {
			case s.Mute != "":
				fmt.Fprintf(w, "They cannot be asked: %s.\n", s.Mute)
			case send:
				fmt.Fprintln(w, "They are asked again, with a new link; links sent before stop working.")
			case s.Next.IsZero():
				fmt.Fprintf(w, "Asked %d times; --send asks again.\n", s.Told)
			default:
				fmt.Fprintf(w, "Asked %d times; again on %s. --send asks now.\n", s.Told, clockOf(s.Next))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&send, "send", false, "ask them now, with a new link")
	return c
}

package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

// saidMerging is what merging two persons would do.
type saidMerging struct {
	Stays, Goes struct{ ID, Name, Email string }
	Refused     string
	Older       bool `json:"goes_is_older"`
	Names       []struct{ Attribute, Kept, Other string }
	Moves       []string
	Apart       []string
	Twice       []string `json:"second_accounts"`
	GivenUp     []string `json:"given_up"`
	Employments []struct{ ID, Source, Subject string }
	Standing    int
}

func (m saidMerging) lines() []string {
	out := []string{fmt.Sprintf("%s (%s) becomes a part of %s (%s).", m.Goes.Name, orNone(m.Goes.Email), m.Stays.Name, orNone(m.Stays.Email))}
	for _, e := range m.Employments {
		out = append(out, fmt.Sprintf("  comes along: employment %s %s", e.Source, e.Subject))
	}
	for _, n := range m.Names {
		out = append(out, fmt.Sprintf("  %s stays %s; %s goes to nobody else", n.Attribute, n.Kept, n.Other))
	}
	for _, k := range m.Moves {
		out = append(out, "  comes along, as it is: "+k)
	}
	for _, k := range m.Apart {
		out = append(out, "  stays at the second account: "+k)
	}
	for _, s := range m.Twice {
		out = append(out, "  a task asks a human to see to the second account in "+s)
	}
	for _, r := range m.GivenUp {
		out = append(out, "  given up and planned anew: "+r)
	}
	if m.Standing > 0 {
		out = append(out, fmt.Sprintf("  open tasks, requests and approvals that come along: %d", m.Standing))
	}
	if m.Older {
		out = append(out, "  "+m.Goes.Name+" was here first: name them first if login and mail of the older entry are to stay.")
	}
	return out
}

func orNone(s string) string {
	if s == "" {
		return "no address"
	}
	return s
}

func newPeopleMerge() *cobra.Command {
	var reason string
	var yes bool
	c := &cobra.Command{
		Use: "merge NAME OTHER", Short: "Make two entries for one person one: OTHER becomes a part of NAME", Args: args(2, 2, "two persons, by mail address, name or id"),
		Long: `Merge shows what will happen, and asks. Employments, access, open tasks, requests and approvals of OTHER become those of NAME,
in one step; login and mail stay as NAME has them. No system is told anything by that and nothing is closed: where both have
an account, a task asks a human to see to the second one. What runs for either is given up and planned anew.

OTHER's id leads to NAME from then on. dayone people split takes it back. It is refused while a legal hold stands on either.`,
		Example: `  dayone people merge ngozi@partner.example ngozi.eze@company.com --reason "HR sent her as somebody new"`,
		RunE: func(c *cobra.Command, got []string) error {
			if strings.TrimSpace(reason) == "" {
				return &usageError{fmt.Errorf("say why with --reason: it goes into the record")}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var who [2]string
			for i := range who {
				if who[i], err = cl.personNamed(c, got[i]); err != nil {
					return err
				}
			}
			return mergeThem(c, cl, who, reason, yes)
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c
}

// mergeThem makes the second a part of the first, after it was shown what that does.
func mergeThem(c *cobra.Command, cl *client, who [2]string, reason string, yes bool) error {
	at := "/people/" + url.PathEscape(who[0]) + "/merge"
	var m saidMerging
	if err := cl.call(c.Context(), http.MethodGet, at, url.Values{"with": {who[1]}}, nil, &m); err != nil {
		return err
	}
	if m.Refused != "" {
		return fmt.Errorf("they cannot be merged: %s: %w", m.Refused, dayone.ErrForbidden)
	}
	out := c.OutOrStdout()
	for _, line := range m.lines() {
		fmt.Fprintln(out, line)
	}
	if !yes {
		if err := sure(c, "Make them one person?"); err != nil {
			return err
		}
	}
	var done struct{ ID string }
	if err := cl.call(c.Context(), http.MethodPost, at, nil, map[string]string{"with": who[1], "reason": reasonOfMine(reason)}, &done); err != nil {
		return err
	}
	fmt.Fprintf(out, "They are one person now (%s): %s/people/%s\n", done.ID, cl.base, who[0])
	if len(m.Employments) > 0 {
		e := m.Employments[0]
		fmt.Fprintf(out, "This takes it back: dayone people split %s %s/%s --reason WHY\n", cmp.Or(m.Stays.Email, who[0]), e.Source, e.Subject)
	}
	return nil
}

// reasonOfMine is a reason with who says so on this machine.
func reasonOfMine(reason string) string {
	if me := whoami(); me != "" {
		return reason + " (" + me + ")"
	}
	return reason
}

func newPeopleSplit() *cobra.Command {
	var reason string
	var yes bool
	c := &cobra.Command{
		Use: "split NAME EMPLOYMENT", Short: "Split an employment off: it is somebody else's", Args: args(2, 2, "a person, and the employment by its source's id, as 77 or hr/77"),
		Long: `An employment that came by a merge takes the merge back: the other entry has again what it had. Of any other employment
somebody new is made; accounts, login and mail that Dayone made stay where they are. Both are planned anew. This shows what
will happen, and asks; dayone people merge undoes it.`,
		Example: `  dayone people split ngozi@partner.example hr/77 --reason "two persons after all"`,
		RunE: func(c *cobra.Command, got []string) error {
			if strings.TrimSpace(reason) == "" {
				return &usageError{fmt.Errorf("say why with --reason: it goes into the record")}
			}
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			return splitOff(c, cl, who, got[1], reason, yes)
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c
}

// splitOff makes an employment somebody else's, after it was shown what that does.
func splitOff(c *cobra.Command, cl *client, who, employment, reason string, yes bool) error {
	at := "/people/" + url.PathEscape(who) + "/split"
	var s struct {
		Merge, Other, Refused string
		Employments           []struct{ ID, Source, Subject string }
		Back                  []string
		GivenUp               []string `json:"given_up"`
	}
	if err := cl.call(c.Context(), http.MethodGet, at, url.Values{"employment": {employment}}, nil, &s); err != nil {
		return err
	}
	if s.Refused != "" {
		return fmt.Errorf("it cannot be split off: %s: %w", s.Refused, dayone.ErrForbidden)
	}
	out := c.OutOrStdout()
	if s.Merge != "" {
		fmt.Fprintf(out, "It came by a merge (%s), which is taken back: the other entry has again what it had.\n", s.Merge)
	} else {
		fmt.Fprintln(out, "Somebody new is made of it. Accounts, login and mail that Dayone made stay here.")
	}
	for _, e := range s.Employments {
		fmt.Fprintf(out, "  goes: employment %s %s\n", e.Source, e.Subject)
	}
	for _, k := range s.Back {
		fmt.Fprintf(out, "  goes back with it: %s\n", k)
	}
	for _, r := range s.GivenUp {
		fmt.Fprintf(out, "  given up and planned anew: %s\n", r)
	}
	if !yes {
		if err := sure(c, "Split it off?"); err != nil {
			return err
		}
	}
	var done struct{ Other string }
	if err := cl.call(c.Context(), http.MethodPost, at, nil, map[string]string{"employment": employment, "reason": reasonOfMine(reason)}, &done); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "They are two persons now. The employment is that of %s: %s/people/%s\n", cl.called(c.Context(), done.Other), cl.base, done.Other)
	return err
}

// called is what somebody is called, by id; the id where that cannot be read.
func (cl *client) called(ctx context.Context, id string) string {
	var p struct{ Name, Email string }
	if err := cl.call(ctx, http.MethodGet, "/people/"+url.PathEscape(id), nil, nil, &p); err != nil || p.Name == "" {
		return id
	}
	if p.Email == "" {
		return p.Name
	}
	return fmt.Sprintf("%s (%s)", p.Name, p.Email)
}

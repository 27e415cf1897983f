package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// belongings are somebody's numbers and devices as the API has them.
type belongings struct {
	Numbers []struct {
		numberRow
		Title, Class, Role string
		Before             bool
		Devices            []string
		Shown              []struct{ Role, Name, Device string }
	}
	Devices []struct {
		System, Kind, Name, Product, Serial, MAC, State, Arrives, Confidence, Source string
		Lines                                                                        []string
		SignedIn                                                                     bool `json:"signed_in"`
		Registration                                                                 string
		Other                                                                        bool `json:"somebody_elses"`
		Seen                                                                         time.Time
	}
	Systems []struct {
		System, Title, Problem string
		Known, Reading         bool
		Read                   time.Time
		Mailboxes              []string
	}
}

func newPeopleDevices() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "devices PERSON", Short: "List somebody's telephone numbers and devices", Args: args(1, 1, "a name, mail address or id"),
		Long: `The numbers that somebody has, that ring at them too, and that rest after them; laptops, phones and profiles as policies give
them and as telephone systems showed them when they were read last. What was not read is unknown, and it says so: read it
with dayone number audit SYSTEM --read.`,
		Example: "  dayone people devices sarah.chen@company.com\n  dayone people devices \"Sarah Chen\" --json",
		RunE: func(c *cobra.Command, got []string) error {
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			if asJSON {
				var raw any
				if err := cl.call(c.Context(), http.MethodGet, "/people/"+who+"/devices", nil, nil, &raw); err != nil {
					return listed(err, "person", got[0], "dayone people list")
				}
				return writeJSON(c.OutOrStdout(), raw)
			}
			return listed(showBelongings(c.Context(), cl, who, c.OutOrStdout()), "person", got[0], "dayone people list")
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func showBelongings(ctx context.Context, cl *client, who string, out io.Writer) error {
	var b belongings
	if err := cl.call(ctx, http.MethodGet, "/people/"+who+"/devices", nil, nil, &b); err != nil {
		return err
	}
	b.print(out)
	return nil
}

func (b belongings) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if len(b.Numbers) == 0 {
		fmt.Fprintln(w, "No telephone number of the books.")
	} else {
		fmt.Fprintln(w, "Telephone numbers:")
	}
	for _, n := range b.Numbers {
		var notes []string
		switch {
		case n.Before:
			notes = append(notes, "theirs before, rests until "+n.Until.Local().Format(time.DateOnly))
		case n.Role != "":
			notes = append(notes, n.Role+", the number of "+cmp.Or(n.Name, "somebody who is confidential"))
		case n.State == "assigned" && n.Confirmed.IsZero():
			notes = append(notes, "its platform has not shown it yet")
		}
		if len(n.Devices) > 0 {
			notes = append(notes, "on "+strings.Join(n.Devices, ", "))
		}
		for _, s := range n.Shown {
			notes = append(notes, strings.TrimSpace(s.Role+" "+s.Name+" "+s.Device))
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", n.ID, n.State, cmp.Or(n.Title, n.Pool, "in no pool"), n.Class, strings.Join(notes, "; "))
	}
	if len(b.Devices) == 0 {
		fmt.Fprintln(w, "No device that a policy gives or a system showed.")
	} else {
		fmt.Fprintln(w, "Devices:")
	}
	for _, d := range b.Devices {
		notes := []string{}
		for _, x := range [][2]string{{"serial ", d.Serial}, {"MAC ", d.MAC}, {"arrives ", d.Arrives}, {"lines ", strings.Join(d.Lines, ", ")}} {
			if x[1] != "" {
				notes = append(notes, x[0]+x[1])
			}
		}
		state := d.State
		switch {
		case d.Other:
			state = "somebody else's, signed in"
		case d.SignedIn:
			state = "signed in"
		case d.State == "seen":
			state = d.Confidence
		}
		if d.Registration != "" {
			notes = append(notes, d.Registration)
		}
		if !d.Seen.IsZero() {
			notes = append(notes, map[bool]string{true: "as read ", false: "confirmed "}[d.Source == "read"]+d.Seen.Local().Format(minute))
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", d.Kind, cmp.Or(d.Name, d.Product), d.System, state, strings.Join(notes, "; "))
	}
	_ = w.Flush()
	for _, s := range b.Systems {
		switch {
		case !s.Known && s.Reading:
			fmt.Fprintf(out, "%s (%s) is being read: what is theirs there is unknown until then.\n", s.Title, s.System)
		case !s.Known:
			fmt.Fprintf(out, "%s (%s) was not read%s: what is theirs there is unknown. Read it: dayone number audit %s --read\n", s.Title, s.System, map[bool]string{true: " (" + s.Problem + ")"}[s.Problem != ""], s.System)
		default:
			fmt.Fprintf(out, "%s (%s) as read %s.\n", s.Title, s.System, s.Read.Local().Format(minute))
		}
		if len(s.Mailboxes) > 0 {
			fmt.Fprintf(out, "  Voice mailbox at %s.\n", strings.Join(s.Mailboxes, ", "))
		}
	}
}

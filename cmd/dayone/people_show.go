package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

// shownTimeline is what the API says of somebody over time.
type shownTimeline struct {
	Person, Name, Status, Zone string
	GardenLeave                bool `json:"garden_leave"`
	Known                      bool
	AsOf                       time.Time `json:"as_of"`
	KnownAt                    time.Time `json:"known_at"`
	Engagements                []struct {
		Source, Type, Start string
		SourceID            string `json:"source_id"`
		LastDay             string `json:"last_day"`
		Primary             bool
	}
	Attributes []struct {
		Name, From, Says string
		Value            dayone.Value
		Unknown          bool
		Correction       *struct {
			Until      time.Time
			By, Reason string
		}
	}
	Changes []shownChange
	Next    string
}

type shownChange struct {
	Seq                                          int
	Intent, Type, Source, Event, Run, By, Reason string
	Recorded, Effective                          time.Time
	Future                                       bool
	Facts                                        []struct {
		Attribute, State string
		Corrects         bool
		Value, Was       dayone.Value
		Effective        time.Time
	}
}

func newPeopleShow() *cobra.Command {
	var asOf, knownAt string
	var limit, before int
	var asJSON bool
	c := &cobra.Command{
		Use: "show PERSON", Short: "Show somebody over time: what counts, who says it, and each change", Args: args(1, 1, "a name, mail address or id"),
		Long: `What counts for somebody on a day, as it was known on another, the source that decides each attribute, and what each event
brought: from when it counts, since when we know it, who entered it and why. A day counts where the person works; other
times are in this machine's zone.`,
		Example: "  dayone people show sarah.chen@company.com\n  dayone people show \"Sarah Chen\" --as-of 2025-03-01 --known-at 2025-01-15",
		RunE: func(c *cobra.Command, got []string) error {
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			q := url.Values{"limit": {strconv.Itoa(limit)}}
			for name, v := range map[string]string{"as_of": asOf, "known_at": knownAt} {
				if v != "" {
					q.Set(name, v)
				}
			}
			if before > 0 {
				q.Set("before", strconv.Itoa(before))
			}
			path := "/people/" + who + "/timeline"
			if asJSON {
				var raw any
				if err := cl.call(c.Context(), http.MethodGet, path, q, nil, &raw); err != nil {
					return listed(err, "person", got[0], "dayone people list")
				}
				return writeJSON(c.OutOrStdout(), raw)
			}
			var t shownTimeline
			if err := cl.call(c.Context(), http.MethodGet, path, q, nil, &t); err != nil {
				return listed(err, "person", got[0], "dayone people list")
			}
			then := asOf != "" || knownAt != ""
			if t.print(c.OutOrStdout(), then); then {
				return nil // numbers and devices are as they are now
			}
			fmt.Fprintln(c.OutOrStdout())
			return showBelongings(c.Context(), cl, who, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&asOf, "as-of", "", "the day that is looked at, such as 2025-06-02, or an instant; now, unless said")
	c.Flags().StringVar(&knownAt, "known-at", "", "only what was known by the end of this day, or by this instant")
	c.Flags().IntVar(&limit, "limit", 20, "at most so many changes, up to 200")
	c.Flags().IntVar(&before, "before", 0, "changes older than the one of this number")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

const minute = "2006-01-02 15:04"

func (t shownTimeline) print(out io.Writer, then bool) {
	zone, err := time.LoadLocation(t.Zone)
	if err != nil {
		zone = time.UTC
	}
	status := t.Status
	if t.GardenLeave {
		status = "garden leave"
	}
	if status != "" {
		status = ", " + status
	}
	fmt.Fprintf(out, "%s%s (%s)\n", t.Name, status, t.Person)
	if then {
		fmt.Fprintf(out, "As of %s, as known at %s.\n", t.AsOf.In(zone).Format(minute+" MST"), t.KnownAt.Local().Format(minute+" MST"))
	}
	if !t.Known {
		fmt.Fprintln(out, "Nothing was known then.")
	}
	for _, e := range t.Engagements {
		text := fmt.Sprintf("%s %s: %s, from %s", e.Source, e.SourceID, cmp.Or(e.Type, "employment"), cmp.Or(e.Start, "an unknown day"))
		if e.LastDay != "" {
			text += ", last day " + e.LastDay
		}
		if e.Primary && len(t.Engagements) > 1 {
			text += ", primary"
		}
		fmt.Fprintln(out, "  "+text)
	}
	if len(t.Attributes) > 0 {
		fmt.Fprintln(out, "\nWhat counts:")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, a := range t.Attributes {
		notes := []string{a.Says}
		if c := a.Correction; c != nil {
			notes = append(notes, fmt.Sprintf("corrected until %s by %s: %s", c.Until.Add(-time.Second).In(zone).Format(time.DateOnly), cmp.Or(c.By, "somebody"), c.Reason))
		}
		if a.Unknown {
			notes = append(notes, "flagged unknown")
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", a.Name, cmp.Or(a.Value.String(), "-"), strings.Join(notes, "; "))
	}
	_ = w.Flush()
	if len(t.Changes) > 0 {
		fmt.Fprintln(out, "\nWhat was said, the newest first:")
	}
	for _, c := range t.Changes {
		c.print(out, zone)
	}
	if t.Next != "" && len(t.Changes) > 0 {
		fmt.Fprintf(out, "There are older ones: --before %d\n", t.Changes[len(t.Changes)-1].Seq)
	}
}

func (c shownChange) print(out io.Writer, zone *time.Location) {
	mark := ""
	if c.Future {
		mark = "  (to come)"
	}
	fmt.Fprintf(out, "%4d  %s  %s%s\n", c.Seq, c.Recorded.Local().Format(minute), c.Intent, mark)
	about := []string{"from " + c.Source}
	if !c.Effective.IsZero() {
		about = append(about, "effective "+c.Effective.In(zone).Format(time.DateOnly))
	}
	for _, s := range []string{c.Event, c.Run} {
		if s != "" {
			about = append(about, s)
		}
	}
	if c.By != "" || c.Reason != "" {
		about = append(about, strings.Trim(c.By+": "+c.Reason, ": "))
	}
	fmt.Fprintf(out, "      %s\n", strings.Join(about, ", "))
	for _, f := range c.Facts {
		value := cmp.Or(f.Value.String(), "empty")
		switch {
		case f.State == "not usable":
			value = ""
		case f.Corrects && f.Value.Text == "":
			value = "as sources say"
		}
		text := f.Attribute + ": " + value
		if !f.Effective.IsZero() && !f.Effective.Equal(c.Effective) {
			text += " from " + f.Effective.In(zone).Format(time.DateOnly)
		}
		if f.Was.Text != "" && f.Was != f.Value {
			text += " (was " + f.Was.String() + ")"
		}
		if f.State != "counts" {
			text += " [" + f.State + "]"
		}
		fmt.Fprintf(out, "        %s\n", text)
	}
}

func newPeopleCorrect() *cobra.Command {
	var until, reason string
	var end bool
	c := &cobra.Command{
		Use: "correct PERSON ATTRIBUTE=VALUE...", Short: "Correct what a source says of somebody, until a day", Args: args(2, 1+50, "a person and what is right, such as job_title=\"Account Executive\""),
		Long: `A correction lies over what sources say until the end of a day, or until the source agrees, and is shown as such. Mend it at
the source meanwhile. With --end, name attributes only: what sources say counts again.`,
		Example: "  dayone people correct sarah.chen@company.com location=Berlin --reason \"HR has the old office\" --until 2025-01-31\n  dayone people correct sarah.chen@company.com location --end --reason \"it was right\"",
		RunE: func(c *cobra.Command, got []string) error {
			values := map[string]string{}
			for _, pair := range got[1:] {
				name, value, is := strings.Cut(pair, "=")
				switch name = strings.TrimSpace(name); {
				case is == end:
					return &usageError{fmt.Errorf("%q: write ATTRIBUTE=VALUE, or with --end the attribute alone", pair)}
				case values[name] != "":
					return &usageError{fmt.Errorf("%s stands there twice", name)}
				}
				values[name] = strings.TrimSpace(value)
			}
			switch {
			case reason == "":
				return &usageError{errors.New("say why with --reason: whoever looks at it later has to know")}
			case until == "" && !end:
				return &usageError{errors.New("say with --until on which day it ends, such as --until 2025-01-31")}
			}
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			path := "/people/" + who + "/corrections"
			if !end {
				err := cl.call(c.Context(), http.MethodPost, path, nil, map[string]any{"values": values, "until": until, "reason": reason}, nil)
				if err != nil {
					return listed(err, "person", got[0], "dayone people list")
				}
				fmt.Fprintf(c.OutOrStdout(), "It is corrected until the end of %s, or until the source agrees.\n", until)
				return nil
			}
			for _, name := range got[1:] {
				if err := cl.call(c.Context(), http.MethodPost, path+"/"+url.PathEscape(strings.TrimSpace(name))+"/end", nil, map[string]any{"reason": reason}, nil); err != nil {
					return listed(err, "person", got[0], "dayone people list")
				}
				fmt.Fprintf(c.OutOrStdout(), "What sources say of %s counts again.\n", strings.TrimSpace(name))
			}
			return nil
		},
	}
	c.Flags().StringVar(&until, "until", "", "the last day on which it holds, such as 2025-01-31")
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	c.Flags().BoolVar(&end, "end", false, "end the correction that stands")
	return c
}

func newPeopleBind() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "bind PERSON SOURCE ID", Short: "Say that a source's record is about somebody", Args: args(3, 3, "a person, a source and the source's id of the record"),
		Long: `Where several sources know one person, each record is bound to them once. What the source said of it before and was held is
looked at again. A source of which people.yaml says attributes: only gives attributes; any other gives an employment.`,
		Example: "  dayone people bind sarah.chen@company.com directory a3f1 --reason \"same employee number\"",
		RunE: func(c *cobra.Command, got []string) error {
			if reason == "" {
				return &usageError{errors.New("say with --reason why it is the same person")}
			}
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			if err := cl.call(c.Context(), http.MethodPost, "/people/"+who+"/bindings", nil, map[string]string{"source": got[1], "subject": got[2], "reason": reason}, nil); err != nil {
				return listed(err, "person", got[0], "dayone people list")
			}
			fmt.Fprintf(c.OutOrStdout(), "%s of %s is bound to %s.\n", got[2], got[1], got[0])
			return nil
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why it is the same person, for the record")
	return c
}

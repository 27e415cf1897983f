package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

func newCalendar() *cobra.Command {
	c := &cobra.Command{
		Use: "calendar", Short: "Show the holidays by which days are counted, or bring some in",
		Long: `Holidays by country: working days in policies, reminders and alerts are counted by them. They stand in holidays.yaml of the policy
folder. What is brought in is a proposal, which counts when somebody approves its plan.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newCalendarList(), newCalendarImport())
	return c
}

func newCalendarList() *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use: "list [COUNTRY]", Short: "List holidays", Args: args(0, 1, "a country, or none"), Example: "  dayone calendar list DE",
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var page struct {
				Items []struct {
					Country string                             `json:"country"`
					Sites   []string                           `json:"sites"`
					Days    []struct{ Day, Name, Site string } `json:"days"`
				} `json:"items"`
			}
			if err := cl.call(c.Context(), http.MethodGet, "/settings/calendars", nil, nil, &page); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), page.Items)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			n := 0
			for _, x := range page.Items {
				if len(got) > 0 && x.Country != got[0] {
					continue
				}
				for _, d := range x.Days {
					n++
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", x.Country, d.Day, d.Name, d.Site)
				}
			}
			if n == 0 {
				fmt.Fprintln(w, "None is known: every Monday to Friday counts. dayone calendar import COUNTRY FILE brings some in.")
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func newCalendarImport() *cobra.Command {
	dry := false
	note := ""
	c := &cobra.Command{
		Use: "import COUNTRY FILE", Short: "Propose the holidays of a country, from an .ics or .csv file",
		Long: `The file is iCalendar, or CSV with a day and a name in each line. It takes the place of the same years of the country. What comes
of it is a proposal: dayone plan shows what it changes, and applying it makes it count.`,
		Args: args(2, 2, "a country and a file"), Example: "  dayone calendar import DE de-2025.ics --dry-run\n  dayone calendar import US us.csv --note \"holidays of 2025\"",
		RunE: func(c *cobra.Command, got []string) error {
			raw, err := readUpTo(got[1], 1<<20)
			if errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("there is no file %s: %w", got[1], dayone.ErrNotFound)
			}
			if err != nil {
				return err
			}
			if err := legibleFile(got[1], raw); err != nil {
				return err
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var out struct {
				Summary string   `json:"summary"`
				New     []string `json:"new"`
				Gone    []string `json:"gone"`
				Version string   `json:"version"`
			}
			in := map[string]any{"country": got[0], "name": got[1], "text": string(raw), "dry_run": dry, "note": note}
			if err := cl.call(c.Context(), http.MethodPost, "/settings/calendars", nil, in, &out); err != nil {
				return err
			}
			w := c.OutOrStdout()
			fmt.Fprintln(w, out.Summary)
			for _, d := range out.New {
				fmt.Fprintln(w, "+ "+d)
			}
			for _, d := range out.Gone {
				fmt.Fprintln(w, "- "+d)
			}
			switch {
			case dry:
				fmt.Fprintln(w, "Nothing was proposed.")
			case out.Version == "":
				fmt.Fprintln(w, "This is what counts already: nothing was proposed.")
			default:
				fmt.Fprintf(w, "It is proposal %.12s. Somebody else approves its plan under Policies, and then it counts.\n", out.Version)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "only say what it would change")
	c.Flags().StringVar(&note, "note", "", "what it is for")
	return c
}

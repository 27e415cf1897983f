package main

import (
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

func newEffort() *cobra.Command {
	c := &cobra.Command{
		Use: "effort", Short: "Show or set how many minutes a human needs for a step: hours saved are counted by it",
		Long: "Hours saved are the steps that Dayone did by itself, each times the minutes that you say a human needs for it. These commands\nspeak with the running server.",
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newEffortShow(), newEffortSet())
	return c
}

// effortRow is the baseline as the API has it.
type effortRow struct {
	Version int64              `json:"version"`
	Minutes map[string]float64 `json:"minutes"`
	Made    time.Time          `json:"made,omitzero"`
	By      string             `json:"by,omitempty"`
	Note    string             `json:"note,omitempty"`
}

func newEffortShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show", Short: "Show the baseline, and what was saved", Args: args(0, 0, "no arguments"), Example: "  dayone effort show",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var is effortRow
			var sum struct {
				Saved struct {
					Since string
					Steps map[string]int
					Hours *float64
				}
				Ready []struct {
					Days    int
					N       int      `json:"starters"`
					Seconds *float64 `json:"median_seconds"`
				} `json:"time_to_ready"`
			}
			if err := cl.call(c.Context(), http.MethodGet, "/settings/effort", nil, nil, &is); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), is)
			}
			if err := cl.call(c.Context(), http.MethodGet, "/overview", nil, nil, &sum); err != nil {
				return err
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, a := range dayone.EffortActions {
				worth := "not counted"
				if m, ok := is.Minutes[string(a)]; ok {
					worth = fmt.Sprintf("x %g min = %.1f h", m, m*float64(sum.Saved.Steps[string(a)])/60)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", a, count(sum.Saved.Steps[string(a)], "step"), worth)
			}
			if sum.Saved.Hours != nil {
				fmt.Fprintf(w, "together\tsince %s\t%.1f h\n", sum.Saved.Since, *sum.Saved.Hours)
			} else {
				fmt.Fprintln(w, "Nobody has said what a step is worth: dayone effort set account.create=12 ...")
			}
			for _, r := range sum.Ready {
				took := "not known"
				if r.Seconds != nil {
					took = lasted(time.Duration(*r.Seconds) * time.Second)
				}
				fmt.Fprintf(w, "ready after\tfirst days of the last %d days\t%s, %s\n", r.Days, took, count(r.N, "starter"))
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func newEffortSet() *cobra.Command {
	var file, note string
	c := &cobra.Command{
		Use: "set [ACTION=MINUTES]...", Short: "Say how many minutes a step of an action is worth", Args: args(0, 20, "actions with minutes"),
		Long: `Say how many minutes a step of an action is worth; what is not named stays, and 0 takes one out. A file has an action and its
minutes in each line, separated by a comma.`,
		Example: "  dayone effort set account.create=12 entitlement.add=5 --note \"measured in May\"\n  dayone effort set --file effort.csv",
		RunE: func(c *cobra.Command, got []string) error {
			if file != "" {
				more, err := effortFile(file)
				if err != nil {
					return err
				}
				got = append(more, got...)
			}
			if len(got) == 0 {
				return &usageError{fmt.Errorf("name an action with its minutes, such as account.create=12; there are %s", joinActions())}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var is effortRow
			if err := cl.call(c.Context(), http.MethodGet, "/settings/effort", nil, nil, &is); err != nil {
				return err
			}
			to := effortRow{Version: is.Version, Minutes: map[string]float64{}, Note: note}
			maps.Copy(to.Minutes, is.Minutes)
			for _, pair := range got {
				name, text, ok := strings.Cut(pair, "=")
				m, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
				if !ok || err != nil || !slices.Contains(dayone.EffortActions, dayone.Action(strings.TrimSpace(name))) {
					return &usageError{fmt.Errorf("%q is no action with minutes; write account.create=12; there are %s", pair, joinActions())}
				}
				to.Minutes[strings.TrimSpace(name)] = m
			}
			var out effortRow
			in := map[string]any{"version": to.Version, "minutes": to.Minutes, "note": note}
			if err := cl.call(c.Context(), http.MethodPut, "/settings/effort", nil, in, &out); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "Version %d counts: %s.\n", out.Version, count(len(out.Minutes), "action"))
			return err
		},
	}
	c.Flags().StringVar(&file, "file", "", "a file with an action and its minutes in each line")
	c.Flags().StringVar(&note, "note", "", "where the minutes come from, for the record")
	return c
}

func joinActions() string {
	var out []string
	for _, a := range dayone.EffortActions {
		out = append(out, string(a))
	}
	return strings.Join(out, ", ")
}

// effortFile reads lines of a file as arguments.
func effortFile(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading minutes: %w", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading minutes: %w: %w", err, dayone.ErrInvalid)
	}
	var out []string
	for i, row := range rows {
		switch {
		case len(row) == 2 && i == 0 && strings.EqualFold(strings.TrimSpace(row[0]), "action"):
		case len(row) == 2:
			out = append(out, row[0]+"="+row[1])
		default:
			return nil, fmt.Errorf("%s:%d: write an action and its minutes, such as account.create,12: %w", path, i+1, dayone.ErrInvalid)
		}
	}
	return out, nil
}

// lasted is how long something took, in the two largest units of it.
func lasted(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	days, hours := minutes/(24*60), minutes/60%24
	switch {
	case days > 0 && hours > 0:
		return count(days, "day") + " " + count(hours, "hour")
	case days > 0:
		return count(days, "day")
	case hours > 0 && minutes%60 > 0:
		return count(hours, "hour") + fmt.Sprintf(" %d min", minutes%60)
	case hours > 0:
		return count(hours, "hour")
	}
	return fmt.Sprintf("%d min", minutes)
}

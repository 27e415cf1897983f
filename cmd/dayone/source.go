package main

import (
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

func newSource() *cobra.Command {
	c := &cobra.Command{
		Use:   "source",
		Short: "See where people come from; read a source's whole list now, or look somebody up there",
		Long: `A source's whole list is read again every night, since a webhook may have been lost. These commands speak with the running
server, at portal.url of the configuration and with its token.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newSourceList(), newSourceRead(), newSourceMissing(), newSourceSearch(), newSourceBring())
	return c
}

func newSourceList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List sources, and what became of their last list", Args: args(0, 0, "no arguments"), Example: "  dayone source list",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var page struct {
				Items []struct {
					Name, Note string
					Read       time.Time
					ReadAt     string `json:"read_at"`
					Limit      int    `json:"terminations_limit"`
					Today      int    `json:"terminations_today"`
					Off        string `json:"brakes_off"`
				}
			}
			if err := cl.call(c.Context(), http.MethodGet, "/sources", nil, nil, &page); err != nil {
				return err
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, s := range page.Items {
				read, brakes := "never read", fmt.Sprintf("%d of %d terminations today", s.Today, s.Limit)
				if !s.Read.IsZero() {
					read = "read " + clockOf(s.Read)
				}
				if s.Off != "" {
					brakes = "no brakes: " + s.Off
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Name, read, brakes, s.Note)
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "No source is configured.")
			}
			return w.Flush()
		},
	}
}

func newSourceRead() *cobra.Command {
	return &cobra.Command{
		Use: "read SOURCE", Short: "Read a source's whole list now", Args: args(1, 1, "a source"), Example: "  dayone source read hr",
		Long: `Read reads a source's whole list. What differs becomes events of the source. A list that is empty, much shorter, or would change
too much is held whole; who is missing from it does not leave for that alone.`,
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			cl.http.Timeout = time.Hour // a long list takes its time
			var out struct{ Note, Brake string }
			if err := cl.call(c.Context(), http.MethodPost, "/sources/"+url.PathEscape(got[0])+"/read", nil, nil, &out); err != nil {
				return listed(err, "source", got[0], "dayone source list")
			}
			fmt.Fprintln(c.OutOrStdout(), out.Note)
			if out.Brake != "" {
				fmt.Fprintf(c.OutOrStdout(), "dayone brake show %s says what it holds.\n", out.Brake)
			}
			return nil
		},
	}
}

func newSourceMissing() *cobra.Command {
	return &cobra.Command{
		Use: "missing", Short: "List whom the last lists lack", Args: args(0, 0, "no arguments"), Example: "  dayone source missing",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var page struct {
				Items []struct {
					Source, Subject, Name string
					Since                 time.Time
				}
			}
			if err := cl.call(c.Context(), http.MethodGet, "/sources/missing", nil, nil, &page); err != nil {
				return err
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, a := range page.Items {
				fmt.Fprintf(w, "%s\t%s\t%s\tmissing since %s\n", a.Source, a.Subject, a.Name, clockOf(a.Since))
			}
			if len(page.Items) == 0 {
				fmt.Fprintln(w, "Nobody is missing.")
			}
			return w.Flush()
		},
	}
}

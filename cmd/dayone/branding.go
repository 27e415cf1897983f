package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone/flow"
)

// brandRow is a way the company looks, as the API has it.
type brandRow struct {
	Version  int64     `json:"version"`
	Company  string    `json:"company"`
	Accent   string    `json:"accent"`
	Night    string    `json:"night"`
	Footer   string    `json:"footer"`
	Help     string    `json:"help"`
	Logo     string    `json:"logo,omitempty"`
	LogoType string    `json:"logo_type,omitempty"`
	At       time.Time `json:"at,omitzero"`
	By       string    `json:"by,omitempty"`
	Note     string    `json:"note,omitempty"`
}

func newBranding() *cobra.Command {
	c := &cobra.Command{
		Use: "branding", Short: "Show or change how the portal, mails and certificates look",
		Long: `The company's name, logo, accent colour, mail footer and help address. A change counts at once, is a version and can be gone back
to. These commands speak with the running server.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newBrandingShow(), newBrandingSet(), newBrandingBack())
	return c
}

func newBrandingShow() *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use: "show", Short: "Say how it looks, and how it looked before", Args: args(0, 0, "no arguments"), Example: "  dayone branding show",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var got struct {
				brandRow
				Versions []brandRow `json:"versions"`
			}
			if err := cl.call(c.Context(), http.MethodGet, "/settings/branding", nil, nil, &got); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), got)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			got.brandRow.print(w)
			for _, v := range got.Versions {
				fmt.Fprintf(w, "version %d\t%s, by %s: %s\n", v.Version, clockOf(v.At), v.By, v.Note)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func (b brandRow) print(w io.Writer) {
	logo := b.LogoType
	if logo != "" {
		logo += ", " + strconv.Itoa(base64.StdEncoding.DecodedLen(len(b.Logo))) + " bytes"
	}
	for _, x := range [][2]string{{"company", b.Company}, {"accent", b.Accent}, {"night", b.Night}, {"help", b.Help}, {"footer", b.Footer}, {"logo", logo}} {
		if x[1] == "" {
			x[1] = "as Dayone has it"
		}
		fmt.Fprintf(w, "%s\t%q\n", x[0], x[1])
	}
}

func newBrandingSet() *cobra.Command {
	var logo string
	dry := false
	values := map[string]*string{}
	c := &cobra.Command{
		Use: "set", Short: "Change how it looks; what is not named stays", Args: args(0, 0, "no arguments"),
		Example: "  dayone branding set --company \"Company AG\" --accent '#0b5d4e' --help-address it@company.com\n  dayone branding set --logo logo.svg --dry-run\n  dayone branding set --logo ''",
		RunE: func(c *cobra.Command, _ []string) error {
			in := map[string]any{"dry_run": dry}
			for name, v := range values {
				if c.Flags().Changed(flagOf(name)) {
					in[name] = *v
				}
			}
			if c.Flags().Changed("logo") {
				raw := []byte(nil)
				if logo != "" {
					var err error
					if raw, err = readUpTo(logo, flow.MaxLogo+1); err != nil {
						return err
					}
				}
				in["logo"] = base64.StdEncoding.EncodeToString(raw)
			}
			if len(in) == 1 {
				return &usageError{fmt.Errorf("say what is to change; %s --help shows what there is", c.CommandPath())}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var got brandRow
			if err := cl.call(c.Context(), http.MethodPut, "/settings/branding", nil, in, &got); err != nil {
				return err
			}
			if dry {
				_, err = fmt.Fprintln(c.OutOrStdout(), "It is right. Nothing was changed.")
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "Version %d counts: %s. dayone branding back %d undoes it.\n", got.Version, got.Note, got.Version-1)
			return err
		},
	}
	for name, help := range map[string]string{
		"company": "the company's name", "accent": "colour of links and buttons, such as #1555b3", "night": "the same by night; empty: made lighter",
		"footer": "what stands below each mail", "help": "mail address or https address to which people turn",
	} {
		values[name] = c.Flags().String(flagOf(name), "", help)
	}
	c.Flags().StringVar(&logo, "logo", "", "SVG or PNG; empty: none")
	c.Flags().BoolVar(&dry, "dry-run", false, "only judge it")
	return c
}

// flagOf: --help is taken.
func flagOf(name string) string {
	if name == "help" {
		return "help-address"
	}
	return name
}

func newBrandingBack() *cobra.Command {
	return &cobra.Command{
		Use: "back VERSION", Short: "Make it look as it did in a version; 0: as before anybody changed it", Args: args(1, 1, "a version"), Example: "  dayone branding back 3",
		RunE: func(c *cobra.Command, got []string) error {
			n, err := strconv.ParseInt(got[0], 10, 64)
			if err != nil || n < 0 {
				return &usageError{fmt.Errorf("%q is no version; dayone branding show lists them", got[0])}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var now brandRow
			if err := cl.call(c.Context(), http.MethodPost, "/settings/branding/back", nil, map[string]int64{"version": n}, &now); err != nil {
				return listed(err, "version", got[0], "dayone branding show")
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "Version %d counts, which looks as version %d did.\n", now.Version, n)
			return err
		},
	}
}

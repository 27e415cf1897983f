package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// saidProduct is a product as the API tells it, alone or as it stands for somebody.
type saidProduct struct {
	ID            string   `json:"id"`
	Title         string   `json:"title"`
	Domain        string   `json:"domain"`
	Owner         string   `json:"owner"`
	Description   string   `json:"description,omitempty"`
	Prerequisites []string `json:"prerequisites"`
	Grants        []struct {
		Key      string `json:"key"`
		Role     string `json:"role,omitempty"`
		State    string `json:"state,omitempty"`
		ByPolicy bool   `json:"by_policy,omitempty"`
	} `json:"grants"`
	At       string    `json:"at"`
	State    string    `json:"state,omitempty"`
	Policies []string  `json:"policies,omitempty"`
	Agrees   []string  `json:"approvals,omitempty"`
	Lasts    string    `json:"lasts,omitempty"`
	Missing  []string  `json:"missing,omitempty"`
	Unsaid   []string  `json:"unsaid,omitempty"`
	Request  string    `json:"request,omitempty"`
	Until    time.Time `json:"until,omitzero"`
}

// saidPick is what picking products would do.
type saidPick struct {
	Plan   string   `json:"plan"`
	Picked []string `json:"picked"`
	Needs  []struct {
		Product string `json:"product"`
		For     string `json:"for"`
	} `json:"needs"`
	Steps []struct {
		Key    string `json:"key"`
		Text   string `json:"text"`
		Agrees string `json:"approval"`
	} `json:"steps"`
	Gains []struct {
		Key    string    `json:"key"`
		Agrees string    `json:"approval"`
		From   time.Time `json:"from"`
	} `json:"gains"`
	Seats []struct {
		System, Pool string
		Free, Total  int
		Needed       int
		Short        int
	} `json:"seats"`
	Findings []string       `json:"findings"`
	Known    []string       `json:"known"`
	Warnings []flow.Warning `json:"warnings"`
}

func newProduct() *cobra.Command {
	c := &cobra.Command{
		Use:   "product",
		Short: "Show products, ask for them for somebody, and end that",
		Long: `A product is what people know a bundle of access by: products/*.yaml of the policy folder says what belongs to it, and
policies say who is given it or may ask for it. Asking for one asks for all that belongs to it, or for nothing. These
commands speak with the running server, at portal.url of the configuration and with its token.`,
	}
	c.PersistentFlags().String(portalFlag, "", portalHelp)
	c.AddCommand(newProductList(), newProductShow(), newProductRequest(), newProductEnd())
	return c
}

func newProductList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list [PERSON]", Short: "List products, or how they stand for somebody", Args: args(0, 1, "at most one person, by mail address"),
		Example: `  dayone product list
  dayone product list sarah.chen@company.com`,
		RunE: func(c *cobra.Command, got []string) error {
			list, err := productsFor(c, got)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), list)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, p := range list {
				if len(got) == 0 {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.ID, p.Title, p.Domain, count(len(p.Grants), "grant"))
					continue
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.ID, p.Title, p.State, p.why())
			}
			if len(list) == 0 {
				fmt.Fprintln(w, "There are no products; write products/*.yaml in the policy folder.")
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

// productsFor are all products, as they stand for somebody if somebody is named.
func productsFor(c *cobra.Command, who []string) ([]saidProduct, error) {
	var page struct{ Items []saidProduct }
	cl, err := serverOf(c)
	if err != nil {
		return nil, err
	}
	path := "/products"
	if len(who) > 0 {
		id, err := cl.personNamed(c, who[0])
		if err != nil {
			return nil, err
		}
		path = "/people/" + id + "/products"
	}
	err = cl.call(c.Context(), http.MethodGet, path, nil, nil, &page)
	return page.Items, err
}

// why says what stands behind its state.
func (p saidProduct) why() string {
	switch p.State {
	case "given":
		return "by " + strings.Join(p.Policies, ", ")
	case "requested":
		out := p.Request
		if !p.Until.IsZero() {
			out += ", until " + lastDay(p.Until)
		}
		return out
	case "offered":
		out := "nobody has to agree"
		if len(p.Agrees) > 0 {
			out = strings.Join(p.Agrees, ", ") + " has to agree"
		}
		if p.Lasts != "" {
			out += ", for at most " + p.Lasts
		}
		if len(p.Missing) > 0 {
			out += "; needs " + strings.Join(p.Missing, ", ")
		}
		return out
	}
	if len(p.Unsaid) > 0 {
		return "waits for " + strings.Join(p.Unsaid, ", ") + ", which nobody has said; HR says it, or dayone people correct"
	}
	var none []string
	for _, g := range p.Grants {
		if g.State == "not offered" {
			none = append(none, g.Key)
		}
	}
	return "no policy offers " + strings.Join(none, ", ")
}

func newProductShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show PRODUCT [PERSON]", Short: "Show a product, or how it stands for somebody", Args: args(1, 2, "a product, and at most one person, by mail address"),
		Example: "  dayone product show chat sarah.chen@company.com",
		RunE: func(c *cobra.Command, got []string) error {
			list, err := productsFor(c, got[1:])
			if err != nil {
				return err
			}
			var ids []string
			for _, p := range list {
				if p.ID != got[0] {
					ids = append(ids, p.ID)
					continue
				}
				if asJSON {
					return writeJSON(c.OutOrStdout(), p)
				}
				return p.print(c.OutOrStdout())
			}
			return fmt.Errorf("there is no product %q; there are %s: %w", got[0], strings.Join(ids, ", "), dayone.ErrNotFound)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func (p saidProduct) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%s\n", p.ID, p.Title)
	for _, f := range []struct{ name, value string }{
		{"about", p.Description}, {"domain", p.Domain}, {"owner", p.Owner}, {"needs", strings.Join(p.Prerequisites, ", ")}, {"written", p.At}, {"state", p.State},
	} {
		if f.value != "" {
			fmt.Fprintf(w, "%s\t%s\n", f.name, f.value)
		}
	}
	if p.State != "" {
		fmt.Fprintf(w, "because\t%s\n", p.why())
	}
	for i, g := range p.Grants {
		name := map[bool]string{true: "grants"}[i == 0]
		if g.Role != "" {
			g.Key += " as " + g.Role
		}
		if g.ByPolicy {
			g.State += " by policy"
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%s\t%s\t%s", name, g.Key, g.State), "\t"))
	}
	return w.Flush()
}

func newProductRequest() *cobra.Command {
	var by, reason, until string
	var dry, manage bool
	c := &cobra.Command{
		Use: "request PERSON PRODUCT...", Short: "Ask for products for somebody: for all of them, or for none", Args: args(2, 50, "a person, by mail address, and products, as dayone product list shows them"),
		Long: `Request asks for everything that belongs to the products. What nobody has to agree to is given at its time, the rest once
whoever has to has agreed. With --preview it only says what would be done: steps, approvals, seats and what stands against it.`,
		Example: `  dayone product request sarah.chen@company.com mid-market --preview
  dayone product request sarah.chen@company.com mid-market --by john.doe@company.com --reason "covers for Max" --until 2025-03-31`,
		RunE: func(c *cobra.Command, got []string) error {
			if strings.TrimSpace(reason) == "" && !dry {
				return &usageError{fmt.Errorf("say with --reason what it is needed for")}
			}
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			if dry {
				var v saidPick
				if err := cl.call(c.Context(), http.MethodGet, "/people/"+who+"/products/preview", url.Values{"product": got[1:]}, nil, &v); err != nil {
					return noProduct(c, err, got[1:])
				}
				return v.print(c.OutOrStdout())
			}
			var page struct{ Items []saidRequest }
			body := map[string]any{"products": got[1:], "by": by, "reason": reason, "until": until, "manage": manage}
			if err := cl.call(c.Context(), http.MethodPost, "/people/"+who+"/products", nil, body, &page); err != nil {
				return noProduct(c, err, got[1:])
			}
			for _, r := range page.Items {
				fmt.Fprintf(c.OutOrStdout(), "%s: %s is requested for %s%s.\n", r.ID, r.Product, got[0], r.end())
			}
			fmt.Fprintln(c.OutOrStdout(), "dayone product list PERSON shows how it stands, dayone approvals list whether somebody has to agree.")
			return nil
		},
	}
	c.Flags().StringVar(&by, "by", "", "mail address of who asks, and so does not decide (default: nobody in particular)")
	c.Flags().StringVar(&reason, "reason", "", "what it is needed for; whoever has to agree reads it")
	c.Flags().StringVar(&until, "until", "", "last day on which it is needed, such as 2025-03-31 (default: as long as the offers say)")
	c.Flags().BoolVar(&dry, "preview", false, "only say what would be done")
	c.Flags().BoolVar(&manage, "manage", false, "also plan from now on for somebody who is only known from an import or a directory")
	return c
}

// noProduct names the product that is not there, if it is that.
func noProduct(c *cobra.Command, err error, picked []string) error {
	if !errors.Is(err, dayone.ErrNotFound) {
		return err
	}
	list, failed := productsFor(c, nil)
	if failed != nil {
		return err
	}
	var known []string
	for _, p := range list {
		known = append(known, p.ID)
	}
	for _, id := range picked {
		if !slices.Contains(known, id) {
			return fmt.Errorf("there is no product %q; %s: %w", id, cmp.Or(dayone.Meant(id, known), "dayone product list shows them"), dayone.ErrNotFound)
		}
	}
	return err
}

func (v saidPick) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range v.Steps {
		note := ""
		if s.Agrees != "" {
			note = "once " + s.Agrees + " has agreed"
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("  %s\t%s\t%s", s.Key, s.Text, note), "\t"))
	}
	for _, g := range v.Gains {
		if !g.From.IsZero() {
			fmt.Fprintf(w, "  %s\tlater\tfrom %s\n", g.Key, clockOf(g.From))
		}
	}
	for _, s := range v.Seats {
		fmt.Fprintf(w, "  %s\tseats\t%d of %d free, %d needed\n", strings.TrimSpace(s.System+" "+s.Pool), s.Free, s.Total, s.Needed)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, n := range v.Needs {
		fmt.Fprintf(out, "! %s needs %s, which is not there: ask for it, too\n", n.For, n.Product)
	}
	for _, f := range v.Findings {
		fmt.Fprintf(out, "! %s\n", f)
	}
	warn(out, v.Warnings)
	for _, k := range v.Known {
		fmt.Fprintf(out, "  to know: %s\n", k)
	}
	_, err := fmt.Fprintf(out, "%s, %s. Nothing was done.\n", count(len(v.Picked), "product"), count(len(v.Steps), "step"))
	return err
}

// warn says beforehand what nobody is to find out on the first morning.
func warn(out io.Writer, list []flow.Warning) {
	for _, w := range list {
		fmt.Fprintf(out, "! %s. %s\n", w.Title, w.Text)
	}
}

func newProductEnd() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "end PERSON PRODUCT", Short: "End the request for a product; what only it gave is taken back", Args: args(2, 2, "a person, by mail address, and a product"),
		Example: `  dayone product end sarah.chen@company.com mid-market --reason "Max is back"`,
		RunE: func(c *cobra.Command, got []string) error {
			if strings.TrimSpace(reason) == "" {
				return &usageError{fmt.Errorf("say with --reason why: it goes into the record")}
			}
			cl, who, err := askedAbout(c, got[0])
			if err != nil {
				return err
			}
			var r saidRequest
			if err := cl.call(c.Context(), http.MethodPost, "/people/"+who+"/products/"+url.PathEscape(got[1])+"/end", url.Values{"reason": {reason}}, nil, &r); err != nil {
				return listed(err, "requested product", got[1], "dayone product list PERSON")
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s: the request for %s has ended.\n", r.ID, r.Product)
			return err
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

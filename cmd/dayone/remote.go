package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

// Commands that write into the configuration's database beside a server do the same by the API of another one where --server
// names it: whoever sits elsewhere has no database.

// mayGoThere lets a command name a server.
func mayGoThere(c *cobra.Command) {
	c.Flags().String(portalFlag, "", "address of a running server, to do it there by its API and not in the configuration's database (--server is the same)")
}

// looksThere lets a command that reads name a server.
func looksThere(c *cobra.Command) {
	c.Flags().String(portalFlag, "", "address of a running server, to ask its API and not the configuration's database (--server is the same)")
}

// goesThere says that a server is named.
func goesThere(c *cobra.Command) bool {
	f := c.Flags().Lookup(portalFlag)
	return f != nil && f.Changed
}

// orderThere gives an order about a system to a server, and says what holds now.
func orderThere(c *cobra.Command, o dayone.Order) (dayone.Order, error) {
	cl, err := serverOf(c)
	if err != nil {
		return o, err
	}
	in := map[string]any{"kind": o.Kind, "reason": o.Reason}
	for name, at := range map[string]time.Time{"from": o.From, "until": o.Until} {
		if !at.IsZero() {
			in[name] = at.UTC()
		}
	}
	var out struct {
		ID          dayone.OrderID
		From, Until time.Time
	}
	err = cl.call(c.Context(), http.MethodPost, "/systems/"+url.PathEscape(o.System)+"/orders", nil, in, &out)
	o.ID, o.From, o.Until = out.ID, out.From, out.Until
	return o, err
}

// maintainThere announces a window at a server, or cancels one.
func maintainThere(c *cobra.Command, o dayone.Order, cancel string) error {
	if cancel != "" {
		return tellThere(c, "/orders/"+url.PathEscape(cancel)+"/lift", o.Reason, cancel+" is lifted.")
	}
	o, err := orderThere(c, o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s: nothing new is called at %s from %s until %s.\n", o.ID, o.System, clockOf(o.From), clockOf(o.Until))
	return err
}

// tellThere sends a reason to an address of a server, and says what was done.
func tellThere(c *cobra.Command, path, reason, done string) error {
	cl, err := serverOf(c)
	if err != nil {
		return err
	}
	if err := cl.call(c.Context(), http.MethodPost, path, nil, map[string]string{"reason": reason}, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.OutOrStdout(), done)
	return err
}

// statusThere says what holds for calls, as a server has it.
func statusThere(c *cobra.Command, one string, asJSON bool) error {
	cl, err := serverOf(c)
	if err != nil {
		return err
	}
	var page struct {
		Items []struct {
			saidSystem
			Retiring *struct{ Kind string } `json:"retiring"` // more than --json says
		}
	}
	if err := cl.call(c.Context(), http.MethodGet, "/systems", nil, nil, &page); err != nil {
		return err
	}
	list := []saidSystem{}
	for _, x := range page.Items {
		if x.Retiring != nil {
			x.Retires = x.Retiring.Kind
		}
		list = append(list, x.saidSystem)
	}
	if one != "" {
		var names []string
		all := list
		list = nil
		for _, x := range all {
			names = append(names, x.Name)
			if x.Name == one {
				list = []saidSystem{x}
			}
		}
		if list == nil {
			return fmt.Errorf("there is no system %q; %s: %w", one, cmp.Or(dayone.Meant(one, names), "there are "+strings.Join(names, ", ")), dayone.ErrNotFound)
		}
	}
	if asJSON {
		return writeJSON(c.OutOrStdout(), list)
	}
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, x := range list {
		text := x.Reason
		if x.By != "" {
			text = "by " + x.By + ": " + text
		}
		if !x.Since.IsZero() {
			text = "since " + clockOf(x.Since) + " " + text
		}
		if x.Waiting > 0 {
			text += fmt.Sprintf("; %s waiting", count(x.Waiting, "step"))
		}
		if x.Retires != "" {
			text += "; retiring: " + x.Retires
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", x.Name, x.Stance, text)
	}
	return w.Flush()
}

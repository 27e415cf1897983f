package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/flow"
)

// From where the set-up link works.
const (
	setupHere     = "here"
	setupAnywhere = "anywhere"
)

func newLogin() *cobra.Command {
	c := &cobra.Command{Use: "login", Short: "Let the first administrator in, or one who lost the password"}
	c.AddCommand(&cobra.Command{
		Use: "setup-link", Short: "Print a link that sets up the administrator who signs in by a password", Args: args(0, 0, "no arguments"),
		Long: `The link asks for a mail address and a password, and makes whoever opens it the local administrator, in the place of whoever
was. It works once, for an hour, and on the machine of the server unless portal.setup says anywhere. It is made of the master key,
so this command has to run where dayone.yaml and that key are; the server need not be asked, but has to run to open the link.
Whoever signs in at the identity provider, or by a token, is not touched.`,
		Example: "  dayone login setup-link\n  dayone login setup-link --config /etc/dayone/dayone.yaml",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := configured(c)
			if err != nil {
				return err
			}
			at, err := cfg.database()
			if err != nil {
				return err
			}
			k, err := masterKey(c.Context(), cfg.path(cfg.MasterKey), at, wiring{clock: clock.System{}, beside: true})
			if err != nil {
				return err
			}
			path, until := flow.SetupPath(k, time.Now())
			fmt.Fprintln(c.OutOrStdout(), cfg.setupBase()+path)
			fmt.Fprintf(c.ErrOrStderr(), "It works once, until %s%s.\n", until.Format("15:04"), cfg.setupWhere())
			return nil
		},
	})
	return c
}

// setupBase is the beginning of a set-up link: of this machine, unless it works from elsewhere.
func (c *config) setupBase() string {
	if c.Portal.Setup == setupAnywhere {
		return c.Portal.URL
	}
	if u, err := url.Parse(c.Portal.URL); err == nil && local(u) {
		return c.Portal.URL
	}
	_, port, err := net.SplitHostPort(c.Portal.Listen)
	if err != nil {
		return c.Portal.URL
	}
	return "http://" + net.JoinHostPort("127.0.0.1", port)
}

func (c *config) setupWhere() string {
	if c.Portal.Setup == setupAnywhere {
		return ""
	}
	return ", on the machine of the server"
}

// offerSetup says how somebody gets in, as long as nobody can: to the standard output and not to the log, which others read.
func (c *config) offerSetup(ctx context.Context, f *flow.Flow, to io.Writer) error {
	if there, err := f.Local(ctx); err != nil || there {
		return err
	}
	path, until := flow.SetupPath(f.Keeper, f.Now())
	_, err := fmt.Fprintf(to, "\nNobody can sign in yet. This link sets up the administrator. It works once, until %s%s:\n\n  %s\n\nLater: dayone login setup-link\n\n",
		until.Format("15:04"), c.setupWhere(), c.setupBase()+path)
	return err
}

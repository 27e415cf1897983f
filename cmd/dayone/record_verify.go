package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
)

// ledgerReport is what was found, as a program reads it.
type ledgerReport struct {
	Whole bool   `json:"whole"`
	Lines int64  `json:"lines"` // that are as they were written, from the first on
	Chain string `json:"chain,omitempty"`
	Wrong int64  `json:"wrong,omitempty"` // the first line that is not
	Why   string `json:"why,omitempty"`
}

func newRecordVerify() *cobra.Command {
	var noted string
	var asJSON bool
	c := &cobra.Command{
		Use: "verify", Short: "Look whether the ledger is as it was written", Args: args(0, 0, "no arguments"),
		Long: `Verify reads every line of the ledger from the first on, and says which is the first that was changed, put in, taken out, or filed
otherwise than it says; then it ends with 1. It reads the database that the configuration names by itself, with its master key, and
may do so while a server runs: it asks no server, since a server that was changed would say what it likes.

What was cut off at the end no chain shows. So note, where nobody who can change the database writes, the number and the chain that
verify ends with, or those of a certificate, and give them to the next one with --noted.`,
		Example: `  dayone record verify
  dayone record verify --noted 4711:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 --json`,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed(portalFlag) {
				return &usageError{errors.New("verify asks no server: run it where the configuration is that names the database and the master key")}
			}
			seq, chain, err := notedLine(noted)
			if err != nil {
				return err
			}
			db, err := booksToRead(c)
			if err != nil {
				return err
			}
			defer db.Close()
			is, err := verifyLedger(c, db, seq, chain)
			if err != nil {
				return err
			}
			return saidOfLedger(c, is, asJSON)
		},
	}
	c.Flags().StringVar(&noted, "noted", "", "a line's number and chain as they were noted, with a colon between: they must be in it")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

func notedLine(s string) (seq int64, chain string, err error) {
	if s == "" {
		return 0, "", nil
	}
	number, chain, _ := strings.Cut(s, ":")
	if seq, err = strconv.ParseInt(number, 10, 64); err != nil || seq < 1 || len(chain) != 64 || strings.Trim(chain, "0123456789abcdef") != "" {
		return 0, "", &usageError{fmt.Errorf("--noted is %q; write the number of a line, a colon, and its chain of 64 characters, as verify prints them", s)}
	}
	return seq, chain, nil
}

// booksToRead opens the database that is configured, as it is.
func booksToRead(c *cobra.Command) (*store.DB, error) {
	cfg, err := configured(c)
	if err != nil {
		return nil, err
	}
	at, err := cfg.database()
	if err != nil {
		return nil, err
	}
	w := wiring{clock: clock.System{}, looks: true}
	k, err := masterKey(c.Context(), cfg.path(cfg.MasterKey), at, w)
	if err != nil {
		return nil, err
	}
	db, err := store.OpenToRead(c.Context(), at, flow.Sealer{Keeper: k, Random: rand.Reader}, w.clock.Now)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, errNoBooks
	}
	return db, err
}

func verifyLedger(c *cobra.Command, db *store.DB, noted int64, chain string) (ledgerReport, error) {
	told := func(done, of int64) {
		fmt.Fprintf(untamed(c.ErrOrStderr()), "\r%s of %s lines looked at", thousands(int(done)), thousands(int(of)))
	}
	if !isTerminal(c.ErrOrStderr()) {
		told = nil
	} else {
		defer fmt.Fprint(untamed(c.ErrOrStderr()), "\r\033[K")
	}
	is, err := flow.Verify(c.Context(), db, 1, told)
	out := ledgerReport{Lines: is.Last, Chain: is.Chain, Wrong: is.Wrong, Why: is.Why}
	if err != nil || is.Wrong != 0 {
		return out, err
	}
	switch {
	case noted > is.Last:
		out.Wrong, out.Why = is.Last+1, fmt.Sprintf("line %d was noted, and the ledger ends with line %d: its end was cut off", noted, is.Last)
	case noted > 0:
		for l, err := range db.LedgerFrom(c.Context(), noted) {
			if err != nil {
				return out, err
			}
			if l.Chain != chain {
				out.Wrong, out.Why = noted, "its chain is not the one that was noted: the ledger was written anew, up to there at least"
			}
			break
		}
	}
	out.Whole = out.Wrong == 0
	return out, nil
}

// saidOfLedger prints what was found; what is wrong is an error.
func saidOfLedger(c *cobra.Command, is ledgerReport, asJSON bool) error {
	if asJSON {
		if err := writeJSON(c.OutOrStdout(), is); err != nil {
			return err
		}
	}
	switch {
	case !is.Whole:
		return fmt.Errorf("line %d of the ledger is not as it was written: %s. Stop the server, keep this database for whoever looks into it, and compare with a backup: %w", is.Wrong, is.Why, dayone.ErrConflict)
	case asJSON:
		return nil
	case is.Lines == 0:
		_, err := fmt.Fprintln(c.OutOrStdout(), "The ledger has no line yet.")
		return err
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "The ledger is as it was written: %s, none changed, put in or taken out. Its end, to note elsewhere:\n%d:%s\n", count(int(is.Lines), "line"), is.Lines, is.Chain)
	return err
}

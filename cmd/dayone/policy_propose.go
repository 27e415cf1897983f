package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
)

// proposed is a version of policies that a server keeps.
type proposed struct {
	Version string    `json:"version"`
	Author  string    `json:"author"`
	Note    string    `json:"note"`
	Made    time.Time `json:"made"`
}

// act is one that is announced.
type act struct {
	ID       string    `json:"id"`
	Version  string    `json:"version"`
	Approver string    `json:"approver"`
	Reason   string    `json:"reason"`
	Due      time.Time `json:"due"`
	People   int       `json:"people"`
}

func newProposals() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "proposals", Short: "List what is proposed or announced at the running server, and not in force", Args: args(0, 0, "nothing"),
		Example: "  dayone policy proposals\n  dayone policy proposals --server https://dayone.company.com",
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			var now struct {
				Proposals []proposed `json:"proposals"`
				Announced []act      `json:"announced"`
			}
			if err := cl.call(c.Context(), http.MethodGet, "/policies", nil, nil, &now); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), now)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, x := range now.Proposals {
				fmt.Fprintf(w, "%.12s\t%s\t%s\t%s\n", x.Version, clockOf(x.Made), x.Author, x.Note)
			}
			for _, a := range now.Announced {
				fmt.Fprintf(w, "%.12s\tin force from %s unless withdrawn\t%s\t%s\n", a.Version, clockOf(a.Due), a.Approver, a.Reason)
			}
			if len(now.Proposals)+len(now.Announced) == 0 {
				fmt.Fprintln(w, "Nothing is proposed. dayone policy propose FILE does it.")
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().String(portalFlag, "", portalHelp)
	return c
}

func newPropose() *cobra.Command {
	var as, note string
	var dry, remove bool
	c := &cobra.Command{
		Use:   "propose FILE",
		Short: "Propose one file of the policy folder to the running server, which says what it would change",
		Long: `The server judges the file as if it were in force, says what it changes for everybody, and keeps it as a proposal. What is in
force stays, until somebody else approves it in the portal or with dayone policy approve. FILE is policies/NAME.yaml,
templates/NAME.txt, sites.yaml or holidays.yaml; --as says so where it lies under another name.`,
		Example: `  dayone policy propose policies/sales.yaml --note CHG-1234
  dayone policy propose /tmp/draft.yaml --as policies/sales.yaml --dry-run
  dayone policy propose policies/old.yaml --remove`,
		Args: args(1, 1, "a file"),
		RunE: func(c *cobra.Command, got []string) error {
			in := map[string]any{"file": strings.TrimPrefix(cmp.Or(as, got[0]), "./"), "note": note, "dry_run": dry, "text": ""}
			if !remove {
				raw, err := readUpTo(got[0], 1<<20)
				if errors.Is(err, os.ErrNotExist) {
					return fmt.Errorf("there is no file %s; --remove proposes to take it out: %w", got[0], dayone.ErrNotFound)
				}
				if err != nil {
					return err
				}
				if len(strings.TrimSpace(string(raw))) == 0 {
					return &usageError{fmt.Errorf("%s is empty; --remove proposes to take it out", got[0])}
				}
				in["text"] = string(raw)
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			return tellJudgement(c, cl, in)
		},
	}
	c.Flags().StringVar(&as, "as", "", "its name in the policy folder, where FILE is another")
	c.Flags().StringVar(&note, "note", "", "what it is for; whoever approves reads it")
	c.Flags().BoolVar(&dry, "dry-run", false, "only say what it would change")
	c.Flags().BoolVar(&remove, "remove", false, "propose to take the file out")
	c.Flags().String(portalFlag, "", portalHelp)
	return c
}

// tellJudgement sends a draft, and says what the server says of it.
func tellJudgement(c *cobra.Command, cl *client, in map[string]any) error {
	var out struct {
		OK     bool
		Faults []struct {
			File          string
			Line          int
			Error         bool
			Message, Hint string
		}
		Summary, Version string
	}
	if err := cl.call(c.Context(), http.MethodPost, "/settings/files", nil, in, &out); err != nil {
		return err
	}
	w := c.OutOrStdout()
	for _, f := range out.Faults {
		kind := "warning"
		if f.Error {
			kind = "error"
		}
		fmt.Fprintf(w, "%s:%d: %s: %s\n", f.File, f.Line, kind, f.Message)
		if f.Hint != "" {
			fmt.Fprintf(w, "  %s\n", f.Hint)
		}
	}
	if !out.OK {
		return fmt.Errorf("it was not proposed, since it has errors: %w", dayone.ErrInvalid)
	}
	fmt.Fprintln(w, out.Summary)
	if out.Version == "" {
		_, err := fmt.Fprintln(w, "Nothing was proposed.")
		return err
	}
	_, err := fmt.Fprintf(w, "It is proposal %.12s. Somebody else approves it: dayone policy approve %.12s\n", out.Version, out.Version)
	return err
}

// shownPlan is what approving puts into force.
type shownPlan struct {
	proposed
	Mark            string
	InForce         bool `json:"in_force"`
	Alone           bool
	Notice          float64
	People, Changes int
	Keys            []struct {
		Key                            string
		Gained, Lost, Changed, Pending int
		By                             []string
	}
	Cases, Brakes, Skipped []string
}

func (p shownPlan) print(c *cobra.Command) error {
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%.12s by %s of %s: %s\n", p.Version, p.Author, clockOf(p.Made), cmp.Or(p.Note, "no note"))
	for _, k := range p.Keys {
		fmt.Fprintf(w, "  %s\t+%d\t-%d\t~%d\t?%d\t%s\n", k.Key, k.Gained, k.Lost, k.Changed, k.Pending, strings.Join(k.By, ", "))
	}
	for _, x := range p.Cases {
		fmt.Fprintf(w, "! %s\n", x)
	}
	for _, x := range p.Brakes {
		fmt.Fprintf(w, "! beyond a limit: %s; --release says why it may pass\n", x)
	}
	for _, x := range p.Skipped {
		fmt.Fprintf(w, "! not planned: %s\n", x)
	}
	fmt.Fprintf(w, "Something changes for %d of %s.\n", p.Changes, count(p.People, "person"))
	return w.Flush()
}

func newApprove() *cobra.Command {
	var reason, release string
	var yes bool
	c := &cobra.Command{
		Use:   "approve VERSION",
		Short: "Put a proposal into force at the running server, as it is shown",
		Long: `Approve shows what a proposal changes for everybody, asks, and puts just that into force: if people, holdings or policies
changed meanwhile, nothing happens. VERSION is the beginning of what dayone policy proposals shows. Who wrote it may approve it
alone where the configuration lets them, and it takes effect after a notice then.`,
		Example: "  dayone policy approve 3f2a9c01d7e4 --reason CHG-1234\n  dayone policy approve 3f2a9c01d7e4 --reason CHG-1234 --release \"the team moves\" --yes",
		Args:    args(1, 1, "a version"),
		RunE: func(c *cobra.Command, got []string) error {
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			at := "/proposals/" + url.PathEscape(got[0])
			var plan shownPlan
			if err := cl.call(c.Context(), http.MethodGet, at, nil, nil, &plan); err != nil {
				return listed(err, "proposal", got[0], "dayone policy proposals")
			}
			if err := plan.print(c); err != nil {
				return err
			}
			question := "Put this into force?"
			if plan.Alone {
				question = fmt.Sprintf("You wrote it. Announce it, to be in force after %g hours?", plan.Notice)
			}
			if !yes {
				if err := sure(c, question); err != nil {
					return err
				}
			}
			var out struct {
				Number int64
				act
			}
			if err := cl.call(c.Context(), http.MethodPost, at, nil, map[string]string{"mark": plan.Mark, "reason": reason, "release": release}, &out); err != nil {
				return err
			}
			if out.ID != "" {
				_, err = fmt.Fprintf(c.OutOrStdout(), "Announced: it is in force from %s. dayone policy withdraw %s --server %s takes it back.\n", clockOf(out.Due), out.ID, cl.base)
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "In force, as stage %d. The server brings %s up to date.\n", out.Number, count(out.People, "person"))
			return err
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	c.Flags().StringVar(&release, "release", "", "why a limit may be passed")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	c.Flags().String(portalFlag, "", portalHelp)
	return c
}

// withdrawThere takes back what is announced at a server: what is named, or the only one.
func withdrawThere(c *cobra.Command, ref, reason string) error {
	cl, err := serverOf(c)
	if err != nil {
		return err
	}
	if ref == "" {
		var now struct{ Announced []act }
		if err := cl.call(c.Context(), http.MethodGet, "/policies", nil, nil, &now); err != nil {
			return err
		}
		if len(now.Announced) != 1 {
			return &usageError{fmt.Errorf("%d acts wait; name one, as dayone policy proposals shows them", len(now.Announced))}
		}
		ref = now.Announced[0].ID
	}
	var a act
	if err := cl.call(c.Context(), http.MethodPost, "/announced/"+url.PathEscape(ref)+"/withdraw", nil, map[string]string{"reason": reason}, &a); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "Withdrawn: %s, version %.12s. What is in force stays.\n", a.ID, a.Version)
	return err
}

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/locale"
	"github.com/dayone-hq/dayone/policy"
)

func newPolicy() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "Check, test, lay out and explain policies",
		Long: `Policies are YAML files with CEL conditions in a folder: people.yaml (what may be read), sites.yaml, catalog/ (what
systems offer), policies/, exceptions/ and tests/. docs/policy.md describes the language. Where a command takes a folder,
the one that dayone.yaml names may be left out.`,
	}
	c.AddCommand(newPolicyCheck(), newPolicyTest(), newPolicyFormat(), newPolicySchema(), newVersions(), newWithdraw(), newProposals(), newPropose(), newApprove(),
		newWhy("why", "Say why somebody has an access", "  dayone policy why sarah.chen@company.com gitlab/group:customer-solutions --at 2025-06-02"),
		newWhy("why-not", "Say why somebody does not have an access", "  dayone policy why-not sarah.chen@company.com aws/permission-set:prod-readonly"))
	return c
}

// policyDir is a policy folder with what its files are judged against.
type policyDir struct {
	dir   string
	fsys  fs.FS
	known policy.Known
	cfg   *config // nil: no configuration speaks of it
}

// folderOf is the folder that is named first, or the configured one; rest is what is named behind it.
func folderOf(c *cobra.Command, args []string) (*policyDir, []string, error) {
	f := &policyDir{}
	cfg, cfgErr := configured(c)
	switch {
	case len(args) > 0:
		f.dir = args[0]
		args = args[1:]
	case cfgErr != nil && errors.Is(cfgErr, dayone.ErrNotFound):
		return nil, nil, &usageError{fmt.Errorf("%s takes a folder; it may be left out where a dayone.yaml names one", c.CommandPath())}
	case cfgErr != nil:
		return nil, nil, cfgErr
	default:
		f.dir = cfg.path(cfg.Policy)
	}
	info, err := os.Stat(f.dir)
	if err != nil {
		return nil, nil, fmt.Errorf("there is no folder %s; name the one that holds people.yaml and policies/, or let dayone init write one: %w", f.dir, dayone.ErrNotFound)
	}
	if !info.IsDir() {
		return nil, nil, &usageError{fmt.Errorf("%s is a file; name the folder first, then files in it", f.dir)}
	}
	f.fsys = folder(f.dir)
	f.known = flow.Known(f.fsys)
	named := c.Flags().Changed("config")
	if named && cfgErr != nil {
		return nil, nil, cfgErr
	}
	if cfgErr == nil {
		if own, err := os.Stat(cfg.path(cfg.Policy)); named || err == nil && os.SameFile(own, info) {
			f.cfg = cfg
			if _, f.known.Systems, err = openSystems(cfg, wiring{offline: true}, f.fsys); err != nil {
				return nil, nil, err
			}
		}
	}
	rest := make([]string, len(args))
	for i, name := range args {
		if rest[i] = f.within(name); rest[i] == "" {
			return nil, nil, fmt.Errorf("there is no file %s in %s: %w", name, f.dir, dayone.ErrNotFound)
		}
	}
	return f, rest, nil
}

// within is a file's name below the folder, whether it was named from there or from where we are.
func (f *policyDir) within(name string) string {
	if slash := filepath.ToSlash(name); fs.ValidPath(slash) {
		if _, err := fs.Stat(f.fsys, slash); err == nil {
			return slash
		}
	}
	dir, err1 := filepath.Abs(f.dir)
	path, err2 := filepath.Abs(name)
	rel, err := filepath.Rel(dir, path)
	if _, missing := os.Stat(name); errors.Join(err, err1, err2, missing) != nil || !filepath.IsLocal(rel) {
		return ""
	}
	return filepath.ToSlash(rel)
}

// check judges everything in the folder, and extra files.
func (f *policyDir) check(extra ...string) (*policy.Set, []policy.Diagnostic) {
	set, diags := policy.Check(f.fsys, f.known, extra...)
	if set == nil {
		return nil, diags
	}
	_, found := set.Stories(f.fsys)
	diags = append(diags, found...)
	diags = append(diags, flow.MessageFaults(f.fsys)...)
	if f.cfg != nil {
		var wrong faults
		if err := f.cfg.checkAgainst(set); errors.As(err, &wrong) {
			diags = append(diags, wrong...)
		}
		for name, hint := range f.cfg.idle(set) {
			if errors.As(f.cfg.wrongKey("systems."+name, "idle", hint, "no policy gives anything at the system %q", name), &wrong) {
				wrong[0].Severity = policy.Warning
				diags = append(diags, wrong...)
			}
		}
	}
	policy.Sort(diags)
	if policy.Failed(diags) {
		set = nil
	}
	return set, diags
}

// odd is what the people in the database say about policies; nothing where there is none.
func (f *policyDir) odd(c *cobra.Command, set *policy.Set) ([]policy.Diagnostic, error) {
	s, err := look(c)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.flow.Odd(c.Context(), set)
}

func newPolicyCheck() *cobra.Command {
	var asJSON, stats, strict bool
	c := &cobra.Command{
		Use:   "check [DIR [FILE...]]",
		Short: "Check every file of a folder and report every fault with its place",
		Long: `Check reads every file of the folder, and any further FILE below it, and reports all faults at once, each with file,
line and column, errors first. What is no fault but probably not meant is a warning: a policy that can never match, a
grant that everybody has from elsewhere, one whose account nobody gets, a sensitive one without approval, what nobody
uses. Where dayone.yaml names the folder, files are checked against its systems, too. Exit code 1 for errors.

With --stats it also asks the people in the database, if there is one: which policies hold for nobody, or for everybody
though they seem to choose, and which cannot be answered because nobody has what they read.`,
		Example: `  dayone policy check
  dayone policy check examples
  dayone policy check examples broken/broken.yaml
  dayone policy check --json | jq '.diagnostics[].message'
  dayone policy check --stats`,
		Args: args(0, 1000, "a folder, and files in it"),
		RunE: func(c *cobra.Command, args []string) error {
			f, extra, err := folderOf(c, args)
			if err != nil {
				return err
			}
			set, diags := f.check(extra...)
			if stats && set != nil && f.cfg != nil {
				odd, err := f.odd(c, set)
				if err != nil {
					return err
				}
				diags = append(diags, odd...)
				policy.Sort(diags)
			}
			errs, warnings := tally(diags)
			files := len(policy.Files(f.fsys)) + len(extra)
			out := c.OutOrStdout()
			if asJSON {
				report := struct {
					Errors      int                 `json:"errors"`
					Warnings    int                 `json:"warnings"`
					Files       int                 `json:"files"`
					Diagnostics []policy.Diagnostic `json:"diagnostics"`
					Stats       *policy.Stats       `json:"stats,omitempty"`
				}{errs, warnings, files, append([]policy.Diagnostic{}, diags...), nil}
				if stats && set != nil {
					s := set.Stats()
					report.Stats = &s
				}
				if err := writeJSON(out, report); err != nil {
					return err
				}
			} else {
				printDiagnostics(out, diags)
				if set != nil && stats {
					printStats(out, set.Stats())
				}
				if set != nil {
					products := ""
					if n := len(set.Products); n > 0 {
						products = count(n, "product") + ", "
					}
					fmt.Fprintf(out, "%s, %s%s in %s: no errors, %s\n", count(len(set.Policies), "policy"), products, count(len(set.Duties), "separation of duty"),
						count(files, "file"), orNo(warnings, "warning"))
				} else {
					fmt.Fprintf(out, "%s, %s in %s\n", count(errs, "error"), count(warnings, "warning"), count(files, "file"))
				}
			}
			if set == nil || strict && warnings > 0 {
				return &shownError{fmt.Errorf("%s, %s: %w", count(errs, "error"), count(warnings, "warning"), dayone.ErrInvalid)}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().BoolVar(&stats, "stats", false, "say what conditions are made of, and what the people in the database say about them")
	c.Flags().BoolVar(&strict, "strict", false, "exit with 1 for warnings, too")
	return c
}

func printStats(w io.Writer, s policy.Stats) {
	fmt.Fprintf(w, "%s with %s: %s of %s, %s\n", count(s.Policies, "policy"), count(s.Conditions, "condition"), count(s.Conjunctions, "conjunction"),
		count(s.Atoms, "atom"), count(s.Residuals, "residual"))
	if s.Residuals > 0 {
		fmt.Fprintln(w, "A residual reads two attributes at once: it is asked person by person, not value by value.")
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "attribute\tvalues\ttold apart")
	for _, col := range s.Columns {
		fmt.Fprintf(t, "%s\t%d\t%d\n", col.Name, col.Values, col.Classes)
	}
	_ = t.Flush()
}

func tally(diags []policy.Diagnostic) (errs, warnings int) {
	for _, d := range diags {
		if d.Severity == policy.Error {
			errs++
		} else {
			warnings++
		}
	}
	return errs, warnings
}

func printDiagnostics(w io.Writer, diags []policy.Diagnostic) {
	for _, d := range diags {
		fmt.Fprintln(w, d)
	}
}

// thousands is a number as people read it: 100,411. What programs read has none of it.
func thousands(n int) string { return (*locale.Language)(nil).Number(n) }

func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	switch word {
	case "person":
		word = "people"
	case "policy":
		word = "policies"
	case "separation of duty":
		word = "separations of duty"
	default:
		word += "s"
	}
	return thousands(n) + " " + word
}

func orNo(n int, word string) string {
	if n == 0 {
		return "no " + word + "s"
	}
	return count(n, word)
}

func newPolicyTest() *cobra.Command {
	var run string
	var coverage bool
	c := &cobra.Command{
		Use:   "test [DIR]",
		Short: "Run the tests that stand beside the policies",
		Long: `Test runs every tests/*.test.yaml: a person, a day, a change, and what must follow. Exit code 1 if one fails.

With --coverage it names each condition and each line that gives, offers or denies something that no test made true, or
none made false: what could be changed there without a test noticing.`,
		Example: `  dayone policy test
  dayone policy test examples --run "a leaver"
  dayone policy test examples --coverage`,
		Args: args(0, 1, "one folder"),
		RunE: func(c *cobra.Command, args []string) error {
			f, _, err := folderOf(c, args)
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			set, diags := policy.Load(f.fsys, f.known.Systems)
			if set == nil {
				printDiagnostics(out, diags)
				errs, _ := tally(diags)
				fmt.Fprintf(out, "the policies have %s; no test was run\n", count(errs, "error"))
				return &shownError{fmt.Errorf("the policies do not load: %w", dayone.ErrInvalid)}
			}
			stories, diags := set.Stories(f.fsys)
			printDiagnostics(out, diags)
			faults, _ := tally(diags)
			if len(stories)+faults == 0 {
				return fmt.Errorf("there are no tests in %s; docs/policy.md shows how to write one: %w", f.dir, dayone.ErrNotFound)
			}
			chosen := slices.DeleteFunc(slices.Clone(stories), func(s policy.Story) bool { return !strings.Contains(strings.ToLower(s.Name), strings.ToLower(run)) })
			if len(chosen) == 0 && len(stories) > 0 {
				var names []string
				for _, s := range stories {
					names = append(names, s.Name)
				}
				return fmt.Errorf("no test is called %q; there are:\n  %s: %w", run, strings.Join(names, "\n  "), dayone.ErrNotFound)
			}
			failed := 0
			for _, s := range chosen {
				o := set.Tell(s)
				if len(o.Faults) == 0 {
					fmt.Fprintf(out, "ok    %s\n", s.Name)
					continue
				}
				failed++
				fmt.Fprintf(out, "FAIL  %s\n", s.Name)
				for _, d := range o.Faults {
					fmt.Fprintf(out, "      %s\n", strings.ReplaceAll(d.String(), "\n", "\n      "))
				}
			}
			if coverage {
				printCoverage(out, set.Cover(chosen))
			}
			switch {
			case faults > 0:
				fmt.Fprintf(out, "%s in the tests; of the others %s\n", count(faults, "fault"), passed(len(chosen), failed))
			default:
				fmt.Fprintln(out, passed(len(chosen), failed))
			}
			if failed+faults > 0 {
				return &shownError{fmt.Errorf("%d of %d failed: %w", failed, len(chosen), dayone.ErrInvalid)}
			}
			return nil
		},
	}
	c.Flags().StringVar(&run, "run", "", "only the tests whose name contains this")
	c.Flags().BoolVar(&coverage, "coverage", false, "name what no test has put to the question")
	return c
}

func passed(n, failed int) string {
	if failed == 0 {
		return count(n, "test") + " passed"
	}
	return fmt.Sprintf("%d of %s passed, %d failed", n-failed, count(n, "test"), failed)
}

func printCoverage(w io.Writer, c policy.Coverage) {
	for _, g := range c.Gaps {
		never := "true, and none false"
		switch {
		case !g.NeverNot:
			never = "true"
		case !g.NeverTrue:
			never = "false"
		}
		fmt.Fprintf(w, "%s: no test makes this %s %s: %s [%s]\n", g.Position, g.What, never, strings.Join(strings.Fields(g.Text), " "), g.Policy)
	}
	fmt.Fprintf(w, "coverage: %d of %s and %d of %s were true in one test and false in another\n",
		c.Conditions.Covered, count(c.Conditions.All, "condition"), c.Lines.Covered, count(c.Lines.All, "line"))
}

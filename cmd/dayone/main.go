// Command dayone is the whole product: portal, API, engine and command line in one binary. main wires the rooms together
// and each file holds one verb; nothing is decided here.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // zones of sites.yaml, wherever the binary runs

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dayone-hq/dayone"
)

func main() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }

// Exit codes, documented in the help of the root command.
const (
	exitError   = 1
	exitUsage   = 2
	exitMissing = 3
	exitChanges = 2 // of plan --all
)

// Main runs the command line and returns its exit code. Tests call it.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who says it twice does not want to wait
	stdout, stderr = &tame{w: stdout}, &tame{w: stderr}
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var shown *shownError
	var wrong faults
	switch {
	case errors.As(err, &shown):
	case errors.As(err, &wrong): // begins with the place, for editors to jump to
		fmt.Fprintln(stderr, err)
	default:
		fmt.Fprintln(stderr, "dayone:", plain(err))
	}
	var usage *usageError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, errChanges):
		return exitChanges
	case errors.Is(err, dayone.ErrNotFound):
		return exitMissing
	default:
		return exitError
	}
}

// plain is an error without the word for its kind, which only programs need.
func plain(err error) string {
	text := err.Error()
	if kind := dayone.KindOf(err); kind != nil {
		text = strings.TrimSuffix(text, ": "+kind.Error())
	}
	return strings.TrimSpace(text)
}

// shownError is an error whose text has been printed already.
type shownError struct{ err error }

func (e *shownError) Error() string { return e.err.Error() }
func (e *shownError) Unwrap() error { return e.err }

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "dayone",
		Short: "One HR event makes a new hire ready; on the last day all of it is taken back, with proof",
		Long: `Dayone turns one HR event into everything a person needs on day one: accounts, groups, licences, a laptop,
mails and calendar invitations. Policies are files; every grant says which line gave it.

See it once, from end to end, with simulated systems and no configuration:

  dayone demo

Exit codes: 0 done, 1 an error, 2 the command line is not understood, 3 what was named is not there. plan --all ends
with 2 if something would change.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w; %s --help shows what there is", err, c.CommandPath())}
	})
	root.PersistentPreRunE = legible
	root.PersistentFlags().StringP("config", "c", "dayone.yaml", "configuration file")
	root.AddCommand(newDemo(), newServe(), newInit(), newPlan(), newApply(), newExplain(), newPeople(), newNumber(), newRun(), newHold(), newApprovals(), newTasks(), newAlerts(), newBrake(), newToken(), newLogin(), newBranding(), newCalendar(), newWebhook(), newSource(), newRequest(), newProduct(), newPolicy(), newSystem(), newDrift(), newEffort(), newEvent(), newRecord(), newSession(), newAPI(), newStop(), newStart(), newVersion())
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "server" {
			name = portalFlag
		}
		return pflag.NormalizedName(name)
	})
	root.InitDefaultCompletionCmd()
	refuseUnknown(root)
	return root
}

// legible refuses what was said with a flag or beside them and is no text: it would stand in the record, and PostgreSQL keeps none
// of it. Files may lie where they lie.
func legible(c *cobra.Command, got []string) (err error) {
	judge := func(name, said string) {
		if err == nil && !dayone.Legible(said) {
			err = &usageError{fmt.Errorf("%s holds what nobody can read: a control character, or bytes that are no UTF-8; take it out", name)}
		}
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "config" {
			judge("--"+f.Name, f.Value.String())
		}
	})
	for i, said := range got {
		if name := argument(c.Use, i); name != "FILE" && name != "DIR" {
			judge(name, said)
		}
	}
	return err
}

// argument is what the help of a command calls one of its arguments; the last one may be said more than once.
func argument(use string, i int) string {
	one, _, _ := strings.Cut(use, " | ")
	words := slices.DeleteFunc(strings.Fields(one)[1:], func(w string) bool { return strings.HasPrefix(w, "-") })
	if len(words) == 0 {
		return fmt.Sprintf("argument %d", i+1)
	}
	return strings.Trim(words[min(i, len(words)-1)], "[].")
}

// refuseUnknown lets every group of commands refuse a word that is none of them: cobra would show help, as if all were well.
func refuseUnknown(group *cobra.Command) {
	var known []string
	for _, c := range group.Commands() {
		refuseUnknown(c)
		known = append(known, c.Name())
	}
	if len(known) == 0 || group.Runnable() {
		return
	}
	group.DisableFlagsInUseLine, group.Args = true, cobra.ArbitraryArgs
	group.RunE = func(c *cobra.Command, got []string) error {
		if len(got) == 0 {
			return c.Help()
		}
		hint := cmp.Or(dayone.Meant(got[0], known), c.CommandPath()+" --help shows what there is")
		return &usageError{fmt.Errorf("unknown command %q for %q; %s", got[0], c.CommandPath(), hint)}
	}
}

// args checks the number of arguments with an error that says what belongs there.
func args(n, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, got []string) error {
		if len(got) < n || len(got) > most {
			return &usageError{fmt.Errorf("%s takes %s; see %s --help", c.CommandPath(), what, c.CommandPath())}
		}
		return nil
	}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which version this is", Example: "  dayone version",
		Args: args(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), "dayone version", version())
			return err
		},
	}
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "development"
	}
	return info.Main.Version
}

package main

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// runDecisions are what can be decided about a run and about a step of it. The server that has the run carries them out.
func runDecisions() []*cobra.Command {
	whole := func(v engine.Verb, short, long, done string) *cobra.Command {
		return runDecision(string(v)+" RUN", 1, short, long, done, true, func(args []string, _ *client, _ *cobra.Command) (string, error) {
			return "/runs/" + url.PathEscape(args[0]) + "/" + string(v), nil
		})
	}
	step := func(v engine.Verb, short, done string, needsReason bool) *cobra.Command {
		return runDecision(string(v)+" RUN STEP", 2, short, "STEP is its number in dayone run show, or its id, such as \"okta/account account.create\".", done, needsReason,
			func(args []string, cl *client, c *cobra.Command) (string, error) {
				number, err := stepNumber(c, cl, args[0], args[1])
				return fmt.Sprintf("/runs/%s/steps/%d/%s", url.PathEscape(args[0]), number, v), err
			})
	}
	return []*cobra.Command{
		whole(engine.Cancel, "Give a run up", `Calls under way come back, nothing new starts, its tasks are closed. What is done stays done. Its person is not planned again
by itself until HR says something new, or the run is resumed; somebody who leaves meanwhile is cut off all the same.`, "is cancelled; calls under way come back first"),
		whole(engine.Pause, "Let nothing new of a run start", `Calls under way come back. It stays so, also through a restart, until the run is resumed; somebody who leaves meanwhile is
cut off all the same.`, "is paused"),
		whole(engine.GoOn, "Go on after a pause, or plan the person of a cancelled run again", "What HR has said meanwhile counts.", "goes on"),
		step(engine.Retry, "Call a step again that failed or waits", "is tried again", false),
		step(engine.Skip, "Go on without a step", "is skipped", true),
	}
}

func runDecision(use string, n int, short, long, done string, needsReason bool, path func([]string, *client, *cobra.Command) (string, error)) *cobra.Command {
	var reason string
	what := "a run"
	if n > 1 {
		what = "a run and a step"
	}
	verb, _, _ := strings.Cut(use, " ")
	example := fmt.Sprintf("  dayone run %s run_01jd9x0000000000000000000a", verb)
	if n > 1 {
		example += " 3"
	}
	if needsReason {
		example += " --reason CHG-1234"
	}
	c := &cobra.Command{
		Use: use, Short: short, Long: short + ".\n\n" + long, Example: example, Args: args(n, n, what),
		RunE: func(c *cobra.Command, args []string) error {
			if needsReason && reason == "" {
				return &usageError{fmt.Errorf("say why with --reason; it goes into the record")}
			}
			cl, err := serverOf(c)
			if err != nil {
				return err
			}
			at, err := path(args, cl, c)
			if err != nil {
				return err
			}
			if err := cl.call(c.Context(), "POST", at, nil, map[string]string{"reason": reason}, nil); err != nil {
				return listed(err, "run", args[0], "dayone run list")
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s %s.\n", args[len(args)-1], done)
			return err
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

// stepNumber finds a step by its number or by its id, which is its key and its action.
func stepNumber(c *cobra.Command, cl *client, run, step string) (int, error) {
	if n, err := strconv.Atoi(step); err == nil {
		return n, nil
	}
	var r struct {
		Steps []struct {
			Number      int
			Key, Action string
		}
	}
	if err := cl.call(c.Context(), "GET", "/runs/"+url.PathEscape(run), nil, nil, &r); err != nil {
		return 0, listed(err, "run", run, "dayone run list")
	}
	found := 0
	for _, s := range r.Steps {
		if step == s.Key+" "+s.Action || step == s.Key {
			if found > 0 && step == s.Key {
				return 0, fmt.Errorf("run %s has several steps on %s; name one with its action, or by its number: %w", run, step, dayone.ErrInvalid)
			}
			found = s.Number
		}
	}
	if found == 0 {
		return 0, fmt.Errorf("run %s has no step %q; dayone run show lists them: %w", cmp.Or(run, "?"), step, dayone.ErrNotFound)
	}
	return found, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// A plan for everybody needs everybody. The server has them in memory; a command would read them all first. So the command
// asks the configuration's server, and makes the plan itself where none runs, or --offline says so. Both make the same one.

const (
	offlineFlag = "offline"
	offlineHelp = "do not ask the running server: read everybody from the database here, which takes longer"
)

// elsewhere asks the server for a plan for everybody; nil: nobody is to be asked. against may be nil.
type elsewhere func(ctx context.Context, pr, against *flow.Proposal) (flow.Everybody, error)

// askServer is how the configuration's server is asked. What goes wrong there is told, if it is worth a word.
func (s *server) askServer(c *cobra.Command) (elsewhere, error) {
	offline, err := c.Flags().GetBool(offlineFlag)
	if err != nil || offline || s.cfg.Portal.URL == "" {
		return nil, err
	}
	token, err := s.cfg.fill("portal.token", s.cfg.Portal.Token)
	if err != nil { // it is not for us to read: another user's, or of another machine
		return nil, nil
	}
	cl := &client{base: s.cfg.Portal.URL, token: token, http: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	note := c.ErrOrStderr()
	return func(ctx context.Context, pr, against *flow.Proposal) (flow.Everybody, error) {
		plan, err := cl.planAll(ctx, pr, against)
		if err == nil {
			err = s.sameWorld(plan, pr, against)
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, errNobodyThere) {
			fmt.Fprintf(note, "dayone: the running server made no plan, so everybody is read here: %s\n", plain(err))
		}
		return plan, err
	}, nil
}

// plansWithin is the memory in bytes that a plan made by a command may fill before garbage is collected as often as usual.
const plansWithin = 400 << 20

// errNobodyThere: no server runs, which is nothing to speak of.
var errNobodyThere = fmt.Errorf("no server runs: %w", dayone.ErrUnavailable)

// sent is the request of a plan.
func sent(pr, against *flow.Proposal) (flow.Sent, error) {
	files, err := flow.Pack(pr.Files)
	if err != nil {
		return flow.Sent{}, err
	}
	in := flow.Sent{Files: files, Only: pr.Only}
	if against != nil {
		in.Against, err = flow.Pack(against.Files)
	}
	return in, err
}

// planAll asks for a plan. How long it takes is the server's affair: the first one after its start reads everybody.
func (cl *client) planAll(ctx context.Context, pr, against *flow.Proposal) (flow.Everybody, error) {
	in, err := sent(pr, against)
	if err != nil {
		return flow.Everybody{}, err
	}
	if err := cl.there(ctx); err != nil {
		return flow.Everybody{}, err
	}
	body, err := cl.ask(ctx, http.MethodPost, "/plans", nil, in)
	if err != nil {
		return flow.Everybody{}, err
	}
	defer body.Close()
	plan, err := flow.ReadPlan(body)
	if ctx.Err() != nil {
		return plan, ctx.Err()
	}
	return plan, err
}

// there says whether anything listens at the address: what does and is no server of ours is told from it.
func (cl *client) there(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cl.base+"/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := cl.http.Do(req)
	if err != nil {
		return errNobodyThere
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	return errors.Join(err, resp.Body.Close())
}

// sameWorld says whether the server's plan is of these books: of the stage that they are at, and for these policies.
func (s *server) sameWorld(plan flow.Everybody, pr, against *flow.Proposal) error {
	active := s.flow.Active().Hash
	if against != nil {
		active = against.Set.Hash
	}
	if plan.Active != active || plan.Proposed != pr.Set.Hash || plan.Stage != s.flow.LastStage() {
		return fmt.Errorf("it has other policies in force, or reads these in another way; does it have this configuration? %w", dayone.ErrConflict)
	}
	return nil
}

// planAll makes a plan for everybody, or has it made.
func (s *server) planAll(c *cobra.Command, pr flow.Proposal, against *flow.Proposal) (flow.Everybody, error) {
	ask, err := s.askServer(c)
	if err != nil {
		return flow.Everybody{}, err
	}
	if ask != nil {
		plan, err := ask(c.Context(), &pr, against)
		if err == nil || c.Context().Err() != nil {
			plan.Only = pr.Only
			return plan, err
		}
	}
	if os.Getenv("GOGC") == "" { // this process ends with its plan: it collects its garbage less often, within plansWithin
		defer debug.SetGCPercent(debug.SetGCPercent(300))
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(plansWithin))
	}
	progress := func(done int) { fmt.Fprintf(untamed(c.ErrOrStderr()), "\r%s people looked at", thousands(done)) }
	if !isTerminal(c.ErrOrStderr()) {
		progress = nil
	} else {
		defer fmt.Fprint(untamed(c.ErrOrStderr()), "\r\033[K")
	}
	if against != nil {
		return s.flow.PlanAll(c.Context(), pr, against.Set, progress)
	}
	return s.flow.PlanAll(c.Context(), pr, nil, progress)
}

package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

func newServe() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run the server: webhooks, engine, portal and API",
		Long: `Serve reads dayone.yaml (dayone init writes one), opens the database, and works until it is stopped. Runs that were under
way when it stopped go on. The portal asks for the access token that portal.token names.`,
		Example: `  dayone serve
  dayone serve --config /etc/dayone/dayone.yaml`,
		Args: args(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := configured(c)
			if err != nil {
				return err
			}
			return serve(c.Context(), cfg, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
		},
	}
}

// grace is how long requests under way may take after the order to stop.
const grace = 10 * time.Second

func serve(ctx context.Context, cfg *config, log *slog.Logger) error {
	token, err := cfg.token()
	if err != nil {
		return err
	}
	s, err := wire(ctx, cfg, wiring{clock: clock.System{}, log: log})
	var pe *policyError
	if errors.As(err, &pe) {
		printDiagnostics(os.Stderr, pe.diags)
	}
	if err != nil {
		return err
	}
	defer s.close()
	if set, diags := s.flow.Folder(); set == nil {
		log.Error("the policy folder is broken; what is in force stays", "fault", (&flow.BrokenPolicies{Diagnostics: diags}).Error())
	}
	for _, d := range s.flow.Active().Unsendable(flow.Known(s.flow.InForce())) {
		log.Warn("a policy names a message that there is none of", "at", d.Position.String(), "fault", d.Message, "hint", d.Hint)
	}
	for name, hint := range cfg.idle(s.flow.Active()) {
		log.Warn("no policy gives anything at a configured system", "system", name, "hint", hint)
	}
	l, err := listen(cfg.Portal.Listen, mostConnections)
	if err != nil {
		return cfg.wrong("portal.listen", "value", "stop what listens there, or write another port here and in portal.url", "nothing can listen on %s: %v", cfg.Portal.Listen, err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s.run(ctx)
	s.under.Go(func() { s.begin(ctx) })
	srv := newHTTP(web.New(s.flow, web.Options{
		Base: cfg.Portal.URL, Token: token, TokenFile: cfg.tokenFile(), Version: version(), Log: log, Stopping: ctx.Done(),
	}))
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	log.Info("serving", "portal", cfg.Portal.URL, "listen", l.Addr().String(), "policies", len(s.flow.Active().Policies), "systems", len(cfg.Systems))
	select {
	case <-ctx.Done():
	case err = <-failed:
	case err = <-s.errs:
	}
	log.Info("stopping")
	stop()
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return errors.Join(err, ignoreClosed(srv.Shutdown(down)))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, context.DeadlineExceeded) {
		return nil // somebody takes very long to read
	}
	return err
}

// begin does what a start needs and a page need not wait for: catalogues, and the people a source knows already.
func (s *server) begin(ctx context.Context) {
	if err := s.flow.PullCatalogues(ctx); err != nil && ctx.Err() == nil {
		s.log.Warn("some catalogues could not be read; their last state counts", "error", err)
	}
	for name := range s.cfg.Sources {
		n, err := s.flow.Import(ctx, name)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("people of a source could not be read", "source", name, "error", err)
			continue
		}
		s.log.Info("people read", "source", name, "new", n)
	}
}

// tokenFile is the file that holds the portal's token, as the configuration names it; "": no file does. Who signs in is
// told where the token lies, and never what it is.
func (c *config) tokenFile() string {
	if m := reference.FindStringSubmatch(c.Portal.Token); m != nil && m[0] == c.Portal.Token && m[1] == "file" {
		return m[2]
	}
	return ""
}

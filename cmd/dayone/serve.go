package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
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
			path, err := c.Flags().GetString("config")
			if err != nil {
				return err
			}
			cfg, err := readConfig(path)
			if err != nil {
				return err
			}
			if cfg.Portal.Token == "" {
				return fmt.Errorf("portal.token is not set; write token: ${file:portal.token} into %s and a long random text into that file: %w", path, dayone.ErrInvalid)
			}
			return serve(c.Context(), cfg, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
		},
	}
}

// grace is how long requests under way may take after the order to stop.
const grace = 10 * time.Second

func serve(ctx context.Context, cfg *config, log *slog.Logger) error {
	s, err := wire(ctx, cfg, wiring{clock: clock.System{}, log: log})
	var pe *policyError
	if errors.As(err, &pe) {
		printDiagnostics(os.Stderr, pe.diags)
	}
	if err != nil {
		return err
	}
	defer s.close()
	l, err := net.Listen("tcp", cfg.Portal.Listen)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s.run(ctx)
	go s.begin(ctx)
	srv := &http.Server{
		Handler:           web.New(s.flow, web.Options{Base: cfg.Portal.URL, Token: dayone.NewSecret(cfg.Portal.Token), Version: version(), Log: log}),
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	log.Info("serving", "portal", cfg.Portal.URL, "listen", l.Addr().String(), "policies", len(s.flow.Active().Policies), "systems", len(cfg.Systems))
	select {
	case <-ctx.Done():
	case err = <-failed:
	case err = <-s.errs:
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	log.Info("stopping")
	return errors.Join(err, ignoreClosed(srv.Shutdown(down)))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, context.DeadlineExceeded) {
		return nil // pages that watch a run stay open as long as they are let
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

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/web"
)

func newServe() *cobra.Command {
	var standby, clockIsRight bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the server: webhooks, engine, portal and API",
		Long: `Serve reads dayone.yaml (dayone init writes one), opens the database, and works until it is stopped. Runs that were under
way when it stopped go on. The portal asks for the access token that portal.token names, or sends people to the identity
provider of portal.sign_on. With neither it prints a link, once, that sets up an administrator who signs in by a password.

One server works with a database. On PostgreSQL others can stand by (--standby, or standby: true in dayone.yaml): each waits,
answers /healthz with 200 and /readyz with 503, says on its pages and at /api/v1/leader who leads, and takes over within
seconds when that one stops, or is silent for longer than its lease. A server that was taken over from ends; start it again,
and it stands by.`,
		Example: `  dayone serve
  dayone serve --config /etc/dayone/dayone.yaml
  dayone serve --standby`,
		Args: args(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := configured(c)
			if err != nil {
				return err
			}
			if standby && strings.HasPrefix(cfg.Database, "sqlite:") {
				return &usageError{errors.New("--standby is for several servers on one PostgreSQL, and the database is a file of SQLite")}
			}
			cfg.Standby, cfg.clockIsRight = cfg.Standby || standby, clockIsRight
			return serve(c.Context(), cfg, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
		},
	}
	c.Flags().BoolVar(&standby, "standby", false, "wait while another server works on the database (PostgreSQL), and take over when it stops")
	c.Flags().BoolVar(&clockIsRight, "clock-is-right", false, "start although the books were written to later than this machine's clock shows")
	return c
}

// grace is how long requests under way may take after the order to stop.
const grace = 10 * time.Second

func serve(ctx context.Context, cfg *config, log *slog.Logger) error {
	token := dayone.Secret{}
	if _, said := cfg.stands("portal.token"); said || cfg.Portal.SignOn.on() {
		var err error
		if token, err = cfg.token(); err != nil {
			return err
		}
	}
	logins, err := cfg.logins()
	if err != nil {
		return err
	}
	signOn, err := cfg.signOn()
	if err != nil {
		return err
	}
	started := startSmall()
	defer started()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	meters := web.NewMeters()
	opt := web.Options{
		Meters: meters, Base: cfg.Portal.URL, Token: token, Tokens: logins, SignOn: signOn, SessionFor: cfg.Portal.Session, IdleFor: cfg.Portal.Idle,
		Given: cfg.given(), Discreet: cfg.Portal.Confidential, SetupAnywhere: cfg.Portal.Setup == setupAnywhere, TokenFile: cfg.tokenFile(), Version: version(), Log: log, Stopping: ctx.Done(),
		Limits: cfg.limits(), Proxies: cfg.proxies(),
		Language: cfg.Portal.Language,
	}
	f := &front{cfg: cfg, failed: make(chan error, 1)}
	w := wiring{clock: clock.NewForward(time.Now), clockIsRight: cfg.clockIsRight, log: log, observe: meters.Called, committed: meters.Committed, lead: store.Lead{Name: whoWeAre(), At: cfg.Portal.URL, Lasts: cfg.Lease}}
	if cfg.Standby {
		waits := &waiting{log: log}
		w.lead.Waits = waits.told
		if err := f.open(web.NewStandby(opt, dayone.NewIDs(time.Now, rand.Reader), time.Now, waits.standing)); err != nil {
			return err
		}
		defer f.close(ctx)
	}
	s, err := wire(ctx, cfg, w)
	var pe *policyError
	if errors.As(err, &pe) {
		printDiagnostics(os.Stderr, pe.diags)
	}
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil // stopped while it stood by
		}
		return err
	}
	defer s.close()
	if err := s.flow.AtStart(ctx); err != nil {
		return err
	}
	if set, diags := s.flow.Folder(); set == nil {
		log.Error("the policy folder is broken; what is in force stays", "fault", (&flow.BrokenPolicies{Diagnostics: diags}).Error())
	}
	for _, d := range s.flow.Active().Unsendable(flow.Known(s.flow.InForce())) {
		log.Warn("a policy names a message that there is none of", "at", d.Position.String(), "fault", d.Message, "hint", d.Hint)
	}
	for name, hint := range cfg.idle(s.flow.Active()) {
		log.Warn("no policy gives anything at a configured system", "system", name, "hint", hint)
	}
	if err := cleanSecrets(cfg.places.file, log); err != nil {
		log.Warn("secrets that are left over", "error", err)
	}
	opt.SystemForms = newSystemForms(cfg.places.file, s)
	if err := f.open(web.New(s.flow, opt)); err != nil {
		return err
	}
	s.run(ctx)
	s.under.Go(func() {
		s.begin(ctx)
		started()
	})
	log.Info("serving", "portal", cfg.Portal.URL, "listen", f.at.Addr().String(), "policies", len(s.flow.Active().Policies), "systems", len(cfg.Systems))
	if token.IsZero() && len(logins) == 0 && signOn == nil {
		if err := cfg.offerSetup(ctx, s.flow, os.Stdout); err != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
	case err = <-f.failed:
	case err = <-s.errs:
	}
	if err != nil { // whatever failed first, a database that was taken away is why
		if gone := s.store.Ready(ctx); gone != nil && ctx.Err() == nil {
			err = errors.Join(gone, err)
		}
	}
	log.Info("stopping")
	stop()
	return errors.Join(err, f.close(ctx))
}

// whoWeAre names this process to those who stand by.
func whoWeAre() string {
	host, err := os.Hostname()
	if err != nil {
		host = "a machine without a name"
	}
	return fmt.Sprintf("%s, process %d", host, os.Getpid())
}

// waiting is what a process that stands by was told last.
type waiting struct {
	log *slog.Logger

	mu sync.Mutex
	is web.Standing
}

func (w *waiting) told(l store.Leader, trouble error) {
	w.mu.Lock()
	was := w.is
	w.is = web.Standing{Leader: l, Trouble: trouble}
	w.mu.Unlock()
	switch {
	case trouble != nil && was.Trouble == nil:
		w.log.Error("standing by, and nobody can take over", "error", trouble)
	case l.Silent && !was.Silent:
		w.log.Warn("the leader is silent; taking over", "leader", l.Name, "epoch", l.Epoch, "renewed", l.Renewed)
	case trouble == nil && (l.Epoch != was.Epoch || was.Trouble != nil):
		w.log.Info("standing by", "leader", l.Name, "epoch", l.Epoch, "since", l.Since)
	}
}

func (w *waiting) standing() web.Standing {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.is
}

// front is the address at which this process answers: as one that stands by first, where it does, and then as the one
// that leads.
type front struct {
	cfg    *config
	at     net.Listener
	srv    *http.Server
	is     atomic.Pointer[http.Handler]
	failed chan error
}

// open lets a handler answer from now on.
func (f *front) open(h http.Handler) error {
	f.is.Store(&h)
	if f.at != nil {
		return nil
	}
	l, err := listen(f.cfg.Portal.Listen, mostConnections)
	if err != nil {
		return f.cfg.wrong("portal.listen", "value", "stop what listens there, or write another port here and in portal.url", "nothing can listen on %s: %v", f.cfg.Portal.Listen, err)
	}
	f.at = l
	f.srv = newHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*f.is.Load()).ServeHTTP(w, r) }))
	go func() { f.failed <- f.srv.Serve(l) }()
	return nil
}

// close lets the requests under way end.
func (f *front) close(ctx context.Context) error {
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return ignoreClosed(f.srv.Shutdown(down))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, context.DeadlineExceeded) {
		return nil // somebody takes very long to read
	}
	return err
}

// begin does what a start needs and a page need not wait for: catalogues, and the people a source knows already.
func (s *server) begin(ctx context.Context) {
	debug.FreeOSMemory()       // what reading policies took is not needed again,
	defer debug.FreeOSMemory() // and neither is what this takes
	if n, err := s.store.GatherTimelines(ctx); err != nil && ctx.Err() == nil {
		s.log.Warn("what is known of some people could not be gathered; plans for everybody take longer", "error", err)
	} else if n > 0 {
		s.log.Info("what is known of people is gathered", "people", n)
	}
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

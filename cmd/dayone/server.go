package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/all"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// server is everything wired: the one place that knows all rooms of the house.
type server struct {
	cfg    *config
	flow   *flow.Flow
	store  *store.DB
	engine *engine.Driver
	log    *slog.Logger
	errs   chan error
	under  sync.WaitGroup // what run and begin started
}

// wiring is what differs between serve, demo and the commands that only look.
type wiring struct {
	clock        engine.Clock
	log          *slog.Logger
	files        fs.FS // the policy folder; nil: the configured one
	transport    http.RoundTripper
	observe      func(system, op string, took time.Duration, err error)
	committed    func(writes int)
	clockIsRight bool   // the machine's clock counts, also where the books are ahead of it
	looks        bool   // nothing is to be changed, not even what policies are in force
	beside       bool   // one change is to be made, while a server may be at work
	offline      bool   // no system is called, so no secret is needed
	source       string // offline: but this source reads an event
	lead         store.Lead
}

// wire opens everything that a configuration names. Nothing runs yet.
func wire(ctx context.Context, c *config, w wiring) (*server, error) {
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	files := w.files
	if files == nil {
		files = folder(c.path(c.Policy))
	}
	sources, sourceFaults := openSources(c, w)
	inForce := &whatCounts{files} // until somebody knows what counts
	guards, systems, systemFaults := openSystems(c, w, inForce)
	if err := errors.Join(sourceFaults, systemFaults); err != nil {
		return nil, err
	}
	alerts, err := c.alerts(w)
	if err != nil {
		return nil, err
	}
	webhooks, err := c.webhooks(w)
	if err != nil {
		return nil, err
	}
	ids := dayone.NewIDs(w.clock.Now, rand.Reader)
	phonesAt, err := c.phonesAt(guards)
	if err != nil {
		return nil, err
	}
	keeper, db, err := openBooks(ctx, c, w, ids)
	if err != nil {
		return nil, err
	}
	if err := w.goOn(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	db.Committed = w.committed
	driver := &engine.Driver{Store: db, Clock: w.clock, Keeper: keeper, Config: engine.DefaultConfig, Care: c.care(), Log: w.log}
	s := &server{cfg: c, store: db, engine: driver, log: w.log, errs: make(chan error, 3)}
	s.flow = flow.New(flow.Deps{
		Store: db, Engine: driver, Clock: w.clock, IDs: ids, Keeper: keeper, Sources: sources, Systems: guards,
		Load:  func(fsys fs.FS) (*policy.Set, []policy.Diagnostic) { return policy.Load(fsys, systems) },
		Files: files, Base: c.Portal.URL, Company: c.Company, Mail: c.Messages.Mail, Calendar: c.Messages.Calendar, OpensAt: c.Messages.OpensAt, Log: w.log,
		KeepBodies: time.Duration(c.KeepDays) * 24 * time.Hour, UndoFor: time.Duration(c.UndoDays) * 24 * time.Hour, RetainFor: time.Duration(c.Privacy.RetainDays) * 24 * time.Hour, Retain: c.Privacy.retain(), KeepCalls: c.Privacy.keepCalls(), AloneNotice: c.Alone.Notice, TwoPersons: !c.Alone.Allowed,
		Beside: w.beside || w.looks,
		Asking: flow.Asking{
			Groups: c.Approvals.Groups, Fallback: c.Approvals.Fallback, RemindAfter: c.Approvals.RemindAfter, EscalateAfter: c.Approvals.EscalateAfter, Tasks: c.Tasks.Assignee, Owners: c.owners(),
		},
		Alerts: alerts, Webhooks: webhooks, Removals: c.removals(), PhonesAt: phonesAt, LongestOutside: c.Outside.LongestDays, PreHire: flow.PreHireSettings{Ask: c.PreHire.Ask, Remind: c.PreHire.RemindDays},
		Language: c.Portal.Language,
	})
	if err := s.flow.OpenPolicies(ctx, !w.looks); err != nil {
		var broken *flow.BrokenPolicies
		if errors.As(err, &broken) {
			err = &policyError{c.path(c.Policy), broken.Diagnostics}
		}
		return nil, errors.Join(err, db.Close())
	}
	inForce.FS = s.flow.InForce()
	if err := c.checkAgainst(s.flow.Active()); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// mostAhead is how far the books may be ahead of the machine's clock: by more it is not the clock that slipped, and whoever starts
// has to say which of the two is right.
const mostAhead = time.Hour

// goOn lets time go on where the books are: nothing is looked at as of an instant before what is known already.
func (w wiring) goOn(ctx context.Context, db *store.DB) error {
	c, ok := w.clock.(interface{ NotBefore(time.Time) })
	if !ok || w.clockIsRight {
		return nil
	}
	newest, err := db.NewestInstant(ctx)
	if err != nil {
		return err
	}
	wall, isWall := w.clock.(*clock.Forward)
	if now := w.clock.Now(); isWall && !w.looks && !w.beside && newest.Sub(now) > mostAhead {
		return fmt.Errorf("the books were written to until %s, and this machine's clock shows %s: set the clock; if it is right and the books are ahead, start with --clock-is-right: %w",
			newest.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339), dayone.ErrConflict)
	}
	c.NotBefore(newest)
	if isWall && wall.Behind() > time.Second && w.log != nil {
		w.log.Warn("this machine's clock is behind the books; time goes on from the books, at half its pace until they agree", "behind", wall.Behind().Round(time.Second).String())
	}
	return nil
}

// whatCounts are the files that connectors read of the policies in force.
type whatCounts struct{ fs.FS }

// Glob names files of every version that counts for anybody.
func (w *whatCounts) Glob(pattern string) ([]string, error) { return fs.Glob(w.FS, pattern) }

// openSystems describes systems to those who decide, and opens their connectors, guarded, for those who call them.
func openSystems(c *config, w wiring, files fs.FS) (map[string]*connector.Guard, []dayone.System, error) {
	guards := map[string]*connector.Guard{}
	var systems []dayone.System
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.Systems)) {
		sc, path := c.Systems[name], "systems."+name
		m, err := c.manifest(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		sys, err := c.system(name, m)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		systems = append(systems, sys)
		if w.offline {
			continue
		}
		settings, err := c.settings(path, sc.Settings)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if guards[name], err = connector.Open(all.Factories()[sc.Connector], name, w.clock.Now, connector.Options{
			Settings: c.files(m, settings), Concurrency: sc.Concurrency, PerMinute: sc.PerMinute, DryRun: sc.DryRun, Timeout: sc.Timeout, Files: files,
			Observe: w.observe, Transport: w.transport, Unnoted: c.Privacy.Requests == 0,
			Beside: func(other string) *connector.Guard { return guards[other] },
		}); err != nil {
			errs = append(errs, c.unopened(path, err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(guards)) {
		if g := guards[name]; g != nil && len(errs) == 0 {
			if err := g.Leans(); err != nil {
				errs = append(errs, c.unopened("systems."+name, err))
			}
		}
	}
	return guards, systems, errors.Join(errs...)
}

// unopened says at which setting a connector stumbled.
func (c *config) unopened(path string, err error) error {
	var s *connector.SettingError
	if errors.As(err, &s) {
		return c.wrong(path+".settings."+s.Setting, "value", s.Hint, "%s: %s", path, s)
	}
	return c.wrong(path+".settings", "value", "", "%s: %s", path, plain(err))
}

// manifestOf reads a connector's manifest.
func manifestOf(name string) (*connector.Manifest, error) {
	f, ok := all.Factories()[name]
	if !ok {
		return nil, fmt.Errorf("there is no connector %q: %w", name, dayone.ErrNotFound)
	}
	return connector.ParseManifest(f.Manifest)
}

func openSources(c *config, w wiring) (map[string]flow.Source, error) {
	out := map[string]flow.Source{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		sc, path := c.Sources[name], "sources."+name
		if w.offline && name != w.source {
			continue
		}
		m, err := c.connector(path, sc.Connector)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		transport := w.transport
		settings, err := c.settings(path, sc.Settings)
		if err != nil && w.offline {
			settings, transport, err = c.standIns(path, m, sc.Settings)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		g, err := connector.Open(all.Factories()[sc.Connector], name, w.clock.Now, connector.Options{Settings: settings, Observe: w.observe, Transport: transport})
		if err != nil {
			errs = append(errs, c.unopened(path, err))
			continue
		}
		src, ok := g.Source()
		if !ok {
			errs = append(errs, c.wrong(path+".connector", "heading", "move it below systems:", "%s: %s is no source of people", path, g.Manifest.Title))
			continue
		}
		since, _ := time.Parse(time.DateOnly, sc.Since) // checked when the file was read
		stale := sc.StaleAfter
		if _, said := c.stands(path + ".stale_after"); said && stale == 0 {
			stale = -1 // it may be silent for ever
		}
		out[name] = sc.read(flow.Source{Source: src, Since: since, StaleAfter: stale, Confidential: sc.Confidential == terminations, Discreet: sc.Confidential == marked})
	}
	return out, errors.Join(errs...)
}

// policyError carries every diagnostic to whoever prints it.
type policyError struct {
	dir   string
	diags []policy.Diagnostic
}

func (e *policyError) Error() string {
	n := 0
	for _, d := range e.diags {
		if d.Severity == policy.Error {
			n++
		}
	}
	return fmt.Sprintf("the policies in %s have %d errors; dayone policy check shows them", e.dir, n)
}

func (e *policyError) Unwrap() error { return dayone.ErrInvalid }

// run starts engine and flow; they stop when ctx ends. A failed commit ends the process: memory and database differ. So
// does a database that somebody took away.
func (s *server) run(ctx context.Context) {
	s.under.Go(func() {
		if err := s.engine.Run(ctx); err != nil {
			s.errs <- fmt.Errorf("the engine stopped: %w", err)
		}
	})
	s.under.Go(func() {
		if err := s.flow.Run(ctx); err != nil {
			s.errs <- err
		}
	})
	s.under.Go(func() { s.rest(ctx) })
	s.under.Go(func() {
		select {
		case <-ctx.Done():
		case <-s.store.Lost():
			if err := s.store.Ready(ctx); err != nil {
				s.errs <- err
			}
		}
	})
}

// close waits for what ctx has ended, since who still reads keeps a part of SQLite's database in its log.
func (s *server) close() error {
	over := make(chan struct{})
	go func() {
		s.under.Wait()
		close(over)
	}()
	end := time.NewTimer(grace)
	defer end.Stop()
	select {
	case <-over:
	case <-end.C:
	}
	return s.store.Close()
}

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
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/all"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/message"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/secret"
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
}

// wiring is what differs between serve, demo and the commands that only look.
type wiring struct {
	clock     engine.Clock
	log       *slog.Logger
	files     fs.FS // the policy folder; nil: the configured one
	transport http.RoundTripper
	observe   func(system, op string, took time.Duration, err error)
	looks     bool // nothing is to be changed, not even what policies are in force
}

// wire opens everything that a configuration names. Nothing runs yet.
func wire(ctx context.Context, c *config, w wiring) (*server, error) {
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	files := w.files
	if files == nil {
		files = os.DirFS(c.path(c.Policy))
	}
	guards, systems, err := openSystems(c, w, files)
	if err != nil {
		return nil, err
	}
	sources, err := openSources(c, w)
	if err != nil {
		return nil, err
	}
	templates := message.Templates{Files: files}
	if err := templates.Check(); err != nil {
		return nil, err
	}
	keeper, err := secret.FromFile(c.path(c.MasterKey))
	if err != nil {
		return nil, err
	}
	ids := dayone.NewIDs(w.clock.Now, rand.Reader)
	db, err := store.Open(ctx, c.database(), flow.Sealer{Keeper: keeper, Random: rand.Reader}, w.clock.Now, ids)
	if err != nil {
		return nil, err
	}
	driver := &engine.Driver{Store: db, Clock: w.clock, Keeper: keeper, Config: engine.DefaultConfig, Log: w.log}
	s := &server{cfg: c, store: db, engine: driver, log: w.log, errs: make(chan error, 2)}
	s.flow = flow.New(flow.Deps{
		Store: db, Engine: driver, Clock: w.clock, IDs: ids, Keeper: keeper, Sources: sources, Systems: guards, Templates: templates,
		Load:  func(fsys fs.FS) (*policy.Set, []policy.Diagnostic) { return policy.Load(fsys, systems) },
		Files: files, Base: c.Portal.URL, Company: c.Company, Mail: c.Messages.Mail, Calendar: c.Messages.Calendar, OpensAt: c.Messages.OpensAt, Log: w.log,
	})
	if err := s.flow.OpenPolicies(ctx, !w.looks); err != nil {
		var broken *flow.BrokenPolicies
		if errors.As(err, &broken) {
			err = &policyError{c.path(c.Policy), broken.Diagnostics}
		}
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// openSystems opens connectors, guarded, and describes them to those who decide.
func openSystems(c *config, w wiring, files fs.FS) (map[string]*connector.Guard, []dayone.System, error) {
	guards := map[string]*connector.Guard{}
	var systems []dayone.System
	var errs []error
	factories := all.Factories()
	for _, name := range slices.Sorted(maps.Keys(c.Systems)) {
		sc := c.Systems[name]
		f, ok := factories[sc.Connector]
		if !ok {
			errs = append(errs, fmt.Errorf("systems.%s: there is no connector %q; there are %s: %w", name, sc.Connector, strings.Join(slices.Sorted(maps.Keys(factories)), ", "), dayone.ErrInvalid))
			continue
		}
		g, err := connector.Open(f, name, w.clock.Now, connector.Options{
			Settings: sc.Settings, Concurrency: sc.Concurrency, PerMinute: sc.PerMinute, DryRun: sc.DryRun, Timeout: sc.Timeout, Files: files,
			Observe: w.observe, Transport: w.transport,
		})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		sys, err := sc.system(name, g.Manifest)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		guards[name] = g
		systems = append(systems, sys)
	}
	return guards, systems, errors.Join(errs...)
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
		sc := c.Sources[name]
		f, ok := all.Factories()[sc.Connector]
		if !ok {
			errs = append(errs, fmt.Errorf("sources.%s: there is no connector %q: %w", name, sc.Connector, dayone.ErrInvalid))
			continue
		}
		g, err := connector.Open(f, name, w.clock.Now, connector.Options{Settings: sc.Settings, Observe: w.observe, Transport: w.transport})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		src, ok := g.Source()
		if !ok {
			errs = append(errs, fmt.Errorf("sources.%s: %s is no source of people: %w", name, g.Manifest.Title, dayone.ErrInvalid))
			continue
		}
		since, _ := time.Parse(time.DateOnly, sc.Since) // checked when the file was read
		out[name] = flow.Source{Source: src, Since: since}
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

// run starts engine and flow; they stop when ctx ends. A failed commit ends the process: memory and database differ.
func (s *server) run(ctx context.Context) {
	go func() {
		if err := s.engine.Run(ctx); err != nil {
			s.errs <- fmt.Errorf("the engine stopped: %w", err)
		}
	}()
	go func() {
		if err := s.flow.Run(ctx); err != nil {
			s.errs <- err
		}
	}()
}

func (s *server) close() error { return s.store.Close() }

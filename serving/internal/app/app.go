// Package app wires serving together: it alone knows all the parts. Each goroutine that it starts
// it also waits for.
package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"freshline/serving/internal/arrowapi"
	"freshline/serving/internal/bundle"
	"freshline/serving/internal/config"
	"freshline/serving/internal/control"
	"freshline/serving/internal/grpcapi"
	"freshline/serving/internal/httpapi"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/observe"
	"freshline/serving/internal/pass"
	"freshline/serving/internal/tracing"
)

const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute
	sendTimeout   = time.Minute // of a body
	takeTimeout   = time.Minute // of a piece of an answer
	maxHeader     = 64 << 10    // bytes
	watchInterval = 5 * time.Second
	// prepareTimeout bounds how long a new bundle waits for the watermarks of its projects.
	prepareTimeout = 500 * time.Millisecond
)

// App is one serving process.
type App struct {
	config   config.Config
	log      *slog.Logger
	instance string
	stores   stores
	control  *control.Client
	bundles  *bundle.Holder
	poller   *bundle.Poller
	acks     *bundle.Acknowledger
	marks    *lookup.Watermarks
	engine   *lookup.Engine
	counters *observe.Counters
	tracer   *tracing.Tracer // nil: off
	metrics  *observe.Metrics
	sender   *observe.Sender
	handler  http.Handler
	farewell *farewell
	listener net.Listener
}

// New builds the process and binds its address; nothing runs yet.
func New(c config.Config, build string, log *slog.Logger) (*App, error) {
	opened, err := openStores(c.Stores, log)
	if err != nil {
		return nil, err
	}
	listener, err := listen(c)
	if err != nil {
		opened.close()
		return nil, err
	}
	a := &App{
		config: c, log: log, instance: newInstance(c.Name), stores: opened, listener: listener,
		farewell: newFarewell(),
		control:  control.New(c.ControlURL, c.Token, c.TokenFile),
		bundles:  new(bundle.Holder),
		marks:    lookup.NewWatermarks(opened.readers()),
		counters: observe.NewCounters(c.SampleEvery, c.PlainKeys...),
	}
	a.metrics = observe.NewMetrics(a.counters, build)
	a.acks = bundle.NewAcknowledger(a.control, a.instance, build)
	a.poller = &bundle.Poller{
		Source: a.control, Holder: a.bundles, Path: filepath.Join(c.Home, "bundle"),
		Prepare: a.prepare, Acks: a.acks, Log: log, Now: time.Now,
	}
	if c.Tracing {
		if a.tracer, err = tracing.Start(context.Background(), a.instance, build, log); err != nil {
			opened.close()
			return nil, errors.Join(err, listener.Close())
		}
	}
	a.engine = lookup.NewEngine(lookup.Config{
		Stores: a.tracer.Stores(opened.readers()), Bundles: a.bundles, Marks: a.marks, Observer: a.counters, Timer: a.metrics,
		Limits: lookup.Limits{
			Entities: c.MaxEntities, Features: c.MaxFeatures, Concurrent: c.MaxConcurrent, Values: c.MaxValues,
		},
		Timeout: c.Timeout, Log: log, Now: time.Now,
	})
	a.sender = observe.NewSender(observe.SenderConfig{
		Counters: a.counters, Deliver: a.control, Instance: a.instance,
		Folder: filepath.Join(c.Home, "spool"), MaxBytes: int64(c.SpoolBytes), Every: c.ObserveInterval,
		Log: log, Now: time.Now,
	})
	gate := &lookup.Gate{Bundles: a.bundles, AuthRequired: c.AuthRequired, Now: time.Now}
	passer := pass.New(pass.Config{
		Plane: a.control, Timeout: c.PassTimeout, MaxBodyBytes: c.MaxBodyBytes, AuthRequired: c.AuthRequired, TokenFile: c.PassTokenFile,
	})
	mux := http.NewServeMux()
	grpcapi.Mount(mux, grpcapi.Config{
		Engine: a.engine, Gate: gate, Stores: opened.pingers(), Timer: a.metrics, MaxBodyBytes: c.MaxBodyBytes, Passer: passer, Build: build, Log: log,
		WatchTicks: grpcapi.Every(watchInterval), Leaving: a.farewell.leaving,
	})
	httpapi.Mount(mux, httpapi.Config{
		Engine: a.engine, Gate: gate, Bundles: a.bundles, Stores: opened.pingers(), Timer: a.metrics, Arrow: arrowapi.New(), Passer: passer,
		Metrics: a.metrics.Handler(), MaxBodyBytes: c.MaxBodyBytes, Log: log,
	})
	a.handler = a.tracer.Handler(mux)
	a.addGauges()
	return a, nil
}

func newInstance(name string) string {
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails
	return name + "-" + hex.EncodeToString(random)
}

// Address is where the server listens.
func (a *App) Address() string { return a.listener.Addr().String() }

// Handler is the server's handler, for tests that need no network.
func (a *App) Handler() http.Handler { return a.handler }

// LeaveContractsUnenforced makes the server answer what is stored, from before Run on. It is for the program
// that measures what enforcement costs; no setting leads to it.
func (a *App) LeaveContractsUnenforced() { a.engine.Unenforced = true }

// Run serves until ctx ends, then drains: requests under way finish, observations are sent or kept.
func (a *App) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var parts sync.WaitGroup
	parts.Go(func() {
		a.marks.Run(background, a.config.WatermarkInterval, a.places, a.polled)
	})
	a.poller.Start(ctx)
	parts.Go(func() { a.poller.Run(background) })
	parts.Go(func() { a.acks.Run(background) })
	parts.Go(func() { a.sender.Run(background) })
	err := a.serve(ctx)
	stop()
	parts.Wait()
	a.control.Close()
	a.stores.close()
	a.tracer.Stop(ctx)
	return err
}

func (a *App) serve(ctx context.Context) error {
	server := &http.Server{
		Handler:           a.farewell.wrap(patience{sendTimeout, takeTimeout}.wrap(a.handler)),
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn), ConnState: a.farewell.count,
		Protocols: protocols(),
	}
	tlsConfig, err := tlsSettings(a.config, a.log)
	if err != nil {
		return errors.Join(err, a.listener.Close())
	}
	server.TLSConfig = tlsConfig
	stopProfiles, err := a.serveProfiles()
	if err != nil {
		return errors.Join(err, a.listener.Close())
	}
	defer stopProfiles()
	failed := make(chan error, 1)
	go func() {
		if tlsConfig != nil {
			failed <- server.ServeTLS(a.listener, "", "")
			return
		}
		failed <- server.Serve(a.listener)
	}()
	a.log.Info("serving", "address", a.Address(), "instance", a.instance, "auth_required", a.config.AuthRequired)
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	a.log.Info("draining")
	// First of all nobody new: net/http drops, unanswered, what it reads for the first time while it shuts down.
	_ = a.listener.Close()
	<-failed
	a.farewell.say()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.DrainTimeout)
	defer cancel()
	err = server.Shutdown(drain)
	if err != nil {
		return fmt.Errorf("requests were still under way after %s: %w", a.config.DrainTimeout, errors.Join(err, server.Close()))
	}
	return nil
}

// places are the projects of the bundle in force, each in its store.
func (a *App) places() []lookup.Place {
	b := a.bundles.Load()
	if b == nil {
		return nil
	}
	return placesOf(b)
}

func placesOf(b *bundle.Bundle) []lookup.Place {
	places := make([]lookup.Place, 0, len(b.Projects))
	for _, project := range b.Projects {
		places = append(places, lookup.PlaceOf(project))
	}
	return places
}

// polled hears of every poll of the watermarks; ages grow while polls fail, and the log says why.
func (a *App) polled(err error) {
	if err != nil {
		a.metrics.PollFailed()
		a.log.Debug("watermarks could not be read; the last ones stay in force", "error", err)
	}
}

// prepare reads the watermarks of a bundle's new projects before the bundle comes into force, so
// that its first lookups do not judge without them. A store that is away does not hold the bundle up.
func (a *App) prepare(ctx context.Context, b *bundle.Bundle) {
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	a.polled(a.marks.Add(ctx, a.places(), placesOf(b)))
	for _, place := range placesOf(b) {
		if a.stores[place.Store] == nil {
			a.log.Error("a project lives in a store of which there is no address here: FRESHLINE_STORES does not name it",
				"project", place.Project, "store", place.Store)
		}
	}
}

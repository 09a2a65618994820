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
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/config"
	"freshline/serving/internal/control"
	"freshline/serving/internal/httpapi"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/observe"
	"freshline/serving/internal/store/dynamo"
	"freshline/serving/internal/store/redis"
	"freshline/serving/internal/store/sqlite"
)

const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute
	// prepareTimeout bounds how long a new bundle waits for the watermarks of its projects.
	prepareTimeout = 500 * time.Millisecond
)

// store is what the parts need of a store together.
type store interface {
	lookup.Store
	httpapi.Pinger
	Close()
}

// App is one serving process.
type App struct {
	config   config.Config
	log      *slog.Logger
	instance string
	store    store
	control  *control.Client
	bundles  *bundle.Holder
	poller   *bundle.Poller
	acks     *bundle.Acknowledger
	marks    *lookup.Watermarks
	engine   *lookup.Engine
	counters *observe.Counters
	metrics  *observe.Metrics
	sender   *observe.Sender
	handler  http.Handler
	listener net.Listener
}

// New builds the process and binds its address; nothing runs yet.
func New(c config.Config, build string, log *slog.Logger) (*App, error) {
	opened, err := openStore(c.StoreURL)
	if err != nil {
		return nil, err
	}
	listener, err := listen(c)
	if err != nil {
		opened.Close()
		return nil, err
	}
	a := &App{
		config: c, log: log, instance: newInstance(c.Name), store: opened, listener: listener,
		control:  control.New(c.ControlURL, c.Token, c.TokenFile),
		bundles:  new(bundle.Holder),
		marks:    lookup.NewWatermarks(opened),
		counters: observe.NewCounters(c.SampleEvery),
	}
	a.metrics = observe.NewMetrics(a.counters, build)
	a.acks = bundle.NewAcknowledger(a.control, a.instance, build)
	a.poller = &bundle.Poller{
		Source: a.control, Holder: a.bundles, Path: filepath.Join(c.Home, "bundle"),
		Prepare: a.prepare, Acks: a.acks, Log: log, Now: time.Now,
	}
	a.engine = lookup.NewEngine(lookup.Config{
		Store: opened, Bundles: a.bundles, Marks: a.marks, Observer: a.counters, Timer: a.metrics,
		Limits:  lookup.Limits{Entities: c.MaxEntities, Features: c.MaxFeatures, Concurrent: c.MaxConcurrent},
		Timeout: c.Timeout, Log: log, Now: time.Now,
	})
	a.sender = observe.NewSender(observe.SenderConfig{
		Counters: a.counters, Deliver: a.control, Instance: a.instance,
		Folder: filepath.Join(c.Home, "spool"), MaxBytes: int64(c.SpoolBytes), Every: c.ObserveInterval,
		Log: log, Now: time.Now,
	})
	a.handler = httpapi.New(httpapi.Config{
		Engine: a.engine, Bundles: a.bundles, Store: opened, Timer: a.metrics, Metrics: a.metrics.Handler(),
		AuthRequired: c.AuthRequired, MaxBodyBytes: c.MaxBodyBytes, Log: log, Now: time.Now,
	})
	a.addGauges()
	return a, nil
}

func newInstance(name string) string {
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails
	return name + "-" + hex.EncodeToString(random)
}

func openStore(storeURL string) (store, error) {
	scheme, rest, _ := strings.Cut(storeURL, "://")
	var opened store
	var err error
	switch scheme {
	case "sqlite":
		opened = sqlite.New(sqlitePath(rest))
	case "dynamodb":
		opened, err = dynamo.New(storeURL)
	default:
		opened, err = redis.New(storeURL)
	}
	if err != nil {
		return nil, fmt.Errorf("STORE_URL: %w", err)
	}
	return opened, nil
}

// sqlitePath reads sqlite:////abs and sqlite:///abs as absolute, and sqlite:///.rel as relative.
func sqlitePath(rest string) string {
	path := "/" + strings.TrimLeft(rest, "/")
	if strings.HasPrefix(path, "/.") {
		return path[1:]
	}
	return path
}

// Address is where the server listens.
func (a *App) Address() string { return a.listener.Addr().String() }

// Handler is the server's handler, for tests that need no network.
func (a *App) Handler() http.Handler { return a.handler }

// Run serves until ctx ends, then drains: requests under way finish, observations are sent or kept.
func (a *App) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var parts sync.WaitGroup
	parts.Go(func() {
		a.marks.Run(background, a.config.WatermarkInterval, a.projects, a.polled)
	})
	a.poller.Start(ctx)
	parts.Go(func() { a.poller.Run(background) })
	parts.Go(func() { a.acks.Run(background) })
	parts.Go(func() { a.sender.Run(background) })
	err := a.serve(ctx)
	stop()
	parts.Wait()
	a.control.Close()
	a.store.Close()
	return err
}

func (a *App) serve(ctx context.Context) error {
	var leaving farewell
	server := &http.Server{
		Handler: leaving.wrap(a.handler), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn), ConnState: leaving.count,
	}
	tlsConfig, err := tlsSettings(a.config)
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
	leaving.say()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.DrainTimeout)
	defer cancel()
	err = server.Shutdown(drain)
	if err != nil {
		return fmt.Errorf("requests were still under way after %s: %w", a.config.DrainTimeout, errors.Join(err, server.Close()))
	}
	return nil
}

// projects are those of the bundle in force.
func (a *App) projects() []string {
	b := a.bundles.Load()
	if b == nil {
		return nil
	}
	return slices.Collect(maps.Keys(b.Projects))
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
	a.polled(a.marks.Add(ctx, slices.Collect(maps.Keys(b.Projects))))
}

package lookup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/spread"
)

// pollAtOnce is how many projects of one store are asked for at once.
const pollAtOnce = 8

// Place is a project in a store. A project that moves is another place: what one store's watermarks
// prove, they prove of no row in another.
type Place struct{ Project, Store string }

// PlaceOf returns where a project lives.
func PlaceOf(project *bundle.Project) Place { return Place{project.Name, project.Store} }

// Snapshot is all watermarks at one moment: place, then view. It is never changed.
type Snapshot map[Place]map[string]enforce.Watermarks

// Watermarks keeps the latest snapshot. Requests load it once, before they read any row, so that a
// watermark can never vouch for a row older than itself.
type Watermarks struct {
	stores  Stores
	reading map[string]*sync.Mutex // by store: one reader of it at a time; requests only load
	writing sync.Mutex             // guards the exchange of the snapshot
	current atomic.Pointer[Snapshot]
}

// NewWatermarks starts with none at all.
func NewWatermarks(stores Stores) *Watermarks {
	w := &Watermarks{stores: stores, reading: make(map[string]*sync.Mutex, len(stores))}
	for name := range stores {
		w.reading[name] = new(sync.Mutex)
	}
	w.current.Store(&Snapshot{})
	return w
}

// Load returns the latest snapshot.
func (w *Watermarks) Load() Snapshot { return *w.current.Load() }

// poll reads the watermarks of those places that are in the store. One that cannot be read keeps its
// last ones: ages then grow, which is the truth.
func (w *Watermarks) poll(ctx context.Context, store string, places []Place) error {
	w.reading[store].Lock()
	defer w.reading[store].Unlock()
	read, err := w.read(ctx, store, places)
	w.writing.Lock()
	defer w.writing.Unlock()
	next := maps.Clone(w.Load())
	maps.Copy(next, read)
	w.current.Store(&next)
	return err
}

// read asks for a few projects at once: one after the other, those of a large installation would take longer than
// until the next poll.
func (w *Watermarks) read(ctx context.Context, store string, places []Place) (Snapshot, error) {
	var (
		mu       sync.Mutex
		failures []error
		reading  spread.Group
	)
	read := make(Snapshot)
	room := make(chan struct{}, pollAtOnce)
	for _, place := range places {
		if place.Store != store {
			continue
		}
		room <- struct{}{}
		reading.Go(func() {
			defer func() { <-room }()
			marks, err := w.stores[store].ReadWatermarks(ctx, place.Project)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failures = append(failures, fmt.Errorf("read watermarks of project %q: %w", place.Project, err))
				return
			}
			read[place] = marks
		})
	}
	reading.Wait()
	return read, errors.Join(failures...)
}

// Add reads the watermarks of places that are new, before a lookup asks for them; all stores at once. A place
// that is not in force was not polled lately: what was once read of it is dropped, and it is read anew.
func (w *Watermarks) Add(ctx context.Context, inForce, places []Place) error {
	known := w.keep(inForce)
	missing := make(map[string][]Place)
	for _, place := range places {
		if _, ok := known[place]; !ok && w.stores[place.Store] != nil {
			missing[place.Store] = append(missing[place.Store], place)
		}
	}
	failures := make(chan error, len(missing))
	for store, places := range missing {
		go func() { failures <- w.poll(ctx, store, places) }()
	}
	var failed error
	for range missing {
		failed = errors.Join(failed, <-failures)
	}
	return failed
}

// keep drops all places but these, and returns what is left.
func (w *Watermarks) keep(places []Place) Snapshot {
	w.writing.Lock()
	defer w.writing.Unlock()
	kept := make(Snapshot, len(places))
	for _, place := range places {
		if marks, ok := w.Load()[place]; ok {
			kept[place] = marks
		}
	}
	w.current.Store(&kept)
	return kept
}

// Run polls every store by itself until ctx ends, so that one that does not answer ages no other's
// values; report hears the outcome of every poll, from many goroutines.
func (w *Watermarks) Run(ctx context.Context, every time.Duration, places func() []Place, report func(error)) {
	var pollers sync.WaitGroup
	for store := range w.stores {
		pollers.Go(func() { w.follow(ctx, store, every, places, report) })
	}
	pollers.Wait()
}

func (w *Watermarks) follow(ctx context.Context, store string, every time.Duration, places func() []Place, report func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		pollCtx, cancel := context.WithTimeout(ctx, max(every, time.Second))
		report(w.poll(pollCtx, store, places()))
		cancel()
	}
}

package lookup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"freshline/serving/internal/enforce"
)

// Snapshot is all watermarks at one moment: project, then view. It is never changed.
type Snapshot map[string]map[string]enforce.Watermarks

// Watermarks keeps the latest snapshot. Requests load it once, before they read any row, so that a
// watermark can never vouch for a row older than itself.
type Watermarks struct {
	store   Store
	writing sync.Mutex // one reader of the store at a time; requests only load
	current atomic.Pointer[Snapshot]
}

// NewWatermarks starts with none at all.
func NewWatermarks(store Store) *Watermarks {
	w := &Watermarks{store: store}
	w.current.Store(&Snapshot{})
	return w
}

// Load returns the latest snapshot.
func (w *Watermarks) Load() Snapshot { return *w.current.Load() }

// poll reads the watermarks of the projects. A project that cannot be read keeps its last ones:
// ages then grow, which is the truth.
func (w *Watermarks) poll(ctx context.Context, projects []string) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	next := maps.Clone(w.Load())
	var failures []error
	for _, project := range projects {
		marks, err := w.store.ReadWatermarks(ctx, project)
		if err != nil {
			failures = append(failures, fmt.Errorf("read watermarks of project %q: %w", project, err))
			continue
		}
		next[project] = marks
	}
	w.current.Store(&next)
	return errors.Join(failures...)
}

// Add reads the watermarks of projects that are new, before a lookup asks for them.
func (w *Watermarks) Add(ctx context.Context, projects []string) error {
	known := w.Load()
	missing := slices.DeleteFunc(slices.Clone(projects), func(project string) bool {
		_, ok := known[project]
		return ok
	})
	if len(missing) == 0 {
		return nil
	}
	return w.poll(ctx, missing)
}

// Run polls until ctx ends; report hears the outcome of every poll.
func (w *Watermarks) Run(ctx context.Context, every time.Duration, projects func() []string, report func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		pollCtx, cancel := context.WithTimeout(ctx, max(every, time.Second))
		report(w.poll(pollCtx, projects()))
		cancel()
	}
}

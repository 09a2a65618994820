package lookup

import (
	"context"
	"errors"
	"math/bits"
	"sync/atomic"
	"time"
)

// errOpen is a read that was not tried, because the last ones failed.
var errOpen = errors.New("the store keeps failing; the next try is due within a second")

const (
	breakAfter = 5           // failures in a row
	breakFor   = time.Second // then one read is let through to try again
	// breakOver is how many of a divided store's parts must fail: its others answer on while fewer do.
	breakOver = 48
)

// guarded is a store with what keeps a failing or a slow one from harming the others.
type guarded struct {
	name     string
	store    Store
	breaker  *Breaker
	inFlight atomic.Int64 // lookups of its projects
	told     atomic.Int64 // unix nanoseconds at which a read that failed in part was last logged
}

// tellEvery is how often reads that fail in part are logged: every one would fill the log.
const tellEvery = time.Second

// mayTell tells whether it is time to log again.
func (g *guarded) mayTell(now time.Time) bool {
	last := g.told.Load()
	return now.UnixNano()-last >= int64(tellEvery) && g.told.CompareAndSwap(last, now.UnixNano())
}

// Breaker keeps a failing store from costing every request its whole deadline. It is a counter and
// a time, both atomic: after breakAfter failures in a row reads fail at once, but for one each second.
type Breaker struct {
	now      func() time.Time
	failures atomic.Int64
	parts    atomic.Uint64 // of the store, that these failures were met in
	closedAt atomic.Int64  // unix nanoseconds at which a read may be tried again; 0: closed
}

// NewBreaker starts closed.
func NewBreaker(now func() time.Time) *Breaker { return &Breaker{now: now} }

// Open tells whether reads fail at once.
func (b *Breaker) Open() bool { return b.closedAt.Load() != 0 }

func (b *Breaker) allow() bool {
	due := b.closedAt.Load()
	if due == 0 {
		return true
	}
	now := b.now().UnixNano()
	return now >= due && b.closedAt.CompareAndSwap(due, now+int64(breakFor))
}

// report counts the outcome of a read in those parts of the store, and tells whether it opened or closed
// the breaker.
func (b *Breaker) report(err error, parts uint64) (changed bool) {
	if err == nil {
		b.failures.Store(0)
		b.parts.Store(0)
		return b.closedAt.Swap(0) != 0
	}
	if failing := b.parts.Or(parts) | parts; b.failures.Add(1) < breakAfter || bits.OnesCount64(failing) <= breakOver {
		return false
	}
	return b.closedAt.Swap(b.now().Add(breakFor).UnixNano()) == 0
}

// blames tells whether an error says something about the store: a caller that left, or that gave
// it less time than usual, does not.
func blames(ctx context.Context, err error, patient bool) bool {
	if errors.Is(err, context.Canceled) || errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	return patient || !errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
}

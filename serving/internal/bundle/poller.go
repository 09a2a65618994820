package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"time"

	"freshline/serving/internal/control"
)

const (
	longPoll = 30 * time.Second
	// retryAfter bounds how late a change is seen once the control plane is back.
	retryAfter = 500 * time.Millisecond
)

// ErrOlder is a bundle with a lower number than the one in force, of the same registry.
var ErrOlder = errors.New("older than the bundle in force")

// Source is where bundles come from. Bundle blocks up to wait and returns nil when there is none
// other than known.
type Source interface {
	Bundle(ctx context.Context, known string, wait time.Duration) (*control.Fetched, error)
}

// Poller keeps the holder at the newest bundle.
type Poller struct {
	Source  Source
	Holder  *Holder
	Path    string                               // where the last good bundle is kept
	Prepare func(ctx context.Context, b *Bundle) // runs before a bundle comes into force
	Acks    *Acknowledger
	Log     *slog.Logger
	Now     func() time.Time

	refusals  atomic.Int64
	contacted atomic.Int64 // unix microseconds of the last answer
	failing   bool         // the last poll failed: say so once, not every half second
	unkept    []byte       // the bundle in force, as long as it is not on disk
	resisting bool         // the disk did not take it: say so once
	kept      atomic.Bool
}

// Refusals returns how many bundles were refused.
func (p *Poller) Refusals() int64 { return p.refusals.Load() }

// ContactedUS returns when the control plane last answered, 0 if never.
func (p *Poller) ContactedUS() int64 { return p.contacted.Load() }

// Kept tells whether the bundle in force is on disk for the next start.
func (p *Poller) Kept() bool { return p.kept.Load() }

// Start puts the last good bundle in force, if there is one. A corrupt one is reported and left.
func (p *Poller) Start(ctx context.Context) {
	b, err := ReadFile(p.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		p.refuse("", err)
	default:
		p.Log.Info("serving from the last good bundle", "number", b.Number, "digest", b.Digest)
		p.kept.Store(true)
		p.adopt(ctx, b)
	}
}

// Run polls until ctx ends.
func (p *Poller) Run(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		changed, err := p.poll(ctx)
		if ctx.Err() != nil {
			return
		}
		p.report(err)
		p.keep()
		// An answer at once that changes nothing must not turn the long poll into a busy loop.
		if !changed && time.Since(began) < retryAfter {
			select {
			case <-ctx.Done():
			case <-time.After(retryAfter):
			}
		}
	}
}

func (p *Poller) report(err error) {
	if err != nil && !p.failing {
		p.Log.Warn("no bundle from the control plane; serving goes on with the last good one", "error", err)
	}
	if err == nil && p.failing {
		p.Log.Info("the control plane answers again")
	}
	p.failing = err != nil
}

func (p *Poller) poll(ctx context.Context) (changed bool, err error) {
	known := ""
	if current := p.Holder.Load(); current != nil {
		known = current.Digest
	}
	fetched, err := p.Source.Bundle(ctx, known, longPoll)
	if err != nil {
		return false, err
	}
	p.contacted.Store(p.Now().UnixMicro())
	if fetched == nil || fetched.Digest == known {
		return false, nil
	}
	b, err := p.check(fetched)
	if err != nil {
		p.refuse(fetched.Digest, err)
		return false, nil
	}
	p.unkept = fetched.Body
	p.keep()
	p.adopt(ctx, b)
	p.Log.Info("a new bundle is in force", "number", b.Number, "digest", b.Digest)
	return true, nil
}

// keep writes the bundle in force to the disk, unless it is there. Lookups do not wait for a disk that takes
// nothing: the next poll tries again.
func (p *Poller) keep() {
	if p.unkept == nil {
		return
	}
	err := WriteFile(p.Path, p.unkept)
	p.kept.Store(err == nil)
	if err == nil {
		p.unkept = nil
	}
	if err != nil && !p.resisting {
		p.Log.Error("the bundle is in force but could not be kept for the next start", "error", err)
	}
	if err == nil && p.resisting {
		p.Log.Info("the bundle in force could be kept for the next start")
	}
	p.resisting = err != nil
}

func (p *Poller) check(fetched *control.Fetched) (*Bundle, error) {
	if digest := Digest(fetched.Body); digest != fetched.Digest {
		return nil, fmt.Errorf("%w: its bytes have the digest %s, not %s", ErrCorrupt, digest, fetched.Digest)
	}
	b, err := Parse(fetched.Body)
	if err != nil {
		return nil, err
	}
	current := p.Holder.Load()
	if current != nil && current.Registry == b.Registry && b.Number < current.Number {
		return nil, fmt.Errorf("%w: number %d, in force is %d", ErrOlder, b.Number, current.Number)
	}
	return b, nil
}

func (p *Poller) adopt(ctx context.Context, b *Bundle) {
	if p.Prepare != nil {
		p.Prepare(ctx, b)
	}
	p.Holder.Store(b)
	p.Acks.Loaded(b, p.Now().UnixMicro())
}

func (p *Poller) refuse(digest string, err error) {
	p.refusals.Add(1)
	p.Log.Error("refused a bundle", "digest", digest, "error", err)
	p.Acks.Refused(digest, err)
}

package bundle

import "sync/atomic"

// Holder holds the bundle in force. Requests load it once; the poller swaps it between requests.
type Holder struct {
	current atomic.Pointer[Bundle]
}

// Load returns the bundle in force, nil before the first.
func (h *Holder) Load() *Bundle { return h.current.Load() }

// Store puts a bundle in force.
func (h *Holder) Store(b *Bundle) { h.current.Store(b) }

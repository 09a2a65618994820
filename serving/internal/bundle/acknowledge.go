package bundle

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

const (
	// repeatAfter renews an acknowledgement, so that the control plane sees who is still there.
	repeatAfter = time.Minute
	ackRetry    = 2 * time.Second
)

// Acknowledgement tells the control plane which bundle is in force here.
type Acknowledgement struct {
	Instance   string   `json:"instance"`
	Digest     string   `json:"digest"`
	Number     int64    `json:"number"`
	LoadedAtUS int64    `json:"loaded_at_us"`
	Refused    *Refusal `json:"refused"`
	Build      string   `json:"build"`
}

// Refusal is a bundle that was not put in force. Digest is "" for one on this machine's disk.
type Refusal struct {
	Digest string `json:"digest"`
	Reason string `json:"reason"`
}

// Deliverer takes an acknowledgement to the control plane.
type Deliverer interface {
	Acknowledge(ctx context.Context, document []byte) error
}

// Acknowledger delivers the latest acknowledgement, again and again until it arrives.
type Acknowledger struct {
	deliver Deliverer
	mu      sync.Mutex
	current Acknowledgement
	version int
	changed chan struct{} // holds one token when there is something new
}

// NewAcknowledger starts with nothing to say.
func NewAcknowledger(deliver Deliverer, instance, build string) *Acknowledger {
	return &Acknowledger{
		deliver: deliver,
		current: Acknowledgement{Instance: instance, Build: build},
		changed: make(chan struct{}, 1),
	}
}

// Loaded says that a bundle came into force.
func (a *Acknowledger) Loaded(b *Bundle, nowUS int64) {
	a.change(func(ack *Acknowledgement) {
		ack.Digest, ack.Number, ack.LoadedAtUS, ack.Refused = b.Digest, b.Number, nowUS, nil
	})
}

// Refused says that a bundle was refused; the one in force stays.
func (a *Acknowledger) Refused(digest string, reason error) {
	a.change(func(ack *Acknowledgement) { ack.Refused = &Refusal{Digest: digest, Reason: reason.Error()} })
}

func (a *Acknowledger) change(edit func(*Acknowledgement)) {
	a.mu.Lock()
	edit(&a.current)
	a.version++
	a.mu.Unlock()
	select {
	case a.changed <- struct{}{}:
	default: // the token that is there stands for this change, too
	}
}

// Run delivers until ctx ends.
func (a *Acknowledger) Run(ctx context.Context) {
	wait := repeatAfter
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.changed:
		case <-time.After(wait):
		}
		wait = repeatAfter
		if !a.send(ctx) {
			wait = ackRetry
		}
	}
}

// send tells whether there is nothing left to deliver. The poller logs when the control plane is
// away; saying it here as well would help nobody.
func (a *Acknowledger) send(ctx context.Context) bool {
	a.mu.Lock()
	ack, version := a.current, a.version
	a.mu.Unlock()
	if version == 0 {
		return true
	}
	document, err := json.Marshal(ack)
	if err != nil {
		return true
	}
	if err := a.deliver.Acknowledge(ctx, document); err != nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.version == version {
		a.current.Refused = nil // told once; a repeat would look like a second refusal
	}
	return true
}

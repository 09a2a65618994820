package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"freshline/serving/internal/control"
)

const (
	// noDigest stands for a bundle that is not there, or has no digest that could be told.
	noDigest = "0000000000000000000000000000000000000000000000000000000000000000"
	// longestReason is what the control plane takes.
	longestReason = 500
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

// Refusal is a bundle that was not put in force.
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
	said    bool          // there is something to say
	told    *Refusal      // the last refusal that was delivered
	past    bool          // a bundle came into force after the refusal
	changed chan struct{} // holds one token when there is something new
}

// NewAcknowledger starts with nothing to say.
func NewAcknowledger(deliver Deliverer, instance, build string) *Acknowledger {
	return &Acknowledger{
		deliver: deliver,
		current: Acknowledgement{Instance: instance, Digest: noDigest, Build: build},
		changed: make(chan struct{}, 1),
	}
}

// Loaded says that a bundle came into force. An earlier refusal is past, once it was delivered.
func (a *Acknowledger) Loaded(b *Bundle, nowUS int64) {
	a.change(func(ack *Acknowledgement) {
		ack.Digest, ack.Number, ack.LoadedAtUS = b.Digest, b.Number, nowUS
		a.past = true
		a.forget()
	})
}

// Refused says that a bundle was refused; the one in force stays.
func (a *Acknowledger) Refused(digest string, reason error) {
	if sum, err := hex.DecodeString(digest); err != nil || len(sum) != sha256.Size {
		digest = noDigest
	}
	text := []rune(strings.ToValidUTF8(reason.Error(), "?"))
	refusal := &Refusal{Digest: digest, Reason: string(text[:min(len(text), longestReason)])}
	a.change(func(ack *Acknowledgement) { ack.Refused, a.past = refusal, false })
}

func (a *Acknowledger) change(edit func(*Acknowledgement)) {
	a.mu.Lock()
	edit(&a.current)
	a.said = true
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
	ack, said := a.current, a.said
	a.mu.Unlock()
	if !said {
		return true
	}
	document, err := json.Marshal(ack)
	if err != nil {
		return true
	}
	// What is refused as it stands would be refused again; the next change says something else.
	if err := a.deliver.Acknowledge(ctx, document); err != nil && !errors.Is(err, control.ErrRefused) {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told = ack.Refused
	a.forget()
	return true
}

// forget drops a refusal that is past and delivered. The caller holds mu.
func (a *Acknowledger) forget() {
	if a.past && a.current.Refused == a.told {
		a.current.Refused = nil
	}
}

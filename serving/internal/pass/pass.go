// Package pass hands what Feast's clients write on to the control plane: it bounds how long, how much and how many
// at once, and says what went wrong on the way. HTTP and gRPC share it.
package pass

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"freshline/serving/internal/control"
)

const (
	// maxAtOnce bounds the requests that wait for the control plane: lookups must not lack memory for them.
	maxAtOnce = 64
	// slack is what the control plane has beyond the caller's own limit to say that it was not met.
	slack         = time.Second
	timeoutHeader = "X-Request-Timeout-Ms"
)

// Why a request got no answer of the control plane.
var (
	ErrBusy     = errors.New("as many requests as are allowed wait for the control plane")
	ErrAway     = errors.New("the control plane does not answer; lookups go on without it")
	ErrDeadline = errors.New("the control plane did not answer in time; what was asked may still be done")
	ErrInternal = errors.New("something went wrong on our side: nothing was passed on")
	ErrStranger = errors.New("send a token with the scope ingest or operate: Authorization: Bearer TOKEN")
)

// Plane is the control plane. It is called by many goroutines at once.
type Plane interface {
	// Pass returns an answer whose body must be closed.
	Pass(ctx context.Context, passed control.Passed) (*http.Response, error)
}

// Config is what a Passer needs.
type Config struct {
	Plane        Plane
	Timeout      time.Duration
	MaxBodyBytes int
	AuthRequired bool
	TokenFile    string // of the token for callers who send none; "" for none
}

// Passer is safe for many goroutines.
type Passer struct {
	config Config
	slots  chan struct{}
}

// New returns a Passer.
func New(config Config) *Passer {
	return &Passer{config, make(chan struct{}, maxAtOnce)}
}

// Pass hands a request on and gives its answer to take. An error of its own means that take was not called.
func (p *Passer) Pass(ctx context.Context, passed control.Passed, take func(*http.Response) error) error {
	if passed.Length > int64(p.config.MaxBodyBytes) {
		return &http.MaxBytesError{Limit: int64(p.config.MaxBodyBytes)}
	}
	if err := p.identify(passed.Header); err != nil {
		return err
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		return ErrBusy
	}
	bounded, cancel := context.WithTimeout(ctx, p.timeout(passed.Header))
	defer cancel()
	// Nobody writes the answer here, so that the reader needs no writer to tell.
	passed.Body = http.MaxBytesReader(nil, io.NopCloser(passed.Body), int64(p.config.MaxBodyBytes))
	response, err := p.config.Plane.Pass(bounded, passed)
	if err != nil {
		return reason(bounded, err)
	}
	defer response.Body.Close()
	return take(response)
}

// reason tells the caller's faults from those of the way.
func reason(ctx context.Context, err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return tooLarge
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ErrDeadline, err)
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}

// Known refuses a caller that Pass would refuse whatever is sent, so that nothing need be read of it first.
func (p *Passer) Known(header http.Header) error {
	if p.config.AuthRequired && header.Get("Authorization") == "" {
		return ErrStranger
	}
	return nil
}

// identify gives callers without a token the one that was set for them, which config allows only where lookups need
// none. The control plane alone knows what a token may.
func (p *Passer) identify(header http.Header) error {
	if err := p.Known(header); err != nil {
		return err
	}
	if header.Get("Authorization") != "" || p.config.TokenFile == "" {
		return nil
	}
	text, err := os.ReadFile(p.config.TokenFile)
	if err != nil {
		return fmt.Errorf("read FRESHLINE_PASS_THROUGH_TOKEN_FILE: %w", err)
	}
	header.Set("Authorization", "Bearer "+strings.TrimSpace(string(text)))
	return nil
}

func (p *Passer) timeout(header http.Header) time.Duration {
	ms, err := strconv.Atoi(header.Get(timeoutHeader))
	if err != nil || ms < 1 || ms > int(p.config.Timeout.Milliseconds()) {
		return p.config.Timeout // what is no number the control plane refuses
	}
	return min(time.Duration(ms)*time.Millisecond+slack, p.config.Timeout)
}

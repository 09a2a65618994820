package grpcapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"
)

// maxWatchers bounds the streams of a process: each asks the stores as often as its Ticker says.
const maxWatchers = 100

// Ticker returns the moments at which a watcher asks again, and what ends them.
type Ticker func() (ticks <-chan time.Time, stop func())

// Every ticks at an interval.
func Every(interval time.Duration) Ticker {
	return func() (<-chan time.Time, func()) {
		ticker := time.NewTicker(interval)
		return ticker.C, ticker.Stop
	}
}

// watch tells the state at once, and whenever it changed. It ends when the caller leaves, and when serving does: then
// the state is "not serving", since the caller's next call belongs elsewhere.
func (s *server) watch(ctx context.Context, call *connect.Request[healthRequest], stream *connect.ServerStream[healthResponse]) error {
	select {
	case s.watchers <- struct{}{}:
		defer func() { <-s.watchers }()
	default:
		return connect.NewError(connect.CodeResourceExhausted, fmt.Errorf("%d watch already, and no more may", maxWatchers))
	}
	ticks, stop := s.WatchTicks()
	defer stop()
	told := byte(0)
	for {
		state := s.watched(ctx, call.Msg.service)
		if ctx.Err() != nil {
			return left(ctx, ctx.Err())
		}
		if state != told {
			if err := stream.Send(&healthResponse{state}); err != nil {
				return left(ctx, err)
			}
			told = state
		}
		if told == notServing && s.isLeaving() {
			return nil
		}
		select {
		case <-ticks:
		case <-s.Leaving:
		case <-ctx.Done():
		}
	}
}

// watched is the state of a service; one that nobody knows may come to be, as the protocol has it.
func (s *server) watched(ctx context.Context, service string) byte {
	switch {
	case s.isLeaving():
		return notServing
	case !isKnown(service):
		return serviceUnknown
	}
	return s.health(ctx)
}

func (s *server) isLeaving() bool {
	select {
	case <-s.Leaving:
		return true
	default:
		return false
	}
}

// left is no failure when it was the caller who ended the call.
func left(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil
	}
	return err
}

// streamWriter is for answers without an end in sight: each message goes out at once, and the time that a caller has to
// take it ends with it. Calls of one message do without, for they send all of it at once.
type streamWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Flush implements http.Flusher, on which connect insists.
func (w streamWriter) Flush() {
	_ = w.control.Flush()
	_ = w.control.SetWriteDeadline(time.Time{})
}

// Unwrap is for http.ResponseController.
func (w streamWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

package grpcapi

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"
)

type healthRequest struct{ service string }

type healthResponse struct{ status byte }

// What the health protocol calls them.
const (
	isServing      = 1
	notServing     = 2
	serviceUnknown = 3
)

// check answers as /ready does.
func (s *server) check(ctx context.Context, call *connect.Request[healthRequest]) (*connect.Response[healthResponse], error) {
	if name := call.Msg.service; !isKnown(name) {
		return nil, connect.NewError(connect.CodeNotFound, fmt.Errorf("there is no service %.100q", name))
	}
	return connect.NewResponse(&healthResponse{s.health(ctx)}), nil
}

func isKnown(service string) bool {
	return service == "" || service == serviceName || service == listenName
}

func (s *server) health(ctx context.Context) byte {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if b := s.Gate.Bundles.Load(); b != nil {
		if _, any := s.Stores.Ask(ctx, b); any {
			return isServing
		}
	}
	return notServing
}

package app

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// farewellTime is how long callers that keep connections open are told to open new ones. Closing these
	// at once would cut off a request that a caller is just sending on one.
	farewellTime = 500 * time.Millisecond
	farewellLook = 10 * time.Millisecond
)

// farewell lets the callers of a server that is about to end close their connections themselves.
type farewell struct {
	leaving     chan struct{} // closed when it is said: answers without an end in sight end then
	connections atomic.Int64
}

func newFarewell() *farewell { return &farewell{leaving: make(chan struct{})} }

// wrap answers "Connection: close" from the moment on that say is called.
func (f *farewell) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-f.leaving:
			w.Header().Set("Connection", "close")
		default:
		}
		next.ServeHTTP(w, r)
	})
}

// count is the server's ConnState.
func (f *farewell) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		f.connections.Add(1)
	case http.StateClosed, http.StateHijacked:
		f.connections.Add(-1)
	}
}

// say is called once. It returns when nobody is connected any more, or when callers have had their time.
func (f *farewell) say() {
	close(f.leaving)
	for deadline := time.Now().Add(farewellTime); f.connections.Load() > 0 && time.Now().Before(deadline); {
		time.Sleep(farewellLook)
	}
}

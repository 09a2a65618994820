// Package httpapi speaks HTTP: Feast's JSON on /get-online-features, our own on /v1, and the pages
// that machines watch. It parses, calls one lookup, and renders.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/lookup"
)

// Engine answers lookups. It is called by many goroutines at once.
type Engine interface {
	// Lookup returns an answer that must be released, or an *lookup.Error.
	Lookup(ctx context.Context, request *lookup.Request) (*lookup.Answer, error)
	Release(answer *lookup.Answer)
}

// RequestTimer hears how every request went.
type RequestTimer interface {
	Request(endpoint string, code int, took time.Duration)
}

// StreamRenderer writes answers as Arrow IPC streams. It is called by many goroutines at once.
type StreamRenderer interface {
	// AppendStream appends an answer with its details, a JSON object, as metadata.
	AppendStream(to []byte, answer *lookup.Answer, full bool, details []byte) ([]byte, error)
}

// Config is what a Server needs.
type Config struct {
	Engine       Engine
	Gate         *lookup.Gate
	Bundles      *bundle.Holder
	Stores       lookup.Pingers
	Timer        RequestTimer
	Arrow        StreamRenderer
	Metrics      http.Handler
	MaxBodyBytes int
	Log          *slog.Logger
}

// Server holds what all requests share.
type Server struct {
	Config
	buffers sync.Pool
}

// Endpoint is one address of the server.
type Endpoint struct {
	Method, Path string
	Meaning      string
	handle       func(*Server, http.ResponseWriter, *http.Request)
}

// Endpoints lists every address; docs/reference/serving.md shows the same list.
func Endpoints() []Endpoint {
	return []Endpoint{
		{http.MethodPost, "/get-online-features", "Feast's request and answer; `Freshline-Details: 1` adds details.", (*Server).getOnlineFeatures},
		{http.MethodPost, "/v1/lookup", "Values with their verdicts, ages and actions, as JSON or as an Arrow IPC stream.", (*Server).lookup},
		{http.MethodGet, "/v1/explain", "Everything that led to one value: `project`, `view`, `feature`, `key`, `feature_service`.", (*Server).explain},
		{http.MethodGet, "/health", "200 while the process lives.", (*Server).health},
		{http.MethodGet, "/ready", "200 once there is a bundle and a store that its projects live in answers; says how each store is.", (*Server).ready},
		{http.MethodGet, "/metrics", "Prometheus metrics.", (*Server).metrics},
	}
}

// New returns the handler of all endpoints.
func New(config Config) http.Handler {
	mux := http.NewServeMux()
	Mount(mux, config)
	return mux
}

// Mount adds all endpoints, and an answer for every other path: one mux for all of a server's, because each
// costs a small request more than its lookup.
func Mount(mux *http.ServeMux, config Config) {
	s := &Server{Config: config, buffers: sync.Pool{New: func() any { return new(buffers) }}}
	for _, endpoint := range Endpoints() {
		mux.HandleFunc(endpoint.Method+" "+endpoint.Path, s.timed(endpoint))
		mux.HandleFunc(endpoint.Path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", endpoint.Method)
			s.write(w, r, newProblem(codeMethodNotAllowed, "%s answers %s only", endpoint.Path, endpoint.Method))
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.write(w, r, newProblem(codeNotFound, "there is nothing at %s", r.URL.Path))
	})
}

// recorder remembers the status for the metrics.
type recorder struct {
	http.ResponseWriter
	code int
}

func (r *recorder) WriteHeader(code int) {
	if r.code == 0 {
		r.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(data []byte) (int, error) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	return r.ResponseWriter.Write(data)
}

// timed is the outermost frame of a request: it counts it, and turns a panic into a 500.
func (s *Server) timed(endpoint Endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		recorded := &recorder{ResponseWriter: w}
		defer func() {
			if broken := recover(); broken != nil {
				s.Log.Error("a request broke", "endpoint", endpoint.Path, "panic", broken, "stack", string(debug.Stack()))
				if recorded.code == 0 {
					s.write(recorded, r, newProblem(codeInternal, "something went wrong on our side"))
				}
			}
			s.Timer.Request(endpoint.Path, recorded.code, time.Since(began))
		}()
		endpoint.handle(s, recorded, r)
	}
}

// health tells that the process lives, and nothing else.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) { s.Metrics.ServeHTTP(w, r) }

// Package grpcapi speaks gRPC on the HTTP port: feast.serving.ServingService, as Feast's own clients
// call it, and gRPC's health check. It parses, calls one lookup, and renders.
package grpcapi

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"mime"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"connectrpc.com/connect"

	"freshline/serving/internal/lookup"
	"freshline/serving/internal/pass"
)

// Engine answers lookups. It is called by many goroutines at once.
type Engine interface {
	// Lookup returns an answer that must be released, or an *lookup.Error.
	Lookup(ctx context.Context, request *lookup.Request) (*lookup.Answer, error)
	Release(answer *lookup.Answer)
}

// RequestTimer hears how every call went; code is the HTTP status of the same outcome.
type RequestTimer interface {
	Request(endpoint string, code int, took time.Duration)
}

// Config is what the services need.
type Config struct {
	Engine       Engine
	Gate         *lookup.Gate
	Stores       lookup.Pingers
	Timer        RequestTimer
	MaxBodyBytes int
	Passer       *pass.Passer
	Build        string // what GetFeastServingInfo says
	WatchTicks   Ticker
	Leaving      <-chan struct{} // closed when serving is about to end
	Log          *slog.Logger
}

type server struct {
	Config
	watchers chan struct{} // one for each that may be
}

const (
	serviceName = "feast.serving.ServingService"
	listenName  = "GrpcFeatureServer" // of no package, as "feast listen" serves it
	maxTimeout  = time.Minute
)

// Procedure is one thing to call.
type Procedure struct {
	Path    string
	Meaning string
	open    bool // to callers without a token as well
	streams bool // its answer has many messages
	passes  bool // what callers with a token send to the control plane
	handler func(*server, string, ...connect.HandlerOption) http.Handler
}

// Procedures lists everything there is to call; docs/reference/serving.md shows the same list.
func Procedures() []Procedure {
	return []Procedure{
		{"/" + serviceName + "/GetOnlineFeatures", "gRPC: values as Feast's service gives them.", false, false, false,
			func(s *server, path string, options ...connect.HandlerOption) http.Handler {
				return connect.NewUnaryHandler(path, s.getOnlineFeatures, options...)
			}},
		{"/" + serviceName + "/GetFeastServingInfo", "gRPC: the version of serving.", false, false, false,
			func(s *server, path string, options ...connect.HandlerOption) http.Handler {
				return connect.NewUnaryHandler(path, s.getFeastServingInfo, options...)
			}},
		{"/" + listenName + "/GetOnlineFeatures", "gRPC: the same by the name of Feast's Python service.", false, false, false,
			func(s *server, path string, options ...connect.HandlerOption) http.Handler {
				return connect.NewUnaryHandler(path, s.getOnlineFeatures, options...)
			}},
		// Who may write the control plane alone knows: a token for that need be none for lookups.
		{"/" + listenName + "/Push", "gRPC: one row for a push source; passed on to the control plane.", true, false, true,
			func(s *server, path string, options ...connect.HandlerOption) http.Handler {
				return connect.NewUnaryHandler(path, s.push, options...)
			}},
		{"/" + listenName + "/WriteToOnlineStore", "gRPC: one row for a view; passed on to the control plane.", true, false, true,
			func(s *server, path string, options ...connect.HandlerOption) http.Handler {
				return connect.NewUnaryHandler(path, s.writeToOnlineStore, options...)
			}},
		{"/grpc.health.v1.Health/Check", "gRPC: SERVING once there is a bundle and the store answers.", true, false, false,
			func(s *server, path string, options ...connect.HandlerOption) http.Handler {
				return connect.NewUnaryHandler(path, s.check, options...)
			}},
		{"/grpc.health.v1.Health/Watch", "gRPC: the same at once and on every change, until serving ends.", true, true, false,
			func(s *server, path string, options ...connect.HandlerOption) http.Handler {
				return connect.NewServerStreamHandler(path, s.watch, options...)
			}},
	}
}

// Mount adds the procedures to a mux.
func Mount(mux *http.ServeMux, config Config) {
	s := &server{config, make(chan struct{}, maxWatchers)}
	options := []connect.HandlerOption{
		connect.WithCodec(codec{}),
		connect.WithReadMaxBytes(config.MaxBodyBytes),
		// Clients in the same data centre offer gzip without being asked; it would take longer than the lookup.
		connect.WithCompressMinBytes(math.MaxInt),
	}
	refuse := connect.NewErrorWriter(options...)
	for _, procedure := range Procedures() {
		mux.Handle(procedure.Path, s.framed(procedure, procedure.handler(s, procedure.Path, options...), refuse))
	}
}

// forms are the media types of protobuf over gRPC; connect would also take gRPC-Web, its own protocol and JSON.
var forms = map[string]bool{"application/grpc": true, "application/grpc+proto": true}

type answerKey struct{}

// framed is the outermost frame of a call: it checks the caller before the message is read, gives the
// answer back once it is sent, counts, and turns a panic into an internal error.
func (s *server) framed(procedure Procedure, next http.Handler, refuse *connect.ErrorWriter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		var answer *lookup.Answer
		refused := 0
		defer func() {
			if broken := recover(); broken != nil {
				s.Log.Error("a call broke", "procedure", procedure.Path, "panic", broken, "stack", string(debug.Stack()))
				_ = refuse.Write(w, r, connect.NewError(connect.CodeInternal, errors.New("something went wrong on our side")))
			}
			if answer != nil {
				s.Engine.Release(answer)
			}
			s.Timer.Request(procedure.Path, cmp.Or(refused, codeSent(w.Header())), time.Since(began))
		}()
		if refused = refusal(r); refused != 0 {
			w.Header().Set("Allow", http.MethodPost)
			w.Header().Set("Accept-Post", "application/grpc")
			w.WriteHeader(refused)
			return
		}
		if err := s.Gate.Known(r.Header.Get("Authorization")); err != nil && !procedure.open {
			_ = refuse.Write(w, r, statusOf(err))
			return
		}
		if procedure.passes {
			if err := s.Passer.Known(r.Header); err != nil {
				_ = refuse.Write(w, r, passStatus(err))
				return
			}
		}
		if procedure.streams {
			w = streamWriter{w, http.NewResponseController(w)}
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), answerKey{}, &answer)))
	})
}

// refusal is the HTTP status for what is no gRPC call at all; 0 for a call.
func refusal(r *http.Request) int {
	form, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method != http.MethodPost:
		return http.StatusMethodNotAllowed
	case err != nil || !forms[form]:
		return http.StatusUnsupportedMediaType
	case r.ProtoMajor < 2:
		return http.StatusHTTPVersionNotSupported
	}
	return 0
}

const grpcStatus = "Grpc-Status"

// codeSent reads the outcome off what was sent, as a header where there is no message.
func codeSent(header http.Header) int {
	text := header.Get(grpcStatus)
	if text == "" {
		text = header.Get(http.TrailerPrefix + grpcStatus)
	}
	code, _ := strconv.Atoi(text)
	return httpStatus(connect.Code(code))
}

func (s *server) getOnlineFeatures(ctx context.Context, call *connect.Request[onlineRequest]) (*connect.Response[onlineResponse], error) {
	request := call.Msg
	header := call.Header()
	project, err := s.Gate.Project(header.Get("Authorization"), "", header.Get(lookup.ProjectHeader))
	if err != nil {
		return nil, statusOf(err)
	}
	request.Project = project
	if err := request.columns(); err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		// At least 1, since 0 would mean the usual deadline; this one ends the lookup in any case.
		request.Timeout = max(min(time.Until(deadline), maxTimeout), 1)
	}
	answer, err := s.Engine.Lookup(ctx, &request.Request)
	if err != nil {
		return nil, statusOf(err)
	}
	*ctx.Value(answerKey{}).(**lookup.Answer) = answer
	if answer.Failure != nil {
		return nil, failureOf(answer)
	}
	return connect.NewResponse(&onlineResponse{request: request, answer: answer}), nil
}

type infoRequest struct{}

type infoResponse struct{ version string }

func (s *server) getFeastServingInfo(context.Context, *connect.Request[infoRequest]) (*connect.Response[infoResponse], error) {
	return connect.NewResponse(&infoResponse{s.Build}), nil
}

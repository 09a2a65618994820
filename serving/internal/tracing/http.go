package tracing

import (
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const grpcStatus = "Grpc-Status"

// unwatched are what machines ask every few seconds, or for ever.
var unwatched = map[string]bool{
	"/health": true, "/ready": true, "/metrics": true,
	"/grpc.health.v1.Health/Check": true, "/grpc.health.v1.Health/Watch": true,
}

// Handler makes a span of every request, under the caller's own where a traceparent comes with it.
func (t *Tracer) Handler(next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if unwatched[r.URL.Path] {
			next.ServeHTTP(w, r)
			return
		}
		ctx := t.parents.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := t.tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		answered := &statusWriter{ResponseWriter: w}
		routed := r.WithContext(ctx)
		next.ServeHTTP(answered, routed)
		if span.IsRecording() {
			describe(span, routed, answered)
		}
	})
}

// describe names the span by the address that the server knows: what a caller makes up would give as many names as
// there are requests.
func describe(span trace.Span, r *http.Request, answered *statusWriter) {
	method, route, found := strings.Cut(r.Pattern, " ")
	if !found {
		method, route = r.Method, r.Pattern
	}
	if route == "/" || route == "" {
		span.SetAttributes(attribute.Int("http.response.status_code", answered.code))
		return
	}
	if !found && answered.Header().Get("Content-Type") == "application/grpc" {
		span.SetName(strings.TrimPrefix(route, "/"))
		describeCall(span, answered.Header())
		return
	}
	span.SetName(r.Pattern)
	span.SetAttributes(
		attribute.String("http.request.method", method),
		attribute.String("http.route", route),
		attribute.Int("http.response.status_code", answered.code),
	)
	if answered.code >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
}

// describeCall reads the outcome of a gRPC call off what was sent: a header where there is no message, else a trailer.
func describeCall(span trace.Span, header http.Header) {
	text := header.Get(grpcStatus)
	if text == "" {
		text = header.Get(http.TrailerPrefix + grpcStatus)
	}
	status, _ := strconv.Atoi(text)
	span.SetAttributes(attribute.String("rpc.system", "grpc"), attribute.Int("rpc.grpc.status_code", status))
	switch status {
	case 2, 4, 12, 13, 14, 15: // what the server is to blame for: unknown to data loss
		span.SetStatus(codes.Error, "")
	}
}

// statusWriter remembers the status that was sent.
type statusWriter struct {
	http.ResponseWriter
	code int
}

func (w *statusWriter) WriteHeader(code int) {
	if w.code == 0 {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *statusWriter) Write(data []byte) (int, error) {
	if w.code == 0 {
		w.code = http.StatusOK
	}
	return w.ResponseWriter.Write(data)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

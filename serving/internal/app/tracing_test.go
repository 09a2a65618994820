package app_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spans is an OTLP/HTTP collector.
type spans struct {
	t        *testing.T
	mu       sync.Mutex
	got      []*otlp.Span
	resource string
}

func (c *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			c.t.Error(err)
		}
		body = unpacked
	}
	text, err := io.ReadAll(body)
	var message collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(text, &message) != nil {
		c.t.Errorf("%s %s %s: %v", r.Method, r.URL, r.Header, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range message.ResourceSpans {
		c.resource = of.Resource.String()
		for _, scope := range of.ScopeSpans {
			c.got = append(c.got, scope.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// named returns the spans of a name, in the order in which they ended.
func (c *spans) named(name string) (found []*otlp.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, span := range c.got {
		if span.Name == name {
			found = append(found, span)
		}
	}
	return found
}

// traced is a system whose environment names a collector. The library reads the process's own environment.
func traced(t *testing.T, more ...string) (*system, *spans) {
	t.Helper()
	s, collector := newSystem(t), &spans{t: t}
	server := httptest.NewServer(collector)
	t.Cleanup(server.Close)
	more = append(more, "OTEL_EXPORTER_OTLP_ENDPOINT", server.URL, "OTEL_BSP_SCHEDULE_DELAY", "20")
	for i := 0; i < len(more); i += 2 {
		t.Setenv(more[i], more[i+1])
		s.env[more[i]] = more[i+1]
	}
	s.control.Publish(bundleText(1, "r", time.Hour))
	s.put("UA", time.Now(), 12.25, 7, "N1")
	return s, collector
}

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestACollectorHearsOfRequestsAndOfTheirReads(t *testing.T) {
	s, collector := traced(t, "OTEL_SERVICE_NAME", "ranking-features")
	p := s.start()
	p.untilReady()
	if status, text := p.post("/v1/lookup", direct, "traceparent", parent); status != http.StatusOK {
		t.Fatalf("answered %d: %s", status, text)
	}
	p.post("/v1/lookup", `{"features":["nothing:at_all"],"entities":{}}`)
	p.get("/nowhere/" + strings.Repeat("x", 50))
	if err := ask(http2Client(t, nil), p.base, bytes.NewReader(call())); err != nil {
		t.Error(err)
	}
	p.end()
	requests, reads := collector.named("POST /v1/lookup"), collector.named("read_rows")
	calls := collector.named("feast.serving.ServingService/GetOnlineFeatures")
	if len(requests) != 2 || len(reads) != 2 || len(calls) != 1 || len(collector.named("request")) != 1 || len(collector.got) != 6 {
		t.Fatalf("%d requests, %d reads, %d calls of %d spans: %v", len(requests), len(reads), len(calls), len(collector.got), collector.got)
	}
	request, read := requests[0], reads[0]
	if hex.EncodeToString(request.TraceId) != parent[3:35] || hex.EncodeToString(request.ParentSpanId) != parent[36:52] {
		t.Errorf("the request does not belong to its caller's trace: %v", request)
	}
	if !bytes.Equal(read.TraceId, request.TraceId) || !bytes.Equal(read.ParentSpanId, request.SpanId) || read.Kind != otlp.Span_SPAN_KIND_CLIENT {
		t.Errorf("the read does not belong to its request: %v", read)
	}
	if bytes.Equal(requests[1].TraceId, request.TraceId) || len(requests[1].ParentSpanId) != 0 {
		t.Errorf("a request without a traceparent is in somebody's trace: %v", requests[1])
	}
	for of, parts := range map[*otlp.Span][]string{
		request:     {`"http.route"`, `"/v1/lookup"`, `"http.response.status_code"`, "int_value:200"},
		requests[1]: {"int_value:404"},
		read:        {`"freshline.store"`, `"default"`, `"freshline.views"`, `"carrier"`, `"freshline.keys"`, "int_value:2"},
		calls[0]:    {`"rpc.grpc.status_code"`, "int_value:0"},
	} {
		text := strings.ReplaceAll(of.String(), ":  ", ": ")
		text = strings.ReplaceAll(text, ": ", ":")
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("no %s in %s", part, text)
			}
		}
	}
	for _, span := range collector.got {
		if text := span.String(); strings.Contains(text, "UA") || strings.Contains(text, lookupSecret) || strings.Contains(text, "xxx") {
			t.Errorf("a span tells what is not its business: %s", text)
		}
	}
	if !strings.Contains(collector.resource, "ranking-features") {
		t.Errorf("spans come from %s", collector.resource)
	}
}

func TestFailuresOfTheStoreAreSeenInSpans(t *testing.T) {
	s, collector := traced(t)
	s.env["STORE_URL"] = "redis://127.0.0.1:1/0"
	p := s.start()
	until(t, "the bundle is in force", func() bool { _, text := p.get("/metrics"); return strings.Contains(text, "bundle_number 1\n") })
	if status, text := p.post("/v1/lookup", direct); status != http.StatusServiceUnavailable {
		t.Errorf("answered %d: %s", status, text)
	}
	p.end()
	for _, name := range []string{"POST /v1/lookup", "read_rows"} {
		if found := collector.named(name); len(found) != 1 || found[0].Status.Code != otlp.Status_STATUS_CODE_ERROR {
			t.Errorf("spans of %s: %v", name, found)
		}
	}
	if !strings.Contains(collector.resource, "freshline-serving") {
		t.Errorf("spans come from %s", collector.resource)
	}
}

func TestTheSamplerIsTheEnvironmentsAndACallersWordIsKept(t *testing.T) {
	s, collector := traced(t, "OTEL_TRACES_SAMPLER", "parentbased_always_off")
	p := s.start()
	p.untilReady()
	p.post("/v1/lookup", direct)
	p.post("/v1/lookup", direct, "traceparent", parent)
	p.end()
	if found := collector.named("POST /v1/lookup"); len(found) != 1 || hex.EncodeToString(found[0].TraceId) != parent[3:35] {
		t.Errorf("spans %v", collector.got)
	}
}

func TestACollectorThatIsAwayHarmsNoLookup(t *testing.T) {
	s, _ := traced(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	p := s.start()
	p.untilReady()
	for range 3 {
		if got := p.lookup(direct); got.Columns[0].Values[0] != 12.25 {
			t.Errorf("answered %+v", got)
		}
	}
	began := time.Now()
	p.end()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the process took %v to end", took)
	}
	if !strings.Contains(p.log.String(), "spans are lost") {
		t.Errorf("no word of it in the log:\n%s", p.log)
	}
}

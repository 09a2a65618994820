package grpcapi

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/leaktest"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/pass"
	"freshline/serving/internal/row"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const online = "/feast.serving.ServingService/GetOnlineFeatures"

type fixture struct {
	t      *testing.T
	store  *lookuptest.Store
	engine *lookup.Engine
	holder *bundle.Holder
	timer  timer
	mux    *http.ServeMux
	ticks  chan time.Time // at which watchers ask again
	leave  chan struct{}
}

// timer remembers how often each outcome was counted.
type timer struct {
	mu    sync.Mutex
	codes map[int]int
}

func (c *timer) Request(_ string, code int, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.codes[code]++
}

func newFixture(t *testing.T, authRequired bool) *fixture {
	f := &fixture{t: t, store: lookuptest.NewStore(), timer: timer{codes: map[int]int{}}, ticks: make(chan time.Time), leave: make(chan struct{})}
	view := lookuptest.Bundle(t).Projects["p"].Views["carrier_delays"]
	f.store.Put(t, view, `"UA"`, row.Header{EventTimeUS: lookuptest.NowUS - 1_500_000, WriteTimeUS: lookuptest.NowUS, Lane: row.Direct}, "12.5", "7")
	f.engine, f.holder = lookuptest.Engine(t, f.store, new(lookuptest.Observer))
	f.mount(authRequired, nil)
	return f
}

// mount builds the handlers anew, with what passes requests on.
func (f *fixture) mount(authRequired bool, passer *pass.Passer) {
	f.mux = http.NewServeMux()
	Mount(f.mux, Config{
		Engine: f.engine, Gate: &lookup.Gate{Bundles: f.holder, AuthRequired: authRequired, Now: lookuptest.Now},
		Stores: lookup.Pingers{bundle.DefaultStore: f.store}, Timer: &f.timer, MaxBodyBytes: 4096, Build: "test build", Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Passer: passer, Leaving: f.leave, WatchTicks: func() (<-chan time.Time, func()) { return f.ticks, func() {} },
	})
}

// message is a GetOnlineFeaturesRequest.
func message(keys ...string) []byte {
	features := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), []byte("carrier_delays:delay"))
	var values []byte
	for _, key := range keys {
		value := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), []byte(key))
		values = protowire.AppendBytes(protowire.AppendTag(values, 1, protowire.BytesType), value)
	}
	entry := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), []byte("carrier"))
	entry = protowire.AppendBytes(protowire.AppendTag(entry, 2, protowire.BytesType), values)
	whole := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), features)
	return protowire.AppendBytes(protowire.AppendTag(whole, 3, protowire.BytesType), entry)
}

func framedMessage(content []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(content))), content...)
}

// call returns the code and the answer's message.
func (f *fixture) call(path string, content []byte, headers ...string) (connect.Code, []byte) {
	f.t.Helper()
	request := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, bytes.NewReader(framedMessage(content)))
	request.ProtoMajor, request.ProtoMinor, request.Proto = 2, 0, "HTTP/2.0"
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set(lookup.ProjectHeader, "p")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorded := httptest.NewRecorder()
	f.mux.ServeHTTP(recorded, request)
	response := recorded.Result()
	text := response.Trailer.Get(grpcStatus)
	if text == "" {
		text = response.Header.Get(grpcStatus)
	}
	code, err := strconv.Atoi(text)
	if err != nil {
		f.t.Fatalf("%s answered %d without a gRPC status: %v", path, response.StatusCode, response.Header)
	}
	body := recorded.Body.Bytes()
	if len(body) > 5 {
		body = body[5:]
	}
	return connect.Code(code), body
}

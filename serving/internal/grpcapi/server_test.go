package grpcapi

import (
	"bytes"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"

	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
)

// Whole answers are read by a generated client: tests/serving/test_grpc.py.

func TestAnAnswerToTheByte(t *testing.T) {
	f := newFixture(t, false)
	code, got := f.call(online, message("UA", "AA"))
	at := time.UnixMicro(lookuptest.NowUS - 1_500_000)
	eventTime := append(scalar(1, uint64(at.Unix())), scalar(2, uint64(at.Nanosecond()))...)
	keys := slices.Concat(field(1, field(2, []byte("UA"))), field(1, field(2, []byte("AA"))), field(2, []byte{1, 1}), field(3, nil), field(3, nil))
	value := protowire.AppendFixed64(protowire.AppendTag(nil, 5, protowire.Fixed64Type), math.Float64bits(12.5))
	delays := slices.Concat(field(1, value), field(1, nil), field(2, []byte{1, 3}), field(3, eventTime), field(3, nil))
	names := append(field(1, []byte("carrier")), field(1, []byte("delay"))...)
	if want := slices.Concat(field(1, field(1, names)), field(2, keys), field(2, delays)); code != 0 || !bytes.Equal(got, want) {
		t.Errorf("answered %v, %q, want %q", code, got, want)
	}
}

func TestEveryFailureHasItsCodeAndIsCountedAsOverHTTP(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(*fixture)
		content []byte
		headers []string
		code    connect.Code
		status  int
	}{
		{"no bundle", func(f *fixture) { f.holder.Store(nil) }, message("UA"), nil, connect.CodeUnavailable, 503},
		{"no store", func(f *fixture) {
			f.store.Fault = func(*lookup.Read) error { return errors.New("connection refused") }
		}, message("UA"), nil, connect.CodeUnavailable, 503},
		{"past the deadline", func(f *fixture) { f.store.Hang = true }, message("UA"), []string{"Grpc-Timeout", "20m"}, connect.CodeDeadlineExceeded, 504},
		{"too many at once", func(f *fixture) { f.engine.Limits.Concurrent = 0 }, message("UA"), nil, connect.CodeResourceExhausted, 429},
		{"too many entities", nil, message(strings.Split("abcdefghijk", "")...), nil, connect.CodeInvalidArgument, 422},
		{"a message that is too large", nil, message(strings.Repeat("a", 5000)), nil, connect.CodeResourceExhausted, 429},
		{"no message", nil, []byte("\xff\xff\xff"), nil, connect.CodeInvalidArgument, 422},
		{"an unknown project", nil, message("UA"), []string{lookup.ProjectHeader, "nope"}, connect.CodeNotFound, 404},
		{"no project", nil, message("UA"), []string{lookup.ProjectHeader, ""}, connect.CodeInvalidArgument, 422},
		{"a token for another project", nil, message("UA"), []string{"Authorization", "Bearer " + lookuptest.TokenOfP, lookup.ProjectHeader, "q"}, connect.CodePermissionDenied, 403},
		{"a panic", func(f *fixture) { f.store.WhileReading = func() { panic("broken") } }, message("UA"), nil, connect.CodeInternal, 500},
	} {
		f := newFixture(t, false)
		if test.prepare != nil {
			test.prepare(f)
		}
		if code, _ := f.call(online, test.content, test.headers...); code != test.code {
			t.Errorf("%s: answered %v", test.name, code)
		}
		if f.timer.codes[test.status] != 1 {
			t.Errorf("%s: counted %v", test.name, f.timer.codes)
		}
	}
}

// unread fails the test when it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("a stranger's message is read")
	return 0, errors.New("not for reading")
}

func TestStrangersAreRefusedBeforeTheirMessageIsRead(t *testing.T) {
	f := newFixture(t, true)
	request := httptest.NewRequest(http.MethodPost, online, unread{t})
	request.ProtoMajor = 2
	request.Header.Set("Content-Type", "application/grpc")
	recorded := httptest.NewRecorder()
	f.mux.ServeHTTP(recorded, request)
	if f.timer.codes[401] != 1 {
		t.Errorf("counted %v", f.timer.codes)
	}
	if code, _ := f.call(online, message("UA"), "Authorization", "Bearer "+lookuptest.TokenOfP); code != 0 {
		t.Errorf("a known caller is answered %v", code)
	}
	if code, answer := f.call("/grpc.health.v1.Health/Check", nil); code != 0 || !bytes.Equal(answer, []byte("\x08\x01")) {
		t.Errorf("the health check is answered %v, %q", code, answer)
	}
}

func TestHealthFollowsTheBundleAndTheStore(t *testing.T) {
	for name, breaks := range map[string]func(*fixture){
		"no bundle": func(f *fixture) { f.holder.Store(nil) },
		"no store":  func(f *fixture) { f.store.MarksFault = errors.New("connection refused") },
	} {
		f := newFixture(t, false)
		breaks(f)
		if code, answer := f.call("/grpc.health.v1.Health/Check", nil); code != 0 || !bytes.Equal(answer, []byte("\x08\x02")) {
			t.Errorf("%s: answered %v, %q", name, code, answer)
		}
	}
}

func TestWhatIsNoCallIsRefused(t *testing.T) {
	f := newFixture(t, false)
	for _, test := range []struct {
		method, form string
		version      int
		status       int
	}{
		{http.MethodPost, "application/json", 2, 415},
		{http.MethodPost, "application/proto", 2, 415},
		{http.MethodPost, "application/grpc+json", 2, 415},
		{http.MethodPost, "application/grpc-web+proto", 2, 415},
		{http.MethodPost, "", 2, 415},
		{http.MethodPost, "nonsense;;", 2, 415},
		{http.MethodPost, "application/grpc", 1, 505},
		{http.MethodGet, "application/grpc", 2, 405},
	} {
		request := httptest.NewRequest(test.method, online, strings.NewReader("{}"))
		request.ProtoMajor = test.version
		request.Header.Set("Content-Type", test.form)
		recorded, before := httptest.NewRecorder(), f.timer.codes[test.status]
		f.mux.ServeHTTP(recorded, request)
		if recorded.Code != test.status || f.timer.codes[test.status] != before+1 {
			t.Errorf("%+v: answered %d, counted %v", test, recorded.Code, f.timer.codes)
		}
	}
}

func TestEveryComplaintOfALookupHasACode(t *testing.T) {
	for kind := lookup.UnknownProject; kind <= lookup.Forbidden; kind++ {
		if codeOf(kind) == connect.CodeInternal {
			t.Errorf("kind %d has none", kind)
		}
	}
	if codeOf(lookup.Forbidden+1) != connect.CodeInternal {
		t.Error("Forbidden is not the last kind")
	}
}

func TestAComplaintFitsIntoAHeader(t *testing.T) {
	for _, name := range []string{"v", strings.Repeat("v", 5000), strings.Repeat("é", 5000)} {
		err := statusOf(&lookup.Error{Kind: lookup.UnknownView, Message: "Feature view " + name + " does not exist"})
		var status *connect.Error
		if !errors.As(err, &status) || !utf8.ValidString(status.Message()) || len(status.Message()) > longestMessage+4 {
			t.Errorf("%d bytes of a name: %d bytes of a message", len(name), len(err.Error()))
		}
		if short := len(name) == 1; short != strings.HasSuffix(status.Message(), "exist") {
			t.Errorf("%d bytes of a name: ...%s", len(name), status.Message()[max(0, len(status.Message())-20):])
		}
	}
}

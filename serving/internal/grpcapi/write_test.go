package grpcapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"

	"freshline/serving/internal/control"
	"freshline/serving/internal/pass"
)

const (
	pushPath  = "/GrpcFeatureServer/Push"
	writePath = "/GrpcFeatureServer/WriteToOnlineStore"
)

// planed is a server in front of a control plane that answers with a status and a text.
func planed(t *testing.T, status int, answer string) (f *fixture, seen *http.Request, body *string) {
	seen, body = new(http.Request), new(string)
	plane := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		*seen, *body = *r, string(text)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(plane.Close)
	client := control.New(plane.URL, "", "")
	t.Cleanup(client.Close)
	f = newFixture(t, true)
	f.mount(true, pass.New(pass.Config{Plane: client, Timeout: time.Minute, MaxBodyBytes: 4096, AuthRequired: true}))
	return f, seen, body
}

func entry(name string, content []byte) []byte {
	return append(field(1, []byte(name)), field(2, content)...)
}

func typedRow() []byte {
	double := protowire.AppendFixed64(protowire.AppendTag(nil, 5, protowire.Fixed64Type), math.Float64bits(math.Inf(1)))
	float := protowire.AppendFixed32(protowire.AppendTag(nil, 6, protowire.Fixed32Type), math.Float32bits(0.5))
	packed := field(14, field(1, []byte{1, 2}))
	unpacked := field(13, slices.Concat(scalar(1, 3), scalar(1, 4)))
	doubles := field(15, field(1, protowire.AppendFixed64(nil, math.Float64bits(0.25))))
	floats := field(16, field(1, protowire.AppendFixed32(nil, math.Float32bits(0.25))))
	texts := field(12, slices.Concat(field(1, []byte("a")), field(1, nil)))
	return slices.Concat(
		field(5, entry("k", field(2, []byte(`U"A`)))), field(5, entry("n", scalar(4, math.MaxUint64))), field(5, entry("i", scalar(3, math.MaxUint64))),
		field(5, entry("d", double)), field(5, entry("f", float)), field(5, entry("b", scalar(7, 1))), field(5, entry("t", scalar(8, 17))),
		field(5, entry("y", field(1, []byte{0, 255}))), field(5, entry("none", nil)), field(5, entry("null", scalar(19, 0))),
		field(5, entry("l", packed)), field(5, entry("u", unpacked)), field(5, entry("ds", doubles)), field(5, entry("fs", floats)), field(5, entry("ts", texts)),
	)
}

func TestARowIsPassedOnAsAFrameOfOneRow(t *testing.T) {
	f, seen, body := planed(t, 200, "")
	code, answer := f.call(pushPath, slices.Concat(field(2, []byte("scores")), field(4, []byte("online")), typedRow()), "Authorization", "Bearer mine", "Content-Encoding", "identity")
	if code != 0 || !bytes.Equal(answer, []byte{8, 1}) {
		t.Errorf("answered %v %v", code, answer)
	}
	want := `{"push_source_name":"scores","to":"online","df":{"k":["U\"A"],"n":[-1],"i":[-1],"d":["Infinity"],"f":[0.5],"b":[true],"t":[17],` +
		`"y":["AP8="],"none":[null],"null":[null],"l":[[1,2]],"u":[[3,4]],"ds":[[0.25]],"fs":[[0.25]],"ts":[["a",""]]}}`
	if *body != want || !json.Valid([]byte(*body)) {
		t.Errorf("passed on\n%s\nwant\n%s", *body, want)
	}
	if seen.URL.Path != "/api/v1/feast/push" || seen.Header.Get("Authorization") != "Bearer mine" || seen.Header.Get("Content-Type") != "application/json" ||
		seen.Header.Get("Freshline-Project") != "p" || seen.Header.Get(valuesHeader) != "" {
		t.Errorf("passed on to %s with %v", seen.URL, seen.Header)
	}
}

func TestARowOfTextsSaysThatItIsOne(t *testing.T) {
	f, seen, body := planed(t, 200, "null")
	texts := slices.Concat(field(1, entry("k", []byte("UA"))), field(1, entry("x", []byte("1"))), field(1, entry("x", []byte("2"))))
	code, _ := f.call(writePath, append(field(2, []byte("v")), texts...), "Authorization", "Bearer mine")
	if code != 0 || *body != `{"feature_view_name":"v","df":{"k":["UA"],"x":["2"]}}` || seen.Header.Get(valuesHeader) != "text" {
		t.Errorf("answered %v, passed on %s with %v", code, *body, seen.Header)
	}
	if seen.URL.Path != "/api/v1/feast/write-to-online-store" {
		t.Errorf("passed on to %s", seen.URL)
	}
}

func TestTheControlPlanesAnswerIsToldByItsCode(t *testing.T) {
	row := append(field(2, []byte("v")), field(1, entry("k", []byte("UA")))...)
	for _, test := range []struct {
		name    string
		status  int
		answer  string
		code    connect.Code
		counted int
	}{
		{"Feast's error", 422, `"{\"module\":\"feast.errors\",\"class\":\"FeastError\",\"message\":\"why\"}"`, connect.CodeInvalidArgument, 422},
		{"a view that is not there", 404, `"{\"message\":\"why\"}"`, connect.CodeNotFound, 404},
		{"a problem", 403, `{"detail":"why"}`, connect.CodePermissionDenied, 403},
		{"no token", 401, `{"detail":"why"}`, connect.CodeUnauthenticated, 401},
		{"too large", 413, `{"detail":"why"}`, connect.CodeResourceExhausted, 429},
		{"a conflict", 409, `{"detail":"why"}`, connect.CodeAborted, 409},
		{"away", 503, `{"detail":"why"}`, connect.CodeUnavailable, 503},
		{"no JSON", 500, `why`, connect.CodeInternal, 500},
	} {
		f, _, _ := planed(t, test.status, test.answer)
		if code, _ := f.call(writePath, row, "Authorization", "Bearer mine"); code != test.code || f.timer.codes[test.counted] != 1 {
			t.Errorf("%s: answered %v, counted %v", test.name, code, f.timer.codes)
		}
		if told := toldBy([]byte(test.answer)); told != "why" && test.status != 500 {
			t.Errorf("%s: told %q", test.name, told)
		}
	}
}

func TestWhatIsNoRowIsNotPassedOn(t *testing.T) {
	text, typed := field(1, entry("k", []byte("UA"))), field(4, entry("k", scalar(4, 1)))
	for _, test := range []struct {
		name    string
		content []byte
		token   string
		code    connect.Code
	}{
		{"texts and typed values at once", append(slices.Clone(text), typed...), "Bearer mine", connect.CodeInvalidArgument},
		{"a kind that no feature has", field(4, entry("k", field(20, nil))), "Bearer mine", connect.CodeInvalidArgument},
		{"a text that is not UTF-8", field(1, entry("k", []byte{255})), "Bearer mine", connect.CodeInvalidArgument},
		{"a list that ends too early", field(4, entry("k", field(15, field(1, []byte{1, 2})))), "Bearer mine", connect.CodeInvalidArgument},
		{"no message", []byte("\xff\xff"), "Bearer mine", connect.CodeInvalidArgument},
		{"a caller without a token", text, "", connect.CodeUnauthenticated},
		{"a message that nobody reads without a token", []byte("\xff\xff"), "", connect.CodeUnauthenticated},
	} {
		f, seen, _ := planed(t, 200, "")
		if code, _ := f.call(writePath, test.content, "Authorization", test.token); code != test.code || seen.URL != nil {
			t.Errorf("%s: answered %v, passed on: %v", test.name, code, seen.URL != nil)
		}
	}
}

func TestFeastsPythonServiceAnswersLookupsToo(t *testing.T) {
	f := newFixture(t, false)
	one, wanted := f.call("/GrpcFeatureServer/GetOnlineFeatures", message("UA"))
	two, got := f.call(online, message("UA"))
	if one != 0 || two != 0 || !bytes.Equal(wanted, got) || len(got) == 0 {
		t.Errorf("answered %v %v", one, two)
	}
}

func FuzzWritesAreRefusedOrPassedOnAsJSON(f *testing.F) {
	f.Add(slices.Concat(field(2, []byte("scores")), field(4, []byte("online")), typedRow()))
	f.Add(append(field(2, []byte("v")), field(1, entry("k", []byte("UA")))...))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, message := range []interface {
			parse([]byte) error
			body(string) ([]byte, error)
		}{new(pushRequest), new(storeRequest)} {
			if message.parse(bytes.Clone(data)) != nil {
				continue
			}
			if body, err := message.body("x"); err == nil && !json.Valid(body) {
				t.Errorf("%q gives %s", data, body)
			}
		}
		request := new(onlineRequest)
		if request.parse(bytes.Clone(data)) != nil || request.columns() != nil {
			return
		}
		for _, column := range request.Entities {
			for _, value := range column.Values {
				if !json.Valid(value) && !strings.Contains(string(value), "NaN") && !strings.Contains(string(value), "Inf") {
					t.Errorf("a key becomes %q", value)
				}
			}
		}
	})
}

func TestARowOfColumnsWithoutEndIsRefusedHoweverTheyAreNamed(t *testing.T) {
	entry := field(1, append(field(1, []byte("c")), field(2, []byte("7"))...))
	data := bytes.Repeat(entry, maxColumnsWritten)
	if err := new(pushRequest).parse(data); err != nil {
		t.Errorf("%d columns: %v", maxColumnsWritten, err)
	}
	if err := new(pushRequest).parse(append(data, entry...)); !errors.Is(err, errMany) {
		t.Errorf("one more: %v", err)
	}
}

package app_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"freshline/serving/internal/app"
	"freshline/serving/internal/config"
	"freshline/serving/internal/control/controltest"
	"freshline/serving/internal/key"
	"freshline/serving/internal/leaktest"
	"freshline/serving/internal/row"
	"freshline/serving/internal/store/sqlite/sqlitetest"
)

func TestMain(m *testing.M) {
	flag.Bool("rewrite", false, "write the tables of the reference pages anew")
	flag.Parse()
	leaktest.Main(m)
}

const (
	project      = "flights"
	lookupSecret = "a lookup token"
)

var driverColumns = []row.Spec{
	{Name: "delay", Dtype: "float64"}, {Name: "trips", Dtype: "int64"}, {Name: "tail", Dtype: "string"},
}

// bundleText is a bundle of one view read directly and through three services.
func bundleText(number int, registry string, maxAge time.Duration) []byte {
	secret := sha256.Sum256([]byte(lookupSecret))
	features := `["carrier","delay"],["carrier","trips"],["carrier","tail"]`
	return fmt.Appendf(nil, `{"default_project":"flights","format":1,"number":%d,"projects":{"flights":{"services":{`+
		`"nulls":{"features":[%s],"max_rejected":1.0,"terms":{"max_age_us":60000000,"on_stale":"null"}},`+
		`"defaults":{"features":[%s],"max_rejected":1.0,"terms":{"max_age_us":60000000,"on_stale":"default","on_missing":"default"}},`+
		`"rejects":{"features":[%s],"max_rejected":0.5,"terms":{"max_age_us":60000000,"on_stale":"reject","on_missing":"reject"}}},`+
		`"views":{"carrier":{"bins":{},"contract":%d,"enforcement":"enforce","features":[`+
		`{"default":-1.5,"dtype":"float64","max":1000,"min":-120,"name":"delay","nullable":true},`+
		`{"default":0,"dtype":"int64","min":0,"name":"trips","nullable":false},`+
		`{"default":"none","dtype":"string","max_length":6,"name":"tail","nullable":true}],"id":1,`+
		`"join_keys":[{"dtype":"string","name":"carrier"}],"lanes":["batch","direct"],"layout":1,`+
		`"layouts":{"1":[{"dtype":"float64","name":"delay"},{"dtype":"int64","name":"trips"},{"dtype":"string","name":"tail"}]},`+
		`"retired_features":[],"terms":{"max_age_us":%d,"on_invalid":"null","on_missing":"null","on_stale":"serve"}}}}},`+
		`"registry":%q,"store":{"name":"default"},"tokens":[{"expires_us":null,"projects":["flights"],"sha256":%q}]}`,
		number, features, features, features, number, maxAge.Microseconds(), registry, hex.EncodeToString(secret[:]))
}

// system is a control plane, a store file and a home that outlive the serving processes over them.
type system struct {
	t       *testing.T
	control *controltest.Server
	store   *sqlitetest.Writer
	env     map[string]string
}

func newSystem(t *testing.T) *system {
	t.Helper()
	folder := t.TempDir()
	s := &system{t: t, control: controltest.New(t)}
	s.store = sqlitetest.Create(t, filepath.Join(folder, "store.sqlite3"))
	s.env = map[string]string{
		"FRESHLINE_SERVING_LISTEN":       "127.0.0.1:0",
		"STORE_URL":                      "sqlite://" + filepath.Join(folder, "store.sqlite3"),
		"FRESHLINE_CONTROL_URL":          s.control.URL,
		"FRESHLINE_SERVING_TOKEN":        s.control.Token,
		"FRESHLINE_SERVING_HOME":         filepath.Join(folder, "home"),
		"FRESHLINE_SERVING_NAME":         "test",
		"FRESHLINE_OBSERVE_INTERVAL":     "50ms",
		"FRESHLINE_WATERMARK_INTERVAL":   "20ms",
		"FRESHLINE_OBSERVE_SAMPLE_EVERY": "1",
		// The tests share two cores with others; what they check is never the default's 100 ms.
		"FRESHLINE_LOOKUP_TIMEOUT": "10s",
	}
	return s
}

func (s *system) put(carrier string, eventTime time.Time, delay float64, trips int64, tail string) {
	s.t.Helper()
	layout, err := row.NewLayout(1, driverColumns)
	if err != nil {
		s.t.Fatal(err)
	}
	values := []*row.Value{floatValue(delay), {Word: uint64(trips)}, {Blob: []byte(tail)}}
	data := row.Encode(row.Header{
		EventTimeUS: eventTime.UnixMicro(), WriteTimeUS: time.Now().UnixMicro(), Lane: row.Batch, RunNumber: 7,
	}, layout, values)
	s.store.Row(project, "carrier", carrierKey(s.t, carrier), data)
}

func floatValue(value float64) *row.Value {
	parsed, _ := row.ParseValue(row.Float64, []byte(fmt.Sprint(value)))
	return &parsed
}

func carrierKey(t *testing.T, carrier string) []byte {
	t.Helper()
	encoder, err := key.NewEncoder([]key.JoinKey{{Name: "carrier", Dtype: row.String}})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(carrier)
	encoded, err := key.AppendValue(encoder.AppendNames(nil), row.String, text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// process is a running serving process.
type process struct {
	t      *testing.T
	base   string
	log    *logBuffer
	stop   context.CancelFunc
	result chan error
}

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(data)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (s *system) start() *process {
	s.t.Helper()
	settings, err := config.Load(func(name string) (string, bool) {
		value, ok := s.env[name]
		return value, ok
	})
	if err != nil {
		s.t.Fatal(err)
	}
	p := &process{t: s.t, log: new(logBuffer), result: make(chan error, 1)}
	built, err := app.New(settings, "test build", slog.New(slog.NewJSONHandler(p.log, nil)))
	if err != nil {
		s.t.Fatal(err)
	}
	p.base = "http://" + built.Address()
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go func() { p.result <- built.Run(ctx) }()
	s.t.Cleanup(p.end)
	return p
}

// end asks the process to end, as SIGTERM does, and waits for it.
func (p *process) end() {
	p.stop()
	if err, ok := <-p.result; ok && err != nil {
		p.t.Errorf("serving ended with %v", err)
	}
	select {
	case <-p.result:
	default:
		close(p.result)
	}
	http.DefaultClient.CloseIdleConnections()
}

// until waits for a condition that other goroutines bring about.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func (p *process) untilReady() {
	p.t.Helper()
	until(p.t, "the process is ready", func() bool {
		status, _ := p.get("/ready")
		return status == http.StatusOK
	})
}

func (p *process) get(path string) (int, string) {
	p.t.Helper()
	response, err := http.Get(p.base + path)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

func (p *process) post(path, body string, headers ...string) (int, string) {
	p.t.Helper()
	request, _ := http.NewRequest(http.MethodPost, p.base+path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatalf("post to %s: %v", path, err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

// answer is what /v1/lookup says.
type answer struct {
	Rows    int
	Columns []struct {
		Name     string
		Values   []any
		Verdicts []string
		AgesUS   []*int64 `json:"ages_us"`
		Actions  []string
	}
	Rejected []struct{ Row int }
	Bundle   struct{ Number int }
}

func (p *process) lookup(body string) answer {
	p.t.Helper()
	status, text := p.post("/v1/lookup", body)
	if status != http.StatusOK {
		p.t.Fatalf("lookup answered %d: %s", status, text)
	}
	var found answer
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		p.t.Fatalf("%v in %s", err, text)
	}
	return found
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"freshline/serving/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// server counts what it is asked, and answers as told.
type server struct {
	mu     sync.Mutex
	bodies map[string]int
	status int
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.bodies[r.Method+" "+r.URL.Path+" "+string(body)]++
	s.mu.Unlock()
	w.WriteHeader(s.status)
	fmt.Fprint(w, "0123456789")
}

// load runs the command against a server of that status and returns what it printed.
func load(t *testing.T, status int) (*server, Result, error) {
	t.Helper()
	asked := &server{bodies: make(map[string]int), status: status}
	listening := httptest.NewServer(asked)
	defer listening.Close()
	bodies := filepath.Join(t.TempDir(), "bodies.json")
	if err := os.WriteFile(bodies, []byte(`[{"a":1},{"b":2}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := run([]string{
		"-address", strings.TrimPrefix(listening.URL, "http://"), "-bodies", bodies,
		"-connections", "3", "-warmup", "20ms", "-time", "100ms",
	}, &out)
	var result Result
	if err == nil {
		if err := json.Unmarshal(out.Bytes(), &result); err != nil {
			t.Fatal(err)
		}
	}
	return asked, result, err
}

func TestEveryBodyIsSentInTurnAndAnswersAreCounted(t *testing.T) {
	asked, result, err := load(t, http.StatusOK)
	if err != nil {
		t.Fatal(err)
	}
	first, second := asked.bodies[`POST /get-online-features {"a":1}`], asked.bodies[`POST /get-online-features {"b":2}`]
	if first == 0 || second == 0 || len(asked.bodies) != 2 {
		t.Errorf("the server was asked %v", asked.bodies)
	}
	if result.Requests < 1 || result.Requests > first+second {
		t.Errorf("%d requests counted of %d sent", result.Requests, first+second)
	}
	if result.AnswerBytes != 10 || result.P50 > result.P99 || result.P99 > result.Max || result.PerSecond <= 0 {
		t.Errorf("unlikely result %+v", result)
	}
}

func TestAnAnswerThatIsNoneEndsTheMeasurement(t *testing.T) {
	_, _, err := load(t, http.StatusTooManyRequests)
	if err == nil || !strings.Contains(err.Error(), "429") {
		t.Errorf("the error is %v, want one that names the status", err)
	}
}

func TestASlowServerIsHeardOut(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(50 * time.Millisecond)
		fmt.Fprint(w, "late")
	}))
	defer slow.Close()
	plan := Plan{
		Address: strings.TrimPrefix(slow.URL, "http://"), Path: "/", Connections: 2,
		Warmup: time.Millisecond, Time: 2 * time.Millisecond, Bodies: []json.RawMessage{[]byte("{}")},
	}
	result, err := plan.Run()
	if err != nil || result.Requests != 2 || result.Seconds < 0.03 {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestQuantilesAreTimesThatWereMeasured(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for _, c := range []struct {
		sorted []time.Duration
		share  float64
		want   time.Duration
	}{
		{hundred, 0.50, 50},
		{hundred, 0.99, 99},
		{hundred[:1], 0.99, 1},
		{hundred[:3], 0.50, 2},
	} {
		if got := quantile(c.sorted, c.share); got != c.want {
			t.Errorf("quantile %v of %d times is %d, want %d", c.share, len(c.sorted), got, c.want)
		}
	}
}

func TestWithoutBodiesNothingIsSent(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "bodies.json")
	if err := os.WriteFile(empty, []byte(`[]`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, empty + ".absent"} {
		if err := run([]string{"-bodies", path}, io.Discard); err == nil {
			t.Errorf("%s was taken for bodies", path)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
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
	delay  time.Duration
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.bodies[r.Method+" "+r.URL.Path+" "+r.Header.Get("Accept")+" "+string(body)]++
	s.mu.Unlock()
	time.Sleep(s.delay)
	w.WriteHeader(s.status)
	fmt.Fprint(w, "0123456789")
}

// listen starts a server and returns its address.
func (s *server) listen(t *testing.T) string {
	t.Helper()
	s.bodies = make(map[string]int)
	listening := httptest.NewServer(s)
	t.Cleanup(listening.Close)
	return strings.TrimPrefix(listening.URL, "http://")
}

// load runs the command with a plan and returns what it printed.
func load(plan string) ([]Result, error) {
	var out bytes.Buffer
	if err := run(strings.NewReader(plan), &out); err != nil {
		return nil, err
	}
	var results []Result
	return results, json.Unmarshal(out.Bytes(), &results)
}

const bodies = `"bodies": [{"a":1},{"b":2}]`

func TestEveryBodyIsSentInTurnAndAnswersAreCounted(t *testing.T) {
	asked := &server{status: http.StatusOK}
	results, err := load(`{"targets": [{"address": "` + asked.listen(t) + `", "path": "/x", "accept": "a/b"}], ` + bodies +
		`, "connections": 3, "warmup_seconds": 0.02, "seconds": 0.1}`)
	if err != nil {
		t.Fatal(err)
	}
	result, first, second := results[0], asked.bodies[`POST /x a/b {"a":1}`], asked.bodies[`POST /x a/b {"b":2}`]
	if first == 0 || second == 0 || len(asked.bodies) != 2 {
		t.Errorf("the server was asked %v", asked.bodies)
	}
	if result.Requests < 1 || result.Requests > result.Sent || result.Sent != first+second {
		t.Errorf("%d requests counted, %d sent of %d heard", result.Requests, result.Sent, first+second)
	}
	if result.AnswerBytes != 10 || result.P50 > result.P95 || result.P95 > result.P99 || result.P99 > result.Max || result.PerSecond <= 0 {
		t.Errorf("unlikely result %+v", result)
	}
}

func TestSeveralTargetsAreAskedInTurn(t *testing.T) {
	one, other := &server{status: http.StatusOK}, &server{status: http.StatusOK, delay: 5 * time.Millisecond}
	results, err := load(`{"targets": [{"address": "` + one.listen(t) + `", "path": "/"}, {"address": "` + other.listen(t) + `", "path": "/"}], ` +
		bodies + `, "connections": 1, "warmup_seconds": 0, "seconds": 0.1}`)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 2 || results[0].Sent != results[1].Sent {
		t.Fatalf("the results are %+v", results)
	}
	if results[1].P50 < 5 || results[0].P50 >= results[1].P50 {
		t.Errorf("the slow target's time is %v ms, the fast one's %v ms", results[1].P50, results[0].P50)
	}
}

func TestAnOpenLoopKeepsItsRateAndCountsTheWaitOfLateRequests(t *testing.T) {
	slow := &server{status: http.StatusOK, delay: 20 * time.Millisecond}
	// Two connections answer 100 a second of the 200 that are due, so that the last waits about 0.1 s.
	results, err := load(`{"targets": [{"address": "` + slow.listen(t) + `", "path": "/"}], ` + bodies +
		`, "connections": 2, "rate": 200, "warmup_seconds": 0, "seconds": 0.2}`)
	if err != nil {
		t.Fatal(err)
	}
	if sent := results[0].Sent; sent < 39 || sent > 41 {
		t.Errorf("%d requests were sent at 200 a second for 0.2 s", sent)
	}
	if results[0].Max < 60 {
		t.Errorf("the longest time is %v ms, which leaves out the wait", results[0].Max)
	}
}

func TestAnAnswerThatIsNoneEndsTheMeasurement(t *testing.T) {
	for _, rate := range []string{"0", "100"} {
		asked := &server{status: http.StatusTooManyRequests}
		_, err := load(`{"targets": [{"address": "` + asked.listen(t) + `", "path": "/"}], ` + bodies +
			`, "connections": 1, "rate": ` + rate + `, "warmup_seconds": 0, "seconds": 0.05}`)
		if err == nil || !strings.Contains(err.Error(), "429") {
			t.Errorf("the error is %v, want one that names the status", err)
		}
	}
}

func TestASlowServerIsHeardOut(t *testing.T) {
	slow := &server{status: http.StatusOK, delay: 50 * time.Millisecond}
	results, err := load(`{"targets": [{"address": "` + slow.listen(t) + `", "path": "/"}], ` + bodies +
		`, "connections": 2, "warmup_seconds": 0.001, "seconds": 0.002}`)
	if err != nil || results[0].Requests != 2 || results[0].Seconds < 0.03 {
		t.Errorf("%+v, %v", results, err)
	}
}

func TestQuantilesAreTimesThatWereMeasured(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i+1) * time.Millisecond
	}
	for _, c := range []struct {
		sorted []time.Duration
		share  float64
		want   float64
	}{
		{hundred, 0.50, 50},
		{hundred, 0.99, 99},
		{hundred[:1], 0.99, 1},
		{hundred[:3], 0.50, 2},
		{hundred, 1, 100},
	} {
		if got := quantile(c.sorted, c.share); got != c.want {
			t.Errorf("quantile %v of %d times is %v ms, want %v", c.share, len(c.sorted), got, c.want)
		}
	}
}

func TestAPlanThatCannotBeFollowedIsRefused(t *testing.T) {
	for _, plan := range []string{
		``, `{}`, `{"unknown": 1}`,
		`{"targets": [{"address": "a:1"}], "connections": 1, "seconds": 1}`,
		`{"targets": [{"address": "a:1"}], "bodies": [{}], "connections": 0, "seconds": 1}`,
		`{"targets": [{"address": "a:1"}], "bodies": [{}], "connections": 1, "seconds": 0}`,
		`{"targets": [{"address": "a:1"}, {"address": "a:2"}], "bodies": [{}], "connections": 1, "rate": 1, "seconds": 1}`,
		`{"targets": [{"address": "127.0.0.1:0"}], "bodies": [{}], "connections": 1, "seconds": 1}`,
		`{"targets": [{"fetch": {"store": "redis://x:y:z"}}], "bodies": [{"entities": {"": ["no number"]}}], "connections": 1, "seconds": 1}`,
	} {
		if _, err := load(plan); err == nil {
			t.Errorf("%s was taken for a plan", plan)
		}
	}
}

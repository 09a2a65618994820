package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freshline/serving/internal/control"
	"freshline/serving/internal/pass"
)

// plane is a control plane that remembers what it was sent.
type plane struct {
	*httptest.Server
	seen   *http.Request
	body   string
	answer func(http.ResponseWriter, *http.Request)
}

func newPlane(t *testing.T) *plane {
	p := &plane{answer: func(http.ResponseWriter, *http.Request) {}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.seen, p.body = r, string(body)
		p.answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

// passing is a server in front of a control plane at address.
func passing(t *testing.T, address string, config pass.Config) *fixture {
	client := control.New(address, "our own token", "")
	t.Cleanup(client.Close)
	config.Plane, config.MaxBodyBytes = client, 1000
	if config.Timeout == 0 {
		config.Timeout = time.Minute
	}
	f := newFixture(t, config.AuthRequired)
	f.serve(pass.New(config))
	return f
}

func TestWhatFeastsClientsWriteIsPassedOnUnderTheirOwnNameAndAnsweredAsItStands(t *testing.T) {
	p := newPlane(t)
	p.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Idempotency-Replayed", "true")
		w.Header().Set("Set-Cookie", "session=1")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"status":"accepted"}`)
	}
	f := passing(t, p.URL, pass.Config{})
	for _, path := range []string{"/push", "/write-to-online-store", "/materialize?async=true&force=true", "/materialize-incremental"} {
		got := f.do(http.MethodPost, path, `{"df":{}}`, "Authorization", "Bearer mine", "Cookie", "session=2", "Connection", "X-Secret",
			"X-Secret", "1", "Idempotency-Key", "k", "X-Request-Timeout-Ms", "5000", "Content-Type", "application/json")
		if got.Code != 202 || got.Body.String() != `{"status":"accepted"}` || got.Header().Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s answered %d %v %s", path, got.Code, got.Header(), got.Body)
		}
		if got.Header().Get("Set-Cookie") != "" || p.seen.Header.Get("Cookie") != "" || p.seen.Header.Get("X-Secret") != "" {
			t.Errorf("%s passed too much: %v, %v", path, p.seen.Header, got.Header())
		}
		if p.seen.RequestURI != "/api/v1/feast"+path || p.body != `{"df":{}}` || p.seen.ContentLength != 9 {
			t.Errorf("%s came as %s %q", path, p.seen.RequestURI, p.body)
		}
		for name, want := range map[string]string{
			"Authorization": "Bearer mine", "Freshline-Project": "p", "Idempotency-Key": "k", "X-Request-Timeout-Ms": "5000", "Content-Type": "application/json",
		} {
			if p.seen.Header.Get(name) != want {
				t.Errorf("%s: %s came as %q", path, name, p.seen.Header.Get(name))
			}
		}
	}
}

func TestNoAnswerOfTheControlPlaneSendsATokenElsewhere(t *testing.T) {
	elsewhere, p := newPlane(t), newPlane(t)
	p.answer = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}
	got := passing(t, p.URL, pass.Config{}).do(http.MethodPost, "/push", "{}", "Authorization", "Bearer mine")
	if got.Code != http.StatusTemporaryRedirect || elsewhere.seen != nil {
		t.Errorf("answered %d, followed: %v", got.Code, elsewhere.seen != nil)
	}
}

func TestWhatIsNotPassedOnIsAProblem(t *testing.T) {
	p := newPlane(t)
	ended := make(chan struct{})
	p.answer = func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	}
	t.Cleanup(func() { close(ended) })
	away := httptest.NewServer(nil)
	away.Close()
	for _, test := range []struct {
		name, address, body string
		config              pass.Config
		headers             []string
		status              int
		code                code
	}{
		{"a control plane that is away", away.URL, "{}", pass.Config{}, nil, 503, codeControlAway},
		{"one that is silent", p.URL, "{}", pass.Config{Timeout: 20 * time.Millisecond}, nil, 504, codeDeadline},
		{"a body that is too large", p.URL, strings.Repeat("x", 1001), pass.Config{}, nil, 413, codeTooLarge},
		{"nobody's token where one is needed", p.URL, "{}", pass.Config{AuthRequired: true}, []string{"Authorization", ""}, 401, codeUnauthenticated},
		{"a token file that is gone", p.URL, "{}", pass.Config{TokenFile: "/nowhere"}, nil, 500, codeInternal},
	} {
		got := passing(t, test.address, test.config).do(http.MethodPost, "/push", test.body, test.headers...)
		var told problem
		if err := json.Unmarshal(got.Body.Bytes(), &told); err != nil || got.Code != test.status || told.Code != test.code {
			t.Errorf("%s: answered %d %s", test.name, got.Code, got.Body)
		}
	}
}

func TestATokenFileThatCannotBeReadIsNamedInTheLogOnly(t *testing.T) {
	f := passing(t, newPlane(t).URL, pass.Config{TokenFile: "/run/secrets/ours"})
	got := f.do(http.MethodPost, "/push", "{}")
	if got.Code != 500 || strings.Contains(got.Body.String(), "secrets") || strings.Contains(got.Body.String(), "TOKEN") {
		t.Errorf("answered %d %s", got.Code, got.Body)
	}
}

func TestAnAnswerOfTheControlPlaneIsPassedBackWholeOrNotAtAll(t *testing.T) {
	p := newPlane(t)
	f := passing(t, p.URL, pass.Config{})
	for size, want := range map[int]int{maxAnswer: 200, maxAnswer + 1: 502} {
		p.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, size)) }
		if got := f.do(http.MethodPost, "/push", "{}"); got.Code != want || want == 200 && got.Body.Len() != size {
			t.Errorf("%d bytes were answered %d with %d bytes", size, got.Code, got.Body.Len())
		}
	}
	p.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = w.Write([]byte("half"))
	}
	if got := f.do(http.MethodPost, "/push", "{}"); got.Code != 502 || strings.Contains(got.Body.String(), "half") {
		t.Errorf("an answer that broke off was answered %d %s", got.Code, got.Body)
	}
}

func TestABodyOfUnknownLengthIsCutOffAtTheLimit(t *testing.T) {
	p := newPlane(t)
	f := passing(t, p.URL, pass.Config{})
	request := httptest.NewRequest(http.MethodPost, "/push", io.MultiReader(strings.NewReader(strings.Repeat("x", 600)), strings.NewReader(strings.Repeat("x", 600))))
	if request.ContentLength != -1 {
		t.Fatal("the length is known")
	}
	recorded := httptest.NewRecorder()
	f.handler.ServeHTTP(recorded, request)
	p.Close() // waits for the request that was cut off
	if recorded.Code != 413 || p.body != "" && len(p.body) > 1000 {
		t.Errorf("answered %d; the control plane read %d bytes", recorded.Code, len(p.body))
	}
}

func TestWhoSendsNoTokenGetsTheOneThatWasSetForThem(t *testing.T) {
	p, file := newPlane(t), filepath.Join(t.TempDir(), "token")
	f := passing(t, p.URL, pass.Config{TokenFile: file})
	for _, token := range []string{"one", "two"} {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		f.do(http.MethodPost, "/push", "{}")
		if got := p.seen.Header.Get("Authorization"); got != "Bearer "+token {
			t.Errorf("sent %q", got)
		}
	}
	f.do(http.MethodPost, "/push", "{}", "Authorization", "Bearer mine")
	if got := p.seen.Header.Get("Authorization"); got != "Bearer mine" {
		t.Errorf("sent %q in place of the caller's", got)
	}
	passing(t, p.URL, pass.Config{}).do(http.MethodPost, "/push", "{}")
	if got := p.seen.Header.Get("Authorization"); got != "" {
		t.Errorf("sent %q, which nobody set", got)
	}
}

// slowPlane holds every request until it is let go.
type slowPlane struct{ came, free chan struct{} }

func (p *slowPlane) Pass(ctx context.Context, _ control.Passed) (*http.Response, error) {
	p.came <- struct{}{}
	<-p.free
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(nil))}, ctx.Err()
}

func TestMoreRequestsThanMayWaitAreTurnedAwayAtOnce(t *testing.T) {
	slow := &slowPlane{make(chan struct{}), make(chan struct{})}
	f := newFixture(t, false)
	f.serve(pass.New(pass.Config{Plane: slow, Timeout: time.Minute, MaxBodyBytes: 1000}))
	codes := make(chan int)
	for range 64 {
		go func() { codes <- f.do(http.MethodPost, "/push", "{}").Code }()
		<-slow.came
	}
	if got := f.do(http.MethodPost, "/push", "{}"); got.Code != 429 {
		t.Errorf("one too many was answered %d", got.Code)
	}
	close(slow.free)
	for range 64 {
		if code := <-codes; code != 200 {
			t.Errorf("one of those that waited was answered %d", code)
		}
	}
}

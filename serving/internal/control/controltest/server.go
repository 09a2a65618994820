// Package controltest is a control plane for tests: it keeps a bundle, answers the long poll, and
// remembers what it was told.
package controltest

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Server is a fake with state. It is safe for many goroutines.
type Server struct {
	*httptest.Server
	Token string

	mu           sync.Mutex
	body         []byte
	digest       string
	changed      chan struct{} // closed when the bundle changes
	status       int           // answered to posts; 0: 204
	acks         []string
	observations []string
	ended        chan struct{}
}

// New starts a control plane without a bundle.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{Token: "serving-token", changed: make(chan struct{}), ended: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/serving/bundle", s.bundle)
	mux.HandleFunc("POST /api/v1/serving/acknowledgements", s.keep(&s.acks))
	mux.HandleFunc("POST /api/v1/serving/observations", s.keep(&s.observations))
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Stop)
	return s
}

// Stop ends the server, as kill does.
func (s *Server) Stop() {
	s.mu.Lock()
	select {
	case <-s.ended:
	default:
		close(s.ended)
	}
	s.mu.Unlock()
	s.CloseClientConnections()
	s.Close()
}

// Publish puts a bundle up, under its right digest.
func (s *Server) Publish(body []byte) {
	sum := sha256.Sum256(body)
	s.PublishAs(body, hex.EncodeToString(sum[:]))
}

// PublishAs puts a bundle up under any digest.
func (s *Server) PublishAs(body []byte, digest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body, s.digest = body, digest
	close(s.changed)
	s.changed = make(chan struct{})
}

// AnswerPosts sets the status of all posts from now on; 0 is success.
func (s *Server) AnswerPosts(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// Acknowledgements returns what was acknowledged so far.
func (s *Server) Acknowledgements() []string { return s.kept(&s.acks) }

// Observations returns the reports that were taken so far.
func (s *Server) Observations() []string { return s.kept(&s.observations) }

func (s *Server) kept(list *[]string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), *list...)
}

func (s *Server) allowed(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Authorization") == "Bearer "+s.Token {
		return true
	}
	http.Error(w, "no token", http.StatusUnauthorized)
	return false
}

func (s *Server) bundle(w http.ResponseWriter, r *http.Request) {
	if !s.allowed(w, r) {
		return
	}
	wait, _ := time.ParseDuration(r.URL.Query().Get("wait"))
	timeout := time.After(wait)
	for {
		s.mu.Lock()
		body, digest, changed := s.body, s.digest, s.changed
		s.mu.Unlock()
		if body != nil && r.Header.Get("If-None-Match") != strconv.Quote(digest) {
			w.Header().Set("ETag", strconv.Quote(digest))
			_, _ = w.Write(body)
			return
		}
		select {
		case <-changed:
		case <-timeout:
			w.WriteHeader(http.StatusNotModified)
			return
		case <-r.Context().Done():
			return
		case <-s.ended:
			return
		}
	}
}

func (s *Server) keep(list *[]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.allowed(w, r) {
			return
		}
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.status != 0 {
			w.WriteHeader(s.status)
			return
		}
		*list = append(*list, string(body))
		w.WriteHeader(http.StatusNoContent)
	}
}

package app_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"freshline/serving/internal/app"
	"freshline/serving/internal/config"
)

// door is what a supervisor does: it listens, and hands the socket to one process after the other.
func (s *system) door() net.Listener {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = listener.Close() })
	s.env["FRESHLINE_SERVING_LISTEN"] = listener.Addr().String()
	return listener
}

func (s *system) pass(listener net.Listener) {
	s.t.Helper()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	inherited, err := syscall.Dup(int(file.Fd())) // the process that gets it closes it
	if err != nil {
		s.t.Fatal(err)
	}
	s.env["FRESHLINE_SERVING_SOCKET_FD"] = fmt.Sprint(inherited)
}

func TestLookupsDuringARestartWaitForTheNextProcess(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Hour))
	s.put("UA", time.Now(), 1, 1, "N1")
	listener := s.door()
	s.pass(listener)
	first := s.start()
	first.untilReady()
	s.control.Stop()

	var asking sync.WaitGroup
	var stop atomic.Bool
	var answered, failed atomic.Int64
	url := "http://" + listener.Addr().String() + "/v1/lookup"
	for range 8 {
		asking.Go(func() {
			client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for !stop.Load() {
				answer, err := client.Post(url, "application/json", strings.NewReader(direct))
				if err != nil || answer.StatusCode != http.StatusOK {
					failed.Add(1)
					t.Log(err, answer)
					continue
				}
				_ = answer.Body.Close()
				answered.Add(1)
			}
		})
	}
	for range 3 {
		seen := answered.Load()
		until(t, "lookups are answered", func() bool { return answered.Load() > seen+50 })
		first.end()
		s.pass(listener)
		first = s.start()
	}
	seen := answered.Load()
	until(t, "the last process answers", func() bool { return answered.Load() > seen+50 })
	stop.Store(true)
	asking.Wait()
	if failed.Load() != 0 {
		t.Errorf("%d lookups failed, %d were answered", failed.Load(), answered.Load())
	}
}

func TestASocketThatIsNotTheAddressOfTheSettingsIsRefused(t *testing.T) {
	s := newSystem(t)
	s.pass(s.door())
	s.env["FRESHLINE_SERVING_LISTEN"] = "127.0.0.1:1"
	settings, err := config.Load(func(name string) (string, bool) { value, ok := s.env[name]; return value, ok })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.New(settings, "test", slog.New(slog.NewJSONHandler(io.Discard, nil))); err == nil || !strings.Contains(err.Error(), "is bound to 127.0.0.1:") {
		t.Errorf("it said %v", err)
	}
}

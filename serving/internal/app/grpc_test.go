package app_test

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const onlineCall = "/feast.serving.ServingService/GetOnlineFeatures"

// call is a GetOnlineFeaturesRequest of one feature of one carrier, as gRPC frames it.
func call() []byte {
	message := []byte("\x12\x0f\x0a\x0dcarrier:trips" + "\x1a\x11\x0a\x07carrier\x12\x06\x0a\x04\x12\x02UA")
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
}

// http2Client speaks HTTP/2 only: by agreement with settings, else by prior knowledge.
func http2Client(t *testing.T, settings *tls.Config) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: settings, Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP2(settings != nil)
	transport.Protocols.SetUnencryptedHTTP2(settings == nil)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Timeout: 10 * time.Second, Transport: transport}
}

// ask makes a call and returns what is wrong with its answer.
func ask(client *http.Client, base string, body io.Reader) error {
	request, err := http.NewRequest(http.MethodPost, base+onlineCall, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("Authorization", "Bearer "+lookupSecret)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.ProtoMajor != 2 || response.Trailer.Get("Grpc-Status") != "0":
		return fmt.Errorf("answered %s %s, %v, %v", response.Proto, response.Status, response.Header, response.Trailer)
	case !bytes.Contains(answer, []byte("\x0a\x02\x20\x07")): // an int64 of 7
		return fmt.Errorf("answered %q", answer)
	}
	return nil
}

func TestCallsDuringARestartAreAllAnswered(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Hour))
	s.put("UA", time.Now(), 1, 7, "N1")
	listener := s.door()
	s.pass(listener)
	process := s.start()
	process.untilReady()
	s.control.Stop()

	var asking sync.WaitGroup
	var stop atomic.Bool
	var answered, failed atomic.Int64
	for range 4 {
		client := http2Client(t, nil)
		asking.Go(func() {
			for !stop.Load() {
				if err := ask(client, "http://"+listener.Addr().String(), bytes.NewReader(call())); err != nil {
					failed.Add(1)
					t.Log(err)
					continue
				}
				answered.Add(1)
			}
		})
	}
	for range 3 {
		seen := answered.Load()
		until(t, "calls are answered", func() bool { return answered.Load() > seen+50 })
		process.end()
		s.pass(listener)
		process = s.start()
	}
	seen := answered.Load()
	until(t, "the last process answers", func() bool { return answered.Load() > seen+50 })
	stop.Store(true)
	asking.Wait()
	if failed.Load() != 0 {
		t.Errorf("%d calls failed, %d were answered", failed.Load(), answered.Load())
	}
}

func TestACallUnderWayIsAnsweredBeforeTheProcessEnds(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Hour))
	s.put("UA", time.Now(), 1, 7, "N1")
	p := s.start()
	p.untilReady()
	client := http2Client(t, nil)
	body, rest := io.Pipe()
	result := make(chan error, 1)
	go func() { result <- ask(client, p.base, body) }()
	if _, err := rest.Write(call()[:7]); err != nil {
		t.Fatal(err)
	}
	// Streams of a connection begin in order: once a later one is answered, ours belongs to the server.
	if err := ask(client, p.base, bytes.NewReader(call())); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() {
		_, _ = rest.Write(call()[7:])
		_ = rest.Close()
	})
	p.end()
	if err := <-result; err != nil {
		t.Error(err)
	}
}

func TestAWatchOfTheHealthDoesNotHoldUpTheEndOfTheProcess(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Hour))
	endWhileWatched(t, s)
}

func TestAWatchOfTheHealthGoesThroughTracing(t *testing.T) {
	s, collector := traced(t)
	endWhileWatched(t, s)
	if len(collector.got) != 0 {
		t.Errorf("a span of hours: %v", collector.got)
	}
}

// endWhileWatched ends a process that somebody watches.
func endWhileWatched(t *testing.T, s *system) {
	s.env["FRESHLINE_SERVING_DRAIN_TIMEOUT"] = "1h" // as long as the test would take, were the watch held
	p := s.start()
	p.untilReady()
	frame := []byte{0, 0, 0, 0, 0} // of an empty message: the health of all
	response, err := http2Client(t, nil).Post(p.base+"/grpc.health.v1.Health/Watch", "application/grpc", bytes.NewReader(frame))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	first := make([]byte, 7)
	if _, err := io.ReadFull(response.Body, first); err != nil || first[6] != 1 {
		t.Errorf("at first %q, %v", first, err)
	}
	p.end()
	rest, err := io.ReadAll(response.Body)
	if err != nil || !bytes.Equal(rest, []byte{0, 0, 0, 0, 2, 8, 2}) || response.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("ended with %q, %v, %v", rest, err, response.Trailer)
	}
}

func TestCallsTravelOverTLSAsWell(t *testing.T) {
	servers := newAuthority(t, "servers")
	p := newSecured(t, servers).start()
	trusting := &tls.Config{RootCAs: servers.pool()}
	client := http2Client(t, trusting.Clone())
	base := strings.Replace(p.base, "http://", "https://", 1)
	var last error
	until(t, "a call is answered", func() bool {
		last = ask(client, base, bytes.NewReader(call()))
		return last == nil
	})
	old := &http.Client{Transport: &http.Transport{TLSClientConfig: trusting.Clone(), Protocols: new(http.Protocols)}}
	old.Transport.(*http.Transport).Protocols.SetHTTP1(true)
	response, err := old.Get(base + "/health")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	old.CloseIdleConnections()
	if response.ProtoMajor != 1 || response.StatusCode != http.StatusOK {
		t.Errorf("HTTP/1 is answered %s %s", response.Proto, response.Status)
	}
}

package grpcapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
)

// stream is a Watch that a client reads.
type stream struct {
	t        *testing.T
	response *http.Response
	leave    context.CancelFunc
}

// serve puts the handlers behind a real connection, for answers without an end need one.
func (f *fixture) serve() (client *http.Client, address string) {
	server := httptest.NewUnstartedServer(f.mux)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	f.t.Cleanup(server.Close)
	transport := &http.Transport{Protocols: server.Config.Protocols}
	f.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}, server.URL
}

func watch(t *testing.T, client *http.Client, address, service string) *stream {
	t.Helper()
	ctx, leave := context.WithTimeout(context.Background(), 20*time.Second)
	content := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), []byte(service))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/grpc.health.v1.Health/Watch", bytes.NewReader(framedMessage(content)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/grpc")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		leave()
		_ = response.Body.Close()
	})
	return &stream{t, response, leave}
}

// next returns the next state.
func (s *stream) next() byte {
	s.t.Helper()
	message := make([]byte, 7)
	if _, err := io.ReadFull(s.response.Body, message); err != nil || message[5] != 1<<3 {
		s.t.Fatalf("read %q: %v; %v %v", message, err, s.response.Header, s.response.Trailer)
	}
	return message[6]
}

// code is how the stream ended.
func (s *stream) code() connect.Code {
	s.t.Helper()
	if rest, err := io.ReadAll(s.response.Body); err != nil || len(rest) != 0 {
		s.t.Fatalf("before the end came %q: %v", rest, err)
	}
	text := s.response.Trailer.Get(grpcStatus)
	if text == "" {
		text = s.response.Header.Get(grpcStatus)
	}
	code, err := strconv.Atoi(text)
	if err != nil {
		s.t.Fatalf("the stream ended without a status: %v %v", s.response.Header, s.response.Trailer)
	}
	return connect.Code(code)
}

func TestWatchersHearAtOnceAndOfEveryChange(t *testing.T) {
	f := newFixture(t, true)
	client, address := f.serve()
	watching := watch(t, client, address, serviceName)
	if state := watching.next(); state != isServing {
		t.Errorf("at first %d", state)
	}
	inForce := f.holder.Load()
	f.holder.Store(nil)
	f.ticks <- time.Time{}
	if state := watching.next(); state != notServing {
		t.Errorf("without a bundle %d", state)
	}
	f.ticks <- time.Time{} // nothing new: nothing is said
	f.holder.Store(inForce)
	f.ticks <- time.Time{}
	if state := watching.next(); state != isServing {
		t.Errorf("with a bundle again %d", state)
	}
}

func TestAServiceThatNobodyKnowsMayBeWatched(t *testing.T) {
	f := newFixture(t, false)
	client, address := f.serve()
	watching := watch(t, client, address, "nope")
	if state := watching.next(); state != serviceUnknown {
		t.Errorf("told %d", state)
	}
	f.ticks <- time.Time{} // and goes on to be
}

func TestWatchersAreLetGoWhenServingEnds(t *testing.T) {
	f := newFixture(t, false)
	client, address := f.serve()
	watching, other := watch(t, client, address, ""), watch(t, client, address, "nope")
	watching.next()
	other.next()
	close(f.leave)
	for _, one := range []*stream{watching, other} {
		if state := one.next(); state != notServing {
			t.Errorf("told %d", state)
		}
		if code := one.code(); code != 0 {
			t.Errorf("ended with %v", code)
		}
	}
	if late := watch(t, client, address, ""); late.next() != notServing || late.code() != 0 {
		t.Error("who comes late is held")
	}
}

func TestWatchersBeyondTheirLimitAreRefusedUntilOneLeaves(t *testing.T) {
	f := newFixture(t, false)
	client, address := f.serve()
	var all []*stream
	for range maxWatchers {
		one := watch(t, client, address, "")
		one.next()
		all = append(all, one)
	}
	if code := watch(t, client, address, "").code(); code != connect.CodeResourceExhausted {
		t.Errorf("one more ended with %v", code)
	}
	all[0].leave()
	for deadline := time.Now().Add(20 * time.Second); ; {
		one := watch(t, client, address, "")
		if first, err := io.ReadAll(io.LimitReader(one.response.Body, 7)); err == nil && len(first) == 7 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the place of a watcher who left stays taken")
		}
	}
}

func TestWatchersThatHearNothingForLongAreNotCutOff(t *testing.T) {
	f := newFixture(t, false)
	control := make(chan time.Time, 2) // the deadlines that a message was given
	handler := http.NewServeMux()
	handler.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mux.ServeHTTP(&deadlined{ResponseWriter: w, set: control}, r)
	}))
	server := &fixture{t: t, mux: handler}
	client, address := server.serve()
	watch(t, client, address, "").next()
	select {
	case set := <-control:
		if !set.IsZero() {
			t.Errorf("after a message it has a deadline: %s", set)
		}
	case <-time.After(10 * time.Second):
		t.Error("after a message its deadline stands")
	}
}

// deadlined remembers the deadline of an answer.
type deadlined struct {
	http.ResponseWriter
	set chan time.Time
}

func (d *deadlined) SetWriteDeadline(at time.Time) error {
	d.set <- at
	return nil
}

func (d *deadlined) Unwrap() http.ResponseWriter { return d.ResponseWriter }

func TestTheEndOfAWatchIsCountedAsThatOfACall(t *testing.T) {
	f := newFixture(t, false)
	client, address := f.serve()
	watching := watch(t, client, address, "")
	watching.next()
	close(f.leave)
	watching.next()
	watching.code()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		f.timer.mu.Lock()
		counted := f.timer.codes[http.StatusOK]
		f.timer.mu.Unlock()
		if counted == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("counted %v", f.timer.codes)
		}
	}
}

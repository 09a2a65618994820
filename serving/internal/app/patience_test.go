package app

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// impatient is a server over a handler, and a connection to it.
func impatient(t *testing.T, handler http.HandlerFunc) (net.Conn, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(patience{send: 50 * time.Millisecond, take: 50 * time.Millisecond}.wrap(handler))
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn, server
}

func TestABodyThatDoesNotComeEndsItsRequest(t *testing.T) {
	ended := make(chan error, 1)
	conn, _ := impatient(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		ended <- err
	})
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
	select {
	case err := <-ended:
		if err == nil {
			t.Error("half a body was taken for a whole one")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the request waits for ever")
	}
	answer, _ := io.ReadAll(conn) // until the server closes
	if len(answer) == 0 {
		t.Error("the connection was dropped without an answer")
	}
}

func TestAnAnswerThatNobodyTakesEndsItsRequest(t *testing.T) {
	ended := make(chan error, 1)
	conn, _ := impatient(t, func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(bytes.Repeat([]byte("a"), 64<<20)) // more than the kernel keeps for a reader
		ended <- err
	})
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the answer was taken")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the answer waits for ever")
	}
}

func TestALongLookupAndAnotherOnTheSameConnectionOutliveTheDeadlinesOfTheFirstBody(t *testing.T) {
	_, server := impatient(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
			w.WriteHeader(http.StatusGatewayTimeout)
		case <-time.After(150 * time.Millisecond):
		}
	})
	client := server.Client()
	for range 3 {
		response, err := client.Post(server.URL, "text/plain", strings.NewReader("whole"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("answered %d", response.StatusCode)
		}
	}
	client.CloseIdleConnections()
}

// net/http waits for the rest of a body before it sends an answer, for ever if nobody bounds it.
func TestAnAnswerDoesNotWaitForABodyThatNobodyReads(t *testing.T) {
	conn, _ := impatient(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
	answer, err := io.ReadAll(conn) // until the server closes
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 401 ")) {
		t.Errorf("%q, %v", answer, err)
	}
}

package main

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"freshline/serving/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// echo is a store that says what it is told.
func echo(t *testing.T) net.Listener {
	t.Helper()
	listener := listening(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func listening(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func TestAnswersComeWholeInOrderAndAfterTheDelay(t *testing.T) {
	const delay = 30 * time.Millisecond
	store, listener := echo(t), listening(t)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener, store.Addr().String(), delay) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	began := time.Now()
	for _, word := range []string{"one ", "two ", "three"} {
		if _, err := conn.Write([]byte(word)); err != nil {
			t.Fatal(err)
		}
	}
	heard := make([]byte, len("one two three"))
	if _, err := io.ReadFull(conn, heard); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < delay {
		t.Errorf("the answer took %s, which is less than %s", took, delay)
	}
	if string(heard) != "one two three" {
		t.Errorf("heard %q", heard)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := conn.Read(heard); err == nil {
		t.Error("the connection is still open")
	}
}

func TestAStoreThatIsAwayClosesTheConnection(t *testing.T) {
	gone := listening(t)
	_ = gone.Close()
	listener := listening(t)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener, gone.Addr().String(), time.Millisecond) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is open though the store is away")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Command delayproxy makes a store slow: it passes connections on to an address, and lets everything that
// comes back wait for a fixed time, as a longer way to the store would. Nothing is reordered, and one
// connection does not hold up another.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"freshline/serving/internal/pace"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "delayproxy:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("delayproxy", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address to listen on")
	to := flags.String("to", "", "host:port of the store")
	delay := flags.Duration("delay", 20*time.Millisecond, "how long answers wait")
	if err := flags.Parse(args); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	return serve(ctx, listener, *to, *delay)
}

// serve ends, with all connections, when ctx does.
func serve(ctx context.Context, listener net.Listener, to string, delay time.Duration) error {
	var under sync.WaitGroup
	defer under.Wait()
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	for {
		caller, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		under.Go(func() { pass(ctx, caller, to, delay) })
	}
}

// pass joins two connections until either ends.
func pass(ctx context.Context, caller net.Conn, to string, delay time.Duration) {
	defer caller.Close()
	store, err := net.Dial("tcp", to)
	if err != nil {
		return // the caller sees its connection close
	}
	defer store.Close()
	defer context.AfterFunc(ctx, func() { _, _ = caller.Close(), store.Close() })()
	var under sync.WaitGroup
	defer under.Wait()
	under.Go(func() {
		_, _ = io.Copy(store, caller)
		_ = store.Close()
	})
	late := make(chan piece, 1<<12)
	under.Go(func() {
		for next := range late {
			pace.Until(next.due)
			_, _ = caller.Write(next.data)
		}
		_ = caller.Close()
	})
	defer close(late)
	for {
		data := make([]byte, 64<<10)
		n, err := store.Read(data)
		if n > 0 {
			late <- piece{data[:n], time.Now().Add(delay)}
		}
		if err != nil {
			return
		}
	}
}

// piece is what the store said, and when the caller may hear it.
type piece struct {
	data []byte
	due  time.Time
}

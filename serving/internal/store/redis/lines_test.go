package redis

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"freshline/serving/internal/lookup"
)

// lineOf waits until the store has a line that is idle.
func lineOf(t testing.TB, store *Store) *line {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if l := store.lines.take(smallKeys + 1); l != nil {
			store.lines.give(l)
			return l
		}
		if time.Now().After(until) {
			t.Fatal("no line was opened")
		}
	}
}

func readOf(project string, views []string, keys ...string) *lookup.Read {
	read := &lookup.Read{Project: project, Views: views, Rows: make([][]byte, len(views)*len(keys)), Missed: make([]bool, len(keys))}
	for _, key := range keys {
		read.Keys = append(read.Keys, []byte(key))
	}
	return read
}

func within(t testing.TB, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// scripted is a server that handles the HMGETs of each connection with a function of its own; connections are
// told apart by whether they greeted as the library does.
type scripted struct {
	listener net.Listener
	served   sync.WaitGroup
	onLine   func(conn net.Conn, words []string) error
	lines    atomic.Int64 // HMGETs over connections that one read has to itself
	shared   atomic.Int64 // HMGETs over the library's
}

func newScripted(t *testing.T, onLine func(conn net.Conn, words []string) error) (*scripted, *Store) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{listener: listener, onLine: onLine}
	s.served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.served.Go(func() { s.serve(conn) })
		}
	})
	store := open(t, "redis://"+listener.Addr().String())
	t.Cleanup(func() {
		store.Close()
		_ = listener.Close()
		s.served.Wait()
	})
	return s, store
}

const rowAndNone = "*2\r\n$3\r\nrow\r\n$-1\r\n"

func (s *scripted) serve(conn net.Conn) {
	defer conn.Close()
	commands := bufio.NewReader(conn)
	library := false
	for {
		words, err := command(commands)
		if err != nil {
			return
		}
		switch {
		case words[0] == "HELLO":
			library = true
			_, err = io.WriteString(conn, "%1\r\n$5\r\nproto\r\n:3\r\n")
		case words[0] == "HMGET" && library:
			s.shared.Add(1)
			_, err = io.WriteString(conn, rowAndNone)
		case words[0] == "HMGET":
			s.lines.Add(1)
			err = s.onLine(conn, words)
		default:
			_, err = io.WriteString(conn, "+PONG\r\n")
		}
		if err != nil {
			return
		}
	}
}

func answer(text string) func(net.Conn, []string) error {
	return func(conn net.Conn, _ []string) error {
		_, err := io.WriteString(conn, text)
		return err
	}
}

func TestAReadHasALineOfItsOwnOnceThereIsOne(t *testing.T) {
	server, store := newScripted(t, answer(rowAndNone))
	read := readOf("p", []string{"a", "b"}, "k")
	if err := store.ReadRows(within(t, 10*time.Second), read); err != nil || string(read.Rows[0]) != "row" {
		t.Fatalf("rows %q, %v", read.Rows, err)
	}
	lineOf(t, store) // opened in the background
	for range 3 {
		if err := store.ReadRows(within(t, 10*time.Second), read); err != nil || string(read.Rows[0]) != "row" || read.Rows[1] != nil {
			t.Fatalf("rows %q, %v", read.Rows, err)
		}
	}
	if server.lines.Load() != 3 || server.shared.Load() != 1 {
		t.Errorf("%d reads over lines, %d over connections that are shared", server.lines.Load(), server.shared.Load())
	}
}

// A server that ended a connection while it was idle, or says what it may not, costs a read nothing but time.
func TestALineThatBreaksIsNoAnswerAndIsAskedNoMore(t *testing.T) {
	for name, onLine := range map[string]func(net.Conn, []string) error{
		"the connection ends":           func(net.Conn, []string) error { return io.EOF },
		"in the middle of an answer":    func(c net.Conn, _ []string) error { _, _ = io.WriteString(c, "*2\r\n$3\r\nwro"); return io.EOF },
		"an answer of another number":   answer("*1\r\n$5\r\nwrong\r\n"),
		"more than was asked for":       answer("*2\r\n$5\r\nwrong\r\n$-1\r\n+OK\r\n"),
		"what no Redis says":            answer("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"a length that nobody can have": answer("*2\r\n$9999999999\r\n"),
	} {
		server, store := newScripted(t, onLine)
		lineOf(t, store)
		read := readOf("p", []string{"a", "b"}, "k")
		if err := store.ReadRows(within(t, 10*time.Second), read); err != nil || string(read.Rows[0]) != "row" || read.Missed[0] || read.Partial != nil {
			t.Errorf("%s: rows %q, %v, %v", name, read.Rows, read.Partial, err)
		}
		if server.lines.Load() != 1 || server.shared.Load() != 1 {
			t.Errorf("%s: %d reads over lines, %d over shared connections", name, server.lines.Load(), server.shared.Load())
		}
	}
}

// Else it would be taken for the answer of the next read, and that one's for the answer of the read after it.
func TestWhatComesWhileALineIsIdleIsNobodysAnswer(t *testing.T) {
	conns := make(chan net.Conn, 1)
	server, store := newScripted(t, func(conn net.Conn, _ []string) error {
		conns <- conn
		_, err := io.WriteString(conn, rowAndNone)
		return err
	})
	lineOf(t, store)
	for i, unasked := range []string{"*2\r\n$5\r\nwrong\r\n$-1\r\n", ""} {
		read := readOf("p", []string{"a", "b"}, "k")
		if err := store.ReadRows(within(t, 10*time.Second), read); err != nil || string(read.Rows[0]) != "row" {
			t.Fatalf("read %d: rows %q, %v", i, read.Rows, err)
		}
		if unasked != "" {
			if _, err := io.WriteString(<-conns, unasked); err != nil {
				t.Fatal(err)
			}
		}
	}
	if server.lines.Load() != 1 || server.shared.Load() != 1 {
		t.Errorf("%d reads over lines, %d over connections that are shared", server.lines.Load(), server.shared.Load())
	}
}

func TestAReadIsNotHeldUpPastItsDeadlineAndItsLineEnds(t *testing.T) {
	hang := make(chan struct{})
	var first atomic.Bool
	_, store := newScripted(t, func(conn net.Conn, _ []string) error {
		if first.CompareAndSwap(false, true) { // the second key of the first read is never answered
			_, err := io.WriteString(conn, rowAndNone)
			return err
		}
		<-hang
		return io.EOF
	})
	defer close(hang)
	used := lineOf(t, store)
	read := readOf("p", []string{"a", "b"}, "one", "two")
	err := store.ReadRows(within(t, 50*time.Millisecond), read)
	if err != nil || read.Missed[0] || !read.Missed[1] || string(read.Rows[0]) != "row" || !errors.Is(read.Partial, context.DeadlineExceeded) {
		t.Errorf("missed %v, rows %q, %v, %v", read.Missed, read.Rows, read.Partial, err)
	}
	if !used.broken {
		t.Error("the line, whose answer is still to come, would be used again")
	}
	lineOf(t, store)
	if err := store.ReadRows(within(t, 50*time.Millisecond), readOf("p", []string{"a", "b"}, "k")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nothing was answered: %v", err)
	}
	lineOf(t, store)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := store.ReadRows(ctx, readOf("p", []string{"a", "b"}, "k")); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller left: %v", err)
	}
}

func TestThereAreNoMoreLinesThanTheMost(t *testing.T) {
	pool := newLines(func(context.Context) (*line, error) { return &line{}, nil })
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { pool.run(ctx) })
	var held []*line
	for until := time.Now().Add(10 * time.Second); len(held) < maxLines; {
		if l := pool.take(smallKeys + 1); l != nil {
			held = append(held, l)
		} else if time.Now().After(until) {
			t.Fatalf("%d lines were opened", len(held))
		}
	}
	if pool.take(smallKeys+1) != nil || len(pool.wanted) != 0 {
		t.Error("one more is taken or wanted")
	}
	pool.give(held[linesOfSmall])
	if pool.take(1) != nil {
		t.Error("a small read has a line that is for large ones")
	}
	pool.give(held[0])
	if pool.take(1) != held[0] {
		t.Error("a small read has no line")
	}
	stop()
	running.Wait()
}

func TestLinesInUseEndWhenTheyAreGivenBackToAStoreThatClosed(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	pool := newLines(nil)
	pool.slots[0].taken.Store(true)
	pool.close()
	pool.give(&line{conn: here})
	if _, err := there.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the connection is open: %v", err)
	}
}

// The answers of a thousand keys come in many pieces, of commands that were sent in many pieces.
func TestManyKeysAndViewsAreReadOverALine(t *testing.T) {
	url := serverURL(t, singleVariable)
	w := newWriter(t, url)
	project := fmt.Sprintf("pieces%d", time.Now().UnixNano())
	views := make([]string, 40)
	for v := range views {
		views[v] = strings.Repeat("v", 200) + fmt.Sprint(v)
	}
	keys := make([]string, 1000)
	for k := range keys {
		keys[k] = fmt.Sprintf("key %d", k)
		if k%7 != 0 {
			w.Row(project, views[k%len(views)], []byte(keys[k]), []byte(strings.Repeat("x", k)))
		}
	}
	store := open(t, url)
	lineOf(t, store)
	read := readOf(project, views, keys...)
	if err := store.ReadRows(within(t, time.Minute), read); err != nil || read.Partial != nil {
		t.Fatal(err, read.Partial)
	}
	for i, data := range read.Rows {
		v, k := i/len(keys), i%len(keys)
		if there := k%7 != 0 && v == k%len(views); there != (data != nil) || there && len(data) != k {
			t.Fatalf("view %d of key %d has %d bytes, %v", v, k, len(data), there)
		}
	}
}

func TestRowsAreGoodUntilTheNextReadIntoTheSameMemory(t *testing.T) {
	url := serverURL(t, singleVariable)
	w := newWriter(t, url)
	project := fmt.Sprintf("memory%d", time.Now().UnixNano())
	for k := range 50 {
		w.Row(project, "v", fmt.Append(nil, k), []byte(strings.Repeat(fmt.Sprint(k), 5000)))
	}
	store := open(t, url)
	lineOf(t, store)
	var memory []byte
	for range 3 {
		keys := make([]string, 50)
		for k := range keys {
			keys[k] = fmt.Sprint(k)
		}
		read := readOf(project, []string{"v"}, keys...)
		read.Memory = memory
		if err := store.ReadRows(within(t, time.Minute), read); err != nil {
			t.Fatal(err)
		}
		for k, data := range read.Rows {
			if string(data) != strings.Repeat(fmt.Sprint(k), 5000) {
				t.Fatalf("key %d has %.30q", k, data)
			}
		}
		if memory = read.Memory; cap(memory) == 0 {
			t.Fatal("the memory is not kept")
		}
	}
}

// Connections are killed while many read: every answer is the key's own, or an error.
func TestNoReadHasAnothersAnswerWhileConnectionsAreKilled(t *testing.T) {
	url := serverURL(t, singleVariable)
	w := newWriter(t, url)
	project := fmt.Sprintf("killed%d", time.Now().UnixNano())
	for k := range 200 {
		w.Row(project, "v", fmt.Append(nil, k), fmt.Appendf(nil, "row of %d", k))
	}
	store := open(t, url)
	var under sync.WaitGroup
	var read atomic.Int64
	for g := range 24 {
		under.Go(func() {
			for i := range 150 {
				keys := make([]string, 1+(g*i)%20)
				for k := range keys {
					keys[k] = fmt.Sprint((g + i + 7*k) % 200)
				}
				asked := readOf(project, []string{"v"}, keys...)
				if store.ReadRows(within(t, 10*time.Second), asked) != nil {
					continue
				}
				for k, data := range asked.Rows {
					if asked.Missed[k] {
						continue
					}
					read.Add(1)
					if string(data) != "row of "+keys[k] {
						t.Errorf("key %s has %q", keys[k], data)
					}
				}
			}
		})
	}
	for range 40 {
		err := w.client.Do(context.Background(), w.client.B().Arbitrary("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Build()).Error()
		if err != nil && !rueidis.IsRedisNil(err) {
			t.Log(err)
		}
	}
	under.Wait()
	if read.Load() < 1000 {
		t.Errorf("only %d rows were read", read.Load())
	}
}

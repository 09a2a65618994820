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
	"testing"
	"time"

	"freshline/serving/internal/lookup"
)

// answerer is a server that answers every HMGET with the same bytes, whatever they are.
type answerer struct {
	listener net.Listener
	answer   []byte
	served   sync.WaitGroup
}

func newAnswerer(t testing.TB, answer []byte) *answerer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &answerer{listener: listener, answer: answer}
	a.served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			a.served.Go(func() { a.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		a.served.Wait()
	})
	return a
}

// serve answers commands until the client leaves. After bytes that are no answer it says no more.
func (a *answerer) serve(conn net.Conn) {
	defer conn.Close()
	commands := bufio.NewReader(conn)
	for {
		words, err := command(commands)
		if err != nil {
			return
		}
		switch words[0] {
		case "HELLO":
			_, err = io.WriteString(conn, "%2\r\n$7\r\nversion\r\n$5\r\n7.4.0\r\n$5\r\nproto\r\n:3\r\n")
		case "HMGET":
			_, err = conn.Write(a.answer)
		default:
			_, err = io.WriteString(conn, "+PONG\r\n")
		}
		if err != nil {
			return
		}
	}
}

func command(from *bufio.Reader) ([]string, error) {
	var count, size int
	if _, err := fmt.Fscanf(from, "*%d\r\n", &count); err != nil {
		return nil, err
	}
	words := make([]string, count)
	for i := range words {
		if _, err := fmt.Fscanf(from, "$%d\r\n", &size); err != nil {
			return nil, err
		}
		text := make([]byte, size+2)
		if _, err := io.ReadFull(from, text); err != nil {
			return nil, err
		}
		words[i] = string(text[:size])
	}
	return words, nil
}

// readFrom reads one key in two views from a server that answers so.
func readFrom(t testing.TB, answer []byte, within time.Duration) (*lookup.Read, error) {
	t.Helper()
	server := newAnswerer(t, answer)
	store, err := New("redis://" + server.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for until := time.Now().Add(10 * time.Second); store.Ping(context.Background()) != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal(store.Ping(context.Background()))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	read := &lookup.Read{Project: "p", Views: []string{"a", "b"}, Keys: [][]byte{[]byte("k")}, Rows: make([][]byte, 2), Missed: make([]bool, 1)}
	return read, store.ReadRows(ctx, read)
}

func TestAnAnswerInOrderIsRead(t *testing.T) {
	read, err := readFrom(t, []byte("*2\r\n$3\r\nrow\r\n$-1\r\n"), 10*time.Second)
	if err != nil || string(read.Rows[0]) != "row" || read.Rows[1] != nil {
		t.Errorf("rows %q, %v", read.Rows, err)
	}
}

func TestAnAnswerThatNoServerMayGiveFailsTheReadAndNotTheProcess(t *testing.T) {
	for name, answer := range map[string]string{
		"a negative length":            "*2\r\n$-2\r\n",
		"a length beyond memory":       "*2\r\n$9223372036854775807\r\n",
		"a negative count":             "*-3\r\n",
		"a count beyond memory":        "*9223372036854775807\r\n",
		"arrays without end":           strings.Repeat("*1\r\n", 100_000),
		"a map of arrays without end":  strings.Repeat("%1\r\n", 100_000),
		"an answer too many":           "*2\r\n$-1\r\n$-1\r\n+OK\r\n",
		"a push that nobody asked for": ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n",
		"a stream of unknown length":   "$?\r\n;4\r\nabcd\r\n",
		"another protocol":             "HTTP/1.1 400 Bad Request\r\n\r\n",
		"an attribute":                 "|1\r\n+a\r\n+b\r\n",
		"a null with something in it":  "_abc\r\n",
		"a null without its end":       "#t\r\n_st",
	} {
		if _, err := readFrom(t, []byte(answer), 5*time.Second); !errors.Is(err, errNotRedis) && name != "an answer too many" && name != "a null without its end" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRowsOfAnotherNumberOfViewsAreNobodysRows(t *testing.T) {
	for _, answer := range []string{"*1\r\n$3\r\nrow\r\n", "*3\r\n$3\r\nrow\r\n$3\r\nrow\r\n$3\r\nrow\r\n", "*0\r\n", "+OK\r\n", ":1\r\n"} {
		read, err := readFrom(t, []byte(answer), 10*time.Second)
		if err == nil || !read.Missed[0] || read.Rows[0] != nil {
			t.Errorf("%q: rows %q, %v", answer, read.Rows, err)
		}
	}
}

// FuzzAnswer holds that no bytes of a server end the process, and that what is taken for rows has their number.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{"*2\r\n$3\r\nrow\r\n$-1\r\n", "*2\r\n$-1\r\n$-1\r\n+OK\r\n", "-ERR no\r\n", "%1\r\n+a\r\n:1\r\n", "#t\r\n_\r\n", "*1\r\n*1\r\n$0\r\n\r\n", "!3\r\nbad\r\n", ",1.5\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		read, err := readFrom(t, answer, 20*time.Millisecond)
		if err == nil && read.Missed[0] {
			t.Errorf("%q missed the only key and is no error", answer)
		}
	})
}

// FuzzFraming holds that messages are counted alike however their bytes are cut into pieces.
func FuzzFraming(f *testing.F) {
	f.Add([]byte("*2\r\n$3\r\nrow\r\n$-1\r\n+OK\r\n"), uint8(3))
	f.Add([]byte("%1\r\n:1\r\n#f\r\n-ERR\r\n_\r\n*0\r\n"), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		var once, pieces framing
		errOnce := once.take(data)
		var errPieces error
		for rest := data; len(rest) > 0 && errPieces == nil; {
			n := min(int(piece%16)+1, len(rest))
			errPieces = pieces.take(rest[:n])
			rest = rest[n:]
		}
		if (errOnce == nil) != (errPieces == nil) || once.whole != pieces.whole {
			t.Errorf("%q: %d messages (%v) at once, %d (%v) in pieces", data, once.whole, errOnce, pieces.whole, errPieces)
		}
	})
}

// BenchmarkFraming takes what a server answers to a hundred keys of ten views.
func BenchmarkFraming(b *testing.B) {
	one := "*10\r\n" + strings.Repeat("$90\r\n"+strings.Repeat("x", 90)+"\r\n", 10)
	data := []byte(strings.Repeat(one, 100))
	var followed framing
	for b.Loop() {
		if err := followed.take(data); err != nil {
			b.Fatal(err)
		}
	}
	if followed.whole != 100*int64(b.N) {
		b.Errorf("%d messages of %d", followed.whole, 100*b.N)
	}
}

func TestARowOfNoBytesIsARowAndNotNone(t *testing.T) {
	read, err := readFrom(t, []byte("*2\r\n$0\r\n\r\n$-1\r\n"), 10*time.Second)
	if err != nil || read.Rows[0] == nil || len(read.Rows[0]) != 0 || read.Rows[1] != nil {
		t.Errorf("rows %v, %v", read.Rows, err)
	}
}

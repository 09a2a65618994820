package redis

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A server that is full says so to whoever connects, asked or not, and hangs up.
func TestAServerThatIsFullGivesNoLine(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var served sync.WaitGroup
	defer served.Wait()
	served.Go(func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "-ERR max number of clients reached\r\n")
		_ = conn.Close()
	})
	option, err := parseURL("redis://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if l, err := openLine(context.Background(), &option); err == nil {
		_ = l.conn.Close()
		t.Error("a line was opened, whose first read would be refused")
	}
}

// backwards is a proxy's way: it takes no command before its answer to the last one was taken.
func backwards(t *testing.T, listener net.Listener, answer string) {
	conn, err := listener.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	commands := bufio.NewReader(conn)
	for {
		words, err := command(commands)
		if err != nil {
			return
		}
		said := answer
		if words[0] == "PING" {
			said = "+PONG\r\n"
		}
		if _, err := io.WriteString(conn, said); err != nil {
			return
		}
	}
}

// The first key says nothing of the others.
func TestKeysOfAnyLengthAreReadFromAServerThatTakesOneCommandAfterTheOther(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	defer served.Wait()
	defer listener.Close()
	row := strings.Repeat("x", 16<<10)
	served.Go(func() { backwards(t, listener, fmt.Sprintf("*1\r\n$%d\r\n%s\r\n", len(row), row)) })
	option, err := parseURL("redis://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLine(context.Background(), &option)
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	keys := make([]string, 1600)
	for k := range keys[1:] {
		keys[k+1] = strings.Repeat("k", 16<<10)
	}
	read := readOf("p", []string{"v"}, keys...)
	filled := 0
	ask := Hashes{Before: "fl:p:", Fields: read.Views, read: read, Fill: func(int, [][]byte) error { filled++; return nil }}
	if !l.ask(within(t, 5*time.Second), &ask) || ask.missed > 0 || filled != len(keys) {
		t.Errorf("%d of %d keys were read, %v", filled, len(keys), ask.err)
	}
}

// What a read does not keep takes no more memory for many hashes than for some.
func TestAReadOfManyHashesThatKeepsNothingNeedsNoMoreMemoryThanALineKeeps(t *testing.T) {
	hash := fmt.Sprintf("*1\r\n$1000\r\n%s\r\n", strings.Repeat("x", 1000))
	const keys = 5000
	here, there := net.Pipe()
	var served sync.WaitGroup
	defer served.Wait()
	defer here.Close()
	served.Go(func() { _, _ = io.Copy(io.Discard, there) })
	read := readOf("p", []string{"v"}, make([]string, keys)...)
	ask := Hashes{Fields: read.Views, read: read, Fill: func(_ int, values [][]byte) error {
		if len(values[0]) != 1000 || strings.Trim(string(values[0]), "x") != "" {
			return io.ErrUnexpectedEOF
		}
		return nil
	}}
	l := &line{conn: here, answers: answers{conn: strings.NewReader(strings.Repeat(hash, keys))}}
	if !l.ask(within(t, 10*time.Second), &ask) || ask.missed > 0 {
		t.Fatalf("%d keys were missed: %v", ask.missed, ask.err)
	}
	if cap(l.own) == 0 {
		t.Errorf("more than %d bytes were needed", maxKept)
	}
}

package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/redis/rueidis"
)

const (
	pieceBytes = 32 << 10 // of commands that are sent at once
	maxKept    = 1 << 20  // bytes of memory that a line keeps
)

// line is a connection that serves one read at a time: the goroutine that asks takes the answer apart as it comes,
// without another one in between and without an allocation for each value.
type line struct {
	conn    net.Conn
	answers answers
	slot    int  // in lines
	broken  bool // nothing can be said of what comes next, or it is in use

	request    []byte
	head, tail []byte
	own        []byte // for answers that the read does not keep
	values     [][]byte
	picker     picker
}

// openLine connects, and says who it is, as the library does for its own connections.
func openLine(ctx context.Context, option *rueidis.ClientOption) (*line, error) {
	conn, err := connect(ctx, option.InitAddress[0], &option.Dialer, option.TLSConfig)
	if err != nil {
		return nil, err
	}
	l := &line{conn: conn, answers: answers{conn: conn}}
	if err := l.greet(option); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("greet Redis: %w", err)
	}
	return l, nil
}

// connect dials, over TLS where there are settings for it.
func connect(ctx context.Context, address string, dialer *net.Dialer, settings *tls.Config) (net.Conn, error) {
	if settings != nil {
		secured := tls.Dialer{NetDialer: dialer, Config: settings}
		return secured.DialContext(ctx, "tcp", address)
	}
	return dialer.DialContext(ctx, "tcp", address)
}

func (l *line) greet(option *rueidis.ClientOption) error {
	if err := l.conn.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return err
	}
	var words []string
	switch {
	case option.Username != "":
		words = []string{"AUTH", option.Username, option.Password}
	case option.Password != "":
		words = []string{"AUTH", option.Password}
	}
	for _, command := range [][]string{words, {"SELECT", fmt.Sprint(option.SelectDB)}} {
		if len(command) == 0 || command[0] == "SELECT" && option.SelectDB == 0 {
			continue
		}
		request := fmt.Appendf(nil, "*%d\r\n", len(command))
		for _, word := range command {
			request = appendWord(request, word)
		}
		if _, err := l.conn.Write(request); err != nil {
			return err
		}
		if err := l.answers.status(); err != nil {
			return err
		}
	}
	return l.conn.SetDeadline(time.Time{})
}

// ask reads the hashes. It returns false when the connection broke, for whatever reason but the caller's patience:
// then what came of the answer counts for nothing.
func (l *line) ask(ctx context.Context, h *Hashes) (answered bool) {
	// A deadline of the connection's own would cost a small read as much again as sending its command.
	stop := context.AfterFunc(ctx, func() { _ = l.conn.SetDeadline(time.Unix(1, 0)) })
	l.broken = true // until it is known to be well
	l.prepare(h)
	taken, err := l.exchange(h)
	l.keep(h)
	l.broken = !stop() || err != nil
	if err == nil {
		return true
	}
	if ctx.Err() == nil {
		return false
	}
	for k := taken; k < len(h.read.Keys); k++ {
		h.miss(k, ctx.Err())
	}
	return true
}

func (l *line) prepare(h *Hashes) {
	l.head, l.tail = h.appendHead(l.head[:0]), h.appendTail(l.tail[:0])
	l.values = resized(l.values, len(h.Fields))
	l.picker.begin(h)
	l.answers.data, l.answers.from = l.own[:0], 0
	if h.Keep {
		l.answers.data = h.read.Memory[:0]
	}
}

// keep leaves the memory where the next read finds it.
func (l *line) keep(h *Hashes) {
	clear(l.values)
	l.own = kept(l.own)
	if h.Keep {
		h.read.Memory = l.answers.data[:0]
	} else {
		l.own = kept(l.answers.data)
	}
	l.answers.data = nil
	l.request, l.tail = kept(l.request), kept(l.tail)
}

// kept lets go of memory that one large read needed.
func kept(memory []byte) []byte {
	if cap(memory) > maxKept {
		return nil
	}
	return memory[:0]
}

// exchange sends the commands in pieces of which two are under way, so that neither side waits for the other to
// take what it sent. It returns how many keys were answered.
func (l *line) exchange(h *Hashes) (taken int, err error) {
	keys := h.read.Keys
	sent, piece := 0, 1
	if len(keys) > 0 {
		piece = max(1, pieceBytes/(len(l.head)+len(l.tail)+len(h.Before)+len(keys[0])+len(h.After)+8))
	}
	for taken < len(keys) {
		for sent < len(keys) && sent-taken <= piece {
			next := min(sent+piece, len(keys))
			if err := l.send(h, sent, next); err != nil {
				return taken, err
			}
			sent = next
		}
		for end := min(taken+piece, sent); taken < end; taken++ {
			if err := l.take(h, taken); err != nil {
				return taken, err
			}
		}
	}
	if h.counts() {
		if err := l.takeCount(h); err != nil {
			return taken, err
		}
	}
	if rest := len(l.answers.data) - l.answers.from; rest > 0 {
		return taken, fmt.Errorf("%w: %d bytes that nobody asked for", errNotRedis, rest)
	}
	return taken, nil
}

func (l *line) send(h *Hashes, from, to int) error {
	request := l.request[:0]
	for _, key := range h.read.Keys[from:to] {
		request = append(request, l.head...)
		request = append(h.appendName(request, key), l.tail...)
	}
	if to == len(h.read.Keys) && h.counts() {
		request = h.appendName(append(request, "*2\r\n$4\r\nHLEN\r\n"...), h.read.Keys[0])
	}
	l.request = request
	_, err := l.conn.Write(request)
	return err
}

// take takes the answer for one key. An error is the connection's.
func (l *line) take(h *Hashes, k int) error {
	var err error
	if h.Whole {
		err = l.picker.take(&l.answers, h, l.values)
	} else {
		err = l.answers.hash(l.values)
	}
	if err == nil {
		err = h.Fill(k, l.values)
		if err != nil {
			h.miss(k, err)
		}
		return nil
	}
	if !IsRefusal(err) {
		return err
	}
	h.miss(k, err)
	return nil
}

func (l *line) takeCount(h *Hashes) error {
	n, err := l.answers.begin(':')
	switch {
	case IsRefusal(err): // it stays unknown
		return nil
	case err != nil:
		return err
	}
	h.Size.Fields = n
	return nil
}

func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

const (
	pieceBytes = 32 << 10 // of commands that are sent at once, and a command more
	maxKept    = 1 << 20  // bytes of memory that a line keeps
)

// line is a connection that serves one read at a time: the goroutine that asks takes the answer apart as it comes,
// without another one in between and without an allocation for each value.
type line struct {
	conn    net.Conn
	answers answers
	slot    int  // in lines
	broken  bool // nothing can be said of what comes next, or it is in use
	idle    silence

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
	l.idle.follow(conn)
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
	var commands [][]string
	switch {
	case option.Username != "":
		commands = append(commands, []string{"AUTH", option.Username, option.Password})
	case option.Password != "":
		commands = append(commands, []string{"AUTH", option.Password})
	}
	if option.SelectDB != 0 {
		commands = append(commands, []string{"SELECT", strconv.Itoa(option.SelectDB)})
	}
	// A server that is full says so unasked, which would pass for a refusal of the first read.
	commands = append(commands, []string{"PING"})
	for _, command := range commands {
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
	// One hook for both: a deadline, and a caller who leaves before it.
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
	if cap(l.picker.order) > maxOrder {
		l.picker.order = nil
	}
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
	sent, err := l.send(h, 0)
	for err == nil && taken < len(h.read.Keys) {
		end := sent
		if sent, err = l.send(h, sent); err != nil {
			return taken, err
		}
		for ; taken < end; taken++ {
			if err := l.take(h, taken); err != nil {
				return taken, err
			}
		}
	}
	if err == nil && h.counts() {
		err = l.takeCount(h)
	}
	if rest := len(l.answers.data) - l.answers.from; err == nil && rest > 0 {
		err = fmt.Errorf("%w: %d bytes that nobody asked for", errNotRedis, rest)
	}
	return taken, err
}

// send sends one piece, of the commands for the keys from that one on, and returns where the next begins.
func (l *line) send(h *Hashes, from int) (next int, err error) {
	keys, request := h.read.Keys, l.request[:0]
	if from == len(keys) {
		return from, nil
	}
	for next = from; next < len(keys) && len(request) < pieceBytes; next++ {
		request = append(request, l.head...)
		request = append(h.appendName(request, keys[next]), l.tail...)
	}
	if next == len(keys) && h.counts() {
		request = h.appendName(append(request, "*2\r\n$4\r\nHLEN\r\n"...), keys[0])
	}
	l.request = request
	_, err = l.conn.Write(request)
	return next, err
}

// take takes the answer for one key. An error is the connection's.
func (l *line) take(h *Hashes, k int) error {
	if !h.Keep {
		l.answers.reuse()
	}
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

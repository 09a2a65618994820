package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"
)

// connection checks what a server sends before the client's library reads it: that trusts lengths and the
// order of answers, and ends the whole process over one that cannot be. What is wrong fails the connection,
// and with it only the reads that wait on it.
type connection struct {
	net.Conn
	asked   atomic.Int64 // commands that were sent
	sent    framing      // touched by whoever writes, which is one at a time
	arrived framing      // touched by whoever reads, which is one at a time
}

// dial connects as the library would by itself.
func dial(ctx context.Context, address string, dialer *net.Dialer, settings *tls.Config) (net.Conn, error) {
	conn, err := connect(ctx, address, dialer, settings)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: conn}, nil
}

// Write implements net.Conn. Commands are counted before the server can answer them.
func (c *connection) Write(data []byte) (int, error) {
	if err := c.sent.take(data); err != nil {
		return 0, err
	}
	c.asked.Store(c.sent.whole)
	return c.Conn.Write(data)
}

// Read implements net.Conn. Of bytes that no server may send none are handed on.
func (c *connection) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	if wrong := c.arrived.take(into[:n]); wrong != nil {
		return 0, wrong
	}
	if asked := c.asked.Load(); c.arrived.whole > asked {
		return 0, fmt.Errorf("%w: %d answers to %d commands", errNotRedis, c.arrived.whole, asked)
	}
	return n, err
}

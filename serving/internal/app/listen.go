package app

import (
	"fmt"
	"net"
	"os"

	"freshline/serving/internal/config"
)

// listen binds the address, or takes over a socket that a supervisor holds open for us. That one
// outlives this process: who connects during a restart waits in the kernel for the next process.
func listen(c config.Config) (net.Listener, error) {
	if c.SocketFD < 0 {
		listener, err := net.Listen("tcp", c.Listen)
		if err != nil {
			return nil, fmt.Errorf("FRESHLINE_SERVING_LISTEN=%q: %w", c.Listen, err)
		}
		return listener, nil
	}
	file := os.NewFile(uintptr(c.SocketFD), "inherited socket")
	listener, err := net.FileListener(file) // a copy
	_ = file.Close()
	if err != nil {
		return nil, fmt.Errorf("FRESHLINE_SERVING_SOCKET_FD=%d is no listening socket: %w", c.SocketFD, err)
	}
	// Whether lookups need a token was decided by FRESHLINE_SERVING_LISTEN: the socket must be that.
	wanted, err := net.ResolveTCPAddr("tcp", c.Listen)
	if bound, ok := listener.Addr().(*net.TCPAddr); err != nil || !ok || !bound.IP.Equal(wanted.IP) || bound.Port != wanted.Port {
		_ = listener.Close()
		return nil, fmt.Errorf("FRESHLINE_SERVING_SOCKET_FD=%d is bound to %s, FRESHLINE_SERVING_LISTEN says %q",
			c.SocketFD, listener.Addr(), c.Listen)
	}
	return listener, nil
}

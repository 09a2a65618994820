package redis

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"
)

// silence tells of a line that is idle whether anything came meanwhile. An answer that nobody asked for would be
// taken for that of the next read, and each one's for that of the read after it; and a connection that has ended
// need not be written to. Looking is one system call that never waits.
type silence struct {
	raw    syscall.RawConn // nil: it cannot be asked
	look   func(fd uintptr) (done bool)
	one    [1]byte
	broken bool
}

func (s *silence) follow(conn net.Conn) {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	s.raw, _ = socket.SyscallConn()
	s.look = func(fd uintptr) bool { // made once: it would be an allocation for each read
		_, err := syscall.Read(int(fd), s.one[:])
		s.broken = !errors.Is(err, syscall.EAGAIN)
		return true
	}
}

// isBroken reads what came, which leaves the connection of no use if there was any.
func (s *silence) isBroken() bool {
	return s.raw != nil && (s.raw.Read(s.look) != nil || s.broken)
}

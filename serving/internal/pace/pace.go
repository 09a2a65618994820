// Package pace waits until a moment, more exactly than time.Sleep: Go's timers may fire a millisecond
// late on an idle machine, which would count as slowness of whatever is measured.
package pace

import (
	"syscall"
	"time"
)

// Until returns at the moment or within some 60 microseconds after it. It holds a thread meanwhile, so it is
// for programs that measure and not for servers.
func Until(moment time.Time) {
	for {
		left := time.Until(moment)
		if left <= 0 {
			return
		}
		// A signal ends the sleep early; what is left is slept in the next turn.
		rest := syscall.NsecToTimespec(int64(left))
		_ = syscall.Nanosleep(&rest, nil)
	}
}

// Package leaktest fails a package's tests when goroutines outlive them.
package leaktest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// patience is how long goroutines that are ending may take; the Redis client closes old connections
// after five seconds.
const patience = 10 * time.Second

// Main runs the tests and exits; it belongs in TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if leaked := wait(); len(leaked) > 0 {
			fmt.Fprintf(os.Stderr, "%d goroutines outlived the tests:\n\n%s\n", len(leaked), strings.Join(leaked, "\n\n"))
			code = 1
		}
	}
	os.Exit(code)
}

func wait() []string {
	for until := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		leaked := others()
		if len(leaked) == 0 || time.Now().After(until) {
			return leaked
		}
	}
}

// others returns the stacks of all goroutines but the caller's and the runtime's own.
func others() []string {
	buffer := make([]byte, 4<<20)
	stacks := strings.Split(string(buffer[:runtime.Stack(buffer, true)]), "\n\n")
	var found []string
	for _, stack := range stacks[1:] {
		if !expected(stack) {
			found = append(found, stack)
		}
	}
	return found
}

func expected(stack string) bool {
	for _, known := range []string{"testing.(*M).", "testing.runFuzz", "os/signal.signal_recv", "os/signal.loop", "runtime.ensureSigM"} {
		if strings.Contains(stack, known) {
			return true
		}
	}
	return false
}

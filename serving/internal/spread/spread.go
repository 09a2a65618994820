// Package spread runs parts of one task side by side. A panic in a goroutine of one's own would end the process,
// whoever waits for it; here it comes to the one who waits.
package spread

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Group is a sync.WaitGroup whose goroutines may panic. The zero Group is ready.
type Group struct {
	parts  sync.WaitGroup
	broken atomic.Pointer[string]
}

// Go runs a part in a goroutine.
func (g *Group) Go(part func()) {
	g.parts.Go(func() {
		defer func() {
			if broken := recover(); broken != nil {
				told := fmt.Sprintf("%v\n%s", broken, debug.Stack())
				g.broken.Store(&told)
			}
		}()
		part()
	})
}

// Wait returns when all parts have ended. It panics if one of them did, with its stack.
func (g *Group) Wait() {
	g.parts.Wait()
	if told := g.broken.Load(); told != nil {
		panic(*told)
	}
}

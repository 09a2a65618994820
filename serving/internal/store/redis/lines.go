package redis

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// maxLines is how many reads at once have a connection of their own; more than these share some.
	maxLines = 16
	// Small reads have fewer: of many at once a system call that carries several costs less than a line for each.
	linesOfSmall = 2
	smallKeys    = 8
)

// lines are connections that reads take in turn. Nothing waits for one: without one that is free a read goes
// through connections that it shares, and one more is opened meanwhile, in the background.
type lines struct {
	slots  [maxLines]slot
	wanted chan struct{} // holds one when somebody found none free
	closed atomic.Bool
	open   func(ctx context.Context) (*line, error)
}

// slot is the place of one line: taken while there is one, idle while nobody uses it.
type slot struct {
	idle  atomic.Pointer[line]
	taken atomic.Bool
}

func newLines(open func(ctx context.Context) (*line, error)) *lines {
	return &lines{wanted: make(chan struct{}, 1), open: open}
}

// take returns a line that must be given back, for a read of so many keys; nil when none is free.
func (p *lines) take(keys int) *line {
	most := maxLines
	if keys <= smallKeys {
		most = linesOfSmall
	}
	room := false
	for i := range p.slots[:most] {
		idle := &p.slots[i].idle
		if l := idle.Load(); l != nil && idle.CompareAndSwap(l, nil) {
			if l.broken = l.idle.isBroken(); !l.broken {
				return l
			}
			p.give(l)
		}
		room = room || !p.slots[i].taken.Load()
	}
	if room {
		select {
		case p.wanted <- struct{}{}:
		default: // it is known already
		}
	}
	return nil
}

func (p *lines) give(l *line) {
	slot := &p.slots[l.slot]
	if l.broken {
		_ = l.conn.Close()
		slot.taken.Store(false)
		return
	}
	slot.idle.Store(l)
	if p.closed.Load() {
		p.end(slot)
	}
}

// run opens lines as they are wanted, until ctx ends. One that cannot be opened is no error here: the connections
// that reads share go to the same place, and say what is wrong with it.
func (p *lines) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wanted:
		}
		i := p.free()
		if i < 0 {
			continue
		}
		l, err := p.open(ctx)
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(redialAfter):
			}
			continue
		}
		l.slot = i
		p.slots[i].taken.Store(true)
		p.slots[i].idle.Store(l)
	}
}

func (p *lines) free() int {
	for i := range p.slots {
		if !p.slots[i].taken.Load() {
			return i
		}
	}
	return -1
}

// close ends the lines that are idle, and those in use when they are given back. run must have ended.
func (p *lines) close() {
	p.closed.Store(true)
	for i := range p.slots {
		p.end(&p.slots[i])
	}
}

func (p *lines) end(s *slot) {
	if l := s.idle.Swap(nil); l != nil {
		_ = l.conn.Close()
	}
}

package main

import (
	"sync"
	"time"

	"freshline/serving/internal/pace"
	"freshline/serving/internal/processor"
)

// asker sends request number i of the plan, which starts again after its last, and reads the whole answer,
// of so many bytes. It is one connection: one goroutine asks at a time.
type asker interface {
	ask(i int) (size int64, err error)
	close()
}

// Run asks until the time is over. Any answer but a 200 ends it with an error.
func (p *Plan) Run() ([]Result, error) {
	connections := make([]connection, p.Connections)
	defer func() {
		for i := range connections {
			connections[i].close()
		}
	}()
	dial, err := p.dialers()
	if err != nil {
		return nil, err
	}
	for i := range connections {
		c := &connections[i]
		c.next = i * len(p.Bodies) / p.Connections
		c.tallies = make([]tally, len(p.Targets))
		for _, one := range dial {
			asks, err := one()
			if err != nil {
				return nil, err
			}
			c.askers = append(c.askers, asks)
		}
	}
	w := p.window()
	var under sync.WaitGroup
	if p.Rate > 0 {
		due := make(chan request, int(p.Rate*(p.WarmupSeconds+p.Seconds))+1) // never full: nothing keeps requests from being due
		under.Go(func() { p.schedule(w, due) })
		for i := range connections {
			under.Go(func() { connections[i].answer(w, due) })
		}
	} else {
		for i := range connections {
			under.Go(func() { connections[i].repeat(w) })
		}
	}
	time.Sleep(time.Until(w.start))
	before := processor.Time()
	under.Wait()
	return p.results(connections, w, processor.Time()-before)
}

func (p *Plan) results(connections []connection, w window, used time.Duration) ([]Result, error) {
	results := make([]Result, len(p.Targets))
	for t := range results {
		tallies := make([]tally, len(connections))
		for i := range connections {
			if connections[i].err != nil {
				return nil, connections[i].err
			}
			tallies[i] = connections[i].tallies[t]
		}
		var err error
		if results[t], err = merge(tallies, w, used); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// connection is one to each target. Only its own goroutine touches it until it has ended.
type connection struct {
	askers  []asker
	tallies []tally // by target
	next    int
	err     error
}

func (c *connection) close() {
	for _, asks := range c.askers {
		asks.close()
	}
}

// repeat is the closed loop. Each turn begins with another target: the first finds the store's memory cold.
func (c *connection) repeat(w window) {
	for now := time.Now(); now.Before(w.end); c.next++ {
		for k := range c.askers {
			t := (c.next + k) % len(c.askers)
			size, err := c.askers[t].ask(c.next)
			if err != nil {
				c.err = err
				return
			}
			done := time.Now()
			c.tallies[t].count(w, now, done, size)
			now = done
		}
	}
}

// request is the number of a request of an open loop and when it is due.
type request struct {
	number int
	due    time.Time
}

func (p *Plan) schedule(w window, due chan<- request) {
	defer close(due)
	began := time.Now()
	for i := 0; ; i++ {
		moment := began.Add(seconds(float64(i) / p.Rate))
		if moment.After(w.end) {
			return
		}
		pace.Until(moment)
		due <- request{i, moment}
	}
}

// answer is an open loop's connection: it takes whatever is due, however late.
func (c *connection) answer(w window, due <-chan request) {
	for next := range due {
		if c.err != nil {
			continue
		}
		size, err := c.askers[0].ask(next.number)
		if err != nil {
			c.err = err
			continue
		}
		c.tallies[0].count(w, next.due, time.Now(), size)
	}
}

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"freshline/serving/internal/processor"
)

// answerWithin bounds one request: a server that hangs ends the measurement instead of stretching it.
const answerWithin = time.Minute

// Plan is what is asked of whom, and for how long.
type Plan struct {
	Address, Path string
	Connections   int
	Warmup, Time  time.Duration
	Bodies        []json.RawMessage
}

// Result is how it went. Answers count that came whole between the end of the warm-up and the end of
// the time, whenever they were asked for: a slow server's rate is then as true as a fast one's.
// Latencies are theirs, in milliseconds.
type Result struct {
	Sent          int     `json:"sent"` // requests answered, those of the warm-up included
	Requests      int     `json:"requests"`
	Seconds       float64 `json:"seconds"`
	PerSecond     float64 `json:"per_second"`
	P50           float64 `json:"p50_ms"`
	P99           float64 `json:"p99_ms"`
	Max           float64 `json:"max_ms"`
	AnswerBytes   int64   `json:"answer_bytes"`    // the mean body
	ClientSeconds float64 `json:"client_cpu_secs"` // processor time of this program while counting
}

// Run asks until the time is over. Any answer but a 200 ends it with an error.
func (p *Plan) Run() (Result, error) {
	requests := p.render()
	start := time.Now().Add(p.Warmup)
	end := start.Add(p.Time)
	loops := make([]loop, p.Connections)
	var under sync.WaitGroup
	for i := range loops {
		loops[i] = loop{plan: p, requests: requests, next: i * len(requests) / len(loops), start: start, end: end}
		under.Go(loops[i].run)
	}
	time.Sleep(time.Until(start))
	before := processor.Time()
	under.Wait()
	used := processor.Time() - before
	return merge(loops, p.Time, used)
}

// render makes the bytes of every request beforehand.
func (p *Plan) render() [][]byte {
	requests := make([][]byte, len(p.Bodies))
	for i, body := range p.Bodies {
		requests[i] = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			p.Path, p.Address, len(body), body)
	}
	return requests
}

// loop is one connection. Only its own goroutine touches it until it has ended.
type loop struct {
	plan       *Plan
	requests   [][]byte
	next       int
	start, end time.Time
	sent       int
	took       []time.Duration
	last       time.Time // when the last counted answer came
	bytes      int64
	err        error
}

func (l *loop) run() {
	connection, err := net.DialTimeout("tcp", l.plan.Address, answerWithin)
	if err != nil {
		l.err = err
		return
	}
	defer connection.Close()
	reader := bufio.NewReaderSize(connection, 64<<10)
	for now := time.Now(); now.Before(l.end); {
		size, err := ask(connection, reader, l.requests[l.next%len(l.requests)], now)
		if err != nil {
			l.err = err
			return
		}
		l.next++
		l.sent++
		done := time.Now()
		// A server too slow for the time given is heard out: its first answer counts whenever it comes.
		if done.After(l.start) && (!done.After(l.end) || len(l.took) == 0) {
			l.last = done
			l.took = append(l.took, done.Sub(now))
			l.bytes += size
		}
		now = done
	}
}

// ask sends one request and reads the whole answer; it returns the body's size.
func ask(connection net.Conn, reader *bufio.Reader, request []byte, now time.Time) (int64, error) {
	if err := connection.SetDeadline(now.Add(answerWithin)); err != nil {
		return 0, err
	}
	if _, err := connection.Write(request); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		return 0, fmt.Errorf("read an answer: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 500))
		return 0, fmt.Errorf("the server answered %d: %s", answer.StatusCode, text)
	}
	size, err := io.Copy(io.Discard, answer.Body)
	if err != nil {
		return 0, fmt.Errorf("read an answer: %w", err)
	}
	return size, nil
}

func merge(loops []loop, counted, used time.Duration) (Result, error) {
	var took []time.Duration
	var size int64
	var sent int
	for i := range loops {
		if loops[i].err != nil {
			return Result{}, loops[i].err
		}
		took = append(took, loops[i].took...)
		size += loops[i].bytes
		sent += loops[i].sent
		counted = max(counted, loops[i].last.Sub(loops[i].start))
	}
	if len(took) == 0 {
		return Result{}, errors.New("no answer came while answers were counted: give it more time")
	}
	slices.Sort(took)
	seconds := counted.Seconds()
	return Result{
		Sent: sent, Requests: len(took), Seconds: seconds, PerSecond: float64(len(took)) / seconds,
		P50: milliseconds(quantile(took, 0.50)), P99: milliseconds(quantile(took, 0.99)), Max: milliseconds(took[len(took)-1]),
		AnswerBytes: size / int64(len(took)), ClientSeconds: used.Seconds(),
	}, nil
}

// quantile returns the least time that so large a share of all requests did not exceed.
func quantile(sorted []time.Duration, share float64) time.Duration {
	at := int(share*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}

func milliseconds(took time.Duration) float64 { return float64(took.Microseconds()) / 1000 }

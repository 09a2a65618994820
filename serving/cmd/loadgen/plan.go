package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Plan is what is asked of whom, and for how long.
type Plan struct {
	Targets       []Target          `json:"targets"`
	Bodies        []json.RawMessage `json:"bodies"` // sent in turn
	Connections   int               `json:"connections"`
	Rate          float64           `json:"rate"` // requests a second of an open loop; 0: a closed loop
	WarmupSeconds float64           `json:"warmup_seconds"`
	Seconds       float64           `json:"seconds"`
}

// Target is a server that answers posts, or a store that rows are fetched from as they are.
type Target struct {
	Address string `json:"address"` // host:port
	Path    string `json:"path"`
	Accept  string `json:"accept"`
	Fetch   *Fetch `json:"fetch"`
}

// Result is how it went with a target. Answers count that came whole between the end of the warm-up and the
// end of the time, whenever they were asked for: a slow server's rate is then as true as a fast one's.
// Latencies are theirs, in milliseconds.
type Result struct {
	Sent          int     `json:"sent"` // requests answered, those of the warm-up included
	Requests      int     `json:"requests"`
	Seconds       float64 `json:"seconds"`
	PerSecond     float64 `json:"per_second"`
	P50           float64 `json:"p50_ms"`
	P95           float64 `json:"p95_ms"`
	P99           float64 `json:"p99_ms"`
	Max           float64 `json:"max_ms"`
	AnswerBytes   int64   `json:"answer_bytes"`    // the mean body
	ClientSeconds float64 `json:"client_cpu_secs"` // processor time of this program while counting
}

func readPlan(in io.Reader) (*Plan, error) {
	plan := new(Plan)
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(plan); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	switch {
	case len(plan.Targets) == 0:
		return nil, errors.New("the plan names no targets")
	case len(plan.Bodies) == 0:
		return nil, errors.New("the plan holds no bodies")
	case plan.Connections < 1:
		return nil, errors.New("connections must be at least 1")
	case plan.Rate < 0 || plan.Rate > 0 && len(plan.Targets) > 1:
		return nil, errors.New("an open loop asks one target, at a rate above 0")
	case plan.Seconds <= 0 || plan.WarmupSeconds < 0:
		return nil, errors.New("seconds must be above 0, warmup_seconds not below")
	}
	return plan, nil
}

// window is when answers count.
type window struct{ start, end time.Time }

func (p *Plan) window() window {
	start := time.Now().Add(seconds(p.WarmupSeconds))
	return window{start: start, end: start.Add(seconds(p.Seconds))}
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// tally is what one connection heard from one target. Only its own goroutine touches it until it has ended.
type tally struct {
	sent  int
	took  []time.Duration
	bytes int64
	last  time.Time // when the last counted answer came
}

// count notes an answer to a request of that moment. A server too slow for the time given is heard out: its
// first answer counts whenever it comes.
func (t *tally) count(w window, asked, done time.Time, size int64) {
	t.sent++
	if done.After(w.start) && (!done.After(w.end) || len(t.took) == 0) {
		t.took = append(t.took, done.Sub(asked))
		t.bytes += size
		t.last = done
	}
}

// merge makes the result of a target of what each connection heard from it.
func merge(tallies []tally, w window, used time.Duration) (Result, error) {
	var sum tally
	counted := w.end.Sub(w.start)
	for i := range tallies {
		sum.took = append(sum.took, tallies[i].took...)
		sum.bytes += tallies[i].bytes
		sum.sent += tallies[i].sent
		counted = max(counted, tallies[i].last.Sub(w.start))
	}
	if len(sum.took) == 0 {
		return Result{}, errors.New("no answer came while answers were counted: give it more time")
	}
	slices.Sort(sum.took)
	return Result{
		Sent: sum.sent, Requests: len(sum.took), Seconds: counted.Seconds(), PerSecond: float64(len(sum.took)) / counted.Seconds(),
		P50: quantile(sum.took, 0.50), P95: quantile(sum.took, 0.95), P99: quantile(sum.took, 0.99), Max: quantile(sum.took, 1),
		AnswerBytes: sum.bytes / int64(len(sum.took)), ClientSeconds: used.Seconds(),
	}, nil
}

// quantile returns the least time, in milliseconds, that so large a share of all requests did not exceed.
func quantile(sorted []time.Duration, share float64) float64 {
	at := int(share*float64(len(sorted))+0.999999) - 1
	return float64(sorted[min(max(at, 0), len(sorted)-1)].Nanoseconds()) / 1e6
}

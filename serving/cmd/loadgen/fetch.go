package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"freshline/serving/internal/key"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
	"freshline/serving/internal/store/redis"
)

// Fetch reads the packed rows that an answer is made of, through the client and in the pipelines that serving
// reads them with, and does nothing with them: what a lookup takes beyond that is serving's own time.
type Fetch struct {
	Store   string   `json:"store"` // a URL
	Project string   `json:"project"`
	JoinKey string   `json:"join_key"` // of dtype int64
	Views   []string `json:"views"`
}

// prepared is a store and the reads of all bodies. Connections to the store are pooled by its client.
type prepared struct {
	store *redis.Store
	reads []lookup.Read
	ended sync.Once
}

func (f *Fetch) prepare(bodies []json.RawMessage) (*prepared, error) {
	made := &prepared{reads: make([]lookup.Read, len(bodies))}
	encoder, err := key.NewEncoder([]key.JoinKey{{Name: f.JoinKey, Dtype: row.Int64}})
	if err != nil {
		return nil, err
	}
	for i, text := range bodies {
		var body struct {
			Entities map[string][]json.RawMessage `json:"entities"`
		}
		if err := json.Unmarshal(text, &body); err != nil {
			return nil, fmt.Errorf("read body %d: %w", i, err)
		}
		values := body.Entities[f.JoinKey]
		read := lookup.Read{Project: f.Project, Views: f.Views, Keys: make([][]byte, len(values))}
		for k, value := range values {
			if read.Keys[k], err = key.AppendValue(encoder.AppendNames(nil), row.Int64, value); err != nil {
				return nil, fmt.Errorf("read body %d: %w", i, err)
			}
		}
		made.reads[i] = read
	}
	if made.store, err = redis.New(f.Store); err != nil {
		return nil, err
	}
	return made, made.connect()
}

// connect waits until the store answers.
func (p *prepared) connect() error {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	for {
		err := p.store.Ping(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (p *prepared) dial() (asker, error) { return &fetcher{prepared: p}, nil }

// fetcher reads rows into memory of its own, again and again.
type fetcher struct {
	*prepared
	rows   [][]byte
	missed []bool
	memory []byte
}

func (f *fetcher) close() { f.ended.Do(f.store.Close) }

func (f *fetcher) ask(i int) (int64, error) {
	read := f.reads[i%len(f.reads)]
	f.rows, f.missed = resized(f.rows, len(read.Views)*len(read.Keys)), resized(f.missed, len(read.Keys))
	read.Rows, read.Missed, read.Memory = f.rows, f.missed, f.memory
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	if err := f.store.ReadRows(ctx, &read); err != nil {
		return 0, fmt.Errorf("fetch rows: %w", err)
	}
	f.memory = read.Memory
	size := int64(0)
	for i, data := range read.Rows {
		if data == nil {
			return 0, fmt.Errorf("fetch rows: view %s has no row for key %d", read.Views[i/len(read.Keys)], i%len(read.Keys))
		}
		size += int64(len(data))
	}
	return size, nil
}

// resized returns n zeros, in the memory of s where they fit.
func resized[T any](s []T, n int) []T {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}

// Package feast reads what Feast wrote, in place and read only: for those who adopt a store without moving
// it. A row of Feast's has an event time and nothing else to judge it by: no watermark, no write time.
package feast

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/rueidis"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
	"freshline/serving/internal/store/redis"
)

var errNoLayout = errors.New("Feast's values cannot be read without the view's layout")

// Redis reads Feast's hashes: one for each entity key and project, with a field for each feature of each
// view and one for each view's event time. It is safe for many goroutines.
type Redis struct {
	server *redis.Store
	packer *packer
}

var (
	_ lookup.Store   = (*Redis)(nil)
	_ lookup.Divided = (*Redis)(nil)
)

// NewRedis returns a store for a URL as redis.New takes it.
func NewRedis(storeURL string) (*Redis, error) {
	server, err := redis.New(storeURL)
	if err != nil {
		return nil, err
	}
	return &Redis{server: server, packer: newPacker()}, nil
}

// Parts implements lookup.Divided.
func (s *Redis) Parts(read *lookup.Read) uint64 {
	return s.server.PartsOf(len(read.Keys), func(k int) string { return string(read.Keys[k]) + read.Project })
}

// Close ends all connections.
func (s *Redis) Close() { s.server.Close() }

// Ping tells whether the server answers.
func (s *Redis) Ping(ctx context.Context) error { return s.server.Ping(ctx) }

// ReadRows implements lookup.Store: one HMGET for each key, all in one pipeline per shard.
func (s *Redis) ReadRows(ctx context.Context, read *lookup.Read) error {
	client, err := s.server.Client()
	if err != nil {
		return err
	}
	fields, err := fieldsOf(read)
	if err != nil {
		return err
	}
	commands := make(rueidis.Commands, len(read.Keys))
	for k, key := range read.Keys {
		commands[k] = client.B().Hmget().Key(string(key) + read.Project).Field(fields...).Build()
	}
	missed := 0
	values := make([][]byte, len(fields))
	for k, result := range client.DoMulti(ctx, commands...) {
		if fillErr := s.fill(read, k, result, values); fillErr != nil {
			read.Missed[k] = true
			missed++
			err = fillErr
		}
	}
	if missed < len(read.Keys) {
		return nil
	}
	return err
}

// fieldsOf returns the names of the fields of all views: the event time, then the layout's columns.
func fieldsOf(read *lookup.Read) ([]string, error) {
	var fields []string
	for v, view := range read.Views {
		if v >= len(read.Layouts) || read.Layouts[v] == nil {
			return nil, fmt.Errorf("view %q: %w", view, errNoLayout)
		}
		fields = append(fields, "_ts:"+view)
		for _, column := range read.Layouts[v].Fields {
			fields = append(fields, fieldOf(view, column.Name))
		}
	}
	return fields, nil
}

// fill packs the rows of one key; values is memory that the keys share.
func (s *Redis) fill(read *lookup.Read, k int, result rueidis.RedisResult, values [][]byte) error {
	fields, err := result.ToArray()
	if err != nil {
		return err
	}
	if len(fields) != len(values) {
		return fmt.Errorf("Redis answered %d fields, %d were asked for", len(fields), len(values))
	}
	for i := range fields {
		values[i] = nil
		if fields[i].IsNil() {
			continue
		}
		if values[i], err = fields[i].AsBytes(); err != nil {
			return err
		}
	}
	rest := values
	for v, layout := range read.Layouts[:len(read.Views)] {
		own := 1 + len(layout.Fields)
		read.Rows[v*len(read.Keys)+k] = s.packer.pack(layout, rest[:own])
		rest = rest[own:]
	}
	return nil
}

// ReadLayout implements lookup.Store: Feast keeps none, but some are made here for values of a wrong type.
func (s *Redis) ReadLayout(_ context.Context, _, _ string, number uint32) (*row.Layout, error) {
	return s.packer.layout(number), nil
}

// ReadWatermarks implements lookup.Store: Feast keeps none, so that a value is as old as its event time.
// The server is asked all the same, so that what is said of it is true.
func (s *Redis) ReadWatermarks(ctx context.Context, _ string) (map[string]enforce.Watermarks, error) {
	return nil, s.Ping(ctx)
}

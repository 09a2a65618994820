package feast

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
	"freshline/serving/internal/store/redis"
)

// Redis reads Feast's hashes: one for each entity key and project, with a field for each feature of each
// view and one for each view's event time. It is safe for many goroutines.
type Redis struct {
	server *redis.Store
	*variants
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
	return &Redis{server: server, variants: newVariants()}, nil
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
	if err := described(read); err != nil {
		return err
	}
	fields := fieldsOf(read)
	commands := make(rueidis.Commands, len(read.Keys))
	for k, key := range read.Keys {
		commands[k] = client.B().Hmget().Key(string(key) + read.Project).Field(fields...).Build()
	}
	missed := 0
	filler := redisFiller{read: read, packer: packer{variants: s.variants}, values: make([][]byte, len(fields))}
	for k, result := range client.DoMulti(ctx, commands...) {
		if fillErr := filler.fill(k, result); fillErr != nil {
			read.Missed[k] = true
			missed++
			err = fillErr
		}
	}
	if missed < len(read.Keys) {
		read.Partial = err
		return nil
	}
	return err
}

// fieldsOf returns the names of the fields of all views: the event time, then the layout's columns.
func fieldsOf(read *lookup.Read) []string {
	var fields []string
	for v, view := range read.Views {
		fields = append(fields, "_ts:"+view)
		for _, column := range read.Layouts[v].Fields {
			fields = append(fields, fieldOf(view, column.Name))
		}
	}
	return fields
}

// redisFiller packs the rows of one key after the other.
type redisFiller struct {
	read   *lookup.Read
	packer packer
	values [][]byte // the fields of one key, which point into the answer
}

func (f *redisFiller) fill(k int, result rueidis.RedisResult) error {
	fields, err := result.ToArray()
	if err != nil {
		return err
	}
	if len(fields) != len(f.values) {
		return fmt.Errorf("Redis answered %d fields, %d were asked for", len(fields), len(f.values))
	}
	for i := range fields {
		f.values[i] = nil
		if fields[i].IsNil() {
			continue
		}
		if f.values[i], err = bytesOf(&fields[i]); err != nil {
			return err
		}
	}
	rest := f.values
	for v, layout := range f.read.Layouts[:len(f.read.Views)] {
		own := 1 + len(layout.Fields)
		f.read.Rows[v*len(f.read.Keys)+k] = f.pack(layout, rest[0], rest[1:own])
		rest = rest[own:]
	}
	return nil
}

// bytesOf returns a field's bytes without copying them. An empty field is a null, and not nil.
func bytesOf(field *rueidis.RedisMessage) ([]byte, error) {
	data, err := field.AsBytes()
	if data == nil {
		data = []byte{}
	}
	return data, err
}

// pack returns the row of one view; nil when nothing of it is stored.
func (f *redisFiller) pack(layout *row.Layout, time []byte, fields [][]byte) []byte {
	if time == nil {
		if nothingIn(fields) {
			return nil
		}
		return damaged // values without a time are of no age
	}
	eventTimeUS, err := decodeTime(time)
	if err != nil {
		return damaged
	}
	return f.packer.pack(layout, eventTimeUS, fields)
}

func nothingIn(fields [][]byte) bool {
	for _, field := range fields {
		if field != nil {
			return false
		}
	}
	return true
}

// ReadWatermarks implements lookup.Store: Feast keeps none, so that a value is as old as its event time.
// The server is asked all the same, so that what is said of it is true.
func (s *Redis) ReadWatermarks(ctx context.Context, _ string) (map[string]enforce.Watermarks, error) {
	return nil, s.Ping(ctx)
}

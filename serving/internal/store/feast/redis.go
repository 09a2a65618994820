package feast

import (
	"context"
	"strings"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
	"freshline/serving/internal/store/redis"
)

// Redis reads Feast's hashes: one for each entity key and project, with a field for each feature of each
// view and one for each view's event time. It is safe for many goroutines.
type Redis struct {
	server *redis.Store
	shapes shapes
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

// ReadRows implements lookup.Store: one command for each key, all in one pipeline per shard.
func (s *Redis) ReadRows(ctx context.Context, read *lookup.Read) error {
	if err := described(read); err != nil {
		return err
	}
	filler := redisFiller{read: read, packer: packer{variants: s.variants}}
	ask := redis.Hashes{After: read.Project, Fields: fieldsOf(read), Fill: filler.fill}
	learned := s.shapes.of(read)
	learned.choose(&ask)
	err := s.server.ReadHashes(ctx, read, &ask)
	if ask.Whole && mayNot(err) {
		learned.never.Store(true)
		ask.Whole, ask.Measured = false, false
		clear(read.Missed)
		return s.server.ReadHashes(ctx, read, &ask)
	}
	learned.learn(&ask)
	return err
}

// mayNot tells whether hashes may not be read whole: by the store's user, or by anybody where the command was taken
// away, as some operators do. Other refusals pass, or are of one key.
func mayNot(err error) bool {
	return err != nil && redis.IsRefusal(err) &&
		(strings.Contains(err.Error(), "NOPERM") || strings.Contains(err.Error(), "unknown command"))
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
}

func (f *redisFiller) fill(k int, values [][]byte) error {
	for v, layout := range f.read.Layouts[:len(f.read.Views)] {
		own := 1 + len(layout.Fields)
		f.read.Rows[v*len(f.read.Keys)+k] = f.pack(layout, values[0], values[1:own])
		values = values[own:]
	}
	return nil
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

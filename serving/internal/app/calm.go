package app

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

// calm keeps what breaks over a store's answer from ending the process: stores are asked by goroutines of
// their own, where nobody else would catch it. The answer is then an error like any other of that store.
type calm struct {
	store
	name string
	log  *slog.Logger
}

var (
	_ store          = (*calm)(nil)
	_ lookup.Divided = (*calm)(nil)
)

// caught turns a panic into err. It must be deferred itself.
func (c *calm) caught(operation string, err *error) {
	if broken := recover(); broken != nil {
		c.log.Error("reading a store broke", "store", c.name, "operation", operation, "panic", broken, "stack", string(debug.Stack()))
		*err = fmt.Errorf("store %s: %s broke: %v", c.name, operation, broken)
	}
}

// ReadRows implements lookup.Store.
func (c *calm) ReadRows(ctx context.Context, read *lookup.Read) (err error) {
	defer c.caught("read_rows", &err)
	return c.store.ReadRows(ctx, read)
}

// ReadLayout implements lookup.Store.
func (c *calm) ReadLayout(ctx context.Context, project, view string, number uint32) (layout *row.Layout, err error) {
	defer c.caught("read_layout", &err)
	return c.store.ReadLayout(ctx, project, view, number)
}

// ReadWatermarks implements lookup.Store.
func (c *calm) ReadWatermarks(ctx context.Context, project string) (marks map[string]enforce.Watermarks, err error) {
	defer c.caught("read_watermarks", &err)
	return c.store.ReadWatermarks(ctx, project)
}

// Parts implements lookup.Divided.
func (c *calm) Parts(read *lookup.Read) uint64 { return lookup.PartsOf(c.store, read) }

// Ping implements lookup.Pinger.
func (c *calm) Ping(ctx context.Context) (err error) {
	defer c.caught("ping", &err)
	return c.store.Ping(ctx)
}

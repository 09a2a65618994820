package app

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

// brittle breaks whatever it is asked.
type brittle struct{}

func (brittle) ReadRows(context.Context, *lookup.Read) error { panic("rows") }
func (brittle) ReadLayout(context.Context, string, string, uint32) (*row.Layout, error) {
	panic("layout")
}
func (brittle) ReadWatermarks(context.Context, string) (map[string]enforce.Watermarks, error) {
	panic("watermarks")
}
func (brittle) Ping(context.Context) error { panic("ping") }
func (brittle) Close()                     {}

func TestAStoreWhoseReaderBreaksIsAnErrorAndToldInTheLog(t *testing.T) {
	var log bytes.Buffer
	store := &calm{brittle{}, "billing", slog.New(slog.NewTextHandler(&log, nil))}
	ctx := context.Background()
	_, layoutErr := store.ReadLayout(ctx, "p", "v", 1)
	_, marksErr := store.ReadWatermarks(ctx, "p")
	for what, err := range map[string]error{
		"rows": store.ReadRows(ctx, &lookup.Read{}), "layout": layoutErr, "watermarks": marksErr, "ping": store.Ping(ctx),
	} {
		if err == nil || !strings.Contains(err.Error(), "billing") || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if told := strings.Count(log.String(), "reading a store broke"); told != 4 {
		t.Errorf("told %d times: %s", told, &log)
	}
}

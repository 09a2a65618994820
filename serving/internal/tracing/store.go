package tracing

import (
	"cmp"
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

// Stores makes a span of every read under a request's; the polls of watermarks are nobody's request.
func (t *Tracer) Stores(stores lookup.Stores) lookup.Stores {
	if t == nil {
		return stores
	}
	traced := make(lookup.Stores, len(stores))
	for name, store := range stores {
		traced[name] = &tracedStore{store: store, tracer: t.tracer, name: attribute.String("freshline.store", name)}
	}
	return traced
}

type tracedStore struct {
	store  lookup.Store
	tracer trace.Tracer
	name   attribute.KeyValue
}

var (
	_ lookup.Store   = (*tracedStore)(nil)
	_ lookup.Divided = (*tracedStore)(nil)
)

// Parts implements lookup.Divided: a Cluster must stay one to the breaker while it is traced.
func (s *tracedStore) Parts(read *lookup.Read) uint64 { return lookup.PartsOf(s.store, read) }

// ReadRows implements lookup.Store. Keys are counted and never told: they may name people.
func (s *tracedStore) ReadRows(ctx context.Context, read *lookup.Read) error {
	ctx, span := s.tracer.Start(ctx, "read_rows", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	err := s.store.ReadRows(ctx, read)
	if span.IsRecording() {
		span.SetAttributes(s.name,
			attribute.String("freshline.project", read.Project),
			attribute.StringSlice("freshline.views", read.Views),
			attribute.Int("freshline.keys", len(read.Keys)),
		)
		s.end(span, cmp.Or(err, read.Partial))
	}
	return err
}

// ReadLayout implements lookup.Store.
func (s *tracedStore) ReadLayout(ctx context.Context, project, view string, number uint32) (*row.Layout, error) {
	ctx, span := s.tracer.Start(ctx, "read_layout", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	layout, err := s.store.ReadLayout(ctx, project, view, number)
	span.SetAttributes(s.name, attribute.String("freshline.project", project), attribute.String("freshline.view", view))
	s.end(span, err)
	return layout, err
}

// ReadWatermarks implements lookup.Store.
func (s *tracedStore) ReadWatermarks(ctx context.Context, project string) (map[string]enforce.Watermarks, error) {
	return s.store.ReadWatermarks(ctx, project)
}

func (s *tracedStore) end(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, "")
	}
}

package lookup_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/row"
)

// sameRow is a store in which every key has the same row.
type sameRow []byte

func (s sameRow) ReadRows(_ context.Context, read *lookup.Read) error {
	for i := range read.Rows {
		read.Rows[i] = s
	}
	return nil
}

func (sameRow) ReadLayout(context.Context, string, string, uint32) (*row.Layout, error) {
	return nil, nil
}

func (sameRow) ReadWatermarks(context.Context, string) (map[string]enforce.Watermarks, error) {
	return nil, nil
}

// FuzzBundle serves by any bundle that is taken: every view's features and every service, over rows of the
// first bundle's layout. What Parse accepts, no request may stumble over.
func FuzzBundle(f *testing.F) {
	f.Add([]byte(lookuptest.Document))
	view := lookuptest.Bundle(f).Projects["p"].Views["carrier_facts"]
	text := row.Value{Blob: []byte("text")}
	hubs := row.Value{Blob: row.Pack(row.ListOf(row.String), []row.Value{text})}
	data := row.Encode(
		row.Header{EventTimeUS: lookuptest.NowUS, WriteTimeUS: lookuptest.NowUS, Layout: 1}, view.Layouts[1],
		[]*row.Value{&text, {Word: 1}, &text, {Word: 2}, &hubs, {Word: 1}},
	)
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := bundle.Parse(body)
		if err != nil {
			return
		}
		holder := new(bundle.Holder)
		holder.Store(b)
		stores := lookup.OnlyStore(sameRow(data))
		engine := lookup.NewEngine(lookup.Config{
			Stores: stores, Bundles: holder, Marks: lookup.NewWatermarks(stores), Observer: new(lookuptest.Observer), Timer: new(lookuptest.Observer),
			Limits: lookup.Limits{Entities: 10, Features: 1000, Concurrent: 2, Values: 100_000}, Timeout: time.Minute,
			Log: slog.New(slog.DiscardHandler), Now: lookuptest.Now,
		})
		for _, request := range everyRequest(b) {
			answer, err := engine.Lookup(context.Background(), request)
			var refused *lookup.Error
			if err != nil && !errors.As(err, &refused) {
				t.Fatalf("%+v: %v", request, err)
			}
			if err == nil {
				read(answer)
				engine.Release(answer)
			}
		}
	})
}

// everyRequest asks for each service and each view of the bundle, with keys of every dtype.
func everyRequest(b *bundle.Bundle) []*lookup.Request {
	var requests []*lookup.Request
	for _, project := range b.Projects {
		for _, value := range []string{`7`, `"AA=="`} {
			var entities []lookup.EntityColumn
			for name := range project.JoinKeys {
				entities = append(entities, lookup.EntityColumn{Name: name, Values: [][]byte{[]byte(value), []byte(value)}})
			}
			for name := range project.Services {
				requests = append(requests, &lookup.Request{Project: project.Name, Service: name, Entities: entities, FullNames: true})
			}
			for _, view := range project.Views {
				var features []string
				for _, feature := range view.Features {
					features = append(features, view.Name+":"+feature.Name)
				}
				requests = append(requests, &lookup.Request{Project: project.Name, Features: slices.Compact(features), Entities: entities, FullNames: true})
			}
		}
	}
	return requests
}

// read looks at everything that a renderer does.
func read(answer *lookup.Answer) {
	for _, column := range answer.Columns {
		_ = answer.IsPlain(column)
		for i := range answer.Rows {
			_, _ = answer.Value(column, i)
			_, _ = column.Stored(i)
			_ = answer.Status(column, i)
			_ = answer.Key(column.View, i)
		}
	}
}

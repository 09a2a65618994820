package httpapi

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"freshline/serving/internal/arrowapi"
	"freshline/serving/internal/bundle"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/processor"
	"freshline/serving/internal/row"
)

// wide is an engine over rows x features in views of ten, and a request for all of it.
func wide(b *testing.B, rows, features int) (Config, string) {
	b.Helper()
	var views, refs []string
	for v := range features / 10 {
		var columns, specs []string
		for f := range 10 {
			columns = append(columns, fmt.Sprintf(`{"name":"f%d","dtype":"float64","nullable":true,"min":0}`, 10*v+f))
			specs = append(specs, fmt.Sprintf(`{"name":"f%d","dtype":"float64"}`, 10*v+f))
			refs = append(refs, fmt.Sprintf(`"v%d:f%d"`, v, 10*v+f))
		}
		views = append(views, fmt.Sprintf(`"v%d":{"id":1,"contract":1,"enforcement":"enforce","features":[%s],"join_keys":[{"name":"k","dtype":"int64"}],`+
			`"layout":1,"layouts":{"1":[%s]},"terms":{"max_age_us":60000000,"on_stale":"serve","on_missing":"null","on_invalid":"null"}}`,
			v, strings.Join(columns, ","), strings.Join(specs, ",")))
	}
	parsed, err := bundle.Parse([]byte(`{"format":1,"number":1,"registry":"r","projects":{"p":{"views":{` + strings.Join(views, ",") + `},"services":{}}}}`))
	if err != nil {
		b.Fatal(err)
	}
	holder := new(bundle.Holder)
	holder.Store(parsed)
	store := lookuptest.NewStore()
	var keys []string
	for k := range rows {
		keys = append(keys, fmt.Sprint(k))
		for _, view := range parsed.Projects["p"].Views {
			values := make([]string, 10)
			for f := range values {
				values[f] = fmt.Sprint(math.Sqrt(float64(1 + k*10 + f)))
			}
			store.Put(b, view, keys[k], row.Header{EventTimeUS: nowUS - 1_000_000}, values...)
		}
	}
	engine := lookup.NewEngine(lookup.Config{
		Stores: lookup.OnlyStore(store), Bundles: holder, Marks: lookup.NewWatermarks(lookup.OnlyStore(store)), Observer: new(lookuptest.Observer), Timer: new(lookuptest.Observer),
		Limits: lookup.Limits{Entities: 10_000, Features: 2_000, Concurrent: 100}, Timeout: 1 << 40, Log: slog.New(slog.DiscardHandler), Now: lookuptest.Now,
	})
	config := Config{
		Engine: engine, Bundles: holder, Stores: lookup.Pingers{bundle.DefaultStore: store}, Timer: new(lookuptest.Observer), Metrics: http.NotFoundHandler(),
		Gate: &lookup.Gate{Bundles: holder, Now: lookuptest.Now}, Arrow: arrowapi.New(), MaxBodyBytes: 1 << 20, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	return config, fmt.Sprintf(`{"project":"p","features":[%s],"entities":{"k":[%s]}}`, strings.Join(refs, ","), strings.Join(keys, ","))
}

// perValue begins a measurement; what it returns ends it and reports processor time per value.
func perValue(b *testing.B, size [2]int) func() {
	b.ReportAllocs()
	began := processor.Time()
	return func() {
		values := float64(b.N * size[0] * size[1])
		b.ReportMetric(float64(processor.Time()-began)/values, "cpu-ns/value")
	}
}

// BenchmarkRender measures the writing of an answer alone.
func BenchmarkRender(b *testing.B) {
	for _, size := range [][2]int{{1, 10}, {100, 100}} {
		config, text := wide(b, size[0], size[1])
		var made buffers
		if err := made.request.parse([]byte(text)); err != nil {
			b.Fatal(err)
		}
		answer, err := config.Engine.Lookup(context.Background(), &made.request.Request)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("feast/%dx%d", size[0], size[1]), func(b *testing.B) {
			defer perValue(b, size)()
			for b.Loop() {
				made.out = made.appendFeast(made.out[:0], answer, false)
			}
			b.SetBytes(int64(len(made.out)))
		})
		b.Run(fmt.Sprintf("lookup/%dx%d", size[0], size[1]), func(b *testing.B) {
			defer perValue(b, size)()
			for b.Loop() {
				made.out = made.appendLookup(made.out[:0], answer)
			}
			b.SetBytes(int64(len(made.out)))
		})
		b.Run(fmt.Sprintf("arrow/%dx%d", size[0], size[1]), func(b *testing.B) {
			defer perValue(b, size)()
			for b.Loop() {
				made.details = appendDetails(made.details[:0], answer, false)
				if made.out, err = config.Arrow.AppendStream(made.out[:0], answer, false, made.details); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(made.out)))
		})
	}
}

// BenchmarkRequest measures all of a request but the network and the store.
func BenchmarkRequest(b *testing.B) {
	for _, size := range [][2]int{{1, 10}, {100, 100}, {1000, 100}} {
		config, text := wide(b, size[0], size[1])
		handler := New(config)
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			defer perValue(b, size)()
			for b.Loop() {
				recorded := httptest.NewRecorder()
				handler.ServeHTTP(recorded, httptest.NewRequest(http.MethodPost, "/get-online-features", strings.NewReader(text)))
				if recorded.Code != http.StatusOK {
					b.Fatal(recorded.Body)
				}
			}
		})
	}
}

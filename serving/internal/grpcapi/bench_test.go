package grpcapi

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/row"
)

// BenchmarkRender measures the writing of an answer alone: rows x features of float64, as httpapi's does.
func BenchmarkRender(b *testing.B) {
	for _, size := range [][2]int{{1, 10}, {100, 100}} {
		answer, request := wide(b, size[0], size[1])
		response, to := &onlineResponse{request: request, answer: answer}, []byte(nil)
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				to = response.append(to[:0])
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size[0]*size[1]), "ns/value")
			b.SetBytes(int64(len(to)))
		})
	}
}

// wide is an answer of one view.
func wide(b *testing.B, rows, features int) (*lookup.Answer, *onlineRequest) {
	b.Helper()
	var columns, specs, values []string
	request := &onlineRequest{Request: lookup.Request{Project: "p"}}
	for f := range features {
		columns = append(columns, fmt.Sprintf(`{"name":"f%d","dtype":"float64","nullable":true}`, f))
		specs = append(specs, fmt.Sprintf(`{"name":"f%d","dtype":"float64"}`, f))
		values = append(values, fmt.Sprint(float64(f)/7))
		request.Features = append(request.Features, fmt.Sprintf("v:f%d", f))
	}
	parsed, err := bundle.Parse(fmt.Appendf(nil, `{"format":1,"number":1,"registry":"r","projects":{"p":{"views":{"v":{"id":1,"contract":1,"enforcement":"enforce",`+
		`"features":[%s],"join_keys":[{"name":"k","dtype":"int64"}],"layout":1,"layouts":{"1":[%s]},`+
		`"terms":{"max_age_us":60000000,"on_stale":"serve","on_missing":"null","on_invalid":"null"}}},"services":{}}}}`,
		strings.Join(columns, ","), strings.Join(specs, ",")))
	if err != nil {
		b.Fatal(err)
	}
	store, holder := lookuptest.NewStore(), new(bundle.Holder)
	holder.Store(parsed)
	keys := keyColumn{name: "k"}
	for k := range rows {
		store.Put(b, parsed.Projects["p"].Views["v"], fmt.Sprint(k), row.Header{EventTimeUS: lookuptest.NowUS - 1_000_000}, values...)
		keys.sent = append(keys.sent, scalar(4, uint64(k)))
	}
	request.keys = []keyColumn{keys}
	if err := request.columns(); err != nil {
		b.Fatal(err)
	}
	engine := lookup.NewEngine(lookup.Config{
		Stores: lookup.OnlyStore(store), Bundles: holder, Marks: lookup.NewWatermarks(lookup.OnlyStore(store)), Observer: new(lookuptest.Observer), Timer: new(lookuptest.Observer),
		Limits: lookup.Limits{Entities: rows, Features: features, Concurrent: 1}, Timeout: 1 << 40, Log: slog.New(slog.DiscardHandler), Now: lookuptest.Now,
	})
	answer, err := engine.Lookup(context.Background(), &request.Request)
	if err != nil {
		b.Fatal(err)
	}
	return answer, request
}

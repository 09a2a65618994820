package enforce

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/processor"
	"freshline/serving/internal/row"
)

// bench is one view's rows, ready to be decoded and judged again and again.
type bench struct {
	view     *bundle.View
	layouts  knownLayouts
	table    Table
	cells    []row.Column
	columns  []Column
	rules    Rules
	rejected []bool
}

func newBench(t testing.TB, dtype, check string, value row.Value, rows, columns int) *bench {
	t.Helper()
	var features []string
	specs := make([]row.Spec, columns)
	values := make([]*row.Value, columns)
	for i := range specs {
		specs[i] = row.Spec{Name: fmt.Sprintf("f%d", i), Dtype: dtype}
		features = append(features, fmt.Sprintf(`{"name":"f%d","dtype":%q,"nullable":true,%s}`, i, dtype, check))
		values[i] = &value
	}
	b := &bench{view: viewOf(t, strings.Join(features, ",")), layouts: knownLayouts{1: layoutOf(t, 1, specs...)}}
	for range rows {
		b.table.Rows = append(b.table.Rows, row.Encode(row.Header{EventTimeUS: 1000}, b.layouts[1], values))
	}
	b.cells, b.columns, b.rejected = make([]row.Column, columns), make([]Column, columns), make([]bool, rows)
	b.rules = RulesFor(b.view.Terms)
	for i := range b.columns {
		b.columns[i] = Column{Feature: &b.view.Features[i], Cells: &b.cells[i]}
	}
	return b
}

func (b *bench) decode(ctx context.Context) {
	b.table.Open(ctx, b.layouts, &Watermarks{}, 100, 1000)
	for i := range b.cells {
		b.table.Decode(b.view.Features[i].Name, b.view.Features[i].Dtype, &b.cells[i])
	}
}

func (b *bench) judge() {
	for i := range b.columns {
		b.columns[i].Judge(&b.table, &b.rules, b.rejected)
	}
}

func TestDecodingAndJudgingDoNotAllocate(t *testing.T) {
	ctx := context.Background()
	for name, b := range map[string]*bench{
		"floats":  newBench(t, "float64", `"min":0,"max":10`, row.Value{Word: math.Float64bits(5)}, 20, 10),
		"invalid": newBench(t, "int64", `"min":0,"max":10`, row.Value{Word: 50}, 20, 10),
		"texts":   newBench(t, "string", `"max_length":9,"allowed":["abc"]`, row.Value{Blob: []byte("abc")}, 20, 10),
		"lists":   newBench(t, "list<int64>", `"min":0,"max_items":3`, row.Value{Blob: make([]byte, 16)}, 20, 10),
	} {
		b.checkBudget(ctx, t, name)
	}
}

func (b *bench) checkBudget(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	b.decode(ctx)
	b.judge()
	if n := testing.AllocsPerRun(100, func() { b.decode(ctx); b.judge() }); n != 0 {
		t.Errorf("%s: %v allocations, want 0", name, n)
	}
}

func (b *bench) run(loop *testing.B, steps ...func()) {
	values := float64(len(b.table.Rows) * len(b.columns))
	loop.ReportAllocs()
	began := processor.Time()
	for loop.Loop() {
		for _, step := range steps {
			step()
		}
	}
	loop.ReportMetric(float64(processor.Time()-began)/float64(loop.N)/values, "cpu-ns/value")
}

func BenchmarkDecodeAndJudge(b *testing.B) {
	ctx := context.Background()
	for _, kind := range []struct {
		name, dtype, check string
		value              row.Value
	}{
		{"float64", "float64", `"min":0,"max":10`, row.Value{Word: math.Float64bits(5)}},
		{"int64", "int64", `"min":0,"max":10`, row.Value{Word: 5}},
		{"float32", "float32", `"min":0,"max":10`, row.Value{Word: math.Float64bits(5)}},
		{"string", "string", `"max_length":16`, row.Value{Blob: []byte("N14228")}},
	} {
		for _, columns := range []int{10, 100} {
			made := newBench(b, kind.dtype, kind.check, kind.value, 100, columns)
			b.Run(fmt.Sprintf("%s/100x%d", kind.name, columns), func(b *testing.B) {
				made.run(b, func() { made.decode(ctx) }, made.judge)
			})
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	made := newBench(b, "float64", `"min":0,"max":10`, row.Value{Word: math.Float64bits(5)}, 100, 100)
	made.decode(context.Background())
	made.run(b, made.judge)
}

package enforce

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"freshline/serving/internal/row"
)

// TestTheShortWayJudgesAsTheLongOne judges the same rows twice: alone, when nothing stands in the way
// of the short way, and beside a row that is not there, which forces the long one.
func TestTheShortWayJudgesAsTheLongOne(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	edges := []float64{0, 10, 9.999, 10.001, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64}
	for _, dtype := range []string{"float64", "int64", "timestamp", "float32", "int32"} {
		for _, check := range []string{`"nullable":true`, `"min":0,"max":10`, `"allow_nan":true,"max":10`, `"allow_inf":true`, `"allowed":[1,2]`} {
			parsed, err := row.ParseDtype(dtype)
			if err != nil {
				t.Fatal(err)
			}
			layout := layoutOf(t, 1, row.Spec{Name: "x", Dtype: dtype})
			var rows [][]byte
			for range 30 {
				value := row.Value{Word: uint64(random.IntN(14) - 2)}
				if parsed.IsFloat() {
					value.Word = math.Float64bits(edges[random.IntN(len(edges))])
				}
				rows = append(rows, row.Encode(row.Header{EventTimeUS: 1000}, layout, []*row.Value{&value}))
			}
			short := marksOf(t, dtype, check, layout, rows)
			long := marksOf(t, dtype, check, layout, append(slices.Clone(rows), nil))
			if !slices.Equal(short, long[:len(short)]) {
				t.Errorf("%s with %s: %v, the long way %v", dtype, check, short, long)
			}
		}
	}
}

func marksOf(t *testing.T, dtype, check string, layout *row.Layout, rows [][]byte) []Mark {
	t.Helper()
	view := viewOf(t, fmt.Sprintf(`{"name":"x","dtype":%q,%s}`, dtype, check))
	table := Table{Rows: rows}
	table.Open(context.Background(), knownLayouts{1: layout}, &Watermarks{}, 100, 1000)
	var cells row.Column
	// Memory that an earlier request left behind must not shine through.
	cells.Reset(row.Int64, 50)
	table.Decode("x", view.Features[0].Dtype, &cells)
	column := Column{Feature: &view.Features[0], Cells: &cells}
	rules := RulesFor(view.Terms)
	column.Judge(&table, &rules, make([]bool, len(rows)))
	var sum uint64
	for _, n := range column.Tally.Verdicts {
		sum += n
	}
	if sum != uint64(len(rows)) {
		t.Errorf("%d values counted of %d", sum, len(rows))
	}
	return column.Marks
}

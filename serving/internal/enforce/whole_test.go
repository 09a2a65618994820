package enforce

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"freshline/serving/internal/row"
)

// TestTheShortWayJudgesAsTheLongOne judges the same rows twice: alone, when nothing stands in the way
// of the short way, and beside a row that is not there, which forces the long one.
func TestTheShortWayJudgesAsTheLongOne(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	edges := []float64{0, 10, 9.999, 10.001, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64}
	for _, dtype := range []string{"float64", "int64", "timestamp", "float32", "int32"} {
		for _, check := range []string{`"nullable":true`, `"min":0,"max":10`, `"min":-0.0,"max":10`, `"min":0,"max":-0.0`, `"min":0.2,"max":0.8`, `"min":-1`, `"allow_nan":true,"max":10`, `"allow_inf":true`, `"allowed":[1,2]`} {
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

// TestTextsAndBoolsTakeTheShortWayAsTheLongOne does the same for values that are no numbers, bad ones among them.
func TestTextsAndBoolsTakeTheShortWayAsTheLongOne(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	texts := []string{"", "abc", "abcd", "äöü", "äöüß", "UA", "ua", "\xff"}
	for _, dtype := range []string{"string", "bytes", "bool", "list<string>"} {
		for _, check := range []string{`"nullable":true`, `"max_length":3`, `"allowed":["UA","abc"]`, `"pattern":"^[A-Z]*$"`} {
			for _, spoilt := range []bool{false, true} {
				layout := layoutOf(t, 1, row.Spec{Name: "x", Dtype: dtype})
				var rows [][]byte
				for range 30 {
					text := texts[random.IntN(len(texts)-1)]
					if spoilt && random.IntN(10) == 0 {
						text = texts[len(texts)-1]
					}
					value := row.Value{Word: uint64(random.IntN(2)), Blob: []byte(text)}
					if dtype == "list<string>" {
						value.Blob = row.Pack(row.ListOf(row.String), []row.Value{{Blob: value.Blob}})
					}
					if spoilt && dtype == "bool" {
						value.Word = uint64(random.IntN(3))
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
}

func TestANullInOneColumnIsFoundThereAndNowhereElse(t *testing.T) {
	seven := row.Value{Word: 7}
	var specs []row.Spec
	var features []string
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		specs = append(specs, row.Spec{Name: name, Dtype: "int64"})
		features = append(features, fmt.Sprintf(`{"name":%q,"dtype":"int64","nullable":true}`, name))
	}
	layout, view := layoutOf(t, 1, specs...), viewOf(t, strings.Join(features, ","))
	rules := RulesFor(view.Terms)
	for null := range specs {
		values := slices.Repeat([]*row.Value{&seven}, len(specs))
		whole := row.Encode(row.Header{EventTimeUS: 1000}, layout, values)
		values[null] = nil
		table := Table{Rows: [][]byte{whole, row.Encode(row.Header{EventTimeUS: 1000}, layout, values), whole}}
		for range 2 { // a table is used again, and must forget
			table.Open(context.Background(), knownLayouts{1: layout}, &Watermarks{}, 100, 1000)
		}
		for i := range specs {
			var cells row.Column
			table.Decode(specs[i].Name, view.Features[i].Dtype, &cells)
			column := Column{Feature: &view.Features[i], Cells: &cells}
			column.Judge(&table, &rules, make([]bool, 3))
			want := [3]Verdict{}
			if i == null {
				want[1] = Null
			}
			if got := [3]Verdict{column.Marks[0].Verdict, column.Marks[1].Verdict, column.Marks[2].Verdict}; got != want {
				t.Errorf("null in column %d: column %d is %v", null, i, got)
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

func TestColumnsAreFoundWhateverTheOrderTheyAreAskedIn(t *testing.T) {
	names := []string{"a", "b", "c"}
	var specs []row.Spec
	var values []*row.Value
	for i, name := range names {
		specs = append(specs, row.Spec{Name: name, Dtype: "int64"})
		values = append(values, &row.Value{Word: uint64(i)})
	}
	layout := layoutOf(t, 1, specs...)
	table := Table{Rows: [][]byte{row.Encode(row.Header{EventTimeUS: 1000}, layout, values)}}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 1, 2}, {2, 0, 1}} {
		table.Open(context.Background(), knownLayouts{1: layout}, &Watermarks{}, 100, 1000)
		for _, i := range order {
			var cells row.Column
			table.Decode(names[i], row.Int64, &cells)
			if cells.Words[0] != uint64(i) {
				t.Errorf("asked in the order %v, column %s is %d", order, names[i], cells.Words[0])
			}
		}
		var cells row.Column
		if table.Decode("unknown", row.Int64, &cells); cells.Cells[0] != row.Absent {
			t.Error("a column that the layout lacks was found")
		}
	}
}

func TestUnenforcedWholeColumnsAreAsTheyAreStored(t *testing.T) {
	layout := layoutOf(t, 1, row.Spec{Name: "x", Dtype: "int64"})
	tooGreat := row.Value{Word: 50}
	old := row.Encode(row.Header{EventTimeUS: 1}, layout, []*row.Value{&tooGreat})
	view := viewOf(t, `{"name":"x","dtype":"int64","max":5}`)
	rules := RulesFor(view.Terms)
	for _, c := range []struct {
		unenforced bool
		want       Mark
	}{
		{true, Mark{}},
		{false, Mark{Verdict: Stale, AlsoInvalid: true}},
	} {
		table := Table{Rows: [][]byte{old}, Unenforced: c.unenforced, AgeUS: []int64{7}}
		table.Open(context.Background(), knownLayouts{1: layout}, &Watermarks{}, 100, 1000)
		var cells row.Column
		table.Decode("x", row.Int64, &cells)
		column := Column{Feature: &view.Features[0], Cells: &cells}
		column.Judge(&table, &rules, make([]bool, 1))
		if got := column.Marks[0]; got.Verdict != c.want.Verdict || got.AlsoInvalid != c.want.AlsoInvalid {
			t.Errorf("unenforced %v: the mark is %+v", c.unenforced, got)
		}
		if c.unenforced && (table.AgeUS[0] != 0 || column.Tally.Verdicts[Fresh] != 1) {
			t.Errorf("unenforced: age %d, %d fresh", table.AgeUS[0], column.Tally.Verdicts[Fresh])
		}
	}
}

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

// mixed is a view of many columns, of which rows are made under an older layout as well.
type mixed struct {
	dtypes  []string
	layouts knownLayouts
	bench   bench
}

func newMixed(t *testing.T) *mixed {
	m := &mixed{dtypes: []string{
		"float64", "float64", "int64", "float64", "int64", "string", "int64", "float32", "float32", "float32", "float32",
		"float32", "int32", "int32", "bool", "int32", "int32", "timestamp", "bytes", "timestamp",
	}}
	checks := []string{`"min":0,"max":10`, `"nullable":true`, `"min":-1,"max":9`, `"max":5`, `"min":1,"max":9`}
	var features []string
	var specs, older []row.Spec
	for i, dtype := range m.dtypes {
		check := checks[i%len(checks)]
		if dtype == "string" || dtype == "bytes" || dtype == "bool" {
			check = `"nullable":true`
		}
		features = append(features, fmt.Sprintf(`{"name":"f%d","dtype":%q,%s}`, i, dtype, check))
		specs = append(specs, row.Spec{Name: fmt.Sprintf("f%d", i), Dtype: dtype})
		if i%3 > 0 {
			older = append(older, row.Spec{Name: fmt.Sprintf("f%d", i), Dtype: strings.Replace(dtype, "64", "32", 1)})
		}
	}
	m.layouts = knownLayouts{1: layoutOf(t, 1, specs...), 2: layoutOf(t, 2, older...)}
	m.bench = bench{view: viewOf(t, strings.Join(features, ",")), layouts: m.layouts}
	m.bench.rules = RulesFor(m.bench.view.Terms)
	m.bench.cells, m.bench.columns = make([]row.Column, len(specs)), make([]Column, len(specs))
	for i := range m.bench.columns {
		m.bench.columns[i] = Column{Feature: &m.bench.view.Features[i], Cells: &m.bench.cells[i]}
	}
	return m
}

// row returns a row that nothing is wrong with, mostly; a tenth of those that are odd has each oddity.
func (m *mixed) row(random *rand.Rand, odd bool) []byte {
	is := func() bool { return odd && random.IntN(10) == 0 }
	number, header := uint32(1), row.Header{EventTimeUS: 1000}
	if is() {
		return nil
	}
	if is() {
		number = 2
	}
	if is() {
		header.EventTimeUS = 1 // stale
	}
	layout := m.layouts[number]
	values := make([]*row.Value, len(layout.Fields))
	for i, field := range layout.Fields {
		word := uint64(random.IntN(6))
		if odd && random.IntN(30) == 0 {
			word = []uint64{11, ^uint64(0), ^uint64(1), 1 << 31, 1<<63 - 1, 1 << 63}[random.IntN(6)]
		}
		switch {
		case field.Dtype == row.Bool:
			word &= 1
		case field.Dtype.IsFloat():
			value := float64(int64(word))
			if odd && random.IntN(30) == 0 {
				value = []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 10, 10.5}[random.IntN(6)]
			}
			word = math.Float64bits(value)
		}
		if values[i] = (&row.Value{Word: word, Blob: []byte("abc")}); odd && random.IntN(40) == 0 {
			values[i] = nil
		}
	}
	return row.Encode(header, layout, values)
}

// TestColumnsReadTogetherAreJudgedAsEachValueAlone judges tables of random rows, one after the other in the same
// memory, and each of their rows once more beside one that is not there, which forces the long way.
func TestColumnsReadTogetherAreJudgedAsEachValueAlone(t *testing.T) {
	random, ctx := rand.New(rand.NewPCG(7, 8)), context.Background()
	m := newMixed(t)
	whole := 0
	for range 200 {
		rows, spoilt := make([][]byte, 1+random.IntN(40)), random.IntN(3)
		for i := range rows { // none is odd, one may be, or all
			rows[i] = m.row(random, spoilt == 1 && i == len(rows)/2 || spoilt == 2)
		}
		m.bench.table.Rows, m.bench.rejected = rows, make([]bool, len(rows))
		m.bench.decode(ctx)
		m.bench.judge()
		var alone []Tally
		for i, data := range rows {
			alone = m.compare(t, ctx, i, data, alone)
		}
		for i := range m.bench.columns {
			if m.bench.cells[i].Whole {
				whole++
			}
			if m.bench.columns[i].Tally != alone[i] {
				t.Fatalf("column %d: counted %+v, one by one %+v", i, m.bench.columns[i].Tally, alone[i])
			}
		}
	}
	if whole < 1000 {
		t.Errorf("%d columns took the short way, which shows little", whole)
	}
}

// compare judges one row the long way and adds what it counts.
func (m *mixed) compare(t *testing.T, ctx context.Context, i int, data []byte, sum []Tally) []Tally {
	t.Helper()
	table := Table{Rows: [][]byte{data, nil}}
	table.Open(ctx, m.layouts, &Watermarks{}, 100, 1000)
	sum = slices.Grow(sum, len(m.dtypes))[:len(m.dtypes)]
	for at := range m.bench.columns {
		feature, short := &m.bench.view.Features[at], &m.bench.columns[at]
		var cells row.Column
		table.Decode(feature.Name, feature.Dtype, &cells)
		long := Column{Feature: feature, Cells: &cells}
		long.Judge(&table, &m.bench.rules, make([]bool, 2))
		if cells.Whole {
			t.Fatal("the long way is not the long way")
		}
		if short.Marks[i] != long.Marks[0] || short.Cells.Cells[i] != cells.Cells[0] {
			t.Fatalf("%s, row %d: %+v of cell %d, alone %+v of %d", feature.Name, i, short.Marks[i], short.Cells.Cells[i], long.Marks[0], cells.Cells[0])
		}
		if cells.Cells[0] == row.Present && !equal(short.Cells.Value(i), cells.Value(0)) {
			t.Fatalf("%s, row %d: %v, alone %v", feature.Name, i, short.Cells.Value(i), cells.Value(0))
		}
		sum[at].Add(&Tally{Verdicts: long.Tally.Verdicts, Actions: long.Tally.Actions, AlsoInvalid: long.Tally.AlsoInvalid})
		sum[at].Verdicts[Missing]-- // of the row that is not there
		sum[at].Actions[m.bench.rules[Gone][lacking].Action]--
	}
	return sum
}

func equal(a, b row.Value) bool { return a.Word == b.Word && string(a.Blob) == string(b.Blob) }

// TestAnOutsiderIsFoundWhereverItLies: the short way looks at eight words at a time, or at the greatest alone.
func TestAnOutsiderIsFoundWhereverItLies(t *testing.T) {
	for _, dtype := range []string{"float64", "int64", "float32", "int32"} {
		for _, check := range []string{`"min":0,"max":10`, `"min":1,"max":10`, `"min":-3,"max":10`} {
			b := newBench(t, dtype, check, row.Value{}, 20, 4)
			layout := b.layouts[1]
			five, twelve := &row.Value{Word: 5}, &row.Value{Word: 12}
			if layout.Fields[0].Dtype.IsFloat() {
				five, twelve = &row.Value{Word: math.Float64bits(5)}, &row.Value{Word: math.Float64bits(12)}
			}
			for at := range 4 * len(b.table.Rows) {
				for i := range b.table.Rows {
					values := []*row.Value{five, five, five, five}
					if i == at/4 {
						values[at%4] = twelve
					}
					b.table.Rows[i] = row.Encode(row.Header{EventTimeUS: 1000}, layout, values)
				}
				b.decode(context.Background())
				b.judge()
				for k := range b.columns {
					for i, mark := range b.columns[k].Marks {
						if (mark.Verdict == Invalid) != (4*i+k == at) {
							t.Errorf("%s with %s, outside in row %d of column %d: row %d of %d is %s", dtype, check, at/4, at%4, i, k, mark.Verdict)
						}
					}
				}
				if got := b.columns[at%4].Tally.Verdicts; got[Invalid] != 1 || got[Fresh] != 19 {
					t.Errorf("%s with %s: counted %v", dtype, check, got)
				}
			}
		}
	}
}

func TestWhatWasReadOfEarlierRowsIsForgotten(t *testing.T) {
	ctx := context.Background()
	b := newBench(t, "int64", `"min":0`, row.Value{Word: 5}, 3, 4)
	b.table.Open(ctx, b.layouts, &Watermarks{}, 100, 1000)
	b.table.Decode("f0", row.Int64, &b.cells[0]) // which reads the other three too
	six := &row.Value{Word: 6}
	for i := range b.table.Rows {
		b.table.Rows[i] = row.Encode(row.Header{EventTimeUS: 1000}, b.layouts[1], []*row.Value{six, six, six, six})
	}
	b.table.Open(ctx, b.layouts, &Watermarks{}, 100, 1000)
	b.table.Decode("f1", row.Int64, &b.cells[1])
	if got := b.cells[1].Words; !slices.Equal(got, []uint64{6, 6, 6}) {
		t.Errorf("the second column holds %v of an earlier request", got)
	}
}

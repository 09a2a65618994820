package row

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// edges are words of which some are the least, the greatest or no number in every dtype.
var edges = []uint64{0, 1, 5, 1 << 31, 1<<31 - 1, 1 << 63, 1<<63 - 1, ^uint64(0), canonicalNaN, 0x7ff0_0000_0000_0000, 0xfff0_0000_0000_0000}

// TestAStripReadsWhatItsColumnsReadAlone fills the columns of random layouts the short way, in any order and some
// of them twice, and compares them with what Fill makes of the same rows. Columns and strip are those of the layout
// before, whose values must not shine through.
func TestAStripReadsWhatItsColumnsReadAlone(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var strip Strip
	columns := make([]Column, 20)
	for range 300 {
		layout := randomLayout(t, random)
		rows := make([][]byte, random.IntN(20))
		for i := range rows {
			rows[i] = Encode(Header{}, layout, randomValues(random, layout))
		}
		strip.Forget()
		order := random.Perm(len(layout.Fields))
		for _, at := range append(order, order[random.IntN(len(order)):]...) {
			field, short := &layout.Fields[at], &columns[at]
			want := field.Dtype
			if random.IntN(2) == 0 && field.Dtype.ReadsAs(field.Dtype+1) { // int32 and float32 widen to the next
				want++
			}
			var long Column
			long.Reset(want, len(rows))
			long.Fill(rows, make([]uint16, len(rows)), 0, layout, *field)
			if !short.FillWhole(rows, want, layout, field, &strip) {
				t.Fatalf("%s is not filled the short way", field.Dtype)
			}
			if !slices.Equal(short.Cells, long.Cells) || short.Dtype != want {
				t.Fatalf("%s: cells %v, alone %v", field.Dtype, short.Cells, long.Cells)
			}
			if want.IsFixed() && !slices.Equal(short.Words, long.Words) {
				t.Fatalf("%s in strip %d: %x, alone %x", field.Dtype, field.strip, short.Words, long.Words)
			}
			if field.strip > 0 && len(rows) > 0 {
				if top := slices.Max(long.Words); !short.AtMost(top) || top > 0 && short.AtMost(top-1) {
					t.Fatalf("%s in strip %d: the greatest of %x is not told", field.Dtype, field.strip, long.Words)
				}
			}
			if field.strip == 0 && short.AtMost(math.MaxUint64) || long.AtMost(math.MaxUint64) {
				t.Fatalf("%s: the greatest word is told of a column that was read alone", field.Dtype)
			}
			if !want.IsFixed() && !slices.EqualFunc(short.Blobs, long.Blobs, bytes.Equal) {
				t.Fatalf("%s: %q, alone %q", field.Dtype, short.Blobs, long.Blobs)
			}
			if random.IntN(4) == 0 { // as a column is left that had nulls
				short.Reset(want, random.IntN(20))
			}
		}
	}
}

func randomLayout(t *testing.T, random *rand.Rand) *Layout {
	kinds := []Dtype{Int32, Int64, Float32, Float64, Timestamp, Bool, String, Bytes}
	specs := make([]Spec, 1+random.IntN(20))
	kind := Int64
	for i := range specs {
		if random.IntN(4) == 0 { // in runs, as layouts mostly are
			kind = kinds[random.IntN(len(kinds))]
		}
		specs[i] = Spec{Name: fmt.Sprint(i), Dtype: kind.String()}
	}
	return mustLayout(t, 1, specs...)
}

func randomValues(random *rand.Rand, layout *Layout) []*Value {
	values := make([]*Value, len(layout.Fields))
	for i, field := range layout.Fields {
		word := edges[random.IntN(len(edges))] + uint64(random.IntN(3))
		switch field.Dtype {
		case Bool:
			word &= 1
		case Float32: // of which a row holds the narrow form
			word = math.Float64bits(float64(math.Float32frombits(uint32(word))))
		}
		values[i] = &Value{Word: word, Blob: []byte("naïve"[:[]int{0, 1, 2, 4, 5, 6}[random.IntN(6)]])}
	}
	return values
}

func TestColumnsOfOneKindAreCutIntoFours(t *testing.T) {
	specs := func(dtypes ...string) (all []Spec) {
		for i, dtype := range dtypes {
			all = append(all, Spec{Name: fmt.Sprint(i), Dtype: dtype})
		}
		return all
	}
	for _, c := range []struct {
		name  string
		specs []Spec
		want  []int // the column that each column's strip begins with, -1 for none
	}{
		{"three are read alone", specs("int64", "int64", "int64"), []int{-1, -1, -1}},
		{"four are one strip", specs("int32", "int32", "int32", "int32"), []int{0, 0, 0, 0}},
		{"the last strip begins earlier", specs("int64", "float64", "timestamp", "int64", "float64", "int64"), []int{0, 0, 0, 0, 2, 2}},
		{"texts lie between none", specs("float32", "string", "float32", "float32", "bytes", "float32"), []int{0, -1, 0, 0, -1, 0}},
		{"another kind ends a run", specs("int32", "int32", "float32", "int32", "int32"), []int{-1, -1, -1, -1, -1}},
		{"bools are read alone", specs("bool", "bool", "bool", "bool"), []int{-1, -1, -1, -1}},
	} {
		layout := mustLayout(t, 1, c.specs...)
		for i, field := range layout.Fields {
			want := 0
			if c.want[i] >= 0 {
				want = layout.Fields[c.want[i]].fixed
			}
			if field.strip != want {
				t.Errorf("%s: column %d lies in strip %d, want %d", c.name, i, field.strip, want)
			}
		}
	}
}

func TestANullIsSeenInWhateverColumnItLies(t *testing.T) {
	for columns := 1; columns <= 150; columns++ {
		specs := make([]Spec, columns)
		for i := range specs {
			specs[i] = Spec{Name: fmt.Sprint(i), Dtype: "bool"}
		}
		layout, values := mustLayout(t, 1, specs...), slices.Repeat([]*Value{{Word: 1}}, columns)
		if layout.hasNulls(Encode(Header{}, layout, values)) {
			t.Errorf("a row of %d columns without a null has one", columns)
		}
		for i, value := range values {
			values[i] = nil
			data, nulls := Encode(Header{}, layout, values), layout.NullsOf(nil)
			layout.AddNulls(nulls, data)
			if !layout.hasNulls(data) || !layout.Fields[i].IsNullIn(nulls) {
				t.Errorf("the null in column %d of %d is not seen", i, columns)
			}
			values[i] = value
		}
	}
}

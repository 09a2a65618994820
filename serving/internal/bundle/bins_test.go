package bundle

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"freshline/serving/internal/row"
)

func parsedBins(t testing.TB, dtype row.Dtype, kind string, values any) *Bins {
	t.Helper()
	text, err := json.Marshal(map[string]any{"id": "0123456789abcdef", kind: values})
	if err != nil {
		t.Fatal(err)
	}
	var document binsDocument
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	bins, err := document.bins(dtype)
	if err != nil {
		t.Fatal(err)
	}
	return bins
}

func TestANumberLiesInTheBinAfterTheEdgesThatItHasReached(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for count := 1; count <= maxBins; count++ {
		floats, integers := make([]float64, count), make([]int64, count)
		for i := range count {
			floats[i], integers[i] = random.NormFloat64()*100, int64(random.Uint64())
		}
		if count > 2 {
			floats[0], integers[0], integers[1] = 0, math.MaxInt64, math.MinInt64
		}
		slices.Sort(floats)
		slices.Sort(integers)
		ofFloats, ofIntegers := parsedBins(t, row.Float64, "edges", floats), parsedBins(t, row.Int64, "edges", integers)
		for _, value := range append(slices.Clone(floats), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), math.SmallestNonzeroFloat64, random.NormFloat64()) {
			for _, near := range []float64{value, math.Nextafter(value, -math.MaxFloat64), math.Nextafter(value, math.MaxFloat64)} {
				want := 0
				for _, edge := range floats {
					if edge <= near {
						want++
					}
				}
				if got := ofFloats.OfFloat(math.Float64bits(near)); got != want {
					t.Fatalf("%v lies in bin %d of %v, want %d", near, got, floats, want)
				}
			}
		}
		for _, value := range append(slices.Clone(integers), 0, 1, -1, math.MaxInt64, math.MinInt64, int64(random.Uint64())) {
			want := 0
			for _, edge := range integers {
				if edge <= value {
					want++
				}
			}
			if got := ofIntegers.OfInteger(uint64(value)); got != want {
				t.Fatalf("%d lies in bin %d of %v, want %d", value, got, integers, want)
			}
		}
	}
}

func TestEveryBinHasANameOfItsOwn(t *testing.T) {
	names := func(b *Bins) string {
		var all []string
		for bin := range b.Size {
			all = append(all, b.Name(bin))
		}
		return strings.Join(all, " ")
	}
	if got := names(parsedBins(t, row.Float32, "edges", []float64{0, 1})); got != "0 1 2 nan null" {
		t.Errorf("edges: %s", got)
	}
	if got := names(parsedBins(t, row.String, "categories", []string{"a", "b"})); got != "0 1 other nan null" {
		t.Errorf("categories: %s", got)
	}
	texts, bools := parsedBins(t, row.String, "categories", []string{"a", "é"}), parsedBins(t, row.Bool, "categories", []bool{true})
	for want, got := range map[string]int{
		"0": texts.OfText([]byte("a")), "1": texts.OfText([]byte("é")), "other": texts.OfText(nil), "null": texts.Null(),
	} {
		if texts.Name(got) != want {
			t.Errorf("bin %d is %s, want %s", got, texts.Name(got), want)
		}
	}
	if floats := parsedBins(t, row.Float64, "edges", []int{1}); floats.Name(floats.OfFloat(math.Float64bits(math.NaN()))) != "nan" {
		t.Error("NaN is no bin of its own")
	}
	if bools.Name(bools.OfBool(1)) != "0" || bools.Name(bools.OfBool(0)) != "other" {
		t.Errorf("true lies in %s, false in %s", bools.Name(bools.OfBool(1)), bools.Name(bools.OfBool(0)))
	}
}

func TestBinsThatCannotBeCountedIntoAreRefused(t *testing.T) {
	for dtype, texts := range map[row.Dtype][]string{
		row.Float64: {
			`{}`, `{"id":"x"}`, `{"edges":[1]}`, `{"id":"x","edges":[]}`, `{"id":"x","edges":[1,1]}`, `{"id":"x","edges":[2,1]}`,
			`{"id":"x","edges":["a"]}`, `{"id":"x","categories":[1]}`, `{"id":"x","edges":[1],"categories":["a"]}`,
			fmt.Sprintf(`{"id":"x","edges":[%s0]}`, strings.Repeat("0,", maxBins)),
		},
		row.String:            {`{"id":"x","edges":["a"]}`, `{"id":"x","categories":[1]}`},
		row.Bool:              {`{"id":"x","edges":[true]}`, `{"id":"x","categories":["true"]}`},
		row.Bytes:             {`{"id":"x","categories":["aa=="]}`},
		row.ListOf(row.Int64): {`{"id":"x","edges":[1]}`},
	} {
		for _, text := range texts {
			var document binsDocument
			if err := json.Unmarshal([]byte(text), &document); err != nil {
				t.Fatal(err)
			}
			if _, err := document.bins(dtype); err == nil {
				t.Errorf("bins of %s are taken: %s", dtype, text)
			}
		}
	}
}

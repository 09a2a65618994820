package jsonout

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"freshline/serving/internal/row"
)

const benchRows = 1000

func BenchmarkFloat(b *testing.B) {
	buffer := make([]byte, 0, 64)
	for b.Loop() {
		buffer = Float(buffer[:0], 1234.5678, 64)
	}
}

func BenchmarkFloatColumn(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, kind := range []struct {
		name string
		make func() float64
	}{
		{"full", func() float64 { return 1000 * random.Float64() }},
		{"tenths", func() float64 { return float64(random.IntN(10_000)) / 10 }},
		{"cents", func() float64 { return float64(random.IntN(100_000)) / 100 }},
		{"half", func() float64 { return 12.5 }},
		{"shares", func() float64 { return random.Float64() }},
		{"whole", func() float64 { return float64(random.IntN(1000)) }},
		{"any", func() float64 { return math.Float64frombits(random.Uint64()) }},
	} {
		column := row.Column{Dtype: row.Float64, Cells: make([]row.Cell, benchRows), Words: make([]uint64, benchRows)}
		for i := range column.Words {
			column.Words[i] = math.Float64bits(kind.make())
		}
		b.Run(kind.name, func(b *testing.B) { benchColumn(b, &column) })
	}
}

func benchColumn(b *testing.B, column *row.Column) {
	var buffer []byte
	for b.Loop() {
		buffer = Style{}.Column(buffer[:0], column)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/value")
}

func BenchmarkFloat32Column(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	column := row.Column{Dtype: row.Float32, Cells: make([]row.Cell, benchRows), Words: make([]uint64, benchRows)}
	for i := range column.Words {
		column.Words[i] = math.Float64bits(float64(1000 * random.Float32()))
	}
	benchColumn(b, &column)
}

func BenchmarkIntColumn(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, limit := range []int64{10, 1000, 1e6, 1e9, 1e18} {
		column := row.Column{Dtype: row.Int64, Cells: make([]row.Cell, benchRows), Words: make([]uint64, benchRows)}
		for i := range column.Words {
			column.Words[i] = uint64(random.Int64N(limit))
		}
		b.Run(fmt.Sprint(limit), func(b *testing.B) { benchColumn(b, &column) })
	}
}

func BenchmarkStringColumn(b *testing.B) {
	for _, text := range []string{
		"EWR", "N14228", "New York City", "Zürich Flughafen",
		"a longer text of plain words, some sixty bytes in all, as it is",
	} {
		column := row.Column{Dtype: row.String, Cells: make([]row.Cell, benchRows), Blobs: make([][]byte, benchRows)}
		for i := range column.Blobs {
			column.Blobs[i] = []byte(text)
		}
		b.Run(fmt.Sprint(len(text)), func(b *testing.B) { benchColumn(b, &column) })
	}
}

func BenchmarkTimes(b *testing.B) {
	for name, step := range map[string]int64{"seconds": 1e6, "micros": 1_000_003, "millis": 3000} {
		b.Run(name, func(b *testing.B) {
			buffer := make([]byte, 0, 64)
			var times Times
			us := int64(1_795_341_600_000_000)
			for b.Loop() {
				us += step
				buffer = times.Append(buffer[:0], us)
			}
		})
	}
}

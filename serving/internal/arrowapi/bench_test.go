package arrowapi

import (
	"fmt"
	"testing"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/processor"
	"freshline/serving/internal/row"
)

// wide is a plain answer of ten columns a view: four float64, three int64, three strings.
func wide(t testing.TB, rows, views int) *lookup.Answer {
	t.Helper()
	dtypes := []row.Dtype{
		row.Float64, row.Float64, row.Float64, row.Float64, row.Int64, row.Int64, row.Int64, row.String, row.String, row.String,
	}
	answer := &lookup.Answer{Rows: rows, Rejected: make([]bool, rows)}
	for v := range views {
		view := &lookup.View{View: &bundle.View{Name: fmt.Sprintf("view_%d", v)}}
		view.Table.AgeUS, view.Table.States = make([]int64, rows), make([]enforce.State, rows)
		for f, dtype := range dtypes {
			name := fmt.Sprintf("feature_%d", 10*v+f)
			column := &lookup.Column{Ref: bundle.Ref{View: view.View, Name: name}, View: view}
			column.Feature = &bundle.Feature{Name: name, Dtype: dtype}
			column.Cells = &row.Column{Dtype: dtype, Cells: make([]row.Cell, rows), Whole: true}
			column.Marks = make([]enforce.Mark, rows)
			column.Tally.Verdicts[enforce.Fresh] = uint64(rows)
			for i := range rows {
				if dtype.IsFixed() {
					column.Cells.Words = append(column.Cells.Words, uint64(i*f))
				} else {
					column.Cells.Blobs = append(column.Cells.Blobs, fmt.Appendf(nil, "N%d", 10000+i))
				}
				view.Table.AgeUS[i] = int64(i)
			}
			view.Columns, answer.Columns = append(view.Columns, column), append(answer.Columns, column)
		}
		answer.Views = append(answer.Views, view)
	}
	return answer
}

func BenchmarkStream(b *testing.B) {
	for _, size := range [][2]int{{1, 1}, {100, 10}} {
		answer, details := wide(b, size[0], size[1]), []byte(`{}`)
		b.Run(fmt.Sprintf("%dx%d", size[0], 10*size[1]), func(b *testing.B) {
			writer, to := newWriter(), []byte(nil)
			b.ReportAllocs()
			began := processor.Time()
			for b.Loop() {
				var err error
				if to, err = writer.appendStream(to[:0], answer, false, details); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(processor.Time()-began)/float64(b.N)/1e3, "cpu-us/answer")
		})
	}
}

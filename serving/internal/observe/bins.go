package observe

import (
	"freshline/serving/internal/bundle"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

// countBins counts a column's values as the caller gets them: a default where the contract gives one, a null
// where it gives none.
func countBins(counts *featureCounts, answer *lookup.Answer, column *lookup.Column) {
	if answer.IsPlain(column) {
		countStored(counts.binned, counts.bins, column.Cells, answer.Rows)
		return
	}
	dtype := column.Feature.Dtype
	for i := range answer.Rows {
		bin := counts.bins.Null()
		if value, ok := answer.Value(column, i); ok {
			bin = counts.bins.Of(dtype, value)
		}
		counts.binned[bin]++
	}
}

// countStored counts cells that are all present.
func countStored(binned []uint64, bins *bundle.Bins, cells *row.Column, rows int) {
	switch {
	case cells.Dtype.IsFloat():
		bins.CountFloats(cells.Words[:rows], binned)
	case cells.Dtype.IsInteger():
		for _, word := range cells.Words[:rows] {
			binned[bins.OfInteger(word)]++
		}
	case cells.Dtype == row.Bool:
		for _, word := range cells.Words[:rows] {
			binned[bins.OfBool(word)]++
		}
	default:
		for _, text := range cells.Blobs[:rows] {
			binned[bins.OfText(text)]++
		}
	}
}

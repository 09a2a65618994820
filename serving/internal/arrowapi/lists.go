package arrowapi

import "freshline/serving/internal/row"

// appendLists appends the offsets of lists and then their items as a child of their own.
func (w *writer) appendLists(to []byte, dtype row.Dtype) []byte {
	from, items := len(to), 0
	to = w.offset(to, 0)
	for i := range w.answer.Rows {
		if value, ok := w.value(i); ok {
			items += row.Items(dtype, value.Blob)
		}
		to = w.offset(to, items)
	}
	to = w.endBuffer(to, from)
	w.addNode(to, items, 0)
	to = w.endBuffer(to, len(to)) // no item is a null, so there is no bitmap
	switch {
	case dtype.Width() == 0:
		return w.appendTextItems(to, dtype)
	case dtype.Element() == row.Bool:
		return w.appendBoolItems(to, dtype, items)
	}
	from = len(to)
	for i := range w.answer.Rows {
		value, _ := w.value(i)
		to = append(to, value.Blob...) // rows pack items as Arrow does
	}
	return w.endBuffer(to, from)
}

func (w *writer) appendBoolItems(to []byte, dtype row.Dtype, items int) []byte {
	from, at := len(to), 0
	to = appendZeros(to, (items+7)/8)
	for i := range w.answer.Rows {
		value, _ := w.value(i)
		for k := range len(value.Blob) {
			to[from+at>>3] |= byte(row.Word(dtype, value.Blob, k)) << (at & 7)
			at++
		}
	}
	return w.endBuffer(to, from)
}

func (w *writer) appendTextItems(to []byte, dtype row.Dtype) []byte {
	from, end := len(to), 0
	to = w.offset(to, 0)
	for i := range w.answer.Rows {
		value, ok := w.value(i)
		if !ok {
			continue
		}
		for k := range row.Items(dtype, value.Blob) {
			end += len(row.Text(value.Blob, k))
			to = w.offset(to, end)
		}
	}
	to = w.endBuffer(to, from)
	from = len(to)
	for i := range w.answer.Rows {
		value, ok := w.value(i)
		if !ok {
			continue
		}
		for k := range row.Items(dtype, value.Blob) {
			to = append(to, row.Text(value.Blob, k)...)
		}
	}
	return w.endBuffer(to, from)
}

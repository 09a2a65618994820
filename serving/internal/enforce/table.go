package enforce

import (
	"context"
	"slices"

	"freshline/serving/internal/row"
)

// State says what is known of one row before any value is looked at.
type State uint8

// Young rows are within the max age in force. The greatest age of a row without evidence is unknown.
const (
	Young State = iota
	Old
	Undated
	Gone       // no row
	Buried     // a tombstone
	Unreadable // the store did not answer for it
	Damaged    // its bytes are not a row

	stateCount
)

// Found tells whether a row lies in the store, readable or not.
func (s State) Found() bool { return s <= Undated || s == Damaged }

const noLayout = ^uint16(0)

// Layouts finds the layout of a number. A nil layout means that nobody knows it, an error that
// nobody could be asked.
type Layouts interface {
	Layout(ctx context.Context, number uint32) (*row.Layout, error)
}

// Table holds the rows of one view in one request. It is reused from request to request.
type Table struct {
	Rows    [][]byte // as the store gave them, nil where there is none
	Missed  []bool   // rows that the store could not be asked for; nil: none
	Headers []row.Header
	States  []State
	AsOfUS  []int64 // of Young and Old rows
	AgeUS   []int64 // of Young and Old rows
	// Unenforced takes every row for young, of age 0, and every value of a whole column for fresh.
	Unenforced bool

	layoutOf []uint16 // index into layouts, noLayout for rows without values
	layouts  []*row.Layout
	unasked  []uint32 // layouts that nobody could be asked for, once and not for every row
	allYoung bool     // nearly always the case, and then nothing about a row need be asked twice
	next     int      // where in the first layout the next column is looked for
	nulls    []byte   // bitmap of the columns of the first layout that some row has a null in
	strip    row.Strip
}

// Damage counts what was wrong with the bytes of a table's rows.
type Damage struct {
	Corrupt       int // checksum, version or shape
	UnknownLayout int
}

// Open verifies every row and works out its age. Rows and Missed must be set.
func (t *Table) Open(ctx context.Context, layouts Layouts, marks *Watermarks, maxAgeUS, nowUS int64) Damage {
	n := len(t.Rows)
	t.Headers = resized(t.Headers, n)
	t.States = resized(t.States, n)
	t.AsOfUS = resized(t.AsOfUS, n)
	t.AgeUS = resized(t.AgeUS, n)
	t.layoutOf = resized(t.layoutOf, n)
	t.layouts, t.unasked = t.layouts[:0], t.unasked[:0]
	t.allYoung, t.next = true, 0
	t.strip.Forget()
	var damage Damage
	for i, data := range t.Rows {
		t.layoutOf[i] = noLayout
		state := Gone
		switch {
		case t.Missed != nil && t.Missed[i]:
			state = Unreadable
		case data != nil:
			state = t.open(ctx, i, layouts, &damage)
		}
		switch {
		case state == Young && t.Unenforced:
			t.AsOfUS[i], t.AgeUS[i] = nowUS, 0
		case state == Young:
			state = t.date(i, marks, maxAgeUS, nowUS)
		}
		t.States[i] = state
		t.allYoung = t.allYoung && state == Young
	}
	return damage
}

func (t *Table) date(i int, marks *Watermarks, maxAgeUS, nowUS int64) State {
	asOf, ok := AsOf(&t.Headers[i], marks, nowUS)
	if !ok {
		return Undated
	}
	t.AsOfUS[i], t.AgeUS[i] = asOf, age(asOf, nowUS)
	if t.AgeUS[i] > maxAgeUS {
		return Old
	}
	return Young
}

// open returns Young for every row whose values can be read; its age is not its business.
func (t *Table) open(ctx context.Context, i int, layouts Layouts, damage *Damage) State {
	data := t.Rows[i]
	header := &t.Headers[i]
	if err := row.Verify(data, header); err != nil {
		damage.Corrupt++
		return Damaged
	}
	if header.Tombstone {
		return Buried
	}
	at, state := t.layoutIndex(ctx, header.Layout, layouts)
	if state != Young {
		if state == Damaged {
			damage.UnknownLayout++
		}
		return state
	}
	if !row.FitsLayout(data, t.layouts[at]) {
		damage.Corrupt++
		return Damaged
	}
	t.layoutOf[i] = at
	if at == 0 {
		t.layouts[0].AddNulls(t.nulls, data)
	}
	return Young
}

// layoutIndex finds the layout among those that this table has met, nearly always the first.
func (t *Table) layoutIndex(ctx context.Context, number uint32, layouts Layouts) (uint16, State) {
	for at, layout := range t.layouts {
		if layout.Number == number {
			return uint16(at), Young
		}
	}
	if slices.Contains(t.unasked, number) {
		return noLayout, Unreadable
	}
	layout, err := layouts.Layout(ctx, number)
	switch {
	case err != nil:
		t.unasked = append(t.unasked, number)
		return noLayout, Unreadable
	case layout == nil || len(t.layouts) == int(noLayout):
		return noLayout, Damaged
	}
	if len(t.layouts) == 0 {
		t.nulls = layout.NullsOf(t.nulls)
	}
	t.layouts = append(t.layouts, layout)
	return uint16(len(t.layouts) - 1), Young
}

// Decode fills the column of one feature, to be read as dtype, from all rows that have it.
func (t *Table) Decode(name string, dtype row.Dtype, column *row.Column) {
	if t.allYoung && len(t.layouts) == 1 {
		field, at, ok := t.layouts[0].FindAt(t.next, name)
		t.next = at + 1
		if ok && !field.IsNullIn(t.nulls) && column.FillWhole(t.Rows, dtype, t.layouts[0], field, &t.strip) {
			return
		}
	}
	column.Reset(dtype, len(t.Rows))
	for at, layout := range t.layouts {
		if field, ok := layout.Find(name); ok {
			column.Fill(t.Rows, t.layoutOf, uint16(at), layout, field)
		}
	}
}

func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

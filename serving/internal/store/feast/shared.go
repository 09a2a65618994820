// Package feast reads what Feast wrote, in place and read only: for those who adopt a store without moving
// it. A row of Feast's has an event time and nothing else to judge it by: no watermark, no write time.
package feast

import (
	"context"
	"errors"
	"fmt"

	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

var errNoLayout = errors.New("without the view's layout Feast's values cannot be read")

// described tells whether the read says how each view's values are to be read.
func described(read *lookup.Read) error {
	for v, view := range read.Views {
		if v >= len(read.Layouts) || read.Layouts[v] == nil {
			return fmt.Errorf("view %q: %w", view, errNoLayout)
		}
	}
	return nil
}

// ReadLayout implements lookup.Store for stores of Feast's, which keep no layouts: some are made here.
func (v *variants) ReadLayout(_ context.Context, _, _ string, number uint32) (*row.Layout, error) {
	return v.layout(number), nil
}

// entry is what a store holds of one view for one entity: its event time and, by column, its values.
type entry struct {
	us     int64
	state  entryState
	fields [][]byte // nil: not stored
}

type entryState uint8

const (
	nothing entryState = iota
	timed
	broken // what is stored is not Feast's
)

func (e *entry) reset(columns int) {
	e.us, e.state = 0, nothing
	if cap(e.fields) < columns {
		e.fields = make([][]byte, columns)
	}
	e.fields = e.fields[:columns]
	clear(e.fields)
}

// dated adds the time of one value. The row is as old as the oldest of its values.
func (e *entry) dated(us int64, err error) {
	switch {
	case err != nil:
		e.state = broken
	case e.state == nothing:
		e.us, e.state = us, timed
	default:
		e.us = min(e.us, us)
	}
}

func (e *entry) pack(p *packer, layout *row.Layout) []byte {
	switch e.state {
	case nothing:
		return nil
	case broken:
		return damaged
	}
	return p.pack(layout, e.us, e.fields)
}

package feast

import (
	"sync"

	"freshline/serving/internal/row"
)

const (
	// firstVariant begins the numbers of layouts that are made here; the registry's are far below.
	firstVariant = 1 << 31
	maxVariants  = 1024
)

// damaged is given as a row whose bytes are not Feast's: it fails the check that every row goes through,
// so that its values are invalid and it is counted as corrupt.
var damaged = []byte{}

// packer turns Feast's values into rows of ours, so that all that follows is the same for both layouts.
// A value of another type than its feature's is told by a variant of the layout, in which the column has
// a dtype that no reader takes for the feature's.
type packer struct {
	mu       sync.Mutex // taken only for rows with a value of a wrong type
	byShape  map[variant]*row.Layout
	byNumber map[uint32]*row.Layout
}

type variant struct {
	columns string // every name and dtype of the layout, and which of them are of a wrong type
}

func newPacker() *packer {
	return &packer{byShape: make(map[variant]*row.Layout), byNumber: make(map[uint32]*row.Layout)}
}

// pack reads one entity's fields of one view: its event time, then its features in the layout's order;
// nil is a field that is not there. It returns nil when there is no row at all.
func (p *packer) pack(layout *row.Layout, fields [][]byte) []byte {
	if absent(fields) {
		return nil
	}
	if fields[0] == nil { // values without a time are of no age
		return damaged
	}
	eventTimeUS, err := decodeTime(fields[0])
	if err != nil {
		return damaged
	}
	values := make([]*row.Value, len(layout.Fields))
	decoded := make([]row.Value, len(layout.Fields))
	var wrong []bool
	for i, field := range layout.Fields {
		value, state, err := decodeValue(fields[i+1], field.Dtype)
		switch {
		case err != nil:
			return damaged
		case state == present:
			decoded[i] = value
			values[i] = &decoded[i]
		case state == mistyped:
			if wrong == nil {
				wrong = make([]bool, len(layout.Fields))
			}
			wrong[i] = true
			values[i] = &decoded[i]
		}
	}
	if wrong != nil {
		if layout = p.variantOf(layout, wrong); layout == nil {
			return damaged
		}
	}
	return row.Encode(row.Header{EventTimeUS: eventTimeUS, WriteTimeUS: eventTimeUS, Layout: layout.Number}, layout, values)
}

func absent(fields [][]byte) bool {
	for _, field := range fields {
		if field != nil {
			return false
		}
	}
	return true
}

// variantOf returns the layout in which the wrong columns have another dtype; nil when there are too many
// of them already.
func (p *packer) variantOf(layout *row.Layout, wrong []bool) *row.Layout {
	specs := make([]row.Spec, len(layout.Fields))
	name := ""
	for i, field := range layout.Fields {
		dtype := field.Dtype
		if wrong[i] {
			dtype = otherThan(dtype)
		}
		specs[i] = row.Spec{Name: field.Name, Dtype: dtype.String()}
		name += field.Name + " " + dtype.String() + "\n"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.byShape[variant{name}]; known != nil {
		return known
	}
	if len(p.byShape) >= maxVariants {
		return nil
	}
	made, err := row.NewLayout(firstVariant+uint32(len(p.byShape)), specs)
	if err != nil {
		return nil
	}
	p.byShape[variant{name}], p.byNumber[made.Number] = made, made
	return made
}

func otherThan(dtype row.Dtype) row.Dtype {
	if dtype == row.Bool {
		return row.Int32
	}
	return row.Bool
}

func (p *packer) layout(number uint32) *row.Layout {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byNumber[number]
}

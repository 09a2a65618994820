package feast

import (
	"encoding/binary"
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

// variants are layouts that were made here. What Feast stored of a row may not be what its layout says: a value
// of another type is told by a column of a dtype that no reader takes for the feature's, and a feature that was
// never stored by a layout without that column.
type variants struct {
	mu       sync.RWMutex // taken only for rows that are not as their layout says
	byShape  map[string]*row.Layout
	byNumber map[uint32]*row.Layout
}

func newVariants() *variants {
	return &variants{byShape: make(map[string]*row.Layout), byNumber: make(map[uint32]*row.Layout)}
}

// find returns the variant of a layout; nil when there are too many of them already. shape is memory to use.
func (v *variants) find(layout *row.Layout, states []stored, shape []byte) (*row.Layout, []byte) {
	shape = shape[:0]
	for i := range layout.Fields {
		field := &layout.Fields[i]
		shape = binary.AppendUvarint(shape, uint64(len(field.Name)))
		shape = append(append(shape, field.Name...), byte(field.Dtype), byte(kept(states[i])))
	}
	v.mu.RLock()
	known := v.byShape[string(shape)]
	v.mu.RUnlock()
	if known == nil {
		known = v.make(layout, states, string(shape))
	}
	return known, shape
}

// kept says of a state what a layout can tell: nulls are the row's business.
func kept(state stored) stored {
	if state == null {
		return present
	}
	return state
}

func (v *variants) make(layout *row.Layout, states []stored, shape string) *row.Layout {
	specs := make([]row.Spec, 0, len(layout.Fields))
	for i, field := range layout.Fields {
		switch states[i] {
		case absent:
			continue
		case mistyped:
			specs = append(specs, row.Spec{Name: field.Name, Dtype: otherThan(field.Dtype).String()})
		default:
			specs = append(specs, row.Spec{Name: field.Name, Dtype: field.Dtype.String()})
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if known := v.byShape[shape]; known != nil {
		return known
	}
	if len(v.byShape) >= maxVariants {
		return nil
	}
	made, err := row.NewLayout(firstVariant+uint32(len(v.byShape)), specs)
	if err != nil {
		return nil
	}
	v.byShape[shape], v.byNumber[made.Number] = made, made
	return made
}

func otherThan(dtype row.Dtype) row.Dtype {
	if dtype == row.Bool {
		return row.Int32
	}
	return row.Bool
}

func (v *variants) layout(number uint32) *row.Layout {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.byNumber[number]
}

// packer turns Feast's values into rows of ours, so that all that follows is the same for all layouts. It is
// used by one goroutine, for the rows of one read, which share its memory.
type packer struct {
	variants *variants
	encoder  row.Encoder
	decoder  decoder
	values   []row.Value
	nulls    []bool
	states   []stored
	shape    []byte
}

// pack returns the row of an event time and of what is stored of each of the layout's columns, nil of one of
// which nothing is. The values are copied.
func (p *packer) pack(layout *row.Layout, eventTimeUS int64, fields [][]byte) []byte {
	p.values, p.nulls, p.states = p.values[:0], p.nulls[:0], p.states[:0]
	p.decoder.reset()
	asTold := true
	for i := range layout.Fields {
		value, state, err := p.decoder.stored(fields[i], layout.Fields[i].Dtype)
		if err != nil {
			return damaged
		}
		p.states = append(p.states, state)
		asTold = asTold && state <= null
		if state != absent {
			p.values, p.nulls = append(p.values, value), append(p.nulls, state == null)
		}
	}
	if !asTold {
		if layout, p.shape = p.variants.find(layout, p.states, p.shape); layout == nil {
			return damaged
		}
	}
	header := row.Header{EventTimeUS: eventTimeUS, WriteTimeUS: eventTimeUS, Layout: layout.Number}
	return p.encoder.Encode(header, layout, p.values, p.nulls)
}

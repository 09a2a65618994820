package row

import (
	"encoding/json"
	"fmt"
)

const (
	headerSize   = 40
	checksumSize = 4
)

// Spec is one column of a layout as documents spell it.
type Spec struct {
	Name  string `json:"name"`
	Dtype string `json:"dtype"`
}

// Field is one column of a layout and where it lies in a row.
type Field struct {
	Name  string
	Dtype Dtype
	index int // bit in the null bitmap
	fixed int // offset of a fixed value from the start of the row
	slot  int // rank among the variable columns; -1 for fixed ones
	strip int // offset of the four columns that it is read with; 0: it is read alone
	lane  int // its place among these
}

// Layout is the column layout that rows were written under. It is immutable.
type Layout struct {
	Number    uint32
	Fields    []Field
	byName    map[string]int
	bitmap    int  // bytes of the null bitmap
	pastLast  byte // the bits of its last byte that no column has
	ends      int  // offset of the variable columns' end offsets
	data      int  // offset of the data area
	variables int
}

// NewLayout works out where each column lies.
func NewLayout(number uint32, specs []Spec) (*Layout, error) {
	l := &Layout{
		Number: number,
		Fields: make([]Field, len(specs)),
		byName: make(map[string]int, len(specs)),
		bitmap: (len(specs) + 7) / 8, pastLast: 0xff << ((len(specs)-1)&7 + 1),
	}
	offset := headerSize + l.bitmap
	for i, spec := range specs {
		dtype, err := ParseDtype(spec.Dtype)
		if err != nil {
			return nil, fmt.Errorf("layout %d, column %q: %w", number, spec.Name, err)
		}
		if _, twice := l.byName[spec.Name]; twice {
			return nil, fmt.Errorf("layout %d names column %q twice", number, spec.Name)
		}
		l.byName[spec.Name] = i
		field := Field{Name: spec.Name, Dtype: dtype, index: i, slot: -1}
		if dtype.IsFixed() {
			field.fixed = offset
			offset += dtype.Width()
		} else {
			field.slot = l.variables
			l.variables++
		}
		l.Fields[i] = field
	}
	l.cutStrips()
	l.ends = offset
	l.data = offset + 4*l.variables
	return l, nil
}

// ParseLayout reads the JSON that the store keeps for a layout: a list of name and dtype.
func ParseLayout(number uint32, document []byte) (*Layout, error) {
	var specs []Spec
	if err := json.Unmarshal(document, &specs); err != nil {
		return nil, fmt.Errorf("layout %d: %w", number, err)
	}
	return NewLayout(number, specs)
}

// FindAt returns the column of that name, soonest if it is column number at, and its number. Columns are mostly
// asked for in the order that they lie in, and then nothing need be searched.
func (l *Layout) FindAt(at int, name string) (field *Field, i int, ok bool) {
	if at < len(l.Fields) && l.Fields[at].Name == name {
		return &l.Fields[at], at, true
	}
	if i, ok = l.byName[name]; !ok {
		return nil, 0, false
	}
	return &l.Fields[i], i, true
}

// Index returns the place of the column of that name.
func (l *Layout) Index(name []byte) (int, bool) {
	i, ok := l.byName[string(name)]
	return i, ok
}

// Find returns the column of that name.
func (l *Layout) Find(name string) (Field, bool) {
	i, ok := l.byName[name]
	if !ok {
		return Field{}, false
	}
	return l.Fields[i], true
}

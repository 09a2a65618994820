package row

import "fmt"

// Dtype is the type of a feature or a join key. Timestamps are microseconds since 1970 UTC.
type Dtype uint8

// The scalar dtypes come first; a list dtype is its element's plus listOffset.
const (
	Int32 Dtype = iota + 1
	Int64
	Float32
	Float64
	Bool
	String
	Bytes
	Timestamp

	listOffset = 16
)

// ListOf returns the dtype of lists of element, which must be a scalar.
func ListOf(element Dtype) Dtype { return element + listOffset }

// ParseDtype returns the dtype that name spells, as in int64 or list<string>.
func ParseDtype(name string) (Dtype, error) {
	element, offset := name, Dtype(0)
	if len(name) > 6 && name[:5] == "list<" && name[len(name)-1] == '>' {
		element, offset = name[5:len(name)-1], listOffset
	}
	for scalar := Int32; scalar <= Timestamp; scalar++ {
		if scalar.String() == element {
			return scalar + offset, nil
		}
	}
	return 0, fmt.Errorf("%q is no dtype", name)
}

// String spells the dtype as contracts do.
func (d Dtype) String() string {
	switch d {
	case Int32:
		return "int32"
	case Int64:
		return "int64"
	case Float32:
		return "float32"
	case Float64:
		return "float64"
	case Bool:
		return "bool"
	case String:
		return "string"
	case Bytes:
		return "bytes"
	case Timestamp:
		return "timestamp"
	}
	if d.IsList() {
		return "list<" + d.Element().String() + ">"
	}
	return fmt.Sprintf("dtype(%d)", uint8(d))
}

// IsList tells whether values are lists.
func (d Dtype) IsList() bool { return d > listOffset }

// Element returns the dtype of a list's elements; a scalar's own.
func (d Dtype) Element() Dtype {
	if d.IsList() {
		return d - listOffset
	}
	return d
}

// Width returns the bytes of one fixed value, or of one packed list element; 0 for strings and bytes.
// A list column itself is variable: ask IsFixed.
func (d Dtype) Width() int {
	switch d.Element() {
	case Bool:
		return 1
	case Int32, Float32:
		return 4
	case Int64, Float64, Timestamp:
		return 8
	}
	return 0
}

// IsFixed tells whether a column of this dtype takes the same number of bytes in every row.
func (d Dtype) IsFixed() bool { return !d.IsList() && d.Width() > 0 }

// IsFloat tells whether the elements are floats.
func (d Dtype) IsFloat() bool { return d.Element() == Float32 || d.Element() == Float64 }

// IsInteger tells whether the elements are integers or timestamps.
func (d Dtype) IsInteger() bool {
	e := d.Element()
	return e == Int32 || e == Int64 || e == Timestamp
}

// ReadsAs tells whether a value stored as d can be read as want: the same dtype, or one that widens.
// Lists do not widen.
func (d Dtype) ReadsAs(want Dtype) bool {
	return d == want || d == Int32 && want == Int64 || d == Float32 && want == Float64
}

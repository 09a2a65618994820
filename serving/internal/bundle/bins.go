package bundle

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"strconv"

	"freshline/serving/internal/row"
)

// maxBins bounds the edges or categories of one feature, as the control plane does.
const maxBins = 64

// Bins are the ranges or categories that a feature's values are counted into. They are numbered: of n edges
// the ranges are 0 to n, of n categories 0 to n-1 and the rest is one more; then come NaN and null.
type Bins struct {
	ID     string // of the edges: counts under one ID add up
	Size   int    // how many bins there are, null's included
	ranges int    // or categories, without the three special bins
	edges  []uint64
	texts  map[string]int
	bools  [2]int
	isEdge bool
}

type binsDocument struct {
	ID         string            `json:"id"`
	Edges      []json.RawMessage `json:"edges"`
	Categories []json.RawMessage `json:"categories"`
}

func (d binsDocument) bins(dtype row.Dtype) (*Bins, error) {
	given := d.Edges
	b := &Bins{ID: d.ID, isEdge: len(d.Edges) > 0}
	if b.isEdge {
		b.ranges = len(d.Edges) + 1
	} else {
		given = d.Categories
		b.ranges = len(d.Categories) + 1
	}
	b.Size = b.ranges + 2
	switch {
	case d.ID == "" || len(given) == 0 || len(given) > maxBins || b.isEdge && len(d.Categories) > 0:
		return nil, fmt.Errorf("an id and 1 to %d edges or categories are expected", maxBins)
	case b.isEdge && dtype.IsFixed() && (dtype.IsFloat() || dtype.IsInteger()):
		return b, b.setEdges(dtype, given)
	case !b.isEdge && (dtype == row.String || dtype == row.Bool):
		return b, b.setCategories(dtype, given)
	}
	return nil, fmt.Errorf("values of %s have no such bins", dtype)
}

// setEdges keeps edges as words that compare as unsigned numbers, filled up with the greatest to a power of two:
// so a search takes the same few steps for every value, and no branch.
func (b *Bins) setEdges(dtype row.Dtype, given []json.RawMessage) error {
	b.edges = make([]uint64, 1<<bits.Len(uint(len(given)-1)))
	for i := range b.edges {
		b.edges[i] = math.MaxUint64
	}
	for i, raw := range given {
		value, err := row.ParseValue(dtype, raw)
		if err != nil {
			return fmt.Errorf("edges[%d]: %w", i, err)
		}
		b.edges[i] = ordered(dtype, value.Word)
		if i > 0 && b.edges[i] <= b.edges[i-1] {
			return fmt.Errorf("edges[%d] does not lie above the one before it", i)
		}
	}
	return nil
}

func (b *Bins) setCategories(dtype row.Dtype, given []json.RawMessage) error {
	b.texts = make(map[string]int, len(given))
	b.bools = [2]int{b.other(), b.other()}
	for i, raw := range given {
		value, err := row.ParseValue(dtype, raw)
		if err != nil {
			return fmt.Errorf("categories[%d]: %w", i, err)
		}
		if dtype == row.Bool {
			b.bools[value.Word&1] = i
		} else {
			b.texts[string(value.Blob)] = i
		}
	}
	return nil
}

// ordered maps a number's word to one that compares as the numbers do. A NaN compares with nothing and must not
// come here.
func ordered(dtype row.Dtype, word uint64) uint64 {
	if dtype.IsFloat() {
		return orderedFloat(word)
	}
	return word ^ 1<<63
}

func orderedFloat(word uint64) uint64 {
	if word == 1<<63 { // -0.0 is 0.0
		word = 0
	}
	return word ^ (uint64(int64(word)>>63) | 1<<63)
}

// Of returns the bin of a value that is not null. It is for single values: a column has ways of its own.
func (b *Bins) Of(dtype row.Dtype, value row.Value) int {
	switch {
	case !b.isEdge && dtype == row.Bool:
		return b.OfBool(value.Word)
	case !b.isEdge:
		return b.OfText(value.Blob)
	case dtype.IsFloat():
		return b.OfFloat(value.Word)
	}
	return b.OfInteger(value.Word)
}

// OfFloat returns the bin of a float64 by its bits.
func (b *Bins) OfFloat(word uint64) int {
	if word<<1 > 0x7ff<<53 {
		return b.nan()
	}
	return b.rank(orderedFloat(word))
}

// OfInteger returns the bin of an integer by its word.
func (b *Bins) OfInteger(word uint64) int { return b.rank(word ^ 1<<63) }

// OfBool returns the bin of a bool by its word.
func (b *Bins) OfBool(word uint64) int { return b.bools[word&1] }

// OfText returns the bin of a string.
func (b *Bins) OfText(text []byte) int {
	if at, ok := b.texts[string(text)]; ok {
		return at
	}
	return b.other()
}

// rank counts the edges that do not lie above the value.
func (b *Bins) rank(value uint64) int {
	edges := b.edges
	below := 0
	for step := len(edges) / 2; step > 0; step /= 2 {
		if edges[below+step-1] <= value {
			below += step
		}
	}
	if edges[below] <= value {
		below++
	}
	return min(below, b.ranges-1) // the greatest integer also passes what fills up
}

func (b *Bins) other() int { return b.ranges - 1 }

func (b *Bins) nan() int { return b.ranges }

// Null returns the bin of nulls.
func (b *Bins) Null() int { return b.ranges + 1 }

// Name names a bin as reports do.
func (b *Bins) Name(bin int) string {
	switch {
	case bin == b.Null():
		return "null"
	case bin == b.nan():
		return "nan"
	case bin == b.other() && !b.isEdge:
		return "other"
	}
	return strconv.Itoa(bin)
}

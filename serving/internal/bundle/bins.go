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
const maxBins = 63

// Bins are the ranges or categories that a feature's values are counted into. They are numbered: of n edges
// the ranges are 0 to n, of n categories 0 to n-1 and the rest is one more; then come NaN and null.
type Bins struct {
	ID     string              // of the edges: counts under one ID add up
	Size   int                 // how many bins there are, null's included
	ranges int                 // or categories, without the three special bins
	edges  [maxBins + 1]uint64 // each less one, so that a value has reached an edge that lies below it
	base   int                 // 1 where the least edge is the least integer, which every value has reached
	many   bool                // edges, more than fifteen
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

// setEdges keeps edges as words that compare as unsigned numbers, filled up with the greatest, which nothing
// reaches: so a search takes the same few steps for every value.
func (b *Bins) setEdges(dtype row.Dtype, given []json.RawMessage) error {
	b.many = len(given) > 15
	for i := range b.edges {
		b.edges[i] = math.MaxUint64
	}
	last := uint64(0)
	for i, raw := range given {
		value, err := row.ParseValue(dtype, raw)
		if err != nil {
			return fmt.Errorf("edges[%d]: %w", i, err)
		}
		edge := ordered(dtype, value.Word)
		if i > 0 && edge <= last {
			return fmt.Errorf("edges[%d] does not lie above the one before it", i)
		}
		last = edge
		if edge == 0 {
			b.base = 1
			continue
		}
		b.edges[i-b.base] = edge - 1
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
	at := uint64(0)
	if b.many {
		at = step(&b.edges, value, at, 32)
		at = step(&b.edges, value, at, 16)
	}
	at = step(&b.edges, value, at, 8)
	at = step(&b.edges, value, at, 4)
	at = step(&b.edges, value, at, 2)
	at = step(&b.edges, value, at, 1)
	return b.base + int(at)
}

// step goes on by width where the value has reached that edge. Values are in no order, so that a branch would be
// guessed wrong half the time: the borrow of a subtraction tells the same without one.
func step(edges *[maxBins + 1]uint64, value, at, width uint64) uint64 {
	_, reached := bits.Sub64(edges[(at+width-1)%(maxBins+1)], value, 0)
	return at + width&-reached
}

// CountFloats counts float64s by their bits into counts, which has Size places.
func (b *Bins) CountFloats(words, counts []uint64) {
	if b.many {
		for _, word := range words {
			counts[b.OfFloat(word)]++
		}
		return
	}
	counts = counts[b.base:]
	for _, word := range words {
		if word<<1 > 0x7ff<<53 {
			counts[b.nan()-b.base]++
			continue
		}
		value := orderedFloat(word)
		at := step(&b.edges, value, 0, 8)
		at = step(&b.edges, value, at, 4)
		at = step(&b.edges, value, at, 2)
		at = step(&b.edges, value, at, 1)
		counts[at]++
	}
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

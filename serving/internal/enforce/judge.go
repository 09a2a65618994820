package enforce

import (
	"math"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/row"
)

// Column is one feature of a view in a request, being judged.
type Column struct {
	Feature *bundle.Feature // nil for a retired one
	Cells   *row.Column     // decoded; ignored for a retired feature
	Marks   []Mark          // the result, one for each row
	Tally   Tally

	fresh int // so many of the first marks are known to be fresh, and need not be made so for the next request
}

// Judge gives every value its mark, and sets rejected[i] where an action rejects row i.
func (c *Column) Judge(t *Table, rules *Rules, rejected []bool) {
	states := t.States
	c.Marks = resized(c.Marks, len(states))
	c.Tally = Tally{}
	var fresh uint64
	switch {
	case c.Feature == nil:
		c.judgeRetired(rules, rejected)
		return
	case c.Cells.Whole && t.Unenforced:
		c.freshen()
		fresh = uint64(len(c.Marks))
	case c.Cells.Whole: // only where all rows are young
		fresh = c.judgeWhole(rules, rejected)
	case c.Feature.Dtype.IsFloat() && c.Feature.Dtype.IsFixed():
		fresh = c.judgeFloats(states, rules, rejected)
	case c.Feature.Dtype.IsInteger() && c.Feature.Dtype.IsFixed() && c.Feature.Checks.AllowedInts == nil:
		fresh = c.judgeIntegers(states, rules, rejected)
	default:
		for i := range states {
			c.judgeOne(i, states[i], rules, rejected)
		}
	}
	c.Tally.Verdicts[Fresh] += fresh
	c.Tally.Actions[bundle.Serve] += fresh
}

// freshen makes all marks fresh, which is their zero value.
func (c *Column) freshen() {
	if c.fresh < len(c.Marks) {
		clear(c.Marks[c.fresh:])
		c.fresh = len(c.Marks)
	}
}

// judgeWhole looks at the values only: their rows are young, and none is null. Marks start as fresh.
func (c *Column) judgeWhole(rules *Rules, rejected []bool) uint64 {
	c.freshen()
	outside := 0
	checks, dtype := &c.Feature.Checks, c.Feature.Dtype
	switch {
	case dtype.IsFloat():
		low, high := c.floatBounds()
		if low >= 0 && high >= low {
			low, high = max(low, 0), max(high, 0) // neither is -0.0, the greatest word but for the negative ones
			return c.judgeWords(math.Float64bits(low), math.Float64bits(high), rules, rejected)
		}
		for i, word := range c.Cells.Words {
			if value := math.Float64frombits(word); !(value >= low && value <= high) {
				c.judgeOne(i, Young, rules, rejected)
				outside++
			}
		}
	case dtype.IsInteger() && checks.AllowedInts == nil && checks.MinInt <= checks.MaxInt:
		return c.judgeWords(uint64(checks.MinInt), uint64(checks.MaxInt), rules, rejected)
	case dtype.IsFixed() && !dtype.IsInteger(): // a bool has no domain to break
	case !dtype.IsFixed() && checks.AllowedTexts == nil && checks.Pattern == nil:
		for i, blob := range c.Cells.Blobs {
			// Bytes are no fewer than characters, so a text that is too long is among these.
			if checks.MaxLength >= 0 && len(blob) > checks.MaxLength {
				c.judgeOne(i, Young, rules, rejected)
				outside++
			}
		}
	default:
		for i := range c.Marks {
			c.judgeOne(i, Young, rules, rejected)
		}
		outside = len(c.Marks)
	}
	return uint64(len(c.Marks) - outside)
}

// judgeWords looks at words whose order is that of their values from low to high, going round from the greatest
// word to 0: integers, and floats that are not negative. One comparison then does for both bounds. What lies
// outside is looked at again, so a word too many there changes nothing. From 0 it is enough to know the greatest.
func (c *Column) judgeWords(low, high uint64, rules *Rules, rejected []bool) uint64 {
	if low == 0 && c.Cells.AtMost(high) {
		return uint64(len(c.Marks))
	}
	outside, width, words, at := 0, high-low, c.Cells.Words, 0
	for ; at+8 <= len(words); at += 8 {
		w := (*[8]uint64)(words[at:])
		if w[0]-low <= width && w[1]-low <= width && w[2]-low <= width && w[3]-low <= width &&
			w[4]-low <= width && w[5]-low <= width && w[6]-low <= width && w[7]-low <= width {
			continue
		}
		for i, word := range w {
			if word-low > width {
				c.judgeOne(at+i, Young, rules, rejected)
				outside++
			}
		}
	}
	for ; at < len(words); at++ {
		if words[at]-low > width {
			c.judgeOne(at, Young, rules, rejected)
			outside++
		}
	}
	return uint64(len(c.Marks) - outside)
}

// floatBounds are those of the short way: they exclude infinities and NaN.
func (c *Column) floatBounds() (low, high float64) {
	return max(c.Feature.Checks.MinFloat, -math.MaxFloat64), min(c.Feature.Checks.MaxFloat, math.MaxFloat64)
}

// judgeFloats takes the short way for what is nearly always the case, and returns how often.
func (c *Column) judgeFloats(states []State, rules *Rules, rejected []bool) uint64 {
	low, high := c.floatBounds()
	cells, words, marks := c.Cells.Cells[:len(states)], c.Cells.Words[:len(states)], c.Marks[:len(states)]
	var fresh uint64
	for i, state := range states {
		value := math.Float64frombits(words[i])
		if state == Young && cells[i] == row.Present && value >= low && value <= high {
			marks[i] = Mark{}
			fresh++
			continue
		}
		c.judgeOne(i, state, rules, rejected)
	}
	return fresh
}

func (c *Column) judgeIntegers(states []State, rules *Rules, rejected []bool) uint64 {
	low, high := c.Feature.Checks.MinInt, c.Feature.Checks.MaxInt
	cells, words, marks := c.Cells.Cells[:len(states)], c.Cells.Words[:len(states)], c.Marks[:len(states)]
	var fresh uint64
	for i, state := range states {
		value := int64(words[i])
		if state == Young && cells[i] == row.Present && value >= low && value <= high {
			marks[i] = Mark{}
			fresh++
			continue
		}
		c.judgeOne(i, state, rules, rejected)
	}
	return fresh
}

func (c *Column) judgeOne(i int, state State, rules *Rules, rejected []bool) {
	cell, reason := c.classify(i, state)
	mark := rules[state][cell]
	if mark.Verdict == Invalid && mark.Reason == NoReason {
		mark.Reason = reason
	}
	c.record(i, mark, rejected)
}

func (c *Column) record(i int, mark Mark, rejected []bool) {
	c.Marks[i] = mark
	c.fresh = min(c.fresh, i)
	c.Tally.Verdicts[mark.Verdict]++
	c.Tally.Actions[mark.Action]++
	if mark.AlsoInvalid {
		c.Tally.AlsoInvalid++
	}
	if mark.Action == bundle.Reject {
		rejected[i] = true
	}
}

// classify looks at the cell alone; rows without values have no cells to look at.
func (c *Column) classify(i int, state State) (class, Reason) {
	if state > Undated {
		return lacking, NoReason
	}
	switch c.Cells.Cells[i] {
	case row.Absent:
		return lacking, NoReason
	case row.Null:
		if c.Feature.Nullable {
			return empty, NoReason
		}
		return broken, NotNullable
	case row.Mistyped:
		return broken, WrongType
	case row.Broken:
		return broken, Corrupt
	}
	if reason := violation(c.Feature, c.Cells, i); reason != NoReason {
		return broken, reason
	}
	return sound, NoReason
}

// judgeRetired: a feature that left the contract is missing from every row, whatever its state.
func (c *Column) judgeRetired(rules *Rules, rejected []bool) {
	mark := rules[Gone][lacking]
	mark.Reason = Retired
	for i := range c.Marks {
		c.record(i, mark, rejected)
	}
}

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
}

// Judge gives every value its mark, and sets rejected[i] where an action rejects row i.
func (c *Column) Judge(states []State, rules *Rules, rejected []bool) {
	c.Marks = resized(c.Marks, len(states))
	c.Tally = Tally{}
	var fresh uint64
	switch {
	case c.Feature == nil:
		c.judgeRetired(rules, rejected)
		return
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

// judgeFloats takes the short way for what is nearly always the case, and returns how often. The
// bounds of the short way exclude infinities and NaN.
func (c *Column) judgeFloats(states []State, rules *Rules, rejected []bool) uint64 {
	low := max(c.Feature.Checks.MinFloat, -math.MaxFloat64)
	high := min(c.Feature.Checks.MaxFloat, math.MaxFloat64)
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

package lookup

import (
	"time"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/row"
)

// Answer is a judged lookup. It belongs to a request until it is released, and is then reused:
// nothing of it may be kept.
type Answer struct {
	Bundle       *bundle.Bundle
	Project      *bundle.Project
	Service      *bundle.Service // nil without one
	NowUS        int64
	Took         time.Duration // from the request's start until it was judged
	Rows         int
	Columns      []*Column // in the order asked for
	Views        []*View
	Rejected     []bool // by row
	RejectedRows int
	MaxRejected  float64
	Failure      *Error // why the caller gets no values; nil: the caller gets them

	columns []Column // the memory behind Columns, Views and the reads, kept from request to request
	views   []*View
	groups  []group
	none    [][]byte
}

// View is one feature view of an answer.
type View struct {
	View     *bundle.View
	Terms    bundle.Terms
	Rules    enforce.Rules
	Marks    enforce.Watermarks
	Table    enforce.Table
	Rejected []bool // rows that this view's values reject, or under observe would
	Damage   enforce.Damage
	Columns  []*Column
	Rendered []byte // what the renderer writes once for all of the view's columns

	group int
	place int // rank among the group's views
}

// Column is one feature of an answer.
type Column struct {
	Ref  bundle.Ref
	View *View
	enforce.Column
	cells row.Column
}

// Source says where the value that the caller gets comes from.
type Source uint8

// The sources.
const (
	Nothing Source = iota // null
	Stored
	Default
)

// Source returns where the value of row i comes from, after all actions.
func (a *Answer) Source(c *Column, i int) Source {
	if a.Rejected[i] || c.Feature == nil {
		return Nothing
	}
	mark := c.Marks[i]
	if mark.Verdict == enforce.Fresh {
		return Stored
	}
	action := mark.Action
	if c.View.View.Observe {
		action = bundle.Serve
	}
	switch {
	case action == bundle.Serve && c.cells.Cells[i] == row.Present:
		return Stored
	case action == bundle.Default && c.Feature.HasDefault:
		return Default
	}
	return Nothing
}

// Value returns what the caller gets for row i; false for null.
func (a *Answer) Value(c *Column, i int) (row.Value, bool) {
	switch a.Source(c, i) {
	case Stored:
		return c.cells.Value(i), true
	case Default:
		return c.Feature.Default, true
	}
	return row.Value{}, false
}

// IsPlain tells whether the caller gets every value of the column as it is stored, all fresh: nearly
// always so, and then nothing need be asked value by value. Never so for a retired feature, whose cells
// are an earlier request's.
func (a *Answer) IsPlain(c *Column) bool {
	return c.Feature != nil && a.RejectedRows == 0 && c.Tally.Verdicts[enforce.Fresh] == uint64(a.Rows)
}

// Stored returns what row i holds, whatever the caller gets; false for a null and for what cannot be told.
func (c *Column) Stored(i int) (row.Value, bool) {
	if c.Feature == nil || c.cells.Cells[i] != row.Present {
		return row.Value{}, false
	}
	return c.cells.Value(i), true
}

// Shown returns the verdict of row i that Feast's statuses tell: a fresh value in a rejected row is a null.
func (a *Answer) Shown(c *Column, i int) enforce.Verdict {
	verdict := c.Marks[i].Verdict
	if verdict == enforce.Fresh && a.Rejected[i] {
		return enforce.Null
	}
	return verdict
}

// Status returns what Feast calls the verdict of row i.
func (a *Answer) Status(c *Column, i int) string { return a.Shown(c, i).Status() }

// Tally adds up the counts of all columns.
func (a *Answer) Tally() enforce.Tally {
	var sum enforce.Tally
	for _, column := range a.Columns {
		sum.Add(&column.Tally)
	}
	return sum
}

// ColumnName is the name that the caller knows the column by.
func (c *Column) ColumnName(full bool) string { return c.Ref.ColumnName(full) }

// Key returns the entity key of row i as the view's store key has it, nil for a retired view.
func (a *Answer) Key(view *View, i int) []byte {
	if view.group < 0 {
		return nil
	}
	return a.groups[view.group].read.Keys[i]
}

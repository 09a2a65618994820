// Package enforce judges stored values under a contract: ages, verdicts, actions (docs: contracts).
// It is pure: rows, watermarks and the time come in, verdicts go out, and nothing is allocated.
package enforce

import "freshline/serving/internal/bundle"

// Verdict says what a value is worth, the first that applies.
type Verdict uint8

// The verdicts.
const (
	Fresh Verdict = iota
	Null
	Missing
	Stale
	Invalid
	Unavailable

	VerdictCount = 6
)

// String names the verdict as contracts do.
func (v Verdict) String() string {
	return [VerdictCount]string{"fresh", "null", "missing", "stale", "invalid", "unavailable"}[v]
}

// Status is the verdict in Feast's words.
func (v Verdict) Status() string {
	return [VerdictCount]string{
		"PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE", "INVALID", "NOT_FOUND",
	}[v]
}

// Reason says why a verdict is neither fresh nor null.
type Reason uint8

// The reasons.
const (
	NoReason Reason = iota
	Retired
	LackingInLayout
	AbsentRow
	Tombstone
	UnavailableRow
	Corrupt
	TooOld
	NoEvidence
	NotNullable
	WrongType
	BelowMin
	AboveMax
	NotAllowed
	TooLong
	NoMatch
	TooFewItems
	TooManyItems
	NotANumber
	Infinite

	reasonCount
)

// String names the reason as contracts do; "" for none.
func (r Reason) String() string {
	return [reasonCount]string{
		"", "retired", "layout", "absent", "tombstone", "unavailable", "corrupt", "age", "no_evidence",
		"not_nullable", "type", "min", "max", "allowed", "max_length", "pattern",
		"min_items", "max_items", "nan", "inf",
	}[r]
}

// Mark is the judgement of one value.
type Mark struct {
	Verdict     Verdict
	Action      bundle.Action
	Reason      Reason
	AlsoInvalid bool // stale and invalid at once
}

// Tally counts the values of one feature, or of several.
type Tally struct {
	Verdicts    [VerdictCount]uint64
	Actions     [bundle.ActionCount]uint64
	AlsoInvalid uint64
}

// Add adds another tally's counts.
func (t *Tally) Add(other *Tally) {
	for i, n := range other.Verdicts {
		t.Verdicts[i] += n
	}
	for i, n := range other.Actions {
		t.Actions[i] += n
	}
	t.AlsoInvalid += other.AlsoInvalid
}

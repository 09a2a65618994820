package enforce

import (
	"math"
	"unicode/utf8"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/row"
)

// violation returns why a present value breaks the feature's domain, NoReason when it keeps it.
// Where several checks fail, the first in the order of contracts speaks.
func violation(feature *bundle.Feature, column *row.Column, i int) Reason {
	checks, dtype := &feature.Checks, feature.Dtype
	switch {
	case dtype.IsList():
		return violationOfList(checks, dtype, column.Blobs[i])
	case dtype.IsFixed():
		return violationOfWord(checks, dtype, column.Words[i])
	}
	return violationOfText(checks, dtype, column.Blobs[i])
}

func violationOfWord(checks *bundle.Checks, element row.Dtype, word uint64) Reason {
	switch {
	case element.IsFloat():
		return violationOfFloat(checks, math.Float64frombits(word))
	case element.IsInteger():
		return violationOfInteger(checks, int64(word))
	}
	return NoReason
}

func violationOfFloat(checks *bundle.Checks, value float64) Reason {
	switch {
	case math.IsNaN(value) && !checks.AllowNaN:
		return NotANumber
	case math.IsInf(value, 0) && !checks.AllowInf:
		return Infinite
	case value < checks.MinFloat: // an allowed NaN compares with nothing
		return BelowMin
	case value > checks.MaxFloat:
		return AboveMax
	}
	return NoReason
}

func violationOfInteger(checks *bundle.Checks, value int64) Reason {
	switch {
	case value < checks.MinInt:
		return BelowMin
	case value > checks.MaxInt:
		return AboveMax
	case checks.AllowedInts != nil:
		if _, ok := checks.AllowedInts[value]; !ok {
			return NotAllowed
		}
	}
	return NoReason
}

func violationOfText(checks *bundle.Checks, element row.Dtype, text []byte) Reason {
	if element == row.Bytes {
		if checks.MaxLength >= 0 && len(text) > checks.MaxLength {
			return TooLong
		}
		return NoReason
	}
	if checks.AllowedTexts != nil {
		if _, ok := checks.AllowedTexts[string(text)]; !ok {
			return NotAllowed
		}
	}
	if checks.MaxLength >= 0 && len(text) > checks.MaxLength && utf8.RuneCount(text) > checks.MaxLength {
		return TooLong
	}
	if checks.Pattern != nil && !checks.Pattern.Match(text) {
		return NoMatch
	}
	return NoReason
}

func violationOfList(checks *bundle.Checks, dtype row.Dtype, blob []byte) Reason {
	items := row.Items(dtype, blob)
	if items < checks.MinItems {
		return TooFewItems
	}
	if checks.MaxItems >= 0 && items > checks.MaxItems {
		return TooManyItems
	}
	element := dtype.Element()
	for i := range items {
		var reason Reason
		if element.Width() > 0 {
			reason = violationOfWord(checks, element, row.Word(dtype, blob, i))
		} else {
			reason = violationOfText(checks, element, row.Text(blob, i))
		}
		if reason != NoReason {
			return reason
		}
	}
	return NoReason
}

package bundle

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"

	"freshline/serving/internal/row"
)

// Checks are the domain of a feature, ready to be applied to stored values. Bounds are inclusive
// and always set: a feature without min has the least value of its kind.
type Checks struct {
	MinInt, MaxInt     int64
	MinFloat, MaxFloat float64
	AllowNaN, AllowInf bool
	AllowedInts        map[int64]struct{}
	AllowedTexts       map[string]struct{}
	MaxLength          int // -1: any
	MinItems, MaxItems int // MaxItems -1: any
	Pattern            *regexp.Regexp
}

func (d featureDocument) checks(dtype row.Dtype) (Checks, error) {
	c := Checks{
		MinInt: math.MinInt64, MaxInt: math.MaxInt64,
		MinFloat: math.Inf(-1), MaxFloat: math.Inf(1),
		AllowNaN: d.AllowNaN, AllowInf: d.AllowInf,
		MaxLength: -1, MaxItems: -1,
	}
	if err := c.setBounds(dtype, d.Min, d.Max); err != nil {
		return c, err
	}
	if err := c.setAllowed(dtype, d.Allowed); err != nil {
		return c, err
	}
	if d.MaxLength != nil {
		c.MaxLength = *d.MaxLength
	}
	if d.MinItems != nil {
		c.MinItems = *d.MinItems
	}
	if d.MaxItems != nil {
		c.MaxItems = *d.MaxItems
	}
	if d.Pattern != nil {
		pattern, err := regexp.Compile(`\A(?:` + *d.Pattern + `)\z`)
		if err != nil {
			return c, fmt.Errorf("pattern: %w", err)
		}
		c.Pattern = pattern
	}
	return c, nil
}

func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

func (c *Checks) setBounds(dtype row.Dtype, low, high json.RawMessage) error {
	var err error
	if given(low) && dtype.IsFloat() {
		c.MinFloat, err = row.ParseFloat(low)
	} else if given(low) && dtype.IsInteger() {
		c.MinInt, err = integerBound(low, math.Ceil)
	}
	if err != nil {
		return fmt.Errorf("min: %w", err)
	}
	if given(high) && dtype.IsFloat() {
		c.MaxFloat, err = row.ParseFloat(high)
	} else if given(high) && dtype.IsInteger() {
		c.MaxInt, err = integerBound(high, math.Floor)
	}
	if err != nil {
		return fmt.Errorf("max: %w", err)
	}
	return nil
}

// integerBound reads a bound of integers; a fraction is rounded inwards, which bounds the same integers.
func integerBound(raw json.RawMessage, inwards func(float64) float64) (int64, error) {
	if number, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return number, nil
	}
	float, err := row.ParseFloat(raw)
	switch {
	case err != nil || math.IsNaN(float):
		return 0, fmt.Errorf("%s is no number", raw)
	case float >= 1<<63:
		return math.MaxInt64, nil
	case float < -1<<63:
		return math.MinInt64, nil
	}
	return int64(inwards(float)), nil
}

// setAllowed keeps the allowed values of integers and strings; for other dtypes the list has no meaning.
func (c *Checks) setAllowed(dtype row.Dtype, allowed []json.RawMessage) error {
	element := dtype.Element()
	switch {
	case allowed == nil:
		return nil
	case element == row.Int32 || element == row.Int64:
		c.AllowedInts = make(map[int64]struct{}, len(allowed))
	case element == row.String:
		c.AllowedTexts = make(map[string]struct{}, len(allowed))
	default:
		return nil
	}
	for i, raw := range allowed {
		value, err := row.ParseValue(element, raw)
		if err != nil {
			return fmt.Errorf("allowed[%d]: %w", i, err)
		}
		if c.AllowedInts != nil {
			c.AllowedInts[int64(value.Word)] = struct{}{}
		} else {
			c.AllowedTexts[string(value.Blob)] = struct{}{}
		}
	}
	return nil
}

package lookup

import (
	"strconv"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/row"
)

// dummyKey is the join key of Feast's views that have no entity. Its one value is the empty text, and no caller
// needs to send it.
const dummyKey = "__dummy_id"

var dummyValue = []byte(`""`)

// passOver drops the columns that are no join key of the project: request data of features that Feast computes on
// demand. The columns that are left are those that the answer repeats.
func (r *Request) passOver(project *bundle.Project) error {
	kept := r.Entities[:0]
	for _, column := range r.Entities {
		if len(column.Values) != len(r.Entities[0].Values) {
			return unevenColumns(column.Name)
		}
		if _, known := project.JoinKeys[column.Name]; known && column.Name != dummyKey {
			kept = append(kept, column)
		}
	}
	r.Entities = kept
	return nil
}

// countRows is the number of rows before any column is dropped; a request without columns is about one row.
func countRows(entities []EntityColumn) int {
	if len(entities) == 0 {
		return 1
	}
	return len(entities[0].Values)
}

// asKey returns a key's JSON as a join key of the dtype takes it: "1001" and 1001.0 are numbers, 7 is a text where the
// join key is one. The answer repeats it in this form, as Feast's does. What cannot be a key stays as it is.
func asKey(dtype row.Dtype, raw []byte) []byte {
	if len(raw) == 0 {
		return raw
	}
	first := raw[0]
	isNumber := first == '-' || first >= '0' && first <= '9'
	switch dtype {
	case row.Int32, row.Int64:
		if first == '"' && isInteger(raw[1:len(raw)-1]) {
			raw, isNumber = raw[1:len(raw)-1], true
		}
		if isNumber && !isPlain(raw) {
			return wholeNumber(raw)
		}
	case row.String:
		if isNumber {
			return append(append([]byte{'"'}, raw...), '"')
		}
	}
	return raw
}

// isPlain tells whether a number is written without a point and an exponent, as nearly every key is. Each key of
// each request is asked, so it is a loop: bytes.ContainsAny takes several times as long.
func isPlain(number []byte) bool {
	for _, digit := range number {
		if digit > '9' || digit == '.' {
			return false
		}
	}
	return true
}

func isInteger(text []byte) bool {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	for _, digit := range text {
		if digit < '0' || digit > '9' {
			return false
		}
	}
	// One with a zero in front is no JSON number, and would be repeated as one.
	return len(text) == 1 || len(text) > 1 && text[0] != '0'
}

// wholeNumber spells a number without fraction as an integer; another stays as it is.
func wholeNumber(raw []byte) []byte {
	float, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || float != float64(int64(float)) || float >= 1<<63 {
		return raw
	}
	return strconv.AppendInt(nil, int64(float), 10)
}

// Package watermark reads the watermark fields that every store keeps beside its rows.
package watermark

import (
	"strconv"
	"strings"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/row"
)

// Set files a watermark under its view; field is <view>/<lane>. A field of another shape is left
// alone: a newer writer may know lanes that we do not, and none of our rows came by them.
func Set(marks map[string]enforce.Watermarks, field string, us int64) {
	view, laneName, ok := strings.Cut(field, "/")
	lane, known := row.ParseLane(laneName)
	if !ok || !known {
		return
	}
	mark := marks[view]
	mark.US[lane], mark.Has[lane] = us, true
	marks[view] = mark
}

// Parse reads the value of a Redis field, <generation>:<microseconds>.
func Parse(value string) (int64, bool) {
	_, text, ok := strings.Cut(value, ":")
	us, err := strconv.ParseInt(text, 10, 64)
	return us, ok && err == nil
}

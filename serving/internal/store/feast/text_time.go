package feast

import (
	"strings"
	"time"
)

// parseTime reads an event time as Python's str(datetime) writes it, as microseconds: a date, a space or a T, the
// time of day with or without a fraction, and an offset from UTC, which is none where it is not given.
func parseTime(text string) (int64, error) {
	if len(text) < len(time.DateTime) || text[10] != ' ' && text[10] != 'T' || strings.Contains(text, ",") {
		return 0, errCorrupt
	}
	layout := "2006-01-02T15:04:05" // takes a fraction as well
	if strings.ContainsAny(text[len(layout):], "Z+-") {
		layout += "Z07:00"
	}
	at, err := time.Parse(layout, text[:10]+"T"+text[11:])
	if err != nil {
		return 0, errCorrupt
	}
	return at.UnixMicro(), nil
}

package app

import "runtime/debug"

// gcPercent lets the heap grow to five times what is kept before it is collected. What serving keeps is small,
// and what requests drop is most of it: Go's own 100 spent a fifth of a small lookup on collecting.
const gcPercent = 400

// TuneCollector sets how often the heap is collected, unless GOGC does. GOMEMLIMIT holds either way.
func TuneCollector(lookup func(string) (string, bool)) {
	if _, chosen := lookup("GOGC"); !chosen {
		debug.SetGCPercent(gcPercent)
	}
}

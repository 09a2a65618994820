package lookup

import (
	"bytes"
	"encoding/json"
	"strconv"
	"testing"

	"freshline/serving/internal/row"
)

// FuzzKeys: what a key becomes is JSON whenever it was, and becomes itself from then on.
func FuzzKeys(f *testing.F) {
	for _, key := range []string{`"1001"`, `1001.0`, `-0`, `"x"`, `null`, `1e400`, `"-"`, `"00"`} {
		f.Add([]byte(key))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		raw = bytes.TrimSpace(raw) // as the scanner hands values out
		if !json.Valid(raw) {
			return
		}
		for _, dtype := range []row.Dtype{row.Int32, row.Int64, row.String, row.Bytes} {
			once := asKey(dtype, raw)
			if !json.Valid(once) || string(asKey(dtype, once)) != string(once) {
				t.Errorf("%s as %s becomes %s", raw, dtype, once)
			}
		}
	})
}

// BenchmarkIntegerKeys measures what taking a key as Feast does costs where it is written as we write it already.
func BenchmarkIntegerKeys(b *testing.B) {
	keys := make([][]byte, 1000)
	for i := range keys {
		keys[i] = strconv.AppendInt(nil, int64(i), 10)
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range keys {
			keys[i] = asKey(row.Int64, keys[i])
		}
	}
}

package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"freshline/serving/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func accepts(text []byte) bool {
	scanner := New(text)
	_, err := scanner.Value()
	return err == nil && scanner.End() == nil
}

func TestTheScannerAcceptsWhatJSONIs(t *testing.T) {
	for _, text := range []string{
		`{}`, `[]`, ` [1 , 2.5e-3, -0, "x", true, false, null, {"a":{}}] `, `""`, `"\\\"\/\b\f\n\r\t\u00Ff"`, `0`, `-1E+5`,
	} {
		if !accepts([]byte(text)) {
			t.Errorf("%s is refused", text)
		}
	}
	for _, text := range []string{
		``, `{`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`, `{a:1}`, `01`, `1.`, `.5`, `-`, `1e`, `tru`, `nul`, `"`, `"\x"`, `"\u12"`,
		"\"\n\"", "\"\xff\"", `1 2`, `[1}`, `{"a":1,}`, `+1`, `NaN`, strings.Repeat("[", 100),
	} {
		if accepts([]byte(text)) {
			t.Errorf("%s is accepted", text)
		}
	}
}

// FuzzScan compares the scanner with the standard library, which is laxer about UTF-8 and nesting.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5e3,"\u00e9",null]}`, `"\ud83d\udeeb"`, `[[[[]]]]`, `-0.0`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ours := accepts(text)
		theirs := json.Valid(text)
		if ours && !theirs {
			t.Errorf("%q is accepted", text)
		}
		if !ours && theirs && utf8.Valid(text) && strings.Count(string(text), "[")+strings.Count(string(text), "{") < maxDepth {
			t.Errorf("%q is refused", text)
		}
	})
}

func FuzzText(f *testing.F) {
	f.Add([]byte(`"\ud83d\udeeb\n"`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !accepts(raw) || len(raw) == 0 || raw[0] != '"' {
			return
		}
		scanner := New(raw)
		value, _ := scanner.Value()
		ours, err := AppendText(nil, value)
		var theirs string
		if json.Unmarshal(value, &theirs) != nil || err != nil {
			return
		}
		if string(ours) != theirs {
			t.Errorf("%s is %q, want %q", value, ours, theirs)
		}
	})
}

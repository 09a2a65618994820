package jsonout

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"
	"unicode/utf8"

	"freshline/serving/internal/leaktest"
	"freshline/serving/internal/row"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func FuzzString(f *testing.F) {
	for _, text := range []string{"", "plain", "\"\\\n\r\t\x00\x1f", "é東\U0001f6eb", "\xff", "a\xffb\xc3", "\u2028"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var back string
		if err := json.Unmarshal(String(nil, text), &back); err != nil {
			t.Fatalf("%q is %s: %v", text, String(nil, text), err)
		}
		checkText(t, []byte(text))
		if utf8.ValidString(text) && back != text {
			t.Errorf("%q comes back as %q", text, back)
		}
		if string(String(nil, []byte(text))) != string(String(nil, text)) {
			t.Errorf("%q as bytes is %s", text, String(nil, []byte(text)))
		}
	})
}

func TestValuesOfEveryDtype(t *testing.T) {
	for _, test := range []struct{ dtype, stored, ours, feasts string }{
		{"int32", "-7", "-7", "-7"},
		{"int64", "9223372036854775807", "9223372036854775807", "9223372036854775807"},
		{"float32", "0.1", "0.1", "0.10000000149011612"},
		{"float64", `"NaN"`, `"NaN"`, `"NaN"`},
		{"bool", "true", "true", "true"},
		{"string", `"a\"b"`, `"a\"b"`, `"a\"b"`},
		{"bytes", `"AAE="`, `"AAE="`, `"AAE="`},
		{"timestamp", "1500000", "1500000", "1"},
		{"timestamp", "-1", "-1", "-1"},
		{"list<int64>", "[]", "[]", "[]"},
		{"list<float32>", "[0.1,2]", "[0.1,2.0]", "[0.10000000149011612,2.0]"},
		{"list<bool>", "[true,false]", "[true,false]", "[true,false]"},
		{"list<string>", `["a",""]`, `["a",""]`, `["a",""]`},
		{"list<timestamp>", "[2000000]", "[2000000]", "[2]"},
	} {
		dtype, err := row.ParseDtype(test.dtype)
		if err != nil {
			t.Fatal(err)
		}
		value, err := row.ParseValue(dtype, []byte(test.stored))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(Style{}.Value(nil, dtype, value)); got != test.ours {
			t.Errorf("%s %s: ours is %s, want %s", test.dtype, test.stored, got, test.ours)
		}
		if got := string(Style{Seconds: true, Widened: true}.Value(nil, dtype, value)); got != test.feasts {
			t.Errorf("%s %s: Feast's is %s, want %s", test.dtype, test.stored, got, test.feasts)
		}
	}
}

func TestTimes(t *testing.T) {
	for us, want := range map[int64]string{
		0:                     `"1970-01-01T00:00:00Z"`,
		250_000:               `"1970-01-01T00:00:00.250Z"`,
		1:                     `"1970-01-01T00:00:00.000001Z"`,
		-1:                    `"1969-12-31T23:59:59.999999Z"`,
		math.MaxInt64:         `"9999-12-31T23:59:59.999999Z"`,
		math.MinInt64:         `"0001-01-01T00:00:00Z"`,
		1_795_341_600_000_000: `"2026-11-22T10:00:00Z"`,
	} {
		if got := string(Time(nil, us)); got != want {
			t.Errorf("%d is %s, want %s", us, got, want)
		}
	}
}

func TestAColumnIsItsValuesOneByOne(t *testing.T) {
	for dtype, stored := range map[string][]string{
		"float64":       {"12.25", "-0.1", `"NaN"`, "1e300"},
		"float32":       {"0.1", "3", `"-Infinity"`},
		"int64":         {"-9223372036854775808", "7"},
		"int32":         {"-5", "2147483647"},
		"bool":          {"true", "false"},
		"string":        {`"N14228"`, `"a\"\u00e9\n"`, `""`},
		"bytes":         {`"AAE="`},
		"timestamp":     {"-1500000", "1795341600250000"},
		"list<float64>": {"[1.5,2]", "[]"},
		"list<string>":  {`["EWR","\"ORD"]`},
	} {
		parsed, err := row.ParseDtype(dtype)
		if err != nil {
			t.Fatal(err)
		}
		column := row.Column{Dtype: parsed}
		for _, style := range []Style{{}, {Seconds: true, Widened: true}} {
			column.Cells, column.Words, column.Blobs = nil, nil, nil
			var want []byte
			for _, text := range stored {
				value, err := row.ParseValue(parsed, []byte(text))
				if err != nil {
					t.Fatal(err)
				}
				column.Cells = append(column.Cells, row.Present)
				if parsed.IsFixed() {
					column.Words = append(column.Words, value.Word)
				} else {
					column.Blobs = append(column.Blobs, value.Blob)
				}
				want = append(style.Value(want, parsed, value), ',')
			}
			if got := style.Column(nil, &column); string(got) != string(want) {
				t.Errorf("%s in style %+v: %s, want %s", dtype, style, got, want)
			}
		}
	}
}

// FuzzTime compares with the standard library's own writing of times.
func FuzzTime(f *testing.F) {
	for _, us := range []int64{0, 1, -1, 250_000, 1_795_341_600_000_000, math.MaxInt64, math.MinInt64} {
		f.Add(us)
	}
	f.Fuzz(func(t *testing.T, us int64) {
		layout := "\"2006-01-02T15:04:05.000000Z\""
		switch {
		case us%1e6 == 0:
			layout = "\"2006-01-02T15:04:05Z\""
		case us%1e3 == 0:
			layout = "\"2006-01-02T15:04:05.000Z\""
		}
		if us < leastTimeUS || us > greatestTimeUS {
			return
		}
		if got, want := string(Time(nil, us)), time.UnixMicro(us).UTC().Format(layout); got != want {
			t.Errorf("%d is %s, want %s", us, got, want)
		}
	})
}

func TestATimeIsTheSameWhateverWasWrittenBefore(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var times Times
	at := int64(0)
	for range 10_000 {
		switch random.IntN(4) {
		case 0: // anywhere, before 1970 too
			at = random.Int64N(2*greatestTimeUS) - greatestTimeUS
		case 1: // the neighbourhood
			at += random.Int64N(4*usPerMinute) - 2*usPerMinute
		case 2:
			at -= at % usPerMinute
		}
		if got, want := string(times.Append(nil, at)), string(Time(nil, at)); got != want {
			t.Fatalf("%d is %s, alone it is %s", at, got, want)
		}
	}
}

func TestAppendingDoesNotAllocate(t *testing.T) {
	buffer := make([]byte, 0, 1024)
	var times Times
	value := row.Value{Word: math.Float64bits(12.25)}
	text := row.Value{Blob: []byte("N14228 é")}
	appendAll := func() {
		buffer = Style{}.Value(buffer[:0], row.Float64, value)
		buffer = Style{}.Value(buffer, row.String, text)
		buffer = times.Append(buffer, 1_795_341_600_250_000)
	}
	if n := testing.AllocsPerRun(100, appendAll); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

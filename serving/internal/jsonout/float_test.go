package jsonout

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"freshline/serving/internal/row"
)

func TestFloats(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0.0", 1: "1.0", -7: "-7.0", 0.1: "0.1", 12.25: "12.25", 1e15: "1000000000000000.0", 1e21: "1e+21", 1e-7: "1e-07",
		math.MaxFloat64: "1.7976931348623157e+308", math.SmallestNonzeroFloat64: "5e-324", 999999999999999: "999999999999999.0",
		math.Inf(1): `"Infinity"`, math.Inf(-1): `"-Infinity"`,
	} {
		if got := string(Float(nil, value, 64)); got != want {
			t.Errorf("%v is %s, want %s", value, got, want)
		}
	}
	if got := string(Float(nil, math.NaN(), 64)); got != `"NaN"` {
		t.Errorf("NaN is %s", got)
	}
	if got := string(Float(nil, float64(float32(0.1)), 32)); got != "0.1" {
		t.Errorf("a float32 of 0.1 is %s", got)
	}
}

// slowFloat is Float by means of the standard library, which finds the same digits in its own way.
func slowFloat(value float64, bits int) string {
	size := math.Abs(value)
	whole := value == math.Trunc(value)
	switch {
	case !(size <= math.MaxFloat64):
		return nameOf(value)
	case whole && size < 1e15:
		return strconv.FormatInt(int64(value), 10) + ".0"
	case size < 1e-6 || size >= 1e21:
		return strconv.FormatFloat(value, 'e', -1, bits)
	case whole:
		return strconv.FormatFloat(value, 'f', -1, bits) + ".0"
	}
	return strconv.FormatFloat(value, 'f', -1, bits)
}

// checkFloats writes values and their negatives as a column, alone and as float32, and compares.
func checkFloats(t *testing.T, values ...float64) {
	t.Helper()
	var column, narrow, one []byte
	for _, value := range values {
		for _, value := range []float64{value, -value} {
			word := []uint64{math.Float64bits(value)}
			want := slowFloat(value, 64)
			one = Float(one[:0], value, 64)
			column = float64s(column[:0], append(word, math.Float64bits(0.5), word[0]))
			if string(one) != want || string(column) != want+",0.5,"+want+"," || len(want) > floatWidth {
				t.Fatalf("%x is %s alone, %s in a column, want %s", word[0], one, column, want)
			}
			single := float64(float32(value))
			narrow, want = Float(narrow[:0], single, 32), slowFloat(single, 32)
			if string(narrow) != want || len(want) > floatWidth {
				t.Fatalf("float32 %x is %s, want %s", math.Float32bits(float32(value)), narrow, want)
			}
		}
	}
}

func neighbours(value float64) []float64 {
	return []float64{math.Nextafter(value, 0), value, math.Nextafter(value, math.Inf(1))}
}

func TestTheEdgesOfFloats(t *testing.T) {
	for _, test := range []struct {
		name  string
		value float64
		want  string
	}{
		{"minus zero has no sign", math.Copysign(0, -1), "0.0"},
		{"the least subnormal is one digit", 5e-324, "5e-324"},
		{"a subnormal that a multiple of ten reads back as", 1e-323, "1e-323"},
		{"the greatest subnormal", 0x0.fffffffffffffp-1022, "2.225073858507201e-308"},
		{"the least normal", 0x1p-1022, "2.2250738585072014e-308"},
		{"the greatest", math.MaxFloat64, "1.7976931348623157e+308"},
		{"the last power of ten that is exact", 1e22, "1e+22"},
		{"a power of ten at the bound of its interval", 1e23, "1e+23"},
		{"nearer to the even than to the shortest", 9.5e-5, "0.000095"},
		{"two decimals as near: the even one", 0x1p-44, "5.684341886080802e-14"},
		{"a bound counts where the fraction is even", 9007199254740992 * 2, "18014398509481984.0"},
		{"a power of two with a near neighbour below", 0x1p-1021, "4.450147717014403e-308"},
		{"below the last in fixed notation", math.Nextafter(1e-6, 0), "9.999999999999997e-07"},
		{"the last in fixed notation", 1e-6, "0.000001"},
		{"the longest", -1.2345678901234567e-6, "-0.0000012345678901234567"},
		{"the greatest in fixed notation", math.Nextafter(1e21, 0), "999999999999999900000.0"},
		{"the first beyond it", 1e21, "1e+21"},
		{"a half near the greatest that has one", 1<<51 + 0.5, "2251799813685248.5"},
		{"decimals where whole numbers have sixteen digits", 1e15 + 0.125, "1000000000000000.1"},
		{"nothing but nines", 0.9999999999999999, "0.9999999999999999"},
	} {
		if got := string(Float(nil, test.value, 64)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestFloatsNearPowersOfTwoAndTen(t *testing.T) {
	for q := -1074; q < 1024; q++ {
		checkFloats(t, neighbours(math.Ldexp(1, q))...)
		checkFloats(t, math.Ldexp(3, q-1), math.Ldexp(5, q-2))
	}
	for n := -323; n <= 308; n++ {
		for digit := 1; digit < 10; digit++ {
			value, _ := strconv.ParseFloat(strconv.Itoa(digit)+"e"+strconv.Itoa(n), 64)
			checkFloats(t, neighbours(value)...)
		}
	}
	for bits := range uint64(5000) { // the least subnormals, whose digits are few
		checkFloats(t, math.Float64frombits(bits), float64(math.Float32frombits(uint32(bits))))
	}
}

func TestDecimalsOfAnyLength(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 30_000 {
		whole, scale := random.Int64N(tenTo(1+random.IntN(17))), tenTo(random.IntN(18))
		checkFloats(t, float64(whole)/float64(scale))
	}
}

func tenTo(n int) int64 { return int64(tens[n]) }

func TestRandomFloats(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		checkFloats(t, math.Float64frombits(random.Uint64()), float64(math.Float32frombits(random.Uint32())),
			1000*random.Float64(), random.Float64(), float64(random.Float32()))
	}
}

// A column expects what came before: all digits, few, none, or something that is no number.
func TestAColumnOfFloatsMayChangeItsMind(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	kinds := []func() float64{
		func() float64 { return 1000 * random.NormFloat64() },
		func() float64 { return float64(random.IntN(20_000)-10_000) / 100 },
		func() float64 { return float64(random.IntN(2000) - 1000) },
		func() float64 { return math.Float64frombits(random.Uint64()) },
		func() float64 { return math.NaN() },
	}
	var words []uint64
	var want strings.Builder
	for range 10_000 {
		value := kinds[random.IntN(len(kinds))]()
		words = append(words, math.Float64bits(value))
		want.WriteString(slowFloat(value, 64) + ",")
	}
	if got := float64s(nil, words); string(got) != want.String() {
		t.Error("a column is not its values one by one")
	}
}

func TestShortDecimals(t *testing.T) {
	for _, test := range []struct {
		name  string
		value float64
		want  string
	}{
		{"four decimals", -12.3456, "-12.3456"},
		{"no more than are needed", 12.5, "12.5"},
		{"a whole number keeps a zero", 7, "7.0"},
		{"minus zero has no sign", math.Copysign(0, -1), "0.0"},
		{"zeros after the point", 0.0001, "0.0001"},
		{"fourteen digits", 9_999_999_999.9999, "9999999999.9999"},
		{"five decimals are too many", 0.00001, ""},
		{"nearly four decimals", math.Nextafter(12.3456, 0), ""},
		{"too great", 1e10, ""},
		{"no number", math.NaN(), ""},
		{"infinite", math.Inf(-1), ""},
	} {
		var to [room]byte
		if got := string(to[:putShort(&to, test.value)]); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func FuzzFloat(f *testing.F) {
	for _, value := range []float64{0, math.Copysign(0, -1), 5e-324, 0.1, 12.5, 1e23, 1e300, math.NaN(), math.Inf(1)} {
		f.Add(math.Float64bits(value))
	}
	f.Fuzz(func(t *testing.T, bits uint64) {
		value := math.Float64frombits(bits)
		checkFloats(t, value, float64(math.Float32frombits(uint32(bits))))
		text := Float(nil, value, 64)
		if !json.Valid(text) || !strings.ContainsAny(string(text), `.e"`) {
			t.Errorf("%v is %s", value, text)
		}
	})
}

func TestColumnsDoNotAllocate(t *testing.T) {
	full := []uint64{math.Float64bits(math.Pi), math.Float64bits(12.5), math.Float64bits(-1e300)}
	texts := [][]byte{[]byte("N14228"), []byte("EWR"), []byte("Zürich Flughafen")}
	buffer := make([]byte, 0, 4096)
	for name, column := range map[string]row.Column{
		"float64":   {Dtype: row.Float64, Words: full},
		"float32":   {Dtype: row.Float32, Words: full[:2]},
		"int64":     {Dtype: row.Int64, Words: full},
		"timestamp": {Dtype: row.Timestamp, Words: full},
		"string":    {Dtype: row.String, Blobs: texts},
	} {
		if n := testing.AllocsPerRun(100, func() { buffer = Style{}.Column(buffer[:0], &column) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

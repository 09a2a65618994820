package key

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"freshline/serving/internal/golden"
	"freshline/serving/internal/jsonscan"
	"freshline/serving/internal/leaktest"
	"freshline/serving/internal/row"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func encode(joinKeys []JoinKey, values [][]byte) ([]byte, error) {
	encoder, err := NewEncoder(joinKeys)
	if err != nil {
		return nil, err
	}
	encoded := encoder.AppendNames(nil)
	for i, joinKey := range encoder.JoinKeys() {
		if encoded, err = AppendValue(encoded, joinKey.Dtype, values[i]); err != nil {
			return nil, err
		}
	}
	return encoded, nil
}

func TestGoldenKeysEncodeToTheirBytes(t *testing.T) {
	var keys []struct {
		Name     string
		JoinKeys []struct {
			Name, Dtype string
			Value       json.RawMessage
		} `json:"join_keys"`
		Hex string
	}
	golden.Load(t, "keys.json", &keys)
	if len(keys) < 10 {
		t.Fatalf("only %d golden keys", len(keys))
	}
	for _, g := range keys {
		t.Run(g.Name, func(t *testing.T) {
			sorted := slices.Clone(g.JoinKeys)
			slices.SortFunc(sorted, func(a, b struct {
				Name, Dtype string
				Value       json.RawMessage
			}) int {
				return strings.Compare(a.Name, b.Name)
			})
			var joinKeys []JoinKey
			var values [][]byte
			for _, part := range sorted {
				dtype, err := row.ParseDtype(part.Dtype)
				if err != nil {
					t.Fatal(err)
				}
				joinKeys = append(joinKeys, JoinKey{part.Name, dtype})
				values = append(values, part.Value)
			}
			encoded, err := encode(joinKeys, values)
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(encoded); got != g.Hex {
				t.Errorf("encoded\n%s, want\n%s", got, g.Hex)
			}
		})
	}
}

func TestKeyValuesAreReadAsContractsSay(t *testing.T) {
	for _, test := range []struct {
		name  string
		dtype row.Dtype
		raw   string
		tail  string // the last bytes in hex; "" where the value is refused
	}{
		{"a whole number", row.Int64, `7`, "0700000000000000"},
		{"a number with a zero fraction", row.Int64, `7.0`, "0700000000000000"},
		{"a number in powers of ten", row.Int64, `7e2`, "bc02000000000000"},
		{"the greatest int64", row.Int64, `9223372036854775807`, "ffffffffffffff7f"},
		{"one more is refused", row.Int64, `9223372036854775808`, ""},
		{"the least int64", row.Int64, `-9223372036854775808`, "0000000000000080"},
		{"the greatest int32", row.Int32, `2147483647`, "ffffff7f"},
		{"one more is refused for int32", row.Int32, `2147483648`, ""},
		{"a fraction is refused", row.Int64, `7.5`, ""},
		{"a text is no number", row.Int64, `"7"`, ""},
		{"a bool is no number", row.Int64, `true`, ""},
		{"null is no key", row.Int64, `null`, ""},
		{"null is no text", row.String, `null`, ""},
		{"a number is no text", row.String, `7`, ""},
		{"a text", row.String, `"ab"`, "020000006162"},
		{"escapes are characters", row.String, `"\u00fc\n"`, "03000000c3bc0a"},
		{"a pair of surrogates is one character", row.String, `"\ud83d\udeeb"`, "04000000f09f9bab"},
		{"half a pair is refused", row.String, `"\ud83d"`, ""},
		{"half a pair before a letter is refused", row.String, `"\ud83d\u0041"`, ""},
		{"base64 is bytes", row.Bytes, `"/wA="`, "02000000ff00"},
		{"what is no base64 is refused", row.Bytes, `"/wA"`, ""},
	} {
		encoded, err := AppendValue(nil, test.dtype, []byte(test.raw))
		if test.tail == "" {
			if !errors.Is(err, ErrValue) {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if got := hex.EncodeToString(encoded); err != nil || !strings.HasSuffix(got, test.tail) {
			t.Errorf("%s: %s (%v), want ...%s", test.name, got, err, test.tail)
		}
	}
}

func TestJoinKeysThatCannotBeOnesAreRefused(t *testing.T) {
	for name, joinKeys := range map[string][]JoinKey{
		"out of order": {{"b", row.Int64}, {"a", row.Int64}},
		"twice":        {{"a", row.Int64}, {"a", row.Int64}},
		"a float":      {{"a", row.Float64}},
		"a list":       {{"a", row.ListOf(row.Int64)}},
	} {
		if _, err := NewEncoder(joinKeys); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestEncodingKeysDoesNotAllocate(t *testing.T) {
	buffer := make([]byte, 0, 256)
	number, text := []byte("1001"), []byte(`"N14228"`)
	encode := func() {
		buffer, _ = AppendValue(buffer[:0], row.Int64, number)
		buffer, _ = AppendValue(buffer, row.String, text)
	}
	if n := testing.AllocsPerRun(100, encode); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzKey(f *testing.F) {
	for _, seed := range []string{`1`, `-1.5e300`, `"a\u00e9"`, `"\ud83d\udeeb"`, `"/wA="`, `null`, `""`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		scanner := jsonscan.New(raw)
		value, err := scanner.Value()
		if err != nil || scanner.End() != nil {
			return
		}
		for _, dtype := range []row.Dtype{row.Int32, row.Int64, row.String, row.Bytes} {
			encoded, err := AppendValue(nil, dtype, value)
			if err == nil && len(encoded) < 8 {
				t.Errorf("%s as %s is %x", value, dtype, encoded)
			}
		}
	})
}

package grpcapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func field(number protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), content)
}

func scalar(number protowire.Number, word uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), word)
}

// column is an entry of the map of entities.
func column(name string, values ...[]byte) []byte {
	var repeated []byte
	for _, value := range values {
		repeated = append(repeated, field(1, value)...)
	}
	return field(3, append(field(1, []byte(name)), field(2, repeated)...))
}

func parsed(t *testing.T, parts ...[]byte) *onlineRequest {
	t.Helper()
	request := new(onlineRequest)
	if err := request.parse(slices.Concat(parts...)); err != nil {
		t.Fatal(err)
	}
	if err := request.columns(); err != nil {
		t.Fatal(err)
	}
	return request
}

func TestOfWhatIsGivenTwiceTheLaterCounts(t *testing.T) {
	features := field(2, field(1, []byte("v:a")))
	if r := parsed(t, field(1, []byte("s")), features); r.Service != "" || !slices.Equal(r.Features, []string{"v:a"}) {
		t.Errorf("features after a service: %q, %q", r.Service, r.Features)
	}
	if r := parsed(t, features, features, field(1, []byte("s"))); r.Service != "s" || r.Features != nil {
		t.Errorf("a service after features: %q, %q", r.Service, r.Features)
	}
	if r := parsed(t, features, features); len(r.Features) != 2 {
		t.Errorf("lists in two parts: %q", r.Features)
	}
	r := parsed(t, column("a", scalar(4, 1)), column("b"), column("a", scalar(4, 2), scalar(4, 3)))
	if len(r.Entities) != 2 || len(r.Entities[0].Values) != 2 || string(r.Entities[0].Values[0]) != "2" {
		t.Errorf("a join key given twice: %v", r.Entities)
	}
}

func TestEveryKindOfValueBecomesItsKey(t *testing.T) {
	double := protowire.AppendFixed64(protowire.AppendTag(nil, 5, protowire.Fixed64Type), math.Float64bits(1001))
	for _, test := range []struct {
		name  string
		value []byte
		want  string
	}{
		{"bytes", field(1, []byte("\x00\xff")), `"AP8="`},
		{"a string", field(2, []byte("é\"\n")), `"é\"\n"`},
		{"an int32 below 0", scalar(3, math.MaxUint64), `-1`},
		{"an int64", scalar(4, 1<<63), `-9223372036854775808`},
		{"a double", double, `1001`},
		{"a timestamp", scalar(8, 5), `5`},
		{"a bool", scalar(7, 1), `true`},
		{"a list", field(14, nil), `[]`},
		{"a null", scalar(19, 0), `null`},
		{"nothing", nil, `null`},
		{"a kind that nobody knows", field(99, []byte("x")), `null`},
		{"two kinds, of which the later counts", append(scalar(4, 1), field(2, []byte("x"))...), `"x"`},
		{"a number under a string's field", scalar(2, 1), `[]`},
	} {
		r := parsed(t, column("k", test.value))
		if got := string(r.Entities[0].Values[0]); got != test.want {
			t.Errorf("%s: %s", test.name, got)
		}
	}
}

func TestBytesAreToldApartFromTexts(t *testing.T) {
	both := append(field(1, []byte("x")), field(2, []byte("x"))...) // of which the later counts
	r := parsed(t, column("k", field(2, []byte("x")), field(1, []byte("x")), both), column("l", both))
	if !slices.Equal(r.Entities[0].Binary, []bool{false, true, false}) || r.Entities[1].Binary != nil || !r.Entities[0].Typed || !r.Entities[1].Typed {
		t.Errorf("read %+v", r.Entities)
	}
}

func TestMessagesThatAreNoneAreRefused(t *testing.T) {
	for name, data := range map[string][]byte{
		"half a tag":                 {0x80},
		"a length beyond the end":    {0x0a, 0x05, 'a'},
		"a service that is no text":  field(1, []byte("\xff")),
		"a feature that is no text":  field(2, field(1, []byte("\xff"))),
		"a join key that is no text": column("\xff"),
		"a key that is no text":      column("k", field(2, []byte("\xff"))),
		"a value that is a number":   field(3, append(field(1, []byte("k")), field(2, scalar(1, 1))...)),
		"a value cut short":          column("k", []byte{0x12, 0x05}),
		"a group without an end":     {0x3b},
	} {
		request := new(onlineRequest)
		err := request.parse(data)
		if err == nil {
			err = request.columns()
		}
		if err == nil {
			t.Errorf("%s is taken: %+v", name, request)
		}
	}
}

func TestJoinKeysWithoutEndAreRefused(t *testing.T) {
	var data []byte
	for i := range maxColumns {
		data = append(data, column(fmt.Sprint(i))...)
	}
	if err := new(onlineRequest).parse(data); err != nil {
		t.Errorf("%d join keys: %v", maxColumns, err)
	}
	for _, name := range []string{"one more", "0"} { // the same one again costs the same comparisons
		if err := new(onlineRequest).parse(append(data, column(name)...)); !errors.Is(err, errColumns) {
			t.Errorf("one more, %q: %v", name, err)
		}
	}
}

func FuzzRequest(f *testing.F) {
	f.Add(message("UA", "AA"))
	f.Add(slices.Concat(field(1, []byte("s")), column("k", scalar(4, 7), field(1, []byte("\xff"))), scalar(4, 1)))
	f.Add([]byte{0x1a, 0x02, 0x0b, 0x0c})
	f.Fuzz(func(t *testing.T, data []byte) {
		request := new(onlineRequest)
		if request.parse(data) != nil || request.columns() != nil {
			return
		}
		if request.Service != "" && request.Features != nil {
			t.Errorf("both a service and features: %q", data)
		}
		names := map[string]bool{}
		for i, column := range request.Entities {
			if names[column.Name] || len(column.Values) != len(request.keys[i].sent) {
				t.Errorf("column %q of %q", column.Name, data)
			}
			names[column.Name] = true
			for _, value := range column.Values {
				if text := string(value); !json.Valid(value) && text != "NaN" && text != "+Inf" && text != "-Inf" {
					t.Errorf("%s is no JSON, from %q", value, data)
				}
			}
		}
	})
}

package feast

import (
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"google.golang.org/protobuf/encoding/protowire"

	"freshline/serving/internal/golden"
	"freshline/serving/internal/row"
	"freshline/serving/internal/store/dynamo"
)

func TestFieldNamesAreFeasts(t *testing.T) {
	for feature, want := range map[string]string{"driver_stats:conv_rate": "fa731014"} {
		if got := hex.EncodeToString([]byte(fieldOf("driver_stats", "conv_rate"))); got != want {
			t.Errorf("%s is %s, want %s", feature, got, want)
		}
	}
}

func TestValuesThatNoFeatureHolds(t *testing.T) {
	varint := func(field protowire.Number, number uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), number)
	}
	for name, test := range map[string]struct {
		data  []byte
		dtype row.Dtype
		state stored
	}{
		"an empty value":                    {nil, row.Int64, null},
		"a null":                            {varint(19, 0), row.Int64, null},
		"an integer in a text":              {varint(4, 7), row.String, mistyped},
		"a wide integer in a narrow column": {varint(4, 7), row.Int32, mistyped},
		"a narrow one in a wide column":     {varint(3, 7), row.Int64, present},
		"a type that we have not":           {protowire.AppendBytes(protowire.AppendTag(nil, 20, protowire.BytesType), nil), row.Int64, mistyped},
		"a time that is null":               {varint(8, 1<<63), row.Timestamp, null},
		"a time beyond microseconds":        {varint(8, 1<<60), row.Timestamp, mistyped},
		"the last of two":                   {append(varint(4, 7), varint(7, 1)...), row.Bool, present},
	} {
		_, state, err := new(decoder).value(test.data, test.dtype)
		if err != nil || state != test.state {
			t.Errorf("%s: %v (%v)", name, state, err)
		}
	}
}

func TestListsAreReadPackedAndUnpacked(t *testing.T) {
	var unpacked []byte
	for _, number := range []uint64{1, 2} {
		unpacked = protowire.AppendVarint(protowire.AppendTag(unpacked, 1, protowire.VarintType), number)
	}
	data := protowire.AppendBytes(protowire.AppendTag(nil, 14, protowire.BytesType), unpacked)
	value, state, err := new(decoder).value(data, row.ListOf(row.Int64))
	if err != nil || state != present || row.Items(row.ListOf(row.Int64), value.Blob) != 2 || row.Word(row.ListOf(row.Int64), value.Blob, 1) != 2 {
		t.Errorf("%v %v (%v)", value, state, err)
	}
}

func TestBytesThatAreNoProtobufAreCorrupt(t *testing.T) {
	for _, data := range []string{"20", "08", "1205aa", "72030a05", "29000000", "0801", "72020801ff"} {
		for _, dtype := range []row.Dtype{row.Int64, row.Bytes, row.Float64, row.String, row.ListOf(row.Int64)} {
			_, state, err := new(decoder).value(unhex(t, data), dtype)
			if err == nil && state != mistyped {
				t.Errorf("%s as %s is %v", data, dtype, state)
			}
		}
	}
	for _, data := range []string{"08", "0a00", "10ffffffff0f", "1080a8d6b907ff"} {
		if us, err := decodeTime(unhex(t, data)); err == nil {
			t.Errorf("%s is the time %d", data, us)
		}
	}
}

func TestTimesAreReadAsPythonWritesThem(t *testing.T) {
	for text, want := range map[string]int64{
		"1970-01-01 00:00:00+00:00":        0,
		"2026-11-20 10:00:00.250000+00:00": 1795168800250000,
		"2026-11-20T10:00:00.25":           1795168800250000,
		"2026-11-20 15:30:00+05:30":        1795168800000000,
		"2026-11-20 10:00:00":              1795168800000000,
		"1969-12-31 23:59:59.999999":       -1,
	} {
		if got, err := parseTime(text); err != nil || got != want {
			t.Errorf("%s is %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "2026-11-20", "2026-11-20 10:00", "2026-13-20 10:00:00", "2026-11-20 10:00:00,5", "2026-11-20 10:00:00 UTC", "1795168800"} {
		if us, err := parseTime(text); err == nil {
			t.Errorf("%q is the time %d", text, us)
		}
	}
}

func TestItemsAreNamedAsFeastNamesThem(t *testing.T) {
	for key, want := range map[string]string{string(driver(1001)): "f3cfd4a822f245b63975464763babaec", "": "00000000000000000000000000000000"} {
		if got := entityID([]byte(key)); got != want {
			t.Errorf("%x is %s, want %s", key, got, want)
		}
	}
}

// FuzzTextTime holds that no text crashes the reader of times.
func FuzzTextTime(f *testing.F) {
	f.Add("2026-11-20 10:00:00.250000+00:00")
	f.Add("2026-11-20T10:00:00Z")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = parseTime(text) })
}

// FuzzItem holds that no item of DynamoDB crashes the reader, and that what it gives is a row or damage.
func FuzzItem(f *testing.F) {
	f.Add("2026-11-20 10:00:00+00:00", []byte{0x20, 7}, uint8(0))
	f.Add("", []byte{}, uint8(3))
	layout, err := row.NewLayout(1, []row.Spec{{Name: "x", Dtype: "int64"}, {Name: "y", Dtype: "list<string>"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, at string, value []byte, shape uint8) {
		attributes := []types.AttributeValue{
			&types.AttributeValueMemberB{Value: value}, &types.AttributeValueMemberS{Value: at}, &types.AttributeValueMemberNULL{Value: true}, nil,
		}
		item := dynamo.Item{timeName: &types.AttributeValueMemberS{Value: at}}
		values := map[string]types.AttributeValue{"x": attributes[shape&3], "y": attributes[shape>>2&3], "z": attributes[0]}
		item[valuesName] = &types.AttributeValueMemberM{Value: values}
		if shape&64 != 0 {
			item[valuesName] = attributes[shape>>4&1]
		}
		var e entry
		e.reset(len(layout.Fields))
		collect(item, layout, &e)
		data := e.pack(&packer{variants: newVariants()}, layout)
		var header row.Header
		if err := row.Verify(data, &header); err != nil && len(data) > 0 {
			t.Fatalf("a row that cannot be read: %v", err)
		}
	})
}

// FuzzValue holds that no bytes crash the decoder, and that what it takes makes a row that is read back.
func FuzzValue(f *testing.F) {
	var told written
	golden.Load(f, "feast_redis.json", &told)
	for _, record := range told.Records {
		for _, value := range record.Fields {
			for dtype := row.Int32; dtype <= row.Timestamp; dtype++ {
				f.Add(unhex(f, value), uint8(dtype))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, code uint8) {
		_, _ = decodeTime(data)
		dtype := row.Dtype(code)
		if _, err := row.ParseDtype(dtype.String()); err != nil {
			return
		}
		value, state, err := new(decoder).value(data, dtype)
		if err != nil || state != present {
			return
		}
		layout, err := row.NewLayout(1, []row.Spec{{Name: "x", Dtype: dtype.String()}})
		if err != nil {
			t.Fatal(err)
		}
		packed := row.Encode(row.Header{Layout: 1}, layout, []*row.Value{&value})
		var header row.Header
		if err := row.Verify(packed, &header); err != nil || !row.FitsLayout(packed, layout) {
			t.Fatalf("a row that cannot be read: %v", err)
		}
		var column row.Column
		column.Reset(dtype, 1)
		column.Fill([][]byte{packed}, []uint16{0}, 0, layout, layout.Fields[0])
	})
}

func hundred(tb testing.TB) (*row.Layout, [][]byte) {
	tb.Helper()
	specs, fields := make([]row.Spec, 100), make([][]byte, 100)
	for i := range specs {
		switch i % 10 {
		case 0, 1, 2, 3:
			specs[i].Dtype = "float64"
			fields[i] = protowire.AppendFixed64(protowire.AppendTag(nil, 5, protowire.Fixed64Type), 0x4059000000000000+uint64(i))
		case 4, 5, 6:
			specs[i].Dtype = "int64"
			fields[i] = protowire.AppendVarint(protowire.AppendTag(nil, 4, protowire.VarintType), uint64(i*7919))
		default:
			specs[i].Dtype = "string"
			fields[i] = protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), "twelve bytes")
		}
		specs[i].Name = fmt.Sprintf("feature_%d", i)
	}
	layout, err := row.NewLayout(1, specs)
	if err != nil {
		tb.Fatal(err)
	}
	return layout, fields
}

// BenchmarkPack is a lookup of 100 entities x 100 features, once the store has answered.
func BenchmarkPack(b *testing.B) {
	layout, fields := hundred(b)
	made := newVariants()
	b.ReportAllocs()
	for b.Loop() {
		p := packer{variants: made}
		for range 100 {
			p.pack(layout, 1, fields)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/value")
}

func TestPackingDoesNotAllocateForEachValue(t *testing.T) {
	layout, fields := hundred(t)
	p := packer{variants: newVariants()}
	allocations := testing.AllocsPerRun(20, func() {
		for range 100 {
			p.pack(layout, 1, fields)
		}
	})
	if allocations > 10 { // chunks of 64 KB, for 10,000 values
		t.Errorf("%v allocations", allocations)
	}
}

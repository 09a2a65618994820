package feast

import (
	"encoding/hex"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"freshline/serving/internal/golden"
	"freshline/serving/internal/row"
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

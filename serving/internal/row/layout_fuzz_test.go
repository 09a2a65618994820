package row

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzLayout reads any document as a layout; what is taken says the same when it is written and read again,
// and holds rows: nulls and zeros come back as nulls and zeros.
func FuzzLayout(f *testing.F) {
	f.Add([]byte(`[{"dtype":"float64","name":"x"},{"dtype":"list<string>","name":"é"},{"dtype":"bool","name":""}]`))
	f.Add([]byte(`[]`))
	f.Add([]byte(`[{"dtype":"list<list<int32>>","name":"x"}]`))
	f.Fuzz(func(t *testing.T, document []byte) {
		layout, err := ParseLayout(1, document)
		if err != nil {
			return
		}
		specs := make([]Spec, len(layout.Fields))
		values := make([]*Value, len(layout.Fields))
		for i, field := range layout.Fields {
			specs[i] = Spec{field.Name, field.Dtype.String()}
			if i%2 == 1 {
				values[i] = &Value{Blob: Pack(field.Dtype, nil)}
			}
		}
		again, _ := json.Marshal(specs)
		if second, err := ParseLayout(1, again); err != nil || len(second.Fields) != len(specs) {
			t.Fatalf("%s is read, %s is not: %v", document, again, err)
		}
		data := Encode(Header{Layout: 1}, layout, values)
		if err := Verify(data, new(Header)); err != nil || !FitsLayout(data, layout) {
			t.Fatalf("a row of %s is not read: %v", again, err)
		}
		for i, field := range layout.Fields {
			var column Column
			column.Reset(field.Dtype, 1)
			column.Fill([][]byte{data}, []uint16{0}, 0, layout, field)
			if want := [2]Cell{Null, Present}[i%2]; column.Cells[0] != want {
				t.Errorf("%s: column %d is %d, want %d", again, i, column.Cells[0], want)
			}
		}
	})
}

// FuzzEncode writes what it makes of its input as a row, which reads back as what was written.
func FuzzEncode(f *testing.F) {
	f.Add(int64(-1), uint64(1), uint8(2), true, []byte("text"), false)
	f.Add(int64(1_795_341_600_000_000), uint64(1)<<61, uint8(0), false, []byte{}, true)
	layout := mustLayout(f, 9, Spec{"w", "int64"}, Spec{"b", "bytes"}, Spec{"n", "int32"})
	f.Fuzz(func(t *testing.T, at int64, position uint64, lane uint8, held bool, blob []byte, null bool) {
		header := Header{
			EventTimeUS: at, WriteTimeUS: ^at, RunNumber: position ^ 7, Position: position & (1<<positionBits - 1),
			Layout: 9, Lane: Lane(lane % LaneCount), Held: held, Clamped: !held,
		}
		values := []*Value{{Word: uint64(at)}, {Blob: blob}, nil}
		if null {
			values[1] = nil
		}
		data := Encode(header, layout, values)
		var read Header
		if err := Verify(data, &read); err != nil || read != header {
			t.Fatalf("wrote %+v, read %+v: %v", header, read, err)
		}
		var word, text Column
		word.Reset(Int64, 1)
		text.Reset(Bytes, 1)
		word.Fill([][]byte{data}, []uint16{0}, 0, layout, layout.Fields[0])
		text.Fill([][]byte{data}, []uint16{0}, 0, layout, layout.Fields[1])
		if word.Words[0] != uint64(at) || (text.Cells[0] == Null) != null || !null && !bytes.Equal(text.Blobs[0], blob) {
			t.Errorf("wrote %d and %x (null: %v), read %d and %x", at, blob, null, word.Words[0], text.Blobs[0])
		}
	})
}

package row

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"testing"

	"freshline/serving/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func mustLayout(t testing.TB, number uint32, specs ...Spec) *Layout {
	t.Helper()
	layout, err := NewLayout(number, specs)
	if err != nil {
		t.Fatal(err)
	}
	return layout
}

// resealed gives changed bytes a checksum that fits them.
func resealed(data []byte) []byte {
	body := len(data) - checksumSize
	return binary.LittleEndian.AppendUint32(bytes.Clone(data[:body]), crc32.Checksum(data[:body], castagnoli))
}

func TestVerifyRefusesWhatIsNoRow(t *testing.T) {
	layout := mustLayout(t, 1, Spec{"x", "int64"})
	good := Encode(Header{EventTimeUS: 5, Lane: Direct}, layout, []*Value{{Word: 9}})
	flip := func(at int) []byte {
		data := bytes.Clone(good)
		data[at] ^= 1
		return data
	}
	version := bytes.Clone(good)
	version[16] = 2
	lane := bytes.Clone(good)
	lane[8] = 0xff
	flags, reserved := bytes.Clone(good), bytes.Clone(good)
	flags[17], reserved[19] = 8, 1
	for _, test := range []struct {
		name string
		data []byte
		want error
	}{
		{"a whole row is accepted", good, nil},
		{"nothing at all is too short", nil, ErrTooShort},
		{"a header without a checksum is too short", good[:headerSize], ErrTooShort},
		{"one flipped bit of the event time", flip(0), ErrChecksum},
		{"one flipped bit of a value", flip(len(good) - 6), ErrChecksum},
		{"one flipped bit of the checksum itself", flip(len(good) - 1), ErrChecksum},
		{"a missing last byte", good[:len(good)-1], ErrChecksum},
		{"a version of tomorrow", resealed(version), ErrVersion},
		{"a lane that nobody knows", resealed(lane), ErrLane},
		{"a flag of tomorrow", resealed(flags), ErrFlags},
		{"reserved bytes in use", resealed(reserved), ErrFlags},
	} {
		if err := Verify(test.data, new(Header)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

func TestEveryFlippedBitOfARowIsNoticed(t *testing.T) {
	layout := mustLayout(t, 1, Spec{"x", "int64"}, Spec{"s", "string"})
	good := Encode(Header{EventTimeUS: 5}, layout, []*Value{{Word: 9}, {Blob: []byte("text")}})
	for bit := range 8 * len(good) {
		data := bytes.Clone(good)
		data[bit/8] ^= 1 << (bit % 8)
		if err := Verify(data, new(Header)); err == nil {
			t.Fatalf("bit %d", bit)
		}
	}
}

func TestFitsLayoutRefusesRowsOfAnotherShape(t *testing.T) {
	two := mustLayout(t, 1, Spec{"s", "string"}, Spec{"u", "string"})
	data := Encode(Header{}, two, []*Value{{Blob: []byte("ab")}, {Blob: []byte("cd")}})
	if !FitsLayout(data, two) {
		t.Error("a row does not fit its own layout")
	}
	if wider := mustLayout(t, 1, Spec{"s", "string"}, Spec{"u", "string"}, Spec{"x", "int64"}); FitsLayout(data, wider) {
		t.Error("a row fits a layout with a column more")
	}
	falling := bytes.Clone(data)
	binary.LittleEndian.PutUint32(falling[two.ends:], 4)
	binary.LittleEndian.PutUint32(falling[two.ends+4:], 2)
	if FitsLayout(falling, two) {
		t.Error("end offsets may fall")
	}
	if FitsLayout(append(bytes.Clone(data), 0), two) {
		t.Error("bytes after the last value are overlooked")
	}
}

func fill(t *testing.T, stored, want string, value *Value) Column {
	t.Helper()
	layout := mustLayout(t, 1, Spec{"x", stored})
	data := Encode(Header{}, layout, []*Value{value})
	dtype, err := ParseDtype(want)
	if err != nil {
		t.Fatal(err)
	}
	var column Column
	column.Reset(dtype, 1)
	column.Fill([][]byte{data}, []uint16{0}, 0, layout, layout.Fields[0])
	return column
}

func TestOldRowsWidenAndNothingElseChangesType(t *testing.T) {
	negative := int64(-7)
	half := math.Float64bits(0.5)
	for _, test := range []struct {
		stored, want string
		value        *Value
		cell         Cell
		word         uint64
	}{
		{"int32", "int64", &Value{Word: uint64(negative)}, Present, uint64(negative)},
		{"float32", "float64", &Value{Word: half}, Present, half},
		{"int64", "int32", &Value{Word: 7}, Mistyped, 0},
		{"int64", "float64", &Value{Word: 7}, Mistyped, 0},
		{"timestamp", "int64", &Value{Word: 7}, Mistyped, 0},
		{"list<int32>", "list<int64>", &Value{Blob: []byte{1, 0, 0, 0}}, Mistyped, 0},
		{"string", "bytes", &Value{Blob: []byte("x")}, Mistyped, 0},
		{"int64", "string", nil, Null, 0},
	} {
		column := fill(t, test.stored, test.want, test.value)
		if column.Cells[0] != test.cell {
			t.Errorf("%s read as %s is cell %d, want %d", test.stored, test.want, column.Cells[0], test.cell)
		}
		if test.cell == Present && column.Words[0] != test.word {
			t.Errorf("%s read as %s is %x, want %x", test.stored, test.want, column.Words[0], test.word)
		}
	}
}

func TestBytesThatDoNotHaveTheirDtypesShapeAreBroken(t *testing.T) {
	for _, test := range []struct {
		name, dtype string
		value       Value
	}{
		{"a bool that is neither", "bool", Value{Word: 2}},
		{"a string that is no UTF-8", "string", Value{Blob: []byte{0xff}}},
		{"a list of half an element", "list<int64>", Value{Blob: make([]byte, 12)}},
		{"a list of strings without a count", "list<string>", Value{Blob: []byte{1}}},
		{"a list of strings that counts too many", "list<string>", Value{Blob: []byte{255, 255, 255, 255}}},
		{"a list of strings whose ends fall", "list<string>", Value{Blob: []byte{2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 'a', 'b'}}},
		{"a list of strings that ends too early", "list<string>", Value{Blob: []byte{1, 0, 0, 0, 1, 0, 0, 0, 'a', 'b'}}},
		{"a list of strings with a bad one", "list<string>", Value{Blob: []byte{1, 0, 0, 0, 1, 0, 0, 0, 0xff}}},
	} {
		if column := fill(t, test.dtype, test.dtype, &test.value); column.Cells[0] != Broken {
			t.Errorf("%s is cell %d, want broken", test.name, column.Cells[0])
		}
	}
}

func TestListsGiveTheirElements(t *testing.T) {
	blob := Pack(ListOf(String), []Value{{Blob: []byte("a")}, {}, {Blob: []byte("ccc")}})
	if n := Items(ListOf(String), blob); n != 3 {
		t.Fatalf("%d items", n)
	}
	for i, want := range []string{"a", "", "ccc"} {
		if got := string(Text(blob, i)); got != want {
			t.Errorf("element %d is %q, want %q", i, got, want)
		}
	}
	numbers := Pack(ListOf(Int32), []Value{{Word: 1}, {Word: ^uint64(0)}})
	if Items(ListOf(Int32), numbers) != 2 || int64(Word(ListOf(Int32), numbers, 1)) != -1 {
		t.Errorf("numbers are %x", numbers)
	}
}

func TestDtypesReadAsTheyAreWritten(t *testing.T) {
	for element := Int32; element <= Timestamp; element++ {
		for _, dtype := range []Dtype{element, ListOf(element)} {
			if parsed, err := ParseDtype(dtype.String()); err != nil || parsed != dtype {
				t.Errorf("%s reads as %s (%v)", dtype, parsed, err)
			}
		}
	}
	for _, name := range []string{"", "int", "list<>", "list<list<int32>>", "list<int32", "INT32"} {
		if _, err := ParseDtype(name); err == nil {
			t.Errorf("%q is a dtype", name)
		}
	}
}

func TestALayoutIsRefusedWhenItCannotBeOne(t *testing.T) {
	if _, err := NewLayout(1, []Spec{{"x", "int64"}, {"x", "int64"}}); err == nil {
		t.Error("a column may be named twice")
	}
	if _, err := ParseLayout(1, []byte(`{"x":1}`)); err == nil {
		t.Error("an object is a layout")
	}
}

func numericRows(b testing.TB, rows, columns int) ([][]byte, *Layout) {
	specs := make([]Spec, columns)
	values := make([]*Value, columns)
	for i := range specs {
		specs[i] = Spec{Name: string(rune('a'+i%26)) + string(rune('a'+i/26)), Dtype: "float64"}
		values[i] = &Value{Word: math.Float64bits(float64(i))}
	}
	layout := mustLayout(b, 1, specs...)
	data := make([][]byte, rows)
	for i := range data {
		data[i] = Encode(Header{EventTimeUS: int64(i)}, layout, values)
	}
	return data, layout
}

func TestDecodingDoesNotAllocate(t *testing.T) {
	rows, layout := numericRows(t, 50, 20)
	layoutOf := make([]uint16, len(rows))
	var column Column
	column.Reset(Float64, len(rows))
	decode := func() {
		for _, data := range rows {
			if err := Verify(data, new(Header)); err != nil {
				t.Fatal(err)
			}
		}
		for _, field := range layout.Fields {
			column.Reset(field.Dtype, len(rows))
			column.Fill(rows, layoutOf, 0, layout, field)
		}
	}
	if n := testing.AllocsPerRun(100, decode); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestDecodingStringsDoesNotAllocate(t *testing.T) {
	layout := mustLayout(t, 1, Spec{"s", "string"}, Spec{"l", "list<string>"})
	list := Pack(ListOf(String), []Value{{Blob: []byte("a")}, {Blob: []byte("b")}})
	rows := [][]byte{Encode(Header{}, layout, []*Value{{Blob: []byte("text")}, {Blob: list}})}
	var columns [2]Column
	decode := func() {
		for i, field := range layout.Fields {
			columns[i].Reset(field.Dtype, 1)
			columns[i].Fill(rows, []uint16{0}, 0, layout, field)
		}
	}
	decode()
	if n := testing.AllocsPerRun(100, decode); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// FuzzRow feeds arbitrary bytes, under a right checksum or a wrong one, to every step of reading.
func FuzzRow(f *testing.F) {
	for _, g := range loadRows(f) {
		data, err := hex.DecodeString(g.Hex)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, false)
	}
	specs := make([]Spec, 0, 16)
	for element := Int32; element <= Timestamp; element++ {
		specs = append(specs, Spec{element.String(), element.String()}, Spec{ListOf(element).String(), ListOf(element).String()})
	}
	layout := mustLayout(f, 1, specs...)
	f.Add(Encode(Header{}, layout, make([]*Value, len(specs))), true)
	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		if seal && len(data) >= headerSize+checksumSize {
			data = bytes.Clone(data)
			data[16] = formatVersion
			data = resealed(data)
		}
		if err := Verify(data, new(Header)); err != nil || !FitsLayout(data, layout) {
			return
		}
		for _, field := range layout.Fields {
			var column Column
			column.Reset(field.Dtype, 1)
			column.Fill([][]byte{data}, []uint16{0}, 0, layout, field)
			if column.Cells[0] != Present || !field.Dtype.IsList() {
				continue
			}
			value := column.Value(0)
			for i := range Items(field.Dtype, value.Blob) {
				if field.Dtype.Width() > 0 {
					Word(field.Dtype, value.Blob, i)
				} else {
					Text(value.Blob, i)
				}
			}
		}
	})
}

func TestTextIsASCIIOnlyWithoutAHighByteAnywhere(t *testing.T) {
	for size := range 40 {
		text := bytes.Repeat([]byte{0x7f}, size)
		if !isASCII(text) {
			t.Errorf("%d bytes of ASCII are taken for more", size)
		}
		for at := range text {
			text[at] = 0x80
			if isASCII(text) {
				t.Errorf("%d bytes with a high one at %d are taken for ASCII", size, at)
			}
			text[at] = 0x7f
		}
	}
}

func TestANullPastTheLastColumnIsNoRowOfItsLayout(t *testing.T) {
	for columns := range 18 {
		specs := make([]Spec, columns)
		for i := range specs {
			specs[i] = Spec{fmt.Sprint("c", i), "bool"}
		}
		layout := mustLayout(t, 1, specs...)
		data := Encode(Header{}, layout, make([]*Value, columns)) // all null
		if !FitsLayout(data, layout) {
			t.Errorf("%d nulls: refused", columns)
		}
		for bit := columns; bit < 8*layout.bitmap; bit++ {
			past := bytes.Clone(data)
			past[headerSize+bit/8] |= 1 << (bit % 8)
			if FitsLayout(past, layout) {
				t.Errorf("%d columns: a null in column %d is taken", columns, bit)
			}
		}
	}
}

func TestANullOverAValueIsNoRowOfItsLayout(t *testing.T) {
	for _, test := range []struct{ dtype, value string }{
		{"bool", "true"}, {"int32", "7"}, {"int64", "7"}, {"float32", "0.5"}, {"float64", "0.5"}, {"timestamp", "7"},
		{"string", `"x"`}, {"bytes", `"AA=="`}, {"list<int64>", "[7]"}, {"list<string>", "[]"},
	} {
		layout := mustLayout(t, 1, Spec{"before", "string"}, Spec{"c", test.dtype})
		value, err := ParseValue(layout.Fields[1].Dtype, []byte(test.value))
		if err != nil {
			t.Fatal(err)
		}
		data := Encode(Header{}, layout, []*Value{{Blob: []byte("text")}, &value})
		if !FitsLayout(data, layout) || !FitsLayout(Encode(Header{}, layout, make([]*Value, 2)), layout) {
			t.Errorf("%s: a value or a null is refused", test.dtype)
		}
		data[headerSize] |= 2
		if FitsLayout(data, layout) {
			t.Errorf("%s: %s under a null is taken", test.dtype, test.value)
		}
	}
}

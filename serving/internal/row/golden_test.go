package row

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"freshline/serving/internal/golden"
)

type goldenRow struct {
	Name   string
	Layout struct {
		Number  uint32
		Columns []Spec
	}
	Row struct {
		EventTimeUS int64 `json:"event_time_us"`
		Lane        string
		Position    uint64
		WriteTimeUS int64  `json:"write_time_us"`
		RunNumber   uint64 `json:"run_number"`
		Tombstone   bool
		Held        bool
		Clamped     bool
		Values      []json.RawMessage
	}
	Hex string
}

func (g *goldenRow) header() Header {
	lane, _ := ParseLane(g.Row.Lane)
	return Header{
		EventTimeUS: g.Row.EventTimeUS, WriteTimeUS: g.Row.WriteTimeUS, RunNumber: g.Row.RunNumber,
		Position: g.Row.Position, Layout: g.Layout.Number, Lane: lane,
		Tombstone: g.Row.Tombstone, Held: g.Row.Held, Clamped: g.Row.Clamped,
	}
}

func (g *goldenRow) values(t *testing.T, l *Layout) []*Value {
	values := make([]*Value, len(l.Fields))
	for i, raw := range g.Row.Values {
		if string(raw) == "null" {
			continue
		}
		value, err := ParseValue(l.Fields[i].Dtype, raw)
		if err != nil {
			t.Fatalf("value %d: %v", i, err)
		}
		values[i] = &value
	}
	return values
}

func loadRows(t testing.TB) []goldenRow {
	var rows []goldenRow
	golden.Load(t, "rows.json", &rows)
	if len(rows) < 50 {
		t.Fatalf("only %d golden rows", len(rows))
	}
	return rows
}

func TestGoldenRowsDecodeToTheirValues(t *testing.T) {
	for _, g := range loadRows(t) {
		t.Run(g.Name, func(t *testing.T) {
			data, err := hex.DecodeString(g.Hex)
			if err != nil {
				t.Fatal(err)
			}
			layout, err := NewLayout(g.Layout.Number, g.Layout.Columns)
			if err != nil {
				t.Fatal(err)
			}
			header, err := Verify(data)
			if err != nil {
				t.Fatal(err)
			}
			if header != g.header() {
				t.Errorf("header %+v, want %+v", header, g.header())
			}
			if header.Tombstone {
				return
			}
			if !FitsLayout(data, layout) {
				t.Fatal("the row does not fit its layout")
			}
			values := g.values(t, layout)
			for i, field := range layout.Fields {
				checkCell(t, data, layout, field, values[i])
			}
		})
	}
}

func checkCell(t *testing.T, data []byte, layout *Layout, field Field, want *Value) {
	t.Helper()
	var column Column
	column.Reset(field.Dtype, 1)
	column.Fill([][]byte{data}, []uint16{0}, 0, layout, field)
	if want == nil {
		if column.Cells[0] != Null {
			t.Errorf("%s is cell %d, want a null", field.Name, column.Cells[0])
		}
		return
	}
	if column.Cells[0] != Present {
		t.Fatalf("%s is cell %d, want a value", field.Name, column.Cells[0])
	}
	got := column.Value(0)
	if field.Dtype.IsFloat() && field.Dtype.IsFixed() && math.IsNaN(math.Float64frombits(want.Word)) {
		if !math.IsNaN(math.Float64frombits(got.Word)) {
			t.Errorf("%s is %x, want NaN", field.Name, got.Word)
		}
		return
	}
	if len(got.Blob) == 0 && len(want.Blob) == 0 {
		got.Blob, want.Blob = nil, nil
	}
	if !reflect.DeepEqual(got, *want) {
		t.Errorf("%s (%s) is %x, want %x", field.Name, field.Dtype, got, *want)
	}
}

func TestGoldenRowsEncodeToTheirBytes(t *testing.T) {
	for _, g := range loadRows(t) {
		t.Run(g.Name, func(t *testing.T) {
			layout, err := NewLayout(g.Layout.Number, g.Layout.Columns)
			if err != nil {
				t.Fatal(err)
			}
			values := make([]*Value, len(layout.Fields))
			if !g.Row.Tombstone {
				values = g.values(t, layout)
			}
			if got := hex.EncodeToString(Encode(g.header(), layout, values)); got != g.Hex {
				t.Errorf("encoded\n%s, want\n%s", got, g.Hex)
			}
		})
	}
}

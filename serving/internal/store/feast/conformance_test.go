package feast

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

// stock is what real Feast wrote to every store before the tests (tests/feast_stores/program.py).
type stock struct {
	Project string
	Stores  map[string]string
	Views   map[string]struct {
		Columns []row.Spec
		Rows    []stockRow
	}
}

type stockRow struct {
	Key         string
	EventTimeUS int64 `json:"event_time_us"`
	Values      map[string]json.RawMessage
}

type opened interface {
	lookup.Store
	lookup.Pinger
	Close()
}

func openStock(t *testing.T, storeURL string) opened {
	t.Helper()
	inner := strings.TrimPrefix(storeURL, "feast+")
	var store opened
	var err error
	switch scheme, path, _ := strings.Cut(inner, "://"); scheme {
	case "sqlite":
		store = NewSQLite(path)
	case "dynamodb":
		store, err = NewDynamo(inner)
	default:
		store, err = NewRedis(inner)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	for until := time.Now().Add(20 * time.Second); store.Ping(t.Context()) != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal(store.Ping(t.Context()))
		}
	}
	return store
}

func loadStock(t *testing.T) *stock {
	t.Helper()
	path := os.Getenv("FRESHLINE_TEST_FEAST_STORES")
	if path == "" {
		t.Fatal("FRESHLINE_TEST_FEAST_STORES is not set: ./dev test has Feast write its stores")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	told := new(stock)
	if err := json.Unmarshal(text, told); err != nil {
		t.Fatal(err)
	}
	return told
}

// TestConformance runs on every store that Feast wrote.
func TestConformance(t *testing.T) {
	told := loadStock(t)
	for _, kind := range []string{"sqlite", "redis", "redis-cluster", "dynalite", "moto"} {
		t.Run(kind, func(t *testing.T) {
			s := &suite{T: t, told: told, store: openStock(t, told.Stores[kind]), wholeSeconds: kind == "sqlite"}
			for view := range told.Views {
				s.everyValue(view)
			}
			s.neverWritten()
			s.otherColumns()
			s.largeBatch()
			s.deadline()
			if marks, err := s.store.ReadWatermarks(t.Context(), told.Project); err != nil || len(marks) != 0 {
				t.Errorf("watermarks %v (%v)", marks, err)
			}
		})
	}
}

type suite struct {
	*testing.T
	told         *stock
	store        opened
	wholeSeconds bool // Feast keeps no more in SQLite
}

func (s *suite) layout(specs ...row.Spec) *row.Layout {
	s.Helper()
	layout, err := row.NewLayout(7, specs)
	if err != nil {
		s.Fatal(err)
	}
	return layout
}

func (s *suite) read(ctx context.Context, project, view string, layout *row.Layout, keys ...[]byte) (*lookup.Read, error) {
	read := &lookup.Read{
		Project: project, Views: []string{view}, Layouts: []*row.Layout{layout}, Keys: keys,
		Rows: make([][]byte, len(keys)), Missed: make([]bool, len(keys)),
	}
	return read, s.store.ReadRows(ctx, read)
}

func (s *suite) mustRead(project, view string, layout *row.Layout, keys ...[]byte) *lookup.Read {
	s.Helper()
	read, err := s.read(s.Context(), project, view, layout, keys...)
	if err != nil {
		s.Fatal(err)
	}
	return read
}

// stockLayouts finds layouts as the engine does.
type stockLayouts struct {
	*suite
	layout *row.Layout
}

func (l stockLayouts) Layout(ctx context.Context, number uint32) (*row.Layout, error) {
	if number == l.layout.Number {
		return l.layout, nil
	}
	return l.store.ReadLayout(ctx, l.told.Project, "", number)
}

func (s *suite) open(read *lookup.Read) *enforce.Table {
	table := &enforce.Table{Rows: read.Rows, Missed: read.Missed}
	damage := table.Open(s.Context(), stockLayouts{s, read.Layouts[0]}, new(enforce.Watermarks), 1<<60, 1<<60)
	if damage.Corrupt+damage.UnknownLayout != 0 {
		s.Errorf("%s: damage %+v", read.Views[0], damage)
	}
	return table
}

func (s *suite) everyValue(view string) {
	rows := s.told.Views[view].Rows
	keys := make([][]byte, len(rows))
	for i := range rows {
		keys[i] = unhex(s, rows[i].Key)
	}
	layout := s.layout(s.told.Views[view].Columns...)
	table := s.open(s.mustRead(s.told.Project, view, layout, keys...))
	for i, want := range rows {
		us := want.EventTimeUS
		if s.wholeSeconds {
			us -= us % 1_000_000
		}
		if table.Headers[i].EventTimeUS != us {
			s.Errorf("%s %s: event time %d, want %d", view, want.Key, table.Headers[i].EventTimeUS, us)
		}
	}
	for _, field := range layout.Fields {
		var column row.Column
		table.Decode(field.Name, field.Dtype, &column)
		for i := range rows {
			s.check(view, field, &column, i, rows[i].Values)
		}
	}
}

func (s *suite) check(view string, field row.Field, column *row.Column, i int, values map[string]json.RawMessage) {
	raw, given := values[field.Name]
	want := row.Present
	switch {
	case !given:
		want = row.Absent
	case string(raw) == "null":
		want = row.Null
	}
	if column.Cells[i] != want {
		// Feast has no null of a list beside one that is: it writes what is empty.
		if want == row.Null && field.Dtype.IsList() && column.Cells[i] == row.Present && row.Items(field.Dtype, column.Blobs[i]) == 0 {
			return
		}
		s.Errorf("%s.%s, row %d: cell %v, want %v", view, field.Name, i, column.Cells[i], want)
		return
	}
	if want != row.Present {
		return
	}
	value, err := row.ParseValue(field.Dtype, raw)
	if err != nil {
		s.Fatal(err)
	}
	got := column.Value(i)
	if got.Word != value.Word || !bytes.Equal(got.Blob, value.Blob) {
		s.Errorf("%s.%s, row %d: not %s", view, field.Name, i, raw)
	}
}

func (s *suite) neverWritten() {
	known := unhex(s, s.told.Views["everything"].Rows[0].Key)
	layout := s.layout(s.told.Views["everything"].Columns...)
	read := s.mustRead(s.told.Project, "everything", layout, driver(424242), known, driver(424242))
	if read.Rows[0] != nil || read.Rows[1] == nil || read.Rows[2] != nil {
		s.Error("a key that was never written has a row, or another has none")
	}
	for _, place := range [][2]string{{s.told.Project, "never_written"}, {s.told.Project, "no_such_view"}, {"no_such_project", "everything"}} {
		if read := s.mustRead(place[0], place[1], layout, known); read.Rows[0] != nil || read.Missed[0] {
			s.Errorf("%v has a row", place)
		}
	}
}

func (s *suite) otherColumns() {
	want := s.told.Views["driver_stats"].Rows[0]
	layout := s.layout(row.Spec{Name: "unheard_of", Dtype: "int64"}, row.Spec{Name: "city", Dtype: "int64"}, row.Spec{Name: "trips", Dtype: "int64"})
	table := s.open(s.mustRead(s.told.Project, "driver_stats", layout, unhex(s, want.Key)))
	for i, cell := range []row.Cell{row.Absent, row.Mistyped, row.Present} {
		var column row.Column
		table.Decode(layout.Fields[i].Name, layout.Fields[i].Dtype, &column)
		if column.Cells[0] != cell {
			s.Errorf("%s: cell %v, want %v", layout.Fields[i].Name, column.Cells[0], cell)
		}
	}
}

func (s *suite) largeBatch() {
	known := unhex(s, s.told.Views["pairs"].Rows[0].Key)
	keys := make([][]byte, 350)
	for k := range keys {
		keys[k] = driver(uint64(k))
	}
	keys[200], keys[349] = known, known
	read := s.mustRead(s.told.Project, "pairs", s.layout(s.told.Views["pairs"].Columns...), keys...)
	for k, data := range read.Rows {
		if (data != nil) != (k == 200 || k == 349) || read.Missed[k] {
			s.Errorf("key %d: row %v, missed %v", k, data != nil, read.Missed[k])
		}
	}
}

func (s *suite) deadline() {
	past, cancel := context.WithDeadline(s.Context(), time.Unix(0, 0))
	defer cancel()
	if _, err := s.read(past, s.told.Project, "pairs", s.layout(s.told.Views["pairs"].Columns...), driver(1)); !errors.Is(err, context.DeadlineExceeded) {
		s.Errorf("a deadline that has passed: %v", err)
	}
	if _, err := s.read(s.Context(), s.told.Project, "pairs", nil, driver(1)); !errors.Is(err, errNoLayout) {
		s.Errorf("no layout: %v", err)
	}
}

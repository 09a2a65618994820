// Package storetest is what every store must do alike, as tests.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

// Writer writes what ingestion would have written.
type Writer interface {
	Row(project, view string, key, data []byte)
	Watermark(project, field string, us int64)
	Layout(project, field, layout string)
}

// Run runs the suite on a store and a writer to the same place, which must be empty.
func Run(t *testing.T, store lookup.Store, writer Writer) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, test := range []struct {
		name string
		run  func(context.Context, *testing.T, lookup.Store, Writer)
	}{
		{"an empty store has no rows, watermarks or layouts", testEmpty},
		{"rows come in the order of keys and views, absent ones as nil", testOrder},
		{"keys may hold any bytes", testBinaryKeys},
		{"large batches come whole", testLargeBatch},
		{"watermarks come by view and lane", testWatermarks},
		{"layouts come by number", testLayouts},
		{"a deadline that has passed is an error", testDeadline},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(ctx, t, store, writer) })
	}
}

func readOf(project string, views []string, keys ...string) *lookup.Read {
	read := &lookup.Read{Project: project, Views: views, Missed: make([]bool, len(keys)), Rows: make([][]byte, len(keys)*len(views))}
	for _, key := range keys {
		read.Keys = append(read.Keys, []byte(key))
	}
	return read
}

func mustRead(ctx context.Context, t *testing.T, store lookup.Store, read *lookup.Read) {
	t.Helper()
	if err := store.ReadRows(ctx, read); err != nil {
		t.Fatal(err)
	}
	for k, missed := range read.Missed {
		if missed {
			t.Fatalf("key %d was missed", k)
		}
	}
}

func testEmpty(ctx context.Context, t *testing.T, store lookup.Store, _ Writer) {
	read := readOf("empty", []string{"v"}, "a", "b")
	mustRead(ctx, t, store, read)
	if read.Rows[0] != nil || read.Rows[1] != nil {
		t.Errorf("rows %v", read.Rows)
	}
	if marks, err := store.ReadWatermarks(ctx, "empty"); err != nil || len(marks) != 0 {
		t.Errorf("watermarks %v (%v)", marks, err)
	}
	if layout, err := store.ReadLayout(ctx, "empty", "v", 1); err != nil || layout != nil {
		t.Errorf("layout %v (%v)", layout, err)
	}
}

func testOrder(ctx context.Context, t *testing.T, store lookup.Store, writer Writer) {
	writer.Row("p", "v", []byte("a"), []byte("v of a"))
	writer.Row("p", "w", []byte("a"), []byte("w of a"))
	writer.Row("p", "w", []byte("c"), []byte("w of c"))
	writer.Row("other", "v", []byte("b"), []byte("another project's"))
	read := readOf("p", []string{"w", "v"}, "a", "b", "c", "a")
	mustRead(ctx, t, store, read)
	want := []string{"w of a", "", "w of c", "w of a", "v of a", "", "", "v of a"}
	for i, data := range read.Rows {
		if string(data) != want[i] || (data == nil) != (want[i] == "") {
			t.Errorf("row %d is %q, want %q", i, data, want[i])
		}
	}
}

func testBinaryKeys(ctx context.Context, t *testing.T, store lookup.Store, writer Writer) {
	for _, key := range []string{"\x00", "\x00\xff{}\r\n'", "é", "fl:p:v"} {
		writer.Row("binary", "v", []byte(key), []byte("row of "+key))
		read := readOf("binary", []string{"v"}, key)
		mustRead(ctx, t, store, read)
		if string(read.Rows[0]) != "row of "+key {
			t.Errorf("key %q: %q", key, read.Rows[0])
		}
	}
}

func testLargeBatch(ctx context.Context, t *testing.T, store lookup.Store, writer Writer) {
	const n = 1000
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("key %d", i)
		if i%3 != 0 {
			writer.Row("large", "v", []byte(keys[i]), fmt.Appendf(nil, "row %d", i))
		}
	}
	read := readOf("large", []string{"v"}, keys...)
	mustRead(ctx, t, store, read)
	for i, data := range read.Rows {
		if want := fmt.Sprintf("row %d", i); i%3 != 0 && string(data) != want || i%3 == 0 && data != nil {
			t.Fatalf("row %d is %q", i, data)
		}
	}
}

func testWatermarks(ctx context.Context, t *testing.T, store lookup.Store, writer Writer) {
	writer.Watermark("marks", "v/batch", 7)
	writer.Watermark("marks", "v/direct", -9)
	writer.Watermark("marks", "w/stream", 1<<60)
	writer.Watermark("marks", "w/a lane of tomorrow", 5)
	writer.Watermark("another", "v/stream", 3)
	marks, err := store.ReadWatermarks(ctx, "marks")
	if err != nil {
		t.Fatal(err)
	}
	var v, w enforce.Watermarks
	v.US[row.Batch], v.Has[row.Batch] = 7, true
	v.US[row.Direct], v.Has[row.Direct] = -9, true
	w.US[row.Stream], w.Has[row.Stream] = 1<<60, true
	if len(marks) != 2 || marks["v"] != v || marks["w"] != w {
		t.Errorf("watermarks %+v", marks)
	}
}

func testLayouts(ctx context.Context, t *testing.T, store lookup.Store, writer Writer) {
	writer.Layout("layouts", "v/3", `[{"dtype":"float64","name":"x"},{"dtype":"list<string>","name":"y"}]`)
	writer.Layout("layouts", "v/4", `nonsense`)
	layout, err := store.ReadLayout(ctx, "layouts", "v", 3)
	if err != nil || layout == nil || layout.Number != 3 || len(layout.Fields) != 2 {
		t.Errorf("layout %+v (%v)", layout, err)
	}
	if layout, err := store.ReadLayout(ctx, "layouts", "v", 5); err != nil || layout != nil {
		t.Errorf("a layout that is not there: %+v (%v)", layout, err)
	}
	if _, err := store.ReadLayout(ctx, "layouts", "v", 4); err == nil {
		t.Error("nonsense is a layout")
	}
}

func testDeadline(ctx context.Context, t *testing.T, store lookup.Store, _ Writer) {
	late, cancel := context.WithTimeout(ctx, -time.Second)
	defer cancel()
	if err := store.ReadRows(late, readOf("p", []string{"v"}, "a")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("rows: %v", err)
	}
	if _, err := store.ReadWatermarks(late, "p"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("watermarks: %v", err)
	}
}

package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"freshline/serving/internal/leaktest"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/store/sqlite/sqlitetest"
	"freshline/serving/internal/store/storetest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func open(t *testing.T, path string) *Store {
	store := New(path)
	t.Cleanup(store.Close)
	return store
}

func TestConformance(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.sqlite3")
	writer := sqlitetest.Create(t, path)
	storetest.Run(t, open(t, path), writer)
}

func one(ctx context.Context, t *testing.T, store *Store, key string) string {
	t.Helper()
	read := &lookup.Read{Project: "p", Views: []string{"v"}, Keys: [][]byte{[]byte(key)}, Rows: make([][]byte, 1), Missed: make([]bool, 1)}
	if err := store.ReadRows(ctx, read); err != nil || read.Missed[0] {
		t.Fatalf("read: %v, missed %v", err, read.Missed[0])
	}
	return string(read.Rows[0])
}

func TestAFileOrATableThatIsNotThereYetReadsAsNoRowsUntilItIs(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "store.sqlite3")
	store := open(t, path)
	if got := one(ctx, t, store, "a"); got != "" {
		t.Errorf("without a file: %q", got)
	}
	if marks, err := store.ReadWatermarks(ctx, "p"); err != nil || len(marks) != 0 {
		t.Errorf("without a file: %v (%v)", marks, err)
	}
	if err := store.Ping(ctx); err != nil {
		t.Errorf("without a file: %v", err)
	}
	writer := sqlitetest.CreateEmpty(t, path)
	if got := one(ctx, t, store, "a"); got != "" {
		t.Errorf("without tables: %q", got)
	}
	if layout, err := store.ReadLayout(ctx, "p", "v", 1); err != nil || layout != nil {
		t.Errorf("without tables: %v (%v)", layout, err)
	}
	writer.MakeTables()
	writer.Row("p", "v", []byte("a"), []byte("here"))
	if got := one(ctx, t, store, "a"); got != "here" {
		t.Errorf("once it is there: %q", got)
	}
}

func TestAFileThatIsNoStoreIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.sqlite3")
	if err := os.WriteFile(path, []byte("this is no database, and is long enough to be seen as none"), 0o600); err != nil {
		t.Fatal(err)
	}
	store := open(t, path)
	read := &lookup.Read{Project: "p", Views: []string{"v"}, Keys: [][]byte{[]byte("a")}, Rows: make([][]byte, 1), Missed: make([]bool, 1)}
	if err := store.ReadRows(context.Background(), read); err == nil {
		t.Error("no error")
	}
}

func TestAFileThatWasReplacedIsReadAnew(t *testing.T) {
	ctx := context.Background()
	folder := t.TempDir()
	path := filepath.Join(folder, "store.sqlite3")
	sqlitetest.Create(t, path).Row("p", "v", []byte("a"), []byte("old"))
	store := open(t, path)
	if got := one(ctx, t, store, "a"); got != "old" {
		t.Fatalf("first %q", got)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(path + suffix)
	}
	sqlitetest.Create(t, path).Row("p", "v", []byte("a"), []byte("new"))
	if got := one(ctx, t, store, "a"); got != "new" {
		t.Errorf("after the change %q", got)
	}
}

func TestReadersSeeWholeRowsWhileAWriterWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.sqlite3")
	writer := sqlitetest.Create(t, path)
	store := open(t, path)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	writer.Row("p", "v", []byte("a"), []byte("row 0"))
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				var n int
				if _, err := fmt.Sscanf(one(ctx, t, store, "a"), "row %d", &n); err != nil {
					t.Errorf("torn: %v", err)
					return
				}
			}
		})
	}
	for i := range 200 {
		writer.Row("p", "v", []byte("a"), fmt.Appendf(nil, "row %d", i))
	}
	close(done)
	readers.Wait()
}

func TestADeadlineInTheMiddleLeavesAUsableConnection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.sqlite3")
	writer := sqlitetest.Create(t, path)
	writer.Row("p", "v", []byte("a"), []byte("here"))
	store := open(t, path)
	keys := make([][]byte, 20_000)
	for i := range keys {
		keys[i] = []byte("a")
	}
	for range 5 {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Millisecond)
		read := &lookup.Read{Project: "p", Views: []string{"v"}, Keys: keys, Rows: make([][]byte, len(keys)), Missed: make([]bool, len(keys))}
		err := store.ReadRows(ctx, read)
		cancel()
		if err == nil && slices.Contains(read.Missed, true) != (read.Partial != nil) {
			t.Fatalf("said of what was missed: %v", read.Partial)
		}
		for k, data := range read.Rows {
			if err == nil && data == nil && !read.Missed[k] {
				t.Fatalf("key %d was neither read nor missed", k)
			}
		}
		if got := one(context.Background(), t, store, "a"); got != "here" {
			t.Errorf("afterwards %q", got)
		}
	}
}

func TestARowOfNoBytesIsARowAndNotNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.sqlite3")
	writer := sqlitetest.Create(t, path)
	writer.Row("p", "v", []byte("a"), []byte{})
	read := &lookup.Read{Project: "p", Views: []string{"v"}, Keys: [][]byte{[]byte("a"), []byte("b")}, Rows: make([][]byte, 2), Missed: make([]bool, 2)}
	if err := open(t, path).ReadRows(context.Background(), read); err != nil || read.Rows[0] == nil || read.Rows[1] != nil {
		t.Errorf("rows %v, %v", read.Rows, err)
	}
}

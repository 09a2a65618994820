// Package sqlitetest writes a store file as ingestion does, for tests of its readers.
package sqlitetest

import (
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

const schema = `
CREATE TABLE IF NOT EXISTS fl_rows(project TEXT NOT NULL, entity_key BLOB NOT NULL, view TEXT NOT NULL, row BLOB NOT NULL, expires_us INTEGER, PRIMARY KEY(project, entity_key, view)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fl_watermarks(project TEXT NOT NULL, field TEXT NOT NULL, generation INTEGER NOT NULL, us INTEGER NOT NULL, PRIMARY KEY(project, field)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fl_layouts(project TEXT NOT NULL, field TEXT NOT NULL, layout TEXT NOT NULL, PRIMARY KEY(project, field)) WITHOUT ROWID;`

// Writer writes to one store file.
type Writer struct {
	t    testing.TB
	conn *sqlite.Conn
}

// Create opens the file at path, in WAL mode, and makes its tables.
func Create(t testing.TB, path string) *Writer {
	t.Helper()
	w := CreateEmpty(t, path)
	w.MakeTables()
	return w
}

// CreateEmpty opens the file and makes nothing in it.
func CreateEmpty(t testing.TB, path string) *Writer {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate, sqlite.OpenWAL)
	if err != nil {
		t.Fatalf("create the store file: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &Writer{t: t, conn: conn}
}

// MakeTables makes the tables.
func (w *Writer) MakeTables() {
	w.t.Helper()
	if err := sqlitex.ExecuteScript(w.conn, schema, nil); err != nil {
		w.t.Fatalf("make the store's tables: %v", err)
	}
}

func (w *Writer) do(statement string, args ...any) {
	w.t.Helper()
	if err := sqlitex.Execute(w.conn, statement, &sqlitex.ExecOptions{Args: args}); err != nil {
		w.t.Fatalf("%s: %v", statement, err)
	}
}

// Row writes a row.
func (w *Writer) Row(project, view string, key, data []byte) {
	w.t.Helper()
	w.do("INSERT OR REPLACE INTO fl_rows VALUES (?, ?, ?, ?, NULL)", project, key, view, data)
}

// Watermark writes a watermark of <view>/<lane>.
func (w *Writer) Watermark(project, field string, us int64) {
	w.t.Helper()
	w.do("INSERT OR REPLACE INTO fl_watermarks VALUES (?, ?, 1, ?)", project, field, us)
}

// Layout writes a layout of <view>/<number>.
func (w *Writer) Layout(project, field, layout string) {
	w.t.Helper()
	w.do("INSERT OR REPLACE INTO fl_layouts VALUES (?, ?, ?)", project, field, layout)
}

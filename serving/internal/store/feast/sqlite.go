package feast

import (
	"context"
	"errors"
	"strings"

	zombiezen "zombiezen.com/go/sqlite"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/store/sqlite"
)

// SQLite reads Feast's tables in a file: one for each project and view, with a row for each feature of an
// entity. A file or table that is not there yet reads as no rows. It is safe for many goroutines.
type SQLite struct {
	file *sqlite.Store
	*variants
}

var _ lookup.Store = (*SQLite)(nil)

// NewSQLite returns a store over the file at path; it opens nothing yet.
func NewSQLite(path string) *SQLite { return &SQLite{file: sqlite.New(path), variants: newVariants()} }

// Close closes all connections that are not in use.
func (s *SQLite) Close() { s.file.Close() }

// Ping tells whether the file can be read; a file that does not exist yet is no failure.
func (s *SQLite) Ping(ctx context.Context) error { return s.file.Ping(ctx) }

// ReadRows implements lookup.Store: one statement for each key and view.
func (s *SQLite) ReadRows(ctx context.Context, read *lookup.Read) error {
	if err := described(read); err != nil {
		return err
	}
	return s.file.ReadEach(ctx, read, func(conn *zombiezen.Conn) (func(k int) error, error) {
		reader := tableReader{read: read, packer: packer{variants: s.variants}, values: []byte{}}
		return reader.readKey, reader.prepare(conn)
	})
}

// ReadWatermarks implements lookup.Store: Feast keeps none, so that a value is as old as its event time.
// The file is asked for all the same, so that what is said of it is true.
func (s *SQLite) ReadWatermarks(ctx context.Context, _ string) (map[string]enforce.Watermarks, error) {
	return nil, errors.Join(ctx.Err(), s.Ping(ctx))
}

// tableReader reads one key after the other on one connection.
type tableReader struct {
	read       *lookup.Read
	packer     packer
	statements []*zombiezen.Stmt // by view; nil where there is no table yet
	entry      entry
	name       []byte
	values     []byte // of one key and view; never nil, so that an empty value is not either
}

func (r *tableReader) prepare(conn *zombiezen.Conn) error {
	r.statements = make([]*zombiezen.Stmt, len(r.read.Views))
	for v, view := range r.read.Views {
		table := `"` + strings.ReplaceAll(r.read.Project+"_"+view, `"`, `""`) + `"`
		stmt, err := sqlite.Prepare(conn, "SELECT feature_name, value, event_ts FROM "+table+" WHERE entity_key = ?")
		if errors.Is(err, sqlite.ErrNothingYet) {
			continue
		}
		if err != nil {
			return err
		}
		r.statements[v] = stmt
	}
	return nil
}

func (r *tableReader) readKey(k int) error {
	for v, stmt := range r.statements {
		if stmt == nil {
			continue
		}
		layout := r.read.Layouts[v]
		r.entry.reset(len(layout.Fields))
		stmt.BindBytes(1, r.read.Keys[k])
		if err := r.collect(stmt, layout.Index); err != nil {
			return errors.Join(err, stmt.Reset())
		}
		r.read.Rows[v*len(r.read.Keys)+k] = r.entry.pack(&r.packer, layout)
	}
	return nil
}

// collect reads the features of an entity that the layout has; Feast leaves rows of features that it has no more.
func (r *tableReader) collect(stmt *zombiezen.Stmt, indexOf func(name []byte) (int, bool)) error {
	r.values = r.values[:0]
	for {
		found, err := stmt.Step()
		if err != nil || !found {
			return errors.Join(err, stmt.Reset())
		}
		r.name = append(r.name[:0], make([]byte, stmt.ColumnLen(0))...)
		stmt.ColumnBytes(0, r.name)
		column, known := indexOf(r.name)
		if !known {
			continue
		}
		r.entry.dated(eventTime(stmt, 2))
		if stmt.ColumnType(1) != zombiezen.TypeBlob {
			r.entry.state = broken
			continue
		}
		from := len(r.values)
		r.values = append(r.values, make([]byte, stmt.ColumnLen(1))...)
		stmt.ColumnBytes(1, r.values[from:])
		r.entry.fields[column] = r.values[from:]
	}
}

// eventTime reads seconds, as Feast writes them, or a text, as it once did.
func eventTime(stmt *zombiezen.Stmt, column int) (int64, error) {
	switch stmt.ColumnType(column) {
	case zombiezen.TypeInteger:
		seconds := stmt.ColumnInt64(column)
		if seconds < -maxSeconds || seconds >= maxSeconds {
			return 0, errCorrupt
		}
		return seconds * secondUS, nil
	case zombiezen.TypeText:
		return parseTime(stmt.ColumnText(column))
	}
	return 0, errCorrupt
}

// Package sqlite reads rows from the embedded online store, a file that ingestion writes. The file,
// or a table in it, may not exist yet: that reads as no rows, until it does.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
	"freshline/serving/internal/store/watermark"
)

// busyTimeout bounds the wait for a writer that holds the file exclusively (WAL recovery, mostly).
const busyTimeout = 50 * time.Millisecond

// ErrNothingYet is a file or a table that does not exist.
var ErrNothingYet = errors.New("nothing was written yet")

// Store is a pool of read-only connections. It is safe for many goroutines.
type Store struct {
	path  string
	slots chan struct{} // bounds the connections in use

	mu     sync.Mutex
	idle   []*sqlite.Conn
	file   os.FileInfo // the file that idle connections have open
	closed bool
}

var _ lookup.Store = (*Store)(nil)

// New returns a store over the file at path; it opens nothing yet.
func New(path string) *Store {
	return &Store{path: path, slots: make(chan struct{}, max(4, 2*runtime.GOMAXPROCS(0)))}
}

// Close closes all idle connections; those in use are closed when they are given back.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.drop()
}

// drop closes the idle connections. The caller holds mu.
func (s *Store) drop() {
	for _, conn := range s.idle {
		_ = conn.Close()
	}
	s.idle = nil
}

// Ping tells whether the file can be read; a file that does not exist yet is no failure.
func (s *Store) Ping(ctx context.Context) error {
	err := s.with(ctx, func(conn *sqlite.Conn) error { return nil })
	return ignoreNothingYet(err)
}

func ignoreNothingYet(err error) error {
	if errors.Is(err, ErrNothingYet) {
		return nil
	}
	return err
}

// with lends a connection to use. ctx interrupts what runs on it.
func (s *Store) with(ctx context.Context, use func(*sqlite.Conn) error) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	conn, err := s.take()
	if err != nil {
		return err
	}
	conn.SetInterrupt(ctx.Done())
	err = use(conn)
	conn.SetInterrupt(nil)
	broken := err != nil && !errors.Is(err, ErrNothingYet) && ctx.Err() == nil || !conn.AutocommitEnabled()
	s.give(conn, broken)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	}
	return err
}

// take returns an idle connection or opens one. A file that was replaced since is opened anew:
// connections to the old one would read a store that nobody writes any more.
func (s *Store) take() (*sqlite.Conn, error) {
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNothingYet
	}
	if err != nil {
		return nil, fmt.Errorf("look for the store file: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil && !os.SameFile(s.file, info) {
		s.drop()
	}
	s.file = info
	if n := len(s.idle); n > 0 {
		conn := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return conn, nil
	}
	conn, err := sqlite.OpenConn(s.path, sqlite.OpenReadOnly)
	if err != nil {
		return nil, fmt.Errorf("open the store file: %w", err)
	}
	conn.SetBusyTimeout(busyTimeout)
	return conn, nil
}

func (s *Store) give(conn *sqlite.Conn, broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if broken || s.closed {
		_ = conn.Close()
		return
	}
	s.idle = append(s.idle, conn)
}

// Prepare returns a cached statement; a table that is not there yet is ErrNothingYet.
func Prepare(conn *sqlite.Conn, query string) (*sqlite.Stmt, error) {
	stmt, err := conn.Prepare(query)
	if err != nil && strings.Contains(err.Error(), "no such table") {
		return nil, ErrNothingYet
	}
	return stmt, err
}

// ReadLayout implements lookup.Store.
func (s *Store) ReadLayout(ctx context.Context, project, view string, number uint32) (*row.Layout, error) {
	var layout *row.Layout
	err := s.with(ctx, func(conn *sqlite.Conn) error {
		stmt, err := Prepare(conn, "SELECT layout FROM fl_layouts WHERE project = ? AND field = ?")
		if err != nil {
			return err
		}
		stmt.BindText(1, project)
		stmt.BindText(2, fmt.Sprintf("%s/%d", view, number))
		found, err := stmt.Step()
		if err == nil && found {
			layout, err = row.ParseLayout(number, []byte(stmt.ColumnText(0)))
		}
		return errors.Join(err, stmt.Reset())
	})
	return layout, ignoreNothingYet(err)
}

// ReadWatermarks implements lookup.Store.
func (s *Store) ReadWatermarks(ctx context.Context, project string) (map[string]enforce.Watermarks, error) {
	marks := make(map[string]enforce.Watermarks)
	err := s.with(ctx, func(conn *sqlite.Conn) error {
		stmt, err := Prepare(conn, "SELECT field, us FROM fl_watermarks WHERE project = ?")
		if err != nil {
			return err
		}
		stmt.BindText(1, project)
		for {
			found, err := stmt.Step()
			if err != nil || !found {
				return errors.Join(err, stmt.Reset())
			}
			watermark.Set(marks, stmt.ColumnText(0), stmt.ColumnInt64(1))
		}
	})
	return marks, ignoreNothingYet(err)
}

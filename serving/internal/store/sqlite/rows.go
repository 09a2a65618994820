package sqlite

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"

	"zombiezen.com/go/sqlite"

	"freshline/serving/internal/arena"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/spread"
)

const (
	// keysPerConnection is what one connection reads before another is worth its goroutine.
	keysPerConnection = 64
	rowQuery          = "SELECT row FROM fl_rows WHERE project = ? AND entity_key = ? AND view = ?"
)

// Start prepares what reads one key after the other on a connection, by their places in a read's keys.
type Start func(conn *sqlite.Conn) (readKey func(k int) error, err error)

// ReadRows implements lookup.Store.
func (s *Store) ReadRows(ctx context.Context, read *lookup.Read) error {
	return s.ReadEach(ctx, read, func(conn *sqlite.Conn) (func(k int) error, error) {
		stmt, err := Prepare(conn, rowQuery)
		var rows arena.Arena
		return func(k int) error { return readKey(stmt, read, k, &rows) }, err
	})
}

// ReadEach reads all keys of a read. Large reads are split over several connections.
func (s *Store) ReadEach(ctx context.Context, read *lookup.Read, start Start) error {
	parts := min((len(read.Keys)+keysPerConnection-1)/keysPerConnection, max(1, runtime.GOMAXPROCS(0)))
	if parts <= 1 {
		return failureOf(read, s.readKeys(ctx, read, 0, len(read.Keys), start))
	}
	failures := make([]error, parts)
	var others spread.Group
	for part := range parts {
		from, to := len(read.Keys)*part/parts, len(read.Keys)*(part+1)/parts
		others.Go(func() { failures[part] = s.readKeys(ctx, read, from, to, start) })
	}
	others.Wait()
	return failureOf(read, cmp.Or(failures...))
}

// failureOf returns the failure if not one key was reached, and else leaves it with the read.
func failureOf(read *lookup.Read, failure error) error {
	if failure != nil && slices.Contains(read.Missed, false) {
		read.Partial = failure
		return nil
	}
	return failure
}

// readKeys reads keys from..to in one transaction. After a failure the keys that were not reached
// count as missed.
func (s *Store) readKeys(ctx context.Context, read *lookup.Read, from, to int, start Start) error {
	reached := from
	err := s.with(ctx, func(conn *sqlite.Conn) error {
		readKey, err := start(conn)
		if err != nil {
			return err
		}
		end, err := begin(conn)
		if err != nil {
			return err
		}
		for ; reached < to && err == nil; reached++ {
			err = readKey(reached)
		}
		if err != nil {
			reached--
		}
		return errors.Join(err, end())
	})
	if err == nil || errors.Is(err, ErrNothingYet) {
		return nil
	}
	for k := reached; k < to; k++ {
		read.Missed[k] = true
	}
	return err
}

func begin(conn *sqlite.Conn) (end func() error, err error) {
	if err := run(conn, "BEGIN"); err != nil {
		return nil, err
	}
	return func() error {
		// An interrupted connection must still leave its transaction.
		conn.SetInterrupt(nil)
		return run(conn, "COMMIT")
	}, nil
}

func run(conn *sqlite.Conn, statement string) error {
	stmt, err := conn.Prepare(statement)
	if err != nil {
		return err
	}
	_, err = stmt.Step()
	return errors.Join(err, stmt.Reset())
}

func readKey(stmt *sqlite.Stmt, read *lookup.Read, k int, rows *arena.Arena) error {
	for v, view := range read.Views {
		stmt.BindText(1, read.Project)
		stmt.BindBytes(2, read.Keys[k])
		stmt.BindText(3, view)
		found, err := stmt.Step()
		if err == nil && found {
			data := rows.Take(stmt.ColumnLen(0))
			stmt.ColumnBytes(0, data)
			if data == nil {
				data = []byte{} // there is a row, if not one that anybody can read
			}
			read.Rows[v*len(read.Keys)+k] = data
		}
		if err = errors.Join(err, stmt.Reset()); err != nil {
			return err
		}
	}
	return nil
}

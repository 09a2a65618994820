// Package lookup answers requests: it resolves features against the bundle, reads rows, has them
// judged, and keeps the pieces that requests share (watermarks, layouts, the store's guard).
package lookup

import (
	"context"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/row"
)

// Store reads what ingestion wrote. It is called by many goroutines at once.
type Store interface {
	// ReadRows fills read.Rows. It sets read.Missed[k] for a key that it could not ask for (a
	// shard that is down, the deadline), or calls read.MissRow where it is one view alone, and returns an
	// error only when nothing could be asked for; of less it says in read.Partial why.
	ReadRows(ctx context.Context, read *Read) error
	// ReadLayout returns a view's column layout, nil if there is none of that number.
	ReadLayout(ctx context.Context, project, view string, number uint32) (*row.Layout, error)
	// ReadWatermarks returns all watermarks of a project by view.
	ReadWatermarks(ctx context.Context, project string) (map[string]enforce.Watermarks, error)
}

// Divided is a store whose parts fail one by one, as the nodes of a Redis Cluster do.
type Divided interface {
	// Parts returns which of 64 parts the keys of a read lie in, by bits.
	Parts(read *Read) uint64
}

// EveryPart is where the keys of a store lie that is not divided.
const EveryPart = ^uint64(0)

// PartsOf returns where the keys of a read lie.
func PartsOf(store Store, read *Read) uint64 {
	if divided, ok := store.(Divided); ok {
		return divided.Parts(read)
	}
	return EveryPart
}

// Stores is every store that this process was told of, by name. It never changes.
type Stores map[string]Store

// OnlyStore is a process with one store, which has every project that names none.
func OnlyStore(store Store) Stores { return Stores{bundle.DefaultStore: store} }

// Read asks for the rows of several views under the same keys.
type Read struct {
	Project string
	Views   []string
	Layouts []*row.Layout // by view: the columns in force, for a store that keeps none of its own
	Keys    [][]byte
	Rows    [][]byte // Rows[v*len(Keys)+k] is key k's row in view v; nil where there is none
	Missed  []bool   // by key: of no view
	Memory  []byte   // that rows may be read into, kept from read to read; they are done with by the next
	Partial error    // why some of it was missed; set by a store that returns no error all the same
	lost    []bool   // by row, as Rows; empty while MissRow was not called
}

// MissRow marks the row of one view and key as not asked for. It is not for several goroutines at once.
func (r *Read) MissRow(v, k int) {
	if len(r.lost) == 0 {
		r.lost = resized(r.lost, len(r.Rows))
		clear(r.lost)
	}
	r.lost[v*len(r.Keys)+k] = true
}

// missedOf returns which keys could not be asked for in a view.
func (r *Read) missedOf(v int) []bool {
	if len(r.lost) == 0 {
		return r.Missed
	}
	rows := r.lost[v*len(r.Keys) : (v+1)*len(r.Keys)]
	for k, missed := range r.Missed {
		rows[k] = rows[k] || missed
	}
	return rows
}

// MissAll marks every key as not asked for.
func (r *Read) MissAll() {
	for k := range r.Missed {
		r.Missed[k] = true
	}
}

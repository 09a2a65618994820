// Package lookuptest is a store in memory, with faults at will, and a bundle to read it by.
package lookuptest

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/key"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

// Document is a bundle of two projects. In project p, carrier_delays and carrier_facts share their
// join key, airport_weather has another, and watched only observes.
const Document = `{"format":1,"number":7,"registry":"r","default_project":null,"store":{"name":"default"},"tokens":[
{"sha256":"70a0b524123500433fa2866b1d4233f6cb4f532f2bb4c77757b6da940cc1315d","projects":["p"],"expires_us":null},
{"sha256":"0c5643058e4dee7d515d11fe41679e29b08af5419db25fbe8a977bfc47f3449b","projects":["*"],"expires_us":null}],
"projects":{"q":{"views":{},"services":{}},"p":{"services":{
"everything":{"features":[["carrier_delays","delay"],["carrier_facts","name"],["airport_weather","wind"]],"max_rejected":1.0,"terms":{}},
"strict":{"features":[["carrier_delays","delay"]],"max_rejected":0.5,"terms":{"on_missing":"reject","on_stale":"reject"}},
"lenient":{"features":[["carrier_delays","delay"],["carrier_delays","gone"]],"max_rejected":1.0,"terms":{"max_age_us":3600000000,"on_missing":"default"}},
"watcher":{"features":[["watched","x"]],"max_rejected":0.0,"terms":{"on_missing":"reject"}}},
"views":{
"carrier_delays":{"id":1,"contract":3,"enforcement":"enforce","features":[
 {"name":"delay","dtype":"float64","nullable":true,"min":-120,"max":2880,"default":0.5},
 {"name":"flights","dtype":"int64","nullable":false,"min":0}],
 "join_keys":[{"name":"carrier","dtype":"string"}],"lanes":["batch"],"layout":1,
 "layouts":{"1":[{"name":"delay","dtype":"float64"},{"name":"flights","dtype":"int64"}]},"retired_features":["gone"],
 "bins":{"delay":{"id":"00000000000000d1","edges":[0.5,10,60]},"flights":{"id":"00000000000000f1","edges":[0,7]}},
 "terms":{"max_age_us":60000000,"on_stale":"serve","on_missing":"null","on_invalid":"null"}},
"carrier_facts":{"id":2,"contract":1,"enforcement":"enforce","features":[
 {"name":"name","dtype":"string","nullable":true},{"name":"delay","dtype":"float32","nullable":true},
 {"name":"photo","dtype":"bytes","nullable":true},{"name":"founded","dtype":"timestamp","nullable":true},
 {"name":"hubs","dtype":"list<string>","nullable":true},{"name":"low_cost","dtype":"bool","nullable":true}],
 "join_keys":[{"name":"carrier","dtype":"string"}],"lanes":["direct"],"layout":1,
 "layouts":{"1":[{"name":"name","dtype":"string"},{"name":"delay","dtype":"float32"},{"name":"photo","dtype":"bytes"},
 {"name":"founded","dtype":"timestamp"},{"name":"hubs","dtype":"list<string>"},{"name":"low_cost","dtype":"bool"}]},"retired_features":[],
 "bins":{"name":{"id":"0000000000000c01","categories":["United","American"]},"low_cost":{"id":"0000000000000c02","categories":[false,true]}},
 "terms":{"max_age_us":60000000,"on_stale":"serve","on_missing":"null","on_invalid":"null"}},
"airport_weather":{"id":3,"contract":9,"enforcement":"enforce","features":[{"name":"wind","dtype":"float64","nullable":true}],
 "join_keys":[{"name":"airport","dtype":"int64"}],"lanes":["stream"],"layout":1,
 "layouts":{"1":[{"name":"wind","dtype":"float64"}]},"retired_features":[],
 "terms":{"max_age_us":60000000,"on_stale":"serve","on_missing":"null","on_invalid":"null"}},
"watched":{"id":4,"contract":2,"enforcement":"observe","features":[{"name":"x","dtype":"int64","nullable":false,"max":5}],
 "join_keys":[{"name":"carrier","dtype":"string"}],"lanes":["batch"],"layout":1,
 "layouts":{"1":[{"name":"x","dtype":"int64"}]},"retired_features":[],
 "terms":{"max_age_us":60000000,"on_stale":"reject","on_missing":"null","on_invalid":"reject"}}}}}}`

// The secrets of Document's tokens: one reaches project p, the other all.
const (
	TokenOfP   = "token of p"
	TokenOfAll = "token of all"
)

// PlaceOfP is where project p lives.
var PlaceOfP = lookup.Place{Project: "p", Store: bundle.DefaultStore}

// NowUS is the time of all tests: 2026-11-22T10:00:00Z.
const NowUS = 1_795_341_600_000_000

// Now is NowUS as a clock.
func Now() time.Time { return time.UnixMicro(NowUS) }

// KeyParts stands between the parts of a key.
const KeyParts = " | "

// Bundle parses Document.
func Bundle(t testing.TB) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Parse([]byte(Document))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Store is a store in memory. Its faults are set before it is used.
type Store struct {
	mu      sync.Mutex
	rows    map[string][]byte
	Marks   map[string]enforce.Watermarks
	Layouts map[uint32]*row.Layout

	Fault        func(read *lookup.Read) error // of ReadRows
	LayoutFault  error
	MarksFault   error
	Hang         bool // ReadRows waits for the deadline
	Reads        int
	LayoutReads  int
	WhileReading func()
}

// NewStore is empty and well.
func NewStore() *Store {
	return &Store{rows: make(map[string][]byte), Layouts: make(map[uint32]*row.Layout)}
}

// Put stores a row of project p; values are JSON, null for a null.
func (s *Store) Put(t testing.TB, view *bundle.View, keyJSON string, header row.Header, values ...string) {
	t.Helper()
	layout := view.Layouts[view.Layout]
	stored := make([]*row.Value, len(layout.Fields))
	for i, text := range values {
		if text == "null" {
			continue
		}
		value, err := row.ParseValue(layout.Fields[i].Dtype, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		stored[i] = &value
	}
	s.PutBytes(t, view, keyJSON, row.Encode(header, layout, stored))
}

// PutBytes stores any bytes as a row. Keys of several parts are given as "a" + KeyParts + "b".
func (s *Store) PutBytes(t testing.TB, view *bundle.View, keyJSON string, data []byte) {
	t.Helper()
	encoded := view.Key.AppendNames(nil)
	for i, part := range strings.Split(keyJSON, KeyParts) {
		var err error
		if encoded, err = key.AppendValue(encoded, view.Key.JoinKeys()[i].Dtype, []byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[view.Project+"\x00"+view.Name+"\x00"+string(encoded)] = data
}

// ReadRows implements lookup.Store.
func (s *Store) ReadRows(ctx context.Context, read *lookup.Read) error {
	if s.WhileReading != nil {
		s.WhileReading()
	}
	if s.Hang {
		<-ctx.Done()
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Reads++
	if s.Fault != nil {
		if err := s.Fault(read); err != nil {
			return err
		}
	}
	for v, view := range read.Views {
		for k, entity := range read.Keys {
			read.Rows[v*len(read.Keys)+k] = s.rows[read.Project+"\x00"+view+"\x00"+string(entity)]
		}
	}
	return nil
}

// ReadLayout implements lookup.Store.
func (s *Store) ReadLayout(_ context.Context, _, _ string, number uint32) (*row.Layout, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.LayoutReads++
	return s.Layouts[number], s.LayoutFault
}

// ReadWatermarks implements lookup.Store.
func (s *Store) ReadWatermarks(context.Context, string) (map[string]enforce.Watermarks, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Marks, s.MarksFault
}

// Ping implements lookup.Pinger.
func (s *Store) Ping(context.Context) error { return s.MarksFault }

// Observer remembers how many answers it saw, and lets a test look at them.
type Observer struct {
	mu   sync.Mutex
	Seen int
	Look func(*lookup.Answer)
}

// Observe implements lookup.Observer.
func (o *Observer) Observe(answer *lookup.Answer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Seen++
	if o.Look != nil {
		o.Look(answer)
	}
}

// StoreCall implements lookup.StoreTimer.
func (o *Observer) StoreCall(string, string, time.Duration, lookup.Outcome) {}

// Request implements httpapi.RequestTimer.
func (o *Observer) Request(string, int, time.Duration) {}

// Engine returns an engine over the store, with Document in force.
func Engine(t testing.TB, store *Store, observer lookup.Observer) (*lookup.Engine, *bundle.Holder) {
	t.Helper()
	return EngineOf(t, Bundle(t), store, observer, lookup.Limits{Entities: 10, Features: 6, Concurrent: 2, Values: 100})
}

// EngineOf is the same with a bundle and limits of one's own; the bundle's project is p.
func EngineOf(t testing.TB, b *bundle.Bundle, store *Store, observer lookup.Observer, limits lookup.Limits) (*lookup.Engine, *bundle.Holder) {
	t.Helper()
	holder := new(bundle.Holder)
	holder.Store(b)
	marks := lookup.NewWatermarks(lookup.OnlyStore(store))
	if err := marks.Add(context.Background(), nil, []lookup.Place{PlaceOfP}); err != nil {
		t.Fatal(err)
	}
	return lookup.NewEngine(lookup.Config{
		Stores: lookup.OnlyStore(store), Bundles: holder, Marks: marks, Observer: observer, Timer: new(Observer),
		Limits: limits, Timeout: 10 * time.Second,
		Log: slog.New(slog.DiscardHandler), Now: Now,
	}), holder
}

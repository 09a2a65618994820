// Package vectors runs one case of the contract vectors through the real engine: rows are encoded to
// bytes, a bundle is parsed, a lookup is answered. The vectors are what Go and Python must agree on.
package vectors

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/observe"
	"freshline/serving/internal/row"
)

const (
	projectName = "vectors"
	viewName    = "judged"
	serviceName = "reader"
)

// Case is one case as the vectors spell it.
type Case struct {
	Name         string                     `json:"name"`
	NowUS        int64                      `json:"now_us"`
	View         map[string]json.RawMessage `json:"view"`
	ServiceTerms json.RawMessage            `json:"service_terms"`
	Requested    []string                   `json:"requested"`
	Watermarks   map[string]int64           `json:"watermarks"`
	MaxRejected  float64                    `json:"max_rejected"`
	Rows         []*storedRow               `json:"rows"`
	Expect       json.RawMessage            `json:"expect"`
}

type storedRow struct {
	Unavailable bool                       `json:"unavailable"`
	Corrupt     bool                       `json:"corrupt"`
	EventTimeUS int64                      `json:"event_time_us"`
	WriteTimeUS int64                      `json:"write_time_us"`
	Lane        string                     `json:"lane"`
	Held        bool                       `json:"held"`
	Tombstone   bool                       `json:"tombstone"`
	Layout      uint32                     `json:"layout"`
	Values      map[string]json.RawMessage `json:"values"`
}

// Judge answers a case with what the vectors call its expectation.
func Judge(ctx context.Context, text []byte) (*Expectation, error) {
	var c Case
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("the case is no case: %w", err)
	}
	b, err := c.bundle()
	if err != nil {
		return nil, err
	}
	store := &caseStore{lost: make([]bool, len(c.Rows)), marks: c.watermarks()}
	for _, stored := range c.Rows {
		data, err := stored.encode(b.Projects[projectName].Views[viewName])
		if err != nil {
			return nil, err
		}
		store.rows = append(store.rows, data)
	}
	for i, stored := range c.Rows {
		store.lost[i] = stored != nil && stored.Unavailable
	}
	return c.answer(ctx, b, store)
}

func (c *Case) answer(ctx context.Context, b *bundle.Bundle, store *caseStore) (*Expectation, error) {
	holder := new(bundle.Holder)
	holder.Store(b)
	marks := lookup.NewWatermarks(lookup.OnlyStore(store))
	if err := marks.Add(ctx, nil, []lookup.Place{{Project: projectName, Store: bundle.DefaultStore}}); err != nil {
		return nil, err
	}
	counters := observe.NewCounters(0)
	engine := lookup.NewEngine(lookup.Config{
		Stores: lookup.OnlyStore(store), Bundles: holder, Marks: marks, Observer: counters, Timer: silent{},
		Limits:  lookup.Limits{Entities: len(c.Rows), Features: len(c.Requested), Concurrent: 1, Values: 1},
		Timeout: time.Minute, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.UnixMicro(c.NowUS) },
	})
	entities := lookup.EntityColumn{Name: "k"}
	for i := range c.Rows {
		entities.Values = append(entities.Values, strconv.AppendInt(nil, int64(i), 10))
	}
	answer, err := engine.Lookup(ctx, &lookup.Request{
		Project: projectName, Service: serviceName, Entities: []lookup.EntityColumn{entities},
	})
	if err != nil {
		return nil, err
	}
	expectation := expectationOf(answer)
	minutes, _ := counters.Drain()
	for _, minute := range minutes {
		expectation.addBins(minute.Bins)
	}
	return expectation, nil
}

// bundle makes a bundle of the case's view and of a service with its terms.
func (c *Case) bundle() (*bundle.Bundle, error) {
	view := make(map[string]any, len(c.View))
	for name, value := range c.View {
		view[name] = value
	}
	view["join_keys"] = []row.Spec{{Name: "k", Dtype: "int64"}}
	features := make([][2]string, len(c.Requested))
	for i, name := range c.Requested {
		features[i] = [2]string{viewName, name}
	}
	terms := c.ServiceTerms
	if terms == nil {
		terms = json.RawMessage("{}")
	}
	document, err := json.Marshal(map[string]any{
		"format": 1, "number": 1, "registry": "vectors",
		"projects": map[string]any{projectName: map[string]any{
			"views": map[string]any{viewName: view},
			"services": map[string]any{serviceName: map[string]any{
				"features": features, "max_rejected": c.MaxRejected, "terms": terms,
			}},
		}},
	})
	if err != nil {
		return nil, err
	}
	return bundle.Parse(document)
}

func (c *Case) watermarks() map[string]enforce.Watermarks {
	var marks enforce.Watermarks
	for name, us := range c.Watermarks {
		if lane, ok := row.ParseLane(name); ok {
			marks.US[lane], marks.Has[lane] = us, true
		}
	}
	return map[string]enforce.Watermarks{viewName: marks}
}

func (r *storedRow) encode(view *bundle.View) ([]byte, error) {
	switch {
	case r == nil || r.Unavailable:
		return nil, nil
	case r.Corrupt:
		return make([]byte, 64), nil
	}
	layout := view.Layouts[r.Layout]
	if layout == nil {
		return nil, fmt.Errorf("the view has no layout %d", r.Layout)
	}
	lane, ok := row.ParseLane(r.Lane)
	if !ok {
		return nil, fmt.Errorf("%q is no lane", r.Lane)
	}
	values := make([]*row.Value, len(layout.Fields))
	for i, field := range layout.Fields {
		raw, ok := r.Values[field.Name]
		if !ok || string(raw) == "null" {
			continue
		}
		value, err := row.ParseValue(field.Dtype, raw)
		if err != nil {
			return nil, fmt.Errorf("value of %q: %w", field.Name, err)
		}
		values[i] = &value
	}
	return row.Encode(row.Header{
		EventTimeUS: r.EventTimeUS, WriteTimeUS: r.WriteTimeUS, Lane: lane,
		Held: r.Held, Tombstone: r.Tombstone,
	}, layout, values), nil
}

// caseStore holds the rows of a case; row i belongs to the i-th key.
type caseStore struct {
	rows  [][]byte
	lost  []bool
	marks map[string]enforce.Watermarks
}

func (s *caseStore) ReadRows(_ context.Context, read *lookup.Read) error {
	copy(read.Rows, s.rows)
	copy(read.Missed, s.lost)
	return nil
}

func (s *caseStore) ReadLayout(context.Context, string, string, uint32) (*row.Layout, error) {
	return nil, nil
}

func (s *caseStore) ReadWatermarks(context.Context, string) (map[string]enforce.Watermarks, error) {
	return s.marks, nil
}

type silent struct{}

func (silent) StoreCall(string, string, time.Duration, lookup.Outcome) {}

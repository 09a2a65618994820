// Command answer runs whole requests through serving's HTTP handler, over rows and a clock that its input
// names: one JSON object a line in, one answer a line out. Tests compare it with a slow reference.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"freshline/serving/internal/arrowapi"
	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/httpapi"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

const longestLine = 16 << 20

// question is one line of input. Rows of a key that is lost cannot be read.
type question struct {
	Bundle     json.RawMessage              `json:"bundle"`
	NowUS      int64                        `json:"now_us"`
	Watermarks map[string]map[string]int64  `json:"watermarks"` // by view and lane
	Rows       map[string]map[string][]byte `json:"rows"`       // by view and key in hex
	Lost       []string                     `json:"lost"`       // keys in hex
	Path       string                       `json:"path"`
	Body       json.RawMessage              `json:"body"`
}

type answer struct {
	Code int             `json:"code"`
	Body json.RawMessage `json:"body"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run answers after every line, so that a caller may wait for one answer before the next question.
func run(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 1<<16), longestLine)
	encoder := json.NewEncoder(out)
	for number := 1; lines.Scan(); number++ {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		said, err := asked.ask(context.Background())
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := encoder.Encode(said); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (q *question) ask(ctx context.Context) (*answer, error) {
	parsed, err := bundle.Parse(q.Bundle)
	if err != nil {
		return nil, err
	}
	holder := new(bundle.Holder)
	holder.Store(parsed)
	stores := lookup.OnlyStore(&rows{q})
	marks := lookup.NewWatermarks(stores)
	for _, project := range parsed.Projects {
		if err := marks.Add(ctx, nil, []lookup.Place{lookup.PlaceOf(project)}); err != nil {
			return nil, err
		}
	}
	now := func() time.Time { return time.UnixMicro(q.NowUS) }
	log := slog.New(slog.DiscardHandler)
	engine := lookup.NewEngine(lookup.Config{
		Stores: stores, Bundles: holder, Marks: marks, Observer: silent{}, Timer: silent{},
		Limits:  lookup.Limits{Entities: 1000, Features: 1000, Concurrent: 1, Values: 1},
		Timeout: time.Minute, Log: log, Now: now,
	})
	handler := httpapi.New(httpapi.Config{
		Engine: engine, Gate: &lookup.Gate{Bundles: holder, Now: now}, Bundles: holder, Stores: lookup.Pingers{}, Timer: silent{},
		Arrow: arrowapi.New(), Metrics: http.NotFoundHandler(), MaxBodyBytes: longestLine, Log: log,
	})
	recorded := httptest.NewRecorder()
	handler.ServeHTTP(recorded, httptest.NewRequest(http.MethodPost, q.Path, strings.NewReader(string(q.Body))))
	return &answer{recorded.Code, recorded.Body.Bytes()}, nil
}

// rows is a store that holds what the question says.
type rows struct{ *question }

// ReadRows implements lookup.Store.
func (r *rows) ReadRows(_ context.Context, read *lookup.Read) error {
	missed := 0
	for k, key := range read.Keys {
		name := fmt.Sprintf("%x", key)
		for _, lost := range r.Lost {
			if lost == name && !read.Missed[k] {
				read.Missed[k] = true
				missed++
			}
		}
		for v, view := range read.Views {
			read.Rows[v*len(read.Keys)+k] = r.Rows[view][name]
		}
	}
	if missed > 0 && missed == len(read.Keys) {
		return fmt.Errorf("all %d keys are lost", missed)
	}
	return nil
}

// ReadLayout implements lookup.Store.
func (r *rows) ReadLayout(context.Context, string, string, uint32) (*row.Layout, error) {
	return nil, nil
}

// ReadWatermarks implements lookup.Store.
func (r *rows) ReadWatermarks(context.Context, string) (map[string]enforce.Watermarks, error) {
	all := make(map[string]enforce.Watermarks, len(r.Watermarks))
	for view, lanes := range r.Watermarks {
		var marks enforce.Watermarks
		for name, us := range lanes {
			lane, known := row.ParseLane(name)
			if !known {
				return nil, fmt.Errorf("%q is no lane", name)
			}
			marks.US[lane], marks.Has[lane] = us, true
		}
		all[view] = marks
	}
	return all, nil
}

// silent tells nobody.
type silent struct{}

func (silent) Observe(*lookup.Answer)                                  {}
func (silent) StoreCall(string, string, time.Duration, lookup.Outcome) {}
func (silent) Request(string, int, time.Duration)                      {}

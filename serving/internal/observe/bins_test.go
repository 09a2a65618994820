package observe

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/processor"
	"freshline/serving/internal/row"
)

func TestBinsAddUpToTheRowsThatWereAnswered(t *testing.T) {
	s := newStory(t, 0)
	s.tell()
	minutes, _ := s.counters.Drain()
	binned := 0
	for _, minute := range minutes {
		for feature, ids := range minute.Bins {
			for id, counts := range ids {
				var sum uint64
				for _, n := range counts {
					sum += n
				}
				// A request that fails gives its caller no values; those of this story have a service of their own.
				if want := minute.Rows; sum != want || minute.FailedRequests > 0 {
					t.Errorf("%s:%s through %q: %d values in bins %s, want %d", minute.View, feature, minute.Service, sum, id, want)
				}
				binned++
			}
		}
	}
	if binned == 0 {
		t.Error("nothing was counted into bins")
	}
}

func TestBinsThatChangeWithinAMinuteAreToldApart(t *testing.T) {
	s := newStory(t, 0)
	s.once()
	changed, err := bundle.Parse([]byte(strings.Replace(lookuptest.Document, `"00000000000000d1","edges":[0.5,10,60]`, `"00000000000000d2","edges":[12.5]`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	s.engine.Bundles.Store(changed)
	s.once()
	minutes, _ := s.counters.Drain()
	if len(minutes) != 1 || minutes[0].Bins["delay"]["00000000000000d1"]["2"] != 1 || minutes[0].Bins["delay"]["00000000000000d2"]["1"] != 1 {
		t.Errorf("counted %+v", minutes)
	}
}

func TestTextsAndBoolsAreCountedByCategory(t *testing.T) {
	s := newStory(t, 0)
	facts := s.engine.Bundles.Load().Projects["p"].Views["carrier_facts"]
	at := row.Header{EventTimeUS: nowUS, WriteTimeUS: nowUS}
	s.store.Put(t, facts, `"UA"`, at, `"United"`, "null", "null", "null", "null", "true")
	s.store.Put(t, facts, `"B6"`, at, `"JetBlue"`, "null", "null", "null", "null", "false")
	s.store.Put(t, facts, `"ZZ"`, at, "null", "null", "null", "null", "null", "null")
	asked := &lookup.Request{Features: []string{"carrier_facts:name", "carrier_facts:low_cost"}}
	s.lookup(asked, `"UA"`, `"B6"`) // columns without a null
	s.lookup(&lookup.Request{Features: asked.Features}, `"UA"`, `"ZZ"`)
	minutes, _ := s.counters.Drain()
	names, lowCost := minutes[0].Bins["name"]["0000000000000c01"], minutes[0].Bins["low_cost"]["0000000000000c02"]
	if len(names) != 3 || names["0"] != 2 || names["other"] != 1 || names["null"] != 1 {
		t.Errorf("names: %v", names)
	}
	if len(lowCost) != 3 || lowCost["1"] != 2 || lowCost["0"] != 1 || lowCost["null"] != 1 {
		t.Errorf("low_cost: %v", lowCost)
	}
}

func TestKeysAreToldOnlyForTheProjectsThatAllowIt(t *testing.T) {
	for allowed, told := range map[string]bool{"": false, "q": false, "p": true, "*": true} {
		s := newStory(t, 0)
		s.counters = NewCounters(1, strings.Fields(allowed)...)
		s.engine.Observer = s.counters
		s.once()
		_, samples := s.counters.Drain()
		if len(samples) != 1 || len(samples[0].KeySHA256) != 64 || (samples[0].Key != "") != told {
			t.Errorf("allowed %q: %+v", allowed, samples)
		}
	}
}

// BenchmarkObserve is a lookup of 100 x 100 floats, each counted into 16 bins, and without bins.
func BenchmarkObserve(b *testing.B) {
	for name, edges := range map[string]string{"binned": "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14", "plain": ""} {
		b.Run(name, func(b *testing.B) {
			answer, counters := wideAnswer(b, edges), NewCounters(0)
			for range 1000 {
				counters.Observe(answer)
			}
			b.ReportAllocs()
			b.ResetTimer()
			began := processor.Time()
			for range b.N {
				counters.Observe(answer)
			}
			b.ReportMetric(float64((processor.Time()-began).Nanoseconds())/float64(b.N)/10_000, "cpu-ns/value")
		})
	}
}

func wideAnswer(b *testing.B, edges string) *lookup.Answer {
	const rows, columns = 100, 100
	var features, specs, bins, asked []string
	values := make([]string, columns)
	for i := range columns {
		name := "f" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		features = append(features, `{"name":"`+name+`","dtype":"float64","nullable":true}`)
		specs = append(specs, `{"name":"`+name+`","dtype":"float64"}`)
		bins = append(bins, `"`+name+`":{"id":"0123456789abcdef","edges":[`+edges+`]}`)
		asked = append(asked, "wide:"+name)
	}
	if edges == "" {
		bins = nil
	}
	document := `{"format":1,"number":1,"registry":"r","projects":{"p":{"services":{},"views":{"wide":{"id":1,"contract":1,"enforcement":"enforce",
"features":[` + strings.Join(features, ",") + `],"join_keys":[{"name":"k","dtype":"int64"}],"layout":1,"layouts":{"1":[` + strings.Join(specs, ",") + `]},
"terms":{"max_age_us":60000000,"on_stale":"serve","on_missing":"null","on_invalid":"null"},"bins":{` + strings.Join(bins, ",") + `}}}}}}`
	parsed, err := bundle.Parse([]byte(document))
	if err != nil {
		b.Fatal(err)
	}
	store := lookuptest.NewStore()
	engine, _ := lookuptest.Engine(b, store, NewCounters(0))
	engine.Bundles.Store(parsed)
	engine.Limits = lookup.Limits{Entities: rows, Features: columns, Concurrent: 1, Values: 1}
	keys := lookup.EntityColumn{Name: "k"}
	for key := range rows {
		for i := range values {
			values[i] = strconv.FormatFloat(rand.Float64()*20-3, 'g', -1, 64) // no branch may learn them
		}
		name := strconv.Itoa(key)
		store.Put(b, parsed.Projects["p"].Views["wide"], name, row.Header{EventTimeUS: nowUS, WriteTimeUS: nowUS}, values...)
		keys.Values = append(keys.Values, []byte(name))
	}
	answer, err := engine.Lookup(context.Background(), &lookup.Request{Project: "p", Features: asked, Entities: []lookup.EntityColumn{keys}})
	if err != nil {
		b.Fatal(err)
	}
	return answer
}

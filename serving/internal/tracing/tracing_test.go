package tracing

import (
	"net/http"
	"testing"

	"freshline/serving/internal/leaktest"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestWithoutACollectorNothingIsWrappedSoThatTracingIsFree(t *testing.T) {
	var off *Tracer
	handler, stores := http.NewServeMux(), lookup.OnlyStore(lookuptest.NewStore())
	if got := off.Handler(handler); got != http.Handler(handler) {
		t.Errorf("requests go through %T", got)
	}
	for name, store := range off.Stores(stores) {
		if store != stores[name] {
			t.Errorf("reads go through %T", store)
		}
	}
	off.Stop(t.Context())
}

// halved is a store of which every key lies in its first part.
type halved struct{ *lookuptest.Store }

func (halved) Parts(*lookup.Read) uint64 { return 1 }

func TestATracedClusterStillFailsPartByPart(t *testing.T) {
	read := new(lookup.Read)
	for store, want := range map[lookup.Store]uint64{
		halved{lookuptest.NewStore()}: 1,
		lookuptest.NewStore():         lookup.EveryPart,
	} {
		traced := new(Tracer).Stores(lookup.OnlyStore(store))
		for _, store := range traced {
			if got := lookup.PartsOf(store, read); got != want {
				t.Errorf("%T: parts %b, want %b", store, got, want)
			}
		}
	}
}

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

package httpapi

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"freshline/serving/internal/lookup"
)

// readiness is what /ready says once lookups can be answered. Stores holds, for every store that a
// project lives in, "ok" or why it cannot be read.
type readiness struct {
	Ready  bool              `json:"ready"`
	Bundle lookup.BundleName `json:"bundle"`
	Stores map[string]string `json:"stores"`
}

// ready tells whether lookups can be answered: there is a bundle, and a store that its projects live in
// answers. One store of several that is away takes the process out of no rotation, for the others'
// projects would lose their server too; its name stands in the answer.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	b := s.Bundles.Load()
	if b == nil {
		s.write(w, r, newProblem(codeNoBundle, "no contract bundle was loaded yet"))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	told, any := s.Stores.Ask(ctx, b)
	if any {
		writeJSON(w, http.StatusOK, readiness{true, lookup.NameOf(b), told})
		return
	}
	s.write(w, r, newProblem(codeStoreUnavailable, "the store does not answer: %s", listed(told)))
}

func listed(told map[string]string) string {
	parts := make([]string, 0, len(told))
	for _, store := range slices.Sorted(maps.Keys(told)) {
		parts = append(parts, store+": "+told[store])
	}
	return strings.Join(parts, "; ")
}

package httpapi

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"freshline/serving/internal/bundle"
)

// readiness is what /ready says once lookups can be answered. Stores holds, for every store that a
// project lives in, "ok" or why it cannot be read.
type readiness struct {
	Ready  bool              `json:"ready"`
	Bundle bundleName        `json:"bundle"`
	Stores map[string]string `json:"stores"`
}

const storeOK = "ok"

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
	told := s.askStores(ctx, b)
	for _, said := range told {
		if said == storeOK {
			writeJSON(w, http.StatusOK, readiness{true, bundleName{b.Number, b.Digest}, told})
			return
		}
	}
	s.write(w, r, newProblem(codeStoreUnavailable, "the store does not answer: %s", listed(told)))
}

// askStores pings all stores that the bundle's projects live in at once; without a project, the default one.
func (s *Server) askStores(ctx context.Context, b *bundle.Bundle) map[string]string {
	projects := map[string][]string{}
	for _, project := range b.Projects {
		projects[project.Store] = append(projects[project.Store], project.Name)
	}
	if len(projects) == 0 {
		projects[bundle.DefaultStore] = nil
	}
	type answer struct{ store, said string }
	answers := make(chan answer, len(projects))
	for store, names := range projects {
		go func() { answers <- answer{store, s.askStore(ctx, store, names)} }()
	}
	told := make(map[string]string, len(projects))
	for range projects {
		one := <-answers
		told[one.store] = one.said
	}
	return told
}

func (s *Server) askStore(ctx context.Context, store string, projects []string) string {
	pinger := s.Stores[store]
	if pinger == nil {
		slices.Sort(projects)
		return fmt.Sprintf("FRESHLINE_STORES does not name it; needed by project %s", strings.Join(projects, ", "))
	}
	if err := pinger.Ping(ctx); err != nil {
		return err.Error()
	}
	return storeOK
}

func listed(told map[string]string) string {
	parts := make([]string, 0, len(told))
	for _, store := range slices.Sorted(maps.Keys(told)) {
		parts = append(parts, store+": "+told[store])
	}
	return strings.Join(parts, "; ")
}

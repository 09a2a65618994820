package lookup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"freshline/serving/internal/bundle"
)

// Pinger tells whether a store answers.
type Pinger interface {
	Ping(ctx context.Context) error
}

// Pingers are the stores of a process by name.
type Pingers map[string]Pinger

// StoreOK is what Ask says of a store that answers.
const StoreOK = "ok"

// Ask pings all stores that the bundle's projects live in at once; without a project, the default one.
// It says of each store StoreOK, or why it cannot be read, and tells whether any can.
func (p Pingers) Ask(ctx context.Context, b *bundle.Bundle) (told map[string]string, any bool) {
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
		go func() { answers <- answer{store, p.ask(ctx, store, names)} }()
	}
	told = make(map[string]string, len(projects))
	for range projects {
		one := <-answers
		told[one.store] = one.said
		any = any || one.said == StoreOK
	}
	return told, any
}

func (p Pingers) ask(ctx context.Context, store string, projects []string) string {
	pinger := p[store]
	if pinger == nil {
		slices.Sort(projects)
		return fmt.Sprintf("FRESHLINE_STORES does not name it; needed by project %s", strings.Join(projects, ", "))
	}
	if err := pinger.Ping(ctx); err != nil {
		return err.Error()
	}
	return StoreOK
}

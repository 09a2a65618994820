package lookup

import (
	"context"
	"fmt"
	"sync"
	"time"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/row"
)

const (
	// maxCachedLayouts bounds the memory that rows with made-up layout numbers can take.
	maxCachedLayouts = 4096
	// unknownFor is how long the store's "no such layout" is believed.
	unknownFor = time.Second
)

// layoutID tells the store as well: one of Feast's makes layouts up and numbers them itself.
type layoutID struct {
	store, project, view string
	number               uint32
}

type cachedLayout struct {
	layout *row.Layout // nil: the store had none
	at     time.Time
}

// layouts remembers layouts that were fetched from the store because the bundle that names them is
// still on its way. Layouts never change, so what is found stays right.
type layouts struct {
	now   func() time.Time
	mu    sync.Mutex // taken only for layouts that the bundle does not name
	known map[layoutID]cachedLayout
}

func newLayouts(now func() time.Time) *layouts {
	return &layouts{now: now, known: make(map[layoutID]cachedLayout)}
}

func (l *layouts) find(ctx context.Context, store Store, id layoutID) (*row.Layout, error) {
	l.mu.Lock()
	cached, ok := l.known[id]
	l.mu.Unlock()
	if ok && (cached.layout != nil || l.now().Sub(cached.at) < unknownFor) {
		return cached.layout, nil
	}
	layout, err := store.ReadLayout(ctx, id.project, id.view, id.number)
	if err != nil {
		return nil, fmt.Errorf("read layout %d of view %q: %w", id.number, id.view, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) >= maxCachedLayouts {
		clear(l.known)
	}
	l.known[id] = cachedLayout{layout: layout, at: l.now()}
	return layout, nil
}

// viewLayouts finds the layouts of one view: in the bundle, else in the store.
type viewLayouts struct {
	view    *bundle.View
	store   *guarded
	layouts *layouts
}

// Layout implements enforce.Layouts.
func (v *viewLayouts) Layout(ctx context.Context, number uint32) (*row.Layout, error) {
	if layout := v.view.Layouts[number]; layout != nil {
		return layout, nil
	}
	return v.layouts.find(ctx, v.store.store, layoutID{v.store.name, v.view.Project, v.view.Name, number})
}

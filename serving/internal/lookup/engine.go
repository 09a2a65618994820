package lookup

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/spread"
)

// maxPooledValues keeps the memory of one huge request from being held for ever.
const (
	maxPooledValues = 1 << 18
	maxPooledKeys   = 1 << 20 // bytes
	maxPooledRows   = 4 << 20 // bytes
)

// Observer hears of every judged lookup, failed ones included, before its answer is released. It is
// called by many goroutines at once and keeps nothing of the answer.
type Observer interface {
	Observe(answer *Answer)
}

// StoreTimer hears how long each call to the store took, and how it ended.
type StoreTimer interface {
	StoreCall(store, operation string, took time.Duration, outcome Outcome)
}

// Outcome is how a call to a store ended.
type Outcome string

// The outcomes.
const (
	Whole   Outcome = "ok"
	Partial Outcome = "partial" // some keys or views were read, others not
	Failed  Outcome = "error"
)

func outcomeOf(read *Read, err error) Outcome {
	switch {
	case err != nil:
		return Failed
	case read.Partial != nil:
		return Partial
	}
	return Whole
}

// Config is what an Engine needs.
type Config struct {
	Stores   Stores
	Bundles  *bundle.Holder
	Marks    *Watermarks
	Observer Observer
	Timer    StoreTimer
	Limits   Limits
	Timeout  time.Duration // of a request that names none
	Log      *slog.Logger
	Now      func() time.Time
	// Unenforced answers whole columns as they are stored. No setting leads here: it shows what enforcement costs.
	Unenforced bool
}

// Engine answers lookups. It is safe for many goroutines.
type Engine struct {
	Config
	guarded map[string]*guarded // by the name of the store; never changes
	layouts *layouts
	answers sync.Pool
	values  atomic.Int64 // of all lookups whose answers were not released yet
}

// NewEngine returns an engine that is ready for requests.
func NewEngine(config Config) *Engine {
	e := &Engine{
		Config:  config,
		guarded: make(map[string]*guarded, len(config.Stores)),
		layouts: newLayouts(config.Now),
		answers: sync.Pool{New: func() any { return new(Answer) }},
	}
	for name, store := range config.Stores {
		e.guarded[name] = &guarded{name: name, store: store, breaker: NewBreaker(config.Now)}
	}
	return e
}

// Breaker returns the guard of the store of that name, for the metrics.
func (e *Engine) Breaker(store string) *Breaker { return e.guarded[store].breaker }

// InFlight returns how many lookups in the store of that name are being answered.
func (e *Engine) InFlight(store string) int64 { return e.guarded[store].inFlight.Load() }

// Lookup answers the request. A nil error means a judged answer, whose Failure the caller must look
// at; it must be given back with Release. An *Error means that nothing was judged.
func (e *Engine) Lookup(ctx context.Context, request *Request) (*Answer, error) {
	at, err := e.enter(request)
	if err != nil {
		return nil, err
	}
	defer at.store.inFlight.Add(-1)
	started := e.Now()
	timeout := e.Timeout
	if request.Timeout > 0 {
		timeout = request.Timeout
	}
	deadline, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer := e.answers.Get().(*Answer)
	whole := false
	defer func() {
		if !whole { // it broke: the answer is left to the collector, its room is not
			e.values.Add(-answer.admitted)
		}
	}()
	if err := e.answer(deadline, at, request, answer, timeout >= e.Timeout); err != nil {
		whole = true // and once released somebody else's
		e.Release(answer)
		return nil, err
	}
	if !request.Unobserved {
		answer.Took = e.Now().Sub(started)
		e.Observer.Observe(answer)
	}
	whole = true
	return answer, nil
}

// Release takes an answer back.
func (e *Engine) Release(a *Answer) {
	e.values.Add(-a.admitted)
	a.admitted = 0
	if a.isLarge() {
		return
	}
	a.forget()
	e.answers.Put(a)
}

// admit makes room for an answer's values, until it is released. One that is alone is always let in:
// its size has limits of its own.
func (e *Engine) admit(a *Answer, rows, columns int) error {
	values := int64(rows) * int64(columns)
	a.admitted = values
	if under := e.values.Add(values); under > int64(e.Limits.Values) && under > values {
		return failure(Busy, "", "lookups of %d values are under way, %d more are too many", under-values, values)
	}
	return nil
}

// entered is where a request belongs: one bundle for all of it, and a place in its project's store.
type entered struct {
	bundle  *bundle.Bundle
	project *bundle.Project
	store   *guarded
}

// enter finds the store of the request's project and takes a place in it. Each store has as many places
// as the limit says, so that a slow one keeps nobody from the others.
func (e *Engine) enter(request *Request) (entered, error) {
	b := e.Bundles.Load()
	if b == nil {
		return entered{}, failure(NoBundle, "", "no contract bundle was loaded yet")
	}
	project := b.Projects[request.Project]
	if project == nil {
		return entered{}, failure(UnknownProject, request.Project, "Project %s does not exist", request.Project)
	}
	store := e.guarded[project.Store]
	if store == nil {
		return entered{}, failure(StoreUnavailable, project.Store,
			"project %s lives in the store %s, of which this server has no address", project.Name, project.Store)
	}
	if store.inFlight.Add(1) > int64(e.Limits.Concurrent) {
		store.inFlight.Add(-1)
		return entered{}, failure(Busy, "", "%d lookups are under way, which is the limit", e.Limits.Concurrent)
	}
	return entered{b, project, store}, nil
}

func (e *Engine) answer(ctx context.Context, at entered, request *Request, a *Answer, patient bool) error {
	service, refs, err := resolve(at.project, request, e.Limits)
	if err != nil {
		return err
	}
	rows, err := shape(at.project, request, e.Limits.Entities)
	if err != nil {
		return err
	}
	if err := e.admit(a, rows, len(refs)); err != nil {
		return err
	}
	a.begin(at.bundle, at.project, service, refs, rows)
	a.NowUS = e.Now().UnixMicro()
	marks := e.Marks.Load()[PlaceOf(at.project)]
	for _, view := range a.Views {
		view.Marks = marks[view.View.Name]
	}
	if len(request.Entities) == 0 && len(a.groups) == 0 { // retired views have no keys to miss
		return failure(KeyMissing, "", "entities names no join key")
	}
	for i := range a.groups {
		if err := a.groups[i].encode(request.Entities, rows, request.AsFeast); err != nil {
			return err
		}
	}
	e.read(ctx, at.store, a, patient)
	e.judge(ctx, at.store, a)
	a.fail(ctx)
	return nil
}

// read asks the store for all groups at once: one goroutine each, which writes its own group only.
func (e *Engine) read(ctx context.Context, store *guarded, a *Answer, patient bool) {
	if a.Rows == 0 || len(a.groups) == 0 {
		return
	}
	if !store.breaker.allow() {
		for i := range a.groups {
			a.groups[i].err = errOpen
			a.groups[i].read.MissAll()
		}
		return
	}
	var others spread.Group
	for i := 1; i < len(a.groups); i++ {
		others.Go(func() { e.readGroup(ctx, store, &a.groups[i]) })
	}
	e.readGroup(ctx, store, &a.groups[0])
	others.Wait()
	e.report(ctx, store, a.groups, patient)
}

func (e *Engine) readGroup(ctx context.Context, store *guarded, g *group) {
	began := e.Now()
	g.err = store.store.ReadRows(ctx, &g.read)
	e.Timer.StoreCall(store.name, "read_rows", e.Now().Sub(began), outcomeOf(&g.read, g.err))
	switch {
	case g.err != nil:
		g.read.MissAll()
	case g.read.Partial != nil && store.mayTell(e.Now()):
		e.Log.Warn("a part of what was asked for could not be read", "store", store.name, "operation", "read_rows",
			"project", g.read.Project, "views", g.read.Views, "error", g.read.Partial)
	}
}

// report tells the breaker how a lookup went, once for all of its groups: one slow lookup of many groups is one
// failure and not many. The store is well if any group was read, and failing if every one blames it.
func (e *Engine) report(ctx context.Context, store *guarded, groups []group, patient bool) {
	var parts uint64
	blamed := true
	for i := range groups {
		g := &groups[i]
		if g.err == nil {
			if store.breaker.report(nil, EveryPart) {
				e.tellBreaker(store.name, &g.read, nil)
			}
			return
		}
		blamed = blamed && blames(ctx, g.err, patient)
		if blamed {
			parts |= PartsOf(store.store, &g.read)
		}
	}
	if first := &groups[0]; blamed && store.breaker.report(first.err, parts) {
		e.tellBreaker(store.name, &first.read, first.err)
	}
}

// tellBreaker writes once that the store is away, and once that it is back.
func (e *Engine) tellBreaker(store string, read *Read, err error) {
	if err == nil {
		e.Log.Info("the store answers again", "store", store)
		return
	}
	e.Log.Error("the store keeps failing", "store", store, "operation", "read_rows", "project", read.Project, "views", read.Views, "error", err)
}

func (e *Engine) judge(ctx context.Context, store *guarded, a *Answer) {
	for _, view := range a.Views {
		a.place(view)
		view.Table.Unenforced = e.Unenforced
		finder := viewLayouts{view: view.View, store: store, layouts: e.layouts}
		view.Damage = view.Table.Open(ctx, &finder, &view.Marks, view.Terms.MaxAgeUS, a.NowUS)
		for _, column := range view.Columns {
			if column.Feature != nil {
				view.Table.Decode(column.Ref.Name, column.Feature.Dtype, &column.cells)
			}
			column.Judge(&view.Table, &view.Rules, view.Rejected)
		}
		if view.View.Observe || e.Unenforced {
			continue
		}
		for row, rejected := range view.Rejected {
			if rejected && !a.Rejected[row] {
				a.Rejected[row] = true
				a.RejectedRows++
			}
		}
	}
}

// fail decides whether the caller gets values at all.
func (a *Answer) fail(ctx context.Context) {
	if a.Rows == 0 {
		return
	}
	var cause error
	unread := 0
	for i := range a.groups {
		if a.groups[i].unread() {
			unread++
			cause = a.groups[i].err
		}
	}
	switch {
	case unread > 0 && unread == len(a.groups):
		a.Failure = unreadable(ctx, cause)
	case a.BreaksContract():
		a.Failure = failure(ContractNotMet, "", "%d of %d rows are rejected by the contract, more than the share of %v that feature service %s accepts",
			a.RejectedRows, a.Rows, a.MaxRejected, a.Service.Name)
	}
}

// BreaksContract tells whether more rows are rejected than the feature service accepts. No rows break nothing.
func (a *Answer) BreaksContract() bool {
	return a.Rows > 0 && float64(a.RejectedRows)/float64(a.Rows) > a.MaxRejected
}

func unreadable(ctx context.Context, cause error) *Error {
	if errors.Is(cause, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) && !errors.Is(cause, errOpen) {
		return failure(DeadlineExceeded, "", "no row could be read before the request's deadline")
	}
	// The cause names addresses, which are the log's business and not the caller's.
	return failure(StoreUnavailable, "", "no row could be read: the store does not answer")
}

// unread tells whether not one row of the group could be asked for.
func (g *group) unread() bool {
	for v := range g.read.Views {
		if slices.Contains(g.read.missedOf(v), false) {
			return false
		}
	}
	return len(g.read.Missed) > 0
}

var _ enforce.Layouts = (*viewLayouts)(nil)

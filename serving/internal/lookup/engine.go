package lookup

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
)

// maxPooledValues keeps the memory of one huge request from being held for ever.
const maxPooledValues = 1 << 18

// Observer hears of every judged lookup, failed ones included, before its answer is released. It is
// called by many goroutines at once and keeps nothing of the answer.
type Observer interface {
	Observe(answer *Answer)
}

// StoreTimer hears how long each call to the store took, and how it ended.
type StoreTimer interface {
	StoreCall(operation string, took time.Duration, err error)
}

// Config is what an Engine needs.
type Config struct {
	Store    Store
	Bundles  *bundle.Holder
	Marks    *Watermarks
	Observer Observer
	Timer    StoreTimer
	Limits   Limits
	Timeout  time.Duration // of a request that names none
	Log      *slog.Logger
	Now      func() time.Time
}

// Engine answers lookups. It is safe for many goroutines.
type Engine struct {
	Config
	breaker  *Breaker
	layouts  *layouts
	inFlight atomic.Int64
	answers  sync.Pool
}

// NewEngine returns an engine that is ready for requests.
func NewEngine(config Config) *Engine {
	return &Engine{
		Config:  config,
		breaker: NewBreaker(config.Now),
		layouts: newLayouts(config.Store, config.Now),
		answers: sync.Pool{New: func() any { return new(Answer) }},
	}
}

// Breaker returns the store's guard, for the metrics.
func (e *Engine) Breaker() *Breaker { return e.breaker }

// InFlight returns how many requests are being answered.
func (e *Engine) InFlight() int64 { return e.inFlight.Load() }

// Lookup answers the request. A nil error means a judged answer, whose Failure the caller must look
// at; it must be given back with Release. An *Error means that nothing was judged.
func (e *Engine) Lookup(ctx context.Context, request *Request) (*Answer, error) {
	if e.inFlight.Add(1) > int64(e.Limits.Concurrent) {
		e.inFlight.Add(-1)
		return nil, failure(Busy, "", "%d lookups are under way, which is the limit", e.Limits.Concurrent)
	}
	defer e.inFlight.Add(-1)
	started := e.Now()
	timeout := e.Timeout
	if request.Timeout > 0 {
		timeout = request.Timeout
	}
	deadline, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer := e.answers.Get().(*Answer)
	if err := e.answer(deadline, request, answer, timeout >= e.Timeout); err != nil {
		e.Release(answer)
		return nil, err
	}
	if !request.Unobserved {
		answer.Took = e.Now().Sub(started)
		e.Observer.Observe(answer)
	}
	return answer, nil
}

// Release takes an answer back.
func (e *Engine) Release(a *Answer) {
	if a.Rows*len(a.Columns) > maxPooledValues {
		return
	}
	e.answers.Put(a)
}

func (e *Engine) answer(ctx context.Context, request *Request, a *Answer, patient bool) error {
	b := e.Bundles.Load()
	if b == nil {
		return failure(NoBundle, "", "no contract bundle was loaded yet")
	}
	project, service, refs, err := resolve(b, request, e.Limits)
	if err != nil {
		return err
	}
	rows, err := shape(project, request.Entities, e.Limits.Entities)
	if err != nil {
		return err
	}
	a.begin(b, project, service, refs, rows)
	a.NowUS = e.Now().UnixMicro()
	marks := e.Marks.Load()[project.Name]
	for _, view := range a.Views {
		view.Marks = marks[view.View.Name]
	}
	for i := range a.groups {
		if err := a.groups[i].encode(request.Entities, rows); err != nil {
			return err
		}
	}
	e.read(ctx, a, patient)
	e.judge(ctx, a)
	a.fail(ctx)
	return nil
}

// read asks the store for all groups at once: one goroutine each, which writes its own group only.
func (e *Engine) read(ctx context.Context, a *Answer, patient bool) {
	if a.Rows == 0 {
		return
	}
	var others sync.WaitGroup
	for i := 1; i < len(a.groups); i++ {
		others.Go(func() { e.readGroup(ctx, &a.groups[i], patient) })
	}
	if len(a.groups) > 0 {
		e.readGroup(ctx, &a.groups[0], patient)
	}
	others.Wait()
}

func (e *Engine) readGroup(ctx context.Context, g *group, patient bool) {
	if !e.breaker.allow() {
		g.err = errOpen
		g.read.MissAll()
		return
	}
	began := e.Now()
	g.err = e.Store.ReadRows(ctx, &g.read)
	e.Timer.StoreCall("read_rows", e.Now().Sub(began), g.err)
	if g.err != nil {
		g.read.MissAll()
	}
	if (g.err == nil || blames(ctx, g.err, patient)) && e.breaker.report(g.err) {
		e.tellBreaker(&g.read, g.err)
	}
}

// tellBreaker writes once that the store is away, and once that it is back.
func (e *Engine) tellBreaker(read *Read, err error) {
	if err == nil {
		e.Log.Info("the store answers again")
		return
	}
	e.Log.Error("the store keeps failing", "operation", "read_rows", "project", read.Project, "views", read.Views, "error", err)
}

func (e *Engine) judge(ctx context.Context, a *Answer) {
	for _, view := range a.Views {
		a.place(view)
		finder := viewLayouts{view: view.View, layouts: e.layouts}
		view.Damage = view.Table.Open(ctx, &finder, &view.Marks, view.Terms.MaxAgeUS, a.NowUS)
		for _, column := range view.Columns {
			if column.Feature != nil {
				view.Table.Decode(column.Ref.Name, column.Feature.Dtype, &column.cells)
			}
			column.Judge(&view.Table, &view.Rules, view.Rejected)
		}
		if view.View.Observe {
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

// unread tells whether not one key of the group could be asked for.
func (g *group) unread() bool {
	for _, missed := range g.read.Missed {
		if !missed {
			return false
		}
	}
	return len(g.read.Missed) > 0
}

var _ enforce.Layouts = (*viewLayouts)(nil)

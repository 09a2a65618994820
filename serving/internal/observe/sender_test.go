package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"freshline/serving/internal/control"
	"freshline/serving/internal/lookup"
)

// receiver is a control plane that takes reports, or does not.
type receiver struct {
	mu    sync.Mutex
	fault error
	got   []Report
}

func (r *receiver) Observe(_ context.Context, document []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fault != nil {
		return r.fault
	}
	var report Report
	if err := json.Unmarshal(document, &report); err != nil {
		return err
	}
	r.got = append(r.got, report)
	return nil
}

func (r *receiver) sequences() string {
	var all []string
	for _, report := range r.got {
		all = append(all, fmt.Sprint(report.Sequence))
	}
	return strings.Join(all, " ")
}

var errAway = errors.New("the control plane is away")

func (s *story) once() {
	s.lookup(&lookup.Request{Features: []string{"carrier_delays:delay"}}, `"UA"`)
}

func TestReportsWaitOnDiskAndAreDeliveredInOrder(t *testing.T) {
	ctx := context.Background()
	s, to := newStory(t, 0), &receiver{fault: errAway}
	sender := newSender(t, s.counters, to)
	for range 3 {
		s.once()
		sender.Flush(ctx)
	}
	if sender.Waiting() != 3 || len(to.got) != 0 {
		t.Errorf("%d wait, %d arrived", sender.Waiting(), len(to.got))
	}
	to.fault = nil
	sender.Flush(ctx) // nothing new: delivers what waits
	s.once()
	sender.Flush(ctx)
	if got := to.sequences(); got != "1 2 3 4" || sender.Waiting() != 0 {
		t.Errorf("arrived %s, %d wait", got, sender.Waiting())
	}
	for _, report := range to.got {
		if report.Instance != "serving-1-0a1b2c3d" || report.Dropped != 0 || report.Minutes[0].Requests != 1 {
			t.Errorf("report %+v", report)
		}
	}
}

func TestAProcessDeliversWhatAnEarlierOneLeftBehind(t *testing.T) {
	ctx := context.Background()
	s, to := newStory(t, 0), &receiver{fault: errAway}
	earlier := newSender(t, s.counters, to)
	s.once()
	earlier.Flush(ctx)
	later := newSender(t, s.counters, to)
	later.spool, later.Instance = earlier.spool, "serving-1-later"
	to.fault = nil
	s.once()
	later.Flush(ctx)
	if len(to.got) != 2 || to.got[0].Instance != "serving-1-0a1b2c3d" || to.got[1].Instance != "serving-1-later" {
		t.Errorf("arrived %+v", to.got)
	}
}

func TestTheOldestReportsAreDroppedAndCountedWhenSpaceEnds(t *testing.T) {
	ctx := context.Background()
	s, to := newStory(t, 0), &receiver{fault: errAway}
	sender := newSender(t, s.counters, to)
	s.once()
	sender.Flush(ctx)
	names, err := sender.spool.names()
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	one, err := os.Stat(sender.spool.folder + "/" + names[0])
	if err != nil {
		t.Fatal(err)
	}
	sender.spool.maxBytes = 3*one.Size() + one.Size()/2
	for range 5 {
		s.once()
		sender.Flush(ctx)
	}
	if sender.Dropped() != 3 || sender.Waiting() != 3 {
		t.Errorf("%d dropped, %d wait", sender.Dropped(), sender.Waiting())
	}
	to.fault = nil
	s.once()
	sender.Flush(ctx)
	if got := to.sequences(); got != "4 5 6 7" && got != "5 6 7" {
		t.Errorf("arrived %s", got)
	}
	var told int64
	for _, report := range to.got {
		told += report.Dropped
	}
	if told+sender.lost != sender.Dropped() {
		t.Errorf("told of %d dropped reports, %d are yet to be told, dropped %d", told, sender.lost, sender.Dropped())
	}
}

func TestAReportThatIsRefusedDoesNotHoldBackTheOthers(t *testing.T) {
	ctx := context.Background()
	s, to := newStory(t, 0), &receiver{fault: errAway}
	sender := newSender(t, s.counters, to)
	s.once()
	sender.Flush(ctx)
	to.fault = fmt.Errorf("%w: 422", control.ErrRefused)
	sender.Flush(ctx)
	if sender.Waiting() != 0 || sender.Dropped() != 1 {
		t.Errorf("%d wait, %d dropped", sender.Waiting(), sender.Dropped())
	}
	to.fault = nil
	s.once()
	sender.Flush(ctx)
	if len(to.got) != 1 || to.got[0].Dropped != 1 {
		t.Errorf("arrived %+v", to.got)
	}
}

func TestNothingIsSentWhenNothingHappened(t *testing.T) {
	to := new(receiver)
	newSender(t, NewCounters(0), to).Flush(context.Background())
	if len(to.got) != 0 {
		t.Errorf("sent %+v", to.got)
	}
}

func TestTheLastCountsAreSentWhenTheProcessEnds(t *testing.T) {
	s, to := newStory(t, 0), new(receiver)
	sender := newSender(t, s.counters, to)
	sender.Every = 1 << 60
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { sender.Run(ctx) })
	s.once()
	cancel()
	running.Wait()
	if len(to.got) != 1 {
		t.Errorf("%d reports arrived", len(to.got))
	}
}

func TestManyObserversLoseNothing(t *testing.T) {
	s := newStory(t, 3)
	s.engine.Limits.Concurrent = 100
	engine := lookup.NewEngine(s.engine.Config)
	var working sync.WaitGroup
	for range 8 {
		working.Go(func() {
			for range 200 {
				answer, err := engine.Lookup(context.Background(), &lookup.Request{
					Project: "p", Features: []string{"carrier_delays:delay"},
					Entities: []lookup.EntityColumn{{Name: "carrier", Values: [][]byte{[]byte(`"UA"`), []byte(`"XX"`)}}},
				})
				if err != nil {
					t.Error(err)
					return
				}
				engine.Release(answer)
			}
		})
	}
	var requests, fresh uint64
	drain := func() {
		minutes, _ := s.counters.Drain()
		for _, minute := range minutes {
			requests += minute.Requests
			fresh += minute.Values["fresh"]
		}
	}
	for range 50 {
		drain()
	}
	working.Wait()
	drain()
	if requests != 1600 || fresh != 1600 {
		t.Errorf("%d requests, %d fresh values, want 1600 of each", requests, fresh)
	}
}

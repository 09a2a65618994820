package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"freshline/serving/internal/control"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
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

func TestTheLogSaysOnceThatReportsAreRefused(t *testing.T) {
	ctx := context.Background()
	refused := fmt.Errorf("%w: 404, no such project", control.ErrRefused)
	s, to := newStory(t, 0), &receiver{fault: errAway}
	sender, said := newSender(t, s.counters, to), new(bytes.Buffer)
	sender.Log = slog.New(slog.NewTextHandler(said, nil))
	s.once()
	sender.Flush(ctx)
	said.Reset()
	to.fault = refused
	for range 3 {
		s.once()
		sender.Flush(ctx)
	}
	if told := strings.Count(said.String(), "no such project"); told != 1 || sender.Dropped() != 4 || sender.Waiting() != 0 {
		t.Errorf("told %d times, %d dropped, %d wait", told, sender.Dropped(), sender.Waiting())
	}
	for _, fault := range []error{nil, refused} {
		to.fault = fault
		s.once()
		sender.Flush(ctx)
	}
	if told := strings.Count(said.String(), "no such project"); told != 2 {
		t.Errorf("after one was taken: told %d times", told)
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

func TestAReportThatCannotBeReadDoesNotHoldBackTheOthers(t *testing.T) {
	ctx := context.Background()
	s, to := newStory(t, 0), &receiver{fault: errAway}
	sender := newSender(t, s.counters, to)
	for range 2 {
		s.once()
		sender.Flush(ctx)
	}
	// A folder can be listed, and not read as a file.
	if err := os.MkdirAll(sender.spool.folder+"/00000000000000000000-x-1.json/kept", 0o700); err != nil {
		t.Fatal(err)
	}
	to.fault = nil
	sender.Flush(ctx)
	if got := to.sequences(); got != "1 2" || sender.Waiting() != 1 {
		t.Errorf("arrived %s, %d wait", got, sender.Waiting())
	}
}

func TestAReportThatIsDamagedOnDiskIsGivenUpAndCounted(t *testing.T) {
	ctx := context.Background()
	s, to := newStory(t, 0), &receiver{fault: errAway}
	sender := newSender(t, s.counters, to)
	for range 2 {
		s.once()
		sender.Flush(ctx)
	}
	names, err := sender.spool.names()
	if err != nil || os.WriteFile(sender.spool.folder+"/"+names[0], []byte(`{"format":1,"inst`), 0o600) != nil {
		t.Fatal(names, err)
	}
	sender.Deliver = strict{to}
	to.fault = nil
	sender.Flush(ctx)
	if got := to.sequences(); got != "2" || sender.Waiting() != 0 || sender.Dropped() != 1 {
		t.Errorf("arrived %s, %d wait, %d dropped", got, sender.Waiting(), sender.Dropped())
	}
}

// strict refuses what is no report, as the control plane does.
type strict struct{ *receiver }

func (s strict) Observe(ctx context.Context, document []byte) error {
	if !json.Valid(document) {
		return fmt.Errorf("%w: 400", control.ErrRefused)
	}
	return s.receiver.Observe(ctx, document)
}

func TestAReportForWhichTheDiskHasNoSpaceIsCountedAsLost(t *testing.T) {
	ctx := context.Background()
	s, to := newStory(t, 0), &receiver{fault: errAway}
	sender := newSender(t, s.counters, to)
	if err := os.MkdirAll(sender.spool.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	full := fmt.Sprintf("%s/%020d-%s-%09d%s", sender.spool.folder, nowUS, sender.Instance, 1, unfinished)
	if err := os.Symlink("/dev/full", full); err != nil {
		t.Fatal(err)
	}
	s.once()
	sender.Flush(ctx)
	if left, err := os.ReadDir(sender.spool.folder); err != nil || len(left) != 0 || sender.Dropped() != 1 {
		t.Errorf("%d dropped; left behind: %v (%v)", sender.Dropped(), left, err)
	}
	to.fault = nil
	s.once()
	sender.Flush(ctx)
	if len(to.got) != 1 || to.got[0].Sequence != 2 || to.got[0].Dropped != 1 {
		t.Errorf("arrived %+v", to.got)
	}
}

func TestWhatAKilledProcessWasWritingIsSweptLaterOn(t *testing.T) {
	sender := newSender(t, NewCounters(0), new(receiver))
	if err := os.MkdirAll(sender.spool.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]time.Duration{"old" + unfinished: 2 * time.Hour, "young" + unfinished: time.Minute, "old.json": 2 * time.Hour} {
		path := sender.spool.folder + "/" + name
		written := lookuptest.Now().Add(-age)
		if err := errors.Join(os.WriteFile(path, []byte("{"), 0o600), os.Chtimes(path, written, written)); err != nil {
			t.Fatal(err)
		}
	}
	if err := sender.spool.sweep(sender.Now()); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(sender.spool.folder)
	if err != nil || len(left) != 2 || left[0].Name() != "old.json" || left[1].Name() != "young"+unfinished {
		t.Errorf("left %v (%v)", left, err)
	}
}

func TestTwoProcessesThatShareASpoolDoNotTroubleEachOther(t *testing.T) {
	ctx := context.Background()
	s, to := newStory(t, 0), &receiver{fault: errAway}
	first := newSender(t, s.counters, to)
	s.once()
	first.Flush(ctx)
	second := newSender(t, NewCounters(0), to)
	second.spool = first.spool
	to.fault = nil
	first.Deliver = &both{receiver: to, other: second}
	first.Flush(ctx)
	if first.failing || first.Waiting() != 0 || first.Dropped() != 0 || to.sequences() != "1 1" {
		t.Errorf("failing %v, %d wait, %d dropped, arrived %s", first.failing, first.Waiting(), first.Dropped(), to.sequences())
	}
}

// both has another process deliver the whole spool just before a report arrives.
type both struct {
	*receiver
	other *Sender
}

func (b *both) Observe(ctx context.Context, document []byte) error {
	b.other.Flush(ctx)
	return b.receiver.Observe(ctx, document)
}

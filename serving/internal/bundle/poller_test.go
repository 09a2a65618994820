package bundle

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"freshline/serving/internal/control"
)

// script answers polls one after another, then says that the control plane is away.
type script struct {
	mu      sync.Mutex
	answers []*control.Fetched
	known   []string
}

var errAway = errors.New("the control plane is away")

func (s *script) Bundle(_ context.Context, known string, _ time.Duration) (*control.Fetched, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = append(s.known, known)
	if len(s.answers) == 0 {
		return nil, errAway
	}
	next := s.answers[0]
	s.answers = s.answers[1:]
	return next, nil
}

// inbox remembers acknowledgements; the first ones are lost on the way.
type inbox struct {
	mu   sync.Mutex
	lose int
	got  []string
}

func (i *inbox) Acknowledge(_ context.Context, document []byte) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.lose > 0 {
		i.lose--
		return errAway
	}
	i.got = append(i.got, string(document))
	return nil
}

func newPoller(t *testing.T, source Source) (*Poller, *inbox) {
	box := new(inbox)
	return &Poller{
		Source: source, Holder: new(Holder), Path: filepath.Join(t.TempDir(), "bundle"),
		Acks: NewAcknowledger(box, "i", "build"), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now,
	}, box
}

func numbered(number string) *control.Fetched {
	body := []byte(strings.Replace(string(documentOf(viewText(`{"name":"x","dtype":"int64"}`), plainService)), `"number":3`, `"number":`+number, 1))
	return &control.Fetched{Body: body, Digest: Digest(body)}
}

func TestThePollerTakesWhatIsNewAndRefusesWhatIsOlder(t *testing.T) {
	source := &script{answers: []*control.Fetched{numbered("5"), nil, numbered("4"), numbered("5"), numbered("6")}}
	p, box := newPoller(t, source)
	ctx := context.Background()
	var numbers []int64
	for range 5 {
		if _, err := p.poll(ctx); err != nil {
			t.Fatal(err)
		}
		p.Acks.send(ctx)
		numbers = append(numbers, p.Holder.Load().Number)
	}
	if want := []int64{5, 5, 5, 5, 6}; !equal(numbers, want) {
		t.Errorf("in force: %v, want %v", numbers, want)
	}
	if p.Refusals() != 1 || !strings.Contains(box.got[2], "older than the bundle in force") || strings.Contains(box.got[4], "older") {
		t.Errorf("%d refusals; acknowledged %q", p.Refusals(), box.got)
	}
	if source.known[0] != "" || source.known[1] != numbered("5").Digest {
		t.Errorf("asked with %v", source.known)
	}
	kept, err := ReadFile(p.Path)
	if err != nil || kept.Number != 6 {
		t.Errorf("kept %+v (%v)", kept, err)
	}
	if _, err := p.poll(ctx); !errors.Is(err, errAway) || p.Holder.Load().Number != 6 {
		t.Errorf("when the control plane is away: %v, number %d", err, p.Holder.Load().Number)
	}
}

func TestABundleThatTheDiskDoesNotTakeIsInForceAndIsKeptLater(t *testing.T) {
	p, _ := newPoller(t, &script{answers: []*control.Fetched{numbered("7"), nil, nil}})
	var said strings.Builder
	p.Log = slog.New(slog.NewTextHandler(&said, nil))
	folder := filepath.Join(t.TempDir(), "serving")
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p.Path = filepath.Join(folder, "bundle")
	if changed, err := p.poll(context.Background()); !changed || err != nil || p.Holder.Load().Number != 7 {
		t.Fatalf("%v %v", changed, err)
	}
	p.keep()
	if p.Kept() || strings.Count(said.String(), "could not be kept") != 1 {
		t.Errorf("kept: %v; said: %s", p.Kept(), said.String())
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	p.keep()
	if b, err := ReadFile(p.Path); err != nil || b.Number != 7 || !p.Kept() {
		t.Errorf("kept: %v; on disk: %+v (%v)", p.Kept(), b, err)
	}
}

func TestPollingKeepsWhatTheDiskDidNotTake(t *testing.T) {
	p, _ := newPoller(t, &script{answers: []*control.Fetched{nil}})
	p.unkept = numbered("8").Body
	ctx, end := context.WithCancel(context.Background())
	defer end()
	done := make(chan struct{})
	go func() { defer close(done); p.Run(ctx) }()
	for deadline := time.Now().Add(5 * time.Second); !p.Kept() && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	end()
	<-done
	if b, err := ReadFile(p.Path); err != nil || b.Number != 8 {
		t.Errorf("on disk: %+v (%v)", b, err)
	}
}

func equal(a, b []int64) bool {
	for i := range a {
		if len(a) != len(b) || a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestABundleIsPreparedBeforeItIsInForce(t *testing.T) {
	p, _ := newPoller(t, &script{answers: []*control.Fetched{numbered("1")}})
	p.Prepare = func(_ context.Context, b *Bundle) {
		if p.Holder.Load() != nil {
			t.Error("it is in force already")
		}
	}
	if changed, err := p.poll(context.Background()); !changed || err != nil || p.Holder.Load() == nil {
		t.Errorf("%v %v", changed, err)
	}
}

func TestTheLastGoodBundleIsInForceAfterAStartWithoutTheControlPlane(t *testing.T) {
	p, _ := newPoller(t, &script{})
	if err := WriteFile(p.Path, numbered("9").Body); err != nil {
		t.Fatal(err)
	}
	p.Start(context.Background())
	if b := p.Holder.Load(); b == nil || b.Number != 9 {
		t.Errorf("in force: %+v", b)
	}
}

func TestAnAcknowledgementThatWasLostIsSentAgain(t *testing.T) {
	box := &inbox{lose: 1}
	acks := NewAcknowledger(box, "i", "build")
	ctx := context.Background()
	if !acks.send(ctx) || len(box.got) != 0 {
		t.Error("something is said before there is anything to say")
	}
	acks.Refused("d", ErrOlder)
	if acks.send(ctx) {
		t.Error("a lost acknowledgement counts as delivered")
	}
	if !acks.send(ctx) || !strings.Contains(box.got[0], `"refused":{"digest":"`+noDigest+`","reason":"older than the bundle in force"}`) {
		t.Errorf("acknowledged %v", box.got)
	}
	if !acks.send(ctx) || box.got[1] != box.got[0] {
		t.Errorf("a repeat says something else: %v", box.got)
	}
	acks.Loaded(&Bundle{Number: 4}, 5)
	if !acks.send(ctx) || !strings.Contains(box.got[2], `"refused":null`) {
		t.Errorf("a refusal outlives the next bundle: %v", box.got)
	}
}

func TestARefusalThatWasNotDeliveredOutlivesTheNextBundleOnce(t *testing.T) {
	box := new(inbox)
	acks := NewAcknowledger(box, "i", "build")
	acks.Refused("d", errors.New(strings.Repeat("long ", 200)))
	acks.Loaded(&Bundle{Number: 4, Digest: "e"}, 5)
	for range 2 {
		acks.send(context.Background())
	}
	if !strings.Contains(box.got[0], `"number":4`) || !strings.Contains(box.got[0], "long long") || len(box.got[0]) > 800 {
		t.Errorf("first %s", box.got[0])
	}
	if !strings.Contains(box.got[1], `"refused":null`) {
		t.Errorf("then %s", box.got[1])
	}
}

func TestThePollerEndsWithItsContext(t *testing.T) {
	p, _ := newPoller(t, &script{})
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { p.Run(ctx) })
	parts.Go(func() { p.Acks.Run(ctx) })
	cancel()
	parts.Wait()
}

package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"time"

	"freshline/serving/internal/control"
)

// farewell bounds the last delivery, when the process was asked to end.
const farewell = 2 * time.Second

// Deliverer takes a report to the control plane. It wraps control.ErrRefused for a report that
// will never be taken.
type Deliverer interface {
	Observe(ctx context.Context, document []byte) error
}

// SenderConfig is what a Sender needs.
type SenderConfig struct {
	Counters *Counters
	Deliver  Deliverer
	Instance string // one per start of the process: sequences count within it
	Folder   string // of the spool
	MaxBytes int64  // of the spool
	Every    time.Duration
	Log      *slog.Logger
	Now      func() time.Time
}

// Sender takes the counts to the control plane. What was drained is on disk before it is sent for
// a second time, and is delivered again rather than never: the control plane knows (instance, sequence).
type Sender struct {
	SenderConfig
	spool    spool
	sequence int64
	lost     int64 // reports dropped since the last report said so
	dropped  atomic.Int64
	waiting  atomic.Int64
	failing  bool
	refused  bool // the last report that arrived; one says for all that follow why
}

// NewSender returns a sender; reports that an earlier process left behind are its to deliver.
func NewSender(config SenderConfig) *Sender {
	return &Sender{SenderConfig: config, spool: spool{folder: config.Folder, maxBytes: config.MaxBytes}}
}

// Dropped returns how many reports were lost since the start.
func (s *Sender) Dropped() int64 { return s.dropped.Load() }

// Waiting returns how many reports are on disk.
func (s *Sender) Waiting() int64 { return s.waiting.Load() }

// Run sends until ctx ends, then once more.
func (s *Sender) Run(ctx context.Context) {
	tick := time.NewTicker(s.Every)
	defer tick.Stop()
	if err := s.spool.sweep(s.Now()); err != nil {
		s.Log.Warn("the spool cannot be tidied", "error", err)
	}
	for {
		select {
		case <-tick.C:
			s.Flush(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
			defer cancel()
			s.Flush(last)
			return
		}
	}
}

// Flush drains the counters and delivers what waits, oldest first. It must not run twice at once.
func (s *Sender) Flush(ctx context.Context) {
	name, document := s.report()
	waiting, err := s.spool.names()
	if document != nil && len(waiting) == 0 {
		sent := s.deliver(ctx, name, document)
		if sent != nil {
			s.keep(name, document)
			err = errors.Join(err, sent)
		}
		s.settle(err)
		return
	}
	if document != nil {
		s.keep(name, document)
	}
	s.settle(s.deliverSpool(ctx))
}

// report builds the next report; nil when nothing happened.
func (s *Sender) report() (name string, document []byte) {
	minutes, samples := s.Counters.Drain()
	if len(minutes) == 0 && s.lost == 0 {
		return "", nil
	}
	s.sequence++
	now := s.Now().UnixMicro()
	document, err := json.Marshal(Report{
		Format: reportFormat, Instance: s.Instance, Sequence: s.sequence, SentAtUS: now,
		Dropped: s.lost, Minutes: minutes, Sampled: samples,
	})
	if err != nil {
		s.Log.Error("a report cannot be written", "error", err)
		return "", nil
	}
	s.lost = 0
	return fmt.Sprintf("%020d-%s-%09d", now, s.Instance, s.sequence), document
}

func (s *Sender) keep(name string, document []byte) {
	dropped, err := s.spool.put(name, document)
	if err != nil {
		s.Log.Error("a report is lost: it could be neither sent nor kept", "error", err)
		dropped.reports++
	}
	s.lose(dropped)
}

func (s *Sender) lose(dropped loss) {
	s.lost += dropped.reports + dropped.told
	s.dropped.Add(dropped.reports)
}

// deliver returns an error for a report that is to be sent again.
func (s *Sender) deliver(ctx context.Context, name string, document []byte) error {
	err := s.Deliver.Observe(ctx, document)
	if err == nil {
		s.refused = false
		return nil
	}
	if s.isRefused(name, err) {
		return nil
	}
	return err
}

// isRefused gives a report up that will never be taken: it must not hold back those behind it.
func (s *Sender) isRefused(name string, err error) bool {
	if !errors.Is(err, control.ErrRefused) {
		return false
	}
	if !s.refused {
		s.Log.Error("the control plane refused a report; until it takes one, others that it refuses are only counted",
			"report", name, "error", err)
	}
	s.refused = true
	s.lose(loss{reports: 1})
	return true
}

func (s *Sender) deliverSpool(ctx context.Context) error {
	names, err := s.spool.names()
	for _, name := range names {
		document, readErr := s.spool.read(name)
		if errors.Is(readErr, fs.ErrNotExist) {
			continue
		}
		if readErr != nil {
			err = errors.Join(err, readErr) // it must not hold back those behind it
			continue
		}
		if err := s.deliver(ctx, name, document); err != nil {
			return err
		}
		if err := s.spool.remove(name); err != nil {
			return err
		}
	}
	return err
}

// settle notes how it went; the log hears of a change only.
func (s *Sender) settle(err error) {
	if err != nil && !s.failing {
		s.Log.Warn("observations wait: the control plane or the disk does not take them", "error", err)
	}
	if err == nil && s.failing {
		s.Log.Info("observations are taken again")
	}
	s.failing = err != nil
	names, _ := s.spool.names()
	s.waiting.Store(int64(len(names)))
}

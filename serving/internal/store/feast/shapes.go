package feast

import (
	"sync"
	"sync/atomic"

	"freshline/serving/internal/lookup"
	"freshline/serving/internal/store/redis"
)

const (
	// leastFields is of how many fields a read is worth asking whole hashes for. Redis keeps a hash of few short
	// fields as a list, in which it looks for each field from the beginning.
	leastFields = 16
	// How many times the fields that are asked for may a hash have, to be read whole, and to go on being so.
	wholeUpTo    = 2
	wholeNoMore  = 4
	maxOtherPart = 2 // bytes that nobody asked for, for each that somebody did
)

// shapes remembers what the hashes of each view were like when they were last read.
type shapes struct {
	known sync.Map // of *shape by shapeKey
}

type shapeKey struct{ project, view string }

// shape is what is known of the hashes that the rows of a view lie in.
type shape struct {
	fields atomic.Int64 // of the largest of the last read; 0: not known
	never  atomic.Bool  // they hold too much else, or may not be read whole
}

// of returns what is known of the hashes of a read, by its first view: the others lie in the same ones.
func (s *shapes) of(read *lookup.Read) *shape {
	if len(read.Views) == 0 {
		return new(shape)
	}
	key := shapeKey{read.Project, read.Views[0]}
	if known, ok := s.known.Load(key); ok {
		return known.(*shape)
	}
	known, _ := s.known.LoadOrStore(key, new(shape))
	return known.(*shape)
}

// choose says how hashes are to be read.
func (s *shape) choose(ask *redis.Hashes) {
	if len(ask.Fields) < leastFields || s.never.Load() {
		return
	}
	fields := s.fields.Load()
	ask.Whole = fields > 0 && fields <= int64(wholeUpTo*len(ask.Fields))
	ask.Measured = true
}

// learn notes what was found.
func (s *shape) learn(ask *redis.Hashes) {
	if !ask.Measured || ask.Size.Fields == 0 {
		return
	}
	s.fields.Store(int64(ask.Size.Fields))
	if ask.Whole && (ask.Size.Fields > wholeNoMore*len(ask.Fields) || ask.Size.Other > maxOtherPart*ask.Size.Used) {
		s.never.Store(true)
	}
}

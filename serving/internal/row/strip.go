package row

import (
	"encoding/binary"
	"math"
)

// stripWidth is how many columns are read at once.
const stripWidth = 4

// Strip reads four columns that lie side by side when the first of them is asked for: it costs hardly more than to
// read one, whose bytes lie a row apart. It is used by one goroutine; the zero Strip is ready.
type Strip struct {
	offset int // where the columns begin in each row; 0: none were read
	taken  [stripWidth]bool
	words  [stripWidth][]uint64
	top    [stripWidth]uint64 // the greatest word of each column
}

// Forget makes the strip ready for other rows.
func (s *Strip) Forget() { s.offset = 0 }

// take gives the column's words to the caller, for memory that the strip may write to, and says which is the greatest.
func (s *Strip) take(memory []uint64, rows [][]byte, field *Field) (words []uint64, top uint64) {
	place := field.lane
	if s.offset != field.strip || s.taken[place] {
		s.read(rows, field)
	}
	words = s.words[place]
	s.words[place], s.taken[place] = memory, true
	return words, s.top[place]
}

func (s *Strip) read(rows [][]byte, field *Field) {
	s.offset, s.taken = field.strip, [stripWidth]bool{}
	for place := range s.words {
		s.words[place] = resized(s.words[place], len(rows))
	}
	switch field.Dtype {
	case Int32:
		s.readInt32(rows)
	case Float32:
		s.readFloat32(rows)
	default:
		s.readEight(rows)
	}
}

func (s *Strip) readEight(rows [][]byte) {
	a, b, c, d := s.words[0][:len(rows)], s.words[1][:len(rows)], s.words[2][:len(rows)], s.words[3][:len(rows)]
	var topA, topB, topC, topD uint64
	offset := s.offset
	for i, data := range rows {
		four := (*[8 * stripWidth]byte)(data[offset:])
		word := binary.LittleEndian.Uint64(four[0:8])
		a[i], topA = word, max(topA, word)
		word = binary.LittleEndian.Uint64(four[8:16])
		b[i], topB = word, max(topB, word)
		word = binary.LittleEndian.Uint64(four[16:24])
		c[i], topC = word, max(topC, word)
		word = binary.LittleEndian.Uint64(four[24:32])
		d[i], topD = word, max(topD, word)
	}
	s.top = [stripWidth]uint64{topA, topB, topC, topD}
}

func (s *Strip) readInt32(rows [][]byte) {
	a, b, c, d := s.words[0][:len(rows)], s.words[1][:len(rows)], s.words[2][:len(rows)], s.words[3][:len(rows)]
	var topA, topB, topC, topD uint64
	offset := s.offset
	for i, data := range rows {
		four := (*[4 * stripWidth]byte)(data[offset:])
		word := wordOfInt32(four[0:4])
		a[i], topA = word, max(topA, word)
		word = wordOfInt32(four[4:8])
		b[i], topB = word, max(topB, word)
		word = wordOfInt32(four[8:12])
		c[i], topC = word, max(topC, word)
		word = wordOfInt32(four[12:16])
		d[i], topD = word, max(topD, word)
	}
	s.top = [stripWidth]uint64{topA, topB, topC, topD}
}

func (s *Strip) readFloat32(rows [][]byte) {
	a, b, c, d := s.words[0][:len(rows)], s.words[1][:len(rows)], s.words[2][:len(rows)], s.words[3][:len(rows)]
	var topA, topB, topC, topD uint64
	offset := s.offset
	for i, data := range rows {
		four := (*[4 * stripWidth]byte)(data[offset:])
		word := wordOfFloat32(four[0:4])
		a[i], topA = word, max(topA, word)
		word = wordOfFloat32(four[4:8])
		b[i], topB = word, max(topB, word)
		word = wordOfFloat32(four[8:12])
		c[i], topC = word, max(topC, word)
		word = wordOfFloat32(four[12:16])
		d[i], topD = word, max(topD, word)
	}
	s.top = [stripWidth]uint64{topA, topB, topC, topD}
}

func wordOfInt32(four []byte) uint64 {
	return uint64(int64(int32(binary.LittleEndian.Uint32(four))))
}

func wordOfFloat32(four []byte) uint64 {
	return math.Float64bits(float64(math.Float32frombits(binary.LittleEndian.Uint32(four))))
}

// cutStrips says of each column in which strip it lies, if in any: those of one kind that lie side by side are cut
// into fours, the last of which begins earlier where there are no four left. Columns with no room of their own in
// a row's fixed part, as texts, lie between none.
func (l *Layout) cutStrips() {
	var run []*Field
	for i := range l.Fields {
		field := &l.Fields[i]
		if !field.Dtype.IsFixed() {
			continue
		}
		if len(run) > 0 && run[0].Dtype.stripKind() != field.Dtype.stripKind() {
			cutRun(run)
			run = run[:0]
		}
		run = append(run, field)
	}
	cutRun(run)
}

func cutRun(run []*Field) {
	if len(run) < stripWidth || run[0].Dtype == Bool {
		return
	}
	for i, field := range run {
		first := min(i-i%stripWidth, len(run)-stripWidth)
		field.strip, field.lane = run[first].fixed, i-first
	}
}

// stripKind is one dtype of all that are read alike.
func (d Dtype) stripKind() Dtype {
	if d.Width() == 8 {
		return Int64
	}
	return d
}

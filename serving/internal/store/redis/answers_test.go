package redis

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// said makes answers of what a server sent.
func said(text string) *answers { return &answers{conn: strings.NewReader(text)} }

func TestFieldsAreTakenAsTheyWereSent(t *testing.T) {
	a := said("*4\r\n$3\r\nabc\r\n$-1\r\n$0\r\n\r\n$4\r\n\r\n\x00\xff\r\n:7\r\n+OK\r\n*-1\r\n")
	values := make([][]byte, 4)
	if err := a.hash(values); err != nil {
		t.Fatal(err)
	}
	if string(values[0]) != "abc" || values[1] != nil || values[2] == nil || len(values[2]) != 0 || string(values[3]) != "\r\n\x00\xff" {
		t.Errorf("values %q", values)
	}
	if n, err := a.begin(':'); n != 7 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if err := a.status(); err != nil {
		t.Error(err)
	}
	if n, err := a.begin('*'); n != -1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := a.begin('*'); !errors.Is(err, io.EOF) {
		t.Errorf("after the last answer: %v", err)
	}
}

func TestARefusalIsAnErrorOfOneCommand(t *testing.T) {
	a := said("-WRONGTYPE no hash\r\n*1\r\n$1\r\nx\r\n-NOAUTH\r\n")
	values := make([][]byte, 1)
	if err := a.hash(values); !IsRefusal(err) || err.Error() != "WRONGTYPE no hash" {
		t.Errorf("%v", err)
	}
	if err := a.hash(values); err != nil || string(values[0]) != "x" {
		t.Errorf("the next answer is %q, %v", values, err)
	}
	if err := a.status(); !IsRefusal(err) {
		t.Errorf("%v", err)
	}
}

func TestWhatNoServerMaySayIsNoAnswer(t *testing.T) {
	for name, text := range map[string]string{
		"another number of fields":    "*1\r\n$1\r\nx\r\n",
		"no array at all":             "*-1\r\n",
		"a negative length":           "*2\r\n$-2\r\n",
		"a length beyond memory":      "*2\r\n$9223372036854775807\r\n",
		"a length beyond an integer":  "*2\r\n$99999999999999999999\r\n",
		"a length beyond Redis' own":  "*2\r\n$536870913\r\n",
		"a length of no digits":       "*2\r\n$\r\n",
		"a length that is no number":  "*2\r\n$1x\r\n",
		"a length with a sign":        "*2\r\n$+1\r\n",
		"half of a line's end":        "*2\n$1\r\n",
		"a line without an end":       "*" + strings.Repeat("1", maxLine+1),
		"a text that is too long":     "*2\r\n$1\r\nxy\r\n$1\r\nx\r\n",
		"a number as a field":         "*2\r\n:1\r\n:2\r\n",
		"an array as a field":         "*2\r\n*1\r\n$1\r\nx\r\n",
		"a refusal as a field":        "*2\r\n-ERR\r\n$1\r\nx\r\n",
		"a status":                    "+OK\r\n",
		"another protocol":            "HTTP/1.1 400 Bad Request\r\n\r\n",
		"a message of a later Redis'": "%1\r\n+a\r\n+b\r\n",
	} {
		if err := said(text).hash(make([][]byte, 2)); !errors.Is(err, errNotRedis) || IsRefusal(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnAnswerThatBreaksOffIsAnErrorWhereverItDoes(t *testing.T) {
	const whole = "*2\r\n$3\r\nrow\r\n$-1\r\n"
	for end := range len(whole) {
		if err := said(whole[:end]).hash(make([][]byte, 2)); !errors.Is(err, io.EOF) {
			t.Errorf("%q: %v", whole[:end], err)
		}
	}
}

func TestMemoryGrowsWithWhatComesAndNotWithWhatIsAnnounced(t *testing.T) {
	a := said("*2\r\n$500000000\r\n" + strings.Repeat("x", 3*leastMemory))
	if err := a.hash(make([][]byte, 2)); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if cap(a.data) > 8*leastMemory {
		t.Errorf("%d bytes were taken for a text that never came", cap(a.data))
	}
}

// manyFields returns an answer of random fields and these.
func manyFields(chance *rand.Rand, hashes int) (text string, want [][]string) {
	var out strings.Builder
	for range hashes {
		fields := make([]string, chance.IntN(5))
		fmt.Fprintf(&out, "*%d\r\n", len(fields))
		for i := range fields {
			if chance.IntN(4) == 0 {
				fields[i] = "nil"
				out.WriteString("$-1\r\n")
				continue
			}
			value := make([]byte, chance.IntN(3000))
			for j := range value {
				value[j] = byte(chance.Uint32())
			}
			fields[i] = string(value)
			fmt.Fprintf(&out, "$%d\r\n%s\r\n", len(value), value)
		}
		want = append(want, fields)
	}
	return out.String(), want
}

// What was handed out must stay as it is while more is read, however the bytes come.
func TestWhatWasHandedOutIsNeverMovedOrWrittenOver(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for round := range 30 {
		text, want := manyFields(chance, 60)
		var from io.Reader = strings.NewReader(text)
		if round%2 == 0 {
			from = iotest.HalfReader(from)
		}
		if round%3 == 0 {
			from = iotest.OneByteReader(from)
		}
		a := &answers{conn: from, data: make([]byte, 0, chance.IntN(50))}
		got := make([][][]byte, len(want))
		for k := range want {
			got[k] = make([][]byte, len(want[k]))
			if err := a.hash(got[k]); err != nil {
				t.Fatal(err)
			}
		}
		for k := range want {
			for i, value := range got[k] {
				if value == nil && want[k][i] == "nil" {
					continue
				}
				if value == nil || string(value) != want[k][i] {
					t.Fatalf("round %d: hash %d has %.20q where %.20q was sent", round, k, value, want[k][i])
				}
			}
		}
	}
}

// FuzzAnswers holds that answers are taken alike however their bytes are cut into pieces, and that no bytes are
// taken for more than they are.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{"*2\r\n$3\r\nrow\r\n$-1\r\n", "-ERR no\r\n*2\r\n$0\r\n\r\n$1\r\nx\r\n", "*2\r\n$10\r\n", "*4\r\n$1\r\na\r\n$1\r\nx\r\n$1\r\nc\r\n$1\r\nz\r\n"} {
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		for _, whole := range []bool{false, true} {
			once, errOnce := takeAll(strings.NewReader(string(data)), whole)
			cut, errCut := takeAll(&cutter{data: data, piece: int(piece%16) + 1}, whole)
			if !slices.Equal(once, cut) || errOnce.Error() != errCut.Error() {
				t.Errorf("%q: %q (%v) at once, %q (%v) in pieces", data, once, errOnce, cut, errCut)
			}
			size := 0
			for _, value := range once {
				size += len(value)
			}
			if size > len(data) {
				t.Errorf("%q holds %d bytes of values", data, size)
			}
		}
	})
}

// takeAll takes hashes of two fields until the answers end or cannot be, which is the error.
func takeAll(from io.Reader, whole bool) (taken []string, err error) {
	a := &answers{conn: from, data: make([]byte, 0, 8)}
	ask := &Hashes{Fields: []string{"a", "b"}, Whole: whole}
	var p picker
	p.begin(ask)
	values := make([][]byte, 2)
	for {
		if whole {
			err = p.take(a, ask, values)
		} else {
			err = a.hash(values)
		}
		switch {
		case err == nil:
			for _, value := range values {
				taken = append(taken, string(value))
			}
		case !IsRefusal(err):
			return taken, err
		}
	}
}

// cutter gives a few bytes at a time.
type cutter struct {
	data  []byte
	piece int
}

func (c *cutter) Read(into []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := copy(into, c.data[:min(c.piece, len(c.data))])
	c.data = c.data[n:]
	return n, nil
}

// BenchmarkAnswers takes what a server answers to a hundred keys of ten views.
func BenchmarkAnswers(b *testing.B) {
	one := "*10\r\n" + strings.Repeat("$90\r\n"+strings.Repeat("x", 90)+"\r\n", 10)
	text := strings.Repeat(one, 100)
	values := make([][]byte, 10)
	var memory []byte
	b.ReportAllocs()
	for b.Loop() {
		a := answers{conn: strings.NewReader(text), data: memory[:0]}
		for range 100 {
			if err := a.hash(values); err != nil {
				b.Fatal(err)
			}
		}
		memory = a.data
	}
}

package arrowapi

import (
	"bytes"
	"strings"
	"testing"

	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

// TestASchemaIsTheSameWhateverWasWrittenBefore: a writer goes on from the last answer's fields only where they are
// those of this one.
func TestASchemaIsTheSameWhateverWasWrittenBefore(t *testing.T) {
	one, two := wide(t, 3, 2), wide(t, 3, 2)
	fewer, renamed, reordered := *two, *two, *two
	fewer.Columns = two.Columns[:19]
	renamed.Columns = append([]*lookup.Column(nil), two.Columns...)
	renamed.Columns[4] = new(lookup.Column)
	*renamed.Columns[4] = *two.Columns[4]
	renamed.Columns[4].Ref.Alias = "another"
	reordered.Columns = append([]*lookup.Column(nil), two.Columns...)
	reordered.Columns[0], reordered.Columns[19] = two.Columns[19], two.Columns[0]
	used := newWriter()
	for _, step := range []struct {
		name    string
		answer  *lookup.Answer
		full    bool
		details string
	}{
		{"the first", one, false, `{}`},
		{"the same again", one, false, `{}`},
		{"other details", one, false, `{"rejected":[]}`},
		{"details beyond the memory", one, false, strings.Repeat("x", 1<<16)},
		{"short ones after that", one, false, `{}`},
		{"full names", one, true, `{}`},
		{"names of another view", two, true, `{}`},
		{"an alias", &renamed, true, `{}`},
		{"no alias", two, true, `{}`},
		{"a column less", &fewer, true, `{}`},
		{"another order", &reordered, true, `{}`},
		{"bare names", &reordered, false, `{}`},
	} {
		got, err := used.appendStream(nil, step.answer, step.full, []byte(step.details))
		if err != nil {
			t.Fatal(err)
		}
		want, err := newWriter().appendStream(nil, step.answer, step.full, []byte(step.details))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the stream is another than a new writer's", step.name)
		}
	}
}

func TestTheSameColumnsAreWrittenAgainWithoutAllocating(t *testing.T) {
	answer, details := wide(t, 100, 10), bytes.Repeat([]byte{'x'}, 1<<16)
	writer, to := newWriter(), []byte(nil)
	for range 2 { // the first makes the builder grow, the second begins in what it grew to
		to, _ = writer.appendStream(to[:0], answer, false, details)
	}
	if n := testing.AllocsPerRun(50, func() { to, _ = writer.appendStream(to[:0], answer, false, details) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestPlainTextsAreWrittenAsOthersAre(t *testing.T) {
	values := [][]byte{[]byte(`"UA"`), []byte(`"UA"`), []byte(`"UA"`)}
	answer := answerOf(t, &lookup.Request{
		Project: "p", Features: []string{"carrier_facts:name"}, Entities: []lookup.EntityColumn{{Name: "carrier", Values: values}},
	})
	var written [2][]byte
	for i, plain := range []bool{true, false} {
		w := &writer{answer: answer, column: answer.Columns[0], plain: plain, frame: batchFrame{buffer: 0, body: 2 * pairSize}}
		written[i] = w.appendTexts(make([]byte, 2*pairSize))
	}
	if !answer.IsPlain(answer.Columns[0]) || !bytes.Equal(written[0], written[1]) || !bytes.Contains(written[0], []byte("UnitedUnitedUnited")) {
		t.Errorf("plain %q, else %q", written[0], written[1])
	}
}

func TestPlainTextsBeyondArrowsOffsetsAreRefused(t *testing.T) {
	text := make([]byte, 1<<16)
	answer := wide(t, 1<<15, 1)
	for i := range answer.Columns[7].Cells.Blobs {
		answer.Columns[7].Cells.Blobs[i] = text
	}
	w := &writer{answer: answer, column: answer.Columns[7], plain: true}
	if w.appendTexts(make([]byte, pairSize)); !w.tooMuch {
		t.Error("texts of 2 GiB are written")
	}
}

func TestWordsAreWrittenOneAfterTheOther(t *testing.T) {
	for n := range 20 {
		words, want := make([]uint64, n), []byte("ab")
		for i := range words {
			words[i] = uint64(i+1) * 0x0102_0304_0506_0708
			want = append(want, row.Pack(row.ListOf(row.Int64), []row.Value{{Word: words[i]}})...)
		}
		if got := appendWords([]byte("ab"), words); !bytes.Equal(got, want) {
			t.Errorf("%d words are %x, want %x", n, got, want)
		}
	}
}

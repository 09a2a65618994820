package enforce

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/row"
)

// knownLayouts answers as the bundle and the store do together.
type knownLayouts map[uint32]*row.Layout

var errStoreAway = errors.New("the store is away")

func (k knownLayouts) Layout(_ context.Context, number uint32) (*row.Layout, error) {
	if number == 99 {
		return nil, errStoreAway
	}
	return k[number], nil
}

func layoutOf(t testing.TB, number uint32, specs ...row.Spec) *row.Layout {
	t.Helper()
	layout, err := row.NewLayout(number, specs)
	if err != nil {
		t.Fatal(err)
	}
	return layout
}

func viewOf(t testing.TB, feature string) *bundle.View {
	t.Helper()
	b, err := bundle.Parse(fmt.Appendf(nil, `{"format":1,"number":1,"registry":"r","projects":{"p":{"views":{"v":{"enforcement":"enforce",`+
		`"features":[%s],"join_keys":[],"layout":1,"layouts":{},"terms":{"max_age_us":100,"on_stale":"serve","on_missing":"null","on_invalid":"default"}}}}}}`, feature))
	if err != nil {
		t.Fatal(err)
	}
	return b.Projects["p"].Views["v"]
}

func judgeOne(t *testing.T, feature, dtype string, raw string) Mark {
	t.Helper()
	view := viewOf(t, fmt.Sprintf(`{"name":"x","dtype":%q,%s}`, dtype, feature))
	layout := layoutOf(t, 1, row.Spec{Name: "x", Dtype: dtype})
	var stored *row.Value
	if raw != "null" {
		value, err := row.ParseValue(view.Features[0].Dtype, []byte(raw))
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		stored = &value
	}
	table := Table{Rows: [][]byte{row.Encode(row.Header{EventTimeUS: 1000}, layout, []*row.Value{stored})}}
	table.Open(context.Background(), knownLayouts{1: layout}, &Watermarks{}, 100, 1000)
	var cells row.Column
	cells.Reset(view.Features[0].Dtype, 1)
	table.Decode("x", &cells)
	column := Column{Feature: &view.Features[0], Cells: &cells}
	rules := RulesFor(view.Terms)
	column.Judge(table.States, &rules, make([]bool, 1))
	return column.Marks[0]
}

func TestChecks(t *testing.T) {
	for _, test := range []struct {
		name, dtype, feature, value string
		want                        Reason
	}{
		{"exactly the minimum is in", "int64", `"min":5`, `5`, NoReason},
		{"one below the minimum is out", "int64", `"min":5`, `4`, BelowMin},
		{"exactly the maximum is in", "int64", `"max":5`, `5`, NoReason},
		{"one above the maximum is out", "int64", `"max":5`, `6`, AboveMax},
		{"the least int64 is in without a minimum", "int64", `"max":5`, `-9223372036854775808`, NoReason},
		{"a float at its minimum is in", "float64", `"min":0.1`, `0.1`, NoReason},
		{"a float32 is compared as stored", "float32", `"max":0.1`, `0.1`, AboveMax},
		{"NaN is out", "float64", `"nullable":true`, `"NaN"`, NotANumber},
		{"NaN is in when it is allowed", "float64", `"allow_nan":true,"min":0,"max":1`, `"NaN"`, NoReason},
		{"infinity is out", "float64", `"nullable":true`, `"Infinity"`, Infinite},
		{"an allowed infinity still has a maximum", "float64", `"allow_inf":true,"max":1`, `"Infinity"`, AboveMax},
		{"an allowed infinity without one is in", "float64", `"allow_inf":true`, `"-Infinity"`, NoReason},
		{"an allowed number is in", "int32", `"allowed":[1,2]`, `2`, NoReason},
		{"another number is out", "int32", `"allowed":[1,2]`, `3`, NotAllowed},
		{"an allowed text is in", "string", `"allowed":["a"]`, `"a"`, NoReason},
		{"another text is out", "string", `"allowed":["a"]`, `"A"`, NotAllowed},
		{"lengths count code points", "string", `"max_length":2`, `"éü"`, NoReason},
		{"one code point too many is out", "string", `"max_length":2`, `"éüx"`, TooLong},
		{"a letter and its accent are two", "string", `"max_length":1`, "\"e\u0301\"", TooLong},
		{"bytes count bytes", "bytes", `"max_length":2`, `"AAAA"`, TooLong},
		{"a pattern matches the whole value", "string", `"pattern":"a|b"`, `"ab"`, NoMatch},
		{"a pattern does not stop at a newline", "string", `"pattern":"a$"`, `"a\n"`, NoMatch},
		{"a pattern that matches", "string", `"pattern":"N[0-9]+"`, `"N14228"`, NoReason},
		{"too few items", "list<int64>", `"min_items":2`, `[1]`, TooFewItems},
		{"too many items", "list<int64>", `"max_items":1`, `[1,2]`, TooManyItems},
		{"an empty list has no bad element", "list<int64>", `"min":5`, `[]`, NoReason},
		{"one bad element is enough", "list<int64>", `"min":5`, `[5,4]`, BelowMin},
		{"one NaN is enough", "list<float32>", `"nullable":true`, `[1,"NaN"]`, NotANumber},
		{"one long text is enough", "list<string>", `"max_length":1`, `["a","bc"]`, TooLong},
		{"a null that may not be one", "int64", `"nullable":false`, `null`, NotNullable},
	} {
		if got := judgeOne(t, test.feature, test.dtype, test.value).Reason; got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestANullThatMayBeOneIsNeitherFreshNorInvalid(t *testing.T) {
	if mark := judgeOne(t, `"nullable":true`, "int64", "null"); mark != (Mark{Verdict: Null}) {
		t.Errorf("marked %+v", mark)
	}
}

func TestRowsThatCannotBeReadAreTold(t *testing.T) {
	layout := layoutOf(t, 1, row.Spec{Name: "x", Dtype: "int64"})
	encode := func(number uint32, tombstone bool, event int64) []byte {
		other := layoutOf(t, number, row.Spec{Name: "x", Dtype: "int64"})
		return row.Encode(row.Header{EventTimeUS: event, WriteTimeUS: event, Tombstone: tombstone}, other, make([]*row.Value, 1))
	}
	corrupt := encode(1, false, 1000)
	corrupt[20] ^= 1
	wider := layoutOf(t, 1, row.Spec{Name: "x", Dtype: "int64"}, row.Spec{Name: "y", Dtype: "int64"})
	for _, test := range []struct {
		name string
		data []byte
		want State
	}{
		{"a young row", encode(1, false, 1000), Young},
		{"a row exactly as old as allowed", encode(1, false, 900), Young},
		{"a row a microsecond older", encode(1, false, 899), Old},
		{"a row from the future alone", encode(1, false, math.MaxInt64), Undated},
		{"no row", nil, Gone},
		{"a tombstone", encode(1, true, 1000), Buried},
		{"a flipped bit", corrupt, Damaged},
		{"a layout that nobody knows", encode(7, false, 1000), Damaged},
		{"a layout that nobody could be asked for", encode(99, false, 1000), Unreadable},
		{"a row of another shape than its layout", row.Encode(row.Header{EventTimeUS: 1000}, wider, make([]*row.Value, 2)), Damaged},
	} {
		table := Table{Rows: [][]byte{test.data}}
		table.Open(context.Background(), knownLayouts{1: layout}, &Watermarks{}, 100, 1000)
		if table.States[0] != test.want {
			t.Errorf("%s: state %d, want %d", test.name, table.States[0], test.want)
		}
	}
	table := Table{Rows: [][]byte{nil}, Missed: []bool{true}}
	table.Open(context.Background(), knownLayouts{}, &Watermarks{}, 100, 1000)
	if table.States[0] != Unreadable {
		t.Errorf("a row that the store was not asked for: state %d", table.States[0])
	}
}

func TestTheStrongestTriggeredActionWins(t *testing.T) {
	for stale := bundle.Serve; stale <= bundle.Reject; stale++ {
		for invalid := bundle.Serve; invalid <= bundle.Reject; invalid++ {
			rules := RulesFor(bundle.Terms{OnStale: stale, OnInvalid: invalid, OnMissing: bundle.Default})
			mark := rules[Old][broken]
			if mark.Action != max(stale, invalid) || mark.Verdict != Stale || !mark.AlsoInvalid {
				t.Errorf("%s and %s: %+v", stale, invalid, mark)
			}
			if rules[Old][sound].Action != stale || rules[Young][broken].Action != invalid {
				t.Errorf("%s and %s: one alone is not itself", stale, invalid)
			}
		}
	}
}

func TestARetiredFeatureIsMissingWhateverTheRow(t *testing.T) {
	column := Column{}
	rules := RulesFor(bundle.Terms{OnMissing: bundle.Reject})
	rejected := make([]bool, 3)
	column.Judge([]State{Young, Damaged, Unreadable}, &rules, rejected)
	for i, mark := range column.Marks {
		if mark != (Mark{Verdict: Missing, Action: bundle.Reject, Reason: Retired}) || !rejected[i] {
			t.Errorf("row %d: %+v", i, mark)
		}
	}
}

func TestTalliesAddUp(t *testing.T) {
	view := viewOf(t, `{"name":"x","dtype":"float64","nullable":true,"max":1}`)
	cells := row.Column{Dtype: row.Float64, Cells: make([]row.Cell, 5), Words: make([]uint64, 5)}
	for i := range cells.Cells {
		cells.Cells[i] = row.Present
	}
	cells.Words[1] = math.Float64bits(7)
	cells.Cells[2] = row.Null
	column := Column{Feature: &view.Features[0], Cells: &cells}
	rules := RulesFor(view.Terms)
	column.Judge([]State{Young, Young, Young, Gone, Old}, &rules, make([]bool, 5))
	if want := [VerdictCount]uint64{1, 1, 1, 1, 1, 0}; column.Tally.Verdicts != want {
		t.Errorf("verdicts %v, want %v", column.Tally.Verdicts, want)
	}
	if want := [bundle.ActionCount]uint64{3, 1, 1, 0}; column.Tally.Actions != want {
		t.Errorf("actions %v, want %v", column.Tally.Actions, want)
	}
}

func TestEveryVerdictActionAndReasonHasAName(t *testing.T) {
	for reason := NoReason + 1; reason < reasonCount; reason++ {
		if reason.String() == "" {
			t.Errorf("reason %d has no name", reason)
		}
	}
	for verdict := Fresh; verdict < VerdictCount; verdict++ {
		if verdict.String() == "" || verdict.Status() == "" {
			t.Errorf("verdict %d has no name", verdict)
		}
	}
}

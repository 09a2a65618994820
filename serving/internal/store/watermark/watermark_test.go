package watermark

import (
	"strconv"
	"testing"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/row"
)

func TestWatermarksAreFiledUnderTheirViewAndLane(t *testing.T) {
	marks := map[string]enforce.Watermarks{}
	Set(marks, "v/batch", 7)
	Set(marks, "v/direct", 8)
	Set(marks, "v/teleport", 9)
	Set(marks, "v", 9)
	if len(marks) != 1 || marks["v"].US != [3]int64{7, 0, 8} || marks["v"].Has != [3]bool{true, false, true} {
		t.Errorf("filed %+v", marks)
	}
	for text, want := range map[string]int64{"3:12": 12, "0:-5": -5} {
		if us, ok := Parse(text); !ok || us != want {
			t.Errorf("%q is %d, %v", text, us, ok)
		}
	}
	for _, text := range []string{"", "12", "3:", "3:1.5", "3:99999999999999999999"} {
		if us, ok := Parse(text); ok {
			t.Errorf("%q is %d", text, us)
		}
	}
}

// FuzzMark files any field and value; only a lane that we know, under a view's name, is taken.
func FuzzMark(f *testing.F) {
	f.Add("v/batch", "3:12")
	f.Add("/stream", "x:-1")
	f.Add("a/b/direct", "1:2:3")
	f.Fuzz(func(t *testing.T, field, value string) {
		us, ok := Parse(value)
		if again, same := Parse("1:" + strconv.FormatInt(us, 10)); ok && (!same || again != us) {
			t.Errorf("%q is %d and then %d", value, us, again)
		}
		marks := map[string]enforce.Watermarks{}
		Set(marks, field, us)
		for view, mark := range marks {
			for lane := row.Batch; lane < row.LaneCount; lane++ {
				if mark.Has[lane] && (view+"/"+lane.String() != field || mark.US[lane] != us) {
					t.Errorf("%q is filed under %q", field, view)
				}
			}
		}
	})
}

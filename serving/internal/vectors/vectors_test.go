package vectors

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"freshline/serving/internal/golden"
	"freshline/serving/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// TestEveryVectorIsJudgedAsExpected compares parsed JSON, so that 1 and 1.0 are the same number.
func TestEveryVectorIsJudgedAsExpected(t *testing.T) {
	files, err := filepath.Glob(golden.Path("contract_vectors/*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no contract vectors in %s (%v)", golden.Path("contract_vectors"), err)
	}
	cases := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var vectors struct{ Cases []json.RawMessage }
		if err := json.Unmarshal(text, &vectors); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, vector := range vectors.Cases {
			judgeVector(t, filepath.Base(file), vector)
			cases++
		}
	}
	if cases < 80 {
		t.Errorf("%d vectors, want at least 80", cases)
	}
}

func judgeVector(t *testing.T, file string, vector json.RawMessage) {
	t.Helper()
	var c Case
	if err := json.Unmarshal(vector, &c); err != nil {
		t.Fatal(err)
	}
	t.Run(file+"/"+c.Name, func(t *testing.T) {
		judged, err := Judge(context.Background(), vector)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(judged)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(c.Expect, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("judged\n%s\nwant\n%s", text, c.Expect)
		}
	})
}

func TestACaseThatMakesNoSenseIsAnError(t *testing.T) {
	for _, text := range []string{
		`{`, `{"view":{"enforcement":"maybe"}}`,
		`{"requested":["x"],"view":{"enforcement":"enforce","layouts":{},"terms":{"max_age_us":1,"on_stale":"serve","on_missing":"null","on_invalid":"null"}},"rows":[{"layout":4,"lane":"batch"}]}`,
	} {
		if _, err := Judge(context.Background(), []byte(text)); err == nil {
			t.Errorf("%s was judged", text)
		}
	}
}

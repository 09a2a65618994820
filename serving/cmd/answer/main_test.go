package main

import (
	"strings"
	"testing"

	"freshline/serving/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const bundleText = `{"format":1,"number":1,"registry":"r","default_project":"p","store":{"name":"default"},"tokens":[],"projects":{"p":{"services":{},"views":{` +
	`"v":{"id":1,"contract":1,"enforcement":"enforce","features":[{"name":"x","dtype":"int64","nullable":true}],"join_keys":[{"name":"k","dtype":"int64"}],` +
	`"lanes":["direct"],"layout":1,"layouts":{"1":[{"name":"x","dtype":"int64"}]},"retired_features":[],` +
	`"terms":{"max_age_us":1,"on_stale":"serve","on_missing":"null","on_invalid":"null"}}}}}}`

func TestARequestIsAnsweredOverTheRowsOfItsLine(t *testing.T) {
	var out strings.Builder
	line := `{"bundle":` + bundleText + `,"now_us":1,"path":"/v1/lookup","body":{"features":["v:x"],"entities":{"k":[1]}}}` + "\n"
	if err := run(strings.NewReader(line+line), &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Count(got, `{"code":200,`) != 2 || !strings.Contains(got, `"missing"`) {
		t.Errorf("answered %s", got)
	}
}

func TestALineThatIsNoneIsToldByItsNumber(t *testing.T) {
	err := run(strings.NewReader("{}\n"), new(strings.Builder))
	if err == nil || !strings.HasPrefix(err.Error(), "line 1: ") {
		t.Errorf("told %v", err)
	}
}

package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/golden"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/row"
)

// recorded is what Feast's own server answered: tests/golden/feast_http_program.py asked it.
type recorded struct {
	EventTimeUS int64 `json:"event_time_us"`
	Columns     []struct{ Name, Dtype string }
	Rows        map[string]map[string]json.RawMessage
	Answers     map[string]struct {
		Body   string
		Status int
		Answer json.RawMessage
	}
}

// onPurpose is where we answer otherwise than Feast, with the status that we give and why.
var onPurpose = map[string]struct {
	status int
	why    string
}{
	"a null key":                           {422, "the caller's mistake, and not 500"},
	"a null key among others":              {422, "the caller's mistake, and not 500"},
	"a key of another kind":                {422, "the caller's mistake, and not 500"},
	"a key that is a list":                 {422, "the caller's mistake, and not 500"},
	"a key that is a truth":                {422, "Feast takes true for 1"},
	"a key with a fraction":                {422, "Feast looks up another key than was asked for"},
	"half a composite key":                 {422, "Feast answers that there is nothing"},
	"no entities":                          {422, "the caller's mistake, and not 500"},
	"no keys":                              {200, "nothing asked, nothing answered"},
	"a view of no entity by itself":        {200, "the SDK sends no entities for such a view; Feast breaks"},
	"a view of no entity beside another":   {200, "Feast does not find the value that it wrote"},
	"a view of no entity by its dummy key": {200, "Feast does not find the value that it wrote"},
	"uneven columns":                       {422, "the caller's mistake, and not 500"},
	"a feature twice":                      {422, "the caller's mistake, and not 500"},
	"one name in two views":                {422, "the caller's mistake, and not 500"},
	"an unknown feature":                   {404, "the caller's mistake, and not 500"},
	"a version of a view":                  {422, "the caller's mistake, and not 500"},
	"a reference without a view":           {422, "the caller's mistake, and not 500"},
	"no features":                          {422, "the caller's mistake, and not 500"},
	"features that are null":               {422, "no features: Feast's own words for that"},
	"versions":                             {200, "the number of the contract"},
	"another media type":                   {422, "the body is read whatever its type"},
}

func goldenBundle(t *testing.T, told *recorded) *bundle.Bundle {
	var features, layout []string
	for _, column := range told.Columns {
		layout = append(layout, fmt.Sprintf(`{"name":%q,"dtype":%q}`, column.Name, column.Dtype))
		features = append(features, fmt.Sprintf(`{"name":%q,"dtype":%q,"nullable":true,"allow_nan":true,"allow_inf":true}`, column.Name, column.Dtype))
	}
	view := func(id int, keys, features, layout string) string {
		return fmt.Sprintf(`{"id":%d,"contract":1,"enforcement":"enforce","features":[%s],"join_keys":[%s],"lanes":["direct"],"layout":1,"layouts":{"1":[%s]},`+
			`"retired_features":[],"terms":{"max_age_us":8640000000000000,"on_stale":"serve","on_missing":"null","on_invalid":"null"}}`, id, features, keys, layout)
	}
	one := func(name, dtype string) string { return fmt.Sprintf(`{"name":%q,"dtype":%q}`, name, dtype) }
	feature := func(name, dtype string) string {
		return fmt.Sprintf(`{"name":%q,"dtype":%q,"nullable":true}`, name, dtype)
	}
	driver, customer := one("driver_id", "int64"), one("customer_id", "string")
	text := fmt.Sprintf(`{"format":1,"number":7,"registry":"r","default_project":"p","store":{"name":"default"},"tokens":[],"projects":{"p":{"services":{`+
		`"some":{"features":[["everything","an_int32"]],"max_rejected":1.0,"terms":{}},`+
		`"aliased":{"aliases":{"everything":"origin"},"features":[["everything","an_int32"]],"max_rejected":1.0,"terms":{}}},`+
		`"views":{"everything":%s,"twin":%s,"pairs":%s,"whole":%s}}}}`,
		view(1, driver, strings.Join(features, ","), strings.Join(layout, ",")),
		view(2, driver, feature("an_int32", "int32"), one("an_int32", "int32")),
		view(3, customer+","+driver, feature("trips", "int64"), one("trips", "int64")),
		view(4, one("__dummy_id", "string"), feature("total", "int64"), one("total", "int64")))
	b, err := bundle.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func goldenFixture(t *testing.T, told *recorded) *fixture {
	golden.Load(t, "feast_http.json", told)
	f := &fixture{t: t, store: lookuptest.NewStore()}
	b := goldenBundle(t, told)
	limits := lookup.Limits{Entities: 10, Features: 20, Concurrent: 2}
	f.engine, f.holder = lookuptest.EngineOf(t, b, f.store, new(lookuptest.Observer), limits)
	f.serve(nil)
	views, header := b.Projects["p"].Views, row.Header{EventTimeUS: told.EventTimeUS, WriteTimeUS: nowUS, Lane: row.Direct}
	for key, values := range told.Rows {
		var cells []string
		for _, column := range told.Columns {
			cells = append(cells, string(values[column.Name]))
		}
		f.store.Put(t, views["everything"], key, header, cells...)
	}
	f.store.Put(t, views["twin"], "1001", header, "8")
	f.store.Put(t, views["pairs"], `"C-1"`+lookuptest.KeyParts+"1001", header, "12")
	f.store.Put(t, views["whole"], `""`, header, "99")
	return f
}

// exactly reads JSON with every digit of its numbers.
func exactly(t *testing.T, text []byte) (document any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&document); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return document
}

// comparableForm puts an answer into a form in which Feast's and ours are equal: features by name, since Feast's order varies,
// and of FastAPI's faults the kinds and places.
func comparableForm(t *testing.T, answer any) any {
	if text, ok := answer.(string); ok {
		return exactly(t, []byte(text)) // JSON within JSON
	}
	document, ok := answer.(map[string]any)
	if !ok {
		return answer
	}
	if faults, ok := document["detail"].([]any); ok {
		var told []string
		for _, fault := range faults {
			fault := fault.(map[string]any)
			place := fmt.Sprint(fault["loc"])
			if fault["type"] == "json_invalid" {
				place = "[body]" // Feast counts the characters
			}
			told = append(told, fmt.Sprint(fault["type"], " ", place))
		}
		return told
	}
	names := document["metadata"].(map[string]any)["feature_names"].([]any)
	results := document["results"].([]any)
	if len(names) != len(results) {
		t.Errorf("%d names, %d results", len(names), len(results))
	}
	byName, order := map[string]any{}, []string{}
	for i, name := range names {
		byName[name.(string)] = results[i]
		if strings.HasSuffix(name.(string), "_id") {
			order = append(order, strconv.Itoa(i)+name.(string))
		}
	}
	return []any{byName, order}
}

func TestTheSameRequestIsAnsweredAsFeastsOwnServerDoes(t *testing.T) {
	var told recorded
	f := goldenFixture(t, &told)
	for name, asked := range told.Answers {
		got := f.do(http.MethodPost, online, asked.Body)
		answer, feasts := exactly(t, got.Body.Bytes()), exactly(t, asked.Answer)
		if differs, ok := onPurpose[name]; ok {
			if got.Code != differs.status {
				t.Errorf("%s: answered %d, though %s: %s", name, got.Code, differs.why, got.Body)
			}
			if got.Code == asked.Status && asked.Status == http.StatusOK && name != "versions" && reflect.DeepEqual(comparableForm(t, answer), comparableForm(t, feasts)) {
				t.Errorf("%s: is answered as Feast does, and stands among the differences", name)
			}
			continue
		}
		if got.Code != asked.Status || !reflect.DeepEqual(comparableForm(t, answer), comparableForm(t, feasts)) {
			t.Errorf("%s: answered %d\n%s\nFeast answered %d\n%s", name, got.Code, got.Body, asked.Status, asked.Answer)
		}
	}
	if len(told.Answers) < 45 {
		t.Errorf("%d requests only", len(told.Answers))
	}
	for name := range onPurpose {
		if _, ok := told.Answers[name]; !ok {
			t.Errorf("%q stands among the differences, and nobody asked it", name)
		}
	}
}

func TestViewsOfNoEntityAreReadByNoKeyAtAll(t *testing.T) {
	f := goldenFixture(t, new(recorded))
	for body, want := range map[string]string{
		`{"features":["whole:total"],"entities":{}}`:                                             `[[99]]`,
		`{"features":["whole:total"],"entities":{"__dummy_id":["",""]}}`:                         `[[99 99]]`,
		`{"features":["whole:total","everything:an_int32"],"entities":{"driver_id":[1001,"9"]}}`: `[[1001 9] [99 99] [-7 <nil>]]`,
	} {
		var told struct{ Results []struct{ Values []any } }
		if err := json.Unmarshal([]byte(f.ask(online, body)), &told); err != nil {
			t.Fatal(err)
		}
		var values [][]any
		for _, result := range told.Results {
			values = append(values, slices.Clone(result.Values))
		}
		if got := fmt.Sprint(values); got != want {
			t.Errorf("%s gives %s", body, got)
		}
	}
}

func TestKeysAreRepeatedAsTheKeysThatTheyStandFor(t *testing.T) {
	f := goldenFixture(t, new(recorded))
	for sent, repeated := range map[string]string{
		`"1001"`: `1001`, `1001.0`: `1001`, `1.001e3`: `1001`, `"-5"`: `-5`, `"9223372036854775807"`: `9223372036854775807`, `-0.0`: `0`,
	} {
		got := f.ask(online, `{"features":["twin:an_int32"],"entities":{"driver_id":[`+sent+`]}}`)
		if !strings.Contains(got, `"values":[`+repeated+`],"statuses":["PRESENT"]`) {
			t.Errorf("%s: %s", sent, got)
		}
	}
	for _, wrong := range []string{`""`, `"-"`, `"007"`, `"1001x"`, `" 1001"`, `"1e3"`, `1.5`, `1e300`, `true`, `null`, `"9223372036854775808"`, `9223372036854775808`, `{}`} {
		got := f.do(http.MethodPost, online, `{"features":["twin:an_int32"],"entities":{"driver_id":[`+wrong+`]}}`)
		if got.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: answered %d %s", wrong, got.Code, got.Body)
		}
	}
}

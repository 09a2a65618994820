package httpapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/row"
)

const online = "/get-online-features"

func TestFeastsShapeToTheByte(t *testing.T) {
	f := newFixture(t, false)
	got := f.ask(online, `{"features":["carrier_delays:delay","carrier_facts:name"],"entities":{"carrier":["UA","AA"]}}`)
	want := `{"metadata":{"feature_names":["carrier","delay","name"]},"results":[` +
		`{"values":["UA","AA"],"statuses":["PRESENT","PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]},` +
		`{"values":[12.5,null],"statuses":["PRESENT","NOT_FOUND"],"event_timestamps":["2026-11-22T09:59:30.250Z","1970-01-01T00:00:00Z"]},` +
		`{"values":["United \"Air\" é\n",null],"statuses":["PRESENT","NOT_FOUND"],"event_timestamps":["2026-11-22T09:59:30.250Z","1970-01-01T00:00:00Z"]}]}`
	if got != want {
		t.Errorf("answered\n%s\nwant\n%s", got, want)
	}
}

func TestEveryDtypeLooksAsFeastGivesIt(t *testing.T) {
	f := newFixture(t, false)
	got := f.ask(online, `{"features":["carrier_facts:delay","carrier_facts:photo","carrier_facts:founded","carrier_facts:hubs","carrier_facts:low_cost"],"entities":{"carrier":["UA"]}}`)
	for _, values := range []string{`[0.10000000149011612]`, `["AAE="]`, `[-2]`, `[["EWR","ORD"]]`, `[true]`} {
		if !strings.Contains(got, `"values":`+values) {
			t.Errorf("no %s in %s", values, got)
		}
	}
}

func TestFullNamesVersionsAndDetailsComeWhenAskedFor(t *testing.T) {
	f := newFixture(t, false)
	body := `{"features":["carrier_delays:delay","carrier_facts:delay"],"entities":{"carrier":["UA"]},"full_feature_names":true,"include_feature_view_version_metadata":true}`
	got := f.ask(online, body, detailsHeader, "1")
	for _, part := range []string{
		`"feature_names":["carrier","carrier_delays__delay","carrier_facts__delay"]`,
		`"feature_view_metadata":[{"name":"carrier_delays","version":3},{"name":"carrier_facts","version":1}]`,
		`"details":{"rejected":[],"counts":{"verdicts":{"fresh":2,`, `"contracts":{"carrier_delays":3,"carrier_facts":1}`,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %s", part, got)
		}
	}
	if plain := f.ask(online, body); strings.Contains(plain, "details") {
		t.Errorf("details without being asked: %s", plain)
	}
}

func TestStaleNullAndInvalidHaveStatusesOfTheirOwn(t *testing.T) {
	f := newFixture(t, false)
	views := lookuptest.Bundle(t).Projects["p"].Views
	old := row.Header{EventTimeUS: nowUS - 3_600_000_000, WriteTimeUS: nowUS}
	f.store.Put(t, views["carrier_delays"], `"AA"`, old, "1", "1")
	f.store.Put(t, views["carrier_delays"], `"DL"`, row.Header{EventTimeUS: nowUS}, "null", "1")
	f.store.Put(t, views["carrier_delays"], `"WN"`, row.Header{EventTimeUS: nowUS}, "5000", "1")
	got := f.ask(online, `{"features":["carrier_delays:delay"],"entities":{"carrier":["AA","DL","WN"]}}`)
	for _, part := range []string{`"values":[1.0,null,null]`, `"statuses":["OUTSIDE_MAX_AGE","NULL_VALUE","INVALID"]`} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %s", part, got)
		}
	}
}

func TestNoEntitiesGiveEmptyColumns(t *testing.T) {
	got := newFixture(t, false).ask(online, `{"feature_service":"strict","entities":{"carrier":[]}}`)
	want := `{"metadata":{"feature_names":["carrier","delay"]},"results":[{"values":[],"statuses":[],"event_timestamps":[]},{"values":[],"statuses":[],"event_timestamps":[]}]}`
	if got != want {
		t.Errorf("answered %s", got)
	}
}

func TestCallersMistakesAreFeastsErrors(t *testing.T) {
	f := newFixture(t, false)
	for _, test := range []struct {
		name, body, class, says string
		code                    int
	}{
		{"an unknown view", `{"features":["nope:x"],"entities":{"carrier":["UA"]}}`, "FeatureViewNotFoundException", "Feature view nope does not exist in project p", 404},
		{"an unknown service", `{"feature_service":"nope","entities":{"carrier":["UA"]}}`, "FeatureServiceNotFoundException", "Feature service nope does not exist in project p", 404},
		{"an unknown feature", `{"features":["carrier_delays:nope"],"entities":{"carrier":["UA"]}}`, "FeastObjectNotFoundException", "Feature nope not found in projection carrier_delays", 404},
		{"only a column that is no join key", `{"features":["carrier_delays:delay"],"entities":{"driver":[1]}}`, "FeastError", "Missing join key values for keys: [carrier].", 422},
		{"a version of a view", `{"features":["carrier_delays@v2:delay"],"entities":{"carrier":["UA"]}}`, "FeastError", "Version-qualified reference", 422},
		{"a collision", `{"features":["carrier_delays:delay","carrier_facts:delay"],"entities":{"carrier":["UA"]}}`, "FeatureNameCollisionError", "Duplicate features named delay found.", 422},
		{"uneven columns", `{"features":["carrier_delays:delay"],"entities":{"carrier":["UA"],"airport":[]}}`, "FeastError", "All entity rows must have the same columns.", 422},
		{"a null key", `{"features":["carrier_delays:delay"],"entities":{"carrier":[null]}}`, "FeastError", "Join key carrier, row 0", 422},
		{"no features", `{"entities":{"carrier":["UA"]}}`, "FeastError", "No features specified for retrieval", 422},
	} {
		recorded := f.do(http.MethodPost, online, test.body)
		var text string
		var inner struct{ Module, Class, Message string }
		if json.Unmarshal(recorded.Body.Bytes(), &text) != nil || json.Unmarshal([]byte(text), &inner) != nil {
			t.Errorf("%s: answered %d: %s", test.name, recorded.Code, recorded.Body)
			continue
		}
		if recorded.Code != test.code || inner.Module != "feast.errors" || inner.Class != test.class || !strings.HasPrefix(inner.Message, test.says) {
			t.Errorf("%s: answered %d: %+v", test.name, recorded.Code, inner)
		}
	}
}

func TestABodyOfTheWrongShapeIsFastAPIsError(t *testing.T) {
	f := newFixture(t, false)
	for _, test := range []struct{ name, body, kind, location string }{
		{"no JSON", `{`, "json_invalid", `["body"]`},
		{"no object", `[]`, "model_attributes_type", `["body"]`},
		{"no entities", `{"features":["a:b"]}`, "missing", `["body","entities"]`},
		{"entities that are a list", `{"entities":[]}`, "dict_type", `["body","entities"]`},
		{"an entity that is no list", `{"entities":{"carrier":"UA"}}`, "list_type", `["body","entities","carrier"]`},
		{"a feature that is no text", `{"features":[1],"entities":{}}`, "string_type", `["body","features",0]`},
		{"a truth that is none", `{"full_feature_names":"perhaps","entities":{}}`, "bool_parsing", `["body","full_feature_names"]`},
		{"two bodies", `{"entities":{}}{}`, "json_invalid", `["body"]`},
	} {
		recorded := f.do(http.MethodPost, online, test.body)
		got := recorded.Body.String()
		if recorded.Code != 422 || !strings.Contains(got, `{"detail":[{"input":{},"loc":`+test.location) || !strings.Contains(got, `"type":"`+test.kind+`"`) {
			t.Errorf("%s: answered %d: %s", test.name, recorded.Code, got)
		}
	}
}

func TestAppendedTimesAreAsManyAsAskedFor(t *testing.T) {
	for n := range 70 {
		if got, want := string(appendTimes([]byte("["), "ab,", n)), "["+strings.Repeat("ab,", n); got != want {
			t.Fatalf("%d times gives %s", n, got)
		}
	}
}

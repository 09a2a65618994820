package httpapi

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/row"
)

// paths are the two that take a body.
var paths = [2]string{"/get-online-features", "/v1/lookup"}

// FuzzRequest sends any body to both endpoints: whatever it is, the caller is answered, never by a defect of
// ours, and an answer has as many values in each column as the standard library finds rows in the request.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{"features":["carrier_delays:delay","carrier_facts:name"],"entities":{"carrier":["UA","AA",null]}}`,
		`{"feature_service":"everything","entities":{"carrier":["UA"],"airport":[5.0]},"full_feature_names":true}`,
		`{"feature_service":"strict","entities":{"carrier":["nobody"]},"project":"p"}`,
		`{"feature_service":"lenient","entities":{"carrier":["UA","\ud83d\udeeb"]},"entities":{"carrier":[]}}`,
		`{"feature_service":"watcher","entities":{"carrier":[1e400]}}`, `[]`, `{"entities":{}}`, "\x00", `{"features":[1]}`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	fixture := newFixture(f, false)
	f.Fuzz(func(t *testing.T, body []byte, arrow bool) {
		fixture.t = t
		for _, path := range paths {
			accept := "application/json"
			if arrow {
				accept = arrowType
			}
			answered := fixture.do(http.MethodPost, path, string(body), "Accept", accept)
			switch {
			case answered.Code == http.StatusInternalServerError:
				t.Fatalf("%s broke over %q: %s", path, body, answered.Body)
			case answered.Header().Get("Content-Type") == arrowType:
				continue
			case !json.Valid(answered.Body.Bytes()):
				t.Fatalf("%s answers %q with %s", path, body, answered.Body)
			case answered.Code == http.StatusOK:
				checkRows(t, body, answered.Body.Bytes())
			}
		}
	})
}

// checkRows compares the length of every column with what the standard library reads of the request.
func checkRows(t *testing.T, body, answer []byte) {
	t.Helper()
	// Maps, since the standard library's structs would take members of other upper and lower case as well.
	var asked, entities map[string]json.RawMessage
	var said struct {
		Columns []struct{ Values []any }
		Results []struct{ Values []any }
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		t.Fatalf("%q was answered, though %v", body, err)
	}
	if err := json.Unmarshal(asked["entities"], &entities); err != nil {
		t.Fatalf("%q was answered, though %v", body, err)
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		t.Fatal(err)
	}
	for name, raw := range entities {
		var values []json.RawMessage
		if err := json.Unmarshal(raw, &values); err != nil {
			t.Fatalf("%q was answered, though %v", body, err)
		}
		for _, column := range slices.Concat(said.Columns, said.Results) {
			if len(column.Values) != len(values) {
				t.Fatalf("%q has %d of %s, a column of the answer %d: %s", body, len(values), name, len(column.Values), answer)
			}
		}
	}
}

// FuzzExplain asks to explain by any query.
func FuzzExplain(f *testing.F) {
	for _, seed := range []string{
		"project=p&view=carrier_delays&feature=delay&key=UA", "view=carrier_facts&feature=hubs&key=%7B%22carrier%22%3A%22UA%22%7D",
		"view=airport_weather&feature=wind&key=5.0", "view=watched&feature=x&key=%22UA%22&feature_service=watcher", "key=%7B%7D&view=watched&feature=x",
	} {
		f.Add(seed)
	}
	fixture := newFixture(f, false)
	f.Fuzz(func(t *testing.T, query string) {
		fixture.t = t
		if _, err := url.ParseRequestURI("/v1/explain?" + query); err != nil || strings.ContainsAny(query, " \r\n") {
			return
		}
		answered := fixture.do(http.MethodGet, "/v1/explain?"+query, "")
		if answered.Code == http.StatusInternalServerError || !json.Valid(answered.Body.Bytes()) {
			t.Errorf("%q is answered %d: %s", query, answered.Code, answered.Body)
		}
	})
}

// FuzzStored serves any bytes as the row of a key, in every form of answer.
func FuzzStored(f *testing.F) {
	fixture := newFixture(f, false)
	view := lookuptest.Bundle(f).Projects["p"].Views["carrier_facts"]
	layout := view.Layouts[1]
	header := row.Header{EventTimeUS: nowUS, WriteTimeUS: nowUS, Layout: 1}
	f.Add(row.Encode(header, layout, make([]*row.Value, len(layout.Fields))))
	text := row.Value{Blob: []byte("text")}
	hubs := row.Value{Blob: row.Pack(row.ListOf(row.String), []row.Value{text, text})}
	f.Add(row.Encode(header, layout, []*row.Value{&text, {Word: 1}, &text, {Word: 2}, &hubs, {Word: 1}}))
	names := []string{"name", "delay", "photo", "founded", "hubs", "low_cost"}
	body := `{"features":["carrier_facts:` + strings.Join(names, `","carrier_facts:`) + `"],"entities":{"carrier":["fuzzed"]}}`
	f.Fuzz(func(t *testing.T, data []byte) {
		fixture.t = t
		if len(data) > 20 { // the checksum is right, so that all that is behind it is met as well
			data = slices.Clone(data)
			data[16] = 1
			end := len(data) - 4
			binary.LittleEndian.PutUint32(data[end:], crc32.Checksum(data[:end], crc32.MakeTable(crc32.Castagnoli)))
		}
		fixture.store.PutBytes(t, view, `"fuzzed"`, data)
		for _, answered := range []string{
			fixture.ask(paths[0], body), fixture.ask(paths[1], body), fixture.do(http.MethodGet, "/v1/explain?view=carrier_facts&feature=hubs&key=fuzzed", "").Body.String(),
		} {
			if !json.Valid([]byte(answered)) {
				t.Errorf("row %x gives %s", data, answered)
			}
		}
		if arrow := fixture.do(http.MethodPost, paths[1], body, "Accept", arrowType); arrow.Code != http.StatusOK {
			t.Errorf("row %x gives %d: %s", data, arrow.Code, arrow.Body)
		}
	})
}

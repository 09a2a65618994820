package httpapi

import (
	"encoding/json"
	"net/http"
	"testing"
)

// FuzzBodies sends any text to both endpoints that take a lookup: the answer is JSON, and never our own fault.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		`{"features":["carrier_delays:delay"],"entities":{"carrier":["UA","AA"]}}`,
		`{"feature_service":"everything","entities":{"carrier":["UA"],"airport":["5"]},"full_feature_names":true}`,
		`{"features":["airport_weather:wind"],"entities":{"airport":[5,"5",5.0,-0.0],"amount":[1,2,3,4]}}`,
		`{"features":["airport_weather@v2:wind"],"entities":{},"include_feature_view_version_metadata":"yes"}`,
		`{"entities":{"__dummy_id":[""]}}`, `[]`, ``, `{"features":[1]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		fixture := newFixture(t, false)
		for _, path := range []string{online, "/v1/lookup"} {
			got := fixture.do(http.MethodPost, path, string(text))
			if got.Code >= 500 || !json.Valid(got.Body.Bytes()) {
				t.Errorf("%s answers %q with %d %s", path, text, got.Code, got.Body)
			}
		}
	})
}

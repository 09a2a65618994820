package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func TestTheFormIsTheOneThatTheCallerLikesBest(t *testing.T) {
	for accept, want := range map[string]string{
		"":                                     jsonType,
		"*/*":                                  jsonType,
		"application/*":                        jsonType,
		"application/json":                     jsonType,
		arrowType:                              arrowType,
		"APPLICATION/Vnd.Apache.Arrow.Stream":  arrowType,
		arrowType + ", */*":                    arrowType,
		arrowType + ", application/json":       jsonType,
		arrowType + ";q=0.5, application/json": jsonType,
		arrowType + ", application/json;q=0.5": arrowType,
		"*/*, " + arrowType + ";q=0":           jsonType,
		"*/*, application/json;q=0":            arrowType,
		"text/html, application/xhtml+xml, */*;q=0.8": jsonType,
		"text/html":               "",
		"application/json;q=0":    "",
		"application/json;q=much": "",
		"nonsense;;":              "",
	} {
		if got, ok := acceptable([]string{accept}); got != want || ok != (want != "") {
			t.Errorf("%q gives %q, %v", accept, got, ok)
		}
	}
	if got, _ := acceptable([]string{"text/html", arrowType}); got != arrowType {
		t.Errorf("two headers give %q", got)
	}
	if got, ok := acceptable(nil); got != jsonType || !ok {
		t.Errorf("no header gives %q", got)
	}
}

func TestAnArrowAnswerIsAStreamOfKnownLength(t *testing.T) {
	f := newFixture(t, false)
	recorded := f.do(http.MethodPost, "/v1/lookup", one, "Accept", arrowType)
	header, body := recorded.Header(), recorded.Body.String()
	if recorded.Code != 200 || header.Get("Content-Type") != arrowType || header.Get("Content-Length") != strconv.Itoa(len(body)) {
		t.Fatalf("answered %d, %v", recorded.Code, header)
	}
	if len(body)%8 != 0 || !strings.HasPrefix(body, "\xff\xff\xff\xff") || !strings.HasSuffix(body, "\xff\xff\xff\xff\x00\x00\x00\x00") {
		t.Errorf("answered %q", body)
	}
	if !strings.Contains(body, `{"rejected":[],"counts":{`) {
		t.Error("the details are missing")
	}
}

func TestErrorsOfArrowLookupsAreProblems(t *testing.T) {
	f := newFixture(t, false)
	for accept, status := range map[string]int{arrowType: 404, "text/html": 406} {
		recorded := f.do(http.MethodPost, "/v1/lookup", `{"features":["nope:x"],"entities":{"carrier":["UA"]}}`, "Accept", accept)
		p := problemOf(t, recorded.Body.Bytes())
		if recorded.Code != status || p.Status != status || recorded.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: answered %d: %s", accept, recorded.Code, recorded.Body)
		}
	}
}

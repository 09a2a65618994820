package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/row"
)

const one = `{"features":["carrier_delays:delay"],"entities":{"carrier":["UA"]}}`

func problemOf(t *testing.T, body []byte) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return p
}

func TestOurLookupToTheByte(t *testing.T) {
	f := newFixture(t, false)
	digest := f.holder.Load().Digest
	got := f.ask("/v1/lookup", `{"features":["carrier_delays:delay","carrier_facts:founded"],"entities":{"carrier":["UA","AA"]}}`)
	want := `{"rows":2,"columns":[` +
		`{"name":"delay","view":"carrier_delays","values":[12.5,null],"verdicts":["fresh","missing"],"ages_us":[29750000,null],"actions":["serve","null"]},` +
		`{"name":"founded","view":"carrier_facts","values":[-1500000,null],"verdicts":["fresh","missing"],"ages_us":[29750000,null],"actions":["serve","null"]}],` +
		`"rejected":[],"counts":{"verdicts":{"fresh":2,"null":0,"missing":2,"stale":0,"invalid":0,"unavailable":0},"actions":{"serve":2,"null":2,"default":0,"reject":0},` +
		`"also_invalid":0,"rejected_rows":0},"bundle":{"digest":"` + digest + `","number":7},"contracts":{"carrier_delays":3,"carrier_facts":1}}`
	if got != want {
		t.Errorf("answered\n%s\nwant\n%s", got, want)
	}
}

func TestARejectedRowIsListedWithItsReasons(t *testing.T) {
	f := newFixture(t, false)
	got := f.ask("/v1/lookup", `{"feature_service":"strict","entities":{"carrier":["UA","AA"]}}`)
	if !strings.Contains(got, `"rejected":[{"row":1,"reasons":[{"feature":"delay","view":"carrier_delays","verdict":"missing","reason":"absent"}]}]`) {
		t.Errorf("answered %s", got)
	}
}

func TestAContractThatIsNotMetSaysWhy(t *testing.T) {
	f := newFixture(t, false)
	for _, path := range []string{online, "/v1/lookup"} {
		recorded := f.do(http.MethodPost, path, `{"feature_service":"strict","entities":{"carrier":["UA","AA","DL"]}}`)
		p := problemOf(t, recorded.Body.Bytes())
		if recorded.Code != 424 || p.Code != codeContractNotMet || p.Contract == nil {
			t.Fatalf("%s answered %d: %s", path, recorded.Code, recorded.Body)
		}
		if p.Contract.RejectedRows != 2 || p.Contract.Rows != 3 || p.Contract.Counts["missing"] != 2 || p.Contract.Reasons["carrier_delays:delay missing (absent)"] != 2 {
			t.Errorf("%s: %+v", path, p.Contract)
		}
		if p.Contract.MaxRejected != 0.5 || p.Contract.Bundle != lookup.NameOf(f.holder.Load()) || len(p.Contract.Contracts) != 1 || p.Contract.Contracts["carrier_delays"] != 3 {
			t.Errorf("%s: %+v", path, p.Contract)
		}
	}
}

func TestEveryFailureHasItsStatusAndCode(t *testing.T) {
	down := errors.New("connection refused")
	for _, test := range []struct {
		name    string
		prepare func(*fixture)
		path    string
		body    string
		headers []string
		status  int
		code    code
	}{
		{"no bundle", func(f *fixture) { f.holder.Store(nil) }, "/v1/lookup", one, nil, 503, codeNoBundle},
		{"no store", func(f *fixture) { f.store.Fault = func(*lookup.Read) error { return down } }, "/v1/lookup", one, nil, 503, codeStoreUnavailable},
		{"past the deadline", func(f *fixture) { f.store.Hang = true }, "/v1/lookup", one, []string{timeoutHeader, "20"}, 504, codeDeadline},
		{"Feast's address past the deadline", func(f *fixture) { f.store.Hang = true }, online, one, []string{timeoutHeader, "20"}, 504, codeDeadline},
		{"a deadline that is none", nil, "/v1/lookup", one, []string{timeoutHeader, "soon"}, 422, codeBadValue},
		{"a body that is too large", nil, "/v1/lookup", one + strings.Repeat(" ", 5000), nil, 413, codeTooLarge},
		{"Feast's address with a body that is too large", nil, online, one + strings.Repeat(" ", 5000), nil, 413, codeTooLarge},
		{"too many entities", nil, "/v1/lookup", `{"features":["carrier_delays:delay"],"entities":{"carrier":["","","","","","","","","","",""]}}`, nil, 413, codeTooLarge},
		{"no JSON", nil, "/v1/lookup", `{`, nil, 400, codeBadJSON},
		{"a bad value", nil, "/v1/lookup", `{"features":["carrier_delays:delay"],"entities":{"carrier":[1]}}`, nil, 422, codeBadValue},
		{"an unknown view", nil, "/v1/lookup", `{"features":["nope:x"],"entities":{"carrier":["UA"]}}`, nil, 404, codeNotFound},
		{"an unknown project", nil, "/v1/lookup", one, []string{projectHeader, "nope"}, 404, codeNotFound},
		{"no project", nil, "/v1/lookup", one, []string{projectHeader, ""}, 422, codeBadValue},
		{"too many at once", func(f *fixture) { f.engine.Limits.Concurrent = 0 }, "/v1/lookup", one, nil, 429, codeBusy},
		{"a panic", func(f *fixture) { f.store.WhileReading = func() { panic("broken") } }, "/v1/lookup", one, nil, 500, codeInternal},
	} {
		f := newFixture(t, false)
		if test.prepare != nil {
			test.prepare(f)
		}
		recorded := f.do(http.MethodPost, test.path, test.body, test.headers...)
		p := problemOf(t, recorded.Body.Bytes())
		if recorded.Code != test.status || p.Status != test.status || p.Code != test.code || p.Detail == "" || p.RequestID == "" {
			t.Errorf("%s: answered %d: %s", test.name, recorded.Code, recorded.Body)
		}
		if again := recorded.Header().Get("Retry-After"); (test.status == 429 || test.status == 503) != (again != "") {
			t.Errorf("%s: Retry-After %q", test.name, again)
		}
	}
}

func TestTokens(t *testing.T) {
	for _, test := range []struct {
		name    string
		auth    bool
		headers []string
		status  int
	}{
		{"no token where one is required", true, nil, 401},
		{"an unknown token", true, []string{"Authorization", "Bearer nonsense"}, 401},
		{"another scheme", true, []string{"Authorization", "Basic " + lookuptest.TokenOfP}, 401},
		{"the project's token", true, []string{"Authorization", "Bearer " + lookuptest.TokenOfP}, 200},
		{"the project's token names the project itself", true, []string{"Authorization", "bearer " + lookuptest.TokenOfP, projectHeader, ""}, 200},
		{"the project's token for another project", true, []string{"Authorization", "Bearer " + lookuptest.TokenOfP, projectHeader, "q"}, 403},
		{"the project's token for a project that does not exist", true, []string{"Authorization", "Bearer " + lookuptest.TokenOfP, projectHeader, "nope"}, 403},
		{"a token of all projects", true, []string{"Authorization", "Bearer " + lookuptest.TokenOfAll}, 200},
		{"a token of all projects names none", true, []string{"Authorization", "Bearer " + lookuptest.TokenOfAll, projectHeader, ""}, 422},
		{"no token where none is required", false, nil, 200},
		{"another scheme where none is required", false, []string{"Authorization", "Basic " + lookuptest.TokenOfP}, 200},
		{"a token that is none, or was revoked, is refused even then", false, []string{"Authorization", "Bearer nonsense"}, 401},
		{"an empty token where one is required", true, []string{"Authorization", "Bearer "}, 401},
		{"an empty token is none", false, []string{"Authorization", "Bearer "}, 200},
		{"a known token is held to its projects even then", false, []string{"Authorization", "Bearer " + lookuptest.TokenOfP, projectHeader, "q"}, 403},
	} {
		f := newFixture(t, test.auth)
		for _, path := range []string{online, "/v1/lookup"} {
			if recorded := f.do(http.MethodPost, path, one, test.headers...); recorded.Code != test.status {
				t.Errorf("%s, %s: answered %d: %s", test.name, path, recorded.Code, recorded.Body)
			}
		}
		if recorded := f.do(http.MethodGet, "/v1/explain?view=carrier_delays&feature=delay&key=UA", "", test.headers...); recorded.Code != test.status {
			t.Errorf("%s, explain: answered %d: %s", test.name, recorded.Code, recorded.Body)
		}
	}
}

func TestStrangersLearnNothingFromRefusals(t *testing.T) {
	f := newFixture(t, true)
	headers := func(project string) []string {
		return []string{"Authorization", "Bearer " + lookuptest.TokenOfP, projectHeader, project, "X-Request-Id", "same"}
	}
	there := f.do(http.MethodPost, "/v1/lookup", one, headers("q")...).Body.String()
	nowhere := f.do(http.MethodPost, "/v1/lookup", one, headers("z")...).Body.String()
	if strings.ReplaceAll(there, "project q", "") != strings.ReplaceAll(nowhere, "project z", "") {
		t.Errorf("they differ:\n%s\n%s", there, nowhere)
	}
	unread := f.do(http.MethodPost, "/v1/lookup", `{`)
	if unread.Code != 401 || unread.Header().Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("a stranger's body was read: %d", unread.Code)
	}
}

func TestReadinessTellsEachStoreAndNamesProjectsWhoseStoreIsNotKnown(t *testing.T) {
	f := newFixture(t, true)
	move := func(store string) {
		text := strings.Replace(lookuptest.Document, `"p":{"services"`, `"p":{"store":"`+store+`","services"`, 1)
		b, err := bundle.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		f.holder.Store(b)
	}
	move("lost")
	recorded := f.do(http.MethodGet, "/ready", "")
	if text := recorded.Body.String(); recorded.Code != 200 || !strings.Contains(text, `"default":"ok"`) || !strings.Contains(text, "needed by project p") {
		t.Errorf("with one store of two: %d: %s", recorded.Code, text)
	}
	recorded = f.do(http.MethodPost, "/v1/lookup", `{"features":["carrier_delays:delay"],"entities":{"carrier":["UA"]}}`, "Authorization", "Bearer "+lookuptest.TokenOfP)
	if recorded.Code != 503 || problemOf(t, recorded.Body.Bytes()).Code != codeStoreUnavailable {
		t.Errorf("a lookup there: %d: %s", recorded.Code, recorded.Body)
	}
	f.store.MarksFault = errors.New("away")
	recorded = f.do(http.MethodGet, "/ready", "")
	if text := recorded.Body.String(); recorded.Code != 503 || !strings.Contains(text, "default: away; lost: ") {
		t.Errorf("with none: %d: %s", recorded.Code, text)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	f := newFixture(t, true)
	if recorded := f.do(http.MethodGet, "/health", ""); recorded.Code != 200 || recorded.Body.Len() != 0 {
		t.Errorf("/health answered %d: %s", recorded.Code, recorded.Body)
	}
	if recorded := f.do(http.MethodGet, "/ready", ""); recorded.Code != 200 || !strings.Contains(recorded.Body.String(), `"number":7`) {
		t.Errorf("/ready answered %d: %s", recorded.Code, recorded.Body)
	}
	f.store.MarksFault = errors.New("away")
	if recorded := f.do(http.MethodGet, "/ready", ""); recorded.Code != 503 || problemOf(t, recorded.Body.Bytes()).Code != codeStoreUnavailable {
		t.Errorf("without a store /ready answered %d", recorded.Code)
	}
	f.holder.Store(nil)
	if recorded := f.do(http.MethodGet, "/ready", ""); recorded.Code != 503 || problemOf(t, recorded.Body.Bytes()).Code != codeNoBundle {
		t.Errorf("without a bundle /ready answered %d", recorded.Code)
	}
	if recorded := f.do(http.MethodGet, "/health", ""); recorded.Code != 200 {
		t.Errorf("without a bundle /health answered %d", recorded.Code)
	}
}

func TestOtherMethodsAndAddressesAreRefused(t *testing.T) {
	f := newFixture(t, false)
	for _, endpoint := range Endpoints() {
		recorded := f.do(http.MethodDelete, endpoint.Path, "")
		if recorded.Code != 405 || recorded.Header().Get("Allow") != endpoint.Method {
			t.Errorf("DELETE %s answered %d, Allow %q", endpoint.Path, recorded.Code, recorded.Header().Get("Allow"))
		}
	}
	if recorded := f.do(http.MethodGet, "/v2", ""); recorded.Code != 404 || problemOf(t, recorded.Body.Bytes()).Code != codeNotFound {
		t.Errorf("/v2 answered %d: %s", recorded.Code, recorded.Body)
	}
}

func TestExplainTellsEverythingThatLedToAValue(t *testing.T) {
	f := newFixture(t, false)
	f.store.Put(t, lookuptest.Bundle(t).Projects["p"].Views["carrier_delays"], `"AA"`,
		row.Header{EventTimeUS: nowUS - 61_000_000, WriteTimeUS: nowUS, Held: true, RunNumber: 5}, "5000", "1")
	var found explanation
	recorded := f.do(http.MethodGet, "/v1/explain?project=p&view=carrier_delays&feature=delay&key=%7B%22carrier%22%3A%22AA%22%7D&feature_service=lenient", "", projectHeader, "")
	if err := json.Unmarshal(recorded.Body.Bytes(), &found); err != nil || recorded.Code != 200 {
		t.Fatalf("answered %d: %s", recorded.Code, recorded.Body)
	}
	if found.Verdict != "invalid" || *found.Reason != "max" || string(found.StoredValue) != "5000.0" || string(found.Value) != "null" {
		t.Errorf("explained %+v", found)
	}
	if found.Contract.MaxAgeUS != 3_600_000_000 || found.Contract.OnMissing != "default" || *found.AgeUS != 61_000_000 || found.Row == nil || !found.Row.Held || found.Row.RunNumber != 5 {
		t.Errorf("explained %s", recorded.Body)
	}
	for key, want := range map[string]string{"UA": "fresh", "%22UA%22": "fresh", "ZZ": "missing", "7": "missing"} {
		recorded := f.do(http.MethodGet, "/v1/explain?view=carrier_delays&feature=delay&key="+key, "")
		if !strings.Contains(recorded.Body.String(), `"verdict":"`+want+`"`) {
			t.Errorf("key %s: answered %d: %s", key, recorded.Code, recorded.Body)
		}
	}
	if recorded := f.do(http.MethodGet, "/v1/explain?view=airport_weather&feature=wind&key=5", ""); !strings.Contains(recorded.Body.String(), `"value":3.5`) {
		t.Errorf("a number as key: answered %d: %s", recorded.Code, recorded.Body)
	}
	for query, status := range map[string]int{
		"view=carrier_delays&feature=delay":                                 422,
		"view=nope&feature=delay&key=UA":                                    404,
		"view=carrier_delays&feature=nope&key=UA":                           404,
		"view=carrier_delays&feature=delay&key=UA&feature_service=no":       404,
		"view=carrier_delays&feature=delay&key=%7B%22driver%22%3A1%7D":      404,
		"view=airport_weather&feature=wind&key=five":                        422,
		"view=airport_weather&feature=wind&key=5&feature_service=strict":    422,
		"view=carrier_delays&feature=flights&key=UA&feature_service=strict": 422,
		"view=carrier_delays&feature=gone&key=UA&feature_service=lenient":   200,
	} {
		if recorded := f.do(http.MethodGet, "/v1/explain?"+query, ""); recorded.Code != status {
			t.Errorf("%s: answered %d, want %d: %s", query, recorded.Code, status, recorded.Body)
		}
	}
}

func TestTheTimeoutOfACallerIsBounded(t *testing.T) {
	f := newFixture(t, false)
	f.ask("/v1/lookup", one, timeoutHeader, "100000000")
	request := &http.Request{Header: http.Header{}}
	request.Header.Set(timeoutHeader, "100000000")
	if timeout, err := requestTimeout(request); err != nil || timeout != time.Minute {
		t.Errorf("%s %v", timeout, err)
	}
}

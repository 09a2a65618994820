package httpapi

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"freshline/serving/internal/arrowapi"
	"freshline/serving/internal/bundle"
	"freshline/serving/internal/leaktest"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
	"freshline/serving/internal/pass"
	"freshline/serving/internal/row"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const nowUS = lookuptest.NowUS

type fixture struct {
	t       *testing.T
	store   *lookuptest.Store
	engine  *lookup.Engine
	holder  *bundle.Holder
	handler http.Handler

	authRequired bool
}

func newFixture(t *testing.T, authRequired bool) *fixture {
	f := &fixture{t: t, store: lookuptest.NewStore()}
	views := lookuptest.Bundle(t).Projects["p"].Views
	header := row.Header{EventTimeUS: nowUS - 30_000_000 + 250_000, WriteTimeUS: nowUS, RunNumber: 11, Lane: row.Direct}
	f.store.Put(t, views["carrier_delays"], `"UA"`, header, "12.5", "7")
	f.store.Put(t, views["carrier_facts"], `"UA"`, header, `"United \"Air\" é\n"`, "0.1", `"AAE="`, "-1500000", `["EWR","ORD"]`, "true")
	f.store.Put(t, views["watched"], `"UA"`, header, "9")
	f.store.Put(t, views["airport_weather"], "5", header, "3.5")
	f.engine, f.holder = lookuptest.Engine(t, f.store, new(lookuptest.Observer))
	f.authRequired = authRequired
	f.serve(nil)
	return f
}

// serve builds the handler anew, with what passes requests on.
func (f *fixture) serve(passer *pass.Passer) {
	f.handler = New(Config{
		Engine: f.engine, Bundles: f.holder, Stores: lookup.Pingers{bundle.DefaultStore: f.store}, Timer: new(lookuptest.Observer),
		Metrics: http.NotFoundHandler(), MaxBodyBytes: 4096, Arrow: arrowapi.New(),
		Gate: &lookup.Gate{Bundles: f.holder, AuthRequired: f.authRequired, Now: lookuptest.Now},
		Log:  slog.New(slog.NewTextHandler(io.Discard, nil)), Passer: passer,
	})
}

func (f *fixture) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	f.t.Helper()
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	request.Header.Set(projectHeader, "p")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			request.Header.Del(headers[i])
		}
	}
	recorded := httptest.NewRecorder()
	f.handler.ServeHTTP(recorded, request)
	return recorded
}

// ask posts a body and expects an answer.
func (f *fixture) ask(path, body string, headers ...string) string {
	f.t.Helper()
	recorded := f.do(http.MethodPost, path, body, headers...)
	if recorded.Code != http.StatusOK || !json.Valid(recorded.Body.Bytes()) {
		f.t.Fatalf("%s answered %d: %s", path, recorded.Code, recorded.Body)
	}
	return recorded.Body.String()
}

package app_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"freshline/serving/internal/store/sqlite/sqlitetest"
)

const direct = `{"features":["carrier:delay","carrier:trips","carrier:tail"],"entities":{"carrier":["UA","AA"]}}`

func service(name string) string {
	return fmt.Sprintf(`{"feature_service":%q,"entities":{"carrier":["UA","AA"]}}`, name)
}

func TestAValueFlowsFromTheStoreToTheCallerUnderItsContract(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Hour))
	s.put("UA", time.Now().Add(-10*time.Minute), 12.25, 7, "N14228")
	p := s.start()
	p.untilReady()

	found := p.lookup(direct)
	if got := fmt.Sprint(found.Columns[0].Values, found.Columns[1].Values, found.Columns[2].Values); got != "[12.25 <nil>] [7 <nil>] [N14228 <nil>]" {
		t.Errorf("values are %s", got)
	}
	if got := found.Columns[0].Verdicts; !slices.Equal(got, []string{"fresh", "missing"}) {
		t.Errorf("verdicts are %v", got)
	}
	if age := found.Columns[0].AgesUS[0]; age == nil || *age < 600_000_000 || *age > 700_000_000 {
		t.Errorf("the age is %v, want a little over ten minutes", age)
	}
}

func TestThreeServicesGetThreeAnswersForOneKey(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Hour))
	s.put("UA", time.Now().Add(-10*time.Minute), 12.25, 7, "N14228")
	s.put("AA", time.Now(), 1, 1, "N1")
	p := s.start()
	p.untilReady()

	if got := fmt.Sprint(p.lookup(service("nulls")).Columns[0].Values); got != "[<nil> 1]" {
		t.Errorf("nulls: %s", got)
	}
	if got := fmt.Sprint(p.lookup(service("defaults")).Columns[0].Values); got != "[-1.5 1]" {
		t.Errorf("defaults: %s", got)
	}
	rejects := p.lookup(service("rejects"))
	if got := fmt.Sprint(rejects.Columns[1].Values, rejects.Rejected); got != "[<nil> 1] [{0}]" {
		t.Errorf("rejects: %s", got)
	}
	if got := fmt.Sprint(p.lookup(direct).Columns[2].Values); got != "[N14228 N1]" {
		t.Errorf("the view's own terms: %s", got)
	}
}

func TestMoreRejectedRowsThanTheServiceAcceptsFailTheRequest(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Hour))
	p := s.start()
	p.untilReady()
	status, text := p.post("/get-online-features", service("rejects"))
	if status != http.StatusFailedDependency || !strings.Contains(text, `"code":"contract_not_met"`) {
		t.Errorf("answered %d: %s", status, text)
	}
}

func TestAChangedContractIsInForceWithinTwoSeconds(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Hour))
	s.put("UA", time.Now().Add(-10*time.Minute), 1, 1, "N1")
	p := s.start()
	p.untilReady()
	s.control.Publish(bundleText(2, "r", time.Minute))
	began := time.Now()
	until(t, "the new contract is in force", func() bool { return p.lookup(direct).Bundle.Number == 2 })
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
	if got := p.lookup(direct).Columns[0].Verdicts[0]; got != "stale" {
		t.Errorf("under the shorter max age the value is %s", got)
	}
	until(t, "the new bundle is acknowledged", func() bool {
		return slices.ContainsFunc(s.control.Acknowledgements(), func(ack string) bool {
			return strings.Contains(ack, `"number":2`) && strings.Contains(ack, `"refused":null`)
		})
	})
}

func TestServingRestartsWithoutTheControlPlane(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(3, "r", time.Hour))
	s.put("UA", time.Now(), 1, 1, "N1")
	first := s.start()
	first.untilReady()
	first.end()
	s.control.Stop()

	second := s.start()
	second.untilReady()
	found := second.lookup(service("nulls"))
	if found.Bundle.Number != 3 || found.Columns[0].Verdicts[0] != "fresh" || found.Columns[0].Verdicts[1] != "missing" {
		t.Errorf("answered %+v", found)
	}
}

func TestObservationsThatWaitedAreDeliveredByTheNextProcess(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Hour))
	s.put("UA", time.Now(), 1, 1, "N1")
	first := s.start()
	first.untilReady()
	s.control.AnswerPosts(http.StatusServiceUnavailable)
	first.lookup(direct)
	first.end()
	if got := s.control.Observations(); len(got) != 0 {
		t.Fatalf("delivered too early: %v", got)
	}
	s.control.AnswerPosts(0)
	second := s.start()
	until(t, "the report is delivered", func() bool { return len(s.control.Observations()) == 1 })
	if got := s.control.Observations()[0]; !strings.Contains(got, `"requests":1`) || !strings.Contains(got, `"missing":3`) {
		t.Errorf("the report says %s", got)
	}
	second.end()
}

func TestACorruptBundleOnDiskIsRefusedAndReported(t *testing.T) {
	s := newSystem(t)
	home := s.env["FRESHLINE_SERVING_HOME"]
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "bundle"), []byte("00\n{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := s.start()
	until(t, "the refusal is acknowledged", func() bool {
		return slices.ContainsFunc(s.control.Acknowledgements(), func(ack string) bool {
			return strings.Contains(ack, `"refused":{"digest":"`+strings.Repeat("0", 64)+`","reason":"corrupt bundle`)
		})
	})
	if status, text := p.get("/ready"); status != http.StatusServiceUnavailable || !strings.Contains(text, "no_bundle") {
		t.Errorf("/ready answered %d: %s", status, text)
	}
}

func TestAnOlderOrCorruptBundleIsRefusedAndTheOneInForceStays(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(5, "r", time.Hour))
	p := s.start()
	p.untilReady()
	for what, publish := range map[string]func(){
		"older":          func() { s.control.Publish(bundleText(4, "r", time.Hour)) },
		"digest":         func() { s.control.PublishAs(bundleText(6, "r", time.Hour), strings.Repeat("0", 64)) },
		"corrupt bundle": func() { s.control.Publish([]byte(`{"format":1}`)) },
	} {
		publish()
		until(t, "the bundle is refused: "+what, func() bool {
			return slices.ContainsFunc(s.control.Acknowledgements(), func(ack string) bool {
				return strings.Contains(ack, `"number":5`) && strings.Contains(ack, `"reason":"`) && strings.Contains(ack, what)
			})
		})
		if got := p.lookup(direct).Bundle.Number; got != 5 {
			t.Errorf("%s: number %d is in force", what, got)
		}
	}
	s.control.Publish(bundleText(1, "another registry", time.Hour))
	until(t, "another registry's bundle is in force", func() bool { return p.lookup(direct).Bundle.Number == 1 })
}

func TestAWatermarkKeepsAnOldRowFresh(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Minute))
	s.put("UA", time.Now().Add(-24*time.Hour), 1, 1, "N1")
	p := s.start()
	p.untilReady()
	if got := p.lookup(direct).Columns[0].Verdicts[0]; got != "stale" {
		t.Fatalf("without a watermark the value is %s", got)
	}
	s.store.Watermark(project, "carrier/batch", time.Now().UnixMicro())
	until(t, "the watermark is seen", func() bool { return p.lookup(direct).Columns[0].Verdicts[0] == "fresh" })
	status, text := p.get("/v1/explain?view=carrier&feature=delay&key=UA")
	if status != http.StatusOK || !strings.Contains(text, `"watermarks_us":{"batch":`) || !strings.Contains(text, `"run_number":7`) {
		t.Errorf("explain answered %d: %s", status, text)
	}
}

func TestALayoutThatTheBundleDoesNotNameIsFetchedFromTheStore(t *testing.T) {
	s := newSystem(t)
	text := strings.Replace(string(bundleText(1, "r", time.Hour)), `"layouts":{"1":`, `"layouts":{"9":`, 1)
	s.control.Publish([]byte(text))
	s.put("UA", time.Now(), 4.5, 1, "N1")
	p := s.start()
	p.untilReady()
	if got := p.lookup(direct).Columns[0].Verdicts[0]; got != "invalid" {
		t.Fatalf("a row under a layout that nobody knows is %s", got)
	}
	s.store.Layout(project, "carrier/1", `[{"dtype":"float64","name":"delay"},{"dtype":"int64","name":"trips"},{"dtype":"string","name":"tail"}]`)
	until(t, "the layout is fetched", func() bool { return p.lookup(direct).Columns[0].Verdicts[0] == "fresh" })
}

func TestMetricsShowWhatHappened(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Hour))
	s.put("UA", time.Now(), 1, 1, "N1")
	s.store.Row(project, "carrier", carrierKey(t, "AA"), []byte("rubbish that is no row, and long enough to be looked at"))
	p := s.start()
	p.untilReady()
	p.lookup(direct)
	_, text := p.get("/metrics")
	for _, line := range []string{
		`freshline_serving_requests_total{code="200",endpoint="/v1/lookup"} 1`,
		`freshline_serving_values_total{project="flights",verdict="fresh",view="carrier"} 3`,
		`freshline_serving_values_total{project="flights",verdict="invalid",view="carrier"} 3`,
		`freshline_serving_corrupt_rows_total{project="flights",view="carrier"} 1`,
		`freshline_serving_bundle_number 1`, `freshline_serving_breaker_open{store="default"} 0`, `go_goroutines`,
		`freshline_serving_store_seconds_count{operation="read_rows",outcome="ok",store="default"} 1`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
}

func TestAProjectThatNamesAStoreIsServedFromIt(t *testing.T) {
	s := newSystem(t)
	path := filepath.Join(t.TempDir(), "far.sqlite3")
	s.env["FRESHLINE_STORES"] = fmt.Sprintf(`{"far":"sqlite://%s"}`, path)
	text := strings.Replace(string(bundleText(1, "r", time.Hour)), `"flights":{"services"`, `"flights":{"store":"far","services"`, 1)
	s.control.Publish([]byte(text))
	s.put("UA", time.Now(), 1, 1, "near")
	s.store = sqlitetest.Create(t, path)
	s.put("UA", time.Now(), 2, 2, "far")
	p := s.start()
	p.untilReady()
	if got := fmt.Sprint(p.lookup(direct).Columns[2].Values); got != "[far <nil>]" {
		t.Errorf("values are %s", got)
	}
	_, metrics := p.get("/metrics")
	for _, want := range []string{
		`freshline_serving_breaker_open{store="far"} 0`, `freshline_serving_lookups_in_flight{store="default"} 0`,
		`freshline_serving_store_seconds_count{operation="read_rows",outcome="ok",store="far"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestABundleThatNamesAStoreWithoutAnAddressIsToldInTheLog(t *testing.T) {
	s := newSystem(t)
	text := strings.Replace(string(bundleText(1, "r", time.Hour)), `"flights":{"services"`, `"flights":{"store":"lost","services"`, 1)
	s.control.Publish([]byte(text))
	p := s.start()
	until(t, "the log says so", func() bool { return strings.Contains(p.log.String(), `"store":"lost"`) })
	if status, text := p.get("/ready"); status != http.StatusServiceUnavailable || !strings.Contains(text, "needed by project flights") {
		t.Errorf("/ready answered %d: %s", status, text)
	}
}

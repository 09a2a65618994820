package config

import (
	"strings"
	"testing"
	"time"

	"freshline/serving/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func from(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func TestTheDefaultsAreWhatTheListSays(t *testing.T) {
	c, err := Load(from())
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:6566" || c.Timeout != 100*time.Millisecond || c.MaxEntities != 10_000 || c.MaxFeatures != 2_000 ||
		c.WatermarkInterval != 500*time.Millisecond || c.ObserveInterval != 10*time.Second || c.PprofListen != "" || c.AuthRequired || c.Name == "" {
		t.Errorf("loaded %+v", c)
	}
}

func TestEverySettingThatIsReadIsListedAndTheOtherWayRound(t *testing.T) {
	read := make(map[string]bool)
	if _, err := Load(func(name string) (string, bool) { read[name] = true; return "", false }); err != nil {
		t.Fatal(err)
	}
	for _, listed := range Settings() {
		if !read[listed.Name] {
			t.Errorf("%s is listed, but never read", listed.Name)
		}
		if listed.Meaning == "" {
			t.Errorf("%s has no meaning", listed.Name)
		}
		delete(read, listed.Name)
	}
	for name := range read {
		t.Errorf("%s is read, but not listed", name)
	}
}

func TestAuthIsRequiredUnlessBoundToLoopbackOrToldOtherwise(t *testing.T) {
	for _, test := range []struct {
		listen, auth string
		required     bool
	}{
		{"127.0.0.1:1", "auto", false}, {"localhost:1", "auto", false}, {"[::1]:1", "auto", false},
		{"0.0.0.0:1", "auto", true}, {":1", "auto", true}, {"10.0.0.1:1", "auto", true}, {"example.org:1", "auto", true},
		{"127.0.0.1:1", "required", true}, {"0.0.0.0:1", "off", false},
	} {
		c, err := Load(from("FRESHLINE_SERVING_LISTEN", test.listen, "FRESHLINE_LOOKUP_AUTH", test.auth))
		if err != nil || c.AuthRequired != test.required {
			t.Errorf("%s with %s: required is %v (%v)", test.listen, test.auth, c.AuthRequired, err)
		}
	}
}

func TestWhatCannotBeUsedIsSaidByNameAllAtOnce(t *testing.T) {
	wrong := []string{
		"FRESHLINE_SERVING_LISTEN", "6566", "STORE_URL", "postgres://user:secret@host/db", "FRESHLINE_CONTROL_URL", "control",
		"FRESHLINE_LOOKUP_AUTH", "maybe", "FRESHLINE_LOOKUP_TIMEOUT", "soon", "FRESHLINE_LOOKUP_MAX_ENTITIES", "0",
		"FRESHLINE_OBSERVE_INTERVAL", "-1s", "FRESHLINE_OBSERVE_SAMPLE_EVERY", "-1", "FRESHLINE_SERVING_PPROF_LISTEN", "0.0.0.0:1",
		"FRESHLINE_SERVING_TLS_CERT", "/nowhere/cert.pem", "FRESHLINE_SERVING_LOG_LEVEL", "loud",
	}
	_, err := Load(from(wrong...))
	if err == nil {
		t.Fatal("all of it is accepted")
	}
	for i := 0; i < len(wrong); i += 2 {
		if !strings.Contains(err.Error(), wrong[i]+"=") {
			t.Errorf("no word of %s in\n%s", wrong[i], err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("a password is repeated in\n%s", err)
	}
}

func TestFurtherStoresAreReadByName(t *testing.T) {
	c, err := Load(from("STORE_URL", "redis://one:1/0", "FRESHLINE_STORES", `{"fast":"redis://two:1/0"}`))
	if err != nil || len(c.Stores) != 2 || c.Stores["default"] != "redis://one:1/0" || c.Stores["fast"] != "redis://two:1/0" {
		t.Errorf("%v (%v)", c.Stores, err)
	}
	if c, err := Load(from()); err != nil || len(c.Stores) != 1 {
		t.Errorf("without any: %v (%v)", c.Stores, err)
	}
	for _, wrong := range []string{
		"fast=redis://:secret@h", `["redis://:secret@h"]`, `{"default":"redis://:secret@h"}`, `{"Fast":"redis://:secret@h"}`,
		`{"fast":"http://:secret@h"}`, `{"fast":"secret"}`, `{"fast":1}`,
	} {
		_, err := Load(from("FRESHLINE_STORES", wrong))
		if err == nil || !strings.Contains(err.Error(), "FRESHLINE_STORES=") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestATokenForStrangersNeedsLookupsWithoutTokens(t *testing.T) {
	const name = "FRESHLINE_PASS_THROUGH_TOKEN_FILE"
	for _, allowed := range [][]string{{name, "/f"}, {name, "/f", "FRESHLINE_SERVING_LISTEN", "0.0.0.0:1", "FRESHLINE_LOOKUP_AUTH", "off"}} {
		if c, err := Load(from(allowed...)); err != nil || c.PassTokenFile != "/f" {
			t.Errorf("%v: %v", allowed, err)
		}
	}
	for _, refused := range [][]string{{name, "/f", "FRESHLINE_SERVING_LISTEN", "0.0.0.0:1"}, {name, "/f", "FRESHLINE_LOOKUP_AUTH", "required"}} {
		if _, err := Load(from(refused...)); err == nil || !strings.Contains(err.Error(), name+"=") {
			t.Errorf("%v: %v", refused, err)
		}
	}
}

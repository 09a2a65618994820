package main

import (
	"bytes"
	"strings"
	"testing"

	"freshline/serving/internal/config"
	"freshline/serving/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func none(string) (string, bool) { return "", false }

func TestHelpListsEverySetting(t *testing.T) {
	var out, errOut bytes.Buffer
	if code := run([]string{"--help"}, none, &out, &errOut); code != exitOK {
		t.Errorf("code %d", code)
	}
	for _, setting := range config.Settings() {
		if !strings.Contains(errOut.String(), setting.Name) {
			t.Errorf("--help lacks %s", setting.Name)
		}
	}
}

func TestVersion(t *testing.T) {
	var out, errOut bytes.Buffer
	if code := run([]string{"--version"}, none, &out, &errOut); code != exitOK || !strings.HasPrefix(out.String(), "freshline-serving ") {
		t.Errorf("code %d: %s", code, out.String())
	}
}

func TestWhatCannotBeUsedEndsTheStartWithAReason(t *testing.T) {
	for _, test := range []struct {
		args []string
		env  string
		says string
	}{
		{[]string{"--nope"}, "", "nope"},
		{[]string{"serve"}, "", "no arguments"},
		{nil, "FRESHLINE_LOOKUP_TIMEOUT", "FRESHLINE_LOOKUP_TIMEOUT="},
	} {
		var out, errOut bytes.Buffer
		code := run(test.args, func(name string) (string, bool) { return "nonsense", name == test.env }, &out, &errOut)
		if code != exitUsage || !strings.Contains(errOut.String(), test.says) {
			t.Errorf("%v: code %d: %s", test.args, code, errOut.String())
		}
	}
}

func TestAnAddressInUseEndsTheStart(t *testing.T) {
	var out, errOut bytes.Buffer
	code := run(nil, func(name string) (string, bool) {
		return "203.0.113.1:1", name == "FRESHLINE_SERVING_LISTEN" // no address of this machine
	}, &out, &errOut)
	if code != exitFailed || !strings.Contains(errOut.String(), "FRESHLINE_SERVING_LISTEN") {
		t.Errorf("code %d: %s", code, errOut.String())
	}
}

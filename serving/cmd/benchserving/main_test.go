package main

import (
	"context"
	"io"
	"path/filepath"
	"testing"

	"freshline/serving/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestItStartsAndEndsWithAndWithoutContracts(t *testing.T) {
	home := t.TempDir()
	settings := map[string]string{
		"FRESHLINE_SERVING_LISTEN": "127.0.0.1:0",
		"FRESHLINE_SERVING_HOME":   home,
		"FRESHLINE_CONTROL_URL":    "http://127.0.0.1:9",
		"STORE_URL":                "sqlite://" + filepath.Join(home, "store.sqlite3"),
	}
	lookup := func(name string) (string, bool) {
		value, set := settings[name]
		return value, set
	}
	ended, end := context.WithCancel(context.Background())
	end()
	for _, args := range [][]string{nil, {"-unenforced"}} {
		if err := run(ended, args, lookup, io.Discard); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
	if err := run(ended, []string{"-nope"}, lookup, io.Discard); err == nil {
		t.Error("an unknown flag was taken")
	}
	settings["FRESHLINE_LOOKUP_TIMEOUT"] = "nonsense"
	if err := run(ended, nil, lookup, io.Discard); err == nil {
		t.Error("a bad setting was taken")
	}
}

// Package golden finds the files that Go and Python must agree on. They lie in tests/golden at the
// top of the repository; a test that misses one fails.
package golden

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Path returns where a golden file lies.
func Path(name string) string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", "..", "tests", "golden", name)
}

// Read returns a golden file's bytes.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(Path(name))
	if err != nil {
		t.Fatalf("golden file: %v", err)
	}
	return text
}

// Load reads a golden file's JSON into to.
func Load(t testing.TB, name string, to any) {
	t.Helper()
	if err := json.Unmarshal(Read(t, name), to); err != nil {
		t.Fatalf("golden file %s: %v", name, err)
	}
}

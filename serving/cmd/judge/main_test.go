package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"freshline/serving/internal/golden"
)

func TestEveryLineIsAnsweredByOneLine(t *testing.T) {
	text, err := os.ReadFile(golden.Path("contract_vectors/ages.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct{ Cases []json.RawMessage }
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	var in, out bytes.Buffer
	for _, vector := range vectors.Cases {
		if err := json.Compact(&in, vector); err != nil {
			t.Fatal(err)
		}
		in.WriteByte('\n')
	}
	if err := run(&in, &out); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != len(vectors.Cases) {
		t.Errorf("%d lines for %d cases", lines, len(vectors.Cases))
	}
}

func TestALineThatIsNoCaseIsNamed(t *testing.T) {
	err := run(strings.NewReader("{\n"), new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("%v", err)
	}
}

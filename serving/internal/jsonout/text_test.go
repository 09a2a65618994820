package jsonout

import (
	"bytes"
	"testing"
)

// Each byte at each place of texts of each length up to three steps is written as String writes it.
func TestTextsAreStringsWhateverTheirLength(t *testing.T) {
	for length := 1; length <= 24; length++ {
		text := bytes.Repeat([]byte("a"), length)
		for place := range length {
			for c := range 256 {
				text[place] = byte(c)
				checkText(t, text)
			}
			text[place] = 'a'
		}
	}
	checkText(t, nil)
}

func TestTextsInOtherScripts(t *testing.T) {
	for _, word := range []string{"é", "東", "\U0001f6eb", "\u2028", "\ufffd"} {
		for before := range 12 {
			for after := range 12 {
				text := append(bytes.Repeat([]byte("z"), before), word...)
				text = append(text, bytes.Repeat([]byte("~"), after)...)
				checkText(t, text)
				checkText(t, append(text, '"'))
				checkText(t, text[:len(text)-1]) // perhaps in the middle of a character
			}
		}
	}
}

func checkText(t *testing.T, text []byte) {
	t.Helper()
	if got, want := string(appendText([]byte("["), text)), string(String([]byte("["), text)); got != want {
		t.Fatalf("%q is %q, want %q", text, got, want)
	}
}

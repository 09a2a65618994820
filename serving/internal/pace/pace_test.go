package pace

import (
	"testing"
	"time"
)

func TestItNeverReturnsEarly(t *testing.T) {
	for _, wait := range []time.Duration{-time.Second, 0, 50 * time.Microsecond, 3 * time.Millisecond} {
		moment := time.Now().Add(wait)
		Until(moment)
		if early := time.Until(moment); early > 0 {
			t.Errorf("a wait of %s ended %s early", wait, early)
		}
	}
}

package arena

import (
	"bytes"
	"testing"
)

func TestSlicesAreZeroedAndDoNotTouch(t *testing.T) {
	var a Arena
	var taken [][]byte
	for n := range 300 {
		slice := a.Take(n)
		if len(slice) != n || cap(slice) != n || !bytes.Equal(slice, make([]byte, n)) {
			t.Fatalf("%d bytes: length %d, capacity %d", n, len(slice), cap(slice))
		}
		for i := range slice {
			slice[i] = byte(n)
		}
		taken = append(taken, slice)
	}
	for n, slice := range taken {
		if !bytes.Equal(slice, bytes.Repeat([]byte{byte(n)}, n)) {
			t.Fatalf("slice %d was written by another", n)
		}
	}
	if large := a.Take(1 << 20); len(large) != 1<<20 {
		t.Errorf("a large slice has %d bytes", len(large))
	}
}

func TestSmallSlicesShareAllocations(t *testing.T) {
	allocations := testing.AllocsPerRun(10, func() {
		var a Arena
		for range 1000 {
			a.Take(100)
		}
	})
	if allocations > 8 {
		t.Errorf("%v allocations for a thousand slices", allocations)
	}
}

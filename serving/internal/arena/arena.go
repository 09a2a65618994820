// Package arena hands out byte slices of few allocations, for rows that are read by the hundred.
package arena

const (
	firstChunk   = 2 << 10
	largestChunk = 64 << 10
)

// Arena hands out slices, each zeroed and nobody else's. A slice keeps its chunk alive, so an arena lives for one
// read and is not kept. It is used by one goroutine; the zero Arena is ready.
type Arena struct {
	free  []byte
	chunk int // each is larger than the last
}

// Take returns a slice of n bytes, which cannot grow into its neighbour.
func (a *Arena) Take(n int) []byte {
	if n > len(a.free) {
		a.chunk = min(max(firstChunk, 2*a.chunk), largestChunk)
		a.free = make([]byte, max(n, a.chunk))
	}
	taken := a.free[:n:n]
	a.free = a.free[n:]
	return taken
}

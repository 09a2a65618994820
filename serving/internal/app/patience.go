package app

import (
	"io"
	"net/http"
	"time"
)

// patience is how long callers may take over their part of a request. It bounds what a caller can hold who
// sends or reads a byte at a time; deadlines of lookups bound only our part.
type patience struct {
	send time.Duration // the body, from its first byte on
	take time.Duration // each piece of the answer
}

func (p patience) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		answer := &timedAnswer{ResponseWriter: w, control: control, within: p.take}
		if r.Body != nil && r.Body != http.NoBody {
			answer.body = &timedBody{ReadCloser: r.Body, control: control, within: p.send}
			r.Body = answer.body
		}
		next.ServeHTTP(answer, r)
	})
}

// timedBody is a body with a deadline. It ends with the body: net/http lifts it to wait for the caller's leaving.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
	within  time.Duration
	begun   bool
}

// Read implements io.Reader.
func (b *timedBody) Read(into []byte) (int, error) {
	b.begin()
	return b.ReadCloser.Read(into)
}

// begin sets the deadline, once, and tells whether it did.
func (b *timedBody) begin() bool {
	if b.begun {
		return false
	}
	b.begun = true
	_ = b.control.SetReadDeadline(time.Now().Add(b.within))
	return true
}

// timedAnswer gives every piece of an answer a deadline, and a body that nobody read one as well: net/http waits
// for its rest before it sends the answer.
type timedAnswer struct {
	http.ResponseWriter
	body    *timedBody // nil: none
	control *http.ResponseController
	within  time.Duration
}

// Unwrap lets http.ResponseController see what is beneath.
func (a *timedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (a *timedAnswer) WriteHeader(code int) {
	a.begin()
	a.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (a *timedAnswer) Write(data []byte) (int, error) {
	a.begin()
	return a.ResponseWriter.Write(data)
}

func (a *timedAnswer) begin() {
	within := a.within
	if a.body != nil && a.body.begin() {
		within += a.body.within
	}
	_ = a.control.SetWriteDeadline(time.Now().Add(within))
}

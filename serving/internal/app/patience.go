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
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &timedBody{ReadCloser: r.Body, control: control, within: p.send}
		}
		next.ServeHTTP(&timedAnswer{ResponseWriter: w, control: control, within: p.take}, r)
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
	if !b.begun {
		b.begun = true
		_ = b.control.SetReadDeadline(time.Now().Add(b.within))
	}
	return b.ReadCloser.Read(into)
}

// timedAnswer gives every piece of an answer a deadline.
type timedAnswer struct {
	http.ResponseWriter
	control *http.ResponseController
	within  time.Duration
}

// Unwrap lets http.ResponseController see what is beneath.
func (a *timedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (a *timedAnswer) WriteHeader(code int) {
	_ = a.control.SetWriteDeadline(time.Now().Add(a.within))
	a.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (a *timedAnswer) Write(data []byte) (int, error) {
	_ = a.control.SetWriteDeadline(time.Now().Add(a.within))
	return a.ResponseWriter.Write(data)
}

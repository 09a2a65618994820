package control

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

const feastPath = "/api/v1/feast"

// passedOn are the headers of a caller that reach the control plane. It is a list of what may pass: what belongs to
// one connection, and cookies, never do.
var passedOn = []string{
	"Accept", "Authorization", "Content-Encoding", "Content-Type", "Freshline-Project", "Freshline-Values",
	"Idempotency-Key", "Traceparent", "Tracestate", "X-Request-Id", "X-Request-Timeout-Ms",
}

// Passed is a request that is passed on under its caller's name, and not ours.
type Passed struct {
	Path   string // Feast's: /push and the like
	Query  string
	Header http.Header
	Body   io.Reader
	Length int64 // -1: unknown
}

// Pass posts a request to where the control plane answers as Feast does. The answer's body must be closed.
func (c *Client) Pass(ctx context.Context, passed Passed) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+feastPath+passed.Path, passed.Body)
	if err != nil {
		return nil, err
	}
	request.URL.RawQuery = passed.Query
	request.ContentLength = passed.Length
	for _, name := range passedOn {
		if values := passed.Header.Values(name); len(values) > 0 {
			request.Header[name] = values
		}
	}
	response, err := c.direct.Do(request)
	if err != nil {
		return nil, fmt.Errorf("pass on %s: %w", passed.Path, err)
	}
	return response, nil
}

// asItStands lets no answer send a caller's token elsewhere.
func asItStands(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

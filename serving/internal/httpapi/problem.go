package httpapi

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"freshline/serving/internal/lookup"
)

// code is a stable name of what went wrong.
type code string

const (
	codeBadJSON          code = "bad_json"
	codeBadValue         code = "bad_value"
	codeBusy             code = "rate_limited"
	codeContractNotMet   code = "contract_not_met"
	codeControlAnswer    code = "control_plane_answer"
	codeControlAway      code = "control_plane_unavailable"
	codeDeadline         code = "deadline_exceeded"
	codeForbidden        code = "forbidden"
	codeInternal         code = "internal"
	codeMethodNotAllowed code = "method_not_allowed"
	codeNoBundle         code = "no_bundle"
	codeNotAcceptable    code = "not_acceptable"
	codeNotFound         code = "not_found"
	codeStoreUnavailable code = "store_unavailable"
	codeTooLarge         code = "too_large"
	codeUnauthenticated  code = "unauthenticated"
)

// Code documents one error code.
type Code struct {
	Name    string
	Status  int
	Meaning string
}

// Codes lists every error code; docs/reference/serving.md shows the same list.
func Codes() []Code {
	return []Code{
		{string(codeBadJSON), http.StatusBadRequest, "The body is not the JSON that this endpoint takes."},
		{string(codeBadValue), http.StatusUnprocessableEntity, "A value of the request is missing, or has the wrong type or form."},
		{string(codeContractNotMet), http.StatusFailedDependency, "The contract rejects more rows than the feature service accepts."},
		{string(codeControlAnswer), http.StatusBadGateway, "The control plane's answer broke off or is longer than 1 MiB; what was asked may be done."},
		{string(codeControlAway), http.StatusServiceUnavailable, "What was to be passed on found no control plane; lookups go on without it."},
		{string(codeDeadline), http.StatusGatewayTimeout, "No row could be read, or nothing was passed on, before the request's deadline."},
		{string(codeForbidden), http.StatusForbidden, "The token does not reach the project that was asked for."},
		{string(codeInternal), http.StatusInternalServerError, "Something went wrong on our side; the request id leads to the log."},
		{string(codeMethodNotAllowed), http.StatusMethodNotAllowed, "The address exists, but not for this method."},
		{string(codeNoBundle), http.StatusServiceUnavailable, "No contract bundle was loaded yet."},
		{string(codeNotAcceptable), http.StatusNotAcceptable, "The header Accept allows no form that the endpoint answers in."},
		{string(codeNotFound), http.StatusNotFound, "There is no such address, project, view, feature, service or entity."},
		{string(codeBusy), http.StatusTooManyRequests, "As many lookups (or requests that are passed on) as are allowed are under way; try again at once elsewhere, or later here."},
		{string(codeStoreUnavailable), http.StatusServiceUnavailable, "No row could be read: the store does not answer."},
		{string(codeTooLarge), http.StatusRequestEntityTooLarge, "The body, its entities or its features exceed their limit."},
		{string(codeUnauthenticated), http.StatusUnauthorized, "No valid token came with the request."},
	}
}

func (c code) status() int {
	for _, known := range Codes() {
		if known.Name == string(c) {
			return known.Status
		}
	}
	return http.StatusInternalServerError
}

// problem is a body of application/problem+json.
type problem struct {
	Type      string        `json:"type"`
	Title     string        `json:"title"`
	Status    int           `json:"status"`
	Code      code          `json:"code"`
	Detail    string        `json:"detail"`
	Errors    []fieldError  `json:"errors"`
	RequestID string        `json:"request_id"`
	Contract  *lookup.Facts `json:"contract,omitempty"`
}

type fieldError struct {
	Path    string `json:"path"`
	Code    code   `json:"code"`
	Message string `json:"message"`
}

func newProblem(c code, format string, args ...any) *problem {
	status := c.status()
	return &problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: c,
		Detail: fmt.Sprintf(format, args...), Errors: []fieldError{},
	}
}

func (p *problem) at(path string) *problem {
	p.Errors = append(p.Errors, fieldError{Path: path, Code: p.Code, Message: p.Detail})
	return p
}

func (p *problem) Error() string { return p.Detail }

func (s *Server) write(w http.ResponseWriter, r *http.Request, p *problem) {
	p.RequestID = requestID(r)
	header := w.Header()
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		header.Set("Retry-After", "1")
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", "Bearer")
	case http.StatusInternalServerError:
		s.Log.Error("internal error", "request_id", p.RequestID, "detail", p.Detail)
	}
	header.Set("Content-Type", "application/problem+json")
	body, err := json.Marshal(p)
	if err != nil {
		s.Log.Error("a problem cannot be written", "error", err)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}

func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); id != "" && len(id) <= 128 {
		return id
	}
	return rand.Text()
}

func writeJSON(w http.ResponseWriter, status int, document any) {
	body, err := json.Marshal(document)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// codeOf maps what lookup complains of to codes.
func codeOf(kind lookup.Kind) code {
	switch kind {
	case lookup.UnknownProject, lookup.UnknownService, lookup.UnknownView, lookup.UnknownFeature, lookup.UnknownEntity:
		return codeNotFound
	case lookup.NoFeatures, lookup.NoProject, lookup.BadReference, lookup.Collision, lookup.UnevenColumns, lookup.KeyMissing, lookup.KeyBad:
		return codeBadValue
	case lookup.TooManyFeatures, lookup.TooManyEntities:
		return codeTooLarge
	case lookup.NoBundle:
		return codeNoBundle
	case lookup.Busy:
		return codeBusy
	case lookup.StoreUnavailable:
		return codeStoreUnavailable
	case lookup.DeadlineExceeded:
		return codeDeadline
	case lookup.ContractNotMet:
		return codeContractNotMet
	case lookup.Unauthenticated:
		return codeUnauthenticated
	case lookup.Forbidden:
		return codeForbidden
	}
	return codeInternal
}

// asProblem turns any error of a request into what its caller reads.
func asProblem(err error) *problem {
	var ready *problem
	if errors.As(err, &ready) {
		return ready
	}
	var failure *lookup.Error
	if errors.As(err, &failure) {
		return newProblem(codeOf(failure.Kind), "%s", failure.Message)
	}
	return newProblem(codeInternal, "%s", err)
}

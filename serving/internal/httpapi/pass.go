package httpapi

import (
	"errors"
	"io"
	"net/http"

	"freshline/serving/internal/control"
	"freshline/serving/internal/pass"
)

// maxAnswer bounds what is read of the control plane's answer; its longest names refused rows.
const maxAnswer = 1 << 20

// answerHeaders are the headers of the control plane's answer that reach the caller.
var answerHeaders = []string{"Content-Type", "Idempotency-Replayed", "Retry-After", "Www-Authenticate", "X-Request-Id"}

// passOn hands a write of Feast's clients to the control plane, and its answer back as it stands:
// whole or not at all, since half an answer looks like one.
func (s *Server) passOn(w http.ResponseWriter, r *http.Request) {
	passed := control.Passed{
		Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header.Clone(), Body: r.Body, Length: r.ContentLength,
	}
	err := s.Passer.Pass(r.Context(), passed, func(response *http.Response) error {
		body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
		if err != nil || len(body) > maxAnswer {
			s.Log.Warn("an answer of the control plane was cut off", "path", r.URL.Path, "status", response.StatusCode, "error", err)
			s.write(w, r, newProblem(codeControlAnswer,
				"the control plane's answer broke off, or is longer than %d bytes; what was asked may be done", maxAnswer))
			return nil
		}
		for _, name := range answerHeaders {
			if values := response.Header.Values(name); len(values) > 0 {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(response.StatusCode)
		_, _ = w.Write(body) // a caller that left needs no answer
		return nil
	})
	if err != nil {
		told := passProblem(err)
		if told.Code == codeInternal {
			s.Log.Error("a request could not be passed on", "request_id", requestID(r), "path", r.URL.Path, "error", err)
		}
		s.write(w, r, told)
	}
}

func passProblem(err error) *problem {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return newProblem(codeTooLarge, "the body is larger than %d bytes", tooLarge.Limit)
	case errors.Is(err, pass.ErrStranger):
		return newProblem(codeUnauthenticated, "%s", pass.ErrStranger)
	case errors.Is(err, pass.ErrBusy):
		return newProblem(codeBusy, "%s", pass.ErrBusy)
	case errors.Is(err, pass.ErrDeadline):
		return newProblem(codeDeadline, "%s", pass.ErrDeadline)
	case errors.Is(err, pass.ErrAway):
		return newProblem(codeControlAway, "%s", pass.ErrAway)
	}
	return newProblem(codeInternal, "%s", pass.ErrInternal) // the cause names files, which are the log's business
}

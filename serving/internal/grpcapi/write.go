package grpcapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"

	"freshline/serving/internal/control"
	"freshline/serving/internal/jsonout"
	"freshline/serving/internal/pass"
)

const (
	// maxColumnsWritten bounds the comparisons of names, as maxColumns does.
	maxColumnsWritten = 4000
	maxAnswer         = 1 << 20
	// valuesHeader tells the control plane that every value came as text.
	valuesHeader = "Freshline-Values"
)

var (
	errBoth = errors.New("Only one of features or typed_features may be set, not both") //lint:ignore ST1005 Feast's own words
	errMany = fmt.Errorf("a row names more than %d columns", maxColumnsWritten)
)

// writeRequest is Feast's PushRequest or WriteToOnlineStoreRequest: one row, either all texts or typed.
type writeRequest struct {
	target string // a push source, or a feature view
	to     string // of a push
	texts  []cell
	typed  []cell
	cells  int // those that a later one took the place of included
}

// cell is one entry of a row: its name, and its text or its Value.
type cell struct {
	name    string
	content []byte
}

// The two messages differ in the places of their fields.
type (
	pushRequest  struct{ writeRequest }
	storeRequest struct{ writeRequest }
)

func (r *pushRequest) parse(data []byte) error { return r.writeRequest.parse(data, 1, 2, 4, 5) }

func (r *storeRequest) parse(data []byte) error { return r.writeRequest.parse(data, 1, 2, 0, 4) }

func (r *writeRequest) parse(data []byte, texts, target, to, typed protowire.Number) error {
	return eachField(data, func(field protowire.Number, kind protowire.Type, _ uint64, text []byte) (err error) {
		if kind != protowire.BytesType {
			return nil
		}
		if field == texts || field == typed {
			if r.cells++; r.cells > maxColumnsWritten {
				return errMany
			}
		}
		switch field {
		case texts:
			r.texts, err = addCell(r.texts, text)
		case typed:
			r.typed, err = addCell(r.typed, text)
		case target:
			r.target, err = string(text), checkText(text)
		case to:
			r.to, err = string(text), checkText(text)
		}
		return err
	})
}

// addCell reads an entry of a map. Of two with one name the later one counts.
func addCell(cells []cell, entry []byte) ([]cell, error) {
	var read cell
	err := eachField(entry, func(field protowire.Number, kind protowire.Type, _ uint64, text []byte) error {
		switch {
		case field == 1 && kind == protowire.BytesType:
			read.name = string(text)
			return checkText(text)
		case field == 2 && kind == protowire.BytesType:
			read.content = text
		}
		return nil
	})
	if err != nil {
		return cells, err
	}
	for i := range cells {
		if cells[i].name == read.name {
			cells[i] = read
			return cells, nil
		}
	}
	return append(cells, read), nil
}

// body is the same write as Feast's HTTP body: a data frame of one row.
func (r *writeRequest) body(member string) ([]byte, error) {
	if len(r.texts) > 0 && len(r.typed) > 0 {
		return nil, errBoth
	}
	to := jsonout.String(append(jsonout.String([]byte{'{'}, member), ':'), r.target)
	if r.to != "" {
		to = jsonout.String(append(to, `,"to":`...), r.to)
	}
	to = append(to, `,"df":{`...)
	for _, text := range r.texts {
		if err := checkText(text.content); err != nil {
			return nil, err
		}
		to = append(jsonout.String(to, text.name), ':', '[')
		to = append(jsonout.String(to, text.content), ']', ',')
	}
	for _, typed := range r.typed {
		var err error
		to = append(jsonout.String(to, typed.name), ':', '[')
		if to, err = appendWritten(to, typed.content); err != nil {
			return nil, fmt.Errorf("%.100q: %w", typed.name, err)
		}
		to = append(to, ']', ',')
	}
	return append(bytes.TrimSuffix(to, []byte{','}), '}', '}'), nil
}

type writeResponse struct{}

func (s *server) push(ctx context.Context, call *connect.Request[pushRequest]) (*connect.Response[writeResponse], error) {
	return s.write(ctx, "/push", "push_source_name", &call.Msg.writeRequest, call.Header())
}

func (s *server) writeToOnlineStore(ctx context.Context, call *connect.Request[storeRequest]) (*connect.Response[writeResponse], error) {
	return s.write(ctx, "/write-to-online-store", "feature_view_name", &call.Msg.writeRequest, call.Header())
}

// write passes a row on to the control plane, as the HTTP endpoint of the same name does.
func (s *server) write(ctx context.Context, path, member string, row *writeRequest, header http.Header) (*connect.Response[writeResponse], error) {
	body, err := row.body(member)
	if err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, err)
	}
	header = header.Clone()
	header.Set("Content-Type", "application/json")
	header.Del("Content-Encoding")
	if len(row.texts) > 0 {
		header.Set(valuesHeader, "text")
	}
	passed := control.Passed{Path: path, Header: header, Body: bytes.NewReader(body), Length: int64(len(body))}
	err = s.Passer.Pass(ctx, passed, func(response *http.Response) error {
		text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		if err != nil {
			return fmt.Errorf("%w: %w", pass.ErrAway, err)
		}
		if response.StatusCode/100 == 2 {
			return nil
		}
		return connect.NewError(codeOfStatus(response.StatusCode), told(toldBy(text)))
	})
	if err != nil {
		told := passStatus(err)
		if errors.Is(told, pass.ErrInternal) {
			s.Log.Error("a row could not be passed on", "path", path, "error", err)
		}
		return nil, told
	}
	return connect.NewResponse(&writeResponse{}), nil
}

// toldBy finds the sentence in an answer of the control plane: Feast's error, FastAPI's or a problem document.
func toldBy(answer []byte) string {
	var inner string
	if json.Unmarshal(answer, &inner) == nil {
		answer = []byte(inner)
	}
	var told struct {
		Message string
		Detail  any
	}
	if json.Unmarshal(answer, &told) == nil {
		if told.Message != "" {
			return told.Message
		}
		if told.Detail != nil {
			return fmt.Sprint(told.Detail)
		}
	}
	return "the control plane refused it"
}

func passStatus(err error) error {
	var ready *connect.Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &ready):
		return ready
	case errors.As(err, &tooLarge):
		return connect.NewError(connect.CodeResourceExhausted, err)
	case errors.Is(err, pass.ErrStranger):
		return connect.NewError(connect.CodeUnauthenticated, pass.ErrStranger)
	case errors.Is(err, pass.ErrBusy):
		return connect.NewError(connect.CodeResourceExhausted, pass.ErrBusy)
	case errors.Is(err, pass.ErrDeadline):
		return connect.NewError(connect.CodeDeadlineExceeded, pass.ErrDeadline)
	case errors.Is(err, pass.ErrAway):
		return connect.NewError(connect.CodeUnavailable, pass.ErrAway)
	}
	return connect.NewError(connect.CodeInternal, pass.ErrInternal) // the cause names files, which are the log's business
}

// codeOfStatus is the code under which a status of the control plane is told.
func codeOfStatus(status int) connect.Code {
	switch status {
	case http.StatusUnauthorized:
		return connect.CodeUnauthenticated
	case http.StatusForbidden:
		return connect.CodePermissionDenied
	case http.StatusNotFound:
		return connect.CodeNotFound
	case http.StatusConflict:
		return connect.CodeAborted
	case http.StatusTooManyRequests, http.StatusRequestEntityTooLarge:
		return connect.CodeResourceExhausted
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusUnsupportedMediaType:
		return connect.CodeInvalidArgument
	case http.StatusServiceUnavailable, http.StatusBadGateway:
		return connect.CodeUnavailable
	case http.StatusGatewayTimeout:
		return connect.CodeDeadlineExceeded
	}
	return connect.CodeInternal
}

package httpapi

import (
	"net/http"
	"slices"
	"strconv"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/jsonout"
	"freshline/serving/internal/lookup"
)

const (
	detailsHeader = "Freshline-Details"
	epoch         = `"1970-01-01T00:00:00Z"`
)

// getOnlineFeatures is Feast's endpoint: the same request, the same answer, columns of values.
func (s *Server) getOnlineFeatures(w http.ResponseWriter, r *http.Request) {
	b := s.take()
	defer s.give(b)
	answer, err := s.ask(w, r, b)
	if err != nil {
		s.writeFeastError(w, r, err)
		return
	}
	defer s.Engine.Release(answer)
	b.out = b.appendFeast(b.out[:0], answer, r.Header.Get(detailsHeader) == "1")
	writeBody(w, jsonType, b.out)
}

// ask reads the body, checks the caller and looks up. An error means that there is nothing to release.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, b *buffers) (*lookup.Answer, error) {
	// The caller is checked before the body is read: strangers cost nothing.
	if err := s.known(r); err != nil {
		return nil, err
	}
	if err := s.read(w, r, b); err != nil {
		return nil, err
	}
	project, err := s.authorize(r, b.request.Project)
	if err != nil {
		return nil, err
	}
	b.request.Project = project
	answer, err := s.Engine.Lookup(r.Context(), &b.request.Request)
	if err != nil {
		return nil, err
	}
	if answer.Failure != nil {
		p := asProblem(answer.Failure)
		if answer.Failure.Kind == lookup.ContractNotMet {
			p.Contract = factsOf(answer)
		}
		s.Engine.Release(answer)
		return nil, p
	}
	return answer, nil
}

func writeBody(w http.ResponseWriter, mediaType string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", mediaType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

func (b *buffers) appendFeast(to []byte, answer *lookup.Answer, details bool) []byte {
	to = append(to, `{"metadata":{"feature_names":[`...)
	for _, column := range b.request.Entities {
		to = append(jsonout.String(to, column.Name), ',')
	}
	for _, column := range answer.Columns {
		to = append(jsonout.String(to, column.ColumnName(b.request.FullNames)), ',')
	}
	to = append(trimComma(to), ']')
	if b.request.versions {
		to = appendVersions(to, answer)
	}
	to = append(to, `},"results":[`...)
	for _, column := range b.request.Entities {
		to = append(appendKeyColumn(to, column), ',')
	}
	var times jsonout.Times
	for _, view := range answer.Views {
		view.Rendered = appendEventTimes(view.Rendered[:0], view, &times)
	}
	for _, column := range answer.Columns {
		to = append(appendFeastColumn(to, answer, column), ',')
	}
	to = append(trimComma(to), ']')
	if details {
		to = append(to, `,"details":{`...)
		to = append(appendDetails(to, answer, b.request.FullNames), '}')
	}
	return append(to, '}')
}

func trimComma(to []byte) []byte {
	if to[len(to)-1] == ',' {
		return to[:len(to)-1]
	}
	return to
}

func appendVersions(to []byte, answer *lookup.Answer) []byte {
	to = append(to, `,"feature_view_metadata":[`...)
	for _, view := range answer.Views {
		to = jsonout.String(append(to, `{"name":`...), view.View.Name)
		to = strconv.AppendInt(append(to, `,"version":`...), int64(view.View.Contract), 10)
		to = append(to, '}', ',')
	}
	return append(trimComma(to), ']')
}

// appendKeyColumn echoes a join key. The values are the caller's own JSON, which was read as keys.
func appendKeyColumn(to []byte, column lookup.EntityColumn) []byte {
	to = append(to, `{"values":[`...)
	for _, value := range column.Values {
		to = append(append(to, value...), ',')
	}
	to = append(trimComma(to), `],"statuses":[`...)
	to = appendTimes(to, `"PRESENT",`, len(column.Values))
	to = append(trimComma(to), `],"event_timestamps":[`...)
	to = appendTimes(to, epoch+",", len(column.Values))
	return append(trimComma(to), ']', '}')
}

// appendEventTimes renders the event times of a view's rows, once for all of its columns.
func appendEventTimes(to []byte, view *lookup.View, times *jsonout.Times) []byte {
	for i, state := range view.Table.States {
		if state <= enforce.Undated {
			to = append(times.Append(to, view.Table.Headers[i].EventTimeUS), ',')
		} else {
			to = append(to, epoch+","...)
		}
	}
	return to
}

func appendFeastColumn(to []byte, answer *lookup.Answer, column *lookup.Column) []byte {
	to = append(to, `{"values":[`...)
	to = appendValues(to, answer, column, jsonout.Style{Seconds: true, Widened: true})
	to = append(to, `],"statuses":[`...)
	if answer.IsPlain(column) {
		to = appendTimes(to, `"PRESENT",`, answer.Rows)
	} else {
		for i := range answer.Rows {
			to = append(append(append(to, '"'), answer.Status(column, i)...), '"', ',')
		}
	}
	to = append(trimComma(to), `],"event_timestamps":[`...)
	to = append(to, column.View.Rendered...)
	return append(trimComma(to), ']', '}')
}

// appendValues appends the values that the caller gets, after all actions.
func appendValues(to []byte, answer *lookup.Answer, column *lookup.Column, style jsonout.Style) []byte {
	if answer.IsPlain(column) {
		return trimComma(style.Column(to, column.Cells))
	}
	for i := range answer.Rows {
		value, ok := answer.Value(column, i)
		if !ok {
			to = append(to, `null,`...)
			continue
		}
		to = append(style.Value(to, column.Feature.Dtype, value), ',')
	}
	return trimComma(to)
}

// appendTimes appends a text n times: what has been appended is copied, twice as much each time.
func appendTimes(to []byte, text string, n int) []byte {
	if n == 0 {
		return to
	}
	from, end := len(to), len(to)+n*len(text)
	to = append(slices.Grow(to, n*len(text)), text...)
	for len(to) < end {
		to = append(to, to[from:min(len(to), end-len(to)+from)]...)
	}
	return to
}

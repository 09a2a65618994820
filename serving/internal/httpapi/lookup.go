package httpapi

import (
	"net/http"
	"strconv"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/jsonout"
	"freshline/serving/internal/lookup"
)

// mostReasons bounds the reasons of an answer: ten thousand rows of two thousand features have twenty million, which
// nobody reads and which would take gigabytes.
const mostReasons = 10_000

// lookup is our own endpoint: values with their verdicts, ages and actions.
func (s *Server) lookup(w http.ResponseWriter, r *http.Request) {
	mediaType, ok := acceptable(r.Header.Values("Accept"))
	if !ok {
		s.write(w, r, newProblem(codeNotAcceptable, "%s answers %s and %s", r.URL.Path, jsonType, arrowType))
		return
	}
	b := s.take()
	defer s.give(b)
	answer, err := s.ask(w, r, b)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	defer s.Engine.Release(answer)
	if mediaType == jsonType {
		b.out = b.appendLookup(b.out[:0], answer)
		writeBody(w, mediaType, b.out)
		return
	}
	b.details = append(appendDetails(append(b.details[:0], '{'), answer, b.request.FullNames), '}')
	b.out, err = s.Arrow.AppendStream(b.out[:0], answer, b.request.FullNames, b.details)
	if err != nil {
		s.write(w, r, newProblem(codeTooLarge, "%s", err))
		return
	}
	writeBody(w, mediaType, b.out)
}

func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	if refused, ok := err.(*bodyError); ok {
		s.write(w, r, refused.problem())
		return
	}
	s.write(w, r, asProblem(err))
}

func (b *buffers) appendLookup(to []byte, answer *lookup.Answer) []byte {
	to = strconv.AppendInt(append(to, `{"rows":`...), int64(answer.Rows), 10)
	to = append(to, `,"columns":[`...)
	for _, view := range answer.Views {
		view.Rendered = appendAges(view.Rendered[:0], view)
	}
	for _, column := range answer.Columns {
		to = append(appendColumn(to, answer, column, b.request.FullNames), ',')
	}
	to = append(trimComma(to), ']', ',')
	return append(appendDetails(to, answer, b.request.FullNames), '}')
}

func appendColumn(to []byte, answer *lookup.Answer, column *lookup.Column, full bool) []byte {
	to = jsonout.String(append(to, `{"name":`...), column.ColumnName(full))
	to = jsonout.String(append(to, `,"view":`...), column.Ref.View.Name)
	to = append(to, `,"values":[`...)
	to = appendValues(to, answer, column, jsonout.Style{})
	to = append(to, `],"verdicts":[`...)
	to = appendMarks(to, answer, column, `"fresh",`, func(mark enforce.Mark) string { return mark.Verdict.String() })
	to = append(trimComma(to), `],"ages_us":[`...)
	to = append(to, column.View.Rendered...)
	to = append(trimComma(to), `],"actions":[`...)
	to = appendMarks(to, answer, column, `"serve",`, func(mark enforce.Mark) string { return mark.Action.String() })
	return append(trimComma(to), ']', '}')
}

// appendMarks appends a word for each row: the same one, plain, when the whole column is.
func appendMarks(to []byte, answer *lookup.Answer, column *lookup.Column, plain string, word func(enforce.Mark) string) []byte {
	if answer.IsPlain(column) {
		return appendTimes(to, plain, answer.Rows)
	}
	for _, mark := range column.Marks {
		to = append(append(append(to, '"'), word(mark)...), '"', ',')
	}
	return to
}

// appendAges renders the ages of a view's rows, once for all of its columns; null where unknown.
func appendAges(to []byte, view *lookup.View) []byte {
	for i, state := range view.Table.States {
		if state == enforce.Young || state == enforce.Old {
			to = append(strconv.AppendInt(to, view.Table.AgeUS[i], 10), ',')
		} else {
			to = append(to, `null,`...)
		}
	}
	return to
}

// appendDetails appends the members that explain an answer: rejected rows, counts, versions.
func appendDetails(to []byte, answer *lookup.Answer, full bool) []byte {
	to = append(to, `"rejected":[`...)
	reasons := 0
	for i, rejected := range answer.Rejected {
		if rejected {
			to = append(appendRejection(to, answer, i, full, &reasons), ',')
		}
	}
	to = append(trimComma(to), ']', ',')
	if reasons > mostReasons {
		to = appendCount(to, "reasons_left_out", uint64(reasons-mostReasons))
	}
	to = append(to, `"counts":{"verdicts":{`...)
	tally := answer.Tally()
	for verdict, n := range tally.Verdicts {
		to = appendCount(to, enforce.Verdict(verdict).String(), n)
	}
	to = append(trimComma(to), `},"actions":{`...)
	for action, n := range tally.Actions {
		to = appendCount(to, bundle.Action(action).String(), n)
	}
	to = append(trimComma(to), '}', ',')
	to = appendCount(to, "also_invalid", tally.AlsoInvalid)
	to = appendCount(to, "rejected_rows", uint64(answer.RejectedRows))
	to = append(trimComma(to), `},"bundle":{"digest":`...)
	to = jsonout.String(to, answer.Bundle.Digest)
	to = append(to, `,"number":`...)
	to = strconv.AppendInt(to, answer.Bundle.Number, 10)
	to = append(to, `},"contracts":{`...)
	for _, view := range answer.Views {
		to = appendCount(to, view.View.Name, uint64(view.View.Contract))
	}
	return append(trimComma(to), '}')
}

func appendCount(to []byte, name string, n uint64) []byte {
	to = append(jsonout.String(to, name), ':')
	return append(strconv.AppendUint(to, n, 10), ',')
}

// appendRejection appends a rejected row and counts its reasons; those beyond the most that an answer tells it
// only counts.
func appendRejection(to []byte, answer *lookup.Answer, i int, full bool, reasons *int) []byte {
	to = strconv.AppendInt(append(to, `{"row":`...), int64(i), 10)
	to = append(to, `,"reasons":[`...)
	for _, column := range answer.Columns {
		if !column.Rejects(i) {
			continue
		}
		if *reasons++; *reasons > mostReasons {
			continue
		}
		to = jsonout.String(append(to, `{"feature":`...), column.ColumnName(full))
		to = jsonout.String(append(to, `,"view":`...), column.Ref.View.Name)
		to = jsonout.String(append(to, `,"verdict":`...), column.Marks[i].Verdict.String())
		to = jsonout.String(append(to, `,"reason":`...), column.Marks[i].Reason.String())
		to = append(to, '}', ',')
	}
	return append(trimComma(to), ']', '}')
}

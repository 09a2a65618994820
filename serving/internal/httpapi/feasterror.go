package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"freshline/serving/internal/jsonscan"
	"freshline/serving/internal/lookup"
)

// feastClass is the exception of Feast that a complaint corresponds to, "" where Feast has none.
// FeastError is the root of its family, so that Feast's client raises that and not a retry error.
func feastClass(kind lookup.Kind) string {
	switch kind {
	case lookup.UnknownProject, lookup.UnknownFeature:
		return "FeastObjectNotFoundException"
	case lookup.UnknownService:
		return "FeatureServiceNotFoundException"
	case lookup.UnknownView:
		return "FeatureViewNotFoundException"
	case lookup.UnknownEntity:
		return "EntityNotFoundException"
	case lookup.Collision:
		return "FeatureNameCollisionError"
	case lookup.NoFeatures, lookup.BadReference, lookup.UnevenColumns, lookup.KeyMissing, lookup.KeyBad:
		return "FeastError"
	}
	return ""
}

// writeFeastError answers as Feast's server does where Feast has a word for it: a JSON string that
// holds JSON. All else is a problem document, which Feast's client reports as it stands.
func (s *Server) writeFeastError(w http.ResponseWriter, r *http.Request, err error) {
	var failure *lookup.Error
	if errors.As(err, &failure) {
		if class := feastClass(failure.Kind); class != "" {
			inner, _ := json.Marshal(struct {
				Module  string `json:"module"`
				Class   string `json:"class"`
				Message string `json:"message"`
			}{"feast.errors", class, failure.Message})
			writeJSON(w, codeOf(failure.Kind).status(), string(inner))
			return
		}
	}
	var refused *bodyError
	if errors.As(err, &refused) {
		writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"detail": []any{refused.feast()}})
		return
	}
	s.write(w, r, asProblem(err))
}

// bodyError is a body of the wrong shape. Path names the field, "" for the whole body.
type bodyError struct {
	path  string
	cause error
}

func (e *bodyError) Error() string {
	if e.path == "" {
		return e.cause.Error()
	}
	return e.path + ": " + e.cause.Error()
}

func (e *bodyError) Unwrap() error { return e.cause }

// within is a fault inside a member: at the name or the number of what it holds.
type within struct {
	at    any
	cause error
}

func (w *within) Error() string { return w.cause.Error() }

func (w *within) Unwrap() error { return w.cause }

// fastAPIKinds are FastAPI's names of what can be wrong.
var fastAPIKinds = []struct {
	cause error
	kind  string
}{
	{jsonscan.ErrSyntax, "json_invalid"},
	{errRequired, "missing"},
	{errNoText, "string_type"},
	{errNoTruth, "bool_parsing"},
	{errNoList, "list_type"},
	{errNoDict, "dict_type"},
	{errNoObject, "model_attributes_type"},
}

// feast is one entry of FastAPI's list of what is wrong with a body.
func (e *bodyError) feast() map[string]any {
	kind, location := "value_error", []any{"body"}
	if e.path != "" {
		location = append(location, e.path)
	}
	var inner *within
	if errors.As(e.cause, &inner) && !errors.Is(e.cause, jsonscan.ErrSyntax) {
		location = append(location, inner.at)
	}
	for _, known := range fastAPIKinds {
		if errors.Is(e.cause, known.cause) {
			kind = known.kind
		}
	}
	return map[string]any{"type": kind, "loc": location, "msg": e.cause.Error(), "input": map[string]any{}}
}

func (e *bodyError) problem() *problem {
	c := codeBadValue
	if errors.Is(e.cause, jsonscan.ErrSyntax) {
		c = codeBadJSON
	}
	return newProblem(c, "%s", e.Error()).at(e.path)
}

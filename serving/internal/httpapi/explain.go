package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/jsonout"
	"freshline/serving/internal/jsonscan"
	"freshline/serving/internal/key"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/row"
)

// explanation is everything that led to one value.
type explanation struct {
	Project     string              `json:"project"`
	View        string              `json:"view"`
	Feature     string              `json:"feature"`
	Service     string              `json:"feature_service"`
	Key         map[string]rawValue `json:"key"`
	NowUS       int64               `json:"now_us"`
	Value       rawValue            `json:"value"`        // what a lookup answers
	StoredValue rawValue            `json:"stored_value"` // what the row holds, null if it cannot be told
	Verdict     string              `json:"verdict"`
	Status      string              `json:"status"`
	Action      string              `json:"action"`
	Reason      *string             `json:"reason"`
	AlsoInvalid bool                `json:"also_invalid"`
	Rejected    bool                `json:"rejected"`
	AsOfUS      *int64              `json:"as_of_us"`
	AgeUS       *int64              `json:"age_us"`
	Watermarks  map[string]int64    `json:"watermarks_us"`
	Row         *rowFacts           `json:"row"` // null where there is none that can be read
	Contract    contractInForce     `json:"contract"`
	Bundle      lookup.BundleName   `json:"bundle"`
}

type rawValue = json.RawMessage

type rowFacts struct {
	EventTimeUS int64  `json:"event_time_us"`
	EventTime   string `json:"event_time"`
	WriteTimeUS int64  `json:"write_time_us"`
	Lane        string `json:"lane"`
	RunNumber   uint64 `json:"run_number"`
	Position    uint64 `json:"position"`
	Layout      uint32 `json:"layout"`
	Held        bool   `json:"held"`
	Clamped     bool   `json:"clamped"`
	Tombstone   bool   `json:"tombstone"`
}

type contractInForce struct {
	Version     int    `json:"version"`
	Enforcement string `json:"enforcement"`
	MaxAgeUS    int64  `json:"max_age_us"`
	OnStale     string `json:"on_stale"`
	OnMissing   string `json:"on_missing"`
	OnInvalid   string `json:"on_invalid"`
}

// explain says for one value what it is and why it is answered as it is.
func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	project, err := s.authorize(r, query.Get("project"))
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	request, err := s.explainRequest(project, query)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	answer, err := s.Engine.Lookup(r.Context(), request)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	defer s.Engine.Release(answer)
	if answer.Failure != nil && answer.Failure.Kind != lookup.ContractNotMet {
		s.writeError(w, r, answer.Failure)
		return
	}
	writeJSON(w, http.StatusOK, explained(answer, answer.Columns[0], request))
}

// explainRequest makes a lookup of one value from the query, under the terms of the feature service
// where it names one.
func (s *Server) explainRequest(projectName string, query url.Values) (*lookup.Request, error) {
	for _, name := range []string{"view", "feature", "key"} {
		if query.Get(name) == "" {
			return nil, newProblem(codeBadValue, "the query lacks %s", name).at(name)
		}
	}
	request := &lookup.Request{
		Project: projectName, Features: []string{query.Get("view") + ":" + query.Get("feature")},
		FullNames: true, Unobserved: true, TermsOf: query.Get("feature_service"),
	}
	project := s.Bundles.Load().Projects[projectName]
	if project == nil || project.Views[query.Get("view")] == nil {
		// The lookup says in its own words what is unknown.
		request.Entities = []lookup.EntityColumn{{}}
		return request, nil
	}
	if err := explainTerms(project, query); err != nil {
		return nil, err
	}
	entities, err := explainKey(project.Views[query.Get("view")], query.Get("key"))
	request.Entities = entities
	return request, err
}

// explainTerms refuses a feature service that does not read the feature: no lookup of it would ever judge
// the value under its terms. What does not exist is left for the lookup to name.
func explainTerms(project *bundle.Project, query url.Values) error {
	service := project.Services[query.Get("feature_service")]
	asked, exists := project.Views[query.Get("view")].Find(query.Get("feature"))
	if service == nil || !exists || slices.Contains(service.Features, asked) {
		return nil
	}
	return newProblem(codeBadValue, "feature service %s does not read %s:%s", service.Name, asked.View.Name, asked.Name).at("feature_service")
}

// explainKey reads a JSON object of join keys, or a plain value for a view with one.
func explainKey(view *bundle.View, text string) ([]lookup.EntityColumn, error) {
	joinKeys := view.Key.JoinKeys()
	if entities, ok := keyObject(text); ok {
		return entities, nil
	}
	if len(joinKeys) != 1 {
		return nil, newProblem(codeBadValue, "view %s has %d join keys: give key as a JSON object", view.Name, len(joinKeys)).at("key")
	}
	return []lookup.EntityColumn{{Name: joinKeys[0].Name, Values: [][]byte{plainKey(joinKeys[0], text)}}}, nil
}

func keyObject(text string) ([]lookup.EntityColumn, bool) {
	scanner := jsonscan.New([]byte(text))
	if scanner.Open('{') != nil {
		return nil, false
	}
	var entities []lookup.EntityColumn
	for read := 0; ; read++ {
		more, err := scanner.More('}', read)
		if err != nil {
			return nil, false
		}
		if !more {
			return entities, scanner.End() == nil
		}
		name, err := scanner.Key()
		if err != nil {
			return nil, false
		}
		value, err := scanner.Value()
		if err != nil {
			return nil, false
		}
		entities = append(entities, lookup.EntityColumn{Name: name, Values: [][]byte{value}})
	}
}

// plainKey makes JSON of a bare value: digits are themselves, a text may come with or without quotes.
func plainKey(joinKey key.JoinKey, text string) []byte {
	scanner := jsonscan.New([]byte(text))
	value, err := scanner.Value()
	isJSON := err == nil && scanner.End() == nil
	isText := joinKey.Dtype == row.String || joinKey.Dtype == row.Bytes
	if isJSON && (!isText || value[0] == '"') {
		return value
	}
	return jsonout.String(nil, text)
}

func explained(answer *lookup.Answer, column *lookup.Column, request *lookup.Request) explanation {
	view, mark := column.View, column.Marks[0]
	e := explanation{
		Project: answer.Project.Name, View: view.View.Name, Feature: column.Ref.Name, Service: request.TermsOf,
		Key: make(map[string]rawValue), NowUS: answer.NowUS, Value: rawValue("null"), StoredValue: rawValue("null"),
		Verdict: mark.Verdict.String(), Status: answer.Status(column, 0), Action: mark.Action.String(),
		AlsoInvalid: mark.AlsoInvalid, Rejected: answer.Rejected[0], Watermarks: make(map[string]int64),
		Contract: contractInForce{
			Version: view.View.Contract, Enforcement: "enforce", MaxAgeUS: view.Terms.MaxAgeUS,
			OnStale: view.Terms.OnStale.String(), OnMissing: view.Terms.OnMissing.String(), OnInvalid: view.Terms.OnInvalid.String(),
		},
		Bundle: lookup.NameOf(answer.Bundle),
	}
	if view.View.Observe {
		e.Contract.Enforcement = "observe"
	}
	for _, column := range request.Entities {
		e.Key[column.Name] = column.Values[0]
	}
	if value, ok := answer.Value(column, 0); ok {
		e.Value = jsonout.Style{}.Value(nil, column.Feature.Dtype, value)
	}
	if value, ok := column.Stored(0); ok {
		e.StoredValue = jsonout.Style{}.Value(nil, column.Feature.Dtype, value)
	}
	if mark.Reason != enforce.NoReason {
		reason := mark.Reason.String()
		e.Reason = &reason
	}
	for lane := row.Batch; lane < row.LaneCount; lane++ {
		if view.Marks.Has[lane] {
			e.Watermarks[lane.String()] = view.Marks.US[lane]
		}
	}
	e.addRow(view)
	return e
}

func (e *explanation) addRow(view *lookup.View) {
	state := view.Table.States[0]
	if state == enforce.Young || state == enforce.Old {
		asOf, age := view.Table.AsOfUS[0], view.Table.AgeUS[0]
		e.AsOfUS, e.AgeUS = &asOf, &age
	}
	if state > enforce.Undated && state != enforce.Buried {
		return
	}
	header := view.Table.Headers[0]
	eventTime := jsonout.Time(nil, header.EventTimeUS)
	e.Row = &rowFacts{
		EventTimeUS: header.EventTimeUS, EventTime: string(eventTime[1 : len(eventTime)-1]),
		WriteTimeUS: header.WriteTimeUS, Lane: header.Lane.String(), RunNumber: header.RunNumber,
		Position: header.Position, Layout: header.Layout,
		Held: header.Held, Clamped: header.Clamped, Tombstone: header.Tombstone,
	}
}

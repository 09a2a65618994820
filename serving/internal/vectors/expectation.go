package vectors

import (
	"encoding/json"

	"freshline/serving/internal/enforce"
	"freshline/serving/internal/jsonout"
	"freshline/serving/internal/lookup"
)

// Expectation is what the vectors expect of a case.
type Expectation struct {
	Rows         []rowVerdict      `json:"rows"`
	Failed       bool              `json:"failed"`
	Counts       map[string]uint64 `json:"counts"`
	RejectedRows int               `json:"rejected_rows"`

	Bins map[string]map[string]uint64 `json:"bins,omitempty"` // by feature and bin, where the view has any
}

type rowVerdict struct {
	AsOfUS   *int64           `json:"as_of_us"`
	AgeUS    *int64           `json:"age_us"`
	Rejected bool             `json:"rejected"`
	Features []featureVerdict `json:"features"`
}

type featureVerdict struct {
	Name        string          `json:"name"`
	Verdict     string          `json:"verdict"`
	Status      string          `json:"status"`
	Action      string          `json:"action"`
	Value       json.RawMessage `json:"value"`
	AlsoInvalid bool            `json:"also_invalid"`
	Reason      *string         `json:"reason"`
}

func expectationOf(answer *lookup.Answer) *Expectation {
	e := &Expectation{
		Rows: make([]rowVerdict, answer.Rows), Failed: answer.BreaksContract(),
		Counts: make(map[string]uint64, enforce.VerdictCount),
	}
	tally := answer.Tally()
	for verdict, n := range tally.Verdicts {
		e.Counts[enforce.Verdict(verdict).String()] = n
	}
	for i := range e.Rows {
		e.Rows[i] = verdictOf(answer, i)
	}
	for _, view := range answer.Views {
		for _, rejected := range view.Rejected {
			if rejected {
				e.RejectedRows++
			}
		}
	}
	return e
}

// addBins takes the counts of one view, whose bins do not change.
func (e *Expectation) addBins(features map[string]map[string]map[string]uint64) {
	for feature, ids := range features {
		for _, counts := range ids {
			if e.Bins == nil {
				e.Bins = make(map[string]map[string]uint64)
			}
			e.Bins[feature] = counts
		}
	}
}

func verdictOf(answer *lookup.Answer, i int) rowVerdict {
	v := rowVerdict{Rejected: answer.Rejected[i], Features: []featureVerdict{}}
	for _, view := range answer.Views {
		if state := view.Table.States[i]; state == enforce.Young || state == enforce.Old {
			v.AsOfUS, v.AgeUS = &view.Table.AsOfUS[i], &view.Table.AgeUS[i]
		}
	}
	for _, column := range answer.Columns {
		mark := column.Marks[i]
		feature := featureVerdict{
			Name: column.Ref.Name, Verdict: mark.Verdict.String(), Status: answer.Status(column, i),
			Action: mark.Action.String(), Value: json.RawMessage("null"), AlsoInvalid: mark.AlsoInvalid,
		}
		if value, ok := answer.Value(column, i); ok {
			feature.Value = jsonout.Style{Widened: true}.Value(nil, column.Feature.Dtype, value)
		}
		if mark.Reason != enforce.NoReason {
			reason := mark.Reason.String()
			feature.Reason = &reason
		}
		v.Features = append(v.Features, feature)
	}
	return v
}

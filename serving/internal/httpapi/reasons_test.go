package httpapi

import (
	"encoding/json"
	"testing"

	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
	"freshline/serving/internal/lookup"
	"freshline/serving/internal/lookup/lookuptest"
)

func TestAnAnswerTellsSoManyReasonsAndHowManyMoreThereAre(t *testing.T) {
	const rows, columns = 300, 40
	parsed := lookuptest.Bundle(t)
	answer := &lookup.Answer{Bundle: parsed, Rows: rows, Rejected: make([]bool, rows), RejectedRows: rows}
	marks := make([]enforce.Mark, rows)
	for i := range marks {
		answer.Rejected[i], marks[i] = true, enforce.Mark{Verdict: enforce.Missing, Action: bundle.Reject}
	}
	column := &lookup.Column{Ref: bundle.Ref{View: parsed.Projects["p"].Views["carrier_delays"], Name: "delay"}, View: &lookup.View{View: parsed.Projects["p"].Views["carrier_delays"], Rejected: answer.Rejected}, Column: enforce.Column{Marks: marks}}
	for range columns {
		answer.Columns = append(answer.Columns, column)
	}
	var told struct {
		Rejected []struct{ Reasons []any }
		LeftOut  int `json:"reasons_left_out"`
	}
	if err := json.Unmarshal(append(appendDetails([]byte{'{'}, answer, false), '}'), &told); err != nil {
		t.Fatal(err)
	}
	listed := 0
	for _, rejected := range told.Rejected {
		listed += len(rejected.Reasons)
	}
	if len(told.Rejected) != rows || listed != mostReasons || told.LeftOut != rows*columns-mostReasons {
		t.Errorf("%d rows with %d reasons, %d left out", len(told.Rejected), listed, told.LeftOut)
	}
}

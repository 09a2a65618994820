package lookup

import (
	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
)

// Facts say why a contract was not met. Their JSON is what callers read, whatever the protocol.
type Facts struct {
	Rows         int               `json:"rows"`
	RejectedRows int               `json:"rejected_rows"`
	MaxRejected  float64           `json:"max_rejected"`
	Counts       map[string]uint64 `json:"counts"`  // of values, by verdict
	Reasons      map[string]uint64 `json:"reasons"` // of rejecting values, by feature, verdict and reason
	Bundle       BundleName        `json:"bundle"`
	Contracts    map[string]int    `json:"contracts"` // numbers, by view
}

// BundleName tells which bundle judged.
type BundleName struct {
	Number int64  `json:"number"`
	Digest string `json:"digest"`
}

// NameOf names a bundle.
func NameOf(b *bundle.Bundle) BundleName { return BundleName{b.Number, b.Digest} }

// Rejects tells whether this value is why row i is rejected.
func (c *Column) Rejects(i int) bool {
	return c.Marks[i].Action == bundle.Reject && !c.View.View.Observe
}

// Facts returns why the answer's contract is not met. They may be kept after the answer is released.
func (a *Answer) Facts() *Facts {
	tally := a.Tally()
	facts := &Facts{
		Rows: a.Rows, RejectedRows: a.RejectedRows, MaxRejected: a.MaxRejected,
		Counts:    make(map[string]uint64, len(tally.Verdicts)),
		Reasons:   make(map[string]uint64),
		Bundle:    NameOf(a.Bundle),
		Contracts: make(map[string]int, len(a.Views)),
	}
	for verdict, n := range tally.Verdicts {
		facts.Counts[enforce.Verdict(verdict).String()] = n
	}
	for _, column := range a.Columns {
		for i := range a.Rows {
			if column.Rejects(i) {
				mark := column.Marks[i]
				facts.Reasons[column.Ref.View.Name+":"+column.Ref.Name+" "+mark.Verdict.String()+" ("+mark.Reason.String()+")"]++
			}
		}
	}
	for _, view := range a.Views {
		facts.Contracts[view.View.Name] = view.View.Contract
	}
	return facts
}

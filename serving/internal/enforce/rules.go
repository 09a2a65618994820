package enforce

import "freshline/serving/internal/bundle"

// class says what one cell holds, once its own domain was checked.
type class uint8

const (
	sound   class = iota // a value within its domain
	empty                // a null that may be one
	broken               // a value, or a null, outside its domain
	lacking              // no such column in the row's layout

	classCount
)

// Rules are the marks that terms give to every combination of a row and a cell: contracts allow so
// few that a lookup replaces all branching.
type Rules [stateCount][classCount]Mark

// RulesFor works the table out.
func RulesFor(terms bundle.Terms) Rules {
	var rules Rules
	for state := range stateCount {
		for cell := range classCount {
			rules[state][cell] = judge(state, cell, terms)
		}
	}
	return rules
}

func judge(state State, cell class, terms bundle.Terms) Mark {
	missing := func(reason Reason) Mark {
		return Mark{Verdict: Missing, Action: terms.OnMissing, Reason: reason}
	}
	switch state {
	case Gone:
		return missing(AbsentRow)
	case Buried:
		return missing(Tombstone)
	case Unreadable:
		return Mark{Verdict: Unavailable, Action: terms.OnMissing, Reason: UnavailableRow}
	case Damaged:
		return Mark{Verdict: Invalid, Action: terms.OnInvalid, Reason: Corrupt}
	}
	if cell == lacking {
		return missing(LackingInLayout)
	}
	if state == Young {
		return judgeYoung(cell, terms)
	}
	mark := Mark{Verdict: Stale, Action: terms.OnStale, Reason: TooOld}
	if state == Undated {
		mark.Reason = NoEvidence
	}
	if cell == broken {
		mark.AlsoInvalid = true
		mark.Action = max(terms.OnStale, terms.OnInvalid)
	}
	return mark
}

func judgeYoung(cell class, terms bundle.Terms) Mark {
	switch cell {
	case sound:
		return Mark{Verdict: Fresh, Action: bundle.Serve}
	case empty:
		return Mark{Verdict: Null, Action: bundle.Serve}
	}
	return Mark{Verdict: Invalid, Action: terms.OnInvalid} // the check says the reason
}

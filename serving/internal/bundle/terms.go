package bundle

import "fmt"

// Action is what happens to a value. A greater action is stronger.
type Action uint8

// The actions, weakest first.
const (
	Serve Action = iota
	Null
	Default
	Reject

	ActionCount = 4
)

// String names the action as contracts do.
func (a Action) String() string {
	switch a {
	case Serve:
		return "serve"
	case Null:
		return "null"
	case Default:
		return "default"
	case Reject:
		return "reject"
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

func parseAction(name string) (Action, error) {
	for action := Serve; action <= Reject; action++ {
		if action.String() == name {
			return action, nil
		}
	}
	return 0, fmt.Errorf("%q is no action", name)
}

// Terms are the promises in force for one read of one view.
type Terms struct {
	MaxAgeUS  int64
	OnStale   Action
	OnMissing Action
	OnInvalid Action
}

// partialTerms are the terms that a service names itself.
type partialTerms struct {
	maxAgeUS  *int64
	onStale   *Action
	onMissing *Action
	onInvalid *Action
}

func (p partialTerms) over(terms Terms) Terms {
	override(&terms.MaxAgeUS, p.maxAgeUS)
	override(&terms.OnStale, p.onStale)
	override(&terms.OnMissing, p.onMissing)
	override(&terms.OnInvalid, p.onInvalid)
	return terms
}

func override[T any](term, own *T) {
	if own != nil {
		*term = *own
	}
}

func (d termsDocument) partial() (partialTerms, error) {
	terms := partialTerms{maxAgeUS: d.MaxAgeUS}
	for _, each := range []struct {
		name string
		text *string
		into **Action
	}{
		{"on_stale", d.OnStale, &terms.onStale},
		{"on_missing", d.OnMissing, &terms.onMissing},
		{"on_invalid", d.OnInvalid, &terms.onInvalid},
	} {
		if each.text == nil {
			continue
		}
		action, err := parseAction(*each.text)
		if err != nil {
			return terms, fmt.Errorf("%s: %w", each.name, err)
		}
		if action == Serve && each.name == "on_missing" {
			return terms, fmt.Errorf("on_missing: nothing is there to serve")
		}
		*each.into = &action
	}
	if d.MaxAgeUS != nil && *d.MaxAgeUS < 0 {
		return terms, fmt.Errorf("max_age_us: %d is negative", *d.MaxAgeUS)
	}
	return terms, nil
}

// whole refuses terms that leave one of the four open, as only a service may.
func (d termsDocument) whole() (Terms, error) {
	partial, err := d.partial()
	if err != nil {
		return Terms{}, err
	}
	if d.MaxAgeUS == nil || d.OnStale == nil || d.OnMissing == nil || d.OnInvalid == nil {
		return Terms{}, fmt.Errorf("a view names max_age_us, on_stale, on_missing and on_invalid")
	}
	return partial.over(Terms{}), nil
}

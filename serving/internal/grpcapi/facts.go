package grpcapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	"freshline/serving/internal/lookup"
)

// mostTold bounds the lists of a detail. It travels in the trailers, of which clients take 8 KB unless told
// otherwise: beyond that they would report a resource exhausted, and no contract.
const mostTold = 12

// shortened are the facts of HTTP's problem, and how many were left out of their lists.
type shortened struct {
	*lookup.Facts
	ReasonsLeftOut   int `json:"reasons_left_out,omitempty"`
	ContractsLeftOut int `json:"contracts_left_out,omitempty"`
}

// failureOf returns what the caller of an answer without values reads: of a contract, why it is not met.
func failureOf(answer *lookup.Answer) error {
	err := connect.NewError(codeOf(answer.Failure.Kind), answer.Failure)
	if answer.Failure.Kind != lookup.ContractNotMet {
		return err
	}
	detail, broken := detailOf(answer.Facts())
	if broken != nil {
		return connect.NewError(connect.CodeInternal, errors.Join(answer.Failure, broken))
	}
	err.AddDetail(detail)
	return err
}

func detailOf(facts *lookup.Facts) (*connect.ErrorDetail, error) {
	short := shortened{Facts: facts}
	short.ReasonsLeftOut = keepMost(facts.Reasons)
	short.ContractsLeftOut = keepMost(facts.Contracts)
	text, err := json.Marshal(short)
	if err != nil {
		return nil, err
	}
	message := new(structpb.Struct)
	if err := message.UnmarshalJSON(text); err != nil {
		return nil, err
	}
	return connect.NewErrorDetail(message)
}

// keepMost keeps the names with the greatest numbers, of equal ones the first, and returns how many went.
func keepMost[N cmp.Ordered](of map[string]N) int {
	names := slices.SortedFunc(maps.Keys(of), func(a, b string) int {
		return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b))
	})
	left := names[min(len(names), mostTold):]
	for _, name := range left {
		delete(of, name)
	}
	return len(left)
}

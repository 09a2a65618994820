package lookup

import "fmt"

// Kind is what went wrong with a request; who speaks HTTP maps it to a status and a code.
type Kind uint8

// The kinds. Up to KeyBad the caller asked for something that cannot be.
const (
	UnknownProject Kind = iota + 1
	UnknownService
	UnknownView
	UnknownFeature
	UnknownEntity
	NoFeatures
	BadReference
	Collision
	TooManyFeatures
	TooManyEntities
	UnevenColumns
	KeyMissing
	KeyBad
	NoBundle
	Busy
	StoreUnavailable
	DeadlineExceeded
	ContractNotMet
	Unauthenticated
	NoProject
	Forbidden
)

// Error is a request that got no values. Its message is for the caller.
type Error struct {
	Kind    Kind
	Subject string // the name that was not found, where there is one
	Message string
}

func (e *Error) Error() string { return e.Message }

func failure(kind Kind, subject, format string, args ...any) *Error {
	return &Error{Kind: kind, Subject: subject, Message: fmt.Sprintf(format, args...)}
}

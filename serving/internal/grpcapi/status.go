package grpcapi

import (
	"errors"
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"freshline/serving/internal/lookup"
)

// codeOf maps what lookup complains of to gRPC's codes. A request that is too large stays so however
// often it is sent, so it is an invalid argument and no exhausted resource.
func codeOf(kind lookup.Kind) connect.Code {
	switch kind {
	case lookup.UnknownProject, lookup.UnknownService, lookup.UnknownView, lookup.UnknownFeature, lookup.UnknownEntity:
		return connect.CodeNotFound
	case lookup.NoFeatures, lookup.NoProject, lookup.BadReference, lookup.Collision, lookup.UnevenColumns,
		lookup.KeyMissing, lookup.KeyBad, lookup.TooManyFeatures, lookup.TooManyEntities:
		return connect.CodeInvalidArgument
	case lookup.NoBundle, lookup.StoreUnavailable:
		return connect.CodeUnavailable
	case lookup.Busy:
		return connect.CodeResourceExhausted
	case lookup.DeadlineExceeded:
		return connect.CodeDeadlineExceeded
	case lookup.ContractNotMet:
		return connect.CodeFailedPrecondition
	case lookup.Unauthenticated:
		return connect.CodeUnauthenticated
	case lookup.Forbidden:
		return connect.CodePermissionDenied
	}
	return connect.CodeInternal
}

// longestMessage is what is told of a complaint, in bytes: it travels as a header, and many clients fail over one of
// more than 8 KiB. The caller's own names are part of it.
const longestMessage = 1000

// told shortens a complaint.
func told(message string) error {
	if len(message) > longestMessage {
		message = strings.ToValidUTF8(message[:longestMessage], "") + " ..."
	}
	return errors.New(message)
}

// statusOf turns any error of a lookup into what its caller reads.
func statusOf(err error) error {
	var failure *lookup.Error
	if errors.As(err, &failure) {
		return connect.NewError(codeOf(failure.Kind), told(failure.Message))
	}
	return connect.NewError(connect.CodeInternal, err)
}

// httpStatus is the status under which the metrics count a code: what the same outcome has over HTTP.
func httpStatus(code connect.Code) int {
	switch code {
	case 0:
		return http.StatusOK
	case connect.CodeInvalidArgument:
		return http.StatusUnprocessableEntity
	case connect.CodeNotFound:
		return http.StatusNotFound
	case connect.CodeUnauthenticated:
		return http.StatusUnauthorized
	case connect.CodePermissionDenied:
		return http.StatusForbidden
	case connect.CodeAborted:
		return http.StatusConflict
	case connect.CodeFailedPrecondition:
		return http.StatusFailedDependency
	case connect.CodeResourceExhausted:
		return http.StatusTooManyRequests
	case connect.CodeDeadlineExceeded:
		return http.StatusGatewayTimeout
	case connect.CodeUnavailable:
		return http.StatusServiceUnavailable
	case connect.CodeUnimplemented:
		return http.StatusNotImplemented
	}
	return http.StatusInternalServerError
}

package grpcapi

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// codec reads and writes the messages of this package by hand, in protobuf's wire format.
type codec struct{}

// Name implements connect.Codec.
func (codec) Name() string { return "proto" }

// Marshal implements connect.Codec.
func (c codec) Marshal(message any) ([]byte, error) { return c.MarshalAppend(nil, message) }

// MarshalAppend spares connect a buffer for each answer.
func (codec) MarshalAppend(to []byte, message any) ([]byte, error) {
	switch m := message.(type) {
	case *onlineResponse:
		return m.append(to), nil
	case *infoResponse:
		return appendBytes(to, tagBytes1, m.version), nil
	case *writeResponse:
		return append(to, 1<<3, 1), nil // status: true
	case *healthResponse:
		return append(to, 1<<3, m.status), nil
	case proto.Message: // connect's own: the status of an error with details
		return proto.MarshalOptions{}.MarshalAppend(to, m)
	}
	return to, fmt.Errorf("%T is no message of ours", message)
}

// Unmarshal implements connect.Codec. The data is connect's own and must be copied.
func (codec) Unmarshal(data []byte, message any) error {
	switch m := message.(type) {
	case *onlineRequest:
		return m.parse(append([]byte(nil), data...))
	case *pushRequest:
		return m.parse(append([]byte(nil), data...))
	case *storeRequest:
		return m.parse(append([]byte(nil), data...))
	case *infoRequest:
		return eachField(data, func(protowire.Number, protowire.Type, uint64, []byte) error { return nil })
	case *healthRequest:
		return eachField(data, func(field protowire.Number, kind protowire.Type, _ uint64, text []byte) error {
			if field == 1 && kind == protowire.BytesType {
				m.service = string(text)
				return checkText(text)
			}
			return nil
		})
	}
	return fmt.Errorf("%T is no message of ours", message)
}

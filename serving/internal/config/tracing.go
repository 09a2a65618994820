package config

import "strings"

// tracing tells whether OpenTelemetry's standard variables ask for spans. What else they say, the library reads.
func (r *reader) tracing() bool {
	exporter := r.oneOf("OTEL_TRACES_EXPORTER", "", "none", "otlp")
	// The signal's own address wins over the one for all; either asks for spans.
	addresses := r.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") + r.text("OTEL_EXPORTER_OTLP_ENDPOINT")
	disabled := strings.EqualFold(r.text("OTEL_SDK_DISABLED"), "true")
	r.oneOf("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	return !disabled && exporter != "none" && (exporter == "otlp" || addresses != "")
}

package config

// Settings lists every environment variable that serving reads. docs/reference/serving.md shows the
// same list; a test compares them.
func Settings() []Setting {
	return []Setting{
		{"FRESHLINE_SERVING_LISTEN", "127.0.0.1:6566", "Address and port of the lookup server."},
		{"FRESHLINE_SERVING_SOCKET_FD", "", "Number of an inherited socket that listens there already (systemd's first is 3), so that restarts refuse nobody; empty: serving listens itself."},
		{"STORE_URL", "sqlite:///.freshline/store.sqlite3", "The online store of every project that names no other: sqlite:///path, redis://host:port/db, rediss:// (?ca_file=path), redis+cluster://host:port,host:port, rediss+cluster:// or dynamodb://region/table; a store of Feast's: feast+sqlite:///path, feast+redis:// and the like, or feast+dynamodb://region (docs: Online stores)."},
		{"FRESHLINE_STORES", "", "Further online stores that projects name: a JSON object of names and URLs, in any form that STORE_URL takes."},
		{"FRESHLINE_CONTROL_URL", "http://127.0.0.1:8000", "The control plane, where bundles come from and observations go."},
		{"FRESHLINE_SERVING_TOKEN", "", "Token with the scope serving."},
		{"FRESHLINE_SERVING_TOKEN_FILE", "", "File that holds the token; read again for every request, wins over FRESHLINE_SERVING_TOKEN."},
		{"FRESHLINE_SERVING_HOME", ".freshline/serving", "Folder of the last good bundle and of observations that wait."},
		{"FRESHLINE_SERVING_NAME", "", "Name of this process in the control plane; empty: the host's."},
		{"FRESHLINE_LOOKUP_AUTH", "auto", "Whether lookups need a token: auto (unless bound to loopback), required or off."},
		{"FRESHLINE_LOOKUP_TIMEOUT", "100ms", "Deadline of a lookup that brings no X-Request-Timeout-Ms."},
		{"FRESHLINE_LOOKUP_MAX_BODY_BYTES", "8388608", "Largest body of a request, in bytes."},
		{"FRESHLINE_LOOKUP_MAX_ENTITIES", "10000", "Most entity rows in a request."},
		{"FRESHLINE_LOOKUP_MAX_FEATURES", "2000", "Most features in a request."},
		{"FRESHLINE_LOOKUP_MAX_CONCURRENT", "256", "Most lookups at once in each store; more are answered 429 immediately."},
		{"FRESHLINE_LOOKUP_MAX_VALUES", "8000000", "Most values (rows times features) of all lookups under way; a lookup beyond them that is not alone is answered 429 immediately."},
		{"FRESHLINE_WATERMARK_INTERVAL", "500ms", "How often watermarks are read from the store."},
		{"FRESHLINE_OBSERVE_INTERVAL", "10s", "How often observations are sent."},
		{"FRESHLINE_OBSERVE_SAMPLE_EVERY", "100", "One lookup in so many is sampled, its key hashed; 0: none."},
		{"FRESHLINE_OBSERVE_PLAIN_KEYS", "", "Projects, separated by commas, whose sampled keys are told as they are besides their hash; *: all; empty: none."},
		{"FRESHLINE_OBSERVE_SPOOL_BYTES", "67108864", "Most bytes of observations that wait on disk; the oldest are dropped."},
		{"FRESHLINE_PASS_THROUGH_TIMEOUT", "90s", "How long the control plane may take for what is passed on to it."},
		{"FRESHLINE_PASS_THROUGH_TOKEN_FILE", "", "File that holds a token (scopes ingest, operate) for callers who send none to what is passed on; only where lookups need no token; empty: none."},
		{"FRESHLINE_SERVING_DRAIN_TIMEOUT", "10s", "How long requests under way may take after SIGTERM."},
		{"FRESHLINE_SERVING_PPROF_LISTEN", "", "Loopback address of Go's profiles; empty: off."},
		{"FRESHLINE_SERVING_TLS_CERT", "", "Certificate file (PEM); empty: plain HTTP."},
		{"FRESHLINE_SERVING_TLS_KEY", "", "Key file (PEM) of the certificate."},
		{"FRESHLINE_SERVING_TLS_CLIENT_CA", "", "File (PEM) of the authorities whose client certificates are required; empty: none are."},
		{"FRESHLINE_SERVING_LOG_LEVEL", "info", "debug, info, warn or error."},
		{"OTEL_TRACES_EXPORTER", "", "otlp: spans go to an OpenTelemetry collector; none: they do not; empty: they do where an endpoint is set."},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "", "Address of the collector, as http://localhost:4318."},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", "Address for spans alone, with its path; wins over OTEL_EXPORTER_OTLP_ENDPOINT."},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "How the collector is spoken to; http/protobuf is the only way."},
		{"OTEL_SDK_DISABLED", "", "true: no spans, whatever else is set."},
	}
}
